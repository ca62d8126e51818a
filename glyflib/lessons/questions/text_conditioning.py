"""Questions of chapter 16: a message, votes, a doubled text, a mean, a tug of war."""

from functools import cache
from math import log

import torch
from torch import Tensor

from glyflib.evaluation.parts import read_parts
from glyflib.evaluation.probes import hearing
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.question import Mistake, Question
from glyflib.unet import attend, masked_mean

# Of exercise 1: matches that are divided by the root of d already, and values.
MATCHES = (log(1), log(2), log(5))
VALUES = (8.0, 4.0, 0.0)
RIVALS = ("fish", "bird")


def message(matches: tuple[float, ...], values: tuple[float, ...]) -> float:
    """What a place takes up: the mean of the values by votes."""
    votes = torch.tensor(matches, dtype=torch.float64).softmax(dim=0)
    return (votes * torch.tensor(values, dtype=torch.float64)).sum().item()


def by_matches_alone() -> float:
    """What a place would take up if its votes were the matches themselves."""
    products = [m * v for m, v in zip(MATCHES, VALUES, strict=True)]
    return sum(products) / sum(MATCHES)


def num_votes(side: int, num_tokens: int, num_heads: int) -> int:
    """How many votes a layer of cross-attention gives."""
    return side * side * num_tokens * num_heads


@cache
def change_by_doubling(seed: int = 0) -> float:
    """The largest change of a message if each token is handed over twice."""
    gen = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(1, 1, n, 8, generator=gen).double() for n in (4, 6, 6))
    twice = torch.cat([k, k], dim=2), torch.cat([v, v], dim=2)
    return (attend(q, *twice) - attend(q, k, v)).abs().max().item()


def two_texts() -> tuple[Tensor, Tensor]:
    """Two texts of two and of four tokens, (2, 4, 3), padded with wild numbers."""
    tokens = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, True, False, False], [True] * 4])
    return torch.where(mask[..., None], tokens, 100 + tokens), mask


def mean_of_all(tokens: Tensor, mask: Tensor) -> Tensor:
    """The mean with the padding in it."""
    return tokens.mean(dim=1)


def sum_of_real(tokens: Tensor, mask: Tensor) -> Tensor:
    """The sum of the real tokens, not divided."""
    return (tokens * mask[..., None]).sum(dim=1)


def sum_over_length(tokens: Tensor, mask: Tensor) -> Tensor:
    """The sum of the real tokens, divided by how many there are with padding."""
    return sum_of_real(tokens, mask) / tokens.shape[1]


def one_for_all(tokens: Tensor, mask: Tensor) -> Tensor:
    """The sum of the real tokens, divided by how many there are in all texts."""
    return sum_of_real(tokens, mask) / mask.sum()


@cache
def tug_of_war(num: int = 6, num_steps: int = 6) -> str:
    """Which way wins if each hears another animal: "attention" or "mean"."""
    glyffuser = Glyffuser.load()
    texts = {animal: glyffuser.encoder.encode(animal) for animal in RIVALS}
    won = 0
    for attended, averaged in (RIVALS, RIVALS[::-1]):
        with hearing(
            glyffuser.unet, attended=texts[attended], averaged=texts[averaged]
        ):
            x0 = glyffuser.sample([""] * num, num_steps=num_steps, scale=1.0)
        parts = read_parts(x0)
        won += (parts.of(attended) > parts.of(averaged)).sum().item()
    return "attention" if won > num else "mean"


def a_noisy_picture() -> tuple[Tensor, Tensor]:
    """Three small pictures (3, 1, 4, 4), and sixteen numbers for each (3, 16)."""
    gen = torch.Generator().manual_seed(0)
    return torch.randn(3, 1, 4, 4, generator=gen), torch.randn(3, 16, generator=gen)


def on_top(xt: Tensor, numbers: Tensor) -> Tensor:
    """Numbers laid out as a picture, row by row, and added."""
    return xt + numbers.reshape(xt.shape)


def column_by_column(xt: Tensor, numbers: Tensor) -> Tensor:
    """The same, laid out column by column."""
    return xt + numbers.reshape(xt.shape).transpose(2, 3)


