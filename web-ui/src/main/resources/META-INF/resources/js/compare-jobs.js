// Two to six jobs side by side: their losses over the time they trained, and their figures.

import { get, getAll, isAbsent } from './api.js';
import { scroller, segmented } from './controls.js';
import { h, patch } from './dom.js';
import { csv, exports, json, saveDrawing } from './export.js';
import * as format from './format.js';
import { inlineMark, stateChip } from './marks.js';
import { byImportance, hasEnded } from './model.js';
import { MOST_COMPARED, overlay, overlayTwin } from './overlay.js';
import { Reading } from './reading.js';
import { jobAddress } from './route.js';

/** @import {Child} from './dom.js' */
/** @import {Trace} from './overlay.js' */
/** @import {Route} from './route.js' */
/** @import {EvaluationView, JobView, MainlineBucket} from './types.js' */

const POINTS = 300;

/** Hues for jobs: standings have no meaning here, but their hues and marks are told apart well. */
const KINDS = ['winner', 'converging', 'unstable', 'diverged', 'inconclusive', 'open'];

/**
 * @typedef {{job: JobView, mainline: MainlineBucket[], evaluations: EvaluationView[]}} Course
 */

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 * @param {Route} route
 */
export function compareJobsPage(content, trail, route) {
  document.title = 'Jobs side by side · Espalier';
  const page = new CompareJobsPage(content, trail, route);
  page.open();
  return page;
}

class CompareJobsPage {
  #content;
  #trail;
  #route;
  /** @type {Reading<Course[]>} */
  #reading = new Reading(
    (signal) => this.#read(signal),
    () => this.#draw(),
    (courses) => courses === null || courses.some(({ job }) => !hasEnded(job.state)),
  );
  /** The drawing is as wide as there is room. */
  #onResize = () => this.#draw();
  /** @type {string[]} jobs that are not there, such as deleted ones */
  #absent = [];
  /** What is drawn: the training loss, or a validation metric by its name. */
  #shown = '';

  /**
   * @param {HTMLElement} content
   * @param {HTMLElement} trail
   * @param {Route} route
   */
  constructor(content, trail, route) {
    this.#content = content;
    this.#trail = trail;
    this.#route = route;
  }

  open() {
    this.#draw();
    window.addEventListener('resize', this.#onResize);
    this.#reading.load();
  }

  close() {
    window.removeEventListener('resize', this.#onResize);
    this.#reading.close();
  }

  /** @param {Route} route */
  goTo(route) {
    this.#route = route;
    this.#reading.load();
  }

  #ids() {
    const ids = (this.#route.params.get('jobs') ?? '').split(',').filter((id) => id !== '');
    return [...new Set(ids)].slice(0, MOST_COMPARED);
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    const ids = this.#ids();
    const courses = await Promise.all(ids.map((id) => readIfThere(id, signal)));
    this.#absent = ids.filter((_, i) => courses[i] === null);
    return courses.filter((course) => course !== null);
  }

  #draw() {
    if (this.#reading.isClosed) {
      return;
    }
    patch(
      this.#trail,
      h('a', { class: 'crumb', href: '#/' }, 'Jobs'),
      h('span', { class: 'crumb-mark', 'aria-hidden': 'true' }, '/'),
      h('span', { class: 'crumb here' }, 'side by side'),
    );
    patch(
      this.#content,
      this.#reading.shown(3, (courses) => h('div', { key: 'jobs' }, this.#jobs(courses))),
    );
  }

  /** @param {Course[]} courses */
  #jobs(courses) {
    const head = h(
      'div',
      { class: 'page-head', key: 'head' },
      h('h1', null, 'Jobs side by side'),
      this.#reading.error !== null && h('p', { class: 'muted' }, this.#reading.silence()),
      this.#absent.length > 0 &&
        h(
          'p',
          { class: 'muted' },
          `Not there, and maybe deleted: ${this.#absent.join(', ')}.`,
        ),
    );
    if (courses.length < 2) {
      return [
        head,
        h(
          'p',
          { class: 'card none', key: 'none' },
          `Choose two to ${MOST_COMPARED} jobs in the `,
          h('a', { class: 'text-link', href: '#/' }, 'list'),
          ', then Compare.',
        ),
      ];
    }
    const traces = this.#traces(courses);
    const words = this.#words(courses.length);
    return [
      head,
      h(
        'section',
        { class: 'card', key: 'card', 'aria-label': 'Jobs side by side' },
        this.#tools(courses),
        traces.every((trace) => trace.line.length === 0)
          ? h('p', { class: 'empty' }, 'None of them has got so far yet.')
          : overlay(traces, words, this.#room()),
        table(courses),
        h(
          'div',
          { class: 'chart-foot is-inset' },
          overlayTwin(traces, words),
          exports('comparison', {
            CSV: () => csv('jobs-side-by-side.csv', courses.map(flat)),
            JSON: () => json('jobs-side-by-side.json', courses),
            PNG: () =>
              saveDrawing('jobs-side-by-side.png', document.querySelector('.compare-lines')),
          }),
        ),
      ),
    ];
  }

  /** Inside of the card, as it was when the page was drawn last. */
  #room() {
    return (this.#content.querySelector('.card') ?? this.#content).clientWidth - 40;
  }

  /** @param {Course[]} courses */
  #tools(courses) {
    const metrics = [...new Set(courses.flatMap(({ job }) => Object.keys(job.metrics)))].slice(0, 3);
    const shown = metrics.includes(this.#shown) ? this.#shown : '';
    const choose = (/** @type {string} */ name) => () => {
      this.#shown = name;
      this.#draw();
    };
    return h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title' }, shown === '' ? 'Training loss' : format.metric(shown)),
      h(
        'p',
        { class: 'muted' },
        shown === ''
          ? trained(courses)
          : 'over the seconds of the job’s life, tuning included',
      ),
      segmented('What is drawn', [
        ['Training loss', choose(''), shown === '', false],
        ...metrics.map((name) => segment(format.metric(name), choose(name), shown === name)),
      ]),
    );
  }

  /** @param {Course[]} courses */
  #traces(courses) {
    return courses.map((course, i) => ({
      label: course.job.name,
      kind: KINDS[i],
      wild: false,
      line: this.#shown === '' ? trainingLine(course) : metricLine(course, this.#shown),
    }));
  }

  /** @param {number} jobs */
  #words(jobs) {
    const name = this.#shown === '' ? 'Training loss' : format.metric(this.#shown);
    return { unit: format.duration, label: `${name} of ${jobs} jobs` };
  }
}

