/**
 * Where everything of one column is drawn, from its width and what both columns hold: so they have the same scale; and
 * the lines from the balancer to its nodes, and from the nodes to what lies below.
 *
 * Top to bottom: the balancer, with the way in beside it, the nodes, a rail, the store and the database. (In a narrow
 * column the way in is above the balancer.) Each node has one seat for each shopper, the same one in every node and on
 * both sides: who is sent to another node keeps their place there.
 * Lengths are in pixels; `letter` is the size of the letters.
 * @module
 */

const NARROW = 22;
/** A column of fewer letters than this, for each node beside another, has its nodes one below the other. */
const NARROW_NODE = 6.2;
/** In a box of fewer letters than this, words are shorter. */
export const ROOMY_NODE = 8.6;
const SMALLEST_SEAT = 7;
/** Above and below the seats of a node, in letters: a line of words each. */
const HEAD = 1.7;
const FOOT = 1.4;
/** Half of the balancer's width, its height, and what the lines from it to the nodes take, in letters. */
const HALF_BALANCER = 5;
const BALANCER_HIGH = 1.7;
const LINES = 1.2;
/** Of more people of the room than these, the names stand in the list below the columns only. */
const MOST_NAMED = 4;
/** As wide as that, in letters, is a name beside the balancer at least, and so many stand one below the other. */
const NAME = 6;
const NAMES_DEEP = 3;

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/**
 * @param {{width: number, letter: number, shoppers: number, guests: number, nodes: number, waiting: boolean,
 *   below: number}} what
 *   waiting: somebody has not come in yet, and a narrow column needs room for them; below: how many boxes lie below the
 *   nodes;
 *   guests: people of the room, below the shoppers of each node
 * @returns the boxes and the seats
 */
export function places({ width, letter, shoppers, guests = 0, nodes, waiting, below }) {
  const across = width >= NARROW * letter && width / Math.max(1, nodes) >= NARROW_NODE * letter;
  const rows = across ? rowsAcross(width, letter, nodes) : rowsDown(width, letter, nodes);
  const inner = rows.boxWidth - 1.3 * letter;
  const cell = seatSize(inner, (across ? 3 : 5) * letter, shoppers, letter);
  const columns = Math.max(1, Math.floor(inner / cell));
  const seatsHeight = Math.ceil(Math.max(1, shoppers) / columns) * cell;
  const tags = tagRows(inner, letter, guests);
  const drawn = { width, letter, shoppers, guests, across, cell, columns, seatsHeight, tags, nodes, waiting, below };
  return stacked({ ...drawn, ...rows });
}

/** Room for all people of the room in each node: with their names if they are few, as marks if they are many. */
function tagRows(inner, letter, guests) {
  const named = guests > 0 && guests <= MOST_NAMED;
  const fits = Math.floor(Math.sqrt((inner * 2 * letter) / Math.max(1, guests)));
  const step = named ? 1.25 * letter : Math.max(SMALLEST_SEAT, Math.min(letter, fits));
  const columns = Math.max(1, Math.floor(inner / (named ? 5 * letter : step)));
  const rows = Math.ceil(guests / columns);
  return { named, columns, width: named ? inner / columns : step, step, height: rows * step };
}

/** Where a guest's mark stands in a node's box. */
export function tag(box, { columns, width, step }, place) {
  return {
    x: box.tags.x + (place % columns) * width,
    y: box.tags.y + Math.floor(place / columns) * step,
  };
}

/** Where somebody of the room stands whom no node serves, if so many do: with their name, if there is room for that. */
export function outsideTag({ outside, letter }, place, people) {
  const named = people <= outside.mostNamed;
  const step = named ? letter : Math.min(letter, Math.sqrt((outside.width * NAMES_DEEP * letter) / people));
  const columns = named ? outside.columns : Math.max(1, Math.floor(outside.width / step));
  const width = named ? outside.width / columns : step;
  return {
    named,
    width,
    x: outside.x + (place % columns) * width,
    y: outside.y + Math.floor(place / columns) * step,
  };
}

/** The middle of a shopper's seat; the first shopper has number 1. */
export function seat(seats, shopper) {
  const place = shopper - 1;
  return {
    x: seats.x + ((place % seats.columns) + 0.5) * seats.cell,
    y: seats.y + (Math.floor(place / seats.columns) + 0.5) * seats.cell,
  };
}

function rowsAcross(width, letter, nodes) {
  const gap = 0.75 * letter;
  const count = Math.max(1, nodes);
  return { gap, indent: 0, boxWidth: (width - gap * (count - 1)) / count };
}

function rowsDown(width, letter) {
  const indent = 0.9 * letter;
  return { gap: 0.6 * letter, indent, boxWidth: width - 2 * indent };
}

/** As large as fits, so that a shopper can be seen from the last row. */
function seatSize(width, height, shoppers, letter) {
  const fits = Math.floor(Math.sqrt((width * height) / Math.max(1, shoppers)));
  return Math.max(SMALLEST_SEAT, Math.min(1.6 * letter, fits));
}

