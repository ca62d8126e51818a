import math
from itertools import pairwise

import pytest
import torch

from glyflib.data import x0_from_images
from glyflib.exact import GaussianMixture, IdealDenoiser, WienerDenoiser, as_x0
from glyflib.schedule import (
    add_noise,
    cosine_alpha_bar,
    eps_from_x0,
    linear_alpha_bar,
    posterior,
    score_from_eps,
    x0_from_eps,
)

ALPHA_BAR = linear_alpha_bar()
LEVELS = [0, 1, 100, 500, 1000]
DOUBLE = torch.float64


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def levels(t, xt):
    return torch.full((len(xt),), t)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=gen(seed), dtype=DOUBLE)


def mixture(dim=2, num=3, alpha_bar=ALPHA_BAR):
    """Components of different weights, places, widths and directions."""
    root = normal(num, dim, dim, seed=1)
    covs = root @ root.mT / dim * 0.3 + 0.05 * torch.eye(dim, dtype=DOUBLE)
    weights = torch.tensor([0.5, 0.2, 0.3], dtype=DOUBLE)[:num]
    return GaussianMixture(weights, normal(num, dim, seed=2), covs, alpha_bar)


def grid(dim, reach=9.0, num=901):
    """Points (num**dim, dim) evenly over a box, and the volume of one cell."""
    axis = torch.linspace(-reach, reach, num, dtype=DOUBLE)
    points = torch.cartesian_prod(*[axis] * dim).reshape(-1, dim)
    return points, (axis[1] - axis[0]).item() ** dim


# The mixture.


@pytest.mark.parametrize(("dim", "num"), [(1, 20001), (2, 601)])
@pytest.mark.parametrize("t", LEVELS)
def test_the_density_of_a_mixture_integrates_to_one(dim, num, t):
    points, cell = grid(dim, num=num)
    total = mixture(dim).density(points, levels(t, points)).sum() * cell
    assert total.item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("t", LEVELS)
def test_the_density_is_the_one_that_torch_gives(t):
    """Two roads: by principal axes, and by torch's Cholesky factors."""
    mix, x, a = mixture(3), normal(7, 3), ALPHA_BAR[t]
    clean = mix.axes * mix.variances.unsqueeze(1) @ mix.axes.mT
    covs = a * clean + (1 - a) * torch.eye(3)
    parts = torch.distributions.MultivariateNormal(a.sqrt() * mix.means, covs)
    pick = torch.distributions.Categorical(mix.weights)
    twin = torch.distributions.MixtureSameFamily(pick, parts)
    torch.testing.assert_close(mix.log_density(x, levels(t, x)), twin.log_prob(x))


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_score_is_the_gradient_of_the_log_density(dim):
    mix, x = mixture(dim), normal(5, dim).requires_grad_()
    t = torch.tensor(LEVELS)
    (gradient,) = torch.autograd.grad(mix.log_density(x, t).sum(), x)
    torch.testing.assert_close(mix.score(x, t), gradient)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_posterior_mean_follows_from_the_score(dim):
    """Tweedie: x0 = (xt + (1 - ab) score) / sqrt(ab) (Efron 2011, section 1)."""
    mix, x, t = mixture(dim), normal(5, dim), torch.tensor(LEVELS)
    a = ALPHA_BAR[t].unsqueeze(1)
    tweedie = (x + (1 - a) * mix.score(x, t)) / a.sqrt()
    torch.testing.assert_close(mix.denoise(x, t), tweedie, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [1, 100, 500, 1000])
def test_the_posterior_mean_is_the_integral_over_clean_data(t):
    """Bayes' rule, summed over a grid of x0: no formula for Gaussians' posteriors."""
    mix, x, a = mixture(1), normal(5, 1), ALPHA_BAR[t]
    x0, _ = grid(1, num=40001)
    likelihood = (-(x - a.sqrt() * x0.T).square() / (2 * (1 - a))).exp()
    weight = likelihood * mix.density(x0, levels(0, x0))
    mean = weight @ x0 / weight.sum(1, keepdim=True)
    torch.testing.assert_close(mix.denoise(x, levels(t, x)), mean)


