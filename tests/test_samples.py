"""Distances, shares, ratios and their intervals, and the functions that gather them."""

import math
from functools import partial

import pytest
import scipy.linalg
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation import metrics
from glyflib.evaluation.intervals import bootstrap_interval, draw_rows, share_interval
from glyflib.evaluation.metrics import (
    frechet_distance,
    is_within_reach,
    kernel_distance,
    kernel_parts,
    nearest_distance,
    nearest_neighbour_ratio,
    precision_recall,
)
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.samples import (
    evaluate_samples,
    kernel_interval,
    measure_likeness,
    reference_rows,
    shuffled_rate,
)

DOUBLE = torch.float64


def realism_rate(real, fake, k=3):
    """Share of fakes with a realism score of at least 1."""
    return is_within_reach(fake, real, k, is_pruned=True).double().mean().item()


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=gen(seed), dtype=DOUBLE)


def exact_set(mean, root, num=50, seed=0):
    """Rows whose mean and unbiased covariance root @ root.T are exact."""
    rows = normal(num, len(mean), seed=seed)
    rows = rows - rows.mean(0)
    whitener = torch.linalg.cholesky(torch.linalg.inv(rows.T.cov()))
    return torch.tensor(mean, dtype=DOUBLE) + rows @ whitener @ root.T


def rotation(dim, seed=5):
    return torch.linalg.qr(normal(dim, dim, seed=seed))[0]


# Frechet distance.


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


# Intervals.


def test_the_interval_of_a_mean_covers_the_true_mean():
    """200 times 40 numbers: 95 % would be 190; three standard errors are 9."""
    covered = 0
    for s in range(200):
        rows = 5 + normal(40, seed=s)
        found = bootstrap_interval(torch.mean, rows, generator=gen(s), num=200)
        covered += found.low <= 5 <= found.high
    assert 179 <= covered <= 198


def test_the_interval_of_a_mean_has_the_width_of_the_normal_one():
    rows = normal(400)
    for level, reach in ((0.95, 1.96), (0.5, 0.674)):
        found = bootstrap_interval(
            torch.mean, rows, generator=gen(), num=2000, level=level
        )
        width = 2 * reach * rows.std().item() / 20
        assert found.high - found.low == pytest.approx(width, rel=0.08)
        assert found.low < found.value < found.high


def test_drawing_groups_is_wider_for_rows_that_go_together():
    """8 equal rows a group: 8 times fewer numbers, so wider by the root of 8."""
    rows, groups = (
        normal(60).repeat_interleave(8),
        torch.arange(60).repeat_interleave(8),
    )
    naive = bootstrap_interval(torch.mean, rows, generator=gen())
    whole = bootstrap_interval(torch.mean, rows, generator=gen(), groups=groups)
    ratio = (whole.high - whole.low) / (naive.high - naive.low)
    assert ratio == pytest.approx(math.sqrt(8), rel=0.12)
    assert whole.value == naive.value


def test_groups_are_drawn_whole_whatever_their_size_and_order():
    groups = torch.tensor([5, -2, 5, 9, 5, 9, 30])
    seen = set()
    for s in range(50):
        counts = torch.bincount(draw_rows(groups, gen(s)), minlength=7)
        for group in groups.unique():
            assert len(counts[groups == group].unique()) == 1
        assert sum(counts[groups.tolist().index(g)] for g in (5, -2, 9, 30)) == 4
        seen.add(tuple(counts.tolist()))
    assert len(seen) > 20


def test_two_samples_are_drawn_on_their_own_and_rows_stay_whole():
    rows = normal(200)
    both = bootstrap_interval(lambda a, b: (a - b).mean(), rows, rows, generator=gen())
    width = 2 * 1.96 * rows.std().item() * math.sqrt(2 / 200)
    assert both.high - both.low == pytest.approx(width, rel=0.12)
    pairs = torch.stack([rows, rows], dim=1)
    paired = bootstrap_interval(
        lambda x: (x[:, 0] - x[:, 1]).mean(), pairs, generator=gen()
    )
    assert paired == (0, 0, 0)


def test_recentring_takes_out_what_repeated_rows_add():
    a, b = normal(60, 8), normal(60, 8, seed=1)
    settings = {"num": 60, "generator": gen()}
    plain = bootstrap_interval(frechet_distance, a, b, **settings)
    moved = bootstrap_interval(frechet_distance, a, b, is_recentred=True, **settings)
    assert plain.low > plain.value
    assert moved.low < moved.value < moved.high


