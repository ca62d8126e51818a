"""Figures of noise and of the chain: frames, scales and the numbers written in them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from glyflib.plotting import forward_noising as chain
from glyflib.plotting import forward_noising as noising
from glyflib.plotting.pictures import grey_frames, png_frames
from glyflib.schedule import linear_alpha_bar

ALPHA_BAR = linear_alpha_bar(1000)


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def words(fig):
    return " ".join(
        text.get_text() for text in fig.findobj(lambda a: hasattr(a, "get_text"))
    )


def test_frames_are_png_of_one_size_and_differ():
    points, cloud = normal(50, 2), normal(20, 2)
    figures = [noising.plot_step(points, points[:2], b, cloud) for b in (0.0, 0.3, 1.0)]
    frames = png_frames(figures)
    assert {Image.open(io.BytesIO(frame)).size for frame in frames} == {(506, 506)}
    assert len(set(frames)) == 3


def test_grey_frames_share_one_scale_and_clip():
    xt = (
        torch.tensor([-9.0, -2.0, 0.0, 2.0, 9.0]).reshape(5, 1, 1, 1).expand(5, 1, 2, 2)
    )
    greys = [int(frame[0, 0]) for frame in grey_frames(xt)]
    assert greys == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("beta", [0.0, 0.2, 1.0])
def test_circles_of_a_step_have_its_centre_and_standard_deviations(beta):
    point = torch.tensor([[0.5, -1.0]])
    fig = noising.plot_step(point, point, beta, normal(10, 2))
    circles = fig.axes[0].patches
    scale, std = np.sqrt(1 - beta), np.sqrt(beta)
    np.testing.assert_allclose(circles[0].center, scale * point[0].numpy())
    np.testing.assert_allclose([c.width for c in circles], [2 * std, 4 * std])


def test_pixel_histograms_state_the_measured_means():
    mean = torch.ones(4, 4)
    mean[1, 2] = -1
    noise = normal(500, 4, 4)
    fig = noising.plot_pixel_noise(noise, mean + 0.5 * noise, mean)
    ink = (mean + 0.5 * noise)[:, 1, 2].mean().item()
    assert f"pixel 1, 2: mean {ink:.2f}" in words(fig)


def test_the_chain_states_the_numbers_of_the_schedule():
    xt = {t: torch.zeros(1, 8, 8) for t in (1000, 300, 299, 0)}
    text = words(chain.plot_chain(xt, ALPHA_BAR))
    beta = 1 - ALPHA_BAR[300] / ALPHA_BAR[299]
    assert f"{(1 - beta).sqrt():.4f}" in text
    assert f"{beta:.4f}" in text
    for t in xt:
        assert f"{ALPHA_BAR[t].sqrt():.4f} $x_0$" in text
        assert f"std {(1 - ALPHA_BAR[t]).sqrt():.4f}" in text


def test_given_ink_and_given_paper_add_up_to_the_marginal():
    x0 = torch.tensor([-1.0] * 30 + [1.0] * 70)
    fig = chain.plot_given_and_marginal(
        x0, dict.fromkeys((60, 250, 1000), x0), ALPHA_BAR
    )
    for ax in fig.axes[1:]:
        marginal, ink, paper = (line.get_ydata() for line in ax.lines)
        np.testing.assert_allclose(ink + paper, marginal)
        width = 8 / (len(marginal) - 1)
        assert ink.sum() * width == pytest.approx(0.3, abs=0.001)


def test_error_bars_reach_from_end_to_end_of_the_interval():
    rows = [(0.5, 0.4, 0.7), (0.0, 0.0, 0.1)]
    picture = {0: torch.zeros(1, 8, 8)}
    fig = chain.plot_forgetting([0, 500], {"a": rows}, picture, 0.01)
    (bars,) = [c for c in fig.axes[0].containers if c.has_yerr]
    ends = [segment[:, 1].tolist() for segment in bars[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[0.4, 0.7], [0.0, 0.1]], atol=1e-12)


def test_every_axis_that_shows_numbers_is_labelled():
    noise = normal(50, 32, 32)
    rows, by_distance = [torch.eye(32)], [torch.ones(5)]
    walk = normal(1001, 3)
    figures = [
        noising.plot_pixel_noise(noise, noise, noise[0]),
        noising.plot_correlation(noise[:1], rows, by_distance, ["a"]),
        noising.plot_variance(*normal(5, 9).abs()),
        chain.plot_two_roads(walk, {900: walk[900]}, {900: walk[900]}, ALPHA_BAR),
    ]
    for ax in (ax for fig in figures for ax in fig.axes if ax.axison):
        assert (ax.get_xlabel() or ax.get_ylabel()) and ax.get_ylabel()
