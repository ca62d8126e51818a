"""Figures of scores: fields of arrows, mean noise, walkers, what a network learns.

Invariant: all arrows are equally long. Where length matters, the colour tells it, on a
logarithmic scale; a place without a usable arrow gets a cross.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    EPS,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    figure,
    legend_above,
    subplots,
)

LENGTHS = ListedColormap(colormaps["plasma"](np.linspace(0, 0.85, 256)))
LOOKS = ((BLUE, "o", "-"), (RED, "s", "--"), (GREEN, "^", "-."), (ORANGE, "D", ":"))


def arrow_lengths(score: ArrayLike) -> np.ndarray:
    """Lengths (M,) of arrows (M, 2); NaN where one has no direction."""
    score = np.asarray(score, dtype=np.float64)
    length = np.hypot(*score.T)
    return np.where(np.isfinite(length) & (length > 0), length, np.nan)


def spacing(places: np.ndarray) -> float:
    """How far apart the places (M, 2) of a square grid lie."""
    return np.ptp(places[:, 0]) / (len(np.unique(places[:, 0])) - 1)


def arrow_shape(places: np.ndarray) -> dict[str, object]:
    """How `Axes.quiver` draws arrows of length 1 so that neighbours do not touch."""
    size = {"angles": "xy", "scale_units": "xy", "scale": 1 / (0.9 * spacing(places))}
    shape = {"width": 0.0075, "headwidth": 4.5, "headlength": 4.5, "pivot": "mid"}
    return size | shape | {"zorder": 3}


def name_spots(ax: Axes, spots: Mapping[str, ArrayLike]) -> None:
    """Write names at spots (2,), on white, over whatever lies there."""
    box = {"facecolor": "white", "lw": 0, "pad": 2.5}
    look = {"ha": "center", "va": "center", "fontsize": 9, "zorder": 5, "bbox": box}
    for name, (x, y) in spots.items():
        ax.text(x, y, name, **look)


def draw_arrows(ax: Axes, places: np.ndarray, score: ArrayLike, norm: LogNorm):
    """Draw arrows of one size, coloured by length; a cross where there is none."""
    score, length = np.asarray(score, dtype=np.float64), arrow_lengths(score)
    seen = length >= norm.vmin
    unit = score[seen] / length[seen, None]
    look = {"cmap": LENGTHS, "norm": norm} | arrow_shape(places)
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
    x: ArrayLike,
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    humps: Mapping[str, float] | None = None,
) -> Figure:
    """Draw densities of one number, their logarithms and their scores, all (N,).

    Args:
        x: (N,) places.
        curves: name -> density, log density and score.
        humps: names to write over the first density, and the places of its humps.
    """
    fig, axes = subplots(3, 1, figsize=(WIDTH * 0.85, 5.4), sharex=True)
    names = "density", "log density", "score (slope)"
    for (label, rows), (color, _, style) in zip(curves.items(), LOOKS, strict=False):
        for ax, row, name in zip(axes, rows, names, strict=True):
            ax.plot(x, row, style, color=color, label=label)
            ax.set_ylabel(name)
    if humps:
        first = np.asarray(next(iter(curves.values()))[0])
        tops = np.interp(list(humps.values()), x, first)
        above = 0.1 * first.max()
        spots = zip(humps, humps.values(), tops + above, strict=True)
        name_spots(axes[0], {name: (at, top) for name, at, top in spots})
        axes[0].set_ylim(top=1.22 * first.max())
    axes[2].axhline(0, color=BLACK, lw=0.8)
    if len(curves) > 1:
        axes[0].legend()
    axes[2].set_xlabel("height $x$")
    fig.align_ylabels(axes)
    return fig


@figure
def plot_directions(
    panels: Mapping[str, ArrayLike],
    places: ArrayLike,
    points: ArrayLike,
    *,
    spots: Mapping[str, ArrayLike] | None = None,
) -> Figure:
    """Draw which way arrows point, all equally long, over the points they belong to.

    Args:
        panels: title -> arrows (M, 2); a cross stands where one is not finite or 0.
        places: (M, 2) where the arrows stand, a square grid.
        points: (N, 2), drawn grey.
        spots: names to write on the first panel, and where, (2,).
    """
    places = np.asarray(places)
    half = np.abs(places).max() * 1.08
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.75), sharey=True)
    looks = zip(np.atleast_1d(axes), panels.items(), (BLUE, GREEN, RED), strict=False)
    for ax, (title, arrows), color in looks:
        length = arrow_lengths(arrows)
        unit = np.asarray(arrows, float) / length[:, None]
        seen = np.isfinite(length)
        ax.plot(*np.asarray(points).T, ".", ms=1.6, mew=0, color="#a8a8a8", zorder=1)
        ax.plot(*places[~seen].T, "x", color=GREY, ms=2.5, mew=0.7, zorder=2)
        ax.quiver(*places[seen].T, *unit[seen].T, color=color, **arrow_shape(places))
        ax.set(title=title, aspect="equal", xlim=(-half, half), ylim=(-half, half))
        ax.set(xlabel="map x")
        ax.grid(visible=False)
    name_spots(np.atleast_1d(axes)[0], spots or {})
    np.atleast_1d(axes)[0].set_ylabel("map y")
    return fig


@figure
def plot_mean_noise(
    panels: Mapping[
        str,
        tuple[ArrayLike, ArrayLike, Mapping[float, float], ArrayLike, ArrayLike],
    ],
) -> Figure:
    """Draw single noises, their mean in narrow strips, and what the score foretells.

    Args:
        panels: title -> xt (N,), eps (N,), the mean noise of each strip by its middle,
            and the curve's places and values (G,).
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.3), sharey=True)
    for ax, (title, parts) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        xt, eps, strips, grid, curve = parts
        dots = {"ms": 2.5, "mew": 0, "color": GREY, "alpha": 0.6}
        ax.plot(xt[:1500], eps[:1500], ".", label="one noise", **dots)
        ax.plot(grid, curve, color=RED, lw=1.2, label="from the score", zorder=4)
        look = {"ms": 4, "color": BLUE, "mfc": "white", "mew": 0.9, "zorder": 3}
        ax.plot(
            list(strips), list(strips.values()), "o", label="mean of a strip", **look
        )
        ax.set(title=title, xlabel="$x_t$", ylim=(-3.5, 3.5))
    np.atleast_1d(axes)[0].set_ylabel(f"noise ${EPS}$")
    legend = legend_above(fig, ax, fontsize=9)
    dot, _, _ = legend.legend_handles
    dot.set(markersize=6, alpha=1)  # one that is as small as those drawn is not seen
    return fig


