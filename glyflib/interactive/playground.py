"""Points that the reader puts into the plane, and the perfect denoiser that leads home.

Invariant: density, arrows and samples are computed in the page from the points that are
there, by the formulas of `glyflib.exact` and `glyflib.sampling`.
"""

import math
from collections.abc import Mapping

import torch
from IPython.display import HTML
from torch import Tensor

from glyflib.data import ink_points
from glyflib.exact import IdealDenoiser
from glyflib.interactive.plane import (
    BLUE,
    SPAN,
    check_level,
    computed_figure,
    lattice,
    numbers,
    schedule_data,
    still_plane,
)

#: Samplers that the page knows, by what they are in `glyflib.sampling`.
SAMPLERS = {
    "ddpm": "sample with eta 1",
    "ddim": "sample with eta 0",
    "heun": "sample_heun",
    "2m": "sample_dpm",
}
MAX_POINTS = 300  # of a set: more would make a phone slow
COUNTS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
STRETCH = 2.2  # a glyph reaches so far from the middle


def ready_points(picture: Tensor, *, generator: torch.Generator) -> dict[str, Tensor]:
    """Sets of points to begin with: five, two clusters, a ring, a glyph's ink.

    Args:
        picture: (1, S, S) or (S, S) uint8, the glyph.
        generator: source of the random places.

    Returns:
        Name -> points (N, 2), within the plane of the playground.
    """
    five = torch.tensor(
        [[-1.5, 1.2], [1.3, 1.6], [0.2, -0.3], [-1.1, -1.7], [1.9, -0.9]],
        dtype=torch.float64,
    )
    near = torch.randn(24, 2, generator=generator, dtype=torch.float64)
    sides = torch.tensor([[-1.5, -0.6], [1.5, 0.6]], dtype=torch.float64)
    angle = 2 * math.pi * torch.arange(24, dtype=torch.float64) / 24
    ring = 1.8 * torch.stack([angle.cos(), angle.sin()], dim=1)
    ink = STRETCH * ink_points(picture, 90, generator=generator).double()
    return {
        "five points": five,
        "two clusters": sides.repeat_interleave(12, dim=0) + 0.3 * near,
        "a ring": ring,
        "the ink of a glyph": ink,
    }


def check_points(sets: Mapping[str, Tensor], span: float) -> None:
    """Raise a ValueError unless each set has points that the plane can show."""
    if not sets:
        raise ValueError("a playground needs a set of points to begin with")
    for name, points in sets.items():
        found = f"the set {name!r} {tuple(points.shape)}"
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(f"{found} must be (N, 2), with at least one point")
        if len(points) > MAX_POINTS:
            raise ValueError(f"{found} has more than {MAX_POINTS} points: take fewer")
        if not (points.abs() <= span).all():
            raise ValueError(
                f"{found} must lie within {span:g} of the middle: scale it down"
            )


def playground(
    sets: Mapping[str, Tensor],
    alpha_bar: Tensor,
    *,
    sampler: str = "ddim",
    num_steps: int = 20,
    level: int | None = None,
    num_samples: int = 60,
    seed: int = 0,
) -> HTML:
    """A plane for the reader's own points, with their exact denoiser.

    One sees the density of the noised points at a level, which way the denoiser leads
    from each place, and samples on their way from noise to data. Noise is drawn as
    `torch.randn` does from the seed, in 64-bit numbers: first the noise of all samples,
    then that of each step.

    Args:
        sets: ready points by name, each (N, 2); the first is there at the start.
        alpha_bar: (T + 1,) schedule, without levels that have no signal.
        sampler: which leads the samples home, of `SAMPLERS`.
        num_steps: from noise to data, at first.
        level: at first; None for T, pure noise.
        num_samples: how many walk; 8 or more.
        seed: of their noise.

    Raises:
        ValueError: If a set, the schedule, a sampler or a number does not fit.
    """
    last = len(alpha_bar) - 1
    level = last if level is None else level
    check_points(sets, SPAN)
    check_level("level", level, 0, last)
    check_level("num_steps", num_steps, 1, last)
    check_level("num_samples", num_samples, 8, 500)  # torch draws fewer in another way
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler {sampler!r} must be one of {[*SAMPLERS]}")
    counts = sorted({num_steps, *(count for count in COUNTS if count <= last)})
    data = {
        "alphaBar": schedule_data(alpha_bar),
        "sets": {name: numbers(points) for name, points in sets.items()},
        "sampler": sampler,
        "counts": counts,
        "steps": num_steps,
        "level": level,
        "walkers": num_samples,
        "seed": seed,
        "span": SPAN,
    }
    first = next(iter(sets.values())).double()
    return computed_figure("playground", "playground", data, still(first, alpha_bar))


def still(points: Tensor, alpha_bar: Tensor) -> str:
    """The points and the arrows half way to noise, where no script runs."""
    t = torch.tensor(len(alpha_bar) // 2)
    shrink = alpha_bar[t].double().sqrt()
    places = lattice(11)
    tips = shrink * IdealDenoiser(points, alpha_bar).denoise(places, t)
    return still_plane(
        [(points, 6, BLUE, False), (shrink * points, 3, BLUE, True)],
        (places, tips),
        alt=f"{len(points)} points, and arrows that lead to them from everywhere at "
        f"level {t}; to change them needs JavaScript.",
    )
