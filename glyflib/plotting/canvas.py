"""What a figure writes into its PNG file beside its pixels, for pages of the book.

A page in the dark redraws charts in light ink. It must know where it may not: pictures
and colours that stand for values are data. On a phone it must know how small a figure
may become. And a page loads quicker where a grey figure is stored as grey. Invariant:
the pixels are those that matplotlib's own canvas writes.
"""

import json
from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.offsetbox import OffsetImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from PIL.PngImagePlugin import PngInfo

NOTES = "glyflib"  # keyword of the PNG file's text


def seen(artist: Artist) -> Iterator[Artist]:
    """What is drawn of an artist and of all that it holds."""
    if not artist.get_visible():
        return
    yield artist
    for part in artist.get_children():
        is_hidden = isinstance(artist, Axes) and not artist.axison
        if not (is_hidden and isinstance(part, Axis)):
            yield from seen(part)


def place_of_data(artist: Artist, renderer: RendererBase) -> Bbox | None:
    """Where an artist shows a picture, or values as colours; None if it does not.

    Args:
        artist: part of a figure that has been drawn.
        renderer: the one that drew it.

    Returns:
        box: in pixels from the lower left corner. Arrows and dots coloured by their
            values take the whole panel, so that they match their colour bar.
    """
    if isinstance(artist, OffsetImage):
        return artist.get_window_extent(renderer)
    is_coloured = isinstance(artist, ScalarMappable) and artist.get_array() is not None
    if isinstance(artist, ContourSet) and artist.colors is not None:
        is_coloured = False  # its lines have colours of their own, whatever the values
    if not is_coloured or artist.axes is None:
        return None
    whole = artist.axes.get_window_extent(renderer)
    has_extent = hasattr(artist, "get_extent")
    own = artist.get_window_extent(renderer) if has_extent else whole
    return Bbox.intersection(whole, own)


def describe(fig: Figure, renderer: RendererBase) -> dict[str, object]:
    """Say where a drawn figure shows data, and how large its smallest letters are.

    Args:
        fig: a figure that has been drawn.
        renderer: the one that drew it.

    Returns:
        notes: "kept", a list of boxes (left, upper, right, lower) in whole pixels from
            the upper left corner, and "letters", the size of the smallest letters in
            pixels, None where nothing is written.
    """
    height, boxes, sizes = int(fig.bbox.height), set(), []  # as the canvas rounds
    for artist in seen(fig):
        if isinstance(artist, Text) and artist.get_text().strip():
            sizes.append(artist.get_fontsize() * fig.dpi / 72)
        box = place_of_data(artist, renderer)
        if box is not None:
            left, lower, right, upper = (round(edge) for edge in box.extents)
            boxes.add((left, height - upper, right, height - lower))
    letters = round(min(sizes), 2) if sizes else None
    return {"kept": sorted(boxes), "letters": letters}


def with_few_channels(pixels: np.ndarray) -> Image.Image:
    """A picture with no more channels than it needs, so that its file is small.

    Args:
        pixels: (H, W, 4) uint8, colours and opacity.

    Returns:
        picture: of mode "L" if all pixels are grey, else "RGB"; "LA" or "RGBA" if any
            is clear.
    """
    is_grey = (pixels[..., :1] == pixels[..., 1:3]).all()
    is_clear = (pixels[..., 3] < 255).any()
    channels = ([0] if is_grey else [0, 1, 2]) + ([3] if is_clear else [])
    kept = np.ascontiguousarray(pixels[..., channels])
    return Image.fromarray(kept[..., 0] if len(channels) == 1 else kept)


class BookCanvas(FigureCanvasAgg):
    """Writes PNG files that say what is in them."""

    def print_png(
        self, filename_or_obj, *, metadata=None, pil_kwargs=None, **done
    ) -> None:
        """Write the figure, with its notes, to a PNG file.

        Args:
            filename_or_obj: a path, or a file opened for writing bytes.
            metadata: more texts for the file, by their keywords.
            pil_kwargs: as matplotlib's own canvas takes them.
            done: resolution, colours and cut, which `print_figure` has seen to.
        """
        self.draw()
        texts = {NOTES: json.dumps(describe(self.figure, self.get_renderer()))}
        info = PngInfo()
        for keyword, text in (texts | (metadata or {})).items():
            if text is not None:  # as matplotlib takes it: not to be written
                info.add_text(keyword, text)
        options = {"dpi": (self.figure.dpi,) * 2, "pnginfo": info} | (pil_kwargs or {})
        picture = with_few_channels(np.asarray(self.buffer_rgba()))
        picture.save(filename_or_obj, "PNG", **options)
