"""Figures of students: maps from noise to data, jumps, and measures by calls.

Invariant: helpers draw the numbers they are handed; many calls stand at the left, one
call at the right, and what should come out is grey.
"""

from collections.abc import Mapping

import numpy as np
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
    Span,
    figure,
    legend_above,
    reaches,
    subplots,
)

INK = "#b4b4b4"  # of what should come out


@figure
def plot_maps(
    noise: ArrayLike,
    exact: ArrayLike,
    found: Mapping[str, ArrayLike],
    *,
    reach: float = 2.5,
) -> Figure:
    """Draw what becomes of each noise, exactly and in few calls.

    Args:
        noise: (N,) rising.
        exact: (N,) where the curves of these noises end.
        found: up to seven names -> (N,) where few calls end instead.
        reach: the largest noise shown, and minus the smallest.
    """
    fig, ax = subplots(figsize=(WIDTH, 4.2))
    ax.plot(noise, exact, color=INK, lw=7, label="where the curve ends")
    for color, look, (name, ends) in zip(CYCLE, LOOKS, found.items(), strict=False):
        ax.plot(noise, ends, look[1:], color=color, lw=1.7, label=name)
    ax.set(xlim=(-reach, reach), ylim=(-1.6, 1.8))
    ax.set(xlabel="noise, at level 1000", ylabel="value of the pixel, at level 0")
    ax.legend(fontsize=9)
    return fig


@figure
def plot_jumps(
    curves: ArrayLike,
    jumps: Mapping[str, ArrayLike],
    cloud: ArrayLike,
    *,
    reach: float = 2.6,
) -> Figure:
    """Draw jumps through the plane over the curves that they should meet.

    Args:
        curves: (K, N, 2) places of N points, from noise to data.
        jumps: title -> (C + 1, N, 2) the noise, and where each of C jumps lands.
        cloud: (M, 2) data.
        reach: the largest coordinate shown, and minus the smallest.
    """
    curves = np.asarray(curves)
    shape = {"figsize": (WIDTH, 4.2), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(jumps), **shape)
    for ax, (title, places) in zip(axes, jumps.items(), strict=True):
        places = np.asarray(places)
        ax.plot(*np.asarray(cloud).T, ".", ms=1.6, mew=0, color=INK)
        for i in range(curves.shape[1]):
            ax.plot(*curves[:, i].T, color=GREEN, lw=2.6, alpha=0.45)
            ax.plot(*places[:, i].T, color=BLUE, lw=0.8, ls=":")
        ax.plot([], [], color=GREEN, lw=2.6, alpha=0.45, label="curve")
        start = {"mfc": "white", "mec": ORANGE, "mew": 1.3, "ms": 5}
        ax.plot(*places[0].T, "o", **start, label="noise")
        ax.plot(*places[1:].reshape(-1, 2).T, "o", color=BLUE, ms=4, label="landing")
        ax.set(title=title, xlabel="across", aspect="equal")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes[0].set_ylabel("up")
    legend_above(fig, axes[0], fontsize=9)
    return fig


@figure
def plot_landings(
    rows: Mapping[str, Mapping[str, ArrayLike]],
    goal: ArrayLike,
    *,
    far: float,
    reach: float = 2.6,
) -> Figure:
    """Draw where points end: a row for each way, a panel for each number of calls.

    Args:
        rows: name -> title -> (N, 2) points. All rows have the same titles.
        goal: (N, 2) where they should end.
        far: points that miss their goal by more are crosses.
        reach: the largest coordinate shown, and minus the smallest.
    """
    goal = np.asarray(goal)
    titles = list(next(iter(rows.values())))
    size = WIDTH, WIDTH / len(titles) * len(rows) + 0.5
    shape = {"figsize": size, "sharex": True, "sharey": True, "squeeze": False}
    fig, axes = subplots(len(rows), len(titles), **shape)
    for line, (name, ends) in zip(axes, rows.items(), strict=True):
        for ax, title in zip(line, titles, strict=True):
            points = np.asarray(ends[title])
            is_far = np.hypot(*(points - goal).T) > far
            ax.plot(*goal.T, "o", ms=1.8, mew=0, color=INK, label="should end")
            near = {"ms": 3.5, "mew": 0, "color": BLUE, "alpha": 0.8}
            ax.plot(*points[~is_far].T, ".", label="ends", **near)
            lost = {"ms": 3, "color": ORANGE, "alpha": 0.8}
            ax.plot(*points[is_far].T, "x", label="ends far off", **lost)
            ax.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        line[0].set_ylabel(f"{name}\nup")
    for ax, below, title in zip(axes[0], axes[-1], titles, strict=True):
        ax.set_title(title)
        below.set_xlabel("across")
    legend_above(fig, axes[0, 0], fontsize=9, markerscale=2)
    return fig


@figure
def plot_by_calls(
    panels: Mapping[str, Mapping[str, Mapping[int, Span]]],
    teacher: Mapping[str, Span],
    *,
    label: str = "calls of the network",
) -> Figure:
    """Draw measures with their intervals, from many calls to one, two panels a row.

    Args:
        panels: measure -> name -> calls -> value and ends of its interval; ways may
            be known for different numbers of calls.
        teacher: measure -> that of the teacher that is not hurried, a band.
        label: of what is counted.
    """
    height = 2.6 * -(-len(panels) // 2) + 0.4
    shape = {"figsize": (WIDTH, height), "squeeze": False}
    fig, axes = subplots(-(-len(panels) // 2), 2, **shape)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    ways_of_all = [ways for panel in panels.values() for ways in panel.values()]
    counts = sorted({calls for spans in ways_of_all for calls in spans}, reverse=True)
    for ax, (measure, ways) in zip(axes.flat, panels.items(), strict=False):
        value, low, high = teacher[measure]
        ax.axhspan(low, high, color=GREY, alpha=0.25, lw=0)
        ax.axhline(value, color=GREY, lw=1.2, label="teacher, unhurried")
        for i, (name, spans) in enumerate(ways.items()):
            middle, reach = reaches(list(spans.values()))
            x = np.array([counts.index(calls) for calls in spans]) + 0.08 * i
            bar = {"ms": 5.5, "capsize": 3, "elinewidth": 1.3, "lw": 1.5}
            bar |= {"fmt": LOOKS[i], "color": CYCLE[i], "label": name}
            ax.errorbar(x, middle, reach, **bar)
        ax.set_xticks(range(len(counts)), [f"{calls}" for calls in counts])
        ax.set(xlabel=label, ylabel=measure, ylim=(0, None))
    legend_above(fig, axes[0, 0], fontsize=9)
    return fig
