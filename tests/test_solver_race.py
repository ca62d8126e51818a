"""The race of solvers: levels that are even in the log-SNR."""

import pytest
import torch

from glyflib.lessons import solver_race
from glyflib.lessons.solver_race import draw, even_on_the_clock, first_noise
from glyflib.sampling import Step, fresh_noise
from glyflib.schedule import linear_alpha_bar, log_snr

ALPHA_BAR = linear_alpha_bar()


def drawn_noise(monkeypatch, seed: int, xt: torch.Tensor) -> torch.Tensor:
    """The first fresh noise, a tenth of it, that a sampler of the race is handed."""

    def sampler(predict_eps, xt, alpha_bar, *, num_steps, generator):
        yield Step(0, fresh_noise(xt, generator) / 10, xt)

    monkeypatch.setattr(solver_race, "SAMPLERS", {"DDPM": sampler})
    return 10 * draw("DDPM", 5, lambda xt, t: xt, xt, ALPHA_BAR, seed)


def test_the_noise_on_the_way_is_another_than_that_at_the_start(monkeypatch):
    start = first_noise(3, 2, 32)
    fresh = drawn_noise(monkeypatch, 3, start)
    both = torch.stack([start.flatten(), fresh.flatten()])
    assert torch.corrcoef(both)[0, 1].abs() < 0.1  # 2,048 numbers: 0.022 by chance
    assert torch.equal(fresh, drawn_noise(monkeypatch, 3, start))


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
