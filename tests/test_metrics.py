"""Distances, shares and ratios between sets, each by a second road to it."""

import math
from functools import partial

import pytest
import scipy.linalg
import torch
from random_rows import DOUBLE, gen, normal, realism_rate

from glyflib.evaluation import metrics
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.evaluation.metrics import (
    frechet_distance,
    kernel_distance,
    kernel_parts,
    nearest_distance,
    nearest_neighbour_ratio,
    precision_recall,
)
from glyflib.evaluation.samples import (
    kernel_interval,
)


def exact_set(mean, root, num=50, seed=0):
    """Rows whose mean and unbiased covariance root @ root.T are exact."""
    rows = normal(num, len(mean), seed=seed)
    rows = rows - rows.mean(0)
    whitener = torch.linalg.cholesky(torch.linalg.inv(rows.T.cov()))
    return torch.tensor(mean, dtype=DOUBLE) + rows @ whitener @ root.T


def rotation(dim, seed=5):
    return torch.linalg.qr(normal(dim, dim, seed=seed))[0]


# Fréchet distance.


def test_frechet_is_exact_for_gaussians_with_common_axes():
    turn = rotation(3)
    a = exact_set([0, 0, 0], turn @ torch.diag(torch.tensor([1.0, 2, 3]).double()))
    b = exact_set(
        [1, -2, 2], turn @ torch.diag(torch.tensor([2.0, 2, 0.5]).double()), 80, 1
    )
    expected = (1 + 4 + 4) + (1 - 2) ** 2 + 0 + (3 - 0.5) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_frechet_is_the_formula_with_a_matrix_square_root():
    """Two roads: the root of A B by Schur decomposition, as in FID's first code."""
    a, b = normal(60, 5) @ normal(5, 5, seed=2), 1 + normal(40, 5, seed=1)
    cov_a, cov_b = a.T.cov(), b.T.cov()
    root = scipy.linalg.sqrtm((cov_a @ cov_b).numpy()).real.trace()
    gap = (a.mean(0) - b.mean(0)).square().sum()
    expected = gap + cov_a.trace() + cov_b.trace() - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize("num", [3, 10, 100])
def test_frechet_of_a_set_with_itself_is_zero_even_if_it_is_flat(num):
    """3 rows in 8 dimensions: a covariance of rank 2."""
    a = normal(num, 8) * torch.logspace(-6, 2, 8, dtype=DOUBLE)
    assert 0 <= frechet_distance(a, a) < 1e-12 * a.square().sum()
    assert frechet_distance(a, a.flip(0)) < 1e-11 * a.square().sum()


def test_frechet_changes_as_a_squared_distance_must():
    a, b, turn = normal(50, 4), 2 * normal(70, 4, seed=1) + 1, rotation(4)
    value = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(a @ turn + 3, b @ turn + 3) == pytest.approx(
        value, rel=1e-9
    )
    assert frechet_distance(-5 * a, -5 * b) == pytest.approx(25 * value, rel=1e-9)
    assert frechet_distance(a + 1e5, b + 1e5) == pytest.approx(value, rel=1e-6)
    stretch = torch.tensor([3.0, 1, 1, 1], dtype=DOUBLE)
    assert abs(frechet_distance(a * stretch, b * stretch) / value - 1) > 0.1


def test_the_bias_of_frechet_is_as_stated():
    """Mean of 80 draws; one draw spreads by about 20 %, so the mean by 2.5 %."""
    dim, n, m = 6, 300, 500
    found = [
        frechet_distance(normal(n, dim, seed=2 * s), normal(m, dim, seed=2 * s + 1))
        for s in range(80)
    ]
    stated = (dim + dim * (dim + 1) / 4) * (1 / n + 1 / m)
    assert sum(found) / 80 == pytest.approx(stated, rel=0.1)


# Kernel distance.


