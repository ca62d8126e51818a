// The text encoder of t5.py, function by function, for one text at a time: without a
// batch there is no padding, and without padding no mask.

// distance_buckets of one offset, in 32-bit floats as torch computes it.
function distanceBucket(offset, config) {
  const oneWay = Math.floor(config.relative_attention_num_buckets / 2), exact = Math.floor(oneWay / 2);
  const distance = Math.abs(offset), ahead = offset > 0 ? oneWay : 0;
  if (distance < exact) return ahead + distance;
  const growth = Math.fround(Math.log(config.relative_attention_max_distance / exact));
  const far = Math.fround(Math.fround(Math.log(distance / exact)) / growth);
  const shared = exact + Math.trunc(Math.fround(far * (oneWay - exact)));
  return ahead + Math.min(shared, oneWay - 1);
}

// T5Block.forward: (D, L) -> (D, L).
function t5Block(block, x, config, bias) {
  const h = rmsNorm(block.norm1, x, config.layer_norm_epsilon);
  const [q, k, v] = [linear(block.to_q, h), linear(block.to_k, h), linear(block.to_v, h)];
  const all = { first: 0, count: x.cols };
  const mean = attend(q, k, v, config.num_heads, [{ queries: all, keys: all }], 1, bias);
  x = addTo(linear(block.out, mean), x);
  const inner = relu(linear(block.widen, rmsNorm(block.norm2, x, config.layer_norm_epsilon)));
  return addTo(linear(block.narrow, inner), x);
}

// T5Encoder.forward of the numbers of a text's pieces: { numbers, count }, (D, L).
function t5Forward({ t5, weights }, ids) {
  return scratch(() => {
    const { embedding, distance_bias } = weights, L = ids.length;
    let x = matrix(t5.d_model, L);
    for (let j = 0; j < L; j++) {
      for (let d = 0; d < x.rows; d++) heap[x.at + d * x.stride + j] = embedding.weight.get(ids[j], d);
    }
    const bias = (head, i, j) => distance_bias.weight.get(distanceBucket(j - i, t5), head);
    for (const block of Object.values(weights.blocks)) x = t5Block(block, x, t5, bias);
    return { numbers: toArray(rmsNorm(weights.norm, x, t5.layer_norm_epsilon)), count: L };
  });
}
