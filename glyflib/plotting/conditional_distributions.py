"""Figures of joint, marginal and conditional densities, with or without a formula.

Invariant: x runs to the right and y upwards; a slice has the same colour and dash in
every panel.
"""

from collections.abc import Mapping

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
    legend_above,
    new_figure,
    subplots,
)

SPAN = (-2.3, 2.3)  # of x
BINS = np.linspace(*SPAN, 47)


LOOKS = ((RED, "-"), (GREEN, "--"), (ORANGE, "-."))


def joint_axes() -> tuple[Figure, Axes, Axes, Axes]:
    """A plane with room for the marginal of x above and that of y at the side."""
    fig = new_figure(figsize=(WIDTH, 5.4))
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
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.4), sharex=True)
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
    legend_above(fig, left)
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
    fig, axes = subplots(len(rows), 1, figsize=size, sharex=True, sharey=True)
    for ax, (name, shares) in zip(axes, rows.items(), strict=True):
        ax.stairs(shares, edges, fill=True, color=SKY, alpha=0.7, label="given y")
        ax.stairs(whole, edges, color=BLACK, ls="--", lw=1.2, label="all glyphs")
        ax.text(0.99, 0.88, name, transform=ax.transAxes, ha="right", va="top")
        ax.set_ylabel("share")
    axes[0].legend(loc="upper center", ncols=2, fontsize=8.5)
    axes[-1].set_xlabel(xlabel)
    return fig


def draw_road(ax: Axes, x: ArrayLike, density: ArrayLike, draws: ArrayLike) -> None:
    """Draw a histogram of draws over the exact density (N,) at the places x (N,)."""
    ax.fill_between(x, density, color=SKY, alpha=0.5, lw=0)
    height = np.histogram(draws, BINS, density=True)[0]
    ax.stairs(height, BINS, color=BLACK, lw=1.1)
    ax.set(xlim=SPAN)


@figure
def plot_pushes(x: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw pushes, name -> (N,), against the place x, a panel a noise level."""
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.0), sharey=True)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        ax.axhline(0, color=BLACK, lw=0.8)
        for (name, push), (color, style) in zip(curves.items(), LOOKS, strict=False):
            ax.plot(x, push, color=color, ls=style, label=name)
        ax.set(title=title, xlabel="$x_t$", xlim=(-2, 2), ylim=(-5.5, 3))
    axes[0].set_ylabel(r"push: slope of $\ln q(y\,|\,x_t)$")
    legend_above(fig, ax)
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
    fig, axes = subplots(len(exact), len(roads), figsize=size, **shared)
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
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH * 0.95, 3.0))
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
    fig, axes = subplots(len(rows), cols, figsize=size, squeeze=False, **shared)
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
