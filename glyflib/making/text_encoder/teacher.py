"""What a public sentence encoder says of many texts, as a whole and word by word.

Invariant: vectors are turned and cut to their leading directions together, without
moving the origin, so that cosines between them stay as they were.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

WORD = re.compile(r"\w+|[^\w\s]")
NUM_BASIS = 20_000  # texts that the leading directions are taken from
MAX_TOKENS = 48


class Lesson(NamedTuple):
    """What the teacher says of N texts.

    Attributes:
        sentences: (N, D) float16, mean over each text's tokens, norm 1 before the cut.
        words: (W, D) float16, one row a word, text after text.
        starts: (N + 1,) int64, where the words of each text begin.
        basis: (teacher's width, D) float32 leading directions.
    """

    sentences: Tensor
    words: Tensor
    starts: Tensor
    basis: Tensor


def word_at(text: str) -> tuple[np.ndarray, int]:
    """Number the words: for each character its word, or -1; and how many there are.

    Words are runs of letters and digits; any other mark is a word of its own.
    """
    numbers = np.full(len(text) + 1, -1)
    count = 0
    for count, match in enumerate(WORD.finditer(text), 1):
        numbers[match.start() : match.end()] = count - 1
    return numbers, count


def mean_by_word(hidden: Tensor, words: Tensor, num_words: int) -> Tensor:
    """Mean (num_words, D) of the token vectors (M, D) of each word, given as (M,).

    Tokens of word -1 belong to none; a word without tokens gets zeros.
    """
    is_in = words >= 0
    words, hidden = words[is_in], hidden[is_in]
    total = hidden.new_zeros(num_words, hidden.shape[-1]).index_add(0, words, hidden)
    counts = torch.bincount(words, minlength=num_words).clamp(min=1)
    return total / counts[:, None]


class Teacher:
    """A BERT-like sentence encoder, from a local folder or by its hub name."""

    def __init__(self, path: str | Path):
        self.tokenizer = AutoTokenizer.from_pretrained(str(path))
        self.model = AutoModel.from_pretrained(str(path)).eval().requires_grad_(False)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
        """Sentence vectors (N, width) of norm 1, and each text's words (W, width)."""
        coded = self.tokenizer(
            list(texts),
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        offsets, special = coded.pop("offset_mapping"), coded.pop("special_tokens_mask")
        hidden = self.model(**coded).last_hidden_state
        mask = coded["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        words = []
        for text, rows, spans, is_special in zip(
            texts, hidden, offsets, special, strict=True
        ):
            numbers, count = word_at(text)
            of_token = torch.from_numpy(numbers[spans[:, 1].numpy() - 1])
            of_token[is_special.bool()] = -1
            words.append(mean_by_word(rows, of_token, count))
        return torch.nn.functional.normalize(mean, dim=1), words


def leading_directions(vectors: Tensor, num_parts: int) -> Tensor:
    """Directions (width, num_parts) that keep most of the squared length of (N, width).

    Principal components about the origin, not the mean: cosines keep their meaning.
    """
    values = torch.linalg.eigh(vectors.double().T @ vectors.double())
    return values.eigenvectors.flip(1)[:, :num_parts].float()


def take_lesson(
    teacher: Teacher,
    texts: Sequence[str],
    width: int,
    *,
    batch_size: int = 128,
    progress: type | None = None,
) -> Lesson:
    """Ask the teacher about every text.

    Args:
        teacher: sentence encoder.
        texts: N texts.
        width: numbers kept a vector, at most the teacher's width.
        batch_size: texts of similar length a call.
        progress: wraps the batches, as tqdm does.
    """
    few = np.random.default_rng(0).permutation(len(texts))[:NUM_BASIS]
    basis = leading_directions(
        torch.cat(
            [
                teacher.encode([texts[i] for i in rows])[0]
                for rows in np.array_split(few, max(1, len(few) // batch_size))
            ]
        ),
        width,
    )
    counts = [word_at(text)[1] for text in texts]
    starts = torch.tensor([0, *np.cumsum(counts)])
    sentences = torch.zeros(len(texts), width, dtype=torch.float16)
    words = torch.zeros(int(starts[-1]), width, dtype=torch.float16)
    order = np.argsort([len(text) for text in texts], kind="stable")
    batches: Iterable = np.array_split(order, max(1, len(order) // batch_size))
    for rows in batches if progress is None else progress(batches):
        whole, parts = teacher.encode([texts[i] for i in rows])
        sentences[rows] = (whole @ basis).half()
        for row, part in zip(rows, parts, strict=True):
            words[starts[row] : starts[row + 1]] = (part @ basis).half()
    return Lesson(sentences, words, starts, basis)
