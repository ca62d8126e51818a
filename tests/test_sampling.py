import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from diffusers.guiders import ClassifierFreeGuidance

from glyflib.sampling import (
    Step,
    clip,
    dynamic_threshold,
    fresh_noise,
    guided,
    last_of,
    level_grid,
    sample,
    sample_dpm,
    sample_heun,
    sample_sde,
    seeds_of,
)
from glyflib.schedule import cosine_alpha_bar, level, linear_alpha_bar

ALPHA_BAR = linear_alpha_bar()
SAMPLERS = [sample, sample_heun, sample_dpm, sample_sde]
ODE_SAMPLERS = [sample, sample_heun, sample_dpm]
MEAN, STD = 0.7, 0.2


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian_oracle(alpha_bar, mean=MEAN, std=STD):
    """The exact mean noise for data N(mean, std^2)."""

    def predict_eps(xt, t):
        a = level(alpha_bar, t, like=xt)
        return (1 - a).sqrt() * (xt - a.sqrt() * mean) / (a * std**2 + 1 - a)

    return predict_eps


def final(steps):
    *_, last = steps
    return last.xt


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_recovers_a_known_gaussian(sampler):
    noise = torch.randn(20_000, 1, generator=seeded())
    oracle = gaussian_oracle(ALPHA_BAR)
    steps = sampler(oracle, noise, ALPHA_BAR, num_steps=200, generator=seeded(1))
    x = final(steps)
    assert x.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert x.std().item() == pytest.approx(STD, abs=0.01)


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_noisy_sampling_recovers_a_known_gaussian(eta):
    noise = torch.randn(20_000, 1, generator=seeded())
    oracle = gaussian_oracle(ALPHA_BAR)
    steps = sample(oracle, noise, ALPHA_BAR, num_steps=400, eta=eta, generator=seeded())
    x = final(steps)
    assert x.mean().item() == pytest.approx(MEAN, abs=0.01)
    assert x.std().item() == pytest.approx(STD, abs=0.015)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("alpha_bar", [ALPHA_BAR, cosine_alpha_bar()])
def test_a_sampler_yields_each_level_down_to_zero(sampler, alpha_bar):
    oracle = gaussian_oracle(alpha_bar)
    noise = torch.randn(2, 1, 4, 4, generator=seeded())
    steps = list(sampler(oracle, noise, alpha_bar, num_steps=7, generator=seeded()))
    assert [step.t for step in steps] == level_grid(1000, 7)[1:]
    assert steps[-1].t == 0
    assert all(step.xt.shape == step.x0_hat.shape == noise.shape for step in steps)
    assert all(step.xt.isfinite().all() for step in steps)


@pytest.mark.parametrize(
    ("sampler", "order"), [(sample, 1), (sample_heun, 2), (sample_dpm, 2)]
)
def test_a_solver_has_its_order(sampler, order):
    """Against the exact flow of a Gaussian, from level T down to T / 5.

    Near level 0 sigma grows like the root of t, so the last steps of an even grid
    lower the order of every solver; T is large, so that rounding does not show.
    """
    alpha_bar, until = linear_alpha_bar(100_000, first=1e-6, last=2e-4), 20_000
    xt = torch.linspace(-2, 2, 9, dtype=torch.float64).unsqueeze(1)

    def moments(t):
        a = alpha_bar[t].item()
        return math.sqrt(a) * MEAN, math.sqrt(a * STD**2 + 1 - a)

    (mean, std), (mean_until, std_until) = moments(-1), moments(until)
    exact = mean_until + std_until * (xt - mean) / std
    oracle, errors = gaussian_oracle(alpha_bar), []
    for num_steps in (40, 80, 160, 320):
        steps = sampler(oracle, xt, alpha_bar, num_steps=num_steps)
        reached = next(step.xt for step in steps if step.t == until)
        errors.append((reached - exact).abs().max().item())
    slopes = [math.log2(e / f) for e, f in pairwise(errors)]
    assert slopes[-1] == pytest.approx(order, abs=0.15), (errors, slopes)


