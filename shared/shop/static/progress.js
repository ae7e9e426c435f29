"use strict";
// The latest order's progress, live. Without this script the page says the same, as of when it was loaded.
{
  const place = document.getElementById("progress");
  const say = (words) => {
    if (place.textContent !== words) place.textContent = words; // screen readers read what changes
  };
  const source = new EventSource("/orders/progress");
  const tell = (event) => {
    const told = JSON.parse(event.data);
    say(told.order ? `Order ${told.order.slice(0, 8)} is ${told.stage}. Live from ${told.node}.` : `No order yet. Live from ${told.node}.`);
  };
  source.addEventListener("status", tell);
  source.addEventListener("heartbeat", tell);
  source.addEventListener("error", () => {
    say(source.readyState === EventSource.CLOSED ? "This shop does not know you any more." : "The connection is gone; asking again.");
  });
  place.hidden = false;
}
