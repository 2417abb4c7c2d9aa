// Controls that several panels use.

import { h } from './dom.js';
import { watchEdges } from './edges.js';

/** @import {Tree} from './dom.js' */

/** @typedef {[string, () => void, boolean, boolean]} Segment label, action, pressed, disabled */

/**
 * Buttons of which one is pressed.
 *
 * @param {string} label
 * @param {Segment[]} segments
 */
export function segmented(label, segments) {
  return h(
    'div',
    { class: 'segmented', role: 'group', 'aria-label': label },
    segments.map(([text, onclick, pressed, disabled]) =>
      h(
        'button',
        { key: text, type: 'button', 'aria-pressed': String(pressed), disabled, onclick },
        text,
      ),
    ),
  );
}

/**
 * What may be wider than the page.
 *
 * @param {string} label
 * @param {Tree} content
 */
export function scroller(label, content) {
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': label, created: watchEdges },
    content,
  );
}

/**
 * @param {string} caption
 * @param {string[]} columns
 * @param {string[][]} rows
 */
export function table(caption, columns, rows) {
  return h(
    'table',
    { class: 'mini' },
    h('caption', null, caption),
    h(
      'thead',
      null,
      h(
        'tr',
        null,
        columns.map((name) => h('th', { scope: 'col' }, name)),
      ),
    ),
    h(
      'tbody',
      null,
      rows.map((cells, index) =>
        h(
          'tr',
          { key: index },
          cells.map((cell, i) => h(i === 0 ? 'th' : 'td', i === 0 ? { scope: 'row' } : null, cell)),
        ),
      ),
    ),
  );
}

/**
 * A drawing as a table, for those who cannot see it.
 *
 * @param {string} caption
 * @param {string[]} columns
 * @param {string[][]} rows
 */
export function twin(caption, columns, rows) {
  return h(
    'details',
    { class: 'twin', key: 'twin' },
    h('summary', null, 'The drawing as a table'),
    scroller(caption, table(caption, columns, rows)),
  );
}
