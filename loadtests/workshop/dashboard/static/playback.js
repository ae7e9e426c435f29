/**
 * The buttons of the player: pause, step, replay, live, and the slider over the whole round.
 * @module
 */

import { the, write } from "./elements.js";
import { SPEEDS } from "./player.js";
import { clock } from "./words.js";

export class Playback {
  /** @param {import("./player.js").Player} player */
  constructor(player) {
    this.player = player;
    the("pause").addEventListener("click", () => this.pauseOrGoOn());
    the("back").addEventListener("click", () => player.step(-1));
    the("forward").addEventListener("click", () => player.step(1));
    the("live").addEventListener("click", () => player.live());
    the("replay").addEventListener("click", () => player.replay());
    the("moment").addEventListener("input", (event) => player.seek(Number(event.target.value)));
    for (const radio of document.querySelectorAll('input[name="speed"]')) {
      radio.addEventListener("change", () => {
        player.speed = SPEEDS.includes(Number(radio.value)) ? Number(radio.value) : 1;
      });
    }
    let last = performance.now();
    const beat = (now) => {
      player.tick(now - last);
      last = now;
      requestAnimationFrame(beat);
    };
    requestAnimationFrame(beat);
  }

  pauseOrGoOn() {
    if (this.player.mode === "paused") this.player.replay(false);
    else this.player.pause();
  }

  draw(isLivePhase) {
    const { player } = this;
    const slider = the("moment");
    slider.max = String(Math.max(1, Math.round(player.recording.endMs)));
    slider.min = String(Math.min(0, Math.round(player.recording.startMs)));
    slider.value = String(Math.round(player.atMs));
    slider.setAttribute("aria-valuetext", `${clock(player.atMs)} of ${clock(player.recording.endMs)}`);
    the("pause").setAttribute("aria-label", player.mode === "paused" ? "Go on from here" : "Pause");
    write(the("pause-word"), player.mode === "paused" ? "Go on" : "Pause");
    the("pause").classList.toggle("paused", player.mode === "paused");
    the("live").setAttribute("aria-pressed", String(player.mode === "live"));
    write(the("live-word"), isLivePhase ? "Live" : "End");
    const words = {
      live: isLivePhase ? "live" : "the end of the round",
      paused: "standing still",
      replay: `replay, ${player.speed}×`,
    };
    write(the("mode"), words[player.mode]);
    write(the("time-of"), `${clock(player.atMs)} of ${clock(player.recording.endMs)}`);
    document.body.dataset.mode = player.mode;
  }
}
