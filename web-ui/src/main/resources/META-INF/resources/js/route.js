// Addresses: everything that is on the screen can be linked to.

/**
 * @typedef {{page: 'jobs' | 'job' | 'compare' | 'settings' | 'nowhere', job: string, tab: string,
 *     params: URLSearchParams}} Route
 */

/** @type {Map<string, Route['page']>} */
const PAGES = new Map([
  ['', 'jobs'],
  ['/', 'jobs'],
  ['/jobs', 'jobs'],
  ['/compare', 'compare'],
  ['/settings', 'settings'],
]);

/** The parts of a job's page, with their names. */
export const TABS = /** @type {const} */ ({
  overview: 'Overview',
  compare: 'Compare',
  snapshots: 'Snapshots',
  config: 'Configuration',
  logs: 'Logs',
  api: 'Raw API',
});

/**
 * @param {string} hash such as `#/jobs/job_1/compare?compare=3,7`
 * @returns {Route}
 */
export function readRoute(hash) {
  const [path, query] = hash.replace(/^#/, '').split('?', 2);
  const params = new URLSearchParams(query ?? '');
  const job = /^\/jobs\/([^/]+)(?:\/([a-z]+))?$/.exec(path);
  const id = job === null ? null : decoded(job[1]);
  if (job !== null && id !== null) {
    const tab = job[2] !== undefined && Object.hasOwn(TABS, job[2]) ? job[2] : 'overview';
    return { page: 'job', job: id, tab, params };
  }
  return { page: PAGES.get(path) ?? 'nowhere', job: '', tab: '', params };
}

/**
 * @param {string} text
 * @returns {string | null} null where it is no encoded text, and so names nothing
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * @param {string} job
 * @param {string} [tab]
 * @param {Record<string, string | number | null>} [params] those that are null are left out
 * @returns {string}
 */
export function jobAddress(job, tab = 'overview', params = {}) {
  const path = `#/jobs/${encodeURIComponent(job)}${tab === 'overview' ? '' : `/${tab}`}`;
  return path + queryText(params);
}

/**
 * @param {Record<string, string | number | null>} params
 * @returns {string} with its question mark; empty when there is none
 */
export function queryText(params) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== '') {
      query.set(name, String(value));
    }
  }
  const text = query.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}
