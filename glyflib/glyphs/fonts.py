"""Draw characters with a font, each in its em square.

Invariants: whether a font covers a character is read from its cmap, never guessed by
comparing pictures. A character is drawn as the glyph that the cmap gives it, without
ligatures or shaping: the pictures do not depend on what else is installed.
"""

import math
import textwrap
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont

from glyflib.data import IMAGE_SIZE, NUM_LEVELS

EM = IMAGE_SIZE * 15 // 16  # pixels an em, so that strokes keep clear of the edge
REACH = IMAGE_SIZE / 2 - 2  # pixels from the middle: clear of the edge once rounded
FITTING = 0.99  # share of the glyphs that must fit into their pictures
LARGER = 1.1  # the last ones fit too if the size need not change by more than this
OUTLINES = {"glyf", "CFF ", "CFF2"}
WITHOUT_OUTLINES = {
    "CBDT": "a colour bitmap font",
    "sbix": "a colour bitmap font",
    "SVG ": "a font of SVG pictures",
    "EBDT": "a bitmap font",
    "bdat": "a bitmap font",
}

Choice = tuple[int, tuple[float, ...]]  # index of a font, place on its axes if any


class Face(NamedTuple):
    """One face of a font, at one size.

    Attributes:
        font: to draw with; its size is in pixels an em.
        codepoints: what its cmap covers.
        centre: height over the baseline, in pixels, of what comes to lie in the middle
            of the picture: the em square's centre, unless the face was fitted.
        name: its full name and version.
        path: the file that it is from.
        axes: where it stands on a variable font's axes; empty for its default.
    """

    font: ImageFont.FreeTypeFont
    codepoints: frozenset[int]
    centre: float
    name: str
    path: Path
    axes: tuple[float, ...] = ()

    def covers(self, char: str) -> bool:
        """Whether the font has a glyph for the character.

        Args:
            char: one character.
        """
        return ord(char) in self.codepoints

    def resized(self, size: int) -> "Face":
        """The same face with another number of pixels an em."""
        font = self.font.font_variant(size=size)
        if self.axes:
            font.set_variation_by_axes(list(self.axes))
        return self._replace(font=font, centre=self.centre * size / self.font.size)


def carried_font(name: str = "DejaVuSans.ttf") -> Path:
    """A font that matplotlib brings along, so that it is wherever the book is built.

    Args:
        name: of the file; the default has arrows, dice, chess pieces and more.

    Raises:
        FileNotFoundError: If there is no such font.
    """
    spec = find_spec("matplotlib")  # found, not loaded: its path is all that counts
    folder = Path(next(iter(spec.submodule_search_locations))) if spec else Path()
    path = folder / "mpl-data" / "fonts" / "ttf" / name
    if not path.is_file():
        raise FileNotFoundError(f"no font at {path}: name one of your own")
    return path


def open_face(path: Path, face: str | None = None) -> Face:
    """Open a TrueType or OpenType font, plain or packed as WOFF, at 120 pixels an em.

    A variable font is drawn with its default outlines, unless one of its named
    instances is asked for.

    Args:
        path: the file, of one font or a collection.
        face: full name of a face of a collection, or a variable font's family and
            instance, such as "Noto Sans SC Bold"; None for the only face.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no font, is damaged or has no outlines, if it has no
            face of that name, or if it has several and none is named.
    """
    fonts = read_fonts(path)
    with unless_damaged(path):
        choices = face_choices(fonts, path)
    named = ", ".join(choices)
    if face is None and len(fonts) > 1:
        raise ValueError(f"{path} is a collection: name a face, {named}")
    if face not in [None, *choices]:
        raise ValueError(f"{path} has no face {face!r}; choose from {named}")
    index, axes = choices[face] if face else (0, ())
    name = face or next(iter(choices))
    font = fonts[index]
    check_outlines(font, path)
    with unless_damaged(path):
        version = table.getDebugName(5) if (table := font.get("name")) else None
        codepoints, centre = covered_codepoints(font), em_centre(font) * EM
        engine = ImageFont.Layout.BASIC
        pen = ImageFont.truetype(path, EM, index=index, layout_engine=engine)
        if axes:
            pen.set_variation_by_axes(list(axes))
    if not codepoints:
        raise ValueError(f"{path} has no Unicode character map: it covers no character")
    full = ", ".join(filter(None, [name, version]))
    return Face(pen, codepoints, centre, full, path, axes)


