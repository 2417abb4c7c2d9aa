// Files from what a page shows: CSV and JSON of its numbers, PNG of its drawings.

import { h } from './dom.js';
import * as format from './format.js';

/** @import {Tree} from './dom.js' */

const SCALE = 2;

/** What a drawing's look is made of; an image has no style sheet. */
const LOOKS = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linejoin',
  'stroke-linecap',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
];

/**
 * Buttons that save a panel.
 *
 * @param {string} panel what it is
 * @param {Record<string, () => void>} kinds action by name
 * @returns {Tree}
 */
export function exports(panel, kinds) {
  return h(
    'div',
    { class: 'exports', key: 'exports', role: 'group', 'aria-label': `Save the ${panel}` },
    Object.entries(kinds).map(([kind, onclick]) =>
      h(
        'button',
        {
          key: kind,
          type: 'button',
          class: 'export',
          onclick,
          'aria-label': `${kind} of the ${panel}`,
        },
        kind,
      ),
    ),
  );
}

/**
 * Saves rows as CSV; the columns are the keys of the first row.
 *
 * @param {string} name of the file
 * @param {Record<string, any>[]} rows
 */
export function csv(name, rows) {
  save(name, 'text/csv', csvText(rows));
}

/**
 * @param {Record<string, any>[]} rows
 * @returns {string} RFC 4180; texts that a spreadsheet would run as a formula begin with a quote
 */
export function csvText(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (/** @type {any[]} */ cells) => cells.map(cell).join(',') + '\r\n';
  return line(columns) + rows.map((row) => line(columns.map((name) => row[name]))).join('');
}

/** @param {any} value */
function cell(value) {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'number') {
    return String(value);
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/**
 * @param {string} name
 * @param {any} document
 */
export function json(name, document) {
  save(name, 'application/json', `${JSON.stringify(document, null, 2)}\n`);
}

/**
 * @param {string} name
 * @param {string} type
 * @param {string | Blob} content
 */
export function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * Saves a drawing as PNG, in the colours that it has on the screen.
 *
 * @param {string} name
 * @param {SVGSVGElement | null} svg
 */
export async function saveDrawing(name, svg) {
  if (!svg) {
    return;
  }
  const { width, height } = svg.getBoundingClientRect();
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  copyLooks(svg, copy);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  await savePicture(name, new XMLSerializer().serializeToString(copy), width, height);
}

/**
 * @param {string} name
 * @param {string} svg
 * @param {number} width
 * @param {number} height
 */
async function savePicture(name, svg, width, height) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * SCALE);
  canvas.height = Math.ceil(height * SCALE);
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  paint.fillStyle = getComputedStyle(document.body).getPropertyValue('--surface');
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && save(name, 'image/png', blob));
}

/**
 * Saves a panel of text as PNG, in the colours that it has on the screen: a copy of it, with the
 * page's style sheet, drawn as an image.
 *
 * @param {string} name
 * @param {Element | null} panel
 */
export async function savePanel(name, panel) {
  if (!panel) {
    return;
  }
  const { width, height } = panel.getBoundingClientRect();
  const looks = await (await fetch('espalier.css')).text();
  const wrapper = document.createElement('div');
  wrapper.className = 'picture';
  const screen = getComputedStyle(document.documentElement);
  for (const variable of new Set(looks.match(/--[\w-]+(?=:)/g))) {
    wrapper.style.setProperty(variable, screen.getPropertyValue(variable));
  }
  const style = document.createElement('style');
  style.append(looks);
  const copy = /** @type {HTMLElement} */ (panel.cloneNode(true));
  copy.style.margin = '0';
  copy.querySelectorAll('.exports').forEach((one) => one.remove());
  wrapper.append(style, copy);
  const [w, high] = [Math.ceil(width), Math.ceil(height)];
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${high}"><foreignObject width="100%" height="100%">${new XMLSerializer().serializeToString(wrapper)}</foreignObject></svg>`;
  await savePicture(name, text, w, high);
}

/**
 * @param {Element} from
 * @param {Element} to
 */
function copyLooks(from, to) {
  const style = getComputedStyle(from);
  for (const look of LOOKS) {
    to.setAttribute(look, style.getPropertyValue(look));
  }
  Array.from(from.children).forEach((child, i) => copyLooks(child, to.children[i]));
}

/**
 * The size of a file in words.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${format.number(value, 3)} ${units[unit]}`;
}
