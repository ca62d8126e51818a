"""Flow matching: lines, velocities, and the same walk as diffusion's."""

import math

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from glyflib import flow, sampling, schedule
from glyflib.exact import GaussianMixture

COSINE = schedule.cosine_alpha_bar(200)
SCHEDULES = {
    "cosine": COSINE,
    "linear": schedule.linear_alpha_bar(200, first=5e-4, last=0.1),
    "straight": flow.straight_alpha_bar(200),
}


def drawn(seed=0, num=50, dim=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, dim, generator=generator, dtype=torch.float64)


def three_bells(alpha_bar):
    means = torch.tensor([[-1.0, 0.5], [1.0, 0.0], [0.2, -1.3]], dtype=torch.float64)
    stds = torch.tensor([0.2, 0.4, 0.3])
    return GaussianMixture.isotropic(
        torch.tensor([0.5, 0.2, 0.3]), means, stds, alpha_bar
    )


@pytest.mark.parametrize("shape", [(4, 2), (4, 1, 8, 8)])
def test_a_velocity_leads_back_to_data_and_on_to_noise(shape):
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
    tau = torch.tensor([0.0, 0.2, 0.7, 0.99], dtype=torch.float64)
    x, u = flow.interpolate(x0, eps, tau), flow.u_from_x0_eps(x0, eps)
    torch.testing.assert_close(flow.x0_from_u(x, u, tau), x0)
    torch.testing.assert_close(flow.eps_from_u(x, u, tau), eps)
    torch.testing.assert_close(flow.u_from_eps(x, eps, tau), u)


def test_a_line_starts_at_the_data_and_ends_at_the_noise():
    x0, eps = drawn(1), drawn(2)
    assert torch.equal(flow.interpolate(x0, eps, 0), x0)
    assert torch.equal(flow.interpolate(x0, eps, 1), eps)


@pytest.mark.parametrize("name", SCHEDULES)
def test_noisy_data_of_a_level_are_those_of_the_flow_stretched(name):
    alpha_bar, x0, eps = SCHEDULES[name], drawn(1), drawn(2)
    t = torch.arange(0, 200, 4)
    x = flow.interpolate(x0, eps, flow.tau_of(alpha_bar)[t])
    stretched = flow.stretch_of(alpha_bar)[t][:, None] * x
    torch.testing.assert_close(stretched, schedule.add_noise(x0, eps, t, alpha_bar))


def test_the_straight_schedule_is_even_in_flow_time():
    tau = flow.tau_of(flow.straight_alpha_bar(10, last=0.9))
    torch.testing.assert_close(tau, torch.linspace(0, 0.9, 11, dtype=torch.float64))


@pytest.mark.parametrize("name", SCHEDULES)
def test_eulers_step_in_flow_time_is_ddims_between_the_same_levels(name):
    alpha_bar = SCHEDULES[name]
    bells, xt = three_bells(alpha_bar), drawn()
    levels = flow.levels_even_in_tau(alpha_bar, 8)
    cut = alpha_bar[levels[::-1]]  # the same levels as a schedule of 8
    asked = dict(zip(range(8, -1, -1), levels, strict=True))

    def predict_eps(xt, t):
        return bells.predict_eps(xt, torch.full_like(t, asked[int(t[0])]))

    ddim = list(sampling.sample(predict_eps, xt, cut, num_steps=8))
    walk = list(flow.sample_flow(bells.predict_eps, xt, alpha_bar, num_steps=8))
    assert [step.t for step in walk] == levels[1:]
    for ours, theirs in zip(walk, ddim, strict=True):
        torch.testing.assert_close(ours.xt, theirs.xt)
        torch.testing.assert_close(ours.x0_hat, theirs.x0_hat)


def test_the_flow_of_one_bell_is_known():
    """Paths scale with the spread of the noisy data, here that of N(0, s^2)."""
    straight = flow.straight_alpha_bar(1000, last=0.9999)
    bell = GaussianMixture.isotropic(
        torch.ones(1), torch.zeros(1, 1).double(), torch.tensor([0.4]), straight
    )
    x = torch.tensor([[0.5], [-1.5]]).double()
    steps = flow.sample_flow(bell.predict_eps, x, straight, num_steps=500)
    for step in steps:
        tau = step.t / 1000 * 0.9999
        place = step.xt / flow.stretch_of(straight)[step.t]
        wanted = x * math.hypot((1 - tau) * 0.4, tau)
        torch.testing.assert_close(place, wanted, atol=4e-3, rtol=0)


