// A worker: the engine in a thread of its own, one glyph after the other. Each message
// { id, task, … } is answered by { id, done } or { id, failed }; drawing tells its steps
// on the way, { id, step }.

const parts = {}; // encoder and networks that are loaded, by name
let isStopped = false;

// Let the messages in that came meanwhile, such as "stop".
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(null);
  });
}

// Numbers in [-1, 1] as greys, as images_from_x0 of data.py does.
function greys(x0) {
  return Uint8Array.from(x0, (x) => roundEven((Math.min(1, Math.max(-1, x)) + 1) * 127.5));
}

const tasks = {
  start: () => startEngine(kernelBytes),
  load({ name, bytes }) {
    parts[name] = readPart(new Uint8Array(bytes));
  },
  // What an encoder makes of a text and of none, and which of its words it does not know.
  read({ name, text, maxTokens }) {
    const encoder = parts[name], words = encoder.words ??= tokenizer(encoder);
    const { ids, numCut } = words.tokenIds(text, maxTokens);
    const cond = t5Forward(encoder, ids), empty = t5Forward(encoder, [encoder.eos_id]);
    return { cond, empty, unknown: words.unknownWords(text), numCut };
  },
  // Whether the picture was finished, not stopped. A step tells two pictures: the noisy
  // one as it is seen, and what the network hopes that it will be.
  async draw({ name, seed, cond, empty, calls, scale, kept }, tell) {
    const model = parts[name], noise = torchNoise(seed, model.unet.in_channels * model.size ** 2);
    isStopped = false;
    tell({ seen: greys(noise), hoped: greys(noise) });
    for (const { xt, x0Hat } of drawSteps(model, noise, cond, empty, { calls, scale, kept })) {
      await turn();
      if (isStopped) return false;
      tell({ seen: greys(xt), hoped: greys(x0Hat) });
    }
    return true;
  },
  stop() {
    isStopped = true;
  },
};

self.onmessage = async ({ data: { id, task, ...options } }) => {
  try {
    const done = await tasks[task](options, (step) => postMessage({ id, step }));
    postMessage({ id, done });
  } catch (error) {
    postMessage({ id, failed: String(error.message ?? error) });
  }
};
