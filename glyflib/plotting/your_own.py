"""Figures of a network that learns something of one's own.

Invariant: what two judges say of the same drawings stands in one panel, on one axis.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    GREY,
    LOOKS,
    WIDTH,
    Span,
    figure,
    subplots,
)
from glyflib.plotting.estimates import add_spans

WINDOW = 20  # steps of which the loss is averaged
LARGE = 11.5  # points: letters that can be read on a phone


@figure
def plot_lesson(
    losses: ArrayLike, moments: Sequence[int], errors: Mapping[str, ArrayLike]
) -> Figure:
    """Draw the loss of each step, and errors that were measured on the way.

    Args:
        losses: (K,) of the steps 1 to K.
        moments: M numbers of steps, from 0 on.
        errors: name -> (M,) errors at these moments.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 2.9))
    losses = np.asarray(losses)
    left.plot(np.arange(1, len(losses) + 1), losses, color=GREY, lw=0.6, alpha=0.6)
    window = min(WINDOW, len(losses))
    mean = np.convolve(losses, np.ones(window) / window, mode="valid")
    left.plot(np.arange(window, len(losses) + 1), mean, lw=1.8)
    left.set(ylim=(0, None))
    left.set_ylabel("loss of a step", fontsize=LARGE)
    for i, (name, values) in enumerate(errors.items()):
        right.plot(moments, values, LOOKS[i], ms=5, label=name)
    right.set(ylim=(0, None))
    right.set_ylabel("error in $v$", fontsize=LARGE)
    right.legend(fontsize=LARGE - 1)
    for ax in (left, right):
        ax.set_xlabel("steps", fontsize=LARGE)
        ax.tick_params(labelsize=LARGE - 1.5)
    return fig


@figure
def plot_rounds(
    judges: Mapping[str, Sequence[Span]], *, guided: Span | None = None
) -> Figure:
    """Draw the share that each judge calls right, round by round, with intervals.

    Args:
        judges: name -> a value and the ends of its interval for each round.
        guided: the same of guided drawings, as a band to hold the rounds against.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.3))
    if guided is not None:
        ax.axhspan(*guided[1:], color=GREY, alpha=0.2, lw=0, label="by guidance")
    num = 0
    for i, (name, spans) in enumerate(judges.items()):
        num = max(num, len(spans))
        places = np.arange(len(spans)) + 0.06 * (i - (len(judges) - 1) / 2)
        add_spans(ax, places, spans, i, name)
    ax.set(ylim=(0, 1.02), xlim=(-0.3, num - 0.7))
    ax.set_xlabel("rounds of rewards", fontsize=LARGE)
    ax.set_ylabel("share called right", fontsize=LARGE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=LARGE - 1)
    ax.legend(loc="lower right", fontsize=LARGE - 1)
    return fig
