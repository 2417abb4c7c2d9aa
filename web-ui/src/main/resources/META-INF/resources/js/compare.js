// Two to six branches side by side: their losses since the fork, their settings, their numbers.

import { scroller, segmented } from './controls.js';
import { h } from './dom.js';
import * as format from './format.js';
import { csv, exports, json, saveDrawing } from './export.js';
import { inlineMark, standingWords } from './marks.js';
import {
  byImportance,
  epochsPerClock,
  isDrawnByWindows,
  metricOf,
  most,
  ownLine,
  probed,
  standing,
} from './model.js';
import { MOST_COMPARED, overlay, overlayTwin } from './overlay.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel, Unit} from './model.js' */
/** @import {BranchView} from './types.js' */

/** What goes across, from the fork on: the word on its button, and how a place reads. */
const UNITS = /** @type {Record<Unit, {name: string, title: string, words: (place: number) => string}>} */ ({
  time: { name: 'Time', title: 'time since the fork', words: format.duration },
  epoch: {
    name: 'Epoch',
    title: 'epochs since the fork',
    words: (place) => format.number(place, 4),
  },
  clock: { name: 'Clock', title: 'clocks since the fork', words: format.count },
});

/**
 * @param {JobModel} model
 * @param {number[]} chosen
 * @param {{missing: Set<number>, room: number, unit?: Unit}} view `missing`: branches that the
 *     server does not know; `room` for the drawing, in pixels; `unit`: what goes across
 * @param {{remove: (branch: number) => void, add: (branch: number) => void,
 *     show: (branch: number) => void, across: (unit: Unit) => void}} on
 * @returns {Tree}
 */
export function comparePanel(model, chosen, view, on) {
  const { missing, room } = view;
  const branches = chosen.flatMap((number) => model.branches.get(number) ?? []);
  const hasEpochs = epochsPerClock(model, {}) > 0;
  const unit = view.unit === 'epoch' && !hasEpochs ? 'time' : (view.unit ?? 'time');
  const traces = branches.map((branch) => trace(model, branch, unit));
  const words = {
    unit: UNITS[unit].words,
    label: `Losses of ${branches.length} branches since their forks`,
    axis: UNITS[unit].title,
  };
  const isEmpty = traces.every(({ line }) => line.length === 0);
  const drawing = isEmpty ? null : overlay(traces, words, room);
  return h(
    'section',
    { class: 'card', key: 'compare', 'aria-labelledby': 'compare-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'compare-title' }, 'Branches side by side'),
      branches.length > 1 &&
        segmented(
          'Horizontal axis',
          /** @type {Unit[]} */ (Object.keys(UNITS)).map((one) => [
            UNITS[one].name,
            () => on.across(one),
            one === unit,
            one === 'epoch' && !hasEpochs,
          ]),
        ),
      chooser(model, chosen, on),
    ),
    chosen
      .filter((number) => !model.branches.has(number))
      .map((number) => unknown(number, model.leftOut === 0 || missing.has(number), on)),
    branches.length < 2
      ? h(
          'p',
          { class: 'empty' },
          'Choose two to six branches: here, or with Compare in a branch. Their losses are laid over each other from the fork on.',
        )
      : [
          drawing ?? h('p', { class: 'empty' }, 'None of them has a loss yet.'),
          branches.some(isDrawnByWindows) &&
            h(
              'p',
              { class: 'muted compare-note' },
              'A branch that windows of its losses judged is drawn by their means, over the time that was judged; any other by all its losses.',
            ),
          table(model, branches, on),
          h(
            'div',
            { class: 'chart-foot is-inset' },
            overlayTwin(traces, words),
            exports('comparison', {
              CSV: () => csv('comparison.csv', branches.map(flat)),
              JSON: () => json('comparison.json', branches),
              PNG: () => saveDrawing('comparison.png', document.querySelector('.compare-lines')),
            }),
          ),
        ],
  );
}

/**
 * @param {number} number of a chosen branch that is not shown
 * @param {boolean} isMissing
 * @param {{remove: (branch: number) => void}} on
 */
function unknown(number, isMissing, on) {
  return h(
    'p',
    { class: 'empty', key: `unknown ${number}`, role: 'status' },
    isMissing ? `There is no branch ${number}. ` : `Branch ${number} is being loaded. `,
    h(
      'button',
      { type: 'button', class: 'link-button', onclick: () => on.remove(number) },
      'Take it out',
    ),
  );
}

