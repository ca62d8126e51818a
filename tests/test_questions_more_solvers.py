"""The questions of "More solvers": what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.more_solvers import (
    a_step,
    error_after,
    moved_density,
    order_at_zero,
    shaken,
    shrunk,
)


def test_cut_steps_together_do_what_one_did():
    pull, noise = shrunk(9)
    assert 9 * pull == pytest.approx(1) and 9 * noise**2 == pytest.approx(1)


def test_an_error_of_order_p_falls_by_the_power():
    assert error_after(1.0, 2, 1) == 0.5 and error_after(1.0, 2, 3) == 0.125


def test_a_piece_keeps_its_probability():
    width, derivative, h = 1e-3, 2.0, 0.1
    wider = width * (1 + h * derivative)
    assert moved_density(0.6, derivative, h) * wider == pytest.approx(0.6 * width)


def test_the_knob_leads_from_the_flow_to_the_reverse_sde():
    y, eps_hat, sigma_t, h, _, z = a_step()
    flow = shaken(y, eps_hat, sigma_t, h, 0.0, z)
    torch.testing.assert_close(flow, y - h * eps_hat)
    whole = shaken(y, eps_hat, sigma_t, h, 1.0, z)
    torch.testing.assert_close(
        whole, y - 2 * h * eps_hat + (2 * sigma_t * h) ** 0.5 * z
    )


def test_at_level_zero_an_order_is_lost():
    assert 0.8 < order_at_zero() < 1.5


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("more-shrink", (1 / 16, 1 / 4), "Right"),
        ("more-shrink", (1 / 4, 1 / 16), "the wrong way"),
        ("more-order", 0.005, "Right"),
        ("more-order", 0.02, "order 1"),
        ("more-stretch", 0.5, "Right"),
        ("more-stretch", 0.72, "thinner"),
        ("more-zero", 2, "higher up"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
