"""Three solvers that walk one step at each press, beside the curve that they follow.

Invariant: curve and steps are computed in the page from the mixture's exact denoiser,
by the formulas of `glyflib.sampling`; the curve is Heun's method with a step at each
level.
"""

from html import escape

import torch
from IPython.display import HTML
from torch import Tensor

from glyflib.exact import GaussianMixture
from glyflib.interactive.plane import (
    BLUE,
    ORANGE,
    check_level,
    computed_figure,
    mixture_data,
    schedule_data,
)
from glyflib.sampling import Step, sample, sample_heun

COUNTS = (2, 3, 4, 6, 8, 12, 20)
REACH = 2.2  # the largest place shown, and minus the smallest
MOST_START = 1.0  # the farthest start


def solver_steps(
    pixel: GaussianMixture,
    *,
    from_level: int = 400,
    num_steps: int = 4,
    start: float = -0.6,
) -> HTML:
    """Steps of Euler's method (DDIM), Heun's and 2M from one place, one press a step.

    All three start on the exact curve, at a level below which curves bend, and visit
    the same levels, evenly spaced down to 0.

    Args:
        pixel: mixture of one dimension, with its schedule.
        from_level: where they start, in [20, T].
        num_steps: of each solver, at first.
        start: value at that level, at first, within 1 of 0.

    Raises:
        ValueError: If the mixture has more dimensions, or a number does not fit.
    """
    if pixel.means.shape[1] != 1:
        raise ValueError(
            f"a pixel has 1 dimension, and this has {pixel.means.shape[1]}"
        )
    check_level("from_level", from_level, max(COUNTS), len(pixel.alpha_bar) - 1)
    check_level("num_steps", num_steps, 1, from_level)
    if not abs(start) <= MOST_START:
        raise ValueError(f"start {start} must lie within {MOST_START:g} of 0")
    alpha_bar = pixel.alpha_bar[: from_level + 1]
    data = {
        "alphaBar": schedule_data(alpha_bar),
        "mixture": mixture_data(pixel),
        "counts": sorted({num_steps, *COUNTS}),
        "steps": num_steps,
        "start": start,
        "reach": REACH,
    }
    x = torch.tensor([[start]], dtype=torch.float64)
    curve = list(sample_heun(pixel.predict_eps, x, alpha_bar, num_steps=from_level))
    steps = list(sample(pixel.predict_eps, x, alpha_bar, num_steps=num_steps))
    first = Step(from_level, x, x)
    picture = still([first, *curve], [first, *steps], alpha_bar)
    return computed_figure("solver_steps", "solverSteps", data, picture)


def still(curve: list[Step], steps: list[Step], alpha_bar: Tensor) -> str:
    """The curve and Euler's steps, where no script runs."""
    sigma = ((1 - alpha_bar) / alpha_bar).sqrt()

    def line(walk: list[Step]) -> str:
        places = [
            (
                380 * sigma[t].item() / sigma[-1].item() + 10,
                120 - 120 * x.item() / alpha_bar[t].sqrt().item() / REACH,
            )
            for t, x, _ in walk
        ]
        return " ".join(f"{across:.1f},{down:.1f}" for across, down in places)

    alt = (
        f"A curve of one pixel from noise at the right to data at the left, and "
        f"{len(steps) - 1} steps of Euler's method beside it; to take the steps needs "
        "JavaScript."
    )
    thinned = [*curve[::10], curve[-1]]
    return (
        f'<svg viewBox="0 0 400 240" role="img" aria-label="{escape(alt)}" '
        'style="display:block;width:100%;max-width:720px;margin:0 auto">'
        '<rect x="0.5" y="0.5" width="399" height="239" fill="none" '
        'stroke="currentColor" opacity="0.6"/>'
        f'<polyline points="{line(thinned)}" fill="none" stroke="{BLUE}" '
        'stroke-width="5" opacity="0.5"/>'
        f'<polyline points="{line(steps)}" fill="none" stroke="{ORANGE}" '
        'stroke-width="1.5"/></svg>'
    )
