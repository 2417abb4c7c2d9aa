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
 * All items of a list, page after page.
 *
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any[]>}
 */
export async function getAll(path, signal) {
  /** @type {any[]} */
  const items = [];
  let token = '';
  do {
    const join = path.includes('?') ? '&' : '?';
    const page = await get(
      token === '' ? path : `${path}${join}pageToken=${encodeURIComponent(token)}`,
      signal,
    );
    items.push(...page.items);
    token = page.nextPageToken ?? '';
  } while (token !== '');
  return items;
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
  const document = parse(text);
  if (!response.ok) {
    const words = document?.detail ?? document?.title ?? `The server answered ${response.status}.`;
    throw new RequestProblem(response.status, words);
  }
  return document;
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
  'evaluation.made',
  'metric.window',
];

/** How long to wait before trying again, after an error that the browser does not retry. */
const RETRY_MILLIS = 2000;

/**
 * Follows a job's events. The browser reconnects by itself and tells the server the last event
 * it saw; where it gives up, this tries again.
 *
 * @param {string} job
 * @param {{onEvent: (type: string, data: any) => void, onLink: (live: boolean) => void}} listener
 *     `onLink` is told when the link is made and when it is lost
 * @returns {() => void} ends the link
 */
export function follow(job, listener) {
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let ended = false;

  const open = () => {
    source = new EventSource(`${BASE}/jobs/${encodeURIComponent(job)}/events`);
    source.onopen = () => listener.onLink(true);
    source.onerror = () => {
      listener.onLink(false);
      if (source?.readyState === EventSource.CLOSED && !ended) {
        timer = window.setTimeout(open, RETRY_MILLIS);
      }
    };
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (event) => {
        const message = parse(/** @type {MessageEvent} */ (event).data);
        if (message) {
          listener.onEvent(type, message.data);
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
