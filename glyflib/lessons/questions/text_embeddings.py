"""Questions of chapter 15: sizes, cosines, a blind guess, means, order and cuts."""

import math
from copy import deepcopy
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from glyflib.lessons.question import Mistake, Question
from glyflib.lessons.text_vectors import mean_tokens
from glyflib.text import TextEncoder

WORDS, WIDTH = 8, 256
PAIR = ((3.0, 4.0), (4.0, 3.0))
BATCH = 256
BITES = ("dog bites man", "man bites dog")
WORD = "▁lithium"


def cosine(pair: tuple = PAIR) -> float:
    """The cosine of two vectors."""
    a, b = torch.tensor(pair)
    return cosine_similarity(a, b, dim=0).item()


def blind_loss(batch: int = BATCH) -> float:
    """The contrastive loss where all cosines are the same."""
    return cross_entropy(torch.zeros(batch, batch), torch.arange(batch)).item()


def mean_token(tokens: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, D) of the real tokens (B, L, D)."""
    rows = [some[real].mean(dim=0) for some, real in zip(tokens, mask, strict=True)]
    return torch.stack(rows)


def over_all(tokens: Tensor, mask: Tensor) -> Tensor:
    """The sum of the real tokens, over the length of the padded text."""
    return (tokens * mask[:, :, None]).mean(dim=1)


def with_padding(tokens: Tensor, mask: Tensor) -> Tensor:
    """The mean of all rows, padding among them."""
    return tokens.mean(dim=1)


def summed(tokens: Tensor, mask: Tensor) -> Tensor:
    """The sum of the real tokens."""
    return (tokens * mask[:, :, None]).sum(dim=1)


def padded_texts() -> tuple[Tensor, Tensor]:
    """Two texts, one of them padded with numbers that are not 0."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(2, 5, 3, generator=generator)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    return tokens, mask


@cache
def likeness(has_order: bool = False) -> float:
    """The cosine of "dog bites man" and "man bites dog", without numbers of places."""
    encoder = deepcopy(TextEncoder.load())
    if not has_order:
        encoder.model.distance_bias.weight.zero_()
    first, second = mean_tokens(encoder, BITES)
    return cosine_similarity(first, second, dim=0).item()


def best_cut(word: str, scores: dict[str, float]) -> float:
    """Logarithm of the likeliest cut, by what remains after each first piece."""

    @cache
    def best(start: int) -> float:
        if start == len(word):
            return 0.0
        ends = range(start + 1, len(word) + 1)
        found = [
            scores[word[start:end]] + best(end)
            for end in ends
            if word[start:end] in scores
        ]
        return max(found, default=-math.inf)

    return best(0)


def longest_first(word: str, scores: dict[str, float]) -> float:
    """The cut that always takes the longest piece, which need not be the likeliest."""
    start, total = 0, 0.0
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((e for e in ends if word[start:e] in scores), None)
        if end is None:
            return -math.inf
        total, start = total + scores[word[start:end]], end
    return total


def fewest_letters(word: str, scores: dict[str, float]) -> float:
    """The cut into single letters."""
    return sum(scores.get(letter, -99.0) for letter in word)


def a_word() -> tuple[str, dict[str, float]]:
    """A word whose likeliest cut is not that of the longest first piece."""
    return "abcd", {
        "a": -3.0,
        "b": -3.0,
        "c": -3.0,
        "d": -9.0,
        "ab": -5.0,
        "bcd": -4.0,
        "abc": -5.0,
    }


QUESTIONS = {
    "text-size": Question(
        right=lambda: (WORDS + 1) * WIDTH,
        because=lambda right: f"nine rows of {WIDTH} numbers are {right:,}.",
        mistakes=(
            Mistake(lambda: WORDS * WIDTH, "The end of the text has a row, too."),
            Mistake(lambda: WIDTH, "That is one row. How many are there?"),
            Mistake(lambda: WORDS + 1, "So many rows. How many numbers in each?"),
        ),
        hint="Rows times the width of a row, which is 256.",
    ),
    "text-cosine": Question(
        right=cosine,
        because=lambda right: f"24 over 25 is {right:g}: nearly the same direction.",
        tolerance=0.003,
        mistakes=(
            Mistake(lambda: 24.0, "That is the dot product. Divide by both lengths."),
            Mistake(
                lambda: 24 / 5,
                "You divided by one of the lengths. Divide by the other.",
            ),
            Mistake(lambda: 24 / 50, "The length is the root of the sum of squares."),
        ),
        hint="The dot product, over both lengths.",
    ),
    "text-guess": Question(
        right=blind_loss,
        because=lambda right: f"ln 256 is {right:.2f}, as for any blind guess.",
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: 1 / BATCH, "That is the probability. Take its logarithm."),
            Mistake(
                lambda: -math.log(BATCH), "A loss is *minus* the logarithm: turn it."
            ),
            Mistake(
                lambda: math.log2(BATCH), "That is the logarithm to base 2. Take ln."
            ),
        ),
        hint="Minus the natural logarithm of 1 in 256.",
    ),
    "text-mean": Question(
        right=lambda: mean_token,
        because="each text is divided by the number of its own real tokens.",
        tolerance=1e-5,
        mistakes=(
            Mistake(
                lambda: over_all,
                "You divide by L. A short text has fewer real tokens than that.",
            ),
            Mistake(lambda: with_padding, "The rows of padding count as well."),
            Mistake(lambda: summed, "That is the sum. Divide it."),
        ),
        hint="The sum over the real tokens, by how many there are.",
        given=padded_texts,
    ),
    "text-order": Question(
        right=likeness,
        because="without numbers of places the tokens are a heap.",
        tolerance=0.0004,
        mistakes=(
            Mistake(
                lambda: likeness(True),
                "That is the cosine with order. Have all numbers been set to 0?",
            ),
            Mistake(
                lambda: 0.0, "A cosine of 0 has nothing in common. They have all words."
            ),
        ),
        hint="Swap two tokens: what happens to their vectors, and to the mean?",
    ),
    "text-cut": Question(
        right=lambda: best_cut,
        because="the best cut up to each letter is all that has to be remembered.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: longest_first,
                "You take the longest piece each time. What follows may be dear.",
            ),
            Mistake(lambda: fewest_letters, "Pieces may be longer than a letter."),
        ),
        hint="Keep the best value up to each place, from left to right.",
        given=a_word,
    ),
}
