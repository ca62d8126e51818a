"""Labels of parts: what codes prove, what they leave open, and halves put together."""

import pytest
import torch

from glyflib.data import load_glyphs
from glyflib.evaluation.parts import PARTS, PLACES, Part, PartReader
from glyflib.making.parts.labels import (
    ALONE,
    BESIDE,
    DIVISIONS,
    ENCLOSED,
    FIRST,
    SECOND,
    STACKED,
    UNDIVIDED,
    WHOLE,
    Labels,
    candidates,
    divide,
    make_labels,
    part_of,
    place_labels,
    read_labels,
    write_labels,
)
from glyflib.making.parts.paste import (
    cheapest_seams,
    cut_halves,
    find_frames,
    largest_room,
    paste,
    paste_inside,
)
from glyflib.making.parts.spelling import (
    Piece,
    Speller,
    Spelt,
    as_first,
    as_second,
    is_within,
    splits,
)
from glyflib.making.radicals.train import Views

# Character, kCangjie, kRSUnicode, kTotalStrokes, as in Unihan 15.0.
ROWS = """
疒 XK 104.0 5
火 F 86.0 4
炎 FF 86.4 8
心 P 61.0 4
忄 XP 61.0 3
土 G 32.0 3
志 GP 61.3 7
疢 KF 104.4 9
痰 KFF 104.8 13
痣 KGP 104.7 12
木 D 75.0 4
林 DD 75.4 8
言 YMMR 149.0 7
口 R 30.0 3
五 MDM 7.2 4
吾 MMR 30.4 7
語 YRMMR 149.7 14
鳥 HAYF 196.0 11
匕 UH 21.0 2
勹 XP 20.0 2
旨 PA 72.2 6
囗 BM 31.0 3
同 BMR 30.3 6
回 WR 31.3 6
囚 WO 31.2 5
因 WK 31.3 6
困 WD 31.4 7
固 WJR 31.5 8
古 JR 30.2 5
人 O 9.0 2
大 K 37.0 3
十 J 24.0 2
鳴 RHAF 196.3 14
忙 PYV 61.3 6
亡 YV 8.1 3
日 A 72.0 4
暗 AYTA 72.9 13
謝 YRHHI 149.10 17
二 MM 7.0 2
亠 XY 8.0 2
凵 VL 17.0 2
"""


def table(rows=ROWS):
    unihan = {"kCangjie": {}, "kRSUnicode": {}, "kTotalStrokes": {}}
    for row in rows.split("\n"):
        if row:
            char, code, radical, strokes = row.split()
            unihan["kCangjie"][char] = code
            unihan["kRSUnicode"][char] = radical
            unihan["kTotalStrokes"][char] = strokes
    return unihan


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def speller():
    return Speller(table())


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("test", 64)


@pytest.fixture(scope="module")
def labels(glyphs):
    """Those that are shipped, of the held-out glyphs."""
    parts = PartReader.load().parts
    return read_labels(PARTS / "labels.parquet", parts, glyphs.codepoints)


# What a code proves.


@pytest.mark.parametrize(
    ("code", "first", "second"),
    [("P", "P", "P"), ("KH", "KH", "KH"), ("LMI", "LI", "LMI"), ("HAYF", "HF", "HAF")],
)
def test_a_character_is_shortened_as_cangjie_does(code, first, second):
    assert (as_first(code), as_second(code)) == (first, second)


def test_letters_are_within_a_code_in_their_order():
    assert is_within("YR", "YMMR") and not is_within("RY", "YMMR")
    assert is_within("", "P") and not is_within("PP", "P")


def test_a_code_is_cut_into_at_most_two_letters_and_three():
    assert splits("KF") == [("K", "F")]
    assert splits("YRMMR") == [("YR", "MMR")]
    assert splits("P") == []


def holds(speller, char):
    spelt = speller.read(char)
    return [
        set(piece.holds) if piece else None
        for piece in (spelt.whole, spelt.first, spelt.second)
    ]


@pytest.mark.parametrize(
    ("char", "whole", "first", "second"),
    [
        ("疢", {104, 86}, {104}, {86}),
        ("痰", {104, 86}, {104}, {86}),
        ("痣", {104, 61, 32}, {104}, {61, 32}),
        ("鳴", {196, 30}, {30}, {196}),
        ("語", {149, 30}, {149}, {30}),
        ("林", {75}, {75}, {75}),
        ("回", {31, 30}, {31}, {30}),
        ("心", {61}, None, None),
    ],
)
def test_parts_follow_from_code_radical_and_strokes(
    speller, char, whole, first, second
):
    assert holds(speller, char) == [whole, first, second]


