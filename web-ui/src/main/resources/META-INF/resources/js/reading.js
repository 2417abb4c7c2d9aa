// What a page reads from the server, once or again and again, and how that went.

import { isSilence } from './api.js';
import { h } from './dom.js';
import { problem, skeleton } from './notices.js';
import { watchSight } from './sight.js';

/** @import {Tree} from './dom.js' */

const REFRESH_MILLIS = 3000;

/** When something is read again: one reading at a time, not too often, and not after the end. */
export class Turn {
  #millis;
  #again;
  #busy = false;
  #wasLast = false;
  #failed = false;
  #isResting = false;
  #timer = 0;

  /**
   * @param {number} millis between two readings
   * @param {() => void} again is called when what failed is due again: there may be no other news
   */
  constructor(millis, again) {
    this.#millis = millis;
    this.#again = again;
  }

  /**
   * Reads where that is due.
   *
   * @param {boolean} ended what is read changes no more: this reading is the last
   * @param {() => Promise<boolean>} read gives whether there was something to read
   */
  async take(ended, read) {
    const due = !this.#isResting || (ended && !this.#failed);
    if (this.#busy || this.#wasLast || !due) {
      return;
    }
    this.#busy = true;
    try {
      const was = await read();
      this.#failed = false;
      this.#wasLast = was && ended;
      this.#rest(was);
    } catch {
      this.#failed = true;
      this.#rest(true);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {boolean} asked whether the server was: where it was not, there is nothing to wait for */
  #rest(asked) {
    window.clearTimeout(this.#timer);
    this.#isResting = asked;
    if (asked) {
      this.#timer = window.setTimeout(() => this.#wake(), this.#millis);
    }
  }

  #wake() {
    this.#isResting = false;
    if (this.#failed) {
      this.#again();
    }
  }
}

/**
 * Reads for a page until the page is closed; an answer that a later question has overtaken is not
 * taken, and while the page is hidden nothing is asked again.
 *
 * @template T
 */
export class Reading {
  /** @type {T | null} the last answer */
  value = null;
  /** @type {unknown} why there was no answer to the last question; null when there was one */
  error = null;
  /** When the last answer came, in milliseconds since 1970. */
  readAt = 0;
  #read;
  #draw;
  #isMoving;
  #unwatch;
  #timer = 0;
  #turn = 0;
  #ending = new AbortController();

  /**
   * @param {(signal: AbortSignal) => Promise<T>} read
   * @param {() => void} draw is called when the last question is answered, or will not be
   * @param {(value: T | null) => boolean} isMoving whether to ask again soon
   */
  constructor(read, draw, isMoving) {
    this.#read = read;
    this.#draw = draw;
    this.#isMoving = isMoving;
    this.#unwatch = watchSight(
      () => this.#goOn() && this.load(),
      () => window.clearTimeout(this.#timer),
    );
  }

  get isClosed() {
    return this.#ending.signal.aborted;
  }

  close() {
    this.#ending.abort();
    this.#unwatch();
    window.clearTimeout(this.#timer);
  }

  async load() {
    window.clearTimeout(this.#timer);
    const turn = ++this.#turn;
    let value = this.value;
    /** @type {unknown} */
    let error = null;
    try {
      value = await this.#read(this.#ending.signal);
    } catch (thrown) {
      error = thrown;
    }
    if (this.isClosed || turn !== this.#turn) {
      return;
    }
    this.value = value;
    this.error = error;
    this.readAt = error === null ? Date.now() : this.readAt;
    this.#draw();
    if (this.#goOn() && !document.hidden) {
      this.#timer = window.setTimeout(() => this.load(), REFRESH_MILLIS);
    }
  }

  #goOn() {
    return isSilence(this.error) || this.#isMoving(this.value);
  }

  /** Why what is shown is old, in words. */
  silence() {
    const words = this.error instanceof Error ? this.error.message : String(this.error);
    return `${words} Trying again.`;
  }

  /**
   * Shapes until there is an answer, and what went wrong where nothing can be shown: an old answer
   * stays while the server is silent, not when it refuses.
   *
   * @param {number} blocks of the shapes
   * @param {(value: T) => Tree} show
   * @returns {Tree}
   */
  shown(blocks, show) {
    if (this.error !== null && (this.value === null || !isSilence(this.error))) {
      const notice = problem(this.error, () => this.load());
      return h('div', { key: 'problem' }, notice);
    }
    return this.value === null
      ? h('div', { key: 'skeleton' }, skeleton(blocks))
      : show(this.value);
  }
}
