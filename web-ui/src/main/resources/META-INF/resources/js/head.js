// The head of a job's page: its state in words, what may be asked of it, and its figures.

import { h } from './dom.js';
import * as format from './format.js';
import { stateChip } from './marks.js';
import { DELETION, question } from './dialogs.js';
import {
  actions,
  hasEnded,
  isPopulation,
  resultMetrics,
  resultSnapshot,
  tunables,
} from './model.js';
import { jobAddress } from './route.js';
import { isElsewhere, modelLink } from './snapshots.js';

/** @import {Tree} from './dom.js' */
/** @import {JobFeed} from './feed.js' */
/** @import {JobModel} from './model.js' */
/** @import {JobView, Result, WorkerView} from './types.js' */

/** What may be asked of a job: the words for it, its path, and what is said when it was heard. */
export const ACTIONS = {
  pause: { label: 'Pause', path: 'pause', done: 'Pausing after the current clock.' },
  resume: { label: 'Resume', path: 'resume', done: 'Resuming.' },
  retune: { label: 'Re-tune now', path: 'rounds', done: 'A round of tuning is asked for.' },
  cancel: { label: 'Cancel', path: 'cancel', done: 'Canceling.' },
};

/**
 * @typedef {{busy: boolean, said: string | null, saidBad: boolean}} HeadState `said`: the answer to
 *     the last action
 */

/**
 * @typedef {{act: (action: keyof typeof ACTIONS) => void, askCancel: () => void,
 *     askDelete: () => void, show: (branch: number) => void, trySetting: () => void, runAgain: () => void}} HeadActions
 */

/**
 * How fresh the page is.
 *
 * @param {JobFeed} feed
 * @returns {Tree}
 */
export function linkState(feed) {
  const [kind, words] = linkWords(feed);
  return h(
    'span',
    { class: `link is-${kind}`, key: 'link', role: 'status' },
    h('span', { class: 'link-dot' }),
    words,
  );
}

/**
 * @param {JobFeed} feed
 * @returns {[string, string]}
 */
function linkWords(feed) {
  if (feed.link === 'live') {
    return hasEnded(feed.model.job?.state ?? '') ? ['ended', 'Ended'] : ['live', 'Live'];
  }
  if (feed.isStale) {
    return ['stale', `Stale since ${format.timeOfDay(feed.lastNews)}`];
  }
  return ['waiting', feed.link === 'connecting' ? 'Connecting' : 'Reconnecting'];
}

/**
 * @param {JobView} job
 * @param {JobFeed} feed
 * @param {HeadState} state
 * @param {HeadActions} on
 * @returns {Tree}
 */
export function head(job, feed, state, on) {
  return h(
    'header',
    { class: 'job-head', key: 'head' },
    feed.isStale && h('p', { class: 'banner is-stale', key: 'stale' }, staleWords(feed)),
    h(
      'div',
      { class: 'title-row', key: 'title' },
      h('div', { class: 'title' }, h('h1', null, job.name), stateChip(job.state)),
      buttons(job, feed, state, on),
    ),
    h(
      'p',
      { class: job.state === 'FAILED' ? 'message is-bad' : 'message', key: 'message' },
      job.waitingFor === '' ? job.message : job.message.replace(/([^.!?])$/, '$1.'),
      job.waitingFor !== '' && h('span', { class: 'waiting' }, ` Waiting for ${job.waitingFor}.`),
    ),
    feed.model.stall &&
      h(
        'p',
        { class: 'banner is-bad', role: 'status', key: 'stall' },
        format.stall(feed.model.stall),
      ),
    job.state === 'FAILED' && failure(feed, state, on),
    state.said &&
      h(
        'p',
        { class: state.saidBad ? 'banner is-bad' : 'banner', role: 'status', key: 'said' },
        state.said,
      ),
    meta(job),
    figures(job),
    job.result && result(job, job.result, feed.model, on),
    workers(job, feed),
  );
}

/**
 * What is left of a job that failed, and the way on.
 *
 * @param {JobFeed} feed
 * @param {HeadState} state
 * @param {HeadActions} on
 */
function failure(feed, state, on) {
  const last = [...feed.model.snapshots.values()].findLast((one) => one.state === 'READY');
  const left = last
    ? `Its last good snapshot is ${last.snapshot}, at epoch ${format.epoch(last.epoch, last.start, feed.model.job?.start)}.`
    : 'It left no snapshot.';
  return h(
    'p',
    { class: 'failure', key: 'failure' },
    h('span', null, `${left} The logs say more.`),
    h(
      'button',
      { type: 'button', class: 'button', 'aria-disabled': String(state.busy), onclick: on.runAgain },
      'Run it again',
    ),
  );
}

