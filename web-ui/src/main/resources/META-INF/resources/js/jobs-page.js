// The list of jobs, newest first: what each does, how it goes, and what may be asked of several.

import { get, post, remove } from './api.js';
import { DELETION, question } from './dialogs.js';
import { h, patch } from './dom.js';
import { csv, exports, json, savePanel } from './export.js';
import * as format from './format.js';
import { stateChip } from './marks.js';
import { command } from './notices.js';
import { byImportance, hasEnded, isPopulationPolicy } from './model.js';
import { MOST_COMPARED } from './overlay.js';
import { judgeOf, readJudges } from './programs.js';
import { Reading } from './reading.js';
import { jobAddress, queryText } from './route.js';

/** @import {Tree} from './dom.js' */
/** @import {Judges} from './programs.js' */
/** @import {Route} from './route.js' */
/** @import {JobView} from './types.js' */

/**
 * @typedef {Record<string, number>} Counts of jobs by state
 * @typedef {{jobs: JobView[], next: string, counts: Counts}} Page
 */

const PAGE_SIZE = 50;

/**
 * A column, and what its jobs are sorted by: values that are compared one after the other.
 *
 * @typedef {{name: string, kind?: string,
 *     by?: (job: JobView, judges: Judges) => (string | number | null)[]}} Column
 */

/** @type {Column[]} */
const COLUMNS = [
  { name: 'Job', by: (job) => [job.name] },
  { name: 'State', by: (job) => [job.state, job.reason] },
  { name: 'Loss', by: (job) => [job.loss] },
  { name: 'Result', kind: 'num', by: (job, judges) => resultOf(job, judges) },
  { name: 'Setting' },
  { name: 'Epoch', kind: 'num', by: (job) => [job.start, job.epoch] },
  { name: 'Left', kind: 'num', by: (job) => [job.secondsLeft] },
  { name: 'Round', kind: 'num', by: (job) => [job.round] },
  { name: 'Tuning', kind: 'num', by: (job) => [job.tuningShare] },
  { name: 'Submitted', kind: 'num', by: (job) => [Date.parse(job.createTime)] },
];

/** As the server lists them. */
const NEWEST_FIRST = { name: 'Submitted', isDown: true };

/** The filters, with the states that each stands for. */
const FILTERS = /** @type {Record<string, {name: string, states: string[]}>} */ ({
  '': { name: 'All', states: [] },
  queued: { name: 'Queued', states: ['QUEUED'] },
  running: {
    name: 'Running',
    states: ['STARTING', 'TUNING', 'TRAINING', 'STOPPING'],
  },
  paused: { name: 'Paused', states: ['PAUSED'] },
  completed: { name: 'Completed', states: ['COMPLETED'] },
  failed: { name: 'Failed', states: ['FAILED'] },
  canceled: { name: 'Canceled', states: ['CANCELED'] },
});

/** Its seconds are modelled, so that what it shows does not depend on the machine's mood. */
const DEMO = {
  name: 'demo',
  program: 'mlp',
  workers: 2,
  seed: 42,
  tunables: {
    learningRate: { type: 'log', min: 0.0001, max: 0.3, default: 0.01 },
    momentum: { type: 'linear', min: 0, max: 0.95, default: 0.9 },
    batchSize: { type: 'choice', values: [32, 64, 128, 256], default: 64 },
  },
  time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7e-6 } },
  tuning: { warmStart: false },
  stop: { maxEpochs: 22 },
};

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 * @param {Route} route
 */
export function jobsPage(content, trail, route) {
  document.title = 'Jobs · Espalier';
  const page = new JobsPage(content, trail, route);
  page.open();
  return page;
}

