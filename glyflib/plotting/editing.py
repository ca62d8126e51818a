"""Figures of editing: two pixels of which one is known, and shares of what is drawn.

Invariant: helpers draw the numbers they are handed; the truth is a black line.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    RED,
    SKY,
    WIDTH,
    count_axis,
    figure,
    reaches,
    subplots,
)


@figure
def plot_two_pixels(
    places: ArrayLike, joint: ArrayLike, known: float, given: ArrayLike
) -> Figure:
    """Draw the density of two pixels, and the slice where the first is known.

    Args:
        places: (P,) values of a pixel.
        joint: (P, P) density, the first pixel along the first axis.
        known: value of the first pixel.
        given: (P,) density of the second, where the first is known.
    """
    places = np.asarray(places)
    shape = {"figsize": (WIDTH, 3.2), "width_ratios": [1, 1.1]}
    fig, (plane, slice_) = subplots(1, 2, **shape)
    reach = places[0], places[-1]
    plane.imshow(
        np.asarray(joint).T,
        extent=(*reach, *reach),
        origin="lower",
        cmap="Blues",
        interpolation="bilinear",
    )
    plane.axvline(known, color=RED, ls="--", lw=1.4)
    plane.text(known + 0.08, reach[1] - 0.12, "known", color=RED, va="top")
    plane.set(xlabel="left pixel", ylabel="right pixel", title="pairs of pixels")
    plane.grid(visible=False)
    slice_.plot(places, given, color=BLACK)
    slice_.fill_between(places, given, color=RED, alpha=0.15, lw=0)
    slice_.set(
        xlabel="right pixel",
        ylabel="density",
        title="on the dashed line",
        ylim=(0, None),
    )
    return fig


@figure
def plot_answers(
    answers: Mapping[str, ArrayLike], places: ArrayLike, density: ArrayLike
) -> Figure:
    """Draw what several ways draw, each as bars under the true density.

    Args:
        answers: up to six names -> (N,) values drawn.
        places: (P,) values where the density is known.
        density: (P,) the true one.
    """
    cols = min(3, len(answers))
    rows = -(-len(answers) // cols)
    shape = {"figsize": (WIDTH, 0.4 + 1.9 * rows), "sharex": True, "sharey": True}
    fig, axes = subplots(rows, cols, squeeze=False, **shape)
    places = np.asarray(places)
    reach = places.min(), places.max()
    for ax, (name, values) in zip(axes.flat, answers.items(), strict=False):
        values = np.asarray(values)
        share = np.count_nonzero(values < 0) / len(values)
        bars = {"bins": 60, "range": reach, "color": SKY}
        weights = np.full(len(values), 60 / (len(values) * (reach[1] - reach[0])))
        ax.hist(values, weights=weights, **bars)
        ax.plot(places, density, color=BLACK, lw=1.2)
        ax.set_title(f"{name}\n{share:.0%} ink", fontsize=9)
    for ax in list(axes.flat)[len(answers) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("right pixel")
    for ax in axes[:, 0]:
        ax.set_ylabel("density")
    return fig


@figure
def plot_repeats(counts: Sequence[int], spans: ArrayLike, truth: float) -> Figure:
    """Draw a share against how often each step is taken, with its interval.

    Args:
        counts: (K,) how often.
        spans: (K, 3) shares, and the ends of their intervals, in [0, 1].
        truth: the share that it should be.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.0))
    values, reach = reaches(spans)
    look = {"color": BLUE, "capsize": 3, "ms": 6, "label": "drawn"}
    ax.errorbar(counts, 100 * values, 100 * reach, fmt="o-", **look)
    ax.axhline(100 * truth, color=BLACK, lw=1.2, ls="--", label="as it should be")
    count_axis(ax, counts, "how often each step is taken")
    ax.minorticks_off()
    ax.set_ylabel("right pixel is ink (%)")
    ax.legend(fontsize=8.5, loc="lower right")
    return fig
