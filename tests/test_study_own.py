"""The study of chapter 22 in a tiny form, and what a page reads of it."""

from dataclasses import replace

import pytest
import tiny_models
import torch

from glyflib.glyffuser import Glyffuser
from glyflib.lessons import results
from glyflib.lessons.own import has_common_word
from glyflib.lessons.stored import load_results
from glyflib.studies import own as study
from glyflib.studies.registry import run_study
from glyflib.text import TextEncoder
from glyflib.training import TrainConfig

TINY = study.Plan(
    TrainConfig(5, batch_size=4, warmup=1, ema_decay=0.5),
    moments=(0, 2, 5),
    every=2,
    num_shown=3,
    num_each=2,
    num_steps=2,
)
FACTS = {"seed": 0, "model": "m"}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Makes the parts of a tiny study anew."""
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    tiny = Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)
    some = tiny_models.some_glyphs("train").take(range(12))
    font = replace(some, is_test=torch.arange(12) % 4 == 0)
    return lambda: study.own(tiny_models.subject(tiny), 0, plan=TINY, glyphs=font)


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    found = tmp_path_factory.mktemp("results")
    list(run_study("own", parts(), FACTS, found))
    return found


@pytest.fixture(scope="module")
def stored(folder):
    return results.own(folder)


def test_the_run_is_told_step_by_step(stored):
    assert stored.moments == (0, 2, 5)
    assert len(stored.losses) == 5
    assert stored.measured_steps == [0, 2, 4, 5]
    assert stored.config == TINY.config and stored.minutes >= 0
    assert (stored.num_glyphs, stored.num_shown) == (12, 9)
    for kind in ("shown", "held back"):
        errors = stored.errors(kind)
        assert errors.shape == (4, 3) and (errors > 0).all()


def test_every_moment_is_asked_for_the_same_drawings(stored):
    assert stored.wishes == list(study.WISHES)
    for x0 in stored.sheets.values():
        assert x0.shape == (len(study.WISHES), 1, 32, 32)
        assert x0.min() >= -1 and x0.max() <= 1
    assert not stored.sheets[0].equal(stored.sheets[5])
    for kind, num in {"shown": 3, "held back": 6}.items():
        assert len(stored.asked(kind)) == num
        for step in stored.moments:
            assert len(stored.is_hit(kind, step)) == num
            assert stored.hits(kind)[step].value == pytest.approx(
                stored.is_hit(kind, step).double().mean().item()
            )


def test_a_drawing_that_is_the_real_glyph_is_a_hit(monkeypatch):
    """The judge has to know the set's own pictures again."""
    glyphs = tiny_models.some_glyphs("train").take(range(40))
    glyphs = replace(glyphs, is_test=torch.arange(40) % 4 == 0)
    one = study.Lesson(tiny_models.subject(None), TINY, glyphs)
    rows = one.asked["held back"]
    x0 = study.x0_from_images(glyphs.images[rows])
    monkeypatch.setattr(one, "draw", lambda prompts, seed: x0)
    pictures = glyphs.images[one.nearest("held back", 0)]
    assert pictures.equal(glyphs.images[rows])


def test_a_killed_run_goes_the_same_way_again(parts, folder, tmp_path):
    whole = load_results("own", folder)
    told = run_study("own", parts(), FACTS, tmp_path)
    for _ in range(3):  # "about", "step 0", "step 2"
        next(told)
    assert list(run_study("own", parts(), FACTS, tmp_path))[-1] == "step 5"
    again = load_results("own", tmp_path)
    for key, value in whole.tensors.items():
        assert again.tensors[key].equal(value), key
    assert again.parts["step 5"]["losses"] == whole.parts["step 5"]["losses"]


def test_a_run_can_be_asked_for_an_earlier_moment(parts):
    anew, late = parts(), parts()
    late["step 5"]()
    assert late["step 2"]()["losses"] == anew["step 2"]()["losses"]


@pytest.mark.parametrize("moments", [(), (0, 2), (2, 0, 5), (0, 5, 9)])
def test_moments_rise_to_the_end_of_the_run(moments):
    with pytest.raises(ValueError, match="must rise to the 5 steps of the run"):
        replace(TINY, moments=moments)


def test_what_is_not_stored_is_told(stored):
    with pytest.raises(ValueError, match="kind 'new' is not stored: there are shown"):
        stored.errors("new")
    with pytest.raises(ValueError, match="step 3 is not stored: there are 0, 2, 5"):
        stored.is_hit("shown", 3)


def test_the_symbols_of_the_carried_font_have_the_wishes_as_captions():
    glyphs = study.symbol_set()
    assert set(study.WISHES[:4]) <= set(glyphs.take(~glyphs.is_test).captions)
    assert set(study.WISHES[4:]) <= set(glyphs.take(glyphs.is_test).captions)


def test_what_is_stored_was_made_as_the_study_now_is():
    stored, plan = results.own(), study.Plan()
    assert stored.config == plan.config
    assert stored.moments == plan.moments
    assert len(stored.losses) == plan.config.steps
    assert len(stored.asked("shown")) == plan.num_shown


def test_kinship_asks_for_a_word_in_common(stored):
    for kind in ("shown", "held back"):
        asked, found = stored.asked(kind), stored.most_like(kind, 5)
        assert len(asked) == len(found)
        is_kin = [has_common_word(a, b) for a, b in zip(asked, found, strict=True)]
        assert stored.has_common_word(kind, 5).tolist() == is_kin
        assert stored.kinship(kind)[5].value == pytest.approx(sum(is_kin) / len(asked))
        by_chance = stored.kinship_by_chance(kind)
        assert 0 <= by_chance <= 1
        if len(set(found)) == 1:  # dealing changes nothing then
            assert by_chance == pytest.approx(sum(is_kin) / len(asked))


@pytest.mark.parametrize(
    ("first", "second", "is_kin"),
    [
        ("leftwards arrow", "white arrow", True),
        ("arrow with tip", "bar with stroke", False),
        ("open-outlined arrow", "outlined star", True),
        ("umbrella", "umbrellas", False),
    ],
)
def test_small_words_make_no_kin(first, second, is_kin):
    assert has_common_word(first, second) is is_kin
