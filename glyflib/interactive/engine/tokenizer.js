// Text to the numbers of its pieces, as sentencepiece cuts it (Kudo 2018, section 3.2):
// of all ways to cut, the one whose pieces have the greatest sum of log-probabilities.

const SPACE = "\u2581"; // what stands for a space, before each word
const UNKNOWN_PENALTY = 10; // below the least likely piece: a character that none has

// words: { pieces, scores, folded, unk_id, eos_id } as drawing.py packs them.
function tokenizer({ pieces, scores, folded, unk_id, eos_id }) {
  const ids = new Map();
  pieces.forEach((piece, id) => piece && ids.set(piece, id));
  const longest = Math.max(...pieces.map((piece) => [...piece].length));
  const unknown = Math.fround(Math.min(...scores.filter((_, id) => pieces[id])) - UNKNOWN_PENALTY);

  // One form of each text: small letters, wide and narrow forms alike, single spaces.
  function normalized(text) {
    const chars = [...text.normalize("NFKC")].map((char) => folded[char] ?? char.toLowerCase());
    return chars.join("").normalize("NFKC").split(" ").filter(Boolean).join(" ");
  }

  // The numbers of the pieces, without an end token.
  function encode(text) {
    const plain = normalized(text);
    if (!plain) return [];
    const chars = [...(SPACE + plain.replaceAll(" ", SPACE))];
    // best[i]: the likeliest way to cut the first i characters, and its last piece.
    const best = [{ score: 0 }];
    for (let from = 0; from < chars.length; from++) {
      const offer = (length, id, more) => {
        const score = Math.fround(best[from].score + more), to = from + length;
        if (!best[to] || score > best[to].score) best[to] = { score, from, id };
      };
      let piece = "", isKnown = false;
      for (let length = 1; length <= Math.min(longest, chars.length - from); length++) {
        piece += chars[from + length - 1];
        if (!ids.has(piece)) continue;
        isKnown ||= length === 1;
        offer(length, ids.get(piece), scores[ids.get(piece)]);
      }
      if (!isKnown) offer(1, unk_id, unknown);
    }
    const found = [];
    for (let at = chars.length; at > 0; at = best[at].from) {
      // Unknown characters side by side are one unknown piece.
      if (best[at].id !== unk_id || found[0] !== unk_id) found.unshift(best[at].id);
    }
    return found;
  }

  return {
    encode,
    // text.py's token_ids: at most maxTokens, the end token last; and how many are cut.
    tokenIds(text, maxTokens) {
      const found = encode(text), kept = found.slice(0, maxTokens - 1);
      return { ids: [...kept, eos_id], numCut: found.length - kept.length };
    },
    // text.py's unknown_words: those with a character that no piece stands for.
    unknownWords(text) {
      const words = new Set(text.split(/\s+/u).filter(Boolean));
      return [...words].filter((word) => encode(word).includes(unk_id));
    },
  };
}