def test_kernel_distance_is_the_double_loop(monkeypatch):
    a, b = normal(11, 3), 0.5 + normal(7, 3, seed=1)

    def k(x, y):
        return (float(x @ y) / 3 + 1) ** 3

    within = [
        sum(k(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j)
        / (len(s) * (len(s) - 1))
        for s in (a, b)
    ]
    between = sum(k(x, y) for x in a for y in b) / 77
    expected = sum(within) - 2 * between
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr(metrics, "CHUNK", 4)
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kernel_distance_is_unbiased(shift):
    """In one dimension it compares three moments, with weights 3, 3 and 1.

    x ~ N(0, 1) has moments 0, 1, 0; x + m has m, 1 + m^2, m^3 + 3 m. Sets of 5 rows:
    an estimate with a bias of order 1 / N would be off by many standard errors.
    """
    m = shift
    true = 3 * m**2 + 3 * m**4 + (m**3 + 3 * m) ** 2
    rows = normal(2000, 2, 5, 1)
    found = torch.tensor([kernel_distance(a, b + m) for a, b in rows])
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() - true) < 4 * error
    own = (rows[:, 0].square() + 1) ** 3  # what the pairs of a row with itself add
    assert own.mean() / 5 > 5 * error


def test_kernel_distance_is_fixed_by_rotations_and_not_by_shifts():
    a, b, turn = normal(30, 4), 1 + normal(40, 4, seed=1), rotation(4)
    value = kernel_distance(a, b)
    assert kernel_distance(b, a) == pytest.approx(value, rel=1e-12)
    assert kernel_distance(a @ turn, b @ turn) == pytest.approx(value, rel=1e-9)
    assert kernel_distance(a + 1, b + 1) > 1.5 * value
    assert kernel_distance(a, a) < 0  # less than 0: no row is paired with itself


def test_the_kernel_interval_is_as_wide_as_the_distance_spreads():
    """40 pairs of sets: a spread measured to 11 %; allowed, three times that."""
    found = []
    for s in range(40):
        a, b = normal(120, 2, seed=2 * s), 0.7 + normal(80, 2, seed=2 * s + 1)
        draw = partial(bootstrap_interval, generator=gen(s), num=100)
        estimate = kernel_interval(a, b, draw)
        assert estimate.value == pytest.approx(kernel_distance(a, b), rel=1e-12)
        found.append(estimate)
    values, low, high = torch.tensor(found, dtype=DOUBLE).T
    half_width = (high - low).mean() / 2 / 1.96
    assert half_width / values.std() == pytest.approx(1, abs=0.35)


# Precision and recall.


def brute_force_share(points, others, k):
    """Share of points in a ball of the others, by loops."""
    hits = 0
    for p in points:
        for i, o in enumerate(others):
            rest = [(o - q).norm().item() for j, q in enumerate(others) if j != i]
            hits += (p - o).norm().item() <= sorted(rest)[k - 1]
            if (p - o).norm().item() <= sorted(rest)[k - 1]:
                break
    return hits / len(points)


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_the_loops(k, monkeypatch):
    real, fake = normal(15, 2), 0.8 + normal(12, 2, seed=1)
    expected = brute_force_share(fake, real, k), brute_force_share(real, fake, k)
    assert min(expected) > 0 and max(expected) < 1
    assert precision_recall(real, fake, k) == pytest.approx(expected)
    monkeypatch.setattr(metrics, "CHUNK", 4)
    assert precision_recall(real, fake, k) == pytest.approx(expected)


def test_precision_and_recall_of_known_sets():
    real = normal(60, 3)
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, real + 100) == (0, 0)
    centre = real[real.norm(dim=1).argsort()[:8]].mean(0)
    precision, recall = precision_recall(real, centre + 0.01 * normal(60, 3, seed=1))
    assert precision == 1 and recall < 0.1  # one good picture, drawn again and again
    both = torch.cat([real, real + 100])
    assert precision_recall(real, both) == (0.5, 1)
    twins = torch.cat([real[:5]] * 12)  # balls of size 0 still hold their own
    assert precision_recall(twins, twins) == (1, 1)


def test_realism_leaves_out_the_balls_of_outliers():
    """Five lonely rows: a fake beside them is precise, and not realistic."""
    real = torch.cat([normal(40, 2), 1000 * normal(5, 2, seed=1)])
    near, far = normal(20, 2, seed=2), 30 + normal(20, 2, seed=3)
    assert precision_recall(real, far)[0] == 1 and realism_rate(real, far) == 0
    assert 0.3 < realism_rate(real, near) <= precision_recall(real, near)[0]


