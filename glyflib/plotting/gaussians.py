"""Figures of chapter 1: drawing Gaussians, fitting them, and where one fails.

Invariant: densities drawn over a histogram share its scale, area 1.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RED,
    WIDTH,
    figure,
    subplots,
)

STYLES = ("--", "-", ":", "-.")
BARS = {"density": True, "color": "#A9D6F2", "edgecolor": "white", "lw": 0.3}


def ellipse(mean: ArrayLike, cov: ArrayLike, k: float) -> np.ndarray:
    """Points k standard deviations from the mean, in every direction: (181, 2)."""
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = k * np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.asarray(mean) + circle @ np.linalg.cholesky(np.asarray(cov)).T


def draw_cloud(ax: Axes, points: ArrayLike, mean: ArrayLike, cov: ArrayLike) -> None:
    """Draw (N, 2) points under the 1 and 2 sigma ellipses of a Gaussian."""
    ax.plot(*np.asarray(points).T, ".", ms=1.5, color=BLUE, alpha=0.35)
    for k, style in ((1, "-"), (2, "--")):
        ax.plot(*ellipse(mean, cov, k).T, style, color=RED, label=rf"{k}$\sigma$")


@figure
def plot_two_roads(
    u: ArrayLike, x: ArrayLike, square: ArrayLike, plane: ArrayLike
) -> Figure:
    """Draw the inverse-CDF map, and Box-Muller's map from a square to a plane.

    u and x are (N,), evenly spaced numbers and their images; square and plane are
    (M, 2), points (u1, u2) and theirs.
    """
    fig, (left, middle, right) = subplots(1, 3, figsize=(WIDTH, 2.7))
    grid = np.linspace(-3.2, 3.2, 200)
    left.plot(grid, stats.norm.cdf(grid), color=BLACK)
    for level, point in zip(np.asarray(u), np.asarray(x), strict=True):
        left.plot([-3.2, point, point], [level, level, 0], color=BLUE, lw=0.8)
    left.set(xlabel="x", ylabel="u = F(x)", title="inverse CDF", xlim=(-3.2, 3.2))
    left.set(ylim=(0, 1), box_aspect=1)
    near = np.asarray(square)[:, 0] > np.exp(-0.5)
    for ax, points in ((middle, square), (right, plane)):
        points = np.asarray(points)
        ax.plot(*points[near].T, ".", ms=2.5, color=BLUE)
        ax.plot(*points[~near].T, "x", ms=2.5, mew=0.6, color=ORANGE)
        ax.set_box_aspect(1)
    middle.set(xlabel="$u_1$", ylabel="$u_2$", title="Box-Muller: before")
    right.set(xlabel="$z_1$", ylabel="$z_2$", title="after")
    right.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
    return fig


@figure
def plot_densities(
    values: ArrayLike,
    densities: dict[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    bins: ArrayLike | int = 60,
    histogram: str = "histogram",
) -> Figure:
    """Draw named density curves over the histogram of some values.

    Args:
        values: (N,) numbers.
        densities: name -> (grid, density on the grid).
        xlabel: the quantity, with its unit.
        bins: as numpy takes them.
        histogram: the legend's word for the values.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.2))
    ax.hist(np.asarray(values), bins=bins, label=histogram, **BARS)
    curves = zip(densities.items(), STYLES, (BLACK, RED, ORANGE, BLUE), strict=False)
    for (name, curve), style, color in curves:
        ax.plot(*curve, style, color=color, label=name)
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()
    return fig


