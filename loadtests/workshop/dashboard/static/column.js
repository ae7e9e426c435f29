/**
 * One side as it stands: the balancer, the nodes with their shoppers, the store and the database.
 *
 * A dead node stays, struck out and hatched, with the word: colour is never the only sign.
 * @module
 */

import { Drawn, svg, write } from "./elements.js";
import { Guests } from "./guests.js";
import { People, shownAs } from "./people.js";
import { drum, fromRail, places, railLine, ROOMY_NODE, toNode, toRail } from "./places.js";

const NOT_DRAWN_BELOW = new Set(["balancer", "database"]);

/** How many boxes lie below a side's nodes: its parts or the place where there is none, and the database. */
export function boxesBelow(side) {
  return 1 + Math.max(1, partsBelow(side).length);
}

/** Shoppers whom no node has answered yet, or whose node is dead. */
export function onTheirWay(side) {
  const dead = new Set(side.nodes.filter((node) => node.state === "dead").map((node) => node.name));
  return side.shoppers.filter((shopper) => shopper[1] === "" || dead.has(shopper[1]));
}

function partsBelow(side) {
  return side.parts.filter((part) => !NOT_DRAWN_BELOW.has(part.name));
}

export class Column {
  /**
   * @param {HTMLElement} host where it is drawn, as wide as that is
   * @param {string} name left or right: ids in it begin with that
   * @param {(shopper: number) => void} pressed a shopper who lost something
   */
  constructor(host, name, pressed) {
    this.host = host;
    this.name = name;
    this.people = new People(pressed);
    this.guests = new Guests();
    this.#hatch = `hatch-${name}`;
    this.#boxes = svg("g", {});
    this.#lines = svg("g", { class: "lines" });
    this.svg = svg(
      "svg",
      { class: "picture", role: "group" },
      pattern(this.#hatch),
      this.#lines,
      this.#boxes,
      this.people.group,
      this.guests.group,
    );
    host.replaceChildren(this.svg);
  }

  #hatch;
  #boxes;
  #lines;
  #drawn = new Drawn();
  #kept = null;

  /**
   * @param side what a picture holds of this side
   * @param about {{stateful: boolean, noStore: string, mine: string, user: string, named: Map<string, string>,
   *   nodes: number, shoppers: number, waiting: boolean, below: number, atMs: number, faultWord}}
   *   nodes, shoppers, waiting and below are those of both sides: so they have the same scale
   */
  draw(side, about) {
    const width = Math.floor(this.host.clientWidth);
    if (width === 0) return;
    const letter = parseFloat(getComputedStyle(this.svg).fontSize);
    const shape = [
      width,
      letter,
      about.nodes,
      about.shoppers,
      side.nodes,
      side.parts,
      about.mine,
      about.noStore,
      about.waiting,
      about.below,
      about.named.size,
    ];
    if (this.#drawn.changes(shape)) {
      this.#kept = places({
        width,
        letter,
        shoppers: about.shoppers,
        guests: about.named.size,
        waiting: about.waiting,
        nodes: about.nodes,
        below: about.below,
      });
      this.#stand(side, about);
      this.people.layout(this.#kept);
    }
    this.svg.setAttribute("class", `picture ${about.stateful ? "stateful" : "stateless"}`);
    this.people.draw(shownAs(side, about.atMs), side.nodes);
    this.guests.draw(side.guests, about.named, about.user, this.#kept, side.nodes);
    this.#wayIn(side);
  }

  #stand(side, about) {
    const layout = this.#kept;
    this.svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
    this.svg.setAttribute("width", layout.width);
    this.svg.setAttribute("height", layout.height);
    const parts = new Map(side.parts.map((part) => [part.name, part]));
    const below = this.#below(side, layout);
    this.#lines.replaceChildren(
      ...[
        ...side.nodes.flatMap((node, number) => [
          svg("path", { class: `line ${node.state}`, d: toNode(layout, number) }),
          svg("path", { class: `line ${node.state}`, d: toRail(layout, number) }),
        ]),
        layout.across && svg("path", { class: "line", d: railLine(layout, below) }),
        ...below.map((box) => svg("path", { class: `line ${box.part.state}`, d: fromRail(layout, box) })),
      ].filter(Boolean),
    );
    this.#boxes.replaceChildren(
      svg("text", { class: "way-in", x: layout.wayIn.words.x, y: layout.letter, "text-anchor": layout.wayIn.words.anchor }),
      this.#balancer(layout, parts.get("balancer") ?? { name: "balancer", state: "up" }, about),
      ...side.nodes.map((node, number) => this.#node(node, layout.nodeBoxes[number], about)),
      ...below.map((box) => this.#part(box, about)),
    );
  }

  #wayIn(side) {
    const waiting = onTheirWay(side).length;
    const text = this.#boxes.querySelector(".way-in");
    const words = `${waiting} on their way in`;
    if (text) write(text, !waiting ? "" : words.length <= this.#kept.wayIn.words.most ? words : `${waiting} coming`);
  }

