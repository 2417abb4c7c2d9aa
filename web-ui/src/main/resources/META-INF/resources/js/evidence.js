// The rounds as tables and the decisions in words: what was compared, and what came of it.

import { scroller, segmented } from './controls.js';
import { h } from './dom.js';
import * as format from './format.js';
import { csv, exports, json, savePanel } from './export.js';
import { inlineMark, STANDINGS, standingWords } from './marks.js';
import { isInside } from './parallel.js';
import {
  hasEnded,
  isAlive,
  isIncumbentKept,
  least,
  metricOf,
  most,
  probed,
  ranked,
  roundsAndPopulation,
  standing,
  trials,
  trialsByRound,
  tunables,
  whyKept,
} from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel} from './model.js' */
/** @import {Brushes} from './parallel.js' */
/** @import {BranchView, RoundView, DecisionView} from './types.js' */

/** So many decisions are shown at first. */
const RECENT = 8;

const TRIGGERS = /** @type {Record<string, string>} */ ({
  INITIAL: 'initial tuning',
  RETUNE: 're-tuning',
  MANUAL: 'asked for by hand',
  POPULATION: 'branches that live side by side',
});

/** Phases of a round whose trials are judged by windows of their losses. */
const WINDOWED = ['probing', 'trial-time', 'searching'];

/** So many branches of a round are shown at first. */
const MOST_ROWS = 50;

/** So many rounds are shown at first, the latest. */
const MOST_ROUNDS = 20;

/**
 * @typedef {{focus: number | null, open: Map<number, boolean>, all: Set<number>,
 *     allRounds: boolean, brushes: Brushes}} RoundsView which branch is pointed at, which rounds
 *     were opened or closed by hand, of which rounds all branches are shown, whether all rounds
 *     are, and what branches must run through to be shown
 */

/**
 * @typedef {{focus: (branch: number | null) => void, show: (round: number) => void,
 *     branch: (branch: number) => void, toggle: (round: number, open: boolean) => void,
 *     all: (round: number) => void, allRounds: () => void}} RoundsActions
 */

/**
 * @param {JobModel} model
 * @param {RoundsView} view
 * @param {RoundsActions} on
 * @returns {Tree}
 */
export function roundsPanel(model, view, on) {
  const list = roundsAndPopulation(model).toReversed();
  const shown = view.allRounds ? list : list.slice(0, MOST_ROUNDS);
  return h(
    'section',
    { class: 'card rounds', key: 'rounds', 'aria-labelledby': 'rounds-title' },
    h('h2', { id: 'rounds-title', class: 'card-title' }, 'Rounds', count(list.length)),
    list.length === 0 &&
      h(
        'p',
        { class: 'empty' },
        hasEnded(model.job?.state ?? '')
          ? 'No round was run.'
          : 'A round of tuning tries settings side by side. The first appears here when training starts.',
      ),
    shown.map((round, index) =>
      roundBlock(model, round, view.open.get(round.round) ?? index === 0, view, on),
    ),
    list.length > shown.length &&
      h(
        'button',
        { type: 'button', class: 'link-button is-row', onclick: on.allRounds },
        `Show ${format.count(list.length - shown.length)} earlier rounds`,
      ),
    list.length > 0 &&
      h(
        'div',
        { class: 'chart-foot is-inset' },
        exports('branches', {
          CSV: () => csv(`${model.job?.id}-branches.csv`, inside(model, view).map(flat)),
          JSON: () => json(`${model.job?.id}-branches.json`, inside(model, view)),
          PNG: () => savePanel(`${model.job?.id}-rounds.png`, document.querySelector('.rounds')),
        }),
      ),
  );
}

/**
 * @param {JobModel} model
 * @param {RoundsView} view
 */
function inside(model, view) {
  return trials(model).filter((branch) => isInside(view.brushes, branch));
}

/** @param {number} amount */
function count(amount) {
  return amount > 0 && h('span', { class: 'badge' }, format.count(amount));
}

