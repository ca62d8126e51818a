"""Names of groups of glyphs: their layouts, and the eight commonest radicals.

Invariant: a glyph that is in none of the groups has the name "".
"""

from unicodedata import normalize

import numpy as np
from torch import Tensor

from glyflib.data import cheapest_cut

# Kangxi numbers of the eight commonest radicals, and the character of each.
COMMON_RADICALS = {
    "mouth": (30, "口"),
    "heart": (61, "心"),
    "hand": (64, "手"),
    "tree": (75, "木"),
    "water": (85, "水"),
    "silk": (120, "糸"),
    "grass": (140, "艸"),
    "metal": (167, "金"),
}


def layout_score(images: Tensor) -> np.ndarray:
    """How much easier glyphs fall apart into left and right than into top and bottom.

    Args:
        images: (N, 1, S, S) uint8, paper 255, ink 0.

    Returns:
        (N,) ink on the cheapest cut from left to right, less that from top to bottom.
    """
    ink = 1 - images[:, 0].numpy() / np.float32(255)
    return cheapest_cut(ink.transpose(0, 2, 1)) - cheapest_cut(ink)


def layout_names(score: np.ndarray, *, margin: float = 0.02) -> np.ndarray:
    """The layout of each glyph by its score.

    Args:
        score: (N,) of `layout_score`.
        margin: scores closer to 0 are undecided.

    Returns:
        (N,) "left-right", "top-bottom" or "".
    """
    names = np.full(len(score), "", dtype="<U10")
    names[score > margin] = "left-right"
    names[score < -margin] = "top-bottom"
    return names


def radical_names(radicals: Tensor | np.ndarray) -> np.ndarray:
    """The name of each glyph's radical, if it is one of the eight commonest.

    Args:
        radicals: (N,) Kangxi numbers.
    """
    numbers = np.asarray(radicals)
    names = np.full(len(numbers), "", dtype="<U5")
    for name, (number, _) in COMMON_RADICALS.items():
        names[numbers == number] = name
    return names


def radical_sign(number: int) -> str:
    """The character of a Kangxi radical, by its number.

    Raises:
        ValueError: If the number is not from 1 to 214.
    """
    if not 1 <= number <= 214:
        raise ValueError(f"radical {number} must be from 1 to 214")
    # Unicode lists the radicals in order; normalised, they are ordinary characters.
    return normalize("NFKC", chr(0x2F00 + int(number) - 1))
