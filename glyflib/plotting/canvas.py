"""What a figure writes into its PNG file beside its pixels, for pages of the book.

A page in the dark redraws charts in light ink. It must know where it may not: pictures
and colours that stand for values are data. On a phone it must know how small a figure
may become, and where panels that stand side by side can be parted, to be stacked. And a
page loads quicker where a grey figure is stored as grey. Invariant: the pixels are
those that matplotlib's own canvas writes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.legend import Legend
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


@dataclass(frozen=True)
class Part:
    """What of a figure stays together from left to right, in pixels from the left.

    Attributes:
        left, right: from where to where it reaches, with all that is written at it.
        inner: where its leftmost panel begins; None if it is no panel.
        stands_alone: whether it may be parted from what is at its left.
        borrows: whether it is read with what stands left of a panel at its left: ticks
            of an axis that both share, or names of rows.
    """

    left: float
    right: float
    inner: float | None = None
    stands_alone: bool = True
    borrows: bool = False

    def join(self, other: "Part") -> "Part":
        """Two that overlap, or belong together, as one."""
        inner = [part.inner for part in (self, other) if part.inner is not None]
        return Part(
            min(self.left, other.left),
            max(self.right, other.right),
            min(inner, default=None),
            self.stands_alone or other.stands_alone,
            self.borrows and (other.borrows or not other.stands_alone),
        )


def is_bar(axes: Axes) -> bool:
    """Whether a panel is a colour bar."""
    return axes.get_label() == "<colorbar>"


def is_picture(axes: Axes) -> bool:
    """Whether a panel is a picture without numbers at its sides."""
    return not axes.axison or bool(axes.images and not len(axes.get_yticks()))


def panels_of(fig: Figure) -> list[Axes]:
    """The panels of a figure that are seen, without colour bars."""
    return [axes for axes in fig.axes if axes.get_visible() and not is_bar(axes)]


def panel_parts(axes: Axes, renderer: RendererBase) -> Iterator[Part]:
    """The parts of a panel: itself, and a legend that stands beside it."""
    inner, legend = axes.get_window_extent(renderer), axes.get_legend()
    extra = axes.get_default_bbox_extra_artists()
    if legend is not None:
        aside = legend.get_window_extent(renderer)
        if aside.x0 >= inner.x1 or aside.x1 <= inner.x0:
            yield Part(aside.x0, aside.x1)
            extra = [artist for artist in extra if artist is not legend]
    box = axes.get_tightbbox(renderer, bbox_extra_artists=extra)
    names = axes.yaxis.get_ticklabels() if axes.axison else []
    has_names = any(name.get_visible() and name.get_text() for name in names)
    yield Part(
        min(box.x0, inner.x0),
        max(box.x1, inner.x1),
        inner.x0,
        stands_alone=not is_bar(axes),
        borrows=is_picture(axes) or (len(axes.get_yticks()) > 0 and not has_names),
    )


def joined(parts: list[Part]) -> list[Part]:
    """Parts from left to right, those that overlap or belong together made one."""
    found = []
    for part in sorted(parts, key=lambda part: part.left):
        before = found[-1] if found else None
        names_rows = before is not None and not before.stands_alone and len(found) == 1
        if before and (
            part.left <= before.right or not part.stands_alone or names_rows
        ):
            found[-1] = before.join(part)
        else:
            found.append(part)
    return found


def parts_of(
    fig: Figure, renderer: RendererBase
) -> tuple[list[Part], tuple[float, float]]:
    """Take a figure apart from left to right.

    Args:
        fig: a figure that has been drawn.
        renderer: the one that drew it.

    Returns:
        parts: from left to right, with room between any two.
        band: heights, in pixels from below, between which they lie. What stands above
            or below it is of more than one part: a legend, a title, a colour bar.
    """
    width, height = fig.bbox.width, int(fig.bbox.height)  # as the canvas rounds
    panels, others = [], []
    for child in fig.get_children():
        if child is fig.patch or not child.get_visible():
            continue
        box = child.get_tightbbox(renderer)
        if box is None or box.width <= 0 or box.x1 <= 0 or box.x0 >= width:
            continue
        is_panel = isinstance(child, Axes)
        if is_panel and is_bar(child):
            is_panel = box.width <= box.height
        (panels if is_panel else others).append((child, box))
    parts = [part for axes, _ in panels for part in panel_parts(axes, renderer)]
    parts = [part for part in parts if part.right > 0 and part.left < width]
    lower = min((box.y0 for _, box in panels), default=0.0)
    upper = max((box.y1 for _, box in panels), default=float(height))
    alone = joined(parts)
    band = [0.0, float(height)]
    for child, box in others:
        shared = sum(part.left < box.x1 and part.right > box.x0 for part in alone)
        if box.y0 >= upper - 1 and shared > 1:
            band[1] = min(band[1], (upper + box.y0) / 2)
        elif box.y1 <= lower + 1 and shared > 1:
            band[0] = max(band[0], (lower + box.y1) / 2)
        else:
            is_legend = isinstance(child, Legend)
            parts.append(Part(box.x0, box.x1, stands_alone=is_legend))
    return joined(parts), (band[0], band[1])


def places_to_cut(parts: list[Part], pixels: np.ndarray) -> list[tuple[int, int, int]]:
    """Where a figure can be cut from top to bottom, so that its panels can be stacked.

    Args:
        parts: of the figure, from left to right.
        pixels: (H, W, 4) uint8, what was drawn of them.

    Returns:
        cuts: for each the column of pixels, in the middle of a gap in which nothing is
            drawn, and from where to where there is what the panels at its right borrow;
            twice the same column if they borrow nothing.
    """
    cuts, lent, begin = [], (0, 0), 0
    for before, part in pairwise([None, *parts]):
        if before is not None:
            begin = round((before.right + part.left) / 2)
        if part.inner is not None and not (before and part.borrows):
            lent = (begin, max(begin, round(part.inner) - 1))
        if before is None or not (pixels[:, begin] == pixels[0, begin]).all():
            continue
        strip = pixels[:, slice(*lent)]
        is_needed = part.borrows and (strip != pixels[0, begin]).any()
        cuts.append((begin, *(lent if is_needed else (begin, begin))))
    return cuts


def reads_in_pieces(
    fig: Figure,
    renderer: RendererBase,
    parts: list[Part],
    cuts: list[tuple[int, int, int]],
) -> bool:
    """Whether the pieces of a figure, one below the other, say what the whole says.

    So it is with one row of charts, and with pictures in even columns, if they are one
    row, or if each piece has the names of the rows; but not with pairs or halves, nor
    with words or arrows between panels.
    """
    panels = panels_of(fig)
    if not panels:
        return False
    inner = [axes.get_window_extent(renderer) for axes in panels]
    is_row = all(one.y0 < other.y1 for one in inner for other in inner)
    if all(map(is_picture, panels)):
        steps = np.diff([part.inner for part in parts if part.inner is not None])
        is_even = len(steps) == 0 or np.ptp(steps) <= 3
        return bool(is_even) and (is_row or all(end > begin for _, begin, end in cuts))
    loose = [*fig.texts, *fig.patches, *fig.lines, *fig.artists]
    boxes = [artist.get_tightbbox(renderer) for artist in loose]
    lowest, highest = min(box.y0 for box in inner), max(box.y1 for box in inner)
    first = min(box.x0 for box in inner)
    is_between = any(
        box is not None and box.x1 > first and box.y0 < highest and box.y1 > lowest
        for box in boxes
    )
    return is_row and not is_between


def describe(fig: Figure, renderer: RendererBase) -> dict[str, object]:
    """Say where a drawn figure shows data, where to cut it, and how small it may be.

    Args:
        fig: a figure that has been drawn.
        renderer: the one that drew it.

    Returns:
        notes: "kept", a list of boxes (left, upper, right, lower) in whole pixels from
            the upper left corner; "letters", the size of the smallest letters in
            pixels, None where nothing is written; "cuts", as `places_to_cut` says, if
            it `reads_in_pieces`; "band", the rows of pixels, from the upper one on,
            that are to be cut; and "lent", those of them with what panels borrow.
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
    parts, (lower, upper) = parts_of(fig, renderer)
    band = (height - round(upper), height - round(lower))
    cuts = places_to_cut(parts, np.asarray(renderer.buffer_rgba())[slice(*band)])
    lent = band
    if cuts and not reads_in_pieces(fig, renderer, parts, cuts):
        cuts = []
    elif cuts and not all(map(is_picture, panels_of(fig))):
        # Below the panels half a number of the x-axis would be lent as well.
        inner = [axes.get_window_extent(renderer) for axes in panels_of(fig)]
        room = (letters or 0) / 2
        upper, lower = max(box.y1 for box in inner), min(box.y0 for box in inner)
        lent = (height - round(upper + room), height - round(lower - room))
    notes = {"kept": sorted(boxes), "letters": letters, "cuts": cuts}
    return notes | {"band": band, "lent": lent}


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
