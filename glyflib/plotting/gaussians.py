"""Figures of chapter 1: drawing Gaussians, fitting them, and where one fails.

Invariant: densities drawn over a histogram share its scale, area 1.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    ORANGE,
    RED,
    WIDTH,
    figure,
    legend_above,
    number,
    subplots,
)
from glyflib.plotting.pictures import add_frame, show_image

STYLES = ("--", "-", ":", "-.")
BARS = {"density": True, "color": "#A9D6F2", "edgecolor": "white", "lw": 0.3}


def ellipse(mean: ArrayLike, cov: ArrayLike, k: float) -> np.ndarray:
    """Points k standard deviations from the mean, in every direction: (181, 2)."""
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = k * np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.asarray(mean) + circle @ np.linalg.cholesky(np.asarray(cov)).T


def draw_cloud(ax: Axes, points: ArrayLike, mean: ArrayLike, cov: ArrayLike) -> None:
    """Draw (N, 2) points under the 1 and 2 sigma ellipses of a Gaussian."""
    ax.plot(*np.asarray(points).T, ".", ms=1.5, color=BLUE, alpha=0.2)
    for k, style in ((1, "-"), (2, "--")):
        ax.plot(*ellipse(mean, cov, k).T, style, color=RED, label=rf"{k}$\sigma$")


@figure
def plot_two_jobs(
    values: ArrayLike,
    density: tuple[ArrayLike, ArrayLike],
    drawn: ArrayLike,
    *,
    xlabel: str,
) -> Figure:
    """Draw the plan of the book on numbers: data, what is learnt, what is sampled.

    Args:
        values: (N,) numbers, the data.
        density: (grid, density on the grid), learnt from them.
        drawn: (M,) new numbers, sampled from the density.
        xlabel: the quantity, with its unit.
    """
    fig, axes = subplots(1, 3, figsize=(WIDTH, 3), sharex=True, sharey=True)
    grid, height = map(np.asarray, density)
    bins = np.linspace(grid.min(), grid.max(), 61)
    axes[0].hist(np.asarray(values), bins=bins, **BARS)
    axes[1].plot(grid, height, color=RED)
    axes[2].hist(np.asarray(drawn), bins=bins, **BARS)
    titles = ("the data", "a distribution", "new numbers")
    for ax, title in zip(axes, titles, strict=True):
        ax.set(xlabel=xlabel)
        ax.set_title(title, fontsize=11)
    axes[0].set(ylabel="density")
    fig.get_layout_engine().set(wspace=0.1)  # room for the arrows
    look = {"arrowstyle": "-|>", "color": BLACK, "lw": 1.6, "mutation_scale": 16}
    at = {"xycoords": "axes fraction", "textcoords": "axes fraction"}
    for ax, job in ((axes[1], "learn"), (axes[2], "sample")):
        ax.annotate("", (-0.09, 0.6), (-0.4, 0.6), arrowprops=look, **at)
        ax.text(-0.25, 0.65, job, ha="center", transform=ax.transAxes, fontsize=10)
    return fig


@figure
def plot_line_up(u: ArrayLike, x: ArrayLike) -> Figure:
    """Draw how (N,) shares u are read backwards to (N,) numbers x of a Gaussian."""
    fig, ax = subplots(figsize=(WIDTH * 0.7, 3.2))
    grid = np.linspace(-3.2, 3.2, 200)
    ax.plot(grid, stats.norm.cdf(grid), color=BLACK)
    for share, point in zip(np.asarray(u), np.asarray(x), strict=True):
        ax.plot([-3.2, point, point], [share, share, 0], color=BLUE, lw=0.9)
    ax.plot(np.asarray(x), np.zeros(len(x)), "o", ms=4, color=BLUE, clip_on=False)
    ax.set(xlabel="z", ylabel="u = F(z), the share below z")
    ax.set(xlim=(-3.2, 3.2), ylim=(0, 1))
    return fig


@figure
def plot_box_muller(square: ArrayLike, plane: ArrayLike) -> Figure:
    """Draw (M, 2) points (u1, u2) of a square and the (M, 2) points they become.

    A strip of equal height, an eighth of a turn, has thick dots in both.
    """
    fig, axes = subplots(1, 2, figsize=(WIDTH * 0.9, 3.3))
    near = np.asarray(square)[:, 0] > np.exp(-0.5)
    strip = np.abs(np.asarray(square)[:, 1] - 0.125) < 0.02  # an eighth of a turn
    for ax, points in zip(axes, (square, plane), strict=True):
        points = np.asarray(points)
        ax.plot(*points[near].T, ".", ms=3, color=BLUE)
        ax.plot(*points[~near].T, "x", ms=3, mew=0.6, color=ORANGE)
        ax.plot(*points[strip].T, ".", ms=7, color=BLACK)
        ax.set_box_aspect(1)
    left, right = axes
    left.set(xlabel="$u_1$", ylabel="$u_2$", title="before: uniform")
    right.set(xlabel="$z_1$", ylabel="$z_2$", title="after: Gaussian")
    right.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
    turn = np.linspace(0, 2 * np.pi, 181)
    right.plot(np.cos(turn), np.sin(turn), color=BLACK, lw=1)
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
    fig, ax = subplots(figsize=(WIDTH * 0.8, 3))
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
    tried: tuple[float, float],
) -> Figure:
    """Draw the mean log-likelihood as a landscape over mean and std.

    loglik is (S, M), per number, on the grids; best is its top, found by formula;
    tried is where somebody has set the two knobs by hand.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.75, 3.6))
    top = np.max(np.asarray(loglik))
    heights = sorted(top - np.array([2, 1.4, 1, 0.7, 0.4, 0.2, 0.05]))
    lines = ax.contour(mean, std, loglik, levels=heights, colors=BLUE)
    lines.set(linewidth=1, linestyle="-", alpha=0.6)
    written = {"fmt": partial(number, spec=".2f"), "fontsize": 8, "colors": BLACK}
    ax.clabel(lines, levels=heights, **written)
    ax.plot(*tried, "o", ms=7, color=BLACK, label="by hand")
    ax.plot(*best, "*", ms=14, color=RED, label="by formula")
    ax.set(xlabel=r"mean $\mu$", ylabel=r"standard deviation $\sigma$")
    ax.set(xlim=np.asarray(mean)[[0, -1]], ylim=np.asarray(std)[[0, -1]])
    legend_above(fig, ax)
    return fig


