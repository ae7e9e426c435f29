/**
 * The cover over everything that has come out: who only watches learns no more than who was never there.
 * @module
 */

import { the, write } from "./elements.js";

export class Cover {
  /** Nothing is shown before the first event says that it may be. */
  covers = true;

  lay() {
    this.covers = true;
  }

  lift() {
    this.covers = false;
  }

  draw(workshop, me) {
    const { phase, episode } = workshop.round;
    const hidden = this.covers;
    the("cover").hidden = !hidden;
    for (const part of document.querySelectorAll("[data-covered]")) part.hidden = hidden;
    if (!hidden) return;
    const [what, why] = words(phase, Boolean(episode) && workshop.predict, me);
    write(the("cover-what"), what);
    write(the("cover-why"), why);
    the("cover-count").hidden = !(phase === "predict" && me.committed);
    the("to-prediction").hidden =
      !workshop.predict || !episode || me.committed || phase === "starting" || phase === "failed";
  }
}

function words(phase, predicts, me) {
  if (phase === "starting") return ["The two shops are starting", "They appear here as soon as both are ready."];
  if (phase === "failed") return ["There is nothing to see", "This round could not be carried out."];
  if (predicts && !me.committed) {
    return [
      "Covered until you commit a prediction",
      "Who says beforehand what will happen, and why, learns from what does happen. " +
        "Who only watches learns no more than who was not there.",
    ];
  }
  if (phase === "predict")
    return ["You have committed", "Nobody shops yet. Both shops open when predictions are closed."];
  return ["Just a moment", "The picture is on its way."];
}
