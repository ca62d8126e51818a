"""Chapter 19's questions: what is right, by a second road."""

import pytest
import torch

from glyflib.exact import GaussianMixture
from glyflib.lessons.exercises import check
from glyflib.lessons.questions.editing import (
    an_eye,
    beliefs,
    calls,
    first_below,
    kept_noise,
    mirrored,
    width,
    with_mean,
)
from glyflib.schedule import cosine_alpha_bar


def test_the_kept_noise_is_the_one_done_by_hand():
    assert kept_noise() == pytest.approx((0.1 + 0.8) / 0.6)


def test_calls_are_those_of_all_steps_but_the_last_repeated():
    assert calls() == 19 * 5 + 1
    assert calls(num_steps=1, repeats=9) == 1


def test_the_level_is_where_signal_and_noise_change_places():
    t, alpha_bar = first_below(), cosine_alpha_bar(1000)
    assert alpha_bar[t] < 0.5 <= alpha_bar[t - 1]


def test_the_mirrored_answer_turns_with_the_picture():
    predict_eps, xt, t = an_eye()
    here, there = mirrored(predict_eps, xt, t), mirrored(predict_eps, xt.flip(-1), t)
    torch.testing.assert_close(here, there.flip(-1))
    assert not torch.allclose(predict_eps(xt, t), predict_eps(xt.flip(-1), t).flip(-1))


def test_each_picture_gets_the_mean():
    x0_hat, mean = beliefs()
    found = with_mean(x0_hat, mean)
    torch.testing.assert_close(found.mean((1, 2, 3)), torch.full((3,), mean).double())
    assert (found - x0_hat).flatten(1).std(dim=1).max() < 1e-12


def test_the_width_is_what_a_sum_over_a_grid_finds():
    places = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    ab, xt = 0.36, 0.7
    prior = (-(places**2) / (2 * 0.25)).exp()
    seen = (-((xt - ab**0.5 * places) ** 2) / (2 * (1 - ab))).exp()
    weight = prior * seen / (prior * seen).sum()
    mean = (weight * places).sum()
    var = (weight * (places - mean) ** 2).sum().item()
    assert width() == pytest.approx(var, rel=1e-6)
    one = torch.ones(1, dtype=torch.float64)
    shares = torch.tensor([1.0, ab], dtype=torch.float64)
    bell = GaussianMixture.isotropic(one, 0 * one[:, None], 0.5 * one, shares)
    found = bell.denoise(torch.tensor([[xt]], dtype=torch.float64), torch.tensor([1]))
    assert found.item() == pytest.approx(mean.item(), rel=1e-6)


def shift_all(x0_hat, mean):
    return x0_hat + mean - x0_hat.mean()


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("edit-noise", 0.74 / 0.36, "roots"),
        ("edit-noise", 0.9, "Divide it"),
        ("edit-noise", 1.1 / 0.6, "shrunk on its way"),
        ("edit-noise", -0.7 / 0.6, "larger"),
        ("edit-calls", 100, "is it repeated"),
        ("edit-calls", 95, "as well, once"),
        ("edit-calls", 200, "asks nobody"),
        ("edit-calls", 20, "without repeats"),
        ("edit-level", 665, "root of alpha bar"),
        ("edit-mirror", lambda f, xt, t: f(xt.flip(-1), t).flip(-1), "Ask twice"),
        ("edit-mean", shift_all, "batch apart"),
        ("edit-width", 0.25, "before anything"),
        ("edit-width", 0.64, "deviation of 1"),
        ("edit-width", 64 / 36, "picture alone"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
