"""Questions of the page on bits: doubts, boxes, and what is forgotten first."""

import math

import numpy as np
import torch
from scipy import stats
from torch.nn.functional import one_hot

from glyflib.data import load_glyphs, load_map, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import add_noise, linear_alpha_bar, log_snr


def doubt(*probabilities: float) -> float:
    """Entropy in bits."""
    return float(stats.entropy(probabilities, base=2))


def box(snr: float = 0.1, cleaner: float = 0.2, mmse: float = 300.0) -> float:
    """Area of a step's box, in bits."""
    return (cleaner - snr) * mmse / 2 / math.log(2)


def forgotten_first(lam: float = -3.3, num: int = 60) -> str:
    """Whether a glyph's name or its radical has lost the larger share of its bits."""
    glyphs = load_glyphs("all", 32)
    film = torch.tensor([1.0, 0.0], dtype=torch.float64)
    film[1] = torch.tensor(lam, dtype=torch.float64).sigmoid()
    gen = torch.Generator().manual_seed(0)
    x0 = x0_from_images(glyphs.images[torch.randperm(len(glyphs), generator=gen)[:num]])
    xt = add_noise(x0, torch.randn(x0.shape, generator=gen), torch.tensor(1), film)
    ideal = IdealDenoiser(glyphs.images, film)
    names = ideal.weights(xt, torch.ones(num, dtype=torch.long))
    kinds = one_hot(glyphs.radicals).double()
    left = {
        "name": 1 - mean_doubt(names) / math.log2(len(glyphs)),
        "radical": 1 - mean_doubt(names @ kinds) / doubt(*kinds.mean(0).tolist()),
    }
    return min(left, key=left.get)


def mean_doubt(weights: torch.Tensor) -> float:
    """Mean entropy, in bits, of rows of probabilities."""
    return float(stats.entropy(weights.numpy(), base=2, axis=1).mean())


def half_of_the_map(num: int = 120) -> int:
    """The linear level at which half of the bits that name a map's point are gone."""
    points = load_map(load_glyphs("all", 32).codepoints)
    points = (points - points.mean(0)) / points.std()
    lam = torch.linspace(15, 0, 31, dtype=torch.float64)
    film = torch.cat([lam.new_ones(1), lam.sigmoid()])
    gen = torch.Generator().manual_seed(0)
    some = points[torch.randperm(len(points), generator=gen)[:num]]
    eps = torch.randn(some.shape, generator=gen)
    ideal = IdealDenoiser(points, film)
    doubts = []
    for t in range(1, len(film)):
        xt = add_noise(some, eps, torch.tensor(t), film)
        doubts.append(mean_doubt(ideal.weights(xt, torch.full((num,), t))))
    half = np.interp(math.log2(len(points)) / 2, doubts, lam)
    return (log_snr(linear_alpha_bar()) <= half).nonzero()[0].item()


QUESTIONS = {
    "bits-doubt": Question(
        right=lambda: doubt(0.5, 0.25, 0.25),
        because=lambda right: (
            "Half of the time one question is enough, half of the time it takes two: "
            f"{right:.1f} on average."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: math.log2(3),
                "That would be right if all three were equally likely.",
            ),
            Mistake(
                lambda: doubt(0.5, 0.25, 0.25) * math.log(2),
                "That is in units of the natural logarithm. Bits have base 2.",
            ),
        ),
        hint="Ask for the likeliest first. How many questions does each one take?",
    ),
    "bits-box": Question(
        right=box,
        because=lambda right: (
            f"Half of 0.1 times 300 is 15, and divided by ln 2 it is {right:.1f} bits."
        ),
        tolerance=0.1,
        mistakes=(
            Mistake(
                lambda: box() * math.log(2),
                "That is in natural units; divide by ln 2 for bits.",
            ),
            Mistake(lambda: 2 * box(), "The box is as high as *half* the mmse."),
        ),
        hint="Half the width times the height, then into bits.",
    ),
    "bits-first": Question(
        right=forgotten_first,
        because="The radical loses the larger share of its bits, all along the film.",
        mistakes=(
            Mistake(
                lambda: "name",
                "Many think so. Add up the guesser's weights by radical, and compare "
                "the shares.",
            ),
        ),
        hint="Give one of two words, name or radical, in quotation marks.",
    ),
    "bits-map": Question(
        right=half_of_the_map,
        because=lambda right: (
            f"Half is gone at about level {right}: neighbours on the map lie so close "
            "together that a little noise mixes them up."
        ),
        tolerance=3,
        hint="The guesser takes any data: hand it the points, and cleaner levels.",
    ),
}
