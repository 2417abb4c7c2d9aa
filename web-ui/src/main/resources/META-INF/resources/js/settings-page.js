// The server's settings: who may use it.

import { get, post, remove } from './api.js';
import { dialog, question } from './dialogs.js';
import { scroller } from './controls.js';
import { h, patch } from './dom.js';
import * as format from './format.js';
import { areKeysOn, switchKeys } from './keys.js';
import { command, copyButton } from './notices.js';
import { Reading } from './reading.js';

/** @import {Tree} from './dom.js' */
/** @import {TokenView} from './types.js' */

/** @typedef {{tokens: TokenView[], me: {tokenId: string, name: string}, version: any}} Settings */

/**
 * @param {HTMLElement} content
 * @param {HTMLElement} trail
 */
export function settingsPage(content, trail) {
  document.title = 'Settings · Espalier';
  const page = new SettingsPage(content, trail);
  page.open();
  return { close: () => page.close(), goTo: () => {} };
}

class SettingsPage {
  #content;
  #trail;
  /** @type {Reading<Settings>} */
  #reading = new Reading(
    read,
    () => this.#draw(),
    () => false,
  );
  /** @type {string | null} why the last wish was not granted */
  #refused = null;
  /** @type {TokenView | null} the token that was just made, with its secret */
  #made = null;
  /** @type {TokenView | null} the token that is about to be revoked */
  #revoking = null;

  /**
   * @param {HTMLElement} content
   * @param {HTMLElement} trail
   */
  constructor(content, trail) {
    this.#content = content;
    this.#trail = trail;
  }

  open() {
    this.#draw();
    this.#reading.load();
  }

  close() {
    this.#reading.close();
    this.#made = null;
  }

  #draw() {
    if (this.#reading.isClosed) {
      return;
    }
    patch(this.#trail, h('span', { class: 'crumb' }, 'Settings'));
    patch(
      this.#content,
      this.#reading.shown(2, (settings) => this.#page(settings)),
    );
  }

  /** @param {Settings} settings */
  #page({ tokens, me, version }) {
    return h(
      'div',
      { class: 'settings', key: 'settings' },
      h('div', { class: 'page-head' }, h('h1', null, 'Settings')),
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'tokens-title' },
        h('h2', { class: 'card-title', id: 'tokens-title' }, 'Tokens'),
        h(
          'p',
          { class: 'card-text' },
          'A token lets a program or a person use this server. Only a fingerprint of it is kept: it is shown once. Revoking one ends its browser sessions and live links at once.',
        ),
        this.#refused && h('p', { class: 'banner is-bad', role: 'alert' }, this.#refused),
        this.#table(tokens),
        this.#form(),
      ),
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'browser-title' },
        h('h2', { class: 'card-title', id: 'browser-title' }, 'This browser'),
        h(
          'p',
          { class: 'card-text' },
          `Signed in with the token ${me.name}. The session lasts twelve hours and cannot be read by scripts.`,
        ),
        h(
          'label',
          { class: 'card-text is-choice' },
          h('input', {
            type: 'checkbox',
            checked: areKeysOn(),
            onchange: (/** @type {Event} */ event) =>
              switchKeys(/** @type {HTMLInputElement} */ (event.currentTarget).checked),
          }),
          'Single keys move through the pages',
        ),
        h(
          'div',
          { class: 'card-actions' },
          h(
            'button',
            { type: 'button', class: 'button', onclick: () => this.#signOut() },
            'Sign out',
          ),
        ),
      ),
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'server-title' },
        h('h2', { class: 'card-title', id: 'server-title' }, 'Server'),
        h(
          'p',
          { class: 'card-text' },
          `Espalier ${version.version}, interface ${version.api}, Java ${version.java}. `,
          h('a', { class: 'text-link', href: 'api/v1/openapi.json' }, 'OpenAPI document'),
        ),
      ),
      this.#made && this.#madeDialog(this.#made),
      this.#revoking && this.#revokeDialog(this.#revoking),
    );
  }

  /** @param {TokenView[]} tokens */
  #table(tokens) {
    return scroller(
      'Table of tokens',
      h(
        'table',
        { class: 'plain' },
        h('caption', { class: 'hidden' }, 'Tokens'),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ['Name', 'Made', 'Last used', 'State', ''].map((name) =>
              h(
                'th',
                { scope: 'col' },
                name === '' ? h('span', { class: 'hidden' }, 'Action') : name,
              ),
            ),
          ),
        ),
        h(
          'tbody',
          null,
          tokens.map((token) => this.#row(token)),
        ),
      ),
    );
  }

  /** @param {TokenView} token */
  #row(token) {
    const revoked = token.revokeTime !== null && token.revokeTime !== undefined;
    return h(
      'tr',
      { key: token.id, class: revoked ? 'is-over' : null },
      h(
        'th',
        { scope: 'row' },
        token.name,
        token.id === this.#reading.value?.me.tokenId && h('span', { class: 'badge' }, 'this browser'),
      ),
      h('td', null, format.timeOfDay(token.createTime)),
      h('td', null, token.lastUseTime ? format.timeOfDay(token.lastUseTime) : 'never'),
      h('td', null, revoked ? `revoked ${format.timeOfDay(token.revokeTime ?? '')}` : 'valid'),
      h(
        'td',
        { class: 'num' },
        !revoked &&
          h(
            'button',
            {
              type: 'button',
              class: 'link-button is-danger',
              'aria-label': `Revoke ${token.name}`,
              onclick: () => {
                this.#revoking = token;
                this.#draw();
              },
            },
            'Revoke',
          ),
      ),
    );
  }

  #form() {
    return h(
      'form',
      {
        class: 'row-form',
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const form = /** @type {HTMLFormElement} */ (event.currentTarget);
          this.#make(String(new FormData(form).get('name'))).then(() => form.reset());
        },
      },
      h('label', { for: 'token-name' }, 'Name of a new token'),
      h('input', {
        id: 'token-name',
        name: 'name',
        required: true,
        maxlength: 80,
        pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]*',
        title: 'letters, digits, dots, underscores and hyphens',
        autocomplete: 'off',
        placeholder: 'ci',
      }),
      h('button', { type: 'submit', class: 'button' }, 'Make a token'),
    );
  }

  /** @param {TokenView} made */
  #madeDialog(made) {
    const close = () => {
      this.#made = null;
      this.#draw();
    };
    return dialog(
      `Token ${made.name}`,
      close,
      h('p', null, 'Copy it now: it is not shown again.'),
      h(
        'div',
        { class: 'command' },
        h('code', null, made.token ?? ''),
        copyButton(made.token ?? '', 'the token'),
      ),
      command('export ESPALIER_TOKEN=…', 'for the command line'),
      h(
        'div',
        { class: 'dialog-actions' },
        h('button', { type: 'button', class: 'button is-main', onclick: close }, 'Done'),
      ),
    );
  }

  /** @param {TokenView} token */
  #revokeDialog(token) {
    const own = token.id === this.#reading.value?.me.tokenId;
    const close = () => {
      this.#revoking = null;
      this.#draw();
    };
    return question(
      {
        title: `Revoke ${token.name}?`,
        text: `Whoever uses it is turned away from now on${own ? ', this browser too' : ''}. Jobs go on.`,
        no: 'Keep it',
        yes: 'Revoke it',
      },
      () => this.#revoke(token),
      close,
    );
  }

  /** @param {string} name */
  async #make(name) {
    await this.#try(async () => {
      this.#made = await post('/tokens', { name });
    });
  }

  /** @param {TokenView} token */
  async #revoke(token) {
    this.#revoking = null;
    await this.#try(() => remove(`/tokens/${token.id}`));
  }

  async #signOut() {
    await this.#try(() => remove('/session'));
  }

  /** @param {() => Promise<any>} wish */
  async #try(wish) {
    this.#refused = null;
    try {
      await wish();
    } catch (thrown) {
      this.#refused = thrown instanceof Error ? thrown.message : String(thrown);
    }
    await this.#reading.load();
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Settings>}
 */
async function read(signal) {
  const [tokens, me, version] = await Promise.all([
    get('/tokens', signal),
    get('/me', signal),
    get('/version', signal),
  ]);
  return { tokens: tokens.items, me, version };
}
