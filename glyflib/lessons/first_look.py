"""Real glyphs, and what the shipped model draws for their captions: the first look.

Invariant: the words are chosen once, here, and one seed draws; nothing is picked from
what comes out.
"""

from typing import NamedTuple

from torch import Tensor

from glyflib.data import Glyphs, images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.super_resolution import SuperResolver

CHARS = "鱖楓鶓蛛泾捥"  # held out: the model has seen neither them nor a twin of them
STEPS = 30  # of the glyffuser
ENLARGE_STEPS = 8


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