def test_realism_is_a_score_of_at_least_one():
    """Two roads: Eq. 3 written out, a maximum of ratios over the smaller balls."""
    real, fake = normal(30, 3), 0.7 * normal(25, 3, seed=1)
    own = torch.cdist(real, real).sort(dim=1).values[:, 3]
    small = own <= own.sort().values[14]
    scores = (own[small] / torch.cdist(fake, real[small])).amax(1)
    share = (scores >= 1).double().mean().item()
    assert 0 < share < 1 and realism_rate(real, fake) == pytest.approx(share)


def test_precision_and_recall_ask_for_no_units():
    real, fake, turn = normal(40, 3), 0.5 + 0.7 * normal(40, 3, seed=1), rotation(3)
    found = precision_recall(real, fake)
    assert precision_recall(7 * real @ turn + 2, 7 * fake @ turn + 2) == found
    assert precision_recall(fake, real) == found[::-1]
    assert found[0] != found[1]


# Nearest neighbours.


def test_a_planted_copy_has_ratio_zero_and_a_new_glyph_about_one():
    train, new = normal(300, 1, 8, 8), normal(41, 1, 8, 8, seed=1)
    ratios = nearest_neighbour_ratio(torch.cat([train[[7, 250]], new]), train, new)
    assert ratios[:2].tolist() == [0, 0]
    assert ratios[2:].median() == 1 and ratios[2:].min() > 0.5


def test_a_small_step_from_a_training_glyph_is_measured_exactly():
    train, held_out = normal(300, 64), normal(41, 64, seed=1)
    step = torch.nn.functional.normalize(normal(5, 64, seed=2), dim=1) * 0.01
    usual = torch.cdist(held_out, train).amin(1).median()
    ratios = nearest_neighbour_ratio(train[:5] + step, train, held_out)
    torch.testing.assert_close(ratios, (0.01 / usual).expand(5), rtol=1e-4, atol=0)


def test_nearest_distances_are_those_of_the_whole_matrix(monkeypatch):
    samples, train = normal(25, 30), normal(90, 30, seed=1)
    monkeypatch.setattr(metrics, "CHUNK", 4)
    expected = torch.cdist(samples, train).amin(1)
    torch.testing.assert_close(
        nearest_distance(samples, train), expected, rtol=1e-6, atol=0
    )


def test_the_ratio_has_no_unit():
    samples, train, new = normal(9, 20), normal(90, 20, seed=1), normal(15, 20, seed=2)
    found = nearest_neighbour_ratio(samples, train, new)
    scaled = nearest_neighbour_ratio(3 * samples + 1, 3 * train + 1, 3 * new + 1)
    torch.testing.assert_close(found, scaled, rtol=1e-5, atol=0)


# What is refused.


@pytest.mark.parametrize(
    "distance", [frechet_distance, kernel_distance, kernel_parts, precision_recall]
)
@pytest.mark.parametrize(
    ("a", "b", "match"),
    [
        (normal(9, 3), normal(9, 4), r"rows \(9, 4\)"),
        (normal(9), normal(9), r"rows \(9,\)"),
        (normal(9, 3), normal(1, 3), "N >= [24]"),
        (normal(9, 3), math.nan * normal(9, 3), "finite"),
        (normal(9, 3), normal(9, 3).long(), "int64 must be finite floats"),
    ],
)
def test_sets_that_do_not_fit_are_refused(distance, a, b, match):
    with pytest.raises(ValueError, match=match):
        distance(a, b)


def test_too_few_neighbours_are_refused():
    with pytest.raises(ValueError, match="k 0 must be at least 1"):
        precision_recall(normal(9, 2), normal(9, 2), k=0)
    with pytest.raises(ValueError, match="N >= 10"):
        precision_recall(normal(9, 2), normal(9, 2), k=9)


def test_nearest_neighbours_need_glyphs_that_are_new():
    train = normal(20, 4)
    with pytest.raises(ValueError, match="most of held_out lie in train"):
        nearest_neighbour_ratio(train, train, train[:5])
    with pytest.raises(ValueError, match="N >= 1"):
        nearest_neighbour_ratio(train, train, train[:0])
    with pytest.raises(ValueError, match=r"rows \(20, 3\)"):
        nearest_neighbour_ratio(train[:, :3], train, train)
