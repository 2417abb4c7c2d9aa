// What the page's modules need of a browser, with a clock, a server and a link that a test moves.
(() => {
  const timers = new Map();
  const listeners = new Set();
  let nextTimer = 1;

  const after = (repeats) => (run, millis = 0) => {
    timers.set(nextTimer, { run, at: browser.now + millis, millis: repeats ? millis : null });
    return nextTimer++;
  };
  const clear = (timer) => timers.delete(timer);

  const browser = {
    now: 1_000_000,
    /** Paths that were asked for, in order. */
    requests: [],
    /** The links that were opened, in order. */
    links: [],
    status: 200,
    documents: {},
    /** Gives an answer late, to who is asked while this is a list; null gives it at once. */
    held: null,
    /** Runs what is due until then; answers arrive between two calls. */
    advance(millis) {
      browser.now += millis;
      for (const [timer, { run, at, millis: again }] of [...timers]) {
        if (at <= browser.now && timers.has(timer)) {
          again === null ? timers.delete(timer) : (timers.get(timer).at = browser.now + again);
          run();
        }
      }
    },
    hide(hidden) {
      document.hidden = hidden;
      [...listeners].forEach((listener) => listener());
    },
    asked: (part) => browser.requests.filter((path) => path.includes(part)).length,
    timers: () => timers.size,
    openLinks: () => browser.links.filter((link) => link.readyState !== 2).length,
    link: () => browser.links.at(-1),
  };

  Date.now = () => browser.now;
  globalThis.window = {
    setTimeout: after(false),
    clearTimeout: clear,
    setInterval: after(true),
    clearInterval: clear,
  };
  globalThis.document = {
    hidden: false,
    addEventListener: (type, listener) => listeners.add(listener),
    removeEventListener: (type, listener) => listeners.delete(listener),
  };
  globalThis.AbortController = class {
    signal = { aborted: false };
    abort() {
      this.signal.aborted = true;
    }
  };
  globalThis.URLSearchParams = class {
    constructor(text) {
      this.pairs = new Map(text.split('&').map((pair) => pair.split('=', 2)));
    }
    get(name) {
      return this.pairs.get(name) ?? null;
    }
  };
  globalThis.fetch = async (path) => {
    browser.requests.push(path);
    if (browser.status === 0) {
      throw new Error('no connection');
    }
    const found = Object.keys(browser.documents).findLast((part) => path.includes(part));
    const document = browser.status === 200 ? browser.documents[found] : { title: 'no' };
    if (browser.held) {
      await new Promise((give) => browser.held.push(give));
    }
    return {
      ok: browser.status === 200,
      status: browser.status,
      text: async () => JSON.stringify(document ?? {}),
    };
  };
  globalThis.EventSource = class {
    static CLOSED = 2;
    readyState = 0;
    listeners = new Map();
    constructor(path) {
      this.path = path;
      browser.links.push(this);
    }
    addEventListener(type, listener) {
      this.listeners.set(type, listener);
    }
    /** The server answers. */
    made() {
      this.readyState = 1;
      this.onopen();
    }
    /** The link is lost; the browser tries again by itself unless the server refused it. */
    lost(refused) {
      this.readyState = refused ? 2 : 0;
      this.onerror();
    }
    tell(type, message) {
      this.listeners.get(type)?.({ data: JSON.stringify(message) });
    }
    close() {
      this.readyState = 2;
    }
  };
  return browser;
})();
