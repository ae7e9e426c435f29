/**
 * Keys for those who have the page open all day. They can be switched off, and are never taken from a field.
 * @module
 */

import { the } from "./elements.js";

const KEPT = "twinshop-keys";
const FIELDS = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select";

/** @param {Record<string, () => void>} does what each key does */
export function listenToKeys(does) {
  const on = the("keys-on");
  on.checked = window.localStorage.getItem(KEPT) !== "off";
  on.addEventListener("change", () => window.localStorage.setItem(KEPT, on.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!on.checked || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    const ownKey = event.key === " " || event.key.startsWith("Arrow");
    if (ownKey && event.target.closest("button, a, summary, [role=button], input")) return;
    const act = does[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