@figure
def plot_factor(levels: ArrayLike, slope: ArrayLike, formula: ArrayLike) -> Figure:
    """Draw the factor between score and mean noise by level.

    Args:
        levels: (K,) noise levels.
        slope: (K, 2) measured factor and its standard error.
        formula: (T + 1,) sqrt(1 - alpha_bar).
    """
    slope, error = np.asarray(slope).T
    fig, ax = subplots(figsize=(WIDTH * 0.7, 3))
    t = np.arange(1, len(formula))
    label = r"$\sqrt{1 - \bar\alpha_t}$"
    ax.plot(t, np.asarray(formula)[1:], color=SKY, lw=3, label=label)
    ax.errorbar(levels, slope, 2 * error, fmt="o", ms=4, color=BLUE, label="measured")
    ax.set(xscale="log", yscale="log", xlabel="level t")
    ax.set_ylabel(rf"factor: $-\hat{{{EPS}}}\,/$ score")
    ax.legend()
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
def plot_walkers(
    panels: Mapping[str, ArrayLike],
    points: ArrayLike,
    *,
    spots: Mapping[str, ArrayLike] | None = None,
) -> Figure:
    """Draw walkers over the points that they should find.

    Args:
        panels: title -> (N, 2) walkers.
        points: (M, 2), drawn grey.
        spots: names to write on each panel, and where, (2,).
    """
    width = min(WIDTH, 0.6 + 3.2 * len(panels))
    fig, axes = subplots(1, len(panels), figsize=(width, 3.8), sharey=True)
    for ax, (title, walkers) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ax.plot(*np.asarray(points).T, ".", ms=2, mew=0, color="#b4b4b4")
        ax.plot(*np.asarray(walkers).T, ".", ms=3.2, mew=0, color=BLUE, alpha=0.8)
        ax.set(title=title, xlabel="map x", aspect="equal")
        ax.set(xlim=(-3, 3), ylim=(-3, 3))
        name_spots(ax, spots or {})
    np.atleast_1d(axes)[0].set_ylabel("map y")
    return fig


