"""Questions of "Flow matching": a place, a clock, a share, beliefs, a bell, a line."""

import math

import torch
from torch import Tensor

from glyflib import flow
from glyflib.lessons.one_pixel import pixel_of_three_bells, place_of_share
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import linear_alpha_bar


def place_and_velocity(x0: float, eps: float, tau: float) -> tuple[float, float]:
    """Where a pixel is on its line at flow time tau, and how fast it moves."""
    data, noise = torch.tensor([[x0], [eps]], dtype=torch.float64)
    place = flow.interpolate(data, noise, tau)
    return place.item(), flow.u_from_x0_eps(data, noise).item()


def turned_round(x: float, time: float, velocity: float) -> tuple[float, float, float]:
    """Our flow time, our velocity and the believed data, from a paper's.

    Args:
        x: where a pixel is.
        time: in the paper, where 0 is noise and 1 data.
        velocity: by the paper's clock.
    """
    tau, u = 1 - time, -velocity
    x0_hat = flow.x0_from_u(torch.tensor([x], dtype=torch.float64), u, tau)
    return tau, u, x0_hat.item()


def share_between(low: float, high: float) -> float:
    """Share of the logit-normal flow times, mean 0 and std 1, between two times."""
    ends = torch.tensor([low, high], dtype=torch.float64).logit()
    return torch.special.ndtr(ends).diff().item()


def beliefs(x: Tensor, u_hat: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """The believed data and noise of a velocity."""
    return flow.x0_from_u(x, u_hat, tau), flow.eps_from_u(x, u_hat, tau)


def other_beliefs(x: Tensor, u_hat: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """As `beliefs`, with data and noise interchanged."""
    return beliefs(x, u_hat, tau)[::-1]


def turned_beliefs(x: Tensor, u_hat: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """As `beliefs`, with the velocity the wrong way round."""
    return beliefs(x, -u_hat, tau)


def a_place() -> tuple[Tensor, Tensor, float]:
    """Places, velocities and a time, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    x, u_hat = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    return x, u_hat, 0.3


def bell_on_its_way(tau: float = 0.5, std: float = 1.0) -> float:
    """Where the noise 1 is at flow time tau, if the data are one bell around 0.

    A bell stays a bell, and a path keeps its rank: so it scales with the spread.
    """
    return math.hypot((1 - tau) * std, tau)


def straightened(noise: float = 0.3, tau: float = 0.5) -> float:
    """Where a noise of the pixel of three bells is on its way after a reflow."""
    pixel = pixel_of_three_bells(linear_alpha_bar())
    rank = torch.special.ndtr(torch.tensor([noise], dtype=torch.float64))
    end = place_of_share(pixel, rank, 0).item()
    return (1 - tau) * end + tau * noise


QUESTIONS = {
    "straight-place": Question(
        right=lambda: place_and_velocity(1.0, -0.6, 0.25),
        because=lambda right: (
            f"it is at {right[0]:g}, and moves by {right[1]:g} a unit of time, from "
            "the paper down to its noise."
        ),
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: (place_and_velocity(1.0, -0.6, 0.25)[0], 1.6),
                "The place is right. Which way does our time run: from data to noise.",
            ),
            Mistake(
                lambda: (place_and_velocity(1.0, -0.6, 0.75)[0], -1.6),
                "At time 0 it is data. A quarter of the way is mostly data.",
            ),
            Mistake(
                lambda: (place_and_velocity(1.0, -0.6, 0.75)[0], 1.6),
                "That is the clock with the noise at 0. Ours has the data there.",
            ),
        ),
        hint="Three quarters of the data and one of the noise; noise less data.",
    ),
    "straight-direction": Question(
        right=lambda: turned_round(0.5, 0.9, 0.3),
        because=lambda right: (
            f"by our clock it is {right[0]:.1f}, the velocity is {right[1]:g}, and a "
            f"tenth of the way is left: {right[2]:g}. What is believed is the same on "
            "either clock."
        ),
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: (0.1, 0.3, 0.47),
                "If the clock runs backwards, a velocity changes its sign.",
            ),
            Mistake(
                lambda: (0.9, -0.3, 0.77),
                "The velocity is turned, and so must the time be.",
            ),
            Mistake(
                lambda: (0.9, 0.3, 0.53),
                "The belief is right. Now turn the time and the velocity round.",
            ),
        ),
        hint="Our time is 1 less theirs; our velocity is minus theirs.",
    ),
    "straight-middle": Question(
        right=lambda: share_between(0.25, 0.75),
        because=lambda right: (
            f"{right:.0%}: the logits of 1/4 and 3/4 are minus and plus ln 3. Even "
            "times put half there."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: 0.5, "That is the share of even times."),
            Mistake(
                lambda: math.erf(0.25 / math.sqrt(2)),
                "The normal numbers are the logits, not the times less a half.",
            ),
        ),
        hint="Between which two normal numbers do the logits lie?",
    ),
    "straight-beliefs": Question(
        right=lambda: beliefs,
        because="back along the velocity for the time that has passed, and on along "
        "it for what is left.",
        tolerance=1e-6,
        mistakes=(
            Mistake(lambda: other_beliefs, "Both are there: data first, then noise."),
            Mistake(
                lambda: turned_beliefs,
                "Our velocity points to the noise. The data lie behind, against it.",
            ),
        ),
        hint="Walk back for the time tau, and on for the time 1 - tau.",
        given=a_place,
    ),
    "straight-bell": Question(
        right=lambda: (bell_on_its_way(), bell_on_its_way(0.0)),
        because=lambda right: (
            f"it comes back to {right[1]:g}, but on the way it is at {right[0]:.3f}. "
            "The halves of two independent bells add up to a narrower one."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: (1.0, 1.0),
                "Data and noise have the same bell. But the mean of two independent "
                "numbers spreads less than either.",
            ),
            Mistake(
                lambda: (0.5, 0.0),
                "That is the line to the middle of the data, the first aim. It bends.",
            ),
            Mistake(
                lambda: (bell_on_its_way() ** 2, 1.0),
                "That is the variance at the middle. The spread is its root.",
            ),
        ),
        hint="How far does half of the data plus half of the noise spread? A path "
        "keeps its rank, so it stays one spread from the middle.",
    ),
    "straight-line": Question(
        right=straightened,
        because=lambda right: (
            f"{right:.3f}, half way between the noise and its end. Lines from noises "
            "to their own ends never cross on a line of numbers, so there is nothing "
            "left to average: one step suffices."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: straightened(tau=0.0),
                "That is the end. Where is it half of the time before?",
            ),
        ),
        hint="Find the end by ranks, as chapter 13 did; then take the middle.",
    ),
}
