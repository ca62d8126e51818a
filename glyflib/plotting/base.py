"""The one look of every figure, and the helpers that all chapters share.

Invariant: a function marked `@figure` draws in our style, whatever a reader has set,
and returns a closed Figure, so that a notebook shows it exactly once.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import ArrayLike

from glyflib.plotting.canvas import BookCanvas

# Okabe & Ito's palette: told apart by readers with any kind of colour vision.
BLACK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#E69F00", "#009E73"
RED, SKY, PINK, GREY = "#D55E00", "#56B4E9", "#CC79A7", "#767676"
BROWN, PURPLE = "#9A6324", "#6F3FA0"  # where a figure needs more than eight
CYCLE = [BLUE, ORANGE, GREEN, RED, PINK, SKY, BLACK]
# Marker and dash of the i-th of many series: colour alone does not reach everybody.
LOOKS = ("o-", "s--", "^:", "D-.", "v-", "P--", "X:", "*-.")
MARKERS = [look[0] for look in LOOKS]
# Groups of glyphs keep their colours throughout the book: the commonest radicals by
# their English names, and how the parts of a glyph are laid out.
RADICAL_COLOURS = {
    "water": BLUE,
    "metal": ORANGE,
    "grass": GREEN,
    "heart": RED,
    "hand": SKY,  # it shares a place on the map with heart and tree
    "tree": BLACK,
    "mouth": PINK,
    "silk": BROWN,
    "person": PURPLE,
}
LAYOUT_COLOURS = {"left-right": BLUE, "top-bottom": ORANGE}
GROUP_COLOURS = RADICAL_COLOURS | LAYOUT_COLOURS

WIDTH = 7.0  # inches: a figure as wide as the text
EPS = "\u03f5"  # as the text has it; matplotlib's own has another form

Span = tuple[float, float, float]  # a value, and the ends of its interval

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
        before = set(plt.get_fignums())
        try:
            fig = draw(*args, **kwargs)
        finally:  # also after an error: a notebook would show what is left open
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
        BookCanvas(fig)  # takes the place of the canvas that pyplot gave it
        return fig

    return styled


def reaches(spans: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Split values from their intervals, as `Axes.errorbar` takes them.

    Args:
        spans: (N, 3) values, lower and upper ends of their intervals.

    Returns:
        values: (N,).
        reach: (2, N) distances down and up to the ends, 0 for an end passed.
    """
    values, low, high = np.asarray(spans, float).T
    return values, np.clip([values - low, high - values], 0, None)


def group_colours(names: Iterable[str]) -> dict[str, str]:
    """The colour of each group: its own in the whole book, or the next one free.

    Raises:
        ValueError: If there are more groups than colours.
    """
    names = list(names)
    taken = {GROUP_COLOURS[name] for name in names if name in GROUP_COLOURS}
    free = [colour for colour in [*CYCLE, BROWN, PURPLE] if colour not in taken]
    others = [name for name in names if name not in GROUP_COLOURS]
    if len(others) > len(free):
        raise ValueError(f"{len(others)} groups need more than {len(free)} colours")
    own = {name: GROUP_COLOURS[name] for name in names if name in GROUP_COLOURS}
    return own | dict(zip(others, free, strict=False))


def number(value: float, spec: str) -> str:
    """Write a number as `format` does, with a minus where that has a hyphen."""
    return format(value, spec).replace("-", "\N{MINUS SIGN}")


def count_axis(ax: Axes, counts: Sequence[int], label: str) -> None:
    """Make the x-axis logarithmic, with the counts themselves written at its ticks."""
    ax.set(xscale="log", xlabel=label)
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.xaxis.set_minor_formatter(NullFormatter())


def short_ticks(axis: Axis) -> None:
    """Write 0 and 1 at ticks in place of 0.0 and 1.0.

    So the last number of a panel does not run into the first one of the next panel.
    """
    axis.set_major_formatter(FuncFormatter(lambda x, _: number(round(x, 9), "g")))


def legend_above(fig: Figure, ax: Axes, **style) -> Legend:
    """Put the legend of one panel in a row above all panels, styled as matplotlib's."""
    lines, names = ax.get_legend_handles_labels()
    place = {"loc": "outside upper center", "ncols": len(names)}
    return fig.legend(lines, names, **place | style)
