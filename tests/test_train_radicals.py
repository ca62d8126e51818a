"""The radical classifier in the making, on letters."""

import json
import string
from pathlib import Path

import matplotlib
import pytest
import torch

from glyflib.data import Glyphs, load_glyphs
from glyflib.evaluation.radicals import (
    RADICALS,
    RadicalClassifier,
)
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.fonts import open_face
from glyflib.glyphs.tables import FIELDS
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.card import card, share_right
from glyflib.making.radicals.train import (
    NETWORK,
    Views,
    build_classifier,
    check_known,
    draw_batches,
    draw_views,
    fit,
)

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
CONFIG = json.loads((RADICALS / "config.json").read_text("utf-8"))


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny_set(path):
    """52 Latin letters; radical 1 for capitals, 2 for small ones."""
    letters = {c: f"letter {c}" for c in string.ascii_letters}
    numbers = {c: "1.0" if c.isupper() else "2.0" for c in letters}
    unihan = {field: {} for field in FIELDS} | {"kRSUnicode": numbers}
    build_glyphs(
        open_face(FONTS / "DejaVuSans.ttf"), letters, unihan, path, is_unihan=False
    )
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tiny_set(tmp_path_factory.mktemp("tiny") / "glyphs.parquet")
    return load_glyphs("all", 64, path=path)


@pytest.fixture(scope="module")
def serif():
    return open_face(FONTS / "DejaVuSerif.ttf")


@pytest.fixture(scope="module")
def built(tiny, serif, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "radicals"
    return out, build_classifier(tiny, out, fonts=[serif], seed=3, steps=3)


def test_a_build_writes_a_classifier_that_can_be_loaded(built):
    out, config = built
    assert sorted(p.name for p in out.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert json.loads((out / "config.json").read_text("utf-8")) == config
    assert (config["seed"], config["steps"], len(config["fonts"])) == (3, 3, 1)
    assert config["training_glyphs"] + config["held_out"]["glyphs"] == 52
    x0 = torch.ones(2, 1, 32, 32)
    assert RadicalClassifier.load(out).read(x0).logits.isfinite().all()
    assert "DejaVu Serif" in (out / "README.md").read_text("utf-8")


def test_the_same_seed_gives_the_same_weights(built, tiny, serif, tmp_path):
    state = torch.random.get_rng_state()
    again, other = (
        build_classifier(tiny, tmp_path, fonts=[serif], seed=s, steps=3) for s in (3, 4)
    )
    assert again["sha256"] == built[1]["sha256"] != other["sha256"]
    assert again["held_out"] == built[1]["held_out"]
    assert torch.equal(torch.random.get_rng_state(), state)  # no global seed is set


def test_a_card_without_fonts_has_no_gap_in_its_table(built):
    config = json.loads(json.dumps(built[1])) | {"fonts": []}
    config["held_out"]["top1_by_font"] = {}
    assert "%|\n\n| for" not in card(config).replace(" |", "|")
    assert "the glyph set\n- **No leak:**" in card(config)


def test_training_learns(tiny):
    glyphs = tiny
    steps = []

    def count(batches):
        for batch in batches:
            steps.append(batch)
            yield batch

    model = fit(draw_views(glyphs, []), glyphs, seed=0, steps=20, progress=count)
    assert len(steps) == 20
    rows = ~glyphs.is_test
    x0 = augment(glyphs.images[rows], gen(), strongest=0)
    assert share_right(model, x0, glyphs.radicals[rows]) > 0.9


def test_no_held_out_character_is_trained_on(tiny, serif):
    glyphs = tiny
    views = draw_views(glyphs, [serif])
    rows = torch.where(~glyphs.is_test)[0]
    batches = [row for row, _ in draw_batches(views, rows, 6, gen())]
    assert sorted(torch.cat(batches).unique().tolist()) == rows.tolist()
    assert not glyphs.is_test[torch.cat(batches)].any()
    for batch in batches:
        assert len(batch) == len(batch.unique()) == len(rows)


def glyphs_of(chars, is_test):
    face = open_face(FONTS / "DejaVuSans.ttf")
    blank = torch.zeros(len(chars)).long()
    is_test, names = torch.tensor(is_test), ("",) * len(chars)
    images = draw_views(
        Glyphs(
            torch.zeros(len(chars), 1, 64, 64).byte(),
            tuple(chars),
            names,
            names,
            blank,
            blank + 1,
            blank,
            is_test,
        ),
        [face],
    ).images[1]
    return Glyphs(images, tuple(chars), names, names, blank, blank + 1, blank, is_test)


def test_twins_of_held_out_pictures_and_blanks_are_left_out(serif):
    """Latin A is held out and Greek A looks the same; these fonts lack U+9FA5."""
    glyphs = glyphs_of("A\u0391B\u9fa5", [True, False, False, False])
    views = draw_views(glyphs, [serif])
    assert views.is_usable[0].all()
    assert views.is_usable[1].tolist() == [False, False, True, False]
    assert views.images.shape == (2, 4, 1, 64, 64)


def test_a_view_that_may_not_be_used_gives_way_to_the_set():
    images = torch.stack([torch.zeros(9, 1, 64, 64), torch.full((9, 1, 64, 64), 255)])
    is_usable = torch.ones(2, 9).bool()
    is_usable[1, :4] = False
    views, rows = Views(images.byte(), is_usable), torch.arange(9)
    for row, x0 in draw_batches(views, rows, 20, gen()):
        dark = x0.mean((1, 2, 3)) < 0
        assert dark[row < 4].all()
    used = [x0.mean((1, 2, 3)) > 0 for _, x0 in draw_batches(views, rows, 20, gen())]
    share = torch.stack(used).double().mean().item()
    assert share == pytest.approx(5 / 9 * 0.6 / 2, abs=0.1)


def test_a_build_that_fails_leaves_the_old_one(built, tiny, tmp_path):
    before = {p.name: p.read_bytes() for p in built[0].iterdir()}
    with pytest.raises(ValueError, match="steps 0 must be at least 1"):
        build_classifier(tiny, built[0], fonts=[], steps=0)
    face, path = open_face(FONTS / "DejaVuSans.ttf"), tmp_path / "g.parquet"
    nothing = {field: {} for field in FIELDS}
    build_glyphs(face, {"A": "letter"}, nothing, path, is_unihan=False)
    with pytest.raises(ValueError, match="1 glyphs, 0 held out: both sides need"):
        check_known(load_glyphs("all", 64, path=path))

    def broken(batches):
        yield next(iter(batches))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        build_classifier(tiny, built[0], fonts=[], progress=broken)
    assert {p.name: p.read_bytes() for p in built[0].iterdir()} == before


def test_the_shipped_network_is_the_one_that_is_built():
    assert CONFIG["network"] == NETWORK
