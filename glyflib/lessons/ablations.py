"""Take a part away from a U-net, to see what the part was good for.

Invariant: the network that is handed in stays as it was; what comes back is a changed
copy, called in the same way.
"""

from collections.abc import Collection
from copy import deepcopy

import torch
from torch import Tensor, nn

from glyflib.schedule import add_noise, v_from_x0_eps
from glyflib.unet import Block, UNet, timestep_embedding


def sides_of(unet: UNet, size: int) -> list[int]:
    """Sides of the feature maps, from the top of the U to its bottom.

    Args:
        unet: any.
        size: S, height and width of its pictures.
    """
    top = size // unet.config["patch"]
    return [top // 2**i for i in range(len(unet.config["channels"]))]


def without_skips(
    unet: UNet, sides: Collection[int] | None = None, *, size: int = 32
) -> UNet:
    """A copy whose blocks on the way up find zeros in place of the kept feature maps.

    Args:
        unet: any.
        sides: of the feature maps where skips are cut, such as (16, 8); None for all.
        size: S, height and width of the pictures it is for.

    Raises:
        ValueError: If no feature maps have such a side.
    """
    known = sides_of(unet, size)
    cut = known if sides is None else list(sides)
    if unknown := [side for side in cut if side not in known]:
        raise ValueError(f"no skip at side {unknown[0]}: the sides are {known}")
    copy = deepcopy(unet)
    blocks = [layer for layer in copy.up if isinstance(layer, Block)]
    per_side = len(blocks) // len(known)
    width = copy.middle[-1].res.conv2.out_channels  # of what comes from below
    for i, block in enumerate(blocks):
        side = known[-1 - i // per_side]
        if side in cut:
            block.res.register_forward_pre_hook(Cut(width))
        width = block.res.conv2.out_channels
    return copy


def without_depth(unet: UNet, side: int, *, size: int = 32) -> UNet:
    """A copy in which nothing comes up from below the feature maps of a side.

    Args:
        unet: any.
        side: of the feature maps that find zeros in place of what comes from below.
        size: S, height and width of the pictures it is for.

    Raises:
        ValueError: If nothing comes up to feature maps of such a side.
    """
    *known, _ = sides_of(unet, size)
    if side not in known:
        raise ValueError(f"nothing comes up to side {side}: the sides are {known}")
    copy = deepcopy(unet)
    rises = [layer for layer in copy.up if not isinstance(layer, Block)]
    rises[::-1][known.index(side)].register_forward_hook(silence)
    return copy


def silence(layer: nn.Module, given: tuple, output: Tensor) -> Tensor:
    """Zeros in place of what a layer puts out."""
    return torch.zeros_like(output)


class Cut:
    """Sets all but the first channels of what a block is handed to zero.

    Args:
        width: how many channels stay.
    """

    def __init__(self, width: int):
        self.width = width

    def __call__(self, block: nn.Module, given: tuple) -> tuple:
        """(B, C, H, W) and more -> the same, with zeros from channel `width` on."""
        x, *others = given
        kept = torch.zeros_like(x[:, self.width :])
        return torch.cat([x[:, : self.width], kept], dim=1), *others


def without_attention(unet: UNet) -> UNet:
    """A copy in which no place of the picture looks at the others.

    Args:
        unet: any; what reads text stays.
    """
    copy = deepcopy(unet)
    for block in copy.modules():
        if isinstance(block, Block):
            block.self_attention = None
    return copy


def with_fixed_level(unet: UNet, t: int) -> UNet:
    """A copy that hears the same level, whatever it is told.

    Args:
        unet: any.
        t: the level that it hears, in [0, T].
    """
    copy = deepcopy(unet)
    copy.level_mlp.register_forward_pre_hook(Hear(t))
    return copy


class Hear:
    """Puts the waves of one level in place of all others.

    Args:
        t: the level.
    """

    def __init__(self, t: int):
        self.t = t

    def __call__(self, layer: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        """(B, D) waves of any levels -> (B, D) waves of the one level."""
        (waves,) = given
        level = torch.tensor([self.t], device=waves.device)
        heard = timestep_embedding(level, waves.shape[1]).to(waves)
        return (heard.expand_as(waves),)


def train_briefly(
    network: nn.Module,
    x0: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 80,
    batch_size: int = 16,
    seed: int = 0,
) -> nn.Module:
    """Train a small network to predict v, for some seconds; in place.

    Networks that are trained with the same seed see the same glyphs, levels and noise.

    Args:
        network: called as network(xt, t), for pictures like x0.
        x0: (N, C, S, S) clean pictures.
        alpha_bar: (T + 1,) schedule.
        num_steps: turns of the weights.
        batch_size: pictures in each.
        seed: of what it is shown.

    Returns:
        the same network, which learns no more.

    References:
        Ho et al. 2020, Algorithm 1; the target is v, Salimans and Ho 2022, section 4.
    """
    gen = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, num_steps)
    for _ in range(num_steps):
        clean = x0[torch.randint(len(x0), (batch_size,), generator=gen)]
        t = torch.randint(1, len(alpha_bar), (batch_size,), generator=gen)
        eps = torch.randn(clean.shape, generator=gen)
        xt = add_noise(clean, eps, t, alpha_bar)
        v = v_from_x0_eps(clean, eps, t, alpha_bar)
        loss = (network(xt, t) - v).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    return network.requires_grad_(False).eval()
