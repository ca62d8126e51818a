"""Pictures on a page: sheets, tables of pictures, and the frames of films.

Invariant: pictures that stand side by side share one grey scale.
"""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.textpath import TextPath
from numpy.typing import ArrayLike
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from glyflib.plotting.base import GREY, WIDTH, figure, new_figure
from glyflib.plotting.canvas import NOTES

SPAN = (-2.0, 2.0)  # of noisy pictures: clean ones reach from -1 to +1
FILL = 0.94  # of the side of its cell, a picture takes
NAMES = 11.0  # points: of the rows of a table, still read where it is drawn small
LETTER = 0.56  # of its size, a letter of a caption is wide


def show_image(ax: Axes, image: ArrayLike, *, span: tuple[float, float]) -> None:
    """Draw one grey picture without axes.

    Args:
        ax: where to draw.
        image: (H, W) or (1, H, W).
        span: the values drawn black and white; fixed, so that pictures compare.
    """
    low, high = span
    image = np.reshape(image, np.shape(image)[-2:])
    ax.imshow(image, cmap="gray", vmin=low, vmax=high)
    ax.set_axis_off()


def add_frame(ax: Axes) -> None:
    """Put a thin grey frame round a picture, and no ticks."""
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set(visible=True, color=GREY, lw=0.6)


def add_picture(
    fig: Figure,
    image: ArrayLike,
    place: tuple[float, float, float],
    *,
    span: tuple[float, float],
) -> Axes:
    """Draw one grey picture at a place on the page.

    Args:
        fig: where to draw; its layout is "none".
        image: (H, W) or (1, H, W), as high as wide.
        place: left, bottom and side of the cell in inches, of which it takes 0.94.
        span: the values drawn black and white.

    Returns:
        ax: the picture's own axes.
    """
    left, bottom, side = place
    width, height = fig.get_size_inches()
    box = left / width, bottom / height, FILL * side / width, FILL * side / height
    ax = fig.add_axes(box)
    show_image(ax, image, span=span)
    return ax


def write_under(ax: Axes, text: str, *, fontsize: float) -> None:
    """Write a text under a picture, in the middle."""
    at = {"ha": "center", "va": "top", "transform": ax.transAxes}
    ax.text(0.5, -0.04, text, fontsize=fontsize, **at)


def stamp(
    ax: Axes, image: ArrayLike, xy: tuple[float, float], *, zoom: float = 0.25
) -> None:
    """Draw a uint8 glyph at a data point, in place of a character no font may have."""
    box = OffsetImage(np.asarray(image).squeeze(), zoom=zoom, cmap="gray")
    box.image.set_clim(0, 255)
    frame = {"lw": 0.5, "edgecolor": GREY}
    ax.add_artist(AnnotationBbox(box, xy, pad=0.1, bboxprops=frame))


def write_at(fig: Figure, x: float, y: float, text: str, **look) -> None:
    """Write beside pictures, so that a notebook that cuts the page moves both.

    Args:
        fig: the page.
        x: inches from its left edge.
        y: inches from its lower edge.
        text: what to write.
        look: as matplotlib's `Figure.text` takes it.
    """
    width, height = fig.get_size_inches()
    fig.text(x / width, y / height, text, **look)


def room_under(captions: Sequence[str], fontsize: float) -> float:
    """Inches that captions of a font size need between rows of pictures."""
    lines = max((len(text.splitlines()) for text in captions), default=0)
    return 0.1 + 1.25 * lines * fontsize / 72 if lines else 0.0


