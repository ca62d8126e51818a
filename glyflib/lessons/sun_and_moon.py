"""The ink of 明, "bright", and its two parts, the sun and the moon, as densities.

Chapter 14 asks for one of the two. Invariant: the parts, each by its share of the ink,
add up to the whole, at every level of noise.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from glyflib.data import Glyphs
from glyflib.exact import GaussianMixture
from glyflib.lessons.small_network import BELL_STD, ink_density
from glyflib.schedule import level

GLYPH = "明"
WORDS = ("sun", "moon")
GAP = -0.3  # where the gap between the two is, across
FOOT = -1.4  # below it the ink is the foot of the moon, which reaches under the sun
ON_INK = 0.25  # nearly four in a thousand of a small bell's points lie farther out


class SunAndMoon(NamedTuple):
    """A glyph of two parts, whose ink is known by a formula.

    Attributes:
        ink: density of all points of the ink, (N, 2), across and up.
        parts: word -> density of the points of that part.
        shares: (2,) float64, how much of the ink is the sun's, and the moon's.
    """

    ink: GaussianMixture
    parts: dict[str, GaussianMixture]
    shares: Tensor

    def belief(self, xt: Tensor, t: Tensor) -> Tensor:
        """Probability (B, 2) of the sun and the moon, given noisy points at levels t.

        Args:
            xt: (B, 2) floating.
            t: levels in [0, T], one or (B,).
        """
        return self.log_belief(xt, t).exp()

    def log_belief(self, xt: Tensor, t: Tensor) -> Tensor:
        """Natural logarithm (B, 2) of `belief`, which has a slope everywhere."""
        ab = level(self.ink.alpha_bar, torch.as_tensor(t), like=xt)
        variance = ab * self.ink.variances[0, 0].to(xt) + (1 - ab)
        logs = []
        for part in self.parts.values():
            middles, weights = part.means.to(xt), part.weights.to(xt)
            squared = (xt.unsqueeze(1) - ab.unsqueeze(-1).sqrt() * middles).square()
            bells = -squared.sum(dim=2) / (2 * variance)
            logs.append((bells + weights.log()).logsumexp(dim=1))
        joint = torch.stack(logs, dim=1) + self.shares.log().to(xt)
        return joint.log_softmax(dim=1)

    def sample(self, num: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw points with their words.

        Args:
            num: how many.
            generator: CPU source of randomness.

        Returns:
            points (num, 2) float32, and words (num,) int64: 0 is the sun, 1 the moon.
        """
        words = self.shares.multinomial(num, True, generator=generator)
        points = torch.zeros(num, 2)
        for k, part in enumerate(self.parts.values()):
            count = int((words == k).sum())
            points[words == k] = part.sample(count, generator=generator).float()
        return points, words


def load_sun_and_moon(glyphs: Glyphs, alpha_bar: Tensor) -> SunAndMoon:
    """The ink of 明, pixel by pixel, each with its word.

    Args:
        glyphs: among them 明, of 32 pixels a side or more.
        alpha_bar: (T + 1,) schedule, for the densities of noised points.

    Raises:
        ValueError: If 明 is not among the glyphs.
    """
    rows = glyphs.find(GLYPH)
    if not rows:
        raise ValueError(f"{GLYPH} is not among the glyphs: load all of them")
    ink = ink_density(glyphs.images[rows][0], alpha_bar)
    across, up = ink.means.T
    is_moon = (across > GAP) | (up < FOOT)
    parts, shares = {}, []
    for word, is_inside in zip(WORDS, (~is_moon, is_moon), strict=True):
        weights, means = ink.weights[is_inside], ink.means[is_inside].float()
        stds = torch.full((len(means),), BELL_STD)
        parts[word] = GaussianMixture.isotropic(weights, means, stds, alpha_bar)
        shares.append(weights.sum())
    return SunAndMoon(ink, parts, torch.stack(shares))


def share_on(part: GaussianMixture, points: Tensor) -> float:
    """Share of points (N, 2) that lie on the ink: near one of its dark pixels.

    Args:
        part: a glyph's ink, or a part of it; a small bell for each dark pixel.
        points: float.
    """
    away = torch.cdist(points.double(), part.means).amin(dim=1)
    return (away < ON_INK).double().mean().item()
