/**
 * Elements of the page, made without any HTML in strings: whatever people typed stays text.
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element; an attribute `onclick` is a listener, one that is false or null is left out. */
export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** The element of that id; the page is broken without it. */
export function the(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** Writes the text, and only if it is another: who listens to a region hears a change, not each frame. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What was drawn last, by part: what is the same is not made anew, and what is focused stays. */
export class Drawn {
  #texts = new Map();

  /** Whether that part is to look otherwise now; it is taken for drawn then. */
  changes(value, part = "") {
    const text = JSON.stringify(value);
    if (this.#texts.get(part) === text) return false;
    this.#texts.set(part, text);
    return true;
  }
}
