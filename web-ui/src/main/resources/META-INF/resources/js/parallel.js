// All settings that were tried, as lines over parallel axes: which values went together with a good
// outcome. A brush on an axis leaves only what runs through it, here and in the tables of rounds.

import { h } from './dom.js';
import { watchEdges } from './edges.js';
import * as format from './format.js';
import { csv, exports, json, saveDrawing } from './export.js';
import { STANDINGS } from './marks.js';
import { isPopulation, least, metricOf, most, standing, trials, tunables, wantsLog } from './model.js';
import { linear, logarithmic, ticksOf } from './scale.js';

/** @import {Tree} from './dom.js' */
/** @import {Scale} from './scale.js' */
/** @import {JobModel} from './model.js' */
/** @import {BranchView} from './types.js' */

/** The value of the axis below and above which branches are left out. @typedef {[number, number]} Range */

/** @typedef {Map<string, Range>} Brushes by the name of the axis */

/**
 * @typedef {{name: string, title: string, scale: Scale, ticks: number[],
 *     value: (branch: BranchView) => number | null}} Axis
 */

/** Below this width the drawing is scrolled. */
const LEAST_WIDTH = 560;
const HEIGHT = 236;
const SIDE = 64;
const TOP = 34;
const BOTTOM = HEIGHT - 14;

/** Half of the width in which a press means an axis, in pixels. */
const REACH = 16;

/** From so many lines on, each is drawn fainter. */
const MANY = 120;

/** One path is as dark where its lines cross as elsewhere; so many show where lines are dense. */
const LAYERS = 24;

/** A brush shorter than this is a click, which takes the brush away. */
const SMALLEST = 4;

/** What a key moves an edge of a brush by, as a share of the axis. */
const STEP = 0.05;

/** @type {{axis: string, from: number} | null} the axis that a pointer is dragged along */
let dragged = null;

/**
 * @param {BranchView} branch
 * @param {string} axis
 */
function valueOf(branch, axis) {
  switch (axis) {
    case 'speed':
      return branch.speed;
    case 'validation':
      return branch.validation?.best ?? null;
    case 'clocks':
      return branch.clocks;
    default:
      return branch.setting[axis] ?? null;
  }
}

/**
 * Whether a branch runs through all brushes.
 *
 * @param {Brushes} brushes
 * @param {BranchView} branch
 */
export function isInside(brushes, branch) {
  for (const [axis, [low, high]] of brushes) {
    const value = valueOf(branch, axis);
    if (value === null || value < low || value > high) {
      return false;
    }
  }
  return true;
}

/**
 * One axis for each tunable that varies; last how well it went: the speed, of a population the best
 * validation result, or where nothing has been judged by them, how long it was trained.
 *
 * @param {JobModel} model
 * @param {BranchView[]} branches
 * @returns {Axis[]}
 */
export function axesOf(model, branches) {
  const isJudged = branches.some((branch) => branch.speed !== null);
  const metric = isPopulation(model) ? metricOf(branches) : null;
  const outcome = isJudged ? 'speed' : metric !== null ? 'validation' : 'clocks';
  const names = [...tunables(model).varied, outcome];
  const titles = /** @type {Record<string, string>} */ ({
    speed: 'Speed, loss/s',
    validation: format.bestMetric(metric ?? ''),
    clocks: 'Clocks trained',
  });
  return names.map((name) => {
    const value = (/** @type {BranchView} */ branch) => valueOf(branch, name);
    const values = branches.flatMap((branch) => value(branch) ?? []);
    const scale = scaleOf(name, values);
    const distinct = [...new Set(values)].sort((a, b) => a - b);
    const isChoice = !(name in titles) && distinct.length <= 6;
    return {
      name,
      title: titles[name] ?? format.sentence(format.words(name)),
      scale,
      ticks: isChoice ? distinct : ticksOf(scale, 4),
      value,
    };
  });
}

/**
 * @param {string} name
 * @param {number[]} values
 */
function scaleOf(name, values) {
  const [low, high] = values.length > 0 ? [least(values), most(values)] : [0, 1];
  if (wantsLog(name, values) && high > low) {
    return logarithmic(low, high, BOTTOM, TOP);
  }
  return high > low
    ? linear(low, high, BOTTOM, TOP)
    : linear(low - Math.abs(low || 1) / 2, low + Math.abs(low || 1) / 2, BOTTOM, TOP);
}

/**
 * @param {JobModel} model
 * @param {{focus: number | null, brushes: Brushes, width: number, isSeen: boolean}} view `width` of
 *     the panel in pixels; nothing is drawn before it `isSeen`
 * @param {{brush: (axis: string, range: Range | null) => void, clear: () => void,
 *     watch: (panel: HTMLElement) => void}} on
 * @returns {Tree | null} null before there is anything to compare
 */