def test_what_a_short_code_does_not_name_is_lacked(speller):
    lacks = speller.read("疢").whole.lacks
    assert {61, 75, 72, 30, 196} <= lacks  # heart, tree, sun, mouth, bird
    assert not {104, 86} & lacks


def test_what_a_long_code_leaves_out_is_unknown(speller):
    """謝 holds an inch and a body; its code shows neither, and no mouth or sun."""
    whole = speller.read("謝").whole
    assert whole.holds == {149}
    assert not {30, 72, 75} & whole.lacks


def test_a_part_with_more_strokes_than_are_left_is_lacked(speller):
    assert 196 in speller.read("謝").whole.lacks  # 10 strokes are left, a bird has 11
    assert 61 not in speller.read("謝").whole.lacks


def test_a_candidate_must_have_the_strokes_that_are_left():
    """Without 志 nothing of seven strokes is spelt GP, so the rest stays unread."""
    rows = "\n".join(row for row in ROWS.split("\n") if not row.startswith("志"))
    assert holds(Speller(table(rows)), "痣")[0] == {104}


def test_candidates_are_believed_where_they_agree():
    """A second character spelt GP with seven strokes, of which nothing is known."""
    rows = ROWS + "𠮷 GP 1.6 7\n"
    assert holds(Speller(table(rows)), "痣")[0] == {104}


def test_a_radical_that_the_code_does_not_show_is_unknown(speller):
    """五 is filed under 二, and spelt MDM: neither said to hold it nor to lack it."""
    whole = speller.read("五").whole
    assert not whole.holds and 7 not in whole.lacks


def test_the_letter_of_a_hidden_shape_is_not_taken_for_it(speller):
    """旨 is PA: P is 匕, though 勹 is XP. 同 is BMR: BM is no 囗, though 囗 is BM."""
    assert speller.read("旨").whole.holds == {72}
    assert speller.read("同").whole.holds == {30}
    assert 20 not in speller.read("旨").whole.lacks


def test_how_a_radical_is_spelt_in_others_is_learnt_from_them(speller):
    """囗 is BM alone and W around others; five show it, of which one is enough."""
    assert "W" in speller.as_firsts[31] and "W" not in speller.forms[31]
    few = "\n".join(row for row in ROWS.split("\n") if row[:1] not in "囚因困固")
    assert "W" not in Speller(table(few)).as_firsts[31]


def test_a_character_without_a_code_is_unknown(speller):
    spelt = speller.read("龘")
    assert spelt.whole == Piece(frozenset(), frozenset()) and spelt.first is None


# From pieces to labels.


def test_parts_are_called_as_unicode_calls_their_radical():
    assert part_of((61,)) == Part("heart", "心", (61,))
    assert part_of((74, 130)) == Part("moon", "月", (74, 130))
    found = candidates()
    numbers = [number for radicals in found for number in radicals]
    assert sorted(numbers) == list(range(7, 215)) and (74, 130) in found


def test_labels_of_held_out_glyphs_are_as_one_reads_them(glyphs, labels):
    columns = {part.char: i for i, part in enumerate(labels.parts)}
    known = labels.holds[WHOLE]
    assert set(known.unique().tolist()) == {-1, 0, 1}
    for char, inside in HELD.items():
        row = glyphs.find(char)[0]
        assert {part for part in inside if known[row, columns[part]] != 1} == set(), (
            char
        )
        for part in LACKED:
            if part not in inside:
                assert known[row, columns[part]] != 1, (char, part)


HELD = {
    "瘡": "疒人",
    "痦": "疒口",
    "縓": "糸火",
    "鉌": "金禾",
    "鐚": "金心",
    "銘": "金",
    "鳲": "鳥",
    "䗨": "虫魚",
    "㟶": "山火",
    "躓": "足貝",
    "䮶": "馬木",
    "霝": "雨口",
}
LACKED = "心火鳥魚虫疒馬"


def test_a_written_table_is_read_back(tmp_path, glyphs, labels):
    path = tmp_path / "labels.parquet"
    write_labels(labels, glyphs.codepoints, path)
    rows = torch.tensor([5, 3])
    again = read_labels(path, labels.parts, glyphs.codepoints[rows])
    for one, other in zip(again[1:], labels.take(rows)[1:], strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match=f"is of {len(labels.parts)} parts, not of 2"):
        read_labels(path, labels.parts[:2], glyphs.codepoints)
    with pytest.raises(ValueError, match=r"lacks U\+0041 and 0 more"):
        read_labels(path, labels.parts, torch.tensor([65]))