class JobsPage {
  #content;
  #trail;
  #route;
  /** @type {Reading<Page>} */
  #reading = new Reading(
    (signal) => this.#read(signal),
    () => this.#draw(),
    () => true,
  );
  /** @type {string[]} tokens of the pages after the first one, up to this one */
  #pages = [];
  /** Whether another page is on its way. */
  #turning = false;
  /** @type {Set<string>} */
  #chosen = new Set();
  /** @type {{text: string, bad: boolean} | null} */
  #said = null;
  /** What the jobs of the page are sorted by. */
  #sort = NEWEST_FIRST;
  /** @type {Judges | null} */
  #judges = null;
  /** @type {((close: () => void) => Tree) | null} */
  #dialog = null;

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
    this.#reading.load();
  }

  close() {
    this.#reading.close();
  }

  /** @param {Route} route */
  goTo(route) {
    this.#route = route;
    this.#pages = [];
    this.#chosen.clear();
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById('search'));
    if (field) {
      field.value = this.#search();
    }
    this.#reading.load();
  }

  #filter() {
    const name = this.#route.params.get('state') ?? '';
    return Object.hasOwn(FILTERS, name) ? name : '';
  }

  #search() {
    return this.#route.params.get('name') ?? '';
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Page>}
   */
  async #read(signal) {
    const query = queryText({
      state: FILTERS[this.#filter()].states.join(','),
      name: this.#search(),
      pageSize: PAGE_SIZE,
      pageToken: this.#pages.at(-1) ?? '',
    });
    const [page, counts, judges] = await Promise.all([
      get(`/jobs${query}`, signal),
      get('/job-counts', signal),
      this.#judges ?? readJudges(signal),
    ]);
    this.#judges = judges;
    return { jobs: page.items, next: page.nextPageToken ?? '', counts };
  }

  #draw() {
    if (this.#reading.isClosed) {
      return;
    }
    patch(this.#trail, h('span', { class: 'crumb' }, 'Jobs'));
    const filtered = this.#filter() !== '' || this.#search() !== '';
    patch(
      this.#content,
      this.#reading.shown(4, (page) =>
        page.jobs.length === 0 && !filtered && this.#pages.length === 0
          ? h('div', { key: 'start' }, this.#quickStart())
          : h('div', { key: 'list' }, this.#list(page)),
      ),
    );
  }

  #quickStart() {
    return h(
      'section',
      { class: 'notice is-wide' },
      h('h1', null, 'No jobs yet'),
      h(
        'p',
        null,
        'A job trains one model while Espalier finds its settings. Three lines start your own:',
      ),
      command('./espalier token create me', 'prints a token for the command line'),
      command("echo 'program: mlp' > job.yaml", 'the least a job file may say'),
      command('./espalier job submit job.yaml --follow', 'starts it and shows what it does'),
      h('p', { class: 'or' }, 'Or see it work first, with generated data, in about two minutes:'),
      this.#said && h('p', { class: 'banner is-bad', role: 'alert' }, this.#said.text),
      h(
        'button',
        { type: 'button', class: 'button is-main', onclick: () => this.#runDemo() },
        'Run the demo job',
      ),
    );
  }

  async #runDemo() {
    try {
      const job = await post('/jobs', DEMO);
      location.hash = jobAddress(job.id);
    } catch (thrown) {
      this.#say(thrown instanceof Error ? thrown.message : String(thrown), true);
    }
  }

  /** @param {Page} page */
  #list({ jobs, next, counts }) {
    return [
      h(
        'div',
        { class: 'page-head', key: 'head' },
        h('h1', null, 'Jobs'),
        h('p', { class: 'muted' }, this.#summary(counts)),
      ),
      this.#reading.error !== null &&
        h(
          'p',
          { class: 'banner is-stale', role: 'status', key: 'stale' },
          `${this.#reading.silence()} Shown is what was so at ${format.timeOfDay(this.#reading.readAt)}.`,
        ),
      this.#said &&
        h(
          'p',
          { class: this.#said.bad ? 'banner is-bad' : 'banner', role: 'status', key: 'said' },
          this.#said.text,
        ),
      this.#tools(jobs, counts),
      jobs.length === 0
        ? h(
            'p',
            { class: 'card none', key: 'none' },
            'No job is like that. ',
            h('a', { class: 'text-link', href: '#/' }, 'Show all jobs'),
          )
        : this.#table(sorted(jobs, this.#sort, this.#judges ?? {}), next),
      this.#pager(jobs, next),
      this.#dialog?.(() => this.#open(null)),
    ];
  }

  /** @param {Counts} counts */
  #summary(counts) {
    const all = Object.values(counts).reduce((sum, amount) => sum + amount, 0);
    const running = FILTERS.running.states.reduce((sum, s) => sum + (counts[s] ?? 0), 0);
    return `${format.count(all)} in all, ${running === 0 ? 'none' : format.count(running)} running`;
  }

  /**
   * @param {JobView[]} jobs
   * @param {Counts} counts
   */
  #tools(jobs, counts) {
    const filter = this.#filter();
    const chosen = this.#chosen.size;
    return h(
      'div',
      { class: 'list-tools', key: 'tools' },
      h(
        'nav',
        { class: 'filters', 'aria-label': 'Jobs by state' },
        Object.entries(FILTERS).map(([key, { name, states }]) => {
          const amount = states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
          return h(
            'a',
            {
              key: name,
              href: `#/${queryText({ state: key, name: this.#search() })}`,
              'aria-current': key === filter ? 'page' : null,
            },
            name,
            key !== '' && h('span', { class: 'badge' }, format.count(amount)),
          );
        }),
      ),
      h(
        'form',
        {
          class: 'search',
          role: 'search',
          onsubmit: (/** @type {SubmitEvent} */ event) => {
            event.preventDefault();
            const form = /** @type {HTMLFormElement} */ (event.currentTarget);
            const name = String(new FormData(form).get('name'));
            location.hash = `#/${queryText({ state: filter, name })}`;
          },
        },
        h('label', { for: 'search', class: 'hidden' }, 'Name holds'),
        h('input', {
          id: 'search',
          name: 'name',
          type: 'search',
          placeholder: 'Name holds…',
          created: (/** @type {HTMLInputElement} */ node) => (node.value = this.#search()),
        }),
        h('button', { type: 'submit', class: 'button' }, 'Find'),
      ),
      chosen > 0 &&
        h(
          'div',
          { class: 'bulk', key: 'bulk', role: 'group', 'aria-label': 'Chosen jobs' },
          h('span', null, plural(chosen, 'job'), ' chosen'),
          chosen <= MOST_COMPARED &&
            h(
              'a',
              {
                class: chosen < 2 ? 'button is-off' : 'button',
                'aria-disabled': String(chosen < 2),
                href: chosen < 2 ? null : `#/compare?jobs=${[...this.#chosen].join(',')}`,
              },
              'Compare',
            ),
          this.#askable().length > 0 && [
            h(
              'button',
              { type: 'button', class: 'button', onclick: () => this.#askAll('pause', 'Paused') },
              'Pause',
            ),
            h(
              'button',
              { type: 'button', class: 'button', onclick: () => this.#askAll('resume', 'Resumed') },
              'Resume',
            ),
            h(
              'button',
              { type: 'button', class: 'button is-danger', onclick: () => this.#askCancel() },
              'Cancel',
            ),
          ],
          this.#ended().length > 0 &&
            h(
              'button',
              { type: 'button', class: 'button is-danger', onclick: () => this.#askDelete() },
              'Delete',
            ),
        ),
    );
  }

  /**
   * @param {JobView[]} jobs
   * @param {string} next
   */
  #table(jobs, next) {
    const isPart = next !== '' || this.#pages.length > 0;
    const order = this.#sort === NEWEST_FIRST ? 'newest first' : `by ${this.#sort.name.toLowerCase()}`;
    return h(
      'div',
      { class: 'card table-card', key: 'table' },
      isPart &&
        this.#sort !== NEWEST_FIRST &&
        h(
          'p',
          { class: 'sorted-note muted', role: 'status', key: 'sorted' },
          `Sorted are the ${format.count(jobs.length)} jobs of this page alone; pages go from newer jobs to older ones.`,
        ),
      h(
        'table',
        { class: 'jobs' },
        h('caption', { class: 'hidden' }, `Jobs, ${order}`),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Choose')),
            COLUMNS.map((one) => this.#head(one)),
          ),
        ),
        h(
          'tbody',
          null,
          jobs.map((job) => this.#row(job)),
        ),
      ),
    );
  }

  /** @param {Column} column */
  #head({ name, kind, by }) {
    if (!by) {
      return h('th', { key: name, scope: 'col', class: kind ?? null }, name);
    }
    const isBy = this.#sort.name === name;
    const order = this.#sort.isDown ? 'descending' : 'ascending';
    return h(
      'th',
      { key: name, scope: 'col', class: kind ?? null, 'aria-sort': isBy ? order : null },
      h(
        'button',
        { type: 'button', class: 'sort', onclick: () => this.#sortBy(name) },
        name,
        h('span', { class: 'sort-mark', 'aria-hidden': 'true' }, isBy ? (this.#sort.isDown ? '↓' : '↑') : ''),
      ),
    );
  }

  /** @param {string} name of a column; the second time the other way round */
  #sortBy(name) {
    const isDown = this.#sort.name === name ? !this.#sort.isDown : name === NEWEST_FIRST.name;
    this.#sort = isDown && name === NEWEST_FIRST.name ? NEWEST_FIRST : { name, isDown };
    this.#draw();
  }

  /** @param {JobView} job */
  #row(job) {
    const age = (Date.now() - Date.parse(job.createTime)) / 1000;
    const address = jobAddress(job.id);
    return h(
      'tr',
      {
        key: job.id,
        onclick: (/** @type {MouseEvent} */ event) => {
          const target = /** @type {HTMLElement} */ (event.target);
          if (!target.closest('a, input, label')) {
            location.hash = address;
          }
        },
      },
      h(
        'td',
        { class: 'choose-cell' },
        h('input', {
          type: 'checkbox',
          'aria-label': `Choose ${job.name}`,
          checked: this.#chosen.has(job.id),
          onchange: () => {
            if (!this.#chosen.delete(job.id)) {
              this.#chosen.add(job.id);
            }
            this.#draw();
          },
        }),
      ),
      h(
        'td',
        { class: 'job-cell' },
        h('a', { href: address, class: 'job-name' }, job.name),
        h(
          'span',
          { class: 'sub' },
          `${job.program} · ${job.policy} · ${plural(job.workers, 'worker')} · ${job.createdBy}`,
        ),
      ),
      h(
        'td',
        { class: 'state-cell' },
        stateChip(job.state),
        h('span', { class: 'sub' }, job.message),
        job.stall && h('span', { class: 'sub is-bad' }, format.stall(job.stall)),
      ),
      h(
        'td',
        { class: 'trail-cell', 'data-label': 'Loss' },
        spark(job),
        h('span', { class: 'trail-value' }, format.measured(job.loss, 4)),
        job.endTime === null &&
          job.trail.speed !== null &&
          !isPopulationPolicy(job.policy) &&
          h(
            'span',
            { class: 'sub', title: 'how fast the mainline falls, and how fast it fell at first' },
            `falls ${format.number(job.trail.speed, 2)}/s${job.trail.firstSpeed === null ? '' : `, at first ${format.number(job.trail.firstSpeed, 2)}/s`}`,
          ),
      ),
      resultCell(job, this.#judges ?? {}),
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
      h(
        'td',
        { class: 'num', 'data-label': 'Epoch' },
        format.epoch(job.epoch, 1),
        job.start > 1 && h('span', { class: 'sub' }, `of start ${job.start}`),
      ),
      h(
        'td',
        { class: 'num', 'data-label': 'Left', title: 'at most, by its bounds and its pace so far' },
        job.secondsLeft === null ? format.NONE : format.timeLeft(job.secondsLeft),
      ),
      h(
        'td',
        { class: 'num', 'data-label': 'Round' },
        job.round === 0 ? format.NONE : String(job.round),
      ),
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
        { class: 'num', 'data-label': 'Submitted' },
        h(
          'time',
          { datetime: job.createTime, title: format.timeOfDay(job.createTime) },
          format.ago(age),
        ),
      ),
    );
  }

  /**
   * @param {JobView[]} jobs
   * @param {string} next
   */
  #pager(jobs, next) {
    const back = this.#pages.length > 0;
    return h(
      'div',
      { class: 'chart-foot', key: 'pager' },
      (back || next !== '') &&
        h(
          'nav',
          { class: 'pager', 'aria-label': 'Pages' },
          h(
            'button',
            {
              type: 'button',
              class: 'button',
              disabled: !back || this.#turning,
              onclick: () => this.#turnTo(this.#pages.slice(0, -1)),
            },
            'Newer',
          ),
          h('span', null, `page ${this.#pages.length + 1}`),
          h(
            'button',
            {
              type: 'button',
              class: 'button',
              disabled: next === '' || this.#turning,
              onclick: () => this.#turnTo([...this.#pages, next]),
            },
            'Older',
          ),
        ),
      jobs.length > 0 &&
        exports('list', {
          CSV: () =>
            csv(
              'jobs.csv',
              jobs.map(({ trail, ...job }) => job),
            ),
          JSON: () => json('jobs.json', jobs),
          PNG: () => savePanel('jobs.png', document.querySelector('.table-card')),
        }),
    );
  }

  /**
   * Shows another page. What was chosen on this one is not seen there, and no more asked.
   *
   * @param {string[]} pages
   */
  async #turnTo(pages) {
    if (this.#turning) {
      return;
    }
    this.#turning = true;
    this.#pages = pages;
    this.#chosen.clear();
    this.#draw();
    await this.#reading.load();
    this.#turning = false;
    this.#draw();
  }

  /** Those of the chosen jobs that something may still be asked of. */
  #askable() {
    const ended = new Set(this.#ended());
    return [...this.#chosen].filter((job) => !ended.has(job));
  }

  /** Those of the chosen jobs that have ended. */
  #ended() {
    const jobs = this.#reading.value?.jobs ?? [];
    return jobs
      .filter((job) => hasEnded(job.state) && this.#chosen.has(job.id))
      .map((job) => job.id);
  }

  /** @param {((close: () => void) => Tree) | null} dialog */
  #open(dialog) {
    this.#dialog = dialog;
    this.#draw();
  }

  #askCancel() {
    const amount = plural(this.#askable().length, 'job');
    this.#open((close) =>
      question(
        {
          title: `Cancel ${amount}?`,
          text: 'The clocks that are scheduled are finished and a last snapshot is written. A canceled job cannot be resumed.',
          no: 'Keep them running',
          yes: `Cancel ${amount}`,
        },
        () => this.#askAll('cancel', 'Canceled'),
        close,
      ),
    );
  }

  #askDelete() {
    const jobs = this.#ended();
    const amount = plural(jobs.length, 'job');
    this.#open((close) =>
      question(
        {
          title: `Delete ${amount}?`,
          text: DELETION,
          no: 'Keep them',
          yes: `Delete ${amount}`,
        },
        () => this.#tellAll(jobs, (job) => remove(job), 'Deleted'),
        close,
      ),
    );
  }

  /**
   * @param {string} action
   * @param {string} done
   */
  #askAll(action, done) {
    return this.#tellAll(this.#askable(), (job) => post(`${job}/${action}`), done);
  }

  /**
   * @param {string[]} jobs
   * @param {(path: string) => Promise<any>} tell
   * @param {string} done
   */
  async #tellAll(jobs, tell, done) {
    this.#dialog = null;
    const answers = await Promise.allSettled(
      jobs.map((job) => tell(`/jobs/${encodeURIComponent(job)}`)),
    );
    const failed = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [String(answer.reason.message)] : [],
    );
    this.#chosen.clear();
    this.#say(
      failed.length === 0
        ? `${done}: ${plural(answers.length, 'job')}.`
        : `${failed.length} of ${plural(answers.length, 'job')} did not: ${failed[0]}`,
      failed.length > 0,
    );
    this.#reading.load();
  }

  /**
   * @param {string} text
   * @param {boolean} bad
   */
  #say(text, bad) {
    this.#said = { text, bad };
    this.#draw();
  }
}

