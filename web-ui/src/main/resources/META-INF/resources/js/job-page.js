// One job, live: what it does and why, in words, in a drawing, in tables and in its decisions.

import { get, getText, isDenial, post, remove } from './api.js';
import { comparePanel } from './compare.js';
import { question, tryCost, tryDialog, tryWords } from './dialogs.js';
import { apiPanel, configPanel, logsPanel } from './documents.js';
import { h, patch } from './dom.js';
import { drawer, judgedClocks } from './drawer.js';
import { watchEdges } from './edges.js';
import { decisionsPanel, roundsPanel } from './evidence.js';
import { JobFeed } from './feed.js';
import * as format from './format.js';
import { ACTIONS, cancelDialog, deleteDialog, head, linkState } from './head.js';
import { hasEnded, isPopulation } from './model.js';
import { problem, skeleton } from './notices.js';
import { MOST_COMPARED } from './overlay.js';
import { parallelPanel } from './parallel.js';
import { Plot } from './plot.js';
import { Turn } from './reading.js';
import { jobAddress, TABS } from './route.js';
import { snapshotsPanel } from './snapshots.js';
import { treePanel } from './tree.js';

/** @import {Bounds} from './dialogs.js' */
/** @import {Tree} from './dom.js' */
/** @import {Unit} from './model.js' */
/** @import {Brushes} from './parallel.js' */
/** @import {Route} from './route.js' */
/** @import {BranchView, JobView, SeriesView, Setting, SnapshotView} from './types.js' */

/** Live data is drawn at most this often. */
const FRAME_MILLIS = 250;

/** How long the answer to an action is shown. */
const SAID_MILLIS = 6000;

/** How often logs are read anew, and a running branch's losses. */
const LOG_MILLIS = 3000;
const BRANCH_MILLIS = 1500;

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 * @param {Route} route
 */
export function jobPage(content, trail, route) {
  const page = new JobPage(content, trail, route);
  page.open();
  return page;
}

