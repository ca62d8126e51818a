"""Figures of chapter 16: where a picture looks while it reads words.

Invariant: attention is drawn from 0 to 0.6, so that words and levels compare.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import figure, subplots
from glyflib.plotting.pictures import add_frame
from glyflib.plotting.unet import show_attention

MOST = 0.6  # share of attention drawn darkest
FRAME = 5.4  # inches: narrow, so that a phone shows its letters large enough


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
