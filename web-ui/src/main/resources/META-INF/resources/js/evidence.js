// The rounds as tables and the decisions in words: what was compared, and what came of it.

import { h } from './dom.js';
import * as format from './format.js';
import { inlineMark, STANDINGS } from './marks.js';
import { ranked, standing, tunables } from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel} from './model.js' */
/** @import {BranchView, RoundView, DecisionView} from './types.js' */

/** So many decisions are shown at first. */
const RECENT = 8;

const TRIGGERS = /** @type {Record<string, string>} */ ({
  INITIAL: 'initial tuning',
  RETUNE: 're-tuning',
  MANUAL: 'asked for by hand',
});

/**
 * @param {JobModel} model
 * @param {number | null} focus branch that is pointed at
 * @param {{focus: (branch: number | null) => void, show: (round: number) => void}} on
 * @returns {Tree}
 */
export function roundsPanel(model, focus, on) {
  const list = [...model.rounds.values()].sort((a, b) => b.round - a.round);
  return h(
    'section',
    { class: 'card rounds', key: 'rounds', 'aria-labelledby': 'rounds-title' },
    h('h2', { id: 'rounds-title', class: 'card-title' }, 'Rounds'),
    list.length === 0 &&
      h(
        'p',
        { class: 'empty' },
        'A round of tuning tries settings side by side. The first appears here when training starts.',
      ),
    list.map((round, index) => roundBlock(model, round, index === 0, focus, on)),
  );
}

/**
 * @param {JobModel} model
 * @param {RoundView} round
 * @param {boolean} latest
 * @param {number | null} focus
 * @param {{focus: (branch: number | null) => void, show: (round: number) => void}} on
 */
function roundBlock(model, round, latest, focus, on) {
  const branches = ranked(model, round.round);
  const { varied } = tunables(model);
  const fastest = Math.max(0, ...branches.map((branch) => branch.speed ?? 0));
  return h(
    'details',
    {
      class: 'round',
      key: round.round,
      created: (/** @type {HTMLDetailsElement} */ node) => (node.open = latest),
    },
    h(
      'summary',
      null,
      h('span', { class: 'round-name' }, `Round ${round.round}`),
      h('span', { class: 'round-kind' }, TRIGGERS[round.trigger] ?? format.words(round.trigger)),
      h('span', { class: 'round-state' }, phase(round)),
    ),
    h(
      'div',
      { class: 'round-line-words' },
      round.outcome !== '' && h('p', { class: 'outcome' }, round.outcome),
      h(
        'button',
        { type: 'button', class: 'link-button', onclick: () => on.show(round.round) },
        'Show in the drawing',
      ),
    ),
    branches.length > 0 &&
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'branches', onpointerleave: () => on.focus(null) },
          h('caption', { class: 'hidden' }, `Branches of round ${round.round}, fastest first`),
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              h('th', { scope: 'col' }, 'Branch'),
              varied.map((name) =>
                h('th', { scope: 'col', class: 'num', key: name }, format.words(name)),
              ),
              h('th', { scope: 'col', class: 'spark-cell' }, 'Loss'),
              h(
                'th',
                { scope: 'col', class: 'speed-head' },
                'Speed',
                h('span', { class: 'unit' }, ' loss/s'),
              ),
              h('th', { scope: 'col' }, 'Verdict'),
              h('th', { scope: 'col', class: 'num clocks-cell' }, 'Clocks'),
              h('th', { scope: 'col', class: 'num' }, 'Time'),
            ),
          ),
          h(
            'tbody',
            null,
            branches.map((branch) => branchRow(branch, round, varied, fastest, focus, on)),
          ),
        ),
      ),
  );
}

/** @param {RoundView} round */
function phase(round) {
  const trial = round.trialSeconds > 0 ? `, ${format.duration(round.trialSeconds)} each` : '';
  const tried = `${format.count(round.trials)} trial${round.trials === 1 ? '' : 's'}`;
  switch (round.phase) {
    case 'probing':
      return 'measuring the starting loss';
    case 'trial-time':
      return `finding how long a trial must be, now ${format.duration(round.trialSeconds)}`;
    case 'searching':
      return `trial ${format.count(round.trials)} of at most ${format.count(round.maxTrials)}${trial}`;
    case 'ended':
      return `${tried}${trial}`;
    default:
      return format.words(round.phase);
  }
}

/**
 * @param {BranchView} branch
 * @param {RoundView} round
 * @param {string[]} varied
 * @param {number} fastest
 * @param {number | null} focus
 * @param {{focus: (branch: number | null) => void}} on
 */
function branchRow(branch, round, varied, fastest, focus, on) {
  const kind = standing(branch, round);
  return h(
    'tr',
    {
      key: branch.branch,
      class: `${kind === 'winner' ? 'is-winner' : ''} ${focus === branch.branch ? 'is-focus' : ''}`,
      onpointerenter: () => on.focus(branch.branch),
    },
    h('th', { scope: 'row', class: 'branch-cell' }, inlineMark(kind), String(branch.branch)),
    varied.map((name) =>
      h('td', { class: 'num', key: name }, format.tunable(branch.setting[name])),
    ),
    h('td', { class: 'spark-cell' }, spark(branch.windowMeans, kind)),
    h(
      'td',
      { class: 'speed' },
      h(
        'span',
        { class: 'speed-value' },
        branch.speed === null ? format.NONE : format.number(branch.speed, 3),
      ),
      h(
        'span',
        { class: 'speed-bar', 'aria-hidden': 'true' },
        h('span', {
          class: `speed-fill is-${kind}`,
          vars: { share: fastest > 0 ? Math.max(0, branch.speed ?? 0) / fastest : 0 },
        }),
      ),
    ),
    h('td', { class: `verdict is-${kind}` }, verdict(branch, kind)),
    h('td', { class: 'num clocks-cell' }, format.count(branch.clocks)),
    h('td', { class: 'num' }, format.duration(branch.seconds)),
  );
}

