"""Draw a font's glyphs beside their captions and write them as one Parquet file.

Invariant: the same font and tables give the same file with the pinned versions; a
build that fails leaves the old file as it was.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from glyflib.data import IMAGE_SIZE
from glyflib.files import replace_file, write_text
from glyflib.glyphs.captions import clean, count_changes, referred_to
from glyflib.glyphs.fonts import (
    Face,
    draw,
    fit_face,
    keeps_clear,
    size_that_fits,
)
from glyflib.glyphs.split import group_rows, split_groups
from glyflib.glyphs.tables import Unihan, first_number, variants_of

# Why a character gives no glyph.
NOT_IN_FONT = "not in the font"
BLANK = "blank in the font"
UNCAPTIONED = "without a caption"
TOO_LARGE = "too large for the picture"
NOTHING: Mapping[str, Sequence[str]] = {}
ROWS_PER_GROUP = 2048
SCHEMA = pa.schema(
    [
        ("codepoint", pa.int32()),
        ("char", pa.string()),
        ("definition", pa.string()),
        ("caption", pa.string()),
        ("pinyin", pa.string()),
        ("radical", pa.int16()),
        ("strokes", pa.int16()),
        ("variants", pa.string()),
        ("group", pa.int32()),
        ("split", pa.string()),
        ("image", pa.binary(IMAGE_SIZE**2)),
    ]
)


class Built(NamedTuple):
    """What a build made.

    Attributes:
        rows: number of glyphs written.
        left_out: {reason: what was left out for it}: characters, or rows of a table
            in the words of a report. Of characters there are four reasons, the first
            four constants of this module; a caption may be empty only once cleaned.
        card: counts for the data card, as stored beside the file; if a character was
            too large, "em_for_all" is the size in pixels an em at which none is.
    """

    rows: int
    left_out: dict[str, Sequence[str]]
    card: dict[str, Any]


def build_glyphs(
    face: Face,
    definitions: Mapping[str, str],
    unihan: Unihan,
    out: Path,
    *,
    is_unihan: bool = True,
    em: int | None = None,
    left_out: Mapping[str, Sequence[str]] = NOTHING,
    progress: Callable = lambda items: items,
) -> Built:
    """Draw every defined character that the font covers, and write the glyph set.

    Args:
        face: the font face to draw with.
        definitions: {character: definition}.
        unihan: readings, radicals, strokes and variants; empty fields will do.
        out: the Parquet file; a card with the counts goes to `out` + ".json".
        is_unihan: clean the definitions by the caption rules; a reader's own
            captions are kept as they are but for spaces at the ends.
        em: pixels an em; by default as many as `fit_face` finds right, at most 120.
        left_out: what the definitions lack already, by its reason, to be told in the
            card (as `Captions.left_out`).
        progress: wraps the sequence of characters while they are drawn.

    Raises:
        ValueError: If no character is left to draw.
    """
    covered = {c: definitions[c] for c in sorted(definitions) if face.covers(c)}
    captions = {c: clean(d) if is_unihan else d.strip() for c, d in covered.items()}
    named = [c for c in covered if captions[c]]
    face = fit_face(face, named, em=em)
    clear = [c for c in named if keeps_clear(face, c)]
    drawn = {c: draw(face, c) for c in progress(clear)}
    pictures = {c: levels.tobytes() for c, levels in drawn.items() if np.ptp(levels)}
    lost = {
        NOT_IN_FONT: "".join(sorted(definitions.keys() - covered.keys())),
        BLANK: "".join(c for c in clear if c not in pictures),
        UNCAPTIONED: "".join(c for c in covered if not captions[c]),
        TOO_LARGE: "".join(c for c in named if c not in drawn),
    }
    if not pictures:
        told = f"gives none of the {len(definitions)} characters asked for a glyph"
        counts = [f"{len(chars)} {why}" for why, chars in lost.items() if chars]
        raise ValueError(f"{face.path} {told}: {', '.join(counts) or 'there is none'}")
    chars, images = list(pictures), list(pictures.values())
    variants = [
        "".join(sorted({*variants_of(c, unihan), *referred_to(covered[c])} - {c}))
        for c in chars
    ]
    twins = [
        {char, *others, ("caption", captions[char].casefold()), image}
        for char, others, image in zip(chars, variants, images, strict=True)
    ]
    groups = group_rows(twins)
    columns = {
        "codepoint": [ord(c) for c in chars],
        "char": chars,
        "definition": [covered[c] for c in chars],
        "caption": [captions[c] for c in chars],
        "pinyin": [unihan["kMandarin"].get(c, "").split(" ")[0] for c in chars],
        "radical": [first_number(unihan["kRSUnicode"].get(c, "")) for c in chars],
        "strokes": [first_number(unihan["kTotalStrokes"].get(c, "")) for c in chars],
        "variants": variants,
        "group": groups,
        "split": split_groups(groups, chars),
        "image": images,
    }
    table = pa.Table.from_pydict(columns, schema=SCHEMA)
    card = describe(table, face, len(definitions), lost)
    if lost[TOO_LARGE]:
        card["em_for_all"] = size_that_fits(face, lost[TOO_LARGE])
    card["rules"] = count_changes(covered.values()) if is_unihan else []
    card["rows_left_out"] = {reason: list(rows) for reason, rows in left_out.items()}
    write(table, card, out)
    return Built(len(chars), {**left_out, **lost}, card)


def describe(
    table: pa.Table, face: Face, defined: int, lost: Mapping[str, str]
) -> dict[str, Any]:
    """The counts of the data card; `lost` are characters by reason."""
    captions = table["caption"].to_pylist()
    words = np.array([len(caption.split()) for caption in captions])
    repeats = Counter(captions)
    return {
        "font": face.name,
        "em_pixels": face.font.size,
        "defined": defined,
        "not_in_font": len(lost[NOT_IN_FONT]),
        "not_in_font_chars": lost[NOT_IN_FONT],
        "blank": len(lost[BLANK]),
        "blank_chars": lost[BLANK],
        "too_large": len(lost[TOO_LARGE]),
        "too_large_chars": lost[TOO_LARGE],
        "empty_captions": len(lost[UNCAPTIONED]),
        "empty_caption_chars": lost[UNCAPTIONED],
        "glyphs": len(table),
        "splits": dict(sorted(Counter(table["split"].to_pylist()).items())),
        "groups": len(set(table["group"].to_pylist())),
        "largest_group": max(Counter(table["group"].to_pylist()).values()),
        "distinct_images": len(set(table["image"].to_pylist())),
        "distinct_captions": len(repeats),
        "glyphs_with_shared_caption": sum(n for n in repeats.values() if n > 1),
        "most_repeated_captions": repeats.most_common(10),
        "caption_words": {
            "median": int(np.median(words)),
            "p95": int(np.percentile(words, 95)),
            "max": int(words.max()),
        },
    }


def write(table: pa.Table, card: dict[str, Any], out: Path) -> None:
    """Write the Parquet file and its card, each whole or not at all."""
    save = partial(
        pq.write_table,
        table,
        compression="zstd",
        compression_level=19,
        row_group_size=ROWS_PER_GROUP,
        use_dictionary=["split"],
        write_page_checksum=True,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, save)
    with out.open("rb") as file:
        card["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    write_text(out.with_name(out.name + ".json"), text)
