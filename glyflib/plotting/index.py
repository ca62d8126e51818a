"""The first picture of the book: real glyphs above glyphs that are being drawn.

Invariant: what is real never changes from frame to frame.
"""

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import GREY, WIDTH, figure, new_figure
from glyflib.plotting.pictures import show_image

LETTERS = 12  # of a word or two above a glyph, before the line is broken
SPAN = (-1.0, 1.0)  # ink to paper; noise beyond it is drawn as ink or paper


@figure
def plot_real_and_drawn(
    real: ArrayLike, drawn: ArrayLike, words: Sequence[str]
) -> Figure:
    """Draw N real glyphs in a row under their words, and rows of others below.

    Args:
        real: (N, 1, S, S) x0.
        drawn: (R, N, 1, S, S), in columns of the same words.
        words: N texts.

    Raises:
        ValueError: If the numbers do not fit.
    """
    num = len(words)
    if len(real) != num or any(len(row) != num for row in drawn):
        raise ValueError(f"{num} words, {len(real)} real glyphs and rows must match")
    rows = [real, *drawn]
    names = ["real", *["drawn"] * len(drawn)]
    side = WIDTH / (num + 0.35)
    fig = new_figure(figsize=(WIDTH, len(rows) * side + 0.3), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    grid = fig.subplots(len(rows), num, squeeze=False)
    for axes, row, name in zip(grid, rows, names, strict=True):
        for ax, image in zip(axes, row, strict=True):
            show_image(ax, image, span=SPAN)
            ax.set_axis_on()
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=GREY, linewidth=0.6)
        axes[0].set_ylabel(name, fontsize=12)
    for ax, text in zip(grid[0], words, strict=True):
        ax.set_title(fill(text, LETTERS), fontsize=10)
    return fig
