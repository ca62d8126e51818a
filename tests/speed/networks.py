"""The networks that are timed: ours, one of diffusers of equal size, the published."""

from diffusers import UNet2DConditionModel
from torch import nn

from glyflib.lessons.published import published_unets
from glyflib.studies.published import OfDiffusers, our_network
from glyflib.unet import UNet

TEXT_DIM = 256  # of the shipped text encoder
PUBLISHED, PUBLISHED_DIM = "words of width 512", 512
EQUAL = {  # as many levels and blocks as ours, of widths that make it as large
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": (64, 112, 176),
    "layers_per_block": 1,
    "norm_num_groups": 16,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": TEXT_DIM,
    "attention_head_dim": 2,
}


def ours() -> UNet:
    """The network of the preset "small", which draws the book's glyphs."""
    net = our_network(TEXT_DIM)
    net.width = TEXT_DIM
    return net


def equal() -> OfDiffusers:
    """A network of diffusers with about as many parameters as ours."""
    return OfDiffusers(UNet2DConditionModel(**EQUAL), TEXT_DIM)


def published() -> OfDiffusers:
    """The network of the published glyffuser, which reads text of width 512."""
    _, options = published_unets()[PUBLISHED]
    return OfDiffusers(UNet2DConditionModel(**options), PUBLISHED_DIM)


def num_parameters(net: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(value.numel() for value in net.parameters())