/** @param {JobFeed} feed */
function staleWords(feed) {
  const gone = Math.round((Date.now() - feed.lostAt) / 1000);
  const asOf = format.timeOfDay(feed.lastNews);
  return `The link to the server has been lost for ${gone} s; trying again. Shown is what was so at ${asOf}.`;
}

/**
 * @param {JobView} job
 * @param {JobFeed} feed
 * @param {HeadState} state
 * @param {HeadActions} on
 */
function buttons(job, feed, state, on) {
  const mayTry =
    actions(job).includes('retune') || (job.state === 'TUNING' && isPopulation(feed.model));
  return h(
    'div',
    { class: 'actions' },
    actions(job).map((action) =>
      h(
        'button',
        {
          key: action,
          type: 'button',
          class: action === 'cancel' ? 'button is-danger' : 'button',
          'aria-disabled': String(state.busy),
          onclick: () => (action === 'cancel' ? on.askCancel() : on.act(action)),
        },
        ACTIONS[action].label,
      ),
    ),
    hasEnded(job.state) &&
      h(
        'button',
        {
          key: 'delete',
          type: 'button',
          class: 'button is-danger',
          'aria-disabled': String(state.busy),
          onclick: on.askDelete,
        },
        'Delete',
      ),
    mayTry &&
      h(
        'button',
        {
          key: 'try',
          type: 'button',
          class: 'button is-main',
          'aria-disabled': String(state.busy),
          onclick: on.trySetting,
        },
        'Try a setting…',
      ),
  );
}

/** @param {JobView} job */
function meta(job) {
  const end = job.endTime ? Date.parse(job.endTime) : Date.now();
  const seconds = (end - Date.parse(job.createTime)) / 1000;
  return h(
    'p',
    { class: 'meta', key: 'meta' },
    fact(job.program),
    fact(`policy ${job.policy}`),
    job.policy === 'mltuner' && fact(`searcher ${job.searcher}`),
    fact(`${job.workers} worker${job.workers === 1 ? '' : 's'}`),
    job.generation > 1 && fact(`restarted ${job.generation - 1}×`),
    fact(`seed ${job.seed}`),
    fact(`submitted ${format.timeOfDay(job.createTime)}`),
    fact(
      job.endTime
        ? `ended ${format.duration(seconds)} later`
        : `${format.duration(seconds)} ago`,
    ),
    fact(`by ${job.createdBy}`),
  );
}

/** @param {string} text */
function fact(text) {
  return h('span', { class: 'fact' }, text);
}

/** @param {JobView} job */
function figures(job) {
  return h(
    'dl',
    { class: 'figures', key: 'figures' },
    figure('Training loss', format.measured(job.loss, 4), 'mean of the last 32 clocks'),
    Object.entries(job.metrics)
      .slice(0, 2)
      .map(([name, value]) =>
        figure(format.metric(name), format.measured(value, 4)),
      ),
    epochs(job),
    figure('Mainline clock', format.count(job.mainlineClock)),
    job.secondsLeft !== null && figure('Left at most', format.timeLeft(job.secondsLeft), `at most${clock(job)}, by its pace so far`),
    tuningShare(job),
  );
}

