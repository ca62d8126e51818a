// One map of glyphs on a canvas; hover_map.py sets `key`, `packed` and `sheetSources`,
// and page.js comes before.
// Texts are only ever set as text, so that no caption can become HTML.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000", "#9a6324"];
const DARK = { "#0072b2": "#2f86d8", "#9a6324": "#c99557", "#6f3fa0": "#a983d6" };
const MAX_ZOOM = 200, REACH = 16, NEAR_ZOOM = 6, OTHER = 255;

// The colours of a group's labels: their own, or the next that is free.
function fillsOf(own) {
  const free = COLOURS.filter((colour) => !own.includes(colour));
  return own.map((colour) => colour || free.shift());
}

// A small filled mark: groups differ by shape as well as by colour.
function addMark(path, shape, x, y, r) {
  if (shape === 0) path.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === 1) { path.moveTo(x, y - 1.4 * r); path.lineTo(x + 1.3 * r, y + r); path.lineTo(x - 1.3 * r, y + r); path.closePath(); }
  else if (shape === 2) { path.moveTo(x, y - 1.5 * r); path.lineTo(x + 1.5 * r, y); path.lineTo(x, y + 1.5 * r); path.lineTo(x - 1.5 * r, y); path.closePath(); }
  else { path.rect(x - 1.5 * r, y - 0.5 * r, 3 * r, r); path.rect(x - 0.5 * r, y - 1.5 * r, r, 3 * r); }
}

