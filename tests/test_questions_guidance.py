"""The questions of chapter 17: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.guidance import (
    answers_of_three,
    best_third,
    both_words,
    from_a,
    guided_answer,
    guided_variance,
    hits_of_thirds,
    mean_of_words,
    one_null,
    scale_of,
    sharpened_variance,
    worth,
)
from glyflib.lessons.two_words import GridDensity
from glyflib.sampling import guided, last_of, sample_heun
from glyflib.schedule import linear_alpha_bar


@pytest.mark.parametrize("scale", [0, 1, 3.5])
def test_the_answer_is_that_of_the_package(scale):
    def model(xt, t, cond):
        return torch.full_like(xt, cond)

    by_package = guided(model, 0.2, 0.5, scale)(torch.zeros(1), torch.tensor([5]))
    assert guided_answer(0.5, 0.2, scale) == pytest.approx(by_package.item())


@pytest.mark.parametrize("w", [-1, 0, 2])
def test_both_ways_to_count_are_the_same_line(w):
    by_paper = (1 + w) * 0.2 - w * 0.5
    assert guided_answer(0.5, 0.2, scale_of(w)) == pytest.approx(by_paper)


def test_a_place_is_given_less_than_it_deserves_unless_all_is_decided():
    assert worth([1, 0], 3) == pytest.approx((1 / 2, 1 / 8))
    assert worth([0.4, 0.4], 3)[0] == pytest.approx(worth([0.4, 0.4], 3)[1])
    assert worth([0.9, 0.1], 1)[0] == pytest.approx(worth([0.9, 0.1], 1)[1])


def test_the_early_third_brings_most_hits():
    found = hits_of_thirds()
    assert list(found) == ["early", "middle", "late"]
    assert best_third() == "early" and found["early"] > found["late"]


def test_two_words_are_each_alone_if_the_other_changes_nothing():
    eps_null, eps_a, _, scale = answers_of_three()
    alone = eps_null + scale * (eps_a - eps_null)
    assert torch.allclose(both_words(eps_null, eps_a, eps_null, scale), alone)
    assert torch.allclose(both_words(eps_null, eps_null, eps_a, scale), alone)


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
def test_the_variances_are_those_of_densities_and_of_draws(scale):
    """By the product of the bells on a grid, and by a solver with exact answers."""
    alpha_bar = linear_alpha_bar(1000)
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    height = torch.exp(-scale * x**2 / 2 - (1 - scale) * x**2 / 4)
    grid = GridDensity(x, height, alpha_bar)
    assert grid.std**2 == pytest.approx(sharpened_variance(1, 2, scale), rel=1e-6)

    def model(xt, t, variance):
        a = alpha_bar[t].reshape(-1, 1)
        return (1 - a).sqrt() * xt / (a * variance + 1 - a)

    noise = torch.tensor([[1.0]], dtype=torch.float64)
    steps = sample_heun(guided(model, 1, 2, scale), noise, alpha_bar, num_steps=60)
    factor = last_of(steps).xt.item()
    assert factor**2 == pytest.approx(guided_variance(1, 2, scale), rel=0.02)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("guidance-line", -0.4, "Right"),
        ("guidance-line", 1.1, "from the answer with"),
        ("guidance-line", -0.7, "*without* the word"),
        ("guidance-line", 1.4, "leads from the answer without"),
        ("guidance-line", 0.6, "how long is a step"),
        ("guidance-count", 2.5, "Right"),
        ("guidance-count", 1.5, "their number"),
        ("guidance-count", 0.5, "other way"),
        ("guidance-doubt", [0.41, 0.25], "Right"),
        ("guidance-doubt", [0.25, 0.41], "other way round"),
        ("guidance-doubt", [0.5, 0.25], "square each"),
        ("guidance-doubt", [0.82, 0.25], "take the mean"),
        ("guidance-part", "Early", "Right"),
        ("guidance-part", "late", "rough structure"),
        ("guidance-part", "middle", "Near"),
        ("guidance-both", both_words, "Right"),
        ("guidance-both", mean_of_words, "half as far"),
        ("guidance-both", one_null, "twice"),
        ("guidance-both", from_a, "away from a"),
        ("guidance-bell", [0.5, 0.25], "Right"),
        ("guidance-bell", [0.25, 0.5], "other order"),
        ("guidance-bell", [0.5, 0.5], "Its square"),
        ("guidance-bell", [2.0, 0.25], "one over"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
