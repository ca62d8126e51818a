"""Questions of "Inside the U-net": fields, operations, norms, folding and places."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, group_norm
from torch.utils.flop_counter import FlopCounterMode

from glyflib.glyffuser import Glyffuser
from glyflib.lessons import footprint
from glyflib.lessons.question import Mistake, Question
from glyflib.unet import Attention, UNet


def field(strides: tuple[int, ...] = (1, 2, 1, 1)) -> int:
    """Side of the receptive field of 3x3 layers: how many inputs have a slope."""
    size = 4 * len(strides) * max(strides) ** sum(stride > 1 for stride in strides) + 1
    x = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    h = x
    for stride in strides:
        kernel = torch.ones(1, 1, 3, 3, dtype=torch.float64)
        h = conv2d(h, kernel, stride=stride, padding=1)
    middle = h.shape[2] // 2
    (slopes,) = torch.autograd.grad(h[0, 0, middle, middle], x)
    return int((slopes[0, 0].sum(dim=0) > 0).sum())


def operations(channels: int, side: int) -> int:
    """Operations of a convolution from so many channels to as many."""
    with torch.device("meta"):
        layer = nn.Conv2d(channels, channels, 3, padding=1)
        h = torch.zeros(1, channels, side, side)
    return footprint.operations(lambda: layer(h))


def ratio() -> float:
    """Operations of the large maps over those of the small ones."""
    return operations(64, 16) / operations(192, 4)


@cache  # checking an answer asks for it more than once
def cost_of(patch: int) -> tuple[int, int]:
    """Weights and operations of the glyffuser's network with another folding."""
    config = Glyffuser.load().unet.config | {"patch": patch}
    with torch.device("meta"):
        unet = UNet(**config)
        text = torch.zeros(1, 1, config["text_dim"])
        with FlopCounterMode(display=False) as counter:
            unet(torch.zeros(1, 1, 32, 32), torch.zeros(1), text)
    count = sum(weight.numel() for weight in unet.parameters())
    return count, counter.get_total_flops()


def unfolded_factor(which: int = 1) -> float:
    """How many times as many operations (weights: 0) a network without folding has."""
    return cost_of(1)[which] / cost_of(2)[which]


def some_maps() -> tuple[Tensor, int]:
    """Feature maps and a number of groups, on which a norm is tried."""
    gen = torch.Generator().manual_seed(0)
    h = torch.randn(3, 8, 4, 4, generator=gen, dtype=torch.float64)
    channels = torch.arange(8, dtype=torch.float64)[:, None, None]
    return h * (1 + channels) + channels, 4


def over_the_batch(h: Tensor, groups: int) -> Tensor:
    """A norm of each channel over all pictures."""
    m, s2 = (
        h.mean((0, 2, 3), keepdim=True),
        h.var((0, 2, 3), correction=0, keepdim=True),
    )
    return (h - m) / (s2 + 1e-5).sqrt()


def by_channel(h: Tensor, groups: int) -> Tensor:
    """A norm of each channel of each picture."""
    return group_norm(h, h.shape[1])


def all_channels(h: Tensor, groups: int) -> Tensor:
    """A norm of all channels of a picture together."""
    return group_norm(h, 1)


def by_variance(h: Tensor, groups: int) -> Tensor:
    """Divided by the variance, without its root."""
    rows = h.reshape(len(h), groups, -1)
    m, s2 = rows.mean(2, keepdim=True), rows.var(2, correction=0, keepdim=True)
    return ((rows - m) / (s2 + 1e-5)).reshape(h.shape)


def only_centred(h: Tensor, groups: int) -> Tensor:
    """The mean taken away, and nothing divided."""
    rows = h.reshape(len(h), groups, -1)
    return (rows - rows.mean(2, keepdim=True)).reshape(h.shape)


