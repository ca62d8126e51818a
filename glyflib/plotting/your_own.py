"""Figures of a network that learns glyphs of one's own.

Invariant: what is shown in training and what is held back keep their looks in all
panels.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    GREY,
    SKY,
    WIDTH,
    Span,
    figure,
    legend_above,
    subplots,
)
from glyflib.plotting.estimates import add_spans
from glyflib.plotting.training import draw_progress

LETTERS = 11.0  # points: two panels side by side, still to be read on a phone


@figure
def plot_lesson(
    losses: Sequence[float],
    steps: ArrayLike,
    errors: Mapping[str, ArrayLike],
    shares: Mapping[str, Mapping[int, Span]],
    *,
    label: str,
    chance: float,
) -> Figure:
    """Draw the loss of a run with errors measured on the way, and what a judge likes.

    Args:
        losses: (S,) of the steps 1 to S.
        steps: (K,) after which the errors were measured.
        errors: name -> (K,).
        shares: the same names -> step -> share of drawings that the judge likes, and
            the ends of its interval.
        label: what the judge likes.
        chance: the share by chance.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.3))
    places = np.arange(1, len(losses) + 1)
    look = {"color": SKY, "ms": 4, "mew": 0}
    left.plot(places, losses, ".", label="loss of a step", **look)
    draw_progress(left, np.asarray(steps), errors)
    left.set(ylim=(0, 1.15 * np.quantile(losses, 0.99)))
    left.set_ylabel("squared error in v", fontsize=LETTERS)
    for i, (name, spans) in enumerate(shares.items()):
        # a little apart, or one interval hides the other
        beside = np.array(list(spans)) + i * 0.012 * len(losses)
        add_spans(right, beside, list(spans.values()), i, name)
    right.axhline(chance, color=GREY, lw=1.2, ls=":")
    right.set(ylim=(-0.02, 1.02))
    right.set_ylabel(label, fontsize=LETTERS)
    at = {"ha": "right", "va": "top", "fontsize": LETTERS - 1}
    right.text(len(losses), chance - 0.02, "by chance", color=GREY, **at)
    for ax in (left, right):
        ax.set_xlabel("steps", fontsize=LETTERS)
        ax.tick_params(labelsize=LETTERS - 1)
    fig.get_layout_engine().set(wspace=0.06)
    legend_above(fig, left, fontsize=LETTERS, markerscale=1.6)
    return fig