/** @param {BranchView} view */
function flat({
  branch,
  round,
  kind,
  state,
  verdict,
  speed,
  slope,
  noise,
  clocks,
  seconds,
  forkClock,
  setting,
  validation,
}) {
  return {
    branch,
    round,
    kind,
    state,
    verdict,
    speed,
    slope,
    noise,
    clocks,
    seconds,
    forkClock,
    bestValidation: validation?.best ?? null,
    bestValidationEpoch: validation?.epoch ?? null,
    ...setting,
  };
}

/**
 * @param {JobModel} model
 * @param {RoundView} round
 * @param {boolean} isOpen
 * @param {RoundsView} view
 * @param {RoundsActions} on
 */
function roundBlock(model, round, isOpen, view, on) {
  return h(
    'details',
    {
      class: 'round',
      key: round.round,
      open: isOpen,
      ontoggle: (/** @type {Event} */ event) => {
        const { open } = /** @type {HTMLDetailsElement} */ (event.currentTarget);
        if (open !== isOpen) {
          on.toggle(round.round, open);
        }
      },
    },
    h(
      'summary',
      null,
      h('span', { class: 'round-name' }, roundName(round)),
      h('span', { class: 'round-kind' }, TRIGGERS[round.trigger] ?? format.words(round.trigger)),
      h('span', { class: 'round-state' }, phase(model, round)),
    ),
    isOpen && roundBody(model, round, view, on),
  );
}

/**
 * What a closed round would show is not built: a thousand rows nobody sees cost as much as others.
 *
 * @param {JobModel} model
 * @param {RoundView} round
 * @param {RoundsView} view
 * @param {RoundsActions} on
 */
function roundBody(model, round, view, on) {
  const all = ranked(model, round.round);
  const branches = all.filter((branch) => isInside(view.brushes, branch));
  const shown = view.all.has(round.round) ? branches : branches.slice(0, MOST_ROWS);
  const measured = all.filter(isMeasured).length;
  return h(
    'div',
    { class: 'round-body' },
    h(
      'div',
      { class: 'round-line-words' },
      h(
        'p',
        { class: 'outcome' },
        round.outcome !== ''
          ? [withBranches(sentence(round.outcome), on.branch), isIncumbentKept(round) && ` ${whyKept(model, round)}`]
          : round.round === 0
            ? 'Runs are evaluated on the validation data where they stop; the best leads.'
            : `${format.count(measured)} of ${format.count(all.length)} branches measured.`,
        branches.length < all.length &&
          h(
            'span',
            { class: 'brushed' },
            ` ${branches.length === 0 ? 'None' : format.count(branches.length)} of ${format.count(all.length)} branches in the brush.`,
          ),
      ),
      h(
        'button',
        { type: 'button', class: 'link-button', onclick: () => on.show(round.round) },
        'Show in the drawing',
      ),
    ),
    branches.length > 0 && branchTable(model, round, shown, view.focus, on),
    branches.length > shown.length &&
      h(
        'button',
        { type: 'button', class: 'link-button is-row', onclick: () => on.all(round.round) },
        `Show ${format.count(branches.length - shown.length)} more branches`,
      ),
  );
}

/**
 * @param {JobModel} model
 * @param {RoundView} round
 * @param {BranchView[]} branches
 * @param {number | null} focus
 * @param {RoundsActions} on
 */
