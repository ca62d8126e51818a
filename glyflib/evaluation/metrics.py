"""How far one set of glyphs is from another: distances, shares and ratios.

Invariant: sums are in float64, and every number is a plain function of its tensors:
what a row describes (pixels, features of a network) is the caller's choice.
"""

import torch
from torch import Tensor

CHUNK = 1024  # rows of a matrix of distances that are held at once


def check_rows(*sets: Tensor, least: int = 2) -> None:
    """Raise a ValueError unless all are finite (N, D), one D, N at least `least`."""
    for rows in sets:
        found = f"rows {tuple(rows.shape)} {rows.dtype}"
        if rows.ndim != 2 or rows.shape[1:] != sets[0].shape[1:] or len(rows) < least:
            raise ValueError(f"{found} must be (N, D), one D for all, N >= {least}")
        if not rows.is_floating_point() or not rows.isfinite().all():
            raise ValueError(f"{found} must be finite floats")


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and symmetric root (D, D) of the unbiased covariance, float64."""
    features = features.double()
    mean = features.mean(0)
    offset = features - mean
    variances, axes = torch.linalg.eigh(offset.T @ offset / (len(features) - 1))
    return mean, axes * variances.clamp(min=0).sqrt() @ axes.T


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared distance of the Gaussians with the moments of two sets, as in FID.

    |mean_a - mean_b|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2)). The eigenvalues of
    the last root are the singular values of A^(1/2) B^(1/2): taken from there, they
    keep the digits that squaring loses.

    It is 0 for equal moments, and too high on samples: N and M rows of one Gaussian
    with unit covariance give (D + D (D + 1) / 4) (1 / N + 1 / M), to first order. So
    compare sets of one size, and see what real data of that size give.

    Args:
        a: (N, D) floats, N at least 2.
        b: (M, D) floats, M at least 2.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.

    References:
        Dowson and Landau 1982; Heusel et al. 2017, Eq. 6; bias: Chong and Forsyth 2020.
    """
    check_rows(a, b)
    (mean_a, root_a), (mean_b, root_b) = moments(a), moments(b)
    overlap = torch.linalg.svdvals(root_a @ root_b).sum()
    traces = root_a.square().sum() + root_b.square().sum()
    distance = (mean_a - mean_b).square().sum() + traces - 2 * overlap
    return distance.clamp(min=0).item()


