"""The cheapest cut through a glyph, and the published networks' sizes."""

from itertools import product

import diffusers
import numpy as np
import pytest
import torch

from glyflib.data import cheapest_cut
from glyflib.lessons.published import published_unets


def test_the_cheapest_cut_is_the_least_of_all_ways_down():
    ink = np.random.default_rng(0).random((3, 5, 5))
    ways = [
        np.cumsum([start, *moves])
        for start in (1, 2, 3)
        for moves in product((-1, 0, 1), repeat=4)
    ]
    allowed = [way for way in ways if way.min() >= 1 and way.max() <= 3]
    costs = [[some[range(5), way].sum() / 5 for way in allowed] for some in ink]
    assert cheapest_cut(ink) == pytest.approx(np.min(costs, axis=1))


def test_a_gap_costs_nothing_and_a_bar_its_thickness():
    beside, bar = np.zeros((2, 10, 10))
    beside[:, [2, 7]] = 1
    bar[4:6] = 1
    assert cheapest_cut(np.stack([beside, bar])) == pytest.approx([0, 0.2])
    turned = np.stack([beside.T, bar.T])
    assert cheapest_cut(turned) == pytest.approx([0.2, 0])


@pytest.mark.parametrize(
    ("shape", "margin", "said"),
    [((2, 4, 5), 0.2, r"\(2, 4, 5\) must be"), ((2, 4, 4), 0.5, "margin 0.5 must")],
)
def test_what_cannot_be_cut_is_refused(shape, margin, said):
    with pytest.raises(ValueError, match=said):
        cheapest_cut(np.zeros(shape), margin)


def test_the_published_networks_have_about_a_hundred_million_parameters():
    with torch.device("meta"):
        sizes = {
            name: getattr(diffusers, kind)(**options).num_parameters()
            for name, (kind, options) in published_unets().items()
        }
    assert len(sizes) == 4 and sum(sizes.values()) == 459_164_932
    assert all(77e6 < size < 138e6 for size in sizes.values())
