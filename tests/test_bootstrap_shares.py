"""The interval of a share, where draws from the trials would be too sure."""

import math

import pytest
import torch

from glyflib.bootstrap import share_interval


@pytest.mark.parametrize(("count", "num"), [(0, 10), (7, 10), (10, 10), (851, 1000)])
def test_a_share_has_wilsons_interval(count, num):
    hits = torch.arange(num) < count
    value, low, high = share_interval(hits)
    z, p = 1.959964, count / num  # the formula written out
    middle = (p + z**2 / (2 * num)) / (1 + z**2 / num)
    half = z / (1 + z**2 / num) * math.sqrt(p * (1 - p) / num + (z / (2 * num)) ** 2)
    assert value == p
    assert low == pytest.approx(middle - half, abs=1e-6)
    assert high == pytest.approx(middle + half, abs=1e-6)


def test_ten_hits_of_ten_are_not_certain():
    assert share_interval(torch.ones(10)).low == pytest.approx(0.7225, abs=1e-4)


def test_its_interval_holds_the_truth_about_as_often_as_it_says():
    gen = torch.Generator().manual_seed(0)
    trials = torch.rand(400, 20, generator=gen) < 0.9
    found = [share_interval(row) for row in trials]
    inside = [estimate.low <= 0.9 <= estimate.high for estimate in found]
    assert 0.92 < sum(inside) / len(inside) < 0.99


@pytest.mark.parametrize("hits", [torch.zeros(0), torch.tensor([0.0, 0.5])])
def test_what_is_no_trial_is_refused(hits):
    with pytest.raises(ValueError, match="must be 0 or 1"):
        share_interval(hits)
