"""Read the tables that a glyph set is made from: Unihan, or a reader's own captions.

Invariant: a character is one key everywhere, never a code point in text.
"""

import bz2
import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

VARIANT_FIELDS = (
    "kSimplifiedVariant",
    "kTraditionalVariant",
    "kSemanticVariant",
    "kSpecializedSemanticVariant",
    "kZVariant",
    "kCompatibilityVariant",
)
FIELDS = ("kDefinition", "kMandarin", "kRSUnicode", "kTotalStrokes", *VARIANT_FIELDS)

UNIHAN_ROW = re.compile(r"U\+((?:10|[0-9A-F])?[0-9A-F]{4})\t([^\t]*)\t([^\t]*)")
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
SEPARATORS = ",;\t"
TEXT_TYPES = (pa.string(), pa.large_string(), pa.string_view(), pa.null())
SHOWN_CELL = 40  # characters of a faulty cell in an error
AS_UTF8 = 'save it as UTF-8 (a spreadsheet calls that "CSV UTF-8")'

#: Field -> character -> value.
Unihan = dict[str, dict[str, str]]
#: For glyphs of which Unihan tells nothing, such as those of other scripts.
NO_UNIHAN: Unihan = {field: {} for field in FIELDS}


class Captions(NamedTuple):
    """Captions, and what gave none.

    Attributes:
        of: {character: caption}; a caption may be empty.
        left_out: {reason: what was left out for it, in the words of a report}.
    """

    of: Mapping[str, str]
    left_out: Mapping[str, Sequence[str]]


def read_unihan(folder: Path, fields: Iterable[str] = FIELDS) -> Unihan:
    """Read fields of the Unihan database, as {field: {character: value}}.

    Args:
        folder: holds `Unihan_*.txt`, plain or compressed as `.txt.bz2`.
        fields: names such as "kDefinition".

    Raises:
        FileNotFoundError: If the folder holds no such file.
        ValueError: If a file is damaged, or a line is not code point, field and value.
    """
    paths = sorted([*folder.glob("Unihan_*.txt"), *folder.glob("Unihan_*.txt.bz2")])
    if not paths:
        raise FileNotFoundError(
            f"no Unihan_*.txt or Unihan_*.txt.bz2 in {folder}: install Debian's "
            "unicode-data, or unpack unicode.org's Unihan.zip there"
        )
    unihan: Unihan = {field: {} for field in fields}
    for path in paths:
        open_text = bz2.open if path.suffix == ".bz2" else open
        try:
            with open_text(path, "rt", encoding="utf-8") as lines:
                for char, field, value in unihan_rows(path, lines):
                    if field in unihan:
                        unihan[field][char] = value
        except (UnicodeDecodeError, EOFError, OSError) as error:
            raise ValueError(f"{path} is damaged ({error})") from error
    return unihan


def unihan_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Character, field and value of each line that is neither empty nor a comment.

    Raises:
        ValueError: If a line is not code point, field and value.
    """
    for line in lines:
        row = line.strip()
        if not row or row[0] == "#":
            continue
        if not (found := UNIHAN_ROW.fullmatch(row)):
            raise ValueError(f"{path}: not a line of Unihan: {row[:60]!r}")
        code, field, value = found.groups()
        yield chr(int(code, 16)), field, value


def read_captions(path: Path) -> Captions:
    """Read a caption table with the columns `char` and `caption`, and maybe others.

    The file is Parquet, or text with commas, semicolons or tabs between the cells,
    in UTF-8 or, with its byte-order mark, UTF-16. Both columns are text: "007" stays
    so. The case of the columns' names does not matter.

    What cannot be read as it was meant is refused. A row that cannot become a glyph
    is left out and named: one without a character, one with several (a variation
    selector after it does not count, and accents join their letter), and one whose
    character has a caption already. Rows without a caption are kept, with an empty
    one; rows without anything are skipped.

    Args:
        path: ends in .csv, or is read as Parquet.

    Returns:
        Character -> caption; an empty caption is "". Of rows for one character the last
        counts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is a spreadsheet, damaged or empty, a column is missing,
            repeated or not text, a row has more cells than the first, or no row names
            a character.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(SPREADSHEETS):
        told = "is a spreadsheet: save it as CSV (UTF-8) and give that"
        raise ValueError(f"{path} {told}")
    is_parquet = start.startswith(b"PAR1") or path.suffix.lower() == ".parquet"
    cells = parquet_cells(path) if is_parquet else text_cells(path)
    captions: dict[str, str] = {}
    left_out: dict[str, list[str]] = {}
    for row, (given, caption) in cells:
        char = one_character(given)
        if char and char not in captions:
            captions[char] = caption
        elif char:
            left_out.setdefault("captioned before", []).append(f"{char} (row {row})")
        elif given:
            named = f"{given[:SHOWN_CELL]!r} (row {row})"
            left_out.setdefault("not one character", []).append(named)
        elif caption:
            left_out.setdefault("without a character", []).append(f"row {row}")
    if not captions:
        found = [f"{what}: {named[0]}" for what, named in left_out.items()]
        raise ValueError(
            f"{path} names no character; {found[0] if found else 'no row'}"
        )
    return Captions(captions, left_out)