@figure
def plot_likelihood(
    mean: ArrayLike,
    std: ArrayLike,
    loglik: ArrayLike,
    best: tuple[float, float],
    path: ArrayLike,
) -> Figure:
    """Draw the mean log-likelihood as a landscape over mean and std.

    loglik is (S, M), nats per sample, on the grids; best is the maximum found by
    formula; path is (P, 2), the steps of a numerical search.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.75, 3.6))
    top = np.max(np.asarray(loglik))
    levels = top - np.array([2, 1.4, 1, 0.7, 0.4, 0.2, 0.1, 0.05, 0.02])
    lines = ax.contour(mean, std, loglik, levels=sorted(levels), colors=BLUE)
    lines.set(linewidth=1, linestyle="-", alpha=0.6)
    ax.clabel(lines, levels=sorted(levels)[:6], fmt="%.1f", fontsize=8, colors=BLACK)
    ax.plot(*np.asarray(path).T, ".:", color=BLACK, lw=1, label="numerical search")
    ax.plot(*best, "*", ms=14, color=RED, label="formula")
    ax.set(xlabel=r"mean $\mu$", ylabel=r"standard deviation $\sigma$")
    ax.set(xlim=np.asarray(mean)[[0, -1]], ylim=np.asarray(std)[[0, -1]])
    ax.legend(loc="upper left", frameon=True)
    return fig


@figure
def plot_errors(
    num: ArrayLike, mean_error: ArrayLike, std_error: ArrayLike, mean_var: ArrayLike
) -> Figure:
    """Draw how estimates of N(0, 1) err at (K,) numbers of samples n.

    The errors are the spread of the estimated mean and std over many repetitions;
    mean_var is the average estimated variance.
    """
    n = np.asarray(num, dtype=float)
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.2))
    left.loglog(n, n**-0.5, "-", color=BLUE, label=r"$1/\sqrt{n}$")
    left.loglog(n, mean_error, "o", color=BLUE, label="mean, measured")
    left.loglog(n, (2 * n) ** -0.5, "--", color=RED, label=r"$1/\sqrt{2n}$")
    left.loglog(n, std_error, "s", color=RED, label="std, measured")
    left.set(xlabel="number of samples n", ylabel="standard error")
    fine = np.geomspace(n.min(), n.max(), 200)
    right.semilogx(fine, (fine - 1) / fine, "-", color=BLACK, label="$(n-1)/n$")
    right.semilogx(n, mean_var, "^", color=ORANGE, label="average, measured")
    right.axhline(1, color=GREY, ls=":", label="truth")
    right.set(xlabel=left.get_xlabel(), ylabel="estimated variance", ylim=(0.4, 1.1))
    left.legend()
    right.legend(loc="lower right")
    return fig


@figure
def plot_normality(values: ArrayLike, mean: float, std: float, *, label: str) -> Figure:
    """Draw (N,) values beside a Gaussian fit: histogram, and quantile by quantile."""
    values = np.sort(np.asarray(values))
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.2))
    grid = np.linspace(mean - 5 * std, mean + 5 * std, 300)
    left.hist(values, bins=80, label="glyphs", **BARS)
    left.plot(grid, stats.norm.pdf(grid, mean, std), color=RED, label="fitted Gaussian")
    left.set(xlabel=label, ylabel="density")
    expected = stats.norm.ppf((np.arange(len(values)) + 0.5) / len(values), mean, std)
    right.plot(expected, values, ".", ms=2.5, color=BLUE, label="glyphs")
    ends = expected[[0, -1]]
    right.plot(ends, ends, "--", color=RED, label="if Gaussian")
    right.set(xlabel=f"{label}: quantile of the fit", ylabel="quantile of the glyphs")
    left.legend(loc="upper left")
    right.legend(loc="upper left")
    return fig


@figure
def plot_linear_map(
    z: ArrayLike, samples: ArrayLike, data: ArrayLike, mean: ArrayLike, cov: ArrayLike
) -> Figure:
    """Draw (N, 2) noise, the samples it becomes, and (M, 2) strokes and ink shares.

    The (2,) mean and (2, 2) cov are those of the Gaussian fitted to the data.
    """
    fig, axes = subplots(1, 3, figsize=(WIDTH, 2.9))
    draw_cloud(axes[0], z, np.zeros(2), np.eye(2))
    axes[0].set(xlabel="$z_1$", ylabel="$z_2$", title="noise z")
    axes[0].set(xlim=(-5, 5), ylim=(-5, 5), xticks=(-4, -2, 0, 2, 4))
    for ax, points, title in zip(
        axes[1:], (samples, data), (r"samples $\mu + Lz$", "glyphs"), strict=True
    ):
        draw_cloud(ax, points, mean, cov)
        ax.set(xlabel="strokes", ylabel="ink share", title=title)
        ax.set(xlim=(-3, 32), ylim=(0.1, 0.42))
    for ax in axes:
        ax.set_box_aspect(1)
    axes[0].legend(loc="upper center", ncols=2)
    return fig


@figure
def plot_pushforward(
    z: ArrayLike, x: ArrayLike, line: Sequence[float], *, label: str
) -> Figure:
    """Draw (N,) noise z below, (N,) data x at the left, and the map between them.

    `line` is (mean, std) of a Gaussian fit, whose map is straight. x lies in [0, 1].
    """
    ratio = {"width_ratios": (1, 3), "height_ratios": (3, 1)}
    fig, axes = subplots(2, 2, figsize=(WIDTH * 0.8, 4.4), gridspec_kw=ratio)
    (left, main), (corner, below) = axes
    order = np.argsort(np.asarray(z))
    z, x = np.asarray(z)[order], np.asarray(x)[order]
    ends = np.array([-3.5, 3.5])
    main.plot(z, x, "-", color=BLUE, label="sorted glyphs")
    main.plot(ends, line[0] + line[1] * ends, "--", color=RED, label="Gaussian fit")
    main.set(xlim=(-3.5, 3.5), ylim=(0, 1))
    main.legend(loc="lower right")
    left.hist(x, np.arange(-0.5, 65) / 64, orientation="horizontal", **BARS)
    left.set(ylim=(0, 1), ylabel=label, xlabel="density")
    left.invert_xaxis()
    below.hist(z, 60, **BARS)
    below.set(xlim=(-3.5, 3.5), xlabel="noise z", ylabel="density")
    corner.set_axis_off()
    return fig
