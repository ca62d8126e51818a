"""Figures of conditionals: slices keep their size, draws their panel, tables theirs."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import StepPatch

from glyflib.plotting import conditional_distributions as conditional
from glyflib.plotting import conditional_distributions as conditional_draws

X = np.linspace(-3, 3, 61)
Y = np.linspace(-2, 2, 41)
BELL = np.exp(-(X**2) / 2) / np.sqrt(2 * np.pi)
DENSITY = np.exp(-(Y[:, None] ** 2)) * BELL
SLICES = {0.4: BELL, -0.4: BELL / 2}
DRAWS = np.random.default_rng(0).normal(size=500)


def curve(ax, label):
    (found,) = (line for line in ax.lines if line.get_label() == label)
    return found.get_xydata()


def stairs(ax):
    (found,) = (p for p in ax.patches if isinstance(p, StepPatch))
    return found.get_data()


def test_slices_stand_on_their_lines_in_proportion():
    fig = conditional.plot_joint(X, Y, DENSITY, SLICES, (BELL, np.exp(-(Y**2))))
    high, low = (curve(fig.axes[0], f"y = {v:g}")[:, 1] - v for v in SLICES)
    np.testing.assert_allclose(high, 2 * low, atol=1e-12)
    assert high.min() >= 0


def test_marginals_lie_along_their_own_axis():
    fig = conditional.plot_joint(X, Y, DENSITY, SLICES, (BELL, np.exp(-(Y**2))))
    _, above, side = fig.axes
    np.testing.assert_allclose(above.lines[0].get_xydata(), np.stack([X, BELL], 1))
    np.testing.assert_allclose(side.lines[0].get_ydata(), Y)


def test_counts_are_summed_into_both_marginals():
    counts = np.arange(12.0).reshape(3, 4)
    edges = np.linspace(0, 1, 5), np.linspace(0.5, 3.5, 4)
    rows = {2: counts[1] / counts[1].sum()}
    _, above, side = conditional.plot_counts(edges, counts, rows, ("ink", "y")).axes
    np.testing.assert_allclose(stairs(above).values, counts.sum(0))
    np.testing.assert_allclose(stairs(side).values, counts.sum(1))


def test_a_slice_keeps_its_colour_on_both_sides():
    raw, kept = {1.0: BELL / 9, 2.0: BELL / 3}, {1.0: DRAWS, 2.0: DRAWS}
    left, right = conditional.plot_slices(X, raw, {1.0: BELL, 2.0: BELL}, kept).axes
    pairs = list(zip(left.lines, right.lines, strict=True))
    assert len(pairs) == 2
    for a, b in pairs:
        assert to_rgba(a.get_color()) == to_rgba(b.get_color())
        assert a.get_linestyle() == b.get_linestyle()


def test_every_row_is_drawn_over_the_whole():
    whole, rows = np.full(4, 0.25), {"sun": np.eye(4)[0], "moon": np.eye(4)[3]}
    fig = conditional.plot_rows(np.arange(5), rows, whole, "gap")
    assert [ax.texts[0].get_text() for ax in fig.axes] == ["sun", "moon"]
    for ax, shares in zip(fig.axes, rows.values(), strict=True):
        np.testing.assert_allclose(ax.patches[0].get_data().values, shares)
        np.testing.assert_allclose(ax.patches[1].get_data().values, whole)


def test_pushes_share_one_scale_and_keep_their_numbers():
    panels = {f"t = {t}": {"fair": X / t, "clean": X} for t in (1, 2)}
    fig = conditional_draws.plot_pushes(X, panels)
    assert len({ax.get_ylim() for ax in fig.axes}) == 1
    np.testing.assert_allclose(curve(fig.axes[1], "fair")[:, 1], X / 2)


def test_each_road_has_a_column_and_each_value_a_row():
    roads = {"exact": {0.0: DRAWS, 1.0: DRAWS + 1}, "other": {0.0: DRAWS, 1.0: DRAWS}}
    fig = conditional_draws.plot_roads(X, {0.0: BELL, 1.0: BELL}, roads)
    assert [ax.get_title() for ax in fig.axes] == ["exact", "other", "", ""]
    values, edges, _ = stairs(fig.axes[2])
    expected = np.histogram(DRAWS + 1, edges, density=True)[0]
    np.testing.assert_allclose(values, expected)


@pytest.mark.parametrize("value", [-1.0, 0.5])
def test_frames_of_a_sweep_have_one_size_and_fixed_axes(value):
    fig = conditional_draws.plot_sweep((X, Y, DENSITY), value, BELL, DRAWS)
    left, right = fig.axes
    assert left.lines[0].get_ydata()[0] == value
    assert left.get_ylim() == (-1.8, 1.8) and right.get_ylim() == (0, 1.9)


def test_parts_lie_over_everything_in_a_table():
    everything, part = np.zeros((5, 2)), np.full((3, 2), 0.5)
    rows = {word: {"told": part, "not told": part * k} for k, word in enumerate("ab")}
    fig = conditional_draws.plot_parts(rows, everything)
    assert len(fig.axes) == 4
    for ax in fig.axes:
        assert len(ax.lines[0].get_xdata()) == 5 and len(ax.lines[1].get_xdata()) == 3
        assert ax.get_aspect() == 1
