"""Figures of points of the plane that are spoilt, guessed at and drawn.

Invariant: blue are data, orange is noise, green is what a network says; all panels of
a figure and all frames of a film show the same part of the plane.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    WIDTH,
    figure,
    subplots,
)
from glyflib.plotting.pictures import add_frame, show_image

ARROW = 0.36  # length of an arrow that shows a direction
PALE = "#CFE6F5"  # the blue of data, as a ground for other points
REACH = 3.2  # of the plane that is shown: nearly all noise lies nearer to the middle


def show_plane(ax: Axes, *, reach: float = REACH, apart: int = 1) -> None:
    """Show the plane around its middle, with ticks so far apart, and named axes."""
    last = int(reach) // apart * apart
    ticks = range(-last, last + 1, apart)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="across", ylabel="up", xticks=ticks, yticks=ticks)
    ax.tick_params(length=0)
    ax.spines[:].set(visible=False)


def show_points(ax: Axes, points: ArrayLike, *, color: str, size: float) -> None:
    """Draw each point as a dot, so small that a crowd of them shows as one."""
    look = {"color": color, "ms": size, "mew": 0}
    ax.plot(*np.asarray(points).T, "o", **look)


@figure
def plot_data(image: ArrayLike, points: ArrayLike) -> Figure:
    """Draw a glyph, and beside it the points that were taken from its ink.

    Args:
        image: (1, H, W) or (H, W) uint8.
        points: (N, 2) across and up.
    """
    fig, (left, right) = subplots(1, 2, figsize=(0.8 * WIDTH, 2.9))
    show_image(left, image, span=(0, 255))
    add_frame(left)
    left.set_title("the picture")
    show_points(right, points, color=BLUE, size=2)
    show_plane(right, reach=2.6)
    right.set_title(f"{len(points):,} places in its ink")
    return fig


@figure
def plot_spoilt(
    x0: ArrayLike, eps: ArrayLike, level: tuple[float, float], *, one: int
) -> Figure:
    """Draw spoilt points, and the way of one of them, for a slider over levels.

    Args:
        x0: (N, 2) clean points.
        eps: (N, 2) the push of each.
        level: how much of a point is left, and how strong its push is.
        one: the row of the point whose way is drawn.
    """
    x0, eps = np.asarray(x0), np.asarray(eps)
    signal, strength = map(float, level)
    xt = signal * x0 + strength * eps
    fig, ax = subplots(figsize=(4.6, 4.5))
    show_points(ax, xt, color=BLUE, size=2)
    start, middle, end = x0[one], signal * x0[one], xt[one]
    ax.plot(*np.stack([start, middle]).T, "-", color=BLACK, lw=2, label="shrunk")
    ax.plot(*np.stack([middle, end]).T, "--", color=BLACK, lw=2, label="pushed")
    look = {"mec": BLACK, "mew": 1.2, "zorder": 4, "ls": "none"}
    ax.plot(*start, "s", mfc="white", ms=7, label="one point", **look)
    ax.plot(*end, "o", mfc=ORANGE, ms=9, label="the same, spoilt", **look)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize=8)
    show_plane(ax)
    return fig


@figure
def plot_errors(errors: ArrayLike, *, best: float, every: int = 50) -> Figure:
    """Draw the error of a network while it is trained.

    Args:
        errors: (N,) of each round, N at least `every`.
        best: the error of the best answers that there are.
        every: rounds that one dot is the average of.
    """
    errors = np.asarray(errors)
    kept = errors[: len(errors) // every * every].reshape(-1, every)
    rounds = every * (np.arange(len(kept)) + 0.5)
    fig, ax = subplots(figsize=(0.7 * WIDTH, 2.6))
    ax.axhline(1, color=GREY, ls=":", label='always "no push at all"')
    ax.plot(rounds, kept.mean(axis=1), color=GREEN, label="the network")
    ax.axhline(float(best), color=BLACK, ls="--", label="the best answers")
    ax.set(xlabel="round of training", ylabel="error", xlim=(0, len(errors)))
    ax.set_ylim(0, 1.08)
    ax.legend(loc="lower left")
    return fig


@figure
def plot_ways_home(
    panels: Mapping[int, tuple[ArrayLike, ArrayLike]], places: ArrayLike
) -> Figure:
    """Draw the way that a network would lead from each place, one panel a level.

    Args:
        panels: level -> the data, shrunk as this level shrinks them, (N, 2), and the
            ways (K, 2).
        places: (K, 2) of the arrows, which show directions: all are equally long.
    """
    places = np.asarray(places)
    look = {"figsize": (WIDTH, 2.8), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **look)
    for ax, (level, (shrunk, ways)) in zip(axes, panels.items(), strict=True):
        show_points(ax, shrunk, color=SKY, size=1.2)
        ways = np.asarray(ways)
        length = np.linalg.norm(ways, axis=1, keepdims=True)
        arrows = ARROW * ways / np.maximum(length, 1e-9)
        look = {"angles": "xy", "scale_units": "xy", "scale": 1, "units": "inches"}
        look |= {"width": 0.014, "headwidth": 4, "headlength": 4.5}
        ax.quiver(*places.T, *arrows.T, color=GREEN, zorder=3, pivot="mid", **look)
        show_plane(ax, reach=2.6, apart=2)
        ax.set_title(f"level {level}")
    for ax in axes[1:]:
        ax.set(ylabel="")
    return fig


@figure
def plot_drawn(
    points: ArrayLike, paths: ArrayLike | None = None, *, level: int | None = None
) -> Figure:
    """Draw points that come out of noise, and how some came there.

    Args:
        points: (N, 2) where all of them are now.
        paths: (S, K, 2) the places of a few of them, from the first to now.
        level: that they are at, for the title.
    """
    fig, ax = subplots(figsize=(4.6, 4.5))
    show_points(ax, points, color=GREEN, size=3)
    if paths is not None:
        paths = np.asarray(paths)
        for path in paths.transpose(1, 0, 2):
            ax.plot(*path.T, "-", color=GREY, lw=1)
        look = {"mfc": ORANGE, "mec": BLACK, "mew": 1, "ms": 7, "zorder": 4}
        ax.plot(*paths[-1].T, "o", **look)
    if level is not None:
        ax.set_title(f"level {level}")
    show_plane(ax)
    return fig


@figure
def plot_side_by_side(
    panels: Mapping[str, ArrayLike], data: ArrayLike | None = None
) -> Figure:
    """Draw sets of drawn points beside each other, two in a row.

    Args:
        panels: what is shown -> (N, 2).
        data: (M, 2) that they should look like, for a pale ground under each.
    """
    rows = -(-len(panels) // 2)
    look = {"figsize": (0.7 * WIDTH, 0.2 + 2.4 * rows), "squeeze": False}
    fig, axes = subplots(rows, 2, sharex=True, sharey=True, **look)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax, (title, points) in zip(axes.flat, panels.items(), strict=False):
        if data is not None:
            show_points(ax, data, color=PALE, size=3)
        show_points(ax, points, color=GREEN, size=2.4)
        show_plane(ax, reach=2.6)
        ax.set_title(title)
    for ax in axes.flat:
        ax.label_outer()
    return fig
