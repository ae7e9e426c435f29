/**
 * What happened to one shopper, told as a story of at most ten events: who, when, which node, what was acknowledged,
 * what came back.
 * @module
 */

import { html } from "./elements.js";
import { ask } from "./room.js";
import { happened, meaning, seconds } from "./words.js";

const MOST_EVENTS = 10;
const FIRST_KEPT = 3;

/** At most ten of the events: the first ones, how it began, and the last ones, how it ended. */
export function storyOf(witness) {
  if (witness.length <= MOST_EVENTS) return { events: witness, leftOut: 0, leftOutAfter: 0 };
  const last = MOST_EVENTS - FIRST_KEPT;
  return {
    events: [...witness.slice(0, FIRST_KEPT), ...witness.slice(-last)],
    leftOut: witness.length - MOST_EVENTS,
    leftOutAfter: FIRST_KEPT,
  };
}

export class Witness {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.#title = dialog.querySelector("h2");
    this.#body = dialog.querySelector(".witness-body");
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  }

  #title;
  #body;
  #asked = 0;

  /** All losses of one shopper, the last login lost first. */
  ofShopper(side, shopper, losses, about) {
    const own = losses.filter((loss) => loss.shopper === shopper);
    const chosen = own.findLast((loss) => loss.kind === "logged_out") ?? own.at(-1);
    this.#open(side, `Shopper ${shopper}, ${side} shop`);
    if (chosen) this.#show(side, chosen, own, about);
    else
      this.#body.replaceChildren(html("p", {}, "What this shopper lost is not shown here yet. Try again in a moment."));
  }

  /** One loss of the list. */
  ofLoss(side, loss, losses, about) {
    this.#open(side, `Shopper ${loss.shopper}, ${side} shop`);
    this.#show(
      side,
      loss,
      losses.filter((each) => each.shopper === loss.shopper),
      about,
    );
  }

  #open(side, title) {
    this.#title.textContent = title;
    this.dialog.dataset.side = side;
    this.#body.replaceChildren(html("p", { class: "quiet" }, "Looking it up …"));
    if (!this.dialog.open) this.dialog.showModal();
  }

  async #show(side, view, own, about) {
    this.#asked += 1;
    const mine = this.#asked;
    let content;
    try {
      content = told(await ask(`/api/losses/${side}/${view.loss}`), about);
    } catch (refusal) {
      content = [html("p", { class: "refused" }, refusal.sentence ?? String(refusal))];
    }
    if (mine !== this.#asked) return;
    this.#body.replaceChildren(...content, ...this.#others(side, view, own, about));
  }

  #others(side, view, own, about) {
    if (own.length < 2) return [];
    const buttons = own.map((loss) =>
      html(
        "li",
        {},
        html(
          "button",
          {
            type: "button",
            "aria-current": loss.loss === view.loss ? "true" : null,
            onclick: () => this.#show(side, loss, own, about),
          },
          `${seconds(loss.at_ms)}: ${happened(loss.kind)}`,
        ),
      ),
    );
    return [html("h3", {}, `All that shopper ${view.shopper} lost`), html("ul", { class: "others" }, buttons)];
  }
}

function told(loss, about) {
  const { events, leftOut, leftOutAfter } = storyOf(loss.witness);
  const lines = events.map((event) => line(event, about));
  if (leftOut) lines.splice(leftOutAfter, 0, html("li", { class: "left-out" }, `… ${leftOut} more …`));
  const units = loss.items ? `, ${loss.items} ${loss.items === 1 ? "unit" : "units"} of goods with it` : "";
  return [
    html("p", { class: "headline" }, `Shopper ${loss.shopper} ${happened(loss.kind)} at ${seconds(loss.at_ms)}${units}.`),
    html(
      "p",
      { class: "cause" },
      html("b", {}, "Why: "),
      loss.cause.split(/[+|]/).map((word) => meaning(`cause-${word}`) || word.replaceAll("_", " ")).join(" "),
    ),
    html("ol", { class: "story" }, lines),
    ...counterfactual(loss),
  ];
}

/** What would have been without its cause, as the report says it; nothing where no cause explains it. */
export function counterfactual(loss) {
  const said = loss.counterfactual ?? "";
  return said ? [html("p", { class: "counterfactual" }, `${said[0].toUpperCase()}${said.slice(1)}.`)] : [];
}

function line(event, about) {
  return html(
    "li",
    {},
    html("time", {}, seconds(event.at_ms)),
    html(
      "span",
      { class: "what" },
      event.what,
      event.node && html("span", { class: `chip ${about.stateful ? "stateful" : "stateless"}` }, event.node),
      event.request && html("code", {}, event.request),
    ),
  );
}
