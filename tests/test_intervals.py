"""Intervals: of any statistic by drawing again, of shares by Wilson."""

import math

import pytest
import torch
from scipy.stats import binomtest

from glyflib.evaluation.intervals import (
    bootstrap_draws,
    bootstrap_interval,
    draw_rows,
    interval_of,
    means_over_runs,
    share_interval,
)
from glyflib.evaluation.metrics import frechet_distance

DOUBLE = torch.float64


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=gen(seed), dtype=DOUBLE)


# Any statistic.


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


# Shares.


def test_an_interval_lies_between_the_quantiles_of_the_draws():
    rows = normal(50)
    drawn = bootstrap_draws(torch.mean, rows, generator=gen(), num=400)
    assert drawn.shape == (400,) and drawn.dtype == DOUBLE
    found = interval_of(rows.mean().item(), drawn)
    assert found == bootstrap_interval(torch.mean, rows, generator=gen(), num=400)
    assert ((drawn < found.low).sum(), (drawn > found.high).sum()) == (10, 10)


def test_generators_of_one_seed_draw_pairs():
    """A gap that is the same in every row has no spread, however the rows spread."""
    rows = normal(50)
    first, second = (
        bootstrap_draws(torch.mean, some, generator=gen(), num=50)
        for some in (rows, rows + 3)
    )
    torch.testing.assert_close(second - first, torch.full((50,), 3.0, dtype=DOUBLE))


@pytest.mark.parametrize(
    ("R", "s", "r"), [(3, 2, 0), (50, 2, 0), (3, 0, 3), (50, 2, 3)]
)
def test_means_over_runs_spread_as_their_formula_says(R, s, r):
    runs = normal(R, 1)
    runs = s * (runs - runs.mean()) / runs.std()
    found = means_over_runs(runs + r * normal(R, 20_000, seed=1), gen())
    wanted = math.sqrt((R - 1) * s**2 + (2 * R - 1) * r**2) / R
    assert found.std().item() == pytest.approx(wanted, rel=0.03)


def test_draws_that_runs_share_do_not_average_out():
    shared = 3 * normal(1, 20_000)
    found = means_over_runs(shared.expand(50, -1), gen())
    torch.testing.assert_close(found, shared[0])


def test_there_must_be_runs_to_take_means_over():
    with pytest.raises(ValueError, match=r"draws \(0, 5\) must be \(R, K\)"):
        means_over_runs(torch.zeros(0, 5), gen())


@pytest.mark.parametrize(
    ("samples", "options", "match"),
    [
        ([], {}, "none may be empty"),
        ([torch.zeros(0)], {}, "none may be empty"),
        ([torch.zeros(3)], {"num": 1}, "num 1 must be at least 2"),
        ([torch.zeros(3)], {"groups": torch.zeros(2)}, r"groups \(2,\)"),
    ],
)
def test_what_cannot_be_drawn_again_is_named(samples, options, match):
    with pytest.raises(ValueError, match=match):
        bootstrap_draws(torch.mean, *samples, generator=gen(), **options)


@pytest.mark.parametrize(("count", "num"), [(0, 10), (7, 10), (10, 10), (851, 1000)])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_a_share_has_wilsons_interval(count, num, level):
    found = share_interval(torch.arange(num) < count, level=level)
    theirs = binomtest(count, num).proportion_ci(level, method="wilson")
    assert found == pytest.approx((count / num, theirs.low, theirs.high), abs=1e-9)


def test_ten_hits_of_ten_are_not_certain():
    assert share_interval(torch.ones(10)).low == pytest.approx(0.7225, abs=1e-4)


def test_its_interval_holds_the_truth_about_as_often_as_it_says():
    gen = torch.Generator().manual_seed(0)
    trials = torch.rand(400, 20, generator=gen) < 0.9
    found = [share_interval(row) for row in trials]
    inside = [estimate.low <= 0.9 <= estimate.high for estimate in found]
    assert 0.92 < sum(inside) / len(inside) < 0.99


def test_trials_that_end_alike_count_once():
    captions = torch.arange(50) < 40
    found = share_interval(
        captions.repeat_interleave(4), groups=torch.arange(50).repeat_interleave(4)
    )
    assert found == share_interval(captions)


def test_no_hit_among_grouped_trials_is_not_certain():
    found = share_interval(torch.zeros(200), groups=torch.arange(200) // 2)
    assert found.value == found.low == 0
    assert found.high == pytest.approx(share_interval(torch.zeros(100)).high)


def test_groups_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"groups \(3,\) must be \(4,\)"):
        share_interval(torch.ones(4), groups=torch.arange(3))


@pytest.mark.parametrize("hits", [torch.zeros(0), torch.tensor([0.0, 0.5])])
def test_what_is_no_trial_is_refused(hits):
    with pytest.raises(ValueError, match="must be 0 or 1"):
        share_interval(hits)
