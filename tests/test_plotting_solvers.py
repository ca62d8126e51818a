"""Figures of solvers: the numbers handed in are drawn, and names keep their looks."""

import numpy as np
import pytest
import torch

from glyflib.plotting import solvers

CALLS = (5, 9, 19)
NAMES = list(solvers.LOOKS)


def test_walks_share_an_axis_of_time_whatever_their_steps():
    paths = {2: np.zeros((3, 4)), 5: np.ones((6, 4))}
    fig = solvers.plot_walks(paths, (np.ones(9), np.zeros(9)))
    for ax, (count, values) in zip(fig.axes, paths.items(), strict=True):
        assert ax.get_title() == f"{count} steps" and len(ax.lines) == 4
        np.testing.assert_allclose(ax.lines[0].get_xdata()[[0, -1]], [0, 1])
        np.testing.assert_allclose(ax.lines[0].get_ydata(), values[:, 0])


def test_paths_run_from_the_noisiest_level_to_zero_on_the_right():
    paths = {"ODE": torch.randn(11, 3), "SDE": torch.randn(11, 3)}
    ends = {name: torch.randn(50) for name in paths}
    fig = solvers.plot_paths(paths, ends, torch.linspace(-2, 2, 9), torch.ones(9))
    left = fig.axes[0]
    assert left.get_xlim() == (10, 0) and left.get_title() == "ODE"
    np.testing.assert_array_equal(left.lines[0].get_xdata(), np.arange(11)[::-1])
    np.testing.assert_allclose(left.lines[2].get_ydata(), paths["ODE"][:, 2])


def test_the_line_runs_through_two_answers_and_is_read_in_the_middle():
    steps, known = [0.0, 1.0, 3.0, 4.0], [0.0, 2.0, 3.0, 5.0]
    fig = solvers.plot_line(([0, 4], [0, 5]), (steps, known), at=2)
    (ax,) = fig.axes
    (star,) = (line for line in ax.lines if line.get_marker() == "*")
    np.testing.assert_allclose(star.get_xydata(), [[3.5, 3.25]])
    (dashes,) = (line for line in ax.lines if line.get_label() == "line")
    np.testing.assert_allclose(dashes.get_xydata(), [[1, 2], [4, 3.5]])


def test_guides_have_the_slope_of_the_order_and_end_on_the_error():
    errors = {"Heun": [1.0, 0.3, 0.1]}
    panels = {"a": ((10, 20, 40), errors), "b": ((14, 28, 56), errors)}
    fig = solvers.plot_order(panels, {"Heun": 2})
    for ax in fig.axes:
        guide, drawn = (line.get_ydata() for line in ax.lines[:2])
        np.testing.assert_allclose(guide, [1.6, 0.4, 0.1])
        np.testing.assert_allclose(drawn, errors["Heun"])
        assert ax.get_xscale() == ax.get_yscale() == "log"


def race(**changed):
    gen = np.random.default_rng(0)
    rows = {name: 1 + gen.random((3, 4)) for name in NAMES} | changed
    left = {name: rows[name] for name in ("Euler (DDIM)", "Heun", "2M")}
    return solvers.plot_race(CALLS, left, rows)


def test_the_race_has_means_with_two_standard_errors_over_seeds():
    fig = race(Heun=np.array([[1.0, 2.0, 3.0, 4.0]] * 3))
    bars = {c.get_label(): c for c in fig.axes[0].containers}
    line, _, (segments,) = bars["Heun"]
    np.testing.assert_allclose(line.get_ydata(), 2.5)
    half = np.array([1, 2, 3, 4]).std(ddof=1)  # 2 / sqrt(4) of it
    ends = [segment[:, 1] for segment in segments.get_segments()]
    np.testing.assert_allclose(ends, [[2.5 - half, 2.5 + half]] * 3)


def test_the_legend_of_the_race_names_every_sampler():
    (legend,) = race().legends
    assert {text.get_text() for text in legend.get_texts()} == set(NAMES)


def test_no_two_solvers_look_alike_without_colour():
    looks = [(look["marker"], look["ls"]) for look in solvers.LOOKS.values()]
    assert len({marker for marker, _ in looks}) == len({ls for _, ls in looks}) == 5


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_film_frame_tiles_rows_of_pictures_on_the_noisy_scale(rows):
    pictures = torch.full((4, 1, 8, 8), -2.0)
    frame = solvers.film_frame(*[pictures] * rows)
    assert frame.dtype == np.uint8 and frame.shape == (rows * 10 - 2, 38)
    assert (frame[:8, :8] == 0).all() and (frame[:, 8:10] == 255).all()


def test_densities_share_one_scale_and_errors_are_drawn():
    pair = {"by the ODE": np.eye(4), "exact": 3 * np.eye(4)}
    fig = solvers.plot_likelihood(pair, (25, 50), [0.4, 0.1])
    found, exact, curve = fig.axes[:3]
    assert found.images[0].get_clim() == exact.images[0].get_clim() == (0, 3)
    np.testing.assert_allclose(exact.images[0].get_array(), pair["exact"])
    np.testing.assert_allclose(curve.lines[0].get_ydata(), [0.4, 0.1])


def test_every_axis_is_labelled():
    x = np.linspace(0.1, 1, 4)
    figures = [
        solvers.plot_line((x, x), (x, x), at=1),
        solvers.plot_order({"a": ((2, 4), {"2M": [1, 0.1]})}, {"2M": 2}),
        race(),
        solvers.plot_likelihood({"a": np.eye(2), "b": np.eye(2)}, (2, 4), [1, 0.1]),
    ]
    for ax in (ax for fig in figures for ax in fig.axes):
        assert ax.get_ylabel() and (ax.get_xlabel() or ax.get_label() == "<colorbar>")
