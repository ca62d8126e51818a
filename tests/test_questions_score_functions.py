"""The questions of chapter 8: their right answers by a second road."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions import score_functions as asked


def test_the_score_of_a_bell_is_the_slope_of_its_logarithm():
    bell = torch.distributions.Normal(asked.MEAN, asked.STD)
    place = torch.tensor(asked.PLACE, requires_grad=True)
    (slope,) = torch.autograd.grad(bell.log_prob(place), place)
    assert asked.score_of_bell() == pytest.approx(slope.item()) == -6


def test_the_score_of_data_is_the_slope_of_the_mean_of_their_bells():
    xt, ab, data = asked.example()
    xt.requires_grad_()
    gaps = torch.cdist(xt, ab.sqrt() * data)
    log_q = (-(gaps**2) / (2 * (1 - ab))).logsumexp(dim=1)
    (slope,) = torch.autograd.grad(log_q.sum(), xt)
    torch.testing.assert_close(asked.score_of(xt.detach(), ab, data), slope)


def test_a_guess_of_noise_is_turned_round_and_divided():
    assert asked.score_of_guess() == pytest.approx(0.5)


@pytest.mark.parametrize("h", [0.1, 0.5, 1.0, 1.5])
def test_steps_settle_where_the_formula_says(h):
    assert asked.settled(h, 1.0) == pytest.approx(1 / (1 - h / 2))
    assert asked.settled(h, 4.0) == pytest.approx(4 / (1 - h / 8))


def test_only_walkers_who_begin_above_the_watershed_find_the_shares():
    errors = asked.errors_by_top()
    assert max(errors[200], errors[500]) < 0.7 * asked.CLOSE
    assert min(errors[50], errors[100]) > 1.3 * asked.CLOSE
    assert asked.lowest_top() == 200


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("score-bell", 6, "Which way"),
        ("score-bell", -3, "variance"),
        ("score-guess", -0.5, "against the noise"),
        ("score-guess", 0.833, "root"),
        ("score-guess", 0.18, "do not multiply"),
        ("score-step", 1.0, "very small"),
        ("score-step", 1.25, "after one step"),
        ("score-step", 2.0, "its square"),
        ("score-late", 100, "apart already"),
    ],
)
def test_each_mistake_gets_its_own_hint(name, answer, told):
    assert told in check(name, answer).text
