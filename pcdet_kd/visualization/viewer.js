/* Point clouds to turn and zoom, drawn on plain 2D canvases with a depth buffer: as many on a page
   as one likes (a browser allows about 16 WebGL contexts only), and no graphics driver needed.

   <canvas class="cloud" tabindex="0" data-points=BASE64 data-values=BASE64 data-palette="#rrggbb ..."
   data-group=NAME></canvas>; points are int16 x, y, z (z up, 32767 is the radius), values uint8: the
   index of the point's colour in the palette, or without a palette a share of 255. Without values,
   colour is height. Clouds of one group turn together. pointClouds.of(canvas) is for other scripts. */
const pointClouds = (() => {
  'use strict';
  const FULL = 32767, START = { azimuth: 35, elevation: 20, zoom: 1 };
  const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // viridis
  const known = new Map(), groups = new Map(), waiting = new Set();

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const decode = (text) => new Int16Array(bytes(text).buffer);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /* Return the colour of a share from 0 to 1. */
  function ramp(share) {
    const place = clamp(share, 0, 1) * (STOPS.length - 1), i = Math.min(Math.floor(place), STOPS.length - 2);
    return STOPS[i].map((low, k) => low + (STOPS[i + 1][k] - low) * (place - i));
  }

  /* Return right, up and towards the viewer of a point, as visualization.orthographic does. */
  function project(x, y, z, view) {
    const a = view.azimuth * Math.PI / 180, e = view.elevation * Math.PI / 180;
    const forward = x * Math.cos(a) + y * Math.sin(a);
    return [y * Math.cos(a) - x * Math.sin(a), z * Math.cos(e) - forward * Math.sin(e),
      z * Math.sin(e) + forward * Math.cos(e)];
  }

  class Cloud {
    constructor(canvas) {
      const data = canvas.dataset;
      this.canvas = canvas;
      canvas.hidden = false; // without scripts, the still picture is seen instead
      this.context = canvas.getContext('2d');
      const name = data.group || Symbol('alone');
      if (!groups.has(name)) groups.set(name, { view: { ...START }, clouds: [] });
      this.group = groups.get(name);
      this.group.clouds.push(this);
      this.pointers = new Map();
      this.show(decode(data.points || ''), data.values ? bytes(data.values) : null, data.palette);
      for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'wheel', 'keydown', 'dblclick']) {
        canvas.addEventListener(kind, (event) => this[kind](event), { passive: false });
      }
      canvas.addEventListener('lostpointercapture', (event) => this.pointerup(event));
    }

    /* Replace the points (3 N numbers), and their values (N) and palette if there are any. */
    show(points, values = null, palette = null) {
      this.points = points;
      const colors = (palette || '').split(' ').filter(Boolean)
        .map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
      let low = Infinity, high = -Infinity;
      for (let i = 2; i < points.length; i += 3) { low = Math.min(low, points[i]); high = Math.max(high, points[i]); }
      const table = colors.length ? colors : Array.from({ length: 256 }, (_, i) => ramp(0.05 + 0.8 * i / 255));
      this.colors = new Uint8Array(points.length);
      for (let i = 0; i < points.length; i += 3) {
        const share = high > low ? (points[i + 2] - low) / (high - low) : 0.5;
        this.colors.set(table[values ? values[i / 3] % table.length : Math.round(255 * share)], i);
      }
      this.redraw();
    }

    redraw() {
      if (!waiting.size) requestAnimationFrame(() => { const now = [...waiting]; waiting.clear(); now.forEach((c) => c.draw()); });
      waiting.add(this);
    }

    draw(always = false) {
      const { canvas, points, colors, group: { view } } = this, box = canvas.getBoundingClientRect();
      if (!box.width || (!always && (box.bottom < -200 || box.top > innerHeight + 200))) { this.stale = true; return; }
      this.stale = false;
      const fine = Math.max(2, devicePixelRatio || 1), w = Math.round(box.width * fine), h = Math.round(box.height * fine);
      if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
      const image = this.context.createImageData(w, h), out = new Uint32Array(image.data.buffer);
      const near = new Float32Array(w * h).fill(-Infinity);
      const half = Math.min(w, h) / 2, scale = 0.95 * half * view.zoom / FULL, count = points.length / 3;
      const radius = clamp(0.62 * half * Math.sqrt(view.zoom / count), 0.9 * fine, half / 20), reach = Math.ceil(radius);
      for (let i = 0; i < points.length; i += 3) {
        const [right, up, depth] = project(points[i], points[i + 1], points[i + 2], view);
        const strength = clamp(0.68 + 0.4 * depth / FULL, 0.25, 1); // far is pale, on white
        const [r, g, b] = [0, 1, 2].map((k) => 255 - (255 - colors[i + k]) * strength);
        const ink = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
        const x = w / 2 + right * scale, y = h / 2 - up * scale;
        for (let v = Math.max(0, Math.floor(y - reach)); v <= Math.min(h - 1, y + reach); v++) {
          for (let u = Math.max(0, Math.floor(x - reach)); u <= Math.min(w - 1, x + reach); u++) {
            const place = v * w + u;
            if ((u - x) ** 2 + (v - y) ** 2 <= radius * radius && depth > near[place]) { near[place] = depth; out[place] = ink; }
          }
        }
      }
      this.context.putImageData(image, 0, 0);
    }

    turn(azimuth, elevation, factor = 1) {
      const view = this.group.view;
      view.azimuth += azimuth;
      view.elevation = clamp(view.elevation + elevation, -90, 90);
      view.zoom = clamp(view.zoom * factor, 0.3, 20);
      this.group.clouds.forEach((cloud) => cloud.redraw());
    }

    reset() { Object.assign(this.group.view, START); this.turn(0, 0); }

    pointerdown(event) {
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    }

    pointermove(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const spread = () => { const [a, b] = [...this.pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
      const old = this.pointers.size === 2 ? spread() : 0;
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (old) this.turn(0, 0, spread() / Math.max(old, 1));
      else if (this.pointers.size === 1) this.turn(0.5 * (before[0] - event.clientX), 0.5 * (event.clientY - before[1]));
    }

    pointerup(event) { this.pointers.delete(event.pointerId); }
    pointercancel(event) { this.pointerup(event); }
    dblclick() { this.reset(); }

    wheel(event) { // the page scrolls until the cloud was clicked
      if (document.activeElement !== this.canvas) return;
      event.preventDefault();
      this.turn(0, 0, Math.exp(-0.0015 * event.deltaY));
    }

    keydown(event) {
      const act = { ArrowLeft: [8, 0], ArrowRight: [-8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8], '+': [0, 0, 1.2], '=': [0, 0, 1.2],
        '-': [0, 0, 1 / 1.2] }[event.key];
      if (act) this.turn(...act); else if (event.key === '0' || event.key === 'Home') this.reset(); else return;
      event.preventDefault();
    }
  }

  /* Return the cloud of a canvas. */
  function of(canvas) {
    if (!known.has(canvas)) known.set(canvas, new Cloud(canvas));
    return known.get(canvas);
  }

  function start() {
    document.querySelectorAll('canvas.cloud').forEach(of);
    const overdue = () => known.forEach((cloud) => cloud.stale && cloud.redraw());
    addEventListener('scroll', overdue, { passive: true });
    addEventListener('resize', () => known.forEach((cloud) => cloud.redraw()));
    addEventListener('beforeprint', () => known.forEach((cloud) => cloud.draw(true)));
    return overdue;
  }

  if (typeof document === 'undefined') return { project, ramp };
  return { of, decode, bytes, ramp, project, overdue: start() };
})();
if (typeof module !== 'undefined') module.exports = pointClouds;
