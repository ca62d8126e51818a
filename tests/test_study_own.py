"""The study of chapter 22 in a tiny form, and what a page reads of it."""

from dataclasses import replace

import pytest
import tiny_models
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.glyffuser import Glyffuser
from glyflib.lessons import own as lesson
from glyflib.lessons import results
from glyflib.lessons.stored import load_results
from glyflib.studies import own as study
from glyflib.studies.registry import run_study
from glyflib.text import TextEncoder
from glyflib.training import TrainConfig

TINY = study.Plan(
    symbol_steps=4,
    face_steps=2,
    reward_steps=2,
    rounds=1,
    batch_size=4,
    num_steps=2,
    num_symbols=3,
    num_each=2,
    num_captions=3,
    num_drawn=6,
    num_judged=4,
    num_others=2,
    cpu_bf16=False,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    return Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)


@pytest.fixture(scope="module")
def sets():
    """A few glyphs as a font's, and as a second face's."""
    font = tiny_models.some_glyphs("train").take(range(12))
    is_test = torch.arange(12) % 4 == 0
    serif = load_glyphs("all", 32).take(slice(0, 400, 5))
    return replace(font, is_test=is_test), serif


@pytest.fixture(scope="module")
def stored(tiny, sets, tmp_path_factory):
    folder, facts = tmp_path_factory.mktemp("results"), {"seed": 0, "model": "m"}
    font, serif = sets
    # a judge that calls the even ones right: a random network draws no hands
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "judged", half_right)
        subject = tiny_models.subject(tiny)
        parts = study.own(subject, 0, plan=TINY, font_glyphs=font, serif=serif)
        list(run_study("own", parts, facts, folder))
    return results.own(folder)


def half_right(images):
    sure = [0.9 if i % 2 == 0 else 0.1 for i in range(len(images))]
    return {"probabilities": sure, "radicals": [64] * len(images)}


def test_the_symbols_are_looked_at_on_the_way_and_judged_at_the_end(stored):
    told = stored.symbols
    assert told["moments"] == [0, 1, 4] and len(told["losses"]) == 4
    assert told["num_train"] == 9 and told["num_held_out"] == 3
    num = len(lesson.SYMBOL_PROMPTS)
    assert stored.symbol_prompts == list(lesson.SYMBOL_PROMPTS)
    assert {len(sheet) for sheet in stored.symbol_sheets.values()} == {num}
    for kind, count in {"shown": 3, "held back": 6}.items():
        asked, like = stored.symbols_asked(kind)
        assert len(asked) == len(like) == len(stored.symbols_drawn(kind)) == count
        assert len(stored.symbols_far(kind)) == count
    assert len(stored.symbols_far("real")) == 3


def test_both_faces_are_drawn_from_the_same_noises_and_told_apart_by_a_word(stored):
    before = stored.face("before")
    for way in ("before", "serif", "both"):
        assert stored.face(way)["rows"] == before["rows"]
        assert len(stored.face_drawn(way)) == TINY.num_captions
        sheet = stored.face_drawn(way, "sheet")
        assert len(sheet) == len(lesson.FACE_PROMPTS)
        for face in ("serif", "sans"):
            assert stored.face_errors(way, face).min() > 0
    assert len(stored.face_drawn("both", told=True)) == TINY.num_captions
    with pytest.raises(ValueError, match="'told images' is not stored"):
        stored.face_drawn("serif", told=True)


def test_a_round_of_rewards_learns_from_what_the_judge_keeps(stored):
    before, after = stored.rounds
    assert before.kept == 0 and before.kept_images is None
    assert (after.kept, after.drawn) == (3, 6)
    assert len(after.kept_images) == 3
    for one in (before, after):
        assert one.images.shape == (4, 1, 32, 32)
        assert len(one.probabilities) == len(one.radicals) == 4
        assert lesson.TAUGHT not in one.others
    assert not before.images.equal(after.images)
    weights = load_weights(stored)
    assert sum(weights) / len(weights) == pytest.approx(1, abs=1e-5)


