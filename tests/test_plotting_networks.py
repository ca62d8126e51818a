"""Figures of the network: what is drawn is what was handed in, on one scale."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from glyflib.plotting import unet as networks

RNG = np.random.default_rng(0)


def images(fig):
    return [image for ax in fig.axes for image in ax.get_images()]


def squares(ax):
    return [p for p in ax.patches if isinstance(p, Rectangle)]


def test_kernels_share_a_scale_and_answers_share_another():
    kernels, answers = RNG.normal(size=(3, 3, 3)), 9 * RNG.normal(size=(3, 8, 8))
    fig = networks.plot_kernels(RNG.normal(size=(8, 8)), kernels, answers, "abc")
    picture, *rest = images(fig)
    assert picture.get_clim() == (-1, 1)
    assert len({image.get_clim() for image in rest[:3]}) == 1
    assert len({image.get_clim() for image in rest[3:]}) == 1
    np.testing.assert_array_equal(rest[4].get_array(), answers[1])


def test_a_signed_scale_has_zero_in_its_middle():
    low, high = networks.balanced([-1.0, 5.0])
    assert low == -high and high == pytest.approx(5, abs=0.1)
    assert networks.balanced(np.zeros(4)) == (-1, 1)


def test_pulls_are_shares_of_their_largest_and_the_square_is_as_wide_as_told():
    pull = np.zeros((9, 9))
    pull[4, 4], pull[4, 5] = 2.0, 0.5
    fig = networks.plot_pulls({"a": pull, "b": 3 * pull}, squares=[5, 3])
    first, second = (image.get_array() for image in images(fig)[:2])
    np.testing.assert_allclose(first, second)
    assert first[4, 4] == 1 and first[4, 5] == 0.25
    (box,) = squares(fig.axes[0])
    assert box.get_width() == 5 and box.get_x() == 1.5  # columns 2 to 6


def test_norm_draws_mean_and_standard_deviation_of_each_channel():
    maps = RNG.normal(size=(6, 4, 4))
    fig = networks.plot_norm({"before": maps, "after": 2 * maps}, 3)
    (dots,) = (line for line in fig.axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_ydata(), maps.mean((1, 2)))
    low, high = np.array(fig.axes[0].collections[0].get_segments())[:, :, 1].T
    np.testing.assert_allclose((high - low) / 2, maps.std((1, 2)))


def test_similarities_are_drawn_between_minus_one_and_one():
    levels, matrix = np.arange(0, 50, 10), np.eye(5)
    similar = {name: matrix for name in ("a", "b", "c")}
    fig = networks.plot_embedding(levels, np.ones((5, 8)), similar)
    assert {image.get_clim() for image in images(fig)[:4]} == {(-1, 1)}
    assert images(fig)[0].get_array().shape == (8, 5)
    assert [ax.get_title() for ax in fig.axes[1:4]] == ["a", "b", "c"]


def test_channels_differ_by_more_than_colour():
    values = RNG.normal(size=(4, 6))
    fig = networks.plot_channels(range(4), {"scale": values, "shift": -values})
    for ax, sign in zip(fig.axes, (1, -1), strict=True):
        lines = ax.lines[:6]
        assert len({str(line._unscaled_dash_pattern) for line in lines}) == 6
        np.testing.assert_array_equal(lines[2].get_ydata(), sign * values[:, 2])


def test_attention_marks_the_position_that_asks_and_draws_its_weights():
    weights = RNG.random((2, 4, 4, 4, 4))
    fig = networks.plot_attention(np.zeros((8, 8)), weights, [(0, 3), (2, 1)])
    ax = fig.axes[1]  # first head, second position
    (box,) = squares(ax)
    assert box.get_xy() == (1.5, 3.5) and box.get_width() == 2
    np.testing.assert_array_equal(ax.get_images()[1].get_array(), weights[0, 2, 1])


def test_the_u_has_every_map_once_and_a_skip_a_size():
    maps = [RNG.normal(size=(2, 8 >> i, 8 >> i)) for i in range(3)]
    down, up = ({str(i): m for i, m in enumerate(maps[:2])} for _ in range(2))
    ends = {"in": np.zeros((16, 16)), "out": np.ones((16, 16))}
    fig = networks.plot_u(ends, down, {"2": maps[2]}, up)
    assert [ax.get_title() for ax in fig.axes] == ["in", "out", "0", "0", "1", "1", "2"]
    drawn = fig.axes[2].get_images()[0].get_array()
    np.testing.assert_array_equal(drawn[:, :8], maps[0][0])
    np.testing.assert_array_equal(drawn[:, -8:], maps[0][1])
    assert len(fig.artists) == 2


def test_costs_are_shares_of_the_whole():
    fig = networks.plot_costs({"a": (30, 5), "b": (10, 15)})
    widths = [[bar.get_width() for bar in bars] for bars in fig.axes[0].containers]
    assert widths == [[75, 25], [25, 75]]
