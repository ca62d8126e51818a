// A square of the plane on a canvas: axes, a density, arrows, dots; and a figure's frame.
const KEYS = "data-lm-suppress-shortcuts"; // else JupyterLab takes the keys
const LIGHT = { back: "#ffffff", fore: "#1a1a1a", faint: "#767676", grid: "#d9d9d9", data: "#0072b2", density: [0, 114, 178], walker: "#d55e00", good: "#007a5a", arrow: "#767676" };
const DARK_INK = { back: "#16181c", fore: "#ececec", faint: "#9a9a9a", grid: "#3a3d44", data: "#63b3f0", density: [86, 180, 233], walker: "#ff9a4d", good: "#35c797", arrow: "#9a9a9a" };
const ARROW_WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// A figure in a host: its frame, the picture at the left and the panel at its right or,
// on a phone, below it. What stood in the host (a still picture) is no longer shown.
function frame(host, css, label) {
  const root = host.attachShadow({ mode: "open" });
  const style = make("style", { text: css });
  const canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": label, [KEYS]: "1" });
  const picture = make("div", { class: "picture" }, canvas);
  const panel = make("div", { class: "panel", [KEYS]: "1" });
  const status = make("p", { class: "status", role: "status", "aria-live": "polite" });
  root.append(style, make("div", { class: "figure" }, picture, panel, status));
  return { root, canvas, picture, panel, status };
}

function button(text, title, act) {
  const made = make("button", { type: "button", text, title, [KEYS]: "1" });
  made.addEventListener("click", act);
  return made;
}

// A choice: [value, text] pairs.
function choice(text, pairs, value, act) {
  const select = make("select", { "aria-label": text, [KEYS]: "1" }, ...pairs.map(([v, t]) => make("option", { value: v, text: t })));
  select.value = value;
  select.addEventListener("change", () => act(select.value));
  return { row: make("label", { class: "choice" }, make("span", { text }), select), select };
}

function slider(text, { min, max, step, value }, act) {
  const range = make("input", { type: "range", min, max, step, value, autocomplete: "off", "aria-label": text, [KEYS]: "1" });
  const told = make("span", { class: "value" });
  range.addEventListener("input", () => act(Number(range.value)));
  const show = (v, words) => {
    range.value = v;
    // What stands in brackets has a line of its own, so that nothing jumps.
    const [first, rest] = words.split(" (");
    told.replaceChildren(first, ...(rest ? [make("small", { text: rest.replace(")", "") })] : []));
    range.setAttribute("aria-valuetext", words);
  };
  return { row: make("label", { class: "slider" }, make("span", {}, text + ": ", told), range), range, show };
}

function tick(text, isOn, act) {
  const box = make("input", { type: "checkbox", [KEYS]: "1" });
  box.checked = isOn;
  box.addEventListener("change", () => act(box.checked));
  return { row: make("label", { class: "tick" }, box, make("span", { text })), box };
}

// Redraw at most once a frame of the screen.
function redrawer(draw) {
  let waiting = 0;
  return () => { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); }); };
}

// Play and pause: act() does one step and returns whether there is another.
function player(host, play, words, act) {
  let timer = null;
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = words;
  };
  return {
    pause,
    isOn: () => timer !== null,
    start(ms) {
      play.textContent = "Pause";
      timer = setInterval(() => { if (!host.isConnected || !act()) pause(); }, ms);
    },
  };
}

// A canvas as wide as its place, and as high as heightOf(width); draw gets CSS pixels.
function sharpCanvas(canvas, heightOf, draw) {
  const size = { width: 0, height: 0 }, pen = canvas.getContext("2d");
  const redraw = redrawer(() => {
    if (!size.width) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(pen, size, isDark() ? DARK_INK : LIGHT);
  });
  const fit = () => {
    const width = canvas.parentElement.clientWidth;
    if (!width || width === size.width) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    size.width = width;
    size.height = Math.round(heightOf(width));
    canvas.style.height = `${size.height}px`;
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    redraw();
  };
  new ResizeObserver(fit).observe(canvas.parentElement);
  fit();
  return { size, redraw };
}

// From the plane's numbers to pixels and back; the plane reaches from -span to span.
function planeOf(span, size) {
  return {
    px: (x) => ((x + span) / (2 * span)) * size.width,
    py: (y) => ((span - y) / (2 * span)) * size.height,
    x: (px) => (px / size.width) * 2 * span - span,
    y: (py) => span - (py / size.height) * 2 * span,
    scale: size.width / (2 * span),
  };
}

function drawAxes(pen, at, span, size, ink) {
  pen.fillStyle = ink.back;
  pen.fillRect(0, 0, size.width, size.height);
  pen.font = "12px system-ui, sans-serif";
  pen.lineWidth = 1;
  for (let n = Math.ceil(-span); n <= span; n++) {
    pen.strokeStyle = ink.grid;
    pen.beginPath();
    pen.moveTo(at.px(n), 0);
    pen.lineTo(at.px(n), size.height);
    pen.moveTo(0, at.py(n));
    pen.lineTo(size.width, at.py(n));
    pen.stroke();
  }
  pen.strokeStyle = ink.faint;
  pen.strokeRect(0.5, 0.5, size.width - 1, size.height - 1);
}

