// What a report can do more where scripts run: a line and its numbers under the pointer, a closer look, a search among the losses.
// Everything that can be read can be read without it. It asks for nothing, stores nothing, and makes its own controls.
"use strict";
(() => {
  // What a link leads to may be folded, and not every browser unfolds it.
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  if (location.hash) unfold();

  const section = document.querySelector("#numbers");
  const charts = [...document.querySelectorAll(".panels.timed .panel")];
  if (!charts.length) return;
  const end = Number(section.dataset.endUs) / 1e6;
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // A closer look: all charts that share the time axis grow and scroll together.
  const frames = charts.map((panel) => {
    const plot = panel.querySelector(".plot");
    const frame = make("div", { class: "frame", role: "group", "aria-label": `${panel.querySelector("h4").textContent}, the chart; it scrolls when it is enlarged` });
    plot.replaceWith(frame);
    frame.append(plot);
    return frame;
  });
  // By the moment in their middle: charts are not all of the same width.
  const middleOf = (frame) => (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
  const scrollTo = (frame, middle) => {
    const left = middle * frame.scrollWidth - frame.clientWidth / 2;
    if (Math.abs(frame.scrollLeft - left) > 1) frame.scrollLeft = left; // or each would set off the others for ever
  };
  const together = (scrolled) => {
    for (const frame of frames) if (frame !== scrolled) scrollTo(frame, middleOf(scrolled));
  };
  for (const frame of frames) frame.addEventListener("scroll", () => together(frame), { passive: true });
  const zoom = (times) => {
    const middle = middleOf(frames[0]);
    for (const frame of frames) {
      frame.firstElementChild.style.width = `${times * 100}%`;
      if (times > 1) frame.tabIndex = 0;
      else frame.removeAttribute("tabindex");
      scrollTo(frame, middle);
    }
    for (const button of closer.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === String(times));
  };
  const closer = make("span", { class: "closer", role: "group", "aria-label": "Enlarge the time axis" }, "Time axis ");
  for (const times of [1, 2, 4, 8]) {
    const button = make("button", { type: "button", value: times, "aria-pressed": times === 1 }, `${times}×`);
    button.addEventListener("click", () => zoom(times));
    closer.append(button);
  }

  // A search: losses that have all these words, their witnesses included.
  const why = document.querySelector("#why");
  const told = [...why.querySelectorAll(".told")];
  const search = make("input", { type: "search", id: "search-losses", placeholder: "shopper 7, n2, cart …" });
  const found = make("output", { for: "search-losses" });
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().match(/shopper \d+|\S+/g) ?? [];
    const has = (text, word) => (/^shopper \d/.test(word) ? new RegExp(`${word}\\b`).test(text) : text.includes(word));
    let shown = 0;
    for (const loss of told) {
      loss.hidden = !words.every((word) => has(loss.textContent.toLowerCase(), word));
      if (!loss.hidden) shown += 1;
      const fold = loss.parentElement.closest("details");
      if (fold && words.length && !loss.hidden) fold.open = true;
    }
    found.textContent = words.length ? ` ${shown} of ${told.length} losses that are told here` : "";
  });
  section.querySelector(".lead").after(make("p", { class: "controls" }, closer));
  if (told.length) {
    const label = make("label", { for: "search-losses" }, "Losses with ", search);
    why.querySelector(".lead").after(make("p", { class: "controls" }, label, found));
  }

  // Under the pointer: a line at that time in all charts of the figure, and the row of the chart's own table that holds it.
  for (const figure of document.querySelectorAll("figure.multiples:has(.panels.timed)")) {
    const panels = [...figure.querySelectorAll(".panel")];
    const tables = figure.querySelectorAll(".data table");
    const readout = make("p", { class: "readout", "aria-hidden": "true" });
    figure.querySelector(".key").before(readout);
    const lines = panels.map((panel) => {
      const line = make("div", { class: "pointer", hidden: "" });
      panel.querySelector(".frame").append(line);
      return line;
    });
    for (const [number, panel] of panels.entries()) {
      const name = panel.querySelector("h4").firstChild.textContent.trim();
      const frame = panel.querySelector(".frame");
      const heads = [...tables[number].tHead.rows[0].cells].map((cell) => cell.textContent);
      const rows = [...tables[number].tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent));
      const timed = /^[\d.,]+ s$/.test(rows[0]?.[0] ?? "");
      frame.addEventListener("pointermove", (event) => {
        const plot = frame.firstElementChild.getBoundingClientRect();
        const at = ((event.clientX - plot.left) / plot.width) * end;
        if (at < 0 || at > end) return;
        for (const line of lines) {
          line.hidden = false;
          line.style.left = `${event.clientX - plot.left}px`;
        }
        const row = timed ? rows.filter((cells) => parseFloat(cells[0]) <= at).at(-1) : undefined;
        const numbers = row ? row.slice(1).map((cell, place) => `${heads[place + 1]} ${cell}`).filter((text) => !/ 0$/.test(text)) : [];
        readout.textContent = `${name}, ${at.toFixed(2)} s${row ? `, from ${row[0]}: ${numbers.join(", ") || "nothing"}` : ""}`;
      });
      frame.addEventListener("pointerleave", () => {
        for (const line of lines) line.hidden = true;
        readout.textContent = "";
      });
    }
  }
})();
