"""Figures of the museum of bugs: what went wrong, beside what is right.

Invariant: both sides of a figure share one scale, so that only the bug differs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import CYCLE, WIDTH, figure, subplots
from glyflib.plotting.pictures import show_image


@figure
def plot_similarity(panels: Mapping[str, ArrayLike], *, label: str) -> Figure:
    """Draw how alike things on a line are, a square map a panel.

    Args:
        panels: title -> (N, N) similarities up to 1, of places spread over [0, 1].
        label: name of the line.
    """
    size = WIDTH, WIDTH / len(panels) * 0.85
    fig, axes = subplots(1, len(panels), figsize=size, squeeze=False)
    for ax, (title, found) in zip(axes[0], panels.items(), strict=True):
        look = {"vmin": 0, "vmax": 1, "cmap": "viridis", "origin": "lower"}
        drawn = ax.imshow(np.asarray(found), extent=(0, 1, 0, 1), **look)
        ax.set(title=title, xlabel=label, ylabel=label)
        ax.grid(False)
    fig.colorbar(drawn, ax=axes, label="similarity", shrink=0.8)
    return fig


@figure
def plot_rows(rows: Mapping[str, ArrayLike], columns: Sequence[str]) -> Figure:
    """Draw a table of clean pictures with written-out names at the left.

    Args:
        rows: name -> (K, 1, H, W) pictures in [-1, 1].
        columns: K titles.
    """
    cell, names = 1.25, list(rows)
    size = WIDTH, cell * len(names) + 0.3
    fig, axes = subplots(len(names), len(columns) + 1, figsize=size, squeeze=False)
    for name, line in zip(names, axes, strict=True):
        line[0].set_axis_off()
        line[0].text(0.9, 0.5, name, ha="right", va="center", fontsize=10)
        for ax, picture in zip(line[1:], rows[name], strict=True):
            show_image(ax, picture, span=(-1, 1))
    for ax, title in zip(axes[0, 1:], columns, strict=True):
        ax.set_title(title)
    return fig


@figure
def plot_seen(curves: Mapping[str, ArrayLike]) -> Figure:
    """Draw the share of the data met in training, step by step.

    Args:
        curves: name -> (N,) shares in [0, 1] after each step.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.8))
    for color, style, (name, shares) in zip(
        CYCLE, ("-", "--", ":", "-."), curves.items(), strict=False
    ):
        steps = np.arange(1, len(shares) + 1)
        ax.plot(steps, 100 * np.asarray(shares), style, color=color, label=name)
    ax.set(xlabel="training step", ylabel="glyphs met (%)", ylim=(0, 100))
    ax.legend(loc="center right")
    return fig
