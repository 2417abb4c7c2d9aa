// What else there is of a job: its configuration, its workers' logs, and the requests behind the
// page.

import { BASE } from './api.js';
import { h } from './dom.js';
import { exports, json, save } from './export.js';
import { command } from './notices.js';

/** @import {Tree} from './dom.js' */

/**
 * @param {any} config the job file with every default filled in; null while it is on its way
 * @param {any} defaults what a job file that names only program and data comes to; undefined where
 *     nobody knows
 * @param {string} job
 * @returns {Tree}
 */
export function configPanel(config, defaults, job) {
  const lines = config === null ? [] : yaml(config, defaults);
  const changed = lines.filter((line) => line.changed).length;
  const differs = changed === 1 ? 'line differs from the defaults and is' : 'lines differ from the defaults and are';
  return h(
    'section',
    { class: 'card', key: 'config', 'aria-labelledby': 'config-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'config-title' }, 'Configuration'),
      h(
        'p',
        { class: 'muted' },
        config !== null && defaults === undefined
          ? 'the job file with every default filled in; which these are is not known any more'
          : `the job file with every default filled in; ${changed} ${differs} marked`,
      ),
    ),
    config === null
      ? h('p', { class: 'empty', role: 'status' }, 'Getting the configuration…')
      : h(
          'pre',
          { class: 'document', tabindex: 0 },
          lines.map((line, i) =>
            h(
              'span',
              { key: i, class: line.changed ? 'line is-changed' : 'line' },
              `${line.text}\n`,
            ),
          ),
        ),
    h(
      'div',
      { class: 'chart-foot is-inset' },
      exports('configuration', {
        YAML: () =>
          save(`${job}.yaml`, 'application/yaml', lines.map((line) => `${line.text}\n`).join('')),
        JSON: () => json(`${job}.json`, config),
      }),
    ),
  );
}

/**
 * A document as lines of YAML, each marked when it differs from the default.
 *
 * @param {any} document
 * @param {any} defaults
 * @param {string} [indent]
 * @returns {{text: string, changed: boolean}[]}
 */
export function yaml(document, defaults, indent = '') {
  return Object.entries(document).flatMap(([name, value]) => {
    const other = defaults?.[name];
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      const inner = yaml(value, other, `${indent}  `);
      return [
        { text: `${indent}${name}:`, changed: other === undefined && defaults !== undefined },
        ...inner,
      ];
    }
    const changed = defaults !== undefined && JSON.stringify(value) !== JSON.stringify(other);
    return [{ text: `${indent}${name}: ${scalar(value)}`, changed }];
  });
}

/** @param {any} value */
function scalar(value) {
  const plain = typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_./-]*$/.test(value);
  const word = plain && !/^(true|false|null|yes|no|on|off)$/i.test(value);
  return word ? value : JSON.stringify(value);
}

/**
 * @param {string | null} text
 * @param {{failed: string | null, reload: () => void, job: string, ended: boolean}} state
 * @returns {Tree}
 */
export function logsPanel(text, state) {
  return h(
    'section',
    { class: 'card', key: 'logs', 'aria-labelledby': 'logs-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'logs-title' }, 'Logs'),
      h(
        'p',
        { class: 'muted' },
        `the last 500 lines of each worker${state.ended ? '' : ', anew every few seconds'}`,
      ),
      h(
        'button',
        { type: 'button', class: 'button is-quiet', onclick: state.reload },
        'Read again',
      ),
    ),
    state.failed && h('p', { class: 'banner is-bad' }, state.failed),
    text === null &&
      !state.failed &&
      h('p', { class: 'empty', role: 'status' }, 'Reading the logs…'),
    text === '' &&
      h(
        'p',
        { class: 'empty' },
        'The workers have written nothing yet. Workers on other machines keep their logs there.',
      ),
    text !== null && text !== '' && h('pre', { class: 'document is-log', tabindex: 0 }, text),
    h(
      'div',
      { class: 'chart-foot is-inset' },
      exports('logs', { TXT: () => save(`${state.job}.log`, 'text/plain', text ?? '') }),
    ),
  );
}

const REQUESTS = [
  ['', 'the job'],
  ['/overview?points=500', 'all that the page draws first'],
  ['/mainline?points=500', 'the mainline’s loss'],
  ['/branches?pageSize=100', 'the branches'],
  ['/rounds', 'the rounds'],
  ['/decisions?newest=true', 'the latest decisions'],
  ['/schedule', 'the schedule'],
  ['/snapshots', 'the snapshots'],
  ['/events', 'the live link'],
];

/**
 * @param {string} job
 * @returns {Tree}
 */
export function apiPanel(job) {
  const root = new URL(`${BASE}/jobs/${encodeURIComponent(job)}`, document.baseURI).href;
  return h(
    'section',
    { class: 'card', key: 'api', 'aria-labelledby': 'api-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'api-title' }, 'Raw API'),
      h(
        'p',
        { class: 'muted' },
        'everything on this page comes from these requests; ',
        h('a', { class: 'text-link', href: 'api/v1/openapi.json' }, 'OpenAPI document'),
      ),
    ),
    h(
      'div',
      { class: 'requests' },
      REQUESTS.map(([path, note]) =>
        h(
          'div',
          { key: path },
          command(`curl -H "Authorization: Bearer $ESPALIER_TOKEN" '${root}${path}'`, note),
        ),
      ),
      h('p', null, h('a', { class: 'text-link', href: root }, 'The job as JSON')),
    ),
  );
}
