"""Questions of chapter 18: bells, draws, a lazy model, recall, a mirror, a kernel."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from glyflib.data import load_glyphs
from glyflib.evaluation.metrics import distances, reach
from glyflib.lessons.question import Mistake, Question

Measure = Callable[[Tensor], Tensor]
BELLS = ((1.0, 2.0), (-1.0, 0.5))  # mean and standard deviation of each
NEIGHBOURS = 3


def frechet_of_bells(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Squared distance of two Gaussians on a line, each a mean and a deviation."""
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def draws_to_meet(share: float, certainty: float) -> int:
    """How many draws it takes to meet at least one of a share, with a certainty."""
    num = 1
    while 1 - (1 - share) ** num < certainty:
        num += 1
    return num


@cache
def share_of_commonest(split: str) -> float:
    """Share of a split's glyphs that have the commonest radical of training."""
    commonest = load_glyphs("train", 32).radicals.bincount().argmax()
    return (load_glyphs(split, 32).radicals == commonest).double().mean().item()


def share_inside(x: Tensor, y: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Share of x (N, D) inside balls of y (M, D) that reach to the k-th neighbour."""
    return (distances(x, y) <= reach(y, k)).any(1).double().mean()


def recall(real: Tensor, drawn: Tensor) -> Tensor:
    """Share of the real points inside balls of the drawn ones."""
    return share_inside(real, drawn)


def precision(real: Tensor, drawn: Tensor) -> Tensor:
    """Share of the drawn points inside balls of the real ones."""
    return share_inside(drawn, real)


def narrow_recall(real: Tensor, drawn: Tensor) -> Tensor:
    """Recall by balls that count a point as its own first neighbour."""
    return share_inside(real, drawn, NEIGHBOURS - 1)


def two_clouds() -> tuple[Tensor, Tensor]:
    """Real and drawn points that give the three functions three values."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(60, 2, generator=generator)
    drawn = 0.6 * torch.randn(40, 2, generator=generator) + 0.5
    return real, drawn


def least(measure: Measure, x0: Tensor) -> Tensor:
    """The lesser of a picture's measure and its mirror image's."""
    return torch.minimum(measure(x0), measure(x0.flip(3)))


def mirrored_only(measure: Measure, x0: Tensor) -> Tensor:
    """The measure of the mirror image alone."""
    return measure(x0.flip(3))


def upside_down(measure: Measure, x0: Tensor) -> Tensor:
    """The lesser of a picture's measure and that of the picture on its head."""
    return torch.minimum(measure(x0), measure(x0.flip(2)))


def least_of_all(measure: Measure, x0: Tensor) -> Tensor:
    """One number for all pictures, the least of all."""
    return least(measure, x0).min().expand(len(x0))


def a_measure() -> tuple[Measure, Tensor]:
    """A distance to the nearest of five small pictures, and six pictures."""
    generator = torch.Generator().manual_seed(0)
    known = torch.randn(5, 16, generator=generator)

    def measure(x0: Tensor) -> Tensor:
        return torch.cdist(x0.flatten(1), known).amin(1)

    return measure, torch.randn(6, 1, 4, 4, generator=generator)


def kernel_of_moments(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Kernel distance of two sets of numbers, by their first three moments."""
    pairs = zip((3, 3, 1), one, other, strict=True)
    return sum(weight * (a - b) ** 2 for weight, a, b in pairs)


GAUSSIAN_MOMENTS, SKEWED_MOMENTS = (0, 1, 0), (0, 1, 2)

QUESTIONS = {
    "evaluation-line": Question(
        right=lambda: frechet_of_bells(*BELLS),
        because="the means give $2^2$ and the standard deviations $1.5^2$.",
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: frechet_of_bells((1, 4), (-1, 0.25)),
                "You took the variances. The standard deviations are compared.",
            ),
            Mistake(
                lambda: frechet_of_bells(*BELLS) ** 0.5,
                "That is its root. The Fréchet distance is a *squared* distance.",
            ),
            Mistake(lambda: 3.5, "Square both differences before you add them."),
            Mistake(
                lambda: frechet_of_bells((1, 2), (1, 0.5)),
                "One of the means is below 0: the middles are 2 apart.",
            ),
        ),
        hint="Add the squared difference of the means and that of the deviations.",
    ),
    "evaluation-draws": Question(
        right=lambda: draws_to_meet(0.01, 0.95),
        because="$0.99^{298}$ is above 0.05, and $0.99^{299}$ is below.",
        mistakes=(
            Mistake(lambda: 95, "With 95 draws you meet *on average* one, nearly."),
            Mistake(lambda: 100, "In 100 draws there is one on average, not surely."),
            Mistake(
                lambda: draws_to_meet(0.01, 0.95) - 1,
                "Nearly: one fewer is not quite enough.",
            ),
            Mistake(
                lambda: draws_to_meet(0.01, 0.05),
                "So many meet a copy with 5 %. It should be 95 %.",
            ),
        ),
        hint="To meet none in n draws has the probability 0.99 to the power n.",
    ),
    "evaluation-commonest": Question(
        right=lambda: share_of_commonest("test"),
        because=lambda right: f"that is {right:.1%} of the held-out glyphs.",
        tolerance=0.0005,
        mistakes=(
            Mistake(
                lambda: share_of_commonest("train"),
                "That is its share in training. Who is asked are the held-out ones.",
            ),
            Mistake(
                lambda: 100 * share_of_commonest("test"),
                "A share is asked for, between 0 and 1, not a percentage.",
            ),
        ),
        hint="A mean of trues and falses is the share of the trues.",
    ),
    "evaluation-recall": Question(
        right=lambda: recall,
        because="the real points are asked about, and the balls are the drawn ones'.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: precision,
                "That is precision: it asks about the drawn points. Turn it round.",
            ),
            Mistake(
                lambda: narrow_recall,
                "Your balls are too small: a point is its own nearest, at distance 0, "
                "so the third other one is the fourth.",
            ),
        ),
        hint="Which share of `real` lies inside a ball of any of `drawn`?",
        given=two_clouds,
    ),
    "evaluation-mirror": Question(
        right=lambda: least,
        because="whichever of the two is nearer to a known glyph tells.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: mirrored_only,
                "That is the mirror image alone. Then a plain copy would pass.",
            ),
            Mistake(
                lambda: upside_down,
                "That stands pictures on their heads: axis 2 is that of the rows.",
            ),
            Mistake(
                lambda: least_of_all,
                "That is one number for all. Each picture has its own.",
            ),
        ),
        hint="Measure the picture and its mirror image; keep the lesser of each pair.",
        given=a_measure,
    ),
    "evaluation-kernel": Question(
        right=lambda: kernel_of_moments(GAUSSIAN_MOMENTS, SKEWED_MOMENTS),
        because="only the third moments differ, by 2, and that is squared.",
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: 0,
                "That is the Fréchet distance. The kernel sees one moment more.",
            ),
            Mistake(lambda: 2, "The third moments differ by 2; square it."),
            Mistake(
                lambda: 12,
                "The factor 3 belongs to the first and the second moment.",
            ),
        ),
        hint="Write the three means of (xy + 1)³ in moments; which terms cancel?",
    ),
}
