// The durable snapshots of the mainline: what they hold, and going back to one.

import { scroller } from './controls.js';
import { h } from './dom.js';
import * as format from './format.js';
import { BASE } from './api.js';
import { csv, exports, json, savePanel, size } from './export.js';
import { hasEnded, resultSnapshot, tunables } from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {JobModel} from './model.js' */
/** @import {SnapshotView} from './types.js' */

const STATES = /** @type {Record<string, string>} */ ({
  WRITING: 'being written',
  READY: 'ready',
  FAILED: 'not written',
  DROPPED: 'dropped, as newer ones are ready',
});

/**
 * @param {JobModel} model
 * @param {{busy: boolean, all: boolean}} state `all` shows those that are gone too
 * @param {{restore: (snapshot: SnapshotView) => void, pin: (snapshot: SnapshotView) => void,
 *     showAll: () => void, show: (branch: number) => void}} on
 * @returns {Tree}
 */
export function snapshotsPanel(model, state, on) {
  const all = [...model.snapshots.values()].sort((a, b) => b.snapshot - a.snapshot);
  const there = all.filter((one) => one.state === 'READY' || one.state === 'WRITING');
  const shown = state.all ? all : there;
  const bytes = there.reduce((sum, one) => sum + one.sizeBytes, 0);
  const place = isElsewhere(model) ? 'beside the workers, in .espalier/checkpoints' : 'on disk';
  return h(
    'section',
    { class: 'card snapshots', key: 'snapshots', 'aria-labelledby': 'snapshots-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'snapshots-title' }, 'Snapshots'),
      h(
        'p',
        { class: 'muted' },
        `${format.count(there.length)} ${place}, ${size(bytes)}; the oldest that is not pinned goes when a new one is ready`,
      ),
    ),
    all.length === 0
      ? h(
          'p',
          { class: 'empty' },
          'A snapshot holds parameters, optimizer state, the place in the data and the random streams. The first is written after the first round or epoch.',
        )
      : [
          table(model, shown, state, on),
          h(
            'div',
            { class: 'chart-foot is-inset' },
            all.length > there.length &&
              !state.all &&
              h(
                'button',
                { type: 'button', class: 'link-button', onclick: on.showAll },
                `Show ${format.count(all.length - there.length)} that are gone`,
              ),
            exports('snapshots', {
              CSV: () =>
                csv(
                  'snapshots.csv',
                  all.map((one) => ({ ...one, ...one.setting })),
                ),
              JSON: () => json('snapshots.json', all),
              PNG: () => savePanel('snapshots.png', document.querySelector('.snapshots')),
            }),
          ),
        ],
  );
}

/**
 * Whether the snapshots lie where the server cannot read them: with workers that it did not start.
 *
 * @param {JobModel} model
 */
export function isElsewhere(model) {
  return model.job?.launch === 'EXTERNAL';
}

/**
 * What takes the model out of a snapshot.
 *
 * @param {JobModel} model
 * @param {SnapshotView} one that is ready, at the server
 * @param {string} words
 * @returns {Tree}
 */
export function modelLink(model, one, words) {
  return h(
    'a',
    {
      class: 'link-button',
      download: '',
      href: `${BASE}/jobs/${encodeURIComponent(model.job?.id ?? '')}/model?snapshot=${one.snapshot}`,
      'aria-label': `Model of snapshot ${one.snapshot} as a NumPy archive`,
    },
    words,
  );
}

/**
 * @param {JobModel} model
 * @param {SnapshotView[]} shown
 * @param {{busy: boolean}} state
 * @param {Parameters<typeof snapshotsPanel>[2]} on
 */
function table(model, shown, state, on) {
  const { varied } = tunables(model);
  const result = resultSnapshot(model);
  const columns = [
    'Snapshot',
    'Branch',
    'Clock',
    'Epoch',
    ...varied.map(format.words),
    'Size',
    'State',
    'Made',
  ];
  return scroller(
    'Table of snapshots',
    h(
      'table',
      { class: 'plain' },
      h('caption', { class: 'hidden' }, 'Snapshots, newest first'),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map((name) => h('th', { scope: 'col', key: name }, format.sentence(name))),
          h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Actions')),
        ),
      ),
      h(
        'tbody',
        null,
        shown.map((one) => row(model, one, one === result, varied, state, on)),
      ),
    ),
  );
}

/**
 * @param {JobModel} model
 * @param {SnapshotView} one
 * @param {boolean} isResult
 * @param {string[]} varied
 * @param {{busy: boolean}} state
 * @param {Parameters<typeof snapshotsPanel>[2]} on
 */
function row(model, one, isResult, varied, state, on) {
  const ended = hasEnded(model.job?.state ?? '');
  const ready = one.state === 'READY' && !ended;
  return h(
    'tr',
    {
      key: one.snapshot,
      class: one.state === 'READY' || one.state === 'WRITING' ? null : 'is-over',
    },
    h(
      'th',
      { scope: 'row' },
      String(one.snapshot),
      ' ',
      one.pinned && h('span', { class: 'badge' }, 'pinned'),
      ' ',
      isResult && h('span', { class: 'badge' }, 'result'),
    ),
    h(
      'td',
      null,
      h(
        'button',
        { type: 'button', class: 'link-button', onclick: () => on.show(one.branch) },
        `branch ${one.branch}`,
      ),
    ),
    h('td', null, format.count(one.mainlineClock)),
    h('td', null, format.epoch(one.epoch, one.start, model.job?.start)),
    varied.map((name) => h('td', { key: name }, format.tunable(one.setting[name]))),
    h('td', null, one.sizeBytes > 0 ? size(one.sizeBytes) : format.NONE),
    h('td', null, STATES[one.state] ?? one.state),
    h('td', null, format.timeOfDay(one.createTime)),
    h(
      'td',
      { class: 'num' },
      one.state === 'READY' && !isElsewhere(model) && [modelLink(model, one, 'Model'), ' '],
      ready && [
        h(
          'button',
          {
            type: 'button',
            class: 'link-button',
            'aria-disabled': String(state.busy),
            'aria-label': `${one.pinned ? 'Unpin' : 'Pin'} snapshot ${one.snapshot}`,
            onclick: () => on.pin(one),
          },
          one.pinned ? 'Unpin' : 'Pin',
        ),
        ' ',
        h(
          'button',
          {
            type: 'button',
            class: 'link-button',
            'aria-disabled': String(state.busy),
            'aria-label': `Restore snapshot ${one.snapshot}`,
            onclick: () => on.restore(one),
          },
          'Restore…',
        ),
      ],
    ),
  );
}
