"""Figures of the way down: what they draw is what they were handed."""

import numpy as np
import pytest
import torch

from glyflib.plotting import sampling
from glyflib.plotting.pictures import film_frame, plot_pair


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def line(ax, label):
    (found,) = [x for x in ax.lines if x.get_label() == label]
    return found


def words(fig):
    texts = fig.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text.get_text() for text in texts]


def test_a_ladder_has_a_row_for_each_count_and_a_block_for_each_sampler():
    ladders = {"a": {1: normal(3, 1, 4, 4), 10: normal(3, 1, 4, 4)}}
    ladders["b"] = {1: normal(3, 1, 4, 4) + 1}
    fig = sampling.plot_ladders(ladders, num=2)
    assert len(fig.axes) == 6
    drawn = [ax.images[0].get_array() for ax in fig.axes]
    np.testing.assert_allclose(drawn[3], ladders["a"][10][1, 0])
    np.testing.assert_allclose(drawn[5], ladders["b"][1][1, 0])
    assert {ax.images[0].get_clim() for ax in fig.axes} == {(-1, 1)}
    rows = [ax.get_position().y0 for ax in fig.axes]
    assert rows[0] == pytest.approx(rows[4]) and rows[0] > rows[2]
    assert {"a", "b", "1", "10"} <= set(words(fig))


def test_errors_are_medians_over_faint_lines_of_all_glyphs():
    errors = {"a": {1: [1.0, 2.0, 6.0], 10: [0.1, 0.3, 0.2]}, "b": {1: [3.0, 3.0, 3.0]}}
    fig = sampling.plot_errors(errors, {"far": 1.5})
    (ax,) = fig.axes
    np.testing.assert_allclose(line(ax, "a").get_data(), ([1, 10], [2, 0.2]))
    assert len(ax.lines) == 3 + 1 + 3 + 1 + 1
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "10"]
    assert ax.get_xlabel() == "network calls" and ax.get_ylabel()


def test_distances_have_their_intervals_and_the_floor_its_band():
    values = {"a": {1: (50, 40, 60), 5: (20, 15, 22)}, "b": {5: (30, 20, 40)}}
    floor = {"value": 12, "low": 10, "high": 14}
    fig = sampling.plot_distances(values, floor, live={1: 55.0})
    (ax,) = fig.axes
    first = ax.containers[0]
    np.testing.assert_allclose(first[0].get_data(), ([1, 5], [50, 20]))
    ends = np.stack(first[2][0].get_segments())
    np.testing.assert_allclose(ends[:, :, 1], [[40, 60], [15, 22]])
    np.testing.assert_allclose(line(ax, "live").get_data(), ([1], [55]))
    np.testing.assert_allclose(line(ax, "real glyphs (floor)").get_ydata(), 12)


def test_series_differ_by_more_than_colour():
    errors = {name: {1: [1.0], 2: [0.5]} for name in "abcd"}
    lines = [line(sampling.plot_errors(errors, {}).axes[0], name) for name in "abcd"]
    assert len({(x.get_linestyle(), x.get_marker()) for x in lines}) == 4


def test_two_sheets_share_grid_and_labels():
    pairs = {"real": normal(3, 1, 4, 4), "made": normal(3, 1, 4, 4) + 1}
    fig = plot_pair(pairs, ["x", "y", "z"], cols=2)
    shown = [ax for ax in fig.findobj(match=sampling.Axes) if ax.images]
    assert len(shown) == 6 and words(fig).count("y") == 2
    np.testing.assert_allclose(shown[4].images[0].get_array(), pairs["made"][1, 0])


def test_a_film_frame_tiles_its_sheets_in_sixteen_greys():
    dark, light = torch.zeros(4, 1, 3, 3).byte(), torch.full((4, 1, 3, 3), 200).byte()
    frame = film_frame([dark, light], cols=2, gap=1)
    assert frame.dtype == np.uint8 and frame.shape == (7, 7 + 4 + 7)
    assert (frame[:3, :3] == 0).all() and (frame[4:, -3:] == 204).all()
    assert (frame[:, 7:11] == 255).all() and (frame[3] == 255).all()


def test_sheets_of_a_film_must_match():
    with pytest.raises(ValueError, match="dimension"):
        two, four = torch.zeros(2, 1, 3, 3).byte(), torch.zeros(4, 1, 3, 3).byte()
        film_frame([two, four], cols=2)
