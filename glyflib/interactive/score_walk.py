"""A walker on the exact arrows of a mixture of Gaussians, to be dragged and let walk.

Invariant: score, belief and walk are computed in the page, by the formulas of
`glyflib.exact.GaussianMixture` and of `glyflib.lessons.islands.walk`.
"""

from collections.abc import Sequence

import torch
from IPython.display import HTML

from glyflib.exact import GaussianMixture
from glyflib.interactive.plane import (
    BLUE,
    ORANGE,
    SPAN,
    check_level,
    computed_figure,
    lattice,
    mixture_data,
    schedule_data,
    still_plane,
)


def score_walk(
    mixture: GaussianMixture,
    names: Sequence[str],
    *,
    spots: Sequence[tuple[float, float]] | None = None,
    start: tuple[float, float] = (2.0, -2.0),
    level: int = 200,
    fall: int = 2,
    seed: int = 0,
) -> HTML:
    """A plane with the score of a mixture, and a walker that follows it.

    The walker's arrow is its score times the variance of the noise: it ends at the
    mean of the data that may lie underneath, shrunk as data at that level are.

    Args:
        mixture: of K Gaussians in the plane.
        names: K, of its Gaussians.
        spots: where the names stand; None for the means.
        start: where the walker is at first.
        level: at first, in [1, T].
        fall: levels by which the noise may fall with each step.
        seed: of the shakes.

    Raises:
        ValueError: If the mixture is not in the plane, or a number does not fit.
    """
    count, dim = mixture.means.shape
    spots = mixture.means.tolist() if spots is None else [list(spot) for spot in spots]
    last = len(mixture.alpha_bar) - 1
    if dim != 2 or len(names) != count or len(spots) != count:
        raise ValueError(
            f"{count} Gaussians of dimension {dim}, {len(names)} names and "
            f"{len(spots)} spots: there must be as many of each, in the plane"
        )
    check_level("level", level, 1, last)
    check_level("fall", fall, 1, last)
    if not max(map(abs, start)) <= SPAN:
        raise ValueError(f"start {start} must lie within {SPAN:g} of the middle")
    data = {
        "alphaBar": schedule_data(mixture.alpha_bar),
        "mixture": mixture_data(mixture),
        "names": list(names),
        "spots": spots,
        "start": list(start),
        "level": level,
        "fall": fall,
        "lowest": min(20, last),
        "seed": seed,
        "span": SPAN,
    }
    t, here = torch.tensor(level), torch.tensor([start], dtype=torch.float64)
    places = torch.cat([lattice(11), here])
    shrink = mixture.alpha_bar[t].double().sqrt()
    still = still_plane(
        [(mixture.means, 9, BLUE, False), (here, 6, ORANGE, True)],
        (places, shrink * mixture.denoise(places, t)),
        alt=f"Arrows of the score at level {level} lead towards {count} places, marked "
        "by rings; to move the walker needs JavaScript.",
    )
    return computed_figure("score_walk", "scoreWalk", data, still)
