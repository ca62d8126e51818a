"""The book's first picture: real glyphs, and what the model draws for their captions.

Invariant: the picture is computed from the data, the shipped weights and one seed, and
its glyphs have the 128x128 pixels of the data; nothing is chosen by hand afterwards.
"""

from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glyflib.data import Glyphs, images_from_x0
from glyflib.files import replace_file
from glyflib.glyffuser import Glyffuser
from glyflib.super_resolution import SuperResolver

CHARS = "鱖楓鶓蛛泾捥"  # held out: the model has seen neither them nor a twin of them
STEPS = 30  # of the glyffuser
ENLARGE_STEPS = 8
LETTERS = 12  # in a line of words
GAP = 20  # white pixels between two pictures
SIDE = 110  # pixels of the column that names the rows
HEAD = 76  # pixels of the row that has the words
FONT_SIZE = 22


class Pairs(NamedTuple):
    """Real glyphs and drawn ones, row by row for the same words.

    Attributes:
        words: N captions.
        real: (N, S, S) uint8, paper 255, ink 0.
        drawn: (N, S, S) uint8, of the same size.
    """

    words: list[str]
    real: Tensor
    drawn: Tensor


def real_and_drawn(
    glyphs: Glyphs,
    glyffuser: Glyffuser,
    enlarger: SuperResolver,
    *,
    chars: str = CHARS,
    seed: int = 0,
) -> Pairs:
    """Draw one glyph for the caption of each real one, and enlarge it.

    Args:
        glyphs: that have the characters, as wide as the enlarger's pictures.
        glyffuser: that draws.
        enlarger: that makes its drawings larger.
        chars: the real glyphs.
        seed: of the noise; glyph i is drawn with seed + i.

    Raises:
        ValueError: If a character is missing, or the two kinds differ in size.
    """
    rows = glyphs.find(chars)
    words, real = [glyphs.captions[row] for row in rows], glyphs.images[rows]
    small = glyffuser.sample(words, num_steps=STEPS, seed=seed)
    large = enlarger.sample(small, num_steps=ENLARGE_STEPS, seed=seed)
    if large.shape != real.shape:
        sizes = real.shape[-1], large.shape[-1]
        raise ValueError(
            "real glyphs of {0}x{0} pixels and drawn ones of {1}x{1} must be of one "
            "size: load the glyphs with size={1}".format(*sizes)
        )
    return Pairs(words, real.squeeze(1), images_from_x0(large).squeeze(1))


def cover_of(pairs: Pairs) -> Image.Image:
    """The two rows on white paper, words above and names of the rows at the left."""
    num, size, _ = pairs.real.shape
    step = size + GAP
    sheet = np.full((HEAD + 2 * step, SIDE + num * step), 255, np.uint8)
    for k, row in enumerate((pairs.real, pairs.drawn)):
        top = HEAD + k * step
        for i, picture in enumerate(row.numpy()):
            left = SIDE + i * step
            sheet[top : top + size, left : left + size] = picture
    picture = Image.fromarray(sheet)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT_SIZE)
    look = {"fill": 0, "font": font, "align": "center"}
    for i, words in enumerate(pairs.words):
        place = SIDE + i * step + size / 2, HEAD - GAP / 2
        text = fill(words, LETTERS)
        pen.multiline_text(place, text, anchor="md", **look)
    for k, name in enumerate(("real", "drawn")):
        pen.text((SIDE / 2, HEAD + k * step + size / 2), name, anchor="mm", **look)
    return picture


def build_cover(pairs: Pairs, out: Path) -> None:
    """Write both rows as one grey PNG.

    Args:
        pairs: as `real_and_drawn` gives them.
        out: path of the PNG.
    """
    picture = cover_of(pairs)
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, lambda file: picture.save(file, format="PNG", optimize=True))
