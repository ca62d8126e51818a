"""Figures of the map of all glyphs: groups, layout scores, density.

Invariant: points of one map are always drawn on equal axes, so that a distance on
the page is a distance on the map.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import RED, WIDTH, figure, group_colours, subplots
from glyflib.plotting.pictures import stamp

MARKERS = ["s", "^", "D", "P", "o", "v", "X", "*"]


def dots(ax: Axes, points: np.ndarray, labels: Sequence[str]) -> None:
    """Draw points in the colour and marker of their label, "" in pale grey."""
    labels = np.asarray(labels)
    ax.scatter(*points[labels == ""].T, s=0.6, c="#c8c8c8", lw=0, rasterized=True)
    colours = group_colours(sorted(set(labels.tolist()) - {""}))
    for (name, colour), marker in zip(sorted(colours.items()), MARKERS, strict=False):
        here = points[labels == name]
        # Snapped to whole pixels, thin marks of this size would vanish.
        look = {"s": 2.2, "marker": marker, "c": colour, "lw": 0, "snap": False}
        ax.scatter(*here.T, label=name, **look)
    ax.set_aspect("equal", "datalim")
    ax.set_xticks([])
    ax.set_yticks([])


@figure
def plot_maps(
    maps: Mapping[str, tuple[ArrayLike, Sequence[str]]],
    *,
    images: ArrayLike | None = None,
    rows: Sequence[int] = (),
) -> Figure:
    """Draw maps of the same glyphs side by side, coloured by label.

    Args:
        maps: {title: ((N, 2) points, N labels)}, at most 8 different labels; "" is
            drawn grey.
        images: (N, 1, S, S) uint8, to draw some glyphs at their points.
        rows: the glyphs to draw.
    """
    fig, axes = subplots(1, len(maps), figsize=(WIDTH, 4.3), squeeze=False)
    for ax, (title, (points, labels)) in zip(axes[0], maps.items(), strict=True):
        points = np.asarray(points)
        dots(ax, points, labels)
        for row in rows:
            stamp(ax, images[row], points[row], zoom=0.5 * 32 / images.shape[-1])
        word = "direction 1, direction 2" if "PCA" in title else "map x, map y"
        first, second = word.split(", ")
        ax.set(title=title, xlabel=first, ylabel=second)
        if ax.get_legend_handles_labels()[1]:
            place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.07)}
            columns = 3 if len(set(labels)) > 5 else 2  # even rows of few names
            ax.legend(**place, ncols=columns, markerscale=4, columnspacing=0.9)
    return fig


@figure
def plot_scores(groups: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw glyphs at their layout scores, one row of the figure a group.

    Args:
        groups: {name: ((n,) scores, (n, 1, S, S) uint8 images)}.
    """
    fig, ax = subplots(figsize=(WIDTH, 1.75 * len(groups) + 0.6))
    for y, (scores, images) in enumerate(groups.values()):
        for rank, i in enumerate(np.argsort(scores)):
            place = float(scores[i]), y + 0.17 * (rank % 5 - 2)
            stamp(ax, images[i], place, zoom=0.5 * 32 / images.shape[-1])
    ax.axvline(0, color=RED, ls="--")
    ax.set(xlim=(-0.33, 0.33), ylim=(-0.55, len(groups) - 0.45))
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_xlabel("layout score (share of the cut's length that is ink)")
    return fig


@figure
def plot_density(
    density: ArrayLike, box: tuple[float, float, float, float], samples: ArrayLike
) -> Figure:
    """Draw a density on a grid, and numbered points sampled from it.

    Args:
        density: (R, C), row 0 at the least y.
        box: least x, greatest x, least y, greatest y.
        samples: (n, 2) points.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 5.2))
    rows, cols = np.shape(density)
    across, up = np.linspace(*box[:2], cols), np.linspace(*box[2:], rows)
    ax.set_aspect("equal")
    shown = ax.contourf(across, up, density, levels=16, cmap="magma_r")
    fig.colorbar(shown, ax=ax, shrink=0.8, label="density (per unit of area)")
    pad = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": "black"}
    for number, xy in enumerate(np.asarray(samples), start=1):
        ax.annotate(str(number), xy, ha="center", va="center", fontsize=8, bbox=pad)
    ax.set(xlabel="map x", ylabel="map y")
    ax.grid(visible=False)
    return fig
