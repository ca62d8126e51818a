"""The questions of chapter 13: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.one_pixel import pixel_of_three_bells
from glyflib.lessons.questions.solvers import (
    a_slope,
    better_ladder,
    euler,
    euler_step,
    heun,
    midpoint,
    noise_of,
    share_alike,
    star,
)
from glyflib.schedule import linear_alpha_bar


@pytest.mark.parametrize(("sigma_s", "ends"), [(2.0, 3.0), (0.0, 1.0), (1.0, 2.0)])
def test_a_step_stays_leads_to_the_belief_or_half_way(sigma_s, ends):
    assert euler_step(3, 1, 2, sigma_s) == pytest.approx(ends)


def test_a_belief_that_stays_is_its_own_star():
    assert star((0.4, 0.4), (-1, 0, 3)) == pytest.approx(0.4)
    assert star((0.0, 1.0), (0, 1, 2)) == pytest.approx(1.5)


@pytest.mark.parametrize(("method", "power"), [(euler, 1), (midpoint, 2), (heun, 2)])
def test_methods_have_their_order_on_a_curve_that_is_known(method, power):
    def slope(y, sigma):
        return y  # so y grows as the exponential of sigma

    def error(num_steps):
        y = torch.ones(1, dtype=torch.float64)
        for k in range(num_steps):
            y = method(slope, y, k / num_steps, (k + 1) / num_steps)
        return abs(y.item() - torch.e)

    assert error(50) / error(100) == pytest.approx(2**power, rel=0.05)


def test_methods_differ_on_the_example():
    ends = [method(*a_slope()) for method in (euler, heun, midpoint)]
    assert min((ends[0] - ends[1]).abs().min(), (ends[1] - ends[2]).abs().min()) > 1e-3


def test_the_ladder_is_one_of_the_two():
    assert better_ladder() == "clock"


def test_two_draws_of_the_pixel_are_alike_as_often_as_a_count_of_them_says():
    gen = torch.Generator().manual_seed(0)
    pixel = pixel_of_three_bells(linear_alpha_bar())
    one, other = (pixel.sample(200_000, generator=gen) for _ in range(2))
    edges = torch.tensor([-0.4, 0.4], dtype=torch.float64)
    is_alike = torch.bucketize(one, edges) == torch.bucketize(other, edges)
    assert is_alike.double().mean().item() == pytest.approx(share_alike(), abs=0.01)


def test_noise_of_a_value_rises_with_it():
    assert noise_of(-1.0) < noise_of(0.1) < noise_of(0.6) < noise_of(1.0)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("solver-step", 1.5, "Right"),
        ("solver-step", 4.5, "Away from the belief"),
        ("solver-step", 0.0, "Too far"),
        ("solver-step", 0.5, "on top of the belief"),
        ("solver-star", 0.7, "Right"),
        ("solver-star", 0.9, "end of the step"),
        ("solver-star", 0.6, "a whole one"),
        ("solver-ink", -0.52, "Right"),
        ("solver-ink", 0.3, "That is the share"),
        ("solver-midpoint", heun, "Heun"),
        ("solver-levels", "level", "Compare"),
        ("solver-same", 0.38, "Right"),
        ("solver-same", 1.0, "no noise"),
        ("solver-same", 1 / 3, "as frequent"),
        ("solver-same", 0.25, "both paper"),
        ("solver-up", 0.072, "Right"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
