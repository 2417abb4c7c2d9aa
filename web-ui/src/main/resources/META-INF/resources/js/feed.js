// What the page holds of one job, kept up with the server: loaded once, then followed.

import { follow, get, getAll, post, RequestProblem } from './api.js';
import { applyEvent, emptyModel, hasEnded, mainlineChain } from './model.js';

/** @import {SeriesView} from './types.js' */

/** A series is asked for at most this often. */
const SERIES_MILLIS = 1000;

const SERIES_AT_ONCE = 4;
const MAINLINE_POINTS = 320;
const TRIAL_POINTS = 48;

/** After this long without a link, what is shown counts as stale. */
const STALE_MILLIS = 4000;

/** After this long without an event, a running job is asked for, in case the link is dead. */
const QUIET_MILLIS = 15_000;

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

  #id;
  #root;
  #onChange;
  #ending = new AbortController();
  /** @type {() => void} */
  #unfollow = () => {};
  /** @type {Map<number, number>} when each series was last asked for */
  #asked = new Map();
  #inFlight = 0;
  #timer;

  /**
   * @param {string} id of the job
   * @param {() => void} onChange called when there is news, and once a second
   */
  constructor(id, onChange) {
    this.#id = id;
    this.#root = `/jobs/${encodeURIComponent(id)}`;
    this.#onChange = onChange;
    this.#timer = window.setInterval(() => this.#tick(), 1000);
  }

  /** Whether the link has been gone for so long that the reader must know. */
  get isStale() {
    return this.link === 'reconnecting' && Date.now() - this.lostAt >= STALE_MILLIS;
  }

  /** Loads the job and follows it. */
  async open() {
    await this.#load();
    if (this.#ending.signal.aborted) {
      return;
    }
    if (this.error) {
      if (this.error instanceof RequestProblem && this.error.status === 0) {
        window.setTimeout(() => this.open(), RETRY_MILLIS);
      }
      return;
    }
    this.#unfollow();
    this.#unfollow = follow(this.#id, {
      onEvent: (type, data) => this.#onEvent(type, data),
      onLink: (live) => this.#onLink(live),
    });
  }

  /**
   * Asks something of the job.
   *
   * @param {string} path below the job, such as `pause`
   */
  async ask(path) {
    await post(`${this.#root}/${path}`);
    this.model.job = await get(this.#root, this.#ending.signal);
  }

  close() {
    this.#ending.abort();
    this.#unfollow();
    window.clearInterval(this.#timer);
  }

  async #load() {
    const root = this.#root;
    const { signal } = this.#ending;
    try {
      const [job, branches, rounds, decisions, schedule, evaluations] = await Promise.all([
        get(root, signal),
        getAll(`${root}/branches?pageSize=500`, signal),
        getAll(`${root}/rounds`, signal),
        getAll(`${root}/decisions?pageSize=500`, signal),
        get(`${root}/schedule`, signal),
        getAll(`${root}/evaluations`, signal),
      ]);
      this.#take('snapshot', { job, branches, rounds, decisions, schedule, evaluations });
      this.loaded = true;
      this.error = null;
    } catch (thrown) {
      this.error = thrown;
    }
    this.#changed();
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #onEvent(type, data) {
    this.#take(type, data);
    this.#changed();
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #take(type, data) {
    this.lastNews = Date.now();
    applyEvent(this.model, type, data);
    this.#fetchWanted();
  }

  /** @param {boolean} live */
  #onLink(live) {
    if (!live && this.link !== 'reconnecting') {
      this.lostAt = Date.now();
      this.#askWhetherSignedOut();
    }
    this.link = live ? 'live' : 'reconnecting';
    this.#changed();
  }

  /** A session that ended looks like a lost link; asking once tells them apart. */
  async #askWhetherSignedOut() {
    try {
      await get(this.#root, this.#ending.signal);
    } catch (thrown) {
      if (thrown instanceof RequestProblem && (thrown.status === 401 || thrown.status === 403)) {
        this.error = thrown;
        this.#unfollow();
        this.#changed();
      }
    }
  }

  #fetchWanted() {
    const { model } = this;
    const chain = mainlineChain(model.branches, model.job?.mainlineBranch ?? -1);
    const mainline = new Set(chain.map((part) => part.branch));
    for (const branch of [...model.wanted]) {
      if (this.#inFlight >= SERIES_AT_ONCE) {
        return;
      }
      if (Date.now() - (this.#asked.get(branch) ?? 0) >= SERIES_MILLIS) {
        this.#fetchSeries(branch, mainline.has(branch) ? MAINLINE_POINTS : TRIAL_POINTS);
      }
    }
  }

  /**
   * @param {number} branch
   * @param {number} points at most so many
   */
  async #fetchSeries(branch, points) {
    const { model } = this;
    const path = `${this.#root}/branches/${branch}/metrics?points=${points}`;
    model.wanted.delete(branch);
    this.#asked.set(branch, Date.now());
    this.#inFlight++;
    try {
      const series = /** @type {SeriesView} */ (await get(path, this.#ending.signal));
      model.series.set(branch, series);
      this.#changed();
    } catch (thrown) {
      if (thrown instanceof RequestProblem && thrown.status === 0) {
        model.wanted.add(branch);
      }
    } finally {
      this.#inFlight--;
      this.#fetchWanted();
    }
  }

  #tick() {
    this.#fetchWanted();
    const running = this.model.job && !hasEnded(this.model.job.state);
    const quiet = Date.now() - this.lastNews > QUIET_MILLIS;
    if (this.loaded && running && this.link === 'live' && quiet) {
      this.lastNews = Date.now();
      this.#load();
    }
    this.#changed();
  }

  #changed() {
    if (!this.#ending.signal.aborted) {
      this.#onChange();
    }
  }
}
