"""Read the tables that a glyph set is made from: Unihan, or a reader's own captions.

Invariant: a character is one key everywhere, never a code point in text.
"""

import bz2
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow.csv
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

#: Value of a field for each character: {field: {character: value}}.
Unihan = dict[str, dict[str, str]]


def read_unihan(folder: Path, fields: Iterable[str] = FIELDS) -> Unihan:
    """Read fields of the Unihan database, as {field: {character: value}}.

    Args:
        folder: holds `Unihan_*.txt`, plain or compressed as `.txt.bz2`.
        fields: names such as "kDefinition".

    Raises:
        FileNotFoundError: If the folder holds no such file.
        ValueError: If a line is not code point, field and value.
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
        with open_text(path, "rt", encoding="utf-8") as lines:
            rows = (r for line in lines if (r := line.strip()) and r[0] != "#")
            for row in rows:
                code, *rest = row.split("\t")
                if len(rest) != 2 or not code.startswith("U+"):
                    raise ValueError(f"{path}: not a line of Unihan: {row[:60]!r}")
                if rest[0] in unihan:
                    unihan[rest[0]][chr(int(code[2:], 16))] = rest[1]
    return unihan


def read_captions(path: Path) -> dict[str, str]:
    """Read a caption table with the columns `char` and `caption`, CSV or Parquet.

    Args:
        path: ends in .csv, or is read as Parquet.

    Returns:
        {character: caption}; an empty caption is "". Of rows for one character the last
        counts.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column is missing, or a row does not name one character.
    """
    is_csv = path.suffix.lower() == ".csv"
    table = pyarrow.csv.read_csv(path) if is_csv else pq.read_table(path)
    if missing := {"char", "caption"} - set(table.column_names):
        raise ValueError(f"{path} lacks the column(s) {', '.join(sorted(missing))}")
    chars = [str(char) for char in table["char"].to_pylist()]
    if bad := [char for char in chars if len(char) != 1]:
        raise ValueError(f"{path}: 'char' must be one character, got {bad[0]!r}")
    captions = [str(caption or "") for caption in table["caption"].to_pylist()]
    return dict(zip(chars, captions, strict=True))


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
