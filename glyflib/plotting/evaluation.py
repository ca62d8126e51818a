"""Figures of evaluation: bells, floors, balls, ratios, neighbours, sizes.

Invariant: an interval is drawn wherever there is one, and what counts as inside or
as a copy is decided by the caller; pictures are x0 on one scale from -1 to +1.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    CYCLE,
    GREY,
    LOOKS,
    RED,
    SKY,
    WIDTH,
    Span,
    count_axis,
    figure,
    legend_above,
    new_figure,
    subplots,
)
from glyflib.plotting.estimates import add_spans
from glyflib.plotting.pictures import NAMES, add_picture, inches_of, write_at


@figure
def plot_bells(sets: Mapping[str, ArrayLike], *, label: str) -> Figure:
    """Draw histograms of numbers, each with the bell of its mean and spread.

    Args:
        sets: two names or so -> (N,) numbers, N at least 2.
        label: what the numbers are.
    """
    values = {name: np.asarray(found, dtype=float) for name, found in sets.items()}
    low = min(found.min() for found in values.values())
    high = max(found.max() for found in values.values())
    edges, margin = np.linspace(low, high, 40), 0.2 * (high - low)
    places = np.linspace(low - margin, high + margin, 400)
    fig, ax = subplots(figsize=(WIDTH, 2.9))
    for i, (name, found) in enumerate(values.items()):
        look = {"color": CYCLE[i], "alpha": 0.3}
        ax.hist(found, edges, density=True, **look)
        offset = (places - found.mean()) / found.std(ddof=1)
        bell = np.exp(-(offset**2) / 2) / (found.std(ddof=1) * np.sqrt(2 * np.pi))
        ax.plot(places, bell, LOOKS[i][1:], color=CYCLE[i], lw=2, label=name)
    ax.set(xlabel=label, ylabel="density")
    ax.legend()
    return fig


@figure
def plot_floors(spans: Mapping[int, Span], *, label: str) -> Figure:
    """Draw what real glyphs score against real glyphs, by the size of the set.

    Args:
        spans: size -> value and ends of its range.
        label: name of the measure.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.7))
    add_spans(ax, list(spans), list(spans.values()), 0, "real glyphs")
    count_axis(ax, list(spans), "glyphs in the set")
    ax.set(ylabel=label)
    ax.set_ylim(bottom=0)
    ax.legend()
    return fig


@figure
def plot_balls(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]],
) -> Figure:
    """Draw the balls of real points, and which of the drawn points lie within one.

    Args:
        panels: title -> real points (N, 2), their radii (N,), drawn points (M, 2), and
            whether each drawn one is inside (M,).
    """
    size = WIDTH, WIDTH / len(panels) + 1.2
    fig, axes = subplots(1, len(panels), figsize=size, sharex=True, sharey=True)
    for ax, (title, (real, radius, fake, inside)) in zip(
        axes, panels.items(), strict=True
    ):
        real, fake, inside = (np.asarray(x) for x in (real, fake, inside))
        width, look = 2 * np.asarray(radius), {"facecolors": SKY, "alpha": 0.15}
        where = {"offsets": real, "transOffset": ax.transData, "units": "xy"}
        ax.add_collection(EllipseCollection(width, width, 0 * width, **where, **look))
        ax.plot(*real.T, ".", color=BLACK, ms=2.5, label="real")
        ax.plot(*fake[inside].T, "o", color=BLUE, ms=4, mfc="none", label="inside")
        ax.plot(*fake[~inside].T, "x", color=RED, ms=5, label="outside")
        ax.set(title=title, xlabel="x", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
        ax.set_aspect("equal")
    axes[0].set_ylabel("y")
    legend_above(fig, ax, loc="outside lower center")
    return fig


@figure
def plot_ratios(rows: Mapping[str, ArrayLike], limits: Mapping[str, float]) -> Figure:
    """Draw nearest-neighbour ratios, a dot a glyph and a bar at the median.

    Args:
        rows: name -> (N,) ratios.
        limits: name of the row -> the ratio below which a glyph counts as a copy.
    """
    fig, ax = subplots(figsize=(WIDTH, 0.5 * len(rows) + 0.7))
    generator = np.random.default_rng(0)
    for y, (name, ratios) in enumerate(rows.items()):
        ratios = np.asarray(ratios)
        height = y + generator.uniform(-0.22, 0.22, len(ratios))
        ax.plot(ratios, height, ".", color=BLUE, ms=4, alpha=0.5)
        ax.vlines(np.median(ratios), y - 0.36, y + 0.36, color=BLACK, lw=2)
        if name in limits:
            ax.vlines(limits[name], y - 0.45, y + 0.45, color=RED, ls="--", lw=1.4)
    ax.axvline(1, color=GREY, lw=0.9)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel="nearest-neighbour ratio", xlim=(-0.03, 1.75))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    return fig


@figure
def plot_sizes(panels: Mapping[str, Mapping[str, Mapping[int, Span]]]) -> Figure:
    """Draw measures against the size of the training set, with their intervals.

    Args:
        panels: label of the axis -> name of the curve -> size -> value, low, high.
    """
    size = WIDTH, 3.1
    fig, axes = subplots(1, len(panels), figsize=size, squeeze=False)
    for ax, (label, curves) in zip(axes[0], panels.items(), strict=True):
        for i, (name, spans) in enumerate(curves.items()):
            add_spans(ax, list(spans), list(spans.values()), i, name)
        count_axis(ax, list(spans), "glyphs in the training set")
        upright = {"rotation": 55, "ha": "right", "rotation_mode": "anchor"}
        plt.setp(ax.get_xticklabels(), **upright)  # 10,000 is next to 20,162
        ax.set(ylabel=label)
        ax.set_ylim(bottom=0)
    for ax in axes[0]:
        ax.legend(fontsize=8.5)
    return fig


@figure
def plot_twins(
    rows: Mapping[str, tuple[ArrayLike, ArrayLike]], *, notes: Sequence[str] = ()
) -> Figure:
    """Draw pictures, each with its nearest training glyph at its right.

    Args:
        rows: name -> (K, 1, H, W) drawn pictures, and K that lie nearest.
        notes: K texts under the last row.
    """
    count = len(next(iter(rows.values()))[0])
    gap = 0.35  # between pairs, in pictures' widths
    margin = inches_of(rows, NAMES) + 0.12
    side = (WIDTH - margin) / (count * (2 + gap))
    left = margin / side
    step = side * 1.12
    height = step * len(rows) + (0.25 if notes else 0.05)
    fig = new_figure(figsize=(WIDTH, height), layout="none")
    for row, (name, pair) in enumerate(rows.items()):
        bottom = height - row * step - side
        at = {"ha": "right", "va": "center", "fontsize": NAMES}
        write_at(fig, margin - 0.08, bottom + side / 2, name, **at)
        for col, twins in enumerate(zip(*pair, strict=True)):
            for k, picture in enumerate(twins):
                place = (left + col * (2 + gap) + k) * side, bottom, side
                add_picture(fig, picture, place, span=(-1, 1))
    for col, note in enumerate(notes):
        at = {"ha": "center", "va": "bottom", "fontsize": 8}
        write_at(fig, (left + col * (2 + gap) + 1) * side, 0.03, note, **at)
    return fig
