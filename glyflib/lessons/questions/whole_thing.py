"""What the first chapter asks: where a spoilt point lands, and where it came from.

Invariant: its levels run from 0 to 100, the push grows in a straight line, and the
squares of signal and strength add up to 1.
"""

from glyflib.lessons.question import Mistake, Question

NUM_LEVELS = 100
LEVEL = 60


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


def not_enlarged() -> list[float]:
    """The origin of a point that was not enlarged again."""
    signal, _ = strengths(LEVEL)
    return [signal * x for x in origin((1.6, 0.6), (0.5, 1.0))]


def pushed_again() -> list[float]:
    """The origin if the push is added once more instead of taken away."""
    return origin((1.6, 0.6), (-0.5, -1.0))


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
}
