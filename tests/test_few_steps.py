"""A network that jumps in the plane, and what teaching a student has cost."""

import pytest
import torch

from glyflib.distillation import draw_jumps
from glyflib.lessons.few_steps import (
    LEARNING,
    JumpNetwork,
    calls_of_teaching,
    share_from_first_teacher,
)
from glyflib.schedule import cosine_alpha_bar
from glyflib.student import COUNTS, ending_in_noise, sample_few

ALPHA_BAR = ending_in_noise(cosine_alpha_bar(1000))


def network(seed=0):
    return JumpNetwork(ALPHA_BAR, generator=torch.Generator().manual_seed(seed))


def test_it_is_told_where_it_is_its_level_and_the_next():
    xt = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    t, s = torch.full((5,), 500), torch.full((5,), 250)
    found = network()(xt, t, s)
    assert found.shape == (5, 2) and found.dtype == xt.dtype
    for other in (network()(xt + 1, t, s), network()(xt, t + 9, s)):
        assert not torch.allclose(found, other)
    assert not torch.allclose(found, network()(xt, t, s - 9))


def test_its_first_weights_come_from_the_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, third = network(), network(), network(1)
    assert torch.equal(before, torch.get_rng_state())
    same = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    assert not torch.equal(first.layers[0].weight, third.layers[0].weight)


def test_it_draws_in_double_precision_from_noise_alone():
    noise = torch.randn(4, 2).double()
    with torch.no_grad():
        *_, last = sample_few(network(), noise, ALPHA_BAR, calls=2)
    assert last.xt.dtype == noise.dtype and last.xt.isfinite().all()


@pytest.mark.parametrize("place", range(4))
def test_as_many_jumps_are_the_first_teachers_as_are_drawn(place):
    generator = torch.Generator().manual_seed(0)
    jumps = draw_jumps(COUNTS[: place + 1], 20_000, 1000, generator)
    share = (jumps.count == COUNTS[0]).double().mean().item()
    assert share == pytest.approx(share_from_first_teacher(place), abs=0.015)


def test_what_teaching_costs_is_added_up_over_its_phases():
    """All of the first phase's jumps are guided, half of the second's."""
    told = {"batch_size": 10, "phases": {"8": 3, "4": 2}}
    by_hand = 3 * 10 * (4 + LEARNING) + 2 * 10 * (3 + LEARNING)
    assert calls_of_teaching(told) == by_hand