def test_the_frechet_interval_is_as_wide_as_the_distance_spreads():
    """30 pairs of sets: a spread measured to 13 %."""
    found = []
    for s in range(30):
        a, b = normal(150, 3, seed=2 * s), 0.5 + 1.3 * normal(150, 3, seed=2 * s + 1)
        found.append(
            bootstrap_interval(
                frechet_distance, a, b, num=60, generator=gen(s), is_recentred=True
            )
        )
    values, low, high = torch.tensor(found, dtype=DOUBLE).T
    half_width = (high - low).mean() / 2 / 1.96
    assert half_width / values.std() == pytest.approx(1, abs=0.4)


def test_the_generator_decides_the_interval():
    rows = normal(30)
    one, two, other = (
        bootstrap_interval(torch.mean, rows, generator=gen(s), num=50)
        for s in (1, 1, 2)
    )
    assert one == two and one != other


# Everything at once, on real glyphs.


@pytest.fixture(scope="module")
def classifier():
    return RadicalClassifier.load()


@pytest.fixture(scope="module")
def test_glyphs():
    return load_glyphs("test", 32)


@pytest.fixture(scope="module")
def train_glyphs():
    return load_glyphs("train", 32)


def thinned(glyphs, step):
    return x0_from_images(glyphs.images[::step]), glyphs.radicals[::step]


@pytest.fixture(scope="module")
def sets(train_glyphs, test_glyphs):
    """1,009 training glyphs and 531 + 530 held-out ones, with their radicals."""
    x0, radicals = thinned(test_glyphs, 1)
    order = torch.randperm(len(x0), generator=gen())
    halves = [(x0[rows], radicals[rows]) for rows in order.chunk(2)]
    return thinned(train_glyphs, 20), *halves


def evaluate(samples, radicals, sets, classifier, groups=None, num=20):
    groups = torch.arange(len(samples)) if groups is None else groups
    real, train = sets[2][0], sets[0][0]
    return evaluate_samples(
        samples, radicals, groups, real, train, classifier, gen(), num=num
    )


def test_real_glyphs_come_out_as_real_and_new(sets, classifier):
    samples, radicals = sets[1]
    found = evaluate(samples, radicals, sets, classifier)
    right = (classifier.read(samples).radicals == radicals).double().mean().item()
    assert found.hit_rate.value == pytest.approx(right) and right > 0.8
    assert found.shuffled.value < 0.05
    assert found.precision.value > 0.6 and found.recall.value > 0.6
    assert abs(found.kernel.value) < 0.013  # halves of the split spread by 0.0033
    assert found.nearest_ratio.value == pytest.approx(1, abs=0.1)
    assert found.copied.value < 0.03
    for estimate in found:
        assert estimate.low <= estimate.value <= estimate.high


def test_copies_are_called_copies_and_noise_is_called_noise(sets, classifier):
    (train, radicals), (real, real_radicals), _ = sets
    fair = evaluate(real, real_radicals, sets, classifier)
    copies = evaluate(train[:400], radicals[:400], sets, classifier)
    assert copies.copied == share_interval(torch.ones(400))
    assert copies.nearest_ratio.value == 0
    noise = normal(400, 1, 32, 32).float()
    noise = evaluate(noise, radicals[:400], sets, classifier)
    assert noise.hit_rate.value < 0.1 and noise.realism.value < 0.02 < fair.realism.low
    assert noise.frechet.value > 5 * fair.frechet.value
    assert noise.kernel.low > 10 * abs(fair.kernel.value)


def test_realism_notices_mirrored_glyphs_and_precision_does_not(sets, classifier):
    real, target = (classifier.read(sets[i][0]).features for i in (1, 2))
    mirrored = classifier.read(sets[1][0].flip(3)).features
    assert realism_rate(target, real) > 0.3 > 0.05 > realism_rate(target, mirrored)
    precise = [precision_recall(target, fake)[0] for fake in (real, mirrored)]
    assert abs(precise[0] - precise[1]) < 0.1
    assert frechet_distance(target, mirrored) > 4 * frechet_distance(target, real)
    assert kernel_distance(target, mirrored) > 10 * abs(kernel_distance(target, real))


def test_one_good_glyph_again_and_again_has_precision_without_recall(sets, classifier):
    real, radicals = sets[1]
    rows = classifier.read(real).logits.logsumexp(1).argsort()[:1].repeat(500)
    stuck = evaluate(real[rows], radicals[rows], sets, classifier)
    assert stuck.recall.value < 0.05
    assert stuck.frechet.value > 5 * evaluate(*sets[1], sets, classifier).frechet.value