def inches_of(texts: Iterable[str], fontsize: float) -> float:
    """Inches that the longest line of some texts is wide, in the font of figures."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    widths = [TextPath((0, 0), line, fontsize).get_extents().width for line in lines]
    return max(widths, default=0.0) / 72


@figure
def plot_images(
    images: ArrayLike,
    *,
    labels: Sequence[str] = (),
    cols: int = 8,
    span: tuple[float, float] = (0, 255),
    fontsize: float = 8,
) -> Figure:
    """Draw a sheet of pictures, left to right, then down.

    Args:
        images: (N, 1, H, W) or (N, H, W).
        labels: up to N captions, one under each picture; a long line of one has up
            to three lines, and is shortened where these do not hold it.
        cols: pictures in a row.
        span: the values drawn black and white.
        fontsize: of the captions; few large pictures bear large ones, up to 12.

    Raises:
        ValueError: If there is no picture.
    """
    if len(images) == 0:
        raise ValueError("images is empty: there is nothing to draw")
    cols = min(cols, len(images))
    side, rows = WIDTH / cols, -(-len(images) // cols)
    shape = {"width": int(72 * side / (LETTER * fontsize)), "max_lines": 3}
    lines = partial(fill, **shape, placeholder="…")
    labels = ["\n".join(map(lines, label.splitlines())) for label in labels]
    room = room_under(labels, fontsize)
    if room:
        room += max(0.0, 0.05 * side - 0.1)  # high pictures have their captions lower
    step = side + room
    fig = new_figure(figsize=(WIDTH, rows * step), layout="none")
    for i, image in enumerate(images):
        row, col = divmod(i, cols)
        place = col * side, (rows - row) * step - side, side
        ax = add_picture(fig, image, place, span=span)
        if i < len(labels):
            write_under(ax, labels[i], fontsize=fontsize)
    return fig


def room_for(texts: Sequence[str]) -> float:
    """Inches that a row of small texts needs, by the one with the most lines."""
    lines = max((len(text.splitlines()) for text in texts), default=0)
    return 0.09 + 0.15 * lines if lines else 0.0


@figure
def plot_table(
    rows: Mapping[str, ArrayLike],
    columns: Sequence[str] = (),
    *,
    span: tuple[float, float] = SPAN,
    clean: Collection[str] = (),
    under: Sequence[str] = (),
    notes: Mapping[str, Sequence[str]] | None = None,
    margin: float | None = None,
    is_framed: bool = False,
) -> Figure:
    """Draw a table of pictures with names on its rows and columns.

    Args:
        rows: name -> (K, 1, H, W) or (K, H, W) pictures, sizes may differ by row.
        columns: K titles, or none.
        span: the values drawn black and white.
        clean: rows on the scale of x0, -1 to +1, instead.
        under: K notes under the last row, or none.
        notes: name of a row -> K notes under its own pictures.
        margin: inches at the left in which the rows' names are written out, and more
            where the longest needs them; 0 puts each above its row, and without a
            margin they are written upwards, smaller if a row is low.
        is_framed: whether each picture stands in a thin frame.

    Raises:
        ValueError: If rows, columns and notes differ in length.
        KeyError: If notes belong to no row.
    """
    notes = notes or {}
    if lost := notes.keys() - rows.keys():
        raise KeyError(f"notes of {sorted(lost)}: no rows are called so")
    texts = columns, under, *notes.values()
    counts = {*map(len, rows.values()), *(len(t) for t in texts if len(t))}
    if len(counts) != 1:
        raise ValueError(f"rows, columns and notes differ in length: {sorted(counts)}")
    longest = inches_of(rows, NAMES)
    left, above = 0.25 if margin is None else margin, 0.24 if margin == 0 else 0.0
    if margin:
        left = max(margin, longest + 0.12)
    side, foot = (WIDTH - left) / counts.pop(), room_for(under) + 0.02
    below = room_for([note for of_row in notes.values() for note in of_row])
    step = below + side + above
    height = room_for(columns) + len(rows) * step + foot
    fig = new_figure(figsize=(WIDTH, height), layout="none")
    if margin is None:
        x, y, look = left / 2, FILL * side / 2, {"rotation": 90, "ha": "center"}
        look["fontsize"] = max(9.5, NAMES * min(1, side / max(longest, 0.1)))
    elif margin == 0:
        x, y, look = 0, FILL * side + 0.03, {"va": "bottom"}
    else:
        x, y, look = left - 0.08, FILL * side / 2, {"ha": "right"}
    look = {"va": "center", "fontsize": NAMES} | look
    for row, (name, pictures) in enumerate(rows.items()):
        bottom = foot + (len(rows) - 1 - row) * step + below
        write_at(fig, x, bottom + y, name, **look)
        scale = (-1, 1) if name in clean else span
        for col, picture in enumerate(pictures):
            place = left + col * side, bottom, side
            ax = add_picture(fig, picture, place, span=scale)
            if is_framed:
                add_frame(ax)
            if row == 0 and len(columns):
                ax.set_title(columns[col], fontsize=9, pad=3)
            if name in notes:
                write_under(ax, notes[name][col], fontsize=8.5)
            if row == len(rows) - 1 and len(under):
                write_under(ax, under[col], fontsize=8.5)
    return fig


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
    gap, head = 0.15, 0.28  # inches between the sheets, and for the titles
    side, rows = (WIDTH - gap) / (2 * cols), -(-len(labels) // cols)
    step = side + 0.2
    height = rows * step + head
    fig = new_figure(figsize=(WIDTH, height), layout="none")
    for sheet, (title, pictures) in enumerate(pairs.items()):
        left = sheet * (cols * side + gap)
        at = {"ha": "center", "va": "top"}
        middle = left + cols * side / 2
        write_at(fig, middle, height - 0.04, title, fontsize=10, **at)
        for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            row, col = divmod(i, cols)
            place = left + col * side, (rows - row) * step - side, side
            ax = add_picture(fig, picture, place, span=(-1, 1))
            write_under(ax, label, fontsize=9)
    return fig


def png_frames(figures: Sequence[Figure], *, dpi: int = 110) -> list[bytes]:
    """Turn figures of one size into PNG files of at most 256 colours, for a slider.

    What a figure says of itself stays in its file: a slider reads there how large it
    must be drawn.
    """
    files = []
    for fig in figures:
        raw, small = io.BytesIO(), io.BytesIO()
        fig.savefig(raw, format="png", dpi=dpi)
        # The default chooses colours by their share, and so loses those of small dots.
        method = Image.Quantize.MAXCOVERAGE
        whole, notes = Image.open(raw), PngInfo()
        if NOTES in whole.text:  # of a figure that was drawn by @figure
            notes.add_text(NOTES, whole.text[NOTES])
        palette = whole.convert("RGB").quantize(256, method)
        palette.save(small, "PNG", optimize=True, pnginfo=notes)
        files.append(small.getvalue())
    return files


def grey_frames(
    images: ArrayLike, *, span: tuple[float, float] = SPAN, levels: int = 256
) -> np.ndarray:
    """Turn pictures (N, 1, H, W) into uint8 pictures (N, H, W) on a common scale.

    Args:
        images: the pictures, of which values beyond the span are clipped.
        span: the values that become black and white.
        levels: how many greys there are: 256, or 16 for smaller files.
    """
    low, high = span
    share = ((np.asarray(images)[:, 0] - low) / (high - low)).clip(0, 1)
    return (np.rint(share * (levels - 1)) * (255 // (levels - 1))).astype(np.uint8)


def film_frame(
    sheets: Sequence[ArrayLike],
    *,
    cols: int = 4,
    span: tuple[float, float] = (0, 255),
    side: int | None = None,
    gap: int = 2,
) -> np.ndarray:
    """Tile sheets of pictures side by side, as one uint8 picture of 16 greys.

    Args:
        sheets: each (N, 1, S, S), left to right, then down; N is a multiple of cols.
        cols: pictures in a row of each sheet.
        span: the values that become black and white.
        side: pixels of each picture, a multiple of S; smaller ones are enlarged in
            blocks. None leaves them as they are.
        gap: white pixels between pictures, at least 1; four times that between sheets.

    Raises:
        ValueError: If a sheet does not fill its rows, or a picture not its side.
    """
    tiled = []
    for sheet in sheets:
        greys = grey_frames(sheet, span=span, levels=16)
        zoom, rest = divmod(side or greys.shape[-1], greys.shape[-1])
        if rest or not zoom:
            raise ValueError(f"pictures of {greys.shape[-1]} do not fill {side} pixels")
        if len(greys) % cols:
            raise ValueError(f"{len(greys)} pictures do not fill rows of {cols}")
        greys = greys.repeat(zoom, 1).repeat(zoom, 2)
        pads = ((0, 0), (0, gap), (0, gap))
        tiles = np.pad(greys, pads, constant_values=255)
        lines = [list(tiles[i : i + cols]) for i in range(0, len(tiles), cols)]
        tiled.append(np.block(lines)[:-gap, :-gap])
    white = np.full((len(tiled[0]), 4 * gap), 255, np.uint8)
    joined = [part for sheet in tiled for part in (sheet, white)]
    return np.hstack(joined[:-1])