def alike_everywhere(xt: Tensor, numbers: Tensor) -> Tensor:
    """Their mean, added at every place."""
    return xt + numbers.mean(dim=1)[:, None, None, None]


def instead(xt: Tensor, numbers: Tensor) -> Tensor:
    """Their picture, in place of the other."""
    return numbers.reshape(xt.shape)


QUESTIONS = {
    "words-message": Question(
        right=lambda: message(MATCHES, VALUES),
        because=lambda right: (
            "the exponentials are 1, 2 and 5, so the votes are 1/8, 2/8 and 5/8, and "
            f"8 times the first plus 4 times the second is {right:g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: sum(VALUES) / len(VALUES),
                "That is the plain mean: every token had the same vote.",
            ),
            Mistake(
                by_matches_alone,
                "The votes grow with the exponential of a match, not with the match.",
            ),
            Mistake(
                lambda: 8 * message(MATCHES, VALUES),
                "Nearly: the votes have to add up to 1.",
            ),
            Mistake(
                lambda: 0.0,
                "That is the value of the best match alone. The others count, too.",
            ),
        ),
        hint="Take the exponential of each match, and divide by the sum of the three.",
    ),
    "words-votes": Question(
        right=lambda: num_votes(8, 6, 2),
        because=lambda right: (
            f"64 places, 6 tokens, 2 heads: {right}. Twice as long a text costs twice "
            "as much; self-attention has the square of the places."
        ),
        mistakes=(
            Mistake(
                lambda: num_votes(8, 6, 1), "And each of the two heads has its own."
            ),
            Mistake(
                lambda: num_votes(8, 64, 2),
                "That is self-attention, where places look at places.",
            ),
            Mistake(
                lambda: num_votes(8, 1, 2),
                "That is how often a place asks. Each time it gives 6 votes.",
            ),
            Mistake(lambda: 8 * 6 * 2, "A map of 8 by 8 has how many places?"),
        ),
        hint="Places times tokens times heads.",
    ),
    "words-twice": Question(
        right=change_by_doubling,
        because="all votes are halved, and each value is counted twice.",
        tolerance=1e-6,
        mistakes=(
            Mistake(lambda: 1.0, "Twice the tokens: but what becomes of the votes?"),
            Mistake(lambda: 2.0, "Twice the tokens: but what becomes of the votes?"),
            Mistake(lambda: 0.5, "The votes are halved. And how many are there?"),
        ),
        hint="Votes add up to 1, however many tokens there are.",
    ),
    "words-mean": Question(
        right=lambda: masked_mean,
        because="only real tokens are added, and the sum is divided by their number.",
        tolerance=1e-5,
        mistakes=(
            Mistake(lambda: mean_of_all, "The padding is in your mean."),
            Mistake(lambda: sum_of_real, "That is the sum. Now divide it."),
            Mistake(
                lambda: sum_over_length,
                "Divide by the number of *real* tokens, not by the length.",
            ),
            Mistake(
                lambda: one_for_all,
                "Each text has a number of real tokens of its own: sum the mask along "
                "its rows.",
            ),
        ),
        hint="Set the padding to 0, add up, and divide by the sum of the mask.",
        given=two_texts,
    ),
    "words-war": Question(
        right=tug_of_war,
        because="whichever animal it hears is drawn more often, both times.",
        mistakes=(
            Mistake(lambda: "mean", "Count again: which of the two animals is drawn?"),
        ),
        hint='One of the two words, "attention" or "mean".',
    ),
    "words-front": Question(
        right=lambda: on_top,
        because="each number has a place of its own, and lies on top of a pixel.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: column_by_column,
                "Nearly: lay the numbers out row by row, as `reshape` does.",
            ),
            Mistake(
                lambda: alike_everywhere, "Each pixel is to get a number of its own."
            ),
            Mistake(lambda: instead, "And where has the picture gone? Add it."),
        ),
        hint="Bring the numbers to the shape of xt, and add.",
        given=a_noisy_picture,
    ),
}
