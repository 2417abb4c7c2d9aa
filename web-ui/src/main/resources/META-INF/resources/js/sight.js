// Whether anybody can see the page: a hidden tab keeps no link and asks for nothing.

/**
 * Tells when the page comes into sight, and when it is hidden.
 *
 * @param {() => void} onSeen
 * @param {() => void} onHidden
 * @returns {() => void} ends the watch
 */
export function watchSight(onSeen, onHidden) {
  const listener = () => (document.hidden ? onHidden() : onSeen());
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}
