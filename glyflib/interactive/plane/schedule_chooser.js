// A schedule by a choice and a slider: how it falls, and one glyph along it, all of it
// under the same noise.
const KNOBS = {
  linear: { text: "last beta", min: 0.002, max: 0.05, step: 0.001, value: 0.02, digits: 3, make: linearAlphaBar },
  cosine: { text: "offset s", min: 0.002, max: 0.3, step: 0.002, value: 0.008, digits: 3, make: cosineAlphaBar },
  sigmoid: { text: "steepness", min: 0.5, max: 12, step: 0.5, value: 3, digits: 1, make: sigmoidAlphaBar },
};
const BUSY = 2; // log-SNRs this near to 0 are the middle of the film

function scheduleChooser(host, data) {
  const { T, side, seed } = data, pixels = bytes(data.picture);
  const x0 = Float64Array.from(pixels, (p) => p / 127.5 - 1), eps = torchNoise(seed, side * side);
  const { root, canvas, panel, status } = frame(host, data.css, "");
  root.querySelector(".figure").classList.add("wide");
  canvas.removeAttribute("tabindex");
  canvas.setAttribute("role", "img");
  const values = Object.fromEntries(Object.entries(KNOBS).map(([name, knob]) => [name, knob.value]));
  const reference = cosineAlphaBar(T);
  let name = data.schedule, level = data.level, alphaBar = reference;

  // ---- the panel
  const kinds = choice("Schedule", Object.keys(KNOBS).map((key) => [key, key]), name, (key) => { name = key; renew(); });
  const knobs = Object.fromEntries(Object.entries(KNOBS).map(([key, knob]) => [key, slider(knob.text, knob, (v) => { values[key] = v; renew(); })]));
  const levels = slider("Level shown", { min: 0, max: T, step: T / 100, value: level }, (v) => { level = v; tell(); });
  panel.append(kinds.row, ...Object.values(knobs).map((knob) => knob.row), levels.row);

  // ---- what is computed
  function renew() {
    alphaBar = KNOBS[name].make(T, values[name]);
    for (const [key, knob] of Object.entries(knobs)) {
      knob.row.style.display = key === name ? "" : "none";
      knob.show(values[key], told(values[key], KNOBS[key].digits));
    }
    tell();
  }
  const facts = (schedule) => {
    const snrs = logSnrs(schedule), gaps = snrs.map(Math.abs);
    return { equal: gaps.indexOf(Math.min(...gaps)), busy: gaps.filter((gap) => gap <= BUSY).length };
  };
  function tell() {
    const a = alphaBar[level], { equal, busy } = facts(alphaBar);
    levels.show(level, `${level} (signal ${told(Math.sqrt(a))}, noise ${told(Math.sqrt(1 - a))})`);
    status.textContent = `Signal and noise are equally strong at level ${equal}. ${busy} of the ${T} levels lie in the middle of the film, at log-SNRs from \u2212${BUSY} to ${BUSY}.`;
    canvas.setAttribute("aria-label", `alpha bar of the ${name} schedule falls from 1 to ${told(alphaBar[T], 3)}, and a glyph vanishes in noise. ${status.textContent}`);
    redraw();
  }

  // ---- the picture
  const isSmall = (width) => width < 500;
  const edge = 40, foot = 20;
  const shownAt = (width) => Array.from({ length: isSmall(width) ? 6 : 11 }, (_, i) => (i * T) / (isSmall(width) ? 5 : 10));
  const tileOf = (width) => Math.floor((width - edge) / shownAt(width).length) - 4;
  const curveOf = (width) => (isSmall(width) ? 190 : 220);
  const { size, redraw } = sharpCanvas(canvas, (width) => curveOf(width) + foot + 8 + tileOf(width), paint);
  // Greys of the book's noisy pictures: from -2 (black) to 2.
  function glyphAt(t) {
    const small = make("canvas", { width: side, height: side }), brush = small.getContext("2d");
    const image = brush.createImageData(side, side), [signal, noise] = [Math.sqrt(alphaBar[t]), Math.sqrt(1 - alphaBar[t])];
    for (let i = 0; i < x0.length; i++) {
      const grey = clamp(((signal * x0[i] + noise * eps[i] + 2) / 4) * 255, 0, 255);
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    brush.putImageData(image, 0, 0);
    return small;
  }
  function paint(pen, _, ink) {
    const width = size.width, high = curveOf(width), tile = tileOf(width), shown = shownAt(width);
    const px = (t) => edge + tile / 2 + (t / T) * (width - edge - tile - 4), py = (a) => 8 + (1 - a) * (high - 16);
    pen.fillStyle = ink.back;
    pen.fillRect(0, 0, width, size.height);
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    pen.strokeStyle = ink.grid;
    pen.fillStyle = ink.fore;
    pen.textBaseline = "middle";
    const line = (x0, y0, x1, y1) => { pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke(); };
    pen.textAlign = "right";
    for (const a of [0, 0.25, 0.5, 0.75, 1]) {
      line(edge, py(a), width, py(a));
      pen.fillText(told(a), edge - 6, py(a));
    }
    pen.textAlign = "center";
    for (const t of shown) {
      line(px(t), py(1), px(t), py(0));
      pen.fillText(String(t), px(t), high + foot / 2);
    }
    pen.textAlign = "left";
    pen.fillText("alpha bar, by level", edge + 6, py(0.07));
    const curve = (schedule) => {
      pen.beginPath();
      for (let t = 0; t <= T; t += T / 200) pen[t ? "lineTo" : "moveTo"](px(t), py(schedule[Math.round(t)]));
      pen.stroke();
    };
    pen.strokeStyle = ink.faint;
    pen.lineWidth = 1.5;
    pen.setLineDash([5, 4]);
    curve(reference);
    pen.setLineDash([]);
    pen.strokeStyle = ink.walker;
    pen.lineWidth = 3;
    curve(alphaBar);
    pen.lineWidth = 1.5;
    drawDot(pen, px(level), py(alphaBar[level]), 6, ink.walker, ink.back);
    const big = Math.round(0.42 * high);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(glyphAt(level), width - big - 10, 14, big, big);
    pen.strokeStyle = ink.walker;
    pen.lineWidth = 2;
    pen.strokeRect(width - big - 10, 14, big, big);
    for (const t of shown) pen.drawImage(glyphAt(t), px(t) - tile / 2, high + foot + 4, tile, tile);
  }
  const retheme = () => { host.toggleAttribute("data-dark", isDark()); redraw(); };
  onTheme(retheme);
  renew();
  retheme();
  // What it shows: for tests and for readers' scripts.
  host.read = () => ({ name, level, value: values[name], alphaBar: [...alphaBar], ...facts(alphaBar) });
}
