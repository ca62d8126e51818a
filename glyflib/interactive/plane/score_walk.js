// A walker on the exact arrows of a mixture: its score, where the arrow leads, and a walk.
const WALK_CELLS = 80, WAY_KEPT = 600;

function scoreWalk(host, data) {
  const alphaBar = new Float64Array(bytes(data.alphaBar).buffer), T = alphaBar.length - 1;
  const { span, names } = data, model = gaussianMixture(data.mixture, alphaBar);
  const label = "The plane with a walker: drag it, press where it should be, or move it with the arrow keys.";
  const { canvas, panel, status } = frame(host, data.css, label);
  let t = data.level, at0 = data.start, x = at0.slice(), way = [x.slice()], taken = 0, visits = names.map(() => 0);
  let isShaken = true, isFalling = false, seed = data.seed, noise = [], draw = torchGenerator(seed), isHeld = false;

  // ---- the panel
  const level = slider("Noise level", { min: 1, max: T, step: 1, value: t }, (v) => goTo(v));
  const words = "Walk";
  const play = button(words, "Take one step after another", () => (film.isOn() ? film.pause() : film.start(50)));
  play.className = "play";
  const one = button("One step", "Take one step along the arrow", () => { film.pause(); step(); });
  const many = button("100 steps", "Take a hundred steps at once", () => { film.pause(); for (let i = 0; i < 100; i++) if (!step(true)) break; redraw(); tell(); });
  const back = button("Begin again", "Put the walker back", () => { film.pause(); put(at0); });
  const shake = tick("a shake after each step", true, (isOn) => { isShaken = isOn; });
  const fall = tick(`the level falls by ${data.fall} a step`, false, (isOn) => { isFalling = isOn; });
  const figures = make("p", { class: "figures" });
  panel.append(
    make("p", { class: "hint", text: "Drag the walker, or press where it should be." }),
    level.row, figures, make("div", { class: "buttons" }, play, one), make("div", { class: "buttons" }, many, back), shake.row, fall.row);

  // ---- what is computed
  function goTo(v) {
    t = v;
    level.show(t, String(t));
    tell();
    redraw();
  }
  function put(place, isStart = true) {
    x = place.map((c) => clamp(c, -0.97 * span, 0.97 * span));
    if (isStart) at0 = x.slice();
    way = [x.slice()];
    taken = 0;
    visits = names.map(() => 0);
    tell();
    redraw();
  }
  const shareOf = () => [...model.responsibilities(x, t)];
  const nearest = () => {
    const shares = shareOf();
    return shares.indexOf(Math.max(...shares));
  };
  function step(isQuiet = false) {
    if (noise.length < 2) noise = [...draw(256)];
    const z = noise.splice(0, 2).map((n) => (isShaken ? n : 0));
    x = [...langevin(model, x, t, alphaBar, z)];
    way.push(x.slice());
    if (way.length > WAY_KEPT) way.shift();
    taken += 1;
    visits[nearest()] += 1;
    if (isFalling) goTo(Math.max(data.lowest, t - data.fall));
    if (!isQuiet) { tell(); redraw(); }
    return true;
  }
  const film = player(host, play, words, () => step());
  function tell() {
    const score = [...model.score(x, t)], length = Math.hypot(...score), home = [...model.denoise(x, t)];
    figures.textContent = `score ${score.map((c) => told(c)).join(" across, ")} up: length ${told(length)}. Believed data ${home.map((c) => told(c)).join(" across, ")} up.`;
    if (film.isOn()) return;
    const on = names[nearest()];
    const were = visits.map((count, k) => `${names[k]} ${count}`).join(", ");
    status.textContent = taken ? `After ${taken} steps, level ${t}. Steps pulled most by each island: ${were}. Now: ${on}.` : `Level ${t}. The island that pulls the walker most: ${on}.`;
  }

  // ---- the picture
  const { size, redraw } = sharpCanvas(canvas, (width) => width, paint);
  const at = planeOf(span, size), lattice = gridOf(span, 15), cells = gridOf(span, WALK_CELLS);
  let kept = null; // density and arrows of one level
  function fieldAt(t) {
    if (kept?.t !== t) {
      const shrink = Math.sqrt(alphaBar[t]);
      kept = { t, density: model.logDensity(cells, t).map(Math.exp), tips: model.denoise(lattice, t).map((c) => shrink * c) };
    }
    return kept;
  }
  function paint(pen, _, ink) {
    const shrink = Math.sqrt(alphaBar[t]), { density, tips } = fieldAt(t);
    drawAxes(pen, at, span, size, ink);
    drawDensity(pen, density, WALK_CELLS, size, ink, 0.7);
    drawField(pen, at, lattice, tips, 0.75 * (size.width / 15), ink);
    drawNumbers(pen, at, span, size, ink);
    names.forEach((name, k) => { // beside an island, which shrinks towards the middle
      const [cx, cy] = data.mixture.means.slice(2 * k, 2 * k + 2), [sx, sy] = data.spots[k];
      drawName(pen, name, at.px(sx - cx + shrink * cx), at.py(sy - cy + shrink * cy), ink);
    });
    pen.strokeStyle = ink.walker;
    pen.globalAlpha = 0.5;
    pen.lineWidth = 1;
    pen.beginPath();
    way.forEach((p, i) => pen[i ? "lineTo" : "moveTo"](at.px(p[0]), at.py(p[1])));
    pen.stroke();
    pen.globalAlpha = 1;
    const home = [...model.denoise(x, t)], tip = home.map((c) => shrink * c);
    pen.setLineDash([4, 4]);
    pen.strokeStyle = ink.good;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(at.px(tip[0]), at.py(tip[1]));
    pen.lineTo(at.px(home[0]), at.py(home[1]));
    pen.stroke();
    pen.setLineDash([]);
    drawDiamond(pen, at.px(home[0]), at.py(home[1]), 7, ink.good, ink.back);
    pen.strokeStyle = ink.walker;
    pen.lineWidth = 3;
    drawArrow(pen, at.px(x[0]), at.py(x[1]), at.px(tip[0]), at.py(tip[1]), 10);
    pen.lineWidth = 1.5;
    drawDot(pen, at.px(x[0]), at.py(x[1]), 7, ink.walker, ink.back);
  }
  function drawDiamond(pen, x, y, r, fill, edge) {
    pen.beginPath();
    pen.moveTo(x, y - r);
    pen.lineTo(x + r, y);
    pen.lineTo(x, y + r);
    pen.lineTo(x - r, y);
    pen.closePath();
    pen.fillStyle = fill;
    pen.fill();
    pen.strokeStyle = edge;
    pen.stroke();
  }

  // ---- hand and keys
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [at.x(event.clientX - box.left), at.y(event.clientY - box.top)];
  };
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = place(event);
    isHeld = Math.hypot(from[0] - x[0], from[1] - x[1]) < (event.pointerType === "mouse" ? 14 : 26) / at.scale;
    if (isHeld || event.pointerType === "mouse") { canvas.setPointerCapture(event.pointerId); isHeld = true; film.pause(); put(from); }
  });
  canvas.addEventListener("touchmove", (event) => { if (isHeld) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("pointermove", (event) => { if (from && isHeld) put(place(event)); });
  canvas.addEventListener("pointerup", () => {
    if (from && !isHeld) { film.pause(); put(from); }
    from = null;
    isHeld = false;
  });
  canvas.addEventListener("pointercancel", () => { from = null; isHeld = false; });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const push = ARROW_WAYS[event.key], far = event.shiftKey ? 0.5 : 0.1;
    if (push) { film.pause(); put([x[0] + far * push[0], x[1] + far * push[1]]); }
    else if (event.key === "Enter" || event.key === " ") { film.pause(); step(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const retheme = () => { host.toggleAttribute("data-dark", isDark()); redraw(); };
  onTheme(retheme);
  goTo(t);
  retheme();
  // What it shows, and where: for tests and for readers' scripts.
  host.read = () => ({ t, x: [...x], taken, visits: [...visits], score: [...model.score(x, t)], home: [...model.denoise(x, t)] });
  host.locate = (px, py) => {
    const box = canvas.getBoundingClientRect();
    return { x: box.left + at.px(px), y: box.top + at.py(py) };
  };
}
