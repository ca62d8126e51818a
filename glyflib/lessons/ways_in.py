"""Glyphs for captions, while the network hears them by some of its two ways only.

Invariant: by a way that is cut, the network hears the empty prompt.
"""

import warnings
from collections.abc import Sequence
from types import MappingProxyType

from torch import Tensor

from glyflib.evaluation.probes import hearing
from glyflib.glyffuser import Glyffuser

# What is left open: tokens that cross-attention attends to, and their mean, averaged
# and added to the level's embedding.
WAYS = MappingProxyType(
    {
        "both": ("attended", "averaged"),
        "attention": ("attended",),
        "mean": ("averaged",),
        "neither": (),
    }
)


def draw_hearing(
    glyffuser: Glyffuser,
    captions: Sequence[str],
    ways: str,
    *,
    num_steps: int,
    seed: int = 0,
) -> Tensor:
    """Draw glyphs (B, 1, S, S) for captions, some ways of the text being cut.

    Args:
        glyffuser: whose network reads text by two ways.
        captions: B of them; what is too long is cut without a warning.
        ways: which are open: "both", "attention", "mean" or "neither".
        num_steps: of the sampler, without guidance.
        seed: glyph i draws its noise from seed + i.

    Raises:
        ValueError: If ways is none of the four.
    """
    if ways not in WAYS:
        raise ValueError(f"ways {ways!r} must be one of {', '.join(WAYS)}")
    empty = glyffuser.encoder.encode("")
    deaf = {way: empty for way in WAYS["both"] if way not in WAYS[ways]}
    with hearing(glyffuser.unet, **deaf), warnings.catch_warnings(action="ignore"):
        return glyffuser.sample(captions, num_steps=num_steps, scale=1.0, seed=seed)