def test_predicted_noise_and_data_tell_the_same():
    mix, x, t = mixture(), normal(4, 2), torch.tensor(LEVELS[1:])
    eps = mix.predict_eps(x, t)
    torch.testing.assert_close(eps, eps_from_x0(x, mix.denoise(x, t), t, ALPHA_BAR))
    torch.testing.assert_close(mix.score(x, t), score_from_eps(eps, t, ALPHA_BAR))


def test_at_level_zero_a_mixture_sees_no_noise():
    mix, x = mixture(), normal(4, 2)
    torch.testing.assert_close(mix.denoise(x, levels(0, x)), x)
    assert (mix.predict_eps(x, levels(0, x)) == 0).all()


def test_no_other_prediction_of_noise_errs_less_on_average():
    """The mean given xt is the least-squares answer: its error is orthogonal to it."""
    mix, t = mixture(), torch.full((40000,), 300)
    x0, eps = mix.sample(40000, generator=gen()), normal(40000, 2, seed=3)
    eps_hat = mix.predict_eps(add_noise(x0, eps, t, ALPHA_BAR), t)
    error = (eps - eps_hat).square().mean()
    # Standard errors of these means over 80,000 numbers are below 0.005.
    assert (eps_hat * (eps - eps_hat)).mean().item() == pytest.approx(0, abs=0.02)
    for scale in (0.8, 1.2):
        assert (eps - scale * eps_hat).square().mean() > error


def test_responsibilities_sum_to_one_and_name_the_component_at_hand():
    mix = mixture()
    share = mix.responsibilities(mix.means, levels(0, mix.means))
    torch.testing.assert_close(share.sum(1), torch.ones(3, dtype=DOUBLE))
    far = GaussianMixture.isotropic(
        torch.ones(3), torch.tensor([[0.0], [5.0], [9.0]]), torch.ones(3), ALPHA_BAR
    )
    share = far.responsibilities(far.means, levels(0, far.means))
    assert share.argmax(1).tolist() == [0, 1, 2]
    origin = torch.zeros(1, 1)
    last = far.responsibilities(origin, levels(1000, origin))
    # What tells them apart is left to ab m^2 / 2, at most 0.0016.
    torch.testing.assert_close(last, torch.full((1, 3), 1 / 3), atol=0.002, rtol=0)


def test_an_isotropic_mixture_is_one_with_round_covariances():
    weights, means, stds = torch.ones(2), normal(2, 3), torch.tensor([0.5, 2.0])
    covs = stds.square().reshape(2, 1, 1) * torch.eye(3)
    x, t = normal(4, 3, seed=5), torch.tensor(LEVELS[1:])
    torch.testing.assert_close(
        GaussianMixture.isotropic(weights, means, stds, ALPHA_BAR).denoise(x, t),
        GaussianMixture(weights, means, covs, ALPHA_BAR).denoise(x, t),
    )


def test_samples_have_the_mean_and_covariance_of_the_mixture():
    mix = mixture(3)
    x0 = mix.sample(100_000, generator=gen())
    mean = mix.weights @ mix.means
    covs = mix.axes * mix.variances.unsqueeze(1) @ mix.axes.mT
    second = covs + mix.means.unsqueeze(2) * mix.means.unsqueeze(1)
    cov = torch.einsum("k,kde->de", mix.weights, second) - mean.outer(mean)
    # Five standard errors of a mean over 100,000 draws of spread about 1.
    torch.testing.assert_close(x0.mean(0), mean, atol=0.016, rtol=0)
    torch.testing.assert_close(x0.T.cov(), cov, atol=0.03, rtol=0)
    assert torch.equal(x0, mix.sample(100_000, generator=gen()))


def test_weights_are_relative_and_one_may_be_zero():
    weights, means = torch.tensor([2.0, 0.0]), torch.tensor([[0.0], [1.0]])
    mix = GaussianMixture.isotropic(weights, means, torch.ones(2), ALPHA_BAR)
    one = GaussianMixture.isotropic(torch.ones(1), means[:1], torch.ones(1), ALPHA_BAR)
    x, t = normal(5, 1), torch.tensor(LEVELS)
    torch.testing.assert_close(mix.log_density(x, t), one.log_density(x, t))
    torch.testing.assert_close(mix.score(x, t), one.score(x, t))


