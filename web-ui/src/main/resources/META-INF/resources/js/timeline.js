// The drawing of a job over its mainline clock: loss with trial whiskers, validation, and one lane
// per tunable, all under one axis, so that cause stands below effect.

import { h } from './dom.js';
import { mark, outline, STANDINGS } from './marks.js';
import * as format from './format.js';
import { linear, logarithmic, ticksOf } from './scale.js';
import {
  axisOf,
  evaluationsOfStart,
  falls,
  lane,
  lastPlace,
  least,
  lossRange,
  mainlinePoints,
  most,
  RATE,
  standing,
  trialEnd,
  trialsByRound,
  trialsOfStart,
  tunables,
  valueAt,
  wantsLog,
  whiskerPoints,
} from './model.js';

/** @import {Tree} from './dom.js' */
/** @import {Scale} from './scale.js' */
/** @import {Axis, JobModel, Unit} from './model.js' */
/** @import {BranchView, Fall, Point} from './types.js' */

/** How near to a whisker the pointer must be to mean it, in pixels. */
const REACH = 12;

/** How wide a point of a line is. */
const PIXELS_PER_POINT = 5;

/** How many points a trial is drawn with. */
const WINDOWS = 10;

/** From so many whiskers on, marks are drawn smaller. */
const MANY = 150;

const HEADING = 24;

/** What the axis says, how a place reads on it, and the least that is drawn of it. */
const UNITS = /** @type {Record<Unit, {title: string, words: (place: number) => string, least: number}>} */ ({
  clock: { title: 'mainline clock', words: format.count, least: 10 },
  epoch: { title: 'epoch', words: (place) => format.number(place, 4), least: 0.01 },
  time: { title: 'training time on the mainline', words: format.duration, least: 0.1 },
});

/** Room for the numbers at the left, on a phone. */
const NARROW_LEFT = 52;

/**
 * @typedef {{branch: BranchView, kind: string, line: Point[]}} Whisker
 */

/**
 * @typedef {{width: number, height: number, left: number, right: number, top: number,
 *     x: Scale, y: Scale | null, lossTop: number, lossBottom: number, mainline: Point[],
 *     whiskers: Whisker[], tree: Tree, log: boolean, canLog: boolean, axis: Axis}} Drawing
 */

/**
 * Plans the drawing.
 *
 * @param {JobModel} model
 * @param {{log: boolean, zoom: [number, number] | null, round: number | null,
 *     unit: Unit}} view
 * @param {number} width in pixels
 * @returns {Drawing}
 */
export function plan(model, view, width) {
  const phone = width < 560;
  const left = phone ? NARROW_LEFT : 60;
  const right = width - (phone ? 58 : 84);
  const axis = axisOf(model, view.unit);
  const [from, to] = view.zoom ?? [
    0,
    Math.max(UNITS[axis.unit].least, lastPlace(model, axis) * 1.01),
  ];
  const clocksPerPlace = model.mainline.length > 0 ? clocksOf(model, axis) : 1;
  const pixels = (((to - from) * clocksPerPlace) / (right - left)) * PIXELS_PER_POINT;
  // A round is looked at through the windows of its trials, so that both lines read alike.
  const fine =
    view.round === null ? pixels : Math.max(pixels, trialClocks(model, view.round) / WINDOWS);
  const mainline = mainlinePoints(model, axis, fine);
  const whiskers = trialsOfStart(model).map((branch) => whisker(model, branch, axis, mainline));
  const x = linear(from, to, left, right);

  const range = lossRange(
    mainline,
    whiskers.map((w) => ({ line: w.line, clip: w.kind === 'diverged' })),
    [from, to],
  );
  const canLog = range !== null && range[0] > 0;
  const log = view.log && canLog;
  const lossTop = HEADING + 22;
  const lossBottom = lossTop + (phone ? 190 : 290);
  const y = range && lossScale(range, log, lossBottom, lossTop);

  /** @type {Tree[]} */
  const parts = [];
  let bottom = lossBottom;
  parts.push(heading('Training loss', log ? 'log axis' : '', 0, left));
  if (y) {
    const loss = model.job?.loss ?? null;
    parts.push(lossPanel(y, x, mainline, loss, whiskers, lossTop, lossBottom, left, right));
  }

  for (const name of metricNames(model)) {
    const top = bottom + HEADING + 14;
    bottom = top + (phone ? 56 : 68);
    parts.push(metricPanel(model, axis, name, x, top, bottom, left, right));
  }
  for (const name of tunables(model).varied) {
    const top = bottom + HEADING + 14;
    bottom = top + (phone ? 34 : 40);
    parts.push(lanePanel(model, axis, name, x, top, bottom, left, right));
  }

  const height = bottom + 44;
  parts.unshift(rounds(model, axis, x, lossTop, bottom, left, right));
  parts.push(xAxis(axis, x, bottom, left, right, phone));
  const tree = h(
    'g',
    null,
    h('clipPath', { id: 'plot' }, h('rect', { x: left, y: 0, width: right - left, height })),
    h(
      'clipPath',
      { id: 'plot-loss' },
      h('rect', {
        x: left - 6,
        y: lossTop - 6,
        width: right - left + 12,
        height: lossBottom - lossTop + 7,
      }),
    ),
    parts,
  );
  return {
    width,
    height,
    left,
    right,
    top: lossTop,
    x,
    y,
    lossTop,
    lossBottom,
    mainline,
    whiskers,
    tree,
    log,
    canLog,
    axis,
  };
}