def test_the_error_of_the_walk_falls_with_the_steps():
    bells, xt = three_bells(COSINE), drawn()

    def end(num_steps):
        walk = flow.sample_flow(bells.predict_eps, xt, COSINE, num_steps=num_steps)
        return sampling.last_of(walk).xt

    exact = sampling.last_of(
        sampling.sample_dpm(bells.predict_eps, xt, COSINE, num_steps=200)
    ).xt
    errors = [(end(n) - exact).square().mean().sqrt().item() for n in (5, 20, 60)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_velocity_network_draws_as_the_denoiser_that_it_stands_for(name):
    alpha_bar = SCHEDULES[name]
    bells = three_bells(alpha_bar)
    known, stretch = flow.tau_of(alpha_bar), flow.stretch_of(alpha_bar)

    def predict_u(x, tau):
        t = (known - tau[0]).abs().argmin()
        eps_hat = bells.predict_eps(stretch[t] * x, t)
        return flow.u_from_eps(x, eps_hat, tau)

    as_eps = flow.predict_eps_of(predict_u, alpha_bar)
    for sampler in (sampling.sample, sampling.sample_dpm):
        ends = [
            sampling.last_of(sampler(denoiser, drawn(), alpha_bar, num_steps=6)).xt
            for denoiser in (as_eps, bells.predict_eps)
        ]
        torch.testing.assert_close(*ends)


def test_diffusers_has_our_clock_and_our_velocity():
    twin, x0, eps = FlowMatchEulerDiscreteScheduler(), drawn(1), drawn(2)
    twin.set_timesteps(4)
    tau = twin.sigmas
    assert tau[0] == 1 and tau[-1] == 0 and (tau.diff() < 0).all()
    noisy = twin.scale_noise(x0, twin.timesteps[1:2], eps)
    x = flow.interpolate(x0, eps, tau[1].item())
    torch.testing.assert_close(noisy, x, rtol=1e-6, atol=1e-6)
    ours = x + (tau[2] - tau[1]).item() * flow.u_from_x0_eps(x0, eps)
    twin.set_timesteps(4)
    twin.set_begin_index(1)
    theirs = twin.step(eps - x0, twin.timesteps[1], x).prev_sample
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (-0.5, 0.7)])
def test_logit_normal_draws_have_their_density(mean, std):
    generator = torch.Generator().manual_seed(0)
    tau = flow.logit_normal(100_000, mean=mean, std=std, generator=generator)
    edges = torch.linspace(0.001, 0.999, 500, dtype=torch.float64)
    density = flow.logit_normal_density(edges, mean=mean, std=std)
    whole = torch.trapezoid(density, edges).item()
    below = torch.trapezoid(density[edges < 0.4], edges[edges < 0.4]).item()
    assert whole == pytest.approx(1, abs=2e-3)
    assert (tau < 0.4).double().mean().item() == pytest.approx(below, abs=0.01)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: flow.interpolate(drawn(), drawn(num=3), 0.5), "must match"),
        (lambda: flow.interpolate(drawn(), drawn(), 1.2), r"must lie in \[0, 1\]"),
        (lambda: flow.x0_from_u(drawn(), drawn(), torch.rand(3)), "one a row of 50"),
        (lambda: flow.u_from_eps(drawn(), drawn(), 1.0), "holds time 1"),
        (lambda: flow.straight_alpha_bar(10, last=1.0), "between 0 and 1"),
        (lambda: flow.straight_alpha_bar(0), "at least 1"),
        (lambda: flow.levels_even_in_tau(COSINE, 0), r"num_steps 0"),
        (lambda: flow.levels_even_in_tau(COSINE, 200), "too few"),
        (
            lambda: flow.logit_normal(3, std=0, generator=torch.Generator()),
            "above 0",
        ),
        (lambda: flow.logit_normal_density(torch.ones(1) / 2, std=-1), "above 0"),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