def test_cuts_tell_how_a_glyph_is_divided():
    """林 stands beside itself, 炎 on itself; 疒 is listed among what encloses."""
    known = load_glyphs("all", 64)
    chars = "明好早炎疢火"
    images = known.take(known.find(chars)).images
    piece = Piece(frozenset({72}), frozenset())

    def spelt(radical, *, is_first=True, is_radical=False):
        pieces = (None, None) if is_radical else (piece, piece)
        return Spelt(piece, *pieces, radical, is_radical, is_first)

    rows = [spelt(72), spelt(38), spelt(72), spelt(86, is_first=False), spelt(104)]
    rows.append(spelt(86, is_radical=True))
    found = divide(rows, images).tolist()
    assert found == [BESIDE, BESIDE, STACKED, STACKED, ENCLOSED, ALONE]
    unknown = divide([Spelt(piece)] * 6, images).tolist()
    assert unknown == [UNDIVIDED] * 6


def test_places_are_known_where_the_division_is():
    """Three parts: one at first, one in second place, one unknown."""
    pieces = torch.tensor([[[1, 1, -1]], [[1, 0, -1]], [[0, 1, -1]]], dtype=torch.int8)
    every = pieces.expand(3, 5, 3).contiguous()
    every[1:, 3:] = -1
    places = place_labels(every, torch.arange(5))
    left, _, top, bottom, around, inside, whole = range(7)
    assert [PLACES[i] for i in (left, bottom, whole)] == ["left", "bottom", "whole"]
    beside = places[DIVISIONS.index("beside")]
    assert beside[0].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert beside[1].tolist() == [0, 1, 0, 0, 0, 0, 0]
    assert beside[2].tolist() == [-1, -1, 0, 0, 0, 0, 0]
    assert places[1, 0, top] == places[1, 1, bottom] == 1
    assert places[2, 0, around] == places[2, 1, inside] == 1
    alone, unknown = places[3], places[4]
    assert alone[0, whole] == 1 and alone[0, left] == 0 and alone[2].eq(-1).all()
    assert unknown.eq(-1).all()


def test_a_part_that_is_lacked_stands_nowhere():
    every = torch.full((3, 5, 1), -1, dtype=torch.int8)
    every[WHOLE] = 0
    assert place_labels(every, torch.arange(5)).eq(0).all()


def test_a_set_without_enough_glyphs_of_any_part_is_refused(glyphs, speller):
    few = glyphs.take(slice(0, 20))
    with pytest.raises(ValueError, match="no part is in 100 training glyphs, at most"):
        make_labels(few, speller)


# Halves.


def test_a_seam_runs_where_there_is_least_ink():
    ink = torch.ones(1, 8, 8).numpy()
    path = [3, 3, 4, 5, 4, 4, 3, 2]
    for row, column in enumerate(path):
        ink[0, row, column] = 0.125
    seams, cost = cheapest_seams(ink, 1, 7)
    assert seams[0].tolist() == path and cost[0] == pytest.approx(0.125)


def test_of_equal_seams_the_first_is_taken():
    seams, cost = cheapest_seams(torch.zeros(1, 6, 6).numpy(), 2, 5)
    assert seams[0].tolist() == [2] * 6 and cost[0] == 0


def two_glyphs():
    """Bars at the left and at the right; then the same on each other."""
    images = torch.full((2, 1, 64, 64), 255, dtype=torch.uint8)
    images[0, 0, 8:56, 8:20] = images[0, 0, 20:44, 44:56] = 0
    images[1, 0] = images[0, 0].T
    parts = (Part("left", "a", (61,)), Part("right", "b", (62,)))
    first, second = torch.tensor([1, 0]), torch.tensor([0, 1])
    holds = torch.stack([first | second, first, second]).to(torch.int8)
    holds = holds[:, None].repeat(1, 2, 1)
    is_radical = torch.tensor([[True, False]] * 2)
    labels = Labels(parts, holds, torch.tensor([BESIDE, STACKED]), is_radical)
    return Views(images[None], torch.ones(1, 2).bool()), labels


@pytest.mark.parametrize("kind", [BESIDE, STACKED])
def test_two_halves_of_one_glyph_make_that_glyph(kind):
    views, labels = two_glyphs()
    halves = cut_halves(views.images, labels)
    assert halves.is_cut.all()
    rows = torch.tensor([kind]).repeat(20)
    found = paste(views, labels, halves, (rows, rows), kind, gen(), share_whole=0)
    ink = 1 - found.images.float() / 255
    ink = ink if kind == BESIDE else ink.transpose(2, 3)
    assert found.holds[:, 0].tolist() == [[1, 1], [1, 0], [0, 1]]
    assert found.division.eq(kind).all()
    low, high = ink[:, 0, 12:16].sum(2), ink[:, 0, 24:40].sum(2)
    assert low.mean() == pytest.approx(12, rel=0.25) and (low > 6).all()
    assert high.mean() == pytest.approx(24, rel=0.1)