def knows_where() -> str:
    """Whether attention gives another answer if the places are shuffled and put back.

    Its last layer starts at zero; without numbers of its own there, all would be one.
    """
    gen = torch.Generator().manual_seed(0)
    layer = Attention(8).double()
    for weight in layer.parameters():
        weight.data = torch.randn(weight.shape, generator=gen, dtype=torch.float64)
    x = torch.randn(1, 8, 4, 4, generator=gen, dtype=torch.float64)
    order = torch.randperm(16, generator=gen)
    shuffled = x.flatten(2)[..., order].unflatten(2, (4, 4))
    with torch.no_grad():
        again = layer(shuffled, None, None).flatten(2)[..., order.argsort()]
        gap = (again - layer(x, None, None).flatten(2)).abs().max()
    return "yes" if gap > 1e-6 else "no"


QUESTIONS = {
    "inside-field": Question(
        right=field,
        because=lambda right: f"the steps 1, 1, 2 and 2 make a field of side {right}.",
        mistakes=(
            Mistake(
                lambda: field((1, 1, 1, 1)),
                "That is the field without any stride.",
            ),
            Mistake(
                lambda: field((2, 1, 1, 1)),
                "The stride of a layer counts for the layers after it, not for itself.",
            ),
            Mistake(
                lambda: (field() - 1) // 2,
                "That is how far it sees to one side. It sees to both, and itself.",
            ),
        ),
        hint="One, and twice the sum of how wide the steps are.",
    ),
    "inside-operations": Question(
        right=ratio,
        because=lambda right: (
            f"{right:.2f}: sixteen times the places outweigh nine times the pairs."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(lambda: 1 / ratio(), "That is the second over the first."),
            Mistake(
                lambda: 64**2 / 192**2,
                "That compares the weights. Each is used at every place.",
            ),
            Mistake(
                lambda: 16**2 / 4**2,
                "That compares the places. How many pairs of channels are there?",
            ),
            Mistake(
                lambda: 64 * 16**2 / (192 * 4**2),
                "There is a kernel for each *pair* of channels: square their numbers.",
            ),
        ),
        hint="Channels squared times the side squared, for each of the two.",
    ),
    "inside-norm": Question(
        right=lambda: group_norm,
        because="each group of each picture has mean 0 and variance 1.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: over_the_batch,
                "That takes means over the batch, so pictures depend on their company.",
            ),
            Mistake(
                lambda: by_channel,
                "That norms each channel by itself. Channels of a group go together.",
            ),
            Mistake(
                lambda: all_channels,
                "That takes all channels as one group. `groups` says how many there "
                "are.",
            ),
            Mistake(lambda: by_variance, "Divide by the *root* of the variance."),
            Mistake(lambda: only_centred, "The mean is gone. Now the spread."),
        ),
        hint="One row for each group of each picture; its mean and its variance; then "
        "the formula. Divide by the number of values: correction=0.",
        given=some_maps,
    ),
    "inside-patch": Question(
        right=unfolded_factor,
        because=lambda right: (
            f"{right:.2f} times the operations, with {unfolded_factor(0):.3f} times "
            "the weights: convolutions take four times as many, attention more."
        ),
        tolerance=0.02,
        mistakes=(
            Mistake(
                lambda: 4.0,
                "Nearly: convolutions take four times as many. Attention compares each "
                "place with each. Count.",
            ),
            Mistake(
                lambda: unfolded_factor(0),
                "That is the factor of the weights. And the operations?",
            ),
            Mistake(
                lambda: 1 / unfolded_factor(),
                "That is the factor of folding. Divide the other way round.",
            ),
        ),
        hint="`count(patch=1)`, and its operations over those of `count()`.",
    ),
    "inside-order": Question(
        right=knows_where,
        because="shuffled and put back, the answer is the same: no place knows where "
        "it lies, unless its features tell.",
        mistakes=(
            Mistake(
                lambda: "yes",
                "Look at the largest difference again. Is it more than rounding?",
            ),
        ),
        hint='Answer "yes" or "no", in quotation marks.',
    ),
}
