/**
 * What is worth saying aloud: another phase, a fault, people logged out. Not each frame.
 * @module
 */

import { faultName, PHASES, SIDES, STEPS } from "./words.js";

const TOLD = new Set(["injected", "observed", "observed_healed", "not_observed", "not_healed", "nothing_there"]);

export class News {
  /** @param {import("./announcer.js").Announcer} announcer */
  constructor(announcer) {
    this.#announcer = announcer;
  }

  #announcer;
  #loggedOut = { left: 0, right: 0 };

  ofWorkshop(before, now) {
    if (before?.round.phase === now.round.phase && before.round.number === now.round.number) return;
    this.#announcer.say("phase", `${PHASES[now.round.phase]}.`);
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
          this.#announcer.say(`${side} fault`, `${side}: ${faultName(mark)}, ${STEPS[mark.phase]}.`);
      }
      const count = picture[side].counts.logged_out;
      if (count > this.#loggedOut[side]) this.#announcer.say(`${side} count`, `${side}: ${count} logged out.`);
      this.#loggedOut[side] = count;
    }
  }
}