def read_fonts(path: Path) -> list[TTFont]:
    """The font in a file, or all fonts of a collection.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a font, was cut, or cannot be unpacked.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no font at {path}")
    data = path.read_bytes()
    if not data:
        raise ValueError(f"{path} is empty")
    file = BytesIO(data)
    try:
        is_collection = data[:4] == b"ttcf"
        fonts = TTCollection(file, lazy=True).fonts if is_collection else [TTFont(file)]
    except ImportError as error:  # of brotli, which unpacks WOFF2
        told = "packed as WOFF2: run `pip install brotli`, or unpack it to .ttf or .otf"
        raise ValueError(f"{path} is {told}") from error
    except Exception as error:  # fontTools raises many kinds
        told = "is not a TrueType or OpenType font, or is cut short"
        raise ValueError(f"{path} {told} ({in_short(error)})") from error
    for font in fonts:
        check_length(font, path, len(data))
    return fonts


@contextmanager
def unless_damaged(path: Path) -> Iterator[None]:
    """Turn what fontTools and FreeType raise at damaged tables into a ValueError."""
    try:
        yield
    except Exception as error:  # of many kinds
        raise ValueError(f"{path} is damaged ({in_short(error)})") from error


def in_short(error: Exception) -> str:
    """An error in a few words, without line breaks."""
    text = f"{type(error).__name__}: {error}"
    return textwrap.shorten(text, 120, placeholder=" …").rstrip(" :")


def face_choices(fonts: list[TTFont], path: Path) -> dict[str, Choice]:
    """All that can be drawn with, by name; fonts first, then instances."""
    faces: dict[str, Choice] = {}
    instances: dict[str, Choice] = {}
    for index, font in enumerate(fonts):
        table = font.get("name")
        full = table.getDebugName(4) or table.getBestFamilyName() if table else None
        full = full or path.stem
        faces.setdefault(full if full not in faces else f"{full} #{index}", (index, ()))
        if "fvar" not in font or table is None:
            continue
        family = table.getBestFamilyName() or full
        for instance in font["fvar"].instances:
            name = f"{family} {table.getDebugName(instance.subfamilyNameID)}"
            place = tuple(instance.coordinates[a.axisTag] for a in font["fvar"].axes)
            instances.setdefault(name, (index, place))
    return faces | {name: v for name, v in instances.items() if name not in faces}


def check_outlines(font: TTFont, path: Path) -> None:
    """Raise a ValueError if the font has no outlines, that is, fits one size alone."""
    if not OUTLINES & set(font.keys()):
        kinds = [kind for tag, kind in WITHOUT_OUTLINES.items() if tag in font]
        told = f"is {kinds[0] if kinds else 'a font'} without outlines"
        raise ValueError(f"{path} {told}: give one with outlines")


def check_length(font: TTFont, path: Path, length: int) -> None:
    """Raise a ValueError if a table of the font reaches beyond the file's end."""
    if font.flavor == "woff2":
        return  # its tables are packed as one; unpacking them has shown it whole
    for tag, entry in font.reader.tables.items():
        if entry.offset + entry.length > length:
            told = f"its table {tag.strip()} ends at byte {entry.offset + entry.length}"
            raise ValueError(f"{path} is cut short: {told}, the file at {length}")


def covered_codepoints(font: TTFont) -> frozenset[int]:
    """The characters that the font has a glyph for; empty without a Unicode cmap."""
    cmap = font.getBestCmap() or {}
    return frozenset(
        point
        for point, glyph in cmap.items()
        if glyph != ".notdef" and not 0xD800 <= point < 0xE000  # halves of characters
    )


def em_centre(font: TTFont) -> float:
    """Height of the em square's centre over the baseline, in ems.

    It lies between the typographic ascender and descender; where a font tells none,
    between those of its lines, or of all its outlines.
    """
    head, spans = font["head"], []
    if "OS/2" in font:
        spans.append((font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender))
    if "hhea" in font:
        spans.append((font["hhea"].ascent, font["hhea"].descent))
    spans.append((head.yMax, head.yMin))
    up, down = next((span for span in spans if span[0] > span[1]), (0, 0))
    return (up + down) / 2 / head.unitsPerEm


def fit_face(face: Face, chars: Collection[str], *, em: int | None = None) -> Face:
    """The face at the size and height at which its glyphs fit into their pictures.

    A face whose glyphs all keep clear of the edge stays as it is. Otherwise the middle
    of all ink comes to lie in the middle of the picture, and where that is not enough
    all glyphs are made smaller by one factor, so that their sizes can be compared: 99
    of 100 fit then, and all of them if they need at most a tenth more.

    Args:
        face: at its full size.
        chars: what will be drawn with it.
        em: pixels an em, whatever does not fit then.
    """
    face = face.resized(em) if em else face
    if all(keeps_clear(face, char) for char in chars):
        return face
    boxes = ink_boxes(face, chars)
    highest = np.quantile(boxes[:, 1], 1 - FITTING, method="lower")
    lowest = np.quantile(boxes[:, 3], FITTING, method="higher")
    middle = float(highest + lowest) / 2
    face = face._replace(centre=face.centre - middle)
    reaches = np.sort(np.abs(boxes - [0, middle, 0, middle]).max(axis=1))
    reach = reaches[math.ceil(FITTING * len(reaches)) - 1]
    reach = reaches[-1] if reaches[-1] <= LARGER * reach else reach
    if em or reach <= REACH:
        return face
    return face.resized(size_for(face, reach))


