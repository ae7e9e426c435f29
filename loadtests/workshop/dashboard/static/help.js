/**
 * Help: what each number means, what each cause means, which keys there are.
 * @module
 */

import { the } from "./elements.js";

export class Help {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    the("help-button").addEventListener("click", () => this.show());
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    for (const other of document.querySelectorAll("dialog")) {
      other.addEventListener("click", (event) => event.target === other && other.close());
      other.querySelector(".cancel")?.addEventListener("click", () => other.close());
    }
  }

  /** At what that word means, or from the beginning. */
  show(means = "") {
    if (!this.dialog.open) this.dialog.showModal();
    for (const marked of this.dialog.querySelectorAll(".asked")) marked.classList.remove("asked");
    const definition = means && this.dialog.querySelector(`[data-means="${CSS.escape(means)}"]`);
    if (!definition) return;
    definition.parentElement.classList.add("asked");
    definition.scrollIntoView({ block: "center" });
  }
}
