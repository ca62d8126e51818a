"""Islands of the map, and walkers: against islands and variances that are known."""

import pytest
import torch

from glyflib.data import load_glyphs
from glyflib.lessons import islands
from glyflib.schedule import linear_alpha_bar

ALPHA_BAR = linear_alpha_bar(1000)


def test_an_island_is_what_steps_of_that_length_reach():
    places = torch.tensor([[0.0, 0], [0.9, 0], [1.8, 0], [5.0, 0], [5.0, 0.9]])
    assert islands.reachable(places, 1.0).tolist() == [0, 0, 0, 1, 1]
    assert len(islands.reachable(places, 0.5).unique()) == 5
    assert len(islands.reachable(places, 4.0).unique()) == 1


def test_three_islands_of_the_map_are_apart_and_have_their_glyphs():
    glyphs = load_glyphs("all", 32)
    found = islands.find_islands(glyphs)
    rows = torch.cat([*found.values()])
    assert len(rows.unique()) == len(rows)
    for name, char in islands.MEMBERS.items():
        assert glyphs.find(char)[0] in found[name]
    water = glyphs.radicals[found["water"]] == 85
    assert water.double().mean() > 0.9


def test_the_map_has_mean_0_and_spread_1():
    places = islands.scaled_map(load_glyphs("all", 32))
    assert places.mean(0).abs().max() < 1e-9
    assert places.std() == pytest.approx(1)


def test_gaussians_have_share_mean_and_covariance_of_their_islands():
    gen = torch.Generator().manual_seed(0)
    few, many = torch.randn(2, 100, 2, generator=gen, dtype=torch.float64)
    mixture = islands.as_gaussians([few[:25], many[:75] + 3], ALPHA_BAR)
    assert mixture.weights.tolist() == [0.25, 0.75]
    torch.testing.assert_close(mixture.means[1], many[:75].mean(0) + 3)
    drawn = mixture.sample(40_000, generator=gen)
    expected = torch.cov(torch.cat([few[:25], many[:75] + 3]).T, correction=0)
    torch.testing.assert_close(torch.cov(drawn.T), expected, atol=0.05, rtol=0.03)


@pytest.mark.parametrize("length", [0.1, 0.5])
def test_walkers_settle_at_the_variance_that_their_step_foretells(length):
    """For x <- (1 - h/v) x + sqrt(2h) z the variance at rest is v / (1 - h / 2v)."""
    gen = torch.Generator().manual_seed(0)
    x = torch.zeros(40_000, 1, dtype=torch.float64)
    t = 600
    v = (1 - ALPHA_BAR[t]).item()  # so that h / v is the length

    def score(x, t):
        return -x / v

    levels = [t] * 60
    *_, last = islands.walk(x, levels, score, ALPHA_BAR, generator=gen, length=length)
    assert last.var().item() == pytest.approx(v / (1 - length / 2), rel=0.03)
    assert last.mean().abs() < 0.02


def test_walkers_follow_each_level_once():
    gen = torch.Generator().manual_seed(0)
    seen = []

    def score(x, t):
        seen.append(t.item())
        return -x

    places = list(
        islands.walk(torch.zeros(3, 2), [700, 30], score, ALPHA_BAR, generator=gen)
    )
    assert seen == [700, 30] and len(places) == 2 and places[0].shape == (3, 2)
