"""Figures of flow matching: lines and paths in the plane, two clocks, flow times.

Invariant: helpers draw the numbers they are handed; paths start at the noise, in
orange, and end at the data, in blue.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    LOOKS,
    ORANGE,
    WIDTH,
    figure,
    legend_above,
    subplots,
)

INK = "#b4b4b4"  # of the cloud behind the paths


@figure
def plot_ways(
    panels: Mapping[str, ArrayLike],
    cloud: ArrayLike,
    *,
    reach: float = 2.6,
) -> Figure:
    """Draw ways through the plane, from their noise to their data.

    Args:
        panels: title -> (K, N, 2) places of N points, from noise to data.
        cloud: (M, 2) data, drawn grey.
        reach: the largest coordinate shown, and minus the smallest.
    """
    shape = {"figsize": (WIDTH, 4.3), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **shape)
    for ax, (title, ways) in zip(axes, panels.items(), strict=True):
        ways = np.asarray(ways)
        ax.plot(*np.asarray(cloud).T, ".", ms=1.6, mew=0, color=INK)
        for i in range(ways.shape[1]):
            ax.plot(*ways[:, i].T, color=GREEN, lw=1.1)
        start = {"mfc": "white", "mec": ORANGE, "mew": 1.3, "ms": 5}
        ax.plot(*ways[0].T, "o", **start, label="noise")
        ax.plot(*ways[-1].T, "o", color=BLUE, ms=4, label="data")
        ax.set(title=title, xlabel="across", aspect="equal")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes[0].set_ylabel("up")
    legend_above(fig, axes[0], fontsize=8)
    return fig


def draw_over_time(ax: Axes, times: ArrayLike, values: ArrayLike, **look) -> None:
    """Draw the courses (M, N) of N values over times (M,), each in its colour."""
    for i, course in enumerate(np.asarray(values).T):
        ax.plot(times, course, color=CYCLE[i % len(CYCLE)], **look)


@figure
def plot_courses(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, reach: float = 2.4
) -> Figure:
    """Draw how values of one pixel run over flow time, a panel for each way to go.

    Args:
        panels: title -> (M,) flow times and (M, N) values of N pixels.
        reach: the largest value shown, and minus the smallest.
    """
    shape = {"figsize": (WIDTH, 3.3), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **shape)
    for ax, (title, (times, values)) in zip(axes, panels.items(), strict=True):
        draw_over_time(ax, times, values, lw=1.0)
        ax.set(title=title, xlim=(0, 1), ylim=(-reach, reach))
        ax.set_xlabel(r"flow time $\tau$ (noise on the right)")
    axes[0].set_ylabel("value of the pixel")
    return fig


@figure
def plot_clocks(
    chain: tuple[ArrayLike, ArrayLike],
    flow: tuple[ArrayLike, ArrayLike],
    carried: tuple[ArrayLike, ArrayLike],
) -> Figure:
    """Draw paths of a chain over its levels, and the flow with the chain's places on.

    Args:
        chain: (K,) levels and (K, N) values of N pixels there.
        flow: (M,) flow times and (M, N) values.
        carried: (L,) flow times of some levels, and the chain's values (L, N) there,
            shrunk to those of the flow.
    """
    shape = {"figsize": (WIDTH, 3.6), "sharey": True}
    fig, (left, right) = subplots(1, 2, **shape)
    draw_over_time(left, *chain, lw=1.1)
    draw_over_time(right, *flow, lw=1.1)
    draw_over_time(right, *carried, ls="", marker="o", ms=3.5)
    right.plot([], [], "-", color=GREY, lw=1.1, label="the flow")
    right.plot([], [], "o", color=GREY, ms=3.5, label="DDIM, carried over")
    left.set(title="DDIM", xlabel="level t (noise on the right)", ylim=(-2.4, 2.9))
    right.set(title="the flow", xlabel=r"flow time $\tau$ (noise on the right)")
    left.set_ylabel("value of the pixel")
    right.legend(fontsize=8, loc="upper left")
    return fig


@figure
def plot_curves(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    labels: Mapping[str, tuple[str, str]],
    *,
    is_ratio: bool = False,
) -> Figure:
    """Draw curves in panels of their own axes, each with its own legend.

    Args:
        panels: title -> name -> (M,) and (M,) values across and up.
        labels: title -> what is drawn across, and up.
        is_ratio: whether the last panel shows ratios, around a line at 1.
    """
    shape = {"figsize": (WIDTH, 3.3), "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **shape)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for color, look, (name, curve) in zip(
            CYCLE, LOOKS, curves.items(), strict=False
        ):
            style = look if len(curve[0]) < 30 else look[1:]  # markers for a few
            ax.plot(*curve, style, color=color, ms=4, lw=1.6, label=name)
        across, up = labels[title]
        ax.set(title=title, xlabel=across, ylabel=up)
        ax.legend(fontsize=8)
    if is_ratio:
        axes[-1].axhline(1, color=GREY, lw=0.8)
    else:
        axes[-1].set_ylim(0, None)
    return fig


@figure
def plot_ends(
    rows: Mapping[str, Mapping[str, ArrayLike]], *, reach: float = 2.6
) -> Figure:
    """Draw where points end: a row for each flow, a panel for each number of steps.

    Args:
        rows: name -> title -> (N, 2) points. All rows have the same titles.
        reach: the largest coordinate shown, and minus the smallest.
    """
    titles = list(next(iter(rows.values())))
    size = WIDTH, WIDTH / len(titles) * len(rows) + 0.3
    shape = {"figsize": size, "sharex": True, "sharey": True, "squeeze": False}
    fig, axes = subplots(len(rows), len(titles), **shape)
    for line, (name, ends) in zip(axes, rows.items(), strict=True):
        for ax, title in zip(line, titles, strict=True):
            look = {"ms": 2.6, "mew": 0, "color": BLUE, "alpha": 0.6}
            ax.plot(*np.asarray(ends[title]).T, ".", **look)
            ax.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        line[0].set_ylabel(f"{name}\nup")
    for ax, below, title in zip(axes[0], axes[-1], titles, strict=True):
        ax.set_title(title)
        below.set_xlabel("across")
    return fig
