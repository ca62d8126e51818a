"""Figures of a glyph's ink, its slices and parts, and of whoever judges between them.

Invariant: across runs to the right and up upwards; what is asked for is blue, all the
ink is grey, and both axes of a plane have one scale.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, PowerNorm
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
    number,
    subplots,
)

REACH = 2.7  # of a plane, from the middle
BINS = np.linspace(-2.5, 2.5, 81)
PALE = "#c8c8c8"  # all the ink, behind what is shown
LOOKS = ((RED, "-"), (GREEN, "--"), (ORANGE, "-."))
MARKS = ("o", "s", "D", "^")
SURE = np.array([0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000])
ODDS = np.concatenate([-SURE[::-1], SURE])  # steps of the colours of log-odds


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
) -> None:
    """Stand slices, y -> (N,), on their lines; the highest of all is `height` high."""
    top = max(float(np.max(np.asarray(curve))) for curve in slices.values())
    for (value, curve), (color, style) in zip(slices.items(), LOOKS, strict=False):
        up = value + height * np.asarray(curve) / top
        ax.axhline(value, color=color, ls=style, lw=1)
        look = {"color": color, "alpha": 0.3, "lw": 0}
        ax.fill_between(x, value, up, step="mid", **look)
        ax.step(x, up, color=color, ls=style, where="mid", label=f"{value:g}")
    ax.legend(loc="upper left", title="told", fontsize=8.5, framealpha=0.8)


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
    draw_slices(plane, (ex[1:] + ex[:-1]) / 2, slices, 0.16 * np.ptp(ey))
    plane.set(xlabel=names[0], ylabel=names[1])
    filled = {"fill": True, "color": SKY, "alpha": 0.6}
    above.stairs(counts.sum(0), ex, **filled)
    side.stairs(counts.sum(1), ey, orientation="horizontal", **filled)
    above.set(ylabel="glyphs")
    side.set(xlabel="glyphs")
    return fig


def show_plane(ax: Axes, *, reach: float = REACH) -> None:
    """Give a panel the frame of the plane."""
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="across", ylabel="up")


@figure
def plot_slice(
    points: ArrayLike,
    line: ArrayLike,
    height: float,
    raw: ArrayLike,
    kept: ArrayLike,
    *,
    top: float = 1.3,
) -> Figure:
    """Draw where a glyph is cut, the slice, and the slice divided by its area.

    Args:
        points: (M, 2) of the ink.
        line: (N,) places across, evenly spaced.
        height: where it is cut.
        raw: (N,) joint density along the cut.
        kept: places across of the points near the cut.
        top: end of the axis of densities.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.5), width_ratios=[1, 1.15])
    dots = {"marker": ".", "ls": "", "mew": 0, "ms": 2.5}
    left.plot(*np.asarray(points).T, color=GREY, **dots)
    left.axhline(height, color=RED)
    left.set_title(f"cut at height {height:g}")
    show_plane(left)
    line, raw = np.asarray(line), np.asarray(raw)
    area = float(np.trapezoid(raw, line))
    tall = np.histogram(np.asarray(kept), BINS, density=True)[0]
    right.stairs(tall, BINS, fill=True, color=SKY, alpha=0.6, label="points kept")
    right.plot(line, raw / area, color=BLUE, label="divided by its area")
    right.plot(line, raw, color=RED, ls="--", label="as it is cut")
    right.set(xlabel="across", ylabel="density", xlim=(-REACH, REACH), ylim=(0, top))
    right.set_title(f"the slice, of area {area:.2f}")
    legend_above(fig, right)
    return fig