/**
 * The jobs of a page by a column; those without a value come last either way.
 *
 * @param {JobView[]} jobs newest first
 * @param {{name: string, isDown: boolean}} sort
 * @param {Judges} judges
 */
export function sorted(jobs, sort, judges) {
  const by = COLUMNS.find(({ name }) => name === sort.name)?.by;
  if (!by || sort === NEWEST_FIRST) {
    return jobs;
  }
  const keyed = jobs.map((job) => ({ job, keys: by(job, judges) }));
  return keyed
    .toSorted((a, b) => comparison(a.keys, b.keys, sort.isDown ? -1 : 1))
    .map(({ job }) => job);
}

/**
 * @param {(string | number | null)[]} a
 * @param {(string | number | null)[]} b
 * @param {number} way 1 upwards, -1 downwards
 * @returns {number}
 */
function comparison(a, b, way) {
  const place = a.findIndex((value, i) => value !== b[i]);
  if (place < 0) {
    return 0;
  }
  const [x, y] = [a[place], b[place]];
  if (x === null || y === null) {
    return x === null ? 1 : -1;
  }
  return typeof x === 'string' || typeof y === 'string'
    ? way * String(x).localeCompare(String(y), undefined, { numeric: true })
    : way * (x - y);
}

const SPARK_WIDTH = 108;
const SPARK_HEIGHT = 26;

