"""The reader of parts in the making, on sixty characters."""

import json

import pytest
import torch

from glyflib.data import load_glyphs
from glyflib.evaluation.parts import PLACES, Part, PartReader
from glyflib.making.parts.card import by_part, card, ratio, share_of, trials, twin_pairs
from glyflib.making.parts.labels import BESIDE, WHOLE, Labels, make_labels
from glyflib.making.parts.paste import cut_halves, find_frames
from glyflib.making.parts.spelling import Speller
from glyflib.making.parts.train import (
    NETWORK,
    NUM_ALONE,
    NUM_BESIDE,
    NUM_STACKED,
    SHARE_ALIKE,
    build_reader,
    draw_batches,
    fit,
    known_loss,
    pairs,
)
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.train import draw_views

# Character, kCangjie, kRSUnicode, kTotalStrokes, as in Unihan 15.0.
ROWS = """口 R 30.0 3|心 P 61.0 4|木 D 75.0 4|火 F 86.0 4|日 A 72.0 4|言 YMMR 149.0 7
疒 XK 104.0 5|土 G 32.0 3|人 O 9.0 2|忙 PYV 61.3 6|怕 PHA 61.5 8|性 PHQM 61.5 8
忍 SIP 61.3 7|志 GP 61.3 7|想 DUP 61.9 13|忠 LP 61.4 8|林 DD 75.4 8|松 DCI 75.4 8
柏 DHA 75.5 9|杏 DR 75.3 7|枯 DJR 75.5 9|炎 FF 86.4 8|炒 FFH 86.4 8|炊 FNO 86.4 8
灶 FG 86.3 7|煩 FMBC 86.9 13|明 AB 72.4 8|昨 AHS 72.5 9|星 AHQM 72.5 9|早 AJ 72.2 6
晴 AQMB 72.8 12|語 YRMMR 149.7 14|詩 YRGDI 149.6 13|話 YRHJR 149.6 13
記 YRSU 149.3 10|計 YRJ 149.2 9|疢 KF 104.4 9|痰 KFF 104.8 13|痣 KGP 104.7 12
病 KMOB 104.5 10|疼 KHEY 104.5 10|好 VND 38.3 6|吃 RON 30.3 6|叫 RVL 30.2 5
唱 RAA 30.8 11|古 JR 30.2 5|信 OYMR 9.7 9|他 OPD 9.3 5|休 OD 9.4 6|仁 OMM 9.2 4
地 GPD 32.3 6|坊 GYHS 32.4 7|坪 GMFJ 32.5 8|埋 GWG 32.7 10|吾 MMR 30.4 7"""


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def unihan():
    rows = [row.split() for row in ROWS.replace("\n", "|").split("|")]
    fields = ("kCangjie", "kRSUnicode", "kTotalStrokes")
    return {
        name: {row[0]: row[i] for row in rows} for i, name in enumerate(fields, start=1)
    }


@pytest.fixture(scope="module")
def tiny():
    """Of these 口, 火, 疒 and 吾 are held out."""
    known = load_glyphs("all", 64)
    return known.take(known.find(list(unihan()["kCangjie"])))


@pytest.fixture(scope="module")
def labels(tiny):
    return make_labels(tiny, Speller(unihan()), min_glyphs=4)


@pytest.fixture(scope="module")
def views(tiny):
    return draw_views(tiny, [])


