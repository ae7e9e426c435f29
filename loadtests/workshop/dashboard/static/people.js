/**
 * The shoppers of one column, as dots: a circle, or a square with a cross for whom the shop has forgotten.
 *
 * Those who lost something can be pressed. They are one stop of the keyboard; arrows go from one to the next.
 * @module
 */

import { svg } from "./elements.js";
import { seat } from "./places.js";

/** Where more move at once, nobody glides: there a move is nothing new, and gliding costs more than it tells. */
const FEW = 3;
const SHARE_THAT_GLIDES = 0.2;
const SAYS = { outside: "not logged in", shopping: "shopping", logged_out: "logged out" };

/** How long somebody is shown as logged out at least: simulated shoppers log in again before an eye has seen it. */
const SEEN_MS = 4000;

/** The shoppers as they are shown: who was logged out a moment ago still is. */
export function shownAs({ shoppers, losses }, atMs) {
  const now = losses.filter((loss) => loss.kind === "logged_out" && loss.at_ms <= atMs && loss.at_ms > atMs - SEEN_MS);
  if (now.length === 0) return shoppers;
  const out = new Set(now.map((loss) => loss.shopper));
  return shoppers.map((view) => (out.has(view[0]) ? [view[0], view[1], "logged_out", true] : view));
}

export class People {
  /** @param {(shopper: number) => void} pressed */
  constructor(pressed) {
    this.#pressed = pressed;
    this.group = svg("g", { class: "people", role: "group", "aria-label": "Shoppers who lost something" });
    this.group.addEventListener("keydown", (event) => this.#keyed(event));
  }

  #pressed;
  #dots = new Map();
  #layout = null;
  #names = [];

  /** Other sizes: every shape is drawn anew, in its place. */
  layout(layout) {
    this.#layout = layout;
    for (const dot of this.#dots.values()) this.#shape(dot);
  }

  /** Nobody stands in a node that is dead: whom it served last is on the way to another one. */
  draw(shoppers, nodes) {
    this.#names = nodes.map((node) => (node.state === "dead" ? null : node.name));
    const seen = new Set(shoppers.map((view) => view[0]));
    const moved = shoppers.filter(
      ([shopper, node]) => this.#dots.has(shopper) && this.#dots.get(shopper).node !== node,
    ).length;
    if (moved > 0) this.group.classList.toggle("hopping", moved > FEW && moved > SHARE_THAT_GLIDES * shoppers.length);
    shoppers.forEach((view) => this.#one(view));
    for (const [shopper, dot] of this.#dots) {
      if (seen.has(shopper)) continue;
      dot.group.remove();
      this.#dots.delete(shopper);
    }
    this.#oneStop();
  }

  #one([shopper, node, state, hurt]) {
    let dot = this.#dots.get(shopper);
    if (dot === undefined) {
      dot = {
        shopper,
        body: svg("path", { class: "body" }),
        sign: svg("path", { class: "sign" }),
        group: null,
        key: "",
      };
      dot.group = svg("g", { "data-shopper": shopper }, dot.body, dot.sign);
      dot.group.addEventListener("click", () => dot.pressable && this.#pressed(shopper));
      this.#dots.set(shopper, dot);
      this.group.append(dot.group);
    }
    const key = `${node} ${state} ${hurt} ${this.#names.indexOf(node)}`;
    if (dot.key === key) return;
    Object.assign(dot, { key, node, state, hurt: Boolean(hurt), pressable: state === "logged_out" || Boolean(hurt) });
    this.#says(dot);
    this.#shape(dot);
  }

  #says(dot) {
    dot.group.setAttribute("class", `shopper ${dot.state}${dot.hurt ? " hurt" : ""}`);
    const mark = dot.pressable ? { role: "button", "aria-label": sentence(dot) } : { role: null, "aria-label": null };
    for (const [name, value] of Object.entries(mark)) {
      if (value === null) dot.group.removeAttribute(name);
      else dot.group.setAttribute(name, value);
    }
    if (dot.pressable && !dot.group.hasAttribute("tabindex")) dot.group.setAttribute("tabindex", "-1");
    if (!dot.pressable) dot.group.removeAttribute("tabindex");
  }

  #shape(dot) {
    if (this.#layout === null || dot.state === undefined) return;
    const { cell, nodeBoxes, wayIn } = this.#layout;
    const box = nodeBoxes[this.#names.indexOf(dot.node)];
    const at = seat(box ? box.seats : wayIn, dot.shopper);
    dot.group.style.transform = `translate(${at.x}px, ${at.y}px)`;
    const out = dot.state === "logged_out";
    dot.body.setAttribute("d", out ? square(cell * 0.43) : circle(cell * (dot.state === "outside" ? 0.2 : 0.34)));
    dot.sign.setAttribute("d", out ? cross(cell * 0.22) : dot.hurt ? circle(cell * 0.12) : "");
  }

  /** One of those who can be pressed can be reached by Tab. */
  #oneStop() {
    const stops = this.#stops();
    const now = stops.find((dot) => dot.group.getAttribute("tabindex") === "0") ?? stops[0];
    for (const dot of stops) {
      const wanted = dot === now ? "0" : "-1";
      if (dot.group.getAttribute("tabindex") !== wanted) dot.group.setAttribute("tabindex", wanted);
    }
  }

  #stops() {
    return [...this.#dots.values()].filter((dot) => dot.pressable).sort((one, other) => one.shopper - other.shopper);
  }

  #keyed(event) {
    const stops = this.#stops();
    const at = stops.findIndex((dot) => dot.group === event.target);
    if (at < 0) return;
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.#pressed(stops[at].shopper);
    else if (by === undefined) return;
    else this.#focus(stops[at], stops[(at + by + stops.length) % stops.length]);
    event.preventDefault();
    event.stopPropagation();
  }

  #focus(from, to) {
    from.group.setAttribute("tabindex", "-1");
    to.group.setAttribute("tabindex", "0");
    to.group.focus();
  }
}

function sentence({ shopper, state, hurt, node }) {
  const again = hurt && state !== "logged_out" ? ", lost something before" : "";
  return `Shopper ${shopper}: ${SAYS[state]}${again}${node ? `; ${node} answered last` : ""}. Show what happened`;
}

function circle(radius) {
  return `M${-radius} 0A${radius} ${radius} 0 1 1 ${radius} 0A${radius} ${radius} 0 1 1 ${-radius} 0Z`;
}

function square(half) {
  return `M${-half} ${-half}H${half}V${half}H${-half}Z`;
}

function cross(half) {
  return `M${-half} ${-half}L${half} ${half}M${half} ${-half}L${-half} ${half}`;
}
