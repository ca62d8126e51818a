// From noise to a picture: sampling.py and student.py, function by function, for pictures
// that are all at one level. Like there, a sampler is a generator of steps
// { t, xt, x0Hat }; like there, it computes in 64-bit floats.

// Round to the nearest whole number, halves to the even one, as torch does.
function roundEven(x) {
  const floor = Math.floor(x), rest = x - floor;
  return rest === 0.5 ? floor + (floor % 2) : Math.round(x);
}

// level_grid: levels visited, from T to 0.
function levelGrid(numLevels, numSteps) {
  return Array.from({ length: numSteps + 1 }, (_, i) => roundEven(numLevels * (1 - i / numSteps)));
}

// Element by element: f of each number of xs and of the one at its place in ys.
function combine(xs, ys, f) {
  return Float64Array.from(xs, (x, i) => f(x, ys[i]));
}

// predict_x0_from and predict_eps_from: what the network returns, as data and as noise.
const x0From = {
  v: (v, xt, a) => combine(xt, v, (x, y) => Math.sqrt(a) * x - Math.sqrt(1 - a) * y),
  x0: (x0) => Float64Array.from(x0),
  eps: (eps, xt, a) => combine(xt, eps, (x, y) => (x - Math.sqrt(1 - a) * y) / Math.sqrt(a)),
};
const epsFrom = {
  v: (v, xt, a) => combine(xt, v, (x, y) => Math.sqrt(1 - a) * x + Math.sqrt(a) * y),
  x0: (x0, xt, a) => combine(xt, x0, (x, y) => (x - Math.sqrt(a) * y) / Math.sqrt(1 - a)),
  eps: (eps) => Float64Array.from(eps),
};

// guided: predict eps for pictures of one text; at scales 0 and 1 the network is asked
// once, else for both texts in one batch.
function guided(model, cond, empty, scale) {
  const asked = (xt, t, texts, which) => {
    const output = unetForward(model, xt, t, { texts, which });
    return epsFrom[model.prediction](output, xt, model.alpha_bar[t]);
  };
  const rows = (xt, text) => Array(xt.length / (model.unet.in_channels * model.size ** 2)).fill(text);
  return (xt, t) => {
    if (scale === 1 || scale === 0) return asked(xt, t, [scale ? cond : empty], rows(xt, 0));
    const both = Float64Array.from([...xt, ...xt]), which = [...rows(xt, 0), ...rows(xt, 1)];
    const eps = asked(both, t, [cond, empty], which);
    const [told, plain] = [eps.subarray(0, xt.length), eps.subarray(xt.length)];
    return combine(plain, told, (p, c) => p + scale * (c - p));
  };
}

// keeping, of editing.py: where the picture is known, so is its noise. kept: numbers
// `known` in [-1, 1], and a `mask` that is not 0 where they are kept.
function keeping(predictEps, { known, mask }, alphaBar) {
  return (xt, t) => {
    const exact = epsFrom.x0(known, xt, alphaBar[t]);
    return predictEps(xt, t).map((eps, i) => (mask[i] ? exact[i] : eps));
  };
}

// half_log_snr.
function halfLogSnr(alphaBar, t) {
  return (Math.log(alphaBar[t]) - Math.log(1 - alphaBar[t])) / 2;
}

// sample_dpm: DPM-Solver++ 2M, one call of the model a step.
function* sampleDpm(predictEps, xt, alphaBar, numSteps) {
  const levels = levelGrid(alphaBar.length - 1, numSteps);
  let before = null, hBefore = 1;
  for (let i = 0; i < numSteps; i++) {
    const [t, s] = [levels[i], levels[i + 1]], [a, b] = [alphaBar[t], alphaBar[s]];
    const x0Hat = x0From.eps(predictEps(xt, t), xt, a);
    if (s === 0) {
      xt = x0Hat; // lambda is infinite there: the formula's limit is the data
    } else {
      const h = halfLogSnr(alphaBar, s) - halfLogSnr(alphaBar, t), decay = Math.exp(-h);
      const ahead = before ? combine(x0Hat, before, (x, y) => x + ((x - y) * h) / hBefore / 2) : x0Hat;
      const keep = Math.sqrt((1 - b) / (1 - a)), add = Math.sqrt(b) * (1 - decay);
      xt = combine(xt, ahead, (x, y) => keep * x + add * y);
      [before, hBefore] = [x0Hat, h];
    }
    yield { t: s, xt, x0Hat };
  }
}

// Student.predict_x0_for: the data towards which a call from level t to level s jumps.
function studentPredicts(model, cond) {
  return (xt, t, s) => {
    const which = Array(xt.length / model.size ** 2).fill(0);
    const output = unetForward(model, xt, t, { texts: [cond], which }, t - s);
    return x0From[model.prediction](output, xt, model.alpha_bar[t]);
  };
}

// sample_few, with student.py's jump: one call a step, along the line that x0Hat gives.
function* sampleFew(predictX0, xt, alphaBar, calls) {
  const levels = levelGrid(alphaBar.length - 1, calls);
  for (let i = 0; i < calls; i++) {
    const [t, s] = [levels[i], levels[i + 1]], b = alphaBar[s];
    const x0Hat = predictX0(xt, t, s), eps = epsFrom.x0(x0Hat, xt, alphaBar[t]);
    xt = combine(x0Hat, eps, (x, y) => Math.sqrt(b) * x + Math.sqrt(1 - b) * y);
    yield { t: s, xt, x0Hat };
  }
}

// The steps of pictures of one text: a glyffuser's with guidance, and with a part of a
// picture that it keeps if there is one, or a student's.
function drawSteps(model, noise, cond, empty, { calls, scale, kept }) {
  if (model.kind === "student") {
    return sampleFew(studentPredicts(model, cond), noise, model.alpha_bar, calls);
  }
  const asked = guided(model, cond, empty, scale);
  const predictEps = kept ? keeping(asked, kept, model.alpha_bar) : asked;
  return sampleDpm(predictEps, noise, model.alpha_bar, calls);
}
