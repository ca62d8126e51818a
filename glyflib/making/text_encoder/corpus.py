"""Short English texts to learn word meanings from: captions, WordNet, word lists.

Invariant: the same captions, dictionary and seed give the same texts in the same
order, each once, and none is a held-out caption.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

PARTS = ("noun", "verb", "adj", "adv")


class Synset(NamedTuple):
    """One meaning in WordNet: the words that share it, its gloss, its examples."""

    words: tuple[str, ...]
    gloss: str
    examples: tuple[str, ...]


def read_synset(line: str) -> Synset:
    """Read one line of a WordNet data file; see wndb(5WN)."""
    fields, _, text = line.partition("|")
    names = fields.split()
    num_words = int(names[3], 16)
    words = [name.partition("(")[0] for name in names[4 : 4 + 2 * num_words : 2]]
    examples = re.findall(r'"([^"]+)"', text)
    gloss = re.sub(r'\s*[;:]?\s*"[^"]*"[^;"]*', "", text)
    clean = gloss.strip(" ;\n")
    return Synset(
        tuple(word.replace("_", " ") for word in words), clean, tuple(examples)
    )


def read_wordnet(folder: Path) -> list[Synset]:
    """Read all meanings of WordNet's nouns, verbs, adjectives and adverbs.

    Raises:
        FileNotFoundError: If the folder lacks one of the data files.
        ValueError: If a line cannot be read.
    """
    synsets = []
    for part in PARTS:
        path = Path(folder) / f"data.{part}"
        if not path.is_file():
            raise FileNotFoundError(
                f"no {path}: give the folder of WordNet's data files "
                "(Debian: wordnet-base, in /usr/share/wordnet)"
            )
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if line.startswith(" "):
                continue  # the licence
            try:
                synsets.append(read_synset(line))
            except (IndexError, ValueError) as error:
                raise ValueError(
                    f"{path}, line {number} is not WordNet's: {error}"
                ) from error
    return synsets


def word_lists(
    words: list[str], num_lists: int, generator: np.random.Generator
) -> list[str]:
    """Join one to four words at random with commas or semicolons, as captions do."""
    lists = []
    for count in generator.integers(1, 5, num_lists):
        chosen = generator.integers(len(words), size=count)
        lists.append((", ", "; ")[generator.integers(2)].join(words[i] for i in chosen))
    return lists


def build_corpus(
    captions: list[str],
    held_out: list[str],
    synsets: list[Synset],
    *,
    num_lists: int,
    seed: int = 0,
) -> list[str]:
    """Gather the texts to learn from.

    Each meaning gives its gloss with its words in front ("lithium, a soft metal"),
    its first example, and, with two words or more, the words alone.

    Args:
        captions: of the training split.
        held_out: captions that must not be among the texts, in any case of letters.
        synsets: meanings; see `read_wordnet`.
        num_lists: random lists of words to add.
        seed: of the lists.

    Returns:
        Distinct texts, captions first.
    """
    texts = list(captions)
    for words, gloss, examples in synsets:
        texts.append(f"{', '.join(words[:3])}; {gloss}")
        texts.extend(examples[:1])
        if len(words) > 1:
            texts.append("; ".join(words[:4]))
    vocabulary = sorted({part for text in captions for part in split_caption(text)})
    vocabulary += sorted({synset.words[0] for synset in synsets})
    texts += word_lists(vocabulary, num_lists, np.random.default_rng(seed))
    banned = {text.casefold() for text in held_out}
    return list(dict.fromkeys(text for text in texts if text.casefold() not in banned))


def split_caption(text: str) -> list[str]:
    """Split a caption where it lists: "water; river" gives "water" and "river"."""
    return [part for part in re.split(r"\s*[;,]\s*", text) if part]
