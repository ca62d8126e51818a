import bz2
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTCollection, TTFont

from glyflib.data import load_glyphs
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.captions import referred_to
from glyflib.glyphs.fonts import draw, open_face
from glyflib.glyphs.tables import FIELDS, first_number, read_unihan

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
SANS, MONO = FONTS / "DejaVuSans.ttf", FONTS / "DejaVuSansMono.ttf"
NO_UNIHAN = {field: {} for field in FIELDS}
UNIHAN_LINES = """# a comment
U+4E18\tkDefinition\thill, mound
U+4E20\tkDefinition\t(same as U+4E18 丘) hillock or mound
U+4E18\tkRSUnicode\t1.4 2.3
U+4E18\tkSemanticVariant\tU+5775<kMatthews U+4E20
U+4E18\tkMandarin\tqiū
"""


@pytest.fixture(scope="module")
def face():
    return open_face(SANS)


@pytest.fixture
def collection(tmp_path):
    ttc = TTCollection()
    ttc.fonts = [TTFont(SANS), TTFont(MONO)]
    ttc.save(tmp_path / "two.ttc")
    return tmp_path / "two.ttc"


def test_a_drawn_letter_is_centred_by_its_em_square(face):
    levels = draw(face, "O")
    assert levels.shape == (128, 128) and levels.dtype == np.uint8
    assert levels.max() == 15 and levels.min() == 0
    columns = np.flatnonzero((levels < 8).any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - 63.5) <= 1
    assert draw(face, ".")[:64].min() == 15  # a full stop keeps its low place


def test_coverage_is_read_from_the_cmap_and_what_lacks_is_named(face, tmp_path):
    given = {"A": "the first letter", "一": "one", "B": "the second letter"}
    built = build_glyphs(
        face, given, NO_UNIHAN, tmp_path / "g.parquet", is_unihan=False
    )
    assert (built.rows, built.left_out["not in the font"]) == (2, "一")
    assert load_glyphs("all", path=tmp_path / "g.parquet").chars == ("A", "B")


def test_a_covered_but_blank_character_is_told_as_such(face, tmp_path):
    given = {"A": "the first letter", "\u2003": "an em space"}
    built = build_glyphs(
        face, given, NO_UNIHAN, tmp_path / "g.parquet", is_unihan=False
    )
    assert (built.rows, built.left_out["blank in the font"]) == (1, "\u2003")


def test_own_captions_are_kept_as_they_are(face, tmp_path):
    given = {"A": "alpha (same as U+4E00 一)", "B": "  "}
    built = build_glyphs(
        face, given, NO_UNIHAN, tmp_path / "g.parquet", is_unihan=False
    )
    assert load_glyphs("all", path=tmp_path / "g.parquet").captions == (given["A"],)
    assert built.left_out["without a caption"] == "B"


def test_the_same_input_gives_the_same_file(face, tmp_path):
    given = {c: f"letter {c}" for c in "ABCDEFGH"}
    cards = [
        build_glyphs(face, given, NO_UNIHAN, tmp_path / name, is_unihan=False).card
        for name in ("a.parquet", "b.parquet")
    ]
    assert cards[0]["sha256"] == cards[1]["sha256"]
    stored = json.loads((tmp_path / "a.parquet.json").read_text("utf-8"))
    assert stored["glyphs"] == 8


def test_a_failed_build_leaves_the_old_file(face, tmp_path):
    out = tmp_path / "g.parquet"
    build_glyphs(face, {"A": "letter"}, NO_UNIHAN, out, is_unihan=False)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="gives none of the 1 characters"):
        build_glyphs(face, {"一": "one"}, NO_UNIHAN, out)
    assert out.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.parquet", "g.parquet.json"]


def test_a_face_of_a_collection_is_chosen_by_name(collection):
    sans, mono = (open_face(collection, n) for n in ("DejaVu Sans", "DejaVu Sans Mono"))
    assert (draw(sans, "i") != draw(mono, "i")).any()
    assert (draw(sans, "i") == draw(open_face(SANS), "i")).all()


def test_an_unknown_or_unnamed_face_lists_the_faces(collection):
    with pytest.raises(ValueError, match=r"no face 'Serif'.*DejaVu Sans, DejaVu"):
        open_face(collection, "Serif")
    with pytest.raises(ValueError, match="is a collection: name a face, DejaVu Sans"):
        open_face(collection)


def test_a_file_that_is_no_font_is_refused(tmp_path):
    (tmp_path / "x.ttf").write_text("not a font")
    with pytest.raises(ValueError, match="not a TrueType or OpenType font"):
        open_face(tmp_path / "x.ttf")
    with pytest.raises(FileNotFoundError, match="no font at"):
        open_face(tmp_path / "y.ttf")


@pytest.mark.parametrize("name", ["Unihan_Readings.txt", "Unihan_Readings.txt.bz2"])
def test_unihan_is_read_plain_or_compressed(tmp_path, name):
    text = UNIHAN_LINES.encode()
    (tmp_path / name).write_bytes(bz2.compress(text) if name.endswith("bz2") else text)
    unihan = read_unihan(tmp_path)
    assert unihan["kDefinition"]["丘"] == "hill, mound"
    assert first_number(unihan["kRSUnicode"]["丘"]) == 1


def test_unihan_files_that_are_missing_or_broken_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no Unihan_\*"):
        read_unihan(tmp_path)
    (tmp_path / "Unihan_Readings.txt").write_text("U+4E18 kDefinition hill\n")
    with pytest.raises(ValueError, match="not a line of Unihan: 'U"):
        read_unihan(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Unihan_A.txt", b"U+4E18\tkDefinition\tcaf\xe9\n"),
        ("Unihan_A.txt.bz2", bz2.compress(UNIHAN_LINES.encode())[:-9]),
        ("Unihan_A.txt.bz2", b"no archive"),
        ("Unihan_A.txt", b"U+4E1X\tkDefinition\thill\n"),
    ],
)
def test_a_damaged_unihan_file_is_named_in_a_line(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name}(:| is damaged)"):
        read_unihan(tmp_path)


def test_a_definition_names_its_twins():
    assert referred_to("(same as U+4E18 丘) hillock") == {"丘"}
    assert referred_to("non-standard form of 第 U+7B2C, sequence") == {"第"}
    assert referred_to("(Cant.) 傢俬, furniture") == set()
