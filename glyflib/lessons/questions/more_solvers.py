"""Questions of "More solvers": small steps, orders, a stretch, a knob on shaking."""

import math
from functools import cache

import torch
from torch import Tensor

from glyflib.lessons.one_pixel import end_of_path, pixel_of_three_bells
from glyflib.lessons.question import Mistake, Question
from glyflib.sampling import last_of, sample_heun
from glyflib.schedule import linear_alpha_bar


def shrunk(times: int = 16) -> tuple[float, float]:
    """What is left of the pull and of the noise of a step that is cut so many times."""
    return 1 / times, math.sqrt(1 / times)


def error_after(error: float, longer: float, order: int) -> float:
    """The error with so many times the steps."""
    return error / longer**order


def moved_density(density: float, derivative: float, h: float) -> float:
    """The density of a place after a step, to first order."""
    return density / (1 + h * derivative)


def shaken(
    y: Tensor, eps_hat: Tensor, sigma_t: float, h: float, g: float, z: Tensor
) -> Tensor:
    """A step of the flow, and a Langevin step of the size g sigma h.

    References:
        Karras et al. 2022, Eq. 6, whose beta is g / sigma.
    """
    langevin = -g * h * eps_hat + math.sqrt(2 * g * sigma_t * h) * z
    return y - h * eps_hat + langevin


def without_half(
    y: Tensor, eps_hat: Tensor, sigma_t: float, h: float, g: float, z: Tensor
) -> Tensor:
    """The Langevin step alone."""
    return shaken(y, eps_hat, sigma_t, h, g, z) + h * eps_hat


def same_pull(
    y: Tensor, eps_hat: Tensor, sigma_t: float, h: float, g: float, z: Tensor
) -> Tensor:
    """The noise is scaled, and its pull is not."""
    return y - 2 * h * eps_hat + math.sqrt(2 * g * sigma_t * h) * z


def scaled_noise(
    y: Tensor, eps_hat: Tensor, sigma_t: float, h: float, g: float, z: Tensor
) -> Tensor:
    """The knob stands before the root of the noise instead of under it."""
    return y - (1 + g) * h * eps_hat + g * math.sqrt(2 * sigma_t * h) * z


def a_step() -> tuple[Tensor, Tensor, float, float, float, Tensor]:
    """Places, answers, a step and its noise, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    y, eps_hat, z = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    return y, eps_hat, 2.0, 0.3, 0.5, z


@cache
def order_at_zero(num_levels: int = 100_000) -> float:
    """Slope of the error of Heun's method at level 0, from 80 to 160 even steps."""
    rates = 0.1 / num_levels, 20 / num_levels
    many = linear_alpha_bar(num_levels, first=rates[0], last=rates[1])
    pixel = pixel_of_three_bells(many)
    nine = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    goal = end_of_path(pixel, nine[:, 0], num_levels)
    errors = []
    for num_steps in (80, 160):
        steps = sample_heun(pixel.predict_eps, nine, many, num_steps=num_steps)
        off = last_of(steps).xt[:, 0] - goal
        errors.append(off.square().mean().sqrt().item())
    return math.log2(errors[0] / errors[1])


QUESTIONS = {
    "more-shrink": Question(
        right=shrunk,
        because=lambda right: (
            f"{right[0]:g} of the pull and {right[1]:g} of the noise: sixteen such "
            "noises add up to the variance of the one before."
        ),
        tolerance=1e-4,
        mistakes=(
            Mistake(lambda: shrunk()[::-1], "The right two numbers, the wrong way."),
            Mistake(
                lambda: (1 / 16, 1 / 16),
                "What adds up is the variance of the noise. Its size is the root.",
            ),
            Mistake(lambda: (16, 4), "Smaller, not larger: what is *left* of each?"),
        ),
        hint="The step itself stands before the pull, and its root before the noise.",
    ),
    "more-order": Question(
        right=lambda: error_after(0.08, 4, 2),
        because=lambda right: (
            f"a quarter of the step, and a sixteenth of the error: {right:g}."
        ),
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: error_after(0.08, 4, 1),
                "That would be order 1, or order 2 with 40 steps. Order 2: the square "
                "of the quarter.",
            ),
        ),
        hint="Divide 0.08 by the square of 80 / 20.",
    ),
    "more-stretch": Question(
        right=lambda: moved_density(0.6, 2, 0.1),
        because=lambda right: (
            f"a piece becomes 1.2 times as wide, so {right:g} is left of its density."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: 0.6 * 1.2,
                "Wider means thinner: the probability in the piece stays.",
            ),
            Mistake(
                lambda: moved_density(0.6, 2, 1.1),
                "How long is the step, from 1 to 1.1?",
            ),
            Mistake(lambda: 1.2, "That is the factor of the width. And the density?"),
        ),
        hint="Divide the density by 1 + step times derivative.",
    ),
    "more-shake": Question(
        right=lambda: shaken,
        because="at 0 it is the flow, and at 1 the reverse SDE.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: without_half,
                "That is the shaking. The half that carries the density is missing.",
            ),
            Mistake(
                lambda: same_pull,
                "The noise has its knob. The pull of the Langevin step needs it, too.",
            ),
            Mistake(
                lambda: scaled_noise,
                "The knob scales the size of the step, so in the noise it stands under "
                "the root.",
            ),
        ),
        hint="Euler's step, plus g times the pull, plus the noise of that size.",
        given=a_step,
    ),
    "more-zero": Question(
        right=order_at_zero,
        because=lambda right: (
            f"{right:.2f}: about one order is lost in the last step, which is long and "
            "which Euler takes."
        ),
        tolerance=0.1,
        mistakes=(
            Mistake(lambda: 2.0, "That is what it had higher up. Measure at level 0."),
        ),
        hint="The logarithm of the ratio of both errors, divided by that of 2.",
    ),
}