// The numbers of the axes, drawn after lines and arrows: they must not be covered.
function drawNumbers(pen, at, span, size, ink) {
  pen.font = "12px system-ui, sans-serif";
  for (let n = Math.ceil(-span) + 1; n < span; n++) if (n % 2 === 0) {
    const text = told(n, 0);
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    drawClear(pen, text, at.px(n), size.height - 3, ink);
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    if (at.py(n) < size.height - 24) drawClear(pen, text, 4, at.py(n), ink);
  }
}

// A text with an edge in the colour of the paper, so that nothing runs through it.
function drawClear(pen, text, x, y, ink) {
  pen.lineJoin = "round";
  pen.lineWidth = 5;
  pen.strokeStyle = ink.back;
  pen.strokeText(text, x, y);
  pen.fillStyle = ink.fore;
  pen.fillText(text, x, y);
}

// A density on cells, as a picture of its square root beside the highest; (cells, cells)
// numbers from the top row down.
function drawDensity(pen, values, cells, size, ink, strength = 0.75) {
  const top = values.reduce((most, v) => Math.max(most, v), 0);
  if (!(top > 0)) return;
  const small = make("canvas", { width: cells, height: cells }), brush = small.getContext("2d");
  const image = brush.createImageData(cells, cells);
  values.forEach((v, i) => {
    image.data.set(ink.density, 4 * i);
    image.data[4 * i + 3] = 255 * strength * Math.sqrt(v / top);
  });
  brush.putImageData(image, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, size.width, size.height);
}

// The density of points' bells with variance v around scale * point. A bell is spread
// over a cell's width at least, so that none falls between two cells. It is a product of
// across and up, so all cells together cost little.
function densityOfPoints(points, scale, v, span, cells) {
  const width = (2 * span) / cells, out = new Float64Array(cells * cells);
  const wide = v + (0.6 * width) ** 2;
  const across = new Float64Array(cells), up = new Float64Array(cells);
  for (let k = 0; k < points.length; k += 2) {
    for (let i = 0; i < cells; i++) {
      const place = (i + 0.5) * width - span;
      across[i] = Math.exp(-((place - scale * points[k]) ** 2) / (2 * wide));
      up[i] = Math.exp(-((-place - scale * points[k + 1]) ** 2) / (2 * wide));
    }
    for (let i = 0; i < cells; i++) if (up[i] > 1e-9) for (let j = 0; j < cells; j++) out[i * cells + j] += up[i] * across[j];
  }
  return out;
}

// The places of a grid of cells' middles, flat; from the top row down.
function gridOf(span, cells) {
  const width = (2 * span) / cells, out = new Float64Array(2 * cells * cells);
  for (let i = 0; i < cells; i++) for (let j = 0; j < cells; j++) {
    out[2 * (i * cells + j)] = (j + 0.5) * width - span;
    out[2 * (i * cells + j) + 1] = span - (i + 0.5) * width;
  }
  return out;
}

function drawArrow(pen, x0, y0, x1, y1, head) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 0.5) return;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length], tip = Math.min(head, length);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.moveTo(x1 - tip * (ux - 0.5 * uy), y1 - tip * (uy + 0.5 * ux));
  pen.lineTo(x1, y1);
  pen.lineTo(x1 - tip * (ux + 0.5 * uy), y1 - tip * (uy - 0.5 * ux));
  pen.stroke();
}

// Arrows from places to where they lead, cut to most pixels.
function drawField(pen, at, places, tips, most, ink) {
  pen.strokeStyle = ink.arrow;
  pen.lineWidth = 1.25;
  for (let i = 0; i < places.length; i += 2) {
    const [x0, y0] = [at.px(places[i]), at.py(places[i + 1])];
    const [dx, dy] = [at.px(tips[i]) - x0, at.py(tips[i + 1]) - y0];
    const cut = Math.min(1, most / Math.max(1e-9, Math.hypot(dx, dy)));
    drawArrow(pen, x0, y0, x0 + cut * dx, y0 + cut * dy, 0.4 * most);
  }
}

function drawDot(pen, x, y, r, fill, edge) {
  pen.beginPath();
  pen.arc(x, y, r, 0, 7);
  if (fill) { pen.fillStyle = fill; pen.fill(); }
  if (edge) { pen.strokeStyle = edge; pen.stroke(); }
}

// A name on top of arrows.
function drawName(pen, text, x, y, ink) {
  pen.font = "600 13px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  drawClear(pen, text, x, y, ink);
}

// Numbers with two digits, and a minus that reads as one.
function told(x, digits = 2) {
  return x.toFixed(digits).replace("-", "\u2212");
}
