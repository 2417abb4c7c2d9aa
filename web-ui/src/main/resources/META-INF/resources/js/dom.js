// A small virtual DOM: pages are functions from state to trees, and `patch` changes only what
// differs, so that focus, selection and open details survive a live update. Styles are set through
// the CSS object model, because the content security policy forbids style attributes.

/**
 * @typedef {{tag: string, key: string | number | undefined, props: Record<string, any>,
 *     children: Tree[], text: string, node: any}} Tree a planned element, or text where tag is '#'
 */

/** @typedef {Tree | string | number | null | undefined | false | any[]} Child arrays hold children */

const SVG = 'http://www.w3.org/2000/svg';

/** Set as properties: their attributes only hold the first value. */
const PROPERTIES = new Set(['value', 'checked', 'open', 'disabled']);

/**
 * Plans an element.
 *
 * @param {string} tag
 * @param {Record<string, any> | null} [props] attributes, `on...` handlers, `key`, `vars`, custom
 *     properties of CSS, and `givesFocusBack`: when the element goes with the focus inside, that goes
 *     to what had it before
 * @param {...Child} children
 * @returns {Tree}
 */
export function h(tag, props, ...children) {
  const given = props ?? {};
  return {
    tag,
    key: given.key,
    props: given,
    children: flatten(children, []),
    text: '',
    node: null,
  };
}

/**
 * @param {Child[]} children
 * @param {Tree[]} into
 * @returns {Tree[]}
 */
function flatten(children, into) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) {
      continue;
    }
    if (Array.isArray(child)) {
      flatten(child, into);
    } else if (typeof child === 'object') {
      into.push(child);
    } else {
      into.push({
        tag: '#',
        key: undefined,
        props: {},
        children: [],
        text: String(child),
        node: null,
      });
    }
  }
  return into;
}

/** @type {WeakMap<Element, Tree[]>} what each root shows now */
const shown = new WeakMap();

/**
 * Makes the children of `root` look like `children`.
 *
 * @param {Element} root
 * @param {...Child} children
 */
export function patch(root, ...children) {
  const next = flatten(children, []);
  const before = shown.get(root);
  if (!before) {
    root.textContent = '';
  }
  const focused = document.activeElement;
  patchChildren(root, before ?? [], next, root.namespaceURI === SVG);
  shown.set(root, next);
  if (focused !== null && !focused.isConnected) {
    giveFocusBack(focused);
  }
}

/** @type {WeakMap<Element, Element | null>} what had the focus when an element came */
const openers = new WeakMap();

/**
 * Without this the next key would begin at the top of the page.
 *
 * @param {Element} gone had the focus
 */
function giveFocusBack(gone) {
  /** @type {Element | null} */
  let holder = gone;
  while (holder !== null && !openers.has(holder)) {
    holder = holder.parentElement;
  }
  const opener = holder === null ? null : openers.get(holder);
  const isThere = opener instanceof HTMLElement && opener.isConnected && opener !== document.body;
  const heir = isThere ? opener : document.getElementById('content');
  heir?.focus({ preventScroll: true });
}

/**
 * @param {Element} parent
 * @param {Tree[]} before
 * @param {Tree[]} next
 * @param {boolean} svg
 */
function patchChildren(parent, before, next, svg) {
  const old = new Map();
  before.forEach((tree, index) => old.set(identity(tree, index), tree));
  const kept = new Set();
  next.forEach((tree, index) => {
    const candidate = old.get(identity(tree, index));
    if (candidate && candidate.tag === tree.tag && !kept.has(candidate)) {
      kept.add(candidate);
      update(candidate, tree, svg);
    } else {
      create(tree, svg);
    }
  });
  for (const tree of before) {
    if (!kept.has(tree)) {
      tree.node.remove();
    }
  }
  let place = parent.firstChild;
  for (const tree of next) {
    if (tree.node === place) {
      place = place?.nextSibling ?? null;
    } else {
      parent.insertBefore(tree.node, place);
    }
  }
}

/**
 * @param {Tree} tree
 * @param {number} index
 */
function identity(tree, index) {
  return tree.key === undefined ? `at ${index} ${tree.tag}` : `is ${tree.key}`;
}

/**
 * @param {Tree} tree
 * @param {boolean} svg
 */
function create(tree, svg) {
  if (tree.tag === '#') {
    tree.node = document.createTextNode(tree.text);
    return;
  }
  const inside = svg || tree.tag === 'svg';
  const node = inside ? document.createElementNS(SVG, tree.tag) : document.createElement(tree.tag);
  tree.node = node;
  if (tree.props.givesFocusBack) {
    openers.set(node, document.activeElement);
  }
  for (const [name, value] of Object.entries(tree.props)) {
    setProp(node, name, value);
  }
  patchChildren(node, [], tree.children, inside && tree.tag !== 'foreignObject');
  tree.props.created?.(node);
}

/**
 * @param {Tree} before
 * @param {Tree} tree
 * @param {boolean} svg
 */
function update(before, tree, svg) {
  if (before === tree) {
    return;
  }
  const node = before.node;
  tree.node = node;
  if (tree.tag === '#') {
    if (before.text !== tree.text) {
      node.data = tree.text;
    }
    return;
  }
  for (const name of Object.keys(before.props)) {
    if (!(name in tree.props)) {
      setProp(node, name, null);
    }
  }
  for (const [name, value] of Object.entries(tree.props)) {
    if (before.props[name] !== value || name === 'vars') {
      setProp(node, name, value);
    }
  }
  const inside = svg || tree.tag === 'svg';
  patchChildren(node, before.children, tree.children, inside && tree.tag !== 'foreignObject');
}

/**
 * @param {any} node
 * @param {string} name
 * @param {any} value
 */
function setProp(node, name, value) {
  if (name === 'key' || name === 'created' || name === 'givesFocusBack') {
    return;
  }
  if (name === 'vars') {
    for (const [key, text] of Object.entries(value ?? {})) {
      node.style.setProperty(`--${key}`, String(text));
    }
  } else if (name.startsWith('on')) {
    node[name.toLowerCase()] = value ?? null;
  } else if (PROPERTIES.has(name)) {
    node[name] = value ?? false;
  } else if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? '' : String(value));
  }
}
