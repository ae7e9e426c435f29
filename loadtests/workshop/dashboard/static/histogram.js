/**
 * What a class predicted, one row for each answer or range of numbers, with what was observed among them.
 * @module
 */

import { html } from "./elements.js";

const MOST_ROWS = 10;
const WIDTHS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

/**
 * Rows of a histogram over numbers: ranges of one width, without a gap, so that what was observed has its place, too.
 *
 * @param {Record<string, number>} counts how many people gave each number
 * @param {number|null} observed
 * @param {number} most no number can be higher, so no range says that it could
 * @returns {{label: string, people: number, observed: boolean}[]}
 */
export function rangesOf(counts, observed, most = Infinity) {
  const given = Object.entries(counts)
    .map(([number, people]) => [Number(number), people])
    .filter(([number]) => Number.isFinite(number));
  const all = given.map(([number]) => number).concat(observed === null ? [] : [observed]);
  if (all.length === 0) return [];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const width =
    WIDTHS.find((each) => Math.floor(high / each) - Math.floor(low / each) < MOST_ROWS) ??
    Math.ceil((high - low + 1) / MOST_ROWS);
  const first = Math.floor(low / width);
  const inside = (number, row) => Math.floor(number / width) === first + row;
  return Array.from({ length: Math.floor(high / width) - first + 1 }, (_, row) => {
    const from = (first + row) * width;
    // Somebody may have predicted more than there can be.
    const to = Math.min(from + width - 1, Math.max(most, high));
    return {
      label: to === from ? String(from) : `${from} to ${to}`,
      people: given.filter(([number]) => inside(number, row)).reduce((sum, [, people]) => sum + people, 0),
      observed: observed !== null && inside(observed, row),
    };
  });
}

/** Rows of a histogram over choices, in their order. */
export function choicesOf(counts, choices, observed) {
  return choices.map(({ value, text }) => ({ label: text, people: counts[value] ?? 0, observed: value === observed }));
}

/** The rows as a table with bars; the table is what is read aloud. */
export function histogram(caption, rows, kind) {
  const most = Math.max(1, ...rows.map((row) => row.people));
  return html(
    "table",
    { class: `histogram ${kind === "choice" ? "choices" : "ranges"}` },
    html("caption", {}, caption),
    html(
      "thead",
      {},
      html("tr", {}, html("th", { scope: "col" }, "predicted"), html("th", { scope: "col" }, "people")),
    ),
    html(
      "tbody",
      {},
      rows.map((row) => rowOf(row, most)),
    ),
  );
}

function rowOf({ label, people, observed }, most) {
  const bar = html("i", { class: "bar", "aria-hidden": "true" });
  bar.style.inlineSize = `${(people / most) * 100}%`;
  return html(
    "tr",
    { class: observed ? "observed" : null },
    html("th", { scope: "row" }, label, observed && html("b", { class: "badge" }, "observed")),
    html("td", {}, html("span", { class: "rail" }, bar), html("span", { class: "people" }, String(people))),
  );
}
