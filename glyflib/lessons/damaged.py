"""Small pictures that are damaged by noise, beside the large ones that they come from.

Invariant: the damage is the same wherever it is asked for.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glyflib.data import evenly, load_glyphs, x0_from_images

SIDE = 64  # pixels of a crop, from the middle of a glyph of 128 x 128
FACTOR = 4  # how many times wider a crop is than its small picture


def damaged_crops(std: float, num: int = 12) -> tuple[Tensor, Tensor]:
    """Middles of held-out glyphs, and their small pictures with noise on top.

    Args:
        std: standard deviation of the noise, at least 0.
        num: how many.

    Returns:
        crops (num, 1, 64, 64) and damaged small pictures (num, 1, 16, 16).

    Raises:
        ValueError: If std is below 0.
    """
    if std < 0:
        raise ValueError(f"std {std} must be at least 0")
    glyphs = load_glyphs("test", 2 * SIDE)
    rows = evenly(num, len(glyphs))
    x0 = x0_from_images(glyphs.images[rows])
    first = SIDE // 2
    crops = x0[..., first : first + SIDE, first : first + SIDE]
    generator = torch.Generator().manual_seed(0)
    small = avg_pool2d(crops, FACTOR)
    return crops, small + std * torch.randn(small.shape, generator=generator)
