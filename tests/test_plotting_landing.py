"""The first picture: words, real glyphs, and glyphs on their way."""

import pytest
import torch

from glyflib.plotting.index import plot_real_and_drawn

WORDS = ["fish", "tree", "bird"]


def test_each_row_has_its_name_and_each_column_its_word():
    real, drawn = torch.zeros(3, 1, 4, 4), torch.ones(2, 3, 1, 4, 4)
    fig = plot_real_and_drawn(real, drawn, WORDS)
    assert [ax.get_title() for ax in fig.axes[:3]] == WORDS
    assert [ax.get_ylabel() for ax in fig.axes[::3]] == ["real", "drawn", "drawn"]
    shown = [float(ax.images[0].get_array().mean()) for ax in fig.axes]
    assert shown == [0] * 3 + [1] * 6


def test_long_words_are_broken_into_lines():
    fig = plot_real_and_drawn(
        torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 1, 4, 4), ["to bend the wrist"]
    )
    assert fig.axes[0].get_title() == "to bend the\nwrist"


def test_noise_beyond_ink_and_paper_does_not_change_the_scale():
    fig = plot_real_and_drawn(
        torch.zeros(1, 1, 4, 4), 9 * torch.ones(1, 1, 1, 4, 4), "x"
    )
    assert {ax.images[0].get_clim() for ax in fig.axes} == {(-1.0, 1.0)}


@pytest.mark.parametrize("shape", [(1, 2, 1, 4, 4), (1, 4, 1, 4, 4)])
def test_rows_of_another_length_are_refused(shape):
    with pytest.raises(ValueError, match="3 words"):
        plot_real_and_drawn(torch.zeros(3, 1, 4, 4), torch.zeros(shape), WORDS)
