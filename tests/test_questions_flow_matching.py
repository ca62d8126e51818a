"""The questions of "Flow matching": what is right, and what each mistake is told."""

import math

import pytest
import torch

from glyflib import flow, sampling
from glyflib.lessons.exercises import check
from glyflib.lessons.one_pixel import pixel_of_three_bells
from glyflib.lessons.questions.flow_matching import (
    a_place,
    beliefs,
    bell_on_its_way,
    other_beliefs,
    share_between,
    straightened,
    turned_beliefs,
    turned_round,
)


def test_beliefs_lie_on_one_line_with_the_place():
    x, u_hat, tau = a_place()
    x0_hat, eps_hat = beliefs(x, u_hat, tau)
    torch.testing.assert_close(flow.interpolate(x0_hat, eps_hat, tau), x)
    torch.testing.assert_close(eps_hat - x0_hat, u_hat)


def test_turning_the_clock_twice_changes_nothing():
    tau, u, x0_hat = turned_round(0.5, 0.9, 0.3)
    assert turned_round(0.5, tau, u)[:2] == pytest.approx((0.9, 0.3))
    assert x0_hat == pytest.approx(0.5 + 0.1 * 0.3)


def test_half_of_logit_normal_draws_lie_below_the_middle():
    assert share_between(0.0, 0.5) == pytest.approx(0.5)
    many = flow.logit_normal(20_000, generator=torch.Generator().manual_seed(0))
    share = ((many > 0.25) & (many < 0.75)).double().mean().item()
    assert share == pytest.approx(share_between(0.25, 0.75), abs=0.01)


@pytest.mark.parametrize("tau", [0.5, 0.2])
def test_a_bell_narrows_on_its_way_as_the_sampler_finds(tau):
    straight = flow.straight_alpha_bar(1000, last=0.9999)
    bell = pixel_of_three_bells(straight)
    bell = type(bell).isotropic(
        torch.ones(1), torch.zeros(1, 1).double(), torch.ones(1), straight
    )
    start = torch.ones(1, 1).double()
    stretch = flow.stretch_of(straight)
    for step in sampling.sample(bell.predict_eps, start, straight, num_steps=1000):
        if step.t == round(1000 * tau):
            found = (step.xt / stretch[step.t]).item()
    assert found == pytest.approx(bell_on_its_way(tau), abs=2e-3)


def test_a_straightened_path_starts_at_the_noise_and_ends_where_the_flow_does():
    straight = flow.straight_alpha_bar(1000, last=0.9999)
    pixel = pixel_of_three_bells(straight)
    noise = torch.tensor([[0.3]]).double()
    end = sampling.last_of(
        sampling.sample(pixel.predict_eps, noise, straight, num_steps=1000)
    ).xt.item()
    assert straightened(tau=1.0) == pytest.approx(0.3)
    assert straightened(tau=0.0) == pytest.approx(end, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("straight-place", (0.6, -1.6), "Right"),
        ("straight-place", (0.6, 1.6), "from data to noise"),
        ("straight-place", (-0.2, -1.6), "mostly data"),
        ("straight-direction", (0.1, -0.3, 0.53), "Right"),
        ("straight-direction", (0.1, 0.3, 0.47), "changes its sign"),
        ("straight-middle", math.erf(math.log(3) / math.sqrt(2)), "Right"),
        ("straight-middle", 0.5, "even times"),
        ("straight-beliefs", other_beliefs, "data first"),
        ("straight-beliefs", turned_beliefs, "The data lie behind"),
        ("straight-bell", (math.sqrt(0.5), 1), "Right"),
        ("straight-bell", (1, 1), "spreads less"),
        ("straight-line", 5.0, "by ranks"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
