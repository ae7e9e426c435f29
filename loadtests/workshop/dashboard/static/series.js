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
  #crowds;

  #begin() {
    this.#sides = { left: emptySeries(), right: emptySeries() };
    this.#crowds = { left: new Crowd(), right: new Crowd() };
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
      const side = this.#sides[name];
      for (const [second, people] of this.#crowds[name].after(frame[name], frame.at_ms))
        put(side.people, second, people, side.people.at(-1) ?? null);
      for (const waited of frame[name].waits ?? []) {
        if (waited.second < 0) continue;
        put(side.median, waited.second, waited.asked ? waited.median_ms : null);
        put(side.p95, waited.second, waited.asked ? waited.p95_ms : null);
        put(side.failed, waited.second, waited.failed);
      }
    }
  }
}

/**
 * How many people of one side were logged in all through each second.
 *
 * Simulated shoppers log in again at once, mostly between two frames: whoever lost their login in a second was not
 * logged in all through it, whatever the frames show.
 */
class Crowd {
  #states = new Map();
  #out = new Map();

  /** The seconds of which that frame tells something new, and how many people were in. */
  after(change, atMs) {
    const now = Math.max(0, Math.floor(atMs / 1000));
    const told = new Set([now]);
    for (const [shopper, , state] of change.shoppers ?? []) this.#states.set(shopper, state);
    for (const [shopper, state] of this.#states) if (state !== "shopping") this.#missing(now).add(shopper);
    for (const loss of change.losses ?? []) {
      if (loss.kind !== "logged_out" || loss.at_ms < 0) continue;
      const second = Math.floor(loss.at_ms / 1000);
      this.#missing(second).add(loss.shopper);
      told.add(second);
    }
    return [...told]
      .sort((one, other) => one - other)
      .map((second) => [second, this.#states.size - this.#missing(second).size]);
  }

  #missing(second) {
    if (!this.#out.has(second)) this.#out.set(second, new Set());
    return this.#out.get(second);
  }
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