/**
 * @param {string} label
 * @param {() => void} onclick
 * @param {boolean} pressed
 * @returns {import('./controls.js').Segment}
 */
function segment(label, onclick, pressed) {
  return [label, onclick, pressed, false];
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Course | null>} null where there is no such job
 */
async function readIfThere(id, signal) {
  try {
    return await readCourse(id, signal);
  } catch (error) {
    if (isAbsent(error)) {
      return null;
    }
    throw error;
  }
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Course>}
 */
async function readCourse(id, signal) {
  const root = `/jobs/${encodeURIComponent(id)}`;
  const [job, mainline, evaluations] = await Promise.all([
    get(root, signal),
    get(`${root}/mainline?points=${POINTS}`, signal),
    getAll(`${root}/evaluations?pageSize=1000`, signal),
  ]);
  return { job, mainline: mainline.buckets, evaluations };
}

/**
 * What the line of the training loss goes over: of a model that was begun anew it is the last start
 * alone.
 *
 * @param {Course[]} courses
 */
function trained(courses) {
  const later = courses.filter(({ job }) => job.start > 1).map(({ job }) => job.name);
  const words = 'over the seconds that the mainline trained';
  return later.length === 0 ? words : `${words}; of ${later.join(', ')} the last start alone`;
}

/** @param {Course} course */
function trainingLine({ mainline }) {
  return mainline.flatMap((bucket) =>
    bucket.mean === null ? [] : [{ x: bucket.seconds, y: bucket.mean }],
  );
}

/**
 * What led, as the job's result would have been then.
 *
 * @param {Course} course
 * @param {string} name of the metric
 */
export function metricLine({ evaluations }, name) {
  return evaluations.filter((one) => one.leads).flatMap((one) => {
    const value = one.metrics[name];
    return value === null || value === undefined ? [] : [{ x: one.atSeconds, y: value }];
  });
}

/** @param {Course} course */
function flat({ job: { trail, setting, metrics, result, ...job } }) {
  return { ...job, ...setting, ...metrics, result: result?.value ?? null };
}

/** @param {Course[]} courses */
function table(courses) {
  const settings = names(courses, (job) => job.setting).sort(byImportance);
  const metrics = names(courses, (job) => job.metrics);
  const row = (
    /** @type {string} */ title,
    /** @type {(job: JobView) => Child} */ cell,
    isGiven = false,
  ) => {
    const cells = courses.map(({ job }) => cell(job));
    const differs = isGiven && new Set(cells.filter((one) => typeof one === 'string')).size > 1;
    return h(
      'tr',
      { key: title, class: differs ? 'is-changed' : null },
      h('th', { scope: 'row' }, title),
      cells.map((one, i) => h('td', { key: i, class: 'num' }, one)),
    );
  };
  const title = (/** @type {string} */ name) => format.sentence(format.words(name));
  return scroller(
    'Table of jobs',
    h(
      'table',
      { class: 'plain' },
      h('caption', { class: 'hidden' }, 'Jobs side by side; what was asked of them and differs is marked'),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'What')),
          courses.map(({ job }, i) =>
            h(
              'th',
              { scope: 'col', class: 'num', key: job.id },
              inlineMark(KINDS[i]),
              ' ',
              h('a', { class: 'text-link', href: jobAddress(job.id) }, job.name),
            ),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        row('State', (job) => stateChip(job.state)),
        row('Program', (job) => job.program, true),
        row('Policy', (job) => job.policy, true),
        row('Workers', (job) => String(job.workers), true),
        row('Seed', (job) => String(job.seed), true),
        settings.map((name) => row(`${title(name)}, last`, (job) => format.tunable(job.setting[name]), true)),
        row('Result', (job) => format.measured(job.result?.value ?? null, 4)),
        row('Result from epoch', (job) =>
          job.result === null ? '' : format.epoch(job.result.epoch, job.result.start),
        ),
        row('Training loss, last', (job) => format.measured(job.loss, 4)),
        metrics.map((name) =>
          row(`${format.metric(name)}, last`, (job) => format.measured(job.metrics[name], 4)),
        ),
        row('Epoch', (job) => format.epoch(job.epoch, job.start)),
        row('Rounds', (job) => format.count(job.round)),
        row('Branches', (job) => format.count(job.branches)),
        row('Time of workers', (job) =>
          format.duration(job.trainingSeconds + job.tuningSeconds + job.evaluationSeconds),
        ),
        row('Spent tuning', (job) => format.percent(job.tuningShare)),
      ),
    ),
  );
}

/**
 * @param {Course[]} courses
 * @param {(job: JobView) => Record<string, number>} of
 */
function names(courses, of) {
  return [...new Set(courses.flatMap(({ job }) => Object.keys(of(job))))];
}
