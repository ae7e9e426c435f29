/**
 * The lesson's words as elements: paragraphs, *emphasis*, **names**, `code`. Everything else stays the text that it is.
 * @module
 */

import { html } from "./elements.js";

/** The paragraphs of a text. */
export function prose(text) {
  return text
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean)
    .map((paragraph) => html("p", {}, marked(paragraph.replace(/\s*\n\s*/g, " "))));
}

/** A sentence with its marks. */
export function marked(sentence) {
  return sentence
    .split(/(\*\*[^*\s][^*]*\*\*|\*[^*\s][^*]*\*|`[^`]+`)/)
    .filter(Boolean)
    .map((piece) => {
      if (piece.length > 4 && piece.startsWith("**") && piece.endsWith("**")) return html("strong", {}, piece.slice(2, -2));
      if (piece.length > 2 && piece.startsWith("*") && piece.endsWith("*")) return html("em", {}, piece.slice(1, -1));
      if (piece.length > 2 && piece.startsWith("`") && piece.endsWith("`")) return html("code", {}, piece.slice(1, -1));
      return piece;
    });
}
