/**
 * The four numbers of a side, each with its words.
 * @module
 */

import { html, write } from "./elements.js";
import { meaning, NUMBERS } from "./words.js";

export class Numbers {
  /** @param {(means: string) => void} explain is asked what a number means */
  constructor(host, explain) {
    this.#shown = NUMBERS.map((number) => {
      const value = html("span", { class: "value" });
      const of = html("span", { class: "of" });
      const word = html("span", {});
      const what = html(
        "button",
        { type: "button", class: "meant", title: meaning(number.means), onclick: () => explain(number.means) },
        word,
      );
      host.append(
        html("div", { class: "number", "data-number": number.key }, html("dt", {}, what), html("dd", {}, value, of)),
      );
      return { number, value, of, word };
    });
  }

  #shown;

  draw(counts) {
    for (const { number, value, of, word } of this.#shown) {
      const count = counts[number.key];
      write(value, String(count));
      value.classList.toggle("long", count >= 1000);
      write(word, count === 1 ? number.one : number.many);
      write(of, number.of && counts[number.of] ? `of ${counts[number.of]}` : "");
      value.parentElement.parentElement.classList.toggle("zero", count === 0);
    }
  }
}
