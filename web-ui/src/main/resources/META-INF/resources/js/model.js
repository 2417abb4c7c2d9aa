// What a page knows of a job, and what follows from it. Pure functions over the server's views:
// every number is the server's, nothing is measured here.

import * as format from './format.js';

/** @import {JobView, Stall, BranchView, RoundView, DecisionView, Step, EvaluationView, SeriesView,
 *     Bucket, MainlineBucket, Point, Setting, Snapshot, SnapshotView, ResultView, Fall} from './types.js' */

/** The tunable that falls to zero at the end of a lap. */
export const RATE = 'learningRate';

/** A series longer than this is asked for again, in wider buckets. */
const MAX_BUCKETS = 600;

/** The same for the mainline. */
const MAX_MAINLINE_BUCKETS = 1500;

/** So many decisions are kept by themselves; more only where a reader asked for earlier ones. */
const MAX_DECISIONS = 1000;

/**
 * @typedef {{job: JobView | null, stall: Stall | null, branches: Map<number, BranchView>,
 *     rounds: Map<number, RoundView>, decisions: DecisionView[], moreDecisions: boolean,
 *     steps: Step[], result: ResultView | null, evaluations: EvaluationView[],
 *     snapshots: Map<number, SnapshotView>, leftOut: number,
 *     mainline: MainlineBucket[], detail: MainlineBucket[] | null, wantsMainline: boolean,
 *     wantsPast: boolean, series: Map<number, SeriesView>,
 *     wanted: Set<number>, revision: number}} JobModel
 *     `wanted` names the branches whose series must be asked for, `wantsMainline` is the same for
 *     the mainline, `wantsPast` for what a snapshot left out; `moreDecisions`: the server has earlier ones; `leftOut` counts the branches that
 *     it has besides; `revision` grows with each change of branches or rounds
 */

/**
 * A place on the horizontal axis: mainline clocks, or the training seconds or epochs they took.
 *
 * @typedef {'clock' | 'time' | 'epoch'} Unit
 * @typedef {{unit: Unit, at: (clock: number) => number}} Axis
 */

/** @returns {JobModel} */
export function emptyModel() {
  return {
    job: null,
    stall: null,
    branches: new Map(),
    rounds: new Map(),
    decisions: [],
    moreDecisions: false,
    steps: [],
    result: null,
    evaluations: [],
    snapshots: new Map(),
    leftOut: 0,
    mainline: [],
    detail: null,
    wantsMainline: false,
    wantsPast: false,
    series: new Map(),
    wanted: new Set(),
    revision: 0,
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
      if (model.job && data.mainlineBranch !== model.job.mainlineBranch) {
        model.wantsMainline = true;
        // Of the branch before: it is looked at anew together with the whole.
        model.detail = null;
      }
      model.job = data;
      return true;
    case 'job.stalled':
      model.stall = data.stall ?? null;
      return true;
    case 'snapshot.changed':
      model.snapshots.set(data.snapshot, data);
      return true;
    case 'branch.changed':
      return putBranch(model, data);
    case 'round.changed':
      model.rounds.set(data.round, data);
      model.revision++;
      return true;
    case 'decision.made':
      return putDecision(model, data);
    case 'schedule.changed':
      // It takes the place of all that began later: the mainline may have gone back.
      model.steps = [...model.steps.filter((step) => step.fromClock < data.fromClock), data];
      return true;
    case 'result.changed': {
      const kept = (model.result?.steps ?? []).slice(0, data.kept);
      model.result = { ...data, steps: [...kept, ...data.steps] };
      return true;
    }
    case 'evaluation.made':
      return insert(model.evaluations, data, byPlace);
    case 'metric.window':
      return putWindow(model, data);
    default:
      return false;
  }
}

/**
 * Replaces everything but the series and the mainline, which are asked for where they are behind,
 * and the earlier decisions that a reader asked for.
 *
 * @param {JobModel} model
 * @param {Snapshot} snapshot
 */
function putSnapshot(model, snapshot) {
  model.job = snapshot.job;
  model.stall = snapshot.job.stall ?? null;
  model.branches.clear();
  snapshot.branches.forEach((branch) => putBranch(model, branch));
  model.leftOut = snapshot.branchesLeftOut ?? 0;
  model.rounds = new Map(snapshot.rounds.map((round) => [round.round, round]));
  model.steps = snapshot.schedule.steps;
  model.result = snapshot.schedule.result ?? null;
  putDecisions(model, snapshot);
  model.evaluations = [];
  snapshot.evaluations.forEach((one) => insert(model.evaluations, one, byPlace));
  model.snapshots = new Map((snapshot.snapshots ?? []).map((one) => [one.snapshot, one]));
  model.wantsMainline = true;
  model.wantsPast =
    (snapshot.roundsLeftOut ?? 0) +
      (snapshot.evaluationsLeftOut ?? 0) +
      (snapshot.snapshotsLeftOut ?? 0) >
    0;
  model.detail = null;
  model.revision++;
  return true;
}

