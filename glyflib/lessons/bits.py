"""Bits along the log-SNR: areas under a rate, boxes of steps, levels by a density.

Invariant: what depends on the log-SNR is given on a rising grid of it, noise first.
"""

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from glyflib.schedule import log_snr


def bits_under(lam: ArrayLike, rate: ArrayLike) -> np.ndarray:
    """The area under a rate, from endless noise to each place of the grid.

    Between the places the rate is a smooth curve without overshoot. Below the first
    one it is taken to be in proportion to the signal-to-noise ratio, as it is where
    noise hides all but the mean.

    Args:
        lam: (K,) rising log-SNR.
        rate: (K, ...) bits per unit of it.

    Returns:
        (K, ...) bits.
    """
    rate = np.asarray(rate)
    return PchipInterpolator(lam, rate).antiderivative()(lam) + rate[0]


def snr_of_steps(alpha_bar: Tensor, num_steps: int, *, most: float = 1.0) -> np.ndarray:
    """Signal-to-noise ratios of the evenly spaced levels that a few steps use.

    Args:
        alpha_bar: (T + 1,) schedule.
        num_steps: how many, K.
        most: cap, where the data are known beyond doubt; level 0 would be infinite.

    Returns:
        (K + 1,) falling.
    """
    used = torch.linspace(0, len(alpha_bar) - 1, num_steps + 1).round().long()
    return log_snr(alpha_bar)[used].exp().clamp(max=most).numpy()


def wasted_bits(snr: ArrayLike, lam: ArrayLike, height: ArrayLike) -> float:
    """Area of the boxes of a chain's steps that lies above a falling curve.

    Args:
        snr: (K + 1,) falling ratios of the levels used; each box is as high as the
            curve at its noisy end.
        lam: (M,) rising log-SNR, a fine grid.
        height: (M,) the curve on it, in bits per unit of the ratio.

    Returns:
        Bits.
    """
    snr, lam, height = np.asarray(snr), np.asarray(lam), np.asarray(height)
    boxes = np.interp(np.log(snr[1:]), lam, height) @ (snr[:-1] - snr[1:])
    inside = np.exp(lam) <= snr[0]
    return float(boxes - np.trapezoid(height[inside], np.exp(lam[inside])))


def schedule_of_density(
    lam: ArrayLike, density: ArrayLike, *, num_levels: int = 1000
) -> Tensor:
    """A schedule whose levels lie as densely along the log-SNR as a density says.

    Args:
        lam: (M,) rising log-SNR, a fine grid; its ends become levels 0 and T.
        density: (M,) levels per unit of it, up to a factor; not all 0.
        num_levels: the highest one, T.

    Returns:
        (T + 1,) float64, falling; level 0 is the grid's clean end, short of 1.
    """
    density = np.asarray(density, float)
    share = np.append(0, np.cumsum((density[1:] + density[:-1]) * np.diff(lam)))
    at = np.interp(np.linspace(1, 0, num_levels + 1), share / share[-1], lam)
    return torch.from_numpy(at).sigmoid()


def mean_and_error(values: Tensor) -> tuple[Tensor, Tensor]:
    """Means (K,) of rows of (K, n) independent values, and their standard errors."""
    return values.mean(1), values.std(1) / math.sqrt(values.shape[1])