def load_weights(stored):
    return stored.numbers("reward")["rounds"][1]["weights"]


def test_what_learns_is_a_copy(tiny):
    glyphs = tiny_models.some_glyphs("train").take(range(6))
    before = {name: x.clone() for name, x in tiny.unet.state_dict().items()}
    config = TrainConfig(2, batch_size=2, warmup=0, ema_decay=0)
    *_, now = lesson.learn(tiny, glyphs.images, glyphs.captions, config)
    after = tiny.unet.state_dict()
    assert all(x.equal(after[name]) for name, x in before.items())
    learnt = now.glyffuser.unet.state_dict()
    assert any(not x.equal(learnt[name]) for name, x in before.items())
    assert now.step == 2 and not now.glyffuser.unet.training


def test_matched_sets_show_the_same_characters():
    some = tiny_models.some_glyphs("train").take([5, 1, 9, 3])
    others = tiny_models.some_glyphs("train").take([9, 0, 5, 3])
    first, second = lesson.matched(some, others)
    assert first.chars == second.chars == (some.chars[0], some.chars[2], some.chars[3])


def test_a_line_tells_two_clouds_apart():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(60, 4, generator=generator) + 2
    second = torch.randn(40, 4, generator=generator) - 2
    line = lesson.line_between(first, second, pull=1e-6)
    assert (line.score(first.double()) > 0).all()
    assert (line.score(second.double()) < 0).all()
    # least squares with an offset: the mean answer is the mean of what was asked for
    rows = torch.cat([first, second]).double()
    assert line.score(rows).mean().item() == pytest.approx((60 - 40) / 100)


def test_two_faces_differ_by_which_lines_are_strong():
    """Bars that lie have their edges above and below, bars that stand at the sides."""
    lying, standing = torch.full((2, 1, 1, 8, 8), 255, dtype=torch.uint8)
    lying[..., 3, :], standing[..., :, 3] = 0, 0
    (first,), (second,) = lesson.describe(lying), lesson.describe(standing)
    assert first[0] == 0 < first[1] and second[1] == 0 < second[0]
    assert first[2].item() == first[3].item() == 1 / 8


def test_variety_is_the_distance_of_pairs():
    images = tiny_models.some_glyphs("train").images[:7]
    x = x0_from_images(images).double().flatten(1)
    pairs = [
        (x[i] - x[k]).square().mean() for i in range(7) for k in range(7) if i != k
    ]
    expected = torch.stack(pairs).mean().sqrt().item()
    assert lesson.variety(images) == pytest.approx(expected)


def test_the_symbols_of_the_carried_font_have_the_prompts_as_captions():
    glyphs = study.symbol_set()
    kinds = {
        "shown": glyphs.take(~glyphs.is_test).captions,
        "held back": glyphs.take(glyphs.is_test).captions,
        "made up": [],
    }
    for prompt, kind in lesson.SYMBOL_PROMPTS.items():
        assert prompt in kinds[kind] if kinds[kind] else prompt not in glyphs.captions


def test_the_second_face_has_no_character_that_is_to_stay_unseen(sets):
    subject = tiny_models.subject(None)
    pair = study.Faces(subject, load_glyphs("all", 32, path=study.SERIF_GLYPHS))
    assert not set(pair.to_learn[0].chars) & set(subject.held_out.chars)
    assert len(pair.to_learn[0]) > 1900 and len(pair.unseen[0]) > 60


def test_what_is_stored_was_made_as_the_study_now_is():
    told, plan = load_results("own").parts, study.Plan()
    assert told["symbols"]["steps"] == plan.symbol_steps
    assert told["serif"]["steps"] == told["both"]["steps"] == plan.face_steps
    assert told["reward"]["steps"] == plan.reward_steps
    assert len(told["reward"]["rounds"]) == plan.rounds + 1
