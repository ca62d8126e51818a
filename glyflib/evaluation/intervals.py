"""Intervals for any statistic, drawn from the samples, and for shares, by Wilson.

Invariant: what belongs together is drawn together, and the generator decides all.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from scipy.stats import norm
from torch import Tensor


class Estimate(NamedTuple):
    """A value and the ends of its interval.

    Attributes:
        value: what was measured.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


def draw_rows(groups: Tensor, generator: torch.Generator) -> Tensor:
    """Row numbers of as many groups (N,) as there are, drawn with replacement."""
    order = groups.argsort(stable=True)
    sizes = groups.unique(return_counts=True)[1]
    drawn = torch.randint(len(sizes), (len(sizes),), generator=generator)
    starts, sizes = (sizes.cumsum(0) - sizes)[drawn], sizes[drawn]
    step = torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes).repeat_interleave(
        sizes
    )
    return order[starts.repeat_interleave(sizes) + step]


def bootstrap_interval(
    statistic: Callable[..., float | Tensor],
    *samples: Tensor,
    generator: torch.Generator,
    num: int = 1000,
    level: float = 0.95,
    groups: Tensor | None = None,
    is_recentred: bool = False,
) -> Estimate:
    """Interval of a statistic, from samples drawn again from themselves.

    Rows of every sample are drawn with replacement, each sample on its own; quantiles
    of the statistic then bound it. Rows that come from one caption are not
    independent: with groups, whole groups of the first sample are drawn.

    Args:
        statistic: from tensors like the samples to a number.
        samples: (N, ...) each.
        generator: source of randomness.
        num: draws.
        level: share of draws within the interval, between 0 and 1.
        groups: (N,) group of each row of the first sample.
        is_recentred: move the mean of what was drawn to the value first. For
            statistics that repeated rows alone push up, such as the Fréchet distance;
            the bias that the value itself has stays.

    Raises:
        ValueError: If a sample is empty, or num, level or groups do not fit.

    References:
        Efron and Tibshirani 1993, section 13.3; groups: Davison and Hinkley 1997, 3.8.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} must lie in (0, 1)")
    drawn = bootstrap_draws(
        statistic, *samples, generator=generator, num=num, groups=groups
    )
    value = float(statistic(*samples))
    shift = value - drawn.mean() if is_recentred else 0
    return interval_of(value, drawn + shift, level=level)


def bootstrap_draws(
    statistic: Callable[..., float | Tensor],
    *samples: Tensor,
    generator: torch.Generator,
    num: int = 1000,
    groups: Tensor | None = None,
) -> Tensor:
    """Values of a statistic for samples that are drawn again from themselves.

    For samples of one size, generators of one seed draw the same rows: draw k of two
    models that were asked for the same captions is then of the same captions, and the
    differences of their draws are those of pairs.

    Args:
        statistic: from tensors like the samples to a number.
        samples: (N, ...) each.
        generator: source of randomness.
        num: draws.
        groups: (N,) group of each row of the first sample; see `bootstrap_interval`.

    Returns:
        (num,) float64.

    Raises:
        ValueError: If a sample is empty, or num or groups do not fit.

    References:
        Efron and Tibshirani 1993, section 6.2.
    """
    if num < 2:
        raise ValueError(f"num {num} must be at least 2")
    if not samples or min(map(len, samples)) == 0:
        raise ValueError(
            f"samples of {[len(x) for x in samples]} rows: none may be empty"
        )
    if groups is not None and groups.shape != samples[0].shape[:1]:
        shape = tuple(groups.shape)
        raise ValueError(f"groups {shape} must be ({len(samples[0])},), one per row")
    drawn = []
    for _ in range(num):
        rows = [torch.randint(len(x), (len(x),), generator=generator) for x in samples]
        if groups is not None:
            rows[0] = draw_rows(groups, generator)
        parts = [x[row] for x, row in zip(samples, rows, strict=True)]
        drawn.append(float(statistic(*parts)))
    return torch.tensor(drawn, dtype=torch.float64)


def interval_of(value: float, drawn: Tensor, *, level: float = 0.95) -> Estimate:
    """A value between the quantiles of what was drawn for it.

    Args:
        value: what was measured.
        drawn: (K,) the same of samples drawn again, as `bootstrap_draws` gives it.
        level: share of draws within the interval, between 0 and 1.
    """
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = drawn.double().quantile(ends).tolist()
    return Estimate(value, low, high)


def means_over_runs(draws: Tensor, generator: torch.Generator) -> Tensor:
    """Means over runs, of which as many are drawn again as there are.

    Two levels are drawn again: the runs here, and before that what each was measured
    on. With R runs whose values have the variance s^2, and draws of variance r^2 that
    are independent of each other, the means have the variance
    ((R - 1) s^2 + (2 R - 1) r^2) / R^2. It should be s^2 / R, as s^2 holds what r^2
    tells: so where rows matter most the spread is too wide, and where of a few runs
    the runs do, too small (of three, by a factor of 0.8).

    Args:
        draws: (R, K) of each run, as `bootstrap_draws` gives them, draw k of all runs
            from the same rows.
        generator: source of randomness.

    Returns:
        (K,) of the dtype of draws.

    Raises:
        ValueError: If there are no runs.

    References:
        Davison and Hinkley 1997, section 3.8.
    """
    if draws.ndim != 2 or not len(draws):
        raise ValueError(f"draws {tuple(draws.shape)} must be (R, K), R at least 1")
    R, K = draws.shape
    runs = torch.randint(R, (R, K), generator=generator)
    return draws.gather(0, runs).mean(0)


def share_interval(
    hits: Tensor, *, level: float = 0.95, groups: Tensor | None = None
) -> Estimate:
    """Share of hits (N,) among trials, with Wilson's interval.

    Unlike draws from the trials, it does not claim that 10 hits of 10 are certain.

    Args:
        hits: (N,) of 0 and 1.
        level: share of such intervals that hold the truth, between 0 and 1.
        groups: (N,) group of each trial, None if all are independent. As many trials
            as there are groups are then counted: those of one group may all end alike.

    Raises:
        ValueError: If there are no trials, hits are not 0 or 1, or groups do not fit.

    References:
        Wilson 1927; Brown, Cai and DasGupta 2001, section 3.1.1. Groups: Dean and
        Pagano 2015, at the largest design effect.
    """
    if not len(hits) or not ((hits == 0) | (hits == 1)).all():
        raise ValueError(f"hits {tuple(hits.shape)} must be 0 or 1, at least one")
    if groups is not None and groups.shape != hits.shape:
        shape = tuple(groups.shape)
        raise ValueError(f"groups {shape} must be ({len(hits)},), one per trial")
    num = len(hits) if groups is None else len(groups.unique())
    share, z = hits.double().mean().item(), norm.ppf((1 + level) / 2).item()
    middle = (share + z**2 / (2 * num)) / (1 + z**2 / num)
    spread = math.sqrt(share * (1 - share) / num + (z / (2 * num)) ** 2)
    half = z * spread / (1 + z**2 / num)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(share, min(share, low), max(share, high))