@pytest.fixture(scope="module")
def built(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "parts"
    kind = {"fonts": [], "seed": 3, "steps": 2, "min_glyphs": 4}
    return out, build_reader(tiny, unihan(), out, **kind)


def test_a_build_writes_a_reader_that_can_be_loaded(built, tiny):
    out, config = built
    assert sorted(p.name for p in out.iterdir()) == [
        "README.md",
        "config.json",
        "labels.parquet",
        "model.safetensors",
    ]
    assert json.loads((out / "config.json").read_text("utf-8")) == json.loads(
        json.dumps(config)
    )
    assert config["training_glyphs"] + config["held_out"]["glyphs"] == len(tiny)
    reading = PartReader.load(out).read(torch.ones(2, 1, 32, 32))
    assert {part.name for part in reading.parts} == {
        "man", "mouth", "earth", "heart", "sun", "tree", "fire", "sickness", "speech"
    }  # fmt: skip
    assert reading.places.shape == (2, 9, len(PLACES))
    assert reading.probabilities.isfinite().all()


def test_the_same_seed_gives_the_same_weights(built, tiny, tmp_path):
    state = torch.random.get_rng_state()
    again, other = (
        build_reader(tiny, unihan(), tmp_path, fonts=[], seed=s, steps=2, min_glyphs=4)
        for s in (3, 4)
    )
    assert again["sha256"] == built[1]["sha256"] != other["sha256"]
    assert again["held_out"] == built[1]["held_out"]
    assert torch.equal(torch.random.get_rng_state(), state)  # no global seed is set


def test_a_build_that_fails_leaves_the_old_one(built, tiny):
    before = {p.name: p.read_bytes() for p in built[0].iterdir()}
    with pytest.raises(ValueError, match="steps 0 must be at least 1"):
        build_reader(tiny, unihan(), built[0], fonts=[], steps=0)
    trained = tiny.take(~tiny.is_test)
    with pytest.raises(ValueError, match="0 of 51 glyphs are held out"):
        build_reader(trained, unihan(), built[0], fonts=[])

    def broken(batches):
        yield next(iter(batches))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        build_reader(tiny, unihan(), built[0], fonts=[], min_glyphs=4, progress=broken)
    assert {p.name: p.read_bytes() for p in built[0].iterdir()} == before


def test_no_held_out_character_is_trained_on(tiny, labels, views):
    rows = (~tiny.is_test).nonzero().squeeze(1)
    halves = cut_halves(views.images, labels)
    frames = find_frames(views.images, labels, rows)
    assert not frames.rows  # five glyphs with a sickness do not show where it lies
    drawn = list(draw_batches(views, labels, halves, frames, rows, 8, gen()))
    assert len(drawn) == 8
    for (batch,) in drawn:
        assert not tiny.is_test[batch.rows].any()
        real = len(rows) + NUM_ALONE
        assert batch.rows.shape == (real + 2 * (NUM_BESIDE + NUM_STACKED),)
        assert len(batch.x0) == real + NUM_BESIDE + NUM_STACKED
        assert batch.parts.shape == batch.places.shape[:2]
    assert set(torch.cat([b.rows for (b,) in drawn]).tolist()) == set(rows.tolist())


def test_training_learns(tiny, labels, views):
    """After some steps it tells the parts that glyphs hold from those they lack."""
    rows = (~tiny.is_test).nonzero().squeeze(1)
    model = fit(views, labels, rows, seed=0, steps=40, progress=lambda batches: batches)
    x0 = augment(tiny.images[rows], gen(), strongest=0)
    found, holds = model.read(x0).probabilities, labels.holds[WHOLE, rows]
    assert found[holds == 1].mean() > 0.5 > 0.2 > found[holds == 0].mean()


def test_unknown_labels_add_nothing_to_the_loss():
    logits = torch.tensor([[2.0, -1.0, 30.0], [0.5, 9.0, -9.0]], requires_grad=True)
    known = torch.tensor([[1, 0, -1], [0, -1, -1]], dtype=torch.int8)
    loss = known_loss(logits, known)
    loss.backward()
    assert (logits.grad == 0).eq(known == -1).all()
    assert known_loss(logits, torch.full_like(known, -1)) == 0
    terms = [1 + torch.tensor(-2.0).exp(), 1 + torch.tensor(-1.0).exp()]
    terms.append(1 + torch.tensor(0.5).exp())
    expected = torch.stack(terms).log().mean()
    torch.testing.assert_close(loss.detach(), expected)


def test_some_pairs_share_a_part(labels):
    """Glyphs of pairs are drawn alone, so few of the others do."""
    rows = torch.arange(len(labels.division))
    first, second = pairs(labels, rows, BESIDE, 400, gen())
    num = round(SHARE_ALIKE * 400)
    held = labels.holds[WHOLE] == 1
    is_shared = (held[first] & held[second]).any(1)
    assert is_shared[:num].all()
    assert is_shared[num:].double().mean() < 0.5
    assert (labels.division[first[num:]] == BESIDE).all()


# Shares and the card.


def test_shares_are_of_what_is_counted():
    is_hit = torch.tensor([[True, False], [True, True], [False, True]])
    is_counted = torch.tensor([[True, True], [True, False], [False, False]])
    share, low, high, num = share_of(is_hit, is_counted, gen())
    assert share == pytest.approx(2 / 3) and num == 3 and low <= share <= high
    assert share_of(is_hit, is_counted & False, gen()) is None
    assert ratio(torch.zeros(3, 2)) == 0


def test_shares_by_part_leave_out_what_is_unknown():
    is_read = torch.tensor([[True], [False], [True], [True]])
    holds = torch.tensor([[1], [1], [0], [-1]], dtype=torch.int8)
    found = by_part(is_read, holds, ["sun"])["sun"]
    assert found["held"][0] == 0.5 and found["held"][3] == 2
    assert found["lacked"][0] == 1 and found["lacked"][3] == 1
    assert found["held"][1] < 0.5 < found["held"][2]
    assert trials(torch.zeros(0)) is None


def test_twins_hold_the_same_part():
    holds = torch.tensor([[1, 0], [1, -1], [0, 1]], dtype=torch.int8)
    *pair, part = twin_pairs(holds, 5, gen())
    assert part.tolist() == [0] * 5 + [1] * 5
    for rows in pair:
        assert (holds[rows, part] == 1).all()
    assert twin_pairs(holds * 0, 5, gen()).shape == (3, 0)


def test_a_card_says_what_is_not_there(built):
    config = json.loads(json.dumps(built[1]))
    page = card(config)
    assert "the glyph set.\n" in page and "{" not in page
    config["fonts"] = ["Some Serif, Version 2;tool 1"]
    assert "and drawn with\n  - Some Serif, Version 2\n" in card(config)


def test_the_network_reads_the_parts_that_it_is_given():
    parts = tuple(Part(str(i), str(i), (i,)) for i in range(3))
    model = PartReader(**NETWORK, parts=parts).eval()
    logits = torch.arange(24.0).reshape(1, 24)
    is_in, places = model.split(logits)
    assert is_in.tolist() == [[0, 1, 2]]
    assert places.shape == (1, 3, 7) and places[0, 1].tolist() == list(range(10, 17))


def test_labels_may_be_taken_by_rows(labels):
    rows = torch.tensor([4, 0])
    some = labels.take(rows)
    assert isinstance(some, Labels) and torch.equal(some.holds, labels.holds[:, rows])
    assert torch.equal(some.division, labels.division[rows])
