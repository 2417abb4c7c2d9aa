// The door to the server: requests, problems in words, and the live link.

export const BASE = 'api/v1';

/** A request that failed, with words for the reader. */
export class RequestProblem extends Error {
  /**
   * @param {number} status HTTP status; 0 when no answer came
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Answers after which there is nothing to show, even if there was. */
const DENIALS = [401, 403, 404];

/**
 * Whether the server denies what was asked for: to this reader, or because it is not there.
 *
 * @param {unknown} error
 */
export function isDenial(error) {
  return error instanceof RequestProblem && DENIALS.includes(error.status);
}

/**
 * Whether the server says that what was asked for is not there.
 *
 * @param {unknown} error
 */
export function isAbsent(error) {
  return error instanceof RequestProblem && error.status === 404;
}

/** Too many requests: asked again a little later it is answered. */
const TOO_MANY = 429;

/**
 * Whether a server was silent, or overburdened for a while: what is known stays true, and asking
 * again is the way on. A refusal is not that.
 *
 * @param {unknown} error
 */
export function isSilence(error) {
  return (
    error instanceof RequestProblem &&
    (error.status === 0 || error.status === TOO_MANY || error.status >= 500)
  );
}

/**
 * @param {string} path below the base, such as `/jobs`
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the document
 * @throws {RequestProblem} when the answer is not a success
 */
export function get(path, signal) {
  return request(path, { signal });
}

/**
 * @param {string} path of a list, with a query
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>} its items, page after page
 * @throws {RequestProblem} when the answer to one of them is not a success
 */
export async function getAll(path, signal) {
  const all = [];
  let token = '';
  do {
    const next = token === '' ? '' : `&pageToken=${encodeURIComponent(token)}`;
    const page = await get(`${path}${next}`, signal);
    all.push(...page.items);
    token = page.nextPageToken ?? '';
  } while (token !== '');
  return all;
}

/**
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export function post(path, body) {
  const headers = /** @type {Record<string, string>} */ ({ 'X-Espalier-Request': '1' });
  if (body) {
    headers['Content-Type'] = 'application/json';
  }
  return request(path, { method: 'POST', headers, body: body ? JSON.stringify(body) : undefined });
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function request(path, options) {
  return parse(await answer(path, options));
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<string>}
 */
async function answer(path, options) {
  let response;
  try {
    response = await fetch(BASE + path, { credentials: 'same-origin', ...options });
  } catch (error) {
    if (options.signal?.aborted) {
      throw error;
    }
    throw new RequestProblem(0, 'The server does not answer.');
  }
  const text = await response.text();
  if (!response.ok) {
    const document = parse(text);
    const words = document?.detail ?? document?.title ?? `The server answered ${response.status}.`;
    const problems = (document?.errors ?? []).map((/** @type {any} */ one) => one.message);
    throw new RequestProblem(response.status, [words, ...problems].join(' '));
  }
  return text;
}

/** @param {string} text */
function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const EVENT_TYPES = [
  'snapshot',
  'job.changed',
  'branch.changed',
  'round.changed',
  'decision.made',
  'schedule.changed',
  'result.changed',
  'evaluation.made',
  'snapshot.changed',
  'job.stalled',
  'worker.stalled',
  'metric.window',
];

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function remove(path) {
  return request(path, { method: 'DELETE', headers: { 'X-Espalier-Request': '1' } });
}

/**
 * @param {string} path of a document that is not JSON
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
export function getText(path, signal) {
  return answer(path, { signal });
}

/** How long to wait before trying again, after an error that the browser does not retry. */
const RETRY_MILLIS = 2000;

/**
 * Follows a job's events. The browser reconnects by itself and tells the server the last event
 * it saw; where it gives up, this tries again.
 *
 * @param {string} job
 * @param {number} after the sequence that the page knows already
 * @param {{onEvent: (type: string, data: any, sequence: number) => void, onPing: () => void,
 *     onLink: (live: boolean) => void, onRefused: () => void}} listener `onEvent` gets sequence 0
 *     with an event that the server does not keep, `onPing` is called while there is nothing to
 *     tell, `onLink` when the link is made and when it is lost, `onRefused` each time that the
 *     server answers a request for the link with something else
 * @returns {() => void} ends the link
 */
export function follow(job, after, listener) {
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let ended = false;
  let last = after;

  const open = () => {
    source = new EventSource(`${BASE}/jobs/${encodeURIComponent(job)}/events?after=${last}`);
    source.onopen = () => listener.onLink(true);
    source.onerror = () => {
      listener.onLink(false);
      if (source?.readyState === EventSource.CLOSED && !ended) {
        timer = window.setTimeout(open, RETRY_MILLIS);
        listener.onRefused();
      }
    };
    source.addEventListener('ping', () => listener.onPing());
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (event) => {
        const message = parse(/** @type {MessageEvent} */ (event).data);
        if (message) {
          const sequence = message.sequence ?? 0;
          // A snapshot counts anew: the server may have been set back.
          last = type === 'snapshot' ? sequence : Math.max(last, sequence);
          listener.onEvent(type, message.data, sequence);
        }
      });
    }
  };
  open();
  return () => {
    ended = true;
    window.clearTimeout(timer);
    source?.close();
  };
}
