/**
 * The time line: for each side its faults, from injected to healed, with a mark of its own for each step.
 * @module
 */

import { Drawn, html, svg } from "./elements.js";
import { MARGIN, spanOf, ticksOf } from "./span.js";
import { clock, faultName, seconds, SIDES, STEPS } from "./words.js";

/** The steps that are drawn, and how: a shape, filled or hollow. */
const SHAPES = {
  injected: { d: "M-5 -5H5L0 5Z", filled: true },
  observed: { d: "M0 -6L6 0L0 6L-6 0Z", filled: false },
  not_observed: { d: "M-5 -5L5 5M5 -5L-5 5", filled: false },
  healed: { d: "M-5 5H5L0 -5Z", filled: true },
  observed_healed: { d: "M-5 5H5L0 -5Z", filled: false },
  not_healed: { d: "M-5 -5L5 5M5 -5L-5 5", filled: false },
  nothing_there: { d: "M-5 0H5", filled: false },
};
const ENDS = new Set(["healed", "not_healed"]);

/** The faults of one side, from their marks: when each began and, if it has, ended. */
export function faultsOf(marks) {
  const faults = new Map();
  for (const mark of marks) {
    const fault = faults.get(mark.fault) ?? { ...mark, fromMs: mark.at_ms, toMs: null, marks: [] };
    fault.marks.push(mark);
    if (ENDS.has(mark.phase)) fault.toMs ??= mark.at_ms;
    faults.set(mark.fault, fault);
  }
  return [...faults.values()];
}

export class TimeLine {
  /** @param {(ms: number) => void} sought a moment that was clicked */
  constructor(host, table, sought) {
    this.host = host;
    this.table = table;
    this.svg = svg("svg", { class: "timeline", role: "img", "aria-label": "" });
    this.svg.addEventListener("click", (event) => this.#clicked(event, sought));
    host.replaceChildren(this.svg, key());
  }

  #kept = { left: 0, width: 1, end: 60 };
  #drawn = new Drawn();

  /**
   * @param picture of now: the whole round's faults, so that a moment can be chosen by them
   * @param about {{atMs: number, endMs: number, names: object, standing: boolean}} atMs: the moment that is shown
   */
  draw(picture, { atMs, endMs, names, standing }) {
    const width = Math.floor(this.host.clientWidth);
    if (width === 0) return;
    const letter = parseFloat(getComputedStyle(this.svg).fontSize);
    const end = spanOf(endMs);
    const shape = [width, letter, end, picture.left.marks.length, picture.right.marks.length, names];
    if (this.#drawn.changes(shape)) this.#stand(picture, { width, letter, end, names });
    this.#cursor(atMs, standing);
  }

  #stand(picture, { width, letter, end, names }) {
    const left = MARGIN.left * letter;
    this.#kept = { left, width: width - left - MARGIN.right * letter, end };
    const [lane, top] = [3 * letter, 0.2 * letter];
    const bottom = top + 2 * lane;
    const height = bottom + 1.6 * letter;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("aria-label", told(picture));
    this.svg.replaceChildren(
      ...ticksOf(end, width / letter < 40 ? 4 : 6).map((tick) => this.#tick(tick, top, bottom, letter)),
      ...SIDES.flatMap((side, number) =>
        this.#lane(side, picture[side].marks, top + number * lane, lane, letter, names[side]),
      ),
      svg("path", { class: "cursor", d: `M0 ${top}V${bottom}` }),
    );
    this.#tabled(picture);
  }

  #x(ms) {
    return this.#kept.left + (ms / 1000 / this.#kept.end) * this.#kept.width;
  }

  #tick(second, top, bottom, letter) {
    const x = this.#x(second * 1000);
    return svg(
      "g",
      { class: "tick" },
      svg("path", { d: `M${x} ${top}V${bottom}` }),
      svg("text", { x, y: bottom + 1.2 * letter, "text-anchor": "middle" }, clock(second * 1000)),
    );
  }