@figure
def plot_linear_map(
    z: ArrayLike, samples: ArrayLike, data: ArrayLike, mean: ArrayLike, cov: ArrayLike
) -> Figure:
    """Draw (N, 2) noise, the samples it becomes, and (M, 2) strokes and ink shares.

    The (2,) mean and (2, 2) cov are those of the Gaussian fitted to the data.
    """
    fig, axes = subplots(1, 3, figsize=(WIDTH, 3))
    draw_cloud(axes[0], z, np.zeros(2), np.eye(2))
    axes[0].set(xlabel="$z_1$", ylabel="$z_2$", title="noise z")
    axes[0].set(xlim=(-6, 6), ylim=(-6, 6), xticks=(-4, 0, 4))
    for ax, points, title in zip(
        axes[1:], (samples, data), (r"samples $\mu + Lz$", "glyphs"), strict=True
    ):
        draw_cloud(ax, points, mean, cov)
        ax.set(xlabel="strokes", ylabel="ink share", title=title)
        ax.set(xlim=(-6, 46), ylim=(0.03, 0.46))
    for ax in axes:
        ax.set_box_aspect(1)
    axes[0].legend(loc="upper center", ncols=2)
    return fig


@figure
def plot_pushforward(
    z: ArrayLike,
    x: ArrayLike,
    line: Sequence[float],
    *,
    label: str,
    one: tuple[float, float],
    picture: ArrayLike,
) -> Figure:
    """Draw (N,) noise z below, (N,) data x at the left, and the map between them.

    `line` is (mean, std) of a Gaussian fit, whose map is straight. x lies in [0, 1].
    `one` is a pair (z, x) whose way is drawn, `picture` the uint8 glyph it leads to.
    """
    ratio = {"width_ratios": (1, 3), "height_ratios": (3, 1)}
    fig, axes = subplots(2, 2, figsize=(WIDTH * 0.8, 4.6), gridspec_kw=ratio)
    (left, main), (corner, below) = axes
    order = np.argsort(np.asarray(z))
    z, x = np.asarray(z)[order], np.asarray(x)[order]
    ends = np.array([-3.5, 3.5])
    main.plot(z, x, "-", color=BLUE, label="sorted glyphs")
    main.plot(ends, line[0] + line[1] * ends, "--", color=RED, label="one Gaussian")
    noise, value = one
    way = {"color": ORANGE, "lw": 2}
    main.annotate(
        "", (-3.5, value), (noise, value), arrowprops={"arrowstyle": "-|>"} | way
    )
    main.plot([noise, noise], [0, value], **way)
    main.plot(noise, value, "o", ms=7, color=ORANGE)
    main.set(xlim=(-3.5, 3.5), ylim=(0, 1))
    main.legend(loc="upper left")
    area = {"density": True, "color": BARS["color"], "histtype": "stepfilled"}
    left.hist(x, np.arange(-0.5, 65) / 64, orientation="horizontal", **area)
    left.set(ylim=(0, 1), ylabel=label, xlabel="density")
    left.axhline(value, **way)
    left.invert_xaxis()
    below.hist(z, 60, **area)  # one shape: it is drawn for each frame of a film
    below.axvline(noise, **way)
    below.set(xlim=(-3.5, 3.5), xlabel="noise z", ylabel="density")
    show_image(corner, picture, span=(0, 255))
    add_frame(corner)
    return fig
