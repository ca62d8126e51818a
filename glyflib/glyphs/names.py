"""Captions from the Unicode Standard: the names of characters, in small letters.

Invariant: a caption says something about its character. A name that is a number alone
("CJK UNIFIED IDEOGRAPH-4E00") gives none, nor does one of what cannot be seen.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST = 0x10FFFF  # the last code point
RANGE = re.compile(
    r"U\+([0-9A-F]{4,6})(?:\s*(?:-|\.\.|–)\s*(?:U\+)?([0-9A-F]{4,6}))?",
    re.IGNORECASE,
)
HIEROGLYPH = re.compile(r"EGYPTIAN HIEROGLYPH ([A-Z]+)\d+[A-Z]*")
# What the letters of a hieroglyph's name stand for in Gardiner's list of signs.
GARDINER = {
    "A": "man",
    "B": "woman",
    "C": "deity",
    "D": "part of the human body",
    "E": "mammal",
    "F": "part of a mammal",
    "G": "bird",
    "H": "part of a bird",
    "I": "amphibian or reptile",
    "K": "fish",
    "L": "invertebrate",
    "M": "tree or plant",
    "N": "sky, earth or water",
    "NL": "district of Lower Egypt",
    "NU": "district of Upper Egypt",
    "O": "building or part of one",
    "P": "ship or part of one",
    "Q": "household or funerary furniture",
    "R": "temple furniture or sacred emblem",
    "S": "crown, dress or staff",
    "T": "warfare, hunting or butchery",
    "U": "agriculture, crafts or professions",
    "V": "rope, fibre, basket or bag",
    "W": "vessel of stone or earthenware",
    "X": "loaf or cake",
    "Y": "writing, game or music",
    "Z": "strokes or geometrical figure",
    "AA": "unclassified",
}


def name_captions(codepoints: Iterable[int]) -> dict[str, str]:
    """Captions from names, as {character: caption}; "" where a name says nothing.

    The whole name stands, with its script ("greek small letter alpha", "cuneiform sign
    ka times me", "black chess knight"), so that one model can learn several scripts
    and they can be asked for. Joiners and other marks of format, which show nothing of
    their own, have no caption. The name of a hieroglyph is its number in Gardiner's
    list, which sorts them by what they show: that stands before it, as in "bird;
    egyptian hieroglyph g001". Control characters, private ones and those younger than
    this Python's Unicode have no name.
    """
    return {chr(point): name_caption(chr(point)) for point in codepoints}


def name_caption(char: str) -> str:
    """The caption of one character, as in `name_captions`."""
    name = unicodedata.name(char, "")
    is_unseen = unicodedata.category(char) == "Cf"  # marks of format
    if is_unseen or name.endswith(f"-{ord(char):04X}"):
        return ""
    sign = HIEROGLYPH.fullmatch(name)
    shown = GARDINER.get(sign[1]) if sign else None
    return f"{shown}; {name.lower()}" if shown else name.lower()


def has_name(codepoint: int) -> bool:
    """Whether a character stands there, as far as this Python's Unicode knows."""
    return bool(unicodedata.name(chr(codepoint), ""))


def parse_ranges(text: str) -> Iterator[range]:
    """Code points written as "U+12000-U+120FF", or "U+41"; several with commas.

    Raises:
        ValueError: If a part is written otherwise, or is no range of code points.
    """
    for part in text.split(","):
        if not (found := RANGE.fullmatch(part.strip())):
            raise ValueError(f"{part.strip()!r} is no range such as U+12000-U+120FF")
        first = int(found[1], 16)
        last = int(found[2] or found[1], 16)
        if not first <= last <= MOST:
            told = f"must end at or after its start, and by U+{MOST:X}"
            raise ValueError(f"{part.strip()} {told}")
        yield range(first, last + 1)