/** Draws a job's page whenever its feed has news or its reader does something. */
class JobPage {
  #content;
  #trail;
  #id;
  #route;
  #feed;
  #plot;
  #head = { busy: false, said: /** @type {string | null} */ (null), saidBad: false };
  #decisions = { all: false, people: false };
  #rounds = {
    open: /** @type {Map<number, boolean>} */ (new Map()),
    all: /** @type {Set<number>} */ (new Set()),
    allRounds: false,
    brushes: /** @type {Brushes} */ (new Map()),
  };
  #tree = { open: /** @type {Set<number>} */ (new Set()), all: false };
  #allSnapshots = false;
  /** @type {Unit} what goes across where branches are compared */
  #compareUnit = 'time';
  /** Whether what is far down the page has come near to the window once. */
  #isParallelSeen = false;
  #near = new IntersectionObserver((entries) => this.#onNear(entries), { rootMargin: '400px' });
  /** @type {((close: () => void) => Tree) | null} the dialog that is open */
  #dialog = null;
  /** @type {{given: Setting, problem: string | null} | null} the setting that is being tried */
  #trying = null;
  /** @type {any} */
  #config = null;
  /** @type {any} */
  #defaults = undefined;
  /** @type {Bounds[] | null} */
  #bounds = null;
  /** @type {string | null} */
  #logs = null;
  /** @type {string | null} */
  #logsFailed = null;
  /** @type {SeriesView | null} the losses of the branch in the drawer */
  #series = null;
  /** @type {Set<number>} branches that the server does not know */
  #missing = new Set();
  #seriesTurn = this.#turn(BRANCH_MILLIS);
  #logsTurn = this.#turn(LOG_MILLIS);
  #configTurn = this.#turn(LOG_MILLIS);
  #compareTurn = this.#turn(BRANCH_MILLIS);
  #planned = false;
  #closed = false;
  #drawnAt = 0;
  #ending = new AbortController();
  /** What is laid over a page goes by Esc wherever the focus is, unless that has a use for the key. */
  #onKey = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isFree = !event.defaultPrevented && !target.closest('dialog');
    if (event.key === 'Escape' && isFree && this.#branch() !== null) {
      this.#showBranch(null);
    }
  };
  /** Drawings are as wide as there is room. */
  #onResize = () => this.#onNews();

  /**
   * @param {HTMLElement} content
   * @param {HTMLElement} trail
   * @param {Route} route
   */
  constructor(content, trail, route) {
    this.#content = content;
    this.#trail = trail;
    this.#route = route;
    this.#id = route.job;
    this.#feed = new JobFeed(this.#id, () => this.#onNews());
    this.#plot = new Plot(this.#feed.model, {
      redraw: () => this.#draw(),
      open: (branch) => this.#showBranch(branch),
      look: (clocks) => this.#feed.lookAt(clocks),
    });
  }

  open() {
    this.#draw();
    this.#feed.open();
    this.#read();
    window.addEventListener('resize', this.#onResize);
    document.addEventListener('keydown', this.#onKey);
  }

  close() {
    this.#closed = true;
    window.removeEventListener('resize', this.#onResize);
    document.removeEventListener('keydown', this.#onKey);
    this.#near.disconnect();
    this.#ending.abort();
    this.#feed.close();
    this.#plot.close();
  }

  /** @param {Route} route */
  goTo(route) {
    const moved = route.tab !== this.#route.tab;
    if (route.params.get('branch') !== this.#route.params.get('branch')) {
      this.#series = null;
      this.#seriesTurn = this.#turn(BRANCH_MILLIS);
    }
    if (route.params.get('compare') !== this.#route.params.get('compare')) {
      this.#compareTurn = this.#turn(BRANCH_MILLIS);
    }
    this.#route = route;
    this.#draw();
    this.#read();
    if (moved) {
      this.#content.focus({ preventScroll: true });
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onNear(entries) {
    if (entries.some((entry) => entry.isIntersecting)) {
      this.#near.disconnect();
      this.#isParallelSeen = true;
      this.#draw();
    }
  }

  #onNews() {
    this.#read();
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

  /** @param {number} millis */
  #turn(millis) {
    return new Turn(millis, () => this.#read());
  }

  /** Gets what only the part that is shown needs, where it is due. */
  #read() {
    if (this.#closed) {
      return;
    }
    const { signal } = this.#ending;
    const ended = hasEnded(this.#feed.model.job?.state ?? '');
    this.#seriesTurn.take(ended, () => this.#readSeries(signal));
    if (this.#route.tab === 'config' && this.#config === null) {
      this.#configTurn.take(false, () => this.#showConfig(signal));
    }
    if (this.#route.tab === 'compare') {
      this.#compareTurn.take(ended, () => this.#readCompared());
    }
    if (this.#route.tab === 'logs') {
      this.#logsTurn.take(ended, () => this.#readLogs(signal));
    }
  }

  /** @param {AbortSignal} signal */
  async #showConfig(signal) {
    await this.#readConfig(signal);
    this.#draw();
    return true;
  }

  /** @param {AbortSignal} signal */
  async #readLogs(signal) {
    try {
      this.#logs = await getText(`${this.#root()}/logs?tail=500`, signal);
      this.#logsFailed = null;
      return true;
    } catch (thrown) {
      this.#logsFailed = words(thrown);
      throw thrown;
    } finally {
      this.#draw();
    }
  }

  #root() {
    return `/jobs/${encodeURIComponent(this.#id)}`;
  }

  /**
   * Whether the job has a branch as far as is known; one that the overview left out is asked for,
   * until the server has answered.
   *
   * @param {number} branch
   * @throws {RequestProblem} when it does not
   */
  async #knows(branch) {
    const { branches } = this.#feed.model;
    if (!branches.has(branch) && !this.#missing.has(branch)) {
      try {
        await this.#feed.completeBranch(branch);
      } catch (thrown) {
        if (!isDenial(thrown)) {
          throw thrown;
        }
        this.#missing.add(branch);
      }
    }
    return branches.has(branch);
  }

  /** Gets the compared branches that the overview left out. */
  async #readCompared() {
    if (!this.#feed.loaded) {
      return false;
    }
    await Promise.all(this.#compared().map((branch) => this.#knows(branch)));
    this.#draw();
    return true;
  }

  /** @param {AbortSignal} signal */
  async #readSeries(signal) {
    const branch = this.#branch();
    if (branch === null || !(await this.#knows(branch))) {
      return false;
    }
    const view = /** @type {BranchView} */ (this.#feed.model.branches.get(branch));
    const judged = judgedClocks(view);
    const known = this.#series?.buckets.at(-1)?.toClock ?? 0;
    // The clocks of a running branch are told when it comes to rest.
    const isOver = view.state !== 'RUNNING' && known >= Math.min(view.clocks, judged);
    if (this.#series?.branch === branch && isOver) {
      return false;
    }
    const to = Number.isFinite(judged) ? `&to=${judged}` : '';
    const series = await get(`${this.#root()}/branches/${branch}/metrics?points=300${to}`, signal);
    if (this.#branch() === branch) {
      this.#series = series;
      this.#draw();
    }
    return true;
  }

  /** @param {AbortSignal} signal */
  async #readConfig(signal) {
    const config = await get(`${this.#root()}/config`, signal);
    try {
      // A program that needs data is not taken without.
      const { program, data } = config;
      const least = (await post('/jobs?dryRun=true', { program, data })).config;
      // Which keys of tuning there are, and one default, follow from the policy.
      const { policy } = config.tuning;
      const same =
        policy === least.tuning.policy
          ? least
          : (await post('/jobs?dryRun=true', { program, data, tuning: { policy } })).config;
      this.#defaults = {
        ...same,
        data: undefined,
        tuning: { ...same.tuning, policy: least.tuning.policy },
      };
    } catch {
      // The program or its data are not known any more: then nothing is compared.
      this.#defaults = undefined;
    }
    this.#config = config;
  }

  /** @param {AbortSignal} signal */
  async #readBounds(signal) {
    if (this.#config === null) {
      await this.#readConfig(signal);
    }
    if (this.#config.tunables) {
      this.#bounds = Object.entries(this.#config.tunables).map(([name, bounds]) => ({
        name,
        .../** @type {any} */ (bounds),
      }));
      return;
    }
    const programs = await get('/programs', signal);
    const program = programs.items.find(
      (/** @type {any} */ one) => one.name === this.#config.program,
    );
    this.#bounds = program?.tunables ?? [];
  }

  #branch() {
    const text = this.#route.params.get('branch');
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
  }

  #compared() {
    return (this.#route.params.get('compare') ?? '')
      .split(',')
      .filter((text) => /^\d{1,9}$/.test(text))
      .map(Number)
      .slice(0, MOST_COMPARED);
  }

  /**
   * Shows another part of the page, by its address.
   *
   * @param {{tab?: string, branch?: number | null, compare?: number[]}} change
   */
  #go(change) {
    const tab = change.tab ?? this.#route.tab;
    const compare = change.compare ?? this.#compared();
    const branch = change.branch === undefined ? this.#branch() : change.branch;
    location.hash = jobAddress(this.#id, tab, { branch, compare: compare.join(',') });
  }

  /** @param {number | null} branch */
  #showBranch(branch) {
    this.#go({ branch });
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
    if (error && (isDenial(error) || !loaded)) {
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

  /** @param {JobView} job */
  #drawJob(job) {
    const onHead = {
      act: (/** @type {keyof typeof ACTIONS} */ action) =>
        this.#ask(ACTIONS[action].path, ACTIONS[action].done),
      askCancel: () =>
        this.#open((close) =>
          cancelDialog(job, () => this.#ask(ACTIONS.cancel.path, ACTIONS.cancel.done), close),
        ),
      askDelete: () => this.#open((close) => deleteDialog(job, () => this.#delete(), close)),
      trySetting: () => this.#trySetting(job.setting),
      runAgain: () => this.#runAgain(),
      show: (/** @type {number} */ branch) => this.#showBranch(branch),
    };
    patch(
      this.#content,
      h(
        'div',
        { class: 'job', key: 'job' },
        head(job, this.#feed, this.#head, onHead),
        this.#tabs(),
        h('div', { key: `tab ${this.#route.tab}`, class: 'tab' }, this.#tab(job)),
        this.#drawer(),
        this.#trying && this.#tryDialog(job, this.#trying),
        this.#dialog?.(() => this.#open(null)),
      ),
    );
    this.#plot.drawOver();
  }

  #tabs() {
    const compare = this.#compared().join(',');
    return h(
      'nav',
      { class: 'tabs', key: 'tabs', 'aria-label': 'Parts of the job', created: watchEdges },
      Object.entries(TABS).map(([tab, name]) =>
        h(
          'a',
          {
            key: tab,
            href: jobAddress(this.#id, tab, { compare }),
            'aria-current': tab === this.#route.tab ? 'page' : null,
          },
          name,
          tab === 'compare' &&
            compare !== '' &&
            h('span', { class: 'badge' }, String(this.#compared().length)),
        ),
      ),
    );
  }

  /** @param {JobView} job */
  #tab(job) {
    const { model } = this.#feed;
    switch (this.#route.tab) {
      case 'compare':
        this.#feed.want(this.#compared());
        return comparePanel(
          model,
          this.#compared(),
          { missing: this.#missing, room: this.#panelWidth(), unit: this.#compareUnit },
          {
            add: (branch) => this.#compare(branch),
            remove: (branch) => this.#compare(branch),
            show: (branch) => this.#showBranch(branch),
            across: (unit) => {
              this.#compareUnit = unit;
              this.#draw();
            },
          },
        );
      case 'snapshots':
        return snapshotsPanel(
          model,
          { busy: this.#head.busy, all: this.#allSnapshots },
          {
            restore: (snapshot) => this.#askRestore(snapshot),
            pin: (snapshot) =>
              this.#ask(
                `snapshots/${snapshot.snapshot}/${snapshot.pinned ? 'unpin' : 'pin'}`,
                snapshot.pinned ? 'Unpinned.' : 'Pinned: it stays.',
              ),
            showAll: () => {
              this.#allSnapshots = true;
              this.#draw();
            },
            show: (branch) => this.#showBranch(branch),
          },
        );
      case 'config':
        return configPanel(this.#config, this.#defaults, job.id);
      case 'logs':
        return logsPanel(this.#logs, {
          failed: this.#logsFailed,
          reload: () => {
            this.#logsTurn = this.#turn(LOG_MILLIS);
            this.#read();
          },
          job: job.id,
          ended: hasEnded(job.state),
        });
      case 'api':
        return apiPanel(job.id);
      default:
        return this.#overview();
    }
  }

  #overview() {
    const { model } = this.#feed;
    const plot = this.#plot;
    const redraw = (/** @type {() => void} */ change) => {
      change();
      this.#draw();
    };
    const onTree = {
      focus: (/** @type {number | null} */ branch) => plot.pointAt(branch),
      show: (/** @type {number} */ branch) => this.#showBranch(branch),
      toggle: (/** @type {number} */ round) => {
        redraw(() => this.#tree.open.delete(round) || this.#tree.open.add(round));
        this.#feed.completeRound(round);
      },
      showAll: () => redraw(() => (this.#tree.all = true)),
      complete: (/** @type {number} */ round) => this.#feed.completeRound(round),
    };
    const onRounds = {
      focus: onTree.focus,
      show: (/** @type {number} */ round) => {
        plot.showRound(round);
        plot.scrollIntoView();
      },
      branch: onTree.show,
      toggle: (/** @type {number} */ round, /** @type {boolean} */ open) => {
        redraw(() => this.#rounds.open.set(round, open));
        this.#feed.completeRound(round);
      },
      all: (/** @type {number} */ round) => redraw(() => this.#rounds.all.add(round)),
      allRounds: () => redraw(() => (this.#rounds.allRounds = true)),
    };
    const { brushes } = this.#rounds;
    const onParallel = {
      brush: (/** @type {string} */ axis, /** @type {[number, number] | null} */ range) =>
        redraw(() => (range === null ? brushes.delete(axis) : brushes.set(axis, range))),
      clear: () => redraw(() => brushes.clear()),
      watch: (/** @type {HTMLElement} */ panel) => this.#near.observe(panel),
    };
    const onDecisions = {
      showAll: () => redraw(() => (this.#decisions.all = true)),
      people: (/** @type {boolean} */ only) => redraw(() => (this.#decisions.people = only)),
      load: () => this.#feed.loadDecisions(),
      branch: onTree.show,
    };
    return [
      plot.card(),
      treePanel(model, { focus: plot.focus, ...this.#tree }, onTree),
      parallelPanel(
        model,
        { focus: plot.focus, brushes, width: this.#panelWidth(), isSeen: this.#isParallelSeen },
        onParallel,
      ),
      h(
        'div',
        { class: 'columns', key: 'columns' },
        roundsPanel(model, { focus: plot.focus, ...this.#rounds }, onRounds),
        decisionsPanel(
          model,
          { ...this.#decisions, loading: this.#feed.loadingDecisions },
          onDecisions,
        ),
      ),
    ];
  }

  /** The room inside a card, as it was when the page was drawn last. */
  #panelWidth() {
    const panel = this.#content.querySelector('.parallel-plot, .job');
    return panel ? panel.clientWidth - 40 : 1000;
  }

  #drawer() {
    const branch = this.#branch();
    if (branch === null) {
      return null;
    }
    const series = this.#series?.branch === branch ? this.#series : null;
    return drawer(
      this.#feed.model,
      branch,
      series,
      { compared: this.#compared(), busy: this.#head.busy },
      {
        close: () => this.#showBranch(null),
        keep: (kept) => this.#askKeep(kept),
        discard: (given) => this.#ask(`branches/${given}/discard`, `Branch ${given} is given up.`),
        tryAgain: (view) => this.#trySetting(view.setting),
        compare: (one) => this.#compare(one),
      },
    );
  }

  /** @param {number} branch into the comparison, or out of it */
  #compare(branch) {
    const compared = this.#compared();
    const compare = compared.includes(branch)
      ? compared.filter((one) => one !== branch)
      : [...compared, branch].slice(-MOST_COMPARED);
    this.#go({ compare });
  }

  /** @param {((close: () => void) => Tree) | null} dialog */
  #open(dialog) {
    this.#dialog = dialog;
    this.#draw();
  }

  /** @param {number} branch */
  #askKeep(branch) {
    const population = isPopulation(this.#feed.model);
    this.#open((close) =>
      question(
        {
          title: `Keep branch ${branch}?`,
          text: population
            ? 'All other runs are given up, and this one alone is trained to its end. The best result so far stays the job’s until it does better.'
            : 'The round ends: this branch becomes the mainline, all others of the round are freed. A snapshot of it is written next.',
          no: population ? 'Let all go on' : 'Let the round go on',
          yes: 'Keep it',
          danger: false,
        },
        () =>
          this.#ask(
            `branches/${branch}/keep`,
            `Branch ${branch} ${population ? 'alone is trained on' : 'becomes the mainline'}.`,
          ),
        close,
      ),
    );
  }

  /** @param {SnapshotView} snapshot */
  #askRestore(snapshot) {
    this.#open((close) =>
      question(
        {
          title: `Go back to snapshot ${snapshot.snapshot}?`,
          text: `Training goes on from clock ${format.count(snapshot.mainlineClock)} on a new branch. Where it stands now becomes a snapshot first, so that you can come back to it. Workers are started anew.`,
          no: 'Stay here',
          yes: 'Go back',
          danger: false,
        },
        () =>
          this.#ask(
            `snapshots/${snapshot.snapshot}/restore`,
            `Going back to snapshot ${snapshot.snapshot}.`,
          ),
        close,
      ),
    );
  }

  /** @param {Setting} given */
  async #trySetting(given) {
    this.#trying = { given, problem: null };
    this.#draw();
    try {
      await this.#readBounds(this.#ending.signal);
    } catch (thrown) {
      this.#trying = null;
      this.#say(words(thrown), true);
    }
    this.#draw();
  }

  /**
   * @param {JobView} job
   * @param {{given: Setting, problem: string | null}} trying
   */
  #tryDialog(job, trying) {
    const close = () => {
      this.#trying = null;
      this.#draw();
    };
    const population = isPopulation(this.#feed.model);
    return tryDialog(
      {
        tunables: this.#bounds,
        current: job.setting,
        given: trying.given,
        busy: this.#head.busy,
        problem: trying.problem,
        words: tryWords(job.policy, population),
        cost: tryCost(job, {
          population,
          rounds: [...this.#feed.model.rounds.values()],
          racing: this.#config?.tuning?.racing ?? null,
        }),
      },
      (setting) => this.#sendTry(setting),
      close,
    );
  }

  /** Submits the same job file as a new job, and shows that. */
  async #runAgain() {
    if (this.#head.busy) {
      return;
    }
    this.#head.busy = true;
    this.#draw();
    try {
      const config = await get(`${this.#root()}/config`, this.#ending.signal);
      const job = await post('/jobs', config);
      location.hash = jobAddress(job.id);
    } catch (thrown) {
      this.#say(words(thrown), true);
    }
    this.#head.busy = false;
    this.#draw();
  }

  /** Removes the job, and shows those that are left. */
  async #delete() {
    if (this.#head.busy) {
      return;
    }
    this.#dialog = null;
    this.#head.busy = true;
    this.#draw();
    try {
      await remove(this.#root());
      location.hash = '#/';
    } catch (thrown) {
      this.#say(words(thrown), true);
    }
    this.#head.busy = false;
    this.#draw();
  }

  /** @param {Setting} setting */
  async #sendTry(setting) {
    if (this.#head.busy) {
      return;
    }
    this.#head.busy = true;
    this.#draw();
    try {
      await this.#feed.ask('branches', { setting });
      this.#trying = null;
      this.#say('Your setting is tried next.', false);
    } catch (thrown) {
      if (this.#trying) {
        this.#trying = { given: setting, problem: words(thrown) };
      }
    }
    this.#head.busy = false;
    this.#draw();
  }

  /**
   * @param {string} path below the job
   * @param {string} done what is said when it was heard
   */
  async #ask(path, done) {
    if (this.#head.busy) {
      return;
    }
    this.#dialog = null;
    this.#head.busy = true;
    this.#draw();
    try {
      await this.#feed.ask(path);
      this.#say(hasEnded(this.#feed.model.job?.state ?? '') ? 'The job has ended.' : done, false);
    } catch (thrown) {
      this.#say(words(thrown), true);
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

/** @param {unknown} thrown */
function words(thrown) {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
