"""The small network of velocities: what it learns, and that a seed settles it."""

import torch

from glyflib import flow
from glyflib.lessons.straight import VelocityNetwork


def test_the_generator_settles_the_weights_and_nothing_else_is_touched():
    before = torch.get_rng_state()
    first, same = (
        VelocityNetwork(generator=torch.Generator().manual_seed(3)) for _ in range(2)
    )
    other = VelocityNetwork(generator=torch.Generator().manual_seed(4))
    x, tau = torch.ones(5, 2), torch.full((5,), 0.5)
    assert torch.equal(first(x, tau), same(x, tau))
    assert not torch.equal(first(x, tau), other(x, tau))
    assert torch.equal(torch.get_rng_state(), before)


def test_it_learns_the_velocity_to_a_single_point():
    """All data at m: then eps - x0 = (x - m) / tau, without any doubt."""
    generator = torch.Generator().manual_seed(0)
    network = VelocityNetwork(64, generator=generator)
    m = torch.tensor([1.0, -0.5])
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(300):
        eps = torch.randn(128, 2, generator=generator)
        tau = 0.2 + 0.8 * torch.rand(128, generator=generator)
        x = flow.interpolate(m.expand(128, 2), eps, tau)
        loss = (network(x, tau) - (eps - m)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x = flow.interpolate(m.expand(128, 2), torch.randn(128, 2, generator=generator), 1)
    with torch.no_grad():
        end = flow.x0_from_u(x, network(x, torch.ones(128)), 1.0)
    assert (end - m).norm(dim=1).mean() < 0.2
