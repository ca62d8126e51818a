"""Questions of chapter 14: tables, beliefs, another world, and judges of clean ink."""

from functools import cache

import torch
from torch import Tensor

from glyflib.data import load_glyphs
from glyflib.lessons.question import Mistake, Question
from glyflib.lessons.sun_and_moon import SunAndMoon, load_sun_and_moon, share_on
from glyflib.sampling import last_of, sample_dpm
from glyflib.schedule import eps_from_score, linear_alpha_bar

# Dots of ink: a row for the sun and one for the moon; upper half, lower half.
HEAP = ((50.0, 30.0), (60.0, 60.0))
VOTE, BELIEFS = 0.25, (-1.2, 0.8)  # of the sun; told sun, told moon
KEPT = 1 / 3  # of the sun's points, in another world


def rows_given(counts: Tensor) -> Tensor:
    """Each row of a table (M, N) divided by its sum: what is in it, given the row."""
    return counts / counts.sum(dim=1, keepdim=True)


def columns_given(counts: Tensor) -> Tensor:
    """Each column divided by its sum: the condition turned round."""
    return counts / counts.sum(dim=0, keepdim=True)


def joint(counts: Tensor) -> Tensor:
    """All of a table divided by one sum."""
    return counts / counts.sum()


def by_largest(counts: Tensor) -> Tensor:
    """Each row divided by its largest number, so that its area is not 1."""
    return counts / counts.amax(dim=1, keepdim=True)


def a_table() -> tuple[Tensor]:
    """A table of counts on which a function is tried."""
    return (torch.tensor([[3.0, 1.0, 0.0], [2.0, 8.0, 10.0]]),)


def sun_given_lower(heap: tuple = HEAP) -> float:
    """Probability of the sun for a dot in the lower half."""
    return columns_given(torch.tensor(heap))[0, 1].item()


def hedged(vote: float = VOTE, beliefs: tuple[float, float] = BELIEFS) -> float:
    """What is believed by who is told nothing."""
    return vote * beliefs[0] + (1 - vote) * beliefs[1]


@cache
def bright() -> SunAndMoon:
    """The glyph of the chapter."""
    return load_sun_and_moon(load_glyphs("all", 32), linear_alpha_bar(1000))


def sun_in_another_world(kept: float = KEPT) -> float:
    """The sun's share, if only so much of its points is kept."""
    sun, moon = bright().shares.tolist()
    return kept * sun / (kept * sun + moon)


def variance(weights: Tensor, middles: Tensor, width: float) -> float:
    """Mean squared distance from the mean, of round bells in the plane."""
    weights = weights / weights.sum()
    mean = weights @ middles
    return (weights @ (middles - mean).square().sum(dim=1)).item() + 2 * width**2


@cache
def saved() -> float:
    """Share of the floor at level 1000 that the word saves, by the bells' formula."""
    ink, parts = bright().ink, bright().parts.values()
    width = ink.variances[0, 0].sqrt().item()
    within = [variance(part.weights, part.means, width) for part in parts]
    told = sum(s * v for s, v in zip(bright().shares.tolist(), within, strict=True))
    return 1 - told / variance(ink.weights, ink.means, width)


