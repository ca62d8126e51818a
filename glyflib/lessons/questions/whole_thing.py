"""What the first chapter asks, from where a spoilt point lands to a ring of points.

Invariant: its levels run from 0 to 100, the push grows in a straight line, and the
squares of signal and strength add up to 1.
"""

import torch
from torch import Tensor

from glyflib.lessons.question import Mistake, Question

NUM_LEVELS = 100
LEVEL = 60
NUM_POINTS = 5000
BATCH = 512  # points that a round of training picks


def strengths(level: int) -> tuple[float, float]:
    """How much of a point is left at a level, and how strong its push is."""
    strength = level / NUM_LEVELS
    return (1 - strength**2) ** 0.5, strength


def landing(
    point: tuple[float, float], push: tuple[float, float], level: int = LEVEL
) -> list[float]:
    """Where a point lands that is shrunk and pushed, across and up."""
    signal, strength = strengths(level)
    return [signal * x + strength * e for x, e in zip(point, push, strict=True)]


def origin(
    spoilt: tuple[float, float], push: tuple[float, float], level: int = LEVEL
) -> list[float]:
    """Where a spoilt point was before, across and up."""
    signal, strength = strengths(level)
    return [(x - strength * e) / signal for x, e in zip(spoilt, push, strict=True)]


def pushed_only() -> list[float]:
    """The landing of a point that nobody shrank."""
    return [2 + strengths(LEVEL)[1] * 0, 0 + strengths(LEVEL)[1] * 1]


def pushed_fully() -> list[float]:
    """The landing of a point whose push was not made weaker."""
    return [strengths(LEVEL)[0] * 2, 1.0]


def mixed_up() -> list[float]:
    """The landing with signal and strength in each other's place."""
    signal, strength = strengths(LEVEL)
    return [strength * 2, signal * 1]


def swapped() -> list[float]:
    """The right landing, but up before across."""
    return landing((2.0, 0.0), (0.0, 1.0))[::-1]


def not_enlarged() -> list[float]:
    """The origin of a point that was not enlarged again."""
    signal, _ = strengths(LEVEL)
    return [signal * x for x in origin((1.6, 0.6), (0.5, 1.0))]


def pushed_again() -> list[float]:
    """The origin if the push is added once more instead of taken away."""
    return origin((1.6, 0.6), (-0.5, -1.0))


def times_seen(num_steps: int) -> float:
    """How often training picks each point, on average."""
    return num_steps * BATCH / NUM_POINTS


def on_ring(angle: Tensor, distance: Tensor) -> Tensor:
    """Points (N, 2) at a distance from the middle, each in its direction."""
    return torch.stack([distance * angle.cos(), distance * angle.sin()], dim=1)


def some_directions() -> tuple[Tensor, Tensor]:
    """Angles and distances to try a function on that makes a ring of them."""
    return torch.tensor([0.0, 0.5, 2.0, 4.0]), torch.tensor([1.5, 1.4, 1.6, 1.5])


QUESTIONS = {
    "whole-landing": Question(
        right=lambda: landing((2.0, 0.0), (0.0, 1.0)),
        because=lambda right: (
            "The point shrinks to 0.8 times 2 across, and six tenths of the push lift "
            f"it up: it lands at {right[0]:.1f} across and {right[1]:.1f} up."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(pushed_only, "The push is right. But shrink the point first."),
            Mistake(pushed_fully, "The point is right. How strong is its push here?"),
            Mistake(
                swapped, "Both numbers are there. Which is across? It comes first."
            ),
            Mistake(
                mixed_up, "The signal belongs to the point, the strength to the push."
            ),
        ),
        hint="Multiply the point by the signal and the push by its strength, then add: "
        "first the two numbers across, then the two numbers up.",
    ),
    "whole-home": Question(
        right=lambda: origin((1.6, 0.6), (0.5, 1.0)),
        because=lambda right: (
            f"The network believes that the point was at {right[0]:.3f} across and "
            f"{right[1]:.1f} up. It was off by half a push across, and so its idea of "
            "home is off by 0.6 / 0.8 times as much."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(not_enlarged, "The push is gone. Now undo the shrinking."),
            Mistake(pushed_again, "The push was added. Take it away."),
        ),
        hint="Go back the way that the point came: first take strength times push "
        "away, then divide by the signal.",
    ),
    "whole-steps": Question(
        right=lambda: "x0_hat",
        because="At level 0 the signal is 1 and the strength of the push is 0, so "
        "`spoil` leaves its point as it is. A single step jumps to where the network "
        "believes home to be.",
        mistakes=(
            Mistake(lambda: "x", "Right, it returns `x`. But what was put into it?"),
            Mistake(lambda: "eps_hat", "That is multiplied by `strength[0]`: by what?"),
            Mistake(lambda: "cloud", "The cloud is where the step starts."),
        ),
        hint="With a stride of 99, `lower` is 0. What does `spoil` make of a point at "
        "level 0?",
    ),
    "whole-learning": Question(
        right=lambda: times_seen(200),
        because=lambda right: (
            f"200 rounds pick {200 * BATCH:,} points, so each of the {NUM_POINTS:,} is "
            f"seen about {right:.0f} times, with another push each time. In 3,000 "
            f"rounds it is seen about {times_seen(3000):.0f} times."
        ),
        tolerance=0.5,
        mistakes=(
            Mistake(
                lambda: 200 * BATCH, "That is for all points together. And for one?"
            ),
            Mistake(lambda: 200 / NUM_POINTS, "A round picks more than one point."),
            Mistake(lambda: times_seen(3000), "That is for 3,000 rounds."),
        ),
        hint="How many points do 200 rounds pick? How many are there to pick from?",
    ),
    "whole-data": Question(
        right=lambda: on_ring,
        because="A ring it is. Now train a new network with such points.",
        tolerance=0.001,
        mistakes=(
            Mistake(
                lambda: lambda angle, distance: on_ring(angle, distance).flip(1),
                "A ring, too. But here the cosine is for across, which comes first.",
            ),
            Mistake(
                lambda: (
                    lambda angle, distance: on_ring(angle, torch.ones_like(distance))
                ),
                "All points are at distance 1. Multiply by their distance.",
            ),
        ),
        hint="Across is the distance times the cosine of the angle, up is the distance "
        "times the sine.",
        given=some_directions,
    ),
}
