"""Labels of parts: which a glyph holds, which it lacks, and where they stand.

Invariant: a label is 1 (holds), 0 (lacks) or -1 (unknown), and what is unknown is
neither learnt nor counted.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from glyflib.data import Glyphs, cheapest_cut
from glyflib.evaluation.parts import PLACES, Part
from glyflib.evaluation.radicals import NUM_RADICALS
from glyflib.files import replace_file
from glyflib.making.parts.spelling import Piece, Speller, Spelt

MIN_GLYPHS = 100  # training glyphs that hold a part, or it is not learnt
KANGXI = 0x2F00 - 1  # code point of the radical before the first
STROKES = range(1, 7)  # radicals of one stroke: nearly every glyph has them
#: Radicals that look alike, in pictures or as parts, as 肉 is drawn as 月 in others.
TWINS = ((72, 73), (32, 33), (74, 130), (22, 23), (34, 35))
#: Radicals that enclose the rest, as far as they are spelt first.
AROUND = frozenset(
    {13, 20, 22, 23, 27, 31, 44, 53, 54, 63, 84, 104, 141, 156, 162, 169, 182, 191}
)
#: Radicals of which the picture does not tell whether they stand beside or around.
UNSURE = frozenset({2, 3, 4, 5, 6, 43, 56, 62, 82, 125, 194, 198, 199, 200})
MARGIN = 0.06  # by which cuts down and across must differ, as shares of the side
RARE = 0.05  # a radical stands in one way if the other is as rare as this

BESIDE, STACKED, ENCLOSED, ALONE, UNDIVIDED = range(5)
DIVISIONS = ("beside", "stacked", "enclosed", "alone", "unknown")
#: Places of the first and the second piece, by division.
PIECES = (("left", "right"), ("top", "bottom"), ("around", "inside"))
WHOLE, FIRST, SECOND = range(3)


class Labels(NamedTuple):
    """What is known of N glyphs and P parts.

    Attributes:
        parts: the P parts.
        holds: (3, N, P) int8 labels of the whole glyph and of its first and second
            piece; -1 where it is not known how a glyph is divided.
        division: (N,) int64 index into `DIVISIONS`.
        is_radical: (N, P) bool, whether the part is the glyph's own radical.
    """

    parts: tuple[Part, ...]
    holds: Tensor
    division: Tensor
    is_radical: Tensor

    def take(self, rows: Tensor) -> "Labels":
        """Labels of some glyphs."""
        return Labels(
            self.parts, self.holds[:, rows], self.division[rows], self.is_radical[rows]
        )


def part_of(radicals: Sequence[int]) -> Part:
    """The part that radicals are, called as Unicode calls the first of them."""
    symbol = chr(KANGXI + radicals[0])
    name = unicodedata.name(symbol).removeprefix("KANGXI RADICAL ").lower()
    return Part(name, unicodedata.normalize("NFKC", symbol), tuple(radicals))


def candidates() -> list[tuple[int, ...]]:
    """Radicals of more than a stroke, twins joined."""
    twins = {number: pair for pair in TWINS for number in pair}
    found = [twins.get(n, (n,)) for n in range(1, NUM_RADICALS + 1) if n not in STROKES]
    return list(dict.fromkeys(found))


def table(pieces: Sequence[Piece | None], parts: Sequence[Sequence[int]]) -> Tensor:
    """Labels (N, P) int8 of pieces; an unknown one holds and lacks nothing."""
    holds, lacks = np.zeros((2, len(pieces), NUM_RADICALS + 1), bool)
    for row, piece in enumerate(pieces):
        if piece is not None:
            holds[row, list(piece.holds)] = True
            lacks[row, list(piece.lacks)] = True
    labels = np.full((len(pieces), len(parts)), -1, np.int8)
    for column, radicals in enumerate(parts):
        labels[lacks[:, list(radicals)].all(1), column] = 0
        labels[holds[:, list(radicals)].any(1), column] = 1
    return torch.from_numpy(labels)


def divide(spelt: Sequence[Spelt], images: Tensor) -> Tensor:
    """How each glyph is divided (N,): by its radical, and by which cut is cheaper.

    A glyph whose two cuts cost nearly the same is divided as those are that have the
    same radical at the same end, if they all agree.

    Args:
        spelt: what is known of the N characters.
        images: (N, 1, 64, 64) uint8.
    """
    ink = 1 - images.squeeze(1).numpy().astype(np.float32) / 255
    score = cheapest_cut(ink.transpose(0, 2, 1)) - cheapest_cut(ink)
    division = np.full(len(spelt), UNDIVIDED)
    groups: dict[tuple[int, bool], list[int]] = {}
    for row, known in enumerate(spelt):
        if known.is_radical:
            division[row] = ALONE
        elif known.first or known.second:
            if known.is_first and known.radical in AROUND:
                division[row] = ENCLOSED
            elif not (known.is_first and known.radical in UNSURE):
                groups.setdefault((known.radical, known.is_first), []).append(row)
    for rows in groups.values():
        values = score[rows]
        beside, stacked = values > MARGIN, values < -MARGIN
        usual = UNDIVIDED
        if stacked.sum() < RARE * beside.sum():
            usual = BESIDE
        elif beside.sum() < RARE * stacked.sum():
            usual = STACKED
        division[rows] = np.select([beside, stacked], [BESIDE, STACKED], usual)
    return torch.from_numpy(division)


def make_labels(
    glyphs: Glyphs, speller: Speller, *, min_glyphs: int = MIN_GLYPHS
) -> Labels:
    """Labels of all parts that enough training glyphs are known to hold.

    Args:
        glyphs: 64x64 ones.
        speller: knows the characters.
        min_glyphs: training glyphs that hold a part, at least.

    Raises:
        ValueError: If no part is held by so many.
    """
    spelt, parts = [speller.read(char) for char in glyphs.chars], candidates()
    division = divide(spelt, glyphs.images)
    whole = table([known.whole for known in spelt], parts)
    counts = (whole[~glyphs.is_test] == 1).sum(0)
    if not (kept := (counts >= min_glyphs).nonzero().squeeze(1).tolist()):
        most = int(counts.max()) if counts.numel() else 0
        raise ValueError(
            f"no part is in {min_glyphs} training glyphs, at most in {most}: give "
            "more glyphs of Chinese characters"
        )
    parts = [parts[column] for column in kept]
    is_cut = (division < ALONE).tolist()
    pieces = [
        [piece if cut else None for piece, cut in zip(column, is_cut, strict=True)]
        for column in zip(
            *((known.first, known.second) for known in spelt), strict=True
        )
    ]
    holds = torch.stack([whole[:, kept], *(table(piece, parts) for piece in pieces)])
    is_radical = torch.tensor(
        [[known.radical in radicals for radicals in parts] for known in spelt]
    )
    return Labels(tuple(map(part_of, parts)), holds, division, is_radical)


def place_labels(holds: Tensor, division: Tensor) -> Tensor:
    """Labels of places: where each part stands, as far as that is known.

    A glyph that is divided in one way has no part in the places of another. A part
    that is not in the glyph stands nowhere.

    Args:
        holds: (3, B, P) as in `Labels`.
        division: (B,) as in `Labels`.

    Returns:
        (B, P, 7) int8, in the order of `PLACES`.
    """
    whole = holds[WHOLE]
    places = torch.full((*whole.shape, len(PLACES)), -1, dtype=torch.int8)
    places[division != UNDIVIDED] = 0
    for kind, pair in enumerate(PIECES):
        rows = division == kind
        for piece, place in zip((FIRST, SECOND), pair, strict=True):
            places[rows, :, PLACES.index(place)] = holds[piece, rows]
    alone = PLACES.index("whole")
    places[..., alone] = torch.where(
        (division == ALONE)[:, None], whole, places[..., alone]
    )
    nested = (division == ALONE)[:, None] & (whole == -1)
    places[nested] = -1  # what a radical alone is made of has no known place
    places[whole == 0] = 0
    return places


def write_labels(labels: Labels, codepoints: Tensor, path: Path) -> None:
    """Write labels as one Parquet file, a row a glyph."""
    columns = {
        "codepoint": pa.array(codepoints.numpy(), pa.int32()),
        "division": [DIVISIONS[i] for i in labels.division.tolist()],
        "radical": as_bytes(labels.is_radical.to(torch.int8)),
    }
    for name, holds in zip(("whole", "first", "second"), labels.holds, strict=True):
        columns[name] = as_bytes(holds)
    found = pa.table(columns)
    replace_file(
        path,
        lambda place: pq.write_table(
            found, place, compression="zstd", compression_level=19
        ),
    )


def as_bytes(values: Tensor) -> pa.Array:
    """Rows (N, P) int8 as N values of P bytes."""
    rows = [row.tobytes() for row in values.numpy()]
    return pa.array(rows, pa.binary(values.shape[1]))


def read_labels(path: Path, parts: Sequence[Part], codepoints: Tensor) -> Labels:
    """Read labels of some glyphs.

    Args:
        path: as `write_labels` wrote it.
        parts: in the file's order.
        codepoints: (N,) of the glyphs, in the order asked for.

    Raises:
        ValueError: If the file is of other parts, or lacks one of the glyphs.
    """
    found = pq.read_table(path)
    if (num := found["whole"].type.byte_width) != len(parts):
        raise ValueError(f"{path} is of {num} parts, not of {len(parts)}")
    rows = {point: row for row, point in enumerate(found["codepoint"].to_pylist())}
    if missing := [c for c in codepoints.tolist() if c not in rows]:
        raise ValueError(f"{path} lacks U+{missing[0]:04X} and {len(missing) - 1} more")
    kept = [rows[c] for c in codepoints.tolist()]

    def values(name: str) -> Tensor:
        data = b"".join(found[name].to_pylist())
        whole = np.frombuffer(data, np.int8).reshape(-1, len(parts))
        return torch.from_numpy(whole[kept])

    names = found["division"].to_pylist()
    return Labels(
        tuple(parts),
        torch.stack([values(name) for name in ("whole", "first", "second")]),
        torch.tensor([DIVISIONS.index(names[row]) for row in kept]),
        values("radical").bool(),
    )
