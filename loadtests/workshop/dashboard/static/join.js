/**
 * How others join: a picture for telephones, a short address and a code. The instructor's key is nowhere in it.
 * @module
 */

import { the, write } from "./elements.js";

const PICTURE = "/join.svg";

export class Join {
  constructor() {
    the("join-button").addEventListener("click", () => this.show());
    the("join").querySelector(".close").addEventListener("click", () => the("join").close());
  }

  #open = false;

  /** In large. */
  show() {
    if (this.#open) the("join").showModal();
  }

  /** Not for a participant: who has joined needs the place on a small screen for other things. */
  draw(workshop, { instructor, room }) {
    this.#open = Boolean(room && instructor);
    the("join-button").hidden = !this.#open;
    the("cover-join").hidden = !this.#open;
    if (!this.#open) return;
    const code = room.code.toUpperCase().replace(/^(.{3})/, "$1 ");
    for (const place of document.querySelectorAll("#join-address, .join-address")) write(place, room.address);
    for (const place of document.querySelectorAll("#join-code, .join-code")) write(place, code);
    for (const picture of document.querySelectorAll("img.qr")) {
      if (!picture.hasAttribute("src")) picture.setAttribute("src", PICTURE);
      picture.setAttribute("alt", `A code for telephones that leads to ${room.address}`);
    }
  }
}
