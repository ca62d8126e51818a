"""One pixel of which all is known: its bells, its denoiser, and where paths must lead.

Invariant: what is said of a path comes from shares of values below a place, by a
formula; nothing here takes a step.
"""

import torch
from torch import Tensor

from glyflib.exact import GaussianMixture

#: Share, middle and spread (standard deviation) of the pixel's three bells.
BELLS = {
    "ink": (0.3, -1.0, 0.15),
    "grey": (0.2, 0.1, 0.10),
    "paper": (0.5, 1.0, 0.25),
}


def pixel_of_three_bells(alpha_bar: Tensor) -> GaussianMixture:
    """A pixel that is ink, grey or paper, with its exact denoiser.

    Args:
        alpha_bar: (T + 1,) schedule.
    """
    shares, means, stds = torch.tensor(list(BELLS.values()), dtype=torch.float64).T
    return GaussianMixture.isotropic(shares, means[:, None], stds, alpha_bar)


def share_below(pixel: GaussianMixture, x: Tensor, t: int) -> Tensor:
    """Share (B,) of the noisy values at level t that lie below each of x (B,).

    Args:
        pixel: mixture of one dimension.
        x: (B,) places.
        t: level in [0, T].

    Raises:
        ValueError: If the mixture has more dimensions than one.
    """
    if pixel.means.shape[1] != 1:
        raise ValueError(
            f"a pixel has 1 dimension, and this has {pixel.means.shape[1]}"
        )
    ab = pixel.alpha_bar[t]
    std = (ab * pixel.variances[:, 0] + 1 - ab).sqrt()
    away = x.double()[:, None] - ab.sqrt() * pixel.means[:, 0]
    return torch.special.ndtr(away / std) @ pixel.weights


def place_of_share(pixel: GaussianMixture, share: Tensor, t: int) -> Tensor:
    """Where the noisy values at level t have these shares (B,) of them below.

    Found by halving an interval; the inverse of `share_below`.

    Args:
        pixel: mixture of one dimension.
        share: (B,) strictly between 0 and 1.
        t: level in [0, T].

    Raises:
        ValueError: If a share is out of range, or the mixture has more dimensions.
    """
    if not ((share > 0) & (share < 1)).all():
        raise ValueError(f"shares must lie between 0 and 1, not at {share.tolist()}")
    low = torch.full_like(share, -40, dtype=torch.float64)
    high = -low
    for _ in range(80):
        middle = (low + high) / 2
        is_below = share_below(pixel, middle, t) < share
        low, high = middle.where(is_below, low), high.where(is_below, middle)
    return (low + high) / 2


def end_of_path(pixel: GaussianMixture, x: Tensor, t: int, s: int = 0) -> Tensor:
    """Where the path of the probability flow through x at level t is at level s.

    On a line paths cannot cross, so each keeps the share of values below it.

    Args:
        pixel: mixture of one dimension.
        x: (B,) places at level t, not so far out that a share is 0 or 1.
        t: level in [0, T].
        s: level in [0, T].

    Raises:
        ValueError: As `place_of_share`.

    References:
        Song et al. 2021 (score-based SDEs), section 4.3.
    """
    return place_of_share(pixel, share_below(pixel, x, t), s)