@figure
def plot_shares(
    names: Sequence[str], truth: ArrayLike, found: Mapping[str, ArrayLike]
) -> Figure:
    """Draw the share of walkers on each of K islands beside the true shares.

    Args:
        names: K islands.
        truth: (K,) true shares.
        found: way of walking -> (K,) shares.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.3))
    spots = np.arange(len(names))
    ax.bar(spots, np.asarray(truth), width=0.8, color="#d9d9d9", label="true share")
    shifts = np.linspace(-0.2, 0.2, len(found)) if len(found) > 1 else [0.0]
    for (label, shares), look, shift in zip(found.items(), LOOKS, shifts, strict=False):
        style = {"color": look[0], "ms": 8, "mec": "white"}
        ax.plot(spots + shift, np.asarray(shares), look[1], label=label, **style)
    ax.set_xticks(spots, names)
    ax.set(ylabel="share of walkers", xlabel="island", ylim=(0, None))
    ax.legend()
    return fig


@figure
def plot_learned(
    places: ArrayLike, points: ArrayLike, exact: ArrayLike, learned: ArrayLike
) -> Figure:
    """Draw exact and learned arrows, and how large the error of the learned ones is.

    Args:
        places: (M, 2) where the arrows stand, a square grid.
        points: (N, 2) what the network was trained on, under the same noise.
        exact: (M, 2) arrows, none of length 0.
        learned: (M, 2) arrows.
    """
    places, exact = np.asarray(places), np.asarray(exact)
    error = np.hypot(*(np.asarray(learned) - exact).T) / np.hypot(*exact.T)
    half = np.abs(places).max() * 1.08
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.9), sharey=True)
    shape = arrow_shape(places)
    for arrows, color, width in ((exact, "#c4c4c4", 0.02), (learned, RED, 0.006)):
        unit = np.asarray(arrows) / arrow_lengths(arrows)[:, None]
        look = shape | {
            "width": width,
            "headwidth": 3,
            "headlength": 2.5,
            "headaxislength": 2.5,
        }
        left.quiver(*places.T, *unit.T, color=color, **look)
    left.set_title("which way (grey: exact, orange: learned)")
    norm, size = Normalize(0, 1, clip=True), spacing(places) / (2 * half)
    side = 72 * right.get_position().width * WIDTH * size
    squares = right.scatter(
        *places.T, s=side**2 * 0.8, c=error, marker="s", cmap="Blues", norm=norm
    )
    right.plot(*np.asarray(points).T, ".", ms=1.4, mew=0, color=BLACK)
    right.set_title("how far off")
    for ax in (left, right):
        ax.set(aspect="equal", xlim=(-half, half), ylim=(-half, half), xlabel="map x")
        ax.grid(visible=False)
    left.set_ylabel("map y")
    bar = fig.colorbar(squares, ax=[left, right], location="bottom", shrink=0.6)
    bar.set_label("error, as a share of the exact arrow's length")
    bar.set_ticks([0, 0.5, 1], labels=["0", "0.5", "1 or more"])
    return fig
