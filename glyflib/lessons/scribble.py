"""A scribble: a few lines drawn by numbers, as a small picture.

Invariant: paper is +1, ink is -1, and edges are as grey as the glyphs' own.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

FINE = 4  # drawn so many times as large, then averaged

Line = Sequence[tuple[float, float]]


def scribble(lines: Sequence[Line], *, size: int = 32, width: float = 2.0) -> Tensor:
    """Draw lines on paper.

    Args:
        lines: each a sequence of at least two corners (x, y), in pixels from the upper
            left, x to the right and y down.
        size: height and width of the picture.
        width: of the lines, in pixels, above 0.

    Returns:
        x0: (1, 1, size, size) float64 in [-1, 1].

    Raises:
        ValueError: If width is not above 0, or a line has fewer than two corners.
    """
    if not width > 0:
        raise ValueError(f"width {width} must be above 0")
    page = Image.new("L", (FINE * size, FINE * size), 255)
    pen = ImageDraw.Draw(page)
    for line in lines:
        if len(line) < 2:
            raise ValueError(f"a line needs two corners, and has {list(line)}")
        corners = [(FINE * x, FINE * y) for x, y in line]
        pen.line(corners, fill=0, width=round(FINE * width))
    small = page.resize((size, size), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).double()[None, None] / 127.5 - 1
