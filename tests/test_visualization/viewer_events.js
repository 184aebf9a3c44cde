/* Runs viewer.js on a page of two clouds of one group and one alone, made of the least that it needs,
   and prints the views after each event. */
const path = process.argv[2];
class Canvas {
  constructor(dataset) {
    Object.assign(this, { dataset, handlers: {}, hidden: true, width: 0, height: 0, held: [] });
  }
  addEventListener(kind, handler) { this.handlers[kind] = handler; }
  getBoundingClientRect() { return { width: 100, height: 100, top: 0, bottom: 100 }; }
  getContext() {
    return {
      createImageData: (w, h) => ({ data: new Uint8ClampedArray(4 * w * h) }),
      putImageData: (image) => {
        this.middle = [...image.data.slice(4 * (100 * 200 + 100), 4 * (100 * 200 + 100) + 3)]; this.ink = image.data.filter((v, i) => i % 4 === 3 && v).length; },
    };
  }
  setPointerCapture(id) { this.held.push(id); }
  send(kind, event = {}) {
    let prevented = false;
    this.handlers[kind]({ ...event, preventDefault: () => { prevented = true; } });
    return prevented;
  }
}
const points = (...values) => Buffer.from(Int16Array.from(values).buffer).toString('base64');
const two = points(0, 0, 32767, 0, 0, -32767);
const canvases = [{ points: two, group: 'g' }, { points: two, group: 'g' }, { points: two }].map((d) => new Canvas(d));
const waiting = [];
Object.assign(globalThis, {
  innerHeight: 500, devicePixelRatio: 1, addEventListener: () => {},
  requestAnimationFrame: (work) => waiting.push(work),
  document: { querySelectorAll: () => canvases, activeElement: null },
});
const flush = () => waiting.splice(0).forEach((work) => work());
const viewer = require(path);
const [a, b, c] = canvases, result = {};
const note = (name, canvas = a) => { flush(); result[name] = { ...viewer.of(canvas).group.view }; };
flush();
result.shown = canvases.map((canvas) => !canvas.hidden && canvas.ink > 10 && canvas.width === 200);
a.send('pointerdown', { pointerId: 1, clientX: 10, clientY: 10 });
a.send('pointermove', { pointerId: 1, clientX: 30, clientY: 20 });
note('dragged');
note('partner', b);
note('alone', c);
a.send('pointermove', { pointerId: 1, clientX: 30, clientY: 2000 });
note('from_above');
a.send('pointerdown', { pointerId: 2, clientX: 30, clientY: 1900 });
a.send('pointermove', { pointerId: 2, clientX: 30, clientY: 1800 });
note('pinched');
a.send('pointerup', { pointerId: 1 });
a.send('pointerup', { pointerId: 2 });
a.send('pointermove', { pointerId: 2, clientX: 300, clientY: 300 });
note('released');
a.send('dblclick');
note('reset');
result.wheel_scrolls = !a.send('wheel', { deltaY: -100 });
note('wheel_before_click');
document.activeElement = a;
result.wheel_zooms = a.send('wheel', { deltaY: -100 });
note('wheel_after_click');
result.keys = ['ArrowLeft', 'ArrowUp', '+', 'Tab'].map((key) => a.send('keydown', { key }));
note('keyed');
viewer.of(c).show(Int16Array.from([0, 0, 0]), Uint8Array.from([1]), '#000000 #ff8000');
result.color = [...viewer.of(c).colors];
const azimuth = 35 * Math.PI / 180, elevation = 20 * Math.PI / 180;
const towards = [Math.cos(azimuth) * Math.cos(elevation), Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation)]
  .map((part) => 30000 * part);
viewer.of(c).show(Int16Array.from([...towards, ...towards.map((part) => -part)]), Uint8Array.from([0, 1]), '#ff0000 #0000ff');
flush();
result.nearest = c.middle;
console.log(JSON.stringify(result));