def test_ddim_is_first_order_dpm_solver():
    """Two roads: with a constant x0_hat the second-order term of DPM-Solver is 0."""
    target = torch.tensor([[0.3], [-0.8]])

    def predict_eps(xt, t):
        a = level(ALPHA_BAR, t, like=xt)
        return (xt - a.sqrt() * target) / (1 - a).sqrt()

    noise = torch.randn(2, 1, generator=seeded(), dtype=torch.float64)
    ours = list(sample(predict_eps, noise, ALPHA_BAR, num_steps=20))
    other = list(sample_dpm(predict_eps, noise, ALPHA_BAR, num_steps=20))
    for a, b in zip(ours, other, strict=True):
        torch.testing.assert_close(a.xt, b.xt)


def test_ddpm_is_the_first_order_sde_solver():
    target = torch.tensor([[0.3], [-0.8]])

    def predict_eps(xt, t):
        a = level(ALPHA_BAR, t, like=xt)
        return (xt - a.sqrt() * target) / (1 - a).sqrt()

    noise = torch.randn(2, 1, generator=seeded(), dtype=torch.float64)
    args = {"num_steps": 20, "generator": seeded(3)}
    ours = list(sample(predict_eps, noise, ALPHA_BAR, eta=1.0, **args))
    args["generator"] = seeded(3)
    other = list(sample_sde(predict_eps, noise, ALPHA_BAR, **args))
    for a, b in zip(ours, other, strict=True):
        torch.testing.assert_close(a.xt, b.xt)


@pytest.mark.parametrize("sampler", ODE_SAMPLERS)
def test_an_ode_sampler_draws_no_random_number(sampler):
    oracle, gen = gaussian_oracle(ALPHA_BAR), seeded()
    state = gen.get_state()
    noise = torch.randn(3, 1, generator=seeded())
    final(sampler(oracle, noise, ALPHA_BAR, num_steps=5, generator=gen))
    assert torch.equal(gen.get_state(), state)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_number_of_model_calls_is_as_documented(sampler):
    calls, oracle = [], gaussian_oracle(ALPHA_BAR)

    def predict_eps(xt, t):
        calls.append(t[0].item())
        return oracle(xt, t)

    final(sampler(predict_eps, torch.zeros(1, 1), ALPHA_BAR, num_steps=9))
    assert len(calls) == (17 if sampler is sample_heun else 9)
    assert min(calls) > 0, "no model is asked about clean data"


@pytest.mark.parametrize("name", ["ddpm", "sde"])
def test_a_row_with_a_generator_of_its_own_does_not_depend_on_its_batch(name):
    sampler, options = {"ddpm": (sample, {"eta": 1.0}), "sde": (sample_sde, {})}[name]
    oracle = gaussian_oracle(ALPHA_BAR)
    noise = torch.randn(3, 1, 4, generator=seeded(), dtype=torch.float64)

    def drawn(rows):
        sources = [seeded(7 + row) for row in rows]
        args = {"num_steps": 9, "generator": sources} | options
        return final(sampler(oracle, noise[rows], ALPHA_BAR, **args))

    together = drawn([0, 1, 2])
    for row in range(3):
        torch.testing.assert_close(drawn([row])[0], together[row])
    assert (together[0] - together[1]).abs().max() > 0.01


