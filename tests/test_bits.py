"""Bits along the log-SNR, against areas that are known."""

import numpy as np
import pytest
import torch

from glyflib.lessons.bits import (
    bits_under,
    mean_and_error,
    schedule_of_density,
    snr_of_steps,
    wasted_bits,
)
from glyflib.schedule import cosine_alpha_bar, linear_alpha_bar, log_snr

FINE = np.linspace(-12, 3, 3001)


def test_the_area_of_a_gaussian_is_its_information():
    lam = np.linspace(-12, 3, 31)
    snr = np.exp(lam)
    rate = snr / (1 + snr) / 2  # mmse of a Gaussian of variance 1
    np.testing.assert_allclose(bits_under(lam, rate), np.log1p(snr) / 2, rtol=3e-3)


def test_steps_use_levels_from_clean_to_noise_under_a_cap():
    alpha_bar = linear_alpha_bar()
    found = snr_of_steps(alpha_bar, 4)
    expected = log_snr(alpha_bar)[[500, 750, 1000]].exp()
    np.testing.assert_allclose(found, [1, 1, *expected])


def test_waste_is_the_triangles_above_a_straight_fall():
    height = (2 - np.exp(FINE)).clip(0)  # falls from 2 to 0 at a ratio of 2
    snr = [2.0, 1.0, 0.5, 1e-9]
    triangles = (1**2 + 0.5**2 + 0.5**2) / 2
    assert wasted_bits(snr, FINE, height) == pytest.approx(triangles, abs=1e-3)


def test_more_steps_waste_less():
    height = 1 / (1 + np.exp(FINE)) ** 2
    waste = [
        wasted_bits(snr_of_steps(cosine_alpha_bar(), k), FINE, height)
        for k in (5, 20, 80)
    ]
    assert waste[0] > waste[1] > waste[2] > 0


def test_an_even_density_makes_a_straight_log_snr():
    alpha_bar = schedule_of_density(FINE, np.ones(3001), num_levels=50)
    np.testing.assert_allclose(log_snr(alpha_bar), np.linspace(3, -12, 51))


def test_levels_crowd_where_the_density_is_high():
    density = np.where(abs(FINE + 3) < 1, 9, 1)  # 18 of 31 parts within 2 of 15
    alpha_bar = schedule_of_density(FINE, density, num_levels=3100)
    inside = ((log_snr(alpha_bar) + 3).abs() < 1).sum().item()
    assert inside == pytest.approx(1800, abs=10)


def test_the_error_of_a_mean_shrinks_with_the_root_of_the_number():
    values = torch.tensor([[0.0, 2.0] * 200, [1.0] * 400])
    mean, error = mean_and_error(values)
    assert mean.tolist() == [1, 1]
    assert error.tolist() == pytest.approx([0.05, 0], rel=2e-3)
