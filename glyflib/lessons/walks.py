"""Walks from one picture, code or noise to another, and how sure a reader is of them.

Invariant: the ends of a walk are what it was given, whatever the way.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glyflib.evaluation.radicals import RadicalClassifier


def check_ends(a: Tensor, b: Tensor, shares: Sequence[float]) -> None:
    """Raise a ValueError unless both ends have one shape and there is a share."""
    if a.shape != b.shape:
        raise ValueError(f"ends {tuple(a.shape)} and {tuple(b.shape)} differ in shape")
    if not len(shares):
        raise ValueError("a walk needs at least one share of the way")


def straight(a: Tensor, b: Tensor, shares: Sequence[float]) -> Tensor:
    """Places on the straight line from a to b.

    Args:
        a: (B, ...) where the walks start, at share 0.
        b: (B, ...) where they end, at share 1.
        shares: K of the way.

    Returns:
        (K * B, ...), all walks at the first share, then at the next.

    Raises:
        ValueError: If the ends differ in shape, or there is no share.
    """
    check_ends(a, b, shares)
    return torch.cat([(1 - share) * a + share * b for share in shares])


def on_sphere(a: Tensor, b: Tensor, shares: Sequence[float]) -> Tensor:
    """Places on the arc from a to b, which keeps the length of noise.

    Each row has its own angle. The arc is that of vectors of one length: ends of
    other lengths are met, and lengths in between change smoothly.

    Args:
        a: (B, ...) where the walks start, at share 0.
        b: (B, ...) where they end, at share 1; no multiple of a.
        shares: K of the way.

    Returns:
        (K * B, ...), all walks at the first share, then at the next.

    Raises:
        ValueError: If the ends differ in shape, or there is no share.

    References:
        Shoemake 1985, section 3.3.
    """
    check_ends(a, b, shares)
    cosine = torch.cosine_similarity(a.flatten(1), b.flatten(1))
    angle = cosine.acos().reshape(-1, *[1] * (a.ndim - 1))
    places = []
    for share in shares:
        parts = ((1 - share) * angle).sin() * a + (share * angle).sin() * b
        places.append(parts / angle.sin())
    return torch.cat(places)


def sureness(classifier: RadicalClassifier, x0: Tensor) -> Tensor:
    """The probability (N,) that a reader gives to the radical it finds likeliest.

    Args:
        classifier: the reader.
        x0: (N, 1, S, S) in [-1, 1], S a multiple of the reader's size.
    """
    return classifier.read(x0).logits.double().softmax(1).amax(1)
