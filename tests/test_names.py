"""Captions from Unicode names, for any script that a font holds."""

from pathlib import Path

import matplotlib
import pytest
from click.testing import CliRunner
from small_fonts import save_font

from glyflib.__main__ import main
from glyflib.data import load_glyphs
from glyflib.glyphs.names import GARDINER, name_caption, name_captions, parse_ranges

SANS = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
BOX = [(100, 0, 700, 700)]


@pytest.fixture
def build(tmp_path):
    """Run the command on a font of boxes or another: the set, and what was said."""

    def run(chars, *options, font=None):
        font = font or save_font(tmp_path / "a.ttf", {c: BOX for c in chars})
        args = ["data", "build", "--font", font, "--out", tmp_path / "g.parquet"]
        result = CliRunner().invoke(main, [str(arg) for arg in [*args, *options]])
        assert result.exit_code == 0, result.output
        return load_glyphs("all", 32, path=tmp_path / "g.parquet"), result.stdout

    return run


@pytest.mark.parametrize(
    ("char", "caption"),
    [
        ("A", "latin capital letter a"),
        ("♞", "black chess knight"),
        ("😀", "grinning face"),
        ("𒅗", "cuneiform sign ka"),
        ("𓅃", "bird; egyptian hieroglyph g005"),
        ("𓋹", "crown, dress or staff; egyptian hieroglyph s034"),
        ("가", "hangul syllable ga"),
        ("一", ""),
        ("\ue000", ""),
        ("\n", ""),
        ("\u200d", ""),  # zero width joiner, which some fonts draw as a bar
    ],
)
def test_a_name_is_a_caption_if_it_says_something(char, caption):
    assert name_caption(char) == caption


def test_all_hieroglyphs_are_told_by_what_they_show():
    captions = name_captions(range(0x13000, 0x1342F)).values()
    shown = {caption.split("; egyptian")[0] for caption in captions}
    assert shown == set(GARDINER.values())


def test_ranges_are_read_as_they_are_written_elsewhere():
    wanted = [range(0x12000, 0x12100), range(0x41, 0x42)]
    for text in (
        "U+12000-U+120FF,U+41",
        "u+12000..120ff, U+0041",
        "U+12000–U+120FF,U+41",
    ):
        assert list(parse_ranges(text.replace("U+41", "U+0041"))) == wanted


@pytest.mark.parametrize(
    "text", ["A-Z", "12000-120FF", "U+0042-U+0041", "U+110000", ""]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"is no range such as|must end at or after"):
        list(parse_ranges(text))


def test_everything_in_a_font_is_captioned_by_one_command(build):
    glyphs, said = build("AB♞一\ue000", "--names")
    assert glyphs.chars == ("A", "B", "♞")
    assert glyphs.captions[2] == "black chess knight"
    assert "2 without a caption: 一 U+E000" in said


def test_ranges_choose_and_what_the_font_lacks_in_them_is_told(build):
    glyphs, said = build(
        "ABC", "--names", "--chars", "U+0042-U+0044", "--chars", "U+0378"
    )
    assert glyphs.chars == ("B", "C")
    assert "1 not in the font: D\n" in said  # U+0378 is no character


def test_ranges_choose_among_own_captions_too(build, tmp_path):
    table = tmp_path / "c.csv"
    table.write_text("char,caption\nA,one\nB,two\n")
    assert build("AB", "--captions", table, "--chars", "U+0042")[0].captions == ("two",)


def test_a_range_without_any_caption_is_told_in_a_line(tmp_path):
    font = save_font(tmp_path / "a.ttf", {"一": BOX})
    args = ["data", "build", "--font", font, "--names", "--out", tmp_path / "g.parquet"]
    result = CliRunner().invoke(main, list(map(str, args)))
    assert result.exit_code == 1
    assert "glyph: 1 without a caption" in result.stderr


def test_a_wrong_range_is_wrong_usage():
    args = [
        "data",
        "build",
        "--font",
        str(SANS),
        "--chars",
        "A-Z",
        "--out",
        "g.parquet",
    ]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 2 and "'A-Z' is no range such as" in result.stderr


def test_captions_come_from_one_place(tmp_path):
    table = tmp_path / "c.csv"
    table.write_text("char,caption\nA,one\n")
    args = [
        "--font",
        SANS,
        "--captions",
        table,
        "--names",
        "--out",
        tmp_path / "g.parquet",
    ]
    result = CliRunner().invoke(main, ["data", "build", *map(str, args)])
    assert result.exit_code == 2 and "--captions or --names, not both" in result.stderr


def test_ten_glyphs_make_a_set_that_all_readers_read(build, tmp_path):
    glyphs, _ = build("", "--names", "--chars", "U+0041-U+004A", font=SANS)
    path = tmp_path / "g.parquet"
    assert len(glyphs) == len(load_glyphs("train", path=path)) == 10
    nothing = load_glyphs("test", 32, path=path)
    assert len(nothing) == 0 and nothing.images.shape == (0, 1, 32, 32)
    for name in ("codepoints", "radicals", "strokes"):
        assert getattr(nothing, name).dtype == getattr(glyphs, name).dtype
    assert glyphs.radicals.tolist() == glyphs.strokes.tolist() == [0] * 10
    assert set(glyphs.pinyin) == {""} and not glyphs.is_test.any()


def test_a_larger_set_holds_some_back_and_twins_stay_together(build):
    glyphs, _ = build("", "--names", "--chars", "U+0370-U+052F", font=SANS)
    share = glyphs.is_test.float().mean().item()
    assert 0.03 < share <= 0.05
    sides = {}
    for image, is_test in zip(glyphs.images, glyphs.is_test.tolist(), strict=True):
        sides.setdefault(image.numpy().tobytes(), set()).add(is_test)
    assert len(sides) < len(glyphs) and all(len(found) == 1 for found in sides.values())
