// The U-net of unet.py, function by function: the same names, the same order. What it
// lacks: training, masks (each text has a span of columns of its own, without padding),
// and levels that differ within a batch.

const HEAD_DIM = 64;

// timestep_embedding of one level: sines, then cosines, as a column (dim, 1).
function timestepEmbedding(t, dim) {
  const half = dim / 2, waves = new Float32Array(dim);
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(t * Math.fround(10000 ** ((-2 * i) / dim)));
    waves[i] = Math.sin(angle);
    waves[half + i] = Math.cos(angle);
  }
  return fromArray(waves, dim, 1);
}

// mlp: linear, SiLU, linear.
function mlp(layers, x) {
  return linear(layers[2], silu(linear(layers[0], x)));
}

// ResBlock.forward: (C, B pixels), (E, B) -> (C2, B pixels).
function resBlock(block, x, emb) {
  let h = conv(block.conv1, silu(groupNorm(block.norm1, x)));
  h = scaleAndShift(groupNorm(block.norm2, h), linear(block.to_scale_shift, emb));
  h = conv(block.conv2, silu(h));
  return addTo(h, block.shortcut ? conv(block.shortcut, x) : x);
}

// In place: h (1 + scale) + shift, of each channel of each picture.
function scaleAndShift(h, both) {
  const pixels = h.cols / h.count;
  for (let c = 0; c < h.rows; c++) {
    for (let b = 0; b < h.count; b++) {
      const scale = 1 + heap[both.at + c * both.stride + b];
      const shift = heap[both.at + (h.rows + c) * both.stride + b];
      const from = h.at + c * h.stride + b * pixels;
      for (let i = from; i < from + pixels; i++) heap[i] = heap[i] * scale + shift;
    }
  }
  return h;
}

// Attention.forward. texts: null for self-attention, else { x, spans }, see readTexts.
function attention(layer, x, texts) {
  const h = groupNorm(layer.norm, x), pixels = x.cols / x.count;
  const numHeads = Math.max(1, Math.floor(x.rows / HEAD_DIM));
  const keys = texts ? texts.x : h;
  const [q, k, v] = [linear(layer.to_q, h), linear(layer.to_k, keys), linear(layer.to_v, keys)];
  const spans = Array.from({ length: x.count }, (_, b) => {
    const queries = { first: b * pixels, count: pixels };
    return { queries, keys: texts ? texts.spans[b] : queries };
  });
  const mean = attend(q, k, v, numHeads, spans, 1 / Math.sqrt(x.rows / numHeads));
  return addTo(linear(layer.out, mean), x);
}

// Block.forward.
function unetBlock(block, x, emb, texts) {
  x = resBlock(block.res, x, emb);
  if (block.self_attention) x = attention(block.self_attention, x, null);
  if (block.cross_attention) x = attention(block.cross_attention, x, texts);
  return x;
}

// Texts for B pictures. texts: { numbers, count } each, a text's vectors (D, count);
// which: the text of each picture. Returns the columns of all texts, the span of columns
// of each picture's text, and `which`.
function readTexts(texts, which) {
  const depth = texts[0].numbers.length / texts[0].count, spans = [];
  const total = texts.reduce((sum, text) => sum + text.count, 0), x = matrix(depth, total);
  let first = 0;
  for (const { numbers, count } of texts) {
    for (let d = 0; d < depth; d++) {
      heap.set(numbers.subarray(d * count, (d + 1) * count), x.at + d * x.stride + first);
    }
    spans.push({ first, count });
    first += count;
  }
  return { x, all: spans, spans: which.map((i) => spans[i]), which };
}

// masked_mean, of each text: (D, texts).
function meanTokens({ x, all }) {
  const mean = filled(matrix(x.rows, all.length), null);
  all.forEach(({ first, count }, text) => {
    for (let d = 0; d < x.rows; d++) {
      let sum = 0;
      for (let j = first; j < first + count; j++) sum += heap[x.at + d * x.stride + j];
      heap[mean.at + d * mean.stride + text] = sum / count;
    }
  });
  return mean;
}

// UNet.embed: what each block is told of level and text. stride: of a student's call,
// whose layer adds to the level's embedding (student.py); null for a glyffuser.
function embed({ unet, weights }, t, stride, texts) {
  const width = unet.channels[0], level = mlp(weights.level_mlp, timestepEmbedding(t, width));
  if (stride !== null) addTo(level, linear(weights.stride_layer, timestepEmbedding(stride, width)));
  texts.x = layerNorm(weights.text_norm, texts.x);
  const told = weights.text_mlp ? mlp(weights.text_mlp, meanTokens(texts)) : null;
  const emb = matrix(level.rows, texts.which.length);
  for (let i = 0; i < emb.rows; i++) {
    texts.which.forEach((text, b) => {
      const more = told ? heap[told.at + i * told.stride + text] : 0;
      heap[emb.at + i * emb.stride + b] = heap[level.at + i * level.stride] + more;
    });
  }
  return silu(emb);
}

// UNet.forward: xt (B C S S numbers) at level t, a text for each picture -> as many
// numbers. Nothing that it reserves outlives the call.
function unetForward(model, xt, t, texts, stride = null) {
  const { unet, weights, size } = model, B = texts.which.length;
  return scratch(() => {
    const told = readTexts(texts.texts, texts.which);
    const emb = embed(model, t, stride, told);
    let x = conv(weights.stem, pixelUnshuffle(xt, B, unet.in_channels, size, unet.patch));
    const kept = [x];
    for (const layer of Object.values(weights.down)) {
      x = layer.res ? unetBlock(layer, x, emb, told) : conv(layer, x, 2);
      kept.push(x);
    }
    for (const layer of Object.values(weights.middle)) x = unetBlock(layer, x, emb, told);
    for (const layer of Object.values(weights.up)) {
      x = layer.res ? unetBlock(layer, cat(x, kept.pop()), emb, told) : conv(layer[1], upsample(x));
    }
    x = conv(weights.head, silu(groupNorm(weights.norm, x)));
    return pixelShuffle(x, unet.out_channels, size, unet.patch);
  });
}

// For each number of B pictures (B, C, S, S): which row and column of a matrix it has
// once squares of patch x patch pixels are folded into channels.
function foldedPlaces(B, C, size, patch, use) {
  const side = size / patch;
  for (let from = 0; from < B * C * size * size; from++) {
    const x = from % size, y = Math.floor(from / size) % size;
    const c = Math.floor(from / size ** 2) % C, b = Math.floor(from / (C * size ** 2));
    const row = (c * patch + (y % patch)) * patch + (x % patch);
    use(from, row, (b * side + Math.floor(y / patch)) * side + Math.floor(x / patch));
  }
}

// F.pixel_unshuffle of numbers (B, C, S, S) into a matrix, and F.pixel_shuffle back.
function pixelUnshuffle(xt, B, C, size, patch) {
  const side = size / patch;
  const x = { ...filled(matrix(C * patch ** 2, B * side * side), null), side, count: B };
  foldedPlaces(B, C, size, patch, (from, row, col) => { heap[x.at + row * x.stride + col] = xt[from]; });
  return x;
}
function pixelShuffle(x, C, size, patch) {
  const numbers = new Float32Array(x.count * C * size * size);
  foldedPlaces(x.count, C, size, patch, (to, row, col) => { numbers[to] = heap[x.at + row * x.stride + col]; });
  return numbers;
}
