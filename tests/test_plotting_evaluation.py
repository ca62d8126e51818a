"""The figures of evaluation show what they are given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from glyflib.plotting import evaluation as plots
from glyflib.plotting.estimates import plot_estimates

SPANS = {10: (0.2, 0.1, 0.3), 100: (0.5, 0.4, 0.6), 1000: (0.9, 0.8, 1.0)}
PICTURES = np.zeros((3, 1, 8, 8))


def test_floors_have_sizes_as_ticks_and_what_is_expected_dashed():
    panels = {"Fréchet distance": SPANS, "kernel distance": SPANS}
    fig = plots.plot_floors(panels, {"kernel distance": {10: 0, 1000: 0}})
    assert isinstance(fig, Figure)
    for ax, name in zip(fig.axes, panels, strict=True):
        assert ax.get_ylabel() == name and ax.get_xlabel()
        ticks = [text.get_text() for text in ax.get_xticklabels()]
        assert ticks == ["10", "100", "1,000"]


def test_balls_are_drawn_in_the_units_of_the_points():
    real = np.array([[0.0, 0.0], [1.0, 1.0]])
    inside = np.array([True, False, True])
    panel = (real, np.array([0.5, 0.2]), np.ones((3, 2)), inside)
    fig = plots.plot_balls({"a": panel, "b": panel})
    balls = fig.axes[0].collections[0]
    assert balls._units == "xy" and len(balls.get_offsets()) == 2
    counts = [len(line.get_xdata()) for line in fig.axes[0].get_lines()]
    assert counts == [2, 2, 1]
    marks = {line.get_marker() for line in fig.axes[0].get_lines()}
    assert len(marks) == 3


def test_rows_stand_in_order_and_marked_ones_have_another_mark():
    rows = {"floor": (0.2, 0.1, 0.3), "copies": (0.2, 0.2, 0.2)}
    panels = {"precision": rows, "distance": rows}
    fig = plot_estimates(
        panels, marked=["copies"], bands=True, spans={"distance": (0, 5)}
    )
    assert [ax.get_xlabel() for ax in fig.axes] == list(panels)
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == list(rows)
    assert [ax.get_xlim() for ax in fig.axes] == [(0, 1), (0, 5)]
    marks = [line.get_marker() for line in fig.axes[0].get_lines()]
    assert {"o", "s"} <= set(marks) and len(fig.axes[0].patches) == 1
    low, high = fig.axes[0].get_ylim()
    assert low > high  # the first row is on top


def test_each_row_of_ratios_has_its_dots_and_its_limit():
    rows = {"held out": np.ones(9), "copies": np.zeros(4)}
    fig = plots.plot_ratios(rows, {"held out": 0.5})
    dots = [line for line in fig.axes[0].get_lines() if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in dots] == [9, 4]
    assert len(fig.axes[0].collections) == 3  # two medians and one limit


def test_sizes_are_told_apart_by_more_than_colour():
    fig = plots.plot_sizes({"ratio": {"a": SPANS}, "loss": {"a": SPANS, "b": SPANS}})
    assert [ax.get_ylabel() for ax in fig.axes] == ["ratio", "loss"]
    lines = [box[0] for box in fig.axes[1].containers]
    assert len({line.get_linestyle() for line in lines}) == 2
    assert len({line.get_marker() for line in lines}) == 2


@pytest.mark.parametrize("notes", [(), ("a", "b", "c")])
def test_twins_stand_side_by_side(notes):
    fig = plots.plot_twins({"10": (PICTURES, PICTURES + 1)} | {"all": (PICTURES,) * 2})
    assert len(fig.axes) == 12
    first, second, third = (ax.get_position() for ax in fig.axes[:3])
    assert first.x1 < second.x0 < third.x0
    assert second.x0 - first.x1 < third.x0 - second.x1
    noted = plots.plot_twins({"10": (PICTURES, PICTURES)}, notes=notes)
    assert len(noted.texts) == 1 + len(notes)
