"""Figures of conditional samples beside the exact answer, and of what pushes them.

Invariant: what is known exactly is filled or grey, what was drawn is an outline or
dots; all panels of a figure share their axes.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import BLACK, BLUE, RED, SKY, WIDTH, figure
from glyflib.plotting.conditional import LOOKS

SPAN = (-2.3, 2.3)  # of x
BINS = np.linspace(*SPAN, 47)


def draw_road(ax: Axes, x: ArrayLike, density: ArrayLike, draws: ArrayLike) -> None:
    """Draw a histogram of draws over the exact density (N,) at the places x (N,)."""
    ax.fill_between(x, density, color=SKY, alpha=0.5, lw=0)
    height = np.histogram(draws, BINS, density=True)[0]
    ax.stairs(height, BINS, color=BLACK, lw=1.1)
    ax.set(xlim=SPAN)


@figure
def plot_pushes(x: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw pushes, name -> (N,), against the place x, a panel a noise level."""
    fig, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.0), sharey=True)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        ax.axhline(0, color=BLACK, lw=0.8)
        for (name, push), (color, style) in zip(curves.items(), LOOKS, strict=False):
            ax.plot(x, push, color=color, ls=style, label=name)
        ax.set(title=title, xlabel="$x_t$", xlim=(-2, 2), ylim=(-5.5, 3))
    axes[0].set_ylabel(r"push: slope of $\ln q(y\,|\,x_t)$")
    handles = ax.get_legend_handles_labels()
    fig.legend(*handles, loc="outside upper center", ncols=2)
    return fig


@figure
def plot_roads(
    x: ArrayLike,
    exact: Mapping[float, ArrayLike],
    roads: Mapping[str, Mapping[float, ArrayLike]],
    *,
    top: float = 1.9,
) -> Figure:
    """Draw samples over the exact slice: a row a value of y, a column a road.

    Args:
        x: (N,) places.
        exact: value of y -> (N,) density.
        roads: name -> value of y -> draws.
        top: end of the axis of densities; taller bars are cut off.
    """
    shared = {"sharex": True, "sharey": True, "squeeze": False}
    size = WIDTH, 1.75 * len(exact) + 0.5
    fig, axes = plt.subplots(len(exact), len(roads), figsize=size, **shared)
    for line, (value, density) in zip(axes, exact.items(), strict=True):
        for ax, (name, draws) in zip(line, roads.items(), strict=True):
            draw_road(ax, x, density, draws[value])
            ax.set_ylim(0, top)
            if ax in axes[0]:
                ax.set_title(name)
        line[0].set_ylabel(f"density, y = {value:g}")
    for ax in axes[-1]:
        ax.set_xlabel("x")
    return fig


@figure
def plot_sweep(
    plane: tuple[ArrayLike, ArrayLike, ArrayLike],
    value: float,
    exact: ArrayLike,
    draws: ArrayLike,
    *,
    top: float = 1.9,
) -> Figure:
    """Draw where a joint density is cut, and beside it the slice with draws over it.

    Args:
        plane: places x (N,) and y (M,), and the joint density (M, N).
        value: of y, where it is cut.
        exact: (N,) the slice, of area 1.
        draws: samples of x.
        top: end of the axis of densities.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH * 0.95, 3.0))
    left.contour(*plane, 9, colors=[BLUE], linewidths=0.8)
    left.axhline(value, color=RED)
    left.set(xlabel="x", ylabel="y", xlim=SPAN, ylim=(-1.8, 1.8))
    left.set_title("where it is cut")
    draw_road(right, plane[0], exact, draws)
    right.set(xlabel="x", ylabel="density, given y", ylim=(0, top))
    right.set_title("slice (blue), draws (steps)")
    return fig


@figure
def plot_parts(
    rows: Mapping[str, Mapping[str, ArrayLike]], everything: ArrayLike
) -> Figure:
    """Draw sets of points in a table, over all the data.

    Args:
        rows: name of the row -> name of the column -> points (N, 2).
        everything: (M, 2) all the data, drawn grey.
    """
    cols = max(map(len, rows.values()))
    size, shared = (WIDTH, 1.8 * len(rows) + 0.4), {"sharex": True, "sharey": True}
    fig, axes = plt.subplots(len(rows), cols, figsize=size, squeeze=False, **shared)
    for line, (row, sets) in zip(axes, rows.items(), strict=True):
        for ax, (name, points) in zip(line, sets.items(), strict=True):
            dots = {"marker": ".", "ls": "", "mew": 0}
            ax.plot(*np.asarray(everything).T, color="#c8c8c8", ms=2.5, **dots)
            ax.plot(*np.asarray(points).T, color=BLUE, ms=2.8, **dots)
            ax.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal")
            ax.set_title(name, fontsize=9)
        line[0].set_ylabel(f"{row}\nup")
    for ax in axes[-1]:
        ax.set_xlabel("right")
    return fig
