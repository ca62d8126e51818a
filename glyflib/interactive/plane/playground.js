// Points that the reader puts into the plane, under noise: their density, what the exact
// denoiser says everywhere, and samples that it leads home.
const OWN = "your own points", MOST = 300, CELLS = 110, HIT = 0.02;
const FOLLOWED = 8; // samples whose ways are drawn: more would hide the plane

function playground(host, data) {
  const alphaBar = new Float64Array(bytes(data.alphaBar).buffer), T = alphaBar.length - 1;
  const { span, walkers } = data;
  const label = "The plane: a press puts a point there, or takes it away. Keys: arrows move a cross, Enter puts or takes a point.";
  const { canvas, panel, status } = frame(host, data.css, label);
  let points = [], model = null, states = [], t = data.level, seed = data.seed;
  let steps = data.steps, cross = null, held = -1, moved = false;
  const show = { density: true, arrows: true, ways: true };

  // ---- the panel
  const sets = Object.keys(data.sets), pairs = [...sets, OWN].map((name) => [name, name]);
  const set = choice("Points", pairs, sets[0], (name) => { if (name === OWN) clear(); else take(name); });
  const empty = button("Clear", "Take all points away", () => clear());
  const level = slider("Noise level", { min: 0, max: T, step: 1, value: t }, (v) => { film.pause(); goTo(v); });
  const counts = choice("Steps from noise to data", data.counts.map((n) => [n, String(n)]), steps, (n) => { steps = Number(n); renew(); });
  const words = "\u2190 Run home";
  const play = button(words, "Lead the samples home", () => (film.isOn() ? film.pause() : run()));
  play.className = "play";
  const one = button("\u2190 One step", "Lead the samples one step towards data", () => { film.pause(); step(); });
  const fresh = button("New noise", "Start from other noise", () => { seed += 1; renew(); });
  const ticks = [["density", "cloud of noised points"], ["arrows", "arrows home"], ["ways", "ways of eight samples"]].map(
    ([key, text]) => tick(text, true, (isOn) => { show[key] = isOn; redraw(); }).row);
  const hint = make("p", { class: "hint", text: "Press the plane to put a point there; press a point to take it away, or drag it." });
  panel.append(set.row, hint, level.row);
  panel.append(counts.row, make("div", { class: "buttons" }, play, one), make("div", { class: "buttons" }, fresh, empty), ...ticks);

  // ---- what is computed
  function renew() {
    film.pause();
    model = points.length ? idealDenoiser(points, alphaBar) : null;
    const draw = torchGenerator(seed), noise = draw(2 * walkers);
    states = [{ t: T, xt: noise }];
    if (model) states.push(...SAMPLERS[data.sampler].walk(model.predictEps, noise, alphaBar, steps, draw));
    goTo(t);
  }
  // The last state that the walk has reached when the level has fallen to t.
  const now = () => states.findLastIndex((state) => state.t >= t);
  function goTo(v) {
    t = v;
    const [signal, noise] = [Math.sqrt(alphaBar[t]), Math.sqrt(1 - alphaBar[t])];
    level.show(t, `${t} (signal ${told(signal)}, noise ${told(noise)})`);
    tell();
    redraw();
  }
  function step() {
    const next = states[now() + 1];
    if (next) goTo(next.t);
    return now() < states.length - 1;
  }
  const film = player(host, play, words, step);
  function run() {
    if (!model) return;
    if (now() === states.length - 1) goTo(T);
    film.start(clamp(4000 / steps, 40, 700));
  }
  const onPoints = (xt) => {
    let found = 0;
    for (let i = 0; i < xt.length; i += 2) found += nearest(xt[i], xt[i + 1]).gap < HIT;
    return found;
  };
  function tell() {
    const i = now(), count = points.length / 2, have = count === 1 ? "your 1 point" : `your ${count} points`;
    if (film.isOn() && t > 0) return;
    if (!model) status.textContent = "Put at least one point into the plane: without data there is nothing to go home to.";
    else if (t === 0) status.textContent = `Level 0, after ${i} of ${steps} steps: ${onPoints(states[i].xt)} of ${walkers} samples sit on one of ${have}.`;
    else if (i === 0) status.textContent = `Level ${t}: ${walkers} samples of pure noise are waiting, and ${have}.`;
    else status.textContent = `Level ${t}, after ${i} of ${steps} steps: the samples are at level ${states[i].t}.`;
    if (cross && model && t > 0) status.textContent += ` At ${told(cross[0])} across and ${told(cross[1])} up, the best guess of home is ${[...model.denoise(cross, t)].map((x) => told(x)).join(" across and ")} up.`;
  }

  // ---- points
  function take(name) {
    points = data.sets[name].flat();
    renew();
  }
  function clear() {
    points = [];
    own();
  }
  function own() {
    set.select.value = OWN;
    renew();
  }
  const ownSoon = redrawer(own); // a drag asks more often than the screen can show
  function nearest(x, y) {
    let best = -1, gap = Infinity;
    for (let k = 0; k < points.length; k += 2) {
      const d = Math.hypot(points[k] - x, points[k + 1] - y);
      if (d < gap) [best, gap] = [k, d];
    }
    return { best, gap };
  }
  const inside = (x) => clamp(x, -0.97 * span, 0.97 * span);
  function putOrTake(x, y, reach) {
    const { best, gap } = nearest(x, y);
    if (gap < reach) points.splice(best, 2);
    else if (points.length < 2 * MOST) points.push(inside(x), inside(y));
    own();
  }

  // ---- the picture
  const { size, redraw } = sharpCanvas(canvas, (width) => width, draw);
  const at = planeOf(span, size);
  const lattice = gridOf(span, 13);
  function draw(pen, _, ink) {
    drawAxes(pen, at, span, size, ink);
    const ab = alphaBar[t], shrink = Math.sqrt(ab), i = now();
    if (model && show.density) drawDensity(pen, densityOfPoints(points, shrink, 1 - ab, span, CELLS), CELLS, size, ink);
    if (model && show.arrows && t > 0) drawField(pen, at, lattice, model.denoise(lattice, t).map((x) => shrink * x), 0.8 * (size.width / 13), ink);
    drawNumbers(pen, at, span, size, ink);
    const shares = cross && model && t > 0 ? model.responsibilities(cross, t) : null;
    const isMany = points.length > 120, small = isMany ? 2 : 3.5;
    pen.lineWidth = 1.5;
    for (let k = 0; k < points.length; k += 2) {
      const r = small + (isMany ? 1 : 2) + (shares ? 9 * Math.sqrt(shares[k / 2]) : 0);
      drawDot(pen, at.px(points[k]), at.py(points[k + 1]), r, null, ink.data);
      pen.globalAlpha = 0.8; // an edge in the colour of the paper, on the density
      drawDot(pen, at.px(shrink * points[k]), at.py(shrink * points[k + 1]), small + 0.5, ink.data, ink.back);
      pen.globalAlpha = 1;
    }
    drawSamples(pen, ink, i);
    if (cross) drawCross(pen, ink, shrink);
  }
  function drawSamples(pen, ink, i) {
    const { xt } = states[i];
    if (show.ways && i > 0) {
      pen.strokeStyle = ink.walker;
      pen.globalAlpha = 0.7;
      pen.lineWidth = 1;
      pen.beginPath();
      for (let b = 0; b < 2 * FOLLOWED; b += 2) for (let n = 0; n <= i; n++) {
        const way = states[n].xt;
        pen[n ? "lineTo" : "moveTo"](at.px(way[b]), at.py(way[b + 1]));
      }
      pen.stroke();
      pen.globalAlpha = 1;
    }
    pen.lineWidth = 1;
    for (let b = 0; b < xt.length; b += 2) drawDot(pen, at.px(xt[b]), at.py(xt[b + 1]), 3, ink.walker, ink.back);
  }
  function drawCross(pen, ink, shrink) {
    const [x, y] = [at.px(cross[0]), at.py(cross[1])];
    pen.strokeStyle = ink.fore;
    pen.lineWidth = 2;
    pen.beginPath();
    for (const [dx, dy] of [[7, 0], [0, 7]]) { pen.moveTo(x - dx, y - dy); pen.lineTo(x + dx, y + dy); }
    pen.stroke();
    if (!model || t === 0) return;
    const home = model.denoise(cross, t);
    pen.strokeStyle = ink.good;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(at.px(home[0]), at.py(home[1]));
    pen.stroke();
    pen.setLineDash([]);
    pen.lineWidth = 2.5;
    drawDot(pen, at.px(home[0]), at.py(home[1]), 7, null, ink.good);
  }

  // ---- hand and keys
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [at.x(event.clientX - box.left), at.y(event.clientY - box.top)];
  };
  const reachOf = (event) => (event.pointerType === "mouse" ? 11 : 20) / at.scale;
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = place(event);
    moved = false;
    const { best, gap } = nearest(...from);
    held = gap < reachOf(event) ? best : -1;
    if (held >= 0) canvas.setPointerCapture(event.pointerId);
  });
  // A finger on a point drags it; a finger elsewhere scrolls the page.
  canvas.addEventListener("touchmove", (event) => { if (held >= 0) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (from && Math.hypot(x - from[0], y - from[1]) > 5 / at.scale) moved = true;
    if (from && held >= 0 && moved) {
      points[held] = inside(x);
      points[held + 1] = inside(y);
      ownSoon();
    }
    if (event.pointerType !== "mouse") return;
    cross = from && held >= 0 ? null : [x, y];
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from && !moved) putOrTake(...from, reachOf(event));
    from = null;
    held = -1;
  });
  canvas.addEventListener("pointercancel", () => { from = null; held = -1; });
  canvas.addEventListener("pointerleave", () => { cross = null; redraw(); });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ARROW_WAYS[event.key], far = event.shiftKey ? 0.5 : 0.1;
    if (way) cross = cross ? [inside(cross[0] + far * way[0]), inside(cross[1] + far * way[1])] : [0, 0];
    else if (event.key === "Enter" || event.key === " ") { cross ??= [0, 0]; putOrTake(...cross, 0.15); }
    else if (event.key === "Escape") cross = null;
    else return;
    event.preventDefault();
    event.stopPropagation();
    tell();
    redraw();
  });

  const retheme = () => { host.toggleAttribute("data-dark", isDark()); redraw(); };
  onTheme(retheme);
  take(sets[0]);
  retheme();
  // What it shows, and where: for tests and for readers' scripts.
  host.read = () => ({ t, seed, steps, points: [...points], states: states.map((s) => ({ t: s.t, xt: [...s.xt] })) });
  host.locate = (x, y) => {
    const box = canvas.getBoundingClientRect();
    return { x: box.left + at.px(x), y: box.top + at.py(y) };
  };
}
