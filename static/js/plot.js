// A line chart in plain SVG. <figure data-plot> holds <script type="application/json">, <figure data-plot-url> fetches it:
// {"series": [{"key": "loss", "name": "loss", "points": [[step, value, time in ms?], ...]}]}. A value that is not a finite
// number is a gap. A series may say with "place" which colour is its own, so that it keeps it from plot to plot.
// The keys that a figure wants are the "key"s of its address: figures that come in sight together ask together.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 260;
const EDGE = { top: 10, right: 12, bottom: 26, left: 56 };
const COLOURS = 6;
const TABLE_ROWS = 200;
const MOST_KEYS = 50; // of one answer
const LONGEST = 4000; // of an address, which every server and proxy takes

const waiting = new Set(); // for being seen
const inSight = new IntersectionObserver((entries) => {
  load(entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target));
}, { rootMargin: "50% 0px" });

export function plot(figure) {
  if (figure.dataset.plotUrl) {
    waiting.add(figure);
    inSight.observe(figure);
    return;
  }
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  show(figure, Array.isArray(data) ? data : data.series);
}

// Draws those that nobody has seen yet, too; each is drawn in the frame after it is there.
export async function plotAll() {
  await load([...waiting]);
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
}

function load(figures) {
  for (const figure of figures) {
    waiting.delete(figure);
    inSight.unobserve(figure);
  }
  return Promise.all(batches(figures.filter(({ isConnected }) => isConnected)).map(fetchTogether));
}

// The addresses of these figures, made one as long as they ask the same of the same
function batches(figures) {
  const made = [];
  for (const figure of figures) {
    const url = new URL(figure.dataset.plotUrl, location.href);
    const keys = url.searchParams.getAll("key");
    url.searchParams.delete("key");
    const asked = keys.map((key) => new URLSearchParams({ key }));
    const fits = (batch) => batch.base === url.href && batch.asked.length + asked.length <= MOST_KEYS && [url.href, ...batch.asked, ...asked].join("&").length <= LONGEST;
    let batch = made.find(fits);
    if (!batch) made.push((batch = { base: url.href, asked: [], wanted: [] }));
    batch.asked.push(...asked);
    batch.wanted.push({ figure, keys });
  }
  return made;
}

async function fetchTogether({ base, asked, wanted }) {
  const url = `${base}${base.includes("?") ? "&" : "?"}${asked.join("&")}`;
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    for (const { figure } of wanted) figure.append(html("p", { class: "bad" }, `The curve could not be loaded (${answer.status}).`));
    throw new Error(`plot: ${url} answered ${answer.status}`);
  }
  const { series } = await answer.json();
  for (const { figure, keys } of wanted) show(figure, series.filter(({ key }) => keys.includes(key)));
}

function show(figure, series) {
  const all = series.map(({ name, points, place }, counted) => ({
    name,
    css: `series-${((place ?? counted) % COLOURS) + 1}`,
    shown: true,
    points: points.map(([step, value, time]) => ({ step, value: typeof value === "number" ? value : NaN, time })),
  }));
  const state = { byTime: false, log: false, smoothing: 0, cursor: null };
  const hasTimes = all.every(({ points }) => points.every(({ time }) => typeof time === "number"));
  const canLog = all.some(({ points }) => points.some(({ value }) => value > 0));
  const title = figure.querySelector("figcaption")?.textContent ?? "";

  const readout = html("div", { class: "plot-readout", "aria-live": "polite" });
  const area = html("div", { class: "plot-area", tabindex: "0", role: "group", "aria-label": `${title}: curve, arrow keys read it out` });
  const draw = () => paint(area, readout, all.filter(({ shown }) => shown), state);

  const controls = html("div", { class: "plot-controls" });
  controls.append(slider((value) => Object.assign(state, { smoothing: value }) && draw()));
  if (canLog) controls.append(check("Log scale", (on) => Object.assign(state, { log: on }) && draw()));
  if (hasTimes) controls.append(check("Time axis", (on) => Object.assign(state, { byTime: on, cursor: null }) && draw()));
  const head = html("div", { class: "plot-head" });
  head.append(...figure.querySelectorAll("figcaption"), controls);
  figure.replaceChildren(head, area, readout, legend(all, draw), table(all));

  area.addEventListener("pointermove", (event) => {
    const { left } = area.getBoundingClientRect();
    state.cursor = nearest(all, state, area.scaleX.invert(event.clientX - left));
    draw();
  });
  area.addEventListener("pointerleave", () => {
    state.cursor = null;
    draw();
  });
  area.addEventListener("keydown", (event) => {
    const xs = positions(all, state);
    const here = state.cursor === null ? -1 : xs.indexOf(state.cursor);
    const to = { ArrowRight: here + 1, ArrowLeft: Math.max(here, 1) - 1, Home: 0, End: xs.length - 1 }[event.key];
    if (to === undefined || !xs.length) return;
    event.preventDefault();
    state.cursor = xs[Math.min(to, xs.length - 1)];
    draw();
  });
  new ResizeObserver(draw).observe(area);
}