@pytest.mark.parametrize("alpha_bar", [ALPHA_BAR, cosine_alpha_bar()])
@pytest.mark.parametrize("t", LEVELS)
@pytest.mark.parametrize("far", [1e3, 1e6, -1e12])
def test_far_from_all_modes_the_score_still_points_home(alpha_bar, t, far):
    mix, x = mixture(alpha_bar=alpha_bar), torch.full((1, 2), far, dtype=DOUBLE)
    t = levels(t, x)
    score = mix.score(x, t)
    for answer in (mix.log_density(x, t), mix.denoise(x, t), mix.predict_eps(x, t)):
        assert answer.isfinite().all()
    assert score.isfinite().all() and (score * x).sum() < 0
    assert score.norm() > 0.1 * abs(far)  # it grows with distance, it does not fade


# The Wiener denoiser.


def test_a_mixture_of_one_component_is_the_wiener_denoiser():
    mix, x, t = mixture(4, num=1), normal(5, 4), torch.tensor(LEVELS)
    cov = mix.axes[0] * mix.variances[0] @ mix.axes[0].T
    wiener = WienerDenoiser(mix.means[0], cov, ALPHA_BAR)
    torch.testing.assert_close(wiener.denoise(x, t), mix.denoise(x, t))
    torch.testing.assert_close(wiener.predict_eps(x, t), mix.predict_eps(x, t))


def test_the_wiener_denoiser_is_the_regression_of_data_on_noisy_data():
    """Two roads: the formula solved with the whole matrix, not axis by axis."""
    mix, x, t = mixture(4, num=1), normal(5, 4), torch.full((5,), 400)
    cov, mean = mix.axes[0] * mix.variances[0] @ mix.axes[0].T, mix.means[0]
    a = ALPHA_BAR[400]
    offset = (x - a.sqrt() * mean).T
    noisy_cov = a * cov + (1 - a) * torch.eye(4)
    solved = mean + a.sqrt() * (cov @ torch.linalg.solve(noisy_cov, offset)).T
    torch.testing.assert_close(
        WienerDenoiser(mean, cov, ALPHA_BAR).denoise(x, t), solved
    )


def test_a_fit_takes_mean_and_covariance_whatever_the_chunks():
    data = normal(50, 1, 3, 2)
    wiener = WienerDenoiser.fit(data, ALPHA_BAR, chunk_size=7)
    torch.testing.assert_close(wiener.mean, data.mean(0))
    cov = wiener.axes * wiener.variances @ wiener.axes.T
    torch.testing.assert_close(cov, data.flatten(1).T.cov(correction=0))


def test_an_axis_without_variance_stays_at_its_mean():
    data = torch.cat([normal(20, 1), torch.full((20, 1), 3.0)], dim=1)
    wiener = WienerDenoiser.fit(data, ALPHA_BAR)
    x = torch.tensor([[0.2, 1e6]], dtype=DOUBLE).expand(5, 2)
    t = torch.tensor(LEVELS)
    torch.testing.assert_close(
        wiener.denoise(x, t)[:, 1], torch.full((5,), 3.0).double()
    )
    assert wiener.predict_eps(x, t).isfinite().all()


def test_the_stated_loss_is_the_loss_even_if_the_data_are_not_gaussian():
    mix = mixture()
    x0, eps = mix.sample(40000, generator=gen()), normal(40000, 2, seed=3)
    wiener = WienerDenoiser.fit(x0, ALPHA_BAR)
    for t in (1, 200, 600, 1000):
        t = torch.full((40000,), t)
        x = add_noise(x0, eps, t, ALPHA_BAR)
        loss = (wiener.predict_eps(x, t) - eps).square().mean()
        # Three standard errors: 40,000 pairs of squares with a relative spread of 1.4.
        torch.testing.assert_close(loss, wiener.eps_loss(t)[0], rtol=0.02, atol=0)


# The ideal denoiser.


