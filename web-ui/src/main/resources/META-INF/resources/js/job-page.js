// One job, live: what it does and why, in words, in a drawing, in tables and in its decisions.

import { RequestProblem } from './api.js';
import { h, patch } from './dom.js';
import { decisionsPanel, roundsPanel } from './evidence.js';
import { JobFeed } from './feed.js';
import { ACTIONS, head, linkState } from './head.js';
import { problem, skeleton } from './notices.js';
import { Plot } from './plot.js';

/** Live data is drawn at most this often. */
const FRAME_MILLIS = 250;

/** How long the answer to an action is shown. */
const SAID_MILLIS = 6000;

/** Failures after which there is nothing to show, even if there was. */
const DENIALS = [401, 403, 404];

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 * @param {string} id
 */
export function jobPage(content, trail, id) {
  const page = new JobPage(content, trail, id);
  page.open();
  return page;
}

/** Draws a job's page whenever its feed has news or its reader does something. */
class JobPage {
  #content;
  #trail;
  #id;
  #feed;
  #plot;
  #head = { asking: false, busy: false, said: /** @type {string | null} */ (null), saidBad: false };
  #allDecisions = false;
  #planned = false;
  #closed = false;
  #drawnAt = 0;

  /**
   * @param {HTMLElement} content
   * @param {HTMLElement} trail
   * @param {string} id
   */
  constructor(content, trail, id) {
    this.#content = content;
    this.#trail = trail;
    this.#id = id;
    this.#feed = new JobFeed(id, () => this.#drawSoon());
    this.#plot = new Plot(this.#feed.model, () => this.#draw());
  }

  open() {
    this.#draw();
    this.#feed.open();
  }

  close() {
    this.#closed = true;
    this.#feed.close();
    this.#plot.close();
  }

  #drawSoon() {
    if (this.#planned) {
      return;
    }
    this.#planned = true;
    const wait = Math.max(0, FRAME_MILLIS - (Date.now() - this.#drawnAt));
    window.setTimeout(() => {
      requestAnimationFrame(() => {
        this.#planned = false;
        this.#drawnAt = Date.now();
        this.#draw();
      });
    }, wait);
  }

  #draw() {
    if (this.#closed) {
      return;
    }
    const { model, loaded, error } = this.#feed;
    const name = model.job?.name ?? this.#id;
    document.title = `${name} · Espalier`;
    patch(
      this.#trail,
      h('a', { class: 'crumb', href: '#/' }, 'Jobs'),
      h('span', { class: 'crumb-mark', 'aria-hidden': 'true' }, '/'),
      h('span', { class: 'crumb here' }, name),
      loaded && linkState(this.#feed),
    );
    const denied = error instanceof RequestProblem && DENIALS.includes(error.status);
    if (error && (denied || !loaded)) {
      patch(
        this.#content,
        h(
          'div',
          { key: 'problem' },
          problem(error, () => this.#feed.open()),
        ),
      );
    } else if (!loaded || !model.job) {
      patch(this.#content, h('div', { key: 'skeleton' }, skeleton(4)));
    } else {
      this.#drawJob(model.job);
    }
  }

  /** @param {import('./types.js').JobView} job */
  #drawJob(job) {
    const { model } = this.#feed;
    const plot = this.#plot;
    const onHead = {
      act: (/** @type {keyof typeof ACTIONS} */ action) => this.#act(action),
      ask: (/** @type {boolean} */ asking) => {
        this.#head.asking = asking;
        this.#draw();
      },
    };
    const onRounds = {
      focus: (/** @type {number | null} */ branch) => plot.pointAt(branch),
      show: (/** @type {number} */ round) => {
        plot.showRound(round);
        plot.scrollIntoView();
      },
    };
    const showAll = () => {
      this.#allDecisions = true;
      this.#draw();
    };
    patch(
      this.#content,
      h(
        'div',
        { class: 'job', key: 'job' },
        head(job, this.#feed, this.#head, onHead),
        plot.card(),
        h(
          'div',
          { class: 'columns', key: 'columns' },
          roundsPanel(model, plot.focus, onRounds),
          decisionsPanel(model, this.#allDecisions, showAll),
        ),
      ),
    );
    plot.drawOver();
  }

  /** @param {keyof typeof ACTIONS} action */
  async #act(action) {
    this.#head.asking = false;
    this.#head.busy = true;
    this.#draw();
    try {
      await this.#feed.ask(ACTIONS[action].path);
      this.#say(ACTIONS[action].done, false);
    } catch (thrown) {
      this.#say(thrown instanceof Error ? thrown.message : String(thrown), true);
    }
    this.#head.busy = false;
    this.#draw();
  }

  /**
   * @param {string} text
   * @param {boolean} bad
   */
  #say(text, bad) {
    this.#head.said = text;
    this.#head.saidBad = bad;
    window.setTimeout(() => {
      if (this.#head.said === text) {
        this.#head.said = null;
        this.#draw();
      }
    }, SAID_MILLIS);
  }
}
