"""The first network: what it is trained on, and that it comes near the exact answer."""

import pytest
import torch

from glyflib.lessons.small_network import (
    STRETCH,
    PointNetwork,
    ink_density,
    train_on_points,
)
from glyflib.schedule import add_noise, linear_alpha_bar

ALPHA_BAR = linear_alpha_bar(1000)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def cross():
    """A picture with one dark bar across and one dark bar up."""
    image = torch.full((1, 32, 32), 255, dtype=torch.uint8)
    image[:, 4:6] = 0
    image[:, :, 26:28] = 0
    return image


def test_ink_lies_where_the_picture_is_dark_up_is_up():
    points = ink_density(cross(), ALPHA_BAR).sample(2000, generator=seeded())
    points = points / STRETCH
    assert points.abs().max() < 1.2
    bar_across = 1 - 5 / 16  # the middle of the bar, from the upper edge down
    bar_up = 27 / 16 - 1
    near = (points[:, 1] - bar_across).abs() < 0.25
    near |= (points[:, 0] - bar_up).abs() < 0.25
    assert near.all()
    is_across = (points[:, 1] - bar_across).abs() < 0.25
    assert 0.3 < is_across.float().mean() < 0.7


def test_paper_has_no_ink():
    image = cross()
    image[:] = 255
    with pytest.raises(ValueError, match="weights"):
        ink_density(image, ALPHA_BAR)


def test_training_comes_nearer_to_the_exact_answer_and_repeats():
    ink = ink_density(cross(), ALPHA_BAR)
    points = ink.sample(5000, generator=seeded(1))
    t = torch.full((4000,), 300)
    eps = torch.randn(4000, 2, generator=seeded(2))
    xt = add_noise(ink.sample(4000, generator=seeded(3)), eps, t, ALPHA_BAR)

    def distance(num_steps):
        network = train_on_points(
            points, ALPHA_BAR, num_steps=num_steps, generator=seeded()
        )
        miss = network(xt, t) - ink.predict_eps(xt, t)
        return miss.square().mean().item()

    long = distance(400)
    assert long < 0.05 < 0.3 < distance(1)
    assert long == distance(400)


def test_training_leaves_the_readers_own_randomness_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    train_on_points(torch.zeros(4, 2), ALPHA_BAR, num_steps=1, generator=seeded())
    assert torch.equal(torch.rand(3), wanted)


def test_the_network_is_told_the_level():
    network = PointNetwork(ALPHA_BAR)
    xt = torch.zeros(2, 2)
    low, high = network(xt, torch.tensor([1, 1000]))
    assert not torch.allclose(low, high)
