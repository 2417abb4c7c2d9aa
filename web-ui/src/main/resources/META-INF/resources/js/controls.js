// Controls that several panels use.

import { h } from './dom.js';

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
