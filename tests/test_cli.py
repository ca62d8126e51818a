from pathlib import Path

import matplotlib
import pytest
from click.testing import CliRunner

from glyflib.__main__ import main
from glyflib.data import load_glyphs

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


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


def test_a_users_mistake_is_one_line_and_exit_code_1(run):
    Path("bad.csv").write_text("char,text\nA,the first\n")
    result = run("--font", FONT, "--captions", "bad.csv", "--out", "own.parquet")
    assert result.exit_code == 1
    assert result.stderr == "Error: bad.csv lacks the column(s) caption\n"


def test_missing_options_are_a_usage_error(run):
    result = run("--font", FONT)
    assert result.exit_code == 2
    assert "give --unihan, --captions or both" in result.stderr


def test_help_names_every_option():
    text = CliRunner().invoke(main, ["data", "build", "--help"]).output
    assert all(
        o in text for o in ("--font", "--face", "--unihan", "--captions", "--out")
    )
