"""Figures of joint, marginal and conditional densities, with or without a formula.

Invariant: x runs to the right and y upwards; a slice has the same colour and dash in
every panel.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
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
)

LOOKS = ((RED, "-"), (GREEN, "--"), (ORANGE, "-."))


def joint_axes() -> tuple[Figure, Axes, Axes, Axes]:
    """A plane with room for the marginal of x above and that of y at the side."""
    fig = plt.figure(figsize=(WIDTH, 5.4))
    grid = fig.add_gridspec(2, 2, width_ratios=[3.4, 1], height_ratios=[1, 3.2])
    plane = fig.add_subplot(grid[1, 0])
    above = fig.add_subplot(grid[0, 0], sharex=plane)
    side = fig.add_subplot(grid[1, 1], sharey=plane)
    above.tick_params(labelbottom=False)
    side.tick_params(labelleft=False)
    return fig, plane, above, side


def draw_slices(
    ax: Axes,
    x: ArrayLike,
    slices: Mapping[float, ArrayLike],
    height: float,
    *,
    step: str | None = None,
) -> None:
    """Stand slices, y -> (N,), on their lines; the highest of all is `height` high."""
    top = max(float(np.max(np.asarray(curve))) for curve in slices.values())
    for (value, curve), (color, style) in zip(slices.items(), LOOKS, strict=False):
        up = value + height * np.asarray(curve) / top
        ax.axhline(value, color=color, ls=style, lw=1)
        look = {"color": color, "alpha": 0.3, "lw": 0}
        ax.fill_between(x, value, up, step=step, **look)
        draw = ax.step if step else ax.plot
        kind = {"where": step} if step else {}
        draw(x, up, color=color, ls=style, label=f"y = {value:g}", **kind)
    ax.legend(loc="upper left", title="slice at", fontsize=8.5, framealpha=0.8)


@figure
def plot_joint(
    x: ArrayLike,
    y: ArrayLike,
    density: ArrayLike,
    slices: Mapping[float, ArrayLike],
    marginals: tuple[ArrayLike, ArrayLike],
) -> Figure:
    """Draw a joint density as contours, slices laid over it, marginals at the sides.

    Args:
        x: (N,) places.
        y: (M,) places.
        density: (M, N) joint density.
        slices: value of y -> (N,) the joint density along that line, as it is.
        marginals: densities of x (N,) and of y (M,).
    """
    fig, plane, above, side = joint_axes()
    levels = float(np.max(np.asarray(density))) * np.linspace(0.04, 1, 9)
    plane.contourf(x, y, density, levels, cmap="Blues", alpha=0.75)
    plane.contour(x, y, density, levels, colors=[GREY], linewidths=0.5)
    draw_slices(plane, x, slices, 0.7)
    plane.set(xlabel="x", ylabel="y", xlim=(-2.3, 2.3), ylim=(-1.8, 1.8))
    above.fill_between(x, marginals[0], color=SKY, alpha=0.5)
    above.plot(x, marginals[0], color=BLUE)
    side.fill_betweenx(y, marginals[1], color=SKY, alpha=0.5)
    side.plot(marginals[1], y, color=BLUE)
    above.set(ylabel="q(x)", ylim=(0, None))
    side.set(xlabel="q(y)", xlim=(0, None))
    return fig


@figure
def plot_counts(
    edges: tuple[ArrayLike, ArrayLike],
    counts: ArrayLike,
    slices: Mapping[float, ArrayLike],
    names: tuple[str, str],
) -> Figure:
    """Draw a joint histogram, slices laid over it, marginals at the sides.

    Args:
        edges: ends of the cells in x (N + 1,) and in y (M + 1,).
        counts: (M, N).
        slices: value of y -> (N,) that row, divided by its sum.
        names: what x and y are.
    """
    fig, plane, above, side = joint_axes()
    (ex, ey), counts = map(np.asarray, edges), np.asarray(counts)
    seen = np.where(counts > 0, counts, np.nan)
    look = {"cmap": "Blues", "norm": PowerNorm(0.5, vmin=-0.1 * counts.max())}
    plane.pcolormesh(ex, ey, seen, **look)
    draw_slices(plane, (ex[1:] + ex[:-1]) / 2, slices, 0.16 * np.ptp(ey), step="mid")
    plane.set(xlabel=names[0], ylabel=names[1])
    filled = {"fill": True, "color": SKY, "alpha": 0.6}
    above.stairs(counts.sum(0), ex, **filled)
    side.stairs(counts.sum(1), ey, orientation="horizontal", **filled)
    above.set(ylabel="glyphs")
    side.set(xlabel="glyphs")
    return fig


@figure
def plot_slices(
    x: ArrayLike,
    raw: Mapping[float, ArrayLike],
    divided: Mapping[float, ArrayLike],
    kept: Mapping[float, ArrayLike],
) -> Figure:
    """Draw slices as cut from the joint, then divided by their areas, over draws.

    Args:
        x: (N,) places.
        raw: value of y -> (N,) slice of the joint density.
        divided: value of y -> (N,) the same, of area 1.
        kept: value of y -> draws of x whose y was next to the value.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharex=True)
    bins = np.linspace(-2.3, 2.3, 70)
    for value, (color, style) in zip(raw, LOOKS, strict=False):
        look = {"color": color, "ls": style, "label": f"y = {value:g}"}
        left.plot(x, raw[value], **look)
        height = np.histogram(kept[value], bins, density=True)[0]
        right.stairs(height, bins, fill=True, color=color, alpha=0.25)
        right.plot(x, divided[value], **look)
    left.set(xlabel="x", ylabel="q(x, y)", title="slices as they are", ylim=(0, None))
    right.set(xlabel="x", ylabel="q(x | y)", title="divided by their areas")
    right.set(ylim=(0, None), xlim=(-2.3, 2.3))
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


@figure
def plot_rows(
    edges: ArrayLike, rows: Mapping[str, ArrayLike], whole: ArrayLike, xlabel: str
) -> Figure:
    """Draw one histogram of shares for each name, over that of everything together.

    Args:
        edges: (N + 1,) ends of the cells.
        rows: name -> (N,) shares that add up to 1.
        whole: (N,) shares of everything.
        xlabel: what is counted.
    """
    size = WIDTH * 0.85, 1.15 * len(rows) + 0.4
    fig, axes = plt.subplots(len(rows), 1, figsize=size, sharex=True, sharey=True)
    for ax, (name, shares) in zip(axes, rows.items(), strict=True):
        ax.stairs(shares, edges, fill=True, color=SKY, alpha=0.7, label="given y")
        ax.stairs(whole, edges, color=BLACK, ls="--", lw=1.2, label="all glyphs")
        ax.text(0.99, 0.88, name, transform=ax.transAxes, ha="right", va="top")
        ax.set_ylabel("share")
    axes[0].legend(loc="upper center", ncols=2, fontsize=8.5)
    axes[-1].set_xlabel(xlabel)
    return fig
