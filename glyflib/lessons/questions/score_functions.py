"""Questions of chapter 8: arrows of bells and of data, and walkers who follow them."""

from functools import cache

import torch
from torch import Tensor

from glyflib.data import load_glyphs
from glyflib.exact import GaussianMixture, IdealDenoiser
from glyflib.lessons import islands
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import linear_alpha_bar, score_from_eps

MEAN, STD, PLACE = 2.0, 0.5, 3.5
ALPHA_BAR, GUESS = 0.64, -0.3
TOPS = (50, 100, 200, 500)
CLOSE = 0.06  # how far a share may be off
STEP, VARIANCE = 0.5, 1.0


def one_level(ab: float | Tensor) -> Tensor:
    """A schedule that has only one noisy level."""
    return torch.tensor([1.0, float(ab)], dtype=torch.float64)


def score_of_bell(place: float = PLACE, std: float = STD) -> float:
    """The score of a bell with mean 2, by the package."""
    bell = GaussianMixture.isotropic(
        torch.ones(1),
        torch.tensor([[MEAN]], dtype=torch.float64),
        torch.tensor([std]),
        one_level(0.5),
    )
    return bell.score(torch.tensor([[place]]).double(), torch.tensor(0)).item()


def score_of_guess() -> float:
    """The score that belongs to a guess of the noise."""
    eps = torch.tensor([GUESS], dtype=torch.float64)
    return score_from_eps(eps, torch.tensor([1]), one_level(ALPHA_BAR)).item()


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Noisy points, alpha_bar and data, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    xt, data = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    return xt, torch.tensor(0.6, dtype=torch.float64), data


def noise_of(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The mean noise in xt, by the package."""
    return IdealDenoiser(data, one_level(ab)).predict_eps(xt, torch.tensor(1))


def score_of(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The score of the noised data at xt, by the package."""
    noise = noise_of(xt, ab, data)
    return score_from_eps(noise, torch.tensor(1), one_level(ab))


def unturned(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The arrow that leads away from the data."""
    return -score_of(xt, ab, data)


def undivided(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The way to the believed data, not divided by the noise's variance."""
    return (1 - ab) * score_of(xt, ab, data)


def noise_turned(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The mean noise turned round, without its factor."""
    return -noise_of(xt, ab, data)


def to_unshrunk(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The pull by someone who forgot that the believed data have shrunk."""
    x0_hat = IdealDenoiser(data, one_level(ab)).denoise(xt, torch.tensor(1))
    return (x0_hat - xt) / (1 - ab)


@cache
def errors_by_top() -> dict[int, float]:
    """The largest error of a share, by the level at which 1,500 walkers begin."""
    alpha_bar = linear_alpha_bar()
    glyphs = load_glyphs("all", 32)
    places = islands.scaled_map(glyphs)
    rows = islands.find_islands(glyphs).values()
    mixture = islands.as_gaussians([places[some] for some in rows], alpha_bar)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(1500, 2, generator=generator, dtype=torch.float64)
    errors = {}
    for top in TOPS:
        falling = torch.linspace(top, 20, 50).round().long()
        levels = falling.repeat_interleave(10).tolist()
        *_, last = islands.walk(
            start, levels, mixture.score, alpha_bar, generator=generator
        )
        island = mixture.responsibilities(last, torch.tensor(20)).argmax(1)
        shares = island.bincount(minlength=len(rows)) / len(last)
        errors[top] = (shares - mixture.weights).abs().max().item()
    return errors


def lowest_top() -> int:
    """The lowest level from which walkers find all shares."""
    return min(top for top, error in errors_by_top().items() if error < CLOSE)


def settled(h: float = STEP, v: float = VARIANCE) -> float:
    """The variance at which Langevin steps come to rest, by taking many of them."""
    variance = v
    for _ in range(1000):
        variance = (1 - h / v) ** 2 * variance + 2 * h
    return variance


QUESTIONS = {
    "score-bell": Question(
        right=score_of_bell,
        because=lambda right: (
            f"it is {right:g}: the distance to the mean, over the variance, and the "
            "minus sign says back to the mean."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: -score_of_bell(), "The size is right. Which way is the mean?"
            ),
            Mistake(
                lambda: (MEAN - PLACE) / STD,
                "You divided by the standard deviation. The score wants the variance.",
            ),
            Mistake(
                lambda: MEAN - PLACE,
                "That is the way to the mean. Divide it by the variance.",
            ),
        ),
        hint="The mean less the place, over the variance.",
    ),
    "score-guess": Question(
        right=score_of_guess,
        because=lambda right: (
            f"it is {right:g}: the guess turned round, over the factor of the noise."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: -score_of_guess(),
                "The size is right. Uphill is against the noise.",
            ),
            Mistake(
                lambda: -GUESS / (1 - ALPHA_BAR),
                "You divided by the variance of the noise. Take its root.",
            ),
            Mistake(
                lambda: -GUESS * (1 - ALPHA_BAR) ** 0.5,
                "Divide by the factor; do not multiply. That would be the way from "
                "the score to the noise.",
            ),
            Mistake(
                lambda: -GUESS / ALPHA_BAR**0.5,
                "That is the factor of the data. Which one does the noise have?",
            ),
        ),
        hint="The factor of the noise is the root of 1 less alpha bar.",
    ),
    "score-votes": Question(
        right=lambda: score_of,
        because="each vote pulls towards its shrunk data point.",
        tolerance=1e-4,
        mistakes=(
            Mistake(lambda: unturned, "It leads away from the data: turn it round."),
            Mistake(
                lambda: undivided,
                "That is the way to the shrunk belief. Divide by the noise's variance.",
            ),
            Mistake(
                lambda: noise_turned,
                "That is the mean noise, turned round. It still wants its factor.",
            ),
            Mistake(
                lambda: to_unshrunk,
                "The pull leads to the believed data as they have shrunk.",
            ),
        ),
        hint="First the votes, then the mean of the pulls by these votes.",
        given=example,
    ),
    "score-late": Question(
        right=lowest_top,
        because=lambda right: (
            f"at level {right} walkers can still pass from one island to the next, and "
            "at the lower levels they are caught."
        ),
        mistakes=(
            Mistake(lambda: 500, "All shares come out right. And from a lower level?"),
            Mistake(lambda: 100, "The islands are apart already: compare the shares."),
            Mistake(lambda: 50, "The islands are far apart there. Look at the shares."),
        ),
        hint="One of the four levels: compare the shares with the true ones.",
    ),
    "score-step": Question(
        right=settled,
        because=lambda right: (
            f"they settle at {right:.3f}, which is wider than the bell itself."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: VARIANCE, "That holds only for steps that are very small."),
            Mistake(
                lambda: (1 - STEP) ** 2 * VARIANCE + 2 * STEP,
                "That is the variance after one step. Go on until it changes no more.",
            ),
            Mistake(
                lambda: 2 * STEP / (1 - (1 - STEP)),
                "A factor multiplies a variance by its square.",
            ),
        ),
        hint="Variance after a step = variance before it. Solve for the variance.",
    ),
}
