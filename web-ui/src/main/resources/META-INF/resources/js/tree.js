// The branches as a trained tree: the mainline on top, rounds as columns below it, in each column
// the branches that were tried. Buttons instead of a drawing, so that keys and screen readers work.

import { h } from './dom.js';
import { csv, exports, json, savePanel } from './export.js';
import * as format from './format.js';
import { mark, standingWords } from './marks.js';
import {
  hasEnded,
  isPopulation,
  laterStarts,
  ranked,
  roundsAndPopulation,
  standing,
  trialsByRound,
  tunables,
} from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel} from './model.js' */
/** @import {BranchView, RoundView} from './types.js' */

/** So many branches of an open column are shown, the fastest first. */
const MOST_SHOWN = 17;

/** So many rounds are shown, the latest. */
const MOST_ROUNDS = 40;

/**
 * @param {JobModel} model
 * @param {{focus: number | null, open: Set<number>, all: boolean}} view `open` names the rounds
 *     whose branches are shown, `all` shows every round
 * @param {{focus: (branch: number | null) => void, show: (branch: number) => void,
 *     toggle: (round: number) => void, showAll: () => void,
 *     complete: (round: number) => void}} on
 * @returns {Tree}
 */
export function treePanel(model, view, on) {
  const rounds = roundsAndPopulation(model);
  const shown = view.all ? rounds : rounds.slice(-MOST_ROUNDS);
  const left = rounds.length - shown.length;
  const starts = laterStarts(model);
  const isGrown = rounds.length + starts.length > 0;
  return h(
    'section',
    { class: 'card tree-card', key: 'tree', 'aria-labelledby': 'tree-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'tree-title' }, 'Branches'),
      h(
        'p',
        { class: 'muted' },
        isPopulation(model)
          ? 'the run that leads, and the others of the population'
          : 'the mainline, and what each round tried beside it; the larger, the faster',
      ),
    ),
    !isGrown &&
      h(
        'p',
        { class: 'empty' },
        hasEnded(model.job?.state ?? '')
          ? 'No branch was tried beside the mainline.'
          : 'The mainline grows here; each round of tuning adds a column with the branches that it tried.',
      ),
    isGrown &&
      h(
        'div',
        {
          class: 'tree',
          role: 'group',
          'aria-label': 'Branches by round',
          // The latest round is what is looked for first.
          created: (/** @type {HTMLElement} */ node) =>
            queueMicrotask(() => (node.scrollLeft = node.scrollWidth)),
          onkeydown: (/** @type {KeyboardEvent} */ event) => move(event),
        },
        left > 0 &&
          h(
            'button',
            { type: 'button', class: 'tree-more', key: 'more', onclick: on.showAll },
            `${format.count(left)} earlier rounds`,
          ),
        h('ol', { class: 'tree-rounds', key: 'rounds' }, [
          h('li', { class: 'tree-root', key: 'root' }, h('span', { class: 'tree-dot' }), 'start'),
          ...shown.map((round, i) => column(model, round, view, i === shown.length - 1, on)),
          ...starts.map((branch) => startColumn(model, branch, view, on)),
        ]),
      ),
    isGrown &&
      h(
        'div',
        { class: 'chart-foot is-inset' },
        model.leftOut > 0 && leftOut(model, on),
        exports('tree', {
          CSV: () => csv(`${model.job?.id}-tree.csv`, lineage(model)),
          JSON: () => json(`${model.job?.id}-tree.json`, lineage(model)),
          PNG: () => savePanel(`${model.job?.id}-tree.png`, document.querySelector('.tree-card')),
        }),
      ),
  );
}

/**
 * @param {JobModel} model
 * @param {{complete: (round: number) => void}} on
 */
function leftOut(model, on) {
  const amount = format.count(model.leftOut);
  return h(
    'p',
    { class: 'sampled', key: 'left-out' },
    isPopulation(model)
      ? [
          `${amount} earlier runs are not loaded. `,
          h(
            'button',
            { type: 'button', class: 'link-button', onclick: () => on.complete(0) },
            'Load them',
          ),
        ]
      : `${amount} branches of earlier rounds are not loaded; they are as soon as their round is opened.`,
  );
}

/**
 * Who was forked from whom.
 *
 * @param {JobModel} model
 */
function lineage(model) {
  return [...model.branches.values()].map(
    ({ branch, parent, kind, round, state, forkClock, clocks, setting }) => ({
      branch,
      parent,
      kind,
      round,
      state,
      forkClock,
      clocks,
      ...setting,
    }),
  );
}

/**
 * A mainline that began anew, where a model overfitted: nothing races it.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {{focus: number | null}} view
 * @param {{focus: (branch: number | null) => void, show: (branch: number) => void}} on
 */
