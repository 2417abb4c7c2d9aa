// Two to six jobs side by side: their losses over one axis, and their figures.

import { get, getAll, isAbsent } from './api.js';
import { scroller, segmented } from './controls.js';
import { metricLine, secondsOf, trainingLine, UNITS } from './courses.js';
import { h, patch } from './dom.js';
import { csv, exports, json, saveDrawing } from './export.js';
import * as format from './format.js';
import { inlineMark, stateChip } from './marks.js';
import { byImportance, hasEnded, least, most } from './model.js';
import { MOST_COMPARED, overlay, overlayTwin } from './overlay.js';
import { goalOf, judgeOf, readJudges } from './programs.js';
import { Reading } from './reading.js';
import { jobAddress } from './route.js';

/** @import {Course, Unit} from './courses.js' */
/** @import {Child} from './dom.js' */
/** @import {Judges} from './programs.js' */
/** @import {Route} from './route.js' */
/** @import {JobView} from './types.js' */

const POINTS = 300;

/** Hues for jobs: standings have no meaning here, but their hues and marks are told apart well. */
const KINDS = ['winner', 'converging', 'unstable', 'diverged', 'inconclusive', 'open'];

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
  /** @type {Unit} what goes across, whatever is drawn */
  #unit = 'time';
  /** @type {Judges | null} */
  #judges = null;

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
    this.#judges ??= await readJudges(signal);
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
        table(courses, this.#judges ?? {}),
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
      { class: 'card-bar', key: 'bar' },
      h('h2', { class: 'card-title' }, shown === '' ? 'Training loss' : format.metric(shown)),
      h(
        'p',
        { class: 'muted' },
        across(courses, this.#unit, shown !== ''),
      ),
      h(
        'div',
        { class: 'tools' },
        segmented('What is drawn', [
          ['Training loss', choose(''), shown === '', false],
          ...metrics.map((name) => segment(format.metric(name), choose(name), shown === name)),
        ]),
        segmented(
          'Horizontal axis',
          /** @type {Unit[]} */ (Object.keys(UNITS)).map((unit) =>
            segment(UNITS[unit].name, () => this.#goAcross(unit), unit === this.#unit),
          ),
        ),
      ),
    );
  }

  /** @param {Unit} unit */
  #goAcross(unit) {
    this.#unit = unit;
    this.#draw();
  }

  /** @param {Course[]} courses */
  #traces(courses) {
    return courses.map((course, i) => ({
      label: course.job.name,
      kind: KINDS[i],
      wild: false,
      line:
        this.#shown === ''
          ? trainingLine(course, this.#unit)
          : metricLine(course, this.#shown, this.#unit),
    }));
  }

  /** @param {number} jobs */
  #words(jobs) {
    const name = this.#shown === '' ? 'Training loss' : format.metric(this.#shown);
    const { words, title } = UNITS[this.#unit];
    return { unit: words, label: `${name} of ${jobs} jobs`, axis: title };
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
  const [job, mainline, evaluations, schedule] = await Promise.all([
    get(root, signal),
    get(`${root}/mainline?points=${POINTS}`, signal),
    getAll(`${root}/evaluations?pageSize=1000`, signal),
    get(`${root}/schedule`, signal),
  ]);
  return { job, mainline: mainline.buckets, evaluations, steps: schedule.steps };
}

/**
 * What the lines go over. Of a model that was begun anew it is the last start alone, but for
 * validation results over time.
 *
 * @param {Course[]} courses
 * @param {Unit} unit
 * @param {boolean} isMetric whether validation results are drawn
 */
function across(courses, unit, isMetric) {
  const words = {
    time: isMetric
      ? 'over the time of each job, tuning included'
      : 'over the time of each job, tuning included, as if it had gone evenly between two validations',
    epoch: 'over passes over the training data on the mainline',
    clock: 'over the clocks of the mainline, each as large as its batch',
  }[unit];
  const later = courses.filter(({ job }) => job.start > 1).map(({ job }) => job.name);
  return later.length === 0 || (isMetric && unit === 'time')
    ? words
    : `${words}; of ${later.join(', ')} the last start alone`;
}

/** @param {Course} course */
function flat({ job: { trail, setting, metrics, result, ...job } }) {
  return { ...job, ...setting, ...metrics, result: result?.value ?? null };
}

/**
 * @param {Course[]} courses
 * @param {Judges} judges
 */
function table(courses, judges) {
  const settings = names(courses, (job) => job.setting).sort(byImportance);
  const metrics = names(courses, (job) => job.metrics);
  const row = (
    /** @type {string} */ title,
    /** @type {(job: JobView) => Child} */ cell,
    isGiven = false,
    /** @type {boolean[]} */ isBest = [],
  ) => {
    const cells = courses.map(({ job }) => cell(job));
    const differs = isGiven && new Set(cells.filter((one) => typeof one === 'string')).size > 1;
    return h(
      'tr',
      { key: title, class: differs ? 'is-changed' : null },
      h('th', { scope: 'row' }, title),
      cells.map((one, i) =>
        isBest[i]
          ? h('td', { key: i, class: 'num is-best' }, h('strong', null, one), bestMark())
          : h('td', { key: i, class: 'num' }, one),
      ),
    );
  };
  const measured = (
    /** @type {string} */ title,
    /** @type {(job: JobView) => number | null | undefined} */ value,
    /** @type {(program: string) => 'least' | 'most' | null} */ goal,
  ) =>
    row(
      title,
      (job) => format.measured(value(job), 4),
      false,
      best(
        courses.map(({ job }) => value(job)),
        commonGoal(courses, goal),
      ),
    );
  const title = (/** @type {string} */ name) => format.sentence(format.words(name));
  return scroller(
    'Table of jobs',
    h(
      'table',
      { class: 'plain' },
      h('caption', { class: 'hidden' }, 'Jobs side by side; what was asked of them and differs is marked, and the best of what was measured'),
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
        measured(
          resultTitle(courses, judges),
          (job) => job.result?.value,
          (program) => goalOf(judges, program, judgeOf(judges, program)),
        ),
        row('Result from epoch', (job) =>
          job.result === null ? '' : format.epoch(job.result.epoch, job.result.start),
        ),
        measured(
          'Training loss, last',
          (job) => job.loss,
          () => 'least',
        ),
        metrics.map((name) =>
          measured(
            `${format.metric(name)}, last`,
            (job) => job.metrics[name],
            (program) => goalOf(judges, program, name),
          ),
        ),
        row('Epoch', (job) => format.epoch(job.epoch, job.start)),
        row('Rounds', (job) => format.count(job.round)),
        row('Branches', (job) => format.count(job.branches)),
        row('Whole time of the job', wholeTime),
        row('Time of workers', (job) => format.duration(secondsOf(job))),
        row('Spent tuning', (job) => format.percent(job.tuningShare)),
      ),
    ),
  );
}

