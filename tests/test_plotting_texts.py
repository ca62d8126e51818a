"""Figures of text as numbers: what they draw is what they were handed."""

import numpy as np
import pytest
import torch

from glyflib.plotting import text_embeddings as texts

PIECES = ["\u2581gold", ",", "\u2581element", "</s>"]


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_each_piece_has_its_box_and_its_number():
    lines = {"gold": [("\u2581gold", 930), ("</s>", 1)], "a": [("\u2581a", 5)]}
    (ax,) = texts.plot_pieces(lines).axes
    assert words(ax) == ["gold", "_gold", "930", "</s>", "1", "a", "_a", "5"]
    first, second, other = (box.get_bbox() for box in ax.patches)
    assert first.x1 < second.x0 and other.x0 == first.x0 == 0
    assert first.y0 < other.y0


def test_a_long_text_of_pieces_must_fit():
    with pytest.raises(ValueError, match="does not fit"):
        texts.plot_pieces({"long": [("\u2581chemical", 839)] * 12})


def test_attention_shows_the_weights_in_per_cent_and_frames_a_word():
    weights = normal(4, 4).softmax(1)
    fig = texts.plot_attention({"a": (PIECES, weights)}, row="element")
    (ax,) = fig.axes
    np.testing.assert_allclose(ax.images[0].get_array(), weights)
    assert ax.images[0].get_clim() == (0, 1)
    assert words(ax) == [f"{100 * w:.0f}" for w in weights.flatten()]
    (frame,) = ax.patches
    assert frame.get_y() == 1.5 and frame.get_width() == 4
    assert ax.get_yticklabels()[0].get_text() == "_gold"


def test_no_word_is_framed_unless_asked_for():
    fig = texts.plot_attention({"a": (PIECES, normal(4, 4).softmax(1))})
    assert not fig.axes[0].patches


def test_bias_lies_at_its_distance():
    bias = normal(8, 41).clamp(-1, 1)
    ax = texts.plot_bias(torch.arange(-20, 21), bias).axes[0]
    left, right, low, high = ax.images[0].get_extent()
    assert (left, right, low, high) == (-20.5, 20.5, 8.5, 0.5)
    np.testing.assert_allclose(ax.images[0].get_array(), bias)
    assert ax.images[0].get_clim() == (-1, 1)


def test_the_array_shows_both_vectors_of_each_token_and_crosses_out_padding():
    table, tokens = normal(4, 256), normal(6, 256)
    fig = texts.plot_array(PIECES, [930, 4, 1413, 1], table, tokens)
    left, before, after, mask = fig.axes
    np.testing.assert_allclose(before.images[0].get_array()[:4], table)
    np.testing.assert_allclose(after.images[0].get_array(), tokens)
    assert before.images[0].get_clim() == after.images[0].get_clim() == (-2, 2)
    assert words(mask) == ["1"] * 4 + ["0"] * 2
    assert words(left)[:4] == ["_gold", "930", ",", "4"]
    assert words(left)[-2:] == ["padding", "0"]
    for ax in (before, after):
        (pad,) = ax.patches
        assert pad.get_y() > 3.5 and pad.get_y() + pad.get_height() < 5.5


def test_words_are_sorted_by_the_first_encoder():
    margins = {"trained": [0.1, -0.2, 0.3], "untrained": [1.0, 2.0, 3.0]}
    means = {"trained": (0.1, 0.0, 0.2), "table": (0.0, 0.0, 0.0)}
    left, right = texts.plot_senses("abc", margins, means).axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["c", "a", "b"]
    first, second = left.lines[:2]
    assert list(first.get_xdata()) == [0.3, 0.1, -0.2]
    assert list(second.get_xdata()) == [3.0, 1.0, 2.0]
    assert first.get_marker() != second.get_marker()
    assert [t.get_text() for t in right.get_yticklabels()] == list(means)


def test_encoders_stand_at_their_values_with_intervals():
    rows = {"trained": (0.8, 0.7, 0.85), "table": (0.3, 0.2, 0.4)}
    fig = texts.plot_encoders({"one": rows, "two": rows}, ("share", "rank"))
    assert [ax.get_xlabel() for ax in fig.axes] == ["share", "rank"]
    for ax in fig.axes:
        for container, (value, low, high) in zip(
            ax.containers, rows.values(), strict=True
        ):
            assert container.lines[0].get_xdata()[0] == value
            (bar,) = container.lines[2]
            np.testing.assert_allclose(bar.get_segments()[0][:, 0], [low, high])
        assert words(ax) == ["0.80", "0.30"]
        assert len({c.lines[0].get_marker() for c in ax.containers}) == 2
