"""Figures of the museum of bugs: what went wrong, beside what is right.

Invariant: both sides of a figure share one scale, so that only the bug differs.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import CYCLE, LOOKS, WIDTH, figure, subplots


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
def plot_seen(curves: Mapping[str, ArrayLike]) -> Figure:
    """Draw the share of the data met in training, step by step.

    Args:
        curves: name -> (N,) shares in [0, 1] after each step.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.8))
    for i, (name, shares) in enumerate(curves.items()):
        steps, look = np.arange(1, len(shares) + 1), {"color": CYCLE[i], "label": name}
        ax.plot(steps, 100 * np.asarray(shares), LOOKS[i][1:], **look)
    ax.set(xlabel="training step", ylabel="glyphs met (%)", ylim=(0, 100))
    ax.legend(loc="center right")
    return fig
