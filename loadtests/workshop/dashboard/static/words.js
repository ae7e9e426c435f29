/**
 * Sentences that more than one part of the page says.
 *
 * What numbers, losses and causes mean stands in the page itself, under help, where the server put it from the same
 * tables as the report's.
 * @module
 */

export const SIDES = ["left", "right"];

/** In these phases people shop, and things can be broken. */
export const LIVE = new Set(["open", "run"]);

/** The four numbers: key in `counts`, words for many and for one, the definition's key, and what it is a number of. */
export const NUMBERS = [
  { key: "logged_out", many: "logged-out shoppers", one: "logged-out shopper", means: "logged-out", of: "shoppers" },
  { key: "carts_lost", many: "lost carts", one: "lost cart", means: "carts-lost", of: null },
  { key: "failed", many: "failed actions", one: "failed action", means: "failed", of: "actions" },
  { key: "unknown", many: "unknown", one: "unknown", means: "unknown", of: "actions" },
];

export const PHASES = {
  starting: "The clusters are starting",
  open: "Free play: people shop",
  predict: "Predict: nobody shops yet",
  run: "People shop",
  closing: "The round is being closed: last audit, verdict, report",
  explain: "The round is over, and its shops are closed",
  failed: "This round could not be carried out",
};

/** The step of a fault, as people say it. */
export const STEPS = {
  injected: "injected",
  observed: "observed",
  not_observed: "not observed",
  healed: "healed",
  observed_healed: "observed healed",
  not_healed: "not healed",
  nothing_there: "nothing there to strike",
};

/** 83456 → "1:23". */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** 12345.6 → "12.35 s". */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** two-words → two words. */
export function spoken(name) {
  return name.replace(/[-_]/g, " ");
}

/** A fault and its victim, if it strikes a single part: "kill n2"; "store kill" has said already what it strikes. */
export function faultName({ kind, victim }, name = spoken(kind)) {
  return victim && victim !== "cluster" && !name.split(" ").includes(victim) ? `${name} ${victim}` : name;
}

/** kill-one-of-three → Kill one of three. */
export function titled(name) {
  const words = spoken(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Where sessions live if there is no store, in two lines. */
export function noStore(side) {
  return side.stateful
    ? "no store: sessions live\nin the nodes’ memory"
    : "no store: the session is\nin the shopper’s cookie";
}

/** What a number or a cause means, from the page's help; "" if it says nothing of it. */
export function meaning(key) {
  return document.querySelector(`[data-means="${CSS.escape(key)}"]`)?.textContent.trim() ?? "";
}

/** What happened to a shopper who has such a loss, from the page's help: "was logged out". */
export function happened(kind) {
  return document.querySelector(`[data-happened="${CSS.escape(kind)}"]`)?.textContent ?? spoken(kind);
}
