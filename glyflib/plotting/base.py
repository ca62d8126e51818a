"""The one look of every figure, and the helpers that all chapters share.

Invariant: a function marked `@figure` draws in our style and returns a closed
Figure, so that a notebook shows it exactly once.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from textwrap import shorten

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike

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


def figure(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make a drawing function draw in the book's style and close its Figure."""

    @wraps(draw)
    def styled(*args, **kwargs) -> Figure:
        with plt.rc_context(STYLE):
            fig = draw(*args, **kwargs)
        plt.close(fig)
        return fig

    return styled


def show_image(ax: Axes, image: ArrayLike, *, span: tuple[float, float]) -> None:
    """Draw one grey picture without axes.

    Args:
        ax: where to draw.
        image: (H, W) or (1, H, W).
        span: the values drawn black and white; fixed, so that pictures compare.
    """
    low, high = span
    ax.imshow(np.asarray(image).squeeze(), cmap="gray", vmin=low, vmax=high)
    ax.set_axis_off()


def stamp(
    ax: Axes, image: ArrayLike, xy: tuple[float, float], *, zoom: float = 0.25
) -> None:
    """Draw a uint8 glyph at a data point, in place of a character no font may have."""
    box = OffsetImage(np.asarray(image).squeeze(), zoom=zoom, cmap="gray")
    box.image.set_clim(0, 255)
    frame = {"lw": 0.5, "edgecolor": GREY}
    ax.add_artist(AnnotationBbox(box, xy, pad=0.1, bboxprops=frame))


@figure
def plot_images(
    images: ArrayLike,
    *,
    labels: Sequence[str] = (),
    cols: int = 8,
    span: tuple[float, float] = (0, 255),
) -> Figure:
    """Draw a sheet of pictures, left to right, then down.

    Args:
        images: (N, 1, H, W) or (N, H, W).
        labels: up to N captions, one under each picture, shortened to fit.
        cols: pictures in a row.
        span: the values drawn black and white.

    Raises:
        ValueError: If there is no picture.
    """
    if len(images) == 0:
        raise ValueError("images is empty: there is nothing to draw")
    cols = min(cols, len(images))
    rows = -(-len(images) // cols)
    side, gap = WIDTH / cols, 0.24 if len(labels) else 0.0
    fig = plt.figure(figsize=(WIDTH, rows * (side + gap)), layout="none")
    for i, image in enumerate(images):
        row, col = divmod(i, cols)
        top = 1 - (row * (side + gap) + side) / (rows * (side + gap))
        box = (col / cols, top, 0.94 / cols, 0.94 * side / (rows * (side + gap)))
        ax = fig.add_axes(box)
        show_image(ax, image, span=span)
        if i < len(labels):
            label = shorten(labels[i], width=120 // cols, placeholder="…")
            ax.set_title(label, y=-0.04, va="top", fontsize=7.5)
    return fig
