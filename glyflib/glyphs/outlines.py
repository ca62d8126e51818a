"""Glyphs as outlines: a drawing of them in SVG, and a TrueType font.

Invariant: ink is to the right of who walks along a contour, so parts of a glyph run
clockwise and their holes the other way, in SVG as in TrueType.
"""

import io
import re
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import torch
from contourpy import FillType, contour_generator
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph
from torch import Tensor

from glyflib.files import write_bytes, write_text
from glyflib.glyphs.grid import FONT_SIZE, GAP, STRIP, Grid

UNITS_PER_EM = 1024  # a side of the picture; all that follow in these units too
ASCENT, DESCENT = 896, 128  # of the em square over and below the baseline
SPACE = UNITS_PER_EM // 2  # width of the character U+0020
HALF = 255 / 2  # grey between paper and ink: no whole grey is on the edge itself
# A part of a glyph that covers less of the picture is a speck. In 128x128 pixels this
# is 8 pixels; the smallest of the 87,714 parts of the book's glyphs covers 22.
SPECK = 1 / 2048
# Code points for private use: 6,400 in the first plane, the others in plane 15.
FIRST, LAST = 0xE000, 0xF8FF
FIRST_BEYOND = 0xF0000
MOST_GLYPHS = 65_533  # that a font holds beside .notdef and the space
MOST_POINTS = 65_535  # that TrueType can count in a glyph
MOST_LETTERS = 31  # of a family name, for all programs to list it
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def outline(image: Tensor) -> list[np.ndarray]:
    """Trace the edge of a glyph's ink, half way between paper and ink.

    Marching squares between the centres of the pixels; paper is laid around the
    picture, so that ink at its edge closes. What covers less than 1/2048 of the picture
    is left out as a speck, with its holes.

    The points are the control points of quadratic curves, each of which ends half way
    to the next point, where the next curve begins: TrueType implies these middles. The
    points are at most a pixel or so apart, so that sharp corners stay. On 126 of the
    book's glyphs the curves match the pixels as well as straight lines between the
    points do (intersection over union 0.985 for both), on 16 that the glyffuser drew,
    too (0.988 for both); enlarged, they show no facets.

    Args:
        image: (1, S, S) uint8, paper 255, ink 0.

    Returns:
        Closed contours, each (K, 2) int64 points (x right, y down) in [0, 1024], the
        em square's units, without the first point again at the end. Parts run
        clockwise as one sees them, holes anticlockwise. A blank glyph has none.

    Raises:
        ValueError: If the image is not a square of uint8.
    """
    grey = image.numpy()
    is_square = grey.ndim == 3 and len(grey) == 1 and grey.shape[1] == grey.shape[2]
    if grey.dtype != np.uint8 or not is_square:
        raise ValueError(f"image {grey.dtype} {grey.shape} must be uint8 (1, S, S)")
    size = grey.shape[-1]
    ink = np.pad(255.0 - grey[0], 1)
    centres = (np.arange(size + 2) - 0.5) * (UNITS_PER_EM / size)
    tracer = contour_generator(centres, centres, ink, fill_type=FillType.OuterOffset)
    found = []
    for points, offsets in zip(*tracer.filled(HALF, np.inf), strict=True):
        rings = [points[start:end] for start, end in pairwise(offsets)]
        if area(rings[0]) >= SPECK * UNITS_PER_EM**2:
            part, *holes = map(whole, rings)
            # Rounding may close a hole: it has no area then, or of the other sign.
            found += [part, *(hole for hole in holes if area(hole) < 0)]
    return found


def area(points: np.ndarray) -> float:
    """Area in a polygon (K, 2), positive if it runs clockwise as one sees it."""
    x, y = points.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def whole(points: np.ndarray) -> np.ndarray:
    """Points (K, 2) in whole units, without those that the curves do not need.

    Of a straight run, two points at each end stay: between them, the curves are a line
    with more points or with fewer.
    """
    points = np.rint(points).astype(np.int64)
    points = points[(points != np.roll(points, 1, 0)).any(1)]
    before, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    is_straight = (turn == 0) & ((before * after).sum(1) > 0)
    return points[~(is_straight & np.roll(is_straight, 1) & np.roll(is_straight, -1))]


