// Euler's, Heun's and 2M's steps beside the curve that they follow, one press a step: the
// place y = x / sqrt(ab) of a pixel over the noise sigma = sqrt((1 - ab) / ab).
const SHAPES = { ddim: "circle", heun: "square", "2m": "triangle" };
const STEPPED = ["ddim", "heun", "2m"]; // of SAMPLERS
const SIGNS = { ddim: "\u25cf", heun: "\u25a0", "2m": "\u25b2" }; // as the picture marks them
const NAMED = { ddim: "Euler (DDIM)", heun: "Heun", "2m": "2M" };
const FAMILY = 9, MOST_START = 1; // curves in grey, and the farthest start

function solverSteps(host, data) {
  const alphaBar = new Float64Array(bytes(data.alphaBar).buffer), T = alphaBar.length - 1;
  const model = gaussianMixture(data.mixture, alphaBar), { reach } = data;
  const sigma = (t) => Math.sqrt((1 - alphaBar[t]) / alphaBar[t]);
  const yOf = (state) => state.xt[0] / Math.sqrt(alphaBar[state.t]);
  const label = "The place of a pixel over the noise: an exact curve, and the steps of three solvers. The table below has the numbers.";
  const { root, canvas, panel, status } = frame(host, data.css, label);
  root.querySelector(".figure").classList.add("wide");
  let start = data.start, steps = data.steps, chosen = "ddim", at = 0, walks = {}, exact = null;

  // ---- the panel
  const from = slider(`Start, x at level ${T}`, { min: -MOST_START, max: MOST_START, step: 0.05, value: start }, (v) => { start = v; renew(); });
  const counts = choice("Steps from there to data", data.counts.map((n) => [n, String(n)]), steps, (n) => { steps = Number(n); renew(); });
  const which = choice("Show how it aims", STEPPED.map((key) => [key, NAMED[key]]), chosen, (key) => { chosen = key; tell(); });
  const next = button("\u2190 One step", "All three solvers take one step towards data", () => go(at + 1));
  const back = button("Back \u2192", "Take the last step back", () => go(at - 1));
  const again = button("Begin again", "Back to the start", () => go(0));
  panel.append(which.row, counts.row, from.row, make("div", { class: "buttons" }, next, back, again));
  const body = make("tbody");
  const heads = ["solver", "calls", "place y", "exact curve", "off by"].map((text) => make("th", { text, scope: "col" }));
  heads[3].classList.add("exact");
  status.before(make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));

  // ---- what is computed
  const walkOf = (key, xt, n) => [{ t: T, xt }, ...SAMPLERS[key].walk(model.predictEps, xt, alphaBar, n)];
  // The exact curve: Heun's method, at every level.
  const curveOf = (x) => walkOf("heun", Float64Array.of(x), T);
  const family = Array.from({ length: FAMILY }, (_, i) => curveOf(MOST_START * ((2 * i) / (FAMILY - 1) - 1)));
  function renew() {
    const xt = Float64Array.of(start);
    walks = Object.fromEntries(STEPPED.map((key) => [key, walkOf(key, xt, steps)]));
    exact = curveOf(start);
    from.show(start, told(start));
    go(0);
  }
  function go(step) {
    at = clamp(step, 0, steps);
    next.disabled = at === steps;
    back.disabled = at === 0;
    tell();
  }
  const exactAt = (t) => yOf(exact[T - t]);

  // The step that led to the place at: where it stood, what it believed and aimed at.
  function aimOf(key, i) {
    const [last, now] = [walks[key][i - 1], walks[key][i]], noise = sigma(last.t), y = yOf(last);
    const eps = model.predictEps(last.xt, last.t)[0], belief = y - noise * eps;
    const end = sigma(now.t), trial = y + (end - noise) * eps;
    const slope = (yOf(now) - y) / (end - noise); // of the step that was taken
    return { noise, y, belief, end, trial, target: y - noise * slope };
  }
  function tell() {
    const t = walks.ddim[at].t;
    body.replaceChildren(...STEPPED.map((key) => {
      const y = yOf(walks[key][at]), off = Math.abs(y - exactAt(t)), calls = at && (key === "heun" ? 2 * at - (at === steps) : at);
      const cells = [calls, told(y, 3), told(exactAt(t), 3), told(off, 3)].map((text) => make("td", { text }));
      return make("tr", key === chosen ? { class: "now" } : {}, make("th", { scope: "row" }, make("span", { class: `sign ${SHAPES[key]}`, "aria-hidden": "true", text: SIGNS[key] }), NAMED[key]), ...cells);
    }));
    status.textContent = at === 0 ? `Level ${t}, noise ${told(sigma(t))}: all three stand on the curve.` : wordsOf(t);
    redraw();
  }
  function wordsOf(t) {
    const { belief, trial, target, end } = aimOf(chosen, at), where = `Step ${at} of ${steps}, to level ${t}, noise ${told(end)}. `;
    if (chosen === "ddim") return where + `It believed in ${told(belief)} (diamond), and walked straight towards it.`;
    if (chosen === "heun") return where + (t > 0 ? `On trial it went to ${told(trial)} (cross), asked for the slope there, and walked again with the mean of both: towards ${told(target)} (star).` : "The last step is Euler's: at level 0 there is no noise to ask about.");
    if (at === 1) return where + "There is no belief before the first, so this is Euler's step.";
    if (t === 0) return where + "The last step is Euler's: the clock would run to infinity.";
    return where + `It believed in ${told(belief)} (diamond) and in ${told(aimOf(chosen, at - 1).belief)} before (open diamond); the line through both led it towards ${told(target)} (star).`;
  }

  // ---- the picture
  const { size, redraw } = sharpCanvas(canvas, (width) => clamp(width / 1.7, 330, 420), paint);
  const most = 1.04 * sigma(T), edge = 40, foot = 36;
  const px = (s) => edge + (s / most) * (size.width - edge - 6);
  const py = (y) => ((reach - y) / (2 * reach)) * (size.height - foot);
  function curve(pen, states, upTo = states.length) {
    pen.beginPath();
    for (let i = 0; i < upTo; i++) pen[i ? "lineTo" : "moveTo"](px(sigma(states[i].t)), py(yOf(states[i])));
    pen.stroke();
  }
  function mark(pen, shape, x, y, r, fill, rim) {
    pen.beginPath();
    if (shape === "diamond") [[0, -r], [r, 0], [0, r], [-r, 0]].forEach(([a, b], i) => pen[i ? "lineTo" : "moveTo"](x + a, y + b));
    else if (shape === "square") pen.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r);
    else if (shape === "star") for (let i = 0; i < 10; i++) {
      const angle = (Math.PI * i) / 5 - Math.PI / 2, far = i % 2 ? 0.45 * r : r;
      pen[i ? "lineTo" : "moveTo"](x + far * Math.cos(angle), y + far * Math.sin(angle));
    } else if (shape === "triangle") [[0, -r], [r, 0.8 * r], [-r, 0.8 * r]].forEach(([a, b], i) => pen[i ? "lineTo" : "moveTo"](x + a, y + b));
    else pen.arc(x, y, 0.85 * r, 0, 7);
    pen.closePath();
    if (fill) { pen.fillStyle = fill; pen.fill(); }
    pen.strokeStyle = rim;
    pen.stroke();
  }
  function paint(pen, _, ink) {
    const colours = { ddim: ink.walker, heun: ink.good, "2m": ink.fore };
    pen.fillStyle = ink.back;
    pen.fillRect(0, 0, size.width, size.height);
    drawScales(pen, ink);
    pen.save();
    pen.beginPath();
    pen.rect(edge - 8, 0, size.width, size.height - foot);
    pen.clip();
    pen.lineJoin = "round";
    pen.strokeStyle = ink.grid;
    pen.lineWidth = 1.5;
    for (const states of family) curve(pen, states);
    pen.strokeStyle = ink.data;
    pen.globalAlpha = 0.45;
    pen.lineWidth = 7;
    curve(pen, exact);
    pen.globalAlpha = 1;
    for (const key of [...STEPPED.filter((key) => key !== chosen), chosen]) {
      const isChosen = key === chosen;
      pen.strokeStyle = colours[key];
      pen.lineWidth = isChosen ? 2 : 1;
      pen.setLineDash(isChosen ? [] : [2, 3]);
      curve(pen, walks[key], at + 1);
      pen.setLineDash([]);
      pen.lineWidth = 1;
      for (let i = 0; i <= at; i++) mark(pen, SHAPES[key], px(sigma(walks[key][i].t)), py(yOf(walks[key][i])), isChosen ? 6 : 4, colours[key], ink.back);
    }
    if (at > 0) drawAim(pen, ink, colours[chosen]);
    pen.restore();
  }
  function drawAim(pen, ink, colour) {
    const { noise, y, belief, end, trial, target } = aimOf(chosen, at);
    const dashed = (x0, y0, x1, y1, dash) => {
      pen.setLineDash(dash);
      pen.beginPath();
      pen.moveTo(px(x0), py(y0));
      pen.lineTo(px(x1), py(y1));
      pen.stroke();
      pen.setLineDash([]);
    };
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    dashed(noise, y, 0, target, [7, 4]);
    if (Math.abs(target - belief) > 1e-9) {
      dashed(noise, y, 0, belief, [2, 4]);
      pen.lineWidth = 1.5;
      mark(pen, "diamond", px(0), py(belief), 6, ink.back, colour);
      if (chosen === "2m") mark(pen, "diamond", px(0), py(aimOf(chosen, at - 1).belief), 4, ink.back, ink.faint);
      else {
        pen.lineWidth = 2;
        pen.beginPath();
        for (const k of [-5, 5]) { pen.moveTo(px(end) - 5, py(trial) - k); pen.lineTo(px(end) + 5, py(trial) + k); }
        pen.stroke();
      }
      pen.lineWidth = 1;
      mark(pen, "star", px(0), py(target), 8, colour, ink.back);
    } else mark(pen, "diamond", px(0), py(target), 7, colour, ink.back);
  }
  function drawScales(pen, ink) {
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    pen.strokeStyle = ink.grid;
    pen.fillStyle = ink.fore;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const line = (x0, y0, x1, y1) => { pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke(); };
    for (let s = 0; s < most; s += 0.5) {
      line(px(s), 0, px(s), size.height - foot);
      pen.fillText(told(s, 1), px(s), size.height - foot + 4);
    }
    pen.fillText("noise \u03c3 (noise on the right)", px(most / 2), size.height - 15);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let y = Math.ceil(-reach); y <= reach; y++) {
      line(edge, py(y), size.width - 6, py(y));
      pen.fillText(told(y, 0), edge - 11, clamp(py(y), 8, size.height - foot - 4));
    }
    pen.textAlign = "left";
    pen.fillText("place y", edge + 8, 10);
    pen.strokeStyle = ink.faint;
    line(px(0), 0, px(0), size.height - foot);
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft" || event.key === "Enter" || event.key === " ") go(at + 1);
    else if (event.key === "ArrowRight") go(at - 1);
    else if (event.key === "Home") go(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const retheme = () => { host.toggleAttribute("data-dark", isDark()); redraw(); };
  onTheme(retheme);
  renew();
  retheme();
  // What it shows: for tests and for readers' scripts.
  host.read = () => ({ at, start, steps, chosen, end: exactAt(0), levels: walks.ddim.map((s) => s.t), ys: Object.fromEntries(STEPPED.map((key) => [key, walks[key].map(yOf)])) });
}