/**
 * The mainline at a glance, with a tick where the schedule changed.
 *
 * @param {JobView} job
 */
function spark({ trail }) {
  const places = trail.losses.flatMap((loss, i) => (loss === null ? [] : [{ x: i, y: loss }]));
  if (places.length < 2) {
    return null;
  }
  const low = Math.min(...places.map((p) => p.y));
  const high = Math.max(...places.map((p) => p.y));
  const end = Math.max(1, trail.losses.length - 1);
  const x = (/** @type {number} */ place) => 2 + (place / end) * (SPARK_WIDTH - 4);
  const y = (/** @type {number} */ loss) =>
    SPARK_HEIGHT - 4 - ((loss - low) / (high - low || 1)) * (SPARK_HEIGHT - 8);
  const ticks = trail.turns
    .map((turn) => turn / trail.clocks)
    .filter((turn) => turn > 0 && turn <= end);
  return h(
    'svg',
    { class: 'trail-spark', viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, 'aria-hidden': 'true' },
    h('path', {
      class: 'trail-ticks',
      d: ticks.map((turn) => `M${x(turn).toFixed(1)} 1V${SPARK_HEIGHT - 1}`).join(''),
    }),
    h('path', {
      class: 'trail-line',
      d: places
        .map((p, i) => `${i === 0 ? 'M' : 'L'}${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`)
        .join(''),
    }),
  );
}

