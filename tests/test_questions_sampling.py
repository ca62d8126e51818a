"""Chapter 12's questions: what is right, by a second road."""

import pytest
import torch

from glyflib.exact import GaussianMixture
from glyflib.lessons.exercises import check
from glyflib.lessons.questions.sampling import (
    SPREAD,
    best_stairs,
    clipped,
    example,
    slerp,
    spread_after,
    stairs,
    step,
    two_noises,
    variance_after,
    weights,
)
from glyflib.sampling import last_of, level_grid, sample
from glyflib.schedule import cosine_alpha_bar


def test_weights_are_those_of_the_formula():
    answer, picture = weights(noisy=0.5, cleaner=0.8)
    assert answer == pytest.approx(0.8**0.5 * 0.375 / 0.5)
    assert picture == pytest.approx(0.625**0.5 * 0.2 / 0.5)


def test_a_step_without_fresh_noise_is_the_one_done_by_hand():
    assert step() == pytest.approx(0.8 * 0.5 + 0.6 * 1.0)


def test_clipped_belief_and_noise_make_up_the_picture():
    x0_hat, xt, ab = example()
    x0, eps = clipped(x0_hat, xt, ab)
    assert x0_hat.abs().max() > 1 == x0.abs().max()
    torch.testing.assert_close(ab.sqrt() * x0 + (1 - ab).sqrt() * eps, xt)


@pytest.mark.parametrize("w", [0.0, 0.25, 0.5, 1.0])
def test_the_way_on_the_sphere_keeps_the_length(w):
    a, b, _ = two_noises()
    b = b * a.norm() / b.norm()
    there = slerp(a, b, w)
    assert there.norm().item() == pytest.approx(a.norm().item())
    angle = torch.acos((a * b).sum() / a.norm() ** 2)
    turned = torch.acos(((a * there).sum() / a.norm() ** 2).clamp(-1, 1))
    assert turned.item() == pytest.approx(w * angle.item(), abs=1e-6)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_spread_is_that_of_pixels_that_are_sampled(eta):
    alpha_bar = cosine_alpha_bar(1000)
    gen = torch.Generator().manual_seed(0)
    noise = torch.randn(40_000, 1, generator=gen, dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    pixel = GaussianMixture.isotropic(one, 0 * one[:, None], SPREAD * one, alpha_bar)
    steps = sample(
        pixel.predict_eps, noise, alpha_bar, num_steps=5, eta=eta, generator=gen
    )
    drawn = last_of(steps).xt.std().item()
    found = spread_after(level_grid(1000, 5), eta, alpha_bar)
    assert drawn == pytest.approx(found, rel=0.015)


def test_all_stairs_lead_down_in_as_many_steps():
    for levels in stairs(1000, 8).values():
        assert levels[0] == 1000 and levels[-1] == 0 and len(levels) == 9
        assert levels == sorted(set(levels), reverse=True)


def test_which_stairs_are_best_depends_on_the_data():
    alpha_bar = cosine_alpha_bar(1000)
    assert best_stairs() == "denser near 0"
    wide = {
        name: variance_after(levels, 0.0, alpha_bar, spread=1.0)
        for name, levels in stairs().items()
    }
    assert max(wide, key=wide.get) == "even" and wide["even"] < 1


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("sampling-weight", [0.32, 0.67], "the other way round"),
        ("sampling-weight", [0.6, 0.25], "has a root"),
        ("sampling-weight", [1, 1], "First r"),
        ("sampling-step", 0.7375, "the knob is at 0"),
        ("sampling-step", 0.68, "multiplied by roots"),
        ("sampling-step", 1.06, "not the picture"),
        ("sampling-clip", lambda x0_hat, xt, ab: x0_hat, "shape"),
        ("sampling-between", lambda a, b, w: a + w * (b - a), "straight line"),
        ("sampling-stairs", "denser near T", "at high ones"),
        ("sampling-stairs", "uneven", "One of three names"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
