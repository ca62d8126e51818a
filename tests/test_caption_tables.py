"""Readers' own captions: what is text stays text, and nothing is lost in silence."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from glyflib.glyphs.tables import read_captions

TWO = {"龍": "dragon; long, winding", "0": "007"}
CSV = 'char,caption\n龍,"dragon; long, winding"\n0,007\n'
TEXTS = {
    "utf-8": CSV.encode(),
    "with its mark": CSV.encode("utf-8-sig"),
    "utf-16": CSV.encode("utf-16"),
    "utf-16, most significant first": b"\xfe\xff" + CSV.encode("utf-16-be"),
    "line ends of Windows": CSV.replace("\n", "\r\n").encode(),
    "line ends of old": CSV.replace("\n", "\r").encode(),
    "semicolons": 'char;caption\n龍;"dragon; long, winding"\n0;007\n'.encode(),
    "tabs": "char\tcaption\n龍\tdragon; long, winding\n0\t007\n".encode(),
    "other columns": 'n,Caption, CHAR\n1,"dragon; long, winding",龍\n,007,0\n'.encode(),
    "empty rows and cells": f"{CSV.replace('007', '007,,')}\n,\n , ,\n".encode(),
}


@pytest.fixture
def read(tmp_path):
    """Read a table from its bytes or text."""

    def read_back(data, name="captions.csv"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_captions(path)

    return read_back


def write_columns(path, **columns):
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kind", TEXTS)
def test_a_table_is_read_as_text(read, kind):
    captions = read(TEXTS[kind])
    assert dict(captions.of) == TWO and captions.left_out == {}


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a"])
def test_the_files_name_does_not_matter(read, name):
    assert dict(read(TEXTS["tabs"], name).of) == TWO


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), "dictionary"])
def test_a_parquet_table_of_text_is_read(tmp_path, kind):
    columns = {"char": pa.array(TWO), "caption": pa.array(TWO.values())}
    cast = pa.dictionary(pa.int32(), pa.string()) if kind == "dictionary" else kind
    columns = {name: column.cast(cast) for name, column in columns.items()}
    assert (
        dict(read_captions(write_columns(tmp_path / "a.parquet", **columns)).of) == TWO
    )


def test_numbers_in_parquet_are_refused_before_they_lose_their_zeros(tmp_path):
    path = write_columns(tmp_path / "a.parquet", char=["A"], caption=[7])
    with pytest.raises(ValueError, match="column 'caption' holds int64, not text"):
        read_captions(path)


def test_of_several_captions_the_first_is_taken_and_the_others_are_named(read):
    captions = read("char,caption\nB,first\nA,one\nB,second\nB,first\n")
    assert dict(captions.of) == {"B": "first", "A": "one"}
    assert captions.left_out == {"captioned before": ["B (row 4)", "B (row 5)"]}


def test_rows_that_name_no_single_character_are_told(read):
    captions = read("char,caption\nAB,two\n,none\n1\ufe0f\u20e3,keycap\nA,one\n")
    assert dict(captions.of) == {"A": "one"}
    assert captions.left_out == {
        "not one character": ["'AB' (row 2)", "'1\ufe0f\u20e3' (row 4)"],
        "without a character": ["row 3"],
    }


def test_a_selector_is_dropped_and_an_accent_joins_its_letter(read):
    captions = read("char,caption\n☀\ufe0f,sun\ne\u0301,e acute\n\uf900,kept\n")
    assert list(captions.of) == ["☀", "é", "\uf900"]


def test_a_row_without_a_caption_is_kept_with_an_empty_one(read):
    assert dict(read("char,caption\nA\nB,\nC,see\n").of) == {
        "A": "",
        "B": "",
        "C": "see",
    }


REFUSED = {
    "bad utf-8": (
        b"char,caption\nB,ok\nA,caf\xe9 noir\n",
        r"line 3 is not UTF-8.*CSV UTF",
    ),
    "cut utf-16": (CSV.encode("utf-16")[:-1], "line 1 is not UTF-16|not UTF-16"),
    "utf-16 without mark": (CSV.encode("utf-16-le"), "not UTF-8"),
    "a letter's zero bytes": ("A,a\n".encode("utf-16-le"), "holds zero bytes"),
    "spreadsheet": (b"PK\x03\x04rest", "is a spreadsheet: save it as CSV"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0rest", "is a spreadsheet"),
    "empty": (b"", "is empty"),
    "blank": (b"\xef\xbb\xbf\n\n", "is empty"),
    "header alone": (b"char,caption\n", "names no character; no row"),
    "no header": (
        b"A,letter\n",
        r"lacks the column\(s\) caption, char; its columns are called 'A'",
    ),
    "a column missing": (b"char,text\nA,x\n", r"lacks the column\(s\) caption;"),
    "a column twice": (b"char,caption,Caption\nA,x,y\n", "the column caption twice"),
    "comma without quotes": (
        b"char,caption\nA,x,y\n",
        "row 2 has 3 cells, the first 2",
    ),
    "open quote": (b'char,caption\nA,x\nB,"y\nC,z\n', "row 3 cannot be read"),
    "words only": (
        b"char,caption\nAB,x\n",
        "names no character; not one character: 'AB'",
    ),
    "damaged parquet": (b"PAR1 no more", "is no whole Parquet file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_as_meant_is_refused_in_a_line(read, kind):
    data, said = REFUSED[kind]
    with pytest.raises(ValueError, match=said) as caught:
        read(data)
    assert "captions.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_a_parquet_file_by_name_alone_is_refused(read):
    with pytest.raises(ValueError, match="is no whole Parquet file"):
        read("char,caption\nA,x\n", "captions.parquet")