def one_character(given: str) -> str:
    """The character that a cell names, or "" if it names none or several.

    A variation selector asks for a colour or a plain picture of the character before
    it, so it goes; a letter and its accent become one code point where there is one.
    """
    if len(given) > 1:
        given = unicodedata.normalize("NFC", given.rstrip("\ufe0e\ufe0f"))
    return given if len(given) == 1 else ""


def parquet_cells(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """The char and caption cells of a Parquet file with their row numbers, from 1.

    Raises:
        ValueError: If the file is damaged, or the columns are not as `read_captions`
            wants them.
    """
    try:
        schema = pq.read_schema(path)
        places = caption_columns(path, schema.names)
        for place in places:
            kind, name = schema.types[place], schema.names[place]
            kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            if kind not in TEXT_TYPES:
                told = f"{path}: column {name!r} holds {kind}, not text"
                raise ValueError(f"{told}: store it as strings, so that 007 stays 007")
        names = [schema.names[place] for place in places]
        table = pq.read_table(path, columns=names)
        pairs = [table[name].cast(pa.string()).to_pylist() for name in names]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is no whole Parquet file ({reason})") from error
    for row, (char, caption) in enumerate(zip(*pairs, strict=True), start=1):
        yield row, ((char or "").strip(), (caption or "").strip())


def text_cells(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """The char and caption cells of a text file with their row numbers, from 2.

    The first row names the columns. It also tells what stands between the cells.

    Raises:
        ValueError: If the file is not text, or not as `read_captions` wants it.
    """
    text = decode(path)
    if not text.strip():
        raise ValueError(f"{path} is empty")
    mark = separator_of(text.split("\n", 1)[0].split("\r", 1)[0])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    row = 0
    try:
        for row, cells in enumerate(rows, start=1):
            if row == 1:
                places, width = caption_columns(path, cells), len(cells)
            elif any(cell.strip() for cell in cells[width:]):
                told = f"{path}: row {row} has {len(cells)} cells, the first {width}"
                raise ValueError(f"{told}: put what holds a {mark!r} into quotes")
            else:
                full = [cell.strip() for cell in cells] + [""] * width
                yield row, (full[places[0]], full[places[1]])
    except csv.Error as error:
        told = f"{path}: row {row + 1} cannot be read ({error})"
        raise ValueError(f"{told}: write quotes inside quotes twice") from error


def separator_of(header: str) -> str:
    """What stands between the cells of a table whose first line this is."""
    for mark in SEPARATORS:
        names = next(csv.reader([header], delimiter=mark), [])
        if {"char", "caption"} <= {name.strip().casefold() for name in names}:
            return mark
    return max(SEPARATORS, key=header.count)


def decode(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte-order mark.

    Raises:
        ValueError: If it is neither; the line is named.
    """
    data = path.read_bytes()
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        lines = data[: error.start + 1].splitlines()
        told = f"{path}: line {len(lines)} is not {'UTF-16' if is_wide else 'UTF-8'}"
        found = lines[-1][-SHOWN_CELL:]
        raise ValueError(f"{told}, at the end of {found!r}: {AS_UTF8}") from error
    if "\0" in text:
        raise ValueError(f"{path} is not UTF-8, it holds zero bytes: {AS_UTF8}")
    return text


def caption_columns(path: Path, names: Sequence[str]) -> list[int]:
    """Where the columns `char` and `caption` stand among the names.

    Raises:
        ValueError: If one is missing, or there twice.
    """
    folded = [name.strip().casefold() for name in names]
    if missing := [name for name in ("caption", "char") if name not in folded]:
        told = f"{path} lacks the column(s) {', '.join(missing)}"
        found = ", ".join(repr(name[:SHOWN_CELL]) for name in names[:SHOWN_CELL])
        raise ValueError(f"{told}; its columns are called {found or 'nothing'}")
    if twice := [name for name in ("char", "caption") if folded.count(name) > 1]:
        raise ValueError(f"{path} has the column {twice[0]} twice: rename one of them")
    return [folded.index(name) for name in ("char", "caption")]


def variants_of(char: str, unihan: Unihan) -> set[str]:
    """The characters that Unihan calls variants of this one.

    Args:
        char: one character.
        unihan: with all of `VARIANT_FIELDS`.

    Raises:
        KeyError: If a field is missing.
    """
    values = " ".join(unihan[field].get(char, "") for field in VARIANT_FIELDS)
    return {chr(int(code, 16)) for code in re.findall(r"U\+([0-9A-F]+)", values)}


def first_number(value: str) -> int:
    """The first whole number in a field such as "167'.3 8.5"; 0 if there is none.

    Args:
        value: of a field of Unihan.
    """
    found = re.search(r"\d+", value)
    return int(found[0]) if found else 0