// Numbers

const xOf = (point, { byTime }) => (byTime ? point.time : point.step);
const isDrawable = (value, { log }) => Number.isFinite(value) && (!log || value > 0);

function positions(all, state) {
  const xs = all.flatMap(({ shown, points }) => (shown ? points.map((point) => xOf(point, state)) : []));
  return [...new Set(xs)].sort((one, other) => one - other);
}

function nearest(all, state, x) {
  let best = null;
  for (const here of positions(all, state)) if (best === null || Math.abs(here - x) < Math.abs(best - x)) best = here;
  return best;
}

// An exponential moving average, corrected for its start so that the first points do not lean to zero
function smooth(points, weight) {
  let sum = 0;
  let mass = 0;
  return points.map((point) => {
    if (!Number.isFinite(point.value)) return point;
    sum = sum * weight + point.value * (1 - weight);
    mass = mass * weight + (1 - weight);
    return { ...point, value: sum / mass };
  });
}

function niceTicks(low, high, count) {
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
}

function logTicks(low, high) {
  const first = Math.ceil(low - 1e-9);
  const last = Math.floor(high + 1e-9);
  if (last - first < 1) return niceTicks(low, high, 4);
  const every = Math.ceil((last - first + 1) / 6);
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, place) => first + place * every);
}

function scale(low, high, from, to) {
  const forward = (value) => from + ((value - low) / (high - low)) * (to - from);
  forward.invert = (place) => low + ((place - from) / (to - from)) * (high - low);
  return forward;
}

// A flat line gets some room around it
function extent(values) {
  const low = values.reduce((one, other) => Math.min(one, other), Infinity);
  const high = values.reduce((one, other) => Math.max(one, other), -Infinity);
  return low < high ? [low, high] : [low - Math.max(Math.abs(low) * 0.1, 0.5), high + Math.max(Math.abs(high) * 0.1, 0.5)];
}

function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

function unitOf(milliseconds) {
  if (milliseconds < 120_000) return { size: 1000, name: " s" };
  return milliseconds < 7_200_000 ? { size: 60_000, name: " min" } : { size: 3_600_000, name: " h" };
}

// Drawing

