"""The questions of "What makes a copier?": what is right, and what is told."""

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.copiers import (
    likeness_of_noise,
    most_that_fits,
    times_seen,
)


def test_all_glyphs_together_are_seen_as_often_as_steps_have_room():
    assert 100 * times_seen(100) == 1800 * 32


def test_more_draws_without_a_copy_say_more():
    num, z = 100, 1.959964
    assert most_that_fits(num) == pytest.approx(z**2 / (num + z**2), abs=1e-4)
    assert most_that_fits(1000) < most_that_fits(num)


def test_the_same_noise_makes_networks_alike():
    assert likeness_of_noise() < 0.6


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("copier-often", 5760, "Right"),
        ("copier-often", 180, "32 glyphs"),
        ("copier-none", 0.0, "Wilson"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
