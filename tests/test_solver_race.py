"""The race of solvers: levels that are even in the log-SNR."""

import pytest
import torch

from glyflib.lessons.solver_race import even_on_the_clock
from glyflib.schedule import linear_alpha_bar, log_snr

ALPHA_BAR = linear_alpha_bar()


def test_steps_are_even_on_the_clock_but_for_the_last():
    many = linear_alpha_bar(100_000, first=1e-6, last=2e-4)
    levels = even_on_the_clock(many, 8, lowest=500)
    assert levels[0] == 100_000 and levels[-2:] == [500, 0]
    steps = log_snr(many)[levels[:-1]].diff()
    torch.testing.assert_close(steps, steps.mean().expand(7), rtol=1e-2, atol=0)


def test_levels_fall_one_for_each_step_and_one_more():
    levels = even_on_the_clock(ALPHA_BAR, 10, lowest=10)
    assert len(levels) == 11 and levels == sorted(set(levels), reverse=True)


@pytest.mark.parametrize(
    ("num_steps", "lowest", "said"),
    [
        (1, 10, "num_steps 1 must be at least 2"),
        (5, 0, r"lowest 0 in \[1, 1000\)"),
        (5, 1000, "lowest 1000"),
        (400, 1, "1000 levels are too few for 400 such steps"),
    ],
)
def test_levels_that_cannot_be_are_refused(num_steps, lowest, said):
    with pytest.raises(ValueError, match=said):
        even_on_the_clock(ALPHA_BAR, num_steps, lowest=lowest)