function paint(area, readout, shown, state) {
  const width = Math.max(area.clientWidth, 200);
  const smoothed = shown.map((one) => ({ ...one, points: state.smoothing ? smooth(one.points, state.smoothing) : one.points }));
  const drawn = shown.flatMap(({ points }) => points.filter(({ value }) => isDrawable(value, state)));
  if (!drawn.length) {
    area.replaceChildren(html("p", { class: "muted" }, "No values to draw."));
    area.scaleX = scale(0, 1, 0, width);
    return;
  }
  const up = (value) => (state.log ? Math.log10(value) : value);
  const [xLow, xHigh] = extent(drawn.map((point) => xOf(point, state)));
  const [yLow, yHigh] = extent(drawn.map(({ value }) => up(value)));
  const x = scale(xLow, xHigh, EDGE.left, width - EDGE.right);
  const y = scale(yLow, yHigh, HEIGHT - EDGE.bottom, EDGE.top);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
  area.scaleX = x;

  for (const tick of state.log ? logTicks(yLow, yHigh) : niceTicks(yLow, yHigh, 5)) {
    picture.append(svg("line", { class: "plot-grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick) }));
    picture.append(svg("text", { x: EDGE.left - 8, y: y(tick) + 4, "text-anchor": "end" }, short(state.log ? 10 ** tick : tick)));
  }
  const offset = state.byTime ? xLow : 0;
  const unit = state.byTime ? unitOf(xHigh - xLow) : { size: 1, name: "" };
  for (const tick of niceTicks((xLow - offset) / unit.size, (xHigh - offset) / unit.size, Math.max(2, Math.floor(width / 110)))) {
    const place = { x: x(tick * unit.size + offset), y: HEIGHT - 8, "text-anchor": "middle" };
    picture.append(svg("text", place, `${short(tick)}${unit.name}`));
  }
  const floor = HEIGHT - EDGE.bottom;
  picture.append(svg("line", { class: "plot-axis", x1: EDGE.left, x2: width - EDGE.right, y1: floor, y2: floor }));

  const path = ({ points }) => {
    let pen = "M";
    return points.map((point) => {
      if (!isDrawable(point.value, state)) return (pen = "M") && "";
      const piece = `${pen}${x(xOf(point, state)).toFixed(1)} ${y(up(point.value)).toFixed(1)}`;
      pen = "L";
      return piece;
    }).join("");
  };
  if (state.smoothing) for (const one of shown) picture.append(svg("path", { class: `plot-line plot-raw ${one.css}`, d: path(one) }));
  for (const one of smoothed) {
    picture.append(svg("path", { class: `plot-line ${one.css}`, d: path(one) }));
    const [only, second] = one.points.filter(({ value }) => isDrawable(value, state));
    if (only && !second) picture.append(svg("circle", { class: `plot-dot ${one.css}`, cx: x(xOf(only, state)), cy: y(up(only.value)), r: 4 }));
  }

  readout.textContent = "";
  if (state.cursor !== null) {
    picture.append(svg("line", { class: "plot-cursor", x1: x(state.cursor), x2: x(state.cursor), y1: EDGE.top, y2: floor }));
    const words = [state.byTime ? `${short((state.cursor - offset) / unit.size)}${unit.name}` : `step ${state.cursor}`];
    for (const one of smoothed) {
      const point = one.points.find((here) => xOf(here, state) === state.cursor);
      if (!point) continue;
      words.push(`${one.name} ${short(point.value)}`);
      if (isDrawable(point.value, state)) picture.append(svg("circle", { class: `plot-dot ${one.css}`, cx: x(state.cursor), cy: y(up(point.value)), r: 4 }));
    }
    readout.textContent = words.join("   ·   ");
  }
  area.replaceChildren(picture);
}

function legend(all, draw) {
  const box = html("div", { class: "plot-legend" });
  for (const one of all) {
    const button = html("button", { type: "button", "aria-pressed": "true" });
    button.append(html("span", { class: `plot-swatch ${one.css}` }), one.name);
    button.addEventListener("click", () => {
      one.shown = !one.shown;
      button.setAttribute("aria-pressed", String(one.shown));
      draw();
    });
    box.append(button);
  }
  return box;
}

function table(all) {
  const details = html("details", { class: "plot-table" });
  details.append(html("summary", {}, "Values as a table"));
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(...valuesOf(all)), { once: true });
  return details;
}

function valuesOf(all) {
  const steps = [...new Set(all.flatMap(({ points }) => points.map(({ step }) => step)))].sort((one, other) => one - other);
  const values = all.map(({ points }) => new Map(points.map(({ step, value }) => [step, value])));
  const grid = html("table", { class: "table table-compact" });
  const row = (cell, cells) => {
    const line = html("tr");
    line.append(...cells.map((text) => html(cell, {}, text)));
    return line;
  };
  const head = html("thead");
  const body = html("tbody");
  head.append(row("th", ["step", ...all.map(({ name }) => name)]));
  body.append(...steps.slice(0, TABLE_ROWS).map((step) => row("td", [String(step), ...values.map((of) => String(of.get(step) ?? "–"))])));
  grid.append(head, body);
  const wrap = html("div", { class: "table-wrap", tabindex: "0" });
  wrap.append(grid);
  const cut = steps.length > TABLE_ROWS ? [html("p", { class: "meta" }, `The first ${TABLE_ROWS} of ${steps.length} steps.`)] : [];
  return [wrap, ...cut];
}

// Elements

function slider(act) {
  const label = html("label", {}, "Smoothing ");
  const input = html("input", { type: "range", min: "0", max: "0.99", step: "0.01", value: "0" });
  input.addEventListener("input", () => act(Number(input.value)));
  label.append(input);
  return label;
}

function check(words, act) {
  const label = html("label");
  const input = html("input", { type: "checkbox" });
  input.addEventListener("change", () => act(input.checked));
  label.append(input, words);
  return label;
}

function html(name, attributes = {}, text = "") {
  return fill(document.createElement(name), attributes, text);
}

function svg(name, attributes = {}, text = "") {
  return fill(document.createElementNS(SVG, name), attributes, text);
}

function fill(element, attributes, text) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}