/**
 * @param {[number, number]} range
 * @param {boolean} log
 * @param {number} bottom
 * @param {number} top
 */
function lossScale([low, high], log, bottom, top) {
  if (log) {
    const air = (high / low) ** 0.05;
    return logarithmic(low / air, high * air, bottom, top);
  }
  const air = (high - low) * 0.06;
  return linear(low > 0 ? Math.max(0, low - air) : low - air, high + air, bottom, top);
}

/**
 * @param {JobModel} model
 * @param {Axis} axis
 * @returns {number} mainline clocks in one unit of the axis
 */
function clocksOf(model, axis) {
  const last = model.mainline[model.mainline.length - 1].toClock;
  return axis.at(last) > 0 ? last / axis.at(last) : 1;
}

/**
 * @param {JobModel} model
 * @param {number} round
 * @returns {number} the clocks of its longest trial that was not adopted
 */
function trialClocks(model, round) {
  const winner = model.rounds.get(round)?.winner;
  return (trialsByRound(model).get(round) ?? [])
    .filter((branch) => branch.branch !== winner)
    .reduce((longest, branch) => Math.max(longest, branch.clocks), 0);
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Axis} axis
 * @param {Point[]} mainline
 * @returns {Whisker}
 */
function whisker(model, branch, axis, mainline) {
  const own = whiskerPoints(model, branch, axis);
  const kind = standing(branch, model.rounds.get(branch.round));
  const fork = axis.at(branch.forkClock);
  const start = own[0]?.x === fork ? null : valueAt(mainline, fork);
  const first = start === null ? [] : [{ x: fork, y: start, low: start, high: start }];
  return { branch, kind, line: own.length === 0 ? [] : [...first, ...own] };
}

/**
 * @param {string} text
 * @param {string} note
 * @param {number} top
 * @param {number} left
 */
function heading(text, note, top, left) {
  return h(
    'text',
    { class: 'panel-title', x: left, y: top + 14 },
    text,
    note !== '' && h('tspan', { class: 'panel-note', dx: 8 }, note),
  );
}

