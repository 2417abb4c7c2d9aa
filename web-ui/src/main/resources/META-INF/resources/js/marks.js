// The shapes that stand for verdicts and states: never colour alone.

import { h } from './dom.js';
import { isAlive, isIncumbentKept, wasBestRun } from './model.js';

/** @import {Tree} from './dom.js' */

/** Verdicts in the order of the legend, with the words for them. */
export const STANDINGS = /** @type {const} */ ({
  winner: 'adopted',
  converging: 'converging',
  unstable: 'unstable',
  diverged: 'diverged',
  inconclusive: 'inconclusive',
  open: 'on trial',
});

/** @typedef {keyof typeof STANDINGS} Standing */

/**
 * The word for a branch: one without a verdict is on trial only until it is given up.
 *
 * @param {import('./types.js').BranchView} branch
 * @param {Standing} kind
 * @param {import('./types.js').RoundView} [round] of the branch
 */
export function standingWords(branch, kind, round) {
  if (kind === 'winner' && isIncumbentKept(round)) {
    return 'kept';
  }
  if (kind === 'open' && wasBestRun(branch)) {
    return 'best before';
  }
  return kind === 'open' && branch.state === 'DISCARDED' ? 'discarded' : STANDINGS[kind];
}

/**
 * The word for all branches of one standing.
 *
 * @param {import('./types.js').BranchView[]} branches
 * @param {Standing} kind
 */
export function legendWords(branches, kind) {
  return kind === 'open' && !branches.some(isAlive) ? 'not adopted' : STANDINGS[kind];
}

/**
 * The outline of a mark, begun at its place and drawn relative to it, so that the outlines of many
 * marks make one path.
 *
 * @param {string} kind a standing
 * @param {number} x
 * @param {number} y
 * @param {number} r half of its size in pixels
 */
export function outline(kind, x, y, r) {
  const at = (/** @type {number} */ dx, /** @type {number} */ dy) =>
    `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`;
  switch (kind) {
    case 'winner':
      return `M${at(0, -r * 1.3)}L${at(r * 1.3, 0)}L${at(0, r * 1.3)}L${at(-r * 1.3, 0)}Z`;
    case 'unstable':
      return `M${at(0, -r * 1.15)}L${at(r * 1.1, r * 0.85)}L${at(-r * 1.1, r * 0.85)}Z`;
    case 'diverged':
      return `M${at(-r, -r)}L${at(r, r)}M${at(r, -r)}L${at(-r, r)}`;
    default:
      return `M${at(-r, 0)}a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0Z`;
  }
}

/**
 * A mark inside a drawing.
 *
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} [r]
 * @returns {Tree}
 */
export function mark(kind, x, y, r = 4) {
  return h('path', {
    class: `mark is-${kind}`,
    d: outline(kind, x, y, r),
  });
}

/**
 * A mark among words.
 *
 * @param {string} kind
 * @returns {Tree}
 */
export function inlineMark(kind) {
  return h(
    'svg',
    { class: 'inline-mark', viewBox: '0 0 14 14', 'aria-hidden': 'true' },
    mark(kind, 7, 7, 4),
  );
}

const STATE_SHAPES = /** @type {Record<string, string>} */ ({
  QUEUED: 'M3 8h.01M8 8h.01M13 8h.01',
  STARTING: 'M8 2.5v3M8 10.5v3M2.5 8h3M10.5 8h3',
  TUNING: 'M8 14V8M8 8C5 8 3.5 6 3.5 3M8 8c3 0 4.5-2 4.5-5',
  TRAINING: 'M2.5 3.5c1.5 6 5 9 11 9',
  PAUSED: 'M5.5 3.5v9M10.5 3.5v9',
  STOPPING: 'M4 4h8v8H4z',
  COMPLETED: 'M3 8.5l3.5 3.5L13 4.5',
  CANCELED: 'M3.5 8h9',
  FAILED: 'M4 4l8 8M12 4l-8 8',
});

/**
 * The state of a job as a chip with a shape.
 *
 * @param {string} state
 * @returns {Tree}
 */
export function stateChip(state) {
  return h(
    'span',
    { class: `chip state-${state.toLowerCase()}` },
    h(
      'svg',
      { class: 'chip-icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
      h('path', { d: STATE_SHAPES[state] ?? STATE_SHAPES.QUEUED }),
    ),
    state[0] + state.slice(1).toLowerCase(),
  );
}

/**
 * The sign of the house: a trained tree.
 *
 * @returns {Tree}
 */
export function logo() {
  return h(
    'svg',
    { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    h('path', {
      d: 'M16 28V4M16 23c-6 0-10-2-10-8M16 23c6 0 10-2 10-8M16 14.5c-4 0-6.5-2-6.5-7M16 14.5c4 0 6.5-2 6.5-7',
    }),
  );
}
