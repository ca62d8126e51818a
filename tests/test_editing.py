"""Edits against exact answers: conditionals of Gaussians, round trips, symmetries."""

from functools import partial

import pytest
import torch

from glyflib.editing import (
    averaged,
    half_turn,
    invert,
    keeping,
    near,
    noise_further,
    redraw,
    sample_resampled,
    seen_through,
    steered,
)
from glyflib.exact import GaussianMixture
from glyflib.sampling import last_of, sample, sample_dpm, sample_heun, sample_sde
from glyflib.schedule import add_noise, cosine_alpha_bar, linear_alpha_bar

ALPHA_BAR = cosine_alpha_bar(1000)
FIRST = torch.tensor([True, False])
KNOWN = torch.tensor([[-1.0, 0.0]], dtype=torch.float64)
SAMPLERS = (
    sample,
    partial(sample, eta=1.0),
    sample_heun,
    sample_dpm,
    sample_sde,
    partial(sample_resampled, repeats=2),
)


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def two_pixels(share=0.45, alpha_bar=ALPHA_BAR):
    """Both ink or both paper with `share` each, or else one of each."""
    other = 0.5 - share
    weights = double([share, other, other, share])
    means = double([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    stds = torch.full((4,), 0.2, dtype=torch.float64)
    return GaussianMixture.isotropic(weights, means, stds, alpha_bar)


def one_gaussian(alpha_bar=ALPHA_BAR):
    mean, cov = double([[0.3, -0.2]]), double([[[0.5, 0.3], [0.3, 0.4]]])
    return GaussianMixture(double([1]), mean, cov, alpha_bar)


def share_of_ink(x0):
    return (x0[:, 1] < 0).double().mean().item()


def test_a_mixture_given_a_coordinate_is_that_of_bayes_on_a_grid():
    gen = torch.Generator().manual_seed(0)
    root = torch.randn(3, 3, 3, generator=gen, dtype=torch.float64)
    covs = root @ root.mT + 0.2 * torch.eye(3)
    mixture = GaussianMixture(double([0.5, 0.3, 0.2]), normal(3, 3), covs, ALPHA_BAR)
    mask, known = torch.tensor([False, True, False]), double([9.0, 0.4, 9.0])
    free = normal(50, 2, seed=1)
    whole = torch.stack([free[:, 0], torch.full((50,), 0.4), free[:, 1]], dim=1)
    joint = mixture.log_density(whole, torch.tensor(0))
    found = mixture.given(known, mask).log_density(free, torch.tensor(0))
    alone = mixture.given(known, ~mask)  # of the middle one, given the two others
    assert alone.means.shape == (3, 1)
    evidence = GaussianMixture(
        mixture.weights, mixture.means[:, 1:2], covs[:, 1:2, 1:2], ALPHA_BAR
    ).log_density(double([[0.4]]), torch.tensor(0))
    torch.testing.assert_close(found, joint - evidence)


def test_two_pixels_given_one_are_shared_as_told():
    given = two_pixels(0.45).given(KNOWN[0], FIRST)
    ink = given.weights[given.means[:, 0] < 0].sum().item()
    assert ink == pytest.approx(0.9, abs=1e-9)


@pytest.mark.parametrize(
    ("known", "mask", "told"),
    [
        (double([1, 2, 3]), FIRST, "must be"),
        (double([1, 2]), FIRST.double(), "bool"),
        (double([1, 2]), ~FIRST | FIRST, "both"),
        (double([1, 2]), FIRST & ~FIRST, "both"),
    ],
)
def test_a_mixture_is_given_what_fits(known, mask, told):
    with pytest.raises(ValueError, match=told):
        two_pixels().given(known, mask)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_kept_places_arrive_at_the_known_picture_with_any_sampler(sampler):
    kept = keeping(two_pixels().predict_eps, KNOWN, FIRST, ALPHA_BAR)
    gen = torch.Generator().manual_seed(0)
    last = last_of(sampler(kept, normal(20, 2), ALPHA_BAR, num_steps=10, generator=gen))
    torch.testing.assert_close(last.xt[:, 0], torch.full((20,), -1.0).double())


def test_on_the_way_kept_places_are_the_known_picture_with_the_first_noise():
    kept = keeping(two_pixels().predict_eps, KNOWN, FIRST, ALPHA_BAR)
    noise = normal(20, 2)
    for step in sample(kept, noise, ALPHA_BAR, num_steps=10):
        wanted = add_noise(KNOWN.expand(20, 2), noise, torch.tensor(step.t), ALPHA_BAR)
        torch.testing.assert_close(step.xt[:, 0], wanted[:, 0], atol=1e-4, rtol=0)


def test_replacement_decides_too_early_and_resampling_helps():
    mixture, gen = two_pixels(0.45), torch.Generator().manual_seed(0)
    kept = keeping(mixture.predict_eps, KNOWN, FIRST, ALPHA_BAR)
    noise = normal(2000, 2)
    found = {}
    for repeats in (1, 5):
        steps = sample_resampled(
            kept, noise, ALPHA_BAR, num_steps=20, repeats=repeats, generator=gen
        )
        found[repeats] = share_of_ink(last_of(steps).xt)
    assert found[1] < 0.8 < 0.83 < found[5] < 0.95  # the true share is 0.9


def test_without_anything_in_common_replacement_is_exact():
    mixture = two_pixels(0.25)  # the pixels are independent
    kept = keeping(mixture.predict_eps, KNOWN, FIRST, ALPHA_BAR)
    last = last_of(sample(kept, normal(4000, 2), ALPHA_BAR, num_steps=50))
    assert share_of_ink(last.xt) == pytest.approx(0.5, abs=0.03)


def test_a_step_taken_once_is_plain_sampling():
    mixture, noise = two_pixels(), normal(5, 2)
    found = [
        last_of(
            sampler(
                mixture.predict_eps,
                noise,
                ALPHA_BAR,
                num_steps=7,
                generator=torch.Generator().manual_seed(1),
            )
        ).xt
        for sampler in (partial(sample, eta=1.0), partial(sample_resampled, repeats=1))
    ]
    assert torch.equal(*found)


def test_resampling_calls_the_model_as_often_as_it_says():
    calls = []

    def counted(xt, t):
        calls.append(int(t[0]))
        return torch.zeros_like(xt)

    steps = [*sample_resampled(counted, normal(1, 2), ALPHA_BAR, num_steps=4)]
    assert len(calls) == 3 * 5 + 1 and calls == sorted(calls, reverse=True)
    assert [step.t for step in steps] == [750, 500, 250, 0]


def test_resampling_without_a_wish_leaves_the_data_as_they_are():
    mixture, gen = one_gaussian(), torch.Generator().manual_seed(0)
    steps = sample_resampled(
        mixture.predict_eps,
        normal(4000, 2),
        ALPHA_BAR,
        num_steps=150,
        repeats=2,
        generator=gen,
    )
    found = last_of(steps).xt
    torch.testing.assert_close(found.mean(0), mixture.means[0], atol=0.03, rtol=0)
    cov = double([[0.5, 0.3], [0.3, 0.4]])
    torch.testing.assert_close(torch.cov(found.T), cov, atol=0.04, rtol=0)


def test_noising_further_is_the_jump_of_the_chain():
    x0, gen = double([[2.0]]).expand(40_000, 1), torch.Generator().manual_seed(7)
    xs = add_noise(x0, normal(40_000, 1), torch.tensor(300), ALPHA_BAR)
    xt = noise_further(xs, 300, 600, ALPHA_BAR, generator=gen)
    a = ALPHA_BAR[600].item()
    assert xt.mean().item() == pytest.approx(2 * a**0.5, abs=0.02)
    assert xt.var().item() == pytest.approx(1 - a, rel=0.03)
    assert torch.equal(noise_further(xs, 300, 300, ALPHA_BAR), xs)


def test_a_push_by_the_exact_slope_makes_the_conditional_score():
    mixture = one_gaussian()
    cov, mean = double([[0.5, 0.3], [0.3, 0.4]]), double([0.3, -0.2])
    t = torch.tensor([400, 400, 400])
    a = ALPHA_BAR[400]
    noisy = a * cov + (1 - a) * torch.eye(2)
    gain = a.sqrt() * cov @ torch.linalg.inv(noisy)
    left = (cov - a.sqrt() * gain @ cov)[0, 0] + 0.3**2  # variance of what is seen

    def wish(x0_hat, t):
        return -((-1 - x0_hat[:, 0]) ** 2) / (2 * left)

    xt = normal(3, 2)
    found = steered(mixture.predict_eps, wish, ALPHA_BAR)(xt, t)
    # the second road: the Gaussian of data whose first coordinate was seen, noisily
    seen = torch.linalg.inv(torch.linalg.inv(cov) + torch.diag(double([1 / 0.09, 0])))
    pull = torch.linalg.inv(cov) @ mean + double([-1 / 0.09, 0])
    posterior = GaussianMixture(
        double([1]), (seen @ pull)[None], (seen + seen.T)[None] / 2, ALPHA_BAR
    )
    torch.testing.assert_close(found, posterior.predict_eps(xt, t))


def test_the_wish_of_a_round_gaussian_is_as_wide_as_its_posterior():
    spread, t = 0.7, torch.tensor([500])
    wish = near(KNOWN, FIRST, ALPHA_BAR, std=1e-6, spread=spread)
    a = ALPHA_BAR[500].item()
    var = 1 / (1 / spread**2 + a / (1 - a))  # of x0, given xt
    found = wish(double([[-0.5, 7.0]]), t)
    assert found.item() == pytest.approx(-0.25 / (2 * var), rel=1e-6)


def test_a_push_finds_the_share_that_replacement_misses():
    wish = near(KNOWN, FIRST, ALPHA_BAR)
    pushed = steered(two_pixels(0.45).predict_eps, wish, ALPHA_BAR)
    last = last_of(sample(pushed, normal(2000, 2), ALPHA_BAR, num_steps=50))
    assert share_of_ink(last.xt) == pytest.approx(0.9, abs=0.03)
    assert last.xt[:, 0].mean().item() == pytest.approx(-1, abs=0.05)


def test_a_push_of_scale_0_changes_nothing():
    wish, xt, t = near(KNOWN, FIRST, ALPHA_BAR), normal(3, 2), torch.tensor([9, 500, 1])
    mixture = two_pixels()
    found = steered(mixture.predict_eps, wish, ALPHA_BAR, scale=0)(xt, t)
    assert torch.equal(found, mixture.predict_eps(xt, t))
    assert not xt.requires_grad and not found.requires_grad


def test_a_model_without_gradients_is_told_to_let_them_through():
    blind = torch.no_grad()(two_pixels().predict_eps)
    pushed = steered(blind, near(KNOWN, FIRST, ALPHA_BAR), ALPHA_BAR)
    with pytest.raises(ValueError, match="cuts off the gradient"):
        pushed(normal(1, 2), torch.tensor([5]))


@pytest.mark.parametrize("start", [200, 600])
def test_redrawing_starts_from_the_picture_at_its_level(start):
    seen = []

    def watched(xt, t):
        seen.append((int(t[0]), xt.clone()))
        return torch.zeros_like(xt)

    gen = torch.Generator().manual_seed(3)
    x0 = torch.zeros(4000, 2).double() + 0.5
    steps = redraw(watched, x0, ALPHA_BAR, start=start, num_steps=5, generator=gen)
    assert [step.t for step in steps][-1] == 0
    t, xt = seen[0]
    assert t == start and len(seen) == 5
    a = ALPHA_BAR[start].item()
    assert xt.mean().item() == pytest.approx(0.5 * a**0.5, abs=0.03)
    assert xt.var().item() == pytest.approx(1 - a, rel=0.05)


def test_data_that_are_redrawn_stay_data():
    mixture, gen = one_gaussian(), torch.Generator().manual_seed(0)
    x0 = mixture.sample(4000, generator=gen)
    steps = redraw(
        mixture.predict_eps,
        x0,
        ALPHA_BAR,
        start=500,
        num_steps=100,
        sampler=sample_heun,
        generator=gen,
    )
    found = last_of(steps).xt
    assert (found - x0).abs().mean() > 0.1
    torch.testing.assert_close(torch.cov(found.T), torch.cov(x0.T), atol=0.03, rtol=0)


def test_the_same_seed_redraws_the_same():
    found = [
        last_of(
            redraw(
                two_pixels().predict_eps,
                KNOWN,
                ALPHA_BAR,
                start=400,
                num_steps=8,
                sampler=partial(sample, eta=1.0),
                generator=torch.Generator().manual_seed(5),
            )
        ).xt
        for _ in range(2)
    ]
    assert torch.equal(*found)


def test_the_noise_of_a_gaussian_is_found_exactly():
    mixture = GaussianMixture.isotropic(
        double([1]), double([[0.5]]), double([0.2]), linear_alpha_bar(1000)
    )
    x0 = double([[0.9], [0.3]])
    last = last_of(invert(mixture.predict_eps, x0, mixture.alpha_bar, num_steps=1000))
    a = mixture.alpha_bar[-1]
    place = (x0 - 0.5) / 0.2  # a curve keeps its rank
    wanted = a.sqrt() * 0.5 + (a * 0.04 + 1 - a).sqrt() * place
    assert last.t == 1000
    torch.testing.assert_close(last.xt, wanted, atol=0.02, rtol=0)


@pytest.mark.parametrize("num_steps", [5, 12])
def test_repeats_make_the_way_back_exact(num_steps):
    mixture, missed = one_gaussian(), {}
    x0 = mixture.sample(50, generator=torch.Generator().manual_seed(0))
    for repeats in (0, 30):
        up = invert(
            mixture.predict_eps, x0, ALPHA_BAR, num_steps=num_steps, repeats=repeats
        )
        noise = last_of(up).xt
        down = sample(mixture.predict_eps, noise, ALPHA_BAR, num_steps=num_steps)
        missed[repeats] = (last_of(down).xt - x0).abs().max().item()
    assert missed[30] < 1e-5 < 1e-3 < missed[0]


def test_levels_rise_while_a_picture_is_inverted():
    asked = []

    def watched(xt, t):
        asked.append(int(t[0]))
        return torch.zeros_like(xt)

    steps = [*invert(watched, normal(1, 2), ALPHA_BAR, num_steps=4)]
    assert [step.t for step in steps] == [250, 500, 750, 1000]
    assert asked == [1, 250, 500, 750]


def test_a_half_turn_undoes_itself():
    x = normal(2, 1, 3, 4)
    assert torch.equal(half_turn(half_turn(x)), x)
    assert half_turn(x)[0, 0, 0, 0] == x[0, 0, 2, 3]


def test_the_mean_of_two_gaussians_is_the_gaussian_between_them():
    def bell(mean):
        means, stds = double([[mean, 0]]), double([0.3])
        return GaussianMixture.isotropic(double([1]), means, stds, ALPHA_BAR)

    xt, t = normal(6, 2), torch.full((6,), 300)
    found = averaged(bell(-1).predict_eps, bell(2).predict_eps)(xt, t)
    torch.testing.assert_close(found, bell(0.5).predict_eps(xt, t))


def test_a_view_is_undone():
    t = torch.tensor([3])
    xt = torch.arange(4.0).reshape(1, 1, 1, 4)

    def first_only(xt, t):
        return xt * (torch.arange(4) == 0)

    found = seen_through(first_only, half_turn)(xt, t)
    assert found.flatten().tolist() == [0, 0, 0, 3]
    turn = partial(torch.roll, shifts=1, dims=-1)
    back = partial(torch.roll, shifts=-1, dims=-1)
    found = seen_through(first_only, turn, back)(xt, t)
    assert found.flatten().tolist() == [0, 0, 0, 3]


def test_from_noise_that_reads_both_ways_comes_a_picture_that_does():
    mixture = two_pixels(0.3)

    def predict_eps(xt, t):
        return mixture.predict_eps(xt.flatten(1), t).reshape(xt.shape)

    both = averaged(predict_eps, seen_through(predict_eps, half_turn))
    noise = normal(50, 1, 1, 2)
    noise = (noise + half_turn(noise)) / 2**0.5
    found = last_of(sample(both, noise, ALPHA_BAR, num_steps=10)).xt
    torch.testing.assert_close(found, half_turn(found))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda f: keeping(f, KNOWN, FIRST.double(), ALPHA_BAR), "must be bool"),
        (lambda f: keeping(f, KNOWN, FIRST[:, None, None], ALPHA_BAR), "for known"),
        (lambda f: near(KNOWN, ~FIRST[:1].repeat(3), ALPHA_BAR), "for known"),
        (lambda f: near(KNOWN, FIRST, ALPHA_BAR, std=0), "std 0"),
        (lambda f: near(KNOWN, FIRST, ALPHA_BAR, spread=-1), "spread -1"),
        (lambda f: redraw(f, KNOWN, ALPHA_BAR, start=0), "start 0"),
        (lambda f: redraw(f, KNOWN, ALPHA_BAR, start=1001), r"in \[1, 1000\]"),
        (lambda f: [*redraw(f, KNOWN, ALPHA_BAR, start=9)], "num_steps 30"),
        (lambda f: [*invert(f, KNOWN, ALPHA_BAR, repeats=-1)], "repeats -1"),
        (lambda f: [*invert(f, KNOWN, ALPHA_BAR, num_steps=0)], "num_steps 0"),
        (lambda f: [*sample_resampled(f, KNOWN, ALPHA_BAR, repeats=0)], "repeats 0"),
        (lambda f: [*sample_resampled(f, KNOWN, ALPHA_BAR, eta=2)], "eta 2"),
        (lambda f: noise_further(KNOWN, 5, 4, ALPHA_BAR), "5 and 4"),
        (lambda f: averaged(), "no prediction"),
    ],
)
def test_a_wrong_argument_is_named(call, told):
    with pytest.raises(ValueError, match=told):
        call(two_pixels().predict_eps)


def test_a_known_picture_that_fits_no_row_is_named():
    kept = keeping(two_pixels().predict_eps, KNOWN.repeat(3, 1), FIRST, ALPHA_BAR)
    with pytest.raises(ValueError, match="one picture, or B"):
        kept(normal(2, 2), torch.tensor([5, 5]))