function branchTable(model, round, branches, focus, on) {
  const { varied } = tunables(model);
  // Races and populations judge by other losses than those that a branch trains on.
  const isJudged =
    branches.some((branch) => branch.speed !== null) || WINDOWED.includes(round.phase);
  const probe = branches.find(({ heldOutLoss }) => heldOutLoss !== null);
  // In a round the winner alone was evaluated, for it became the mainline.
  const metric = round.round === 0 ? metricOf(branches) : null;
  const fastest = Math.max(0, ...branches.map((b) => Math.max(b.speed ?? 0, b.slope ?? 0)));
  return scroller(
    `Branches of round ${round.round}`,
    h(
      'table',
      { class: 'branches', onpointerleave: () => on.focus(null) },
      h('caption', { class: 'hidden' }, `Branches of round ${round.round}, ${metric ? 'best result' : probe ? 'least loss' : 'fastest'} first`),
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
          isJudged && [
            h('th', { scope: 'col', class: 'spark-cell' }, 'Loss'),
            h(
              'th',
              { scope: 'col', class: 'speed-head' },
              'Speed',
              h('span', { class: 'unit' }, ' loss/s, to slope'),
            ),
          ],
          probe &&
            h(
              'th',
              { scope: 'col', class: 'num', title: 'on the same samples, at the end of a lap' },
              probed(probe).name,
            ),
          metric !== null &&
            h(
              'th',
              { scope: 'col', class: 'num', title: 'on the validation data, and after how many epochs' },
              format.bestMetric(metric),
            ),
          h('th', { scope: 'col' }, 'Verdict'),
          h('th', { scope: 'col', class: 'num clocks-cell' }, 'Clocks'),
          h('th', { scope: 'col', class: 'num' }, 'Time'),
        ),
      ),
      h(
        'tbody',
        null,
        branches.map((branch) => branchRow(
            branch,
            round,
            varied,
            { fastest: isJudged ? fastest : null, isRaced: probe !== undefined, isValidated: metric !== null },
            focus,
            on,
          ),
        ),
      ),
    ),
  );
}

/** @param {RoundView} round */
function roundName(round) {
  return round.round === 0 ? 'Population' : `Round ${round.round}`;
}

/**
 * An entrant of a race is measured by its probe loss, and has no verdict.
 *
 * @param {BranchView} branch
 */
function isMeasured({ verdict, heldOutLoss, state }) {
  return verdict !== null || heldOutLoss !== null || state === 'MEASURED';
}

/** @param {string} outcome */
function sentence(outcome) {
  return outcome.replace(/([^.!?])$/, '$1.');
}

/**
 * How long each branch of a round ran: in a race that has ended, what each did, for its rungs were
 * planned by a pace that was but thought.
 *
 * @param {JobModel} model
 * @param {RoundView} round
 */
function trialWords(model, round) {
  if (model.job?.policy === 'racing' && round.phase === 'ended') {
    const known = trialsByRound(model).get(round.round) ?? [];
    const ran = known.map((branch) => branch.seconds).filter((seconds) => seconds > 0);
    // Of an earlier round not all may be loaded.
    if (known.length < round.trials || ran.length === 0) {
      return '';
    }
    const [shortest, longest] = [format.duration(least(ran)), format.duration(most(ran))];
    return shortest === longest ? `, ${shortest} each` : `, ${shortest} to ${longest}`;
  }
  return round.trialSeconds > 0 ? `, ${format.duration(round.trialSeconds)} each` : '';
}

/**
 * @param {JobModel} model
 * @param {RoundView} round
 */
function phase(model, round) {
  const trial = trialWords(model, round);
  const tried = `${format.count(round.trials)} ${round.trials === 1 ? 'branch' : 'branches'}`;
  switch (round.phase) {
    case 'probing':
      return 'measuring the starting loss';
    case 'trial-time':
      return `finding how long a trial must be, now ${format.duration(round.trialSeconds)}`;
    case 'searching':
      return `trial ${format.count(round.trials)} of at most ${format.count(round.maxTrials)}${trial}`;
    case 'ended':
      return `${tried}${trial}`;
    case 'population':
      return `${format.count(round.trials)} branches`;
    default:
      return format.words(round.phase);
  }
}

/**
 * @param {BranchView} branch
 * @param {RoundView} round
 * @param {string[]} varied
 * @param {{fastest: number | null, isRaced: boolean, isValidated: boolean}} shown `fastest`: speed of
 *     the round, null where none is measured; whether what was measured on the samples that judge is
 *     shown, and the best validation result
 * @param {number | null} focus
 * @param {RoundsActions} on
 */
