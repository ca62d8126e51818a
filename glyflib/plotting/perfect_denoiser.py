"""Figures of the perfect denoiser: where it sends noisy points.

Invariant: helpers draw the numbers they are handed, all panels on the same axes.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    GREEN,
    GREY,
    WIDTH,
    figure,
    subplots,
)

REACH = 2.8  # of the plane that is shown, from the middle


def draw_answers(ax: Axes, xt: np.ndarray, x0_hat: np.ndarray, ink: np.ndarray) -> None:
    """Draw data (N, 2), and a line from each xt (M, 2) to its answer x0_hat (M, 2).

    Answers are rings, so that the data on which they sit show.
    """
    ax.plot(*ink.T, ".", color=BLUE, ms=2.5, alpha=0.6, zorder=1)
    pairs = np.stack([xt, x0_hat], axis=1)
    ax.add_collection(LineCollection(pairs, colors=GREY, lw=0.5, alpha=0.6, zorder=2))
    ax.plot(*x0_hat.T, "o", mfc="none", mec=GREEN, mew=1.2, ms=5.5, zorder=3)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    ax.set(xlabel="first coordinate", ylabel="second coordinate")


@figure
def plot_answers(
    xt: ArrayLike, answers: Mapping[str, tuple[ArrayLike, ArrayLike]]
) -> Figure:
    """Draw where denoisers send the same noisy points, a panel a denoiser.

    Args:
        xt: (M, 2) noisy points.
        answers: title -> the data (N, 2) that it knows, and its x0_hat (M, 2).
    """
    fig, axes = subplots(1, len(answers), figsize=(WIDTH * 0.95, 3.5))
    for ax, (title, (ink, x0_hat)) in zip(axes, answers.items(), strict=True):
        draw_answers(ax, np.asarray(xt), np.asarray(x0_hat), np.asarray(ink))
        ax.set_title(title)
    return fig
