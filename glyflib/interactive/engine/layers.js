// The layers of the U-net and of the text encoder, named as torch names them. Pixels
// and tokens are columns, channels are rows. Each layer makes a new matrix, except where
// it says that it changes the one it is handed.

// Set each row to its bias, or to 0 without one.
function filled(x, bias) {
  for (let i = 0; i < upTo(x.rows, GROUP); i++) {
    const from = x.at + i * x.stride;
    heap.fill(bias && i < x.rows ? bias[i] : 0, from, from + x.stride);
  }
  return x;
}

// nn.Linear of every column, (in, N) -> (out, N); also a convolution of 1x1.
function linear(layer, x) {
  const y = filled(like(x, layer.weight.rows), layer.bias);
  return scratch(() => addProduct(layer.weight, packColumns(x), y));
}

// nn.Conv2d of 3x3 that keeps height and width, or halves them at stride 2; or of 1x1.
function conv(layer, x, stride = 1) {
  if (layer.weight.depth === x.rows) return linear(layer, x);
  const side = x.side / stride, { count } = x;
  const y = { ...matrix(layer.weight.rows, count * side * side), side, count };
  filled(y, layer.bias);
  return scratch(() => addProduct(layer.weight, packTaps(x, stride), y));
}

// What each of the nine taps of a 3x3 kernel sees at each pixel of the result, as the
// right side of a product: its row 9 c + tap, beside the kernel's weights in that order.
function packTaps(x, stride) {
  const table = tapsOf(x.side, x.count, stride), wide = table.length / 9;
  const depth = 9 * x.rows, at = reserve(wide * depth), h = heap;
  for (let j = 0, to = at; j < wide; j += LANES) {
    for (let c = 0; c < x.rows; c++) {
      const row = x.at + c * x.stride;
      for (let tap = 0; tap < 9; tap++) {
        for (let l = 0, look = tap * wide + j; l < LANES; l++, look++, to++) {
          const from = table[look];
          h[to] = from < 0 ? 0 : h[row + from];
        }
      }
    }
  }
  return { at, cols: x.count * (x.side / stride) ** 2, depth };
}

// (9, columns) places of the pixels that the taps see; -1 is beyond the edge.
const tapTables = new Map();
function tapsOf(side, count, stride) {
  const key = [side, count, stride].join();
  if (tapTables.has(key)) return tapTables.get(key);
  const out = side / stride, wide = upTo(count * out * out, LANES);
  const table = new Int32Array(9 * wide).fill(-1);
  for (let tap = 0; tap < 9; tap++) {
    for (let j = 0; j < count * out * out; j++) {
      const picture = Math.floor(j / (out * out)), pixel = j % (out * out);
      const y = stride * Math.floor(pixel / out) + Math.floor(tap / 3) - 1;
      const x = stride * (pixel % out) + (tap % 3) - 1;
      const isInside = y >= 0 && y < side && x >= 0 && x < side;
      if (isInside) table[tap * wide + j] = (picture * side + y) * side + x;
    }
  }
  tapTables.set(key, table);
  return table;
}

// nn.Upsample(scale_factor=2): each pixel becomes four.
function upsample(x) {
  const side = 2 * x.side, y = { ...matrix(x.rows, 4 * x.cols), side, count: x.count };
  for (let j = 0; j < y.cols; j++) {
    const row = Math.floor(j / side), from = (row >> 1) * x.side + ((j % side) >> 1);
    for (let c = 0; c < x.rows; c++) heap[y.at + c * y.stride + j] = heap[x.at + c * x.stride + from];
  }
  return y;
}

// One picture's channels below the other's: torch.cat of two, along the channels.
function cat(x, z) {
  const y = like(x, x.rows + z.rows);
  heap.copyWithin(y.at, x.at, x.at + x.rows * x.stride);
  heap.copyWithin(y.at + x.rows * y.stride, z.at, z.at + z.rows * z.stride);
  return y;
}

// Adds x to y, and returns y.
function addTo(y, x) {
  const size = y.rows * y.stride, h = heap;
  for (let i = 0; i < size; i++) h[y.at + i] += h[x.at + i];
  return y;
}

