// What a page knows of a job, and what follows from it. Pure functions over the server's views:
// every number is the server's, nothing is measured here.

/** @import {JobView, BranchView, RoundView, DecisionView, Step, EvaluationView, SeriesView,
 *     Bucket, Point, Setting} from './types.js' */

/** A series longer than this is asked for again, in wider buckets. */
const MAX_BUCKETS = 600;

/**
 * @typedef {{job: JobView | null, branches: Map<number, BranchView>,
 *     rounds: Map<number, RoundView>, decisions: DecisionView[], steps: Step[],
 *     evaluations: EvaluationView[], series: Map<number, SeriesView>, wanted: Set<number>}} JobModel
 *     `wanted` names the branches whose series must be asked for
 */

/** @returns {JobModel} */
export function emptyModel() {
  return {
    job: null,
    branches: new Map(),
    rounds: new Map(),
    decisions: [],
    steps: [],
    evaluations: [],
    series: new Map(),
    wanted: new Set(),
  };
}

/**
 * Takes in one event of the live stream.
 *
 * @param {JobModel} model
 * @param {string} type such as `branch.changed`
 * @param {any} data the matching view
 * @returns {boolean} whether anything changed
 */
export function applyEvent(model, type, data) {
  switch (type) {
    case 'snapshot':
      return putSnapshot(model, data);
    case 'job.changed':
      // Versions only grow; an older view can overtake a newer one between list and stream.
      if (model.job && data.version < model.job.version) {
        return false;
      }
      model.job = data;
      return true;
    case 'branch.changed':
      return putBranch(model, data);
    case 'round.changed':
      model.rounds.set(data.round, data);
      return true;
    case 'decision.made':
      return insert(model.decisions, data, (decision) => decision.sequence);
    case 'schedule.changed':
      model.steps = data.steps;
      return true;
    case 'evaluation.made':
      return insert(model.evaluations, data, (evaluation) => evaluation.mainlineClock);
    case 'metric.window':
      return putWindow(model, data);
    default:
      return false;
  }
}

/**
 * Replaces everything but the series, which are asked for where they are behind.
 *
 * @param {JobModel} model
 * @param {{job: JobView, branches: BranchView[], rounds: RoundView[],
 *     schedule: import('./types.js').ScheduleView, evaluations: EvaluationView[],
 *     decisions: DecisionView[]}} snapshot
 */
