"""Questions of chapter 13: a step, a star, a rank, a method, levels, ends, a way up."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from glyflib.lessons.one_pixel import (
    BELLS,
    end_of_path,
    pixel_of_three_bells,
    place_of_share,
    share_below,
)
from glyflib.lessons.question import Mistake, Question
from glyflib.lessons.solver_race import even_on_the_clock
from glyflib.sampling import last_of, sample_dpm
from glyflib.schedule import linear_alpha_bar

Slope = Callable[[Tensor, float], Tensor]


def euler_step(y: float, x0_hat: float, sigma_t: float, sigma_s: float) -> float:
    """Where a straight step towards the belief leads."""
    eps_hat = (y - x0_hat) / sigma_t
    return y + (sigma_s - sigma_t) * eps_hat


def star(
    beliefs: tuple[float, float], clock: tuple[float, float, float], share: float = 0.5
) -> float:
    """The line through two beliefs, a share of the next step farther on.

    Args:
        beliefs: the last but one, and the last.
        clock: when they were had, and the end of the next step.
        share: 1/2 is the middle of the step, 1 its end.
    """
    rise = (beliefs[1] - beliefs[0]) / (clock[1] - clock[0])
    return beliefs[1] + rise * share * (clock[2] - clock[1])


def border(share: float) -> float:
    """The standard normal number that has this share of all below it."""
    return torch.special.ndtri(torch.tensor(share, dtype=torch.float64)).item()


def midpoint(slope: Slope, y: Tensor, sigma_t: float, sigma_s: float) -> Tensor:
    """A step with the slope half way."""
    half = (sigma_s - sigma_t) / 2
    return y + 2 * half * slope(y + half * slope(y, sigma_t), sigma_t + half)


def euler(slope: Slope, y: Tensor, sigma_t: float, sigma_s: float) -> Tensor:
    """A step with the slope at its start."""
    return y + (sigma_s - sigma_t) * slope(y, sigma_t)


def heun(slope: Slope, y: Tensor, sigma_t: float, sigma_s: float) -> Tensor:
    """A step with the mean of the slopes at both ends."""
    there = slope(euler(slope, y, sigma_t, sigma_s), sigma_s)
    return y + (sigma_s - sigma_t) * (slope(y, sigma_t) + there) / 2


def half_step(slope: Slope, y: Tensor, sigma_t: float, sigma_s: float) -> Tensor:
    """The place half way, where the second slope is asked for."""
    return euler(slope, y, sigma_t, (sigma_t + sigma_s) / 2)


def from_the_middle(slope: Slope, y: Tensor, sigma_t: float, sigma_s: float) -> Tensor:
    """The whole step, but from the place half way."""
    middle = (sigma_t + sigma_s) / 2
    half = half_step(slope, y, sigma_t, sigma_s)
    return half + (sigma_s - sigma_t) * slope(half, middle)


def a_slope() -> tuple[Slope, Tensor, float, float]:
    """A slope that bends, three places and a step, on which a function is tried."""

    def slope(y: Tensor, sigma: float) -> Tensor:
        return torch.tanh(y) * sigma + 0.3 * y

    places = torch.tensor([-1.0, 0.2, 2.0], dtype=torch.float64)
    return slope, places, 2.0, 0.8


@cache
def better_ladder(num_steps: int = 10, lowest: int = 10) -> str:
    """Which levels suit 2M on the pixel: "level", evenly spaced, or "clock"."""
    alpha_bar = linear_alpha_bar()
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(500, 1, generator=generator).double()
    goal = end_of_path(pixel_of_three_bells(alpha_bar), noise[:, 0], 1000)
    clock = even_on_the_clock(alpha_bar, num_steps, lowest=lowest)
    even = torch.linspace(1000, 0, num_steps + 1).round().long().tolist()
    misses = {}
    for name, levels in {"level": even, "clock": clock}.items():
        short = alpha_bar[levels[::-1]]
        pixel = pixel_of_three_bells(short)
        steps = sample_dpm(pixel.predict_eps, noise, short, num_steps=num_steps)
        misses[name] = (last_of(steps).xt[:, 0] - goal).square().mean().item()
    return min(misses, key=misses.get)


def share_alike() -> float:
    """How often two draws of the pixel, on their own, fall into the same bell."""
    return sum(share**2 for share, _, _ in BELLS.values())


@cache
def noise_of(value: float, level: int = 1000) -> float:
    """The noise whose path ends at a value of the pixel."""
    pixel = pixel_of_three_bells(linear_alpha_bar())
    clean = torch.tensor([value], dtype=torch.float64)
    return place_of_share(pixel, share_below(pixel, clean, 0), level).item()


QUESTIONS = {
    "solver-step": Question(
        right=lambda: euler_step(3, 1, 2, 0.5),
        because=lambda right: (
            f"a quarter of the noise is left, and so is a quarter of the way: 1 plus a "
            f"quarter of 2 is {right:g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(lambda: 1.0, "That is the belief. The step stops before it."),
            Mistake(
                lambda: 3 - (0.5 - 2) * (3 - 1) / 2,
                "Away from the belief? The noise gets less, so sigma changes by a "
                "negative number.",
            ),
            Mistake(
                lambda: 3 + (0.5 - 2) * (3 - 1),
                "Too far. The slope is the distance from the belief, over sigma.",
            ),
            Mistake(
                lambda: (3 - 1) / 2 * 0.5,
                "That is the noise that is left. It lies on top of the belief.",
            ),
        ),
        hint="The believed noise is (y - belief) / sigma. Then walk.",
    ),
    "solver-star": Question(
        right=lambda: star((0.1, 0.5), (-0.5, 0, 0.5)),
        because=lambda right: (
            f"the belief rises by {star((0.1, 0.5), (-0.5, 0, 1), 1) - 0.5:g} for one "
            f"unit of the clock, and a quarter of that is ahead: {right:g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(lambda: 0.5, "That is the last belief, which Euler would take."),
            Mistake(
                lambda: star((0.1, 0.5), (-0.5, 0, 0.5), 1),
                "That is where the line is at the end of the step. Half way!",
            ),
            Mistake(
                lambda: 0.5 + 0.4 * 0.25,
                "It rose by 0.4 on half a unit of the clock. How much for a whole one?",
            ),
            Mistake(lambda: 0.3, "That is between the two. The line goes on."),
        ),
        hint="The rise for one unit of the clock, times half of the step.",
    ),
    "solver-ink": Question(
        right=lambda: border(BELLS["ink"][0]),
        because=lambda right: (
            f"three tenths of all noise lie below {right:.2f}, and their paths stay "
            "below all others."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: BELLS["ink"][0], "That is the share. Which noise has it?"),
            Mistake(
                lambda: -border(BELLS["ink"][0]),
                "Ink lies below the others, and so do the noises that become ink.",
            ),
            Mistake(lambda: BELLS["ink"][1], "That is where ink lies among the data."),
        ),
        hint="A standard normal number lies below it with probability 0.3.",
    ),
    "solver-midpoint": Question(
        right=lambda: midpoint,
        because="the slope half way stands for the whole of the step.",
        tolerance=1e-6,
        mistakes=(
            Mistake(lambda: euler, "That is Euler's step: it asks only at the start."),
            Mistake(lambda: heun, "That is Heun's step. Ask half way, and use that."),
            Mistake(lambda: half_step, "That is the half step. Now the whole one."),
            Mistake(
                lambda: from_the_middle,
                "The slope is right, but the whole step begins at y, not half way.",
            ),
        ),
        hint="A half step by Euler; the slope there; the whole step from y with it.",
        given=a_slope,
    ),
    "solver-levels": Question(
        right=better_ladder,
        because="its line runs along the clock, where the steps are then equally long.",
        mistakes=(Mistake(lambda: "level", "Compare what two_m misses by."),),
        hint='One of the two words, "level" or "clock".',
    ),
    "solver-same": Question(
        right=share_alike,
        because=lambda right: (
            f"two draws that know nothing of each other are alike in {right:.0%} of "
            "all cases, and DDPM has forgotten its first noise."
        ),
        tolerance=0.02,
        mistakes=(
            Mistake(lambda: 1.0, "So it is with Heun and 2M, which add no noise."),
            Mistake(lambda: 0.0, "By chance alone both may draw the same."),
            Mistake(lambda: 1 / 3, "So it would be if all bells were as frequent."),
            Mistake(
                lambda: max(share for share, _, _ in BELLS.values()),
                "That is the share of paper. Both must draw it, or both ink, or grey.",
            ),
            Mistake(
                lambda: max(share for share, _, _ in BELLS.values()) ** 2,
                "That is both paper. They are alike as well if both are ink, or grey.",
            ),
        ),
        hint="Square the probability of each bell, and add up.",
    ),
    "solver-up": Question(
        right=lambda: noise_of(0.6),
        because=lambda right: (
            f"by the ranks it is {right:.3f}: as much of the noise lies below it as of "
            "the data below 0.6."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: noise_of(0.6) / linear_alpha_bar()[-1].sqrt().item(),
                "That is y, with the shrinking undone. Shrink it.",
            ),
            Mistake(lambda: 0.6, "That is the pixel. Which noise does it come from?"),
        ),
        hint="Walk from level 1 up to 1000, then multiply by the factor of the signal.",
    ),
}
