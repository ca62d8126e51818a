"""Likelihoods by the flow and by the bound, against densities that are known."""

import math
from functools import partial

import pytest
import torch

from glyflib.exact import GaussianMixture, WienerDenoiser
from glyflib.likelihood import (
    NUM_GREYS,
    GreyTable,
    believed,
    bound,
    climb,
    log_density_of_noise,
    rising_levels,
    trace_of,
)
from glyflib.schedule import add_noise, cosine_alpha_bar, linear_alpha_bar, log_snr

ALPHA_BAR = cosine_alpha_bar()
DOUBLE = torch.float64
# A fine schedule whose steps are so small that the bound is nearly an integral.
FINE = torch.cat([torch.ones(1), torch.linspace(6, -12, 4000).sigmoid()]).double()


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=gen(seed), dtype=DOUBLE)


def mixture(alpha_bar=ALPHA_BAR, num=3, dim=3):
    root = normal(num, dim, dim, seed=1)
    covs = root @ root.mT / dim * 0.3 + 0.05 * torch.eye(dim, dtype=DOUBLE)
    weights = torch.tensor([0.5, 0.2, 0.3], dtype=DOUBLE)[:num]
    return GaussianMixture(weights, normal(num, dim, seed=2), covs, alpha_bar)


def noised(mix, t, count=20):
    x0 = mix.sample(count, generator=gen(3))
    return add_noise(x0, normal(*x0.shape, seed=4), torch.tensor([t]), mix.alpha_bar)


# The trace.


def test_the_trace_of_a_gaussian_is_its_signal_share_axis_by_axis():
    mix, t = mixture(num=1), 400
    xt = noised(mix, t)
    _, found = trace_of(mix.predict_eps, xt, t, ALPHA_BAR, num_probes=None)
    signal = ALPHA_BAR[t] * mix.variances[0]
    known = (signal / (signal + 1 - ALPHA_BAR[t])).sum()
    torch.testing.assert_close(found, known.expand(len(xt)))


def test_random_signs_find_the_trace_of_a_round_gaussian_at_once():
    mix = GaussianMixture.isotropic(
        torch.ones(1), normal(1, 5), torch.tensor([0.4]), ALPHA_BAR
    )
    xt = normal(8, 5, seed=5)
    one = trace_of(mix.predict_eps, xt, 300, ALPHA_BAR, generator=gen())[1]
    exact = trace_of(mix.predict_eps, xt, 300, ALPHA_BAR, num_probes=None)[1]
    torch.testing.assert_close(one, exact)


def test_random_signs_find_the_trace_on_average():
    mix, t = mixture(), 400
    xt = noised(mix, t, 1).expand(4000, 3)
    found = trace_of(mix.predict_eps, xt, t, ALPHA_BAR, generator=gen())[1]
    exact = trace_of(mix.predict_eps, xt[:1], t, ALPHA_BAR, num_probes=None)[1]
    error = found.std() / math.sqrt(len(found))
    assert error < 0.02 and abs(found.mean() - exact) < 4 * error


def test_the_mean_trace_is_the_squared_error_of_the_noise():
    """Two roads to one rate, for a perfect denoiser."""
    mix, t = mixture(), 400
    x0 = mix.sample(4000, generator=gen(3))
    eps = normal(4000, 3, seed=4)
    xt = add_noise(x0, eps, torch.tensor([t]), ALPHA_BAR)
    eps_hat, trace = trace_of(mix.predict_eps, xt, t, ALPHA_BAR, num_probes=None)
    apart = trace - (eps - eps_hat).square().sum(1)
    assert abs(apart.mean()) < 4 * apart.std() / math.sqrt(4000) < 0.2


def test_more_directions_scatter_less_and_leave_the_noise_as_it_is():
    mix, t = mixture(), 400
    xt = noised(mix, t, 1).expand(500, 3)
    take = partial(trace_of, mix.predict_eps, xt, t, ALPHA_BAR)
    eps_hat, few = take(generator=gen(), num_probes=1)
    _, many = take(generator=gen(), num_probes=16)
    assert many.std() < few.std() / 3
    torch.testing.assert_close(eps_hat, mix.predict_eps(xt, torch.full((500,), t)))
    assert not eps_hat.requires_grad and not few.requires_grad


# The climb.


