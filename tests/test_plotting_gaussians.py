"""The figures of chapter 01 show what they are given."""

import numpy as np
import pytest
from scipy import stats

from glyflib.plotting import gaussians as draw

GEN = np.random.default_rng(0)
NOISE = GEN.standard_normal((400, 2))
MEAN, COV = np.array([3.0, -1.0]), np.array([[4.0, 1.2], [1.2, 1.0]])
GRID = np.linspace(0.5, 2, 7)
FIGURES = {
    "two_roads": lambda: draw.plot_two_roads(
        [0.5], [0.0], GEN.uniform(size=(400, 2)), NOISE
    ),
    "densities": lambda: draw.plot_densities(
        NOISE[:, 0], {"fit": (GRID, GRID)}, xlabel="x"
    ),
    "likelihood": lambda: draw.plot_likelihood(
        GRID, GRID, -np.add.outer(GRID**2, GRID**2), (1, 1), [[1, 1], [2, 2]]
    ),
    "errors": lambda: draw.plot_errors([2, 4], [0.7, 0.5], [0.5, 0.35], [0.5, 0.75]),
    "normality": lambda: draw.plot_normality(NOISE[:, 0], 0, 1, label="x"),
    "linear_map": lambda: draw.plot_linear_map(NOISE, NOISE, NOISE, MEAN, COV),
    "pushforward": lambda: draw.plot_pushforward(
        NOISE[:, 0], stats.norm.cdf(NOISE[:, 0]), (0.5, 0.2), label="x"
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_drawn_axis_names_its_quantity(name):
    shown = [ax for ax in FIGURES[name]().axes if ax.axison and ax.lines + ax.patches]
    assert shown
    for ax in shown:
        neighbours = [a for a in shown if a is not ax and a.get_xlim() == ax.get_xlim()]
        assert ax.get_xlabel() or any(a.get_xlabel() for a in neighbours)
        neighbours = [a for a in shown if a is not ax and a.get_ylim() == ax.get_ylim()]
        assert ax.get_ylabel() or any(a.get_ylabel() for a in neighbours)


@pytest.mark.parametrize("k", [1, 2])
def test_an_ellipse_lies_k_sigma_from_the_mean(k):
    away = draw.ellipse(MEAN, COV, k) - MEAN
    squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(COV), away)
    np.testing.assert_allclose(squared, k**2)


def test_a_histogram_has_the_area_of_a_density():
    (ax,) = FIGURES["densities"]().axes
    assert sum(b.get_width() * b.get_height() for b in ax.patches) == pytest.approx(1)


def test_gaussian_quantiles_lie_on_the_straight_line():
    exact = stats.norm.ppf((np.arange(99) + 0.5) / 99, 3, 2)
    points = (
        draw.plot_normality(GEN.permutation(exact), 3, 2, label="x").axes[1].lines[0]
    )
    np.testing.assert_allclose(points.get_xdata(), points.get_ydata())


def test_error_lines_fall_with_the_root_of_n():
    left, _ = FIGURES["errors"]().axes
    for line in (left.lines[0], left.lines[2]):
        x, y = line.get_xdata(), line.get_ydata()
        assert np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx([-0.5])


def test_the_map_is_drawn_in_order_of_the_noise():
    main = FIGURES["pushforward"]().axes[1]
    assert (np.diff(main.lines[0].get_xdata()) >= 0).all()
    assert (np.diff(main.lines[0].get_ydata()) >= 0).all()
