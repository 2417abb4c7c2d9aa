// What a page reads from the server, once or again and again, and how that went.

import { RequestProblem } from './api.js';
import { h } from './dom.js';
import { problem, skeleton } from './notices.js';

/** @import {Tree} from './dom.js' */

const REFRESH_MILLIS = 3000;

/**
 * Reads for a page until the page is closed; an answer that a later question has overtaken is not
 * taken.
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
  }

  get isClosed() {
    return this.#ending.signal.aborted;
  }

  close() {
    this.#ending.abort();
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
    if (this.#isMoving(value)) {
      this.#timer = window.setTimeout(() => this.load(), REFRESH_MILLIS);
    }
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
    const isRefused = this.error instanceof RequestProblem && this.error.status !== 0;
    if (this.error !== null && (this.value === null || isRefused)) {
      const notice = problem(this.error, () => this.load());
      return h('div', { key: 'problem' }, notice);
    }
    return this.value === null
      ? h('div', { key: 'skeleton' }, skeleton(blocks))
      : show(this.value);
  }
}