def test_larger_and_unclipped_glyphs_are_brought_to_the_same(sets, classifier):
    samples, radicals = (x[:40] for x in sets[1])
    found = evaluate(samples, radicals, sets, classifier)
    larger = samples.repeat_interleave(2, 2).repeat_interleave(2, 3)
    again = evaluate(larger, radicals, sets, classifier)
    beyond = torch.where(samples.abs() == 1, 3 * samples, samples)
    for other in (again, evaluate(beyond, radicals, sets, classifier)):
        torch.testing.assert_close(torch.tensor(other), torch.tensor(found))


def test_eight_samples_a_caption_are_not_eight_times_the_captions(sets, classifier):
    """Copies of 60 glyphs: the same hit rate, and an interval that knows better."""
    samples, radicals = (x[:60].repeat_interleave(8, 0) for x in sets[1])
    groups = torch.arange(60).repeat_interleave(8)
    whole = evaluate(samples, radicals, sets, classifier, groups, num=100).hit_rate
    naive = evaluate(samples, radicals, sets, classifier, num=100).hit_rate
    assert whole.value == naive.value
    assert whole.high - whole.low > 2 * (naive.high - naive.low)


def test_the_shuffled_rate_is_the_mean_over_shuffles():
    pairs = torch.randint(1, 6, (50, 2), generator=gen())
    pairs[:, 0] = pairs[:, 1].where(torch.rand(50, generator=gen()) < 0.7, pairs[:, 0])
    hits = [
        (pairs[:, 0] == pairs[torch.randperm(50, generator=gen(s)), 1]).sum().item()
        for s in range(3000)
    ]
    assert shuffled_rate(pairs) == pytest.approx(sum(hits) / 50 / 3000, rel=0.02)


def test_reference_rows_are_chance_ceiling_and_floor(sets, classifier):
    (train, radicals), (real, real_radicals), _ = sets
    found = reference_rows(
        real, real_radicals, train, radicals, classifier, gen(), num_samples=500, num=20
    )
    commonest = max(radicals.tolist(), key=radicals.tolist().count)
    share = (real_radicals == commonest).double().mean().item()
    assert found.commonest.value == pytest.approx(share)
    drawn = radicals[torch.randint(len(radicals), (len(real), 2000), generator=gen())]
    simulated = (drawn == real_radicals[:, None]).double().mean().item()
    assert found.by_chance.value == pytest.approx(simulated, rel=0.03)
    right = (classifier.read(real).radicals == real_radicals).double().mean().item()
    assert found.ceiling.value == pytest.approx(right)
    target = classifier.read(real).features
    noise = measure_likeness(normal(500, target.shape[1]).float(), target, gen(), num=2)
    assert found.floor.frechet.value < noise.frechet.value / 3
    assert found.floor.precision.value > 0.6


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


@pytest.mark.parametrize(
    ("samples", "options", "match"),
    [
        ([], {}, "none may be empty"),
        ([normal(4), normal(0)], {}, r"\[4, 0\] rows"),
        ([normal(4)], {"num": 1}, "num 1"),
        ([normal(4)], {"level": 1.0}, "level 1.0"),
        ([normal(4)], {"groups": torch.arange(3)}, r"groups \(3,\) must be \(4,\)"),
    ],
)
def test_a_senseless_bootstrap_is_refused(samples, options, match):
    with pytest.raises(ValueError, match=match):
        bootstrap_interval(torch.mean, *samples, generator=gen(), **options)


def test_a_senseless_evaluation_is_refused(sets, classifier):
    samples, radicals = (x[:9] for x in sets[1])
    with pytest.raises(ValueError, match=r"radicals \(8,\) for \(9, 1, 32, 32\)"):
        evaluate(samples, radicals[:8], sets, classifier)
    with pytest.raises(ValueError, match="radicals holds 0: leave out"):
        evaluate(samples, 0 * radicals, sets, classifier)
    with pytest.raises(ValueError, match=r"groups \(3,\)"):
        evaluate(samples, radicals, sets, classifier, torch.arange(3))
    with pytest.raises(ValueError, match=r"x0 \(9, 1, 16, 16\)"):
        evaluate(samples[..., ::2, ::2], radicals, sets, classifier)
    with pytest.raises(ValueError, match="finite"):
        evaluate(math.nan * samples, radicals, sets, classifier)
    with pytest.raises(ValueError, match="N >= 4"):
        evaluate(samples[:3], radicals[:3], sets, classifier)
    for num in (3, 10):
        with pytest.raises(ValueError, match=f"num_samples {num} must be from 4 to 9"):
            reference_rows(
                samples, radicals, samples, radicals, classifier, gen(), num_samples=num
            )
