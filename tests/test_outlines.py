"""Outlines of glyphs, drawn again by others: FreeType, matplotlib, a browser."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.svgLib.path import parse_path
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curves
from matplotlib.transforms import Affine2D
from PIL import Image, ImageDraw, ImageFont

from glyflib import files
from glyflib.data import images_from_x0, load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.glyphs import outlines
from glyflib.glyphs.grid import Grid
from glyflib.glyphs.outlines import (
    ASCENT,
    MOST_GLYPHS,
    UNITS_PER_EM,
    area,
    code_point,
    outline,
    path_data,
    truetype,
    write_font,
    write_svg,
)
from glyflib.super_resolution import SuperResolver

SVG = "{http://www.w3.org/2000/svg}"
PIXEL = UNITS_PER_EM // 128  # units a pixel of a picture of 128x128


def paper(size=128):
    return torch.full((1, size, size), 255, dtype=torch.uint8)


def black(*places, size=128):
    """A picture that is ink in each place (rows, columns)."""
    image = paper(size)
    for rows, columns in places:
        image[:, rows, columns] = 0
    return image


def square(side, at=20, size=128):
    return black((slice(at, at + side), slice(at, at + side)), size=size)


def ring():
    image = square(40)
    image[:, 30:50, 30:50] = 255
    return image


@pytest.fixture(scope="module")
def real():
    """Glyphs with holes, with many and with thin strokes, and some of all kinds."""
    glyphs = load_glyphs("all")
    some = torch.linspace(0, len(glyphs) - 1, 12).long().tolist()
    return glyphs.images[glyphs.find("回一龍鬱爩口十小") + some]


@pytest.fixture(scope="module")
def drawn():
    """Glyphs by the shipped models."""
    small = Glyffuser.load().sample(["gold", "insect"], num_steps=8, scale=3.0, seed=0)
    return images_from_x0(SuperResolver.load().sample(small, num_steps=8, seed=0))


def overlap(image, shown):
    """Intersection over union of the ink in two pictures (S, S)."""
    first, second = image.squeeze().numpy() < 128, np.asarray(shown) < 128
    return (first & second).sum() / (first | second).sum()


def by_freetype(path, i, side):
    """Glyph i of a font, four times as large and then reduced: without hinting."""
    font = ImageFont.truetype(path, 4 * side)
    picture = Image.new("L", (4 * side, 4 * side), 255)
    start = 0, 4 * side * ASCENT / UNITS_PER_EM
    ImageDraw.Draw(picture).text(start, chr(code_point(i)), 0, font, anchor="ls")
    return picture.reduce(4)


def paths_of(path):
    return list(ET.parse(path).getroot().iter(f"{SVG}path"))


def curves_of(data):
    """Words of an SVG path, as fontTools reads them, for matplotlib."""
    pen = DecomposingRecordingPen({})
    parse_path(data, pen)
    points, codes = [], []
    for name, places in pen.value:
        if name == "qCurveTo":
            assert len(places) == 2
            points += places
            codes += [Curves.CURVE3] * 2
        elif name == "moveTo":
            points += places
            codes.append(Curves.MOVETO)
        else:
            assert name == "closePath"
            points.append((0, 0))
            codes.append(Curves.CLOSEPOLY)
    return Curves(points, codes)


def by_matplotlib(path, size):
    """A drawing in SVG, its paths filled by their winding number."""
    figure = Figure((size[0] / 100, size[1] / 100), dpi=100)
    for found in paths_of(path):
        x, y, scale = map(float, re.findall(r"[\d.]+", found.get("transform")))
        place = Affine2D().scale(scale).translate(x, y).scale(1, -1)
        place = place.translate(0, size[1])
        figure.add_artist(
            PathPatch(curves_of(found.get("d")), fc="black", lw=0, transform=place)
        )
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return np.asarray(Image.open(out).convert("L"))


@pytest.mark.parametrize("side", [3, 8, 40])
def test_a_black_square_has_the_area_that_one_can_work_out(side):
    """Marching squares cut 1/8 of a pixel off each corner, the curves 1/48 at each of
    the eight ends of the cuts.
    """
    (points,) = outline(square(side))
    assert area(points) == (side**2 - 1 / 2) * PIXEL**2
    pen = AreaPen()
    truetype([points]).draw(pen, None)  # y runs up there: clockwise is negative
    assert pen.value == pytest.approx(-(side**2 - 2 / 3) * PIXEL**2)
    assert points.min() == 20 * PIXEL and points.max() == (20 + side) * PIXEL


def test_straight_edges_take_few_points_whatever_their_length():
    assert [len(outline(square(side))[0]) for side in (5, 40, 100)] == [16] * 3


def test_parts_run_clockwise_and_holes_the_other_way():
    part, hole = outline(ring())
    assert area(part) == (40**2 - 1 / 2) * PIXEL**2
    # The hole loses its corners as the part does.
    assert area(hole) == -(20**2 - 1 / 2) * PIXEL**2


def test_each_hole_lies_in_the_part_before_it(real):
    for image in real:
        contours = outline(image)
        signs = [area(points) > 0 for points in contours]
        assert signs[0] and sum(signs) >= 1
        low = [points.min(0) for points in contours]
        for i in range(1, len(contours)):
            if not signs[i]:
                part = max(j for j in range(i) if signs[j])
                assert (low[part] < low[i]).all()


@pytest.mark.parametrize("size", [32, 128])
def test_ink_at_the_edge_closes(size):
    (points,) = outline(square(size, 0, size))
    unit = UNITS_PER_EM / size
    assert area(points) == (size**2 - 1 / 2) * unit**2
    assert (points.min(), points.max()) == (0, UNITS_PER_EM)


def test_an_edge_of_grey_lies_between_the_pixels():
    image = square(40)
    image[:, :, 20] = torch.where(image[:, :, 20] == 0, 255 - 191, 255)  # 3/4 of ink
    (points,) = outline(image)
    # Half of the ink is reached at 127.5 / 191 of the way between two centres.
    assert points[:, 0].min() == round((19.5 + 127.5 / 191) * PIXEL)


def test_specks_are_left_out_with_their_holes():
    tiny = (slice(4, 6), slice(4, 6))  # 4 pixels of 16,384: less than 1 of 2,048
    small = (slice(100, 103), slice(100, 103))  # 9
    (points,) = outline(black(tiny, small))
    assert points.min() == 100 * PIXEL
    cross = black((slice(4, 7), 5), (5, slice(4, 7)))
    cross[:, 5, 5] = 255
    assert outline(cross) == []


def test_blank_paper_has_no_outline():
    assert outline(paper()) == []
    assert path_data([]) == ""


@pytest.mark.parametrize("kind", ["real", "drawn"])
def test_freetype_draws_the_font_as_the_pixels_are(kind, request, tmp_path):
    images = request.getfixturevalue(kind)
    write_font(tmp_path / "a.ttf", images)
    for i, image in enumerate(images):
        assert overlap(image, by_freetype(tmp_path / "a.ttf", i, 128)) > 0.95


@pytest.mark.parametrize("kind", ["real", "drawn"])
def test_the_drawing_in_svg_is_as_the_pixels_are(kind, request, tmp_path):
    images = request.getfixturevalue(kind)
    labels = ["one"] * -(-len(images) // 4)
    titles = ["a"] * len(images)
    write_svg(tmp_path / "a.svg", images, titles, num_columns=4, labels=labels)
    grid = Grid(len(images), 4, 128, has_labels=True)
    shown = by_matplotlib(tmp_path / "a.svg", (grid.width, grid.height))
    for i, image in enumerate(images):
        x, y = grid.corner(i)
        assert overlap(image, shown[y : y + 128, x : x + 128]) > 0.95


def test_small_pictures_have_outlines_too(tmp_path):
    """A stroke is two or three pixels wide: those on its edge weigh more."""
    glyphs = load_glyphs("all", 32)
    images = glyphs.images[glyphs.find("回一口十")]
    write_font(tmp_path / "a.ttf", images)
    for i, image in enumerate(images):
        assert overlap(image, by_freetype(tmp_path / "a.ttf", i, 32)) > 0.85


def test_a_drawing_has_a_path_and_a_title_a_glyph_and_no_pixels(tmp_path):
    images = torch.stack([square(8), ring(), square(9)])
    titles = ["gold\n& <silver>", "a\0bell\a", "水"]
    write_svg(
        tmp_path / "new" / "a.svg",
        images,
        titles,
        num_columns=2,
        side=64,
        labels=["<first>", "second"],
    )
    root = ET.parse(tmp_path / "new" / "a.svg").getroot()
    grid = Grid(3, 2, 64, has_labels=True)
    assert root.get("viewBox") == f"0 0 {grid.width} {grid.height}"
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds == {"svg", "rect", "text", "path", "title"}
    told = [path.find(f"{SVG}title").text for path in paths_of(tmp_path / "new/a.svg")]
    assert told == ["gold & <silver>", "a\ufffdbell\ufffd", "水"]
    assert [text.text for text in root.iter(f"{SVG}text")] == ["<first>", "second"]


def test_a_glyph_without_ink_is_empty_and_told(tmp_path):
    images = torch.stack([square(8), paper(), paper()])
    with pytest.warns(UserWarning, match="2 of 3 glyphs without ink: number 2, 3"):
        write_font(tmp_path / "a.ttf", images)
    with TTFont(tmp_path / "a.ttf") as font:
        assert font["glyf"]["uniE001"].numberOfContours == 0
        assert font["hmtx"]["uniE001"] == (UNITS_PER_EM, 0)
    assert np.asarray(by_freetype(tmp_path / "a.ttf", 1, 32)).min() == 255
    with pytest.warns(UserWarning, match="2 of 3 glyphs without ink"):
        write_svg(tmp_path / "a.svg", images, ["a", "b", "c"], num_columns=3)
    assert [bool(path.get("d")) for path in paths_of(tmp_path / "a.svg")] == [1, 0, 0]


def test_code_points_go_on_in_plane_15():
    assert [code_point(i) for i in (0, 6399, 6400)] == [0xE000, 0xF8FF, 0xF0000]
    codes = [code_point(i) for i in range(MOST_GLYPHS)]
    assert len(set(codes)) == MOST_GLYPHS and codes[-1] <= 0xFFFFD
    for i in (-1, MOST_GLYPHS):
        with pytest.raises(ValueError, match=f"glyph {i}: a font holds 65,533"):
            code_point(i)


def test_a_font_across_two_planes_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(outlines, "LAST", 0xE001)  # as if the first plane held two
    images = torch.stack([square(8 + i) for i in range(4)])
    write_font(tmp_path / "a.ttf", images)
    with TTFont(tmp_path / "a.ttf") as font:
        assert list(font.getBestCmap()) == [0x20, 0xE000, 0xE001, 0xF0000, 0xF0001]
    assert overlap(images[3], by_freetype(tmp_path / "a.ttf", 3, 128)) > 0.95


def test_a_font_is_whole_and_sits_on_its_lines(tmp_path):
    write_font(tmp_path / "new" / "My glyphs.ttf", torch.stack([ring(), square(8)]))
    path = tmp_path / "new" / "My glyphs.ttf"
    with TTFont(path) as font:
        assert {"cmap", "glyf", "head", "hhea", "hmtx"} <= set(font.keys())
        assert {"loca", "maxp", "name", "OS/2", "post"} <= set(font.keys())
        font.ensureDecompiled()
        assert font.getGlyphOrder() == [".notdef", "space", "uniE000", "uniE001"]
        assert font.getBestCmap() == {
            0x20: "space",
            0xE000: "uniE000",
            0xE001: "uniE001",
        }
        glyph, line = font["glyf"]["uniE000"], font["hhea"]
        assert (glyph.xMin, glyph.yMax) == (20 * PIXEL, ASCENT - 20 * PIXEL)
        assert font["hmtx"]["uniE000"] == (UNITS_PER_EM, glyph.xMin)
        assert line.ascent - line.descent == UNITS_PER_EM == font["head"].unitsPerEm
        assert not any(glyph.flags), "all points are control points"
        assert font["glyf"][".notdef"].numberOfContours == 2
    assert ImageFont.truetype(path, 20).getname() == ("My glyphs", "Regular")


@pytest.mark.parametrize(
    ("file", "family", "post_script"),
    [
        ("gold.ttf", "gold", "gold-Regular"),
        ("水 river.TTF", "水 river", "river-Regular"),
        ("水.ttf", "水", "Glyphs-Regular"),
        (" .ttf", "Glyphs", "Glyphs-Regular"),
        ("x" * 40 + ".ttf", "x" * 31, "x" * 31 + "-Regular"),
        ("a\udcff.ttf", "a?", "a-Regular"),
    ],
)
def test_the_family_is_called_as_the_file_is(tmp_path, file, family, post_script):
    write_font(tmp_path / file, square(8)[None])
    with TTFont(tmp_path / file) as font:
        names = {name.nameID: name.toUnicode() for name in font["name"].names}
    assert (names[1], names[4], names[6]) == (family, family, post_script)


def test_a_browser_takes_the_font(open_page, real, tmp_path):
    write_font(tmp_path / "a.ttf", real)
    data = base64.b64encode((tmp_path / "a.ttf").read_bytes()).decode()
    page = open_page("<p>")
    face = f"new FontFace('a', 'url(data:font/ttf;base64,{data})')"
    assert page.evaluate(f"{face}.load().then(face => face.status)") == "loaded"


@pytest.mark.parametrize("name", ["a.svg", "a.ttf"])
def test_a_killed_write_leaves_the_old_file(name, tmp_path, monkeypatch):
    def killed(place):
        raise KeyboardInterrupt

    (tmp_path / name).write_text("old")
    monkeypatch.setattr(files.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        if name == "a.ttf":
            write_font(tmp_path / name, square(8)[None])
        else:
            write_svg(tmp_path / name, square(8)[None], ["a"], num_columns=1)
    assert (tmp_path / name).read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda path: outline(torch.zeros(1, 4, 5, dtype=torch.uint8)), r"\(1, 4, 5\)"),
        (lambda path: outline(torch.zeros(4, 4, dtype=torch.uint8)), r"uint8 \(4, 4\)"),
        (lambda path: outline(torch.zeros(1, 4, 4)), "float32"),
        (lambda path: write_svg(path, paper()[:0], [], num_columns=1), "0 glyphs"),
        (lambda path: write_svg(path, paper()[None], ["a"], num_columns=0), "0 col"),
        (
            lambda path: write_svg(path, paper()[None], [], num_columns=1),
            "0 titles must be one a glyph of 1",
        ),
        (
            lambda path: write_svg(
                path, paper()[None], ["a"], num_columns=1, labels=["a", "b"]
            ),
            "2 labels must be one a row of 1",
        ),
        (
            lambda path: truetype([np.zeros((70_000, 2), np.int64)]),
            "70,000 points: at most 65,535",
        ),
    ],
)
def test_senseless_arguments_are_refused(call, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        call(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
