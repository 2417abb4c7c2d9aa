// One job, live: what it does and why, in words, in a drawing, in tables and in its decisions.

import { follow, get, getAll, post, RequestProblem } from './api.js';
import { h, patch } from './dom.js';
import * as format from './format.js';
import { inlineMark, stateChip, STANDINGS } from './marks.js';
import { problem, skeleton } from './notices.js';
import * as timeline from './timeline.js';
import { roundsPanel, decisionsPanel } from './evidence.js';
import {
  actions,
  applyEvent,
  emptyModel,
  hasEnded,
  mainlineChain,
  roundSpan,
  standing,
  trials,
  tunables,
  valueAt,
} from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {Drawing} from './timeline.js' */
/** @import {BranchView, SeriesView} from './types.js' */

/** Live data is drawn at most this often. */
const FRAME_MILLIS = 250;

/** A series is asked for at most this often. */
const SERIES_MILLIS = 1000;

const SERIES_AT_ONCE = 4;
const MAINLINE_POINTS = 320;
const TRIAL_POINTS = 48;

/** After this long without a link, the page says that it is stale. */
const STALE_MILLIS = 4000;

/** After this long without an event, a running job is asked for, in case the link is dead. */
const QUIET_MILLIS = 15_000;

const ACTION_WORDS = {
  pause: { label: 'Pause', path: 'pause', done: 'Pausing after the current clock.' },
  resume: { label: 'Resume', path: 'resume', done: 'Resuming.' },
  retune: { label: 'Re-tune now', path: 'rounds', done: 'A round of tuning starts.' },
  cancel: { label: 'Cancel', path: 'cancel', done: 'Canceling.' },
};

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 * @param {string} id
 */