/**
 * @param {number} amount
 * @param {string} noun
 */
function plural(amount, noun) {
  return `${format.count(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}

/**
 * Of a job that has ended what it ended with: what was evaluated last may be a model that it left.
 *
 * @param {JobView} job
 * @param {Judges} judges
 * @returns {[string | null, number | null]} metric and value; null where nothing was evaluated yet
 */
function resultOf(job, judges) {
  const judge = judgeOf(judges, job.program);
  const value = job.result?.value ?? null;
  if (hasEnded(job.state) && value !== null) {
    return [judge === '' ? 'result' : judge, value];
  }
  const name = judge in job.metrics ? judge : Object.keys(job.metrics)[0];
  return name === undefined ? [null, null] : [name, job.metrics[name]];
}

/**
 * @param {JobView} job
 * @param {Judges} judges
 */
export function resultCell(job, judges) {
  const [name, value] = resultOf(job, judges);
  const kept = hasEnded(job.state) && (job.result?.value ?? null) !== null;
  return h(
    'td',
    {
      class: 'num result-cell',
      'data-label': 'Result',
      title: kept ? 'validation result of the model that was kept' : 'as evaluated last',
    },
    format.measured(value, 4),
    name !== null && h('span', { class: 'sub' }, format.words(name)),
  );
}