def ink_boxes(face: Face, chars: Iterable[str]) -> np.ndarray:
    """Left, top, right and bottom of the ink of all characters that are not blank.

    Returns:
        (N, 4) pixels from the picture's middle, down and to the right.
    """
    inks = (ink_at(face, char, place_of(face, char)) for char in chars)
    return np.array([ink for ink in inks if ink]).reshape(-1, 4) - IMAGE_SIZE / 2


def size_that_fits(face: Face, chars: Iterable[str]) -> int:
    """Pixels an em at which all of these characters keep clear of the edge.

    Raises:
        ValueError: If all of them are blank.
    """
    return size_for(face, np.abs(ink_boxes(face, chars)).max())


def size_for(face: Face, reach: float) -> int:
    """Pixels an em at which what reaches so far from the middle now keeps clear."""
    return max(1, math.floor(face.font.size * REACH / reach))


@contextmanager
def naming(face: Face, char: str) -> Iterator[None]:
    """Turn FreeType's errors into a ValueError that names font and character."""
    try:
        yield
    except OSError as error:
        told = f"cannot draw U+{ord(char):04X}, its outline is damaged ({error})"
        way_out = "leave that character out, or take a whole font"
        raise ValueError(f"{face.path} {told}: {way_out}") from error


def metrics(face: Face, char: str) -> tuple[float, tuple[float, float, float, float]]:
    """The advance, and the box of advance and ink around the pen's start, in pixels.

    Raises:
        ValueError: If the outline is damaged.
    """
    with naming(face, char):
        return face.font.getlength(char), face.font.getbbox(char, anchor="ls")


def place_of(face: Face, char: str) -> tuple[float, float]:
    """Where the pen starts: x, and the y of the baseline, in pixels from upper left.

    The character's advance is centred; of a mark that has none, the ink is.
    """
    baseline = IMAGE_SIZE / 2 + face.centre
    if width := metrics(face, char)[0]:
        return (IMAGE_SIZE - width) / 2, baseline
    left, _, right, _ = ink_at(face, char, (0, 0)) or (0, 0, 0, 0)
    return (IMAGE_SIZE - left - right) / 2, baseline


def keeps_clear(face: Face, char: str) -> bool:
    """Whether no ink of the character touches the picture's edge, or lies beyond."""
    x, y = place_of(face, char)
    left, top, right, bottom = metrics(face, char)[1]
    inner = IMAGE_SIZE - 1
    if min(x + left, y + top) >= 2 and max(x + right, y + bottom) <= inner - 1:
        return True  # this box holds the ink, the advance and less than a pixel more
    box = ink_at(face, char, (x, y))
    return box is None or (min(box[:2]) >= 1 and max(box[2:]) <= inner)


def ink_at(
    face: Face, char: str, start: tuple[float, float]
) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the ink, or None if there is none.

    Args:
        face: to draw with.
        char: what is drawn.
        start: x and y, in pixels, where the pen starts on the baseline; y grows
            downward, and paper goes on without an end.

    Returns:
        whole pixels, right and bottom exclusive.
    """
    left, top, right, bottom = metrics(face, char)[1]
    dx, dy = 2 - math.floor(start[0] + left), 2 - math.floor(start[1] + top)
    size = (math.ceil(right - left) + 5, math.ceil(bottom - top) + 5)
    moved = (start[0] + dx, start[1] + dy)
    ink = levels_of(face, char, size, moved) < NUM_LEVELS - 1
    if not ink.any():
        return None
    across, down = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    return (
        int(across[0]) - dx,
        int(down[0]) - dy,
        int(across[-1]) + 1 - dx,
        int(down[-1]) + 1 - dy,
    )


def levels_of(
    face: Face, char: str, size: tuple[int, int], start: tuple[float, float]
) -> np.ndarray:
    """Draw a character on paper of any size, (height, width) uint8 levels.

    Raises:
        ValueError: If its outline is damaged.
    """
    picture = Image.new("L", size, 255)
    pen = ImageDraw.Draw(picture)
    with naming(face, char):
        pen.text(start, char, font=face.font, fill=0, anchor="ls")
    return np.rint(np.asarray(picture) * ((NUM_LEVELS - 1) / 255)).astype(np.uint8)


def draw(face: Face, char: str) -> np.ndarray:
    """Draw a character in the middle of the picture by its em square.

    The em square is where the type's designer put the character, so a small mark
    stays small and keeps its corner. What does not fit is cut: see `fit_face`.

    Args:
        face: to draw with.
        char: one character; what the face does not cover is drawn as its missing glyph.

    Returns:
        (128, 128) uint8 levels, 0 ink to 15 paper.

    Raises:
        ValueError: If its outline is damaged.
    """
    return levels_of(face, char, (IMAGE_SIZE, IMAGE_SIZE), place_of(face, char))