function putSnapshot(model, snapshot) {
  model.job = snapshot.job;
  model.branches.clear();
  snapshot.branches.forEach((branch) => putBranch(model, branch));
  model.rounds = new Map(snapshot.rounds.map((round) => [round.round, round]));
  model.steps = snapshot.schedule.steps;
  model.decisions = snapshot.decisions.toSorted((a, b) => a.sequence - b.sequence);
  model.evaluations = snapshot.evaluations.toSorted((a, b) => a.mainlineClock - b.mainlineClock);
  return true;
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 */
function putBranch(model, branch) {
  const before = model.branches.get(branch.branch);
  model.branches.set(branch.branch, branch);
  if (branch.kind !== 'EVALUATION' && branch.clocks > seriesEnd(model, branch.branch)) {
    model.wanted.add(branch.branch);
  }
  return JSON.stringify(before) !== JSON.stringify(branch);
}

/**
 * @param {JobModel} model
 * @param {number} branch
 */
function seriesEnd(model, branch) {
  return model.series.get(branch)?.buckets.at(-1)?.toClock ?? 0;
}

/**
 * Appends a window to a series; asks for the whole series where it does not fit on.
 *
 * @param {JobModel} model
 * @param {{branch: number, fromClock: number, toClock: number, seconds: number, mean: unknown,
 *     min: unknown, max: unknown}} window loss of consecutive clocks
 */
function putWindow(model, window) {
  const { branch, fromClock, toClock } = window;
  const series = model.series.get(branch);
  const end = seriesEnd(model, branch);
  if (toClock <= end) {
    return false;
  }
  if (!series || fromClock !== end || series.buckets.length >= MAX_BUCKETS) {
    model.wanted.add(branch);
    return false;
  }
  const mean = finite(window.mean);
  const nonFinite = mean === null ? toClock - fromClock : 0;
  const { seconds } = window;
  const [min, max] = [finite(window.min), finite(window.max)];
  series.buckets.push({ fromClock, toClock, seconds, min, max, mean, nonFinite });
  return true;
}

/**
 * JSON has no NaN and no infinity: they come as texts or as null.
 *
 * @param {unknown} value
 * @returns {number | null}
 */
function finite(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/**
 * Inserts into a list that ascends by `order`; replaces what has the same order.
 *
 * @template T
 * @param {T[]} list
 * @param {T} item
 * @param {(item: T) => number} order
 */
export function insert(list, item, order) {
  let index = list.length;
  while (index > 0 && order(list[index - 1]) > order(item)) {
    index--;
  }
  if (index > 0 && order(list[index - 1]) === order(item)) {
    list[index - 1] = item;
  } else {
    list.splice(index, 0, item);
  }
  return true;
}

/**
 * The branches that the mainline is made of, and the mainline clocks that each of them gave.
 *
 * @param {Map<number, BranchView>} branches
 * @param {number} mainline number of the branch that is the mainline now
 * @returns {{branch: number, from: number, to: number}[]} oldest first; the last `to` is Infinity
 */
export function mainlineChain(branches, mainline) {
  const chain = [];
  let to = Infinity;
  const seen = new Set();
  for (let branch = branches.get(mainline); branch && !seen.has(branch.branch);) {
    seen.add(branch.branch);
    chain.unshift({ branch: branch.branch, from: branch.forkClock, to });
    to = branch.forkClock;
    branch = branch.parent === null ? undefined : branches.get(branch.parent);
  }
  return chain;
}

/**
 * A series as points over the mainline clock; buckets without a finite loss are left out.
 *
 * @param {SeriesView | undefined} series
 * @param {number} [from] points before this mainline clock are left out
 * @param {number} [to] points after it too
 * @returns {Point[]}
 */
export function points(series, from = -Infinity, to = Infinity) {
  if (!series) {
    return [];
  }
  const result = [];
  for (const bucket of series.buckets) {
    const x = series.forkClock + (bucket.fromClock + bucket.toClock) / 2;
    if (bucket.mean !== null && x >= from && x <= to) {
      result.push({
        x,
        y: bucket.mean,
        low: bucket.min ?? bucket.mean,
        high: bucket.max ?? bucket.mean,
      });
    }
  }
  return result;
}

/**
 * Joins neighbouring buckets until each spans `clocks`: a point per few pixels is all that a
 * drawing can show. Means are weighted by clocks, so they stay means.
 *
 * @param {SeriesView | undefined} series
 * @param {number} clocks
 * @returns {SeriesView | undefined}
 */
export function coarsen(series, clocks) {
  if (!series) {
    return undefined;
  }
  /** @type {Bucket[]} */
  const joined = [];
  for (const bucket of series.buckets) {
    const last = joined.at(-1);
    if (last && bucket.toClock - last.fromClock <= clocks && last.toClock === bucket.fromClock) {
      joined[joined.length - 1] = join(last, bucket);
    } else {
      joined.push(bucket);
    }
  }
  return { ...series, buckets: joined };
}

/**
 * @param {Bucket} a
 * @param {Bucket} b the next one
 * @returns {Bucket}
 */
function join(a, b) {
  const weightOf = (/** @type {Bucket} */ c) =>
    c.mean === null ? 0 : Math.max(1, c.toClock - c.fromClock - c.nonFinite);
  const weight = weightOf(a) + weightOf(b);
  return {
    fromClock: a.fromClock,
    toClock: b.toClock,
    seconds: b.seconds,
    min: a.min === null || b.min === null ? (a.min ?? b.min) : Math.min(a.min, b.min),
    max: a.max === null || b.max === null ? (a.max ?? b.max) : Math.max(a.max, b.max),
    mean:
      weight === 0 ? null : ((a.mean ?? 0) * weightOf(a) + (b.mean ?? 0) * weightOf(b)) / weight,
    nonFinite: a.nonFinite + b.nonFinite,
  };
}

/**
 * The mainline's loss: the clocks that each branch of its chain gave, one after the other.
 *
 * @param {JobModel} model
 * @param {number} [clocks] span of a point
 * @returns {Point[]}
 */
export function mainlinePoints(model, clocks = 1) {
  if (!model.job) {
    return [];
  }
  return mainlineChain(model.branches, model.job.mainlineBranch).flatMap(({ branch, from, to }) =>
    points(coarsen(model.series.get(branch), clocks), from, to),
  );
}

/**
 * The trials, drawn as whiskers: branches on trial that are not part of the mainline.
 *
 * @param {JobModel} model
 * @returns {BranchView[]} by number
 */
export function trials(model) {
  return [...model.branches.values()]
    .filter(
      (branch) => branch.kind === 'TRIAL' || (branch.round > 0 && branch.kind !== 'EVALUATION'),
    )
    .sort((a, b) => a.branch - b.branch);
}

/**
 * The value of a sampled line at `x`, between its neighbours.
 *
 * @param {Point[]} line ascending in x
 * @param {number} x
 * @returns {number | null} null for an empty line
 */
export function valueAt(line, x) {
  if (line.length === 0) {
    return null;
  }
  let low = 0;
  let high = line.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (line[middle].x <= x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const a = line[low];
  const b = line[high];
  if (b.x === a.x || x <= a.x) {
    return a.y;
  }
  return x >= b.x ? b.y : a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y);
}

/**
 * The verdict to draw a branch with: a kept branch counts as the winner, whatever its verdict.
 *
 * @param {BranchView} branch
 * @param {RoundView | undefined} round
 * @returns {'winner' | 'converging' | 'unstable' | 'diverged' | 'inconclusive' | 'open'}
 */
export function standing(branch, round) {
  if (branch.state === 'KEPT' || (round && round.winner === branch.branch)) {
    return 'winner';
  }
  if (branch.state === 'FAILED') {
    return 'diverged';
  }
  switch (branch.verdict) {
    case 'CONVERGING':
      return 'converging';
    case 'UNSTABLE':
      return 'unstable';
    case 'DIVERGED':
      return 'diverged';
    case 'INCONCLUSIVE':
      return 'inconclusive';
    default:
      return 'open';
  }
}

/**
 * The trials of a round, fastest first; those without a speed last.
 *
 * @param {JobModel} model
 * @param {number} round
 * @returns {BranchView[]}
 */
export function ranked(model, round) {
  const winner = model.rounds.get(round)?.winner;
  const rank = (/** @type {BranchView} */ branch) =>
    branch.branch === winner ? Infinity : branch.state === 'FAILED' ? -2 : (branch.speed ?? -1);
  return trials(model)
    .filter((branch) => branch.round === round)
    .sort((a, b) => compare(rank(b), rank(a)) || a.branch - b.branch);
}

/**
 * @param {number} a
 * @param {number} b
 */
function compare(a, b) {
  return a === b ? 0 : a - b;
}

/**
 * Which tunables the job varies, and which it holds fixed.
 *
 * @param {JobModel} model
 * @returns {{varied: string[], fixed: Setting}} in name order
 */
export function tunables(model) {
  /** @type {Map<string, Set<number>>} */
  const values = new Map();
  const settings = [
    ...[...model.branches.values()].filter((b) => b.kind !== 'EVALUATION').map((b) => b.setting),
    ...model.steps.map((step) => step.setting),
    model.job?.setting ?? {},
  ];
  for (const setting of settings) {
    for (const [name, value] of Object.entries(setting)) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  const names = [...values.keys()].sort(byImportance);
  const fixed = /** @type {Setting} */ ({});
  for (const name of names) {
    const [first, ...others] = values.get(name) ?? [];
    if (others.length === 0) {
      fixed[name] = first;
    }
  }
  return { varied: names.filter((name) => !(name in fixed)), fixed };
}

/**
 * The order of tunables: the learning rate first, the others by name.
 *
 * @param {string} a
 * @param {string} b
 */
export function byImportance(a, b) {
  const first = (/** @type {string} */ name) => (name === 'learningRate' ? 0 : 1);
  return first(a) - first(b) || a.localeCompare(b);
}

/**
 * Whether a tunable reads better on a logarithmic axis.
 *
 * @param {string} name
 * @param {number[]} values
 */
export function wantsLog(name, values) {
  if (values.length === 0 || !values.every((value) => value > 0)) {
    return false;
  }
  return /(Rate|Decay)$/.test(name) || Math.max(...values) / Math.min(...values) > 1000;
}

/**
 * The mainline's value of one tunable over its clocks.
 *
 * @param {Step[]} steps ascending
 * @param {string} name
 * @param {number} end clock at which the last step ends
 * @returns {{from: number, to: number, value: number}[]} neighbours with one value are joined
 */
export function lane(steps, name, end) {
  /** @type {{from: number, to: number, value: number}[]} */
  const result = [];
  steps.forEach((step, index) => {
    const value = step.setting[name];
    if (value === undefined) {
      return;
    }
    const to = Math.max(step.fromClock, steps[index + 1]?.fromClock ?? end);
    const last = result.at(-1);
    if (last && last.value === value && last.to === step.fromClock) {
      last.to = to;
    } else {
      result.push({ from: step.fromClock, to, value });
    }
  });
  return result;
}

/**
 * The mainline clock up to which there is something to show.
 *
 * @param {JobModel} model
 */
export function lastClock(model) {
  let last = model.job?.mainlineClock ?? 0;
  for (const branch of trials(model)) {
    last = Math.max(
      last,
      branch.forkClock + Math.max(branch.clocks, seriesEnd(model, branch.branch)),
    );
  }
  return last;
}

/**
 * The mainline clocks that a round and its trials cover, with some air.
 *
 * @param {JobModel} model
 * @param {number} round
 * @returns {[number, number] | null}
 */
export function roundSpan(model, round) {
  const own = trials(model).filter((branch) => branch.round === round);
  if (own.length === 0) {
    return null;
  }
  const from = Math.min(...own.map((branch) => branch.forkClock));
  const winner = model.rounds.get(round)?.winner;
  const to = Math.max(
    ...own.filter((b) => b.branch !== winner).map((branch) => branch.forkClock + branch.clocks),
    from + 10,
  );
  const air = (to - from) * 0.35;
  return [Math.max(0, from - air), to + air];
}

/**
 * The range of losses worth showing: the mainline's, and what a trial shows before it runs away.
 *
 * @param {Point[]} mainline
 * @param {{line: Point[], clip: boolean}[]} whiskers `clip`: the branch diverged
 * @param {[number, number]} span of clocks on the screen
 * @returns {[number, number] | null} null when nothing is on the screen
 */
export function lossRange(mainline, whiskers, span) {
  const inside = (/** @type {Point} */ point) => point.x >= span[0] && point.x <= span[1];
  const main = mainline.filter(inside).map((point) => point.y);
  const tried = whiskers.map((w) => ({ ...w, line: w.line.filter(inside).map((p) => p.y) }));
  const starts = tried.filter((w) => w.line.length > 0).map((w) => w.line[0]);
  const tame = [...main, ...tried.filter((w) => !w.clip).flatMap((w) => w.line)];
  const all = tame.length > 0 ? tame : starts;
  if (all.length === 0) {
    return null;
  }
  const low = Math.min(...all, ...tried.filter((w) => w.clip).flatMap((w) => w.line));
  const wild = Math.max(...all);
  const reference = Math.max(...(main.length > 0 ? main : [0]), median(starts) ?? 0);
  const high = reference > 0 ? Math.min(wild, Math.max(reference * 1.25, low)) : wild;
  return high > low
    ? [low, high]
    : [low - Math.abs(low) * 0.05 - 1e-9, low + Math.abs(low) * 0.05 + 1e-9];
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[sorted.length >> 1];
}

/**
 * What a person may ask of a job in this state.
 *
 * @param {string} state
 * @returns {('pause' | 'resume' | 'retune' | 'cancel')[]}
 */
export function actions(state) {
  switch (state) {
    case 'TRAINING':
      return ['retune', 'pause', 'cancel'];
    case 'TUNING':
    case 'STARTING':
    case 'QUEUED':
      return ['pause', 'cancel'];
    case 'PAUSED':
      return ['resume', 'cancel'];
    default:
      return [];
  }
}

/**
 * @param {string} state
 * @returns {boolean} whether the job has ended for good
 */
export function hasEnded(state) {
  return state === 'COMPLETED' || state === 'CANCELED' || state === 'FAILED';
}
