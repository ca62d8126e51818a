// How fast the chain forgets: the schedules of schedule.py, by name, each (T + 1).

// alpha_bar_from_beta: the products of 1 - beta, with a 1 in front.
function alphaBarFromBeta(beta) {
  const found = new Float64Array(beta.length + 1).fill(1);
  beta.forEach((b, i) => { found[i + 1] = found[i] * (1 - b); });
  return found;
}

function linearAlphaBar(T, last = 0.02, first = 1e-4) {
  return alphaBarFromBeta(Float64Array.from({ length: T }, (_, i) => first + ((last - first) * i) / (T - 1)));
}

function cosineAlphaBar(T, offset = 0.008, maxBeta = 0.999) {
  const f = (t) => Math.cos(((t / T + offset) / (1 + offset)) * (Math.PI / 2)) ** 2;
  return alphaBarFromBeta(Float64Array.from({ length: T }, (_, i) => Math.min(maxBeta, 1 - f(i + 1) / f(i))));
}

function sigmoidAlphaBar(T, end = 3, start = -end, floor = 1e-9) {
  const u = Array.from({ length: T + 1 }, (_, t) => 1 / (1 + Math.exp(-(start + ((end - start) * t) / T))));
  return Float64Array.from(u, (at) => Math.max(floor, (u[T] - at) / (u[T] - u[0])));
}

// log_snr: infinite at level 0.
function logSnrs(alphaBar) {
  return Float64Array.from(alphaBar, (a) => Math.log(a) - Math.log(1 - a));
}
