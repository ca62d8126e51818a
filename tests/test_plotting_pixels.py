"""The pictures of pixel space show the numbers that they are given."""

import numpy as np
import pytest
import torch

from glyflib.plotting import pixel_space as pixels
from glyflib.plotting.pictures import plot_rows


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_every_pixel_carries_its_value():
    (ax,) = pixels.plot_values(torch.tensor([[0, 128], [255, 7]]), span=(0, 255)).axes
    assert texts(ax) == ["0", "128", "255", "7"]


def test_values_are_white_on_dark_and_black_on_light():
    image = torch.tensor([[[-1.0, 0.9], [0.9, -1.0]]])
    (ax,) = pixels.plot_values(image, span=(-1, 1), spec=".2f").axes
    assert texts(ax) == ["-1.00", "0.90", "0.90", "-1.00"]
    assert [text.get_color() for text in ax.texts] == [
        "white",
        "black",
        "black",
        "white",
    ]


def test_values_fit_into_their_pixels():
    fig = pixels.plot_values(torch.full((1, 32, 32), 255), span=(0, 255))
    fig.draw_without_rendering()
    (ax,) = fig.axes
    pixel = ax.transData.transform([(0, 0), (1, 0)])
    assert ax.texts[0].get_window_extent().width < pixel[1, 0] - pixel[0, 0]


def test_mean_and_spread_keep_fixed_scales():
    fig = pixels.plot_mean_and_std(torch.zeros(4, 4), torch.full((4, 4), 0.5))
    assert [ax.images[0].get_clim() for ax in fig.axes[:2]] == [(-1, 1), (0, 1)]


def test_rows_hold_one_named_kind_each():
    rows = {"dark": torch.zeros(3, 2, 2), "light": torch.ones(3, 1, 2, 2)}
    fig = plot_rows(rows, span=(0, 1), col_labels=["a", "b", "c"])
    assert len(fig.axes) == 6
    assert texts(fig.axes[0]) == ["dark"]
    assert texts(fig.axes[3]) == ["light", "a"]
    assert np.asarray(fig.axes[5].images[0].get_array()).min() == 1


def test_a_histogram_counts_shares_of_all_pixels():
    values = torch.tensor([-1.0, 1.0, 1.0, 1.0])
    (ax,) = pixels.plot_value_histogram({"ink and paper": values}).axes
    heights = ax.patches[0].get_data().values
    assert heights.sum() == pytest.approx(100)
    assert heights.max() == pytest.approx(75)


def test_a_shift_curve_shows_medians_beside_its_levels():
    distances = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 9.0]])
    (ax,) = pixels.plot_shift([0, 1], distances, {"nearest": 5.0}).axes
    curve, level = ax.lines
    assert list(curve.get_ydata()) == [0, 2]
    assert set(level.get_ydata()) == {5}
    assert curve.get_linestyle() != level.get_linestyle()


def test_ranges_mark_the_median_and_shade_the_yardstick():
    groups = {"real": torch.arange(101.0), "blend": torch.arange(101.0) + 50}
    (ax,) = pixels.plot_ranges({"distance": groups}).axes
    assert [float(line.get_xdata()[0]) for line in ax.lines] == [50, 100]
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((5, 95))


def test_variance_is_marked_where_it_reaches_the_level():
    (ax,) = pixels.plot_variance_share({"flat": torch.ones(10)}, level=0.85).axes
    assert texts(ax) == ["9"]
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(100)
