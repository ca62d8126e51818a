"""Any font: its glyphs fit into their pictures, or a line says why it cannot serve."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fontTools.ttLib import TTCollection, TTFont, newTable, woff2
from fontTools.ttLib.tables.TupleVariation import TupleVariation as variation
from pyarrow import parquet
from small_fonts import box_font, save_font

from glyflib.__main__ import main
from glyflib.data import GLYPHS, load_glyphs
from glyflib.glyphs.assemble import TOO_LARGE, build_glyphs
from glyflib.glyphs.fonts import (
    carried_font,
    draw,
    fit_face,
    keeps_clear,
    open_face,
)
from glyflib.glyphs.tables import FIELDS

SQUARE = [(0, 0, 1000, 800)]
HIGH = [(100, 100, 700, 700)]
SMALL = [(100, 0, 700, 700)]
NOTO = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


@pytest.fixture
def opened(tmp_path):
    """A face of a font of boxes."""
    return lambda *args, **kwargs: open_face(
        save_font(tmp_path / "boxes.ttf", *args, **kwargs)
    )


def ink_size(face, char):
    """Width and height of the ink in pixels."""
    ink = draw(face, char) < 8
    return ink.any(axis=0).sum(), ink.any(axis=1).sum()


def edge_of(levels):
    return np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])


def test_a_font_comes_with_the_book_and_has_chess_pieces():
    face = open_face(carried_font())
    assert face.covers("\u265e") and not face.covers("\u4e00")
    with pytest.raises(FileNotFoundError, match="name one of your own"):
        carried_font("Nobody.ttf")


def test_a_face_that_fits_keeps_its_size_and_place(opened):
    face = opened({"A": SMALL, "B": SMALL})
    assert fit_face(face, "AB") is face and face.font.size == 120


def test_all_glyphs_shrink_by_one_factor_until_none_touches_the_edge(opened):
    face = opened({"A": [(0, 0, 2400, 600)], "B": [(0, 0, 1200, 300)], "C": SMALL})
    fitted = fit_face(face, "ABC")
    (wide, high), (half, low) = (ink_size(fitted, char) for char in "AB")
    assert 118 <= wide <= 126 and abs(wide - 2 * half) <= 2 and abs(high - 2 * low) <= 2
    assert all((edge_of(draw(fitted, char)) == 15).all() for char in "ABC")


def test_what_lies_high_is_moved_before_it_is_made_smaller(opened):
    fitted = fit_face(opened({"A": [(0, 100, 900, 1050)], "B": HIGH}), "AB")
    assert fitted.font.size == 120
    assert (edge_of(draw(fitted, "A")) == 15).all()


def test_one_giant_does_not_make_all_others_small(opened):
    names = [chr(0x4E00 + i) for i in range(200)]
    glyphs = dict.fromkeys(names, SMALL) | {names[7]: [(0, 0, 9000, 700)]}
    fitted = fit_face(opened(glyphs), names)
    assert fitted.font.size == 120
    assert [c for c in names if not keeps_clear(fitted, c)] == [names[7]]


def test_a_few_that_need_little_more_room_get_it(opened):
    names = [chr(0x4E00 + i) for i in range(200)]
    glyphs = dict.fromkeys(names, SQUARE) | {names[7]: [(0, 0, 1100, 800)]}
    fitted = fit_face(opened(glyphs), names)
    assert 108 <= fitted.font.size < 120
    assert all(keeps_clear(fitted, char) for char in names)


def test_ink_beyond_the_picture_is_noticed_though_none_crosses_the_edge(opened):
    face = opened({"A": [*SMALL, (2000, 0, 2100, 100)]}, {"A": 800})
    assert (edge_of(draw(face, "A")) == 15).all() and not keeps_clear(face, "A")
    assert keeps_clear(fit_face(face, "A"), "A")


def test_a_mark_without_an_advance_is_centred_by_its_ink(opened):
    face = opened({"A": [(-500, 600, -300, 700)]}, {"A": 0})
    columns = np.flatnonzero((draw(face, "A") < 8).any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - 63.5) <= 1


def test_a_size_can_be_asked_for_and_what_is_too_large_then_is_told(tmp_path):
    wide = [(0, 0, 2400, 600)]
    face = open_face(save_font(tmp_path / "a.ttf", {"A": wide, "B": SMALL}))
    texts, nothing = {"A": "wide", "B": "small"}, {field: {} for field in FIELDS}
    out = tmp_path / "g.parquet"
    built = build_glyphs(face, texts, nothing, out, is_unihan=False, em=60)
    assert built.left_out[TOO_LARGE] == "A"
    assert built.card["em_pixels"] == 60 and built.card["too_large_chars"] == "A"
    assert load_glyphs("all", path=out).chars == ("B",)
    em = built.card["em_for_all"]
    built = build_glyphs(face, texts, nothing, out, is_unihan=False, em=em)
    assert built.rows == 2 and em > 45 and "em_for_all" not in built.card
    assert build_glyphs(face, texts, nothing, out, is_unihan=False).rows == 2


@pytest.mark.skipif(not NOTO.is_file(), reason="needs Debian's fonts-noto-cjk")
def test_the_shipped_pictures_are_drawn_again_to_the_pixel():
    stored = parquet.read_table(GLYPHS, columns=["char", "image"])[::100].to_pydict()
    face = open_face(NOTO, "Noto Sans CJK SC")
    assert fit_face(face, stored["char"]) is face
    for char, image in zip(stored["char"], stored["image"], strict=True):
        assert draw(face, char).tobytes() == image


# What any font may lack or be.


def saved(font, path):
    font.save(path)
    return path


def refused(path, *words, face=None):
    """Opening says no in a line that names the file."""
    with pytest.raises(ValueError) as caught:
        open_face(path, face)
    said = str(caught.value)
    assert said.startswith(str(path)) and "\n" not in said
    assert all(word in said for word in words), said


@pytest.mark.parametrize("lost", [["OS/2"], ["name"], ["post"], ["OS/2", "name"]])
def test_tables_that_are_optional_may_be_missing(tmp_path, lost):
    whole = save_font(tmp_path / "a.ttf", {"A": SMALL})
    font = TTFont(whole)
    for tag in lost:
        del font[tag]
    face = open_face(saved(font, tmp_path / "b.ttf"))
    assert (draw(face, "A") == draw(open_face(whole), "A")).all()
    assert face.name.startswith("b" if "name" in lost else "Boxes")


def test_metrics_of_nothing_count_as_missing(tmp_path):
    builder = box_font({"A": SMALL})
    builder.setupOS2(sTypoAscender=0, sTypoDescender=0)
    assert open_face(saved(builder.font, tmp_path / "a.ttf")).centre > 40


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_font_that_was_cut_is_refused(tmp_path, share):
    data = save_font(tmp_path / "a.ttf", {"A": SMALL, "B": SMALL}).read_bytes()
    (tmp_path / "cut.ttf").write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / "cut.ttf", "is cut short")


def test_a_broken_table_is_told_as_such(tmp_path):
    path = save_font(tmp_path / "a.ttf", {"A": SMALL})
    cmap = TTFont(path).reader.tables["cmap"]
    data = bytearray(path.read_bytes())
    data[cmap.offset : cmap.offset + cmap.length] = b"\xff" * cmap.length
    path.write_bytes(data)
    refused(path, "is damaged")


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("CBDT", "colour bitmap font"),
        ("sbix", "colour bitmap"),
        ("EBDT", "bitmap font"),
    ],
)
def test_a_font_of_bitmaps_is_refused_by_its_kind(tmp_path, tag, kind):
    font = TTFont(save_font(tmp_path / "a.ttf", {"A": SMALL}))
    del font["glyf"], font["loca"]
    font[tag] = newTable(tag)
    font[tag].compile = lambda font: b"\0" * 8
    refused(saved(font, tmp_path / "b.ttf"), kind, "without outlines")


def test_no_font_an_empty_file_and_a_symbol_font_are_refused(tmp_path):
    (tmp_path / "empty.ttf").touch()
    refused(tmp_path / "empty.ttf", "is empty")
    (tmp_path / "text.ttf").write_text("BITMAP of another age")
    refused(tmp_path / "text.ttf", "is not a TrueType or OpenType font")
    font = TTFont(save_font(tmp_path / "a.ttf", {"A": SMALL}))
    del font["cmap"].tables[1:]
    font["cmap"].tables[0].platformID, font["cmap"].tables[0].platEncID = 3, 0
    refused(saved(font, tmp_path / "b.ttf"), "no Unicode character map")


def test_a_packed_font_draws_as_the_plain_one(tmp_path):
    plain = save_font(tmp_path / "a.ttf", {"A": SMALL})
    font = TTFont(plain)
    font.flavor = "woff"
    packed = open_face(saved(font, tmp_path / "a.woff"))
    assert (draw(packed, "A") == draw(open_face(plain), "A")).all()


def test_woff2_without_brotli_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(woff2, "haveBrotli", False)
    (tmp_path / "a.woff2").write_bytes(b"wOF2" + b"\0" * 60)
    refused(tmp_path / "a.woff2", "WOFF2", "pip install brotli")


def test_instances_of_a_variable_font_are_faces(tmp_path):
    builder = box_font({"A": SMALL})
    builder.setupFvar(
        [("wght", 400, 400, 700, "Weight")],
        [{"location": {"wght": 700}, "stylename": "Bold"}],
    )
    wider = [(0, 0), (0, 0), (100, 0), (100, 0), *[(0, 0)] * 4]
    builder.setupGvar({".notdef": [], "u0041": [variation({"wght": (0, 1, 1)}, wider)]})
    path = saved(builder.font, tmp_path / "a.ttf")
    default, bold = open_face(path), open_face(path, "Boxes Bold")
    assert default.font.size == 120 and ink_size(default, "A") == (72, 84)
    assert ink_size(bold, "A") == (84, 84)
    assert ink_size(bold.resized(60), "A") == (42, 42)
    refused(path, "choose from Boxes, Boxes Bold", face="Black")


def test_faces_without_names_can_be_told_apart(tmp_path):
    collection = TTCollection()
    for boxes in (SMALL, [(0, 0, 300, 300)]):
        font = TTFont(save_font(tmp_path / "a.ttf", {"A": boxes}))
        del font["name"]
        collection.fonts.append(font)
    collection.save(tmp_path / "two.ttc")
    refused(tmp_path / "two.ttc", "is a collection: name a face, two, two #1")
    assert ink_size(open_face(tmp_path / "two.ttc", "two #1"), "A") == (36, 36)


def test_a_glyph_that_is_damaged_is_named(tmp_path):
    path = save_font(tmp_path / "a.ttf", {"A": SMALL, "B": SMALL})
    font = TTFont(path)
    start = font.reader.tables["glyf"].offset + font["loca"][font.getGlyphID("u0042")]
    data = bytearray(path.read_bytes())
    data[start : start + 2] = b"\x7f\xff"  # so many contours
    path.write_bytes(data)
    face = open_face(path)
    assert ink_size(face, "A") == (72, 84)
    with pytest.raises(
        ValueError, match=r"a\.ttf cannot draw U\+0042, its outline is damaged"
    ):
        draw(face, "B")


@pytest.mark.parametrize("face", [[], ["--face", "Serif"]])
def test_the_command_says_it_in_a_line(tmp_path, face):
    font = save_font(tmp_path / "a.ttf", {"A": SMALL})
    (tmp_path / "c.csv").write_text("char,caption\nZ,last\n")
    args = [
        "--font",
        font,
        "--captions",
        tmp_path / "c.csv",
        "--out",
        tmp_path / "o.parquet",
    ]
    result = CliRunner().invoke(main, ["data", "build", *map(str, args), *face])
    told = (
        "has no face 'Serif'; choose from" if face else "gives none of the 1 characters"
    )
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert result.stderr.splitlines()[-1].startswith(f"Error: {font} ")
    assert told in result.stderr and not (tmp_path / "o.parquet").exists()
