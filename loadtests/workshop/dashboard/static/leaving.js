/**
 * What a room would lose if another round began now, in a sentence.
 * @module
 */

/**
 * @param {{phase: string}} round  @param {number} predictions how many are in
 * @param {number} people how many are in this room  @param {number} inShops how many of them have entered a shop
 * @returns "" if nothing would be lost
 */
export function lostByLeaving({ phase }, predictions, people, inShops) {
  if (phase === "predict" && predictions > 0)
    return `${counted(predictions, "prediction is", "predictions are")} in, and would never be compared with anything: nobody has shopped yet.`;
  if (phase === "predict" && people > 0)
    return "Nobody has shopped yet, and whoever is writing a prediction would lose it.";
  if (phase === "run")
    return "People are shopping: this round would be closed as it stands, and its two shops with it. Its report stays; predictions are not compared on this page.";
  if (phase === "open" && inShops > 0)
    return `Free play would end, and its two shops close: ${counted(inShops, "person of this room is", "people of this room are")} in them.`;
  return "";
}

function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}
