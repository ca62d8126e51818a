"""Figures of the museum of bugs: what they draw is what they were handed."""

import numpy as np
import pytest
import torch

from glyflib.plotting import bugs


def test_similarities_share_one_scale_and_keep_their_values():
    panels = {"bug": torch.ones(3, 3), "mended": torch.eye(3)}
    fig = bugs.plot_similarity(panels, label="time")
    for ax, (title, found) in zip(fig.axes, panels.items(), strict=False):
        (drawn,) = ax.images
        np.testing.assert_allclose(drawn.get_array(), found)
        assert drawn.get_clim() == (0, 1)
        assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == (
            title,
            "time",
            "time",
        )


def test_rows_hold_every_picture_beside_their_names():
    rows = {"bug": torch.zeros(2, 1, 4, 4), "mended": torch.ones(2, 1, 4, 4)}
    fig = bugs.plot_rows(rows, ["water", "fire"])
    drawn = [ax.images[0].get_array() for ax in fig.axes if ax.images]
    assert [float(x.mean()) for x in drawn] == [0, 0, 1, 1]
    names = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert names == ["bug", "mended"]
    assert [ax.get_title() for ax in fig.axes[:3]] == ["", "water", "fire"]


def test_a_row_that_lacks_a_picture_is_refused():
    with pytest.raises(ValueError, match="zip"):
        bugs.plot_rows({"bug": torch.zeros(1, 1, 4, 4)}, ["water", "fire"])


def test_shares_are_drawn_in_percent_with_a_style_of_their_own():
    fig = bugs.plot_seen({"mended": [0.1, 0.5], "bug": [0.1, 0.1]})
    (ax,) = fig.axes
    assert [line.get_ydata().tolist() for line in ax.lines] == [[10, 50], [10, 10]]
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    assert ax.get_xlabel() and ax.get_ylabel() and ax.get_ylim() == (0, 100)