def test_rows_with_one_generator_each_draw_what_it_gives():
    noise = fresh_noise(torch.empty(2, 3), [seeded(1), seeded(2)])
    assert torch.equal(noise[1], torch.randn(3, generator=seeded(2)))
    assert torch.equal(
        fresh_noise(noise, seeded(3)), torch.randn(2, 3, generator=seeded(3))
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_generators_that_are_not_one_a_row_are_refused(count):
    with pytest.raises(ValueError, match=f"{count} generators must be one, or 2"):
        fresh_noise(torch.empty(2, 3), [seeded()] * count)


def test_guidance_at_scale_one_is_conditional_and_at_zero_unconditional():
    def model(xt, t, cond):
        return xt * cond

    cond, null = torch.tensor(3.0), torch.tensor(1.0)
    xt, t = torch.ones(2, 1), torch.tensor([5, 5])
    for scale, expected in [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]:
        eps = guided(model, cond, null, scale)(xt, t)
        torch.testing.assert_close(eps, torch.full((2, 1), expected))


@pytest.mark.parametrize("w", [0.0, 0.5, 4.0])
def test_guidance_matches_the_other_convention(w):
    """Ho and Salimans: (1 + w) eps_cond - w eps_null, with w = scale - 1."""
    gen = seeded()
    eps = {"c": torch.randn(4, generator=gen), "n": torch.randn(4, generator=gen)}
    ours = guided(lambda xt, t, c: eps[c], "c", "n", 1 + w)(None, None)
    torch.testing.assert_close(ours, (1 + w) * eps["c"] - w * eps["n"])


def test_clipping_keeps_x0_and_noise_consistent():
    noise = torch.randn(50, 1, generator=seeded(), dtype=torch.float64)
    oracle = gaussian_oracle(ALPHA_BAR, mean=1.5)
    free = final(sample(oracle, noise, ALPHA_BAR, num_steps=20))
    clipped = list(sample(oracle, noise, ALPHA_BAR, num_steps=20, fix_x0=clip))
    assert free.abs().max() > 1
    assert all(step.x0_hat.abs().max() <= 1 for step in clipped)
    assert clipped[-1].xt.abs().max() <= 1


def test_dynamic_threshold_scales_by_each_samples_own_quantile():
    x0_hat = torch.stack([torch.linspace(-4, 4, 101), torch.linspace(-0.5, 0.5, 101)])
    fixed = dynamic_threshold(0.9)(x0_hat)
    assert fixed[0].abs().max() == 1
    torch.testing.assert_close(fixed[0, 60], x0_hat[0, 60] / 3.6)
    torch.testing.assert_close(fixed[1], x0_hat[1])  # within [-1, 1]: left alone


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: sample(f, torch.zeros(1, 1), ALPHA_BAR, num_steps=0), "num_steps 0"),
        (lambda f: sample(f, torch.zeros(1, 1), ALPHA_BAR, num_steps=1001), "1001"),
        (lambda f: sample(f, torch.zeros(1, 1), ALPHA_BAR, eta=1.5), "eta 1.5"),
        (lambda f: [dynamic_threshold(0.0)], "share 0.0"),
    ],
)
def test_senseless_arguments_are_refused(call, match):
    with pytest.raises(ValueError, match=match):
        list(call(gaussian_oracle(ALPHA_BAR)))


# --- a trusted twin: diffusers, step by step from the same noise ------------------

TRAILING = {"timestep_spacing": "trailing", "clip_sample": False}
TWINS = {
    "ddim": (DDIMScheduler, TRAILING | {"set_alpha_to_one": True}, sample, {}),
    "ddpm": (DDPMScheduler, TRAILING, sample, {"eta": 1.0}),
    "dpm": (
        DPMSolverMultistepScheduler,
        {"timestep_spacing": "trailing", "final_sigmas_type": "zero"},
        sample_dpm,
        {},
    ),
    "sde": (
        DPMSolverMultistepScheduler,
        {
            "timestep_spacing": "trailing",
            "final_sigmas_type": "zero",
            "algorithm_type": "sde-dpmsolver++",
        },
        sample_sde,
        {},
    ),
}
BETAS = {
    "linear": ({"beta_start": 1e-4, "beta_end": 0.02}, linear_alpha_bar()),
    "squaredcos_cap_v2": ({}, cosine_alpha_bar()),
}


