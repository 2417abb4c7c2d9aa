// The page: which of its parts is shown, by the part of the address after '#'.

import { h, patch } from './dom.js';
import { logo } from './marks.js';
import { compareJobsPage } from './compare-jobs.js';
import { jobsPage } from './jobs-page.js';
import { jobPage } from './job-page.js';
import { keysDialog, onKeys } from './keys.js';
import { nowhere } from './notices.js';
import { settingsPage } from './settings-page.js';
import { readRoute } from './route.js';

/** @import {Route} from './route.js' */

/**
 * @typedef {{close: () => void, goTo: (route: Route) => void}} Page `goTo` shows another part of
 *     the same page
 */

/** @type {Page} a page that stays as it is */
const STILL = { close: () => {}, goTo: () => {} };

const app = /** @type {HTMLElement} */ (document.getElementById('app'));

/** @type {Page | null} */
let page = null;
/** @type {Route | null} */
let shown = null;

function show() {
  const route = readRoute(location.hash);
  const isFirst = page === null;
  if (page && shown && shown.page === route.page && shown.job === route.job) {
    shown = route;
    page.goTo(route);
    return;
  }
  page?.close();
  shown = route;
  window.scrollTo(0, 0);
  const content = document.createElement('main');
  content.id = 'content';
  content.tabIndex = -1;
  const trail = document.createElement('div');
  trail.className = 'trail';
  app.replaceChildren(bar(trail), content);
  switch (route.page) {
    case 'job':
      page = jobPage(content, trail, route);
      break;
    case 'compare':
      page = compareJobsPage(content, trail, route);
      break;
    case 'settings':
      page = settingsPage(content, trail);
      break;
    case 'nowhere':
      document.title = 'No such page · Espalier';
      patch(content, nowhere());
      page = STILL;
      break;
    default:
      page = jobsPage(content, trail, route);
  }
  if (!isFirst) {
    // What was clicked is gone.
    content.focus({ preventScroll: true });
  }
}

/** @param {HTMLElement} trail */
function bar(trail) {
  const header = document.createElement('header');
  header.className = 'bar';
  const home = document.createElement('div');
  home.className = 'home';
  patch(home, h('a', { href: '#/', class: 'brand', 'aria-label': 'Espalier' }, logo(), h('span', null, 'Espalier')));
  const tools = document.createElement('nav');
  tools.className = 'bar-tools';
  tools.setAttribute('aria-label', 'Server');
  patch(
    tools,
    h('a', { href: '#/settings', class: 'bar-link' }, 'Settings'),
    h(
      'button',
      {
        type: 'button',
        class: 'bar-link',
        title: 'Keys (?)',
        onclick: keysDialog,
        'aria-label': 'Keys',
      },
      '?',
    ),
  );
  header.append(home, trail, tools);
  return header;
}

document.querySelector('.skip-link')?.addEventListener('click', (event) => {
  event.preventDefault();
  document.getElementById('content')?.focus();
});
onKeys();
window.addEventListener('hashchange', show);
show();
