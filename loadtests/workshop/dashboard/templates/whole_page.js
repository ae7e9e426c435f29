
// A browser drops whatever it is loading when a network of its machine comes or goes (Chromium: ERR_NETWORK_CHANGED;
// Docker does that, a wireless network too), and a page of which a part is missing would wait for ever. Loaded once more.
let missing = false;
async function loadAgain() {
  const answer = await fetch("/healthz").catch(() => null);
  if (answer?.ok) location.reload();
  else setTimeout(loadAgain, 1000);
}
function isPartOfThePage(element) {
  return element instanceof HTMLScriptElement || element instanceof HTMLLinkElement;
}
addEventListener("error", (event) => {
  if (missing || !isPartOfThePage(event.target)) return;
  missing = true;
  setTimeout(loadAgain, 1000);
}, true);