function branchRow(branch, round, varied, { fastest, isRaced, isValidated }, focus, on) {
  const kind = standing(branch, round);
  return h(
    'tr',
    {
      key: branch.branch,
      class: `${kind === 'winner' ? 'is-winner' : ''} ${focus === branch.branch ? 'is-focus' : ''}`,
      onpointerenter: () => on.focus(branch.branch),
    },
    h(
      'th',
      { scope: 'row', class: 'branch-cell' },
      h(
        'button',
        {
          type: 'button',
          class: 'branch-button',
          'aria-label': `Branch ${branch.branch}`,
          onclick: () => on.branch(branch.branch),
        },
        inlineMark(kind),
        String(branch.branch),
      ),
    ),
    varied.map((name) =>
      h('td', { class: 'num', key: name }, format.tunable(branch.setting[name])),
    ),
    fastest !== null && [
      h('td', { class: 'spark-cell' }, spark(branch.windowMeans, kind)),
      speedCell(branch, kind, fastest),
    ],
    isRaced && h('td', { class: 'num' }, format.measured(probed(branch).value, 4)),
    isValidated && validationCell(branch),
    h('td', { class: `verdict is-${kind}` }, verdict(branch, kind, round)),
    h('td', { class: 'num clocks-cell' }, format.count(branch.clocks)),
    h('td', { class: 'num' }, format.duration(branch.seconds)),
  );
}

/** @param {BranchView} branch */
function validationCell({ validation }) {
  return h(
    'td',
    { class: 'num' },
    format.measured(validation?.best, 4),
    validation &&
      h('span', { class: 'unit' }, ` at epoch ${format.measured(validation.epoch, 3)}`),
  );
}

/**
 * @param {BranchView} branch
 * @param {string} kind
 * @param {number} fastest
 */
function speedCell(branch, kind, fastest) {
  const share = (/** @type {number | null} */ value) =>
    fastest > 0 ? Math.max(0, value ?? 0) / fastest : 0;
  return h(
    'td',
    { class: 'speed' },
    h(
      'span',
      { class: 'speed-value' },
      branch.speed === null ? format.NONE : format.number(branch.speed, 3),
    ),
    h(
      'span',
      { class: 'speed-bar', title: interval(branch), 'aria-hidden': 'true' },
      h('span', { class: `speed-noise is-${kind}`, vars: { share: share(branch.slope) } }),
      h('span', { class: `speed-fill is-${kind}`, vars: { share: share(branch.speed) } }),
    ),
  );
}

/** @param {BranchView} branch */
function interval(branch) {
  return branch.speed === null || branch.slope === null
    ? ''
    : `speed ${format.number(branch.speed)}, slope ${format.number(branch.slope)}: between them lies the noise`;
}

/**
 * @param {BranchView} branch
 * @param {keyof typeof STANDINGS} kind
 * @param {RoundView} round
 */
