"""Figures of larger images: costs by side, shifted noise, trust, codes, walks.

Invariant: helpers draw the numbers they are handed; series differ by marker and dash
as well as colour.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    CYCLE,
    LOOKS,
    WIDTH,
    count_axis,
    figure,
    subplots,
)


@figure
def plot_costs(
    sides: Sequence[int],
    costs: Mapping[str, Sequence[float]],
    *,
    ylabel: str,
    num_measured: int,
) -> Figure:
    """Draw costs against the side of a picture, both on logarithmic axes.

    Args:
        sides: (N,) pixels a side.
        costs: name -> (N,) costs, above 0.
        ylabel: what is drawn upwards.
        num_measured: the first so many are drawn full, the others hollow.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.3))
    for i, (name, values) in enumerate(costs.items()):
        look = {"color": CYCLE[i], "ms": 6}
        ax.plot(sides, values, LOOKS[i], mfc="white", **look)
        first = slice(num_measured)
        ax.plot(sides[first], values[first], LOOKS[i][0], label=name, **look)
    count_axis(ax, sides, "side of the picture S")
    ax.set(yscale="log", ylabel=ylabel)
    ax.legend(fontsize=8.5)
    return fig


@figure
def plot_named(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    *,
    falling: Collection[str] = (),
) -> Figure:
    """Draw the share of glyphs named right from their noise, a panel a clock.

    Args:
        panels: label of the x-axis -> name -> (N,) places and (N,) shares.
        falling: labels of axes that run from large to small, as the log-SNR does when
            noise grows to the right.
    """
    size = WIDTH, 3.1
    fig, axes = subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for ax, (label, curves) in zip(axes[0], panels.items(), strict=True):
        for i, (name, (places, shares)) in enumerate(curves.items()):
            look = {"color": CYCLE[i], "ms": 4.5, "label": name}
            ax.plot(places, 100 * np.asarray(shares), LOOKS[i], **look)
        ax.set(xlabel=label, ylim=(-3, 103))
        if label in falling:
            ax.invert_xaxis()
    axes[0, 0].set_ylabel("glyphs named right (%)")
    axes[0, 0].legend(fontsize=8.5)
    return fig


@figure
def plot_trust(levels: Sequence[int], errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw errors against the level of augmentation, the least one of each marked.

    Args:
        levels: (N,) levels that small pictures are noised to.
        errors: name -> (N,) errors.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.2))
    for i, (name, values) in enumerate(errors.items()):
        values = np.asarray(values)
        ax.plot(levels, values, LOOKS[i], color=CYCLE[i], ms=5, label=name)
        least = int(values.argmin())
        ring = {"ms": 13, "mfc": "none", "mew": 1.5}
        ax.plot(levels[least], values[least], "o", color=CYCLE[i], **ring)
    ax.set(xlabel="level of noise added to the small picture")
    ax.set(ylabel="error of the belief (RMS)", ylim=(0, None))
    ax.set_xticks(levels)
    ax.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig


@figure
def plot_sizes(errors: Mapping[str, Mapping[int, float]]) -> Figure:
    """Draw errors of reconstruction against the size of the code.

    Args:
        errors: name -> numbers that a picture is squeezed into -> mean squared error.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.9))
    for i, (name, by_size) in enumerate(errors.items()):
        look = {"color": CYCLE[i], "ms": 5.5, "label": name}
        ax.plot(list(by_size), list(by_size.values()), LOOKS[i], **look)
    sizes = sorted({size for by_size in errors.values() for size in by_size})
    count_axis(ax, sizes, "numbers kept of 1,024")
    ax.set(ylabel="mean squared error", ylim=(0, None))
    ax.legend()
    return fig


@figure
def plot_walks(
    rows: Mapping[str, Mapping[str, ArrayLike]], *, reach: float = 2.6
) -> Figure:
    """Draw clouds of points (N, 2) in a table of rows and columns.

    Args:
        rows: name of the row -> title of the column -> points, the same titles in all.
        reach: end of both axes.
    """
    titles = list(next(iter(rows.values())))
    size = WIDTH, (WIDTH - 0.7) / len(titles) * len(rows) + 0.6
    look = {"figsize": size, "sharex": True, "sharey": True, "squeeze": False}
    fig, axes = subplots(len(rows), len(titles), **look)
    for i, (name, clouds) in enumerate(rows.items()):
        for ax, (title, points) in zip(axes[i], clouds.items(), strict=True):
            ax.plot(*np.asarray(points).T, ".", color=BLUE, ms=1.8, alpha=0.6)
            ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            ax.tick_params(labelsize=7.5)
            if i == 0:
                ax.set_title(title)
            if i == len(rows) - 1:
                ax.set_xlabel("first coordinate", fontsize=8)
        axes[i, 0].set_ylabel(f"{name}\nsecond coordinate", fontsize=8)
    return fig
