"""The questions of chapter 20: what is right, and what each mistake is told."""

import math

import pytest
import torch
from torch.nn.functional import avg_pool2d

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.larger_images import (
    attention_factor,
    best_trust,
    between,
    error_of_mean,
    in_pixels,
    level_as_noisy_as,
    times_fewer,
    trust_errors,
    two_pictures,
)
from glyflib.schedule import cosine_alpha_bar


def test_pairs_of_places_grow_with_the_fourth_power_of_the_side():
    places = torch.ones(3, 3)
    grown = places.repeat(4, 4)
    assert attention_factor(4) == grown.numel() ** 2 / places.numel() ** 2


def test_an_autoencoder_of_the_text_leaves_a_48th():
    assert times_fewer(3, 8, 4) == (512 * 512 * 3) / (64 * 64 * 4)


def test_the_mean_of_exact_draws_errs_as_the_law_says():
    gen = torch.Generator().manual_seed(0)
    truth = torch.randn(100_000, generator=gen)
    draws = torch.randn(4, 100_000, generator=gen)
    off = (draws.mean(0) - truth).square().mean()
    assert off.item() == pytest.approx(error_of_mean(4), rel=0.02)


def test_what_is_undamaged_is_trusted_wholly_and_damage_is_not():
    assert best_trust(0.0) == 0 < best_trust(0.4)
    assert min(trust_errors(0.4).values()) < 0.97 * trust_errors(0.4)[0]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_walk_in_latents_has_the_pictures_at_its_ends(share):
    encode, decode, a, b, _ = two_pictures()
    end = b if share else a
    there = decode(encode(end))
    torch.testing.assert_close(between(encode, decode, a, b, share), there)


def test_the_two_walks_differ_half_way():
    given = two_pictures()
    assert (between(*given) - in_pixels(*given)).abs().max() > 1e-3


def test_the_average_at_the_found_level_is_as_noisy_as_the_small_picture():
    alpha_bar = cosine_alpha_bar(1000)
    large = alpha_bar[level_as_noisy_as(500, 4)]
    gen = torch.Generator().manual_seed(0)
    noise = (1 - large).sqrt() * torch.randn(1, 1, 2048, 2048, generator=gen)
    left = avg_pool2d(noise.double(), 4).var() / large
    small = (1 - alpha_bar[500]) / alpha_bar[500]
    assert left.item() == pytest.approx(small.item(), rel=0.02)
    assert math.isclose(level_as_noisy_as(500, 1), 500)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("larger-attention", 256, "Right"),
        ("larger-attention", 16, "pairs"),
        ("larger-numbers", 48, "Right"),
        ("larger-numbers", 16, "grey"),
        ("larger-mean", 0.625, "Right"),
        ("larger-mean", 1.6, "other way round"),
        ("larger-trust", 0, "believed"),
        ("larger-between", between, "Right"),
        ("larger-between", in_pixels, "mixed the pictures"),
        ("larger-level", level_as_noisy_as(500, 4, 1), "Twice the logarithm"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text
