/**
 * The people of this room, in one column: a diamond with their name in the box of the node that serves them; those whom
 * the shop has forgotten stand beside the balancer, crossed out. Whatever they call themselves is text.
 * @module
 */

import { svg, write } from "./elements.js";
import { tag } from "./places.js";

export class Guests {
  constructor() {
    this.group = svg("g", { class: "guests", role: "group", "aria-label": "People of this room" });
  }

  #marks = new Map();

  /**
   * @param seen what the picture says of them on this side
   * @param named {Map<string, string>} their names, by account
   * @param {string} mine one's own account
   */
  draw(seen, named, mine, layout, nodes) {
    const placed = new Map(nodes.map((node) => [node.name, 0]));
    const up = new Set(nodes.filter((node) => node.state !== "dead").map((node) => node.name));
    const here = new Set();
    let outside = 0;
    for (const guest of seen) {
      if (!guest.node) continue;
      here.add(guest.user);
      const inside = guest.logged_in && up.has(guest.node);
      const number = nodes.findIndex((node) => node.name === guest.node);
      const at = inside
        ? tag(layout.nodeBoxes[number], layout.tags, placed.get(guest.node))
        : besideBalancer(layout, outside++);
      if (inside) placed.set(guest.node, placed.get(guest.node) + 1);
      this.#one(guest, at, inside, named.get(guest.user) ?? guest.user, guest.user === mine, layout);
    }
    for (const [user, mark] of this.#marks) {
      if (here.has(user)) continue;
      mark.group.remove();
      this.#marks.delete(user);
    }
  }

  #one(guest, at, inside, name, mine, layout) {
    let mark = this.#marks.get(guest.user);
    if (!mark) {
      mark = { body: svg("path", {}), name: svg("text", {}), title: svg("title", {}) };
      mark.group = svg("g", { "data-guest": guest.user }, mark.title, mark.body, mark.name);
      this.#marks.set(guest.user, mark);
      this.group.append(mark.group);
    }
    const known = guest.logged_in || guest.undecided;
    const state = known ? "in" : "out";
    mark.group.setAttribute("class", `guest ${state}${guest.lost ? " lost" : ""}${mine ? " you" : ""}`);
    mark.group.style.transform = `translate(${at.x}px, ${at.y}px)`;
    const size = Math.min(0.36 * layout.letter, 0.46 * layout.tags.step);
    mark.body.setAttribute("d", known ? diamond(size) : cross(size));
    write(mark.title, `${name}: ${says(guest)}`);
    const shown = layout.tags.named && inside ? (mine ? myName(name, layout) : shortened(name, layout)) : "";
    mark.name.setAttribute("x", 1.05 * layout.letter);
    mark.name.setAttribute("y", 0.85 * layout.letter);
    write(mark.name, shown);
  }
}

/** To the right of the balancer, in rows: clear of the lines to the nodes. */
function besideBalancer({ balancer, letter, width }, place) {
  const x = balancer.x + balancer.width + 0.6 * letter;
  const columns = Math.max(1, Math.floor((width - x) / (0.95 * letter)));
  return { x: x + (place % columns) * 0.95 * letter, y: balancer.y + Math.floor(place / columns) * 0.95 * letter };
}

function says(guest) {
  if (guest.logged_in) return `logged in, ${guest.node} serves them`;
  return guest.undecided ? `${guest.node}, which knew them, is gone` : "the shop does not know them";
}

/** Of one's own name no piece is shown. */
function myName(name, layout) {
  const whole = `★ ${name}`;
  return shortened(whole, layout) === whole ? whole : "★ you";
}

function shortened(name, { tags, letter }) {
  const most = Math.max(2, Math.floor((tags.width - 1.3 * letter) / (0.6 * letter)));
  const letters = [...name];
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join("")}…`;
}

function diamond(half) {
  return `M0 ${half}L${half} 0L${2 * half} ${half}L${half} ${2 * half}Z`;
}

function cross(half) {
  return `M0 0L${2 * half} ${2 * half}M${2 * half} 0L0 ${2 * half}`;
}
