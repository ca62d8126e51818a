"""Figures of scores: arrows point and are coloured as the field says, numbers stay."""

import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver

from glyflib.plotting import score_functions as scores

SIDE = np.linspace(-2, 2, 5)
PLACES = np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), axis=-1).reshape(-1, 2)
POINTS = np.zeros((3, 2))


def quivers(fig):
    return [a for ax in fig.axes for a in ax.collections if isinstance(a, Quiver)]


def crosses(ax):
    (found,) = (line for line in ax.lines if line.get_marker() == "x")
    return found.get_xydata()


def test_an_arrow_points_along_the_field_and_its_colour_is_its_length():
    field = np.stack([3 * PLACES[:, 0], -4 * np.ones(25)], axis=1)
    (arrows,) = quivers(scores.plot_fields({"a": (POINTS, field)}, PLACES))
    length = np.hypot(*field.T)
    np.testing.assert_allclose(arrows.get_array(), length)
    drawn = np.stack([arrows.U, arrows.V], axis=1)
    np.testing.assert_allclose(drawn * length[:, None], field, atol=1e-12)
    np.testing.assert_allclose(arrows.get_offsets(), PLACES)


def test_arrows_are_equally_long_and_shorter_than_the_grid_is_wide():
    field = PLACES + np.array([0.1, 0.2])
    (arrows,) = quivers(scores.plot_fields({"a": (POINTS, field)}, PLACES))
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), 1)
    assert 0.5 < 1 / arrows.scale < SIDE[1] - SIDE[0]


def test_an_arrow_without_length_or_direction_becomes_a_cross():
    field = np.ones((25, 2))
    field[3], field[7], field[9] = 0, np.nan, np.inf
    fig = scores.plot_fields({"a": (POINTS, field)}, PLACES)
    np.testing.assert_allclose(crosses(fig.axes[0]), PLACES[[3, 7, 9]])
    assert len(quivers(fig)[0].U) == 22


def test_arrows_below_the_shortest_become_crosses():
    field = np.ones((25, 2))
    field[4] = 0.01
    fig = scores.plot_fields({"a": (POINTS, field)}, PLACES, shortest=0.1)
    np.testing.assert_allclose(crosses(fig.axes[0]), PLACES[[4]])


def test_all_fields_share_one_scale_of_lengths():
    near, far = (POINTS, 0.5 * np.ones((25, 2))), (POINTS, 8 * np.ones((25, 2)))
    fig = scores.plot_fields({"near": near, "far": far}, PLACES)
    first, second = (arrows.norm for arrows in quivers(fig))
    assert (first.vmin, first.vmax) == (second.vmin, second.vmax)
    assert first.vmin == pytest.approx(0.5**0.5) and first.vmax == pytest.approx(
        128**0.5
    )


