"""Draw characters with a font, each in its em square.

Invariant: whether a font covers a character is read from its cmap, never guessed by
comparing pictures.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont

from glyflib.data import IMAGE_SIZE, NUM_LEVELS

EM_SHARE = 15 / 16  # of the picture's side, so that strokes keep clear of the edge


class Face(NamedTuple):
    """One face of a font.

    Attributes:
        font: to draw with.
        codepoints: what its cmap covers.
        em_centre: height of the em square's centre over the baseline, in pixels.
        name: its full name and version.
    """

    font: ImageFont.FreeTypeFont
    codepoints: frozenset[int]
    em_centre: float
    name: str

    def covers(self, char: str) -> bool:
        """Whether the font has a glyph for the character.

        Args:
            char: one character.
        """
        return ord(char) in self.codepoints


def open_face(path: Path, face: str | None = None) -> Face:
    """Open a TrueType or OpenType font, or one face of a collection by its name.

    Args:
        path: the font file.
        face: full name of a face, such as "Noto Sans CJK SC"; None for the only one.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a font, has no face of that name, or has several
            and none is named.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no font at {path}")
    try:
        is_collection = path.read_bytes()[:4] == b"ttcf"
        fonts = TTCollection(path, lazy=True).fonts if is_collection else [TTFont(path)]
    except Exception as error:  # fontTools raises many kinds
        raise ValueError(f"{path} is not a TrueType or OpenType font") from error
    names = [font["name"].getDebugName(4) for font in fonts]
    if face is None and len(names) > 1:
        raise ValueError(f"{path} is a collection: name a face, {', '.join(names)}")
    if face not in [None, *names]:
        raise ValueError(f"{path} has no face {face!r}; choose from {', '.join(names)}")
    index = names.index(face) if face else 0
    table, os2 = fonts[index], fonts[index]["OS/2"]
    font = ImageFont.truetype(path, round(IMAGE_SIZE * EM_SHARE), index=index)
    centre = (os2.sTypoAscender + os2.sTypoDescender) / 2 / table["head"].unitsPerEm
    name = f"{names[index]}, {table['name'].getDebugName(5)}"
    return Face(font, frozenset(table.getBestCmap()), centre * font.size, name)


def draw(face: Face, char: str) -> np.ndarray:
    """Draw a character in the middle of the picture by its em square.

    The em square is where the type's designer put the character, so a small mark
    stays small and keeps its corner.

    Args:
        face: to draw with.
        char: one character; what the face does not cover is drawn as its missing glyph.

    Returns:
        (128, 128) uint8 levels, 0 ink to 15 paper.
    """
    picture = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE), 255)
    left = (IMAGE_SIZE - face.font.getlength(char)) / 2
    baseline = IMAGE_SIZE / 2 + face.em_centre
    pen = ImageDraw.Draw(picture)
    pen.text((left, baseline), char, font=face.font, fill=0, anchor="ls")
    return np.rint(np.asarray(picture) * ((NUM_LEVELS - 1) / 255)).astype(np.uint8)
