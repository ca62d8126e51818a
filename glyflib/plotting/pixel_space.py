"""Pictures of pixel space: numbers on pixels, two pixels, distances, variance.

Invariant: helpers only draw; the chapter computes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    CYCLE,
    GREY,
    MARKERS,
    WIDTH,
    figure,
    number,
    subplots,
)
from glyflib.plotting.pictures import add_frame, show_image

LINES = ("-", "--", "-.", ":")


@figure
def plot_values(
    image: ArrayLike, *, span: tuple[float, float], spec: str = ".0f"
) -> Figure:
    """Draw a picture with its value written on every pixel.

    Args:
        image: (H, W) or (1, H, W) values.
        span: the values drawn black and white.
        spec: how a value is written, as in `format(value, spec)`.
    """
    height, width = np.shape(image)[-2:]
    image = np.asarray(image).reshape(height, width)
    side = 10.0  # inches: larger than the page, so that the opened picture is sharp
    fig, ax = subplots(figsize=(side, side * height / width))
    show_image(ax, image, span=span)
    ax.set(xlim=(-0.55, width - 0.45), ylim=(height - 0.45, -0.55))
    rows, cols = np.arange(height + 1) - 0.5, np.arange(width + 1) - 0.5
    ax.hlines(rows, cols[0], cols[-1], color=GREY, lw=0.4)
    ax.vlines(cols, rows[0], rows[-1], color=GREY, lw=0.4)
    letters = max(len(format(value, spec)) for value in image.flat)
    size = 0.9 * 72 * side / width / (0.64 * letters)
    for (row, col), value in np.ndenumerate(image):
        color = "black" if value > sum(span) / 2 else "white"
        text = number(value, spec)
        ax.text(
            col, row, text, color=color, size=size, ha="center", va="center_baseline"
        )
    return fig


def label_square(ax: Axes) -> None:
    """Make axes the square of pictures of two pixels."""
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal")
    ax.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ax.set(
        xlabel=f"first pixel ({number(-1, 'd')} ink, +1 paper)", ylabel="second pixel"
    )


@figure
def plot_square(values: Sequence[float]) -> Figure:
    """Draw the square of all pictures of two pixels, with a picture at some places.

    Args:
        values: K values of a pixel, -1 ink to +1 paper; a picture for each two of them.
    """
    fig, ax = subplots(figsize=(WIDTH / 1.8, WIDTH / 1.8))
    for first in values:
        for second in values:
            box = (first - 0.18, first + 0.18, second - 0.09, second + 0.09)
            ax.imshow([[first, second]], vmin=-1, vmax=1, extent=box)
            sides = {"fill": False, "ec": GREY, "lw": 0.6}
            ax.add_patch(Rectangle((box[0], box[2]), 0.36, 0.18, **sides))
    ax.grid(visible=False)
    label_square(ax)
    return fig


@figure
def plot_two_pixels(panels: Mapping[str, ArrayLike]) -> Figure:
    """Draw where glyphs lie in the square of two pixels, a dot each.

    Dots are shaken a little so that equal ones can be told apart. In each corner stands
    the share of the glyphs there (both pixels within 0.2 of ink or paper).

    Args:
        panels: title -> (N, 2) values of two pixels in N glyphs.
    """
    count = len(panels)
    side = WIDTH / max(count, 2)
    fig, axes = subplots(1, count, figsize=(count * side, side + 0.2), squeeze=False)
    shake = np.random.default_rng(0)
    for ax, (title, pairs) in zip(axes[0], panels.items(), strict=True):
        pairs = np.asarray(pairs)
        shaken = pairs + shake.normal(scale=0.06, size=pairs.shape)
        ax.plot(*shaken.T, ".", ms=2.5, alpha=0.25, mew=0, color=BLUE)
        for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            share = (np.abs(pairs - corner) < 0.2).all(axis=1).mean()
            place = 0.7 * np.array(corner)
            look = {"ha": "center", "va": "center", "fontsize": 11}
            ax.text(*place, f"{share:.0%}", bbox={"fc": "white", "lw": 0}, **look)
        label_square(ax)
        ax.set_title(title)
    return fig


@figure
def plot_mean_and_std(mean: ArrayLike, std: ArrayLike) -> Figure:
    """Draw the mean of each pixel beside its standard deviation, with scales.

    Args:
        mean: (H, W) means, -1 ink to +1 paper.
        std: (H, W) standard deviations, 0 to 1.
    """
    fig, axes = subplots(1, 2, figsize=(WIDTH, 3.3))
    fig.get_layout_engine().set(w_pad=0.25)  # or two scales read as one
    panels = [
        (mean, (-1, 1), "mean of the pixel (\N{MINUS SIGN}1 ink, +1 paper)"),
        (std, (0, 1), "standard deviation of the pixel"),
    ]
    for ax, (values, span, label) in zip(axes, panels, strict=True):
        show_image(ax, values, span=span)
        add_frame(ax)
        fig.colorbar(ax.images[0], ax=ax, orientation="horizontal", label=label)
    return fig


@figure
def plot_value_histogram(groups: Mapping[str, ArrayLike]) -> Figure:
    """Compare how often pixel values occur, as outlines on one value axis.

    Args:
        groups: name -> pixel values of any shape, ink -1, paper +1.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.8))
    edges = np.linspace(-2.5, 2.5, 76)  # bins of 1/15 with -1 and +1 inside a bin
    for (name, values), line in zip(groups.items(), LINES, strict=False):
        values = np.asarray(values).ravel()
        share = np.histogram(values, edges)[0] / len(values)
        ax.stairs(100 * share, edges, label=name, lw=1.8, ls=line)
    ax.set(
        xlabel=f"pixel value ({number(-1, 'd')} ink, +1 paper)",
        ylabel="share of pixels (%)",
    )
    ax.legend(loc="upper left")
    return fig


