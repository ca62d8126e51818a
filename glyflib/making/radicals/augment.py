"""Disturb real glyphs, so that a classifier also reads strokes that a network drew.

Invariant: at strength 0 every step returns its input, and the whole is the plain
average of areas; all randomness comes from the generator.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, pad

SIZE = 32  # pixels a side of what comes out


def uniform(
    like: Tensor, low: float, high: float, generator: torch.Generator
) -> Tensor:
    """Random numbers from low to high in the shape of another tensor."""
    return low + (high - low) * torch.rand(like.shape, generator=generator)


def blur(ink: Tensor) -> Tensor:
    """Average with the neighbours, weights 1 2 1 across and down (B, 1, H, W)."""
    return avg_pool2d(avg_pool2d(pad(ink, (1, 1, 1, 1)), 2, 1), 2, 1)


def clouds(
    num: int, cells: int, generator: torch.Generator, channels: int = 1
) -> Tensor:
    """Smooth random fields (num, channels, 32, 32): normal values on a coarse grid."""
    coarse = torch.randn(num, channels, cells, cells, generator=generator)
    return interpolate(coarse, size=SIZE, mode="bilinear", align_corners=True)


def warp(ink: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Turn, stretch, slant, shift and bend; halves the size.

    Up to 9 degrees, 13 % of the size, 2 pixels; bends of 0.8 pixels (one std).

    Args:
        ink: (B, 1, 64, 64), 0 paper to 1 ink.
        strength: (B, 1, 1) from 0 to 1.
        generator: source of randomness.

    Returns:
        (B, 1, 32, 32) ink.
    """
    angle, slant, *stretch = (
        strength * uniform(strength, -b, b, generator) for b in (0.15, 0.15, 0.12, 0.12)
    )
    shift = [strength * uniform(strength, -0.12, 0.12, generator) for _ in "xy"]
    bend = 0.05 * strength * clouds(len(ink), 5, generator, channels=2).transpose(0, 1)
    middle = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    right = (angle.cos() * x - angle.sin() * y) * stretch[0].exp() + slant * y
    down = (angle.sin() * x + angle.cos() * y) * stretch[1].exp()
    places = torch.stack([right + shift[0] + bend[0], down + shift[1] + bend[1]], -1)
    return grid_sample(ink, places, align_corners=False)


def restroke(ink: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Make strokes thinner or fatter, softer or harder: blur, then stretch contrast.

    Args:
        ink: (B, 1, H, W), 0 paper to 1 ink.
        strength: (B, 1, 1, 1) from 0 to 1.
        generator: source of randomness.

    Returns:
        Ink of the same shape.
    """
    ink = ink.lerp(blur(ink), strength * uniform(strength, 0, 1, generator))
    threshold = 0.5 + strength * uniform(strength, -0.25, 0.2, generator)
    gain = (strength * uniform(strength, -0.2, 1.2, generator)).exp()
    return ((ink - threshold) * gain + 0.5).clamp(0, 1)


def soil(ink: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Fade the ink, add fine noise and smudges, and blur some.

    Args:
        ink: (B, 1, 32, 32), 0 paper to 1 ink.
        strength: (B, 1, 1, 1) from 0 to 1.
        generator: source of randomness.

    Returns:
        (B, 1, 32, 32) x0, paper +1, ink -1, clipped.
    """
    fade, fine, smudge, soft = (
        strength * uniform(strength, low, high, generator)
        for low, high in ((0, 0.4), (0, 0.17), (0, 0.15), (-1, 0.8))
    )
    ink = ink * (1 - fade) + smudge * clouds(len(ink), 8, generator)
    ink = ink + fine * torch.randn(ink.shape, generator=generator)
    return 1 - 2 * ink.lerp(blur(ink), soft.clamp(min=0)).clamp(0, 1)


def augment(
    images: Tensor, generator: torch.Generator, *, strongest: float = 1.0
) -> Tensor:
    """Disturb each glyph by a strength of its own, drawn evenly up to the strongest.

    Args:
        images: (B, 1, 64, 64) uint8, paper 255, ink 0.
        generator: source of randomness.
        strongest: 0 to 1; at 0 glyphs are made smaller, no more.

    Returns:
        (B, 1, 32, 32) x0, paper +1, ink -1.
    """
    ink = 1 - images.float() / 255
    strength = strongest * torch.rand(len(ink), 1, 1, generator=generator)
    ink = warp(ink, strength, generator)
    ink = restroke(ink, strength.unsqueeze(1), generator)
    return soil(ink, strength.unsqueeze(1), generator)
