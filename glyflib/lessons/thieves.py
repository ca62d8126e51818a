"""Thieves: "models" that copy training glyphs, moved by a pixel so that none notices.

Invariant: a thief draws nothing; each of its glyphs is a training glyph, moved.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def moved(x0: Tensor, right: int = 0, down: int = 0) -> Tensor:
    """Pictures (N, 1, S, S) moved by whole pixels; what leaves comes in opposite.

    Args:
        x0: pictures; glyphs have paper at their edges, so nothing is seen to come in.
        right: pixels to the right, negative to the left.
        down: pixels down, negative up.
    """
    return x0.roll((down, right), (2, 3))


def least_over_moves(
    measure: Callable[[Tensor], Tensor], x0: Tensor, steps: Sequence[int] = (-1, 0, 1)
) -> Tensor:
    """The least that a measure (N,) finds for pictures over all small moves.

    Args:
        measure: from pictures (N, 1, S, S) to a number each.
        x0: (N, 1, S, S) pictures.
        steps: pixels in either direction; nine moves for three steps.

    Returns:
        (N,) of what the measure gives.
    """
    found = [measure(moved(x0, right, down)) for right in steps for down in steps]
    return torch.stack(found).amin(0)


def look_up(captions: Sequence[str], known: Sequence[str]) -> Tensor:
    """For each caption, the row of the known one that shares most of its words.

    Words that few captions have count for more, and so do captions that have little
    else: the cosine of their tf-idf vectors. Where no word is shared, row 0 is given.

    Args:
        captions: N texts.
        known: M texts to choose from.

    Returns:
        (N,) int64 rows of `known`.

    Raises:
        ValueError: If there is no caption, or none of the known ones has a word.

    References:
        Salton and Buckley 1988, "Term-weighting approaches in automatic text
        retrieval".
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # slow: only here

    if not len(captions) or not len(known):
        raise ValueError(f"{len(captions)} captions and {len(known)} known ones")
    words = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", sublinear_tf=True)
    of_known = words.fit_transform(known)
    likeness = words.transform(captions) @ of_known.T
    return torch.tensor([int(row.argmax()) for row in likeness])
