"""Fonts of boxes, made in a moment, for tests of what draws with them."""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph

UNITS = 1000  # an em
Box = tuple[int, int, int, int]


def outline(boxes: list[Box]) -> Glyph:
    """Filled boxes (left, bottom, right, top) in font units."""
    pen = TTGlyphPen(None)
    for left, bottom, right, top in boxes:
        pen.moveTo((left, bottom))
        for point in ((left, top), (right, top), (right, bottom)):
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()


def box_font(glyphs: dict[str, list[Box]], advances: dict[str, int] | None = None):
    """A font builder whose em square runs from 120 below the baseline to 880 above.

    Args:
        glyphs: {character: its boxes}; an empty list is a blank.
        advances: {character: its width}; the right end of its boxes if not given.
    """
    names = {char: f"u{ord(char):04X}" for char in glyphs}
    widths = {c: max((b[2] for b in boxes), default=500) for c, boxes in glyphs.items()}
    widths |= advances or {}
    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(char): name for char, name in names.items()})
    drawn = {names[char]: outline(boxes) for char, boxes in glyphs.items()}
    builder.setupGlyf({".notdef": outline([]), **drawn})
    builder.setupHorizontalMetrics(
        {".notdef": (500, 0)}
        | {
            names[char]: (widths[char], min((b[0] for b in boxes), default=0))
            for char, boxes in glyphs.items()
        }
    )
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupPost()
    return builder


def save_font(path: Path, *args, **kwargs) -> Path:
    """Write a font of boxes; arguments as those of `box_font`."""
    box_font(*args, **kwargs).save(path)
    return path