@figure
def plot_beliefs(
    points: ArrayLike,
    place: ArrayLike,
    beliefs: Mapping[str, ArrayLike],
    *,
    title: str = "",
) -> Figure:
    """Draw a noisy point, and where it is believed to have begun.

    Args:
        points: (M, 2) of the ink.
        place: (2,) the noisy point.
        beliefs: what was told -> (2,) the believed data.
        title: above the panel.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.72, WIDTH * 0.72))
    dots = {"marker": ".", "ls": "", "mew": 0, "ms": 2.5}
    ax.plot(*np.asarray(points).T, color=PALE, **dots)
    place = np.asarray(place)
    looks = zip((BLUE, ORANGE, GREEN, RED), MARKS, strict=True)
    for (name, spot), (color, mark) in zip(beliefs.items(), looks, strict=False):
        ends = np.stack([place, np.asarray(spot)])
        ax.plot(*ends.T, color=color, lw=1.2, ls="--")
        ax.plot(*ends[1], mark, color=color, ms=9, mec=BLACK, label=name)
    ax.plot(*place, "x", color=BLACK, ms=10, mew=2.5, label="the noisy point")
    show_plane(ax)
    ax.set_title(title)
    legend_above(fig, ax, fontsize=8.5)
    return fig


@figure
def plot_judges(
    maps: Mapping[str, ArrayLike], clouds: Mapping[str, ArrayLike], *, reach: float
) -> Figure:
    """Draw a judge's log-odds at each place of the plane, over noisy points.

    The colours go up in tenfold steps, with one in between: where a judge is so sure
    that a probability is 0 or 1 to the eye, the log-odds still have a slope.

    Args:
        maps: title -> (N, N) natural logarithm of one word's probability over the
            other's, from -reach to reach, rows upwards.
        clouds: title -> (M, 2) noisy points.
        reach: of the plane, from the middle.
    """
    size = WIDTH, 1.15 * WIDTH / len(maps) + 1.1
    fig, axes = subplots(1, len(maps), figsize=size, sharey=True, squeeze=False)
    norm = BoundaryNorm(ODDS, 256)
    for ax, (title, found) in zip(axes[0], maps.items(), strict=True):
        found = np.asarray(found).clip(ODDS[0], ODDS[-1])
        side = np.linspace(-reach, reach, len(found))
        drawn = ax.contourf(side, side, found, ODDS, cmap="PuOr", norm=norm, alpha=0.8)
        if found.min() < 0 < found.max():
            ax.contour(side, side, found, [0], colors=BLACK, linewidths=1)
        dots = {"marker": ".", "ls": "", "mew": 0, "ms": 2}
        ax.plot(*np.asarray(clouds[title]).T, color=BLACK, alpha=0.5, **dots)
        show_plane(ax, reach=reach)
        ax.set_title(title)
    for ax in axes[0, 1:]:
        ax.set_ylabel("")
    bar = fig.colorbar(drawn, ax=axes, location="bottom", shrink=0.9, aspect=40)
    ticks = np.concatenate([-SURE[::-2], SURE[::2]])
    bar.set_ticks(ticks, labels=[number(odds, "g") for odds in ticks])
    middle = len(ticks) // 2  # the two ticks beside 0 are close to each other
    for text, side in zip(
        bar.ax.get_xticklabels()[middle - 1 : middle + 1],
        ("right", "left"),
        strict=True,
    ):
        text.set_horizontalalignment(side)
    bar.set_label("log-odds: sure of the sun on the left, of the moon on the right")
    return fig


@figure
def plot_parts(
    rows: Mapping[str, Mapping[str, ArrayLike]],
    everything: ArrayLike,
    *,
    reach: float = REACH,
) -> Figure:
    """Draw sets of points in a table, over all the ink.

    Args:
        rows: name of the row -> name of the column -> points (N, 2).
        everything: (M, 2) all the ink, drawn grey.
        reach: of the plane, from the middle.
    """
    cols = max(map(len, rows.values()))
    size = WIDTH, (WIDTH / cols + 0.15) * len(rows) + 0.4
    shared = {"sharex": True, "sharey": True}
    fig, axes = subplots(len(rows), cols, figsize=size, squeeze=False, **shared)
    for line, (row, sets) in zip(axes, rows.items(), strict=True):
        for ax, (name, points) in zip(line, sets.items(), strict=True):
            dots = {"marker": ".", "ls": "", "mew": 0}
            ax.plot(*np.asarray(everything).T, color=PALE, ms=2.5, **dots)
            ax.plot(*np.asarray(points).T, color=BLUE, ms=3.2, **dots)
            show_plane(ax, reach=reach)
            ax.set(xlabel="", ylabel="")
            ax.set_title(name, fontsize=9.5)
        line[0].set_ylabel(f"{row}\nup" if row else "up")
    for ax in axes[-1]:
        ax.set_xlabel("across")
    return fig
