/**
 * What only the instructor has: the round's next step, and the faults, on one side or on both, with what is broken.
 * @module
 */

import { html, the, write } from "./elements.js";
import { ask, command, Refusal } from "./room.js";
import { SIDES, spoken, titled } from "./words.js";

const MINE = "mine";
const PANELS = ["controls", "breaking"];
const OF_FAULTS = new Set(["break", "heal"]);
const LIVE = new Set(["open", "run"]);
const IDLE = new Set(["explain", "failed"]);

export class Controls {
  /** @param {(side: string) => string} nodeOfMine the node that serves the person at this browser, or "" */
  constructor(nodeOfMine) {
    this.#nodeOfMine = nodeOfMine;
    the("begin").addEventListener("click", () => this.#give({ do: "begin", episode: the("next-episode").value }));
    the("release").addEventListener("click", () => this.#release());
    the("release-now").addEventListener("click", () =>
      this.#give({ do: "release" }).then(() => the("really-release").close()),
    );
    the("close-round").addEventListener("click", () => this.#give({ do: "close" }));
    the("end").addEventListener("click", () => the("really-end").showModal());
    the("end-now").addEventListener("click", () => this.#give({ do: "end" }).then(() => the("really-end").close()));
    the("mend-all").addEventListener("click", () => this.#give({ do: "heal", fault: null }));
    for (const radio of document.querySelectorAll('input[name="fault-side"]'))
      radio.addEventListener("change", () => this.#victims());
  }

  #nodeOfMine;
  #workshop = null;
  #nodes = { left: [], right: [] };
  #drawn = {};

  draw(workshop, nodes) {
    const here = PANELS.find((panel) => the(panel).contains(document.activeElement));
    this.#stand(workshop, nodes);
    if (here && !(the(here).contains(document.activeElement) && document.activeElement.checkVisibility())) {
      the(the(here).checkVisibility() ? `${here}-title` : "controls-title").focus();
    }
  }

  /** What was pressed may be gone afterwards: whoever uses the keyboard stays where they were. */
  #stand(workshop, nodes) {
    this.#workshop = workshop;
    this.#nodes = nodes;
    const { phase, buttons } = workshop.round;
    the("counted").hidden = phase !== "predict";
    the("release").hidden = phase !== "predict";
    the("close-round").hidden = !LIVE.has(phase);
    the("report-link").hidden = phase !== "explain";
    the("begin-what").hidden = phase === "starting" || phase === "closing";
    the("breaking").hidden = !LIVE.has(phase) || buttons.length === 0;
    the("begin").classList.toggle("first", IDLE.has(phase));
    this.#episodes();
    this.#buttons();
    this.#victims();
    this.#broken();
  }

  /** Whether it is another thing than was drawn last: what is focused must not be made anew for nothing. */
  #changed(what, value) {
    const text = JSON.stringify(value);
    if (this.#drawn[what] === text) return false;
    this.#drawn[what] = text;
    return true;
  }

  #episodes() {
    const { episodes, round } = this.#workshop;
    if (!this.#changed("episodes", [episodes, round.number])) return;
    const next = episodes[episodes.indexOf(round.episode) + 1] ?? "";
    the("next-episode").replaceChildren(
      ...episodes.map((name, number) =>
        html("option", { value: name, selected: name === next }, `${number + 1} ${titled(name)}`),
      ),
      html("option", { value: "", selected: next === "" }, "Free play"),
    );
  }

  #buttons() {
    const { buttons } = this.#workshop.round;
    if (!this.#changed("buttons", buttons)) return;
    the("fault-buttons").replaceChildren(
      ...buttons.map((button) => {
        const stripe = html("i", { class: "stripe", "aria-hidden": "true" });
        stripe.style.backgroundColor = button.colour;
        return html(
          "button",
          {
            type: "button",
            class: "fault",
            "data-kind": button.kind,
            title: button.sentence,
            onclick: () => this.#break(button),
          },
          stripe,
          button.label,
        );
      }),
    );
  }

  #victims() {
    const sides = this.#sides();
    const named = sides.flatMap((side) => this.#nodes[side]);
    const names = [...new Set(named)].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    const mine = sides.map((side) => this.#nodeOfMine(side)).filter(Boolean);
    if (!this.#changed("victims", [names, mine])) return;
    const list = the("victim");
    const kept = list.value;
    list.replaceChildren(
      html("option", { value: "" }, "the first node that is up"),
      ...names.map((name) => html("option", { value: name }, name)),
      html(
        "option",
        { value: MINE, disabled: mine.length === 0 },
        `the node that serves me${mine.length ? ` (${[...new Set(mine)].join(", ")})` : ""}`,
      ),
    );
    list.value = [...list.options].some((option) => option.value === kept && !option.disabled) ? kept : "";
  }

  #sides() {
    const side = document.querySelector('input[name="fault-side"]:checked').value;
    return side === "both" ? SIDES : [side];
  }

  /** Predictions cannot be made up for once people shop: asks before it closes them over none. */
  async #release() {
    const { count } = await ask("/api/predictions").catch(() => ({ count: 1 }));
    if (this.#workshop.predict && count === 0) the("really-release").showModal();
    else await this.#give({ do: "release" });
  }

  async #break(button) {
    const sides = this.#sides();
    const wanted = button.strikes === "node" ? the("victim").value : "";
    if (wanted !== MINE) return this.#give({ do: "break", kind: button.kind, sides, victim: wanted });
    const served = sides.map((side) => [side, this.#nodeOfMine(side)]).filter(([, node]) => node);
    const nodes = [...new Set(served.map(([, node]) => node))];
    for (const node of nodes) {
      const there = served.filter(([, each]) => each === node).map(([side]) => side);
      await this.#give({ do: "break", kind: button.kind, sides: there, victim: node });
    }
  }

  #broken() {
    const { broken, buttons } = this.#workshop.round;
    the("broken").hidden = broken.length === 0;
    the("mend-all").hidden = broken.length < 2;
    if (!this.#changed("broken", broken)) return;
    const label = (kind) => buttons.find((button) => button.kind === kind)?.label ?? spoken(kind);
    the("broken-list").replaceChildren(
      ...broken.map((fault) =>
        html(
          "li",
          {},
          html(
            "span",
            {},
            html("b", {}, fault.victim === "cluster" ? label(fault.kind) : `${label(fault.kind)} ${fault.victim}`),
            ` ${fault.sides.length > 1 ? "both sides" : fault.sides[0]}`,
          ),
          html(
            "button",
            { type: "button", disabled: fault.healing, onclick: () => this.#give({ do: "heal", fault: fault.fault }) },
            fault.healing ? "being mended …" : "Mend",
          ),
        ),
      ),
    );
  }

  async #give(what) {
    const answer = the(OF_FAULTS.has(what.do) ? "refusal" : "round-refusal");
    answer.hidden = true;
    try {
      await command(what);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      write(answer, refusal.sentence);
      answer.hidden = false;
    }
  }
}
