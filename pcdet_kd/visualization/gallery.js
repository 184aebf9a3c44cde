/* Shows the clouds of one class, or the unsure ones only. Needs viewer.js before it. */
(() => {
  'use strict';
  const form = document.querySelector('form.filter'), tiles = [...document.querySelectorAll('.tile')];
  const told = form.querySelector('output');
  function filter() {
    const name = form.elements.class.value, unsure = form.elements.unsure.checked;
    for (const tile of tiles) tile.hidden = (name && tile.dataset.class !== name) || (unsure && !tile.classList.contains('unsure'));
    told.textContent = `${tiles.filter((tile) => !tile.hidden).length} of ${tiles.length} shown`;
    pointClouds.overdue();
  }
  form.hidden = false;
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  filter(); // a reloaded page keeps what was chosen
})();
