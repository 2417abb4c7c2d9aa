// Dialogs: a question before what cannot be undone, and the form that tries a setting.

import { h } from './dom.js';
import * as format from './format.js';
import { byImportance } from './model.js';

/** @import {Child, Tree} from './dom.js' */
/** @import {Setting} from './types.js' */

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

/**
 * The form that tries a setting beside the current one.
 *
 * @param {{tunables: Bounds[] | null, current: Setting, given: Setting, busy: boolean,
 *     population: boolean, problem: string | null, cost: string}} state `tunables` null while they
 *     are loaded
 * @param {(setting: Setting) => void} send
 * @param {() => void} close
 * @returns {Tree}
 */
export function tryDialog(state, send, close) {
  return dialog(
    'Try a setting',
    close,
    h(
      'p',
      null,
      state.population
        ? 'The next run that begins takes your setting. It is measured as all others are, and goes on only where they would.'
        : 'A branch with your setting runs beside one with the current setting, from the same snapshot, under the same clock and the same measure. The faster one goes on.',
    ),
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
