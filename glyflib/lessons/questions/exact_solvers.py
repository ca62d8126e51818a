"""Questions of "How exact is a walk?": orders, and a stretch."""

import math
from functools import cache

import torch

from glyflib.lessons.one_pixel import end_of_path, pixel_of_three_bells
from glyflib.lessons.question import Mistake, Question
from glyflib.sampling import last_of, sample_heun
from glyflib.schedule import linear_alpha_bar


def error_after(error: float, longer: float, order: int) -> float:
    """The error with so many times the steps."""
    return error / longer**order


def moved_density(density: float, derivative: float, h: float) -> float:
    """The density of a place after a step, to first order."""
    return density / (1 + h * derivative)


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
    "exact-order": Question(
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
    "exact-stretch": Question(
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
    "exact-zero": Question(
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