function stacked(it) {
  const { letter, width } = it;
  const wayIn = it.across ? besideBalancer(it) : aboveBalancer(it);
  const balancer = {
    x: width / 2 - HALF_BALANCER * letter,
    y: wayIn.bottom + 0.2 * letter,
    width: 2 * HALF_BALANCER * letter,
    height: BALANCER_HIGH * letter,
  };
  const outside = outsideOf(it, balancer);
  const top = balancer.y + balancer.height + (it.across ? LINES * letter : Math.max(0.9 * letter, outside.height));
  const boxHeight = HEAD * letter + it.seatsHeight + it.tags.height + FOOT * letter;
  const nodes = Array.from({ length: it.nodes }, (_, number) => nodeBox(it, number, top, boxHeight));
  const bottom = nodes.length ? nodes[nodes.length - 1].y + boxHeight : top;
  const rail = bottom + (it.across ? 0.6 : 1.1) * letter;
  const below = {
    y: rail + (it.across ? 0.5 : 0) * letter,
    height: 2.4 * letter,
    step: 2.9 * letter,
  };
  const rows = it.across ? 1 : it.below;
  const height = below.y + (rows - 1) * below.step + below.height + 2;
  return { ...it, wayIn, outside, balancer, nodeBoxes: nodes, rail, below, height };
}

/** Left of the balancer: shoppers whom nobody has answered yet. Nothing moves when there are some. */
function besideBalancer({ width, letter, shoppers, cell }) {
  const room = width / 2 - (HALF_BALANCER + 0.6) * letter;
  const y = 1.3 * letter; // below the words; from there to the nodes it is as deep as the balancer is high
  const small = Math.min(cell, Math.sqrt((room * BALANCER_HIGH * letter) / Math.max(1, shoppers)));
  const words = { x: 0, anchor: "start", most: room / (0.6 * letter) };
  return { columns: Math.max(1, Math.floor(room / small)), cell: small, x: 0, y, bottom: 0, words };
}

/** In a narrow column: above it. */
function aboveBalancer({ width, letter, shoppers, cell, waiting }) {
  const columns = Math.max(1, Math.floor(width / cell));
  const used = Math.min(columns, Math.max(1, shoppers));
  const y = 1.2 * letter;
  return {
    columns,
    cell,
    x: (width - used * cell) / 2,
    y,
    bottom: waiting ? y + Math.ceil(Math.max(1, shoppers) / columns) * cell : 0,
    words: { x: width / 2, anchor: "middle", most: width / (0.6 * letter) },
  };
}

/** Right of the balancer, in a narrow column below it: people of the room whom no node serves. */
function outsideOf({ width, letter, across, indent, guests, tags }, { x, y, width: wide, height }) {
  if (across) {
    const from = x + wide + 0.6 * letter;
    const columns = Math.max(1, Math.floor((width - from) / (NAME * letter)));
    return { x: from, y, width: width - from, columns, mostNamed: NAMES_DEEP * columns };
  }
  const room = width - 2 * indent;
  const columns = Math.max(1, Math.floor(room / (tags.named ? NAME * letter : letter)));
  const rows = Math.ceil(guests / columns);
  const from = { x: indent, y: y + height + 0.3 * letter };
  return { ...from, width: room, columns, mostNamed: tags.named ? guests : 0, height: (rows + 0.7) * letter };
}

function nodeBox(it, number, top, height) {
  const x = it.across ? number * (it.boxWidth + it.gap) : it.indent;
  const y = it.across ? top : top + number * (height + it.gap);
  const seatsWidth = it.columns * it.cell;
  return {
    x,
    y,
    width: it.boxWidth,
    height,
    seats: { columns: it.columns, cell: it.cell, x: x + (it.boxWidth - seatsWidth) / 2, y: y + HEAD * it.letter },
    tags: { x: x + 0.65 * it.letter, y: y + HEAD * it.letter + it.seatsHeight },
  };
}

/** From the balancer to that node, as the `d` of a path. */
export function toNode(layout, number) {
  const { balancer, across, indent, letter } = layout;
  const node = layout.nodeBoxes[number];
  const from = { x: balancer.x + balancer.width / 2, y: balancer.y + balancer.height };
  if (!across) {
    const [x, y] = [indent / 2, node.y + letter];
    return `M${balancer.x} ${balancer.y + balancer.height / 2}H${x}V${y}H${node.x}`;
  }
  const to = { x: node.x + node.width / 2, y: node.y };
  const middle = (from.y + to.y) / 2;
  return `M${from.x} ${from.y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
}

/** From that node to the rail below all nodes. */
export function toRail(layout, number) {
  const node = layout.nodeBoxes[number];
  if (layout.across) return `M${node.x + node.width / 2} ${node.y + node.height}V${layout.rail}`;
  const x = layout.width - layout.indent / 2;
  return `M${node.x + node.width} ${node.y + node.height - layout.letter}H${x}V${layout.rail}`;
}

/** The rail below nodes that stand beside each other: from its first end to its last. */
export function railLine(layout, boxes) {
  const ends = [...boxes, ...layout.nodeBoxes].map((box) => box.x + box.width / 2);
  return `M${Math.min(...ends)} ${layout.rail}H${Math.max(...ends)}`;
}

/** From the rail to a box. */
export function fromRail(layout, box) {
  if (!layout.across)
    return `M${layout.width - layout.indent / 2} ${layout.rail}V${box.y + box.height / 2}H${box.x + box.width}`;
  return `M${box.x + box.width / 2} ${layout.rail}V${box.y}`;
}

/** The outline of a drum, as databases are drawn. */
export function drum({ x, y, width, height }) {
  const lid = Math.min(height / 5, 9);
  const sides = `M${x} ${y + lid}V${y + height - lid}A${width / 2} ${lid} 0 0 0 ${x + width} ${y + height - lid}V${y + lid}`;
  const top = `M${x} ${y + lid}A${width / 2} ${lid} 0 0 1 ${x + width} ${y + lid}A${width / 2} ${lid} 0 0 1 ${x} ${y + lid}Z`;
  return `${sides}${top}`;
}