function verdict(branch, kind, round) {
  if (kind === 'winner') {
    return standingWords(branch, kind, round);
  }
  if (branch.state === 'LOST') {
    return 'lost with its workers';
  }
  return kind === 'open' && isAlive(branch)
    ? format.words(branch.state)
    : standingWords(branch, kind);
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
 * @param {{all: boolean, people: boolean, loading: boolean}} view `people`: only what people asked
 *     for
 * @param {{showAll: () => void, people: (only: boolean) => void, load: () => void,
 *     branch: (branch: number) => void}} on `load` gets those that the page does not have, `branch`
 *     shows one
 * @returns {Tree}
 */
export function decisionsPanel(model, view, on) {
  const known = model.decisions.toReversed();
  const list = view.people ? known.filter((one) => one.actor !== 'policy') : known;
  const shown = view.all ? list : list.slice(0, RECENT);
  return h(
    'section',
    { class: 'card decisions', key: 'decisions', 'aria-labelledby': 'decisions-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { id: 'decisions-title', class: 'card-title' }, 'Decisions', count(known.length)),
      known.length > 0 &&
        segmented('Whose decisions', [
          ['All', () => on.people(false), !view.people, false],
          ['By people', () => on.people(true), view.people, false],
        ]),
    ),
    list.length === 0 &&
      h(
        'p',
        { class: 'empty' },
        view.people
          ? 'Nobody has asked for anything yet.'
          : hasEnded(model.job?.state ?? '')
            ? 'No decision was taken.'
            : 'Each decision of the tuner appears here with the numbers it was taken on.',
      ),
    h(
      'ol',
      { class: 'log' },
      shown.map((one) => decision(one, on.branch)),
    ),
    h(
      'div',
      { class: 'chart-foot is-inset' },
      list.length > shown.length &&
        h(
          'button',
          { type: 'button', class: 'link-button', onclick: on.showAll },
          `Show ${format.count(list.length - shown.length)} more`,
        ),
      list.length === shown.length &&
        model.moreDecisions &&
        h(
          'button',
          { type: 'button', class: 'link-button', disabled: view.loading, onclick: on.load },
          view.loading ? 'Getting earlier ones…' : 'Get earlier ones',
        ),
      known.length > 0 &&
        exports('decisions', {
          CSV: () => csv(`${model.job?.id}-decisions.csv`, model.decisions),
          JSON: () => json(`${model.job?.id}-decisions.json`, model.decisions),
          PNG: () =>
            savePanel(`${model.job?.id}-decisions.png`, document.querySelector('.decisions')),
        }),
    ),
  );
}

/**
 * A sentence whose branches can be looked at.
 *
 * @param {string} words such as `Adopted branch #22 (...)`
 * @param {(branch: number) => void} show
 * @returns {import('./dom.js').Child[]}
 */
export function withBranches(words, show) {
  return words.split(/(\bbranch #\d+)/).map((part, index) =>
    index % 2 === 0
      ? part
      : h(
          'button',
          {
            type: 'button',
            key: index,
            class: 'link-button is-word',
            onclick: () => show(Number(part.slice(part.indexOf('#') + 1))),
          },
          part,
        ),
  );
}

/**
 * @param {DecisionView} view
 * @param {(branch: number) => void} show a branch
 */
function decision(view, show) {
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
    h('p', { class: 'decision-words' }, withBranches(format.sentence(view.outcome), show)),
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
                h('dd', null, evidence(value, format.words(name))),
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
 * @param {string} name
 * @returns {import('./dom.js').Child}
 */
function evidence(value, name) {
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
      ? recordTable(value, name)
      : value.map((item) => h('span', { class: 'item' }, evidence(item, name)));
  }
  if (typeof value === 'object') {
    return Object.entries(value).map(([part, inner]) =>
      h(
        'span',
        { class: 'pair', key: part },
        h('span', { class: 'pair-name' }, format.words(part)),
        evidence(inner, part),
      ),
    );
  }
  const text = String(value);
  return /^[A-Z][A-Z_]+$/.test(text) ? format.words(text) : text;
}

/**
 * @param {Record<string, any>[]} records
 * @param {string} name of what they are
 */
function recordTable(records, name) {
  const rows = records.map(columnsOf);
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return scroller(
    `Table of ${name}`,
    h(
      'table',
      { class: 'mini' },
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((column) =>
            h(
              'th',
              { scope: 'col', key: column },
              format.words(column.slice(column.indexOf('.') + 1)),
            ),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map((row, index) =>
          h(
            'tr',
            { key: index },
            columns.map((column) => h('td', { key: column }, evidence(row.get(column), column))),
          ),
        ),
      ),
    ),
  );
}

/**
 * The values of a record, with those of a setting one by one, so that each has a column.
 *
 * @param {Record<string, any>} record
 * @returns {Map<string, any>} by names such as `branch` and `setting.batchSize`
 */
function columnsOf(record) {
  return new Map(
    Object.entries(record).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
        : [[name, value]],
    ),
  );
}