  #balancer({ balancer, letter }, part, about) {
    const middle = { x: balancer.x + balancer.width / 2, y: balancer.y + balancer.height / 2 + 0.35 * letter };
    const broken = part.state === "broken";
    return svg(
      "g",
      { class: `box part ${part.state}` },
      svg("rect", { ...balancer, rx: balancer.height / 2 }),
      broken && svg("rect", { ...balancer, rx: balancer.height / 2, class: "hatched", fill: `url(#${this.#hatch})` }),
      svg(
        "text",
        { ...middle, class: "name", "text-anchor": "middle" },
        broken ? `balancer: ${about.faultWord(part.fault)}` : "balancer",
      ),
    );
  }

  #node(node, box, about) {
    const { letter } = this.#kept;
    const [left, right] = [box.x + 0.7 * letter, box.x + box.width - 0.7 * letter];
    const [head, foot] = [box.y + 1.25 * letter, box.y + box.height - 0.45 * letter];
    const mine = node.name === about.mine;
    const down = node.state !== "up";
    const word = wordOf(node, about);
    const roomy = box.width >= ROOMY_NODE * letter;
    const wide = word.length * 0.6 + (mine ? 6 : 2) < box.width / letter - 2;
    const rounded = { x: box.x, y: box.y, width: box.width, height: box.height, rx: 0.6 * letter };
    return svg(
      "g",
      { class: `box node ${node.state}${mine ? " mine" : ""}`, "data-node": node.name },
      svg("rect", rounded),
      down && svg("rect", { ...rounded, class: "hatched", fill: `url(#${this.#hatch})` }),
      node.state === "dead" && svg("path", { class: "struck", d: strike(box, letter) }),
      svg(
        "text",
        { x: left, y: head },
        svg("tspan", { class: "name" }, node.name),
        mine && svg("tspan", { class: "you", dx: 0.4 * letter }, roomy ? "★ you" : "★"),
      ),
      down && svg("text", { class: "word", x: right, y: head, "text-anchor": "end" }, wide ? word : short(node)),
      svg(
        "text",
        { class: "holds", x: left, y: foot },
        down && !wide && word !== short(node) ? word : holds(node, about, roomy),
      ),
    );
  }

  /** The store and its like to the left, the database always to the right: the same order on both sides. */
  #below(side, layout) {
    const parts = partsBelow(side);
    const database = side.parts.find((part) => part.name === "database") ?? { name: "database", state: "up" };
    const all = [...(parts.length ? parts : [{ name: "", state: "none" }]), database];
    if (!layout.across) {
      const [x, width] = [layout.indent, layout.boxWidth];
      return all.map((part, row) => ({
        part,
        x,
        y: layout.below.y + row * layout.below.step,
        width,
        height: layout.below.height,
      }));
    }
    const gap = 0.75 * layout.letter;
    const usable = layout.width;
    const weights = all.map((part) => (part.name === "" ? 2 : 1));
    const unit = (usable - gap * (all.length - 1)) / weights.reduce((sum, weight) => sum + weight, 0);
    let x = 0;
    return all.map((part, number) => {
      const box = { part, x, y: layout.below.y, width: unit * weights[number], height: layout.below.height };
      x += box.width + gap;
      return box;
    });
  }

  #part({ part, ...box }, about) {
    const { letter } = this.#kept;
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 + 0.6 * letter };
    if (part.state === "none") return this.#nothing(box, about);
    const broken = part.state === "broken";
    return svg(
      "g",
      { class: `box part ${part.state}`, "data-part": part.name },
      svg("path", { d: drum(box) }),
      broken && svg("path", { d: drum(box), class: "hatched", fill: `url(#${this.#hatch})` }),
      svg("text", { ...middle, class: "name", "text-anchor": "middle" }, part.name),
      broken &&
        svg(
          "text",
          { x: middle.x, y: box.y + box.height + 0.2 * letter, class: "word", "text-anchor": "middle" },
          about.faultWord(part.fault),
        ),
    );
  }

  #nothing(box, about) {
    const { letter } = this.#kept;
    const words = this.#kept.across ? about.noStore.split("\n") : ["no store"];
    const middle = box.y + box.height / 2 + 0.35 * letter;
    return svg(
      "g",
      { class: "box none" },
      svg("rect", { ...box, rx: 0.6 * letter }),
      ...words.map((line, number) =>
        svg(
          "text",
          {
            x: box.x + box.width / 2,
            y: middle + (number - (words.length - 1) / 2) * 1.15 * letter,
            "text-anchor": "middle",
          },
          line,
        ),
      ),
    );
  }
}

/** Across the seats, from below to above, clear of the words. */
function strike(box, letter) {
  return `M${box.x} ${box.y + box.height - 2 * letter}L${box.x + box.width} ${box.y + 2 * letter}`;
}

/** One word, where there is no room for the fault's. */
function short(node) {
  return node.state;
}

function wordOf(node, about) {
  return node.state === "broken" ? about.faultWord(node.fault) : node.state;
}

function holds(node, about, roomy) {
  if (!roomy) return node.state === "dead" ? (about.stateful ? "gone" : "held 0") : node.sessions < 0 ? "silent" : `holds ${node.sessions}`;
  if (node.state === "dead") return about.stateful ? "memory gone" : "held nothing";
  if (node.sessions < 0) return "does not say";
  return node.sessions === 1 ? "1 session" : `${node.sessions} sessions`;
}

function pattern(id) {
  return svg(
    "defs",
    {},
    svg(
      "pattern",
      { id, width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("path", { class: "hatch-line", d: "M0 0V9" }),
    ),
  );
}
