/**
 * The live charts, drawn by uPlot: people logged in, waits, failed per second. Both sides in each, over the same time.
 *
 * Blue or vermillion says which shop it is, a solid or a dashed line which side, a thick or a thin one median or p95.
 * @module
 */

import { Drawn, html } from "./elements.js";
import { MARGIN, spanOf, ticksOf } from "./span.js";
import { clock, SIDES } from "./words.js";

const HEIGHT = 7.5;
const FASTEST_MS = 1;

export class Charts {
  /** @param {HTMLElement} host  @param {(ms: number) => void} sought a moment that was clicked */
  constructor(host, sought) {
    this.host = host;
    this.#sought = sought;
    this.#figures = CHARTS.map((chart) => {
      const plot = html("div", { class: "plot", role: "img", "aria-label": chart.title });
      const figure = html(
        "figure",
        { class: "chart" },
        html("figcaption", {}, html("b", {}, chart.title), html("span", { class: "line-keys" })),
        plot,
      );
      host.append(figure);
      return { chart, figure, plot, made: null };
    });
  }

  #figures;
  #sought;
  #drawn = new Drawn();
  /** How often they were built anew: then they hold nothing yet. */
  #built = 0;

  /**
   * @param series what `SeriesOf.upTo` returns
   * @param about {{names, stateful, marks, endMs: number}} names and stateful by side
   */
  draw(series, about) {
    const width = Math.floor(this.#figures[0].plot.clientWidth);
    if (width === 0) return;
    this.#build(width, about);
    const end = spanOf(about.endMs);
    const data = [this.#built, end, series.seconds.length, about.marks.length, series.left.median.length];
    if (!this.#drawn.changes(data, "data")) return;
    for (const { chart, plot, made } of this.#figures) {
      made.marks = about.marks;
      made.end = end;
      made.setData([series.seconds, ...chart.lines.flatMap((line) => SIDES.map((side) => series[side][line.of]))]);
      plot.setAttribute("aria-label", `${chart.title}. ${latest(chart, series)}`);
    }
  }

  /** Anew, if the width, the letters or the colours are other ones than before. */
  #build(width, about) {
    const style = getComputedStyle(this.host);
    const letter = parseFloat(style.fontSize);
    const colour = (name) => style.getPropertyValue(name).trim();
    if (!this.#drawn.changes([width, letter, colour("--ink"), about.names, about.stateful], "look")) return;
    this.#built += 1;
    const paint = {
      letter,
      family: style.fontFamily,
      ink: colour("--ink"),
      muted: colour("--muted"),
      line: colour("--line"),
      left: colour(about.stateful.left ? "--stateful" : "--stateless"),
      right: colour(about.stateful.right ? "--stateful" : "--stateless"),
    };
    for (const figure of this.#figures) {
      figure.made?.destroy();
      figure.made = made(figure, width, paint, this.#sought);
      figure.figure.querySelector(".line-keys").replaceChildren(...keys(figure.chart, about));
    }
  }
}

const CHARTS = [
  {
    title: "People logged in all through each second",
    lines: [{ of: "people", word: "" }],
    range: (top) => [0, Math.max(4, top * 1.08)],
  },
  {
    title: "Response time, ms",
    lines: [
      { of: "median", word: "median" },
      { of: "p95", word: "95th percentile", thin: true },
    ],
    logarithmic: true,
    range: (top) => [FASTEST_MS, Math.max(1000, 10 ** Math.ceil(Math.log10(Math.max(1, top))))],
  },
  { title: "Failed per second", lines: [{ of: "failed", word: "" }], range: (top) => [0, Math.max(4, top * 1.08)] },
];

function made({ chart, plot }, width, paint, sought) {
  const { letter } = paint;
  const font = `${letter * (letter >= 24 ? 1 : 0.9)}px ${paint.family}`;
  const axis = { stroke: paint.muted, font, ticks: { show: false }, grid: { stroke: paint.line, width: 1 } };
  const made = new window.uPlot(
    {
      width,
      height: Math.round(HEIGHT * letter),
      padding: [letter * 0.6, MARGIN.right * letter, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false, sync: { key: "round" } },
      scales: {
        x: { time: false, range: () => [0, made?.end ?? 60] },
        y: { distr: chart.logarithmic ? 3 : 1, range: (_, low, top) => chart.range(top ?? 0) },
      },
      axes: [
        {
          ...axis,
          size: 1.7 * letter,
          gap: 0.3 * letter,
          splits: () => ticksOf(made?.end ?? 60, width / letter < 40 ? 4 : 6),
          values: (_, at) => at.map((second) => clock(second * 1000)),
        },
        { ...axis, size: MARGIN.left * letter, gap: 0.4 * letter, ...yAxis(chart, letter) },
      ],
      series: [{}, ...chart.lines.flatMap((line) => SIDES.map((side) => lineOf(line, side, paint)))],
      hooks: { drawClear: [(plot) => drawMarks(plot, paint)] },
    },
    [[0], ...chart.lines.flatMap(() => SIDES.map(() => [null]))],
    plot,
  );
  made.over.addEventListener("click", (event) => sought(made.posToVal(event.offsetX, "x") * 1000));
  return made;
}

function yAxis(chart, letter) {
  if (chart.logarithmic) {
    return {
      splits: (plot) => powers(plot.scales.y.max),
      values: (_, at) => at.map((ms) => ms.toLocaleString("en")),
      filter: (_, at) => at,
    };
  }
  return { space: 2 * letter, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] };
}

function powers(top) {
  return Array.from({ length: Math.round(Math.log10(top)) + 1 }, (_, number) => 10 ** number);
}

function lineOf(line, side, paint) {
  const unit = paint.letter / 14;
  const thin = line.thin ? 1.1 : 2.4;
  return {
    stroke: paint[side],
    width: thin * unit,
    dash: side === "right" ? [6 * unit, 4 * unit] : undefined,
    points: { show: false },
    spanGaps: false,
  };
}

/** Upright lines: solid where a fault was injected, dotted where it was healed. */
function drawMarks(plot, paint) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = paint.muted;
  ctx.lineWidth = 1;
  for (const mark of plot.marks ?? []) {
    if (mark.phase !== "injected" && mark.phase !== "healed") continue;
    const x = Math.round(plot.valToPos(mark.at_ms / 1000, "x", true));
    ctx.setLineDash(mark.phase === "healed" ? [2, 4] : []);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function keys(chart, about) {
  return chart.lines.flatMap((line) =>
    SIDES.map((side) =>
      html(
        "span",
        { class: `line-key ${side} ${about.stateful[side] ? "stateful" : "stateless"}${line.thin ? " thin" : ""}` },
        html("i", { "aria-hidden": "true" }),
        [side, line.word].filter(Boolean).join(", "),
      ),
    ),
  );
}

function latest(chart, series) {
  return chart.lines
    .flatMap((line) =>
      SIDES.map((side) => [side, line.word, series[side][line.of].findLast((value) => value !== null)]),
    )
    .map(
      ([side, word, value]) =>
        `${side}${word ? ` ${word}` : ""}: ${value === undefined ? "nothing yet" : Math.round(value)}`,
    )
    .join(", ");
}
