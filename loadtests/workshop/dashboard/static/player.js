/**
 * Which moment of a recording is shown: live, paused, stepped through, or replayed.
 * @module
 */

export const SPEEDS = [1, 2, 5];

export class Player {
  /** @param {() => void} moved is told when another moment is to be shown */
  constructor(recording, moved) {
    this.recording = recording;
    this.mode = "live";
    this.speed = 1;
    /** Whether a replay that has caught up goes on live. */
    this.goesLive = false;
    this.#moved = moved;
  }

  #moved;
  #place = 0;
  #atMs = 0;

  /** Another round: whatever was looked at is over. */
  follow(recording) {
    this.recording = recording;
    this.live();
  }

  /** How many frames the shown moment is after the start. */
  get place() {
    return this.mode === "live" ? this.recording.length : Math.min(this.#place, this.recording.length);
  }

  get picture() {
    return this.recording.pictureAt(this.place);
  }

  /** The shown moment, in ms since people began to shop. */
  get atMs() {
    return this.mode === "replay" ? this.#atMs : this.picture.at_ms;
  }

  live() {
    this.mode = "live";
    this.#moved();
  }

  pause() {
    this.#stand(this.place);
  }

  /** One frame forward (1) or back (-1); it stands still there. */
  step(by) {
    this.#stand(Math.max(0, Math.min(this.recording.length, this.place + by)));
  }

  seek(ms) {
    const place = this.recording.placeAt(ms);
    if (this.mode === "replay") this.#run(ms, place);
    else this.#stand(place);
  }

  /** From the round's start, unless it stands somewhere in the middle and `again` is false. */
  replay(again = true) {
    const middle = this.mode === "paused" && this.place < this.recording.length;
    const from = again || !middle ? this.recording.startMs : this.picture.at_ms;
    this.#run(from, this.recording.placeAt(from));
  }

  /** Time goes on by that many ms of the clock on the wall; at the recording's end it is live, or stands still. */
  tick(ms) {
    if (this.mode !== "replay") return;
    const to = this.#atMs + ms * this.speed;
    const place = this.recording.placeAt(to);
    if (to < this.recording.endMs) this.#run(to, place);
    else if (this.goesLive) this.live();
    else this.#stand(this.recording.length);
  }

  #stand(place) {
    this.mode = "paused";
    this.#place = place;
    this.#moved();
  }

  #run(ms, place) {
    this.mode = "replay";
    this.#atMs = ms;
    this.#place = place;
    this.#moved();
  }
}
