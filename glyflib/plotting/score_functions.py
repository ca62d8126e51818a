"""Figures of scores: fields of arrows, mean noise, walkers, what a network learns.

Invariant: an arrow tells its direction by where it points and its length by its
colour, on a logarithmic scale; a place without a usable arrow gets a cross.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    figure,
    legend_above,
    reaches,
    subplots,
)

LENGTHS = ListedColormap(colormaps["plasma"](np.linspace(0, 0.85, 256)))
LOOKS = ((BLUE, "o", "-"), (RED, "s", "--"), (GREEN, "^", "-."), (ORANGE, "D", ":"))


def arrow_lengths(score: ArrayLike) -> np.ndarray:
    """Lengths (M,) of arrows (M, 2); NaN where one has no direction."""
    score = np.asarray(score, dtype=np.float64)
    length = np.hypot(*score.T)
    return np.where(np.isfinite(length) & (length > 0), length, np.nan)


def draw_arrows(ax: Axes, places: np.ndarray, score: ArrayLike, norm: LogNorm):
    """Draw arrows of one size, coloured by length; a cross where there is none."""
    score, length = np.asarray(score, dtype=np.float64), arrow_lengths(score)
    seen = length >= norm.vmin
    unit = score[seen] / length[seen, None]
    step = np.ptp(places[:, 0]) / (len(np.unique(places[:, 0])) - 1)
    size = {"angles": "xy", "scale_units": "xy", "scale": 1 / (0.9 * step)}
    shape = {"width": 0.0075, "headwidth": 4.5, "headlength": 4.5, "pivot": "mid"}
    look = {"cmap": LENGTHS, "norm": norm, "zorder": 3} | size | shape
    ax.plot(*places[~seen].T, "x", color=GREY, ms=2.5, mew=0.7, zorder=2)
    return ax.quiver(*places[seen].T, *unit.T, length[seen], **look)


@figure
def plot_fields(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]],
    places: ArrayLike,
    *,
    shortest: float | None = None,
) -> Figure:
    """Draw fields of arrows, three in a row, over the points they belong to.

    Args:
        panels: title -> points (N, 2), drawn grey, and arrows (M, 2).
        places: (M, 2) where the arrows stand, a square grid.
        shortest: arrows below this length become crosses; else none does.

    Raises:
        ValueError: If no arrow has a length, so that there is no scale.
    """
    places = np.asarray(places)
    lengths = np.concatenate([arrow_lengths(score) for _, score in panels.values()])
    if np.isnan(lengths).all():
        raise ValueError("no arrow has a length above 0: there is nothing to draw")
    norm = LogNorm(shortest or np.nanmin(lengths), np.nanmax(lengths))
    cols = min(3, len(panels))
    rows = -(-len(panels) // cols)
    size = (WIDTH, rows * (WIDTH / cols + 0.15) + 0.65)
    shared = {"squeeze": False, "sharex": True, "sharey": True}
    fig, axes = subplots(rows, cols, figsize=size, **shared)
    half = np.abs(places).max() * 1.08
    for ax, (title, (points, score)) in zip(axes.flat, panels.items(), strict=False):
        ax.plot(*np.asarray(points).T, ".", ms=1.6, mew=0, color="#a8a8a8", zorder=1)
        arrows = draw_arrows(ax, places, score, norm)
        ax.set(title=title, aspect="equal", xlim=(-half, half), ylim=(-half, half))
        ax.grid(visible=False)
    for ax in axes.flat:
        ax.set(xlabel="map x", ylabel="map y", visible=bool(ax.lines))
        ax.label_outer()
    place = {"location": "bottom", "shrink": 0.6, "aspect": 40, "pad": 0.03}
    fig.colorbar(arrows, ax=axes, label="length of the score", **place)
    return fig


@figure
def plot_slopes(
    x: ArrayLike, curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]
) -> Figure:
    """Draw densities of one number, their logarithms and their scores, all (N,).

    Args:
        x: (N,) places.
        curves: name -> density, log density and score.
    """
    fig, axes = subplots(3, 1, figsize=(WIDTH * 0.85, 5.4), sharex=True)
    names = "density", "log density", "score (slope)"
    for (label, rows), (color, _, style) in zip(curves.items(), LOOKS, strict=False):
        for ax, row, name in zip(axes, rows, names, strict=True):
            ax.plot(x, row, style, color=color, label=label)
            ax.set_ylabel(name)
    axes[2].axhline(0, color=BLACK, lw=0.8)
    axes[0].legend()
    axes[2].set_xlabel("x")
    fig.align_ylabels(axes)
    return fig


@figure
def plot_mean_noise(
    panels: Mapping[str, tuple[ArrayLike, ...]],
) -> Figure:
    """Draw single noises, their mean in narrow strips, and what the score foretells.

    Args:
        panels: title -> xt (N,), eps (N,), strip centres, means and standard errors
            (S,), and the curve's places and values (G,).
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.3), sharey=True)
    for ax, (title, parts) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        xt, eps, centre, mean, error, grid, curve = map(np.asarray, parts)
        dots = {"ms": 2.5, "mew": 0, "color": GREY, "alpha": 0.6}
        ax.plot(xt[:1500], eps[:1500], ".", label="one noise", **dots)
        ax.plot(grid, curve, color=RED, lw=1.2, label="from the score", zorder=3)
        bars = {"fmt": "o", "ms": 3.5, "color": BLUE, "capsize": 2, "lw": 1}
        ax.errorbar(centre, mean, 2 * error, label="mean of a strip", **bars)
        ax.set(title=title, xlabel="$x_t$", ylim=(-3.5, 3.5))
    np.atleast_1d(axes)[0].set_ylabel(r"noise $\epsilon$")
    legend_above(fig, ax, markerscale=2)
    return fig


