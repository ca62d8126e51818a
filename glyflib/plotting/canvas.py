"""What a figure writes into its PNG file beside its pixels, for pages of the book.

A page in the dark redraws charts in light ink. It must know where it may not: pictures
and colours that stand for values are data. On a phone it must know how small a figure
may become. Invariant: the pixels are those that matplotlib's own canvas writes.
"""

import json
from collections.abc import Iterator

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.offsetbox import OffsetImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox

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
        notes = json.dumps(describe(self.figure, self.get_renderer()))
        imsave(
            filename_or_obj,
            self.buffer_rgba(),
            format="png",
            origin="upper",
            dpi=self.figure.dpi,
            metadata={NOTES: notes} | (metadata or {}),
            pil_kwargs=pil_kwargs,
        )
