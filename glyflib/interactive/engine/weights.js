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
  const numbers = readNumbers(buffer, start + at, kind, rows * depth);
  if (scales !== undefined) {
    const factors = readNumbers(buffer, start + scales, "float", rows);
    for (let i = 0, to = 0; i < rows; i++) {
      for (let k = 0; k < depth; k++) numbers[to++] *= factors[i];
    }
  }
  const get = (i, k) => numbers[i * depth + k];
  if (is_table) return { rows, depth, get };
  return shape.length === 1 ? numbers : packRows(rows, depth, get);
}

// So many numbers from there on, stored as 8 whole bits, or as 16 or 32 of a float.
function readNumbers(buffer, at, kind, count) {
  if (kind === "half") return Float32Array.from(new Uint16Array(buffer, at, count), fromHalf);
  const Stored = kind === "int8" ? Int8Array : Float32Array;
  return new Float32Array(new Stored(buffer, at, count));
}

// The number that 16 bits stand for: a sign, 5 bits of exponent, 10 of fraction.
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
