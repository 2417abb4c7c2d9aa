// Two to six losses laid over each other, from their starts on.

import { twin } from './controls.js';
import { h } from './dom.js';
import * as format from './format.js';
import { mark } from './marks.js';
import { least, most } from './model.js';
import { linear, ticksOf } from './scale.js';

/** @import {Tree} from './dom.js' */

/** So many lines can still be told apart. */
export const MOST_COMPARED = 6;

/** Narrower than this it is scrolled. */
const LEAST_WIDTH = 300;

/** Narrower than this, names are cut shorter. */
const WIDE = 560;

const HEIGHT = 320;
const LEFT = 60;

/** One alone gives no scale. */
const LEAST_TICKS = 3;

/** How wide a letter of a tick is, and what parts it from the next one. */
const LETTER = 7;

/** For the names at the ends of the lines. */
const NAMES = { wide: 162, narrow: 112 };

/** Between the drawing and the line before a name, which would else go on one that ends at the edge. */
const GAP = 20;

const TOP = 12;
const BOTTOM = HEIGHT - 40;

/** So many points of a line are in its table. */
const TWIN_POINTS = 40;

/** A longer name does not fit beside the drawing. */
const LONGEST_LABEL = { wide: 14, narrow: 9 };

/**
 * One line.
 *
 * @typedef {{label: string, kind: string, wild: boolean, line: {x: number, y: number}[]}} Trace
 *     `kind` is a standing, which gives the hue and the mark at the end; a `wild` one runs out of
 *     the drawing, so that the others can be told apart
 */

/**
 * @param {Trace[]} traces at least one with a point; x in `unit`, y in loss
 * @param {{unit: (value: number) => string, label: string, axis?: string}} words `axis`: what goes
 *     across
 * @param {number} room for it, in pixels: letters are as large on a phone as elsewhere
 * @returns {Tree}
 */
export function overlay(traces, words, room) {
  const width = Math.max(LEAST_WIDTH, room);
  const size = width < WIDE ? 'narrow' : 'wide';
  const right = width - NAMES[size];
  const all = traces.flatMap((trace) => trace.line);
  const tame = traces.filter((trace) => !trace.wild).flatMap((trace) => trace.line);
  const shown = (tame.length > 0 ? tame : all).map((p) => p.y);
  const [low, high] = [least(shown), most(shown)];
  const air = (high - low) * 0.08 || 1;
  const x = linear(0, most(all.map((p) => p.x)) || 1, LEFT, right);
  const y = linear(low - air, high + air, BOTTOM, TOP);
  const px = (/** @type {number} */ value) => value.toFixed(1);
  // Names are moved apart, so that the line before each says whose it is.
  const labels = namesOf(
    traces.map(({ label }) => label),
    LONGEST_LABEL[size],
  );
  const name = (/** @type {string} */ label, /** @type {number} */ i) => {
    const at = spread(traces, i, y);
    return h(
      'g',
      null,
      h('path', {
        class: `compare-line is-${traces[i].kind} line-${i}`,
        d: `M${px(right + GAP)} ${px(at - 4)}h16`,
      }),
      h(
        'text',
        { class: 'value', x: right + GAP + 21, y: at },
        h('title', null, traces[i].label),
        label,
      ),
    );
  };
  return h(
    'div',
    { class: 'compare-plot scroll', tabindex: 0, role: 'region', 'aria-label': words.label },
    h(
      'svg',
      {
        class: 'compare-lines',
        viewBox: `0 0 ${width} ${HEIGHT}`,
        role: 'img',
        'aria-label': `${words.label}; the same as a table below.`,
      },
      h(
        'clipPath',
        { id: 'overlay' },
        h('rect', { x: LEFT, y: TOP, width: right - LEFT, height: BOTTOM - TOP + 2 }),
      ),
      ticksOf(y, 5).map((tick) =>
        h(
          'g',
          { key: `y${tick}` },
          h('line', { class: 'grid', x1: LEFT, x2: right, y1: y.at(tick), y2: y.at(tick) }),
          h(
            'text',
            { class: 'tick tick-y', x: LEFT - 8, y: y.at(tick) + 4 },
            format.number(tick, 3),
          ),
        ),
      ),
      placesOf(x, Math.max(LEAST_TICKS, width / 190), words.unit).map((tick) =>
        h(
          'text',
          { key: `x${tick}`, class: 'tick tick-x', x: x.at(tick), y: BOTTOM + 19 },
          words.unit(tick),
        ),
      ),
      words.axis && h('text', { class: 'axis-title', x: right, y: HEIGHT - 6 }, words.axis),
      traces.map(({ kind, line }, i) => {
        const last = line.at(-1);
        return h(
          'g',
          { key: i },
          h('path', {
            class: `compare-line is-${kind} line-${i}`,
            'clip-path': 'url(#overlay)',
            d: line
              .map((p, j) => `${j === 0 ? 'M' : 'L'}${px(x.at(p.x))} ${px(y.at(p.y))}`)
              .join(''),
          }),
          last && mark(kind, x.at(last.x), Math.max(TOP, y.at(last.y)), 4),
          last && name(labels[i], i),
        );
      }),
    ),
  );
}