@pytest.mark.parametrize("num", [1, 3])
@pytest.mark.parametrize("start", [30, 300])
def test_a_climb_finds_the_density_of_gaussians_and_mixtures(num, start):
    mix = mixture(num=num)
    xt = noised(mix, start)
    levels = [start, *(t for t in rising_levels(ALPHA_BAR, 250) if t > start)]
    way = climb(mix.predict_eps, xt, ALPHA_BAR, levels, num_probes=None)
    known = mix.log_density(xt, torch.full((len(xt),), start))
    torch.testing.assert_close(way.log_density, known, rtol=0, atol=0.02)
    assert way.levels == tuple(levels) and way.traces.shape == (len(levels), len(xt))


def test_the_climb_is_of_second_order():
    mix, start = mixture(), 100
    xt = noised(mix, start)
    known = mix.log_density(xt, torch.full((len(xt),), start))
    off = []
    for stride in (40, 20):
        levels = [*range(start, 900, stride), *range(900, 1001, stride // 4)]
        way = climb(mix.predict_eps, xt, ALPHA_BAR, levels, num_probes=None)
        off.append((way.log_density - known).square().mean().sqrt())
    assert off[1] < off[0] / 2.8 and off[1] < 0.02


def test_one_probe_a_level_finds_the_density_of_a_wide_gaussian_on_average():
    root = normal(64, 64, seed=1) / 8
    wiener = WienerDenoiser(normal(64, seed=2), root @ root.T, ALPHA_BAR)
    start, count = 100, 200
    x0 = wiener.mean + normal(count, 64, seed=3) @ root.T
    xt = add_noise(x0, normal(count, 64, seed=4), torch.tensor([start]), ALPHA_BAR)
    levels = [start, *(t for t in rising_levels(ALPHA_BAR, 100) if t > start)]
    way = climb(wiener.predict_eps, xt, ALPHA_BAR, levels, generator=gen())
    a = ALPHA_BAR[start]
    cov = a * root @ root.T + (1 - a) * torch.eye(64)
    known = torch.distributions.MultivariateNormal(a.sqrt() * wiener.mean, cov)
    apart = way.log_density - known.log_prob(xt)
    assert abs(apart.mean()) < 4 * apart.std() / math.sqrt(count) + 0.02
    assert 0 < apart.std() < 5


def test_levels_rise_evenly_and_only_once():
    levels = rising_levels(ALPHA_BAR, 60)
    assert levels[0] == 1 and levels[-1] == 1000 and levels == sorted(set(levels))
    middle = [t for t in levels if 20 < t < 950]
    gaps = -log_snr(ALPHA_BAR)[middle].diff()
    assert gaps.max() < 1.5 * gaps.min()


# The bound.


def test_the_bound_of_a_gaussian_is_the_area_that_is_known():
    """With tiny steps, the middle of the bound is half the log of a ratio."""
    std = 0.7
    mix = GaussianMixture.isotropic(
        torch.ones(1), torch.zeros(1, 2), torch.tensor([std]), FINE
    )
    x0 = mix.sample(3000, generator=gen(1)).double()
    found = bound(mix.predict_eps, x0, FINE, num_levels=40, generator=gen(2))
    costs = found.costs.mean(0)
    snr = log_snr(FINE)[[1, -1]].exp()
    information = (1 + snr * std**2).log() / 2  # of one number
    known = 2 * (information[0] - information[1])
    error = costs.std() / math.sqrt(len(costs))
    assert error < 0.03 and abs(costs.mean() - known) < 4 * error + 0.01


def test_the_bound_lies_above_the_cost_by_the_flow():
    """A long step wastes: the bound's boxes stick out above the curve."""
    alpha_bar = linear_alpha_bar(8, first=0.01, last=0.9)
    mix = mixture(alpha_bar)
    x0 = mix.sample(2000, generator=gen(1))
    eps = normal(*x0.shape, seed=2)
    x1 = add_noise(x0, eps, torch.tensor([1]), alpha_bar)
    exact = -mix.log_density(x1, torch.ones(len(x1), dtype=torch.int64))
    exact = exact + log_density_of_noise(eps, 1, alpha_bar)
    found = bound(mix.predict_eps, x0, alpha_bar, num_levels=7, generator=gen(3))
    waste = found.costs.mean(0) + found.start - exact
    assert waste.mean() > 5 * waste.std() / math.sqrt(len(waste))


def test_every_step_gets_its_lot():
    mix = mixture()
    x0 = mix.sample(50, generator=gen(1))
    found = bound(mix.predict_eps, x0, ALPHA_BAR, num_levels=64, generator=gen(2))
    assert found.levels.shape == found.costs.shape == found.errors.shape == (64, 50)
    assert found.levels.min() == 2 and found.levels.max() > 900
    assert (found.levels.diff(dim=0) >= 0).all()
    assert (found.start < 1e-6).all()


def test_starting_from_noise_costs_what_is_left_of_the_signal():
    alpha_bar = torch.tensor([1, 0.5, 0.3], dtype=DOUBLE)
    x0 = normal(4, 3)
    found = bound(mixture(alpha_bar).predict_eps, x0, alpha_bar, generator=gen())
    left = torch.distributions.Normal(math.sqrt(0.3) * x0, math.sqrt(0.7))
    noise = torch.distributions.Normal(torch.zeros(1).double(), 1.0)
    known = torch.distributions.kl_divergence(left, noise).sum(1)
    torch.testing.assert_close(found.start, known)


def test_the_density_of_noise_is_the_one_that_torch_gives():
    eps, a = normal(5, 1, 2, 2), ALPHA_BAR[7].item()
    known = torch.distributions.Normal(0, math.sqrt(1 - a)).log_prob(
        math.sqrt(1 - a) * eps
    )
    found = log_density_of_noise(eps, 7, ALPHA_BAR)
    torch.testing.assert_close(found, known.flatten(1).sum(1))


def test_what_is_believed_of_a_lone_gaussian_is_its_posterior_mean():
    mix, t = mixture(num=1), 200
    xt = noised(mix, t)
    found = believed(mix.predict_eps, xt, t, ALPHA_BAR)
    torch.testing.assert_close(found, mix.denoise(xt, torch.full((len(xt),), t)))


# The last touch.


def pictures(count=40):
    """Pictures of four greys, and beliefs that are off by 0 or 1 grey."""
    images = torch.randint(4, (count, 1, 8, 8), generator=gen(1)) * 80
    off = torch.randint(2, images.shape, generator=gen(2))
    return images.to(torch.uint8), (images + off).clamp(max=255) / 127.5 - 1


def test_the_greys_of_a_belief_have_probabilities():
    images, x0_hat = pictures()
    table = GreyTable.count(x0_hat, images)
    whole = table.log_probability.exp().sum(1)
    torch.testing.assert_close(whole, torch.ones(NUM_GREYS).double())
    assert table.counts.sum() == images.numel()
    assert table.log_probability.isfinite().all()


def test_a_sure_belief_costs_little_and_a_coin_one_bit():
    images, x0_hat = pictures(400)
    table = GreyTable.count(x0_hat, images, strength=1e-9)
    bits = -table.log_likelihood(x0_hat, images) / math.log(2)
    assert bits.abs().max() < 1e-6  # 80 and 81 both stand for 80
    coin = torch.randint(2, images.shape, generator=gen(5)).to(torch.uint8) * 255
    belief = torch.zeros(images.shape)
    table = GreyTable.count(belief, coin)
    bits = -table.log_likelihood(belief, coin) / math.log(2) / 64
    assert bits.mean().item() == pytest.approx(1, abs=0.02)


def test_a_grey_that_was_never_counted_borrows_how_far_beliefs_are_off():
    images, x0_hat = pictures()
    table = GreyTable.count(x0_hat, images)
    likely = table.log_probability[200].exp()
    assert likely[199] > 0.2 and likely[200] > 0.2 and likely[150] < 0.01


# Errors.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: trace_of(m, x, 0, ALPHA_BAR), r"\[0\] must lie in \[1, 1000\]"),
        (lambda m, x: trace_of(m, x, 5, ALPHA_BAR, num_probes=0), "num_probes 0"),
        (lambda m, x: climb(m, x, ALPHA_BAR, [5, 5]), r"\[5, 5\] must .* rise"),
        (lambda m, x: climb(m, x, ALPHA_BAR, [5]), r"\[5\] must be two or more"),
        (lambda m, x: climb(m, x, ALPHA_BAR, []), "must lie in"),
        (lambda m, x: climb(m, x, ALPHA_BAR, [5, 1001]), "1001"),
        (lambda m, x: bound(m, x, ALPHA_BAR, num_levels=0), "num_levels 0"),
        (lambda m, x: rising_levels(ALPHA_BAR, 0), "num_steps 0"),
        (lambda m, x: log_density_of_noise(x, 1001, ALPHA_BAR), "1001"),
        (lambda m, x: believed(m, x, 0, ALPHA_BAR), r"\[0\]"),
        (lambda m, x: GreyTable(torch.zeros(2, 2)), r"\(2, 2\) must be \(256, 256\)"),
        (lambda m, x: GreyTable(torch.ones(256, 256), strength=0.0), "strength 0"),
        (lambda m, x: GreyTable.count(x, x), "must have one shape"),
    ],
)
def test_what_does_not_fit_is_told(call, message):
    mix = mixture()
    with pytest.raises(ValueError, match=message):
        call(mix.predict_eps, normal(2, 3))
