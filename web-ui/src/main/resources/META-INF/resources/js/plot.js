// The card that holds a job's drawing: its legend and tools, and what pointer and keys do to it.

import { h, patch } from './dom.js';
import * as format from './format.js';
import { inlineMark, legendWords, STANDINGS, standingWords } from './marks.js';
import * as timeline from './timeline.js';
import {
  axisOf,
  epochsPerClock,
  evaluationsOfStart,
  mainlineEvaluations,
  hasEnded,
  mainlinePoints,
  probed,
  roundSpan,
  standing,
  trialEnd,
  trials,
  tunables,
  valueAt,
} from './model.js';
import { scroller, segmented, table } from './controls.js';
import { announce } from './announce.js';
import { csv, exports, json, saveDrawing } from './export.js';

/** @import {Child, Tree} from './dom.js' */
/** @import {JobModel, Unit} from './model.js' */
/** @import {Drawing} from './timeline.js' */
/** @import {BranchView} from './types.js' */
/** @import {Segment} from './controls.js' */

/** Rounds that have a button of their own. */
const ROUND_BUTTONS = 4;

/** @type {Unit[]} what may go across */
const UNITS = ['clock', 'epoch', 'time'];

/** A drag shorter than this is a click, in pixels. */
const SMALLEST_BRUSH = 8;

/** The drawing of one job and how it is looked at. */
export class Plot {
  /** @type {number | null} the branch that is pointed at */
  focus = null;

  #model;
  #redraw;
  #on;
  /** @type {Unit} */
  #unit = UNITS.find((unit) => unit === localStorage.getItem('axis')) ?? 'clock';
  #log = localStorage.getItem('log-axis') === 'true';
  /** @type {number | null} the round that is looked at */
  #round = null;
  /** @type {[number, number] | null} the clocks that are looked at */
  #zoom = null;
  /** @type {number | null} the clock that is pointed at */
  #cursor = null;
  /** @type {[number, number] | null} pixels between which the pointer is dragged */
  #brush = null;
  /** Whether the pointer's last press was a drag. */
  #brushed = false;
  #pointer = { x: 0, y: 0 };
  /** @type {Drawing | null} */
  #drawing = null;
  #width = 0;
  #twinOpen = false;
  /** @type {HTMLElement | null} */
  #host = null;
  #sizes = new ResizeObserver((entries) => this.#resize(entries[0].contentRect.width));

  /**
   * @param {JobModel} model
   * @param {{redraw: () => void, open: (branch: number) => void,
   *     look: (clocks: [number, number] | null) => void}} on `redraw` draws the whole page, `open`
   *     shows a branch, `look` is told which mainline clocks are looked at
   */
  constructor(model, on) {
    this.#model = model;
    this.#redraw = on.redraw;
    this.#on = on;
  }

  close() {
    this.#sizes.disconnect();
  }

  /**
   * @param {number | null} branch
   */
  pointAt(branch) {
    if (this.focus !== branch) {
      this.focus = branch;
      this.#redraw();
    }
  }

  /**
   * Shows the clocks of a round.
   *
   * @param {number | null} round null for all clocks
   */
  showRound(round) {
    this.#look(round === null ? null : roundSpan(this.#model, round, this.#axis()), round);
  }