export function parallelPanel(model, view, on) {
  const branches = trials(model);
  if (branches.length < 2 || tunables(model).varied.length === 0) {
    return null;
  }
  const axes = axesOf(model, branches);
  const inside = branches.filter((branch) => isInside(view.brushes, branch));
  return h(
    'section',
    { class: 'card parallel', key: 'parallel', 'aria-labelledby': 'parallel-title' },
    h(
      'div',
      { class: 'card-bar' },
      h('h2', { class: 'card-title', id: 'parallel-title' }, 'Settings tried'),
      h(
        'p',
        { class: 'muted', role: 'status' },
        view.brushes.size === 0
          ? 'each line is a branch; drag along an axis to see only what runs through there'
          : `${format.count(inside.length)} of ${format.count(branches.length)} branches run through the brush`,
      ),
      view.brushes.size > 0 &&
        h('button', { type: 'button', class: 'button', onclick: on.clear }, 'Show all'),
    ),
    h(
      'div',
      {
        class: 'scroll parallel-plot',
        role: 'region',
        'aria-label': 'Lines of the settings tried',
        created: (/** @type {HTMLElement} */ plot) => {
          on.watch(plot);
          watchEdges(plot);
        },
      },
      view.isSeen && drawnOnce(model, view, () => drawing(model, axes, inside, view, on)),
    ),
    h(
      'div',
      { class: 'chart-foot is-inset' },
      exports('settings', {
        CSV: () => csv(`${model.job?.id}-settings.csv`, inside.map(flat)),
        JSON: () => json(`${model.job?.id}-settings.json`, inside.map(flat)),
        PNG: () =>
          saveDrawing(`${model.job?.id}-settings.png`, document.querySelector('.parallel-lines')),
      }),
    ),
  );
}

/** @type {WeakMap<JobModel, {key: string, tree: Tree}>} */
const drawn = new WeakMap();

/**
 * A thousand lines are planned anew only when there is another branch, or another look at them.
 *
 * @param {JobModel} model
 * @param {Parameters<typeof parallelPanel>[1]} view
 * @param {() => Tree} draw
 */
function drawnOnce(model, view, draw) {
  const key = JSON.stringify([model.revision, view.focus, view.width, [...view.brushes]]);
  const known = drawn.get(model);
  if (known?.key === key) {
    return known.tree;
  }
  const tree = draw();
  drawn.set(model, { key, tree });
  return tree;
}

/** @param {BranchView} branch */
function flat({ branch, round, state, verdict, speed, clocks, seconds, setting, validation }) {
  const bestValidation = validation?.best ?? null;
  return { branch, round, state, verdict, speed, clocks, seconds, bestValidation, ...setting };
}

/**
 * @param {JobModel} model
 * @param {Axis[]} axes
 * @param {BranchView[]} inside
 * @param {Parameters<typeof parallelPanel>[1]} view
 * @param {Parameters<typeof parallelPanel>[2]} on
 */
function drawing(model, axes, inside, view, on) {
  const branches = trials(model);
  const kindOf = (/** @type {BranchView} */ branch) =>
    standing(branch, model.rounds.get(branch.round));
  const outside = view.brushes.size === 0 ? [] : branches.filter((one) => !inside.includes(one));
  const groups = Map.groupBy(inside, kindOf);
  const kinds = /** @type {(keyof typeof STANDINGS)[]} */ (Object.keys(STANDINGS)).toReversed();
  const focused = view.focus === null ? undefined : model.branches.get(view.focus);
  const strands = (/** @type {BranchView[]} */ list) =>
    list.map((branch) => strand(branch, axes, places)).join('');
  const width = Math.max(LEAST_WIDTH, view.width);
  const places = axes.map((_, i) => SIDE + (i / Math.max(1, axes.length - 1)) * (width - 2 * SIDE));
  return h(
    'svg',
    {
      class: inside.length > MANY ? 'parallel-lines is-many' : 'parallel-lines',
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'group',
      'aria-label': `${format.count(branches.length)} branches over ${axes.length} axes; the tables of rounds hold their numbers`,
    },
    h('path', { class: 'strand is-out', key: 'out', d: strands(outside) }),
    kinds.flatMap((kind) =>
      layers(groups.get(kind) ?? []).map((layer, i) =>
        h('path', { class: `strand is-${kind}`, key: `${kind} ${i}`, d: strands(layer) }),
      ),
    ),
    focused &&
      branches.includes(focused) &&
      h('path', {
        class: `strand is-focus is-${kindOf(focused)}`,
        key: 'focus',
        d: strands([focused]),
      }),
    axes.map((axis, i) => axisLine(axis, places, i, view.brushes.get(axis.name), on)),
  );
}

/**
 * @param {BranchView[]} branches
 * @returns {BranchView[][]}
 */
function layers(branches) {
  const amount = branches.length > MANY ? LAYERS : 1;
  return Array.from({ length: amount }, (_, layer) =>
    branches.filter((_, i) => i % amount === layer),
  );
}

/**
 * @param {BranchView} branch
 * @param {Axis[]} axes
 * @param {number[]} places of the axes
 */
function strand(branch, axes, places) {
  let path = '';
  axes.forEach((axis, i) => {
    const value = axis.value(branch);
    if (value !== null) {
      path += `${path === '' ? 'M' : 'L'}${places[i].toFixed(1)} ${axis.scale.at(value).toFixed(1)}`;
    }
  });
  return path;
}

