"""Single numbers that chapters read off a glyph's picture."""

import torch
from torch import Tensor


def widest_bar(images: Tensor, *, threshold: int = 128) -> Tensor:
    """The longest unbroken horizontal run of ink, as a share of the square's width.

    Args:
        images: (N, 1, S, S) uint8.
        threshold: a pixel is ink where it is darker than this.

    Returns:
        (N,) in double precision, from 0, no ink at all, to 1.
    """
    is_ink = images[:, 0] < threshold
    run = torch.zeros(is_ink.shape[:2])  # of each row, up to the column we are at
    longest = run
    for column in is_ink.unbind(dim=2):
        run = (run + 1) * column
        longest = torch.maximum(longest, run)
    return longest.amax(dim=1).double() / images.shape[-1]