def kernel_means(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Mean (N,) over the rows of y of k(x, y) = (x . y / D + 1)^3, float64.

    Without y, the mean is over the other rows of x.
    """
    means, others = [], (x if y is None else y).double()
    for first in range(0, len(x), CHUNK):
        part = x[first : first + CHUNK].double()
        kernel = (part @ others.T / x.shape[1] + 1) ** 3
        if y is None:
            kernel.diagonal(first).zero_()
        means.append(kernel.sum(1) / (len(others) - (y is None)))
    return torch.cat(means)


def kernel_parts(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """What each row of a (N,) and of b (M,) adds to the squared discrepancy.

    Its likeness to its own set less that to the other; the two means add up to
    `kernel_distance`.

    Args:
        a: (N, D) floats, N at least 2.
        b: (M, D) floats, M at least 2.

    Returns:
        (N,) and (M,), float64.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.
    """
    check_rows(a, b)
    return kernel_means(a) - kernel_means(a, b), kernel_means(b) - kernel_means(b, a)


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Squared maximum mean discrepancy with a cubic kernel, unbiased, as in KID.

    The kernel is (x . y / D + 1)^3. For samples of one distribution the mean is 0 at
    any size, so that single values may be negative.

    Args:
        a: (N, D) floats, N at least 2.
        b: (M, D) floats, M at least 2.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.

    References:
        Gretton et al. 2012, Eq. 3; Bińkowski et al. 2018, section 4.
    """
    return sum(part.mean().item() for part in kernel_parts(a, b))


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances (N, M), float64; exactly 0 between equal rows."""
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(a.double(), b.double(), compute_mode=exact)


def reach(features: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest other row, the radius of its ball.

    Args:
        features: (N, D) floats.
        k: which neighbour, from 1 to N - 1.

    Returns:
        (N,) distances.

    Raises:
        RuntimeError: If there are fewer than k other rows.
    """
    # A row is its own nearest, at distance 0, whether it has twins or not.
    parts = features.split(CHUNK)
    return torch.cat([distances(x, features).kthvalue(k + 1, 1).values for x in parts])


def is_within_reach(
    points: Tensor, others: Tensor, k: int, *, is_pruned: bool = False
) -> Tensor:
    """Whether each point lies in the ball of any of the others.

    The ball of a row reaches to its k-th nearest neighbour in its own set. Pruned,
    balls above the median size do not count.

    Args:
        points: (N, D) floats.
        others: (M, D) floats, M above k.
        k: neighbours that a ball reaches to, at least 1.
        is_pruned: whether the larger half of the balls is left out.

    Returns:
        (N,) bool.

    References:
        Kynkäänniemi et al. 2019, Eq. 1; pruned, Eq. 3: a realism score of at least 1.
    """
    radius = reach(others, k)
    if is_pruned:
        radius = radius.where(radius <= radius.median(), -1)
    parts = points.split(CHUNK)
    return torch.cat([(distances(x, others) <= radius).any(1) for x in parts])


def check_neighbours(real: Tensor, fake: Tensor, k: int) -> None:
    """Raise a ValueError unless every row has k others beside it."""
    if k < 1:
        raise ValueError(f"k {k} must be at least 1")
    check_rows(real, fake, least=k + 1)


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of fakes that lie where real data do, and of real data where fakes do.

    Both depend on the sizes of the sets: give sets of one size. One lonely real row has
    a ball wide enough for much that is not real: see `is_within_reach`, pruned.

    Args:
        real: (N, D) floats, N above k.
        fake: (M, D) floats, M above k.
        k: neighbours that a ball reaches to.

    Returns:
        precision and recall, each in [0, 1].

    Raises:
        ValueError: If k is below 1, shapes do not fit, or a number is not finite.

    References:
        Kynkäänniemi et al. 2019, Eq. 2.
    """
    check_neighbours(real, fake, k)
    inside = is_within_reach(fake, real, k), is_within_reach(real, fake, k)
    return tuple(hits.double().mean().item() for hits in inside)


def nearest_distance(samples: Tensor, train: Tensor) -> Tensor:
    """Euclidean distance of each sample to the nearest training row.

    The nearest is found in float32; its distance is then taken exactly, 0 for a copy.

    Args:
        samples: (N, D) floats.
        train: (M, D) floats.

    Returns:
        (N,) float64.
    """
    single, nearest = train.float(), []
    half_squares = single.square().sum(1) / 2
    for part in samples.float().split(CHUNK):
        nearest.append((part @ single.T - half_squares).argmax(1))
    gap = samples.double() - train[torch.cat(nearest)].double()
    return gap.square().sum(1).sqrt()


def nearest_neighbour_ratio(samples: Tensor, train: Tensor, held_out: Tensor) -> Tensor:
    """Each sample's distance to its nearest training glyph, over what is usual.

    Usual is the median of the same distance over held-out glyphs, which cannot be
    copies. So 1 is the ratio of a new glyph and 0 that of a copy. How low real glyphs
    go says `nearest_neighbour_ratio(held_out, train, held_out)`.

    Args:
        samples: (N, ...) x0.
        train: (M, ...) x0.
        held_out: (K, ...) x0.

    Returns:
        (N,) float64, at least 0.

    Raises:
        ValueError: If shapes do not fit, a number is not finite, a set is empty, or
            held-out glyphs are copies themselves.
    """
    samples, train, held_out = (x.flatten(1) for x in (samples, train, held_out))
    check_rows(train, samples, held_out, least=1)
    usual = nearest_distance(held_out, train).median()
    if usual == 0:
        raise ValueError("most of held_out lie in train: give glyphs not trained on")
    return nearest_distance(samples, train) / usual