def test_a_half_pasted_beside_itself_holds_its_part_twice():
    views, labels = two_glyphs()
    halves = cut_halves(views.images, labels)
    rows = torch.zeros(30).long()
    # The second half of a glyph that is pasted whole holds all of it.
    found = paste(views, labels, halves, (rows, rows), BESIDE, gen(), share_whole=1)
    assert found.holds[FIRST].eq(1).all() and found.holds[SECOND].eq(1).all()
    left, right = (1 - found.images.float() / 255).split(32, dim=3)
    assert left.sum((1, 2, 3)).min() > 100 and right.sum((1, 2, 3)).min() > 100


def test_what_is_unknown_of_one_half_is_unknown_of_both():
    views, labels = two_glyphs()
    labels.holds[FIRST, 0] = torch.tensor([-1, 0])
    halves = cut_halves(views.images, labels)
    halves.is_cut[:] = True
    rows = torch.zeros(4).long()
    found = paste(views, labels, halves, (rows, rows), BESIDE, gen(), share_whole=0)
    assert found.holds[WHOLE].tolist() == [[-1, 1]] * 4


def test_a_glyph_that_no_cut_divides_is_pasted_whole(glyphs, labels):
    halves = cut_halves(glyphs.images[None], labels)
    views = Views(glyphs.images[None], torch.ones(1, len(glyphs)).bool())
    rows = (labels.division == ENCLOSED).nonzero().squeeze(1)[:8]
    assert not halves.is_cut[0, rows].any()
    found = paste(views, labels, halves, (rows, rows), BESIDE, gen(), share_whole=0)
    assert torch.equal(found.holds[FIRST], labels.holds[WHOLE, rows])
    assert halves.is_cut.double().mean() > 0.3


# Inside an enclosing radical.


def test_the_largest_room_is_the_largest_free_box():
    taken = torch.rand(9, 11, generator=gen(4)) < 0.25
    best, (left, top, right, bottom) = 0, largest_room(taken.tolist())
    for y in range(9):
        for x in range(11):
            for v in range(y + 1, 10):
                for u in range(x + 1, 12):
                    if not taken[y:v, x:u].any():
                        best = max(best, (v - y) * (u - x))
    assert not taken[top:bottom, left:right].any()
    assert (bottom - top) * (right - left) == best > 4
    assert largest_room([[True]]) == (0, 0, 0, 0)


@pytest.fixture(scope="module")
def framed():
    """The training glyphs with a sickness, their labels, and its frame."""
    known, parts = load_glyphs("train", 64), PartReader.load().parts
    some = known.take(known.radicals == 104)
    table = read_labels(PARTS / "labels.parquet", parts, some.codepoints)
    rows = torch.arange(len(some))
    return some, table, find_frames(some.images[None], table, rows)


def test_a_sickness_lies_at_the_left_and_on_top_of_its_room(framed):
    _, table, frames = framed
    assert [table.parts[i].name for i in frames.column] == ["sickness"]
    left, top, right, bottom = frames.rooms[0, 0].tolist()
    assert 12 < left < 26 and 12 < top < 26 and right > 50 and bottom > 50
    mask = frames.masks[0, 0]
    assert not mask[top:bottom, left:right].any()
    assert mask[:, :left].any() and mask[:top].any()


def test_a_glyph_put_inside_keeps_its_labels_and_its_room(framed):
    """Sicknesses inside a sickness: what the inner one holds stands inside."""
    some, table, frames = framed
    rows = (table.holds[WHOLE] == 1).sum(1).gt(1).nonzero().squeeze(1)
    views = Views(some.images[None], torch.ones(1, len(some)).bool())
    found = paste_inside(views, table, frames, rows, 12, gen())
    assert found.division.eq(ENCLOSED).all()
    outer, inner = found.rows
    assert torch.isin(inner, rows).all()
    assert torch.equal(found.holds[SECOND], table.holds[WHOLE, inner])
    assert found.holds[FIRST, :, frames.column[0]].eq(1).all()
    held = (table.holds[WHOLE, inner] == 1).sum(1)
    assert torch.equal((found.holds[WHOLE] == 1).sum(1), held)
    left, top, right, bottom = frames.rooms[0, 0].tolist()
    ink = 1 - found.images.float() / 255
    room = ink[:, 0, top:bottom, left:right]
    assert room.mean((1, 2)).min() > 0.15
    rest = ink[:, 0].clone()
    rest[:, top:bottom, left:right] = 0
    frame = (1 - some.images[outer, 0].float() / 255) * frames.masks[0, 0]
    torch.testing.assert_close(rest, frame, atol=0.01, rtol=0)
