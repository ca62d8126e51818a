"""Pictures on a page: sheets, tables of pictures, and the frames of films.

Invariant: pictures that stand side by side share one grey scale.
"""

import io
from collections.abc import Mapping, Sequence
from textwrap import shorten

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike
from PIL import Image

from glyflib.plotting.base import GREY, WIDTH, figure, new_figure, subplots

SPAN = (-2.0, 2.0)  # of noisy pictures: clean ones reach from -1 to +1


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
    fig = new_figure(figsize=(WIDTH, rows * (side + gap)), layout="none")
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


def png_frames(figures: Sequence[Figure], *, dpi: int = 110) -> list[bytes]:
    """Turn figures of one size into PNG files of at most 64 colours, for a slider."""
    files = []
    for fig in figures:
        raw, small = io.BytesIO(), io.BytesIO()
        fig.savefig(raw, format="png", dpi=dpi)
        Image.open(raw).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
        files.append(small.getvalue())
    return files


def grey_frames(xt: ArrayLike) -> list[np.ndarray]:
    """Turn noisy pictures (N, 1, H, W) into N uint8 pictures on the common scale."""
    low, high = SPAN
    scaled = (np.asarray(xt)[:, 0] - low) / (high - low)
    return list((scaled.clip(0, 1) * 255).round().astype(np.uint8))


@figure
def plot_rows(
    rows: Mapping[str, ArrayLike],
    *,
    span: tuple[float, float],
    col_labels: Sequence[str] = (),
) -> Figure:
    """Draw pictures in named rows, one kind of picture a row.

    Args:
        rows: name -> (N, 1, H, W) or (N, H, W), the same N in every row.
        span: the values drawn black and white.
        col_labels: up to N titles of the columns.
    """
    cols = len(next(iter(rows.values())))
    side, gap = WIDTH / cols, 0.24
    height = len(rows) * (side + gap) + 0.2 * bool(col_labels)
    fig, axes = subplots(
        len(rows), cols, figsize=(WIDTH, height), squeeze=False, layout="none"
    )
    top, bottom = 1 - gap / height, 0.2 * bool(col_labels) / height
    fig.subplots_adjust(0, bottom, 1, top, wspace=0.06, hspace=(gap + 0.04) / side)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            show_image(ax, image, span=span)
        line[0].text(0, 1.03, name, transform=line[0].transAxes, va="bottom")
    for ax, label in zip(axes[-1], col_labels, strict=False):
        ax.text(0.5, -0.05, label, transform=ax.transAxes, ha="center", va="top")
    return fig


@figure
def plot_table(
    rows: Mapping[str, ArrayLike],
    columns: Sequence[str],
    *,
    clean: Sequence[str] = (),
    under: Sequence[str] = (),
) -> Figure:
    """Draw a table of pictures with names on its rows and columns.

    Args:
        rows: name -> (K, 1, H, W) pictures.
        columns: K titles.
        clean: rows on the scale of x0, -1 to +1; the others are noisy.
        under: K notes under the last row.
    """
    names, cell = list(rows), WIDTH / (len(columns) + 0.6)
    size = WIDTH, cell * len(names) + (0.55 if under else 0.3)
    fig, axes = subplots(len(names), len(columns), figsize=size, squeeze=False)
    for name, line in zip(names, axes, strict=True):
        for ax, picture in zip(line, rows[name], strict=True):
            show_image(ax, picture, span=(-1, 1) if name in clean else SPAN)
        label = {"transform": line[0].transAxes, "rotation": 90, "fontsize": 10}
        line[0].text(-0.12, 0.5, name, ha="center", va="center", **label)
    for ax, title in zip(axes[0], columns, strict=True):
        ax.set_title(title)
    for ax, note in zip(axes[-1], under, strict=False):
        ax.set_title(note, y=-0.05, va="top", fontsize=8.5)
    return fig


def film_frame(
    pictures: Sequence[ArrayLike], *, cols: int = 4, gap: int = 2
) -> np.ndarray:
    """Tile sheets of grey pictures side by side, as one uint8 picture of 16 greys.

    Args:
        pictures: sheets, each (N, 1, H, W) uint8, N a multiple of cols.
        cols: pictures in a row of each sheet.
        gap: white pixels between pictures; four times that between sheets.
    """
    sheets = []
    for sheet in pictures:
        greys = np.asarray(sheet)[:, 0].astype(np.int64)
        greys = (np.rint(greys / 17) * 17).astype(np.uint8)  # smaller files
        pads = ((0, 0), (0, gap), (0, gap))
        tiles = np.pad(greys, pads, constant_values=255)
        lines = [list(tiles[i : i + cols]) for i in range(0, len(tiles), cols)]
        sheets.append(np.block(lines)[:-gap, :-gap])
    white = np.full((len(sheets[0]), 4 * gap), 255, np.uint8)
    joined = [part for sheet in sheets for part in (sheet, white)]
    return np.hstack(joined[:-1])


@figure
def plot_pair(
    pairs: Mapping[str, ArrayLike], labels: Sequence[str], *, cols: int = 4
) -> Figure:
    """Draw two sheets of the same grid beside each other, labels under both.

    Args:
        pairs: two titles -> (N, 1, H, W) pictures on the scale of x0.
        labels: N texts, already short.
        cols: pictures in a row of each sheet.
    """
    num = len(labels)
    rows = -(-num // cols)
    height = rows * (WIDTH / (2 * cols) + 0.2) + 0.3
    fig = new_figure(figsize=(WIDTH, height), layout="none")
    halves = fig.subfigures(1, 2, wspace=0.07)
    for half, (title, pictures) in zip(halves, pairs.items(), strict=True):
        axes = half.subplots(rows, cols, squeeze=False)
        top = 1 - 0.27 / height
        half.subplots_adjust(0.01, 0.2 / height, 0.99, top, 0.08, 0.28)
        half.suptitle(title, fontsize=10, y=1 - 0.02 / height, va="top")
        for ax, picture, label in zip(axes.flat, pictures, labels, strict=False):
            show_image(ax, picture, span=(-1, 1))
            ax.set_title(label, y=-0.04, va="top", fontsize=7.5)
        for ax in axes.flat[num:]:
            ax.set_axis_off()
    return fig