/**
 * Ticks, as many as do not run into each other.
 *
 * @param {import('./scale.js').Scale} x
 * @param {number} most
 * @param {(value: number) => string} unit
 * @returns {number[]}
 */
function placesOf(x, most, unit) {
  const ticks = ticksOf(x, most);
  const room = x.at(ticks[1]) - x.at(ticks[0]);
  const isTight = ticks.slice(0, -1).some((tick, i) => {
    const letters = (unit(tick).length + unit(ticks[i + 1]).length) / 2;
    return letters * LETTER > room;
  });
  return isTight && most > 1 ? placesOf(x, most - 1, unit) : ticks;
}

/**
 * The lines as a table: of long ones every so many points.
 *
 * @param {Trace[]} traces
 * @param {{unit: (value: number) => string, label: string}} words
 */
export function overlayTwin(traces, words) {
  return twin(
    words.label,
    ['Line', 'At', 'Value'],
    traces.flatMap(({ label, line }) => {
      const step = Math.ceil(line.length / TWIN_POINTS);
      return line
        .filter((_, i) => i % step === 0 || i === line.length - 1)
        .map((p) => [label, words.unit(p.x), format.measured(p.y, 4)]);
    }),
  );
}

/**
 * Names for lines that can be told apart, where their labels can be.
 *
 * @param {string[]} labels
 * @param {number} longest
 * @returns {string[]}
 */
export function namesOf(labels, longest) {
  const names = distinct(labels, longest).map((name) => short(name, longest));
  return names.map((name, i) => {
    // What is named alike is told apart by itself, whatever stands beside it.
    const alike = labels.filter((_, j) => names[j] === name);
    return alike.length === 1 || alike.length === labels.length
      ? name
      : short(distinct(alike, longest)[alike.indexOf(labels[i])], longest);
  });
}

/**
 * Where they are too long the labels without the words that all of them have in common; a word stays
 * before a number, which by itself would say little, as long as there is room.
 *
 * @param {string[]} labels
 * @param {number} longest
 * @returns {string[]}
 */
function distinct(labels, longest) {
  const named = differing(labels, true);
  const fits = (/** @type {string[]} */ names) => names.every((name) => name.length <= longest);
  return [labels, named].find(fits) ?? differing(labels, false);
}

/**
 * @param {string[]} labels
 * @param {boolean} isNamed whether a number keeps the word before it
 * @returns {string[]} the labels as they are where nothing would be left of one
 */
function differing(labels, isNamed) {
  const all = labels.map(wordsOf);
  const [first] = all;
  const isAlike = all.every((words) => words.length === first.length);
  const isCommon = (/** @type {number} */ i) =>
    all.every((words) => words.at(i)?.trim() === first.at(i)?.trim());
  const shared = first.findIndex((_, i) => !isCommon(i));
  const sharedEnd = first.findIndex((_, i) => !isCommon(-1 - i));
  const names = all.map((words) => {
    const stays = words.map((_, i) =>
      isAlike ? !isCommon(i) : i >= shared && i < words.length - sharedEnd,
    );
    return words
      .filter((_, i) => stays[i] || (isNamed && stays[i + 1] && /^\d/.test(words[i + 1])))
      .join('')
      .replace(/[\s_-]+$/, '');
  });
  const isTold = shared >= 0 && (isAlike || sharedEnd >= 0) && !names.includes('');
  return isTold ? names : labels;
}

/**
 * @param {string} label
 * @returns {string[]} each with what parts it from the next one; 1e-3 is one
 */
function wordsOf(label) {
  return label.split(/(?<=\s|_|(?<!\de)-)/);
}

/**
 * Names of jobs often begin alike, so both ends stay.
 *
 * @param {string} label
 * @param {number} longest
 */
function short(label, longest) {
  const tail = Math.floor(longest / 2);
  return label.length > longest
    ? `${label.slice(0, longest - tail - 1)}…${label.slice(-tail)}`
    : label;
}

/**
 * Where a label stands so that no two cover each other.
 *
 * @param {Trace[]} traces
 * @param {number} index
 * @param {import('./scale.js').Scale} y
 */
function spread(traces, index, y) {
  const ends = traces
    .map((trace, i) => ({
      i,
      at: trace.line.length > 0 ? Math.max(TOP, y.at(trace.line[trace.line.length - 1].y)) : 0,
    }))
    .sort((a, b) => a.at - b.at);
  let free = 0;
  for (const end of ends) {
    const at = Math.max(end.at + 4, free);
    if (end.i === index) {
      return at;
    }
    free = at + 15;
  }
  return 0;
}
