"""Layouts by the cheapest cuts, and names of the commonest radicals."""

import numpy as np
import pytest
import torch

from glyflib.data import load_glyphs
from glyflib.lessons.glyph_groups import (
    COMMON_RADICALS,
    layout_names,
    layout_score,
    radical_names,
    radical_sign,
)


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("all", 32)


def test_a_glyph_on_its_side_has_the_opposite_score(glyphs):
    some = glyphs.images[::500]
    turned = layout_score(some.transpose(2, 3))
    assert layout_score(some) == pytest.approx(-turned, abs=1e-6)
    assert np.abs(turned).max() > 0.1


def test_two_bars_beside_each_other_are_left_right():
    beside = torch.full((1, 1, 20, 20), 255, dtype=torch.uint8)
    beside[..., 2:7] = 0
    beside[..., 13:18] = 0
    both = torch.cat([beside, beside.transpose(2, 3)])
    names = layout_names(layout_score(both))
    assert names.tolist() == ["left-right", "top-bottom"]


def test_scores_within_the_margin_have_no_layout():
    names = layout_names(np.array([-0.03, -0.02, 0.0, 0.02, 0.03]))
    assert names.tolist() == ["top-bottom", "", "", "", "left-right"]


def test_the_eight_radicals_are_the_commonest_and_have_their_characters(glyphs):
    counts = np.bincount(glyphs.radicals.numpy())
    numbers = [number for number, _ in COMMON_RADICALS.values()]
    assert set(numbers) == set(np.argsort(counts)[-8:].tolist())
    signs = "".join(sign for _, sign in COMMON_RADICALS.values())
    assert glyphs.radicals[glyphs.find(signs)].tolist() == numbers


def test_only_common_radicals_have_a_name():
    names = radical_names(torch.tensor([85, 1, 167, 0]))
    assert names.tolist() == ["water", "", "metal", ""]


def test_a_radical_has_the_character_that_carries_its_number(glyphs):
    for number in (1, 85, 140, 214):
        assert glyphs.radicals[glyphs.find(radical_sign(number))] == number


@pytest.mark.parametrize("number", [0, 215])
def test_there_are_214_radicals(number):
    with pytest.raises(ValueError, match=f"radical {number} must be from 1 to 214"):
        radical_sign(number)