@pytest.mark.parametrize("schedule", BETAS)
def test_schedules_agree_with_diffusers(schedule):
    options, alpha_bar = BETAS[schedule]
    twin = DDPMScheduler(beta_schedule=schedule, **options).alphas_cumprod
    torch.testing.assert_close(twin.double(), alpha_bar[1:], rtol=2e-4, atol=1e-7)
    torch.testing.assert_close(twin[:900].double(), alpha_bar[1:901], rtol=2e-5, atol=0)


# diffusers hands NumPy a tensor in a way that NumPy 2 will leave.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("schedule", BETAS)
@pytest.mark.parametrize("name", TWINS)
def test_every_step_agrees_with_diffusers(name, schedule):
    """Level t here is timestep t - 1 there; `alpha_bar[0] = 1` is their final alpha.

    They keep alpha_bar in float32, which loses four digits at the cosine's last
    levels; so they are handed ours, and what is compared is the step alone.
    """
    make, options, sampler, ours_options = TWINS[name]
    beta_options, alpha_bar = BETAS[schedule]
    twin = make(beta_schedule=schedule, **beta_options, **options)
    twin.alphas_cumprod = alpha_bar[1:]
    twin.set_timesteps(20)
    oracle = gaussian_oracle(alpha_bar)
    xt = torch.randn(8, 1, 4, 4, generator=seeded(), dtype=torch.float64)
    steps = sampler(
        oracle, xt, alpha_bar, num_steps=20, generator=seeded(5), **ours_options
    )
    gen = seeded(5)
    for t, step in zip(twin.timesteps, steps, strict=True):
        eps_hat = oracle(xt, torch.full((8,), int(t) + 1))
        noise = {} if name == "dpm" else {"generator": gen}
        if name == "sde":  # they would draw it in float32
            noise = {"variance_noise": fresh_noise(xt, gen)}
        xt = twin.step(eps_hat, t, xt, **noise).prev_sample.double()
        torch.testing.assert_close(step.xt, xt, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0, 7.5])
@pytest.mark.parametrize("is_original", [False, True])
def test_every_guided_step_agrees_with_diffusers(scale, is_original):
    """Their guider and scheduler in their loop; their original form takes w."""
    guider = ClassifierFreeGuidance(
        guidance_scale=scale - is_original, use_original_formulation=is_original
    )
    twin = DDIMScheduler(**TRAILING, set_alpha_to_one=True)
    twin.alphas_cumprod = ALPHA_BAR[1:]
    twin.set_timesteps(20)
    oracles = {
        "gold": gaussian_oracle(ALPHA_BAR),
        "": gaussian_oracle(ALPHA_BAR, mean=-0.3, std=0.5),
    }
    predict_eps = guided(lambda xt, t, text: oracles[text](xt, t), "gold", "", scale)
    xt = torch.randn(8, 1, 4, 4, generator=seeded(), dtype=torch.float64)
    for t, step in zip(
        twin.timesteps,
        sample(predict_eps, xt, ALPHA_BAR, num_steps=20),
        strict=True,
    ):
        level_t = torch.full((8,), int(t) + 1)
        both = [oracles[text](xt, level_t) for text in ("gold", "")]
        xt = twin.step(guider.forward(*both).pred, t, xt).prev_sample
        torch.testing.assert_close(step.xt, xt, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "seed", [3, np.int64(3), torch.tensor(3), np.arange(3, 5), [3, np.int8(4)]]
)
def test_seeds_are_integers_of_any_kind(seed):
    assert seeds_of(seed, 2) == [3, 4]


@pytest.mark.parametrize("seed", [None, 3.0, "3", [3.5, 4], [None, 1]])
def test_what_is_no_integer_is_no_seed(seed):
    with pytest.raises(ValueError, match="must be an integer"):
        seeds_of(seed, 2)


def test_a_sampler_s_last_step_is_kept_alone():
    steps = [Step(t, torch.ones(1), torch.ones(1)) for t in (2, 1, 0)]
    assert last_of(iter(steps)) is steps[-1]
    with pytest.raises(ValueError, match="has drawn nothing"):
        last_of(iter([]))
