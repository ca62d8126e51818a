// A film as a GIF file (GIF89a): greys, each frame compressed by Lempel, Ziv and Welch's
// method as Appendix F of the specification has it.

const BITS = 6; // 64 greys

// frames: arrays of width * height greys in [0, 255]; pauses: of each, in 1/100 seconds.
function gifBytes(frames, width, height, pauses) {
  const bytes = [], word = (n) => bytes.push(n & 255, n >> 8);
  const text = (letters) => bytes.push(...[...letters].map((char) => char.charCodeAt(0)));
  text("GIF89a");
  word(width);
  word(height);
  bytes.push(0x80 | (7 << 4) | (BITS - 1), 0, 0); // there is a table of 2 ** BITS colours
  for (let i = 0; i < 1 << BITS; i++) {
    const grey = Math.round((255 * i) / ((1 << BITS) - 1));
    bytes.push(grey, grey, grey);
  }
  bytes.push(0x21, 0xff, 11);
  text("NETSCAPE2.0");
  bytes.push(3, 1, 0, 0, 0); // again and again
  frames.forEach((frame, i) => {
    bytes.push(0x21, 0xf9, 4, 0);
    word(pauses[i]);
    bytes.push(0, 0, 0x2c, 0, 0, 0, 0);
    word(width);
    word(height);
    bytes.push(0, BITS);
    const packed = lzw(frame.map((grey) => Math.round((grey * ((1 << BITS) - 1)) / 255)));
    for (let from = 0; from < packed.length; from += 255) {
      const block = packed.slice(from, from + 255);
      bytes.push(block.length, ...block);
    }
    bytes.push(0);
  });
  bytes.push(0x3b);
  return Uint8Array.from(bytes);
}

// Each run of numbers that came before becomes one code. Codes are as short as they can
// be, and begin anew when there are 4096 of them.
function lzw(numbers) {
  const clear = 1 << BITS, end = clear + 1, bytes = [];
  let runs, size, next, buffer = 0, filled = 0;
  const put = (code) => {
    buffer |= code << filled;
    for (filled += size; filled >= 8; filled -= 8, buffer >>>= 8) bytes.push(buffer & 255);
  };
  const begin = () => { runs = new Map(); size = BITS + 1; next = end + 1; };
  begin();
  put(clear);
  let run = numbers[0];
  for (let i = 1; i < numbers.length; i++) {
    const longer = (run << 8) | numbers[i];
    if (runs.has(longer)) { run = runs.get(longer); continue; }
    put(run);
    if (next === 4096) {
      put(clear);
      begin();
    } else {
      if (next === 1 << size) size++;
      runs.set(longer, next++);
    }
    run = numbers[i];
  }
  put(run);
  put(end);
  if (filled) bytes.push(buffer & 255);
  return bytes;
}
