"""Figures of guidance: what it should draw, what it draws, and what a scale changes.

Invariant: an interval is drawn wherever there is one; scales stand on one axis, which
is stretched near 0, in every figure.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
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
    figure,
    reaches,
    subplots,
)

BINS = np.linspace(-1.5, 2.5, 81)
HEIGHT = 4.0  # of the density's axis
LARGE = 12  # points: letters that can be read on a phone


def name_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Write what the axes are in letters that a narrow screen can bear."""
    ax.set_xlabel(xlabel, fontsize=LARGE)
    ax.set_ylabel(ylabel, fontsize=LARGE)
    ax.tick_params(labelsize=LARGE - 1)


@figure
def plot_sharpened(
    x: ArrayLike,
    density: ArrayLike,
    draws: ArrayLike,
    *,
    told: ArrayLike,
    title: str = "",
) -> Figure:
    """Draw guided draws over the density that one might expect of them.

    Args:
        x: (N,) places.
        density: (N,) that is expected.
        draws: (K,) numbers that were drawn.
        told: (N,) density of the data that the word stands for.
        title: of the panel.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.6))
    ax.fill_between(x, density, color=SKY, alpha=0.5, lw=0, label="sharpened density")
    ax.plot(x, told, color=GREY, ls="--", lw=1.6, label="what the word stands for")
    height = np.histogram(np.asarray(draws), BINS, density=True)[0]
    ax.stairs(height, BINS, color=BLACK, lw=1.6, label="guided draws")
    ax.set(xlim=(BINS[0], BINS[-1]), ylim=(0, HEIGHT))
    ax.set_title(title, fontsize=LARGE + 1)
    name_axes(ax, "the number $x$", "density")
    ax.legend(loc="upper left", fontsize=LARGE - 1)
    return fig


@figure
def plot_worth(
    x: ArrayLike,
    worth: Mapping[str, ArrayLike],
    *,
    title: str = "",
    lowest: float = 1e-4,
) -> Figure:
    """Draw how much noisy places are worth, on a logarithmic axis.

    Args:
        x: (N,) noisy places.
        worth: up to two names, each with (N,) numbers above 0, on its own factor: the
            largest of each is drawn as 1.
        title: of the panel.
        lowest: lower end of the axis.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.6))
    looks = ((BLUE, "-", 2.2), (RED, "--", 2.2))
    for (name, value), (color, style, width) in zip(worth.items(), looks, strict=False):
        share = np.asarray(value) / np.asarray(value).max()
        ax.plot(x, share, color=color, ls=style, lw=width, label=name)
    ax.set(
        yscale="log", ylim=(lowest, 2), xlim=(np.asarray(x).min(), np.asarray(x).max())
    )
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_title(title, fontsize=LARGE + 1)
    name_axes(ax, "the noisy number $x_t$", "worth, at most 1")
    ax.legend(loc="lower right", fontsize=LARGE - 1)
    return fig


def place_of(scales: ArrayLike) -> np.ndarray:
    """Where scales stand on the axis: even near 0, ever closer farther out."""
    return np.log1p(np.asarray(scales, float))


@figure
def plot_by_scale(
    curves: Mapping[str, Mapping[float, Span]],
    *,
    ylabel: str,
    top: float,
    real: Mapping[str, float] | None = None,
    ticks: Sequence[float] = (0, 1, 2, 3, 5, 10, 20, 50, 100),
) -> Figure:
    """Draw values with their intervals against the scale of guidance.

    Args:
        curves: name -> scale, 0 or above -> value and ends of its interval.
        ylabel: what the values are.
        top: end of their axis, which begins at 0.
        real: up to three names -> the same of real glyphs, a line in the colour of the
            curve of that name, or in grey.
        ticks: scales that are written at the axis; those beyond the curves are not.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.8))
    colours = dict(zip(curves, CYCLE, strict=False))
    for (name, spans), look in zip(curves.items(), LOOKS, strict=False):
        middle, reach = reaches(list(spans.values()))
        bar = {"ms": 6, "capsize": 3, "elinewidth": 1.3, "lw": 1.6, "label": name}
        ax.errorbar(
            place_of([*spans]), middle, reach, fmt=look, color=colours[name], **bar
        )
    dashes = (":", (0, (5, 1, 1, 1)), (0, (1, 4)))
    for (name, value), dash in zip((real or {}).items(), dashes, strict=False):
        color = colours.get(name, GREY)
        ax.axhline(value, color=color, ls=dash, lw=1.6, label=f"real: {name}")
    largest = max(max(spans) for spans in curves.values())
    shown = [tick for tick in ticks if tick <= largest]
    ax.set_xticks(place_of(shown), [f"{tick:g}" for tick in shown])
    ax.set(ylim=(0, top))
    name_axes(ax, "scale $s$", ylabel)
    fig.legend(loc="outside upper center", ncols=2, fontsize=LARGE - 1)
    return fig