/**
 * @param {Scale} y
 * @param {Scale} x
 * @param {Point[]} mainline
 * @param {number | null} loss what stands at the mainline's end: the same number as in the head
 * @param {Whisker[]} whiskers
 * @param {number} top
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 */
function lossPanel(y, x, mainline, loss, whiskers, top, bottom, left, right) {
  const ticks = ticksOf(y, 5);
  const last = mainline.at(-1);
  const tried = whiskers.filter((w) => w.kind !== 'winner');
  const size = tried.length > MANY ? 2.2 : 3.2;
  return h(
    'g',
    null,
    ticks.map((tick) =>
      h(
        'g',
        { key: `t${tick}` },
        h('line', {
          class: 'grid',
          x1: left,
          x2: right,
          y1: snap(y.at(tick)),
          y2: snap(y.at(tick)),
        }),
        h(
          'text',
          { class: 'tick tick-y', x: left - 10, y: y.at(tick) + 4 },
          format.number(tick, 3),
        ),
      ),
    ),
    h(
      'g',
      { 'clip-path': 'url(#plot-loss)' },
      byKind(tried).map(([kind, group]) =>
        h('path', {
          key: `w ${kind}`,
          class: `whisker is-${kind}`,
          d: group.map((w) => path(w.line, x, y)).join(''),
        }),
      ),
      mainline.length > 1 && h('path', { class: 'band', d: band(mainline, x, y) }),
      mainline.length > 0 && h('path', { class: 'mainline', d: path(mainline, x, y) }),
      byKind(tried).map(([kind, group]) =>
        h('path', {
          key: `m ${kind}`,
          class: `mark is-${kind}`,
          d: group.map((w) => endMark(w, x, y, top, size)).join(''),
        }),
      ),
      h('path', {
        key: 'joins',
        class: 'mark is-winner',
        d: whiskers
          .filter((w) => w.kind === 'winner')
          .map((w) => joinMark(w, mainline, x, y))
          .join(''),
      }),
    ),
    last &&
      x.at(last.x) <= right + 1 &&
      h(
        'g',
        null,
        h('circle', { class: 'mainline-end', cx: x.at(last.x), cy: y.at(last.y), r: 3.5 }),
        h(
          'text',
          { class: 'value', x: right + 12, y: clamp(y.at(last.y) + 4, top + 4, bottom) },
          format.measured(loss, 4),
        ),
      ),
  );
}

/**
 * Whiskers by standing, those drawn last that matter most; an element for each whisker would make
 * a thousand of them slow.
 *
 * @param {Whisker[]} whiskers
 * @returns {[string, Whisker[]][]}
 */
function byKind(whiskers) {
  const groups = Map.groupBy(whiskers, (w) => w.kind);
  return /** @type {(keyof typeof STANDINGS)[]} */ (Object.keys(STANDINGS))
    .toReversed()
    .flatMap((kind) => {
      const group = groups.get(kind);
      return group ? [[kind, group]] : [];
    });
}

/**
 * Where a whisker ends: its verdict as a shape; at the top edge when it ran out of the panel.
 *
 * @param {Whisker} w
 * @param {Scale} x
 * @param {Scale} y
 * @param {number} top
 * @param {number} r
 * @returns {string} an outline; empty for a branch without a loss
 */
function endMark(w, x, y, top, r) {
  const edge = Math.max(y.from, y.to);
  const out = w.line.findIndex((point) => point.y > edge);
  if (out >= 0) {
    const a = w.line[Math.max(0, out - 1)];
    const b = w.line[out];
    const at = a.x + ((edge - a.y) / (b.y - a.y || 1)) * (b.x - a.x);
    return outline(w.kind, clamp(x.at(at), -1e4, 1e4), top + 1, r);
  }
  const last = w.line.at(-1);
  return last
    ? outline(w.kind, clamp(x.at(last.x), -1e4, 1e4), clamp(y.at(last.y), top + 1, 1e6), r)
    : '';
}

/**
 * Where a winner left its parent and became the mainline.
 *
 * @param {Whisker} w
 * @param {Point[]} mainline
 * @param {Scale} x
 * @param {Scale} y
 * @returns {string} an outline; empty before the mainline has a loss
 */
function joinMark(w, mainline, x, y) {
  const fork = w.line[0]?.x ?? w.branch.forkClock;
  const value = valueAt(mainline, fork);
  return value === null ? '' : outline('winner', clamp(x.at(fork), -1e4, 1e4), y.at(value), 4);
}

/**
 * @param {JobModel} model
 * @returns {string[]} at most two validation metrics
 */
function metricNames(model) {
  const names = new Set(model.evaluations.flatMap((evaluation) => Object.keys(evaluation.metrics)));
  return [...names].slice(0, 2);
}

