"""Values with their intervals, beside bands of what to hold them against.

Invariant: helpers draw the numbers they are handed.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    CYCLE,
    GREY,
    LOOKS,
    MARKERS,
    ORANGE,
    WIDTH,
    Span,
    figure,
    reaches,
    short_ticks,
    subplots,
)


@figure
def plot_estimates(
    panels: Mapping[str, Mapping[str, Span]],
    *,
    marked: Sequence[str] = (),
    bands: bool = False,
    spans: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Draw values with intervals as rows, the same names in every panel.

    Args:
        panels: measure -> name of the row -> value and ends of its interval.
        marked: rows drawn as orange squares, all others as blue dots.
        bands: whether the first row's interval is a band through its panel.
        spans: measure -> ends of its axis; (0, 1) where none is given.
    """
    names = list(next(iter(panels.values())))
    size = WIDTH, 0.27 * len(names) + 0.8
    fig, axes = subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    for ax, (label, rows) in zip(axes[0], panels.items(), strict=True):
        for y, name in enumerate(names):
            value, reach = reaches([rows[name]])
            look = ("s", ORANGE) if name in marked else ("o", BLUE)
            bar = {"fmt": look[0], "color": look[1], "ms": 5, "capsize": 2.5}
            ax.errorbar(value, [y], xerr=reach, elinewidth=1.3, **bar)
        if bands:
            ax.axvspan(*rows[names[0]][1:], color=GREY, alpha=0.2, lw=0)
        ax.set(xlabel=label, xlim=(spans or {}).get(label, (0, 1)))
        short_ticks(ax.xaxis)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), names)
    return fig


def add_spans(ax: Axes, x: ArrayLike, spans: Sequence[Span], i: int, name: str) -> None:
    """Draw values with intervals against x, joined, in the i-th look."""
    middle, reach = reaches(spans)
    look = {"color": CYCLE[i], "ms": 4.5, "capsize": 2, "elinewidth": 1.1, "lw": 1.3}
    ax.errorbar(x, middle, reach, fmt=LOOKS[i], label=name, **look)


def draw_rows(
    ax: Axes, rows: Mapping[str, Span], looks: Iterable[tuple[str, str]]
) -> None:
    """Draw values with their intervals, a row a name, from the top.

    Args:
        ax: where to draw.
        rows: name -> value, lower and upper end of its interval.
        looks: colour and marker of each row, or of more.
    """
    for y, (span, (color, marker)) in enumerate(
        zip(rows.values(), looks, strict=False)
    ):
        value, reach = reaches([span])
        style = {"color": color, "ms": 6, "capsize": 4}
        ax.errorbar(value, [y], xerr=reach, fmt=marker, **style)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)


def write_values(ax: Axes, rows: Mapping[str, Span]) -> None:
    """Write the value of each row of `draw_rows` beside its interval."""
    for y, (value, _, high) in enumerate(rows.values()):
        at = {"xytext": (7, -3), "textcoords": "offset points", "fontsize": 8.5}
        ax.annotate(f"{value:.2f}", (max(value, high), y), **at)


@figure
def plot_hits(panels: Mapping[str, Mapping[str, Span]], *, label: str) -> Figure:
    """Draw shares with their intervals, a row a name, a panel a question.

    Args:
        panels: title -> name -> value, lower and upper end of its interval.
        label: of the common x-axis.
    """
    sizes = [len(rows) for rows in panels.values()]
    height = 0.3 * sum(sizes) + 0.4 * len(sizes) + 0.4
    fig, axes = subplots(
        len(sizes),
        figsize=(WIDTH, height),
        sharex=True,
        squeeze=False,
        gridspec_kw={"height_ratios": sizes},
    )
    for ax, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
        draw_rows(ax, rows, cycle(zip(CYCLE, MARKERS, strict=False)))
        write_values(ax, rows)
        ax.set(title=title, xlim=(-0.02, 1.1))
        ax.grid(axis="y", visible=False)
    axes[-1, 0].set_xlabel(label)
    return fig
