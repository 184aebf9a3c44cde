/* The corruption playground: shows the state of a cloud that was picked. Needs viewer.js before it. */
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('playground').textContent);
  const form = document.querySelector('form.play'), pick = form.elements, canvas = document.querySelector('.stage canvas');
  const view = pointClouds.of(canvas), SHADES = 64, RED = SHADES;
  const palette = [...Array.from({ length: SHADES }, (_, i) => pointClouds.ramp(0.05 + 0.8 * i / (SHADES - 1))), [214, 40, 26]]
    .map((color) => '#' + color.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('')).join(' ');
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let shown = null, running = 0;

  const make = (name, text, parent, kind) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return parent.appendChild(node);
  };
  const words = (name) => name.replaceAll('_', ' ');
  const percent = (score) => `${Math.round(100 * score)} %`;
  const cloud = () => data.clouds[pick.cloud.selectedIndex];
  const state = (name, place) => (place === 0 ? cloud().states.clean[0] : cloud().states[name][place - 1]);
  const keeps = (name) => name === 'clean' || data.kept.includes(name);

  /* Return for each point its shade by height: of the clean cloud where one knows which point it was. */
  function shades(points, clean, known) {
    const heights = known ? clean : points, count = points.length / 3, old = clean.length / 3;
    let low = Infinity, high = -Infinity;
    for (let i = 2; i < heights.length; i += 3) { low = Math.min(low, heights[i]); high = Math.max(high, heights[i]); }
    return Uint8Array.from({ length: count }, (_, i) => (i >= old ? RED
      : Math.round((SHADES - 1) * (heights[3 * i + 2] - low) / Math.max(high - low, 1))));
  }

  /* Move the points from where they are, as far as they are the same points. */
  function move(points, values, known) {
    const from = shown && shown.known && known && !still ? shown.points : null, start = performance.now(), turn = ++running;
    shown = { points, known };
    if (!from) { view.show(points, values, palette); return; }
    const step = (now) => {
      if (turn !== running) return;
      const part = Math.min((now - start) / 450, 1), ease = part * part * (3 - 2 * part);
      if (part === 1) { view.show(points, values, palette); return; }
      const between = points.slice(0, Math.min(points.length, from.length));
      for (let i = 0; i < between.length; i++) between[i] = from[i] + ease * (points[i] - from[i]);
      view.show(between, values.subarray(0, between.length / 3), palette);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function show() {
    const name = pick.corruption.value, place = Number(pick.severity.value), now = state(name, place);
    const points = pointClouds.decode(now.points), clean = pointClouds.decode(cloud().states.clean[0].points);
    const known = place === 0 || keeps(name);
    move(points, shades(points, clean, known), known);
    pick.at.textContent = place ? data.severities[place - 1] : 'clean';
    document.querySelector('.stage figcaption').textContent = `${(points.length / 3).toLocaleString('en')} points`;
    const answers = document.querySelector('.answers');
    answers.textContent = '';
    data.models.forEach((model, m) => {
      const changed = now.tops[m][0][0] !== cloud().states.clean[0].tops[m][0][0];
      const box = make('div', undefined, answers, changed ? 'changed' : '');
      make('h3', model + (changed ? `: was ${cloud().states.clean[0].tops[m][0][0]}` : ''), box);
      const body = make('tbody', undefined, make('table', undefined, box, 'top'));
      for (const [label, score] of now.tops[m]) {
        const row = make('tr', undefined, body), cell = make('td', label, row, 'top-name');
        cell.style.setProperty('--share', percent(score).replace(' ', ''));
        make('td', percent(score), row);
      }
    });
    document.querySelectorAll('.grids button').forEach((button) => button.classList.toggle('now',
      Number(button.dataset.place) === place && (place === 0 || button.dataset.name === name)));
  }

  /* Build for each model a table of all corruptions and severities of the cloud. */
  function grids() {
    const place = document.querySelector('.grids');
    place.textContent = '';
    data.models.forEach((model, m) => {
      const clean = cloud().states.clean[0].tops[m][0], table = make('table', undefined, place);
      make('caption', `${model}: score of the class it predicts, in %. Clean: ${clean[0]}, ${percent(clean[1])}. Orange: another class.`, table);
      const head = make('tr', undefined, make('thead', undefined, table)), body = make('tbody', undefined, table);
      make('th', 'severity', head);
      data.severities.forEach((severity) => make('th', severity, head));
      for (const name of Object.keys(cloud().states).filter((n) => n !== 'clean')) {
        const row = make('tr', undefined, body);
        make('th', words(name), row);
        cloud().states[name].forEach(({ tops }, i) => {
          const [label, score] = tops[m][0];
          const button = make('button', Math.round(100 * score), make('td', undefined, row), label === clean[0] ? '' : 'changed');
          Object.assign(button.dataset, { name, place: i + 1 });
          button.title = button.ariaLabel = `${words(name)} ${data.severities[i]}: ${label}, ${percent(score)}`;
          button.addEventListener('click', () => { pick.corruption.value = name; pick.severity.value = i + 1; show(); });
        });
      }
    });
  }

  for (const name of Object.keys(cloud().states).filter((n) => n !== 'clean')) make('option', words(name), pick.corruption).value = name;
  pick.severity.max = data.severities.length;
  pick.severity.value = 0;
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', (event) => {
    if (event.target === pick.cloud) { shown = null; grids(); }
    show();
  });
  grids();
  show();
})();
