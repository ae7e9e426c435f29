/**
 * Being a shopper oneself: an account of one's own, and one press that logs in to a shop.
 *
 * The shops are at this page's own address, at other ports; a form of this page logs in there, so that no password
 * stands in an address.
 * @module
 */

import { Drawn, html, the, write } from "./elements.js";
import { LIVE, SIDES } from "./words.js";

export class Visit {
  #user = "";
  #drawn = new Drawn();

  /** What the picture says of one's own account on that side: null as long as it has not been seen in the shop. */
  seenOn(sideName, picture) {
    return picture[sideName].guests.find((guest) => guest.user === this.#user) ?? null;
  }

  draw(workshop, me) {
    const sides = workshop.round.sides.filter((side) => side.shop_url);
    this.#user = me.user;
    the("visit").hidden = !me.password || sides.length === 0 || !LIVE.has(workshop.round.phase);
    if (!this.#drawn.changes([sides, me.user, me.password, me.doors])) return;
    write(the("account-name"), me.user);
    write(the("account-password"), me.password);
    the("shop-links").replaceChildren(...sides.map((side) => entrance(side, me)));
  }

  /** Where the shops take the person for, in words. */
  tell(picture) {
    for (const side of SIDES) {
      const place = document.querySelector(`#shop-links [data-side="${side}"] .served`);
      if (!place) continue;
      const seen = this.seenOn(side, picture);
      const [where, then] = standing(seen, picture[side].nodes);
      write(place.querySelector(".where"), where);
      write(place.querySelector(".then"), then);
      place.classList.toggle("stranger", Boolean(seen?.node && !seen.logged_in));
    }
  }
}

/** Whose memory is gone says nothing: until they ask, nobody has told them that they are a stranger. */
function standing(seen, nodes) {
  if (!seen || !seen.node) return ["not seen there yet", ""];
  if (seen.logged_in) return [`★ ${seen.node}`, ""];
  if (!seen.undecided) return [`${seen.node} does not know you`, ""];
  const dead = nodes.find((node) => node.name === seen.node)?.state === "dead";
  return [`${seen.node} ${dead ? "is dead" : "has lost its memory"}`, ": open your cart"];
}

/** The address of a shop, by the name by which this page was reached. */
export function shopAddress(side) {
  const address = new URL(side.shop_url);
  address.hostname = window.location.hostname;
  return address.origin;
}

function entrance(side, { user, password, doors }) {
  const address = shopAddress(side);
  // One tab for each shop, however often it is pressed. With `noopener` a browser would not look for a tab of that name.
  const tab = `twinshop-${side.side}`;
  const fields = Object.entries({ user, password }).map(([name, value]) => html("input", { type: "hidden", name, value }));
  return html(
    "li",
    { "data-side": side.side },
    html(
      "form",
      { method: "post", action: `${address}${doors.login}`, target: tab },
      ...fields,
      html(
        "button",
        { class: `go ${side.stateful ? "stateful" : "stateless"}` },
        "Log in ",
        html("span", { class: "roomy" }, "to the "),
        `${side.side} shop`,
      ),
    ),
    html("a", { href: `${address}${doors.cart}`, target: tab }, html("span", { class: "roomy" }, "your "), "cart"),
    html("span", { class: "served" }, html("span", { class: "where" }), html("span", { class: "then" })),
  );
}
