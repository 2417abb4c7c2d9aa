// What the programs of the server are judged by.

import { get } from './api.js';

/** @typedef {Record<string, {name: string, goal: string}[]>} Judges validation metrics by program; the first one judges the model */

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Judges>}
 */
export async function readJudges(signal) {
  const { items } = await get('/programs', signal);
  return Object.fromEntries(
    (items ?? []).map((/** @type {any} */ one) => [one.name, one.validation]),
  );
}

/**
 * The metric that judges the models of a program.
 *
 * @param {Judges} judges
 * @param {string} program
 * @returns {string} empty where the program is not known any more
 */
export function judgeOf(judges, program) {
  return judges[program]?.[0]?.name ?? '';
}

/**
 * Which of two values of a metric is the better one.
 *
 * @param {Judges} judges
 * @param {string} program
 * @param {string} metric
 * @returns {'least' | 'most' | null} null where that is not known
 */
export function goalOf(judges, program, metric) {
  const goal = judges[program]?.find(({ name }) => name === metric)?.goal;
  return goal === 'MINIMIZE' ? 'least' : goal === 'MAXIMIZE' ? 'most' : null;
}
