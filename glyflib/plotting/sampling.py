"""Figures of the way down: pictures by steps, and how far few steps miss.

Invariant: helpers draw the numbers they are handed; pictures of x0 share one grey
scale from -1 to +1; series differ by marker and dash as well as colour.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    CYCLE,
    GREY,
    LOOKS,
    WIDTH,
    count_axis,
    figure,
    new_figure,
    subplots,
)
from glyflib.plotting.pictures import add_picture, write_at


@figure
def plot_ladders(
    ladders: Mapping[str, Mapping[int, ArrayLike]], *, num: int = 6
) -> Figure:
    """Draw what the same noises become, a row a number of steps, samplers side by side.

    Args:
        ladders: sampler -> number of steps -> (N, 1, H, W) pictures.
        num: pictures shown of each.
    """
    counts = sorted({count for ladder in ladders.values() for count in ladder})
    gap = 0.8  # pictures' widths, between samplers and left of the first
    side = WIDTH / (len(ladders) * (num + gap))
    size = WIDTH, side * len(counts) + 0.26
    fig = new_figure(figsize=size, layout="none")
    for i, (name, ladder) in enumerate(ladders.items()):
        left = (i * (num + gap) + gap) * side
        at = {"ha": "center", "va": "top", "fontsize": 10}
        write_at(fig, left + num * side / 2, size[1] - 0.08, name, **at)
        for row, count in enumerate(counts):
            bottom = (len(counts) - 1 - row) * side
            if i == 0:
                at = {"ha": "right", "va": "center", "fontsize": 9}
                write_at(fig, left - 0.05, bottom + 0.47 * side, f"{count}", **at)
            for col, picture in enumerate(ladder.get(count, [])[:num]):
                place = left + col * side, bottom, side
                add_picture(fig, picture, place, span=(-1, 1))
    return fig


@figure
def plot_errors(
    errors: Mapping[str, Mapping[int, ArrayLike]], levels: Mapping[str, float]
) -> Figure:
    """Draw distance to the reference by calls: every glyph faint, the median strong.

    Args:
        errors: sampler -> calls -> (N,) distances, one a glyph, all above 0.
        levels: name -> a distance to compare with, drawn as a level line.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.6))
    for i, (name, by_count) in enumerate(errors.items()):
        counts = np.array(list(by_count))
        values = np.stack([np.asarray(v) for v in by_count.values()])
        ax.plot(counts, values, "-", color=CYCLE[i], alpha=0.4, lw=0.9)
        middle = np.median(values, axis=1)
        look = {"color": CYCLE[i], "ms": 6, "lw": 2.4}
        ax.plot(counts, middle, LOOKS[i], label=name, **look)
    for i, (name, value) in enumerate(levels.items()):
        ax.axhline(value, color=GREY, ls=("--", ":")[i % 2], lw=1.2, label=name)
    counts = sorted({c for by_count in errors.values() for c in by_count})
    count_axis(ax, counts, "network calls")
    ax.set(yscale="log", ylabel="distance to the reference (RMS)")
    ax.legend(fontsize=8.5)
    return fig
