"""Figures of schedules: what is drawn is what was given."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from glyflib.plotting import schedules
from glyflib.schedule import cosine_alpha_bar, linear_alpha_bar, sigmoid_alpha_bar

CHAINS = {
    "linear": linear_alpha_bar(1000),
    "cosine": cosine_alpha_bar(1000),
    "sigmoid": sigmoid_alpha_bar(1000),
}
POINTS = np.array([[0.0, 1.0], [2.0, -1.0], [-2.0, 0.5], [1.0, 1.0]])
BOX = (-3.0, 3.0, -2.0, 2.0)


def line(ax, i):
    return np.asarray(ax.lines[i].get_ydata(), float)


def bend(y):
    """Largest distance from the straight line between the ends, over the rise."""
    chord = np.linspace(y[0], y[-1], len(y))
    return np.abs(y - chord).max() / abs(y[-1] - y[0])


def test_each_picture_makes_its_own_schedule_straightest():
    beta, angle, log_snr = schedules.plot_schedules(CHAINS).axes
    assert bend(line(beta, 0)) < 1e-9
    assert bend(line(angle, 1)) < 0.01 < bend(line(angle, 2)) < bend(line(angle, 0))
    middles = [bend(line(log_snr, i)[200:800]) for i in range(3)]
    assert min(middles) == middles[2]


def test_angles_and_log_snr_have_their_values():
    _, angle, log_snr = schedules.plot_schedules(CHAINS).axes
    assert line(angle, 0)[0] == 0
    assert line(angle, 1)[[0, -1]] == pytest.approx([0, 90], abs=0.01)
    ab = CHAINS["linear"][500].item()
    assert line(log_snr, 0)[499] == pytest.approx(np.log(ab / (1 - ab)))


def test_schedules_differ_by_colour_and_by_line():
    looks = [(to_hex(v["color"]), str(v["ls"])) for v in schedules.LOOKS.values()]
    assert all(len(set(kind)) == len(looks) for kind in zip(*looks, strict=True))
    (first, *_, last) = schedules.plot_schedules(CHAINS).axes
    for ax in (first, last):
        assert [str(x.get_linestyle()) for x in ax.lines] == ["-", "--", ":"]


def test_rows_of_pictures_share_one_span():
    rows = {"a": torch.zeros(3, 4, 4), "b": torch.ones(3, 4, 4)}
    fig = schedules.plot_rows(rows, ["x", "y", "z"], span=(-3, 3))
    assert [ax.images[0].get_clim() for ax in fig.axes] == [(-3, 3)] * 6
    assert [ax.images[0].get_array().max() for ax in fig.axes] == [0] * 3 + [1] * 3
    assert [ax.get_title() for ax in fig.axes] == ["x", "y", "z", "", "", ""]


def test_an_infinite_factor_is_an_arrow_at_its_level():
    t = torch.tensor([998.0, 999.0, 1000.0])
    finite, infinite = torch.tensor([50.0, 90, 900]), torch.tensor([50.0, 90, np.inf])
    stds = {"no offset": [0.001, 0.002], "offset": [0.006, 0.007]}
    factors = {"unclipped": (t, infinite), "clipped": (t, finite)}
    left, right = schedules.plot_ends(stds, factors, 1 / 127.5).axes
    assert [a.xy[0] for a in right.texts] == [1000]
    assert line(right, 1).tolist() == [50, 90, 900]
    assert line(left, 2).tolist() == [1 / 127.5] * 2
    assert (
        len(
            schedules.plot_ends(stds, {**factors, "unclipped": (t, finite)}, 1)
            .axes[1]
            .texts
        )
        == 0
    )


def test_bars_and_band_reach_two_standard_errors():
    lam, bits, error = np.arange(3.0), np.array([1.0, 2, 4]), np.array([0.1, 0.2, 0.3])
    rates = {"glyphs": bits, "Gaussian": 2 * bits}
    roads = (bits, error), (bits + 1, 2 * error)
    left, right = schedules.plot_information(lam, *roads, rates, 4.0).axes
    (bars,) = left.containers
    ends = [part[:, 1].tolist() for part in bars[2][0].get_segments()]
    np.testing.assert_allclose(ends, np.stack([bits - 2 * error, bits + 2 * error], 1))
    band = left.collections[0].get_paths()[0].vertices
    assert pytest.approx([band[:, 1].min(), band[:, 1].max()]) == [
        2 - 4 * 0.1,
        5 + 4 * 0.3,
    ]
    assert line(right, 1).tolist() == [2, 4, 8]


def test_losses_add_up_to_what_was_told():
    bits = np.array([14.0, 13.5, 6.0, 0.5])
    left, right = schedules.plot_forgetting_rate({"cosine": bits}).axes
    assert line(left, 0).tolist() == bits.tolist()
    assert line(right, 0).tolist() == [0.5, 7.5, 5.5]
    assert right.lines[0].get_xdata().tolist() == [1, 2, 3]


def test_boxes_are_as_high_as_the_curve_at_their_noisy_end():
    snr = np.linspace(0, 1, 101)
    fig = schedules.plot_boxes(
        snr, 10 - 10 * snr, {"two": torch.tensor([1.0, 0.5, 0.2])}
    )
    boxes = fig.axes[0].patches
    found = [(b.get_x(), b.get_width(), b.get_height()) for b in boxes]
    np.testing.assert_allclose(found, [(0.2, 0.3, 8), (0.5, 0.5, 5)])


def test_prices_are_drawn_at_their_steps():
    prices = {"linear": {5: 40.0, 50: 2.0}, "even waste": {5: 30.0, 50: 0.5}}
    (ax,) = schedules.plot_prices(prices).axes
    assert [x.get_xdata().tolist() for x in ax.lines] == [[5, 50]] * 2
    assert [line(ax, i).tolist() for i in range(2)] == [[40, 2], [30, 0.5]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["5", "50"]


def test_clouds_have_their_own_window_and_coloured_groups():
    column = "t = 0", POINTS, np.arange(12.0).reshape(3, 4), BOX
    other = "t = 9", POINTS / 2, np.ones((3, 4)), (-1.0, 1.0, -1.0, 1.0)
    groups = {"grass": torch.tensor([0, 2]), "water": torch.tensor([3])}
    fig = schedules.plot_clouds([column, other], groups, ("x", "y"))
    top, _, low, low_other = fig.axes
    grey, grass, water = (c.get_offsets() for c in top.collections)
    np.testing.assert_allclose(grey, POINTS)
    np.testing.assert_allclose(grass, POINTS[[0, 2]])
    np.testing.assert_allclose(water, POINTS[[3]])
    assert low.images[0].get_extent() == list(BOX)
    assert low.images[0].origin == "lower"
    for ax, (*_, box) in ((top, column), (low, column), (low_other, other)):
        assert [*ax.get_xlim(), *ax.get_ylim()] == list(box)
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["grass", "water"]
    markers = [c.get_paths()[0].vertices.tolist() for c in top.collections[1:]]
    assert markers[0] != markers[1]


def test_every_axis_that_shows_numbers_is_labelled():
    bits = np.array([3.0, 2, 1])
    pair, chains = (bits, bits / 9), {"linear": bits}
    figures = [
        schedules.plot_schedules(CHAINS),
        schedules.plot_ends({"a": bits, "b": bits}, {"a": pair, "b": pair}, 1),
        schedules.plot_information(bits, pair, pair, {"a": bits, "b": bits}, 3),
        schedules.plot_forgetting_rate(chains),
        schedules.plot_boxes(bits[::-1], bits, chains),
        schedules.plot_prices({"linear": {5: 1.0}}),
    ]
    for ax in (ax for fig in figures for ax in fig.axes):
        assert ax.get_xlabel() and ax.get_ylabel()
