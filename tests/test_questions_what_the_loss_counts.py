"""The questions of "What the loss counts": weights, by a second road."""

import math

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.what_the_loss_counts import (
    clipped_weight,
    eps_error,
    share_of_levels,
    share_of_weight,
)


def test_the_clipped_weight_is_one_up_to_the_clip_and_falls_beyond():
    assert clipped_weight(math.log(5) - 1e-9) == pytest.approx(1)
    assert clipped_weight(math.log(50)) == pytest.approx(0.1)


def test_no_clip_leaves_the_share_of_the_levels():
    assert share_of_weight(math.inf) == pytest.approx(share_of_levels("cosine"))


def test_a_lower_clip_gives_the_names_more():
    assert share_of_weight(1.0) > share_of_weight(5.0) > share_of_levels("cosine")


def test_the_error_of_the_noise_is_a_mean():
    assert eps_error(1.0, 1024.0, 1024) == 1


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("loss-clip", 0.0916, "Right"),
        ("loss-clip", 1, "logarithm"),
        ("loss-less", share_of_weight(5.0), "cut at 5"),
        ("loss-eps", 20, "a mean"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
