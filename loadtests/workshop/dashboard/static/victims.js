/**
 * Whom a fault that takes a node strikes as long as nobody has chosen: the node by which somebody who looks on can tell
 * what it does to people.
 *
 * Nobody feels the death of a node that serves nobody of the room. Where sessions live in the nodes' memory goes first:
 * there, a person stays with one node.
 * @module
 */

/**
 * @param {{nodes: {name: string, state: string}[], stateful: boolean, guests: object[]}[]} sides those that are struck
 * @param {string} me one's own account
 * @returns {{proposed: string, options: [string, string][]}} a node, or "" for the first that is up; each with its words
 */
export function victims(sides, me) {
  const struck = [...sides].sort((one, other) => Number(other.stateful) - Number(one.stateful));
  const names = [...new Set(sides.flatMap(({ nodes }) => nodes.map(({ name }) => name)))].sort((one, other) =>
    one.localeCompare(other, "en", { numeric: true }),
  );
  const served = struck.map(servedBy);
  const there = served.find((people) => [...people.values()].some((users) => users.includes(me))) ?? served.find((people) => people.size);
  const of = (name) => there?.get(name) ?? [];
  const fullest = [...names].sort((one, other) => of(other).length - of(one).length)[0];
  return {
    proposed: names.find((name) => of(name).includes(me)) ?? (there ? fullest : ""),
    options: [["", "first node up"], ...names.map((name) => [name, `${name}${why(of(name), me)}`])],
  };
}

/** Who is logged in there, by node; whom a dead node served last, another one will. */
function servedBy({ nodes, guests }) {
  const up = new Set(nodes.filter(({ state }) => state !== "dead").map(({ name }) => name));
  const people = new Map();
  for (const { user, node, logged_in } of guests) {
    if (logged_in && up.has(node)) people.set(node, [...(people.get(node) ?? []), user]);
  }
  return people;
}

function why(users, me) {
  if (users.includes(me)) return " ★ serves you";
  return users.length ? ` · ${users.length} of the room` : "";
}
