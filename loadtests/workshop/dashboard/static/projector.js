/**
 * The projector's mode: light, letters of 24 px and more, so that the last row can read it.
 * @module
 */

import { the } from "./elements.js";

/** @param {() => void} changed sizes are other ones now */
export function offerProjector(changed) {
  const button = the("projector");
  const address = () => new URL(window.location.href);
  const show = (on) => {
    document.documentElement.classList.toggle("projector", on);
    button.setAttribute("aria-pressed", String(on));
  };
  show(address().searchParams.get("projector") === "1");
  const turn = () => {
    const on = !document.documentElement.classList.contains("projector");
    const next = address();
    if (on) next.searchParams.set("projector", "1");
    else next.searchParams.delete("projector");
    window.history.replaceState(null, "", next);
    show(on);
    changed();
  };
  button.addEventListener("click", turn);
  return turn;
}
