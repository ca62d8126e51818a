// A field of pixels to draw on, for a picture that is to be finished: some pixels are ink,
// some paper, the rest is free. makeSketch(size, options) returns { element, read,
// setDisabled }; options: { pictures, keep }, a picture being { label, greys (base64) } to
// begin with, and keep the part of it that is kept at first. Pens draw over the picture.

const CELL = 9; // canvas pixels a side of one pixel of the field
const SHADES = { ink: 0, paper: 255 };
const FREE = ["#a9adb3", "#8d9299"]; // a pixel that is free, and a dot in its middle
// Of the picture, which pixels are kept; `far` is how many columns or rows of it.
const SIDES = {
  left: ["its left part", (x, y, far) => x < far],
  right: ["its right part", (x, y, far, size) => x >= size - far],
  upper: ["its upper part", (x, y, far) => y < far],
  lower: ["its lower part", (x, y, far, size) => y >= size - far],
  ink: ["its ink alone", (x, y, far, size, grey) => grey < 128],
  all: ["all of it", () => true],
  nothing: ["nothing of it", () => false],
};
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function makeSketch(size, { pictures, keep }) {
  const papers = [...pictures.map(({ label, greys }) => ({ label, greys: Uint8Array.from(atob(greys), (char) => char.charCodeAt(0)) })),
    { label: "white paper", greys: new Uint8Array(size ** 2).fill(255) }];
  let over = Array(size ** 2).fill(null); // what a pen has made of each pixel
  let pen = { x: size / 2, y: size / 2 }, last = null; // of the keyboard; of a pointer's stroke

  // ---- elements
  const option = (value, text) => make("option", { value, text });
  const choice = (label, element) => make("label", {}, label, element);
  const begin = make("select", {}, ...papers.map(({ label }, i) => option(i, label)));
  const kept = make("select", {}, ...Object.entries(SIDES).map(([name, [label]]) => option(name, label)));
  kept.value = keep;
  const far = make("input", { type: "range", min: 1, max: size - 1, step: 1, value: size / 2 });
  const farTold = make("span"), farLabel = make("label", { class: "range" }, farTold, far);
  const name = `pen-${Math.random().toString(36).slice(2)}`;
  const pens = [["ink", "Ink"], ["paper", "Paper"], ["free", "Free it"]].map(([value, label]) => {
    const radio = make("input", { type: "radio", name, value });
    return { radio, label: make("label", { class: "pen" }, radio, label) };
  });
  pens[0].radio.checked = true;
  const width = make("select", {}, ...[1, 2, 3, 4, 6].map((n) => option(n, n === 1 ? "1 pixel" : `${n} pixels`)));
  width.value = 2;
  const anew = make("button", { type: "button", text: "Wipe my strokes" });
  const canvas = make("canvas", { class: "field", tabindex: 0, role: "application", width: size * CELL, height: size * CELL,
    "aria-label": `Field of ${size} by ${size} pixels. Arrow keys move the pen, Space draws, Shift and an arrow key draw a line.` });
  const where = make("output");
  const pensGroup = make("fieldset", { class: "pens" }, make("legend", { text: "Pen" }), ...pens.map(({ label }) => label));
  const element = make("div", { class: "sketch" }, canvas, make("div", { class: "tools" },
    choice("Begin with", begin), choice("Keep", kept), farLabel, pensGroup, choice("Width of the pen", width), anew, where));

  // ---- the picture
  // What each pixel is: a grey that is kept, or null where it is free.
  function pixels() {
    const { greys } = papers[begin.value], isKept = SIDES[kept.value][1];
    return over.map((stroke, i) => {
      if (stroke !== null) return stroke === "free" ? null : SHADES[stroke];
      return isKept(i % size, Math.floor(i / size), +far.value, size, greys[i]) ? greys[i] : null;
    });
  }
  const touched = ({ x, y }) => {
    const [left, up] = [x, y].map((at) => Math.round(at - width.value / 2)), found = [];
    for (let v = Math.max(0, up); v < Math.min(size, up + +width.value); v++) {
      for (let u = Math.max(0, left); u < Math.min(size, left + +width.value); u++) found.push(v * size + u);
    }
    return found;
  };
  function show() {
    const tool = canvas.getContext("2d"), all = pixels();
    all.forEach((grey, i) => {
      const x = (i % size) * CELL, y = Math.floor(i / size) * CELL;
      tool.fillStyle = grey === null ? FREE[0] : `rgb(${grey}, ${grey}, ${grey})`;
      tool.fillRect(x, y, CELL, CELL);
      if (grey !== null) return;
      tool.fillStyle = FREE[1];
      tool.fillRect(x + (CELL - 2) / 2, y + (CELL - 2) / 2, 2, 2);
    });
    if (canvas.matches(":focus-visible")) {
      const [left, up] = [pen.x, pen.y].map((at) => Math.round(at + 0.5 - width.value / 2) * CELL);
      [tool.strokeStyle, tool.lineWidth] = ["#0072b2", 3];
      tool.strokeRect(left + 1, up + 1, width.value * CELL - 2, width.value * CELL - 2);
    }
    const count = all.filter((grey) => grey !== null).length;
    const isAt = canvas.matches(":focus-visible") ? ` Pen at column ${pen.x + 1}, row ${pen.y + 1}.` : "";
    where.textContent = `${count} of ${size ** 2} pixels are kept.${isAt}`;
  }
  function tellFar() {
    const isRows = kept.value === "upper" || kept.value === "lower";
    farLabel.hidden = ["ink", "all", "nothing"].includes(kept.value);
    farTold.textContent = `${far.value} of ${size} ${isRows ? "rows" : "columns"}`;
  }
  // A stroke of the pen from one place to another, in steps of half a pixel.
  function stroke(from, to) {
    const count = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
    const tool = pens.find(({ radio }) => radio.checked).radio.value;
    for (let i = 0; i <= count; i++) {
      const at = { x: from.x + ((to.x - from.x) * i) / count, y: from.y + ((to.y - from.y) * i) / count };
      for (const place of touched(at)) over[place] = tool;
    }
    show();
  }

  // ---- events
  const placeOf = ({ clientX, clientY }) => {
    const { left, top, width: wide, height } = canvas.getBoundingClientRect();
    return { x: ((clientX - left) / wide) * size, y: ((clientY - top) / height) * size };
  };
  const middle = ({ x, y }) => ({ x: x + 0.5, y: y + 0.5 });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || element.inert) return;
    canvas.setPointerCapture(event.pointerId);
    last = placeOf(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const at = placeOf(event);
    stroke(last, at);
    last = at;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const before = pen, step = STEPS[event.key];
    if (step) pen = { x: Math.min(size - 1, Math.max(0, pen.x + step[0])), y: Math.min(size - 1, Math.max(0, pen.y + step[1])) };
    if (step || event.key === " ") event.preventDefault();
    if (event.key === " " || (step && event.shiftKey)) stroke(middle(before), middle(pen));
    else if (step) show();
  });
  for (const kind of ["focus", "blur"]) canvas.addEventListener(kind, show);
  begin.addEventListener("change", () => { over.fill(null); show(); });
  for (const control of [kept, far]) control.addEventListener("input", () => { tellFar(); show(); });
  anew.addEventListener("click", () => { over.fill(null); show(); });

  tellFar();
  show();
  return {
    element,
    // What is kept, for samplers.js: numbers in [-1, 1], and a mask.
    read() {
      const all = pixels();
      return { known: Float64Array.from(all, (grey) => (grey ?? 127.5) / 127.5 - 1), mask: Uint8Array.from(all, (grey) => +(grey !== null)) };
    },
    setDisabled(isDisabled) { element.inert = isDisabled; },
  };
}
