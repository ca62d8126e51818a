"""Questions of "What makes a copier?": a count, an interval, and one noise twice."""

from functools import cache

import torch

from glyflib.evaluation.intervals import share_interval
from glyflib.lessons import results
from glyflib.lessons.question import Mistake, Question


def times_seen(num_shown: int, steps: int = 1800, batch_size: int = 32) -> float:
    """How often a training shows each of its glyphs."""
    return steps * batch_size / num_shown


def most_that_fits(num: int) -> float:
    """The largest share of copies that fits with none among some draws."""
    return share_interval(torch.zeros(num)).high


@cache
def likeness_of_noise(*, same: bool = True) -> float:
    """Mean squared difference of two networks' glyphs, over that of other noises."""
    stored = results.memorisation()
    one = stored.learnt(1_000).images.double()
    other = stored.learnt(10_000).images.double()
    apart = (one - other).square().mean()
    shuffled = (one - other.roll(1, 0)).square().mean()
    return (apart / shuffled if same else shuffled / apart).item()


QUESTIONS = {
    "copier-often": Question(
        right=lambda: times_seen(10),
        because=lambda right: (
            f"57,600 glyphs in all, so each comes {right:,.0f} times."
        ),
        tolerance=0.5,
        mistakes=(
            Mistake(lambda: 1800 / 10, "There are 32 glyphs in each step."),
            Mistake(lambda: 1800 * 32, "So many glyphs in all, and for each of ten?"),
            Mistake(lambda: 1800 * 32 / 100, "That is for a hundred glyphs."),
        ),
        hint="Steps times glyphs in a step, divided by the number of glyphs.",
    ),
    "copier-none": Question(
        right=lambda: most_that_fits(100),
        because=lambda right: f"up to {right:.1%} of copies would fit.",
        tolerance=0.002,
        mistakes=(
            Mistake(lambda: 0.0, "So the bootstrap would say. Wilson's says more."),
            Mistake(lambda: 0.01, "One in a hundred is what you would see on average."),
        ),
        hint="The high end of share_interval(torch.zeros(100)).",
    ),
    "copier-same": Question(
        right=likeness_of_noise,
        because=lambda right: (
            f"{right:.2f} of the difference between two noises is left."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: likeness_of_noise(same=False),
                "The other way round: the same noise above, other noises below.",
            ),
        ),
        hint="Mean squared differences, of the same noise over other noises.",
    ),
}
