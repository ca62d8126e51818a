"""Figures of the perfect denoiser: where it sends noisy points, and what it draws.

Invariant: helpers draw the numbers they are handed, all panels on the same axes.
"""

from collections.abc import Collection, Mapping

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


def draw_answers(
    ax: Axes, xt: np.ndarray, x0_hat: np.ndarray, ink: np.ndarray, colour: str
) -> None:
    """Draw data (N, 2), and a line from each xt (M, 2) to its answer x0_hat (M, 2).

    Answers are rings, so that the data on which they sit show.
    """
    alpha = 0.25 if colour == GREY else 0.6
    ax.plot(*ink.T, ".", color=colour, ms=2.5, alpha=alpha, zorder=1)
    pairs = np.stack([xt, x0_hat], axis=1)
    ax.add_collection(LineCollection(pairs, colors=GREY, lw=0.5, alpha=0.6, zorder=2))
    ax.plot(*x0_hat.T, "o", mfc="none", mec=GREEN, mew=1.2, ms=5.5, zorder=3)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    ax.set(xlabel="first coordinate", ylabel="second coordinate")


@figure
def plot_answers(
    xt: ArrayLike,
    answers: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    grey: Collection[str] = (),
) -> Figure:
    """Draw where denoisers send the same noisy points, a panel a denoiser.

    Args:
        xt: (M, 2) noisy points.
        answers: title -> the data (N, 2) that it knows, and its x0_hat (M, 2).
        grey: titles of the panels whose data are only examples of what it knows.

    Raises:
        ValueError: If a title in grey is not one of the panels.
    """
    if unknown := sorted(set(grey) - set(answers)):
        raise ValueError(f"no panel has the title {unknown[0]!r}, see {list(answers)}")
    fig, axes = subplots(1, len(answers), figsize=(WIDTH * 0.95, 3.5))
    for ax, (title, (ink, x0_hat)) in zip(axes, answers.items(), strict=True):
        colour = GREY if title in grey else BLUE
        draw_answers(ax, np.asarray(xt), np.asarray(x0_hat), np.asarray(ink), colour)
        ax.set_title(title)
    return fig


def counted_places(points: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (K, 2) where points (N, 2) lie, and how many lie at each (K,).

    A point belongs to the first point of the list that is no farther than `within`.
    """
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    first = (gaps <= within).argmax(axis=1)
    rows, counts = np.unique(first, return_counts=True)
    return points[rows], counts


@figure
def plot_draws(clouds: Mapping[str, ArrayLike], *, within: float = 0.01) -> Figure:
    """Draw up to four sets of points; those that coincide are one larger dot.

    Args:
        clouds: title -> (N, 2).
        within: points no farther apart coincide; the area of a dot is their number.
    """
    rows = (len(clouds) + 1) // 2
    size = (WIDTH * 0.9, 3.1 * rows)
    fig, axes = subplots(rows, 2, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(clouds) :]:
        ax.remove()
    for ax, (title, points) in zip(axes.flat, clouds.items(), strict=False):
        places, counts = counted_places(np.asarray(points), within)
        ax.scatter(*places.T, s=5 * counts, color=BLUE, alpha=0.7, lw=0)
        ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", title=title)
    for ax in axes[-1]:
        ax.set_xlabel("first coordinate")
    for ax in axes[:, 0]:
        ax.set_ylabel("second coordinate")
    return fig
