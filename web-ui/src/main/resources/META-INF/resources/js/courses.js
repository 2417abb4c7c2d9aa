// The courses of whole jobs over one axis: the time of the job, its epochs or its clocks.

import * as format from './format.js';
import { placesAt, wayTo } from './model.js';

/** @import {EvaluationView, JobView, MainlineBucket, Step} from './types.js' */

/**
 * @typedef {{job: JobView, mainline: MainlineBucket[], evaluations: EvaluationView[],
 *     steps: Step[]}} Course
 */

/** @typedef {'time' | 'epoch' | 'clock'} Unit */

/** Units with the word on their button, what the axis says, and how a place reads. */
export const UNITS = /** @type {Record<Unit, {name: string, title: string, words: (place: number) => string}>} */ ({
  time: { name: 'Time', title: 'time of the job', words: format.duration },
  epoch: { name: 'Epoch', title: 'epoch', words: (place) => format.number(place, 4) },
  clock: { name: 'Clock', title: 'mainline clock', words: format.count },
});

/**
 * All seconds of a job so far.
 *
 * @param {JobView} job
 */
export function secondsOf({ trainingSeconds, tuningSeconds, evaluationSeconds }) {
  return trainingSeconds + tuningSeconds + evaluationSeconds;
}

/**
 * The training loss, of the last start alone.
 *
 * @param {Course} course
 * @param {Unit} unit
 */
export function trainingLine(course, unit) {
  const at = placeOf(course, unit);
  return course.mainline.flatMap((bucket) =>
    bucket.mean === null ? [] : [{ x: at(bucket.toClock), y: bucket.mean }],
  );
}

/**
 * What led, as the job's result would have been then.
 *
 * @param {Course} course
 * @param {string} name of the metric
 * @param {Unit} unit epochs and clocks begin anew with each start, so they have the last one alone
 */
export function metricLine(course, name, unit) {
  const made = course.evaluations.filter(led);
  return (unit === 'time' ? made : wayTo(course.job, made)).flatMap((one) => {
    const value = one.metrics[name];
    const place = { time: one.atSeconds, epoch: one.epoch, clock: one.mainlineClock }[unit];
    return value === null || value === undefined ? [] : [{ x: place, y: value }];
  });
}

/**
 * Where a clock of the mainline lies. When it ran is known where the mainline was evaluated; between
 * two such clocks time is taken to have gone evenly.
 *
 * @param {Course} course
 * @param {Unit} unit
 * @returns {(clock: number) => number}
 */
function placeOf(course, unit) {
  const { job, steps } = course;
  switch (unit) {
    case 'clock':
      return (clock) => clock;
    case 'epoch':
      return placesAt([
        ...steps.map((step) => ({ x: step.fromClock, y: step.fromEpoch })),
        { x: job.mainlineClock, y: job.epoch },
      ]);
    default:
      return placesAt(moments(course));
  }
}

/**
 * Whether it was a result of the job as that would have been then.
 *
 * @param {EvaluationView} one
 */
function led(one) {
  return one.leads;
}

/** @param {Course} course */
function moments(course) {
  const { job } = course;
  const evaluations = course.evaluations.filter(led);
  const began = Math.max(
    0,
    ...evaluations.filter((one) => one.start < job.start).map((one) => one.atSeconds),
  );
  const known = wayTo(job, evaluations).map((one) => ({ x: one.mainlineClock, y: one.atSeconds }));
  const last = known.at(-1)?.y ?? began;
  return [
    { x: 0, y: began },
    ...known,
    { x: job.mainlineClock, y: Math.max(last, secondsOf(job)) },
  ];
}
