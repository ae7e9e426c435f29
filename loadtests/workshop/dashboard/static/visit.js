/**
 * Being a shopper oneself: an account of one's own, and a link into each shop.
 * @module
 */

import { html, the, write } from "./elements.js";
import { SIDES } from "./words.js";

const KEPT = "twinshop-guest";
/** When the shops can be entered. */
const OPEN = new Set(["open", "predict", "run"]);
const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export class Visit {
  constructor() {
    this.#number = Number(window.localStorage.getItem(KEPT) ?? NaN);
    the("guest").addEventListener("change", (event) => this.#choose(Number(event.target.value)));
  }

  #number;
  #sides = [];
  #drawn = "";
  #chosen = () => {};

  /** Is told when somebody picks another account. */
  onChange(chosen) {
    this.#chosen = chosen;
  }

  /** The account on that side; null where there is none. */
  accountOn(sideName) {
    const guests = this.#sides.find((side) => side.side === sideName)?.guests ?? [];
    return guests.length ? guests[this.#number % guests.length] : null;
  }

  /** What the picture says of that account: null as long as it has not been seen in the shop. */
  seenOn(sideName, picture) {
    const account = this.accountOn(sideName);
    return (account && picture[sideName].guests.find((guest) => guest.user === account.user)) ?? null;
  }

  draw(workshop, me) {
    this.#sides = workshop.round.sides;
    const guests = this.#sides[0]?.guests ?? [];
    the("visit").hidden = guests.length === 0 || !OPEN.has(workshop.round.phase);
    if (!Number.isInteger(this.#number)) this.#number = me.instructor ? 0 : numberOf(me.who);
    const shape = JSON.stringify([this.#sides, this.#number]);
    if (guests.length === 0 || shape === this.#drawn) return;
    this.#drawn = shape;
    const here = LOOPBACK.test(window.location.hostname);
    the("elsewhere").hidden = here;
    the("guest").replaceChildren(
      ...guests.map((guest, number) =>
        html("option", { value: number, selected: number === this.#number % guests.length }, guest.user),
      ),
    );
    the("shop-links").replaceChildren(...this.#sides.map((side) => this.#link(side, here)));
  }

  /** Where the shops take the person for, in words. */
  tell(picture) {
    for (const side of SIDES) {
      const place = document.querySelector(`#shop-links [data-side="${side}"] .served`);
      const seen = this.seenOn(side, picture);
      if (!place) continue;
      write(
        place,
        !seen || !seen.node
          ? "not seen here yet"
          : `${seen.node} serves you: ${seen.logged_in ? "logged in" : "you are a stranger to it"}`,
      );
      place.classList.toggle("stranger", Boolean(seen && seen.node && !seen.logged_in));
    }
  }

  #link(side, here) {
    const { user, password } = this.accountOn(side.side);
    const address = `${side.shop_url}/login?user=${encodeURIComponent(user)}`;
    const go = html(
      "a",
      { href: address, target: "_blank", rel: "noopener", class: `go ${side.stateful ? "stateful" : "stateless"}` },
      `Open the ${side.side} shop`,
      html("span", { class: "quiet" }, ` ${side.architecture}`),
    );
    return html(
      "li",
      { "data-side": side.side },
      here ? go : html("span", { class: "go" }, `The ${side.side} shop`),
      html(
        "dl",
        { class: "account" },
        html("dt", {}, "name"),
        html("dd", {}, html("code", {}, user)),
        html("dt", {}, "password"),
        html("dd", {}, html("code", {}, password)),
      ),
      html("p", { class: "served" }),
    );
  }

  #choose(number) {
    this.#number = number;
    window.localStorage.setItem(KEPT, String(number));
    this.#drawn = "";
    this.#chosen();
  }
}

/** A number from a random id, so that two people seldom have the same account. */
function numberOf(who) {
  let sum = 0;
  for (const letter of who) sum = (sum * 31 + letter.codePointAt(0)) % 100003;
  return sum;
}
