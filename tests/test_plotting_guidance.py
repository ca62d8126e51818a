"""The figures of guidance show what they are given."""

import numpy as np
from matplotlib.figure import Figure

from glyflib.plotting import guidance as plots

X = np.linspace(-3, 3, 61)
BELL = np.exp(-(X**2))


def test_each_scale_has_a_panel_with_its_draws():
    draws = np.zeros(10)
    panels = {"s = 1": (BELL, draws), "s = 3": (BELL, draws)}
    fig = plots.plot_sharpened(X, panels, {"q(x|y)": BELL})
    assert isinstance(fig, Figure)
    assert [ax.get_title() for ax in fig.axes] == list(panels)
    names = [text.get_text() for text in fig.legends[0].get_texts()]
    assert "guided draws" in names and "q(x|y)" in names


def test_scores_are_told_apart_by_more_than_colour():
    fig = plots.plot_scores(
        X,
        {"t = 1": {"a": BELL, "b": -BELL, "c": 0 * BELL}}
        | {"t = 2": {"a": BELL, "b": -BELL, "c": 0 * BELL}},
    )
    lines = fig.axes[0].get_lines()[1:]
    assert len({line.get_linestyle() for line in lines}) == 3


def test_scales_stand_evenly_and_real_glyphs_are_a_line():
    spans = {1: (0.2, 0.1, 0.3), 3: (0.4, 0.3, 0.5), 15: (0.5, 0.4, 0.6)}
    names = ["hits", "recall", "ink", "grey"]
    tops = dict.fromkeys(names, 1)
    fig = plots.plot_sweep(
        dict.fromkeys(names, spans), {"hits": 0.9}, tops=tops, cols=2
    )
    ticks = [text.get_text() for text in fig.axes[-1].get_xticklabels()]
    assert ticks == ["1", "3", "15"] and len(fig.axes) == 4
    assert list(fig.axes[0].get_xticks()) == [0, 1, 2]
    assert len(fig.axes[0].get_lines()) > len(fig.axes[1].get_lines())
    assert all(ax.get_ylim() == (0, 1) for ax in fig.axes)
