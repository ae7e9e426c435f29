/**
 * All frames of one round that this page holds, and the picture at any of them.
 * @module
 */

import { applied, emptyPicture } from "./frames.js";

const BETWEEN_CHECKPOINTS = 64;

export class Recording {
  /** @param {number} round its number; a frame of another round belongs into another recording */
  constructor(round) {
    this.round = round;
    /** Whether its first frame is the round's first one. */
    this.complete = false;
    this.#begin(emptyPicture(round), []);
  }

  #base;
  #frames;
  #checkpoints;
  #latest;

  #begin(base, frames) {
    this.#base = base;
    this.#frames = frames;
    this.#checkpoints = new Map();
    this.#latest = { place: 0, picture: base };
  }

  /** Everything up to here in one piece; what was before is not held until `adopt`. */
  restart(picture, id) {
    this.complete = false;
    this.#begin({ ...picture, id }, []);
  }

  /** One more frame; one that is already there is left out. */
  add(id, frame) {
    if (id <= this.lastId) return false;
    this.#frames.push({ id, frame });
    return true;
  }

  /** All frames of the round, as the server holds them; those that came here in the meantime stay. */
  adopt(list) {
    if (list.length === 0) return;
    const last = list[list.length - 1].id;
    const newer = this.#frames.filter((each) => each.id > last);
    this.#begin(emptyPicture(this.round), [...list, ...newer]);
    this.complete = true;
  }

  /** How many frames there are. */
  get length() {
    return this.#frames.length;
  }

  get lastId() {
    return this.length ? this.#frames[this.length - 1].id : (this.#base.id ?? 0);
  }

  /** When the last frame was, in ms since people began to shop. */
  get endMs() {
    return this.length ? this.#frames[this.length - 1].frame.at_ms : this.#base.at_ms;
  }

  get startMs() {
    return this.length && this.complete ? this.#frames[0].frame.at_ms : this.#base.at_ms;
  }

  frame(index) {
    return this.#frames[index].frame;
  }

  /** The number of frames at or before that moment: the place to which `pictureAt` refers. */
  placeAt(ms) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#frames[middle].frame.at_ms <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What the first `place` frames come to. */
  pictureAt(place) {
    let from = place - (place % BETWEEN_CHECKPOINTS);
    while (from > 0 && !this.#checkpoints.has(from)) from -= BETWEEN_CHECKPOINTS;
    let picture = this.#checkpoints.get(from) ?? this.#base;
    if (from <= this.#latest.place && this.#latest.place <= place) ({ place: from, picture } = this.#latest);
    for (let at = from; at < place; at += 1) {
      picture = applied(picture, this.#frames[at].frame);
      if ((at + 1) % BETWEEN_CHECKPOINTS === 0) this.#checkpoints.set(at + 1, picture);
    }
    this.#latest = { place, picture };
    return picture;
  }
}
