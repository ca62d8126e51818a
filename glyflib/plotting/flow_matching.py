"""Figures of flow matching: lines and paths in the plane, two clocks, flow times.

Invariant: helpers draw the numbers they are handed. Noise is orange and data are blue,
paths of a flow are green, and pairs that nothing follows are grey. A schedule, or a
choice of flow times, keeps its colour.
"""

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    WIDTH,
    figure,
    legend_above,
    short_ticks,
    subplots,
)

INK = "#b4b4b4"  # of the cloud behind the paths
NOISE = {"mfc": "white", "mec": ORANGE, "mew": 1.3, "ms": 5, "ls": "", "marker": "o"}
DATA = {"color": BLUE, "ms": 4, "ls": "", "marker": "o"}
# Schedules as in chapter 5. Even flow times are what a straight schedule passes evenly.
CURVES = {
    "linear": (BLUE, "s", "-"),
    "cosine": (RED, "^", "--"),
    "straight": (GREEN, "o", "-."),
    "even": (GREEN, "o", "-."),
    "logit-normal": (PINK, "D", "-"),  # pink is dull in the dark: no thin dots
}


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
        ax.plot(*ways[0].T, **NOISE, label="noise")
        ax.plot(*ways[-1].T, **DATA, label="data")
        ax.set(title=title, xlabel="across", aspect="equal")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes[0].set_ylabel("up")
    legend_above(fig, axes[0], fontsize=9)
    return fig


@figure
def plot_courses(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    pairs: Collection[str] = (),
    reach: float = 2.4,
) -> Figure:
    """Draw how values of one pixel run over flow time, a panel for each way to go.

    Args:
        panels: title -> (M,) flow times, rising or falling between 0 and 1, and (M, N)
            values of N pixels.
        pairs: titles of panels whose lines only join data with noise: these are grey.
        reach: the largest value shown, and minus the smallest.

    Raises:
        ValueError: If one of the pairs is not a panel.
    """
    for title in pairs:
        if title not in panels:
            raise ValueError(f"{title!r} is not among the panels {[*panels]}")
    shape = {"figsize": (WIDTH, 3.3), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **shape)
    for ax, (title, (times, values)) in zip(axes, panels.items(), strict=True):
        times, values = np.asarray(times), np.asarray(values)
        color = GREY if title in pairs else GREEN
        ax.plot(times, values, color=color, lw=1.0, zorder=1)
        first, last = values[times.argmin()], values[times.argmax()]
        ax.plot(np.ones(len(last)), last, **NOISE, label="noise")
        ax.plot(np.zeros(len(first)), first, **DATA, label="data")
        ax.set(title=title, xlim=(-0.02, 1.02), ylim=(-reach, reach))
        ax.set_xlabel(r"flow time $\tau$ (noise on the right)")
        short_ticks(ax.xaxis)
    axes[0].set_ylabel("value of the pixel")
    legend_above(fig, axes[0], fontsize=9)
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
    left.plot(*chain, color=BLUE, lw=1.1)
    lines = right.plot(*flow, color=GREEN, lw=1.1)
    dots = right.plot(*carried, "o", color=BLUE, ms=3.5)
    lines[0].set_label("the flow")
    dots[0].set_label("DDIM, carried over")
    left.set(title="DDIM", xlabel="level t (noise on the right)", ylim=(-2.4, 2.9))
    right.set(title="the flow", xlabel=r"flow time $\tau$ (noise on the right)")
    left.set_ylabel("value of the pixel")
    short_ticks(right.xaxis)
    right.legend(fontsize=9, loc="upper left")
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
        panels: title -> name -> (M,) and (M,) values across and up. A name begins with
            one of CURVES.
        labels: title -> what is drawn across, and up.
        is_ratio: whether the last panel shows ratios, around a line at 1.

    Raises:
        ValueError: If a name begins with none of CURVES.
    """
    shape = {"figsize": (WIDTH, 3.3), "squeeze": False}
    fig, (axes,) = subplots(1, len(panels), **shape)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for name, curve in curves.items():
            kinds = [kind for kind in CURVES if name.startswith(kind)]
            if not kinds:
                raise ValueError(f"{name!r} begins with none of {[*CURVES]}")
            color, marker, dash = CURVES[kinds[0]]
            marker = marker if len(curve[0]) < 30 else ""  # markers for a few
            look = {"color": color, "ls": dash, "marker": marker, "ms": 4, "lw": 1.9}
            ax.plot(*curve, **look, label=name)
        across, up = labels[title]
        ax.set(title=title, xlabel=across, ylabel=up)
        ax.legend(fontsize=9)
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
