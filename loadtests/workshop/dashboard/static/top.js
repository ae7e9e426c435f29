/**
 * Where a page stands when the round goes on: at its top, where what comes next is.
 * @module
 */

import { the } from "./elements.js";

/** By itself a browser keeps what was looked at in its place, and puts the shops in above it, out of sight. */
export class Top {
  #stood = null;

  /** To be called after drawing: another phase or another order begins at the top, once; not while somebody predicts. */
  keep({ number, phase }, shopsFirst) {
    const stands = [number, phase, shopsFirst];
    const before = this.#stood;
    this.#stood = stands;
    if (before === null || stands.every((each, place) => each === before[place])) return;
    if (before[0] === number && the("prediction").contains(document.activeElement)) return;
    window.scrollTo({ top: 0, behavior: "instant" });
  }
}