@pytest.mark.parametrize("count", [1, 3, 4, 6])
def test_every_field_has_its_panel_and_no_panel_is_empty(count):
    panels = {f"t = {k}": (POINTS, np.ones((25, 2))) for k in range(count)}
    *axes, bar = scores.plot_fields(panels, PLACES).axes
    shown = [ax for ax in axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == list(panels)
    assert all(ax.get_aspect() == 1 for ax in shown)
    assert bar.get_xlabel() == "length of the score"


def test_a_field_without_arrows_is_refused():
    with pytest.raises(ValueError, match="no arrow has a length above 0"):
        scores.plot_fields({"a": (POINTS, np.zeros((25, 2)))}, PLACES)


def test_tensors_are_drawn_as_arrays_are():
    field = torch.ones(25, 2, dtype=torch.float32)
    (arrows,) = quivers(
        scores.plot_fields({"a": (torch.zeros(2, 2), field)}, torch.tensor(PLACES))
    )
    np.testing.assert_allclose(arrows.get_array(), 2**0.5)


def test_slopes_show_density_log_and_score_of_each_curve_below_each_other():
    x = np.linspace(-1, 1, 5)
    rows = {"a": (x, 2 * x, 3 * x), "b": (4 * x, 5 * x, 6 * x)}
    fig = scores.plot_slopes(x, rows)
    drawn = [[line.get_ydata()[-1] for line in ax.lines[:2]] for ax in fig.axes]
    assert drawn == [[1, 4], [2, 5], [3, 6]]
    first, second = fig.axes[0].lines
    assert first.get_linestyle() != second.get_linestyle()


def test_mean_noise_has_bars_of_two_standard_errors():
    xt = np.linspace(-1, 1, 50)
    parts = xt, xt, [0.5], [0.25], [0.1], xt, 2 * xt
    fig = scores.plot_mean_noise({"t = 50": parts, "t = 200": parts})
    for ax in fig.axes:
        ((bars,),) = [c[2] for c in ax.containers]
        np.testing.assert_allclose(bars.get_segments()[0], [[0.5, 0.05], [0.5, 0.45]])


def test_the_factor_is_drawn_from_level_one_on():
    formula = np.sqrt([0.0, 0.25, 0.5, 1.0])
    fig = scores.plot_factor([1, 3], [(0.5, 0.01), (1.0, 0.02)], formula, [0.1, 0.9])
    curve = fig.axes[0].lines[0]
    np.testing.assert_allclose(curve.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(curve.get_ydata(), formula[1:])
    assert fig.axes[1].lines[0].get_ydata().tolist() == [0.1, 0.9]


def test_a_log_density_that_underflowed_ends_and_is_not_joined():
    distance = np.arange(4.0)
    logs = {"in logs": [0, -1, -4, -9], "summed": [0, -1, -np.inf, -np.inf]}
    lengths = {"in logs": [0, 2, 4, 6], "summed": [0, 2, np.nan, np.inf]}
    fig = scores.plot_vanishing(distance, logs, lengths)
    for ax in fig.axes:
        whole, cut = (line.get_ydata() for line in ax.lines)
        assert np.isfinite(whole).all()
        assert np.isfinite(cut).tolist() == [True, True, False, False]


def test_walkers_are_drawn_on_one_fixed_scale():
    walkers = np.array([[0.5, 0.5], [9.0, 9.0]])
    fig = scores.plot_walkers({"a": walkers, "b": 2 * walkers}, POINTS)
    for ax, factor in zip(fig.axes, (1, 2), strict=True):
        assert (ax.get_xlim(), ax.get_ylim()) == ((-3, 3), (-3, 3))
        np.testing.assert_allclose(ax.lines[1].get_xydata(), factor * walkers)


def test_shares_have_bars_from_end_to_end_of_their_intervals():
    rows = [(0.5, 0.4, 0.7), (0.3, 0.2, 0.35)]
    fig = scores.plot_shares(["x", "y"], [0.6, 0.4], {"a": rows, "b": rows})
    ax = fig.axes[0]
    assert [bar.get_height() for bar in ax.patches] == [0.6, 0.4]
    both = [c for c in ax.containers if getattr(c, "has_yerr", False)]
    for found in both:
        ends = [segment[:, 1].tolist() for segment in found[2][0].get_segments()]
        np.testing.assert_allclose(ends, [[0.4, 0.7], [0.2, 0.35]], atol=1e-12)
    left, right = (found[0].get_xdata() for found in both)
    assert (left < right).all()


def test_learning_shows_loss_over_floor_and_the_relative_error():
    fig = scores.plot_learning([1, 10], [1.0, 0.5], [0.9, 0.4], [2.0, 0.1])
    floor, loss = fig.axes[0].lines
    assert list(floor.get_ydata()) == [0.9, 0.4]
    assert list(loss.get_ydata()) == [1.0, 0.5]
    assert list(fig.axes[1].lines[0].get_ydata()) == [2.0, 0.1]
    assert fig.axes[1].get_yscale() == "log"


def test_every_axis_is_labelled():
    x = np.linspace(0.1, 1, 4)
    figures = [
        scores.plot_slopes(x, {"a": (x, x, x)}),
        scores.plot_factor([1], [(0.5, 0.1)], x, [0.5]),
        scores.plot_vanishing(x, {"a": x}, {"a": x}),
        scores.plot_shares(["a"], [1.0], {"b": [(1.0, 0.9, 1.0)]}),
        scores.plot_learning(x, x, x, x),
    ]
    for ax in (ax for fig in figures for ax in fig.axes):
        assert ax.get_ylabel() and (ax.get_xlabel() or len(ax.figure.axes) == 3)
