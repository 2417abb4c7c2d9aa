// Parts that scroll sideways: a reader sees where they go on, and keys can scroll them.

/**
 * Keeps in `data-more` at which sides something of `node` is hidden, which the style sheet fades.
 * Keys stop at a node that is larger than its room, unless they stop at something inside.
 *
 * @param {HTMLElement} node its children may come later, and grow
 */
export function watchEdges(node) {
  const look = () => {
    const wide = node.scrollWidth - node.clientWidth;
    const high = node.scrollHeight - node.clientHeight;
    const sides = [node.scrollLeft > 1 && 'left', wide - node.scrollLeft > 1 && 'right'];
    node.dataset.more = sides.filter((side) => side !== false).join(' ');
    if ((wide > 1 || high > 1) && node.querySelector('a, button') === null) {
      node.tabIndex = 0;
    } else {
      node.removeAttribute('tabindex');
    }
  };
  node.addEventListener('scroll', look, { passive: true });
  const sizes = new ResizeObserver(look);
  const watch = () => [node, ...node.children].forEach((each) => sizes.observe(each));
  new MutationObserver(watch).observe(node, { childList: true });
  watch();
}
