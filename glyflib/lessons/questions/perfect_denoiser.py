"""Questions of chapter 7: votes, candidates, floors, and what a denoiser is told."""

from functools import cache

import torch
from torch import Tensor

from glyflib.data import evenly, load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import add_noise, linear_alpha_bar

NOISED_TO = 600
TOO_FEW, TOO_MANY = 500, 700
LOSSES = {20: 0.90, 200: 0.58, 400: 0.10}
FLOORS = {20: 0.87, 200: 0.64, 400: 0.04}


def one_level(ab: float | Tensor) -> Tensor:
    """A schedule that has only one noisy level."""
    return torch.tensor([1.0, float(ab)], dtype=torch.float64)


def answer_of_two(xt: float = 0.5, ab: float = 0.5) -> float:
    """The perfect answer to a noisy number, for the data -1 and +1."""
    data = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    seen = torch.tensor([[xt]], dtype=torch.float64)
    return IdealDenoiser(data, one_level(ab)).denoise(seen, torch.tensor(1)).item()


def unshrunk_answer_of_two(xt: float = 0.5, ab: float = 0.5) -> float:
    """The same by someone who forgot that the data have shrunk."""
    places = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    votes = (-((xt - places) ** 2) / (2 * (1 - ab))).softmax(0)
    return (votes @ places).item()


def candidates(*votes: float) -> float:
    """The effective number of candidates."""
    return (
        torch.special.entr(torch.tensor(votes, dtype=torch.float64)).sum().exp().item()
    )


def suspect_and_gain(level: int | None = None) -> tuple[int, int, float]:
    """The level whose loss is below the floor, another one, and its distance.

    The distance is loss less floor. The other level is that with the largest, if None.
    """
    gains = {t: LOSSES[t] - FLOORS[t] for t in LOSSES}
    level = max(gains, key=gains.get) if level is None else level
    return min(gains, key=gains.get), level, gains[level]


def suspect_and_loss(level: int) -> tuple[int, int, float]:
    """The same by someone who thinks that a loss can fall to 0."""
    return suspect_and_gain()[0], level, LOSSES[level]


@cache
def costlier_lie() -> int:
    """Which of two wrong levels, told to a perfect denoiser, makes it err more."""
    x0 = x0_from_images(load_glyphs("train", 32).images)
    alpha_bar = linear_alpha_bar()
    ideal = IdealDenoiser(x0, alpha_bar)
    some = x0[evenly(32, len(x0))]
    eps = torch.randn(some.shape, generator=torch.Generator().manual_seed(0))
    noisy = add_noise(some, eps, torch.tensor(NOISED_TO), alpha_bar)
    errors = {}
    for told in (TOO_FEW, TOO_MANY):
        off = ideal.denoise(noisy, torch.tensor(told)) - some
        errors[told] = off.square().mean().item()
    return max(errors, key=errors.get)


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Noisy points, alpha_bar and data, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    xt, data = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    return xt, torch.tensor(0.6, dtype=torch.float64), data


def ideal_at(ab: Tensor, data: Tensor) -> IdealDenoiser:
    """The perfect denoiser of the data, at the one noisy level of a schedule."""
    return IdealDenoiser(data, one_level(ab))


