/**
 * What only the instructor has: the round's next step, and the faults, on one side or on both, with what is broken.
 * @module
 */

import { Drawn, html, the, write } from "./elements.js";
import { lostByLeaving } from "./leaving.js";
import { ask, command, Refusal } from "./room.js";
import { victims } from "./victims.js";
import { faultName, LIVE, SIDES, spoken, titled } from "./words.js";

const PANELS = ["controls", "breaking"];
const WHILE_PEOPLE_SHOP = new Set(["break", "heal", "close"]);
const IDLE = new Set(["explain", "failed"]);

export class Controls {
  constructor() {
    the("begin").addEventListener("click", () => this.#begin());
    the("begin-now").addEventListener("click", () => this.#beginNow().then(() => the("really-begin").close()));
    the("release").addEventListener("click", () => this.#release());
    the("release-now").addEventListener("click", () =>
      this.#give({ do: "release" }).then(() => the("really-release").close()),
    );
    the("close-round").addEventListener("click", () => this.#give({ do: "close" }));
    the("victim").addEventListener("change", () => (this.#chosen = the("victim").value));
    the("end").addEventListener("click", () => the("really-end").showModal());
    the("end-now").addEventListener("click", () => this.#give({ do: "end" }).then(() => the("really-end").close()));
    the("mend-all").addEventListener("click", () => this.#give({ do: "heal", fault: null }));
    for (const radio of document.querySelectorAll('input[name="fault-side"]'))
      radio.addEventListener("change", () => this.#victims());
  }

  #workshop = null;
  #seen = {};
  #me = "";
  /** The victim that somebody has chosen in this round; null: whoever is proposed. */
  #chosen = null;
  #drawn = new Drawn();

  /**
   * @param {Record<string, {nodes: object[], stateful: boolean, guests: object[]}>} seen of each side, as it is now
   * @param {string} me the instructor's own account in the shops
   * @param {boolean} covered what happens is covered for the instructor, too: who sees nothing breaks nothing
   */
  draw(workshop, seen, me, covered) {
    const here = PANELS.find((panel) => the(panel).contains(document.activeElement));
    if (this.#workshop?.round.number !== workshop.round.number) this.#chosen = null;
    this.#seen = seen;
    this.#me = me;
    this.#stand(workshop, covered);
    if (here && !(document.activeElement !== document.body && document.activeElement.checkVisibility())) {
      // While people shop, what comes next is to break something; `top.js` says where the page stands.
      const next = the("breaking").checkVisibility() ? "breaking-title" : "controls-title";
      the(next).focus({ preventScroll: true });
    }
  }

  /** What was pressed may be gone afterwards: whoever uses the keyboard stays where they were. */
  #stand(workshop, covered) {
    this.#workshop = workshop;
    const { phase, buttons } = workshop.round;
    the("counted").hidden = phase !== "predict";
    the("release").hidden = phase !== "predict";
    the("report-link").hidden = phase !== "explain";
    the("begin-what").hidden = phase === "starting" || phase === "closing";
    the("breaking").hidden = !LIVE.has(phase);
    for (const part of ["faults", "broken"]) the(part).hidden = buttons.length === 0 || covered;
    the("begin").classList.toggle("first", IDLE.has(phase));
    this.#episodes();
    this.#buttons();
    this.#victims();
    this.#broken();
  }

  #episodes() {
    const { episodes, round } = this.#workshop;
    if (!this.#drawn.changes([episodes, round.number], "episodes")) return;
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
    if (!this.#drawn.changes(buttons, "buttons")) return;
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
    const { proposed, options } = victims(
      this.#sides().map((side) => this.#seen[side]),
      this.#me,
    );
    const chosen = options.some(([name]) => name === this.#chosen) ? this.#chosen : proposed;
    if (!this.#drawn.changes([options, chosen], "victims")) return;
    the("victim").replaceChildren(...options.map(([name, words]) => html("option", { value: name }, words)));
    the("victim").value = chosen;
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

  #break(button) {
    const victim = button.strikes === "node" ? the("victim").value : "";
    return this.#give({ do: "break", kind: button.kind, sides: this.#sides(), victim });
  }

  /** A round that is left is over for everybody in it: asks before it takes something from them. */
  async #begin() {
    const { round, participants = [] } = this.#workshop;
    // Who cannot be counted may be there: then it asks.
    const { count } = round.phase === "predict" ? await ask("/api/predictions").catch(() => ({ count: 1 })) : { count: 0 };
    const inShops = new Set(Object.values(this.#seen).flatMap(({ guests }) => guests.map(({ user }) => user)));
    const lost = lostByLeaving(round, count, participants.length, inShops.size);
    if (lost === "") return this.#beginNow();
    write(the("lost-by-beginning"), lost);
    the("really-begin").showModal();
  }

  #beginNow() {
    return this.#give({ do: "begin", episode: the("next-episode").value });
  }

  #broken() {
    const { broken, buttons, episode } = this.#workshop.round;
    the("enough").hidden = !episode || broken.length > 1;
    the("enough").replaceChildren(
      buttons.length === 1 ? "one is enough" : "one at a time",
      html("span", { class: "roomy" }, ": mend it, or close the round"),
    );
    the("broken").classList.toggle("nothing", broken.length === 0); // its room is kept: what stands below stays there
    the("mend-all").hidden = broken.length < 2;
    if (!this.#drawn.changes(broken, "broken")) return;
    const label = (kind) => buttons.find((button) => button.kind === kind)?.label ?? spoken(kind);
    the("broken-list").replaceChildren(
      ...broken.map((fault) =>
        html(
          "li",
          {},
          html(
            "span",
            {},
            html("b", {}, faultName(fault, label(fault.kind))),
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
    const answer = the(WHILE_PEOPLE_SHOP.has(what.do) ? "refusal" : "round-refusal");
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
