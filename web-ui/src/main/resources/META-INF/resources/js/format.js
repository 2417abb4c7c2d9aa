// Numbers, times and names for people. Pure functions; nothing here knows a page.

/** @import {Stall} from './types.js' */

/** Shown where there is no value. */
export const NONE = '–';

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/**
 * A number with `digits` significant digits; powers of ten beyond 10⁻³ and 10⁶.
 *
 * @param {number | null | undefined} value null, undefined and NaN give a dash
 * @param {number} [digits]
 * @returns {string}
 */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return NONE;
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : '−∞';
  }
  if (value === 0) {
    return '0';
  }
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e6) {
    return power(value, digits);
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return signed(grouped(trimZeros(value.toFixed(Math.min(decimals, 12)))));
}

/**
 * Passes over the data, and in which start where there was more than one.
 *
 * @param {number} passes
 * @param {number} start from 1
 * @param {number} [starts] of the job so far
 * @returns {string}
 */
export function epoch(passes, start, starts = start) {
  const words = measured(passes, 3);
  return Math.max(start, starts) > 1 ? `${words} of start ${start}` : words;
}

/**
 * A measured number: like `number`, but zeros at the end stay, so that columns do not jump. What is
 * below one has a digit less: its zero stands in front.
 *
 * @param {number | null | undefined} value
 * @param {number} [digits]
 * @returns {string}
 */
export function measured(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value) || value === 0) {
    return number(value, digits);
  }
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e6) {
    return power(value, Math.min(digits, 3));
  }
  const whole = Math.floor(Math.log10(size));
  const decimals = Math.max(0, digits - 1 - (whole < -1 ? whole + 1 : Math.max(0, whole)));
  return signed(grouped(value.toFixed(decimals)));
}

/**
 * @param {number} value
 * @param {number} digits
 */
function power(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const raised = Array.from(exponent.replace('+', ''), (c) =>
    c === '-' ? '⁻' : SUPERSCRIPTS[Number(c)],
  ).join('');
  const short = trimZeros(mantissa);
  return signed(short === '1' ? `10${raised}` : `${short}×10${raised}`);
}

/** @param {string} text */
function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** @param {string} text */
function signed(text) {
  return text.replace('-', '−');
}

/** @param {string} text */
function grouped(text) {
  const [whole, part] = text.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? spaced : `${spaced}.${part}`;
}

/**
 * A count with thousands set apart.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function count(value) {
  return value === null || value === undefined || !Number.isFinite(value)
    ? NONE
    : signed(grouped(String(Math.round(value))));
}

/**
 * A share of one as per cent.
 *
 * @param {number | null | undefined} share
 * @returns {string}
 */
export function percent(share) {
  if (share === null || share === undefined || !Number.isFinite(share)) {
    return NONE;
  }
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)}%`;
}

/**
 * A length of time in at most two units.
 *
 * @param {number | null | undefined} seconds
 * @returns {string}
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return NONE;
  }
  if (seconds < 0.0005) {
    return '0 s';
  }
  if (seconds < 0.9995) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  }
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) {
    return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  }
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * A time that is left at most: of ten minutes and more nobody knows the seconds.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function timeLeft(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (seconds < 600) {
    return duration(seconds);
  }
  return minutes < 60 ? `${minutes} min` : duration(60 * minutes);
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, '0');
}

/**
 * How long ago something was, in one unit.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function ago(seconds) {
  const past = Math.max(0, Math.round(seconds));
  if (past < 2) {
    return 'just now';
  }
  if (past < 60) {
    return `${past} s ago`;
  }
  if (past < 3600) {
    return `${Math.floor(past / 60)} min ago`;
  }
  return past < 48 * 3600
    ? `${Math.floor(past / 3600)} h ago`
    : `${Math.floor(past / 86400)} d ago`;
}

/**
 * The words of a name in camel case, kebab case or upper case: `learningRate` is `learning rate`.
 *
 * @param {string} name
 * @returns {string}
 */
export function words(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[-_.]+/g, ' ')
    .toLowerCase();
}

/**
 * The name of a metric that the mainline is evaluated by: on the validation data, unless it says
 * that it is that of a test.
 *
 * @param {string} name such as `accuracy`
 */
export function metric(name) {
  const text = words(name);
  return text.startsWith('test ') ? sentence(text) : `Validation ${text}`;
}

/**
 * What the best validation result of a branch is called.
 *
 * @param {string} name of the metric, such as `accuracy`
 */
export function bestMetric(name) {
  return `Best ${words(name)}`;
}

/**
 * @param {string} text
 * @returns {string} with a capital first letter
 */
export function sentence(text) {
  return text === '' ? text : text[0].toUpperCase() + text.slice(1);
}

/**
 * A clock time in the viewer's zone, with the date when that is another day.
 *
 * @param {string | number | Date} instant
 * @param {Date} [now]
 * @returns {string}
 */
export function timeOfDay(instant, now = new Date()) {
  const date = new Date(instant);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === now.toDateString()) {
    return time;
  }
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/**
 * Since when and why a job stands still.
 *
 * @param {Stall} stall
 */
export function stall({ since, reason }) {
  return `Stands still since ${timeOfDay(since)}: ${reason}.`;
}

/**
 * A value of a tunable.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function tunable(value) {
  return Number.isInteger(value) ? count(value) : number(value, 3);
}
