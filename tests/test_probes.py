"""Probes see what a network makes, and leave it as it was."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from glyflib.evaluation.probes import pull_on, self_looks, watched
from glyflib.unet import Attention, attend


def test_what_is_watched_is_what_went_in_and_came_out():
    model = nn.Sequential(nn.Linear(2, 3), nn.SiLU())
    x = torch.randn(4, 2)
    with watched(model, ["0", "1"]) as seen:
        y = model(x)
    assert seen["0"].given is x and seen["1"].output is y
    assert seen["0"].output is seen["1"].given


def test_the_last_call_stays_and_nothing_is_noted_afterwards():
    model = nn.Sequential(nn.Linear(2, 3))
    with watched(model, ["0"]) as seen:
        model(torch.zeros(1, 2))
        model(torch.ones(1, 2))
    model(torch.zeros(1, 2))
    assert seen["0"].given.tolist() == [[1, 1]]
    assert not model[0]._forward_hooks


def test_an_unknown_part_is_told_and_leaves_no_hook():
    model = nn.Sequential(nn.Linear(2, 3))
    with pytest.raises(AttributeError, match="7"), watched(model, ["0", "7"]):
        pass
    assert not model[0]._forward_hooks


def test_looks_are_the_weights_with_which_values_are_collected():
    torch.manual_seed(0)
    layer = Attention(128)  # two heads
    nn.init.normal_(layer.out.weight)
    x = torch.randn(2, 128, 2, 3)
    looks = self_looks(layer, x)
    assert looks.shape == (2, 2, 2, 3, 2, 3)
    torch.testing.assert_close(looks.sum((4, 5)), torch.ones(2, 2, 2, 3))
    h = layer.norm(x).flatten(2).transpose(1, 2)
    q, k, v = (layer.split(to(h)) for to in (layer.to_q, layer.to_k, layer.to_v))
    collected = looks.flatten(4).flatten(2, 3) @ v
    torch.testing.assert_close(collected, attend(q, k, v))


def test_the_pull_of_a_convolution_is_its_kernel_squared():
    kernel = torch.arange(9.0).reshape(1, 1, 3, 3)

    def model(x, factor):
        return factor * conv2d(x, kernel, padding=1)

    pull = pull_on(model, torch.randn(5, 1, 7, 7), torch.tensor(3.0), place=(4, 2))
    expected = torch.zeros(7, 7)
    expected[3:6, 1:4] = kernel[0, 0] ** 2 / (kernel**2).sum()
    torch.testing.assert_close(pull, expected)
