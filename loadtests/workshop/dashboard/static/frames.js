/**
 * Frames and what they come to: the same as in `loadtests/workshop/contract.py`, and nothing else.
 *
 * Everything here is pure: a picture is never changed, a new one is made.
 * @module
 */

/** Of a side that nobody has said anything about. */
export const EMPTY_SIDE = Object.freeze({
  nodes: [],
  parts: [],
  shoppers: [],
  counts: { logged_out: 0, carts_lost: 0, failed: 0, unknown: 0, actions: 0, shoppers: 0 },
  losses: [],
  marks: [],
  waits: [],
  guests: [],
});

/** Before the first frame of a round. */
export function emptyPicture(round) {
  return { round, at_ms: 0, left: EMPTY_SIDE, right: EMPTY_SIDE };
}

/** A picture as it was sent, in which what is empty was left out. */
export function wholePicture(sent) {
  return { ...sent, left: wholeSide(sent.left), right: wholeSide(sent.right) };
}

/** The picture after that frame. */
export function applied(picture, frame) {
  return {
    round: picture.round,
    at_ms: frame.at_ms,
    left: appliedSide(picture.left, frame.left),
    right: appliedSide(picture.right, frame.right),
  };
}

function wholeSide(sent) {
  return appliedSide(EMPTY_SIDE, sent);
}

function appliedSide(side, change) {
  return {
    nodes: change.nodes ?? side.nodes,
    parts: change.parts ?? side.parts,
    counts: change.counts ? { ...EMPTY_SIDE.counts, ...change.counts } : side.counts,
    shoppers: table(side.shoppers, change.shoppers, (shopper) => shopper[0]),
    losses: table(side.losses, change.losses, (loss) => loss.loss),
    marks: table(side.marks, change.marks, (mark) => `${mark.fault} ${mark.phase}`),
    waits: table(side.waits, change.waits, (waits) => waits.second),
    guests: table(side.guests, change.guests, (guest) => guest.user),
  };
}

/** A row takes the place of the one with the same key, in its place; one with a new key comes to the end. */
function table(rows, news, keyOf) {
  if (!news || news.length === 0) return rows;
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  for (const row of news) byKey.set(keyOf(row), row);
  return [...byKey.values()];
}