/**
 * @param {BranchView} branch
 * @param {keyof typeof STANDINGS} kind
 */
function verdict(branch, kind) {
  if (kind === 'winner') {
    return STANDINGS.winner;
  }
  if (branch.state === 'LOST') {
    return 'lost with its workers';
  }
  if (kind === 'open') {
    return branch.state === 'DISCARDED' ? 'discarded' : format.words(branch.state);
  }
  return STANDINGS[kind];
}

/**
 * The window means that the verdict was taken on, as a small line.
 *
 * @param {(number | null)[]} means
 * @param {string} kind
 */
function spark(means, kind) {
  const values = /** @type {number[]} */ (
    means.filter((mean) => mean !== null && Number.isFinite(mean))
  );
  if (values.length < 2) {
    return null;
  }
  const low = Math.min(...values);
  const high = Math.max(...values);
  const d = values
    .map(
      (value, i) =>
        `${i === 0 ? 'M' : 'L'}${(2 + (i / (values.length - 1)) * 60).toFixed(1)} ${(17 - ((value - low) / (high - low || 1)) * 14).toFixed(1)}`,
    )
    .join('');
  return h(
    'svg',
    { class: 'spark', viewBox: '0 0 64 20', 'aria-hidden': 'true' },
    h('path', { class: `whisker is-${kind}`, d }),
  );
}

/**
 * @param {JobModel} model
 * @param {boolean} all
 * @param {() => void} showAll
 * @returns {Tree}
 */
export function decisionsPanel(model, all, showAll) {
  const list = model.decisions.toReversed();
  const shown = all ? list : list.slice(0, RECENT);
  return h(
    'section',
    { class: 'card decisions', key: 'decisions', 'aria-labelledby': 'decisions-title' },
    h(
      'h2',
      { id: 'decisions-title', class: 'card-title' },
      'Decisions',
      list.length > 0 && h('span', { class: 'badge' }, format.count(list.length)),
    ),
    list.length === 0 &&
      h(
        'p',
        { class: 'empty' },
        'Each decision of the tuner appears here with the numbers it was taken on.',
      ),
    h('ol', { class: 'log' }, shown.map(decision)),
    list.length > shown.length &&
      h(
        'button',
        { type: 'button', class: 'link-button', onclick: showAll },
        `Show ${format.count(list.length - shown.length)} earlier`,
      ),
  );
}

/** @param {DecisionView} view */
function decision(view) {
  const entries = Object.entries(view.evidence);
  return h(
    'li',
    { key: view.sequence, class: 'decision' },
    h(
      'p',
      { class: 'decision-meta' },
      h(
        'time',
        { datetime: view.time, title: new Date(view.time).toString() },
        format.timeOfDay(view.time),
      ),
      view.round > 0 && h('span', null, `round ${view.round}`),
      view.actor !== '' && h('span', null, view.actor),
    ),
    h('p', { class: 'decision-words' }, format.sentence(view.outcome)),
    h(
      'details',
      { class: 'why' },
      h('summary', null, 'Why', h('code', null, view.rule)),
      entries.length === 0
        ? h('p', { class: 'empty' }, 'No numbers were needed.')
        : h(
            'dl',
            { class: 'evidence' },
            entries.map(([name, value]) =>
              h(
                'div',
                { key: name },
                h('dt', null, format.words(name)),
                h('dd', null, evidence(value)),
              ),
            ),
          ),
    ),
  );
}

/**
 * A value of evidence: a number, a text, a list, a list of alike records as a table.
 *
 * @param {any} value
 * @returns {import('./dom.js').Child}
 */
function evidence(value) {
  if (value === null || value === undefined) {
    return format.NONE;
  }
  if (typeof value === 'number') {
    return format.tunable(value);
  }
  if (typeof value === 'boolean') {
    return value ? 'yes' : 'no';
  }
  if (Array.isArray(value)) {
    return value.length > 0 &&
      value.every((item) => item !== null && typeof item === 'object' && !Array.isArray(item))
      ? recordTable(value)
      : value.map((item) => h('span', { class: 'item' }, evidence(item)));
  }
  if (typeof value === 'object') {
    return Object.entries(value).map(([name, inner]) =>
      h(
        'span',
        { class: 'pair', key: name },
        h('span', { class: 'pair-name' }, format.words(name)),
        evidence(inner),
      ),
    );
  }
  const text = String(value);
  return /^[A-Z][A-Z_]+$/.test(text) ? format.words(text) : text;
}

/** @param {Record<string, any>[]} records */
function recordTable(records) {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return h(
    'div',
    { class: 'scroll' },
    h(
      'table',
      { class: 'mini' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((name) => h('th', { scope: 'col', key: name }, format.words(name))),
        ),
      ),
      h(
        'tbody',
        null,
        records.map((record, index) =>
          h(
            'tr',
            { key: index },
            columns.map((name) => h('td', { key: name }, evidence(record[name]))),
          ),
        ),
      ),
    ),
  );
}