/**
 * Adds what the snapshot of a long job left out; what is known already is as new or newer.
 *
 * @param {JobModel} model
 * @param {{rounds: RoundView[], evaluations: EvaluationView[], snapshots: SnapshotView[]}} past
 */
export function addPast(model, past) {
  model.rounds = withPast(model.rounds, past.rounds, (one) => one.round);
  model.snapshots = withPast(model.snapshots, past.snapshots, (one) => one.snapshot);
  past.evaluations.forEach((one) => insert(model.evaluations, one, byPlace));
  model.wantsPast = false;
  model.revision++;
}

/**
 * @template T
 * @param {Map<number, T>} known
 * @param {T[]} past ascending
 * @param {(one: T) => number} number
 * @returns {Map<number, T>} ascending
 */
function withPast(known, past, number) {
  const all = new Map(past.map((one) => [number(one), known.get(number(one)) ?? one]));
  known.forEach((one, key) => all.set(key, one));
  return all;
}

/**
 * Takes branches in that were left out before.
 *
 * @param {JobModel} model
 * @param {BranchView[]} branches
 */
export function addBranches(model, branches) {
  const added = branches.filter((branch) => !model.branches.has(branch.branch));
  added.forEach((branch) => putBranch(model, branch));
  model.leftOut = Math.max(0, model.leftOut - added.length);
}

/**
 * Whether branches of a round are not known here.
 *
 * @param {JobModel} model
 * @param {number} round
 */
export function isIncomplete(model, round) {
  const known = trialsByRound(model).get(round)?.length ?? 0;
  // How many runs a population has no round says.
  const all = round === 0 ? Infinity : (model.rounds.get(round)?.trials ?? 0);
  return model.leftOut > 0 && known < all;
}

/**
 * @param {JobModel} model
 * @param {Snapshot} snapshot holds the latest decisions
 */
function putDecisions(model, snapshot) {
  const latest = snapshot.decisions.toSorted((a, b) => a.sequence - b.sequence);
  const [first] = latest;
  const last = model.decisions.at(-1);
  const joins = first !== undefined && last !== undefined && last.sequence >= first.sequence;
  const earlier = joins ? model.decisions.filter((one) => one.sequence < first.sequence) : [];
  model.moreDecisions =
    earlier.length > 0 ? model.moreDecisions : (snapshot.moreDecisions ?? false);
  model.decisions = [...earlier, ...latest];
}

/**
 * @param {JobModel} model
 * @param {DecisionView} decision
 */
function putDecision(model, decision) {
  const before = model.decisions.length;
  insert(model.decisions, decision, (a, b) => a.sequence - b.sequence);
  if (before >= MAX_DECISIONS && model.decisions.length > before) {
    model.decisions.shift();
    model.moreDecisions = true;
  }
  return true;
}

/**
 * @param {JobModel} model
 * @param {BranchView} branch
 */
function putBranch(model, branch) {
  const before = model.branches.get(branch.branch);
  model.branches.set(branch.branch, branch);
  if (needsSeries(branch) && branch.clocks > seriesEnd(model, branch.branch)) {
    model.wanted.add(branch.branch);
  } else if (finiteWindows(branch) >= 2) {
    // Drawn by its windows from now on.
    model.series.delete(branch.branch);
    model.wanted.delete(branch.branch);
  }
  model.revision++;
  return JSON.stringify(before) !== JSON.stringify(branch);
}

/**
 * A judged trial is drawn by the windows that judged it; only one that was not is drawn by its
 * losses.
 *
 * @param {BranchView} branch
 */
function needsSeries(branch) {
  return branch.kind === 'TRIAL' && finiteWindows(branch) < 2;
}