/** @param {JobView} job */
function epochs(job) {
  const all = format.measured(job.earlierEpochs + job.epoch, 3);
  return h(
    'div',
    { class: 'figure', key: 'Epoch' },
    h('dt', null, 'Epoch'),
    h(
      'dd',
      null,
      format.measured(job.epoch, 3),
      job.start > 1 &&
        h(
          'span',
          {
            class: 'of',
            title: 'The model overfitted, so training began anew. The bound counts all starts.',
          },
          `of start ${job.start}, ${all} in all`,
        ),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} [title]
 */
function figure(name, value, title) {
  return h('div', { class: 'figure', key: name, title }, h('dt', null, name), h('dd', null, value));
}

/**
 * Which model is the job's result, with which setting it came about, and where it lies.
 *
 * @param {JobView} job
 * @param {Result} at
 * @param {JobModel} model
 * @param {HeadActions} on
 */
function result(job, at, model, on) {
  const measured = Object.entries(resultMetrics(model)).map(
    ([name, value]) => `${format.words(name)} ${format.number(value, 4)}`,
  );
  const steps = model.result?.start === at.start ? model.result.steps : [];
  const began = steps[0]?.setting ?? {};
  const last = steps.at(-1)?.setting ?? {};
  const settings = tunables(model)
    .varied.filter((name) => name in last)
    .map((name) => {
      const first = began[name] === last[name] ? '' : ` (began with ${format.tunable(began[name])})`;
      return `${format.words(name)} ${format.tunable(last[name])}${first}`;
    });
  const snapshot = resultSnapshot(model);
  return h(
    'p',
    { class: 'meta result', key: 'result' },
    h('span', { class: 'fact is-first' }, hasEnded(job.state) ? 'Result' : 'Result so far'),
    measured.length > 0 && fact(measured.join(', ')),
    settings.length > 0 && fact(settings.join(', ')),
    fact(`epoch ${format.epoch(at.epoch, at.start, job.start)}`),
    h(
      'span',
      { class: 'fact' },
      h(
        'button',
        { type: 'button', class: 'link-button', onclick: () => on.show(at.branch) },
        `branch ${at.branch}`,
      ),
    ),
    snapshot
      ? h(
          'span',
          { class: 'fact' },
          h(
            'a',
            { class: 'link-button', href: jobAddress(job.id, 'snapshots') },
            `snapshot ${snapshot.snapshot}`,
          ),
        )
      : fact('not in a snapshot that is ready'),
    snapshot &&
      !isElsewhere(model) &&
      h('span', { class: 'fact' }, modelLink(model, snapshot, 'take the model out')),
  );
}

/**
 * What follows on seconds that are not those of the wall clock.
 *
 * @param {JobView} job
 */
function clock(job) {
  return job.modelled ? ' by its cost model' : '';
}

/** @param {JobView} job */
function tuningShare(job) {
  const parts = /** @type {const} */ ([
    ['tuning', job.tuningSeconds],
    ['training', job.trainingSeconds],
    ['evaluation', job.evaluationSeconds],
  ]);
  const whole = parts.reduce((sum, [, seconds]) => sum + seconds, 0);
  const words = parts.map(([name, seconds]) => `${name} ${format.duration(seconds)}`);
  return h(
    'div',
    { class: 'figure is-wide', key: 'share' },
    h('dt', null, 'Time spent tuning'),
    h(
      'dd',
      null,
      format.percent(job.tuningShare),
      h(
        'span',
        { class: 'of' },
        `${format.duration(job.tuningSeconds)} of ${format.duration(whole)}${clock(job)}`,
      ),
      h(
        'span',
        { class: 'split', role: 'img', 'aria-label': words.join(', ') },
        parts.map(([name, seconds], index) =>
          h('span', {
            class: `part is-${name}`,
            vars: { share: whole > 0 ? seconds / whole : 0 },
            title: words[index],
          }),
        ),
      ),
    ),
  );
}

/**
 * Which workers are there, while the job runs. One that waits says nothing, however long; whether it
 * is there is the server's to tell, and when it spoke is told by the server's clock.
 *
 * @param {JobView} job
 * @param {JobFeed} feed
 */
function workers(job, feed) {
  if (hasEnded(job.state) || feed.workers.length === 0) {
    return null;
  }
  return h(
    'ul',
    { class: 'workers', key: 'workers', 'aria-label': 'Workers' },
    feed.workers.map((worker) =>
      h(
        'li',
        { key: worker.worker, class: workerClass(worker) },
        h('span', { class: 'link-dot', 'aria-hidden': 'true' }),
        `worker ${worker.worker} ${workerWords(worker)}`,
      ),
    ),
  );
}

/** @param {WorkerView} worker */
function workerClass({ attached, stall }) {
  return stall ? 'worker is-stalled' : attached ? 'worker' : 'worker is-away';
}

/** @param {WorkerView} worker */
function workerWords({ attached, lastHeardTime, stall }) {
  if (stall) {
    return `stalls: ${stall}. Its log says where.`;
  }
  if (lastHeardTime === null) {
    return attached ? 'is there' : 'not there yet';
  }
  const heard = `last heard at ${format.timeOfDay(lastHeardTime)}`;
  return attached ? heard : `away, ${heard}`;
}

/**
 * @param {JobView} job
 * @param {() => void} act
 * @param {() => void} close
 * @returns {Tree}
 */
export function cancelDialog(job, act, close) {
  return question(
    {
      title: `Cancel ${job.name}?`,
      text: 'The clocks that are scheduled are finished and a last snapshot is written. A canceled job cannot be resumed.',
      no: 'Keep it running',
      yes: 'Cancel the job',
    },
    act,
    close,
  );
}

/**
 * @param {JobView} job
 * @param {() => void} act
 * @param {() => void} close
 * @returns {Tree}
 */
export function deleteDialog(job, act, close) {
  return question(
    { title: `Delete ${job.name}?`, text: DELETION, no: 'Keep it', yes: 'Delete the job' },
    act,
    close,
  );
}
