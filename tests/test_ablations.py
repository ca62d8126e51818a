"""A part taken away is gone, and everything else is as it was."""

import pytest
import torch
from tiny_models import random_unet

from glyflib.evaluation.probes import watched
from glyflib.lessons import ablations
from glyflib.schedule import linear_alpha_bar
from glyflib.unet import Block, UNet

XT = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
T = torch.tensor([10, 900])


def lively(**options):
    """A small U-net without text in which no weight is zero."""
    torch.manual_seed(0)
    options = {"channels": (8, 12, 16), "attention_levels": (1, 2)} | options
    unet = UNet(**options).eval().requires_grad_(False)
    for weight in unet.parameters():
        weight.add_(0.1 * torch.randn(weight.shape))
    return unet


def handed(unet, side):
    """What each block on the way up is handed at a side."""
    names = [f"up.{i}.res" for i, b in enumerate(unet.up) if isinstance(b, Block)]
    with watched(unet, names) as seen:
        unet(XT, T)
    return [seen[name].given for name in names if seen[name].given.shape[3] == side]


def test_the_sides_of_the_maps_are_those_that_the_network_makes():
    for options in ({}, {"patch": 4}, {"channels": (8, 8), "attention_levels": ()}):
        unet = lively(**options)
        sides = ablations.sides_of(unet, 32)
        assert all(handed(unet, side) for side in sides)


@pytest.mark.parametrize("num_blocks", [1, 2])
@pytest.mark.parametrize("side", [16, 8, 4])
def test_a_cut_skip_hands_zeros_and_what_comes_from_below_stays(side, num_blocks):
    unet = lively(num_blocks=num_blocks)
    cut = ablations.without_skips(unet, [side])
    known = ablations.sides_of(unet, 32)
    for one in known:
        whole, left = handed(unet, one), handed(cut, one)
        for i, (before, after) in enumerate(zip(whole, left, strict=True)):
            level = known.index(one)
            below = unet.config["channels"][min(level + (i == 0), len(known) - 1)]
            if one == side:
                assert not after[:, below:].any() and after[:, :below].any()
            elif one < side:  # nothing has been cut so far
                torch.testing.assert_close(after, before)
            else:
                assert after[:, below:].any()


def test_without_a_side_all_skips_are_cut():
    unet = lively()
    every = ablations.without_skips(unet)
    listed = ablations.without_skips(unet, (16, 8, 4))
    torch.testing.assert_close(every(XT, T), listed(XT, T))
    assert not torch.allclose(every(XT, T), unet(XT, T))


@pytest.mark.parametrize("side", [16, 8])
def test_without_depth_nothing_comes_up_from_below(side):
    cut = ablations.without_depth(lively(), side)
    first, *_ = handed(cut, side)
    below = cut.config["channels"][{16: 1, 8: 2}[side]]
    assert not first[:, :below].any() and first[:, below:].any()


def test_without_attention_places_no_longer_meet():
    """Where the only way between places is attention, each is left to itself."""
    unet = lively(channels=(8,), attention_levels=(0,), patch=4)
    found = [m.self_attention for m in unet.modules() if isinstance(m, Block)]
    assert all(found)
    alone = ablations.without_attention(unet)
    left = [m.self_attention for m in alone.modules() if isinstance(m, Block)]
    assert left == [None] * len(found)
    assert not torch.allclose(alone(XT, T), unet(XT, T))


def test_a_network_that_hears_one_level_answers_as_if_told_it():
    unet = lively()
    deaf = ablations.with_fixed_level(unet, 500)
    told = unet(XT, torch.tensor([500, 500]))
    torch.testing.assert_close(deaf(XT, T), told)
    assert not torch.allclose(told, unet(XT, T))


@pytest.mark.parametrize(
    "change",
    [
        ablations.without_skips,
        ablations.without_attention,
        lambda unet: ablations.without_depth(unet, 16),
        lambda unet: ablations.with_fixed_level(unet, 1),
    ],
)
def test_the_network_that_is_handed_in_stays_as_it_was(change):
    unet = lively()
    before = unet(XT, T)
    changed = change(unet)
    changed.stem.weight.zero_()
    assert torch.equal(unet(XT, T), before)


def test_a_network_that_reads_text_can_be_changed_too():
    unet = random_unet()
    text = torch.randn(2, 3, unet.config["text_dim"])
    for changed in (
        ablations.without_skips(unet),
        ablations.without_attention(unet),
        ablations.with_fixed_level(unet, 3),
    ):
        assert changed(XT, T, text).shape == XT.shape


def test_a_side_without_maps_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"side 32: the sides are \[16, 8, 4\]"):
        ablations.without_skips(lively(), [32])
    with pytest.raises(ValueError, match=r"side 4: the sides are \[16, 8\]"):
        ablations.without_depth(lively(), 4)


def brief(seed=0, num_steps=30):
    """A tiny network, trained on one picture, and its loss before and after."""
    x0 = torch.ones(4, 1, 8, 8)
    x0[:, :, 2:4] = -1
    torch.manual_seed(0)
    unet = UNet(channels=(8,), attention_levels=())
    return ablations.train_briefly(
        unet, x0, linear_alpha_bar(), num_steps=num_steps, batch_size=4, seed=seed
    )


def test_brief_training_lowers_the_loss_and_ends_learning():
    x0 = torch.ones(4, 1, 8, 8)
    x0[:, :, 2:4] = -1
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1))
    # At the last level x_t is the noise, and v is minus the picture
    off = brief(num_steps=80)(eps, torch.full((4,), 1000)) + x0
    assert off.square().mean() < 0.6
    assert not any(weight.requires_grad for weight in brief().parameters())


def test_the_same_seed_shows_the_same_and_another_does_not():
    first, again, other = brief(), brief(), brief(seed=1)
    assert torch.equal(first.stem.weight, again.stem.weight)
    assert not torch.equal(first.stem.weight, other.stem.weight)