/** @param {BranchView} branch */
function finiteWindows(branch) {
  return (branch.windowMeans ?? []).filter((mean) => mean !== null).length;
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
 * @param {Window} window loss of consecutive clocks
 */
function putWindow(model, window) {
  const { branch, fromClock, toClock } = window;
  if (branch === model.job?.mainlineBranch) {
    return putMainlineWindow(model, window);
  }
  if (!model.branches.has(branch) || model.branches.get(branch)?.kind === 'EVALUATION') {
    return false;
  }
  const series = model.series.get(branch);
  const end = seriesEnd(model, branch);
  if (toClock <= end) {
    return false;
  }
  if (!series || fromClock !== end || series.buckets.length >= MAX_BUCKETS) {
    model.wanted.add(branch);
    return false;
  }
  series.buckets.push(bucketOf(window, series.buckets.at(-1)?.seconds ?? 0, 0));
  return true;
}

/**
 * @typedef {{branch: number, fromClock: number, toClock: number, seconds: number, mean: unknown,
 *     min: unknown, max: unknown}} Window
 */

/**
 * @param {JobModel} model
 * @param {Window} window
 */
function putMainlineWindow(model, window) {
  const fork = model.branches.get(window.branch)?.forkClock;
  const last = model.mainline.at(-1);
  const end = last?.toClock ?? 0;
  if (fork === undefined || fork + window.toClock <= end) {
    return false;
  }
  if (fork + window.fromClock !== end || model.mainline.length >= MAX_MAINLINE_BUCKETS) {
    model.wantsMainline = true;
    return false;
  }
  model.mainline.push({
    ...bucketOf(window, last?.seconds ?? 0, fork),
    branch: window.branch,
  });
  return true;
}

/**
 * @param {Window} window
 * @param {number} secondsBefore
 * @param {number} fork
 * @returns {Bucket}
 */
function bucketOf(window, secondsBefore, fork) {
  const mean = finite(window.mean);
  return {
    fromClock: fork + window.fromClock,
    toClock: fork + window.toClock,
    seconds: secondsBefore + window.seconds,
    min: finite(window.min),
    max: finite(window.max),
    mean,
    nonFinite: mean === null ? window.toClock - window.fromClock : 0,
  };
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
 * Orders validation results: start by start, clock by clock in each, and as they were made where a
 * mainline that went back came to the same clock again, or two runs of a population did.
 *
 * @param {EvaluationView} a
 * @param {EvaluationView} b
 */
function byPlace(a, b) {
  return (
    a.start - b.start ||
    a.mainlineClock - b.mainlineClock ||
    a.atSeconds - b.atSeconds ||
    (a.branch ?? 0) - (b.branch ?? 0)
  );
}

/**
 * Inserts into a list that ascends by `compare`; replaces what is equal by it.
 *
 * @template T
 * @param {T[]} list
 * @param {T} item
 * @param {(a: T, b: T) => number} compare
 */
function insert(list, item, compare) {
  let index = list.length;
  while (index > 0 && compare(list[index - 1], item) > 0) {
    index--;
  }
  if (index > 0 && compare(list[index - 1], item) === 0) {
    list[index - 1] = item;
  } else {
    list.splice(index, 0, item);
  }
  return true;
}

/**
 * The axis of a drawing.
 *
 * @param {JobModel} model
 * @param {Unit} unit
 * @returns {Axis} `time` reads the training seconds of a mainline clock off the mainline's buckets,
 *     `epoch` its passes over the data off the schedule: they grow evenly while the setting stays
 */
export function axisOf(model, unit) {
  switch (unit) {
    case 'clock':
      return { unit, at: (clock) => clock };
    case 'epoch':
      return { unit, at: epochsAt(model) };
    default:
      return {
        unit,
        at: placesAt([
          { x: 0, y: 0 },
          ...model.mainline.map((b) => ({ x: b.toClock, y: b.seconds })),
        ]),
      };
  }
}

/**
 * Clocks of the mainline whose epochs are told, and the setting from there on.
 *
 * @param {JobModel} model
 * @returns {{clock: number, epoch: number, setting: Setting}[]}
 */
function epochs({ steps, job }) {
  const end = {
    clock: job?.mainlineClock ?? 0,
    epoch: job?.epoch ?? 0,
    setting: job?.setting ?? {},
  };
  return [
    ...steps.map((step) => ({
      clock: step.fromClock,
      epoch: step.fromEpoch,
      setting: step.setting,
    })),
    end,
  ];
}

/**
 * Losses come before the job's view that counts their clocks: those go on as the last ones did.
 *
 * @param {JobModel} model
 * @returns {(clock: number) => number} the epoch of a mainline clock
 */
function epochsAt(model) {
  const within = placesAt(epochs(model).map(({ clock, epoch }) => ({ x: clock, y: epoch })));
  const end = model.job?.mainlineClock ?? 0;
  const perClock = epochsPerClock(model, model.job?.setting ?? {});
  return (clock) => within(clock) + Math.max(0, clock - end) * perClock;
}

/**
 * What a clock with a setting is of an epoch, by what clocks of the mainline were: that grows with
 * the batch alone.
 *
 * @param {JobModel} model
 * @param {Setting} setting
 * @returns {number} 0 before the mainline has run a clock
 */
export function epochsPerClock(model, setting) {
  const known = epochs(model);
  const last = known.findLastIndex(
    ({ clock, epoch }, i) => clock < known[i + 1]?.clock && epoch < known[i + 1].epoch,
  );
  if (last < 0) {
    return 0;
  }
  const [from, to] = [known[last], known[last + 1]];
  const batch = (/** @type {Setting} */ { batchSize }) => batchSize ?? 1;
  return (
    ((to.epoch - from.epoch) / (to.clock - from.clock)) * (batch(setting) / batch(from.setting))
  );
}

/**
 * How far a branch comes on an axis, from its fork on.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Unit} unit
 * @returns {(clocks: number, seconds: number) => number} of its own
 */
function ownPlaces(model, { setting }, unit) {
  if (unit === 'time') {
    return (_, seconds) => seconds;
  }
  const perClock = unit === 'clock' ? 1 : epochsPerClock(model, setting);
  return (clocks) => clocks * perClock;
}

/**
 * Where clocks lie, by some whose places are known: evenly between two of them, and
 * beyond the last one where that lies.
 *
 * @param {{x: number, y: number}[]} known clocks and their places, ascending; one that is known
 *     twice lies at the later place
 * @returns {(clock: number) => number}
 */
export function placesAt(known) {
  const points = known.filter((p, i) => !(known[i + 1]?.x <= p.x));
  return (clock) => valueAt(points, clock) ?? 0;
}

/**
 * Joins neighbouring buckets until each spans `clocks`: a point per few pixels is all that a
 * drawing can show. Means are weighted by clocks, so they stay means.
 *
 * @template {Bucket} B
 * @param {B[]} buckets
 * @param {number} clocks
 * @returns {B[]}
 */
export function coarsen(buckets, clocks) {
  /** @type {B[]} */
  const joined = [];
  for (const bucket of buckets) {
    const last = joined.at(-1);
    if (last && bucket.toClock - last.fromClock <= clocks && last.toClock === bucket.fromClock) {
      joined[joined.length - 1] = { ...bucket, ...join(last, bucket) };
    } else {
      joined.push(bucket);
    }
  }
  return joined;
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
 * The mainline's loss over the axis; buckets without a finite loss are left out.
 *
 * @param {JobModel} model
 * @param {Axis} axis
 * @param {number} [clocks] span of a point
 * @returns {Point[]}
 */
export function mainlinePoints(model, axis, clocks = 1) {
  return coarsen(shownBuckets(model), clocks)
    .filter((bucket) => bucket.mean !== null)
    .map((bucket) => {
      const middle = (bucket.fromClock + bucket.toClock) / 2;
      const mean = /** @type {number} */ (bucket.mean);
      const [low, high] = [bucket.min ?? mean, bucket.max ?? mean];
      return { x: axis.at(middle), y: mean, low, high };
    });
}

/**
 * The mainline's buckets, with the finer ones of the part that is looked at.
 *
 * @param {JobModel} model
 * @returns {MainlineBucket[]}
 */
function shownBuckets({ mainline, detail }) {
  if (!detail || detail.length === 0) {
    return mainline;
  }
  const [from, to] = [detail[0].fromClock, detail[detail.length - 1].toClock];
  return [
    ...mainline.filter((bucket) => bucket.toClock <= from),
    ...detail,
    ...mainline.filter((bucket) => bucket.fromClock >= to),
  ];
}

/**
 * A trial's loss over the axis: the window means that it was judged by, or its losses where it was
 * not judged yet.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Axis} axis
 * @returns {Point[]}
 */
export function whiskerPoints(model, branch, axis) {
  const fork = axis.at(branch.forkClock);
  const own = ownPlaces(model, branch, axis.unit);
  const place = (/** @type {number} */ clocks, /** @type {number} */ seconds) =>
    fork + own(clocks, seconds);
  if (finiteWindows(branch) >= 2) {
    return branch.windowMeans.flatMap((mean, i) =>
      mean === null
        ? []
        : [
            {
              x: place(clocksBy(branch, branch.windowSeconds[i]), branch.windowSeconds[i]),
              y: mean,
              low: mean,
              high: mean,
            },
          ],
    );
  }
  const buckets = model.series.get(branch.branch)?.buckets ?? [];
  return coarsen(buckets, branch.clocks / 10).flatMap((bucket) => {
    if (bucket.mean === null) {
      return [];
    }
    const middle = (bucket.fromClock + bucket.toClock) / 2;
    return [
      {
        x: place(middle, bucket.seconds),
        y: bucket.mean,
        low: bucket.min ?? bucket.mean,
        high: bucket.max ?? bucket.mean,
      },
    ];
  });
}

/**
 * @param {BranchView} branch
 * @param {number} ownSeconds
 * @returns {number} how many clocks it had run by then
 */
function clocksBy({ clocks, seconds }, ownSeconds) {
  return seconds > 0 ? (clocks * ownSeconds) / seconds : 0;
}

/**
 * A branch's loss from its fork on, over its own seconds if nothing else is said: the window means
 * that it was judged by, or where there are none the losses that it reported.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Unit} [unit]
 * @returns {{x: number, y: number}[]}
 */
export function ownLine(model, branch, unit = 'time') {
  const place = ownPlaces(model, branch, unit);
  if (isDrawnByWindows(branch)) {
    return branch.windowMeans.flatMap((mean, i) => {
      const seconds = branch.windowSeconds[i];
      return mean === null ? [] : [{ x: place(clocksBy(branch, seconds), seconds), y: mean }];
    });
  }
  const buckets = withoutStub(model.series.get(branch.branch)?.buckets ?? []);
  return buckets.flatMap((bucket) =>
    bucket.mean === null ? [] : [{ x: place(bucket.toClock, bucket.seconds), y: bucket.mean }],
  );
}

/**
 * Whether the line of a branch goes over the time alone that was judged.
 *
 * @param {BranchView} branch
 */
export function isDrawnByWindows(branch) {
  return finiteWindows(branch) >= 2;
}

/**
 * The last bucket has what the others left, perhaps a single clock, whose loss would end the line of
 * their means in a jog.
 *
 * @param {Bucket[]} buckets
 */
function withoutStub(buckets) {
  const [before, last] = buckets.slice(-2);
  const clocks = (/** @type {Bucket} */ { fromClock, toClock }) => toClock - fromClock;
  return last && 2 * clocks(last) < clocks(before)
    ? [...buckets.slice(0, -2), join(before, last)]
    : buckets;
}

/**
 * What the samples that judge said of a branch of a race: a loss, or an accuracy where its program
 * has no loss to measure on them.
 *
 * @param {BranchView} branch
 * @returns {{name: string, value: number | null}}
 */
export function probed({ heldOutLoss, heldOutMetric }) {
  return heldOutLoss !== null && heldOutMetric
    ? { name: `Probe ${format.words(heldOutMetric)}`, value: -heldOutLoss }
    : { name: 'Probe loss', value: heldOutLoss };
}

/**
 * Asks for the losses of a branch where they are what it is drawn by.
 *
 * @param {JobModel} model
 * @param {number} number of the branch
 */
export function wantSeries(model, number) {
  const branch = model.branches.get(number);
  // What is known of a job that has ended is all that there will be.
  const isWhole = hasEnded(model.job?.state ?? '') && model.series.has(number);
  if (branch && !isWhole && finiteWindows(branch) < 2 && branch.clocks > seriesEnd(model, number)) {
    model.wanted.add(number);
  }
}

/** @type {WeakMap<JobModel, {revision: number, values: Map<string, any>}>} */
const memory = new WeakMap();

/**
 * What follows from branches and rounds alone is worked out once per change of them.
 *
 * @template T
 * @param {JobModel} model
 * @param {string} name
 * @param {() => T} compute
 * @returns {T}
 */
function remembered(model, name, compute) {
  let known = memory.get(model);
  if (!known || known.revision !== model.revision) {
    known = { revision: model.revision, values: new Map() };
    memory.set(model, known);
  }
  if (!known.values.has(name)) {
    known.values.set(name, compute());
  }
  return known.values.get(name);
}

/**
 * The trials, drawn as whiskers: branches that are or were on trial, and all runs of a population.
 *
 * @param {JobModel} model
 * @returns {BranchView[]} by number
 */
export function trials(model) {
  return remembered(model, 'trials', () => findTrials(model));
}

/**
 * The trials of the start that the mainline belongs to: where training began anew, earlier ones
 * stand beside a mainline that is gone.
 *
 * @param {JobModel} model
 * @returns {BranchView[]} by number
 */
export function trialsOfStart(model) {
  const start = model.job?.start;
  return remembered(model, `trials of ${start}`, () =>
    trials(model).filter((branch) => branch.start === start),
  );
}

/**
 * The validation results of the mainline, or in a population of the run that leads and of those that
 * it was copied from, each up to there. Of a result whose branch was not written down no more is
 * known than that it led.
 *
 * @param {JobModel} model
 * @returns {EvaluationView[]} start by start, clock by clock in each
 */
export function mainlineEvaluations(model) {
  if (!isPopulation(model)) {
    return model.evaluations.filter((one) => one.leads);
  }
  const line = lineOf(model, model.job?.mainlineBranch ?? 0);
  return model.evaluations.filter(({ branch, leads, mainlineClock }) =>
    branch === null ? leads : mainlineClock <= (line.get(branch) ?? -1),
  );
}

/**
 * A branch and its ancestors.
 *
 * @param {JobModel} model
 * @param {number} number of the branch
 * @returns {Map<number, number>} by branch, the last mainline clock at which it is part of the line
 */
function lineOf(model, number) {
  const line = new Map([[number, Infinity]]);
  let until = Infinity;
  for (
    let branch = model.branches.get(number);
    branch && branch.parent !== null && !line.has(branch.parent);
    branch = model.branches.get(branch.parent)
  ) {
    until = Math.min(until, branch.forkClock);
    line.set(branch.parent, until);
  }
  return line;
}

/**
 * The validation results on the way to where the mainline stands: of its start, and none of a stretch
 * that it left.
 *
 * @param {JobModel} model
 * @returns {EvaluationView[]} ascending
 */
export function evaluationsOfStart(model) {
  return model.job === null ? [] : wayTo(model.job, mainlineEvaluations(model));
}

/**
 * Those of results that lie on the way to where the mainline of a job stands.
 *
 * @param {JobView} job
 * @param {EvaluationView[]} evaluations that led
 * @returns {EvaluationView[]} ascending
 */
export function wayTo(job, evaluations) {
  /** @type {EvaluationView[]} */
  const way = [];
  evaluations
    .filter((one) => one.start === job.start && one.mainlineClock <= job.mainlineClock)
    .toSorted((a, b) => a.atSeconds - b.atSeconds)
    .forEach((one) => {
      while (way.length > 0 && way[way.length - 1].mainlineClock >= one.mainlineClock) {
        way.pop();
      }
      way.push(one);
    });
  return way;
}

/**
 * The snapshot on the disk that holds the job's result.
 *
 * @param {JobModel} model
 * @returns {SnapshotView | null} the newest, where several do
 */
export function resultSnapshot(model) {
  return (
    [...model.snapshots.values()].findLast(
      (one) =>
        one.state === 'READY' &&
        one.branch === model.job?.result?.branch &&
        isAtResult(model, one),
    ) ?? null
  );
}

/**
 * What the job's result was measured at.
 *
 * @param {JobModel} model
 * @returns {Record<string, number | null>} value by metric; empty where it was not evaluated
 */
export function resultMetrics(model) {
  const there = model.evaluations.filter((one) => one.leads && isAtResult(model, one));
  const value = model.job?.result?.value ?? null;
  return (
    (there.findLast((one) => Object.values(one.metrics).includes(value)) ?? there.at(-1))?.metrics ??
    {}
  );
}

/**
 * A mainline that went back may have come to the result's clock twice.
 *
 * @param {JobModel} model
 * @param {{start: number, mainlineClock: number}} place
 */
function isAtResult(model, { start, mainlineClock }) {
  const result = model.job?.result;
  return result?.start === start && result.clock === mainlineClock;
}

/**
 * The trials of each round.
 *
 * @param {JobModel} model
 * @returns {Map<number, BranchView[]>}
 */
export function trialsByRound(model) {
  return remembered(model, 'byRound', () => Map.groupBy(trials(model), (branch) => branch.round));
}

/**
 * The rounds, and in front of them what a population of branches runs without any round.
 *
 * @param {JobModel} model
 * @returns {RoundView[]} ascending; round 0 stands for the population
 */
export function roundsAndPopulation(model) {
  const rounds = [...model.rounds.values()].sort((a, b) => a.round - b.round);
  const population = isPopulation(model) ? (trialsByRound(model).get(0) ?? []) : [];
  if (population.length === 0) {
    return rounds;
  }
  const own = {
    round: 0,
    trigger: 'POPULATION',
    phase: 'population',
    parent: population[0].parent ?? 0,
    trials: population.length,
    maxTrials: population.length,
    trialSeconds: 0,
    winner: model.job?.mainlineBranch ?? null,
    outcome: '',
  };
  return [own, ...rounds];
}

/** Policies that train a population of runs. */
const POPULATIONS = ['asha', 'hyperband', 'pbt', 'random', 'grid', 'bayes'];

/** @param {string} policy */
export function isPopulationPolicy(policy) {
  return POPULATIONS.includes(policy);
}

/**
 * Whether the job trains a population of runs, which has no rounds.
 *
 * @param {JobModel} model
 */
export function isPopulation(model) {
  return remembered(
    model,
    `population ${model.job?.state}`,
    () =>
      model.rounds.size === 0 &&
      (model.job?.state === 'TUNING' ||
        [...model.branches.values()].some((one) => one.kind === 'TRIAL' && one.round === 0)),
  );
}

/** @param {JobModel} model */
function findTrials(model) {
  const isRun = (/** @type {BranchView} */ branch) =>
    branch.parent !== null && branch.kind === 'MAINLINE' && isPopulation(model);
  return [...model.branches.values()]
    .filter(
      (branch) =>
        branch.kind === 'TRIAL' ||
        (branch.round > 0 && branch.kind !== 'EVALUATION') ||
        isRun(branch),
    )
    .sort((a, b) => a.branch - b.branch);
}

/**
 * The branch that each start after the first one began with.
 *
 * @param {JobModel} model
 * @returns {BranchView[]} by start
 */
export function laterStarts(model) {
  return remembered(model, 'starts', () => {
    const branches = [...model.branches.values()]
      .filter((one) => one.start > 1 && one.kind === 'MAINLINE')
      .sort((a, b) => a.start - b.start || a.branch - b.branch);
    return branches.filter((one, i) => one.start !== branches[i - 1]?.start);
  });
}

/**
 * The value of a sampled line at `x`, between its neighbours.
 *
 * @param {{x: number, y: number}[]} line ascending in x
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
 * The verdict to draw a branch with: a kept branch, and the best run of a population, counts as the
 * winner, whatever its verdict. A run that was kept as the best when it ended, and that another run
 * passed since, is none.
 *
 * @param {BranchView} branch
 * @param {RoundView | undefined} round
 * @returns {'winner' | 'converging' | 'unstable' | 'diverged' | 'inconclusive' | 'open'}
 */
export function standing(branch, round) {
  const isBestRun = branch.kind === 'MAINLINE' && branch.round === 0 && branch.parent !== null;
  const isKept = branch.state === 'KEPT' && !wasBestRun(branch);
  if (isKept || isBestRun || (round && round.winner === branch.branch)) {
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
 * Whether nobody beat the setting that a race began with.
 *
 * @param {RoundView | undefined} round
 */
export function isIncumbentKept(round) {
  return round?.winner !== null && round?.outcome.startsWith('Kept ') === true;
}

/**
 * Why a race kept its incumbent although another entrant that was left had the lesser probe loss.
 *
 * @param {JobModel} model
 * @param {RoundView} round
 * @returns {string} empty where none had, or where that is not known here
 */
export function whyKept(model, round) {
  const decision = model.decisions.findLast(
    (one) => one.rule === 'racing.keep' && one.round === round.round,
  );
  const better = (decision?.evidence.entrants ?? []).filter(
    (/** @type {any} */ one) => one.branch !== round.winner && one.aboveLeader < 0,
  );
  if (better.length === 0) {
    return '';
  }
  return better.every((/** @type {any} */ one) => one.aboveLeaderUpper >= 0)
    ? 'The lesser probe loss of another is a difference within chance.'
    : 'Another has the lesser probe loss, but did not show all that a race asks for.';
}

/**
 * Whether a branch is a run of a population that was kept as its best and is no longer.
 *
 * @param {BranchView} branch
 */
export function wasBestRun(branch) {
  return branch.kind === 'TRIAL' && branch.round === 0 && branch.state === 'KEPT';
}

/**
 * Whether a branch may still be trained on.
 *
 * @param {BranchView} branch
 */
export function isAlive(branch) {
  return ALIVE.includes(branch.state);
}

/**
 * The trials of a round, fastest first, those without a speed last; of a race the least probe
 * loss first.
 *
 * @param {JobModel} model
 * @param {number} round
 * @returns {BranchView[]}
 */
export function ranked(model, round) {
  const winner = round === 0 ? model.job?.mainlineBranch : model.rounds.get(round)?.winner;
  const rank = (/** @type {BranchView} */ branch) =>
    branch.state === 'FAILED' ? -2 : (branch.speed ?? -1);
  const loss = (/** @type {BranchView} */ branch) => branch.heldOutLoss ?? Infinity;
  const score = round === 0 ? validated : () => -Infinity;
  return (trialsByRound(model).get(round) ?? []).toSorted(
    (a, b) =>
      Number(b.branch === winner) - Number(a.branch === winner) ||
      compare(score(b), score(a)) ||
      compare(rank(b), rank(a)) ||
      compare(loss(a), loss(b)) ||
      a.branch - b.branch,
  );
}

/**
 * The metric that judges the model, as branches that were evaluated know it.
 *
 * @param {BranchView[]} branches
 * @returns {string | null} null where none was
 */
export function metricOf(branches) {
  return branches.find(({ validation }) => validation)?.validation?.metric ?? null;
}

/**
 * How good the best validation result of a branch was.
 *
 * @param {BranchView} branch
 * @returns {number} the higher the better
 */
function validated({ validation }) {
  if (!validation) {
    return -Infinity;
  }
  return validation.goal === 'MAXIMIZE' ? validation.best : -validation.best;
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
  return remembered(model, `tunables ${model.steps.length}`, () => findTunables(model));
}

/**
 * @param {JobModel} model
 * @returns {{varied: string[], fixed: Setting}}
 */
function findTunables(model) {
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
  const first = (/** @type {string} */ name) => (name === RATE ? 0 : 1);
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
 * Where the mainline's learning rate fell to zero on the way to the result, ascending.
 *
 * @param {JobModel} model
 * @returns {Fall[]} over mainline clocks; none of stretches that the mainline went back from
 */
export function falls(model) {
  const rates = lane(model.steps, RATE, model.job?.mainlineClock ?? 0);
  const result = model.result?.start === model.job?.start ? model.result : null;
  return (result?.steps ?? []).flatMap((step) => {
    const fall = step.cooldown;
    const isOn =
      fall &&
      rates.some(
        (rate) =>
          rate.value === step.setting[RATE] &&
          rate.from <= fall.fromClock &&
          fall.untilClock <= rate.to,
      );
    return isOn ? [fall] : [];
  });
}

/**
 * The place on the axis up to which there is something to show.
 *
 * @param {JobModel} model
 * @param {Axis} axis
 */
export function lastPlace(model, axis) {
  let last = axis.at(model.job?.mainlineClock ?? 0);
  for (const branch of trialsOfStart(model)) {
    last = Math.max(last, trialEnd(model, branch, axis));
  }
  return last;
}

/**
 * Where a trial ends on the axis.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @param {Axis} axis
 */
export function trialEnd(model, branch, axis) {
  const own = ownPlaces(model, branch, axis.unit)(branch.clocks, branch.seconds);
  return axis.at(branch.forkClock) + own;
}

/** The least of an axis that is worth a drawing. */
const LEAST_SPAN = { clock: 10, time: 0.01, epoch: 0.001 };

/**
 * What a round and its trials cover of the axis, with some air.
 *
 * @param {JobModel} model
 * @param {number} round
 * @param {Axis} axis
 * @returns {[number, number] | null}
 */
export function roundSpan(model, round, axis) {
  const own = trialsByRound(model).get(round) ?? [];
  if (own.length === 0) {
    return null;
  }
  const from = axis.at(Math.min(...own.map((branch) => branch.forkClock)));
  const winner = model.rounds.get(round)?.winner;
  const to = Math.max(
    ...own.filter((b) => b.branch !== winner).map((branch) => trialEnd(model, branch, axis)),
    from + LEAST_SPAN[axis.unit],
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
  const low = least([...all, ...tried.filter((w) => w.clip).flatMap((w) => w.line)]);
  const wild = most(all);
  const reference = Math.max(main.length > 0 ? most(main) : 0, median(starts) ?? 0);
  const high = reference > 0 ? Math.min(wild, Math.max(reference * 1.25, low)) : wild;
  return high > low
    ? [low, high]
    : [low - Math.abs(low) * 0.05 - 1e-9, low + Math.abs(low) * 0.05 + 1e-9];
}

/**
 * The greatest of many values; spreading them into arguments has a bound.
 *
 * @param {number[]} values
 */
export function most(values) {
  return values.reduce((best, value) => (value > best ? value : best), -Infinity);
}

/** @param {number[]} values */
export function least(values) {
  return values.reduce((best, value) => (value < best ? value : best), Infinity);
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[sorted.length >> 1];
}

/** States of a branch that may be trained on. */
const ALIVE = ['FORKING', 'WAITING', 'RUNNING', 'MEASURED'];

/**
 * Whether a person may keep a branch, or give it up: it is on trial in the round that runs, or a
 * run of a population.
 *
 * @param {JobModel} model
 * @param {BranchView} branch
 * @returns {{keep: boolean, discard: boolean}}
 */
export function mayChoose(model, branch) {
  const alive = isAlive(branch) && !hasEnded(model.job?.state ?? '');
  const phase = model.rounds.get(branch.round)?.phase;
  const tried = branch.kind === 'TRIAL' && (branch.round === 0 || (phase && phase !== 'ended'));
  const best = isPopulation(model) && branch.branch === model.job?.mainlineBranch;
  return { keep: alive && Boolean(tried || best), discard: alive && Boolean(tried) };
}

/**
 * What a person may ask of a job as it stands.
 *
 * @param {{state: string, policy: string, reason: string}} job
 * @returns {('pause' | 'resume' | 'retune' | 'cancel')[]}
 */
export function actions({ state, policy, reason }) {
  if (state === 'QUEUED' && reason === 'paused') {
    return ['resume', 'cancel'];
  }
  switch (state) {
    case 'TRAINING':
      // `fixed` has a setting and tries no other.
      return policy === 'fixed' ? ['pause', 'cancel'] : ['retune', 'pause', 'cancel'];
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