  #lane(side, marks, y, height, letter, name) {
    const middle = y + height / 2;
    const faults = faultsOf(marks);
    return [
      svg("path", { class: "lane", d: `M${this.#kept.left} ${middle}H${this.#kept.left + this.#kept.width}` }),
      svg("text", { class: "side", x: 0, y: middle + 0.35 * letter }, side, svg("title", {}, name)),
      ...faults.flatMap((fault, number) => this.#fault(fault, middle, letter, number % 2 === 1)),
    ];
  }

  #fault(fault, y, letter, odd) {
    const [from, to] = [this.#x(fault.fromMs), this.#x(fault.toMs ?? Infinity)];
    const end = Math.min(to, this.#kept.left + this.#kept.width);
    const unit = letter / 14;
    const late = from > this.#kept.left + 0.8 * this.#kept.width;
    const label = {
      x: late ? from + 5 : from - 5,
      "text-anchor": late ? "end" : "start",
      y: y + (odd ? 1.25 : -0.6) * letter,
    };
    const band =
      fault.toMs !== null &&
      svg("rect", {
        class: "band",
        x: from,
        y: y - 0.25 * letter,
        width: Math.max(1, end - from),
        height: 0.5 * letter,
        fill: fault.colour,
      });
    return [
      band,
      svg("text", { class: "label", ...label }, faultName(fault)),
      ...fault.marks.map((mark) => this.#mark(mark, y, unit)),
    ].filter(Boolean);
  }

  #mark(mark, y, unit) {
    const shape = SHAPES[mark.phase] ?? SHAPES.observed;
    return svg(
      "path",
      {
        class: `mark ${mark.phase} ${shape.filled ? "filled" : "hollow"}`,
        d: shape.d,
        stroke: mark.colour,
        fill: shape.filled ? mark.colour : null,
        transform: `translate(${this.#x(mark.at_ms)} ${y}) scale(${unit})`,
      },
      svg("title", {}, `${faultName(mark)}: ${STEPS[mark.phase]} at ${seconds(mark.at_ms)}`),
    );
  }

  #cursor(atMs, standing) {
    const cursor = this.svg.querySelector(".cursor");
    if (!cursor) return;
    cursor.setAttribute("transform", `translate(${this.#x(atMs)} 0)`);
    cursor.setAttribute("class", standing ? "cursor standing" : "cursor");
  }

  #tabled(picture) {
    const rows = SIDES.flatMap((side) => picture[side].marks.map((mark) => ({ side, ...mark }))).sort(
      (one, other) => one.at_ms - other.at_ms,
    );
    this.table.replaceChildren(
      ...rows.map((mark) =>
        html(
          "tr",
          {},
          html("td", {}, seconds(mark.at_ms)),
          html("td", {}, mark.side),
          html("td", {}, faultName(mark)),
          html("td", {}, STEPS[mark.phase]),
        ),
      ),
    );
  }

  #clicked(event, sought) {
    const box = this.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - this.#kept.left) / this.#kept.width;
    if (share >= 0 && share <= 1) sought(share * this.#kept.end * 1000);
  }
}

function told(picture) {
  const said = SIDES.flatMap((side) =>
    faultsOf(picture[side].marks).map((fault) => `${side}: ${faultName(fault)} at ${clock(fault.fromMs)}`),
  );
  return `Time line of faults. ${said.length ? said.join("; ") : "None so far"}.`;
}

function key() {
  const shown = ["injected", "observed", "healed", "observed_healed"];
  return html(
    "ul",
    { class: "key", "aria-label": "Marks" },
    ...shown.map((phase) => html("li", {}, sign(phase), STEPS[phase])),
  );
}

function sign(phase) {
  const { d, filled } = SHAPES[phase];
  return svg(
    "svg",
    { class: "sign", viewBox: "-8 -8 16 16", "aria-hidden": "true" },
    svg("path", { class: `mark ${filled ? "filled" : "hollow"}`, d }),
  );
}
