"""Questions of chapter 17: a line, two ways to count, doubt, a third, two words, bells.

Invariant: answers are computed from the package or from the formulas beside them.
"""

from functools import cache

import torch
from torch import Tensor

from glyflib import data
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.lessons import results
from glyflib.lessons.question import Mistake, Question


def guided_answer(eps_null: float, eps_told: float, scale: float) -> float:
    """The answer without the word, and `scale` times the step that the word makes."""
    return eps_null + scale * (eps_told - eps_null)


def scale_of(w: float) -> float:
    """The scale of this book for the w of Ho and Salimans (2022)."""
    return 1 + w


def worth(verdicts: list[float], scale: float) -> tuple[float, float]:
    """What a noisy place deserves, and what guidance gives it.

    Args:
        verdicts: of the judge on what the place may become, with equal chances.
        scale: of the guidance.

    Returns:
        mean of the powers, and power of the mean.
    """
    numbers = torch.tensor(verdicts, dtype=torch.float64)
    return (numbers**scale).mean().item(), (numbers.mean() ** scale).item()


@cache
def hits_of_thirds() -> dict[str, int]:
    """Captions that are hit if guidance is on in a third of the levels only."""
    stored = results.guidance()
    test = data.load_glyphs("test", 32)
    wanted = test.radicals[data.evenly(stored.num_captions, len(test))]
    reader = RadicalClassifier.load()
    found = {}
    for third in stored.spans:
        x0 = data.x0_from_images(stored.guided_within(third))
        found[third] = int((reader.read(x0).radicals == wanted).sum())
    return found


def best_third() -> str:
    """The third with the most hits."""
    found = hits_of_thirds()
    return max(found, key=found.get)


def both_words(eps_null: Tensor, eps_a: Tensor, eps_b: Tensor, scale: float) -> Tensor:
    """Steps towards two words, both seen from the answer without either.

    References:
        Liu et al. 2022, section 3.
    """
    return eps_null + scale * (eps_a - eps_null) + scale * (eps_b - eps_null)


def mean_of_words(
    eps_null: Tensor, eps_a: Tensor, eps_b: Tensor, scale: float
) -> Tensor:
    """A step towards the mean of the two answers: half as far to each."""
    return eps_null + scale * ((eps_a + eps_b) / 2 - eps_null)


def one_null(eps_null: Tensor, eps_a: Tensor, eps_b: Tensor, scale: float) -> Tensor:
    """The start is taken away once, not twice."""
    return eps_null + scale * (eps_a + eps_b - eps_null)


def from_a(eps_null: Tensor, eps_a: Tensor, eps_b: Tensor, scale: float) -> Tensor:
    """Word a in the place of the start: towards b, away from a."""
    return eps_a + scale * (eps_b - eps_a)


def answers_of_three() -> tuple[Tensor, Tensor, Tensor, float]:
    """Three answers and a scale, on which a function is tried."""
    gen = torch.Generator().manual_seed(0)
    eps_null, eps_a, eps_b = torch.randn(3, 2, 1, 4, 4, generator=gen).double()
    return eps_null, eps_a, eps_b, 2.5


def sharpened_variance(told: float, whole: float, scale: float) -> float:
    """Variance of q(x | y)^s q(x)^(1 - s), for bells of these variances and mean 0."""
    return 1 / (scale / told + (1 - scale) / whole)


def guided_variance(told: float, whole: float, scale: float) -> float:
    """Variance of what guidance draws along the probability flow, for the same bells.

    References:
        Bradley and Nakkiran 2025, for whole 2 and told 1.
    """
    return whole ** (1 - scale) * told**scale


QUESTIONS = {
    "guidance-line": Question(
        right=lambda: guided_answer(0.5, 0.2, 3),
        because=lambda right: (
            f"three steps of {guided_answer(0.5, 0.2, 1) - 0.5:.1f}, from 0.5 on, lead "
            f"to {right:.1f}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: guided_answer(0.2, 0.5, 3),
                "That goes from the answer with the word towards the one without it.",
            ),
            Mistake(
                lambda: 0.2 + 3 * (0.2 - 0.5),
                "The steps start at the answer *without* the word. (Ho and Salimans "
                "count from the other.)",
            ),
            Mistake(
                lambda: 0.5 + 3 * (0.5 - 0.2),
                "The step leads from the answer without the word to the one with it.",
            ),
            Mistake(lambda: 3 * 0.2, "Where do you start, and how long is a step?"),
        ),
        hint="The answer without the word, plus three times the difference.",
    ),
    "guidance-count": Question(
        right=lambda: scale_of(1.5),
        because=lambda right: f"no guidance is w = 0 and scale 1, so it is {right:g}.",
        tolerance=0.005,
        mistakes=(
            Mistake(lambda: 1.5, "That is their number. Theirs is 0 where ours is 1."),
            Mistake(lambda: 0.5, "The other way: ours is the larger number."),
        ),
        hint="No guidance is w = 0 for them, and scale 1 for us.",
    ),
    "guidance-doubt": Question(
        right=lambda: worth([0.9, 0.1], 2),
        because=lambda right: (
            f"it deserves {right[0]:.2f} and is given {right[1]:.2f}, about three "
            "fifths of it."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: worth([0.9, 0.1], 2)[::-1],
                "The other way round: it deserves the mean of the squares.",
            ),
            Mistake(
                lambda: (0.5, 0.25),
                "The second is right. For the first, square each verdict, then take "
                "the mean.",
            ),
            Mistake(
                lambda: (0.82, 0.25),
                "The second is right. The first is a sum; take the mean.",
            ),
        ),
        hint="First the mean of the squares, then the square of the mean.",
    ),
    "guidance-part": Question(
        right=best_third,
        because=lambda right: (
            f"guided in the {right} third alone, {hits_of_thirds()[right]} of the 64 "
            "captions are hit."
        ),
        mistakes=(
            Mistake(
                lambda: "late",
                "Late the rough structure stands, and with it the radical. Count.",
            ),
            Mistake(lambda: "middle", "Near, but another third brings more. Count."),
        ),
        hint='One of the three words, "early", "middle" or "late".',
    ),
    "guidance-both": Question(
        right=lambda: both_words,
        because="two steps, both from the answer without a word.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: mean_of_words,
                "That goes half as far to each: a step to the mean of the answers.",
            ),
            Mistake(
                lambda: one_null,
                "Each of the two steps is a difference; take eps_null away twice.",
            ),
            Mistake(
                lambda: from_a,
                "That steers towards b and away from a, as a negative prompt does.",
            ),
        ),
        hint="eps_null, plus scale times one difference, plus scale times the other.",
        given=answers_of_three,
    ),
    "guidance-bell": Question(
        right=lambda: (sharpened_variance(1, 2, 3), guided_variance(1, 2, 3)),
        because=lambda right: (
            f"sharpened, the variance is {right[0]:g}; guided draws have {right[1]:g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: (sharpened_variance(1, 2, 3), guided_variance(1, 2, 3) ** 0.5),
                "The second is what the noise is multiplied by. Its square is asked.",
            ),
            Mistake(
                lambda: (1 / sharpened_variance(1, 2, 3), guided_variance(1, 2, 3)),
                "The first is the sum in the exponent, which is one over the variance.",
            ),
            Mistake(
                lambda: (guided_variance(1, 2, 3), sharpened_variance(1, 2, 3)),
                "The right numbers, in the other order: the sharpened one first.",
            ),
        ),
        hint="One over the first is 3 / v - 2 / V. The second is a square.",
    ),
}