  scrollIntoView() {
    this.#host?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }

  /**
   * Plans the card.
   *
   * @returns {Tree}
   */
  card() {
    if (this.#round !== null) {
      this.#zoom = roundSpan(this.#model, this.#round, this.#axis()) ?? this.#zoom;
    }
    const view = { log: this.#log, zoom: this.#zoom, round: this.#round, unit: this.#across() };
    this.#drawing = this.#width > 0 ? timeline.plan(this.#model, view, this.#width) : null;
    return h(
      'section',
      { class: 'card chart-card', key: 'chart', 'aria-labelledby': 'chart-title' },
      h('h2', { class: 'hidden', id: 'chart-title' }, 'Loss and schedule'),
      h('div', { class: 'card-head' }, this.#legend(), this.#tools()),
      this.#plot(),
      this.#notVaried(),
      this.#foot(),
    );
  }

  #axis() {
    return axisOf(this.#model, this.#across());
  }

  /** What goes across: epochs are known once the mainline has run. */
  #across() {
    return this.#unit === 'epoch' && !this.#hasEpochs() ? 'clock' : this.#unit;
  }

  #hasEpochs() {
    return epochsPerClock(this.#model, {}) > 0;
  }

  /** What the drawing leaves out, its twin as a table, and its files. */
  #foot() {
    const { mainline, job } = this.#model;
    const widest = mainline.reduce((most, b) => Math.max(most, b.toClock - b.fromClock), 0);
    return h(
      'div',
      { class: 'chart-foot', key: 'foot' },
      (job?.start ?? 1) > 1 &&
        h(
          'p',
          { class: 'sampled', key: 'start' },
          `Start ${job?.start}: the model overfitted before, so training began anew. Results of earlier starts stand in the drawing’s tables, what led on in the decisions.`,
        ),
      widest > 1 &&
        h(
          'p',
          { class: 'sampled', key: 'sampled' },
          `${format.count(job?.mainlineClock)} clocks in ${format.count(mainline.length)} points: each shows mean, least and greatest of at most ${format.count(widest)} clocks. Zoom in for finer ones.`,
        ),
      this.#twin(),
      exports('chart', {
        CSV: () => csv(`${job?.id}-loss.csv`, this.#rows()),
        JSON: () =>
          json(`${job?.id}-loss.json`, {
            mainline: this.#rows(),
            schedule: this.#model.steps,
            validation: mainlineEvaluations(this.#model),
          }),
        PNG: () => saveDrawing(`${job?.id}.png`, this.#host?.querySelector('svg') ?? null),
      }),
    );
  }

  #rows() {
    return this.#model.mainline.map((b) => ({
      fromClock: b.fromClock,
      toClock: b.toClock,
      branch: b.branch,
      trainingSeconds: b.seconds,
      meanLoss: b.mean,
      leastLoss: b.min,
      greatestLoss: b.max,
      notFinite: b.nonFinite,
    }));
  }

