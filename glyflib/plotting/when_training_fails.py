"""Figures of the page on runs that fail: curves of losses, and tables of clouds.

Invariant: what is drawn comes from runs; smoothing is named as such.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    SKY,
    WIDTH,
    figure,
    subplots,
)
from glyflib.plotting.training import running_mean


@figure
def plot_losses(
    panels: Mapping[str, Sequence[float]], floor: float, *, window: int = 20
) -> Figure:
    """Draw losses by step side by side, between "says 0" and the floor.

    The axis is logarithmic; what lies beyond 0.1 and 100 leaves the figure. The word
    "floor" stands below the lowest losses.

    Args:
        panels: title -> (N,) losses.
        floor: what the exact answer pays.
        window: steps that the line is a running mean over.
    """
    size = WIDTH, 3.0
    fig, axes = subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for ax, (title, losses) in zip(axes[0], panels.items(), strict=True):
        ax.plot(losses, ".", color=SKY, ms=3, mew=0)
        smooth = running_mean(losses, min(window, len(losses)))
        ax.plot(np.arange(len(losses) - len(smooth), len(losses)), smooth, color=BLUE)
        ax.axhline(1, color=GREY, lw=1.2, ls="--")
        ax.axhline(floor, color=ORANGE, lw=1.6, ls=":")
        ax.set(title=title, xlabel="step", yscale="log", ylim=(0.1, 100))
        ax.set_yticks(
            [0.1, 0.3, 1, 3, 10, 30, 100], ["0.1", "0.3", "1", "3", "10", "30", "100"]
        )
        ax.minorticks_off()
    where = {
        "fontsize": 9,
        "ha": "right",
        "transform": axes[0, 0].get_yaxis_transform(),
    }
    axes[0, 0].text(0.98, 1.08, "says 0", color=BLACK, va="bottom", **where)
    axes[0, 0].text(0.98, 0.108, "floor", color=BLACK, va="bottom", **where)
    axes[0, 0].set_ylabel("loss")
    return fig


@figure
def plot_cloud_table(
    rows: Mapping[str, Mapping[str, ArrayLike]], *, reach: float = 3.2
) -> Figure:
    """Draw sets of points in rows and columns, on the same axes.

    A set that lies outside for the most part gets wider axes, and a note below them
    that says so, where no point can cross it.

    Args:
        rows: name -> title of the column -> (N, 2); all rows have the same columns.
        reach: of the axes, from the middle to each side.
    """
    columns = list(next(iter(rows.values())))
    side = WIDTH / max(3, len(columns))
    size = side * len(columns), side * len(rows) + 0.3
    fig, axes = subplots(len(rows), len(columns), figsize=size, squeeze=False)
    for line, (name, clouds) in zip(axes, rows.items(), strict=True):
        for ax, title in zip(line, columns, strict=True):
            points = np.asarray(clouds[title])
            farthest = np.abs(points).max(axis=1)
            far = reach
            if np.mean(farthest > reach) > 0.5:
                far = float(np.quantile(farthest, 0.95))
                ax.set_xlabel(f"{far / reach:.0f} times as wide", loc="right")
            ax.plot(*points.T, ".", color=BLUE, ms=2.5, alpha=0.6)
            ax.set(xlim=(-far, far), ylim=(-far, far), aspect="equal")
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    for ax, title in zip(axes[0], columns, strict=True):
        ax.set_title(title)
    return fig
