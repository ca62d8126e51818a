"""Is a glyph built side by side or stacked? Where it is cheapest to cut tells."""

import numpy as np


def cheapest_cut(ink: np.ndarray, margin: float = 0.2) -> np.ndarray:
    """Ink that a scissor from top to bottom must cut at least, as a share of the side.

    It moves down a pixel at a time, straight or to a neighbouring column, and starts
    and stays between the margins.

    Args:
        ink: (N, S, S) in [0, 1].
        margin: share of the side, left and right, where no cut may run; below 0.5.

    Returns:
        (N,) in [0, 1]; transpose the glyphs for cuts from left to right.

    Raises:
        ValueError: If the glyphs are not square or the margins leave no column.
    """
    if ink.ndim != 3 or ink.shape[1] != ink.shape[2]:
        raise ValueError(f"ink {ink.shape} must be (N, S, S)")
    size = ink.shape[-1]
    lanes = ink[:, :, round(margin * size) : round((1 - margin) * size)]
    if margin < 0 or not lanes.shape[2]:
        raise ValueError(f"margin {margin} must be from 0 to below 0.5")
    cost = lanes[:, 0]
    for row in range(1, size):
        walls = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        sides = np.minimum(walls[:, :-2], walls[:, 2:])
        cost = lanes[:, row] + np.minimum(cost, sides)
    return cost.min(1) / size
