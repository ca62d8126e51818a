import math

import pytest
import torch

from glyflib.schedule import (
    add_noise,
    alpha_bar_from_beta,
    cosine_alpha_bar,
    eps_from_score,
    eps_from_v,
    eps_from_x0,
    level,
    linear_alpha_bar,
    log_snr,
    posterior,
    predict_eps_from,
    predict_x0_from,
    score_from_eps,
    sigmoid_alpha_bar,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)

SCHEDULES = [linear_alpha_bar, cosine_alpha_bar, sigmoid_alpha_bar]
SHAPES = [(4, 2), (4, 1, 8, 8)]


def draw(shape):
    gen = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, *shape, generator=gen, dtype=torch.float64)
    return x0, eps, torch.tensor([1, 250, 700, 999])


@pytest.mark.parametrize("make", SCHEDULES)
@pytest.mark.parametrize("num_levels", [1, 10, 1000])
def test_a_schedule_starts_at_one_falls_and_stays_positive(make, num_levels):
    alpha_bar = make(num_levels)
    assert alpha_bar.shape == (num_levels + 1,)
    assert alpha_bar.dtype == torch.float64
    assert alpha_bar[0] == 1
    assert (alpha_bar.diff() < 0).all()
    assert alpha_bar[-1] > 0


@pytest.mark.parametrize("make", SCHEDULES)
def test_log_snr_is_finite_but_at_level_zero(make):
    log = log_snr(make())
    assert log[0] == math.inf
    assert log[1:].isfinite().all() and (log.diff() < 0).all()


def test_linear_levels_are_the_product_of_the_published_steps():
    beta = [1e-4 + (0.02 - 1e-4) * i / 999 for i in range(1000)]
    product = math.exp(math.fsum(math.log1p(-b) for b in beta))
    assert linear_alpha_bar()[-1].item() == pytest.approx(product, rel=1e-12)
    assert product == pytest.approx(4.0e-5, rel=0.02)


def test_cosine_levels_are_the_published_curve_up_to_the_cap():
    alpha_bar = cosine_alpha_bar()
    u = torch.arange(1001, dtype=torch.float64) / 1000
    f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(alpha_bar[:-1], (f / f[0])[:-1], rtol=1e-9, atol=0)
    beta_last = 1 - alpha_bar[-1] / alpha_bar[-2]
    assert beta_last.item() == pytest.approx(0.999)


def test_cosine_without_a_cap_would_end_in_nothing():
    uncapped = cosine_alpha_bar(max_beta=1.0)
    assert uncapped[-1] < 1e-30


def test_sigmoid_levels_are_symmetric_round_their_middle():
    alpha_bar = sigmoid_alpha_bar(floor=0.0)
    torch.testing.assert_close(alpha_bar + alpha_bar.flip(0), torch.ones(1001).double())


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: linear_alpha_bar(0), "num_levels 0"),
        (lambda: linear_alpha_bar(first=0.1, last=0.05), "first 0.1, last 0.05"),
        (lambda: cosine_alpha_bar(-3), "num_levels -3"),
        (lambda: cosine_alpha_bar(max_beta=1.5), "max_beta 1.5"),
        (lambda: sigmoid_alpha_bar(start=3, end=3), "end 3 must lie above start 3"),
    ],
)
def test_a_senseless_schedule_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_level_is_looked_up_for_each_row_and_cast(shape):
    like = torch.zeros(shape)
    found = level(linear_alpha_bar(), torch.tensor([0, 1, 2, 1000]), like=like)
    assert found.shape == (4, *[1] * (len(shape) - 1))
    assert found.dtype == torch.float32
    assert found.flatten()[0] == 1


@pytest.mark.parametrize("t", [[-1, 0, 0, 0], [0, 0, 0, 1001], [1, 2], [[1, 2, 3, 4]]])
def test_levels_out_of_range_or_shape_are_refused(t):
    with pytest.raises(ValueError, match="t "):
        level(linear_alpha_bar(), torch.tensor(t), like=torch.zeros(4, 2))


def test_noise_and_data_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"x0 \(2, 3\) and eps \(2, 1\)"):
        add_noise(
            torch.zeros(2, 3), torch.zeros(2, 1), torch.tensor([1, 1]), torch.ones(3)
        )


def test_noise_at_level_zero_is_none_and_at_the_end_all():
    x0, eps, _ = draw((4, 2))
    alpha_bar = linear_alpha_bar()
    torch.testing.assert_close(add_noise(x0, eps, torch.zeros(4).long(), alpha_bar), x0)
    last = add_noise(x0, eps, torch.full((4,), 1000), alpha_bar)
    torch.testing.assert_close(last, eps, atol=0.02, rtol=0)


def test_the_jump_has_the_mean_and_variance_of_the_chain():
    """Two roads: the exact moments of T small steps against the closed form."""
    beta = torch.linspace(1e-4, 0.02, 50, dtype=torch.float64)
    alpha_bar = alpha_bar_from_beta(beta)
    mean, var = torch.ones(()).double(), torch.zeros(()).double()
    for b in beta:
        mean, var = (1 - b).sqrt() * mean, (1 - b) * var + b
    torch.testing.assert_close(mean, alpha_bar[-1].sqrt())
    torch.testing.assert_close(var, 1 - alpha_bar[-1])


