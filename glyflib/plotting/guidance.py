"""Figures of guidance: sharpened densities, their scores, and what a scale changes.

Invariant: scales stand evenly on the axis, in the order given; an interval is drawn
wherever there is one.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    Span,
    figure,
    legend_above,
    reaches,
    subplots,
)

BINS = np.linspace(-1.5, 2.5, 61)
LOOKS = ((BLUE, "-"), (RED, "--"), (ORANGE, ":"))


@figure
def plot_sharpened(
    x: ArrayLike,
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]],
    others: Mapping[str, ArrayLike],
) -> Figure:
    """Draw guided draws over the density that one might expect, a panel a scale.

    Args:
        x: (N,) places.
        panels: title -> (N,) exact density, and draws.
        others: name -> (N,) density drawn as a line in each panel, up to two.
    """
    size = WIDTH, 2.9
    fig, axes = subplots(1, len(panels), figsize=size, sharex=True, sharey=True)
    for ax, (title, (density, draws)) in zip(axes, panels.items(), strict=True):
        fill = {"color": SKY, "alpha": 0.5, "lw": 0}
        ax.fill_between(x, density, label="$q(x)\\,q(y|x)^s$", **fill)
        for (name, curve), style in zip(others.items(), ("--", ":"), strict=False):
            ax.plot(x, curve, color=GREY, ls=style, lw=1.2, label=name)
        height = np.histogram(np.asarray(draws), BINS, density=True)[0]
        ax.stairs(height, BINS, color=BLACK, lw=1.1, label="guided draws")
        ax.set(title=title, xlabel="x", xlim=(BINS[0], BINS[-1]), ylim=(0, 3))
    axes[0].set_ylabel("density")
    legend_above(fig, ax)
    return fig


@figure
def plot_scores(
    x: ArrayLike,
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    span: tuple[float, float] = (-12.0, 12.0),
) -> Figure:
    """Draw scores, name -> (N,), against the place x, a panel a noise level."""
    size = WIDTH, 2.9
    fig, axes = subplots(1, len(panels), figsize=size, sharey=True)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        ax.axhline(0, color=BLACK, lw=0.8)
        for (name, score), (color, style) in zip(curves.items(), LOOKS, strict=False):
            ax.plot(x, score, color=color, ls=style, label=name)
        ax.set(title=title, xlabel="$x_t$", xlim=(-1.5, 2.5), ylim=span)
    axes[0].set_ylabel("score")
    legend_above(fig, ax)
    return fig


def draw_spans(ax: Axes, spans: Mapping[float, Span]) -> None:
    """Draw values with intervals, evenly spaced and joined."""
    place = np.arange(len(spans))
    middle, reach = reaches(list(spans.values()))
    look = {"color": BLUE, "ms": 4, "capsize": 2, "elinewidth": 1.1, "lw": 1.2}
    ax.errorbar(place, middle, reach, fmt="o-", **look)
    ax.set_xticks(place, [f"{scale:g}" for scale in spans])


@figure
def plot_sweep(
    panels: Mapping[str, Mapping[float, Span]],
    real: Mapping[str, float],
    *,
    tops: Mapping[str, float],
    cols: int = 3,
) -> Figure:
    """Draw measures against the scale of guidance, with their intervals.

    Args:
        panels: name of the measure -> scale -> value and ends of its interval.
        real: name of the measure -> what real glyphs reach, drawn as a line.
        tops: name of the measure -> end of its axis, which begins at 0.
        cols: panels in a row.
    """
    rows = -(-len(panels) // cols)
    size = WIDTH, 2.2 * rows
    fig, axes = subplots(rows, cols, figsize=size, squeeze=False, sharex=True)
    for ax, (name, spans) in zip(axes.flat, panels.items(), strict=True):
        if name in real:
            ax.axhline(real[name], color=GREY, ls="--", lw=1.2)
        draw_spans(ax, spans)
        ax.set(title=name, ylim=(0, tops[name]))
        ax.tick_params(labelsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("scale s")
    for line in axes:
        line[0].set_ylabel("value")
    return fig
