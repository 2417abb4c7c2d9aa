// One branch from near: the losses it reported, the windows, slope and noise that judged it, and
// what may be done with it.

import { scroller, twin } from './controls.js';
import { h } from './dom.js';
import * as format from './format.js';
import { csv, exports, json, saveDrawing } from './export.js';
import { inlineMark, standingWords } from './marks.js';
import { least, mayChoose, most, probed, standing } from './model.js';
import { linear, ticksOf } from './scale.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel} from './model.js' */
/** @import {BranchView, SeriesView} from './types.js' */

const WIDTH = 440;
const HEIGHT = 240;
const LEFT = 52;
const BOTTOM = HEIGHT - 32;

/**
 * @param {JobModel} model
 * @param {number} number of the branch
 * @param {SeriesView | null} series its losses; null while they are on their way
 * @param {{compared: number[], busy: boolean}} state
 * @param {{close: () => void, keep: (branch: number) => void, discard: (branch: number) => void,
 *     tryAgain: (branch: BranchView) => void, compare: (branch: number) => void}} on
 * @returns {Tree}
 */
export function drawer(model, number, series, state, on) {
  const branch = model.branches.get(number);
  return h(
    'aside',
    {
      class: 'drawer',
      key: 'drawer',
      givesFocusBack: true,
      'aria-labelledby': 'drawer-title',
      tabindex: -1,
      created: (/** @type {HTMLElement} */ node) => queueMicrotask(() => node.focus()),
    },
    h(
      'header',
      { class: 'drawer-head' },
      h('h2', { id: 'drawer-title' }, `Branch ${number}`),
      h(
        'button',
        {
          type: 'button',
          class: 'button is-quiet',
          onclick: on.close,
          'aria-label': 'Close the branch',
        },
        'Close',
      ),
    ),
    branch
      ? body(model, branch, series, state, on)
      : h('p', { class: 'empty' }, 'This job has no such branch.'),
  );
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {SeriesView | null} series
 * @param {{compared: number[], busy: boolean}} state
 * @param {Parameters<typeof drawer>[4]} on
 */
function body(model, branch, series, state, on) {
  const round = model.rounds.get(branch.round);
  const kind = standing(branch, round);
  return h(
    'div',
    { class: 'drawer-body' },
    h('p', { class: `drawer-verdict is-${kind}` }, inlineMark(kind), sentence(branch, kind, round, series)),
    chart(branch, series),
    h(
      'div',
      { class: 'chart-foot' },
      windowTwin(branch, series),
      exports(`losses of branch ${branch.branch}`, {
        CSV: () => csv(`branch-${branch.branch}.csv`, series?.buckets ?? []),
        JSON: () => json(`branch-${branch.branch}.json`, { branch, series }),
        PNG: () =>
          saveDrawing(`branch-${branch.branch}.png`, document.querySelector('.drawer .judged')),
      }),
    ),
    numbers(branch),
    settings(model, branch),
    h('div', { class: 'drawer-actions' }, buttons(model, branch, state, on)),
    reasons(model, branch),
  );
}

/**
 * @param {BranchView} branch
 * @param {import('./marks.js').Standing} kind
 * @param {import('./types.js').RoundView | undefined} round of the branch
 * @param {SeriesView | null} series may be ahead of the branch while that runs
 */
function sentence(branch, kind, round, series) {
  const what =
    branch.kind === 'MAINLINE' ? 'part of the mainline' : standingWords(branch, kind, round);
  const reported = series?.buckets.at(-1);
  const clocks = Math.max(branch.clocks, reported?.toClock ?? 0);
  const seconds = Math.max(branch.seconds, reported?.seconds ?? 0);
  const ran = `${format.count(clocks)} clocks in ${format.duration(seconds)}`;
  const from = branch.parent === null ? 'begun anew' : `forked from branch ${branch.parent}`;
  return `${format.sentence(what)}; ${from} at clock ${format.count(branch.forkClock)}, ran ${ran}`;
}

/**
 * @param {BranchView} branch
 * @param {SeriesView | null} series
 */
function chart(branch, series) {
  if (series === null) {
    return h('p', { class: 'drawer-wait', role: 'status' }, 'Getting its losses…');
  }
  const dots = series.buckets.flatMap((b) =>
    b.mean === null || b.fromClock >= judgedClocks(branch)
      ? []
      : [{ x: b.seconds, y: b.mean, low: b.min ?? b.mean, high: b.max ?? b.mean }],
  );
  const windows = branch.windowMeans.flatMap((mean, i) =>
    mean === null ? [] : [{ x: branch.windowSeconds[i], y: mean }],
  );
  if (dots.length === 0 && windows.length === 0) {
    return h('p', { class: 'drawer-wait' }, noLosses(branch));
  }
  const line = slopeLine(branch, windows);
  const noise = branch.noise ?? 0;
  const values = [
    ...dots.flatMap((d) => [d.low, d.high]),
    ...windows.map((w) => w.y),
    ...line.map((p) => p.y),
  ];
  const [low, high] = [least(values), most(values)];
  const air = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  const end = Math.max(dots.at(-1)?.x ?? 0, windows.at(-1)?.x ?? 0) || 1;
  const x = linear(0, end, LEFT, WIDTH - 12);
  const y = linear(low - air, high + air, BOTTOM, 10);
  const px = (/** @type {number} */ value) => value.toFixed(1);
  const trace = (/** @type {{x: number, y: number}[]} */ points, shift = 0) =>
    points
      .map((p, i) => `${i === 0 ? 'M' : 'L'}${px(x.at(p.x))} ${px(y.at(p.y + shift))}`)
      .join('');
  return h(
    'figure',
    { class: 'drawer-figure' },
    h(
      'svg',
      {
        class: 'judged',
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: 'img',
        'aria-label': words(branch),
      },
      ticksOf(y, 4).map((tick) =>
        h(
          'g',
          { key: `y${tick}` },
          h('line', { class: 'grid', x1: LEFT, x2: WIDTH - 12, y1: y.at(tick), y2: y.at(tick) }),
          h(
            'text',
            { class: 'tick tick-y', x: LEFT - 8, y: y.at(tick) + 4 },
            format.number(tick, 3),
          ),
        ),
      ),
      ticksOf(x, 4).map((tick) =>
        h(
          'text',
          { key: `x${tick}`, class: 'tick tick-x', x: x.at(tick), y: BOTTOM + 18 },
          format.duration(tick),
        ),
      ),
      line.length === 2 &&
        h('path', {
          class: 'noise-band',
          d: `${trace(line, noise)}${trace(line.toReversed(), -noise).replace('M', 'L')}Z`,
        }),
      h('path', {
        class: 'raw-bars',
        d: dots.map((d) => `M${px(x.at(d.x))} ${px(y.at(d.low))}V${px(y.at(d.high))}`).join(''),
      }),
      h('path', {
        class: 'raw-dots',
        d: dots.map((d) => `M${px(x.at(d.x))} ${px(y.at(d.y))}h0`).join(''),
      }),
      line.length === 2 && h('path', { class: 'slope-line', d: trace(line) }),
      h('path', { class: 'window-line', d: trace(windows) }),
      windows.map((w, i) =>
        h('circle', { key: i, class: 'window-dot', cx: x.at(w.x), cy: y.at(w.y), r: 3 }),
      ),
    ),
    h(
      'figcaption',
      null,
      windows.length === 0
        ? `Grey: losses, least to greatest. ${branch.heldOutLoss === null ? 'It was not judged by windows of them, or not yet.' : 'It was judged by what it measured on samples that nothing trains on.'}`
        : `Grey: losses, least to greatest. Line with dots: the window means that judged it. Dashed: its slope; shaded: its noise.${judgedClocks(branch) < branch.clocks ? ' It trained on after that.' : ''}`,
    ),
  );
}

/**
 * @param {BranchView} branch
 * @param {SeriesView | null} series
 */
function windowTwin(branch, series) {
  const time = (/** @type {number} */ seconds) => format.duration(seconds);
  return branch.windowMeans.length > 0
    ? twin(
        `Windows that judged branch ${branch.branch}`,
        ['Time', 'Mean loss'],
        branch.windowMeans.map((mean, i) => [
          time(branch.windowSeconds[i]),
          format.measured(mean, 4),
        ]),
      )
    : twin(
        `Losses of branch ${branch.branch}`,
        ['Clock', 'Time', 'Mean', 'Least', 'Greatest'],
        (series?.buckets ?? []).map((b) => [
          format.count(b.toClock),
          time(b.seconds),
          ...[b.mean, b.min, b.max].map((value) => format.measured(value, 4)),
        ]),
      );
}

/** @param {BranchView} branch */
function noLosses(branch) {
  return ['FORKING', 'WAITING', 'RUNNING'].includes(branch.state)
    ? 'No losses yet: they appear here with its first clock.'
    : 'It ended before it reported a loss.';
}

/**
 * A winner trains on after it was judged; near is shown what judged it.
 *
 * @param {BranchView} branch
 * @returns {number} own clocks, with some that followed; Infinity for one that was not judged
 */
export function judgedClocks(branch) {
  const judged = branch.windowSeconds.at(-1);
  if (judged === undefined || !(branch.seconds > 0)) {
    return Infinity;
  }
  return Math.ceil(branch.clocks * Math.min(1, (1.15 * judged) / branch.seconds)) + 1;
}

/**
 * The slope that the decision used, from the first to the last window mean.
 *
 * @param {BranchView} branch
 * @param {{x: number, y: number}[]} windows
 */
function slopeLine(branch, windows) {
  const first = windows[0];
  const last = windows.at(-1);
  if (!first || !last || branch.slope === null || last.x <= first.x) {
    return [];
  }
  return [first, { x: last.x, y: first.y - branch.slope * (last.x - first.x) }];
}

/** @param {BranchView} branch */
function words(branch) {
  const means = branch.windowMeans.map((mean) => format.measured(mean, 4)).join(', ');
  return `Losses of branch ${branch.branch}; window means ${means || 'not there yet'}`;
}

/** @param {BranchView} branch */
function numbers(branch) {
  const isJudged = branch.windowMeans.length > 0 || branch.heldOutLoss !== null;
  return (
    (isJudged || branch.validation) &&
    h('dl', { class: 'facts' }, isJudged && judgement(branch), validationFact(branch))
  );
}

/** @param {BranchView} branch */
function validationFact({ validation }) {
  return (
    validation &&
    fact(
      format.bestMetric(validation.metric),
      format.measured(validation.best, 4),
      `on the validation data, at epoch ${format.measured(validation.epoch, 3)}`,
    )
  );
}

/** @param {BranchView} branch */
function judgement(branch) {
  const unit = ' loss/s';
  const value = (/** @type {number | null} */ n, text = unit) =>
    n === null ? format.NONE : format.number(n, 4) + text;
  if (branch.heldOutLoss !== null && branch.verdict === null) {
    const probe = probed(branch);
    return fact(
      probe.name,
      format.measured(probe.value, 4),
      'mean over samples that nothing trains on, when the rate had fallen to zero',
    );
  }
  return [
    fact('Speed', value(branch.speed), 'slope less noise; never below 0'),
    fact('Slope', value(branch.slope), 'loss per second between first and last window'),
    fact('Noise', value(branch.noise, ' loss'), 'largest step up between windows'),
    fact(
      'Verdict',
      branch.verdict === null ? 'not judged yet' : branch.verdict.toLowerCase(),
      `${branch.windowMeans.length} window means`,
    ),
  ];
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} note
 */
function fact(name, value, note) {
  return h(
    'div',
    { key: name },
    h('dt', null, name),
    h('dd', null, value, h('span', { class: 'fact-note' }, note)),
  );
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 */
function settings(model, branch) {
  const parent = branch.parent === null ? undefined : model.branches.get(branch.parent);
  return scroller(
    'Setting',
    h(
      'table',
      { class: 'plain is-small' },
      h('caption', null, parent ? `Setting, beside that of branch ${parent.branch}` : 'Setting'),
      h(
        'tbody',
        null,
        Object.entries(branch.setting).map(([name, value]) => {
          const before = parent?.setting[name];
          const changed = before !== undefined && before !== value;
          return h(
            'tr',
            { key: name, class: changed ? 'is-changed' : null },
            h('th', { scope: 'row' }, format.words(name)),
            h('td', { class: 'num' }, format.tunable(value)),
            h(
              'td',
              { class: 'num muted' },
              changed ? `was ${format.tunable(before)}` : before === undefined ? '' : 'same',
            ),
          );
        }),
      ),
    ),
  );
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {{compared: number[], busy: boolean}} state
 * @param {Parameters<typeof drawer>[4]} on
 */
function buttons(model, branch, state, on) {
  const may = mayChoose(model, branch);
  const button = (
    /** @type {string} */ label,
    /** @type {() => void} */ onclick,
    /** @type {string} */ kind = '',
  ) =>
    h(
      'button',
      { key: label, type: 'button', class: `button ${kind}`, 'aria-disabled': String(state.busy), onclick },
      label,
    );
  return [
    may.keep && button('Keep', () => on.keep(branch.branch), 'is-main'),
    may.discard && button('Discard', () => on.discard(branch.branch), 'is-danger'),
    branch.kind !== 'EVALUATION' && button('Try this setting…', () => on.tryAgain(branch)),
    button(state.compared.includes(branch.branch) ? 'Out of the comparison' : 'Compare', () =>
      on.compare(branch.branch),
    ),
  ];
}

/**
 * The decisions that speak of the branch.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 */
function reasons(model, branch) {
  const about = model.decisions.filter((one) => one.evidence.branch === branch.branch);
  return (
    about.length > 0 &&
    h(
      'div',
      { class: 'drawer-reasons' },
      h('h3', null, 'Decided of it'),
      h(
        'ul',
        null,
        about.map((one) => h('li', { key: one.sequence }, format.sentence(one.outcome))),
      ),
    )
  );
}
