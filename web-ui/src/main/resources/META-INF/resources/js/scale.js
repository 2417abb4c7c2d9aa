// Axes: where a value stands in pixels, and which values deserve a tick.

/**
 * @typedef {{at: (value: number) => number, invert: (pixel: number) => number, log: boolean,
 *     from: number, to: number}} Scale
 */

/**
 * A linear axis.
 *
 * @param {number} from value at `low`
 * @param {number} to value at `high`
 * @param {number} low pixel
 * @param {number} high pixel
 * @returns {Scale}
 */
export function linear(from, to, low, high) {
  const span = to - from || 1;
  return {
    at: (value) => low + ((value - from) / span) * (high - low),
    invert: (pixel) => from + ((pixel - low) / (high - low || 1)) * span,
    log: false,
    from,
    to,
  };
}

/**
 * A logarithmic axis; `from` and `to` must be positive, other values stand at the low end.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} low
 * @param {number} high
 * @returns {Scale}
 */
export function logarithmic(from, to, low, high) {
  const inner = linear(Math.log(from), Math.log(to), low, high);
  return {
    at: (value) => (value > 0 ? inner.at(Math.log(value)) : low),
    invert: (pixel) => Math.exp(inner.invert(pixel)),
    log: true,
    from,
    to,
  };
}

/**
 * About `count` round values inside a linear range.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} count
 * @returns {number[]}
 */
export function linearTicks(from, to, count) {
  if (!(to > from)) {
    return [from];
  }
  const rough = (to - from) / Math.max(1, count);
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 2.5, 5, 10].map((m) => m * magnitude).find((s) => s >= rough * 0.999) ?? rough;
  const ticks = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

/**
 * Round values inside a logarithmic range: whole decades where there are enough, else 1, 2, 5.
 *
 * @param {number} from > 0
 * @param {number} to > from
 * @param {number} count
 * @returns {number[]}
 */
export function logTicks(from, to, count) {
  for (const steps of [[1], [1, 3], [1, 2, 5]]) {
    const ticks = decades(from, to, steps);
    if (ticks.length >= Math.min(3, count)) {
      const every = Math.ceil(ticks.length / (count + 1));
      return ticks.filter((_, index) => index % every === 0);
    }
  }
  const ticks = linearTicks(from, to, count).filter((tick) => tick > 0);
  return ticks.length > 0 ? ticks : [from];
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number[]} steps
 */
function decades(from, to, steps) {
  const ticks = [];
  for (let e = Math.floor(Math.log10(from)); e <= Math.ceil(Math.log10(to)); e++) {
    for (const step of steps) {
      const value = Number((step * 10 ** e).toPrecision(6));
      if (value >= from * 0.9999 && value <= to * 1.0001) {
        ticks.push(value);
      }
    }
  }
  return ticks;
}

/**
 * @param {Scale} scale
 * @param {number} count
 * @returns {number[]}
 */
export function ticksOf(scale, count) {
  const from = Math.min(scale.from, scale.to);
  const to = Math.max(scale.from, scale.to);
  return scale.log ? logTicks(from, to, count) : linearTicks(from, to, count);
}