function startColumn(model, branch, view, on) {
  return h(
    'li',
    { class: 'tree-round is-start', key: `start ${branch.start}` },
    h(
      'div',
      { class: 'tree-main' },
      h('span', { class: 'tree-root' }, h('span', { class: 'tree-dot' })),
      node(model, branch, undefined, 1, view, on),
    ),
    h('span', { class: 'tree-start' }, `start ${branch.start}`),
  );
}

/**
 * @param {JobModel} model
 * @param {RoundView} round
 * @param {{focus: number | null, open: Set<number>}} view
 * @param {boolean} latest
 * @param {{focus: (branch: number | null) => void, show: (branch: number) => void,
 *     toggle: (round: number) => void}} on
 */
function column(model, round, view, latest, on) {
  const isOpen = view.open.has(round.round) !== latest;
  const winner = round.winner === null ? undefined : model.branches.get(round.winner);
  const tried = (trialsByRound(model).get(round.round) ?? []).length;
  const others = isOpen
    ? ranked(model, round.round).filter((branch) => branch.branch !== round.winner)
    : [];
  const fastest = isOpen ? Math.max(0, winner?.speed ?? 0, ...others.map((b) => b.speed ?? 0)) : 0;
  const rest = others.length - MOST_SHOWN;
  return h(
    'li',
    { class: isOpen ? 'tree-round is-open' : 'tree-round', key: round.round },
    h(
      'div',
      { class: 'tree-main' },
      winner
        ? node(model, winner, round, 1, view, on)
        : h(
            'span',
            { class: 'tree-none' },
            round.round === 0 ? 'none yet' : round.phase === 'ended' ? 'nobody' : 'running',
          ),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'tree-toggle',
        'aria-expanded': String(isOpen),
        'aria-label': `Round ${round.round}, ${tried} branches`,
        onclick: () => on.toggle(round.round),
      },
      round.round === 0 ? 'Population' : `Round ${round.round}`,
      h('span', { class: 'tree-count' }, String(tried)),
    ),
    isOpen &&
      h(
        'ul',
        { class: 'tree-tried' },
        others
          .slice(0, MOST_SHOWN)
          .map((branch) =>
            h(
              'li',
              { key: branch.branch },
              node(model, branch, round, fastest > 0 ? (branch.speed ?? 0) / fastest : 0, view, on),
            ),
          ),
        rest > 0 &&
          h(
            'li',
            { class: 'tree-rest', key: 'rest' },
            `${format.count(rest)} slower ones: see the table`,
          ),
      ),
  );
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {RoundView | undefined} round
 * @param {number} share of the fastest branch's speed
 * @param {{focus: number | null}} view
 * @param {{focus: (branch: number | null) => void, show: (branch: number) => void}} on
 */
function node(model, branch, round, share, view, on) {
  const kind = standing(branch, round);
  const setting = tunables(model)
    .varied.map((name) => `${format.words(name)} ${format.tunable(branch.setting[name])}`)
    .join(', ');
  const speed = branch.speed === null ? '' : `, ${format.number(branch.speed)} loss per second`;
  return h(
    'button',
    {
      type: 'button',
      class: view.focus === branch.branch ? 'tree-node is-focus' : 'tree-node',
      'aria-label': `Branch ${branch.branch}, ${standingWords(branch, kind, round)}${speed}`,
      title: setting,
      onclick: () => on.show(branch.branch),
      onpointerenter: () => on.focus(branch.branch),
      onpointerleave: () => on.focus(null),
    },
    h(
      'svg',
      { class: `tree-mark is-${kind}`, viewBox: '0 0 22 22', 'aria-hidden': 'true' },
      mark(kind, 11, 11, 3.5 + 4.5 * Math.max(0, Math.min(1, share))),
    ),
    h('span', { 'aria-hidden': 'true' }, String(branch.branch)),
  );
}

/**
 * Arrows go through the buttons: up and down in a column, left and right from column to column.
 *
 * @param {KeyboardEvent} event
 */
function move(event) {
  const step = /** @type {Record<string, [number, number]>} */ ({
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  })[event.key];
  const target = /** @type {HTMLElement} */ (event.target);
  const here = target.closest('.tree-round');
  if (!step || !here) {
    return;
  }
  const columns = Array.from(
    /** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('.tree-round'),
  );
  const place = buttonsOf(here).indexOf(target);
  const next = buttonsOf(columns[columns.indexOf(here) + step[0]]);
  const wanted = Math.min(next.length - 1, place + step[1]);
  if (next[wanted]) {
    next[wanted].focus();
    event.preventDefault();
  }
}

/**
 * @param {Element | undefined} column
 * @returns {HTMLElement[]}
 */
function buttonsOf(column) {
  return column ? Array.from(column.querySelectorAll('button')) : [];
}
