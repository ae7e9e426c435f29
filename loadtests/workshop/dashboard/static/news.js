/**
 * What is worth saying aloud: another phase, a fault, people logged out. Not each frame; and what a listener hears of
 * it: politely, one sentence at a time, the newest of its kind.
 * @module
 */

import { write } from "./elements.js";
import { faultName, PHASES, SIDES, STEPS } from "./words.js";

const TOLD = new Set(["injected", "observed", "observed_healed", "not_observed", "not_healed", "nothing_there"]);
const QUIET_MS = 3000;

export class News {
  /** @param {HTMLElement} region that is read aloud */
  constructor(region) {
    this.region = region;
  }

  #waiting = new Map();
  #timer = null;
  #loggedOut = { left: 0, right: 0 };

  ofWorkshop(before, now) {
    if (before?.round.phase === now.round.phase && before.round.number === now.round.number) return;
    this.#say("phase", `${PHASES[now.round.phase]}.`);
  }

  /** A picture tells what has been: that is no news. */
  begin(picture) {
    for (const side of SIDES) this.#loggedOut[side] = picture[side].counts?.logged_out ?? 0;
  }

  /** @param picture what it comes to; null: something else is being looked at */
  ofFrame(frame, picture) {
    if (picture === null) return;
    for (const side of SIDES) {
      for (const mark of frame[side].marks ?? []) {
        if (TOLD.has(mark.phase))
          this.#say(`${side} fault`, `${side}: ${faultName(mark)}, ${STEPS[mark.phase]}.`);
      }
      const count = picture[side].counts.logged_out;
      if (count > this.#loggedOut[side]) this.#say(`${side} count`, `${side}: ${count} logged out.`);
      this.#loggedOut[side] = count;
    }
  }

  /** Says it as soon as there was quiet; a newer sentence about the same takes its place. */
  #say(about, sentence) {
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
