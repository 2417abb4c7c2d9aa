// The keys that work everywhere, and the list of all of them.

import { h, patch } from './dom.js';

const KEYS = [
  ['?', 'this list'],
  ['g j', 'the list of jobs'],
  ['g s', 'settings'],
  ['1 … 6', 'the parts of a job’s page'],
  ['← →', 'in the drawing: read values; with Shift in larger steps'],
  ['↑ ↓', 'in the drawing: go through the branches; in the tree: through a round'],
  ['↑ ↓', 'on an axis of the settings tried: move the brush; with Shift its upper edge'],
  ['Enter', 'open the branch that is pointed at'],
  ['Esc', 'close, or show everything again'],
];

const WAIT_MILLIS = 1200;

/** Where the browser keeps whether the keys are on. */
const SWITCH = 'keys';

/** Whether single keys do something: who speaks to a browser, or types by chance, may not want it. */
export function areKeysOn() {
  return localStorage.getItem(SWITCH) !== 'off';
}

/** @param {boolean} on */
export function switchKeys(on) {
  localStorage.setItem(SWITCH, on ? 'on' : 'off');
}

/** Shows the list of keys. */
export function keysDialog() {
  const host = document.createElement('div');
  document.body.append(host);
  patch(
    host,
    h(
      'dialog',
      {
        class: 'dialog',
        'aria-labelledby': 'keys-title',
        created: (/** @type {HTMLDialogElement} */ node) => queueMicrotask(() => node.showModal()),
        onclose: () => host.remove(),
      },
      h('h2', { id: 'keys-title' }, 'Keys'),
      !areKeysOn() && h('p', null, 'Those of one character are switched off in the settings.'),
      h(
        'dl',
        { class: 'keys' },
        KEYS.map(([key, words]) =>
          h('div', { key }, h('dt', null, h('kbd', null, key)), h('dd', null, words)),
        ),
      ),
      h(
        'form',
        { method: 'dialog', class: 'dialog-actions' },
        h('button', { class: 'button' }, 'Close'),
      ),
    ),
  );
}

/** Listens to the keys that work everywhere. */
export function onKeys() {
  let waitsUntil = 0;
  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      !areKeysOn() ||
      target.closest('input, select, textarea, dialog')
    ) {
      return;
    }
    const second = Date.now() < waitsUntil;
    waitsUntil = 0;
    if (event.key === '?') {
      keysDialog();
    } else if (second && event.key === 'j') {
      location.hash = '#/';
    } else if (second && event.key === 's') {
      location.hash = '#/settings';
    } else if (event.key === 'g') {
      waitsUntil = Date.now() + WAIT_MILLIS;
    } else if (/^[1-6]$/.test(event.key)) {
      const tabs = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.tabs a'));
      tabs[Number(event.key) - 1]?.click();
    } else {
      return;
    }
    event.preventDefault();
  });
}
