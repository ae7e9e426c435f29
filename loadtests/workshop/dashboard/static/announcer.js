/**
 * What a listener hears of what changes: politely, one sentence at a time, the newest of its kind.
 * @module
 */

import { write } from "./elements.js";

const QUIET_MS = 3000;

export class Announcer {
  constructor(region) {
    this.region = region;
  }

  #waiting = new Map();
  #timer = null;

  /** Says it as soon as there was quiet; a newer sentence about the same takes its place. */
  say(about, sentence) {
    this.#waiting.delete(about);
    this.#waiting.set(about, sentence);
    if (this.#timer === null) this.#next();
  }

  #next() {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#timer = all.length ? setTimeout(() => this.#next(), QUIET_MS) : null;
    if (all.length) write(this.region, all.join(" "));
  }
}
