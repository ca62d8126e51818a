"""Look inside the text encoder: who looks at whom, one word's vector, a text's mean.

Chapter 15 takes the shipped encoder apart. Invariant: nothing here learns, and what
comes from an encoder is what `TextEncoder.encode` would give, up to float rounding.
"""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from glyflib.t5 import T5Encoder, distance_buckets
from glyflib.text import TextEncoder


def cut(encoder: TextEncoder, text: str) -> list[tuple[str, int]]:
    """The pieces of a text with their numbers, the end token last.

    Args:
        encoder: with a tokenizer of `glyflib.t5`.
        text: one.
    """
    pieces = [*encoder.tokenizer.tokenize(text), "</s>"]
    return list(zip(pieces, encoder.tokenizer(text).input_ids, strict=True))


def first_looks(encoder: TextEncoder, text: str, head: int) -> Tensor:
    """Attention weights (n, n) of one head of the first layer; each row adds up to 1.

    Args:
        encoder: with a network of `glyflib.t5`.
        text: of n tokens, the end token among them.
        head: from 0.

    Raises:
        ValueError: If there is no such head.

    References:
        Raffel et al. 2020, section 2.1: no division by the root of the width.
    """
    model = encoder.model
    if not 0 <= head < model.config.num_heads:
        raise ValueError(f"head {head} must lie in [0, {model.config.num_heads})")
    ids = torch.tensor([encoder.tokenizer(text).input_ids])
    block = model.blocks[0]
    x = block.norm1(model.embedding(ids))
    asked, offered = block.split(block.to_q(x))[0], block.split(block.to_k(x))[0]
    place = torch.arange(ids.shape[1])
    buckets = distance_buckets(place[None, :] - place[:, None], model.config)
    fit = asked[head] @ offered[head].T + model.distance_bias(buckets)[:, :, head]
    return fit.softmax(dim=1)


def word_vector(encoder: TextEncoder, word: str, text: str) -> Tensor:
    """The vector (D,) of a word in a text: the mean over its pieces.

    Args:
        encoder: with a tokenizer of `glyflib.t5`.
        word: as it first stands in the text, in small letters.
        text: with single spaces.

    Raises:
        ValueError: If the word is not in the text.
    """
    begin = text.lower().find(word)
    if begin < 0:
        raise ValueError(f"{word!r} is not in {text!r}")
    inside, end = [], -1  # the first piece has a mark before its first letter
    for piece in encoder.tokenizer.tokenize(text):
        end += len(piece)  # where this piece ends, in letters
        inside.append(begin < end <= begin + len(word))
    tokens = encoder.encode(text).tokens[0, : len(inside)]
    return tokens[torch.tensor(inside)].mean(dim=0)


def mean_tokens(encoder: TextEncoder, texts: Sequence[str]) -> Tensor:
    """Mean token (N, D) of each of N texts; texts of like length go together.

    Args:
        encoder: of width D.
        texts: no longer than 95 tokens, or they are cut.
    """
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    found = torch.zeros(len(texts), encoder.width)
    for start in range(0, len(order), 100):
        rows = order[start : start + 100]
        with warnings.catch_warnings(action="ignore"):  # of words that it knows not
            group = encoder.encode([texts[row] for row in rows], max_tokens=95)
        found[rows] = group.mean_tokens()
    return found


def table_means(encoder: TextEncoder, texts: Sequence[str]) -> Tensor:
    """The same without context: the mean (N, D) of each text's rows in the table."""
    table = encoder.model.embedding.weight
    ids = encoder.tokenizer(list(texts)).input_ids
    return torch.stack([table[row].mean(dim=0) for row in ids])


def untrained_like(encoder: TextEncoder, seed: int) -> TextEncoder:
    """An encoder of the same shape and the same pieces that has learnt nothing.

    Args:
        encoder: with a network of `glyflib.t5`.
        seed: of its random weights.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        blank = T5Encoder(encoder.model.config)
    return TextEncoder(encoder.tokenizer, blank)


def piece_scores(encoder: TextEncoder) -> dict[str, float]:
    """Natural logarithm of each piece's probability, by which text is cut.

    Args:
        encoder: with a tokenizer of `glyflib.t5`.

    References:
        Kudo 2018, section 3.2.
    """
    pieces = encoder.tokenizer.pieces
    return {
        pieces.id_to_piece(number): pieces.get_score(number)
        for number in range(len(pieces))
        if not (pieces.is_control(number) or pieces.is_unknown(number))
    }