def noise_of(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The mean of the noise in xt, by the package."""
    return ideal_at(ab, data).predict_eps(xt, torch.tensor(1))


def data_of(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The mean of the data in xt, by the package."""
    return ideal_at(ab, data).denoise(xt, torch.tensor(1))


def undivided(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The noise as strong as it is in xt."""
    return (1 - ab) ** 0.5 * noise_of(xt, ab, data)


def noise_by_plain_distance(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The noise by someone who forgot to square the distances."""
    votes = (-torch.cdist(xt, ab**0.5 * data) / (2 * (1 - ab))).softmax(dim=1)
    return (xt - ab**0.5 * (votes @ data)) / (1 - ab) ** 0.5


def noise_of_unshrunk(xt: Tensor, ab: Tensor, data: Tensor) -> Tensor:
    """The noise by someone who took the believed data away as they were at level 0."""
    return (xt - data_of(xt, ab, data)) / (1 - ab) ** 0.5


def three_clouds() -> tuple[Tensor, Tensor, Tensor]:
    """Draws, data and fresh points, on which a measure of copying is tried."""
    generator = torch.Generator().manual_seed(0)
    data, fresh = torch.randn(2, 9, 2, generator=generator)
    near = data[:7] + 0.1 * torch.randn(7, 2, generator=generator)
    return near, data, fresh


def gap_of(draws: Tensor, data: Tensor) -> float:
    """Median distance of the draws from the nearest of the data."""
    return torch.cdist(draws, data).min(dim=1).values.median().item()


def copy_share(draws: Tensor, data: Tensor, fresh: Tensor) -> float:
    """How far the draws lie from the data, as a share of how far fresh ones do."""
    return gap_of(draws, data) / gap_of(fresh, data)


def undivided_gap(draws: Tensor, data: Tensor, fresh: Tensor) -> float:
    """How far the draws lie from the data."""
    return gap_of(draws, data)


def missed_share(draws: Tensor, data: Tensor, fresh: Tensor) -> float:
    """The same with the other distances: from each of the data to the nearest draw."""
    return gap_of(data, draws) / gap_of(data, fresh)


QUESTIONS = {
    "perfect-two": Question(
        right=answer_of_two,
        because=lambda right: (
            f"the vote of +1 is {(1 + right) / 2:.3f}, and that of -1 the rest, so the "
            f"mean is {right:.3f}: leaning to +1, but not sure."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(lambda: 1.0, "That is the nearest point. A mean is asked for."),
            Mistake(
                unshrunk_answer_of_two,
                "The data have shrunk on their way: the centres are not at -1 and +1.",
            ),
            Mistake(
                lambda: (1 + answer_of_two()) / 2,
                "That is the vote of +1. What is the mean of -1 and +1, by the votes?",
            ),
        ),
        hint="Two exponentials of minus a squared distance; divide each by their sum.",
    ),
    "perfect-candidates": Question(
        right=lambda: candidates(0.5, 0.25, 0.25),
        because=lambda right: (
            f"{right:.2f} is a little less than 3, because one of the three is ahead."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: 3.0, "It would be 3 if the three had equal votes."),
            Mistake(
                lambda: 1.5,
                "That is the sum, in units of ln 2. Now put it into the exponent.",
            ),
        ),
        hint="First the sum of -w ln w over the three, then e to the power of it.",
    ),
    "perfect-share": Question(
        right=suspect_and_gain,
        because=lambda right: (
            f"at level {right[0]} the loss is below the floor, so the network has seen "
            f"the answers. At level {right[1]} the distance is {right[2]:.2f}, and at "
            f"level 20 it is {suspect_and_gain(20)[2]:.2f}."
        ),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                lambda: suspect_and_gain(20),
                "That can be gained at level 20. And at the other?",
            ),
            Mistake(
                lambda: suspect_and_loss(20),
                "That is the whole loss. The floor stays, whatever you do.",
            ),
            Mistake(
                lambda: suspect_and_loss(400),
                "The levels are right. But no loss can fall to 0: the floor stays.",
            ),
            Mistake(
                lambda: (20, *suspect_and_gain()[1:]),
                "A large loss is not wrong in itself. Which one is below its floor?",
            ),
        ),
        hint="Take the floor from the loss at all three levels, and look at the signs.",
    ),
    "perfect-lie": Question(
        right=costlier_lie,
        because=lambda right: (
            f"told {right}, it trusts what it sees too little and blends thousands. "
            f"Told {TOO_FEW} it blends a handful, and that is still closer."
        ),
        mistakes=(
            Mistake(lambda: TOO_FEW, "Compare the squared errors of both lies."),
            Mistake(lambda: NOISED_TO, "That is the truth. Which lie costs more?"),
        ),
        hint="One of the two levels, 500 or 700: compare the squared errors.",
    ),
    "perfect-memory": Question(
        right=lambda: copy_share,
        because="it is 0 if each draw is a copy, and about 1 if none is.",
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: undivided_gap,
                "That is the distance of the draws. Divide by that of fresh points.",
            ),
            Mistake(
                lambda: missed_share,
                "Those are the distances from the data to the draws. Begin at the "
                "draws: one nearest point of the data for each of them.",
            ),
        ),
        hint="For each draw the nearest point of the data; the median over the draws; "
        "the same for the fresh points; then divide.",
        given=three_clouds,
    ),
    "perfect-noise": Question(
        right=lambda: noise_of,
        because="the believed data say what the noise must have been.",
        tolerance=1e-4,
        mistakes=(
            Mistake(lambda: data_of, "Those are the believed data. Now the noise."),
            Mistake(
                lambda: undivided,
                "That is the noise as it stands in xt. Divide by its factor.",
            ),
            Mistake(
                lambda: noise_by_plain_distance,
                "The votes are off: the exponent has the square of the distance.",
            ),
            Mistake(
                lambda: noise_of_unshrunk,
                "The believed data must shrink before you take them from xt.",
            ),
        ),
        hint="Take the shrunk data from xt, and divide by the factor of the noise.",
        given=example,
    ),
}