// F.silu and F.relu, in place.
function silu(x) {
  const end = x.at + x.rows * x.stride, h = heap;
  for (let i = x.at; i < end; i++) h[i] /= 1 + Math.exp(-h[i]);
  return x;
}
function relu(x) {
  const end = x.at + x.rows * x.stride, h = heap;
  for (let i = x.at; i < end; i++) if (h[i] < 0) h[i] = 0;
  return x;
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

// nn.GroupNorm as unet.py's group_norm makes it: of each picture, groups of channels.
function groupNorm(layer, x) {
  const y = like(x), size = x.rows / gcd(32, x.rows / 4), pixels = x.cols / x.count, h = heap;
  for (let first = 0; first < x.rows; first += size) {
    for (let begin = 0; begin < x.cols; begin += pixels) {
      let sum = 0, squares = 0;
      for (let c = first; c < first + size; c++) {
        const from = x.at + c * x.stride + begin;
        for (let i = from; i < from + pixels; i++) { sum += h[i]; squares += h[i] * h[i]; }
      }
      const mean = sum / (size * pixels);
      const factor = 1 / Math.sqrt(Math.max(squares / (size * pixels) - mean * mean, 0) + 1e-5);
      for (let c = first; c < first + size; c++) {
        const scale = factor * layer.weight[c], shift = layer.bias[c] - mean * scale;
        const from = x.at + c * x.stride + begin, to = y.at + c * y.stride + begin;
        for (let i = 0; i < pixels; i++) h[to + i] = h[from + i] * scale + shift;
      }
    }
  }
  return y;
}

// nn.LayerNorm of each column, and nn.RMSNorm, which takes off no mean.
function layerNorm(layer, x, eps = 1e-5, hasMean = true) {
  const y = like(x);
  for (let j = 0; j < x.cols; j++) {
    let sum = 0, squares = 0;
    for (let c = 0; c < x.rows; c++) sum += heap[x.at + c * x.stride + j];
    const mean = hasMean ? sum / x.rows : 0;
    for (let c = 0; c < x.rows; c++) squares += (heap[x.at + c * x.stride + j] - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / x.rows + eps);
    for (let c = 0; c < x.rows; c++) {
      const value = (heap[x.at + c * x.stride + j] - mean) * factor * layer.weight[c];
      heap[y.at + c * y.stride + j] = value + (layer.bias ? layer.bias[c] : 0);
    }
  }
  return y;
}
function rmsNorm(layer, x, eps) {
  return layerNorm(layer, x, eps, false);
}

// unet.py's attend. A span is { queries, keys }, each { first, count } columns: the
// queries of one picture or text look at the keys of one. Scores are scaled, and get
// what bias(head, query, key) tells where it is given.
function attend(q, k, v, numHeads, spans, scale, bias = null) {
  const y = filled(like(q), null), width = q.rows / numHeads;
  for (const { queries, keys } of spans) {
    for (let head = 0; head < numHeads; head++) {
      const rows = (x) => ({ ...x, at: x.at + head * width * x.stride, rows: width });
      const [qh, kh, vh, yh] = [q, k, v, y].map(rows);
      scratch(() => {
        const key = (j, d) => heap[kh.at + d * kh.stride + keys.first + j] * scale;
        const scores = filled(matrix(keys.count, queries.count), null);
        addProduct(packRows(keys.count, width, key), packColumns(qh, queries.first, queries.count), scores);
        if (bias) addBias(scores, (i, j) => bias(head, i, j));
        softmax(scores);
        const value = (d, j) => heap[vh.at + d * vh.stride + keys.first + j];
        const mean = filled(matrix(width, queries.count), null);
        addProduct(packRows(width, keys.count, value), packColumns(scores), mean);
        for (let d = 0; d < width; d++) {
          const from = mean.at + d * mean.stride;
          heap.copyWithin(yh.at + d * yh.stride + queries.first, from, from + queries.count);
        }
      });
    }
  }
  return y;
}

// In place: bias(query, key) added to scores, whose rows are keys and columns queries.
function addBias(scores, bias) {
  for (let j = 0; j < scores.rows; j++) {
    for (let i = 0; i < scores.cols; i++) heap[scores.at + j * scores.stride + i] += bias(i, j);
  }
}

// In place: each column becomes positive and sums to 1.
function softmax(scores) {
  const { at, rows, cols, stride } = scores, h = heap;
  for (let i = at; i < at + cols; i++) {
    let most = -Infinity, sum = 0;
    const end = i + rows * stride;
    for (let to = i; to < end; to += stride) most = Math.max(most, h[to]);
    for (let to = i; to < end; to += stride) sum += h[to] = Math.exp(h[to] - most);
    for (let to = i; to < end; to += stride) h[to] /= sum;
  }
}
