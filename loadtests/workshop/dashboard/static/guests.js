/**
 * The people of this room, in one column: a diamond with their name in the box of the node that serves them; those whom
 * the shop has forgotten stand beside the balancer, crossed out, and keep their names: the room looks for whose cross it
 * is. Whatever they call themselves is text.
 * @module
 */

import { svg, write } from "./elements.js";
import { outsideTag, tag } from "./places.js";

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
    const there = seen.filter((guest) => guest.node);
    const here = new Set(there.map((guest) => guest.user));
    const inside = (guest) => guest.logged_in && up.has(guest.node);
    const outside = there.filter((guest) => !inside(guest));
    for (const guest of there) {
      const name = named.get(guest.user) ?? guest.user;
      const at = inside(guest)
        ? this.#inNode(guest, placed, layout, nodes)
        : outsideTag(layout, outside.indexOf(guest), outside.length);
      this.#one(guest, at, name, guest.user === mine, layout);
    }
    for (const [user, mark] of this.#marks) {
      if (here.has(user)) continue;
      mark.group.remove();
      this.#marks.delete(user);
    }
  }

  #inNode(guest, placed, { nodeBoxes, tags }, nodes) {
    const place = placed.get(guest.node);
    placed.set(guest.node, place + 1);
    const box = nodeBoxes[nodes.findIndex((node) => node.name === guest.node)];
    return { ...tag(box, tags, place), named: tags.named, width: tags.width };
  }

  #one(guest, at, name, mine, layout) {
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
    const most = Math.max(2, Math.floor((at.width - 1.3 * layout.letter) / (0.6 * layout.letter)));
    const shown = !at.named ? "" : mine ? myName(name, most) : shortened(name, most);
    mark.name.setAttribute("x", 1.05 * layout.letter);
    mark.name.setAttribute("y", 0.85 * layout.letter);
    write(mark.name, shown);
  }
}

function says(guest) {
  if (guest.logged_in) return `logged in, ${guest.node} serves them`;
  return guest.undecided ? `${guest.node}, which knew them, is gone` : "the shop does not know them";
}

/** Of one's own name no piece is shown. */
function myName(name, most) {
  const whole = `★ ${name}`;
  return shortened(whole, most) === whole ? whole : "★ you";
}

function shortened(name, most) {
  const letters = [...name];
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join("")}…`;
}

function diamond(half) {
  return `M0 ${half}L${half} 0L${2 * half} ${half}L${half} ${2 * half}Z`;
}

function cross(half) {
  return `M0 0L${2 * half} ${2 * half}M${2 * half} 0L0 ${2 * half}`;
}
