// What is said to those who hear the page: one polite live region for all of it.

/** @param {string} text */
export function announce(text) {
  const region = document.getElementById('said');
  if (region) {
    region.textContent = text;
  }
}
