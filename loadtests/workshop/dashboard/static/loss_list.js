/**
 * All losses of a side as a list: the same as the squares, with letters, and those that are no logouts.
 * @module
 */

import { html, write } from "./elements.js";
import { happened, seconds, spoken } from "./words.js";

const MOST_LISTED = 100;
/** Of one shopper no more are told (`MOST_OF_ONE` of the live picture). */
const TOLD_OF_ONE = 20;

export class LossList {
  /** @param {HTMLDetailsElement} host  @param {(loss: object) => void} opened */
  constructor(host, opened) {
    this.#summary = host.querySelector("summary");
    this.#list = host.querySelector("ol");
    this.#opened = opened;
    this.#shown = [];
  }

  #summary;
  #list;
  #opened;
  #shown;

  draw(losses) {
    write(this.#summary, summary(losses));
    const wanted = losses.slice(-MOST_LISTED).reverse();
    if (wanted.length === this.#shown.length && wanted.every((loss, place) => loss.loss === this.#shown[place].loss))
      return;
    this.#shown = wanted;
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.loss : null;
    this.#list.replaceChildren(...wanted.map((loss) => this.#row(loss)));
    if (focused !== null) this.#list.querySelector(`[data-loss="${focused}"]`)?.focus();
  }

  #row(loss) {
    return html(
      "li",
      {},
      html(
        "button",
        { type: "button", "data-loss": loss.loss, onclick: () => this.#opened(loss) },
        html("time", {}, seconds(loss.at_ms)),
        html("span", {}, `shopper ${loss.shopper} ${happened(loss.kind)}`),
        html("span", { class: "quiet" }, spoken(loss.cause)),
      ),
    );
  }
}

function summary(losses) {
  if (losses.length === 1) return "1 loss, with its witness";
  const ofOne = new Map();
  for (const { shopper } of losses) ofOne.set(shopper, (ofOne.get(shopper) ?? 0) + 1);
  const more = Math.max(0, ...ofOne.values()) >= TOLD_OF_ONE;
  const counted = more ? `The first ${TOLD_OF_ONE} losses of each shopper, ${losses.length} in all` : `${losses.length} losses`;
  const listed = losses.length > MOST_LISTED ? `; the newest ${MOST_LISTED} are listed` : "";
  return `${counted}, each with its witness${listed}`;
}
