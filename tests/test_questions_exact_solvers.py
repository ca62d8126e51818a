"""The questions of "How exact is a walk?": what is right, and what is told."""

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.exact_solvers import (
    error_after,
    moved_density,
    order_at_zero,
)


def test_an_error_of_order_p_falls_by_the_power():
    assert error_after(1.0, 2, 1) == 0.5 and error_after(1.0, 2, 3) == 0.125


def test_a_piece_keeps_its_probability():
    width, derivative, h = 1e-3, 2.0, 0.1
    wider = width * (1 + h * derivative)
    assert moved_density(0.6, derivative, h) * wider == pytest.approx(0.6 * width)


def test_at_level_zero_an_order_is_lost():
    assert 0.8 < order_at_zero() < 1.5


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("exact-order", 0.005, "Right"),
        ("exact-order", 0.02, "order 1"),
        ("exact-stretch", 0.5, "Right"),
        ("exact-stretch", 0.72, "thinner"),
        ("exact-zero", 2, "higher up"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
