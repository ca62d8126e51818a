"""Figures of a training run: what they draw is what they were handed."""

import numpy as np
import pytest

from glyflib.plotting import training as learning

GLYPHS = [100, 1000, 10_000]


def log(*rates):
    return [
        {"glyphs": 32 * (i + 1), "loss": 1 / (i + 1), "learning_rate": rate}
        for i, rate in enumerate(rates)
    ]


def line(ax, label):
    (found,) = [x for x in ax.lines if x.get_label() == label]
    return found


def words(fig):
    texts = fig.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text.get_text() for text in texts]


def test_a_running_mean_is_the_mean_of_each_window():
    np.testing.assert_allclose(learning.running_mean([1, 2, 6, 7], 2), [1.5, 4, 6.5])


def test_tiles_lie_left_to_right_then_down_with_paper_between():
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1).repeat(2, 2).repeat(3, 3)
    sheet = learning.tile(images, cols=3, gap=1)
    assert sheet.shape == (5, 11) and sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet[::3, ::4], [[0, 1, 2], [3, 4, 5]])
    assert (sheet[2] == 255).all() and (sheet[:, 3] == 255).all()


def test_tiles_fill_their_rows():
    with pytest.raises(ValueError, match="5 pictures do not fill rows of 2"):
        learning.tile(np.zeros((5, 1, 2, 2), np.uint8), cols=2)


def test_moments_are_spread_by_a_factor_and_end_with_the_last():
    assert learning.spread([0, 100, 120, 200, 210, 400, 410]) == [0, 1, 3, 5, 6]
    assert learning.spread([7]) == [0]


@pytest.mark.parametrize(
    ("rates", "starts"),
    [
        ((1, 2, 3, 2, 1), []),
        ((1, 3, 2, 0.5, 2, 3, 1), [3]),
        ((1, 3, 1, 2, 1, 4, 2), [2, 4]),
    ],
)
def test_a_stage_starts_where_the_rate_turns_upwards(rates, starts):
    assert learning.stage_starts(log(*rates)) == starts


def test_a_run_shows_losses_their_mean_the_rate_and_its_stages():
    rows = log(1, 3, 2, 0.5, 2, 3, 1)
    fig = learning.plot_run(rows, window=2)
    top, low = fig.axes
    np.testing.assert_allclose(line(top, "one step").get_ydata(), 1 / np.arange(1, 8))
    x, y = line(top, "mean of 2 steps").get_data()
    assert (x[0], y[0]) == (64, 0.75) and len(x) == 6
    np.testing.assert_allclose(low.lines[0].get_ydata(), [1, 3, 2, 0.5, 2, 3, 1])
    assert low.lines[1].get_xdata()[0] == 128 and "new stage" in words(fig)


def test_a_run_of_few_steps_is_drawn():
    assert "mean of 2 steps" in words(learning.plot_run(log(1, 2)))


def test_an_average_shows_each_path():
    paths = {"raw": [1, 2], "mean": [3, 4], "late": [5, 6]}
    (ax,) = learning.plot_average(paths).axes
    for name, values in paths.items():
        np.testing.assert_allclose(line(ax, name).get_ydata(), values)


def test_progress_shows_values_intervals_marks_and_tops():
    wide = [[2, 1, 3], [4, 3, 5], [6, 5, 7]]
    panels = {"one": {"a": [1, 2, 3], "b": [3, 2, 1]}, "two": {"c": wide}}
    fig = learning.plot_progress(GLYPHS, panels, marks={"one": 1.5}, tops={"two": 9})
    left, right = fig.axes
    np.testing.assert_allclose(line(left, "b").get_ydata(), [3, 2, 1])
    np.testing.assert_allclose(line(right, "c").get_ydata(), [2, 4, 6])
    band = right.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (1, 7)
    assert left.lines[-1].get_ydata()[0] == 1.5 and right.get_ylim() == (0, 9)
    assert left.get_xscale() == "log" and left.get_ylabel() == "one"


def test_many_series_differ_by_more_than_colour():
    curves = {str(i): [1, 2, 3] for i in range(8)}
    (ax,) = learning.plot_progress(GLYPHS, {"a": curves}).axes
    looks = {(x.get_marker(), x.get_linestyle()) for x in ax.lines}
    assert len(looks) == 8


def test_floors_keep_their_axis_whatever_leaves_it():
    (ax,) = learning.plot_floors([10, 100], {"a": [400, 0.5], "b": [0, 0]}).axes
    assert ax.get_ylim()[1] == 1.1 and ax.get_xlabel() == "level t"
    np.testing.assert_allclose(line(ax, "a").get_ydata(), [400, 0.5])


def test_history_has_a_picture_a_prompt_a_moment():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 1, 4, 4), dtype=np.uint8)
    fig = learning.plot_history(images, ["0", "3,200"], ["gold", "fish", "tree"])
    assert len(fig.axes) == 6
    np.testing.assert_array_equal(fig.axes[4].images[0].get_array(), images[1, 1, 0])
    assert {"0", "3,200", "gold", "fish", "tree"} <= set(words(fig))


def test_rewinding_shows_both_losses_and_the_floor():
    losses = {"bad": [4, 2, 0], "good": [3, 3, 3]}
    fig = learning.plot_rewind(losses, {"bad": 5, "good": 3}, 2.5, window=2)
    (ax,) = fig.axes
    np.testing.assert_allclose(line(ax, "bad: in training").get_ydata(), [3, 1])
    assert line(ax, "bad: on fresh noise").get_ydata()[0] == 5
    assert line(ax, "floor: the exact answer").get_ydata()[0] == 2.5