@pytest.mark.parametrize("shape", [(6,), (1, 2, 3)])
def test_the_ideal_denoiser_is_the_softmax_written_out(shape):
    """Brute force: exp of distances by loops, safe as the points lie close."""
    data, x = 0.1 * normal(9, *shape), 0.1 * normal(3, *shape, seed=1)
    ideal, t = (
        IdealDenoiser(data, ALPHA_BAR, chunk_size=4),
        torch.tensor([100, 500, 1000]),
    )
    for row, level in enumerate(t.tolist()):
        a = ALPHA_BAR[level].item()
        gaps = [(x[row] - math.sqrt(a) * x0).square().sum().item() for x0 in data]
        weights = [math.exp(-gap / (2 * (1 - a))) for gap in gaps]
        mean = sum(w * x0 for w, x0 in zip(weights, data, strict=True)) / sum(weights)
        torch.testing.assert_close(ideal.denoise(x, t)[row], mean)
        share = torch.tensor(weights, dtype=DOUBLE) / sum(weights)
        torch.testing.assert_close(ideal.weights(x, t)[row], share)


@pytest.mark.parametrize("t", LEVELS[1:])
def test_the_ideal_denoiser_is_a_mixture_of_very_narrow_gaussians(t):
    data, x = normal(5, 3), normal(4, 3, seed=1)
    narrow = GaussianMixture.isotropic(
        torch.ones(5), data, torch.full((5,), 1e-7, dtype=DOUBLE), ALPHA_BAR
    )
    ideal, t = IdealDenoiser(data, ALPHA_BAR), levels(t, x)
    near = {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(ideal.denoise(x, t), narrow.denoise(x, t), **near)
    torch.testing.assert_close(
        ideal.predict_eps(x, t), narrow.predict_eps(x, t), **near
    )
    torch.testing.assert_close(
        ideal.weights(x, t), narrow.responsibilities(x, t), **near
    )


@pytest.mark.parametrize("chunk_size", [1, 7, 40, 1000])
@pytest.mark.parametrize("t", LEVELS[1:])
def test_chunk_size_does_not_matter(chunk_size, t):
    data, x = normal(40, 1, 4, 4), normal(6, 1, 4, 4, seed=1)
    t, whole = levels(t, x), IdealDenoiser(data, ALPHA_BAR, chunk_size=40)
    parts = IdealDenoiser(data, ALPHA_BAR, chunk_size=chunk_size)
    torch.testing.assert_close(parts.denoise(x, t), whole.denoise(x, t))
    torch.testing.assert_close(parts.weights(x, t), whole.weights(x, t))


def test_weights_sum_to_one_over_the_data_and_not_over_the_batch():
    data, x = normal(30, 4), normal(3, 4, seed=1)
    weights = IdealDenoiser(data, ALPHA_BAR, chunk_size=7).weights(x, levels(500, x))
    assert weights.shape == (3, 30)
    torch.testing.assert_close(weights.sum(1), torch.ones(3, dtype=DOUBLE))
    assert (weights.sum(0) - 1).abs().min() > 0.1


def test_a_row_does_not_depend_on_the_others_in_its_batch():
    data, x, t = normal(30, 4), normal(4, 4, seed=1), torch.tensor(LEVELS[1:])
    ideal = IdealDenoiser(data, ALPHA_BAR)
    alone = [ideal.predict_eps(x[i : i + 1], t[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(ideal.predict_eps(x, t), torch.cat(alone))


def test_at_the_first_level_the_answer_is_the_training_point_itself():
    data = normal(50, 1, 4, 4)
    xt = add_noise(data, normal(50, 1, 4, 4, seed=1), levels(1, data), ALPHA_BAR)
    ideal, t = IdealDenoiser(data, ALPHA_BAR, chunk_size=16), levels(1, data)
    torch.testing.assert_close(ideal.denoise(xt, t), data)
    assert ideal.nearest(xt, t).tolist() == list(range(50))


def test_at_the_last_level_the_answer_is_near_the_mean():
    """Linear schedule: sqrt(ab) = 0.0064 at T, so logits differ by 0.0064 x0 . xt.

    With x0 and xt standard normal in 16 dimensions that has spread 0.025: weights are
    even to 2.5 %, and the answer moves by about 0.0064 |xt| from the mean of the data.
    """
    data, x = normal(500, 1, 4, 4), normal(5, 1, 4, 4, seed=1)
    answer = IdealDenoiser(data, ALPHA_BAR).denoise(x, levels(1000, x))
    torch.testing.assert_close(
        answer, data.mean(0).expand(5, 1, 4, 4), atol=0.03, rtol=0
    )
    assert not torch.allclose(answer, data.mean(0), atol=1e-4)


@pytest.mark.parametrize("alpha_bar", [ALPHA_BAR, cosine_alpha_bar()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 1.0, 1e6, -1e9])
def test_extreme_inputs_give_finite_answers_inside_the_data(alpha_bar, dtype, size):
    data = normal(20, 3).clamp(-1, 1)
    x = torch.full((4, 3), size, dtype=dtype)
    ideal, t = IdealDenoiser(data, alpha_bar, chunk_size=6), torch.tensor(LEVELS[1:])
    answer = ideal.denoise(x, t)
    assert answer.dtype == dtype and ideal.predict_eps(x, t).isfinite().all()
    assert answer.isfinite().all() and answer.abs().max() <= 1 + 1e-6


def test_float32_pictures_are_weighed_as_float64_ones():
    """Logits near 1e7 at level 1: summed in float32 they would be off by about 1."""
    data = torch.randint(0, 2, (60, 1, 32, 32), generator=gen()).to(torch.uint8) * 255
    data[1::2] = data[::2]
    data[1::2, 0, 0, 0] -= 4  # twins that differ by 0.03 in one pixel
    x0 = x0_from_images(data)
    xt = add_noise(x0, normal(60, 1, 32, 32).float(), levels(1, x0), ALPHA_BAR)
    ideal, t = IdealDenoiser(data, ALPHA_BAR), levels(1, x0)
    torch.testing.assert_close(
        ideal.weights(xt, t), ideal.weights(xt.double(), t), rtol=0, atol=1e-12
    )
    gap = xt.double().unsqueeze(1) - ALPHA_BAR[1].sqrt() * as_x0(data)
    direct = -gap.flatten(2).square().sum(2) / (2 * (1 - ALPHA_BAR[1]))
    torch.testing.assert_close(ideal.weights(xt, t), direct.softmax(1))


def test_images_and_scaled_data_give_the_same():
    images = torch.randint(0, 256, (12, 1, 4, 4), generator=gen()).to(torch.uint8)
    torch.testing.assert_close(as_x0(images).float(), x0_from_images(images))
    x = normal(4, 1, 4, 4)
    t = torch.tensor(LEVELS[1:])
    from_images = IdealDenoiser(images, ALPHA_BAR).denoise(x, t)
    scaled = IdealDenoiser(as_x0(images), ALPHA_BAR)
    torch.testing.assert_close(from_images, scaled.denoise(x, t))


def ddim(predict_eps, xt, num_steps):
    """DDIM at eta 0, as short as it gets (Song et al. 2021, Eq. 12)."""
    grid = torch.linspace(1000, 0, num_steps + 1).round().long().tolist()
    for t, s in pairwise(grid):
        eps = predict_eps(xt, levels(t, xt))
        x0 = x0_from_eps(xt, eps, levels(t, xt), ALPHA_BAR)
        xt = add_noise(x0, eps, levels(s, xt), ALPHA_BAR)
    return xt


def test_sampling_with_the_ideal_denoiser_returns_training_points():
    data = normal(10, 1, 4, 4)
    ends = ddim(
        IdealDenoiser(data, ALPHA_BAR).predict_eps, normal(40, 1, 4, 4, seed=1), 50
    )
    gaps = torch.cdist(ends.flatten(1), data.flatten(1)).min(1)
    torch.testing.assert_close(gaps.values, torch.zeros(40).double(), atol=1e-6, rtol=0)
    assert len(gaps.indices.unique()) > 5


def test_the_posterior_chain_also_ends_on_training_points():
    data, source = normal(10, 6), gen(4)
    ideal, xt = IdealDenoiser(data, ALPHA_BAR), normal(30, 6, seed=1)
    for t, s in pairwise(range(1000, -1, -20)):
        t, s = levels(t, xt), levels(s, xt)
        mean, var = posterior(ideal.denoise(xt, t), xt, t, s, ALPHA_BAR)
        z = torch.randn(xt.shape, generator=source, dtype=DOUBLE)
        xt = mean + var.sqrt() * z
    assert torch.cdist(xt, data).min(1).values.max() < 1e-6


def test_sampling_with_a_mixture_gives_its_mean_and_spread():
    """The bias of 200 first-order steps is about 0.01; the rest is drawing."""
    mix = mixture()
    ends = ddim(mix.predict_eps, normal(4000, 2, seed=1), 200)
    clean = mix.sample(100_000, generator=gen())
    torch.testing.assert_close(ends.mean(0), clean.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(ends.T.cov(), clean.T.cov(), atol=0.06, rtol=0)


# What is refused.


def denoisers():
    data = normal(6, 3)
    return [
        mixture(3),
        IdealDenoiser(data, ALPHA_BAR),
        WienerDenoiser.fit(data, ALPHA_BAR),
    ]


@pytest.mark.parametrize("denoiser", denoisers(), ids=lambda d: type(d).__name__)
@pytest.mark.parametrize("method", ["predict_eps", "denoise"])
def test_noisy_data_of_another_shape_or_kind_are_refused(denoiser, method):
    call = getattr(denoiser, method)
    for shape in [(2, 4), (3,), (2, 3, 1), ()]:
        with pytest.raises(ValueError, match="must be floats"):
            call(torch.zeros(shape), torch.ones(2).long())
    with pytest.raises(ValueError, match=r"int64 must be floats \(B, 3\)"):
        call(torch.zeros(2, 3).long(), torch.ones(2).long())
    with pytest.raises(ValueError, match="t "):
        call(torch.zeros(2, 3), torch.tensor([1, 1001]))
    assert call(torch.zeros(2, 3), torch.ones(2).long()).dtype == torch.float32
    assert call(torch.zeros(0, 3), torch.ones(0).long()).shape == (0, 3)


def test_the_ideal_denoiser_needs_noise():
    with pytest.raises(ValueError, match="level 0"):
        IdealDenoiser(normal(6, 3), ALPHA_BAR).denoise(normal(1, 3), torch.tensor([0]))
    with pytest.raises(ValueError, match="level 0"):
        WienerDenoiser.fit(normal(6, 3), ALPHA_BAR).eps_loss(torch.tensor([0]))


@pytest.mark.parametrize("make", [IdealDenoiser, WienerDenoiser.fit])
@pytest.mark.parametrize(
    ("data", "chunk_size", "match"),
    [
        (torch.zeros(0, 3), 512, r"data \(0, 3\)"),
        (torch.zeros(5), 512, r"data \(5,\)"),
        (torch.zeros(5, 3).long(), 512, "int64"),
        (torch.zeros(5, 3), 0, "chunk_size 0"),
    ],
)
def test_senseless_data_are_refused(make, data, chunk_size, match):
    with pytest.raises(ValueError, match=match):
        make(data, ALPHA_BAR, chunk_size=chunk_size)


ONE, EYE = torch.ones(1), torch.eye(2)


@pytest.mark.parametrize(
    ("weights", "means", "covs", "match"),
    [
        (ONE, torch.zeros(2), EYE, "do not fit"),
        (ONE, torch.zeros(2, 2), EYE.expand(2, 2, 2), r"do not fit: \[\(1,\)"),
        (ONE, torch.zeros(1, 2), EYE, "do not fit"),
        (-ONE, torch.zeros(1, 2), EYE[None], r"weights \[-1.0\]"),
        (0 * ONE, torch.zeros(1, 2), EYE[None], "not all 0"),
        (math.nan * ONE, torch.zeros(1, 2), EYE[None], "weights"),
        (ONE, torch.zeros(1, 2), torch.tensor([[[1.0, 0.5], [0, 1]]]), "symmetric"),
        (ONE, torch.zeros(1, 2), math.nan * EYE[None], "symmetric and finite"),
        (ONE, torch.zeros(1, 2), -EYE[None], "negative variance, -1"),
        (ONE, torch.zeros(1, 2), torch.full((1, 2, 2), 0.1), "0 must be above 0"),
        (ONE, torch.zeros(1, 2), torch.tensor([[[1, 0], [0, 1e-17]]]), "above 0"),
    ],
)
def test_a_senseless_mixture_is_refused(weights, means, covs, match):
    with pytest.raises(ValueError, match=match):
        GaussianMixture(weights, means, covs, ALPHA_BAR)


def test_senseless_spreads_are_refused():
    with pytest.raises(ValueError, match="stds"):
        GaussianMixture.isotropic(ONE, torch.zeros(1, 2), -ONE, ALPHA_BAR)
    with pytest.raises(ValueError, match=r"cov \(3, 3\)"):
        WienerDenoiser(torch.zeros(2), torch.eye(3), ALPHA_BAR)
