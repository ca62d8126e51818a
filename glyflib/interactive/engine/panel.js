// "Draw it here": words in, glyphs out of noise, in the reader's browser. The page calls
// drawHere(host, options); options: { css, engine (its source), models, weights, words,
// count, columns, rows, sketch }, a model being { label, kind, counts, scale, scales (from,
// to; null if it is not the reader's to choose), maxTokens, size, network, encoder }, where
// network and encoder are names of packed parts. `weights` has their megabytes by name.
// A part lies in the page itself or in a script, loaded when it is wanted: a link in the
// host, with the part's name in data-glyf-part, says where.
// rows: null, or what is drawn from the same noises to be compared, a row each:
// { label, model (its place in models), calls, scale }; then `count` is that of the noises.
// sketch: null, or what sketch.js needs for a canvas whose picture is to be finished.

const MOST_WORKERS = 4;
const CHUNK = 2 ** 20; // letters of base64 decoded at once, a multiple of four
const FILM_PAUSE = [12, 200]; // hundredths of a second that a frame stays, and the last one

function make(tag, options = {}, ...children) {
  const { text, ...attributes } = options, element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

// The colours that are on: the book's, or else JupyterLab's, or else the machine's.
function isDark() {
  const theme = document.documentElement.dataset.theme;
  if (theme === "dark" || theme === "light") return theme === "dark";
  const isLight = document.body.dataset.jpThemeLight;
  if (isLight) return isLight === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// The text of a packed part. A script that holds one hands it over as glyfParts[name]:
// scripts may be loaded from a web server and from a file alike, other files may not.
async function textOf(name, host) {
  const link = host.querySelector(`a[data-glyf-part="${name}"]`);
  if (!link) return document.querySelector(`script[data-glyf-part="${name}"]`).textContent.trim();
  const element = make("script", { src: link.href });
  await new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${element.src} cannot be loaded. The panel needs that file where this page or notebook lies.`));
    document.head.append(element);
  });
  element.remove();
  const text = globalThis.glyfParts[name];
  delete globalThis.glyfParts[name];
  return text;
}

// A packed part's bytes, from base64 and gzip, told on the way how much is done.
async function unpackPart(name, host, tell) {
  const text = await textOf(name, host);
  const stream = new DecompressionStream("gzip"), writer = stream.writable.getWriter();
  const whole = new Response(stream.readable).arrayBuffer();
  for (let from = 0; from < text.length; from += CHUNK) {
    const letters = atob(text.slice(from, from + CHUNK)), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    await writer.write(bytes);
    tell(Math.min(1, (from + CHUNK) / text.length));
  }
  await writer.close();
  return whole;
}

// Workers that hold the engine; ask() sends a task to one of them and waits for it.
function startWorkers(source, count) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const waiting = new Map();
  let last = 0;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => {
      const { id, step, done, failed } = data, { tell, resolve, reject } = waiting.get(id);
      if (step) return tell(step);
      waiting.delete(id);
      if (failed === undefined) resolve(done);
      else reject(new Error(failed));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of waiting.values()) reject(new Error(event.message || "a worker did not start"));
      waiting.clear();
    };
    return worker;
  });
  const ask = (worker, task, options = {}, tell = null) => new Promise((resolve, reject) => {
    waiting.set(++last, { tell, resolve, reject });
    worker.postMessage({ id: last, task, ...options });
  });
  return { workers, ask };
}

// Pictures in so many columns on white, each pixel `factor` wide and high:
// { width, height, greys }.
function sheetOf(pictures, side, factor, most, gap = 2) {
  const columns = Math.min(most, pictures.length), step = (side + gap) * factor;
  const width = columns * step + gap * factor;
  const height = Math.ceil(pictures.length / columns) * step + gap * factor;
  const greys = new Uint8Array(width * height).fill(255);
  pictures.forEach((picture, n) => {
    const left = (n % columns) * step + gap * factor, up = Math.floor(n / columns) * step + gap * factor;
    for (let y = 0; y < side * factor; y++) {
      for (let x = 0; x < side * factor; x++) {
        const from = Math.floor(y / factor) * side + Math.floor(x / factor);
        greys[(up + y) * width + left + x] = picture[from];
      }
    }
  });
  return { width, height, greys };
}

function paint(canvas, greys, width, height) {
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  greys.forEach((grey, i) => image.data.set([grey, grey, grey, 255], 4 * i));
  pen.putImageData(image, 0, 0);
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function drawHere(host, options) {
  const { css, engine, models, weights, words, count, columns, rows, sketch } = options;
  const numGlyphs = rows ? rows.length * count : count;
  let pool = null, loaded = new Set(), isBusy = false, isStopping = false;
  let films = [], drawn = null; // of each glyph its steps; what was asked for

  // ---- elements
  const option = (value, text) => make("option", { value, text });
  const text = make("input", { type: "text", value: words, autocomplete: "off", spellcheck: "true", enterkeyhint: "go" });
  const which = make("select", {}, ...models.map((model, i) => option(i, model.label)));
  const calls = make("select");
  const scale = make("input", { type: "range", step: 0.5 });
  const told = make("span");
  const seed = make("input", { type: "number", min: 0, max: 2 ** 32 - count, step: 1, value: 0, required: "", inputmode: "numeric" });
  const draw = make("button", { type: "submit", class: "main", text: "Draw" });
  const again = make("button", { type: "button", text: "Again with the same noise" });
  const stop = make("button", { type: "button", text: "Stop" });
  const status = make("p", { class: "status", role: "status" });
  const bar = make("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const canvases = Array.from({ length: numGlyphs }, (_, i) => make("canvas", { role: "img", "aria-label": `${nameOf(i)}: not drawn yet` }));
  const glyphs = make("div", { class: "glyphs", role: "group", "aria-label": "Glyphs" }, ...canvases);
  glyphs.style.setProperty("--columns", columns);
  if (rows) {
    glyphs.classList.add("named");
    rows.forEach(({ label }, row) => canvases[row * count].before(make("p", { class: "name", text: label })));
  }
  const view = make("input", { type: "range", min: 0, step: 1 });
  const side = make("select", {}, option("seen", "the noisy picture"), option("hoped", "what it believes in"));
  const sheet = make("button", { type: "button", text: "Save the pictures" });
  const film = make("button", { type: "button", text: "Save the film" });
  const scaleLabel = make("label", { class: "range" }, told, scale);
  const whichLabel = make("label", {}, "Drawn by", which);
  const callsLabel = make("label", {}, "Calls of the network", calls);
  whichLabel.hidden = models.length === 1 || Boolean(rows);
  callsLabel.hidden = Boolean(rows);
  const field = sketch ? makeSketch(models[0].size, sketch) : null;
  const after = make("div", { class: "row" }, make("label", { class: "range" }, "Look back at step", view),
    make("label", {}, "Show", side), sheet, film);
  const form = make("form", {}, make("div", { class: "row" }, make("label", { class: "words" }, "English words", text), draw, stop),
    make("div", { class: "row" }, whichLabel, callsLabel, scaleLabel,
      make("label", {}, "Seed of the noise", seed), again));
  if (field) form.prepend(field.element);
  const isLinked = Boolean(host.querySelector("a[data-glyf-part]"));
  const root = host.attachShadow({ mode: "open" });
  root.append(make("style", { text: css }), make("div", { class: "panel", lang: "en" }, form, status, bar, glyphs, after));

  // ---- what the controls say
  // Which glyph is at a place: by its row and its noise if there are rows.
  function nameOf(i) {
    return rows ? `${rows[Math.floor(i / count)].label}, noise ${i % count + 1}` : `Glyph ${i + 1}`;
  }
  const model = () => models[which.value || 0];
  const say = (message) => { status.textContent = message; };
  // At scales 0 and 1 a step takes one call, else two (sampling.guided).
  const callsOf = (steps, itsScale) => (itsScale === 0 || itsScale === 1 ? steps : 2 * steps);
  function showModel() {
    const { kind, counts, scale: usual, scales } = model();
    calls.replaceChildren(...counts.map((n) => option(n, n)));
    calls.value = kind === "student" ? counts[Math.min(1, counts.length - 1)] : counts[0];
    [scale.min, scale.max] = scales ?? [usual, usual];
    scale.value = usual;
    scale.hidden = kind === "student";
    scaleLabel.hidden = Boolean(rows) || (kind !== "student" && !scales);
    tellScale();
  }
  function tellScale() {
    const { kind, scale: usual } = model();
    told.textContent = kind === "student" ? `Guidance ${usual}, learnt by heart` : `Guidance ${(+scale.value).toFixed(1)}`;
    scale.setAttribute("aria-valuetext", scale.value);
    if (kind === "student") return;
    for (const one of calls.options) one.textContent = `${callsOf(+one.value, +scale.value)}, in ${one.value} steps`;
  }
  function setBusy(busy) {
    const hadFocus = root.activeElement === stop;
    isBusy = busy;
    for (const control of [draw, again, which, calls, scale, seed]) control.disabled = busy;
    field?.setDisabled(busy);
    again.disabled = busy || !drawn;
    stop.disabled = !busy;
    bar.hidden = !busy;
    after.hidden = busy || !films.length;
    glyphs.hidden = !busy && !films.length;
    if (hadFocus && !busy) draw.focus();
  }

  // ---- loading
  const partsOf = (some) => [...new Set(some.flatMap(({ encoder, network }) => [encoder, network]))];
  const megabytes = (some) => Math.round(partsOf(some).reduce((sum, name) => sum + weights[name], 0));
  const wanted = () => (rows ? models : [model()]);
  async function load() {
    if (!pool) {
      pool = startWorkers(engine, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1, numGlyphs));
      [pool.engine] = await Promise.all(pool.workers.map((worker) => pool.ask(worker, "start")));
    }
    const all = megabytes(wanted()), names = partsOf(wanted()).filter((name) => !loaded.has(name));
    for (const [i, name] of names.entries()) {
      const isEncoder = models.some(({ encoder }) => encoder === name);
      say(`${isLinked ? "Loading" : "Unpacking"} the ${isEncoder ? "text encoder" : "network"}, of ${all} MB in all.`);
      const bytes = await unpackPart(name, host, (share) => { bar.value = (i + share) / names.length; });
      // One worker reads the words for all of them.
      const needing = isEncoder ? pool.workers.slice(0, 1) : pool.workers;
      await Promise.all(needing.map((worker) => pool.ask(worker, "load", { name, bytes })));
      loaded.add(name);
    }
  }

  // ---- drawing
  function show(i, step) {
    const picture = films[i][step];
    if (picture) paint(canvases[i], picture[side.value], models[0].size, models[0].size);
  }
  // What is asked of the network for each glyph.
  function tasksOf({ model: { network }, calls: usual, scale: asked, seed: first, kept }) {
    const one = (i) => ({ name: network, calls: usual, scale: asked, seed: first + i, kept });
    if (!rows) return Array.from({ length: count }, (_, i) => one(i));
    return rows.flatMap((row) => Array.from({ length: count }, (_, i) => (
      { ...one(i), name: models[row.model].network, calls: row.calls, scale: row.scale })));
  }
  async function drawAll(asked) {
    const { encoder, maxTokens } = asked.model, { workers, ask } = pool;
    const found = await ask(workers[0], "read", { name: encoder, text: asked.text, maxTokens });
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const tasks = tasksOf(asked), begin = performance.now(), numbers = canvases.keys();
    const all = tasks.reduce((sum, task) => sum + task.calls, 0);
    let done = 0;
    films = canvases.map(() => []);
    bar.value = 0;
    const isSlow = pool.engine !== "wasm";
    const note = noteOn(asked, found) + (isSlow ? "This browser lacks WebAssembly's vectors, so plain JavaScript draws, slowly. " : "");
    say(`${note}Drawing ${numGlyphs} glyphs for “${asked.text}”.`);
    await Promise.all(workers.map(async (worker) => {
      for (const i of numbers) {
        if (isStopping) return;
        canvases[i].setAttribute("aria-label", `${nameOf(i)}: being drawn`);
        const isWhole = await ask(worker, "draw", { ...tasks[i], cond: found.cond, empty: found.empty }, (step) => {
          films[i].push(step);
          bar.value = done++ / all;
          if (!isStill) show(i, films[i].length - 1);
        });
        show(i, films[i].length - 1);
        canvases[i].setAttribute("aria-label", `${nameOf(i)} for “${asked.text}”, seed ${tasks[i].seed}${isWhole ? "" : ", not finished"}`);
      }
    }));
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    say(isStopping ? `${note}Stopped.` : `${note}${numGlyphs} glyphs for “${asked.text}” in ${seconds} seconds.`);
  }
  // What a reader has to know of the words.
  function noteOn({ text: asked, model: { maxTokens }, kept }, { unknown, numCut }) {
    let note = "";
    if (!asked.trim()) note = "No words: a glyph of any kind. ";
    if (unknown.length) {
      const isAll = unknown.length === new Set(asked.split(/\s+/u).filter(Boolean)).size;
      note = `The text encoder does not know ${unknown.join(", ")}${isAll ? "" : "; it goes by the other words"}. `;
    }
    if (kept && !kept.mask.includes(1)) note += "Nothing is kept, so every glyph is new. ";
    if (kept && !kept.mask.includes(0)) note += "No pixel is free, so nothing is left to draw. ";
    if (numCut) note += `All beyond the first ${maxTokens} pieces of words is cut. `;
    return note;
  }
  async function run(isSameNoise) {
    if (isBusy || !form.reportValidity()) return;
    // Drawing once more takes new noise, unless the reader has set the seed.
    if (drawn && !isSameNoise && +seed.value === drawn.seed) seed.value = (drawn.seed + count) % (2 ** 32 - count);
    if (isSameNoise) seed.value = drawn.seed;
    isStopping = false;
    setBusy(true);
    try {
      await load();
      drawn = { model: model(), text: text.value, calls: +calls.value, scale: +scale.value, seed: +seed.value, kept: field?.read() };
      if (isStopping) say("Stopped.");
      else await drawAll(drawn);
    } catch (error) {
      say(`It did not work: ${error.message}`);
    }
    const most = Math.max(0, ...films.map((steps) => steps.length - 1));
    [view.max, view.value] = [most, most];
    setBusy(false);
  }
  function halt() {
    isStopping = true;
    for (const worker of pool?.workers ?? []) pool.ask(worker, "stop");
  }

  // ---- saving
  const fileName = (end) => `${drawn.text.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40).replace(/^-|-$/g, "") || "glyphs"}-seed-${drawn.seed}.${end}`;
  const picturesAt = (step) => films.filter((steps) => steps.length).map((steps) => steps[Math.min(step, steps.length - 1)][side.value]);
  function saveSheet() {
    const { width, height, greys } = sheetOf(picturesAt(+view.value), drawn.model.size, 4, columns);
    const canvas = make("canvas");
    paint(canvas, greys, width, height);
    canvas.toBlob((blob) => save(blob, fileName("png")), "image/png");
  }
  function saveFilm() {
    const sheets = Array.from({ length: +view.max + 1 }, (_, step) => sheetOf(picturesAt(step), drawn.model.size, 3, columns));
    const pauses = sheets.map((_, i) => FILM_PAUSE[+(i === sheets.length - 1)]);
    const bytes = gifBytes(sheets.map((one) => one.greys), sheets[0].width, sheets[0].height, pauses);
    save(new Blob([bytes], { type: "image/gif" }), fileName("gif"));
  }

  // ---- events
  form.addEventListener("submit", (event) => { event.preventDefault(); run(false); });
  again.addEventListener("click", () => run(true));
  stop.addEventListener("click", halt);
  root.addEventListener("keydown", (event) => { if (event.key === "Escape" && isBusy) halt(); });
  // JupyterLab takes keys that reach it for its own, Enter among them.
  for (const kind of ["keydown", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());
  which.addEventListener("change", () => { showModel(); });
  scale.addEventListener("input", tellScale);
  const lookBack = () => canvases.forEach((_, i) => show(i, Math.min(+view.value, films[i].length - 1)));
  view.addEventListener("input", lookBack);
  side.addEventListener("change", lookBack);
  sheet.addEventListener("click", saveSheet);
  film.addEventListener("click", saveFilm);
  const setTheme = () => host.toggleAttribute("data-dark", isDark());
  for (const element of [document.documentElement, document.body]) {
    new MutationObserver(setTheme).observe(element, { attributeFilter: ["data-theme", "data-jp-theme-light"] });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", setTheme);

  setTheme();
  showModel();
  const paper = new Uint8Array(model().size ** 2).fill(255);
  canvases.forEach((canvas) => paint(canvas, paper, model().size, model().size));
  setBusy(false);
  const isOld = typeof Worker === "undefined" || typeof DecompressionStream === "undefined";
  if (isOld) draw.disabled = true;
  say(isOld ? "This browser is too old to draw: it cannot unpack the network."
    : `The first drawing ${isLinked ? "loads" : "unpacks"} the ${rows && models.length > 1 ? "networks" : "network"} and the text encoder, ${megabytes(wanted())} MB.`);
}
