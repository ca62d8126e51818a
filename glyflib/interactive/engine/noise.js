// The noise that torch.randn(..., dtype=torch.float64) draws from a seed on the CPU, so
// that a seed means the same picture in the page as in Python.

// The Mersenne Twister (Matsumoto and Nishimura 1998): a function of 32 random bits.
function mersenneTwister(seed) {
  const N = 624, M = 397, state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const last = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let at = N;
  return () => {
    if (at === N) {
      for (let i = 0; i < N; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
        state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

// A source of standard normal numbers, as many as are asked for: uniform ones in [0, 1),
// of 53 bits, then sixteen at a time through Box and Muller's formula, eight with a cosine
// and eight with a sine. Each call goes on where the last one ended.
function torchGenerator(seed) {
  const bits = mersenneTwister(seed);
  const uniform = () => ((bits() & 0x1fffff) * 2 ** 32 + bits()) * 2 ** -53;
  return (count) => {
    if (count < 16) throw new Error("torch draws fewer than 16 numbers in another way");
    const noise = new Float64Array(count);
    const turn = (from) => {
      for (let i = from; i < from + 8; i++) {
        const radius = Math.sqrt(-2 * Math.log(1 - noise[i])), angle = 2 * Math.PI * noise[i + 8];
        noise[i] = radius * Math.cos(angle);
        noise[i + 8] = radius * Math.sin(angle);
      }
    };
    for (let i = 0; i < count; i++) noise[i] = uniform();
    for (let i = 0; i + 16 <= count; i += 16) turn(i);
    if (count % 16) { // the last sixteen once more
      for (let i = count - 16; i < count; i++) noise[i] = uniform();
      turn(count - 16);
    }
    return noise;
  };
}

// The first count numbers of a seed.
function torchNoise(seed, count) {
  return torchGenerator(seed)(count);
}
