/**
 * The people of this room in words: how many of them were logged out, and who is where.
 * @module
 */

import { Drawn, html, the, write } from "./elements.js";
import { SIDES } from "./words.js";

/** Whoever teaches has no seat, hence no name: `guest_name(0)` of the contract. */
const INSTRUCTOR = ["guest-00", "instructor"];

export class Roster {
  #names = new Map([INSTRUCTOR]);
  #drawn = new Drawn();

  /** Who is in the room. */
  know(participants) {
    this.#names = new Map([INSTRUCTOR, ...participants.map(({ user, name }) => [user, name])]);
  }

  /** The names of those who have been seen in a shop, by account. */
  named(picture) {
    const seen = SIDES.flatMap((side) => picture[side].guests.filter((guest) => guest.node).map((guest) => guest.user));
    return new Map([...new Set(seen)].map((user) => [user, this.#names.get(user) ?? user]));
  }

  draw(picture, mine) {
    const named = this.named(picture);
    the("room").hidden = named.size === 0;
    if (!this.#drawn.changes([[...named], SIDES.map((side) => picture[side].guests), mine])) return;
    for (const side of SIDES) {
      const entered = picture[side].guests.filter((guest) => guest.node);
      const out = entered.filter((guest) => guest.lost);
      const lost = out.length;
      write(the(`room-${side}`), `${lost} of ${entered.length} logged out`);
      write(the(`out-${side}`), out.map(({ user }) => named.get(user)).join(", "));
      write(the(`${side}-room`), entered.length ? `room: ${lost} of ${entered.length} out` : "");
      the(`room-${side}`).classList.toggle("some", lost > 0);
    }
    the("room-rows").replaceChildren(
      ...[...named].map(([user, name]) =>
        html(
          "tr",
          {},
          html("th", { scope: "row" }, name, user === mine && html("span", { class: "you" }, " ★ you")),
          ...SIDES.map((side) => html("td", {}, where(picture[side].guests.find((guest) => guest.user === user)))),
        ),
      ),
    );
  }
}

function where(guest) {
  if (!guest || !guest.node) return "not there";
  if (guest.undecided) return `${guest.node}, which is gone`;
  if (!guest.logged_in) return guest.lost ? "logged out by the shop" : "not logged in";
  return guest.lost ? `${guest.node}; was logged out before` : guest.node;
}
