"""One number and two words: a density on a grid is as exact as one with a formula."""

import pytest
import torch

from glyflib.lessons.two_words import HUMP_STD, GridDensity, humps
from glyflib.sampling import last_of, sample_heun
from glyflib.schedule import eps_from_score, linear_alpha_bar, score_from_eps

ALPHA_BAR = linear_alpha_bar(1000)
X = torch.linspace(-5, 5, 2001, dtype=torch.float64)
CLEAN = torch.tensor(0)
PLACES = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
ASKED = humps([0.2, 1.2], ALPHA_BAR)
ALL = humps([0.2, 1.2, -1.2, 0.0], ALPHA_BAR)


def on_grid(mixture):
    """The same density, known on the grid only."""
    return GridDensity(X, 7 * mixture.density(X[:, None], CLEAN), ALPHA_BAR)


def test_humps_are_equal_bells():
    assert ASKED.weights.tolist() == [0.5, 0.5]
    assert ASKED.means[:, 0].tolist() == [0.2, 1.2]
    assert ASKED.variances[:, 0].tolist() == pytest.approx([HUMP_STD**2] * 2)


def test_mean_and_spread_are_those_of_the_formula():
    grid = on_grid(ASKED)
    assert grid.mean == pytest.approx(0.7)
    assert grid.std == pytest.approx((0.5**2 + HUMP_STD**2) ** 0.5)


@pytest.mark.parametrize("t", [10, 150, 1000])
def test_the_noise_is_that_of_the_formula(t):
    level = torch.full((len(PLACES),), t)
    found = on_grid(ALL).predict_eps(PLACES, level)
    torch.testing.assert_close(found, ALL.predict_eps(PLACES, level))


@pytest.mark.parametrize("t", [10, 150, 400])
def test_the_verdict_on_noise_is_the_mean_of_verdicts_on_data(t):
    level = torch.tensor(t)
    judge = 0.5 * ASKED.density(X[:, None], CLEAN) / ALL.density(X[:, None], CLEAN)
    found = on_grid(ALL).mean_given(judge, PLACES, level)
    wanted = 0.5 * ASKED.density(PLACES, level) / ALL.density(PLACES, level)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("t", [50, 400])
def test_the_noised_sharpened_density_weighs_by_the_mean_of_powers(t):
    """Its score, by its own denoiser, is the slope of what chapter 17 derives."""
    judge = 0.5 * ASKED.density(X[:, None], CLEAN) / ALL.density(X[:, None], CLEAN)
    height = ALL.density(X[:, None], CLEAN) * judge**3
    level, step = torch.full((len(PLACES),), t), 1e-4
    eps = GridDensity(X, height, ALPHA_BAR).predict_eps(PLACES, level)

    def log_density(places):
        mean = on_grid(ALL).mean_given(judge**3, places, level)
        return ALL.log_density(places, level) + mean.log()

    slope = (log_density(PLACES + step) - log_density(PLACES - step)) / (2 * step)
    score = score_from_eps(eps, level, ALPHA_BAR)[:, 0]
    torch.testing.assert_close(score, slope, atol=1e-4, rtol=1e-4)
    again = eps_from_score(score[:, None], level, ALPHA_BAR)
    torch.testing.assert_close(again, eps)


def test_a_solver_draws_the_density():
    grid = on_grid(ASKED)
    gen = torch.Generator().manual_seed(0)
    noise = torch.randn(1000, 1, generator=gen, dtype=torch.float64)
    ends = last_of(sample_heun(grid.predict_eps, noise, ALPHA_BAR, num_steps=30)).xt
    assert ends.mean().item() == pytest.approx(grid.mean, abs=0.05)
    assert ends.std().item() == pytest.approx(grid.std, abs=0.05)


@pytest.mark.parametrize(
    ("height", "told"),
    [
        (torch.ones(3), "must fit"),
        (-torch.ones(2001), "at least 0"),
        (torch.zeros(2001), "not all 0"),
    ],
)
def test_a_height_that_is_no_density_is_refused(height, told):
    with pytest.raises(ValueError, match=told):
        GridDensity(X, height, ALPHA_BAR)


def test_clean_numbers_leave_nothing_to_guess():
    with pytest.raises(ValueError):
        on_grid(ASKED).mean_given(X, PLACES, torch.tensor(0))