  /** The drawing as a table, for those who cannot see it; filled when it is opened. */
  #twin() {
    return h(
      'details',
      {
        class: 'twin',
        key: 'twin',
        ontoggle: (/** @type {Event} */ event) => {
          this.#twinOpen = /** @type {HTMLDetailsElement} */ (event.currentTarget).open;
          this.#redraw();
        },
      },
      h('summary', null, 'The drawing as tables'),
      this.#twinOpen && twinTables(this.#model),
    );
  }

  /** Draws what follows the pointer; apart from the rest, because it moves with every event. */
  drawOver() {
    const over = this.#host?.querySelector('.over');
    const tip = this.#host?.querySelector('.tip-host');
    if (this.#drawing && over && tip) {
      const view = { cursor: this.#cursor, focus: this.focus, brush: this.#brush };
      patch(over, timeline.overlay(this.#drawing, view));
      patch(tip, this.#tip(this.#drawing));
    }
  }

  #legend() {
    const whiskers = Map.groupBy(this.#drawing?.whiskers ?? [], (w) => w.kind);
    return h(
      'div',
      { class: 'legend' },
      h('span', { class: 'legend-item' }, h('span', { class: 'swatch' }), 'mainline'),
      /** @type {(keyof typeof STANDINGS)[]} */ (Object.keys(STANDINGS)).flatMap((kind) => {
        const branches = whiskers.get(kind)?.map((w) => w.branch);
        return branches === undefined
          ? []
          : h(
              'span',
              { class: 'legend-item', key: kind },
              inlineMark(kind),
              legendWords(branches, kind),
            );
      }),
    );
  }

  #tools() {
    const all = [...this.#model.rounds.keys()].sort((a, b) => a - b);
    const earlier = all.slice(0, -ROUND_BUTTONS);
    const rounds = all.filter((one) => one === this.#round || !earlier.includes(one));
    /** @type {Segment[]} */
    const spans = [['All', () => this.showRound(null), this.#zoom === null, false]];
    for (const round of rounds) {
      spans.push([
        `Round ${round}`,
        () => this.showRound(round),
        this.#round === round,
        roundSpan(this.#model, round, this.#axis()) === null,
      ]);
    }
    if (this.#zoom && this.#round === null) {
      spans.push(['Zoomed', () => {}, true, false]);
    }
    const log = this.#drawing?.log ?? false;
    return h(
      'div',
      { class: 'tools' },
      earlier.length > 0 && this.#menu(earlier),
      segmented('Shown clocks', spans),
      segmented('Horizontal axis', [
        ['Clock', () => this.#setUnit('clock'), this.#across() === 'clock', false],
        ['Epoch', () => this.#setUnit('epoch'), this.#across() === 'epoch', !this.#hasEpochs()],
        ['Time', () => this.#setUnit('time'), this.#across() === 'time', false],
      ]),
      segmented('Loss axis', [
        ['Linear', () => this.#setLog(false), !log, false],
        ['Log', () => this.#setLog(true), log, !this.#drawing?.canLog],
      ]),
    );
  }

  /** @param {number[]} rounds that have no button of their own */
  #menu(rounds) {
    return h(
      'select',
      {
        key: 'earlier',
        class: 'round-menu',
        'aria-label': 'Earlier rounds',
        onchange: (/** @type {Event} */ event) => {
          const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
          const round = Number(select.value);
          select.value = '';
          this.showRound(round);
        },
      },
      h('option', { key: 'none', value: '' }, 'Earlier rounds'),
      rounds.toReversed().map((round) =>
        h(
          'option',
          {
            key: round,
            value: String(round),
            disabled: roundSpan(this.#model, round, this.#axis()) === null,
          },
          `Round ${round}`,
        ),
      ),
    );
  }

  #plot() {
    const drawing = this.#drawing;
    return h(
      'div',
      {
        class: 'plot',
        key: 'plot',
        tabindex: 0,
        role: 'application',
        'aria-roledescription': 'drawing',
        'aria-label': this.#summary(),
        created: (/** @type {HTMLElement} */ node) => {
          this.#host = node;
          this.#sizes.observe(node);
        },
        onpointermove: this.#onMove,
        onpointerdown: this.#onDown,
        onpointerup: this.#onUp,
        onpointerleave: this.#onLeave,
        onclick: this.#onClick,
        ondblclick: this.#onReset,
        onkeydown: this.#onKey,
      },
      drawing &&
        h(
          'svg',
          {
            key: 'svg',
            class: this.focus === null ? 'drawing' : 'drawing has-focus',
            width: drawing.width,
            height: drawing.height,
            'aria-hidden': 'true',
          },
          h('g', { key: 'still', class: 'still' }, drawing.tree),
          h('g', { key: 'over', class: 'over' }),
        ),
      drawing &&
        drawing.mainline.length === 0 &&
        drawing.whiskers.every((w) => w.line.length === 0) &&
        h(
          'p',
          { class: 'plot-empty', key: 'empty' },
          hasEnded(this.#model.job?.state ?? '')
            ? 'The job ended before its first clock.'
            : 'The loss appears here with the first clock.',
        ),
      h('div', { class: 'tip-host', key: 'tip' }),
    );
  }

  #notVaried() {
    const fixed = Object.entries(tunables(this.#model).fixed);
    if (fixed.length === 0) {
      return null;
    }
    return h(
      'p',
      { class: 'fixed', key: 'fixed' },
      h('span', { class: 'fixed-title' }, 'Not varied'),
      fixed.map(([name, value]) =>
        h(
          'span',
          { key: name, class: 'pair' },
          h('span', { class: 'pair-name' }, format.words(name)),
          format.tunable(value),
        ),
      ),
    );
  }

  #summary() {
    const { job, rounds } = this.#model;
    const loss = format.measured(job?.loss, 4);
    const clock = format.count(job?.mainlineClock);
    const tried = format.count(trials(this.#model).length);
    return `Training loss ${loss} at mainline clock ${clock}, ${tried} trial branches in ${format.count(rounds.size)} rounds. Left and right read values, up and down go through the branches, Enter opens one; below, the same figures stand as tables.`;
  }

  /** @param {Drawing} drawing */
  #tip(drawing) {
    if (this.#cursor === null || this.#brush) {
      return null;
    }
    const branch = this.#model.branches.get(this.focus ?? -1);
    const { x, y } = this.#pointer;
    return h(
      'div',
      {
        class: x > drawing.width * 0.6 ? 'tip is-left' : 'tip',
        vars: { x: `${Math.round(x)}px`, y: `${Math.round(Math.min(y, drawing.height - 150))}px` },
      },
      branch ? this.#branchTip(branch) : this.#mainlineTip(drawing, this.#cursor),
    );
  }

  /**
   * @param {BranchView} branch
   * @returns {Child}
   */
  #branchTip(branch) {
    const round = this.#model.rounds.get(branch.round);
    const kind = standing(branch, round);
    const probe = probed(branch);
    const measured =
      branch.heldOutLoss === null
        ? tipLine(
            'speed',
            branch.speed === null ? format.NONE : `${format.number(branch.speed, 3)} loss/s`,
          )
        : tipLine(probe.name.toLowerCase(), format.measured(probe.value, 4));
    return [
      h(
        'p',
        { class: 'tip-title' },
        inlineMark(kind),
        `Branch ${branch.branch}, ${standingWords(branch, kind, round)}`,
      ),
      h(
        'dl',
        null,
        tunables(this.#model).varied.map((name) =>
          tipLine(format.words(name), format.tunable(branch.setting[name])),
        ),
        measured,
        tipLine('ran', `${format.count(branch.clocks)} clocks, ${format.duration(branch.seconds)}`),
        tipLine('forked at', `clock ${format.count(branch.forkClock)}`),
      ),
    ];
  }

  /**
   * @param {Drawing} drawing
   * @param {number} place on the axis
   * @returns {Child}
   */
  #mainlineTip({ mainline, axis }, place) {
    const step = this.#model.steps.findLast((s) => axis.at(s.fromClock) <= place);
    const evaluation = evaluationsOfStart(this.#model).findLast(
      (e) => axis.at(e.mainlineClock) <= place,
    );
    const ended = place > (mainline.at(-1)?.x ?? 0);
    return [
      h('p', { class: 'tip-title' }, timeline.placeWords(axis.unit, place)),
      h(
        'dl',
        null,
        tipLine('training loss', format.measured(ended ? null : valueAt(mainline, place), 4)),
        Object.entries(evaluation?.metrics ?? {})
          .slice(0, 2)
          .map(([name, value]) =>
            tipLine(format.metric(name), format.measured(value, 4)),
          ),
        step &&
          tunables(this.#model).varied.map((name) =>
            tipLine(format.words(name), format.tunable(step.setting[name])),
          ),
      ),
    ];
  }

  /** @param {number} width */
  #resize(width) {
    const next = Math.round(width);
    if (next > 0 && next !== this.#width) {
      this.#width = next;
      this.#redraw();
    }
  }

  /** @param {Unit} unit */
  #setUnit(unit) {
    this.#unit = unit;
    localStorage.setItem('axis', unit);
    this.#look(null, null);
  }

  /** @param {boolean} log */
  #setLog(log) {
    this.#log = log;
    localStorage.setItem('log-axis', String(log));
    this.#redraw();
  }

  /**
   * @param {[number, number] | null} span
   * @param {number | null} round
   */
  #look(span, round) {
    this.#zoom = span;
    this.#round = round;
    this.#cursor = null;
    this.#on.look(this.#across() === 'clock' ? span : null);
    this.#redraw();
  }

  /** @param {PointerEvent} event */
  #place(event) {
    const box = /** @type {HTMLElement} */ (this.#host).getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #onMove = (/** @type {PointerEvent} */ event) => {
    const drawing = this.#drawing;
    if (!drawing) {
      return;
    }
    const { x, y } = this.#place(event);
    const inside = x >= drawing.left - 4 && x <= drawing.right + 4;
    const within = Math.min(drawing.right, Math.max(drawing.left, x));
    this.#pointer = { x, y };
    this.#cursor = inside ? drawing.x.invert(within) : null;
    if (this.#brush) {
      this.#brush = [this.#brush[0], within];
    }
    const before = this.focus;
    this.pointAt(inside ? timeline.branchAt(drawing, x, y) : null);
    if (before === this.focus) {
      this.drawOver();
    }
  };

  #onDown = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === 'mouse' && event.button === 0 && this.#cursor !== null) {
      const { x } = this.#place(event);
      this.#brush = [x, x];
      this.#host?.setPointerCapture(event.pointerId);
    }
  };

  #onUp = () => {
    if (!this.#brush || !this.#drawing) {
      return;
    }
    const from = Math.min(...this.#brush);
    const to = Math.max(...this.#brush);
    this.#brush = null;
    if (to - from >= SMALLEST_BRUSH) {
      const { x } = this.#drawing;
      this.#look([Math.max(0, x.invert(from)), x.invert(to)], null);
      this.#brushed = true;
    }
  };

  #onClick = () => {
    if (!this.#brushed && this.focus !== null) {
      this.#on.open(this.focus);
    }
    this.#brushed = false;
  };

  #onLeave = () => {
    this.#cursor = null;
    this.focus = null;
    this.#redraw();
  };

  #onReset = () => this.showRound(null);

  #onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      this.focus = null;
      this.showRound(null);
    } else if (event.key === 'Enter' && this.focus !== null) {
      this.#on.open(this.focus);
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      this.#stepCursor(event.key === 'ArrowLeft' ? -1 : 1, event.shiftKey);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      this.#stepBranch(event.key === 'ArrowUp' ? -1 : 1);
    } else {
      return;
    }
    event.preventDefault();
  };

  /**
   * @param {number} direction
   * @param {boolean} far
   */
  #stepCursor(direction, far) {
    if (this.#drawing) {
      const { from, to } = this.#drawing.x;
      const step = ((to - from) / (far ? 10 : 60)) * direction;
      this.focus = null;
      this.#pointTo(Math.min(to, Math.max(from, (this.#cursor ?? to) + step)));
    }
  }

  /** @param {number} direction */
  #stepBranch(direction) {
    const order = trials(this.#model);
    const now = order.findIndex((branch) => branch.branch === this.focus);
    const next = order[Math.min(order.length - 1, Math.max(0, now + direction))];
    if (next) {
      this.focus = next.branch;
      this.#pointTo(trialEnd(this.#model, next, this.#axis()));
    }
  }

  /** What is read by keys is said to those who do not see it. */
  #announceTip() {
    const parts = this.#host?.querySelectorAll('.tip-title, .tip dl > div') ?? [];
    const texts = [...parts].map((part) => [...part.childNodes].map((n) => n.textContent));
    announce(texts.map((words) => words.join(' ').trim()).join(', '));
  }

  /** @param {number} place */
  #pointTo(place) {
    if (this.#drawing) {
      const { x, lossTop, left, right } = this.#drawing;
      this.#cursor = place;
      this.#pointer = { x: Math.min(right, Math.max(left, x.at(place))), y: lossTop + 40 };
      this.#redraw();
      this.#announceTip();
    }
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function tipLine(name, value) {
  return h('div', { key: name }, h('dt', null, name), h('dd', null, value));
}

/** Rows of the loss table. */
const TWIN_ROWS = 40;

/** @param {JobModel} model */
function twinTables(model) {
  const clock = /** @type {import('./model.js').Axis} */ ({ unit: 'clock', at: (c) => c });
  const end = model.job?.mainlineClock ?? 0;
  const points = mainlinePoints(model, clock, Math.max(1, end / TWIN_ROWS));
  const { varied } = tunables(model);
  const evaluations = mainlineEvaluations(model);
  const metrics = [...new Set(evaluations.flatMap((e) => Object.keys(e.metrics)))];
  return h(
    'div',
    { class: 'twin-tables' },
    scroller(
      'Loss of the mainline',
      table(
        'Training loss of the mainline',
        ['Clock', 'Mean', 'Least', 'Greatest'],
        points.map((p) => [
          format.count(p.x),
          format.measured(p.y, 4),
          format.measured(p.low, 4),
          format.measured(p.high, 4),
        ]),
      ),
    ),
    scroller(
      'Schedule',
      table(
        'Schedule',
        ['From clock', 'From epoch', 'Branch', ...varied.map(format.words)],
        model.steps.map((step) => [
          format.count(step.fromClock),
          format.number(step.fromEpoch, 3),
          String(step.branch),
          ...varied.map((name) => format.tunable(step.setting[name])),
        ]),
      ),
    ),
    scroller(
      'Validation',
      table(
        'Validation',
        ['Clock', 'Epoch', ...metrics.map(format.metric)],
        evaluations.map((e) => [
          format.count(e.mainlineClock),
          format.epoch(e.epoch, e.start, model.job?.start),
          ...metrics.map((name) => format.measured(e.metrics[name], 4)),
        ]),
      ),
    ),
  );
}
