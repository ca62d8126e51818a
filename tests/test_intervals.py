"""The interval of a share, where draws from the trials would be too sure."""

import pytest
import torch
from scipy.stats import binomtest

from glyflib.evaluation.intervals import share_interval


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