@cache
def repair_and_exact(num: int = 60, num_steps: int = 20) -> dict[str, Tensor]:
    """Points drawn for the sun: by the exact denoiser, and by the cheap repair."""
    whole, alpha_bar = bright(), linear_alpha_bar(1000)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(num, 2, generator=generator, dtype=torch.float64)

    def repaired(xt: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            place = xt.detach().requires_grad_()
            x0_hat = whole.ink.denoise(place, t)
            logs = whole.log_belief(x0_hat, torch.tensor(0))[:, 0]
            (arrow,) = torch.autograd.grad(logs.sum(), place)
        return whole.ink.predict_eps(xt, t) + eps_from_score(arrow, t, alpha_bar)

    ways = {"exact": whole.parts["sun"].predict_eps, "repair": repaired}
    return {
        name: last_of(sample_dpm(way, noise, alpha_bar, num_steps=num_steps)).xt
        for name, way in ways.items()
    }


def measured(points: Tensor) -> dict[str, float]:
    """How many points obey, how many are on the sun's ink, and how wide they lie."""
    is_sun = bright().belief(points, torch.tensor(0))[:, 0] > 0.5
    return {
        "obey": is_sun.double().mean().item(),
        "on the ink": share_on(bright().parts["sun"], points),
        "width": points[:, 0].std().item(),
    }


@cache
def gives_it_away() -> str:
    """The measure in which the repair falls farthest behind the exact sun."""
    exact, repair = (measured(repair_and_exact()[name]) for name in ("exact", "repair"))
    return min(exact, key=lambda name: repair[name] / exact[name])


QUESTIONS = {
    "conditional-table": Question(
        right=sun_given_lower,
        because=lambda right: (
            f"it is {right:.3f}: of the dots in the lower half, the sun has one in "
            "three."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: rows_given(torch.tensor(HEAP))[0, 1].item(),
                "That is how likely the lower half is, given the sun. It was asked the "
                "other way round.",
            ),
            Mistake(
                lambda: joint(torch.tensor(HEAP))[0, 1].item(),
                "That is the joint share, of all dots. Divide by what is left of them.",
            ),
            Mistake(
                lambda: joint(torch.tensor(HEAP))[0].sum().item(),
                "That is the sun's share, told nothing. You were told something.",
            ),
            Mistake(
                lambda: 1 - sun_given_lower(),
                "That is the moon's share of what is left.",
            ),
        ),
        hint="Keep the dots of the lower half. Which share of these is the sun's?",
    ),
    "conditional-hedge": Question(
        right=hedged,
        because=lambda right: (
            f"the belief is {right:g}, nearer to the word that is more likely."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: hedged(1 - VOTE),
                "The votes are swapped: 0.25 is the sun's.",
            ),
            Mistake(
                lambda: hedged(0.5), "That is the middle. Are the two equally likely?"
            ),
            Mistake(
                lambda: BELIEFS[1],
                "It does not choose the likelier word. It hedges.",
            ),
        ),
        hint="A mean of the two beliefs, each times the probability of its word.",
    ),
    "conditional-world": Question(
        right=sun_in_another_world,
        because=lambda right: (
            f"it is {right:.3f}: fewer points of the sun, divided by all that are left."
        ),
        tolerance=0.003,
        mistakes=(
            Mistake(
                lambda: KEPT * bright().shares[0].item(),
                "A third of the share is left, but now all shares together are below "
                "1. Divide by what is left.",
            ),
            Mistake(
                lambda: sun_in_another_world(1 - KEPT),
                "Two thirds are thrown away. How much stays?",
            ),
            Mistake(
                lambda: bright().shares[0].item(), "That is the share in our own world."
            ),
            Mistake(
                lambda: 1 - sun_in_another_world(), "That is the moon's probability."
            ),
        ),
        hint="The sun's part that stays, over all that stays.",
    ),
    "conditional-rows": Question(
        right=lambda: rows_given,
        because="each row adds up to 1, as a distribution must.",
        tolerance=1e-5,
        mistakes=(
            Mistake(
                lambda: columns_given,
                "You divided each column by its sum. The condition stands in the rows.",
            ),
            Mistake(lambda: joint, "That is the joint: all of it adds up to 1."),
            Mistake(
                lambda: by_largest,
                "Now the highest cell of a row is 1. The row's sum has to be.",
            ),
        ),
        hint="Each row over its own sum.",
        given=a_table,
    ),
    "conditional-saves": Question(
        right=saved,
        because=lambda right: (
            f"it is {right:.2f}, as the bells' own formula says: that much of the "
            "spread lies between the two parts, and the rest inside them."
        ),
        tolerance=0.015,
        mistakes=(
            Mistake(lambda: 1 - saved(), "That is the share that is left."),
            Mistake(
                lambda: 1 - (1 - saved()) ** 0.5,
                "A loss is a mean of squares: take no root.",
            ),
        ),
        hint="1 less the floor that is told, over the floor that is not.",
    ),
    "conditional-repair": Question(
        right=gives_it_away,
        because="the points lie on one stroke of the sun, and leave out the others.",
        mistakes=(
            Mistake(lambda: "obey", "Count once more: on which side do they lie?"),
            Mistake(
                lambda: "on the ink", "Look once more: do they lie beside the strokes?"
            ),
        ),
        hint='One of the three: "obey", "on the ink" or "width".',
    ),
}