/** The mark is for who does not see that a number is bold. */
function bestMark() {
  return h('span', { class: 'hidden' }, ' best');
}

/**
 * Which values of a row are the best; none where nothing differs.
 *
 * @param {(number | null | undefined)[]} values
 * @param {'least' | 'most' | null} goal null where that is not known
 * @returns {boolean[]}
 */
export function best(values, goal) {
  const known = values.filter((value) => typeof value === 'number' && Number.isFinite(value));
  if (goal === null || new Set(known).size < 2) {
    return [];
  }
  const top = (goal === 'least' ? least : most)(/** @type {number[]} */ (known));
  return values.map((value) => value === top);
}

/**
 * Different programs have no loss in common.
 *
 * @param {Course[]} courses
 * @param {(program: string) => 'least' | 'most' | null} goal
 */
function commonGoal(courses, goal) {
  const [program, ...others] = new Set(courses.map(({ job }) => job.program));
  return others.length === 0 ? goal(program) : null;
}

/**
 * @param {Course[]} courses
 * @param {Judges} judges
 */
function resultTitle(courses, judges) {
  const [name, ...others] = new Set(courses.map(({ job }) => judgeOf(judges, job.program)));
  return others.length === 0 && name !== '' ? `Result, ${format.words(name)}` : 'Result';
}

/**
 * From the submission to the end, whatever it waited for.
 *
 * @param {JobView} job
 */
function wholeTime({ createTime, endTime }) {
  const end = endTime === null ? Date.now() : Date.parse(endTime);
  const words = format.duration((end - Date.parse(createTime)) / 1000);
  return endTime === null ? `${words} so far` : words;
}

/**
 * @param {Course[]} courses
 * @param {(job: JobView) => Record<string, number>} of
 */
function names(courses, of) {
  return [...new Set(courses.flatMap(({ job }) => Object.keys(of(job))))];
}
