// What the page holds of one job, kept up with the server: loaded once, then followed.

import { follow, get, getAll, isDenial, isSilence, post } from './api.js';
import {
  addBranches,
  addPast,
  applyEvent,
  emptyModel,
  hasEnded,
  isIncomplete,
  wantSeries,
} from './model.js';
import { watchSight } from './sight.js';

/** @import {DecisionView, WorkerView} from './types.js' */

/** A series is asked for at most this often. */
const SERIES_MILLIS = 1000;

/** So many series are asked for in one request. */
const SERIES_AT_ONCE = 100;

const MAINLINE_POINTS = 800;
const TRIAL_POINTS = 32;

/** How often the workers of a running job are asked for. */
const WORKERS_MILLIS = 5000;

/** After this long without a link, what is shown counts as stale. */
const STALE_MILLIS = 4000;

/** The server says something every fifteen seconds: after this long without, the link is dead. */
const QUIET_MILLIS = 40_000;

const TICK_MILLIS = 1000;

/** How long to wait for a server that does not answer. */
const RETRY_MILLIS = 3000;

/** A job's model and the state of the link that feeds it. */
export class JobFeed {
  model = emptyModel();
  loaded = false;
  /** @type {unknown} why the job could not be loaded; null when it could */
  error = null;
  /** @type {'connecting' | 'live' | 'reconnecting'} */
  link = 'connecting';
  /** Milliseconds of the last news. */
  lastNews = Date.now();
  /** Milliseconds at which the link was lost. */
  lostAt = 0;
  /** @type {WorkerView[]} */
  workers = [];
  /** Whether earlier decisions are on their way. */
  loadingDecisions = false;

  #id;
  #root;
  #onChange;
  #ending = new AbortController();
  /** @type {() => void} */
  #unfollow = () => {};
  #unwatch;
  /** @type {Map<number, number>} when each series was last asked for */
  #asked = new Map();
  #askedMainline = 0;
  #askedWorkers = 0;
  #busy = false;
  /** @type {[number, number] | null} the mainline clocks that are looked at */
  #looked = null;
  /** The last event that the page knows. */
  #sequence = 0;
  #timer = 0;
  #retry = 0;
  #turn = 0;