/**
 * @param {Axis} axis
 * @param {number[]} places of all axes
 * @param {number} index of this one
 * @param {Range | undefined} brush
 * @param {Parameters<typeof parallelPanel>[2]} on
 */
function axisLine(axis, places, index, brush, on) {
  const x = places[index];
  const isLast = index === places.length - 1;
  const side = isLast ? 'is-last' : 'is-first';
  const toLabel = isLast ? 10 : -10;
  return h(
    'g',
    { key: axis.name, class: `parallel-axis ${side}` },
    h('line', { class: 'axis-line', x1: x, x2: x, y1: TOP, y2: BOTTOM }),
    h(
      'text',
      { class: `panel-title ${index === 0 ? 'is-start' : side}`, x, y: 16 },
      axis.title,
      axis.scale.log && h('tspan', { class: 'panel-note', dx: 6 }, 'log'),
    ),
    axis.ticks.map((tick) =>
      h(
        'text',
        { key: tick, class: 'tick', x: x + toLabel, y: axis.scale.at(tick) + 4 },
        format.tunable(tick),
      ),
    ),
    brush &&
      h('rect', {
        key: 'brush',
        class: 'axis-brush',
        x: x - 7,
        width: 14,
        y: axis.scale.at(brush[1]),
        height: Math.max(2, axis.scale.at(brush[0]) - axis.scale.at(brush[1])),
      }),
    handle(axis, x, brush, on),
  );
}

/**
 * What pointer and keys take hold of.
 *
 * @param {Axis} axis
 * @param {number} x
 * @param {Range | undefined} brush
 * @param {Parameters<typeof parallelPanel>[2]} on
 */
function handle(axis, x, brush, on) {
  const [low, high] = brush ? brush.map(axis.scale.at) : [BOTTOM, TOP];
  const middle = (BOTTOM - (low + high) / 2) / (BOTTOM - TOP);
  const words = brush
    ? `from ${format.tunable(brush[0])} to ${format.tunable(brush[1])}`
    : 'all values';
  const put = (/** @type {number} */ from, /** @type {number} */ to) =>
    on.brush(axis.name, [axis.scale.invert(Math.max(from, to)), axis.scale.invert(Math.min(from, to))]);
  return h('rect', {
    class: 'axis-handle',
    key: 'handle',
    x: x - REACH,
    width: 2 * REACH,
    y: TOP - 6,
    height: BOTTOM - TOP + 12,
    tabindex: 0,
    role: 'slider',
    'aria-label': `Brush on ${axis.title}`,
    'aria-orientation': 'vertical',
    'aria-valuemin': 0,
    'aria-valuemax': 100,
    'aria-valuenow': Math.round(100 * middle),
    'aria-valuetext': words,
    onpointerdown: (/** @type {PointerEvent} */ event) => {
      const node = /** @type {SVGElement} */ (event.currentTarget);
      node.setPointerCapture(event.pointerId);
      dragged = { axis: axis.name, from: pixelOf(event) };
    },
    onpointermove: (/** @type {PointerEvent} */ event) => {
      if (dragged?.axis === axis.name && Math.abs(pixelOf(event) - dragged.from) >= SMALLEST) {
        put(dragged.from, pixelOf(event));
      }
    },
    onpointerup: (/** @type {PointerEvent} */ event) => {
      if (dragged && Math.abs(pixelOf(event) - dragged.from) < SMALLEST) {
        on.brush(axis.name, null);
      }
      dragged = null;
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const moved = moveByKey(event, brush ? [low, high] : null);
      if (moved) {
        event.preventDefault();
        put(moved[0], moved[1]);
      } else if (event.key === 'Escape' && brush) {
        event.stopPropagation();
        on.brush(axis.name, null);
      }
    },
  });
}

/**
 * Where in the drawing a pointer is.
 *
 * @param {PointerEvent} event
 */
function pixelOf(event) {
  const svg = /** @type {SVGElement} */ (event.currentTarget).ownerSVGElement;
  const box = /** @type {SVGSVGElement} */ (svg).getBoundingClientRect();
  const y = ((event.clientY - box.top) / box.height) * HEIGHT;
  return Math.min(BOTTOM, Math.max(TOP, y));
}

/**
 * Arrows move a brush, with Shift its upper edge alone; the first one makes a brush of the upper
 * half or the lower.
 *
 * @param {KeyboardEvent} event
 * @param {[number, number] | null} brush pixels of its low and its high end
 * @returns {[number, number] | null}
 */
function moveByKey(event, brush) {
  const up = event.key === 'ArrowUp';
  if (!up && event.key !== 'ArrowDown') {
    return null;
  }
  const middle = (TOP + BOTTOM) / 2;
  if (brush === null) {
    return up ? [middle, TOP] : [BOTTOM, middle];
  }
  const step = (BOTTOM - TOP) * STEP * (up ? -1 : 1);
  const [low, high] = brush;
  if (event.shiftKey) {
    return [low, Math.min(low - 1, Math.max(TOP, high + step))];
  }
  const by = Math.min(BOTTOM - low, Math.max(TOP - high, step));
  return [low + by, high + by];
}
