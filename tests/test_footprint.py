"""Bytes are those of the allocator, operations those of the formulas."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from glyflib.lessons.footprint import (
    Footprint,
    kept_bytes,
    operations,
    peak_bytes,
    product_rate,
    trial_loss,
    unet_operations,
)
from glyflib.unet import Attention, UNet

FLOAT = 4  # bytes


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return UNet(channels=(8, 16), attention_levels=(1,), text_dim=6)


def test_memory_counts_while_it_is_held_and_once_for_all_its_views():
    with Footprint() as footprint:
        a = torch.ones(100)
        b = a.view(10, 10)[2:]
        assert footprint.bytes_now() == 100 * FLOAT
        c = a + 1
        assert footprint.bytes_now() == 200 * FLOAT
        del a, c
        assert footprint.bytes_now() == 100 * FLOAT
        del b
        assert footprint.bytes_now() == 0
        torch.ones(50)
    assert footprint.peak == 200 * FLOAT


def test_the_peak_of_a_call_is_that_of_all_it_holds_at_once():
    def call():
        half = torch.ones(300)
        whole = torch.cat([half, half])
        del half
        return whole.sum()

    assert peak_bytes(call) == 900 * FLOAT


def test_backward_counts_too():
    weight = torch.ones(1000, requires_grad=True)
    assert peak_bytes(lambda: None) == 0
    peak = peak_bytes(lambda: weight.exp().sum().backward())
    assert peak >= 2000 * FLOAT, "the powers, kept for the way back, and the gradient"


def test_of_a_linear_layer_its_input_is_kept():
    layer, x = nn.Linear(7, 5), torch.ones(3, 7)
    assert kept_bytes(lambda: layer(x).sum(), layer) == x.numel() * FLOAT


def test_what_is_kept_is_what_the_allocator_has_given(net):
    """The second road: PyTorch's profiler, which counts what is not freed again.

    Its last four bytes are the loss itself.
    """
    call = partial(trial_loss, net, 16, 4)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        loss = call()
    held = sum(event.self_cpu_memory_usage for event in found.key_averages())
    assert kept_bytes(call, net) == held - FLOAT and loss.requires_grad


def test_what_is_kept_grows_with_the_batch(net):
    two, four = (kept_bytes(partial(trial_loss, net, 16, B), net) for B in (2, 4))
    assert four == 2 * two


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: torch.ones(3, 4) @ torch.ones(4, 5), 2 * 3 * 4 * 5),
        (
            lambda: nn.Conv2d(2, 6, 3, padding=1)(torch.ones(1, 2, 8, 8)),
            2 * 64 * 9 * 2 * 6,
        ),
        (lambda: torch.ones(3) + 1, 0),
    ],
    ids=["product", "convolution", "sum"],
)
def test_operations_are_those_of_the_formula(call, wanted):
    assert operations(call) == wanted


def test_attention_between_places_is_left_out():
    q = torch.ones(1, 1, 4, 8)
    assert operations(lambda: nn.functional.scaled_dot_product_attention(q, q, q)) == 0


def test_the_way_back_costs_about_twice_the_way_forth(net):
    forth = operations(lambda: trial_loss(net, 16, 2))
    both = operations(lambda: trial_loss(net, 16, 2).backward())
    assert 2.8 * forth < both <= 3 * forth


def test_a_trial_is_the_same_each_time(net):
    assert torch.equal(trial_loss(net, 16, 3), trial_loss(net, 16, 3))


def test_a_rate_is_a_number_of_operations_a_second():
    assert 1e6 < product_rate(side=64, rounds=2) < 1e16
    with pytest.raises(ValueError, match="side 0 and rounds 7 must be at least 1"):
        product_rate(side=0)


def test_a_unet_costs_what_its_layers_do_and_attention_beside_them():
    torch.manual_seed(0)
    unet = UNet(channels=(8, 16), attention_levels=(1,), patch=1)
    found, larger = (unet_operations(unet, side) for side in (8, 16))
    layers = [part for part in unet.modules() if isinstance(part, Attention)]
    assert layers and found.attention == len(layers) * 4 * (4 * 4) ** 2 * 16
    assert larger.attention == 16 * found.attention
    xt = torch.zeros(1, 1, 8, 8)
    assert found.rest == operations(lambda: unet(xt, torch.ones(1)))
    assert not any(part._forward_hooks for part in unet.modules())
