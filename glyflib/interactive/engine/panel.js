// "Draw it here": words in, glyphs out of noise, in the reader's browser. The page calls
// drawHere(host, options); options: { css, engine (its source), models, words, count, base },
// a model being { label, kind, counts, scale, maxTokens, size, network, encoder, megabytes },
// where network and encoder are names of packed parts. These lie in the page itself or,
// if base is no empty text, in scripts of their names in that folder, loaded when wanted.

const MOST_WORKERS = 4;
const CHUNK = 2 ** 20; // letters of base64 decoded at once, a multiple of four
const COLUMNS = 4; // of the sheet
const FILM_PAUSE = [12, 200]; // hundredths of a second that a frame stays, and the last one

function make(tag, options = {}, ...children) {
  const { text, ...attributes } = options, element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function isDark() {
  const theme = document.documentElement.dataset.theme;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// The text of a packed part. A script that holds one hands it over as glyfParts[name]:
// scripts may be loaded from a web server and from a file alike, other files may not.
async function textOf(name, base) {
  if (!base) return document.querySelector(`script[data-glyf-part="${name}"]`).textContent.trim();
  const element = make("script", { src: `${base}/${name}.js` });
  await new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${element.src} cannot be loaded`));
    document.head.append(element);
  });
  element.remove();
  const text = globalThis.glyfParts[name];
  delete globalThis.glyfParts[name];
  return text;
}

// A packed part's bytes, from base64 and gzip, told on the way how much is done.
async function unpackPart(name, base, tell) {
  const text = await textOf(name, base);
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

// Pictures side by side on white, each pixel `factor` wide and high: { width, height, greys }.
function sheetOf(pictures, side, factor, gap = 2) {
  const columns = Math.min(COLUMNS, pictures.length), step = (side + gap) * factor;
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

function drawHere(host, { css, engine, models, words, count, base }) {
  let pool = null, loaded = new Set(), isBusy = false, isStopping = false;
  let films = [], drawn = null; // of each glyph its steps; what was asked for

  // ---- elements
  const option = (value, text) => make("option", { value, text });
  const text = make("input", { type: "text", value: words, autocomplete: "off", spellcheck: "true", enterkeyhint: "go" });
  const which = make("select", {}, ...models.map((model, i) => option(i, model.label)));
  const calls = make("select");
  const scale = make("input", { type: "range", min: 1, max: 8, step: 0.5 });
  const told = make("span");
  const seed = make("input", { type: "number", min: 0, max: 2 ** 32 - count, step: 1, value: 0, required: "", inputmode: "numeric" });
  const draw = make("button", { type: "submit", class: "main", text: "Draw" });
  const again = make("button", { type: "button", text: "Again with the same noise" });
  const stop = make("button", { type: "button", text: "Stop" });
  const status = make("p", { class: "status", role: "status" });
  const bar = make("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const canvases = Array.from({ length: count }, (_, i) => make("canvas", { role: "img", "aria-label": `Glyph ${i + 1}: not drawn yet` }));
  const glyphs = make("div", { class: "glyphs", role: "group", "aria-label": "Glyphs" }, ...canvases);
  glyphs.style.setProperty("--columns", Math.min(COLUMNS, count));
  const view = make("input", { type: "range", min: 0, step: 1 });
  const side = make("select", {}, option("seen", "the noisy picture"), option("hoped", "what it believes in"));
  const sheet = make("button", { type: "button", text: "Save the pictures" });
  const film = make("button", { type: "button", text: "Save the film" });
  const scaleLabel = make("label", { class: "range" }, told, scale);
  const whichLabel = make("label", {}, "Drawn by", which);
  whichLabel.hidden = models.length === 1;
  const after = make("div", { class: "row" }, make("label", { class: "range" }, "Look back at step", view),
    make("label", {}, "Show", side), sheet, film);
  const form = make("form", {}, make("div", { class: "row" }, make("label", { class: "words" }, "English words", text), draw, stop),
    make("div", { class: "row" }, whichLabel, make("label", {}, "Calls of the network", calls), scaleLabel,
      make("label", {}, "Seed of the noise", seed), again));
  const root = host.attachShadow({ mode: "open" });
  root.append(make("style", { text: css }), make("div", { class: "panel", lang: "en" }, form, status, bar, glyphs, after));

  // ---- what the controls say
  const model = () => models[which.value || 0];
  const say = (message) => { status.textContent = message; };
  function showModel() {
    const { kind, counts, scale: usual } = model();
    calls.replaceChildren(...counts.map((n) => option(n, kind === "student" ? n : `${2 * n}, in ${n} steps`)));
    calls.value = kind === "student" ? counts[Math.min(1, counts.length - 1)] : counts[0];
    scale.value = usual;
    scale.hidden = kind === "student";
    tellScale();
  }
  function tellScale() {
    const isFolded = model().kind === "student";
    told.textContent = isFolded ? `Guidance ${model().scale}, learnt by heart` : `Guidance ${(+scale.value).toFixed(1)}`;
    scale.setAttribute("aria-valuetext", scale.value);
  }
  function setBusy(busy) {
    const hadFocus = root.activeElement === stop;
    isBusy = busy;
    for (const control of [draw, again, which, calls, scale, seed]) control.disabled = busy;
    again.disabled = busy || !drawn;
    stop.disabled = !busy;
    bar.hidden = !busy;
    after.hidden = busy || !films.length;
    glyphs.hidden = !busy && !films.length;
    if (hadFocus && !busy) draw.focus();
  }

  // ---- loading
  async function load() {
    const { network, encoder, megabytes } = model();
    if (!pool) {
      pool = startWorkers(engine, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1, count));
      [pool.engine] = await Promise.all(pool.workers.map((worker) => pool.ask(worker, "start")));
    }
    const names = [encoder, network].filter((name) => !loaded.has(name));
    for (const [i, name] of names.entries()) {
      say(`${base ? "Loading" : "Unpacking"} the ${name === encoder ? "text encoder" : "network"}, of ${megabytes} MB in all.`);
      const bytes = await unpackPart(name, base, (share) => { bar.value = (i + share) / names.length; });
      // One worker reads the words for all of them.
      const needing = name === encoder ? pool.workers.slice(0, 1) : pool.workers;
      await Promise.all(needing.map((worker) => pool.ask(worker, "load", { name, bytes })));
      loaded.add(name);
    }
  }

  // ---- drawing
  function show(i, step) {
    const picture = films[i][step];
    if (picture) paint(canvases[i], picture[side.value], drawn.model.size, drawn.model.size);
  }
  async function drawAll(asked) {
    const { network, encoder, maxTokens } = asked.model, { workers, ask } = pool;
    const found = await ask(workers[0], "read", { name: encoder, text: asked.text, maxTokens });
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const all = count * asked.calls, begin = performance.now(), numbers = canvases.keys();
    let done = 0;
    films = canvases.map(() => []);
    bar.value = 0;
    const isSlow = pool.engine !== "wasm";
    const note = noteOn(asked, found) + (isSlow ? "This browser lacks WebAssembly's vectors, so plain JavaScript draws, slowly. " : "");
    say(`${note}Drawing ${count} glyphs for “${asked.text}”.`);
    await Promise.all(workers.map(async (worker) => {
      for (const i of numbers) {
        if (isStopping) return;
        const options = { name: network, seed: asked.seed + i, cond: found.cond, empty: found.empty, calls: asked.calls, scale: asked.scale };
        canvases[i].setAttribute("aria-label", `Glyph ${i + 1}: being drawn`);
        const isWhole = await ask(worker, "draw", options, (step) => {
          films[i].push(step);
          bar.value = done++ / all;
          if (!isStill) show(i, films[i].length - 1);
        });
        show(i, films[i].length - 1);
        canvases[i].setAttribute("aria-label", `Glyph ${i + 1} for “${asked.text}”, seed ${asked.seed + i}${isWhole ? "" : ", not finished"}`);
      }
    }));
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    say(isStopping ? `${note}Stopped.` : `${note}${count} glyphs for “${asked.text}” in ${seconds} seconds.`);
  }
  // What a reader has to know of the words.
  function noteOn({ text: asked, model: { maxTokens } }, { unknown, numCut }) {
    let note = "";
    if (!asked.trim()) note = "No words: a glyph of any kind. ";
    if (unknown.length) {
      const isAll = unknown.length === new Set(asked.split(/\s+/u).filter(Boolean)).size;
      note = `The text encoder does not know ${unknown.join(", ")}${isAll ? "" : "; it goes by the other words"}. `;
    }
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
      drawn = { model: model(), text: text.value, calls: +calls.value, scale: +scale.value, seed: +seed.value };
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
    const { width, height, greys } = sheetOf(picturesAt(+view.value), drawn.model.size, 4);
    const canvas = make("canvas");
    paint(canvas, greys, width, height);
    canvas.toBlob((blob) => save(blob, fileName("png")), "image/png");
  }
  function saveFilm() {
    const sheets = Array.from({ length: +view.max + 1 }, (_, step) => sheetOf(picturesAt(step), drawn.model.size, 3));
    const pauses = sheets.map((_, i) => FILM_PAUSE[+(i === sheets.length - 1)]);
    const bytes = gifBytes(sheets.map((one) => one.greys), sheets[0].width, sheets[0].height, pauses);
    save(new Blob([bytes], { type: "image/gif" }), fileName("gif"));
  }

  // ---- events
  form.addEventListener("submit", (event) => { event.preventDefault(); run(false); });
  again.addEventListener("click", () => run(true));
  stop.addEventListener("click", halt);
  root.addEventListener("keydown", (event) => { if (event.key === "Escape" && isBusy) halt(); });
  which.addEventListener("change", () => { showModel(); });
  scale.addEventListener("input", tellScale);
  const lookBack = () => canvases.forEach((_, i) => show(i, Math.min(+view.value, films[i].length - 1)));
  view.addEventListener("input", lookBack);
  side.addEventListener("change", lookBack);
  sheet.addEventListener("click", saveSheet);
  film.addEventListener("click", saveFilm);
  const setTheme = () => host.toggleAttribute("data-dark", isDark());
  new MutationObserver(setTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", setTheme);

  setTheme();
  showModel();
  canvases.forEach((canvas) => paint(canvas, new Uint8Array(model().size ** 2).fill(255), model().size, model().size));
  setBusy(false);
  const isOld = typeof Worker === "undefined" || typeof DecompressionStream === "undefined";
  if (isOld) draw.disabled = true;
  say(isOld ? "This browser is too old to draw: it cannot unpack the network."
    : `The first drawing ${base ? "loads" : "unpacks"} the network and the text encoder, ${model().megabytes} MB.`);
}