@figure
def plot_factor(
    levels: ArrayLike, slope: ArrayLike, formula: ArrayLike, known: ArrayLike
) -> Figure:
    """Draw the factor between score and mean noise, and how much of a noise is known.

    Args:
        levels: (K,) noise levels.
        slope: (K, 2) measured factor and its standard error.
        formula: (T + 1,) sqrt(1 - alpha_bar).
        known: (K,) share of the noise's variance that its mean accounts for.
    """
    slope, error = np.asarray(slope).T
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3))
    t = np.arange(1, len(formula))
    label = r"$\sqrt{1 - \bar\alpha_t}$"
    left.plot(t, np.asarray(formula)[1:], color=SKY, lw=3, label=label)
    left.errorbar(levels, slope, 2 * error, fmt="o", ms=4, color=BLUE, label="measured")
    left.set(xscale="log", yscale="log", xlabel="level t")
    left.set(ylabel=r"factor: $-\hat\epsilon\,/$ score", title="the factor")
    left.legend()
    right.plot(levels, known, "o-", ms=4, color=GREEN)
    right.set(xscale="log", xlabel="level t", ylim=(-0.03, 1.03))
    right.set(ylabel="share of variance", title="how much of a noise is known")
    return fig


@figure
def plot_vanishing(
    distance: ArrayLike,
    logs: Mapping[str, ArrayLike],
    lengths: Mapping[str, ArrayLike],
) -> Figure:
    """Draw log density and length of the arrow on a way out of the data.

    Args:
        distance: (N,) to the nearest point.
        logs: recipe -> (N,) natural log of density; what is not finite is left out.
        lengths: recipe -> (N,) length of the arrow.
    """
    fig, axes = subplots(1, 2, figsize=(WIDTH, 3.6))
    titles = "log of the density", "length of the arrow"
    for ax, rows, title in zip(axes, (logs, lengths), titles, strict=True):
        looks = zip(rows.items(), LOOKS, (5, 2.6, 1.8, 1.8), strict=False)
        for (name, row), (color, _, style), width in looks:
            row = np.where(np.isfinite(row), row, np.nan)
            look = {"color": color, "lw": width, "alpha": 0.45 if width == 5 else 1}
            ax.plot(distance, row, style, label=name, **look)
        ax.set(xlabel="distance to the nearest glyph", ylabel=title)
    legend_above(fig, axes[0])
    return fig


@figure
def plot_walkers(panels: Mapping[str, ArrayLike], points: ArrayLike) -> Figure:
    """Draw walkers, title -> (N, 2), over the points (M, 2) they should find."""
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.8), sharey=True)
    for ax, (title, walkers) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ax.plot(*np.asarray(points).T, ".", ms=2, mew=0, color="#b4b4b4")
        ax.plot(*np.asarray(walkers).T, ".", ms=3.2, mew=0, color=BLUE, alpha=0.8)
        ax.set(title=title, xlabel="map x", aspect="equal")
        ax.set(xlim=(-3, 3), ylim=(-3, 3))
    np.atleast_1d(axes)[0].set_ylabel("map y")
    return fig


@figure
def plot_shares(
    names: Sequence[str], truth: ArrayLike, found: Mapping[str, ArrayLike]
) -> Figure:
    """Draw the share of walkers in each of K modes beside the true weights.

    Args:
        names: K modes.
        truth: (K,) weights.
        found: way of walking -> (K, 3) share, lower and upper end of its interval.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.3))
    spots = np.arange(len(names))
    ax.bar(spots, np.asarray(truth), width=0.8, color="#d9d9d9", label="true weight")
    shifts = np.linspace(-0.2, 0.2, len(found)) if len(found) > 1 else [0.0]
    for (label, rows), look, shift in zip(found.items(), LOOKS, shifts, strict=False):
        share, reach = reaches(rows)
        style = {"fmt": look[1], "color": look[0], "ms": 5, "capsize": 4}
        ax.errorbar(spots + shift, share, reach, label=label, **style)
    ax.set_xticks(spots, names)
    ax.set(ylabel="share of walkers", xlabel="island", ylim=(0, None))
    ax.legend()
    return fig


@figure
def plot_learning(
    levels: ArrayLike, loss: ArrayLike, floor: ArrayLike, relative: ArrayLike
) -> Figure:
    """Draw a network's loss by level over its floor, and relative error, all (K,)."""
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3))
    left.plot(levels, floor, "-", color=SKY, lw=5, label="floor: exact answer")
    left.plot(levels, loss, "o--", ms=4, color=BLUE, label="network")
    left.set(ylabel="squared error of the noise", title="loss")
    right.plot(levels, relative, "s-", ms=4, color=RED)
    right.axhline(1, color=GREY, ls=":", label="as bad as no arrow")
    right.set(title="relative error of the score", yscale="log")
    right.set_ylabel("squared error / squared score")
    for ax in (left, right):
        ax.set(xlabel="level t", xscale="log")
        ax.legend()
    return fig
