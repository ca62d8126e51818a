// From noise to data: the samplers of sampling.py, function by function. Like there, each
// is a generator of steps { t, xt, x0Hat }. levelGrid, combine, x0From and sampleDpm come
// from engine/samplers.js.

// sample: DDIM (eta 0) to DDPM (eta 1). draw(count) gives fresh noise where eta is not 0.
function* sample(predictEps, xt, alphaBar, numSteps, eta = 0, draw = null) {
  const levels = levelGrid(alphaBar.length - 1, numSteps);
  for (let i = 0; i < numSteps; i++) {
    const [t, s] = [levels[i], levels[i + 1]], [a, b] = [alphaBar[t], alphaBar[s]];
    const epsHat = predictEps(xt, t), x0Hat = x0From.eps(epsHat, xt, a);
    const variance = ((eta ** 2 * (1 - b)) / (1 - a)) * (1 - a / b); // DDIM's Eq. 16
    const left = Math.sqrt(1 - b - variance);
    xt = combine(x0Hat, epsHat, (x, e) => Math.sqrt(b) * x + left * e);
    if (variance > 0) xt = combine(xt, draw(xt.length), (x, z) => x + Math.sqrt(variance) * z);
    yield { t: s, xt, x0Hat };
  }
}

// sample_heun: two calls of the denoiser a step, but one in the last.
function* sampleHeun(predictEps, xt, alphaBar, numSteps) {
  const levels = levelGrid(alphaBar.length - 1, numSteps);
  for (let i = 0; i < numSteps; i++) {
    const [t, s] = [levels[i], levels[i + 1]], [a, b] = [alphaBar[t], alphaBar[s]];
    const h = Math.sqrt(1 / b - 1) - Math.sqrt(1 / a - 1);
    const along = (slope) => combine(xt, slope, (x, e) => Math.sqrt(b) * (x / Math.sqrt(a) + h * e));
    const epsHat = predictEps(xt, t);
    let x0Hat = x0From.eps(epsHat, xt, a), xs = along(epsHat);
    if (s > 0) {
      const epsNext = predictEps(xs, s);
      x0Hat = x0From.eps(epsNext, xs, b);
      xs = along(combine(epsHat, epsNext, (e, f) => (e + f) / 2));
    }
    xt = xs;
    yield { t: s, xt, x0Hat };
  }
}

// One step of Langevin dynamics at level t: walk of lessons/islands.py.
function langevin(model, xt, t, alphaBar, z, length = 0.2) {
  const h = length * (1 - alphaBar[t]), score = model.score(xt, t);
  return xt.map((x, i) => x + h * score[i] + Math.sqrt(2 * h) * z[i]);
}

// The samplers that a reader may choose from: their names, and the calls of a walk.
const SAMPLERS = {
  ddpm: { label: "DDPM", walk: (p, xt, ab, n, draw) => sample(p, xt, ab, n, 1, draw), calls: (n) => n },
  ddim: { label: "DDIM (Euler)", walk: (p, xt, ab, n) => sample(p, xt, ab, n), calls: (n) => n },
  heun: { label: "Heun", walk: sampleHeun, calls: (n) => 2 * n - 1 },
  "2m": { label: "2M", walk: sampleDpm, calls: (n) => n },
};
