"""The questions of "What words bring": counts, by a second road."""

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.what_words_bring import (
    least_overlap,
    level_by_heart,
    share_named,
)


def test_parts_that_fit_beside_each_other_need_not_overlap():
    assert least_overlap(10, 12, 32) == 0 and least_overlap(32, 5, 32) == 5


def test_the_heart_is_seldom_named():
    assert share_named("heart", 61) == pytest.approx(9 / 554)


def test_learning_by_heart_is_strongest_where_noise_hides_much():
    assert 500 <= level_by_heart() <= 950


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("bring-overlap", 3, "Right"),
        ("bring-overlap", 9, "the most"),
        ("bring-naming", 9 / 554, "heart's share"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
