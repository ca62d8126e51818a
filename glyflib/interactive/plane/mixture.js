// Denoisers that are known exactly: exact.py's GaussianMixture, and its IdealDenoiser,
// which is the mixture whose bells have no width of their own. As there, component k has
// mean sqrt(ab) m_k and covariance ab S_k + (1 - ab) I at a level with alpha_bar ab.
//
// data: dim D, weights (K), means (K, D), variances (K, D) and axes (K, D, D, in columns;
// null where they are those of the plane), each a flat list. Points xt are flat, (B, D).
function gaussianMixture({ dim, weights, means, variances, axes }, alphaBar) {
  const count = weights.length, total = weights.reduce((sum, w) => sum + w, 0);
  const logWeights = weights.map((w) => Math.log(w / total));
  const logs = new Float64Array(count), shares = new Float64Array(count);
  const offset = new Float64Array(count * dim); // along each component's axes
  const variance = new Float64Array(count * dim);

  // What each component says of one point; returns the log of the density there.
  function ask(xt, b, t) {
    const ab = alphaBar[t], root = Math.sqrt(ab);
    let top = -Infinity;
    for (let k = 0; k < count; k++) {
      let log = logWeights[k];
      for (let e = 0; e < dim; e++) {
        let along = 0;
        if (!axes) along = xt[b * dim + e] - root * means[k * dim + e];
        else for (let d = 0; d < dim; d++) along += (xt[b * dim + d] - root * means[k * dim + d]) * axes[(k * dim + d) * dim + e];
        const v = ab * variances[k * dim + e] + 1 - ab;
        offset[k * dim + e] = along;
        variance[k * dim + e] = v;
        log -= ((along * along) / v + Math.log(2 * Math.PI * v)) / 2;
      }
      logs[k] = log;
      top = Math.max(top, log);
    }
    let sum = 0;
    for (let k = 0; k < count; k++) sum += shares[k] = Math.exp(logs[k] - top);
    for (let k = 0; k < count; k++) shares[k] /= sum;
    return top + Math.log(sum);
  }

  // Add factor(k, e) along each component's axes, by its share, to the b-th row of out.
  function addAlong(out, b, factor) {
    for (let k = 0; k < count; k++) for (let e = 0; e < dim; e++) {
      const size = shares[k] * factor(k, e);
      if (!axes) out[b * dim + e] += size;
      else for (let d = 0; d < dim; d++) out[b * dim + d] += size * axes[(k * dim + d) * dim + e];
    }
  }
  const rows = (xt) => xt.length / dim;

  // log_density: (B).
  const logDensity = (xt, t) => Float64Array.from({ length: rows(xt) }, (_, b) => ask(xt, b, t));

  // responsibilities: the probability (K) that the b-th of xt came from each component.
  const responsibilities = (xt, t, b = 0) => (ask(xt, b, t), shares.slice());

  // score: (B, D).
  function score(xt, t) {
    const out = new Float64Array(xt.length);
    for (let b = 0; b < rows(xt); b++) {
      ask(xt, b, t);
      addAlong(out, b, (k, e) => -offset[k * dim + e] / variance[k * dim + e]);
    }
    return out;
  }

  // denoise: the mean of x0 given xt, (B, D).
  function denoise(xt, t) {
    const out = new Float64Array(xt.length), root = Math.sqrt(alphaBar[t]);
    for (let b = 0; b < rows(xt); b++) {
      ask(xt, b, t);
      for (let k = 0; k < count; k++) for (let d = 0; d < dim; d++) out[b * dim + d] += shares[k] * means[k * dim + d];
      addAlong(out, b, (k, e) => (root * variances[k * dim + e] * offset[k * dim + e]) / variance[k * dim + e]);
    }
    return out;
  }

  // predict_eps: the mean of eps given xt, (B, D).
  function predictEps(xt, t) {
    const factor = -Math.sqrt(1 - alphaBar[t]);
    return score(xt, t).map((s) => factor * s);
  }
  return { count, dim, logDensity, responsibilities, score, denoise, predictEps };
}

// IdealDenoiser of a finite set of points, flat, (N, 2): the mixture whose bells have no
// width of their own. Its denoise is written out, for samples ask for it all the time.
function idealDenoiser(points, alphaBar) {
  const count = points.length / 2, logits = new Float64Array(count);
  const mixture = gaussianMixture({
    dim: 2,
    weights: new Array(count).fill(1),
    means: points,
    variances: new Float64Array(points.length),
    axes: null,
  }, alphaBar);

  // mean_x0: (B, 2).
  function denoise(xt, t) {
    const out = new Float64Array(xt.length), ab = alphaBar[t], root = Math.sqrt(ab), scale = -0.5 / (1 - ab);
    for (let b = 0; b < xt.length; b += 2) {
      let top = -Infinity, sum = 0, across = 0, up = 0;
      for (let k = 0; k < count; k++) {
        const dx = xt[b] - root * points[2 * k], dy = xt[b + 1] - root * points[2 * k + 1];
        logits[k] = scale * (dx * dx + dy * dy);
        if (logits[k] > top) top = logits[k];
      }
      for (let k = 0; k < count; k++) {
        const weight = Math.exp(logits[k] - top);
        sum += weight;
        across += weight * points[2 * k];
        up += weight * points[2 * k + 1];
      }
      out[b] = across / sum;
      out[b + 1] = up / sum;
    }
    return out;
  }
  const predictEps = (xt, t) => epsFrom.x0(denoise(xt, t), xt, alphaBar[t]);
  return { ...mixture, denoise, predictEps };
}
