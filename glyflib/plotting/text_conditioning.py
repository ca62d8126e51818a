"""Figures of chapter 16: where a picture looks while it reads words.

Invariant: attention is drawn from 0 to 0.6, so that words and levels compare.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import WIDTH, figure, subplots
from glyflib.plotting.pictures import add_frame, show_image
from glyflib.plotting.text_embeddings import shown
from glyflib.plotting.unet import show_attention

MOST = 0.6  # share of attention drawn darkest
FRAME = 5.4  # inches: narrow, so that a phone shows its letters large enough


@figure
def plot_looks(
    pictures: Mapping[str, ArrayLike],
    maps: Mapping[str, ArrayLike],
    pieces: Sequence[str],
) -> Figure:
    """Draw what share each place gives to each word, a row a picture.

    Args:
        pictures: row's name -> (1, S, S) picture on the scale of x0.
        maps: row's name -> (L, h, w) weights; over L they add up to 1.
        pieces: L pieces of the text.
    """
    cols = len(pieces) + 1
    size = WIDTH, (WIDTH - 0.8) / cols * len(maps) + 0.4
    fig, axes = subplots(len(maps), cols, figsize=size, squeeze=False)
    for line, (name, weights) in zip(axes, maps.items(), strict=True):
        picture = np.asarray(pictures[name]).squeeze()
        show_image(line[0], picture, span=(-1, 1))
        for ax, weight in zip(line[1:], np.asarray(weights), strict=True):
            drawn = show_attention(ax, picture, weight, top=MOST)
        label = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 8.5}
        line[0].text(-0.14, 0.5, name, transform=line[0].transAxes, **label)
    for ax, piece in zip(axes[0, 1:], pieces, strict=True):
        ax.set_title(shown(piece), fontsize=9)
    for ax in axes.flat:
        add_frame(ax)
    bar = fig.colorbar(drawn, ax=axes, shrink=0.8, extend="max")
    bar.set_label("share of attention", fontsize=8)
    return fig


@figure
def plot_word(
    pictures: Mapping[str, ArrayLike], maps: Mapping[str, ArrayLike]
) -> Figure:
    """Draw what share each place gives to one word, a column a level.

    All figures of one text are of one size, as frames for words to point at.

    Args:
        pictures: column's name -> (1, S, S) picture on the scale of x0.
        maps: column's name -> (h, w) shares.
    """
    size = FRAME, FRAME / len(pictures) + 0.2
    fig, axes = subplots(1, len(pictures), figsize=size, squeeze=False)
    for ax, (name, picture) in zip(axes[0], pictures.items(), strict=True):
        glow = show_attention(ax, np.asarray(picture).squeeze(), maps[name], top=MOST)
        add_frame(ax)
        ax.set_title(name, fontsize=12)
    bar = fig.colorbar(glow, ax=axes, shrink=0.8, extend="max")
    bar.set_label("share", fontsize=11)
    return fig
