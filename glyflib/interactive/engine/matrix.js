// Matrices of 32-bit floats in one block of memory, and their product.
//
// A matrix is { at, rows, cols, stride }: where it begins in `heap`, its size, and how
// many floats lie from one row to the next. The stride is a multiple of eight: whole
// vectors are written, and what lies between cols and stride means nothing. A picture
// of the network is a matrix as well: a row a channel, and for each picture of a batch
// side * side columns, row by row of the picture.

const LANES = 8; // columns that the kernel computes at once
const GROUP = 4; // rows that it computes at once
const PAGE = 65536; // bytes: WebAssembly's memory grows by pages

let heap = new Float32Array(0); // all numbers: weights first, then what a call needs
let memory = null; // WebAssembly's, where heap lies in it
let panel = plainPanel; // the kernel, or the same in JavaScript
let used = 0; // first float of heap that is free

const upTo = (number, step) => Math.ceil(number / step) * step;

// Get the engine ready; without bytes, or where WebAssembly has no vectors, in plain
// JavaScript. Returns "wasm" or "plain".
function startEngine(kernel) {
  heap = new Float32Array(0);
  [memory, panel, used] = [null, plainPanel, 0];
  if (!kernel || typeof WebAssembly !== "object" || !WebAssembly.validate(kernel)) return "plain";
  memory = new WebAssembly.Memory({ initial: 1 });
  heap = new Float32Array(memory.buffer);
  const imports = { engine: { memory } };
  const found = new WebAssembly.Instance(new WebAssembly.Module(kernel), imports);
  panel = found.exports.panel;
  return "wasm";
}

// Take so many floats, at a place that vectors may be read from. Views of heap that were
// taken before do not follow when the memory grows: read `heap` anew after it.
function reserve(count) {
  const at = used;
  used += upTo(count, 4);
  if (used <= heap.length) return at;
  const needed = upTo(Math.max(4 * used, 1.25 * heap.byteLength), PAGE);
  if (memory) {
    memory.grow((needed - heap.byteLength) / PAGE);
    heap = new Float32Array(memory.buffer);
  } else {
    const before = heap;
    heap = new Float32Array(needed / 4);
    heap.set(before);
  }
  return at;
}

// Call work(), then give back all that was reserved within it.
function scratch(work) {
  const before = used;
  try {
    return work();
  } finally {
    used = before;
  }
}

function matrix(rows, cols) {
  const stride = upTo(cols, LANES);
  return { at: reserve(upTo(rows, GROUP) * stride), rows, cols, stride };
}

// A matrix of the same size; of a picture, a picture.
function like(x, rows = x.rows) {
  return { ...x, ...matrix(rows, x.cols) };
}

// numbers: rows * cols of them, row by row.
function fromArray(numbers, rows, cols) {
  const x = matrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) heap[x.at + i * x.stride + j] = numbers[i * cols + j];
  }
  return x;
}

function toArray(x) {
  const numbers = new Float32Array(x.rows * x.cols);
  for (let i = 0; i < x.rows; i++) {
    const from = x.at + i * x.stride;
    numbers.set(heap.subarray(from, from + x.cols), i * x.cols);
  }
  return numbers;
}

// The left side of a product as the kernel reads it: rows in groups of four, and what
// get(i, k) tells of row i at place k.
function packRows(rows, depth, get) {
  const whole = upTo(rows, GROUP), at = reserve(whole * depth);
  for (let i = 0; i < whole; i++) {
    let to = at + (i - (i % GROUP)) * depth + (i % GROUP);
    for (let k = 0; k < depth; k++, to += GROUP) heap[to] = i < rows ? get(i, k) : 0;
  }
  return { at, rows, depth };
}

// The right side: columns in panels of eight, first to first + cols of the matrix x.
function packColumns(x, first = 0, cols = x.cols) {
  const depth = x.rows, at = reserve(upTo(cols, LANES) * depth), h = heap;
  for (let j = 0; j < cols; j += LANES) {
    const width = Math.min(LANES, cols - j);
    for (let k = 0, to = at + j * depth; k < depth; k++, to += LANES) {
      const from = x.at + k * x.stride + first + j;
      for (let c = 0; c < LANES; c++) h[to + c] = c < width ? h[from + c] : 0;
    }
  }
  return { at, cols, depth };
}

// c += a b, a packed by rows and b by columns.
function addProduct(a, b, c) {
  if (a.depth !== b.depth) throw new Error(`depths ${a.depth} and ${b.depth} differ`);
  const rows = upTo(a.rows, GROUP);
  for (let j = 0; j < b.cols; j += LANES) {
    panel(4 * a.at, 4 * (b.at + j * b.depth), 4 * (c.at + j), rows, a.depth, 4 * c.stride);
  }
  return c;
}

// What kernel.wat does, without vectors: four rows by one column at a time.
function plainPanel(a, b, c, rows, depth, stride) {
  const h = heap;
  [a, b, c, stride] = [a / 4, b / 4, c / 4, stride / 4]; // from bytes to floats
  for (let i = 0; i < rows; i += GROUP, a += GROUP * depth, c += GROUP * stride) {
    for (let l = 0; l < LANES; l++) {
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0;
      for (let k = 0, from = a, at = b + l; k < depth; k++, from += GROUP, at += LANES) {
        const x = h[at];
        c0 += h[from] * x;
        c1 += h[from + 1] * x;
        c2 += h[from + 2] * x;
        c3 += h[from + 3] * x;
      }
      h[c + l] += c0;
      h[c + l + stride] += c1;
      h[c + l + 2 * stride] += c2;
      h[c + l + 3 * stride] += c3;
    }
  }
}
