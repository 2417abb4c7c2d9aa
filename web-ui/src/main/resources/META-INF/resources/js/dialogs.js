// Dialogs: a question before what cannot be undone, and the form that tries a setting.

import { h } from './dom.js';
import * as format from './format.js';
import { byImportance } from './model.js';

/** @import {Child, Tree} from './dom.js' */
/** @import {JobView, RoundView, Setting} from './types.js' */

/** What deleting a job means. */
export const DELETION =
  'Its record, its snapshots and its logs are removed for good; jobs to come learn nothing from it.';

/**
 * A tunable with its bounds, as a job's configuration or a program describes it.
 *
 * @typedef {{name: string, type: string, min?: number, max?: number, values?: number[]}} Bounds
 */

/**
 * A dialog that holds the keyboard until it is closed.
 *
 * @param {string} title
 * @param {() => void} onClose
 * @param {...Child} children
 * @returns {Tree}
 */
export function dialog(title, onClose, ...children) {
  return h(
    'dialog',
    {
      key: 'dialog',
      class: 'dialog',
      givesFocusBack: true,
      'aria-labelledby': 'dialog-title',
      created: (/** @type {HTMLDialogElement} */ node) =>
        queueMicrotask(() => node.isConnected && !node.open && node.showModal()),
      onclose: onClose,
    },
    h('h2', { id: 'dialog-title' }, title),
    children,
  );
}

/**
 * A question whose answer cannot be taken back.
 *
 * @param {{title: string, text: string, no: string, yes: string, danger?: boolean}} words
 * @param {() => void} act
 * @param {() => void} close
 * @returns {Tree}
 */
export function question(words, act, close) {
  return dialog(
    words.title,
    close,
    h('p', null, words.text),
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { type: 'button', class: 'button', onclick: close }, words.no),
      h(
        'button',
        {
          type: 'button',
          class: words.danger === false ? 'button is-main' : 'button is-danger is-solid',
          onclick: act,
        },
        words.yes,
      ),
    ),
  );
}

/** A race has so many rungs at most, each so much longer than the one before. */
const MOST_RUNGS = 4;
const RUNG_GROWTH = 2;

/**
 * What trying a setting is, by who tunes.
 *
 * @param {string} policy
 * @param {boolean} population
 */
export function tryWords(policy, population) {
  if (population) {
    return 'The next run that begins takes your setting. It is measured as all others are, and goes on only where they would.';
  }
  return policy === 'racing'
    ? 'A branch with your setting races one with the current setting, from the same snapshot, in rungs of which each is twice as long as the one before. Both are judged by their probe loss, on samples that neither is trained on: your setting goes on only where it is better, and not by chance.'
    : 'A branch with your setting runs beside one with the current setting, from the same snapshot, under the same clock and the same measure. The faster one goes on.';
}

/**
 * About what trying a setting costs.
 *
 * @param {JobView} job
 * @param {{population: boolean, rounds: RoundView[],
 *     racing: {trialClocks: number, trialShare: number} | null}} known `racing` has its options,
 *     where they are known yet
 */
export function tryCost(job, { population, rounds, racing }) {
  if (population) {
    return 'It costs what the run would have cost whose place it takes.';
  }
  const all = job.tuningSeconds + job.trainingSeconds + job.evaluationSeconds;
  const shareOf = (/** @type {number} */ seconds) => {
    const share = seconds / (all + seconds);
    return share < 0.001 ? 'less than 0.1%' : format.percent(share);
  };
  if (job.policy === 'racing') {
    const unbounded = 'A race that a person asks for is not bounded by the tuning budget';
    if (racing === null || !(job.mainlineClock > 0)) {
      return `${unbounded}; the winner’s part is training.`;
    }
    const perClock = job.trainingSeconds / job.mainlineClock;
    const rung = Math.max(racing.trialShare * all, racing.trialClocks * perClock);
    const whole = (rung * (RUNG_GROWTH ** MOST_RUNGS - 1)) / (RUNG_GROWTH - 1);
    return `The first rung takes about ${format.duration(rung)} of each of the two, all ${MOST_RUNGS} that there may be ${format.duration(whole)}: together ${format.duration(2 * rung)} to ${format.duration(2 * whole)}, up to ${shareOf(2 * whole)} of the job’s time by then, besides the judging. ${unbounded}; the winner’s part is training.`;
  }
  const seconds = Math.max(0, ...rounds.slice(-1).map((round) => round.trialSeconds)) * 2;
  return seconds === 0
    ? 'It costs the time of two trials.'
    : `By the last round’s trial time about ${format.duration(seconds)} for both branches, ${shareOf(seconds)} of the job’s time by then; the winner’s part is training.`;
}

/**
 * The form that tries a setting beside the current one.
 *
 * @param {{tunables: Bounds[] | null, current: Setting, given: Setting, busy: boolean,
 *     words: string, problem: string | null, cost: string}} state `tunables` null while they
 *     are loaded
 * @param {(setting: Setting) => void} send
 * @param {() => void} close
 * @returns {Tree}
 */
export function tryDialog(state, send, close) {
  return dialog(
    'Try a setting',
    close,
    h('p', null, state.words),
    state.tunables === null
      ? h('p', { role: 'status' }, 'Asking for the bounds…')
      : h(
          'form',
          {
            class: 'try-form',
            onsubmit: (/** @type {SubmitEvent} */ event) => {
              event.preventDefault();
              send(readForm(/** @type {HTMLFormElement} */ (event.currentTarget)));
            },
          },
          state.tunables
            .toSorted((a, b) => byImportance(a.name, b.name))
            .map((tunable) =>
              field(tunable, state.given[tunable.name] ?? state.current[tunable.name]),
            ),
          h('p', { class: 'cost' }, state.cost),
          state.problem && h('p', { class: 'banner is-bad', role: 'alert' }, state.problem),
          h(
            'div',
            { class: 'dialog-actions' },
            h('button', { type: 'button', class: 'button', onclick: close }, 'Close'),
            h(
              'button',
              { type: 'submit', class: 'button is-main', 'aria-disabled': String(state.busy) },
              'Try it',
            ),
          ),
        ),
  );
}

/**
 * @param {Bounds} tunable
 * @param {number | undefined} value
 */
function field(tunable, value) {
  const id = `try-${tunable.name}`;
  const range =
    tunable.min === undefined
      ? ''
      : `${format.number(tunable.min)} to ${format.number(tunable.max)}`;
  return h(
    'div',
    { class: 'field', key: tunable.name },
    h('label', { for: id }, format.sentence(format.words(tunable.name))),
    tunable.values
      ? h(
          'select',
          { id, name: tunable.name },
          tunable.values.map((one) =>
            h(
              'option',
              { key: one, value: String(one), selected: one === value },
              format.tunable(one),
            ),
          ),
        )
      : h('input', {
          id,
          name: tunable.name,
          type: 'number',
          step: 'any',
          min: tunable.min,
          max: tunable.max,
          required: true,
          'aria-describedby': `${id}-range`,
          created: (/** @type {HTMLInputElement} */ node) =>
            (node.value = value === undefined ? '' : String(Number(value.toPrecision(8)))),
        }),
    range !== '' &&
      h(
        'span',
        { class: 'hint', id: `${id}-range` },
        `${range}${tunable.type === 'log' ? ', searched by its logarithm' : ''}`,
      ),
  );
}

/** @param {HTMLFormElement} form */
function readForm(form) {
  const setting = /** @type {Setting} */ ({});
  for (const [name, value] of new FormData(form).entries()) {
    setting[name] = Number(value);
  }
  return setting;
}
