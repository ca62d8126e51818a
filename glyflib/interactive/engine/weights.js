// Weights as glyflib/interactive/drawing.py packs them: the length of a header as four
// bytes, the header as JSON, then the numbers that it tells of.

// bytes: Uint8Array of the whole. Returns the header, with `weights` a tree in place of
// its `tensors`: the weight "down.0.res.conv1.bias" is weights.down[0].res.conv1.bias.
// Matrices are packed rows, ready for products; tables stay as they are and are read
// row by row; all that has one dimension is a Float32Array.
function readPart(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const start = bytes.byteOffset + 4 + length, weights = {};
  for (const [name, entry] of Object.entries(header.tensors)) {
    const names = name.split("."), last = names.pop();
    let place = weights;
    for (const one of names) place = place[one] ??= {};
    place[last] = readWeight(bytes.buffer, start, entry);
  }
  delete header.tensors;
  return { ...header, weights };
}

function readWeight(buffer, start, { shape, kind, at, scales, is_table }) {
  const rows = shape[0], depth = shape.slice(1).reduce((a, b) => a * b, 1);
  const number = numbersAt(buffer, start + at, kind, rows * depth);
  const scale = scales === undefined ? () => 1 : numbersAt(buffer, start + scales, "float", rows);
  const get = (i, k) => number(i * depth + k) * scale(i);
  if (is_table) return { rows, depth, get };
  if (shape.length === 1) return Float32Array.from({ length: rows }, (_, i) => get(i, 0));
  return packRows(rows, depth, get);
}

// A function of i that returns the i-th of the numbers that are stored there.
function numbersAt(buffer, at, kind, count) {
  if (kind === "int8") {
    const stored = new Int8Array(buffer, at, count);
    return (i) => stored[i];
  }
  if (kind === "float") {
    const stored = new Float32Array(buffer, at, count);
    return (i) => stored[i];
  }
  const stored = new Uint16Array(buffer, at, count);
  return (i) => fromHalf(stored[i]);
}

// The number that 16 bits stand for: a sign, 5 bits of exponent, 10 of fraction.
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
