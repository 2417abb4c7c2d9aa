// The page: which of its parts is shown, by the part of the address after '#'.

import { h, patch } from './dom.js';
import { logo } from './marks.js';
import { jobsPage } from './jobs-page.js';
import { jobPage } from './job-page.js';

/**
 * @typedef {{close: () => void}} Page
 */

const app = /** @type {HTMLElement} */ (document.getElementById('app'));

/** @type {Page | null} */
let page = null;

function show() {
  page?.close();
  window.scrollTo(0, 0);
  const content = document.createElement('main');
  content.id = 'content';
  content.tabIndex = -1;
  const trail = document.createElement('div');
  trail.className = 'trail';
  app.replaceChildren(bar(trail), content);
  const job = /^#\/jobs\/([^/?]+)/.exec(location.hash);
  page = job ? jobPage(content, trail, decodeURIComponent(job[1])) : jobsPage(content, trail);
}

/** @param {HTMLElement} trail */
function bar(trail) {
  const header = document.createElement('header');
  header.className = 'bar';
  const home = document.createElement('div');
  home.className = 'home';
  patch(home, h('a', { href: '#/', class: 'brand' }, logo(), h('span', null, 'Espalier')));
  header.append(home, trail);
  return header;
}

document.querySelector('.skip-link')?.addEventListener('click', (event) => {
  event.preventDefault();
  document.getElementById('content')?.focus();
});
window.addEventListener('hashchange', show);
show();