@pytest.mark.parametrize("make", SCHEDULES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_conversion_comes_back(make, shape):
    x0, eps, t = draw(shape)
    alpha_bar = make()
    xt = add_noise(x0, eps, t, alpha_bar)
    v = v_from_x0_eps(x0, eps, t, alpha_bar)
    near = {"rtol": 0, "atol": 1e-9}
    torch.testing.assert_close(
        x0_from_eps(xt, eps, t, alpha_bar), x0, rtol=0, atol=1e-6
    )
    torch.testing.assert_close(eps_from_x0(xt, x0, t, alpha_bar), eps, **near)
    torch.testing.assert_close(x0_from_v(xt, v, t, alpha_bar), x0, **near)
    torch.testing.assert_close(eps_from_v(xt, v, t, alpha_bar), eps, **near)
    score = score_from_eps(eps, t, alpha_bar)
    torch.testing.assert_close(eps_from_score(score, t, alpha_bar), eps, **near)


def test_the_score_is_the_gradient_of_the_log_density():
    """Data N(m, s^2): the mean noise given xt and the score, each in closed form."""
    m, s, alpha_bar, t = 0.7, 0.2, linear_alpha_bar(), torch.tensor([300])
    xt = torch.linspace(-2, 2, 9, dtype=torch.float64).reshape(1, -1).requires_grad_()
    a = alpha_bar[300]
    var = a * s**2 + 1 - a
    log_density = -((xt - a.sqrt() * m) ** 2) / (2 * var)
    (gradient,) = torch.autograd.grad(log_density.sum(), xt)
    eps_mean = (1 - a).sqrt() * (xt - a.sqrt() * m) / var
    torch.testing.assert_close(score_from_eps(eps_mean, t, alpha_bar), gradient)


def test_level_zero_has_no_noise_to_solve_for():
    x0, eps, _ = draw((4, 2))
    t = torch.tensor([0, 1, 2, 3])
    with pytest.raises(ValueError, match="holds level 0"):
        score_from_eps(eps, t, linear_alpha_bar())
    with pytest.raises(ValueError, match="holds level 0"):
        eps_from_x0(x0, x0, t, linear_alpha_bar())


@pytest.mark.parametrize(("t", "s"), [(500, 499), (500, 100), (900, 1)])
def test_the_posterior_agrees_with_bayes_by_integration(t, s):
    """q(xs | x0) q(xt | xs) / q(xt | x0), integrated numerically over xs."""
    alpha_bar = cosine_alpha_bar()
    x0, xt = torch.tensor([[0.6]]).double(), torch.tensor([[-0.4]]).double()
    mean, var = posterior(x0, xt, torch.tensor([t]), torch.tensor([s]), alpha_bar)
    a_t, a_s = alpha_bar[t], alpha_bar[s]
    xs = mean + var.sqrt() * torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    log = -((xs - a_s.sqrt() * x0) ** 2) / (2 * (1 - a_s))
    log = log - (xt - (a_t / a_s).sqrt() * xs) ** 2 / (2 * (1 - a_t / a_s))
    weight = (log - log.max()).exp()
    weight = weight / weight.sum()
    exact = (weight * xs).sum()
    torch.testing.assert_close(mean.squeeze(), exact, rtol=1e-9, atol=1e-12)
    spread = (weight * (xs - exact) ** 2).sum()
    torch.testing.assert_close(var.squeeze(), spread, rtol=1e-9, atol=0)


def test_the_posterior_of_level_zero_is_the_data_itself():
    x0, eps, t = draw((4, 2))
    mean, var = posterior(x0, eps, t, torch.zeros(4).long(), linear_alpha_bar())
    torch.testing.assert_close(mean, x0)
    assert (var == 0).all()


def test_the_posterior_needs_a_cleaner_level():
    x0, eps, t = draw((4, 2))
    with pytest.raises(ValueError, match="every s must lie below its t"):
        posterior(x0, eps, t, t, linear_alpha_bar())


@pytest.mark.parametrize("prediction", ["eps", "v", "x0"])
@pytest.mark.parametrize("shape", SHAPES)
def test_believed_data_and_noise_from_one_output_give_the_noisy_data(prediction, shape):
    output, xt, t = draw(shape)
    alpha_bar = cosine_alpha_bar(1000)
    both = output, xt, t, alpha_bar, prediction
    again = add_noise(predict_x0_from(*both), predict_eps_from(*both), t, alpha_bar)
    torch.testing.assert_close(again, xt)


def test_an_unknown_prediction_gives_no_data():
    xt = torch.zeros(1, 2)
    with pytest.raises(ValueError, match="prediction 'score' must be one of"):
        predict_x0_from(xt, xt, torch.tensor([1]), cosine_alpha_bar(10), "score")
