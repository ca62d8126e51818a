"""Figures of the map: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from glyflib.plotting import dataset_map as maps

POINTS = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0], [3.0, 3.0]])
IMAGES = np.full((4, 1, 32, 32), 255, np.uint8)


def test_each_label_has_its_own_colour_and_marker():
    fig = maps.plot_maps({"UMAP": (POINTS, ["a", "b", "", "a"])})
    grey, first, second = fig.axes[0].collections
    assert [c.get_offsets().shape[0] for c in (grey, first, second)] == [1, 2, 1]
    assert to_hex(first.get_facecolor()[0]) != to_hex(second.get_facecolor()[0])
    shapes = [c.get_paths()[0].vertices.tolist() for c in (first, second)]
    assert shapes[0] != shapes[1]
    assert [t.get_text() for t in fig.axes[0].get_legend().get_texts()] == ["a", "b"]


def test_maps_side_by_side_have_labelled_equal_axes_and_stamps():
    both = {"PCA": (POINTS, [""] * 4), "UMAP": (POINTS, [""] * 4)}
    fig = maps.plot_maps(both, images=IMAGES, rows=[1, 3])
    assert [ax.get_xlabel() for ax in fig.axes] == ["component 1", "map x"]
    assert all(ax.get_aspect() == 1.0 for ax in fig.axes)
    assert [len(ax.artists) for ax in fig.axes] == [2, 2]


def test_scores_are_drawn_at_their_values():
    fig = maps.plot_scores({"stacked": (np.array([-0.2, -0.1]), IMAGES[:2])})
    assert sorted(box.xy[0] for box in fig.axes[0].artists) == [-0.2, -0.1]


def test_the_cross_marks_the_centre_in_pixels():
    fig = maps.plot_means([np.zeros((32, 32))] * 2, [(0.25, 0.5)] * 2, "ab", cols=2)
    (x,), (y,) = fig.axes[0].lines[0].get_data()
    assert (x, y) == (7.5, 15.5)


def test_agreement_shows_shares_and_chance():
    shares = {"layout": {"map": (0.9, 0.6)}, "radical": {"map": (0.4, 0.1)}}
    fig = maps.plot_agreement(shares)
    assert [ax.patches[0].get_width() for ax in fig.axes] == [0.9, 0.4]
    assert [ax.lines[0].get_xdata()[0] for ax in fig.axes] == [0.6, 0.1]


def test_clusters_keep_their_layout_apart():
    kinds = ["left-right", "top-bottom", "left-right"]
    fig = maps.plot_clusters([40, 400, 4000], [0.9, 0.5, 0.1], [0.1] * 3, kinds)
    first, second, shuffled = fig.axes[0].lines[:3]
    assert len(first.get_xdata()) == 2 and len(second.get_xdata()) == 1
    assert first.get_marker() != second.get_marker() != shuffled.get_marker()


def test_a_density_lies_in_its_box_and_samples_are_numbered():
    fig = maps.plot_density(np.ones((5, 4)), (0, 4, 1, 6), [(1, 2), (3, 4)])
    ax = fig.axes[0]
    assert ax.images[0].get_extent() == [0, 4, 1, 6]
    assert [(t.get_text(), t.xy) for t in ax.texts] == [
        ("1", pytest.approx((1, 2))),
        ("2", pytest.approx((3, 4))),
    ]
