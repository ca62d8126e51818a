"""The questions of chapter 7: their right answers by a second road."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions import perfect_denoiser as asked


def test_only_one_loss_lies_below_its_floor():
    below = [t for t in asked.LOSSES if asked.LOSSES[t] < asked.FLOORS[t]]
    assert below == [200]
    assert asked.suspect_and_gain() == (200, 400, pytest.approx(0.06))


def noise_point_by_point(xt, ab, data):
    """The mean of the noise that each data point would need, by the votes."""
    noises = (xt[:, None] - ab.sqrt() * data) / (1 - ab).sqrt()
    votes = torch.distributions.Normal(0, 1).log_prob(noises).sum(2).softmax(1)
    return (votes[:, :, None] * noises).sum(1)


def test_the_noise_is_a_mean_of_the_noises_that_the_points_would_need():
    torch.testing.assert_close(
        asked.noise_of(*asked.example()), noise_point_by_point(*asked.example())
    )
    assert check("perfect-noise", noise_point_by_point).text.startswith("**Right.**")


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("perfect-share", (200, 20, 0.03), "at level 20"),
        ("perfect-share", (200, 20, 0.90), "whole loss"),
        ("perfect-share", (200, 400, 0.10), "no loss can fall"),
        ("perfect-share", (20, 400, 0.06), "below its floor"),
        ("perfect-noise", asked.noise_by_plain_distance, "square"),
        ("perfect-noise", asked.noise_of_unshrunk, "must shrink"),
        ("perfect-noise", asked.undivided, "Divide by its factor"),
        ("perfect-noise", asked.data_of, "Now the noise"),
    ],
)
def test_each_mistake_gets_its_own_hint(name, answer, told):
    assert told in check(name, answer).text
