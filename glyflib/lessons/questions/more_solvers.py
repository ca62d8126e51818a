"""Questions of "More solvers": small steps, and a knob on shaking."""

import math

import torch
from torch import Tensor

from glyflib.lessons.question import Mistake, Question


def shrunk(times: int = 16) -> tuple[float, float]:
    """What is left of the pull and of the noise of a step that is cut so many times."""
    return 1 / times, math.sqrt(1 / times)


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
}
