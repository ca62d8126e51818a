"""Questions of "How exact is a walk?": orders, a stretch, a rule, and a total."""

import math
from functools import cache

import torch
from torch import Tensor

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


def beyond(few: Tensor, many: Tensor, order: int = 1) -> Tensor:
    """Where endlessly many steps lead, from some number of them and from twice that."""
    return many + (many - few) / (2**order - 1)


def two_walks() -> tuple[Tensor, Tensor]:
    """Places of three paths in some steps and in twice as many, to try a rule on."""
    few = torch.tensor([0.53, -1.2, 0.8], dtype=torch.float64)
    return few, few + torch.tensor([-0.02, 0.1, 0.3], dtype=torch.float64)


def total(density: Tensor, gap: float) -> Tensor:
    """The probability on a square grid of densities (H, W), this far apart."""
    return density.sum() * gap**2


def a_table() -> tuple[Tensor, Tensor]:
    """A density at a few places and how far they are apart, to try a sum on."""
    density = torch.tensor([[0.1, 0.4, 0.2], [0.0, 0.3, 0.7]], dtype=torch.float64)
    return density, torch.tensor(0.2, dtype=torch.float64)


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
    "exact-beyond": Question(
        right=lambda: beyond,
        because="what is missing after many steps is as large as the gap of the two.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: lambda few, many: (few + many) / 2,
                "The end does not lie between the two: both miss it to the same side.",
            ),
            Mistake(
                lambda: lambda few, many: few + (few - many),
                "That goes on beyond the walk of fewer steps. The other one is nearer.",
            ),
            Mistake(
                lambda: lambda few, many: beyond(few, many, order=2),
                "That is right for order 2, where a third of the gap is missing. "
                "Euler has order 1.",
            ),
            Mistake(
                lambda: lambda few, many: many - few,
                "That is the gap of the two. Where is the end?",
            ),
        ),
        hint="On paper it must turn 0.53 and 0.51 into the end: go on from `many`.",
        given=two_walks,
    ),
    "exact-total": Question(
        right=lambda: total,
        because="each place stands for a small square, and their areas are all equal.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: lambda density, gap: density.sum() * gap,
                "That would be right on a line. In the plane a place stands for a "
                "square.",
            ),
            Mistake(
                lambda: lambda density, gap: density.sum(),
                "That is the sum of densities. Each must be multiplied by an area.",
            ),
            Mistake(
                lambda: lambda density, gap: density.mean(),
                "A mean does not know how large the frame is.",
            ),
        ),
        hint="Add up the densities, each times the area of a small square.",
        given=a_table,
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