function hoverMap(host, data) {
  const flat = new Uint16Array(bytes(data.points).buffer);
  const count = flat.length / 2, xs = new Float32Array(count), ys = new Float32Array(count);
  for (let i = 0; i < count; i++) { xs[i] = flat[2 * i] / 65535; ys[i] = flat[2 * i + 1] / 65535; }
  const chars = Array.from(data.chars), radicals = bytes(data.radicals);
  const words = data.captions.map((caption) => " " + caption.toLowerCase().replace(/[^\p{L}\p{N}']+/gu, " "));
  const groups = data.groups.map((group) => ({ ...group, index: bytes(group.index), fills: fillsOf(group.colours) }));
  const everyone = Uint32Array.from({ length: count }, (_, i) => i);
  const view = { x: 0.5, y: 0.5, zoom: 1 };
  let width = 0, height = 0, base = 1, dark = false, frame = 0, flight = 0;
  let group = null, only = -1, hover = -1, pinned = -1, matches = [], isMatch = null, at = -1;

  // ---- elements
  const search = make("input", { type: "search", "aria-label": "Find a character or an English word", placeholder: "character or English word", autocomplete: "off", spellcheck: "false" });
  const found = make("output", { class: "count" });
  const next = make("button", { type: "button", text: "Next", title: "Next match (Enter)" });
  const select = make("select", {}, ...groups.map((g, i) => make("option", { value: i, text: g.name })));
  const buttons = [["+", "Zoom in"], ["\u2212", "Zoom out"], ["Reset", "Show the whole map"]].map(
    ([text, label]) => make("button", { type: "button", text, title: label, "aria-label": label }));
  const canvas = make("canvas", { class: "dots", tabindex: 0, role: "application",
    "aria-label": `Map of ${count} glyphs. Arrow keys go to the next glyph that way, plus and minus zoom, 0 shows all, Enter goes to the next match, Escape clears.` });
  const picture = make("canvas", { width: 168, height: 168, "aria-hidden": "true" });
  const [gloss, reading, code] = ["gloss", "reading", "code"].map((name) => make("div", { class: name }));
  const card = make("div", { class: "card" }, picture, make("div", { class: "text" }, gloss, reading, code));
  card.hidden = true;
  const status = make("div", { class: "status", role: "status", "aria-live": "polite" });
  const legend = make("div", { class: "legend", role: "group", "aria-label": "Show one group" });
  const bar = make("div", { class: "bar" }, make("label", { class: "find" }, "Find", search), next, found);
  if (groups.length) bar.append(make("label", {}, "Colour by", select));
  bar.append(...buttons);
  const hint = make("p", { class: "hint", text: "Hover or tap: glyph, meaning, reading. Drag: move. Wheel (after a click on the map), pinch or + and \u2212: zoom. Arrow keys: next glyph that way." });
  const root = host.attachShadow({ mode: "open" });
  root.append(make("style", { text: data.css }), make("div", { class: "map", lang: "en" }, bar,
    make("div", { class: "plane" }, canvas, card), legend, hint, status));
  const pen = canvas.getContext("2d");
  const sheets = sheetSources.map((source) => {
    const image = new Image();
    image.onload = () => { redraw(); fillCard(); };
    image.src = source;
    return image;
  });

  // ---- geometry
  const toX = (x) => width / 2 + (x - view.x) * base * view.zoom;
  const toY = (y) => height / 2 + (y - view.y) * base * view.zoom;
  function nearest(px, py, reach) {
    let best = -1, least = reach * reach;
    for (let i = 0; i < count; i++) {
      if (isFaint(i)) continue;
      const d = (toX(xs[i]) - px) ** 2 + (toY(ys[i]) - py) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  function setView(x, y, zoom) {
    view.zoom = clamp(zoom, 1, MAX_ZOOM);
    view.x = clamp(x, 0, 1);
    view.y = clamp(y, 0, 1);
    if (view.zoom === 1) view.x = view.y = 0.5;
    // At rest one finger scrolls the page past the map; zoomed in it moves the map.
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
    redraw();
  }
  function zoomAt(px, py, factor) {
    cancelAnimationFrame(flight);
    const zoom = clamp(view.zoom * factor, 1, MAX_ZOOM);
    const k = 1 / (base * view.zoom) - 1 / (base * zoom);
    setView(view.x + (px - width / 2) * k, view.y + (py - height / 2) * k, zoom);
  }
  function fly(x, y, zoom) {
    cancelAnimationFrame(flight);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return setView(x, y, zoom);
    const from = { ...view }, begin = performance.now();
    const step = (now) => {
      const part = clamp((now - begin) / 250, 0, 1), s = part * part * (3 - 2 * part);
      setView(from.x + (x - from.x) * s, from.y + (y - from.y) * s, from.zoom * (zoom / from.zoom) ** s);
      if (part < 1) flight = requestAnimationFrame(step);
    };
    flight = requestAnimationFrame(step);
  }

  // ---- drawing
  const isFaint = (i) => (isMatch ? !isMatch[i] : only >= 0 && group.index[i] !== only);
  const ink = (name) => getComputedStyle(root.querySelector(".map")).getPropertyValue(name).trim();
  function colourOf(label) {
    if (label === OTHER || !group) return ink("--line");
    const colour = group.fills[label];
    return colour === "#000000" ? ink("--fore") : (dark && DARK[colour]) || colour;
  }
  function drawTile(to, i, x, y, side) {
    const sheet = sheets[Math.floor(i / data.cols ** 2)], place = i % data.cols ** 2;
    if (!sheet.complete || !sheet.naturalWidth) return;
    to.drawImage(sheet, (place % data.cols) * data.tile, Math.floor(place / data.cols) * data.tile, data.tile, data.tile, x, y, side, side);
  }
  function redraw() {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); });
  }
  function draw() {
    if (!width) return;
    const ratio = canvas.width / width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const seen = everyone.filter((i) => Math.abs(toX(xs[i]) - width / 2) < width / 2 + 20 && Math.abs(toY(ys[i]) - height / 2) < height / 2 + 20);
    const strong = seen.filter((i) => !isFaint(i)).length, isFew = strong < (width * height) / 1600;
    const r = clamp(1.05 * Math.sqrt(view.zoom), 1.05, 5), asTiles = isFew && (view.zoom >= 3 || strong === seen.length);
    const labels = group ? group.labels.map((_, i) => i) : [];
    for (const faint of [true, false]) {
      for (const label of [OTHER, ...labels]) {
        const path = new Path2D();
        for (const i of seen) {
          if (isFaint(i) === faint && (group ? group.index[i] : OTHER) === label) addMark(path, label === OTHER ? 0 : label % 4, toX(xs[i]), toY(ys[i]), r);
        }
        pen.globalAlpha = faint ? 0.13 : label === OTHER && labels.length ? 0.45 : 0.85;
        pen.fillStyle = colourOf(label);
        pen.fill(path);
      }
    }
    pen.globalAlpha = 1;
    if (asTiles) for (const i of seen) {
      if (isFaint(i)) continue;
      const x = toX(xs[i]) - 14, y = toY(ys[i]) - 14;
      pen.fillStyle = "#fff";
      pen.fillRect(x, y, 28, 28);
      drawTile(pen, i, x + 2, y + 2, 24);
      pen.lineWidth = 2;
      pen.strokeStyle = colourOf(group ? group.index[i] : OTHER);
      pen.strokeRect(x, y, 28, 28);
    }
    pen.strokeStyle = ink("--mark");
    const size = asTiles ? 18 : r + 3;
    if (isMatch) {
      pen.lineWidth = 1.5;
      for (const i of matches) { pen.beginPath(); pen.arc(toX(xs[i]), toY(ys[i]), size, 0, 7); pen.stroke(); }
    }
    const i = shown();
    if (i >= 0) {
      pen.lineWidth = 3;
      pen.beginPath();
      pen.arc(toX(xs[i]), toY(ys[i]), size + 4, 0, 7);
      pen.stroke();
    }
    placeCard();
  }

  // ---- the card of the current glyph
  const shown = () => (hover >= 0 ? hover : pinned);
  function fillCard() {
    const i = shown();
    card.hidden = i < 0;
    if (i < 0) return;
    const number = radicals[i], point = chars[i].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    gloss.textContent = data.captions[i];
    reading.textContent = [chars[i], data.pinyin[i]].filter(Boolean).join("  ");
    const sign = number ? String.fromCodePoint(0x2eff + number).normalize("NFKC") : "";
    code.textContent = [`U+${point}`, number ? `radical ${number} ${sign}` : "",
      ...groups.map((g) => (g.index[i] === OTHER ? "" : g.labels[g.index[i]])).filter((label) => label && !label.includes(sign || "\0"))].filter(Boolean).join(" \u00b7 ");
    const brush = picture.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, 168, 168);
    brush.imageSmoothingQuality = "high";
    drawTile(brush, i, 6, 6, 156);
    status.textContent = `${chars[i]}, ${data.pinyin[i] || "no reading"}: ${data.captions[i]}`;
    placeCard();
  }
  function placeCard() {
    const i = shown();
    if (i < 0 || card.hidden) return;
    const x = toX(xs[i]), y = toY(ys[i]), w = card.offsetWidth, h = card.offsetHeight;
    const left = x + 18 + w < width ? x + 18 : x - 18 - w, top = y + 18 + h < height ? y + 18 : y - 18 - h;
    card.style.transform = `translate(${clamp(left, 2, Math.max(2, width - w - 2))}px, ${clamp(top, 2, Math.max(2, height - h - 2))}px)`;
  }
  function setHover(i) {
    if (i === hover) return;
    hover = i;
    fillCard();
    redraw();
  }
  function pin(i, centre = false) {
    hover = -1;
    pinned = i;
    fillCard();
    if (i >= 0) {
      const isOut = toX(xs[i]) < 20 || toX(xs[i]) > width - 20 || toY(ys[i]) < 20 || toY(ys[i]) > height - 20;
      if (centre) fly(xs[i], ys[i], Math.max(view.zoom, NEAR_ZOOM));
      else if (isOut) fly(xs[i], ys[i], view.zoom);
    }
    redraw();
  }

  // ---- search
  function find() {
    const text = search.value.trim().toLowerCase();
    const han = Array.from(text).filter((char) => /\p{Script=Han}/u.test(char));
    const point = /^u\+([0-9a-f]{4,6})$/.exec(text);
    const needle = " " + text.replace(/[^\p{L}\p{N}']+/gu, " ").trim();
    let test = (i) => words[i].includes(needle);
    if (point) test = (i) => chars[i].codePointAt(0) === parseInt(point[1], 16);
    else if (han.length) test = (i) => han.includes(chars[i]);
    matches = needle.trim() ? Array.from(everyone).filter(test) : [];
    // Whole words before longer ones ("gold" before "golden"), then short captions.
    const rank = (i) => ((words[i] + " ").includes(needle + " ") ? 0 : 1e6) + words[i].length;
    if (!han.length && !point) matches.sort((a, b) => rank(a) - rank(b));
    isMatch = matches.length ? new Uint8Array(count) : null;
    for (const i of matches) isMatch[i] = 1;
    at = -1;
    setCount(text);
    if (!matches.length) status.textContent = text ? "no match" : "";
    else status.textContent = `${matches.length} ${matches.length === 1 ? "match" : "matches"}`;
    if (isMatch && pinned >= 0) pin(-1);
    redraw();
  }
  function setCount(text) {
    const size = matches.length;
    found.textContent = !text ? "" : at >= 0 ? `${at + 1} of ${size}` : size === 1 ? "1 match" : `${size} matches`;
  }
  function step(by) {
    if (!matches.length) return;
    at = at < 0 ? (by > 0 ? 0 : matches.length - 1) : (at + by + matches.length) % matches.length;
    setCount(search.value.trim());
    pin(matches[at], true);
  }
  function clear() {
    search.value = "";
    pinned = hover = -1;
    showOnly(-1);
    find();
    fillCard();
  }

  // ---- groups
  function showOnly(label) {
    only = label;
    for (const button of legend.children) button.setAttribute("aria-pressed", Number(button.dataset.label) === only);
    redraw();
  }
  function colourBy(i) {
    group = groups[i] || null;
    legend.replaceChildren();
    const labels = group ? [...group.labels.keys()] : []; // without any, nothing is told apart
    if (labels.length && group.index.includes(OTHER)) labels.push(OTHER);
    labels.forEach((label) => {
      const swatch = make("canvas", { width: 28, height: 28, style: "width:14px;height:14px", "aria-hidden": "true" });
      const path = new Path2D(), brush = swatch.getContext("2d");
      addMark(path, label === OTHER ? 0 : label % 4, 14, 14, 8);
      brush.fillStyle = colourOf(label);
      brush.fill(path);
      const button = make("button", { type: "button", "data-label": label }, swatch, label === OTHER ? "other" : group.labels[label]);
      button.addEventListener("click", () => showOnly(only === label ? -1 : label));
      legend.append(button);
    });
    showOnly(-1);
  }

  // ---- mouse, pen and touch
  const fingers = new Map();
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    cancelAnimationFrame(flight);
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event), old = fingers.get(event.pointerId);
    if (!old) return setHover(nearest(x, y, REACH));
    const others = [...fingers].filter(([id]) => id !== event.pointerId);
    moved += Math.abs(x - old[0]) + Math.abs(y - old[1]);
    fingers.set(event.pointerId, [x, y]);
    if (moved < 5) return;
    if (hover >= 0) setHover(-1);
    if (others.length === 1) {
      const [ox, oy] = others[0][1];
      zoomAt((x + ox) / 2, (y + oy) / 2, Math.hypot(x - ox, y - oy) / Math.max(1, Math.hypot(old[0] - ox, old[1] - oy)));
    } else if (!others.length) {
      setView(view.x - (x - old[0]) / (base * view.zoom), view.y - (y - old[1]) / (base * view.zoom), view.zoom);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (fingers.delete(event.pointerId) && moved < 5) pin(nearest(...place(event), event.pointerType === "mouse" ? REACH : 26));
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => setHover(-1));
  canvas.addEventListener("wheel", (event) => {
    const isOurs = root.activeElement === canvas || event.ctrlKey || event.metaKey;
    if (!isOurs || (event.deltaY > 0 && view.zoom === 1)) return;
    event.preventDefault();
    zoomAt(...place(event), Math.exp(-clamp(event.deltaY, -200, 200) / 300));
  }, { passive: false });

  // ---- keyboard
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  function neighbour(from, [wx, wy]) {
    let best = -1, least = Infinity;
    for (let i = 0; i < count; i++) {
      const dx = xs[i] - xs[from], dy = ys[i] - ys[from], along = dx * wx + dy * wy;
      const aside = Math.abs(dx * wy - dy * wx);
      if (i === from || along <= 0 || aside > along || isFaint(i)) continue;
      const d = along * along + 4 * aside * aside;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ways[event.key];
    if (way) {
      const from = shown(), to = from < 0 ? nearest(width / 2, height / 2, Infinity) : neighbour(from, way);
      if (to >= 0) pin(to);
    } else if (event.key === "+" || event.key === "=") zoomAt(...focusPoint(), 1.5);
    else if (event.key === "-" || event.key === "_") zoomAt(...focusPoint(), 1 / 1.5);
    else if (event.key === "0") fly(0.5, 0.5, 1);
    else if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const focusPoint = () => (shown() >= 0 ? [toX(xs[shown()]), toY(ys[shown()])] : [width / 2, height / 2]);
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
    else if (event.key === "Escape") clear();
  });
  next.addEventListener("click", () => step(1));
  select.addEventListener("change", () => colourBy(Number(select.value)));
  buttons[0].addEventListener("click", () => zoomAt(...focusPoint(), 1.6));
  buttons[1].addEventListener("click", () => zoomAt(...focusPoint(), 1 / 1.6));
  buttons[2].addEventListener("click", () => fly(0.5, 0.5, 1));

  // ---- size and theme
  function resize() {
    const side = canvas.parentElement.clientWidth;
    if (!side || side === width) return;
    width = side;
    height = Math.round(clamp(side * 0.8, 300, 620));
    base = Math.min(width, height) * 0.96;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    draw();
  }
  function retheme() {
    dark = isDark();
    host.toggleAttribute("data-dark", dark);
    const label = only;
    colourBy(Number(select.value) || 0);
    if (group) showOnly(label);
    redraw();
  }
  new ResizeObserver(resize).observe(canvas.parentElement);
  onTheme(retheme);
  retheme();
  setView(0.5, 0.5, 1);
  resize();
  // Where a character's point is on the screen: for tests and for readers' scripts.
  host.locate = (char) => {
    const i = chars.indexOf(char), box = canvas.getBoundingClientRect();
    return { x: box.left + toX(xs[i]), y: box.top + toY(ys[i]), zoom: view.zoom };
  };
}

async function unpack() {
  const stream = new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// A browser too old to unpack (before 2023) keeps the still picture.
if (typeof DecompressionStream === "function") {
  unpack().then((data) => whenThere(`[data-glyf-map="${key}"]`, (host) => hoverMap(host, data)));
}
