"""Scribbles: where the ink of a line is, and how much of it."""

import pytest
import torch

from glyflib.lessons.scribble import scribble


def test_paper_without_lines_is_white():
    x0 = scribble([])
    assert x0.shape == (1, 1, 32, 32) and x0.dtype == torch.float64
    assert (x0 == 1).all()


def test_a_line_is_as_wide_as_told_and_lies_where_told():
    ink = (1 - scribble([[(4, 10), (28, 10)]], width=3.0)[0, 0]) / 2
    assert ink[:, 16].sum().item() == pytest.approx(3, abs=0.3)
    assert ink[10, 6:26].min() > 0.9 and ink[:8].max() == 0 == ink[13:].max()
    assert ink[:, :3].max() == 0 == ink[:, 30:].max()


def test_x_runs_to_the_right_and_y_down():
    ink = scribble([[(28, 2), (28, 30)]])[0, 0] < 0
    assert ink[:, 24:].any() and not ink[:, :24].any()


@pytest.mark.parametrize(
    ("lines", "width", "told"),
    [([[(1, 1)]], 2.0, "two corners"), ([], 0.0, "width 0")],
)
def test_what_is_no_line_is_named(lines, width, told):
    with pytest.raises(ValueError, match=told):
        scribble(lines, width=width)
