"""Questions of chapter 7: votes, candidates, floors, and what a denoiser is told."""

import torch
from torch import Tensor

from glyflib.data import evenly, load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import add_noise, linear_alpha_bar

NOISED_TO = 600
TOLD = (400, 500, 600, 700, 800)
LOSS, FLOOR = 0.75, 0.72


def one_level(ab: float) -> Tensor:
    """A schedule that has only one noisy level."""
    return torch.tensor([1.0, ab], dtype=torch.float64)


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


def best_level_to_tell() -> int:
    """The level that a perfect denoiser should be told, for the least error."""
    glyphs = load_glyphs("train", 32)
    glyphs = glyphs.take(evenly(2000, len(glyphs)))
    x0 = x0_from_images(glyphs.images)
    alpha_bar = linear_alpha_bar()
    ideal = IdealDenoiser(x0, alpha_bar)
    some = x0[:32]
    eps = torch.randn(some.shape, generator=torch.Generator().manual_seed(0))
    noisy = add_noise(some, eps, torch.tensor(NOISED_TO), alpha_bar)
    errors = {}
    for told in TOLD:
        off = ideal.denoise(noisy, torch.tensor(told)) - some
        errors[told] = off.square().mean().item()
    return min(errors, key=errors.get)


def example() -> tuple[Tensor, float, Tensor]:
    """Noisy points, alpha_bar and data, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    xt, data = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    return xt, 0.6, data


def ideal_at(ab: float, data: Tensor) -> IdealDenoiser:
    """The perfect denoiser of the data, at the one noisy level of a schedule."""
    return IdealDenoiser(data, one_level(ab))


def noise_of(xt: Tensor, ab: float, data: Tensor) -> Tensor:
    """The mean of the noise in xt, by the package."""
    return ideal_at(ab, data).predict_eps(xt, torch.tensor(1))


def data_of(xt: Tensor, ab: float, data: Tensor) -> Tensor:
    """The mean of the data in xt, by the package."""
    return ideal_at(ab, data).denoise(xt, torch.tensor(1))


def undivided(xt: Tensor, ab: float, data: Tensor) -> Tensor:
    """The noise as strong as it is in xt."""
    return (1 - ab) ** 0.5 * noise_of(xt, ab, data)


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
        right=lambda: (LOSS - FLOOR) / LOSS,
        because=lambda right: (
            f"the distance is {LOSS - FLOOR:.2f}, {right:.0%} of the loss. The rest "
            "is floor."
        ),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                lambda: LOSS - FLOOR,
                "That is the distance itself. What share of the loss is it?",
            ),
            Mistake(lambda: FLOOR / LOSS, "That is the share that stays."),
            Mistake(lambda: 100 * (LOSS - FLOOR) / LOSS, "As a number from 0 to 1."),
        ),
        hint="Take the floor from the loss, and divide by the loss.",
    ),
    "perfect-lie": Question(
        right=best_level_to_tell,
        because=lambda right: (
            f"the truth, {right}, is best: with less it is too sure, with more it is "
            "too vague."
        ),
        mistakes=(
            Mistake(lambda: TOLD[0], "There it is sure of one glyph: is it the right?"),
            Mistake(lambda: TOLD[-1], "There it blends thousands of glyphs."),
        ),
        hint="Compare the squared errors of the five, over all 32 glyphs.",
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
        ),
        hint="Take the shrunk data from xt, and divide by the factor of the noise.",
        given=example,
    ),
}