def outlines_of(images: Tensor) -> list[list[np.ndarray]]:
    """The `outline` of each of (N, 1, S, S) uint8; those without ink are warned of."""
    outlines = [outline(image) for image in images]
    blank = [i + 1 for i, contours in enumerate(outlines) if not contours]
    if blank:
        numbers = ", ".join(map(str, blank[:5])) + (", ..." if blank[5:] else "")
        warnings.warn(
            f"{len(blank)} of {len(outlines)} glyphs without ink: number {numbers}",
            stacklevel=3,
        )
    return outlines


def path_data(contours: Sequence[np.ndarray]) -> str:
    """An `outline` in the words of an SVG path, in the same units."""
    words = []
    for points in contours:
        middles = (points + np.roll(points, -1, 0)) / 2
        words.append("M{:g} {:g}".format(*middles[-1]))
        words += [
            f"Q{x} {y} {end_x:g} {end_y:g}"
            for (x, y), (end_x, end_y) in zip(points, middles, strict=True)
        ]
        words.append("Z")
    return "".join(words)


def xml_text(text: str) -> str:
    """Text on one line for XML, which has no place for control characters."""
    return escape(NO_XML.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split())))


def write_svg(
    path: Path | str,
    images: Tensor,
    titles: Sequence[str],
    *,
    num_columns: int,
    side: int = 128,
    labels: Sequence[str] | None = None,
) -> None:
    """Write glyphs as one sheet of curves, which drawing programs and browsers open.

    Each glyph is a path of its own, with a title; a glyph without ink is an empty one.

    Args:
        path: of the file; its folder is made.
        images: (N, 1, S, S) uint8, paper 255, ink 0.
        titles: N, which a browser shows at the glyph that one points at.
        num_columns: glyphs in a row.
        side: of a glyph on the sheet, in pixels.
        labels: a line of words above each row, cut where the sheet ends.

    Raises:
        ValueError: If there is no glyph, or not one title a glyph or one label a row.
        OSError: If the file cannot be written; an older one is as it was then.

    Warns:
        UserWarning: If glyphs have no ink.
    """
    grid = Grid(len(images), num_columns, side, labels is not None)
    if not grid.count or num_columns < 1 or side < 1:
        text = f"{grid.count} glyphs, {num_columns} columns, side {side}"
        raise ValueError(f"nothing to lay out: {text}")
    if len(titles) != grid.count:
        raise ValueError(f"{len(titles)} titles must be one a glyph of {grid.count}")
    if labels is not None and len(labels) != grid.num_rows:
        raise ValueError(f"{len(labels)} labels must be one a row of {grid.num_rows}")
    size = f'width="{grid.width}" height="{grid.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
        f' viewBox="0 0 {grid.width} {grid.height}">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for row, label in enumerate(labels or ()):
        x, y = grid.label_corner(row)
        # An inner svg cuts what is too long for it.
        lines.append(
            f'<svg x="{x}" y="{y}" width="{grid.width - 2 * GAP}" height="{STRIP}">'
            f'<text y="{FONT_SIZE}" font-family="sans-serif" font-size="{FONT_SIZE}">'
            f"{xml_text(label)}</text></svg>"
        )
    for i, (contours, title) in enumerate(
        zip(outlines_of(images), titles, strict=True)
    ):
        x, y = grid.corner(i)
        lines.append(
            f'<path transform="translate({x} {y}) scale({side / UNITS_PER_EM})"'
            f' d="{path_data(contours)}"><title>{xml_text(title)}</title></path>'
        )
    lines.append("</svg>\n")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join(lines))


