"""The study of copying: fair between sizes, honest about what is near, and stored."""

import pytest
import tiny_models
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.lessons import results
from glyflib.lessons.memorising import (
    Recipe,
    draw_glyphs,
    learn,
    novelty,
    subset_rows,
)
from glyflib.lessons.stored import load_results
from glyflib.schedule import cosine_alpha_bar
from glyflib.studies.memorisation import COUNTS, memorisation

TINY = Recipe(
    {"patch": 4, "channels": (8, 16), "attention_levels": ()},
    {"steps": 3, "batch_size": 8, "warmup": 1},
    num_samples=4,
    num_steps=2,
)


def test_small_sets_lie_within_larger_ones():
    few, more, all_rows = (subset_rows(n, 50, 0) for n in (5, 20, None))
    assert all_rows[:20] == more and more[:5] == few
    assert sorted(all_rows) == list(range(50))


def test_copies_have_ratio_zero_and_held_out_glyphs_have_one():
    shown = load_glyphs("train", 32).images[:200]
    held_out = load_glyphs("test", 32).images
    copies = novelty(shown[:7], shown, held_out, 0)
    assert copies.ratio.value == 0 and copies.copied.value == 1
    assert copies.nearest.tolist() == list(range(7))
    real = novelty(held_out, shown, held_out, 0)
    assert real.ratio.value == pytest.approx(1)
    assert 0 < real.copied.value < 0.02


def test_a_tiny_study_holds_what_the_chapter_reads():
    subject = tiny_models.subject(None)  # no glyffuser is asked
    found = memorisation(subject, 0, counts={"5": 5}, recipe=TINY, num_errors=6)["5"]()
    rows = subset_rows(5, len(load_glyphs("train", 32)), 0)
    assert found["count"] == 5 and set(found["nearest"].tolist()) <= set(rows)
    assert found["images"].shape == (4, 1, 32, 32)
    for name in ("shown loss", "held out loss"):
        assert found[name].shape == (len(found["levels"]), 6)
    again = memorisation(subject, 0, counts={"5": 5}, recipe=TINY, num_errors=6)["5"]()
    assert found["images"].equal(again["images"])


def test_the_curves_are_what_is_stored():
    stored, part = results.memorisation(), load_results("memorisation").parts["1000"]
    assert stored.ratio[1000]._asdict() == part["ratio"]
    assert stored.copied[1000]._asdict() == part["copied"]
    losses = stored.losses(torch.Generator().manual_seed(0))
    for kind, loss in {
        "shown": stored.learnt(1000).shown_loss,
        "held out": stored.learnt(1000).held_out_loss,
    }.items():
        assert list(losses[kind]) == [10, 100, 1000, 10000, 20162]
        mean = loss.mean().item()
        assert losses[kind][1000].value == pytest.approx(mean)
        assert losses[kind][1000].low < mean < losses[kind][1000].high


def test_a_glyph_shown_alone_is_soon_drawn_again():
    """As in the study, only smaller: two seconds of training begin to copy."""
    shown = load_glyphs("train", 32).images[subset_rows(1, 20162, 0)]
    recipe = Recipe(
        {"patch": 4, "channels": (32, 64), "attention_levels": ()},
        {"steps": 60, "batch_size": 8, "warmup": 5, "learning_rate": 3e-3},
        num_samples=8,
        num_steps=6,
    )
    alpha_bar = cosine_alpha_bar(1000)
    drawn = draw_glyphs(learn(shown, recipe, alpha_bar, 0), recipe, alpha_bar, 0)
    found = novelty(drawn, shown, load_glyphs("test", 32).images, 0)
    assert found.ratio.high < 0.9


def test_the_stored_results_are_whole_and_come_again_from_their_pictures():
    stored = load_results("memorisation")
    assert stored.facts["model"] is None and list(stored.parts) == list(COUNTS)
    train, held_out = (load_glyphs(split, 32).images for split in ("train", "test"))
    rows = subset_rows(100, len(train), stored.facts["seed"])
    found = novelty(
        stored.tensors["100/images"], train[rows], held_out, stored.facts["seed"]
    )
    assert found.ratio._asdict() == pytest.approx(stored.parts["100"]["ratio"])
    near = train[stored.tensors["100/nearest"].long()]
    x0, other = map(x0_from_images, (stored.tensors["100/images"], near))
    apart = (x0 - other).flatten(1).norm(dim=1)
    ratio = apart / apart.median() * found.ratio.value
    torch.testing.assert_close(ratio, stored.tensors["100/ratios"], rtol=1e-3, atol=0)


def test_the_fewer_the_glyphs_the_nearer_the_draws():
    parts = load_results("memorisation").parts
    ratios = [part["ratio"]["value"] for part in parts.values()]
    assert ratios[0] < ratios[1] < ratios[2] < ratios[3]
