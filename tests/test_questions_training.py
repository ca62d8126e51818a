"""The questions of chapter 10 and of "When training fails": what is right, by a
second road, and what is told."""

import math

import pytest
import torch

from glyflib.lessons.broken_runs import MYSTERIES
from glyflib.lessons.exercises import check
from glyflib.lessons.questions import training
from glyflib.lessons.questions import when_training_fails as fails


@pytest.mark.parametrize("signal", [0.0, 0.3, 0.9])
def test_a_network_that_answers_zero_pays_one_at_any_level(signal):
    assert training.mean_square_of_v(signal) == pytest.approx(1)


def test_pixels_of_another_size_cost_otherwise():
    assert training.mean_square_of_v(0.3, pixel=0.5) == pytest.approx(0.3 + 0.7 / 4)


def test_the_share_of_the_start_is_a_power_of_the_decay():
    assert training.share_of_start() == pytest.approx(0.999**200)
    assert training.share_of_start(is_warmed_up=True) < 1e-9


def test_rates_are_those_of_the_formula():
    found = training.rates(10, 4, 2.0)
    assert found[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert found[7] == pytest.approx(1 + math.cos(math.pi / 2))
    assert 0 < found[-1] < found[-2]


def test_the_first_edition_should_have_been_stopped_before_its_end():
    assert training.glyphs_at_lowest(850) == 1_332_512
    assert training.glyphs_at_lowest(250) > training.glyphs_at_lowest(850)


def test_a_wrong_range_halves_the_pixels_and_lifts_their_mean():
    assert fails.mean_in_wrong_range() == pytest.approx(0.875)


def test_the_first_loss_is_the_mean_square_of_the_target():
    assert fails.first_loss(0.25) == pytest.approx(0.25)
    assert fails.first_loss(1.0) == pytest.approx(1)


def test_noise_of_the_last_step_is_that_of_the_step_forward():
    sizes = [fails.last_noise(steps) for steps in (1000, 50, 20)]
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(fails.LINEAR_FIRST**0.5, rel=1e-3)


def test_a_mystery_is_drawn_the_same_each_time_and_unlike_the_others():
    names = list(MYSTERIES)
    sheets = [fails.sheet(name) for name in names]
    assert torch.equal(sheets[0], fails.sheet(names[0]))
    for i, some in enumerate(sheets):
        for other in sheets[:i]:
            assert (some - other).abs().mean() > 0.02


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("training-zero", 1, "nothing is learnt"),
        ("training-start", 0.8186, "82%"),
        ("training-stop", 1_332_512, "1,332,512"),
        ("training-rates", training.rates, "no step is wasted"),
        ("training-equal", training.losses_alone(), "written `train`"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told in verdict.text


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("training-zero", 0, "mean of its square"),
        ("training-zero", 0.3, "picture has a part"),
        ("training-zero", 0.7, "noise has a part"),
        ("training-zero", 0.3**0.5 + 0.7**0.5, "squared"),
        ("training-zero", 2, "a factor"),
        ("training-start", 0.181, "the rest"),
        ("training-start", 0.8, "what is left"),
        ("training-start", 0, "That is with a warm-up"),
        ("training-start", 0.999, "two hundred"),
        ("training-stop", 2_000_032, "where it was stopped"),
        ("training-stop", 20, "the row"),
        ("training-rates", training.without_warmup, "Where is the warm-up"),
        ("training-rates", training.cosine_from_the_start, "jumps"),
        ("training-rates", training.whole_cosine, "below 0"),
        ("training-equal", [1.0] * 12, "order of the draws"),
        ("training-equal", training.losses_alone(1e-3), "AdamW's own rate"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
