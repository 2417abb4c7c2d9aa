// What a page shows when there is nothing to show: why, and what to do about it.

import { h } from './dom.js';
import { announce } from './announce.js';
import { isSilence, RequestProblem } from './api.js';

/** @import {Tree} from './dom.js' */

const COPY = 'Copy';

/** How long a button says what came of it. */
const LABEL_MILLIS = 2500;

/**
 * A command with a button that copies it.
 *
 * @param {string} text
 * @param {string} [note] what it does
 * @returns {Tree}
 */
export function command(text, note) {
  return h(
    'div',
    { class: 'command' },
    h('code', null, text),
    note && h('span', { class: 'command-note' }, note),
    copyButton(text, text),
  );
}

/**
 * @param {string} text to copy
 * @param {string} what it is, in words
 * @returns {Tree}
 */
export function copyButton(text, what) {
  return h(
    'button',
    {
      class: 'copy',
      type: 'button',
      title: COPY,
      'aria-label': `Copy ${what}`,
      onclick: copy(text),
    },
    COPY,
  );
}

/** @param {string} text */
function copy(text) {
  return async (/** @type {Event} */ event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    try {
      // Browsers have a clipboard for pages that came over https or from this machine only.
      await navigator.clipboard.writeText(text);
      label(button, 'Copied', 'Copied.');
    } catch {
      const code = button.parentElement?.querySelector('code');
      if (code) {
        window.getSelection()?.selectAllChildren(code);
      }
      label(button, 'Not copied', 'The browser does not let this page copy: the text is selected.');
    }
  };
}

/**
 * Labels a button for a moment. Its text is written into the node that is there, which belongs to
 * the tree that the page was drawn from.
 *
 * @param {HTMLElement} button
 * @param {string} text
 * @param {string} said to those who hear the page
 */
function label(button, text, said) {
  const node = /** @type {Text} */ (button.firstChild);
  node.data = text;
  button.title = said;
  announce(said);
  window.setTimeout(() => {
    node.data = COPY;
    button.title = COPY;
  }, LABEL_MILLIS);
}

/**
 * The page in place of one that could not be loaded.
 *
 * @param {unknown} error
 * @param {() => void} retry
 * @returns {Tree}
 */
export function problem(error, retry) {
  const status = error instanceof RequestProblem ? error.status : -1;
  const again = h('button', { class: 'button', type: 'button', onclick: retry }, 'Try again');
  if (status === 401) {
    return notice(
      'Sign in',
      'This browser has no session. Ask the server for a sign-in link on the machine it runs on; the link works once.',
      [command('./espalier sign-in', 'prints a link to open here'), again],
    );
  }
  if (status === 403) {
    return notice(
      'Not allowed',
      'Your token may not see this. Ask whoever runs this server for one that may.',
      [again],
    );
  }
  if (status === 404) {
    return notice('No such job', 'It may have been deleted, or the address is mistyped.', [
      h('a', { class: 'button', href: '#/' }, 'All jobs'),
    ]);
  }
  if (status === 0) {
    return notice(
      'The server does not answer',
      'Training does not need it: workers go on with their current setting. This page tries again every few seconds.',
      [again],
    );
  }
  if (isSilence(error)) {
    return notice(
      'The server cannot answer now',
      `${words(error)} This page tries again every few seconds.`,
      [again],
    );
  }
  return notice('Something went wrong', words(error), [again]);
}

/**
 * The page at an address that is none.
 *
 * @returns {Tree}
 */
export function nowhere() {
  return notice('No such page', 'The address is mistyped, or of another version of this server.', [
    h('a', { class: 'button', href: '#/' }, 'All jobs'),
  ]);
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {string} title
 * @param {string} text
 * @param {Tree[]} below
 * @returns {Tree}
 */
function notice(title, text, below) {
  return h(
    'section',
    { class: 'notice', role: 'status' },
    h('h1', null, title),
    h('p', null, text),
    below,
  );
}

/**
 * Grey shapes in place of a page that is on its way; they show only after a moment.
 *
 * @param {number} blocks
 * @returns {Tree}
 */
export function skeleton(blocks) {
  return h(
    'div',
    { class: 'skeleton', role: 'status', 'aria-label': 'Loading' },
    Array.from({ length: blocks }, (_, index) =>
      h('div', { class: `bone bone-${index === 0 ? 'title' : 'block'}` }),
    ),
  );
}
