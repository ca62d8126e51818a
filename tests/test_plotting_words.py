"""Figures of chapter 14: what they draw is what they were handed."""

import numpy as np
import torch

from glyflib.plotting import text_conditioning as words
from glyflib.plotting.estimates import plot_hits

ROWS = {"a": (0.5, 0.4, 0.6), "b": (0.0, 0.0, 0.1), "c": (1.0, 0.9, 1.0)}


def test_each_share_stands_in_its_row_with_its_number():
    fig = plot_hits({"one": ROWS, "two": {"d": (0.2, 0.1, 0.3)}}, label="share")
    first, second = fig.axes
    assert [text.get_text() for text in first.texts] == ["0.50", "0.00", "1.00"]
    assert [text.get_text() for text in first.get_yticklabels()] == list(ROWS)
    assert first.get_title() == "one" and second.get_title() == "two"
    assert second.get_xlabel() == "share" and first.get_xlim() == second.get_xlim()
    low, high = first.get_ylim()
    assert low > high


def test_each_word_has_its_map_over_the_picture():
    picture = torch.linspace(-1, 1, 1024).reshape(1, 32, 32)
    maps = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    fig = words.plot_looks({"t": picture}, {"t": maps}, ["\u2581gold", "</s>"])
    alone, *looks = fig.axes[:3]
    assert len(alone.images) == 1
    for ax, weights in zip(looks, maps, strict=True):
        under, over = ax.images
        np.testing.assert_allclose(over.get_array(), weights)
        assert over.get_clim() == (0, words.MOST)
        assert over.get_extent() == under.get_extent()
    assert [ax.get_title() for ax in looks] == ["_gold", "</s>"]
