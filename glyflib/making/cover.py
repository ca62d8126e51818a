"""The README's picture: real glyphs above, and drawn ones for the same words below.

Invariant: its glyphs have the pixels that they are handed over with.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glyflib.files import replace_file

LETTERS = 12  # in a line of words
GAP = 20  # white pixels between two pictures
SIDE = 110  # pixels of the column that names the rows
HEAD = 76  # pixels of the row that has the words
FONT_SIZE = 22


def cover_of(words: Sequence[str], real: Tensor, drawn: Tensor) -> Image.Image:
    """The two rows on white paper, words above and names of the rows at the left.

    Args:
        words: N texts.
        real: (N, S, S) uint8, paper 255, ink 0.
        drawn: (N, S, S) uint8.
    """
    num, size, _ = real.shape
    step = size + GAP
    sheet = np.full((HEAD + 2 * step, SIDE + num * step), 255, np.uint8)
    for k, row in enumerate((real, drawn)):
        top = HEAD + k * step
        for i, picture in enumerate(row.numpy()):
            left = SIDE + i * step
            sheet[top : top + size, left : left + size] = picture
    picture = Image.fromarray(sheet)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT_SIZE)
    look = {"fill": 0, "font": font, "align": "center"}
    for i, one in enumerate(words):
        place = SIDE + i * step + size / 2, HEAD - GAP / 2
        text = fill(one, LETTERS)
        pen.multiline_text(place, text, anchor="md", **look)
    for k, name in enumerate(("real", "drawn")):
        pen.text((SIDE / 2, HEAD + k * step + size / 2), name, anchor="mm", **look)
    return picture


def build_cover(words: Sequence[str], real: Tensor, drawn: Tensor, out: Path) -> None:
    """Write both rows as one grey PNG.

    Args:
        words: N texts.
        real: (N, S, S) uint8, paper 255, ink 0.
        drawn: (N, S, S) uint8.
        out: path of the PNG.
    """
    picture = cover_of(words, real, drawn)
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, lambda file: picture.save(file, format="PNG", optimize=True))