/**
 * @param {JobModel} model
 * @param {Axis} axis
 * @param {string} name
 * @param {Scale} x
 * @param {number} top
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 */
function metricPanel(model, axis, name, x, top, bottom, left, right) {
  /** @type {Point[]} */
  const line = [];
  for (const { mainlineClock, metrics } of evaluationsOfStart(model)) {
    const value = metrics[name];
    if (value !== null && value !== undefined) {
      line.push({ x: axis.at(mainlineClock), y: value, low: value, high: value });
    }
  }
  const inside = line.filter((p) => p.x >= x.from && p.x <= x.to);
  const shown = inside.length > 0 ? inside : line;
  const low = least(shown.map((p) => p.y));
  const high = most(shown.map((p) => p.y));
  const air = (high - low) * 0.1 || Math.abs(high) * 0.02 || 1;
  const y = linear(low - air, high + air, bottom, top);
  const last = line.at(-1);
  return h(
    'g',
    { key: `metric ${name}` },
    heading(format.metric(name), '', top - HEADING, left),
    frame(top, bottom, left, right),
    // A start that was not evaluated yet has none.
    shown.length > 0 && ends(y, low, high, left),
    h(
      'g',
      { 'clip-path': 'url(#plot)' },
      h('path', { class: 'metric-line', d: path(line, x, y) }),
      h('path', {
        class: 'metric-point',
        d: line
          .map((p) => outline('point', x.at(p.x), y.at(p.y), line.length > 60 ? 1.6 : 2.6))
          .join(''),
      }),
    ),
    last &&
      last.x <= x.to &&
      h(
        'text',
        { class: 'value', x: right + 12, y: clamp(y.at(last.y) + 4, top + 8, bottom) },
        format.measured(last.y, 4),
      ),
  );
}

/**
 * The schedule of one tunable, stepped, with the values that trials ran with as thin strokes.
 *
 * @param {JobModel} model
 * @param {Axis} axis
 * @param {string} name
 * @param {Scale} x
 * @param {number} top
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 */
function lanePanel(model, axis, name, x, top, bottom, left, right) {
  const steps = lane(model.steps, name, model.job?.mainlineClock ?? 0);
  const tried = trialsOfStart(model).filter((branch) => branch.setting[name] !== undefined);
  const values = [...steps.map((s) => s.value), ...tried.map((branch) => branch.setting[name])];
  if (values.length === 0) {
    return h('g', { key: `lane ${name}` });
  }
  const log = wantsLog(name, values);
  const low = least(values);
  const high = most(values);
  const y = log
    ? logarithmic(low / 1.15, high * 1.15, bottom, top)
    : linear(low - (high - low || 1) * 0.08, high + (high - low || 1) * 0.08, bottom, top);
  const current = steps.at(-1);
  const dips = name === RATE ? falls(model) : [];
  const isWide = right - left > 400;
  const notes = [
    log && 'log axis',
    isWide && dips.length > 0 && 'falls to zero at the end of each lap',
  ];
  return h(
    'g',
    { key: `lane ${name}` },
    heading(
      format.sentence(format.words(name)),
      notes.filter((note) => note !== false).join(', '),
      top - HEADING,
      left,
    ),
    frame(top, bottom, left, right),
    ends(y, low, high, left),
    h(
      'g',
      { 'clip-path': 'url(#plot)' },
      Map.groupBy(tried, (branch) => standing(branch, model.rounds.get(branch.round)))
        .entries()
        .map(([kind, group]) =>
          h('path', {
            key: kind,
            class: `tried is-${kind}`,
            d: group.map((branch) => triedStroke(model, branch, name, axis, x, y)).join(''),
          }),
        )
        .toArray(),
      h('path', {
        class: 'lane',
        d: laneStroke(steps, dips, (clock) => px(x.at(axis.at(clock))), y, bottom),
      }),
    ),
    current &&
      axis.at(current.from) <= x.to &&
      h(
        'text',
        { class: 'value', x: right + 12, y: clamp(y.at(current.value) + 4, top + 8, bottom + 2) },
        format.tunable(current.value),
      ),
  );
}

/**
 * A stepped line that goes down to the floor where the value falls to zero.
 *
 * @param {{from: number, to: number, value: number}[]} steps ascending
 * @param {Fall[]} dips ascending
 * @param {(clock: number) => string | number} across the place of a clock
 * @param {Scale} y
 * @param {number} floor
 */
