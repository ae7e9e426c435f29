/**
 * An episode's card: predict, run, explain.
 * @module
 */

import { html, the, write } from "./elements.js";
import { choicesOf, histogram, rangesOf } from "./histogram.js";
import { marked, prose } from "./prose.js";
import { ask, Refusal, tell } from "./room.js";

export class Lesson {
  /** @param {() => void} committed is told when a prediction has been committed */
  constructor(committed) {
    this.#committed = committed;
    the("prediction").addEventListener("submit", (event) => this.#commit(event));
  }

  #committed;
  #episode = null;
  #round = 0;
  #shoppers = Infinity;
  #name = "";
  #shown = "";

  /** Another phase, another round, or another person than before: fetches what may be shown now. */
  async draw(workshop, me) {
    const { number, phase, episode, shoppers } = workshop.round;
    const shape = JSON.stringify([number, phase, episode, me.committed, me.who]);
    if (shape === this.#shown) return;
    this.#shown = shape;
    this.#round = number;
    this.#shoppers = shoppers;
    this.#name = (workshop.participants ?? []).find(({ user }) => user === me.user)?.name ?? "";
    the("lesson").hidden = !episode;
    if (!episode) return;
    try {
      await this.#fetched(shape, workshop, me);
    } catch (refusal) {
      this.#shown = ""; // it is asked again with the next change
      throw refusal;
    }
  }

  async #fetched(shape, workshop, me) {
    const { phase } = workshop.round;
    this.#episode = await ask("/api/episode");
    if (shape !== this.#shown) return;
    this.#story(phase);
    const asks = workshop.predict && !me.committed && phase !== "starting" && phase !== "failed";
    the("prediction").hidden = !asks;
    if (asks) this.#questions(phase);
    const own = me.committed ? this.#kept() : null;
    the("own").hidden = !own || phase === "explain";
    if (own) the("own-answers").replaceChildren(...this.#answered(own));
    the("explain").hidden = phase !== "explain" || asks;
    if (!the("explain").hidden) await this.#explain(own, workshop.predict);
    the("story").open = asks || phase === "predict" || phase === "starting";
  }

  /** How many have committed, while predictions are open. */
  async count({ participants = [] }, { instructor, committed }) {
    const { count } = await ask("/api/predictions");
    const said = predictionsIn(count, participants.length, instructor && { committed });
    for (const place of document.querySelectorAll(".committed-count")) write(place, said);
  }

  #story(phase) {
    const {
      number,
      title,
      question,
      minutes,
      story,
      objectives = [],
      new_idea,
      new_control,
      tips = [],
    } = this.#episode;
    write(the("lesson-number"), `Episode ${number}${minutes ? `, ${minutes} minutes` : ""}`);
    write(the("lesson-question"), question ?? "");
    write(the("lesson-title"), title);
    the("lesson-story").replaceChildren(...prose(story));
    the("objectives").replaceChildren(...objectives.map((objective) => html("li", {}, marked(objective))));
    the("new").replaceChildren(
      new_idea ? html("p", {}, html("b", {}, "New idea: "), marked(new_idea)) : "",
      new_control ? html("p", { class: "new-control" }, html("b", {}, "New control: "), marked(new_control)) : "",
    );
    const names = ["A tip", "A bigger tip", "The solution"];
    the("tips").replaceChildren(
      ...tips.map((tip, place) => html("details", {}, html("summary", {}, names[place] ?? "More"), ...prose(tip))),
    );
    // A room compares first: who unfolds the solution has the explanation with the same press.
    the("why").open = false;
    if (phase !== "explain") return;
    const solution = the("tips").lastElementChild;
    solution?.addEventListener("toggle", () => (the("why").open = solution.open));
  }

  #questions(phase) {
    const form = the("questions");
    if (form.dataset.round !== String(this.#round)) {
      form.dataset.round = String(this.#round);
      form.replaceChildren(...this.#episode.questions.map(field));
      the("reason").value = "";
      if (!the("name").value && this.#name !== "") the("name").value = this.#name;
    }
    write(the("reason-prompt"), this.#episode.reason_prompt || "Why do you think so?");
    write(
      the("commit-note"),
      phase === "predict"
        ? "What happens stays covered until you commit."
        : "You are late, and it is still covered: commit, and you see it.",
    );
  }

  async #commit(event) {
    event.preventDefault();
    const sent = new FormData(event.target);
    const answers = Object.fromEntries(
      this.#episode.questions.map(({ id }) => [id, String(sent.get(`q-${id}`) ?? "").trim()]),
    );
    const prediction = {
      name: String(sent.get("name") ?? "").trim(),
      answers,
      reason: String(sent.get("reason")).trim(),
    };
    const refused = the("prediction-refusal");
    refused.hidden = true;
    try {
      await tell("/api/predictions", prediction);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      write(refused, refusal.sentence);
      refused.hidden = false;
      if (refusal.status !== 409) return;
    }
    window.sessionStorage.setItem(`prediction-${this.#round}`, JSON.stringify(prediction));
    this.#committed();
  }

  /** What was committed from this browser in this round. */
  #kept() {
    return JSON.parse(window.sessionStorage.getItem(`prediction-${this.#round}`) ?? "null");
  }

  #answered({ answers, reason }) {
    const rows = this.#episode.questions.map((question) =>
      html("li", {}, `${question.text} `, html("b", {}, said(question, answers[question.id]))),
    );
    return [...rows, html("li", { class: "quiet" }, `Because: ${reason}`)];
  }

  async #explain(own, predicted) {
    the("explanation").replaceChildren(...prose(this.#episode.explanation ?? ""));
    const [observed, all] = await Promise.all([ask("/api/observed"), predicted ? ask("/api/predictions") : null]);
    the("compared").hidden = !own;
    if (own) {
      the("compared-rows").replaceChildren(
        ...this.#episode.questions.map((question) =>
          compared(question, own.answers[question.id], observed[question.id]),
        ),
      );
    }
    const counts = all?.answers ?? {};
    const people = all?.count ?? 0;
    the("class").hidden = people === 0;
    write(the("class-size"), people === 1 ? "One person predicted." : `${people} people predicted.`);
    the("histograms").replaceChildren(
      ...(people
        ? this.#episode.questions.map((question) => drawn(question, counts[question.id] ?? {}, observed[question.id], this.#shoppers))
        : []),
    );
    the("observed").hidden = predicted;
    the("observed").replaceChildren(
      ...this.#episode.questions.map((question) =>
        html("li", {}, `${question.text} `, html("b", {}, said(question, observed[question.id]))),
      ),
    );
  }
}

/**
 * @param {number} count  @param {number} joined how many have a seat; whoever teaches predicts, too, and has none
 * @param {{committed: boolean} | false} teaching whether it is said to whoever teaches, who hears of their own
 */
export function predictionsIn(count, joined, teaching) {
  if (joined === 0) return count === 1 ? "1 prediction is in." : `${count} predictions are in.`;
  const all = `${count} of ${Math.max(count, joined + 1)} predictions are in`;
  if (teaching) return `${all}, ${teaching.committed ? "yours with them" : "yours is missing"}.`;
  return `${all} (${joined} joined, and the instructor).`;
}

function field(question) {
  const name = `q-${question.id}`;
  if (question.kind === "number") {
    return html(
      "p",
      { class: "question" },
      html("label", { for: name }, question.text),
      html(
        "span",
        { class: "with-unit" },
        html("input", {
          id: name,
          name,
          type: "number",
          inputmode: "decimal",
          min: 0,
          step: "any",
          required: true,
          autocomplete: "off",
        }),
        question.unit,
      ),
    );
  }
  const choices = question.choices.map(({ value, text }) =>
    html(
      "label",
      { class: "choice" },
      html("input", { type: "radio", name, value, required: true }),
      html("span", {}, text),
    ),
  );
  return html("fieldset", { class: "question" }, html("legend", {}, question.text), choices);
}

/** An answer, or what was observed, as people say it. */
function said(question, answer) {
  if (answer === null || answer === undefined || answer === "") return "not answered by this round";
  if (question.kind === "choice")
    return question.choices.find((choice) => choice.value === String(answer))?.text ?? String(answer);
  const number = Number(answer);
  return `${Number.isInteger(number) ? number : number.toFixed(1)} ${question.unit ?? ""}`.trim();
}

function compared(question, predicted, observed) {
  const known = observed !== null && observed !== undefined && observed !== "";
  const same =
    question.kind === "number" ? Number(predicted) === Number(observed) : String(predicted) === String(observed);
  return html(
    "tr",
    { class: known ? (same ? "same" : "other") : null },
    html("th", { scope: "row" }, question.text),
    html("td", { "data-head": "You predicted" }, said(question, predicted)),
    html("td", { "data-head": "Observed" }, said(question, observed)),
    html(
      "td",
      { "data-head": "Difference" },
      known ? (same ? "✓ as you said" : `≠ ${difference(question, predicted, observed)}`) : "",
    ),
  );
}

function difference(question, predicted, observed) {
  if (question.kind !== "number") return "otherwise";
  const by = Number(predicted) - Number(observed);
  return `${Math.abs(by)} too ${by > 0 ? "many" : "few"}`;
}

function drawn(question, counts, observed, shoppers) {
  const seen = observed === undefined || observed === "" ? null : observed;
  const rows =
    question.kind === "number"
      ? rangesOf(counts, seen === null ? null : Number(seen), question.unit === "shoppers" ? shoppers : Infinity)
      : choicesOf(counts, question.choices, seen === null ? null : String(seen));
  return histogram(question.text, rows, question.kind);
}
