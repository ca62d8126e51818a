"""The questions of "More solvers": what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.more_solvers import (
    a_step,
    shaken,
    shrunk,
)


def test_cut_steps_together_do_what_one_did():
    pull, noise = shrunk(9)
    assert 9 * pull == pytest.approx(1) and 9 * noise**2 == pytest.approx(1)


def test_the_knob_leads_from_the_flow_to_the_reverse_sde():
    y, eps_hat, sigma_t, h, _, z = a_step()
    flow = shaken(y, eps_hat, sigma_t, h, 0.0, z)
    torch.testing.assert_close(flow, y - h * eps_hat)
    whole = shaken(y, eps_hat, sigma_t, h, 1.0, z)
    torch.testing.assert_close(
        whole, y - 2 * h * eps_hat + (2 * sigma_t * h) ** 0.5 * z
    )


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("more-shrink", (1 / 16, 1 / 4), "Right"),
        ("more-shrink", (1 / 4, 1 / 16), "the wrong way"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
