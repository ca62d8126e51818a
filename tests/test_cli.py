import json
from pathlib import Path

import matplotlib
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from glyflib.__main__ import main
from glyflib.commands.data import data
from glyflib.data import GLYPHS, load_glyphs

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
TARGETS = {"out", "model", "folder"}  # parameters that say where a command writes


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("captions.csv").write_text("char,caption\nA,the first\n一,one\n", "utf-8")
    return lambda *args: CliRunner().invoke(main, ["data", "build", *map(str, args)])


def test_a_reader_builds_a_set_from_a_font_and_a_table(run):
    result = run(
        "--font", FONT, "--captions", "captions.csv", "--out", "new/own.parquet"
    )
    assert result.exit_code == 0, result.output
    assert "1 not in the font: 一" in result.output
    assert "1 glyphs written to new/own.parquet" in result.output
    assert load_glyphs("all", path="new/own.parquet").captions == ("the first",)


def test_rows_left_out_are_told_and_stay_in_the_card(run):
    Path("more.csv").write_text("char,caption\nA,one\nA,two\nAB,three\nB,\n")
    result = run("--font", FONT, "--captions", "more.csv", "--out", "own.parquet")
    told = ["1 captioned before: A (row 3)", "1 not one character: 'AB' (row 4)"]
    assert result.stdout.splitlines()[:3] == [*told, "1 without a caption: B"]
    card = json.loads(Path("own.parquet.json").read_text("utf-8"))
    assert card["rows_left_out"]["captioned before"] == ["A (row 3)"]


def test_every_so_many_th_character_is_drawn_in_the_order_of_code_points(run):
    rows = [f"{char},letter {char}" for char in "HGFEDCBA"]
    Path("eight.csv").write_text("\n".join(["char,caption", *rows]))
    given = "--font", FONT, "--captions", "eight.csv", "--out", "own.parquet"
    assert run(*given, "--every", "3").exit_code == 0
    assert load_glyphs("all", path="own.parquet").chars == ("A", "D", "G")


def test_a_users_mistake_is_one_line_and_exit_code_1(run):
    Path("bad.csv").write_text("char,text\nA,the first\n")
    result = run("--font", FONT, "--captions", "bad.csv", "--out", "own.parquet")
    assert result.exit_code == 1
    told = "lacks the column(s) caption; its columns are called 'char', 'text'"
    assert result.stderr == f"Error: bad.csv {told}\n"


def test_missing_options_are_a_usage_error(run):
    result = run("--font", FONT, "--out", "own.parquet")
    assert result.exit_code == 2
    assert "give --captions, --names or --unihan" in result.stderr


def test_help_names_every_option():
    text = CliRunner().invoke(main, ["data", "build", "--help"]).output
    assert all(
        o in text
        for o in (
            "--font",
            "--face",
            "--unihan",
            "--captions",
            "--names",
            "--every",
            "--em",
            "--out",
        )
    )


@pytest.mark.parametrize("name", sorted(data.commands))
def test_what_may_replace_the_books_data_must_be_named(name):
    """Only `results` has a place of its own: it keeps what is whole there."""
    targets = [p for p in data.commands[name].params if p.name in TARGETS]
    assert len(targets) == 1
    assert targets[0].required or name == "results"


def test_a_set_of_ones_own_never_replaces_the_books(run):
    before = GLYPHS.stat()
    result = run("--font", FONT, "--captions", "captions.csv")
    assert result.exit_code == 2 and "Missing option '--out'" in result.stderr
    assert GLYPHS.stat() == before


def test_what_is_read_is_not_replaced(run):
    rows = {"char": ["A"], "caption": ["the first"]}
    parquet.write_table(pa.table(rows), "mine.parquet")
    before = Path("mine.parquet").read_bytes()
    result = run("--font", FONT, "--captions", "mine.parquet", "--out", "mine.parquet")
    assert result.exit_code == 2 and "would replace what is read" in result.stderr
    assert Path("mine.parquet").read_bytes() == before


def test_a_glyph_set_is_parquet_by_name_too(run):
    result = run("--font", FONT, "--captions", "captions.csv", "--out", "own.csv")
    assert result.exit_code == 2
    assert "own.csv is written as .parquet" in result.stderr.replace("\n", " ")


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_link_stays_and_a_read_only_set_is_kept(run, is_writable):
    Path("real.parquet").touch()
    Path("own.parquet").symlink_to("real.parquet")
    Path("real.parquet").chmod(0o644 if is_writable else 0o444)
    result = run("--font", FONT, "--captions", "captions.csv", "--out", "own.parquet")
    assert Path("own.parquet").is_symlink()
    assert result.exit_code == (0 if is_writable else 1)
    assert bool(Path("real.parquet").stat().st_size) == is_writable
    assert is_writable or "own.parquet is read-only" in result.stderr


def test_the_cover_is_a_png_by_name_too(tmp_path):
    result = CliRunner().invoke(main, ["data", "cover", str(tmp_path / "x.jpg")])
    assert result.exit_code == 2 and "is written as .png" in result.stderr
    assert list(tmp_path.iterdir()) == []
