/**
 * The time that time line and charts share.
 * @module
 */

const STEPS_S = [30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];

/** Room to the left of every axis, and to the right of it, in letters. */
export const MARGIN = { left: 3.6, right: 1.5 };

/** The end of the axis in s: what has been so far, rounded up, so that marks seldom move. */
export function spanOf(atMs) {
  const seconds = atMs / 1000;
  return STEPS_S.find((step) => step >= seconds) ?? Math.ceil(seconds / 3600) * 3600;
}

/** About six ticks, at whole numbers that people count in; in s. */
export function ticksOf(end, most = 6) {
  const by = [5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600].find((step) => end / step <= most) ?? 7200;
  return Array.from({ length: Math.floor(end / by) + 1 }, (_, number) => number * by);
}