def code_point(i: int) -> int:
    """Code point of glyph i, from 0, in a font: for private use, in two planes.

    Raises:
        ValueError: If no font holds so many glyphs.
    """
    if not 0 <= i < MOST_GLYPHS:
        raise ValueError(f"no code point for glyph {i}: a font holds {MOST_GLYPHS:,}")
    num_first = LAST - FIRST + 1
    return FIRST + i if i < num_first else FIRST_BEYOND + i - num_first


def glyph_name(code: int) -> str:
    """Name of a code point's glyph in a font, by Adobe's rules: uniE000 or uF0000."""
    return f"uni{code:04X}" if code <= 0xFFFF else f"u{code:X}"


def truetype(contours: Sequence[np.ndarray]) -> Glyph:
    """An `outline` as a glyph of a font: every point is a control point.

    Raises:
        ValueError: If there are more points than TrueType can count.
    """
    if (num_points := sum(map(len, contours))) > MOST_POINTS:
        raise ValueError(f"a glyph of {num_points:,} points: at most {MOST_POINTS:,}")
    pen = TTGlyphPen()
    for points in contours:
        pen.qCurveTo(*((x, ASCENT - y) for x, y in points.tolist()), None)
        pen.closePath()
    return pen.glyph()


def missing_glyph() -> Glyph:
    """What stands for a character that a font lacks: an empty frame."""
    image = torch.full((1, 128, 128), 255, dtype=torch.uint8)
    image[:, 16:-16, 16:-16] = 0
    image[:, 24:-24, 24:-24] = 255
    return truetype(outline(image))


def font_names(path: Path) -> dict[str, str]:
    """Names of a font by the name of its file, as fontTools calls them."""
    stem = path.stem.encode("utf-8", "replace").decode()  # half characters become ?
    family = " ".join(NO_XML.sub("", stem).split())[:MOST_LETTERS].strip() or "Glyphs"
    letters = re.sub("[^A-Za-z0-9]", "", family) or "Glyphs"
    return {
        "familyName": family,
        "styleName": "Regular",
        "uniqueFontIdentifier": f"{family} Regular",
        "fullName": family,
        "version": "Version 1.000",
        "psName": f"{letters}-Regular",
    }


def write_font(path: Path | str, images: Tensor) -> None:
    """Write glyphs as a TrueType font, each at a code point for private use.

    Glyph i is at `code_point(i)`: U+E000, U+E001 and so on. Its picture fills the em
    square, an eighth of it below the baseline; a glyph without ink is an empty one. The
    family is called as the file is.

    Args:
        path: of the file; its folder is made.
        images: (N, 1, S, S) uint8, paper 255, ink 0.

    Raises:
        ValueError: If there are too many glyphs for a font, or too fine ones.
        OSError: If the file cannot be written; an older one is as it was then.

    Warns:
        UserWarning: If glyphs have no ink.
    """
    path = Path(path)
    codes = [code_point(i) for i in range(len(images))]
    names = [glyph_name(code) for code in codes]
    glyphs = {".notdef": missing_glyph(), "space": truetype([])}
    glyphs |= dict(zip(names, map(truetype, outlines_of(images)), strict=True))
    builder = FontBuilder(UNITS_PER_EM)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(dict(zip(codes, names, strict=True)) | {0x20: "space"})
    builder.setupGlyf(glyphs)  # finds the bounds of each glyph, too
    widths = dict.fromkeys(glyphs, UNITS_PER_EM) | {"space": SPACE}
    builder.setupHorizontalMetrics(
        {name: (widths[name], getattr(glyphs[name], "xMin", 0)) for name in glyphs}
    )
    builder.setupHorizontalHeader(ascent=ASCENT, descent=-DESCENT)
    builder.setupNameTable(font_names(path), mac=False)
    builder.setupOS2(
        version=4,
        fsType=0,  # may be embedded without limit
        fsSelection=0b1100_0000,  # regular; lines are as high as the next three say
        sTypoAscender=ASCENT,
        sTypoDescender=-DESCENT,
        sTypoLineGap=0,
        usWinAscent=ASCENT,
        usWinDescent=DESCENT,
    )
    builder.setupPost()
    data = io.BytesIO()
    builder.save(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data.getvalue())