function laneStroke(steps, dips, across, y, floor) {
  return steps
    .map((step, index) => {
      const height = px(y.at(step.value));
      const inside = dips.filter((fall) => step.from <= fall.fromClock && fall.untilClock <= step.to);
      const down = inside.map(
        (fall) =>
          `H${across(fall.fromClock)}L${across(fall.untilClock)} ${px(floor)}M${across(fall.untilClock)} ${height}`,
      );
      return `${index === 0 ? 'M' : 'L'}${across(step.from)} ${height}${down.join('')}H${across(step.to)}`;
    })
    .join('');
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {string} name of the tunable
 * @param {Axis} axis
 * @param {Scale} x
 * @param {Scale} y
 */
function triedStroke(model, branch, name, axis, x, y) {
  const from = x.at(axis.at(branch.forkClock));
  const to = Math.max(from + 3, x.at(trialEnd(model, branch, axis)));
  return `M${px(from)} ${px(y.at(branch.setting[name]))}H${px(to)}`;
}

/**
 * @param {number} top
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 */
function frame(top, bottom, left, right) {
  return h('rect', { class: 'frame', x: left, y: top, width: right - left, height: bottom - top });
}

/**
 * The two ends of a small panel's axis.
 *
 * @param {Scale} y
 * @param {number} low
 * @param {number} high
 * @param {number} left
 */
function ends(y, low, high, left) {
  const values = Math.abs(y.at(low) - y.at(high)) < 14 ? [high] : [low, high];
  return values.map((value) => {
    // A longer number leaves the card.
    const digits = left === NARROW_LEFT && Math.abs(value) < 0.01 ? 2 : 3;
    return h(
      'text',
      { class: 'tick tick-y', x: left - 10, y: y.at(value) + 4 },
      format.tunable(Number(value.toPrecision(digits))),
    );
  });
}

/**
 * The rounds, as hairlines at the clock that their trials forked from.
 *
 * @param {JobModel} model
 * @param {Axis} axis
 * @param {Scale} x
 * @param {number} top
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 */
function rounds(model, axis, x, top, bottom, left, right) {
  const places = [...model.rounds.keys()]
    .sort((a, b) => a - b)
    .flatMap((round) => {
      const clock = trialsByRound(model)
        .get(round)
        ?.find((one) => one.start === model.job?.start)?.forkClock;
      const at = clock === undefined ? NaN : x.at(axis.at(clock));
      return at >= left - 0.5 && at <= right + 0.5 ? [{ round, at: snap(at) }] : [];
    });
  const labels = roundLabels(places);
  return h(
    'g',
    null,
    places.map(({ round, at }, i) =>
      h(
        'g',
        { key: round },
        h('line', { class: 'round-line', x1: at, x2: at, y1: top - 24, y2: bottom }),
        labels[i] !== '' && h('text', { class: 'round-label', x: at + 5, y: top - 15 }, labels[i]),
      ),
    ),
  );
}

/** How wide a label is that names a round, and one that has its number alone: for each letter. */
const LABEL = { named: 58, letter: 7, gap: 10 };

/**
 * Labels of rounds: a number alone where the next round is too near for more, and none where that
 * would go over the one before.
 *
 * @param {{round: number, at: number}[]} places ascending, in pixels
 * @returns {string[]}
 */
export function roundLabels(places) {
  let free = -Infinity;
  return places.map(({ round, at }, i) => {
    if (at < free) {
      return '';
    }
    const next = places[i + 1]?.at ?? Infinity;
    const isNamed = next >= at + LABEL.named;
    free = at + (isNamed ? LABEL.named : LABEL.gap + LABEL.letter * String(round).length);
    return isNamed ? `round ${round}` : String(round);
  });
}

/**
 * @param {Axis} axis
 * @param {Scale} x
 * @param {number} bottom
 * @param {number} left
 * @param {number} right
 * @param {boolean} phone
 */
function xAxis(axis, x, bottom, left, right, phone) {
  const ticks = ticksOf(x, Math.max(2, Math.floor((right - left) / (phone ? 80 : 120))));
  return h(
    'g',
    null,
    h('line', { class: 'axis', x1: left, x2: right, y1: bottom + 0.5, y2: bottom + 0.5 }),
    ticks.map((tick) =>
      h(
        'g',
        { key: tick },
        h('line', {
          class: 'axis',
          x1: snap(x.at(tick)),
          x2: snap(x.at(tick)),
          y1: bottom,
          y2: bottom + 5,
        }),
        h(
          'text',
          { class: 'tick tick-x', x: x.at(tick), y: bottom + 19 },
          UNITS[axis.unit].words(tick),
        ),
      ),
    ),
    h(
      'text',
      { class: 'axis-title', x: right, y: bottom + 36 },
      UNITS[axis.unit].title,
    ),
  );
}

/**
 * A place of the axis, in words.
 *
 * @param {Unit} unit
 * @param {number} place
 */
export function placeWords(unit, place) {
  const words = UNITS[unit].words(place);
  return { clock: `Clock ${words}`, epoch: `Epoch ${words}`, time: `After ${words}` }[unit];
}

/**
 * The line that follows the pointer, and the whisker that it means.
 *
 * @param {Drawing} drawing
 * @param {{cursor: number | null, focus: number | null, brush: [number, number] | null}} view
 * @returns {Tree}
 */
export function overlay(drawing, view) {
  const { x, y, height } = drawing;
  const focused = drawing.whiskers.find((w) => w.branch.branch === view.focus);
  const value = view.cursor === null ? null : valueAt(drawing.mainline, view.cursor);
  const bottom = height - 44;
  return h(
    'g',
    null,
    view.brush &&
      h('rect', {
        class: 'brush',
        x: Math.min(...view.brush),
        y: drawing.top,
        width: Math.abs(view.brush[1] - view.brush[0]),
        height: bottom - drawing.top,
      }),
    view.cursor !== null &&
      h('line', {
        class: 'cursor',
        x1: snap(x.at(view.cursor)),
        x2: snap(x.at(view.cursor)),
        y1: drawing.top,
        y2: bottom,
      }),
    focused &&
      y &&
      h(
        'g',
        { 'clip-path': 'url(#plot-loss)' },
        h('path', { class: `whisker focused is-${focused.kind}`, d: path(focused.line, x, y) }),
        h('path', {
          class: `mark is-${focused.kind}`,
          d: endMark(focused, x, y, drawing.lossTop, 4),
        }),
      ),
    !focused &&
      value !== null &&
      view.cursor !== null &&
      y &&
      h('circle', {
        class: 'cursor-point',
        cx: x.at(view.cursor),
        cy: clamp(y.at(value), drawing.lossTop, drawing.lossBottom),
        r: 4,
      }),
  );
}

/**
 * The branch whose whisker is under a place of the drawing.
 *
 * @param {Drawing} drawing
 * @param {number} px pixel
 * @param {number} py pixel
 * @returns {number | null}
 */
export function branchAt(drawing, px, py) {
  const { x, y } = drawing;
  if (!y || py < drawing.lossTop - 8 || py > drawing.lossBottom) {
    return null;
  }
  let best = REACH;
  let found = null;
  for (const { branch, line, kind } of drawing.whiskers) {
    for (let i = 0; i < line.length && kind !== 'winner'; i++) {
      const ax = x.at(line[i].x);
      const ay = Math.max(drawing.lossTop, y.at(line[i].y));
      const next = line[Math.min(i + 1, line.length - 1)];
      const distance = toSegment(
        px,
        py,
        ax,
        ay,
        x.at(next.x),
        Math.max(drawing.lossTop, y.at(next.y)),
      );
      if (distance < best) {
        best = distance;
        found = branch.branch;
      }
    }
  }
  return found;
}

/**
 * @param {number} px
 * @param {number} py
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 */
function toSegment(px, py, ax, ay, bx, by) {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : clamp(((px - ax) * dx + (py - ay) * dy) / length, 0, 1);
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/**
 * @param {Point[]} line
 * @param {Scale} x
 * @param {Scale} y
 */
function path(line, x, y) {
  return line.map((p, i) => `${i === 0 ? 'M' : 'L'}${px(x.at(p.x))} ${px(y.at(p.y))}`).join('');
}

/**
 * @param {Point[]} line
 * @param {Scale} x
 * @param {Scale} y
 */
function band(line, x, y) {
  const upper = line.map((p, i) => `${i === 0 ? 'M' : 'L'}${px(x.at(p.x))} ${px(y.at(p.high))}`);
  const lower = line.toReversed().map((p) => `L${px(x.at(p.x))} ${px(y.at(p.low))}`);
  return `${upper.join('')}${lower.join('')}Z`;
}

/** @param {number} value */
function px(value) {
  return clamp(value, -1e4, 1e4).toFixed(1);
}

/** @param {number} value */
function snap(value) {
  return Math.round(value) + 0.5;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