/** @param {BranchView} branch */
function flat({ branch, round, state, verdict, speed, slope, noise, clocks, seconds, setting }) {
  return { branch, round, state, verdict, speed, slope, noise, clocks, seconds, ...setting };
}

/**
 * @param {JobModel} model
 * @param {number[]} chosen
 * @param {{add: (branch: number) => void}} on
 */
function chooser(model, chosen, on) {
  if (chosen.length >= MOST_COMPARED) {
    return h('p', { class: 'muted' }, `${MOST_COMPARED} at most`);
  }
  return h(
    'form',
    {
      class: 'row-form is-inline',
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.currentTarget);
        const number = Number(new FormData(form).get('branch'));
        form.reset();
        if (!chosen.includes(number)) {
          on.add(number);
        }
      },
    },
    h('label', { for: 'compare-branch' }, 'Branch'),
    h('input', {
      id: 'compare-branch',
      name: 'branch',
      type: 'number',
      min: 0,
      max: Math.max(0, (model.job?.branches ?? 1) - 1),
      required: true,
    }),
    h('button', { type: 'submit', class: 'button' }, 'Add'),
  );
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Unit} unit
 */
function trace(model, branch, unit) {
  const kind = standing(branch, model.rounds.get(branch.round));
  return {
    label: `branch ${branch.branch}`,
    kind,
    wild: kind === 'diverged',
    line: ownLine(model, branch, unit),
  };
}

/**
 * @param {JobModel} model
 * @param {BranchView[]} branches
 * @param {{remove: (branch: number) => void, show: (branch: number) => void}} on
 */
function table(model, branches, on) {
  const names = [...new Set(branches.flatMap((branch) => Object.keys(branch.setting)))].sort(
    byImportance,
  );
  const best = most(branches.map((branch) => branch.speed ?? -Infinity));
  const probe = branches.find(({ heldOutLoss }) => heldOutLoss !== null);
  const metric = metricOf(branches);
  const isJudged = branches.some((branch) => branch.windowMeans.length > 0);
  const row = (
    /** @type {string} */ title,
    /** @type {(branch: BranchView) => import('./dom.js').Child} */ cell,
    differs = false,
  ) =>
    h(
      'tr',
      { key: title, class: differs ? 'is-changed' : null },
      h('th', { scope: 'row' }, title),
      branches.map((branch) => h('td', { key: branch.branch, class: 'num' }, cell(branch))),
    );
  return scroller(
    'Table of branches',
    h(
      'table',
      { class: 'plain' },
      h('caption', { class: 'hidden' }, 'Branches side by side; rows that differ are marked'),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'What')),
          branches.map((branch) => {
            const kind = standing(branch, model.rounds.get(branch.round));
            return h(
              'th',
              { scope: 'col', class: 'num', key: branch.branch },
              h(
                'button',
                { type: 'button', class: 'link-button', onclick: () => on.show(branch.branch) },
                inlineMark(kind),
                ` Branch ${branch.branch}`,
              ),
              h(
                'button',
                {
                  type: 'button',
                  class: 'remove',
                  'aria-label': `Take branch ${branch.branch} out`,
                  onclick: () => on.remove(branch.branch),
                },
                '×',
              ),
            );
          }),
        ),
      ),
      h(
        'tbody',
        null,
        names.map((name) =>
          row(
            format.sentence(format.words(name)),
            (branch) => format.tunable(branch.setting[name]),
            new Set(branches.map((branch) => branch.setting[name])).size > 1,
          ),
        ),
        row('Verdict', (branch) =>
          standingWords(
            branch,
            standing(branch, model.rounds.get(branch.round)),
            model.rounds.get(branch.round),
          ),
        ),
        probe &&
          row(probed(probe).name, (branch) =>
            format.measured(probed(branch).value, 4),
          ),
        metric !== null &&
          row(format.bestMetric(metric), (branch) => format.measured(branch.validation?.best, 4)),
        isJudged && [
          row('Speed, loss/s', (branch) =>
            branch.speed === best && best > 0
              ? h('strong', null, format.number(branch.speed, 3))
              : format.number(branch.speed, 3),
          ),
          row('Noise, loss', (branch) => format.number(branch.noise, 3)),
          row('Last window mean', (branch) => format.measured(branch.windowMeans.at(-1), 4)),
        ],
        row('Round', (branch) => String(branch.round)),
        row('Forked at clock', (branch) => format.count(branch.forkClock)),
        row('Clocks', (branch) => format.count(branch.clocks)),
        row('Time', (branch) => format.duration(branch.seconds)),
      ),
    ),
  );
}
