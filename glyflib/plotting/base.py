"""The one look of every figure, and the helpers that all chapters share.

Invariant: a function marked `@figure` draws in our style, whatever a reader has set,
and returns a closed Figure, so that a notebook shows it exactly once.
"""

from collections.abc import Callable
from functools import partial, wraps

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Okabe & Ito's palette: told apart by readers with any kind of colour vision.
BLACK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#E69F00", "#009E73"
RED, SKY, PINK, GREY = "#D55E00", "#56B4E9", "#CC79A7", "#767676"
CYCLE = [BLUE, ORANGE, GREEN, RED, PINK, SKY, BLACK]

WIDTH = 7.0  # inches: a figure as wide as the text

STYLE = {
    "axes.grid": True,
    "axes.prop_cycle": plt.cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.dpi": 144,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.alpha": 0.25,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "dejavusans",
}


def book_style():
    """A context of matplotlib's own defaults under the book's STYLE.

    A reader's matplotlibrc and style sheets have no say in it, and hold again after it.
    """
    return plt.style.context(STYLE, after_reset=True)


class BookFigure(Figure):
    """A Figure that keeps the book's style when it is saved or displayed.

    Both happen after the function that drew it has returned, and only then matplotlib
    makes the ticks, and looks up resolution, background and whether to call LaTeX.
    """

    draw = book_style()(Figure.draw)
    get_tightbbox = book_style()(Figure.get_tightbbox)  # of pictures in a notebook
    savefig = book_style()(Figure.savefig)


# Drawing functions make their figures with these two, never with pyplot's own.
new_figure = partial(plt.figure, FigureClass=BookFigure)
subplots = partial(plt.subplots, FigureClass=BookFigure)


def figure(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make a drawing function draw in the book's style and close its Figure."""

    @wraps(draw)
    @book_style()
    def styled(*args, **kwargs) -> Figure:
        fig = draw(*args, **kwargs)
        plt.close(fig)
        return fig

    return styled
