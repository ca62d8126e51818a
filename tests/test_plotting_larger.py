"""The figures of larger images show what they are given."""

import numpy as np
from matplotlib.figure import Figure

from glyflib.plotting import larger_images as plots

PICTURES = np.zeros((3, 1, 8, 8))


def texts(fig: Figure) -> list[str]:
    return [text.get_text() for text in fig.texts]


def test_costs_that_were_counted_are_full_and_the_others_hollow():
    costs = {"one": [1, 4, 16], "two": [1, 16, 256]}
    fig = plots.plot_costs([32, 64, 128], costs, ylabel="operations", num_measured=2)
    hollow, full = fig.axes[0].get_lines()[:2]
    assert len(hollow.get_xdata()) == 3 and len(full.get_xdata()) == 2
    assert hollow.get_markerfacecolor() == "white" != full.get_markerfacecolor()
    names = [text.get_text() for text in fig.axes[0].get_legend().get_texts()]
    assert names == ["one", "two"]


def test_each_clock_has_a_panel_on_one_scale():
    curve = np.arange(3), np.array([0.0, 0.5, 1.0])
    panels = {"level": {"32": curve, "64": curve}, "log-SNR": {"32": curve}}
    fig = plots.plot_named(panels)
    assert [ax.get_xlabel() for ax in fig.axes] == list(panels)
    assert fig.axes[0].get_ylim() == fig.axes[1].get_ylim()
    assert fig.axes[0].get_lines()[0].get_ydata().max() == 100
    styles = {line.get_linestyle() for line in fig.axes[0].get_lines()}
    assert len(styles) == 2


def test_the_least_error_is_ringed():
    fig = plots.plot_trust([0, 50, 100], {"damage": [3.0, 1.0, 2.0]})
    ring = fig.axes[0].get_lines()[1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (50, 1.0)
    assert ring.get_markerfacecolor() == "none"


def test_codes_of_all_sizes_are_ticks():
    fig = plots.plot_sizes({"linear": {16: 3.0, 64: 1.0}, "network": {32: 1.5}})
    ticks = [text.get_text() for text in fig.axes[0].get_xticklabels()]
    assert ticks == ["16", "32", "64"]


def test_walks_have_titles_above_and_names_at_the_left():
    clouds = {"1 step": np.zeros((5, 2)), "2 steps": np.ones((5, 2))}
    fig = plots.plot_walks({"even": clouds, "cosine": clouds})
    assert [ax.get_title() for ax in fig.axes] == ["1 step", "2 steps", "", ""]
    assert [ax.get_xlabel() != "" for ax in fig.axes] == [False, False, True, True]
    assert fig.axes[2].get_ylabel().startswith("cosine")


def test_a_sheet_takes_rows_of_different_sizes():
    rows = {"small": PICTURES, "large": np.zeros((3, 1, 32, 32))}
    fig = plots.plot_sheet(rows, ["a", "b", "c"], is_framed=True)
    assert texts(fig) == ["small", "large"] and len(fig.axes) == 6
    assert [ax.get_title() for ax in fig.axes[:3]] == ["a", "b", "c"]
    assert all(len(ax.patches) == 1 for ax in fig.axes)
    assert not any(ax.patches for ax in plots.plot_sheet(rows).axes)


def test_small_pictures_are_enlarged_in_blocks_and_clipped():
    small = np.full((2, 1, 2, 2), 7.0)
    frame = plots.film_frame([small, -small], side=8, gap=4)
    assert frame.shape == (8 + 4 + 8, 8 + 4 + 8) and frame.dtype == np.uint8
    assert (frame[:8] == 255).all() and (frame[12:, :8] == 0).all()
    assert len(np.unique(frame)) <= 16
