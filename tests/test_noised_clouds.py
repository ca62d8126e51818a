"""Clouds under noise: directions and densities against what is known of them."""

import pytest
import torch

from glyflib.lessons.noised_clouds import noised_density, widest_directions
from glyflib.schedule import add_noise, linear_alpha_bar


def test_the_widest_directions_are_found_in_order():
    gen = torch.Generator().manual_seed(0)
    steps = torch.randn(4000, 2, generator=gen) * torch.tensor([3.0, 1.0])
    x0 = steps @ torch.tensor([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0]])
    found = widest_directions(x0)
    assert found.shape == (3, 2) and found.dtype == x0.dtype
    agree = found.T @ torch.tensor([[0.0, 1.0], [0.6, 0.0], [0.8, 0.0]])
    torch.testing.assert_close(agree.abs(), torch.eye(2), atol=0.05, rtol=0)


@pytest.mark.parametrize("alpha_bar", [1.0, 0.5, 0.0])
def test_a_density_has_the_area_one(alpha_bar):
    points = torch.tensor([[0.5, -1.0], [-1.0, 0.0]])
    density = noised_density(points, alpha_bar, reach=6, width=0.4, num_places=241)
    assert density.sum() * (12 / 240) ** 2 == pytest.approx(1, abs=1e-3)


def test_a_density_is_that_of_noised_points():
    t, alpha_bar = torch.tensor(300), linear_alpha_bar()
    gen = torch.Generator().manual_seed(0)
    points = torch.tensor([[2.0, -1.0], [-1.0, 1.5]])
    many = points.repeat(200_000, 1)
    xt = add_noise(many, torch.randn(many.shape, generator=gen), t, alpha_bar)
    density = noised_density(points, alpha_bar[t].item(), reach=4, num_places=9)
    near = ((xt - torch.tensor([1.0, -1.0])).abs() < 0.2).all(dim=1).double().mean()
    assert density[3, 5] == pytest.approx(near.item() / 0.16, rel=0.06)


def test_points_without_noise_need_a_width():
    with pytest.raises(ValueError, match=r"alpha_bar 1\.0 a width above 0"):
        noised_density(torch.zeros(3, 2), 1.0, reach=1)
