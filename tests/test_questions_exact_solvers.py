"""The questions of "How exact is a walk?": what is right, and what is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.exact_solvers import (
    beyond,
    error_after,
    moved_density,
    order_at_zero,
    total,
)


def test_an_error_of_order_p_falls_by_the_power():
    assert error_after(1.0, 2, 1) == 0.5 and error_after(1.0, 2, 3) == 0.125


def test_a_piece_keeps_its_probability():
    width, derivative, h = 1e-3, 2.0, 0.1
    wider = width * (1 + h * derivative)
    assert moved_density(0.6, derivative, h) * wider == pytest.approx(0.6 * width)


def test_at_level_zero_an_order_is_lost():
    assert 0.8 < order_at_zero() < 1.5


@pytest.mark.parametrize("order", [1, 2, 3])
def test_two_walks_tell_the_end_if_the_error_is_a_power_of_the_step(order):
    end, rate = torch.tensor([0.49, -1.0]), torch.tensor([0.3, -2.0])
    few, many = (end + rate / num_steps**order for num_steps in (20, 40))
    torch.testing.assert_close(beyond(few, many, order), end)


def test_a_bell_on_a_grid_has_the_probability_one():
    side = torch.linspace(-6, 6, 61, dtype=torch.float64)
    bell = torch.exp(-(side**2) / 2) / (2 * torch.pi) ** 0.5
    assert total(torch.outer(bell, bell), 0.2).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("exact-order", 0.005, "Right"),
        ("exact-order", 0.02, "order 1"),
        ("exact-stretch", 0.5, "Right"),
        ("exact-stretch", 0.72, "thinner"),
        ("exact-beyond", lambda few, many: 2 * many - few, "Right"),
        ("exact-beyond", lambda few, many: (few + many) / 2, "same side"),
        ("exact-beyond", lambda few, many: 2 * few - many, "nearer"),
        ("exact-beyond", lambda few, many: (4 * many - few) / 3, "order 2"),
        ("exact-beyond", lambda few, many: many - few, "the gap"),
        ("exact-beyond", 0.49, "A function is asked for"),
        ("exact-total", lambda density, gap: (density * gap * gap).sum(), "Right"),
        ("exact-total", lambda density, gap: density.sum() * gap, "on a line"),
        ("exact-total", lambda density, gap: density.sum(), "an area"),
        ("exact-total", lambda density, gap: density.mean(), "how large the frame"),
        ("exact-zero", 2, "higher up"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
