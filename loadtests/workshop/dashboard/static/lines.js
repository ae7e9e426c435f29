/**
 * The lines of a column: from the balancer to its nodes, from the nodes to what lies below.
 * @module
 */

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
