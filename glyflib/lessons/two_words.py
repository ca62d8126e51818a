"""One number and two words: data so small that guidance can be checked exactly.

Invariant: everything here is exact, up to the grid; nothing is learnt, and nothing is
random.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glyflib.exact import GaussianMixture
from glyflib.schedule import check_noisy, eps_from_x0

HUMP_STD = 0.25  # of each hump


def humps(places: Sequence[float], alpha_bar: Tensor) -> GaussianMixture:
    """Equal Gaussian humps on a line, at these places.

    Args:
        places: K middles.
        alpha_bar: (T + 1,) schedule.

    Returns:
        density over points (N, 1), float64.
    """
    means = torch.tensor(places, dtype=torch.float64)[:, None]
    ones = torch.ones(len(places), dtype=torch.float64)
    return GaussianMixture.isotropic(ones, means, HUMP_STD * ones, alpha_bar)


class GridDensity:
    """Data that are one number, whose density is known on an even grid.

    The counterpart of `GaussianMixture` for densities that have no formula under noise.

    Args:
        x: (N,) even grid, wide enough that nothing lies beyond it.
        height: (N,) density there, up to a factor.
        alpha_bar: (T + 1,) schedule.

    Raises:
        ValueError: If the shapes differ, or a height is negative, or all are 0.
    """

    def __init__(self, x: Tensor, height: Tensor, alpha_bar: Tensor):
        if x.ndim != 1 or x.shape != height.shape:
            raise ValueError(f"x {tuple(x.shape)} must fit {tuple(height.shape)}")
        if (height < 0).any() or not 0 < height.sum() < float("inf"):
            raise ValueError("heights must be at least 0, finite, and not all 0")
        self.x, self.alpha_bar = x.double(), alpha_bar
        self.density = height.double() / torch.trapezoid(height.double(), self.x)

    @property
    def mean(self) -> float:
        """Mean of the data."""
        return torch.trapezoid(self.density * self.x, self.x).item()

    @property
    def std(self) -> float:
        """Standard deviation of the data."""
        square = (self.x - self.mean) ** 2
        return torch.trapezoid(self.density * square, self.x).sqrt().item()

    def mean_given(self, values: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """Mean of a function of x0, when the noisy number is known: E[f(x0) | xt].

        Args:
            values: (N,) the function on the grid.
            xt: (B, 1) noisy numbers.
            t: level in [1, T], one for all: a number, or (B,) all alike.

        Returns:
            (B,) float64.

        Raises:
            ValueError: If t is out of range.
        """
        check_noisy(t)
        a = self.alpha_bar[t.reshape(-1)[0]].double()
        distance = (xt.double() - a.sqrt() * self.x) ** 2
        weights = (self.density.log() - distance / (2 * (1 - a))).softmax(1)
        return weights @ values.double()

    def predict_eps(self, xt: Tensor, t: Tensor) -> Tensor:
        """Mean (B, 1) of the noise in xt (B, 1), all at one level t in [1, T].

        Errors as those of `mean_given`.
        """
        x0 = self.mean_given(self.x, xt, t)[:, None]
        return eps_from_x0(xt.double(), x0, t, self.alpha_bar).to(xt)
