"""The questions of chapter 1: what is right, and what each mistake is told."""

import math

import pytest
import torch
from sklearn.mixture import GaussianMixture

from glyflib.lessons.exercises import check
from glyflib.lessons.questions import gaussians as asked
from glyflib.lessons.questions.gaussians import em_round, mixing, top, two_humps


def test_a_bell_s_area_is_its_height_times_its_width():
    assert top(1) == pytest.approx(1 / math.sqrt(2 * math.pi))
    assert top(0.1) == pytest.approx(10 * top(1))


@pytest.mark.parametrize("covariance", [-0.6, 0.0, 0.8])
def test_mixing_two_noises_gives_the_variances_and_the_covariance(covariance):
    first, shared, own = mixing(covariance)
    found = torch.stack([first**2, first * shared, shared**2 + own**2])
    assert found.tolist() == pytest.approx([1, covariance, 1])


def test_a_round_of_em_never_lowers_the_likelihood():
    x, *knobs = two_humps()
    heights = []
    for _ in range(20):
        weight, mean, std = knobs
        bells = torch.distributions.Normal(mean, std).log_prob(x[:, None])
        heights.append((weight.log() + bells).logsumexp(dim=1).mean())
        knobs = em_round(x, *knobs)
    rises = torch.stack(heights).diff()
    assert (rises > 0).all()


def test_a_round_of_em_is_scikit_learns():
    x, weight, mean, std = two_humps()
    peer = GaussianMixture(
        2,
        max_iter=1,
        reg_covar=0,
        weights_init=weight.numpy(),
        means_init=mean[:, None].numpy(),
        precisions_init=(1 / std**2)[:, None, None].numpy(),
    )
    with pytest.warns(match="converge"):
        peer.fit(x[:, None].numpy())
    weights, means, stds = em_round(x, weight, mean, std)
    assert weights.tolist() == pytest.approx(peer.weights_)
    assert means.tolist() == pytest.approx(peer.means_[:, 0])
    assert (stds**2).tolist() == pytest.approx(peer.covariances_[:, 0, 0])


def test_the_map_from_noise_meets_each_number_at_its_place_and_goes_straight_between():
    """Noises at the shares 0, 1/5, ..., 1 of five steps, and one half of a step on."""
    _, data = asked.some_noise_and_data()
    line = data.sort().values
    share = torch.linspace(0, 1, len(data), dtype=torch.float64)
    found = asked.from_noise(torch.special.ndtri(share), data)
    torch.testing.assert_close(found, line)
    middle = torch.special.ndtri(share[:-1] + share[1] / 2)
    found = asked.from_noise(middle, data)
    torch.testing.assert_close(found, (line[:-1] + line[1:]) / 2)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("gaussian-top", 10, "about 10"),
        ("gaussian-average", [3, 1.41], "1.41"),
        ("gaussian-map", asked.from_noise, "in proportion"),
        ("gaussian-wrap", [0, 2], "straight up"),
        ("gaussian-mixing", [1, 0.8, 0.6], "add up to 1"),
        ("gaussian-count", 100, "four times as many"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told in verdict.text


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("gaussian-top", 1, "Its height may be more"),
        ("gaussian-average", [3, 2], "The standard deviation is its root"),
        ("gaussian-average", [3, 1.63], "divided by 3"),
        ("gaussian-wrap", [2, 0], "quarter of a turn"),
        ("gaussian-wrap", [0, 4], "The distance is a root"),
        ("gaussian-mixing", [1, 0.8, 0.2], "squares"),
        ("gaussian-count", 50, "twice as many"),
        ("gaussian-map", asked.from_noise_on_stairs, "map of the chapter"),
        ("gaussian-map", asked.from_noise_rounded_down, "by the rest"),
        ("gaussian-map", asked.from_noise_unsorted, "Line them up"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text


def test_a_round_may_return_its_three_rows_as_a_plain_tuple():
    verdict = check("gaussian-round", lambda *given: tuple(em_round(*given)))
    assert verdict.is_right, verdict.text
