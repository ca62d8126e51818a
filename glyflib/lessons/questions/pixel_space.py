"""Questions of chapter 2: values, distances, and what lies between glyphs."""

import math
from functools import cache

import torch
from torch import Tensor

from glyflib.data import load_glyphs, x0_from_images
from glyflib.lessons.question import Mistake, Question


def value(stored: int = 204) -> float:
    """A stored pixel as a number of x0."""
    image = torch.full((1, 1, 1, 1), stored, dtype=torch.uint8)
    return x0_from_images(image).item()


def two_pictures(num_different: int = 100) -> Tensor:
    """Two pictures of ink and paper that differ in some of 1,024 pixels, (2, 1024)."""
    images = torch.full((2, 1, 32, 32), 255, dtype=torch.uint8)
    images[0].view(-1)[:num_different] = 0
    return x0_from_images(images).flatten(1)


def apart() -> float:
    """Distance of the two pictures."""
    first, second = two_pictures()
    return (first - second).norm().item()


def halfway() -> list[float]:
    """From the middle of the two pictures: distance to an end, and its grey pixels."""
    ends = two_pictures()
    middle = ends.mean(0)
    return [(ends[0] - middle).norm().item(), float((middle.abs() < 0.8).sum())]


@cache
def points(split: str) -> Tensor:
    """Small glyphs as points of pixel space, (N, 1024)."""
    return x0_from_images(load_glyphs(split, 32).images).flatten(1)


@cache
def nearest_two() -> Tensor:
    """Distances of test glyphs to the nearest two of the training glyphs, (N, 2)."""
    distance = torch.cdist(points("test"), points("train"))
    return distance.topk(2, largest=False).values


def pairs(num: int = 300) -> Tensor:
    """Rows of the ends of random pairs of training glyphs, (2, num)."""
    gen = torch.Generator().manual_seed(1)
    return torch.randperm(len(points("train")), generator=gen)[: 2 * num].view(2, num)


def nearest_other(x: Tensor, ends: Tensor) -> float:
    """Median distance to the nearest glyph that is no end of the same pair."""
    distance = torch.cdist(x, points("train"))
    distance.scatter_(1, ends.T, math.inf)
    return distance.min(1).values.median().item()


def stretched(factor: float = math.sqrt(2)) -> float:
    """Median distance of middles, moved away from the mean, to the nearest other."""
    mean, ends = points("train").mean(0), pairs()
    middle = points("train")[ends].mean(0)
    return nearest_other(mean + factor * (middle - mean), ends)


def tells_overlays(num: int = 200) -> str:
    """The measure by which overlays differ more from glyphs: "grey" or "distance".

    Each is counted by the share of overlays beyond what 95 % of the glyphs have.
    """
    large = x0_from_images(load_glyphs("test").images)
    ends = torch.randperm(len(large), generator=torch.Generator().manual_seed(1))
    overlay = torch.minimum(large[ends[:num]], large[ends[num : 2 * num]])
    small = torch.nn.functional.avg_pool2d(overlay, 4).flatten(1)

    def greys(x0: Tensor) -> Tensor:
        return (x0.abs() < 0.8).float().mean((1, 2, 3))

    near = nearest_two()[:, 0]
    found = {
        "grey": (greys(overlay), greys(large)),
        "distance": (torch.cdist(small, points("train")).min(1).values, near),
    }
    beyond = {
        name: (mine > of_glyphs.quantile(0.95)).float().mean().item()
        for name, (mine, of_glyphs) in found.items()
    }
    return max(beyond, key=beyond.get)


def mean_log_ratio() -> float:
    """Mean of ln(r2 / r1) of test glyphs among training glyphs."""
    near = nearest_two()
    return (near[:, 1] / near[:, 0]).log().mean().item()


QUESTIONS = {
    "pixel-value": Question(
        right=value,
        because=lambda right: (
            f"204 is 1.6 times 127.5, so the pixel is {right:.1f}: a light grey."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: 204 / 255,
                "That scale runs from 0 to 1. Ours runs from -1 to +1.",
            ),
            Mistake(lambda: 204 / 127.5, "And now subtract 1."),
            Mistake(
                lambda: -value(), "Mind the sign: ink is -1, and this is light grey."
            ),
        ),
        hint="0 becomes -1, 255 becomes +1, and 127.5 becomes 0.",
    ),
    "pixel-apart": Question(
        right=apart,
        because=lambda right: (
            f"A hundred differences of 2 have squares that add up to 400, and the root "
            f"of that is {right:.0f}."
        ),
        tolerance=0.05,
        mistakes=(
            Mistake(
                lambda: apart() ** 2,
                "Almost: the squares add up to this. Take the root.",
            ),
            Mistake(
                lambda: apart() / 2, "From ink, -1, to paper, +1, the difference is 2."
            ),
            Mistake(
                lambda: 200,
                "Add up the squares of the differences, not the differences.",
            ),
        ),
        hint="Only the 100 pixels count. What is the difference at each, squared?",
    ),
    "pixel-half": Question(
        right=halfway,
        because=lambda right: (
            f"It lies {right[0]:.0f} from each, and all {right[1]:.0f} pixels in which "
            "the two differ are grey."
        ),
        tolerance=0.05,
        mistakes=(
            Mistake(
                lambda: [halfway()[0], 0],
                "The middle of -1 and +1 is 0. Is that ink or paper?",
            ),
            Mistake(
                lambda: [apart(), halfway()[1]],
                "That is the distance of the two ends from each other.",
            ),
        ),
        hint="The middle is 0 in 100 pixels, and equal to both ends in all others.",
    ),
    "pixel-overlay": Question(
        right=tells_overlays,
        because=(
            "An overlay is ink and paper like a glyph, but it has ink in too many "
            "places, and no glyph is near it."
        ),
        mistakes=(
            Mistake(
                lambda: "grey",
                "The darker of ink and paper is ink: where should greys come from?",
            ),
        ),
        hint='Give one of the two words, "grey" or "distance".',
    ),
    "pixel-stretched": Question(
        right=stretched,
        because=lambda right: (
            f"About {right:.1f}. Your pairs are others than ours, so it may differ "
            "a little."
        ),
        tolerance=0.4,
        mistakes=(
            Mistake(
                lambda: stretched(1.0),
                "That is how far the middles are where they were. Stretch them first.",
            ),
            Mistake(
                lambda: stretched(2.0),
                "Twice as far is too far: the factor is the root of 2.",
            ),
        ),
        hint="Start at the mean, and add 1.41 times the way to the middle.",
    ),
    "pixel-two-nearest": Question(
        right=lambda: 1 / mean_log_ratio(),
        because=lambda right: (
            f"Close to a glyph the sheet has about {right:.0f} directions, of 1,024."
        ),
        tolerance=0.2,
        mistakes=(
            Mistake(mean_log_ratio, "That is 1 / D. Turn it over."),
            Mistake(
                lambda: math.log(10) / mean_log_ratio(),
                "Take the natural logarithm, `log`, not `log10`.",
            ),
        ),
        hint="One over the mean, over all test glyphs, of the log of r2 over r1.",
    ),
}
