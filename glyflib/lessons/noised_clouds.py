"""Clouds of many points under noise, seen in two dimensions.

Invariant: a density is that of all the points, exact, whichever of them are drawn.
"""

import math

import torch
from torch import Tensor


def widest_directions(x0: Tensor) -> Tensor:
    """The two directions in which data differ most, their first principal components.

    Args:
        x0: (N, D) data, a row each.

    Returns:
        (D, 2) of the dtype of x0, columns of length 1, the widest first.
    """
    _, axes = torch.linalg.eigh(x0.double().T.cov())  # variances rise
    return axes[:, [-1, -2]].to(x0)


def noised_density(
    points: Tensor,
    alpha_bar: float,
    *,
    reach: float,
    width: float = 0.0,
    num_places: int = 70,
) -> Tensor:
    """Density of points in two dimensions, noised to one level, on a grid.

    It is exact: the mean of round Gaussians, one for each point.

    Args:
        points: (N, 2) data.
        alpha_bar: what is left of the data's variance at the level, in (0, 1].
        reach: the grid goes from -reach to +reach in both directions.
        width: standard deviation of a bell put on each point first, as in a kernel
            density; without noise there is no density but with such a bell.
        num_places: of the grid, along each side.

    Returns:
        (num_places, num_places), row 0 at the least y.

    Raises:
        ValueError: If neither the noise nor the bells have any width.

    References:
        Ho et al. 2020, Eq. 4, averaged over the data.
    """
    variance = alpha_bar * width**2 + 1 - alpha_bar
    if variance <= 0:
        raise ValueError(f"at alpha_bar {alpha_bar} a width above 0 is needed")
    grid = torch.linspace(-reach, reach, num_places)[:, None]
    centres = math.sqrt(alpha_bar) * points
    across = (-((grid - centres[:, 0]) ** 2) / (2 * variance)).exp()
    up = (-((grid - centres[:, 1]) ** 2) / (2 * variance)).exp()
    return up @ across.T / (2 * math.pi * variance * len(points))
