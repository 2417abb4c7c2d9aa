// The list of jobs, newest first.

import { get, RequestProblem } from './api.js';
import { h, patch } from './dom.js';
import * as format from './format.js';
import { stateChip } from './marks.js';
import { command, problem, skeleton } from './notices.js';
import { byImportance, hasEnded } from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {JobView} from './types.js' */

const REFRESH_MILLIS = 3000;

/** The list holds the newest so many. */
const MOST_JOBS = 200;

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 */
export function jobsPage(content, trail) {
  document.title = 'Jobs · Espalier';
  /** @type {JobView[] | null} */
  let jobs = null;
  let more = false;
  /** @type {unknown} */
  let error = null;
  let loadedAt = 0;
  let timer = 0;
  const ending = new AbortController();

  const load = async () => {
    window.clearTimeout(timer);
    try {
      const page = await get(`/jobs?pageSize=${MOST_JOBS}`, ending.signal);
      jobs = page.items;
      more = page.nextPageToken !== null && page.nextPageToken !== undefined;
      error = null;
      loadedAt = Date.now();
    } catch (problem) {
      error = problem;
    }
    if (!ending.signal.aborted) {
      render();
      timer = window.setTimeout(load, REFRESH_MILLIS);
    }
  };

  const render = () => {
    patch(trail, h('span', { class: 'crumb' }, 'Jobs'));
    const lost = error instanceof RequestProblem && error.status !== 0;
    if (error && (jobs === null || lost)) {
      patch(content, problem(error, load));
    } else if (jobs === null) {
      patch(content, skeleton(4));
    } else if (jobs.length === 0) {
      patch(content, quickStart());
    } else {
      patch(content, list(jobs, more, error ? loadedAt : null));
    }
  };

  render();
  load();
  return {
    close() {
      ending.abort();
      window.clearTimeout(timer);
    },
  };
}

/** @returns {Tree} */
function quickStart() {
  return h(
    'section',
    { class: 'notice' },
    h('h1', null, 'No jobs yet'),
    h(
      'p',
      null,
      'A job trains one model while Espalier finds its settings. It appears here as soon as it is submitted.',
    ),
    command('./espalier demo', 'trains a model on generated data'),
    command('./espalier config schema', 'shows what a job file may say'),
    command('./espalier job submit job.yaml --follow', 'starts your own'),
  );
}

/**
 * @param {JobView[]} jobs
 * @param {boolean} more whether older jobs are left out
 * @param {number | null} staleSince milliseconds
 * @returns {Tree}
 */
function list(jobs, more, staleSince) {
  const running = jobs.filter((job) => !hasEnded(job.state)).length;
  return h(
    'div',
    null,
    h(
      'div',
      { class: 'page-head' },
      h('h1', null, 'Jobs'),
      h(
        'p',
        { class: 'muted' },
        `${more ? `the newest ${format.count(jobs.length)}` : `${format.count(jobs.length)} in all`}, ${running === 0 ? 'none' : format.count(running)} running`,
      ),
    ),
    staleSince !== null &&
      h(
        'p',
        { class: 'banner is-stale', role: 'status' },
        `The server does not answer; trying again. Shown is what was so at ${format.timeOfDay(staleSince)}.`,
      ),
    h(
      'div',
      { class: 'card table-card' },
      h(
        'table',
        { class: 'jobs' },
        h('caption', { class: 'hidden' }, 'Jobs, newest first'),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            column('Job'),
            column('State'),
            column('Setting'),
            column('Epoch', 'num'),
            column('Loss', 'num'),
            column('Tuning', 'num'),
            column('Started', 'num'),
          ),
        ),
        h('tbody', null, jobs.map(row)),
      ),
    ),
  );
}

/**
 * @param {string} text
 * @param {string} [kind]
 */
function column(text, kind) {
  return h('th', { scope: 'col', class: kind ?? null }, text);
}

/** @param {JobView} job */
function row(job) {
  const age = (Date.now() - Date.parse(job.createTime)) / 1000;
  const address = `#/jobs/${encodeURIComponent(job.id)}`;
  return h(
    'tr',
    { key: job.id, onclick: () => (location.hash = address) },
    h(
      'td',
      { class: 'job-cell' },
      h('a', { href: address, class: 'job-name' }, job.name),
      h(
        'span',
        { class: 'sub' },
        `${job.program} · ${job.policy} · ${plural(job.workers, 'worker')}`,
      ),
    ),
    h(
      'td',
      { class: 'state-cell' },
      stateChip(job.state),
      h('span', { class: 'sub' }, job.message),
    ),
    h(
      'td',
      { class: 'setting-cell' },
      Object.keys(job.setting)
        .sort(byImportance)
        .map((name) =>
          h(
            'span',
            { key: name, class: 'pair' },
            h('span', { class: 'pair-name' }, format.words(name)),
            format.tunable(job.setting[name]),
          ),
        ),
    ),
    h('td', { class: 'num', 'data-label': 'Epoch' }, format.measured(job.epoch, 3)),
    h('td', { class: 'num', 'data-label': 'Loss' }, format.measured(job.loss, 4)),
    h(
      'td',
      { class: 'num', 'data-label': 'Tuning' },
      format.percent(job.tuningShare),
      h(
        'span',
        { class: 'meter', 'aria-hidden': 'true' },
        h('span', { class: 'meter-fill', vars: { share: job.tuningShare } }),
      ),
    ),
    h(
      'td',
      { class: 'num', 'data-label': 'Started' },
      h(
        'time',
        { datetime: job.createTime, title: format.timeOfDay(job.createTime) },
        format.ago(age),
      ),
    ),
  );
}

/**
 * @param {number} amount
 * @param {string} noun
 */
export function plural(amount, noun) {
  return `${format.count(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}
