"""Figures of the way back: what they draw is what they were handed."""

import numpy as np
import pytest
import torch

from glyflib.plotting import reverse_process as reverse
from glyflib.plotting.pictures import plot_table

LEVELS = [10, 100, 1000]


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def line(ax, label):
    (found,) = [x for x in ax.lines if x.get_label() == label]
    return found


def words(fig):
    texts = fig.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text.get_text() for text in texts]


def bells(case, u=None):
    u = torch.linspace(-3, 5, 101) if u is None else u
    return reverse.plot_products({"a case": case}, u, torch.ones(len(u))).axes[0]


@pytest.mark.parametrize(
    ("label", "mean", "var"),
    [("belief", 0.0, 1.0), ("measurement", 3.0, 0.5), ("both", 2.0, 1 / 3)],
)
def test_bells_have_the_mean_and_variance_handed_in(label, mean, var):
    x, y = line(bells(((0, 1), (3, 0.5), (2, 1 / 3))), label).get_data()
    assert x[y.argmax()] == pytest.approx(mean, abs=0.02)
    assert y.max() == pytest.approx((2 * np.pi * var) ** -0.5, rel=0.01)


def test_dots_lie_at_the_integrated_density():
    u = torch.linspace(-3, 5, 500)
    density = torch.sin(u) ** 2
    fig = reverse.plot_products({"a": [(0, 1)] * 3, "b": [(1, 1)] * 3}, u, density)
    x, y = line(fig.axes[1], "integrated").get_data()
    np.testing.assert_allclose(y, np.sin(x) ** 2, atol=1e-6)
    assert "integrated" not in [x.get_label() for x in fig.axes[0].lines]


def test_the_way_back_shows_each_level_and_the_distances():
    u = torch.linspace(-2, 2, 50)
    densities = {s: (torch.exp(-(u**2)), 0 * u + s) for s in (290, 200, 50)}
    fig = reverse.plot_reverse(u, densities, 300, {1: 0.001, 100: 0.17})
    assert [ax.get_title() for ax in fig.axes[:3]] == [
        f"from 300 to {s}" for s in (290, 200, 50)
    ]
    for ax, s in zip(fig.axes, densities, strict=False):
        np.testing.assert_allclose(line(ax, "one bell curve").get_ydata(), s)
        drawn = ax.collections[0].get_paths()[0].vertices
        assert drawn[:, 1].max() == pytest.approx(1, abs=0.01)
        assert ax.get_ylim()[1] > s
    np.testing.assert_allclose(fig.axes[3].lines[0].get_ydata(), [0.001, 0.17])
    assert fig.axes[3].get_xscale() == fig.axes[3].get_yscale() == "log"


def test_a_line_leads_from_each_noisy_point_to_its_answer():
    xt, first, second = normal(5, 2), torch.zeros(5, 2), torch.ones(5, 2)
    answers = {"a": (normal(9, 2), first), "b": (normal(3, 2), second)}
    fig = reverse.plot_answers(xt, answers)
    for ax, (ink, x0_hat) in zip(fig.axes, answers.values(), strict=True):
        segments = np.stack(ax.collections[0].get_segments())
        np.testing.assert_allclose(segments[:, 0], xt)
        np.testing.assert_allclose(segments[:, 1], x0_hat)
        np.testing.assert_allclose(ax.lines[0].get_xydata(), ink)
        np.testing.assert_allclose(ax.lines[1].get_xydata(), x0_hat)


def test_a_table_scales_clean_rows_and_noisy_rows_each_by_their_own_span():
    rows = {"noisy": normal(3, 1, 8, 8), "clean": normal(3, 1, 8, 8)}
    titles, notes = ["x", "y", "z"], ["1.0", "2.5", "9"]
    fig = plot_table(rows, titles, clean=["clean"], under=notes)
    spans = [ax.images[0].get_clim() for ax in fig.axes]
    assert spans == [reverse.SPAN] * 3 + [(-1, 1)] * 3
    for ax, picture in zip(fig.axes, torch.cat(list(rows.values())), strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), picture[0])
    assert {*rows, *titles, *notes} <= set(words(fig))


def test_rows_and_columns_of_a_table_must_match():
    with pytest.raises(ValueError, match="zip"):
        plot_table({"a": normal(3, 1, 8, 8)}, ["only one"])


def test_curves_by_level_are_the_values_on_logarithmic_axes():
    panels = {"error": {"a": [1, 2, 3], "b": [4, 5, 6]}, "loss": {"a": [7, 8, 9]}}
    fig = reverse.plot_by_level(LEVELS, panels)
    for ax, (label, curves) in zip(fig.axes, panels.items(), strict=True):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("level t", label)
        assert ax.get_yscale() == "log"
        for name, values in curves.items():
            assert line(ax, name).get_xdata().tolist() == LEVELS
            assert line(ax, name).get_ydata().tolist() == values


def test_curves_differ_by_more_than_colour():
    curves = {name: [1, 2, 3] for name in "abcd"}
    lines = reverse.plot_by_level(LEVELS, {"error": curves}).axes[0].lines
    assert len({(x.get_linestyle(), x.get_marker()) for x in lines}) == 4


def test_the_heldout_figure_shows_its_pictures_and_errors():
    pictures = {"noisy": normal(1, 8, 8), "answer": normal(1, 8, 8)}
    fig = reverse.plot_heldout(pictures, LEVELS, {"a": [0.0, 0.2, 0.4]}, top=0.5)
    noisy, answer, curves = fig.axes
    assert noisy.images[0].get_clim() == reverse.SPAN
    assert answer.images[0].get_clim() == (-1, 1)
    assert line(curves, "a").get_ydata().tolist() == [0.0, 0.2, 0.4]
    assert curves.get_yscale() == "linear" and curves.get_ylim()[1] == 0.5


def test_clouds_share_their_axes():
    clouds = {"one": normal(20, 2), "two": 0.1 * normal(30, 2)}
    fig = reverse.plot_clouds(clouds)
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in fig.axes}) == 1
    for ax, (title, points) in zip(fig.axes, clouds.items(), strict=True):
        assert ax.get_title() == title
        np.testing.assert_allclose(ax.lines[0].get_xydata(), points)


def test_a_pair_frame_stretches_what_is_believed_to_all_greys():
    xt = torch.tensor([-2.0, 2.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)
    x0_hat = torch.tensor([-1.0, 0.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)
    frame = reverse.pair_frame(xt, x0_hat, gap=2)
    assert frame.dtype == np.uint8 and frame.shape == (10, 10)
    corners = [[frame[0, 0], frame[0, 9]], [frame[9, 0], frame[9, 9]]]
    np.testing.assert_array_equal(corners, [[0, 255], [0, 128]])
    assert (frame[4:6] == 255).all() and (frame[:, 4:6] == 255).all()
