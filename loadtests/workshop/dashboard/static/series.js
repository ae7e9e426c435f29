/**
 * What the charts draw: one row a second, from the frames of a recording.
 *
 * @typedef {{people: (number|null)[], median: (number|null)[], p95: (number|null)[], failed: (number|null)[]}} Series
 * @module
 */

const LINES = ["people", "median", "p95", "failed"];

function emptySeries() {
  return Object.fromEntries(LINES.map((line) => [line, []]));
}

/** Grows with its recording: each frame is looked at once. */
export class SeriesOf {
  constructor(recording) {
    this.recording = recording;
    this.#begin();
  }

  #sides;
  #looked;
  #wasComplete;
  #states;

  #begin() {
    this.#sides = { left: emptySeries(), right: emptySeries() };
    this.#states = { left: new Map(), right: new Map() };
    this.#looked = 0;
    this.#wasComplete = this.recording.complete;
  }

  /** Both sides' series up to that place in the recording, and their seconds. */
  upTo(place) {
    if (this.recording.complete !== this.#wasComplete || this.recording.length < this.#looked) this.#begin();
    for (; this.#looked < this.recording.length; this.#looked += 1) this.#look(this.recording.frame(this.#looked));
    const atMs = place > 0 ? this.recording.frame(place - 1).at_ms : 0;
    const seconds = Math.max(0, Math.floor(atMs / 1000));
    return {
      seconds: Array.from({ length: seconds + 1 }, (_, second) => second),
      left: cut(this.#sides.left, seconds + 1),
      right: cut(this.#sides.right, seconds + 1),
    };
  }

  #look(frame) {
    for (const name of ["left", "right"]) {
      const [side, states] = [this.#sides[name], this.#states[name]];
      for (const [shopper, , state] of frame[name].shoppers ?? []) states.set(shopper, state);
      put(side.people, Math.max(0, Math.floor(frame.at_ms / 1000)), shopping(states), side.people.at(-1) ?? null);
      for (const waited of frame[name].waits ?? []) {
        if (waited.second < 0) continue;
        put(side.median, waited.second, waited.asked ? waited.median_ms : null);
        put(side.p95, waited.second, waited.asked ? waited.p95_ms : null);
        put(side.failed, waited.second, waited.failed);
      }
    }
  }
}

function shopping(states) {
  let people = 0;
  for (const state of states.values()) if (state === "shopping") people += 1;
  return people;
}

/** Seconds before this one of which nothing was said get that other value: a gap, unless it is given. */
function put(line, second, value, before = null) {
  while (line.length < second) line.push(before);
  line[second] = value;
}

function cut(series, length) {
  return Object.fromEntries(
    LINES.map((line) => [line, Array.from({ length }, (_, second) => series[line][second] ?? null)]),
  );
}