export function jobPage(content, trail, id) {
  const root = `/jobs/${encodeURIComponent(id)}`;
  const ending = new AbortController();
  const model = emptyModel();
  let loaded = false;
  /** @type {unknown} */
  let error = null;

  /** @type {'connecting' | 'live' | 'reconnecting'} */
  let link = 'connecting';
  let lastEvent = Date.now();
  let lostAt = 0;
  /** @type {() => void} */
  let unfollow = () => {};

  const view = {
    log: localStorage.getItem('log-axis') === 'true',
    /** @type {number | null} */
    round: null,
    /** @type {[number, number] | null} */
    zoom: null,
    /** @type {number | null} */
    cursor: null,
    /** @type {number | null} */
    focus: null,
    /** @type {[number, number] | null} */
    brush: null,
    pointer: { x: 0, y: 0, inside: false },
    allDecisions: false,
    asking: false,
    /** @type {string | null} */
    said: null,
    saidBad: false,
    busy: false,
  };

  // --- data

  const load = async () => {
    try {
      const [job, branches, rounds, decisions, schedule, evaluations] = await Promise.all([
        get(root, ending.signal),
        getAll(`${root}/branches?pageSize=500`, ending.signal),
        getAll(`${root}/rounds`, ending.signal),
        getAll(`${root}/decisions?pageSize=500`, ending.signal),
        get(`${root}/schedule`, ending.signal),
        getAll(`${root}/evaluations`, ending.signal),
      ]);
      applyEvent(model, 'snapshot', { job, branches, rounds, decisions, schedule, evaluations });
      loaded = true;
      error = null;
      lastEvent = Date.now();
      pump();
    } catch (thrown) {
      error = thrown;
    }
    if (!ending.signal.aborted) {
      frame();
    }
  };

  const open = async () => {
    await load();
    if (error || ending.signal.aborted) {
      if (error instanceof RequestProblem && error.status === 0) {
        later(open, 3000);
      }
      return;
    }
    unfollow();
    unfollow = follow(id, { onEvent, onLink });
  };

  const onEvent = (/** @type {string} */ type, /** @type {any} */ data) => {
    lastEvent = Date.now();
    applyEvent(model, type, data);
    pump();
    frame();
  };

  const onLink = (/** @type {boolean} */ live) => {
    if (live && link === 'reconnecting') {
      load();
    } else if (!live && link !== 'reconnecting') {
      lostAt = Date.now();
      // A session that ended looks like a lost link; asking once tells them apart.
      get(root, ending.signal).catch((thrown) => {
        if (thrown instanceof RequestProblem && (thrown.status === 401 || thrown.status === 403)) {
          error = thrown;
          unfollow();
        }
      });
    }
    link = live ? 'live' : 'reconnecting';
    frame();
  };

  /** @type {Map<number, number>} when each series was last asked for */
  const asked = new Map();
  let inFlight = 0;

  const pump = () => {
    const chain = new Set(
      mainlineChain(model.branches, model.job?.mainlineBranch ?? -1).map((part) => part.branch),
    );
    for (const branch of [...model.wanted]) {
      if (inFlight >= SERIES_AT_ONCE) {
        return;
      }
      if (Date.now() - (asked.get(branch) ?? 0) < SERIES_MILLIS) {
        continue;
      }
      model.wanted.delete(branch);
      asked.set(branch, Date.now());
      inFlight++;
      fetchSeries(branch, chain.has(branch) ? MAINLINE_POINTS : TRIAL_POINTS).finally(() => {
        inFlight--;
        pump();
      });
    }
  };

  const fetchSeries = async (/** @type {number} */ branch, /** @type {number} */ points) => {
    try {
      const path = `${root}/branches/${branch}/metrics?points=${points}`;
      model.series.set(branch, /** @type {SeriesView} */ (await get(path, ending.signal)));
      frame();
    } catch (thrown) {
      if (thrown instanceof RequestProblem && thrown.status === 0) {
        model.wanted.add(branch);
      }
    }
  };

  // --- time

  /** @type {Set<number>} */
  const timers = new Set();
  const later = (/** @type {() => void} */ task, /** @type {number} */ millis) => {
    const timer = window.setTimeout(() => {
      timers.delete(timer);
      task();
    }, millis);
    timers.add(timer);
  };

  const tick = window.setInterval(() => {
    pump();
    const running = model.job && !hasEnded(model.job.state);
    if (loaded && running && link === 'live' && Date.now() - lastEvent > QUIET_MILLIS) {
      lastEvent = Date.now();
      load();
    }
    frame();
  }, 1000);

  let framed = false;
  let drawnAt = 0;
  const frame = () => {
    if (framed || ending.signal.aborted) {
      return;
    }
    framed = true;
    later(
      () =>
        requestAnimationFrame(() => {
          framed = false;
          drawnAt = Date.now();
          render();
        }),
      Math.max(0, FRAME_MILLIS - (Date.now() - drawnAt)),
    );
  };

  // --- actions

  const act = async (/** @type {keyof typeof ACTION_WORDS} */ action) => {
    view.asking = false;
    view.busy = true;
    render();
    try {
      await post(`${root}/${ACTION_WORDS[action].path}`);
      say(ACTION_WORDS[action].done, false);
      model.job = await get(root, ending.signal);
    } catch (thrown) {
      say(thrown instanceof Error ? thrown.message : String(thrown), true);
    }
    view.busy = false;
    render();
  };

  const say = (/** @type {string} */ text, /** @type {boolean} */ bad) => {
    view.said = text;
    view.saidBad = bad;
    later(() => {
      if (view.said === text) {
        view.said = null;
        render();
      }
    }, 6000);
  };

  // --- the drawing

  /** @type {Drawing | null} */
  let drawing = null;
  let width = 0;
  /** @type {HTMLElement | null} */
  let host = null;
  const sizes = new ResizeObserver((entries) => {
    const next = Math.round(entries[0].contentRect.width);
    if (next !== width && next > 0) {
      width = next;
      render();
    }
  });

  const place = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLElement} */ (host).getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const onMove = (/** @type {PointerEvent} */ event) => {
    if (!drawing) {
      return;
    }
    const at = place(event);
    const inside = at.x >= drawing.left - 4 && at.x <= drawing.right + 4;
    view.pointer = { ...at, inside };
    view.cursor = inside
      ? drawing.x.invert(Math.min(drawing.right, Math.max(drawing.left, at.x)))
      : null;
    const focus = inside ? timeline.branchAt(drawing, at.x, at.y) : null;
    const refocus = focus !== view.focus;
    view.focus = focus;
    if (view.brush) {
      view.brush = [view.brush[0], Math.min(drawing.right, Math.max(drawing.left, at.x))];
    }
    refocus ? render() : drawOver();
  };

  const onDown = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === 'mouse' && event.button === 0 && view.pointer.inside) {
      const { x } = place(event);
      view.brush = [x, x];
      host?.setPointerCapture(event.pointerId);
    }
  };

  const onUp = () => {
    if (view.brush && drawing) {
      const [from, to] = [...view.brush].sort((a, b) => a - b);
      view.brush = null;
      if (to - from > 8) {
        zoomTo([Math.max(0, drawing.x.invert(from)), drawing.x.invert(to)], null);
      }
      render();
    }
  };

  const onLeave = () => {
    view.cursor = null;
    view.focus = null;
    view.pointer.inside = false;
    render();
  };

  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (!drawing) {
      return;
    }
    const step = (drawing.x.to - drawing.x.from) / (event.shiftKey ? 10 : 60);
    const at = view.cursor ?? drawing.x.to;
    const order = trials(model).map((branch) => branch.branch);
    const index = view.focus === null ? -1 : order.indexOf(view.focus);
    switch (event.key) {
      case 'ArrowLeft':
        view.cursor = Math.max(drawing.x.from, at - step);
        view.focus = null;
        break;
      case 'ArrowRight':
        view.cursor = Math.min(drawing.x.to, at + step);
        view.focus = null;
        break;
      case 'ArrowDown':
        view.focus = order[Math.min(order.length - 1, index + 1)] ?? null;
        break;
      case 'ArrowUp':
        view.focus = index > 0 ? order[index - 1] : null;
        break;
      case 'Escape':
        view.cursor = null;
        view.focus = null;
        zoomTo(null, null);
        break;
      default:
        return;
    }
    event.preventDefault();
    const focused = model.branches.get(view.focus ?? -1);
    if (focused) {
      view.cursor = focused.forkClock + focused.clocks;
    }
    view.pointer = {
      x: drawing.x.at(view.cursor ?? 0),
      y: drawing.lossTop + 40,
      inside: view.cursor !== null,
    };
    render();
  };

  const zoomTo = (
    /** @type {[number, number] | null} */ span,
    /** @type {number | null} */ round,
  ) => {
    view.zoom = span;
    view.round = round;
    view.cursor = null;
    render();
  };

  const showRound = (/** @type {number | null} */ round) => {
    zoomTo(round === null ? null : roundSpan(model, round), round);
  };

  // --- rendering

  const render = () => {
    if (ending.signal.aborted) {
      return;
    }
    document.title = model.job ? `${model.job.name} · Espalier` : 'Job · Espalier';
    patch(
      trail,
      h('a', { class: 'crumb', href: '#/' }, 'Jobs'),
      h('span', { class: 'crumb-mark', 'aria-hidden': 'true' }, '/'),
      h('span', { class: 'crumb here' }, model.job?.name ?? id),
      loaded && linkState(),
    );
    const denied = error instanceof RequestProblem && [401, 403, 404].includes(error.status);
    if (error && (denied || !loaded)) {
      patch(content, problem(error, open));
    } else if (!loaded || !model.job) {
      patch(content, skeleton(4));
    } else {
      if (view.round !== null) {
        view.zoom = roundSpan(model, view.round) ?? view.zoom;
      }
      drawing = width > 0 ? timeline.plan(model, view, width) : null;
      patch(
        content,
        h(
          'div',
          { class: 'job', key: 'job' },
          header(),
          chartCard(),
          h('div', { class: 'columns', key: 'columns' }, roundsCard(), decisionsCard()),
        ),
      );
      drawOver();
    }
  };

  const linkState = () => {
    const job = model.job;
    if (job && hasEnded(job.state) && link === 'live') {
      return h(
        'span',
        { class: 'link is-ended', key: 'link' },
        h('span', { class: 'link-dot' }),
        'Ended',
      );
    }
    const gone = Date.now() - lostAt;
    if (link === 'live') {
      return h(
        'span',
        { class: 'link is-live', key: 'link', role: 'status' },
        h('span', { class: 'link-dot' }),
        'Live',
      );
    }
    if (link === 'connecting' || gone < STALE_MILLIS) {
      return h(
        'span',
        { class: 'link is-waiting', key: 'link', role: 'status' },
        h('span', { class: 'link-dot' }),
        link === 'connecting' ? 'Connecting' : 'Reconnecting',
      );
    }
    return h(
      'span',
      { class: 'link is-stale', key: 'link', role: 'status' },
      h('span', { class: 'link-dot' }),
      `Stale since ${format.timeOfDay(lastEvent)}`,
    );
  };

  const header = () => {
    const job = /** @type {import('./types.js').JobView} */ (model.job);
    const stale = link === 'reconnecting' && Date.now() - lostAt >= STALE_MILLIS;
    const ran =
      (Date.parse(job.endTime ?? new Date().toISOString()) - Date.parse(job.createTime)) / 1000;
    return h(
      'header',
      { class: 'job-head', key: 'head' },
      stale &&
        h(
          'p',
          { class: 'banner is-stale', key: 'stale' },
          `The link to the server has been lost for ${Math.round((Date.now() - lostAt) / 1000)} s; trying again. Shown is what was so at ${format.timeOfDay(lastEvent)}.`,
        ),
      h(
        'div',
        { class: 'title-row', key: 'title' },
        h('div', { class: 'title' }, h('h1', null, job.name), stateChip(job.state)),
        h(
          'div',
          { class: 'actions' },
          actions(job.state).map((action) =>
            h(
              'button',
              {
                key: action,
                type: 'button',
                class: `button ${action === 'cancel' ? 'is-danger' : ''}`,
                disabled: view.busy,
                onclick: () => {
                  if (action === 'cancel') {
                    view.asking = true;
                    render();
                  } else {
                    act(action);
                  }
                },
              },
              ACTION_WORDS[action].label,
            ),
          ),
        ),
      ),
      h(
        'p',
        { class: job.state === 'FAILED' ? 'message is-bad' : 'message', key: 'message' },
        job.message,
        job.waitingFor !== '' && h('span', { class: 'waiting' }, ` Waiting for ${job.waitingFor}.`),
      ),
      view.said &&
        h(
          'p',
          { class: view.saidBad ? 'banner is-bad' : 'banner', role: 'status', key: 'said' },
          view.said,
        ),
      h(
        'p',
        { class: 'meta', key: 'meta' },
        fact(job.program),
        fact(`policy ${job.policy}`),
        job.searcher && fact(`searcher ${job.searcher}`),
        fact(`${job.workers} worker${job.workers === 1 ? '' : 's'}`),
        job.generation > 1 && fact(`restarted ${job.generation - 1}×`),
        fact(`seed ${job.seed}`),
        fact(`started ${format.timeOfDay(job.createTime)}`),
        fact(`${job.endTime ? 'ran' : 'running'} ${format.duration(ran)}`),
      ),
      figures(job),
      view.asking && cancelDialog(job),
    );
  };

  const fact = (/** @type {string} */ text) => h('span', { class: 'fact' }, text);

  const figures = (/** @type {import('./types.js').JobView} */ job) => {
    const whole = job.tuningSeconds + job.trainingSeconds + job.evaluationSeconds;
    const share = (/** @type {number} */ seconds) => (whole > 0 ? seconds / whole : 0);
    return h(
      'dl',
      { class: 'figures', key: 'figures' },
      figure('Training loss', format.measured(job.loss, 4)),
      Object.entries(job.metrics)
        .slice(0, 2)
        .map(([name, value]) =>
          figure(`Validation ${format.words(name)}`, format.measured(value, 4)),
        ),
      figure('Epoch', format.measured(job.epoch, 3)),
      figure('Mainline clock', format.count(job.mainlineClock)),
      h(
        'div',
        { class: 'figure is-wide', key: 'share' },
        h('dt', null, 'Time spent tuning'),
        h(
          'dd',
          null,
          format.percent(job.tuningShare),
          h(
            'span',
            { class: 'of' },
            `${format.duration(job.tuningSeconds)} of ${format.duration(whole)}`,
          ),
          h(
            'span',
            {
              class: 'split',
              role: 'img',
              'aria-label': `Tuning ${format.duration(job.tuningSeconds)}, training ${format.duration(job.trainingSeconds)}, evaluation ${format.duration(job.evaluationSeconds)}`,
            },
            h('span', {
              class: 'part is-tuning',
              vars: { share: share(job.tuningSeconds) },
              title: `tuning ${format.duration(job.tuningSeconds)}`,
            }),
            h('span', {
              class: 'part is-training',
              vars: { share: share(job.trainingSeconds) },
              title: `training ${format.duration(job.trainingSeconds)}`,
            }),
            h('span', {
              class: 'part is-evaluation',
              vars: { share: share(job.evaluationSeconds) },
              title: `evaluation ${format.duration(job.evaluationSeconds)}`,
            }),
          ),
        ),
      ),
    );
  };

  const figure = (/** @type {string} */ name, /** @type {string} */ value) =>
    h('div', { class: 'figure', key: name }, h('dt', null, name), h('dd', null, value));

  const cancelDialog = (/** @type {import('./types.js').JobView} */ job) =>
    h(
      'dialog',
      {
        key: 'dialog',
        class: 'dialog',
        'aria-labelledby': 'cancel-title',
        created: (/** @type {HTMLDialogElement} */ node) => queueMicrotask(() => node.showModal()),
        onclose: () => {
          view.asking = false;
          render();
        },
      },
      h('h2', { id: 'cancel-title' }, `Cancel ${job.name}?`),
      h(
        'p',
        null,
        'Its workers stop after the current clock. A canceled job cannot be resumed; what it has learned stays in its last checkpoint.',
      ),
      h(
        'div',
        { class: 'dialog-actions' },
        h(
          'button',
          {
            type: 'button',
            class: 'button',
            onclick: () => {
              view.asking = false;
              render();
            },
          },
          'Keep it running',
        ),
        h(
          'button',
          { type: 'button', class: 'button is-danger is-solid', onclick: () => act('cancel') },
          'Cancel the job',
        ),
      ),
    );

  const chartCard = () => {
    const { fixed } = tunables(model);
    const roundNumbers = [...model.rounds.keys()].sort((a, b) => a - b);
    const kinds = new Set(drawing?.whiskers.map((w) => w.kind) ?? []);
    return h(
      'section',
      { class: 'card chart-card', key: 'chart', 'aria-label': 'Training' },
      h(
        'div',
        { class: 'card-head' },
        h(
          'div',
          { class: 'legend' },
          h('span', { class: 'legend-item' }, h('span', { class: 'swatch' }), 'mainline'),
          Object.entries(STANDINGS)
            .filter(([kind]) => kinds.has(kind))
            .map(([kind, words]) =>
              h('span', { class: 'legend-item', key: kind }, inlineMark(kind), words),
            ),
        ),
        h(
          'div',
          { class: 'tools' },
          segmented('Shown clocks', [
            ['All', () => showRound(null), view.zoom === null, false],
            ...roundNumbers
              .slice(-4)
              .map(
                (n) =>
                  /** @type {Segment} */ ([
                    `Round ${n}`,
                    () => showRound(n),
                    view.round === n,
                    false,
                  ]),
              ),
            ...(view.zoom && view.round === null
              ? [/** @type {Segment} */ (['Zoomed', () => {}, true, false])]
              : []),
          ]),
          segmented('Loss axis', [
            ['Linear', () => setLog(false), !drawing?.log, false],
            ['Log', () => setLog(true), drawing?.log ?? false, !(drawing?.canLog ?? false)],
          ]),
        ),
      ),
      h(
        'div',
        {
          class: 'plot',
          key: 'plot',
          tabindex: 0,
          role: 'img',
          'aria-label': summary(),
          created: (/** @type {HTMLElement} */ node) => {
            host = node;
            sizes.observe(node);
          },
          onpointermove: onMove,
          onpointerdown: onDown,
          onpointerup: onUp,
          onpointerleave: onLeave,
          ondblclick: () => showRound(null),
          onkeydown: onKey,
        },
        drawing &&
          h(
            'svg',
            {
              key: 'svg',
              class: view.focus === null ? 'drawing' : 'drawing has-focus',
              width: drawing.width,
              height: drawing.height,
              'aria-hidden': 'true',
            },
            h('g', { key: 'static', class: 'still' }, drawing.tree),
            h('g', { key: 'over', class: 'over' }),
          ),
        drawing &&
          drawing.mainline.length === 0 &&
          drawing.whiskers.every((w) => w.line.length === 0) &&
          h(
            'p',
            { class: 'plot-empty', key: 'empty' },
            hasEnded(model.job?.state ?? '')
              ? 'The job ended before its first clock.'
              : 'The loss appears here with the first clock.',
          ),
        h('div', { class: 'tip-host', key: 'tip' }),
      ),
      Object.keys(fixed).length > 0 &&
        h(
          'p',
          { class: 'fixed', key: 'fixed' },
          h('span', { class: 'fixed-title' }, 'Not varied'),
          Object.entries(fixed).map(([name, value]) =>
            h(
              'span',
              { key: name, class: 'pair' },
              h('span', { class: 'pair-name' }, format.words(name)),
              format.tunable(value),
            ),
          ),
        ),
    );
  };

  /** @typedef {[string, () => void, boolean, boolean]} Segment label, action, pressed, disabled */

  const segmented = (/** @type {string} */ label, /** @type {Segment[]} */ segments) =>
    h(
      'div',
      { class: 'segmented', role: 'group', 'aria-label': label },
      segments.map(([text, onclick, pressed, disabled]) =>
        h(
          'button',
          { key: text, type: 'button', 'aria-pressed': String(pressed), disabled, onclick },
          text,
        ),
      ),
    );

  const setLog = (/** @type {boolean} */ log) => {
    view.log = log;
    localStorage.setItem('log-axis', String(log));
    render();
  };

  const summary = () => {
    const job = model.job;
    return `Training loss ${format.measured(job?.loss, 4)} at mainline clock ${format.count(job?.mainlineClock)}, ${format.count(trials(model).length)} trial branches in ${format.count(model.rounds.size)} rounds. Arrow keys read values; the table of rounds has the same figures.`;
  };

  // The cursor moves with every pointer event, so it is drawn apart from the rest.
  const drawOver = () => {
    const over = host?.querySelector('.over');
    const tip = host?.querySelector('.tip-host');
    if (!drawing || !over || !tip) {
      return;
    }
    patch(over, timeline.overlay(drawing, view));
    patch(tip, tooltip());
  };

  const tooltip = () => {
    if (!drawing || view.cursor === null || view.brush) {
      return null;
    }
    const branch = model.branches.get(view.focus ?? -1);
    const flip = view.pointer.x > drawing.width * 0.6;
    return h(
      'div',
      {
        class: flip ? 'tip is-left' : 'tip',
        vars: {
          x: `${Math.round(view.pointer.x)}px`,
          y: `${Math.round(Math.min(view.pointer.y, drawing.height - 150))}px`,
        },
      },
      branch ? branchTip(branch) : mainlineTip(view.cursor),
    );
  };

  const branchTip = (/** @type {BranchView} */ branch) => {
    const kind = standing(branch, model.rounds.get(branch.round));
    return [
      h(
        'p',
        { class: 'tip-title' },
        inlineMark(kind),
        `Branch ${branch.branch}, ${STANDINGS[kind]}`,
      ),
      h(
        'dl',
        null,
        tunables(model).varied.map((name) =>
          tipLine(format.words(name), format.tunable(branch.setting[name])),
        ),
        tipLine(
          'speed',
          branch.speed === null ? format.NONE : `${format.number(branch.speed, 3)} loss/s`,
        ),
        tipLine('ran', `${format.count(branch.clocks)} clocks, ${format.duration(branch.seconds)}`),
        tipLine('forked at', `clock ${format.count(branch.forkClock)}`),
      ),
    ];
  };

  const mainlineTip = (/** @type {number} */ clock) => {
    const step = model.steps.findLast((s) => s.fromClock <= clock);
    const evaluation = model.evaluations.findLast((e) => e.mainlineClock <= clock);
    return [
      h('p', { class: 'tip-title' }, `Clock ${format.count(clock)}`),
      h(
        'dl',
        null,
        tipLine(
          'training loss',
          format.measured(
            clock <= (drawing?.mainline.at(-1)?.x ?? 0)
              ? valueAt(drawing?.mainline ?? [], clock)
              : null,
            4,
          ),
        ),
        evaluation &&
          Object.entries(evaluation.metrics)
            .slice(0, 2)
            .map(([name, value]) =>
              tipLine(`validation ${format.words(name)}`, format.measured(value, 4)),
            ),
        step &&
          tunables(model).varied.map((name) =>
            tipLine(format.words(name), format.tunable(step.setting[name])),
          ),
      ),
    ];
  };

  const tipLine = (/** @type {string} */ name, /** @type {string} */ value) =>
    h('div', { key: name }, h('dt', null, name), h('dd', null, value));

  const roundsCard = () =>
    roundsPanel(model, view.focus, {
      focus: (branch) => {
        if (view.focus !== branch) {
          view.focus = branch;
          render();
        }
      },
      show: (round) => {
        showRound(round);
        host?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
      },
    });

  const decisionsCard = () =>
    decisionsPanel(model, view.allDecisions, () => {
      view.allDecisions = true;
      render();
    });

  render();
  open();
  return {
    close() {
      ending.abort();
      unfollow();
      window.clearInterval(tick);
      timers.forEach((timer) => window.clearTimeout(timer));
      sizes.disconnect();
    },
  };
}