@figure
def plot_shift(
    shifts: Sequence[int], distances: ArrayLike, levels: Mapping[str, float]
) -> Figure:
    """Draw how far a glyph moves in pixel space when its picture is shifted.

    Args:
        shifts: S shifts in pixels.
        distances: (S, N) distances between N glyphs and their shifted selves.
        levels: name -> a distance to compare with, drawn as a level line.
    """
    low, middle, high = np.quantile(np.asarray(distances), [0.25, 0.5, 0.75], axis=1)
    fig, ax = subplots(figsize=(WIDTH, 3.0))
    ax.fill_between(shifts, low, high, color=BLUE, alpha=0.2, lw=0)
    ax.plot(shifts, middle, "o-", label="the same glyph, shifted")
    for i, (name, value) in enumerate(levels.items(), start=1):
        ax.axhline(value, ls=LINES[i % 4], color=CYCLE[i % 7], label=name)
    ax.set(xlabel="shift to the right (pixels)", ylabel="distance in pixel space")
    ax.set_xticks(shifts)
    ax.set_ylim(bottom=0)
    ax.legend(loc="lower right")
    return fig


@figure
def plot_ranges(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw groups of numbers as median, quartiles and 5 to 95 %, a panel a quantity.

    The first group of a panel is the yardstick: its 5 to 95 % is shaded.

    Args:
        panels: axis label -> group name -> values.
    """
    sizes = [len(groups) for groups in panels.values()]
    fig, axes = subplots(
        len(panels),
        figsize=(WIDTH, 0.34 * sum(sizes) + 0.75 * len(panels)),
        gridspec_kw={"height_ratios": sizes},
        squeeze=False,
    )
    for ax, (label, groups) in zip(axes[:, 0], panels.items(), strict=True):
        for row, values in enumerate(groups.values()):
            q = np.quantile(np.asarray(values), [0.05, 0.25, 0.5, 0.75, 0.95])
            color = CYCLE[row % 7]
            if row == 0:
                ax.axvspan(q[0], q[4], color=BLUE, alpha=0.12, lw=0)
            ax.hlines(row, q[0], q[4], color=color, lw=1.4)
            ax.hlines(row, q[1], q[3], color=color, lw=5)
            ax.plot(
                q[2], row, MARKERS[row % 7], color=color, mec="white", mew=0.6, ms=8
            )
        ax.set(xlabel=label, xlim=(0, None), ylim=(len(groups) - 0.5, -0.5))
        ax.set_yticks(range(len(groups)), list(groups))
        ax.grid(axis="y", visible=False)
    return fig


@figure
def plot_variance_share(
    spectra: Mapping[str, ArrayLike], *, level: float = 0.9
) -> Figure:
    """Draw the share of the variance held by the first k directions.

    Args:
        spectra: name -> (D,) variances along the principal directions, falling.
        level: share at which each curve is marked with its number of directions.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.0))
    for (name, spectrum), line in zip(spectra.items(), LINES, strict=False):
        share = np.cumsum(np.asarray(spectrum)) / np.sum(np.asarray(spectrum))
        count = int(np.searchsorted(share, level)) + 1
        steps = np.arange(len(share) + 1)
        (curve,) = ax.plot(steps, [0, *(100 * share)], line, label=name)
        ax.plot(count, 100 * level, "o", color=curve.get_color())
        ax.annotate(
            f"{count}", (count, 100 * level), (4, -13), textcoords="offset points"
        )
    ax.axhline(100 * level, color=GREY, lw=0.8)
    ax.set(xlabel="directions kept, largest variance first", ylim=(0, 103))
    ax.set(ylabel="share of the variance (%)")
    ax.legend(loc="lower right")
    return fig