  /**
   * @param {string} id of the job
   * @param {() => void} onChange called when there is news, and once a second while the job runs
   *     and the page can be seen
   */
  constructor(id, onChange) {
    this.#id = id;
    this.#root = `/jobs/${encodeURIComponent(id)}`;
    this.#onChange = onChange;
    this.#unwatch = watchSight(
      () => this.#wake(),
      () => this.#sleep(),
    );
  }

  /** Whether the link has been gone for so long that the reader must know. */
  get isStale() {
    return this.link === 'reconnecting' && Date.now() - this.lostAt >= STALE_MILLIS;
  }

  /** Loads the job and follows it. */
  async open() {
    const turn = ++this.#turn;
    window.clearTimeout(this.#retry);
    await this.#load(turn);
    if (this.#ending.signal.aborted || turn !== this.#turn) {
      return;
    }
    if (this.error === null) {
      this.#follow();
    } else if (isSilence(this.error) && !document.hidden) {
      this.#retry = window.setTimeout(() => this.open(), RETRY_MILLIS);
    }
  }

  #follow() {
    this.#unfollow();
    if (document.hidden) {
      return;
    }
    this.#unfollow = follow(this.#id, this.#sequence, {
      onEvent: (type, data, sequence) => this.#onEvent(type, data, sequence),
      onPing: () => (this.lastNews = Date.now()),
      onLink: (live) => this.#onLink(live),
      onRefused: () => this.#askWhetherDenied(),
    });
    this.#startTicking();
  }

  /** A browser has few links to a server: a hidden page gives its own away. */
  #sleep() {
    this.#unfollow();
    window.clearTimeout(this.#retry);
    this.#stopTicking();
    this.link = 'connecting';
  }

  #wake() {
    if (this.loaded && this.error === null) {
      this.#follow();
      this.#changed();
    } else {
      this.open();
    }
  }

  #startTicking() {
    if (this.#timer === 0 && !document.hidden) {
      this.#timer = window.setInterval(() => this.#tick(), TICK_MILLIS);
    }
  }

  #stopTicking() {
    window.clearInterval(this.#timer);
    this.#timer = 0;
  }

  /**
   * Asks something of the job.
   *
   * @param {string} path below the job, such as `pause`
   * @param {object} [body]
   */
  async ask(path, body) {
    applyEvent(this.model, 'job.changed', await post(`${this.#root}/${path}`, body));
  }

  /**
   * Gets finer points of a part of the mainline.
   *
   * @param {[number, number] | null} clocks null for the whole
   */
  async lookAt(clocks) {
    this.#looked = clocks;
    const buckets = this.model.mainline;
    const widest = buckets.length > 0 ? buckets[0].toClock - buckets[0].fromClock : 1;
    if (clocks === null || widest <= 1) {
      this.model.detail = null;
      return;
    }
    const [from, to] = clocks.map((clock) => Math.max(0, Math.floor(clock)));
    const path = `${this.#root}/mainline?points=${MAINLINE_POINTS}&from=${from}&to=${to + 1}`;
    try {
      const view = await get(path, this.#ending.signal);
      if (this.#looked === clocks) {
        this.model.detail = view.buckets;
        this.#changed();
      }
    } catch {
      // The whole stays on the screen.
    }
  }

  /** Gets the decisions before the earliest one that is known. */
  async loadDecisions() {
    this.loadingDecisions = true;
    this.#changed();
    const { model } = this;
    try {
      /** @type {DecisionView[]} */
      const all = await getAll(`${this.#root}/decisions?pageSize=1000`, this.#ending.signal);
      const known = new Set(all.map((one) => one.sequence));
      model.decisions = [...all, ...model.decisions.filter((one) => !known.has(one.sequence))];
      model.moreDecisions = false;
    } finally {
      this.loadingDecisions = false;
      this.#changed();
    }
  }

  /**
   * Gets the branches of a round that the overview left out.
   *
   * @param {number} round
   */
  async completeRound(round) {
    if (!isIncomplete(this.model, round)) {
      return;
    }
    const path = `${this.#root}/branches?round=${round}&pageSize=1000`;
    try {
      addBranches(this.model, await getAll(path, this.#ending.signal));
      this.#changed();
    } catch {
      // What is known stays on the screen; opening the round again asks again.
    }
  }

  /**
   * Gets a branch that the overview left out.
   *
   * @param {number} branch
   */
  async completeBranch(branch) {
    if (this.loaded && this.model.leftOut > 0 && !this.model.branches.has(branch)) {
      addBranches(this.model, [
        await get(`${this.#root}/branches/${branch}`, this.#ending.signal),
      ]);
      this.#changed();
    }
  }

  /**
   * Gets the losses of branches that are drawn by them, and goes on doing so while they grow.
   *
   * @param {number[]} branches
   */
  want(branches) {
    branches.forEach((branch) => wantSeries(this.model, branch));
    if (this.loaded && this.model.wanted.size > 0) {
      this.#startTicking();
    }
  }

  close() {
    this.#ending.abort();
    this.#unwatch();
    this.#sleep();
  }

  /**
   * @param {number} turn an answer that a later turn has overtaken is older than what is shown
   */
  async #load(turn) {
    try {
      const overview = await get(
        `${this.#root}/overview?points=${MAINLINE_POINTS}`,
        this.#ending.signal,
      );
      if (turn !== this.#turn) {
        return;
      }
      this.#sequence = overview.sequence;
      this.model.mainline = overview.mainline.buckets;
      applyEvent(this.model, 'snapshot', overview.views);
      this.model.wantsMainline = false;
      this.lastNews = Date.now();
      this.#fetchWanted();
      this.loaded = true;
      this.error = null;
    } catch (thrown) {
      if (turn !== this.#turn) {
        return;
      }
      this.error = thrown;
    }
    this.#changed();
  }

  /**
   * @param {string} type
   * @param {any} data
   * @param {number} sequence
   */
  #onEvent(type, data, sequence) {
    this.lastNews = Date.now();
    this.#sequence = type === 'snapshot' ? sequence : Math.max(this.#sequence, sequence);
    applyEvent(this.model, type, data);
    if (type === 'worker.stalled') {
      this.#askedWorkers = 0;
    }
    this.#fetchWanted();
    this.#startTicking();
    this.#changed();
  }

  /** @param {boolean} live */
  #onLink(live) {
    if (live) {
      this.lastNews = Date.now();
    } else if (this.link !== 'reconnecting') {
      this.lostAt = Date.now();
      this.#askWhetherDenied();
    }
    this.link = live ? 'live' : 'reconnecting';
    this.#startTicking();
    this.#changed();
  }

  /**
   * A session that ended looks like a lost link, as a browser does not tell why it got none; a
   * request tells them apart. It may end while the server is away, so each refusal is looked into.
   */
  async #askWhetherDenied() {
    try {
      await get(this.#root, this.#ending.signal);
    } catch (thrown) {
      if (isDenial(thrown)) {
        this.error = thrown;
        this.#sleep();
        this.#changed();
      }
    }
  }

  async #fetchWanted() {
    if (this.#busy || this.#ending.signal.aborted) {
      return;
    }
    this.#busy = true;
    try {
      await this.#fetchMainline();
      await this.#fetchPast();
      await this.#fetchSeries();
      await this.#fetchWorkers();
    } catch (thrown) {
      // Asked for again with the next tick; what is on the screen stays.
    } finally {
      this.#busy = false;
    }
  }

  async #fetchMainline() {
    const { model } = this;
    if (!model.wantsMainline || Date.now() - this.#askedMainline < SERIES_MILLIS) {
      return;
    }
    this.#askedMainline = Date.now();
    const path = `${this.#root}/mainline?points=${MAINLINE_POINTS}`;
    const view = await get(path, this.#ending.signal);
    model.mainline = view.buckets;
    model.wantsMainline = false;
    this.#changed();
    if (this.#looked !== null) {
      this.lookAt(this.#looked);
    }
  }

  async #fetchPast() {
    if (!this.model.wantsPast) {
      return;
    }
    const all = (/** @type {string} */ list) =>
      getAll(`${this.#root}/${list}?pageSize=1000`, this.#ending.signal);
    const [rounds, evaluations, snapshots] = await Promise.all([
      all('rounds'),
      all('evaluations'),
      all('snapshots'),
    ]);
    addPast(this.model, { rounds, evaluations, snapshots });
    this.#changed();
  }

  async #fetchSeries() {
    const { model } = this;
    const now = Date.now();
    const due = [...model.wanted]
      .filter((branch) => now - (this.#asked.get(branch) ?? 0) >= SERIES_MILLIS)
      .slice(-SERIES_AT_ONCE);
    if (due.length === 0) {
      return;
    }
    this.#asked = new Map([...this.#asked].filter(([, at]) => now - at < SERIES_MILLIS));
    due.forEach((branch) => this.#asked.set(branch, now));
    const path = `${this.#root}/series?branches=${due.join(',')}&points=${TRIAL_POINTS}`;
    const page = await get(path, this.#ending.signal);
    due.forEach((branch) => model.wanted.delete(branch));
    for (const series of page.items) {
      model.series.set(series.branch, series);
    }
    this.#changed();
  }

  async #fetchWorkers() {
    if (this.#hasEnded() || Date.now() - this.#askedWorkers < WORKERS_MILLIS) {
      return;
    }
    this.#askedWorkers = Date.now();
    this.workers = (await get(`${this.#root}/workers`, this.#ending.signal)).items;
    this.#changed();
  }

  #tick() {
    this.#fetchWanted();
    if (this.link === 'live' && Date.now() - this.lastNews > QUIET_MILLIS) {
      this.lastNews = Date.now();
      this.#follow();
    }
    if (this.#isAtRest()) {
      this.#stopTicking();
    }
    this.#changed();
  }

  #hasEnded() {
    return hasEnded(this.model.job?.state ?? '');
  }

  /** Whether nothing changes any more, not even with the time. */
  #isAtRest() {
    const { wantsMainline, wanted } = this.model;
    return this.#hasEnded() && this.link === 'live' && !wantsMainline && wanted.size === 0;
  }

  #changed() {
    if (!this.#ending.signal.aborted) {
      this.#onChange();
    }
  }
}
