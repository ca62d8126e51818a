"""Solvers on glyphs: every sampler from the same noise, and the order of three.

Invariant: all samplers start from one noise at one level and read the empty caption;
a seed is one part, so that error bars over parts are error bars over seeds.
"""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.solver_race import (
    CALLS,
    MIDDLE,
    NUM_GLYPHS,
    ODE_SAMPLERS,
    ORDER_STEPS,
    SAMPLERS,
    START,
    draw,
    first_noise,
)
from glyflib.sampling import PredictEps
from glyflib.studies.common import Part, Subject

NUM_SEEDS = 4
REFERENCE = 199  # calls of 2M
FINEST = 980  # steps of the reference of orders
NUM_ORDER = 2  # glyphs


def race_seed(
    glyffuser: Glyffuser, seed: int, *, num_glyphs: int, reference: int
) -> dict:
    """Pictures by every sampler at all numbers of calls, and distances to 2M's best.

    Returns:
        errors: sampler -> one row for each of CALLS -> root mean square distance of
            each glyph to the reference, which is 2M with many calls.
        pictures: (samplers x CALLS + 1, B, S, S) uint8, the reference last.
    """
    eps, alpha_bar = glyffuser.denoiser(""), glyffuser.alpha_bar[: START + 1]
    noise = first_noise(seed, num_glyphs, glyffuser.size)
    best = draw("2M", reference, eps, noise, alpha_bar, seed)
    errors, drawn = {}, []
    for name in SAMPLERS:
        found = [draw(name, n, eps, noise, alpha_bar, seed) for n in CALLS]
        apart = [(x - best).square().mean((1, 2, 3)).sqrt() for x in found]
        errors[name] = [row.tolist() for row in apart]
        drawn += found
    pictures = images_from_x0(torch.stack([*drawn, best])).squeeze(2)
    return {"calls": list(CALLS), "errors": errors, "pictures": pictures}


def reach(
    name: str, num_steps: int, predict_eps: PredictEps, xt: Tensor, alpha_bar: Tensor
) -> Tensor:
    """What an ODE sampler makes (B, 1, S, S) of noise by level MIDDLE."""
    steps = SAMPLERS[name](predict_eps, xt, alpha_bar, num_steps=num_steps)
    return next(step.xt for step in steps if step.t == MIDDLE)


def measure_order(
    glyffuser: Glyffuser, seed: int, *, num_glyphs: int, finest: int
) -> dict:
    """Errors half way down, against 2M with very many steps.

    Returns:
        errors: sampler -> root mean square error for each of ORDER_STEPS.
    """
    eps, alpha_bar = glyffuser.denoiser(""), glyffuser.alpha_bar[: START + 1]
    noise = first_noise(seed, num_glyphs, glyffuser.size)
    best, errors = reach("2M", finest, eps, noise, alpha_bar), {}
    for name in ODE_SAMPLERS:
        ends = (reach(name, n, eps, noise, alpha_bar) for n in ORDER_STEPS)
        errors[name] = [(x - best).square().mean().sqrt().item() for x in ends]
    return {"steps": list(ORDER_STEPS), "errors": errors}


def solvers(
    subject: Subject,
    seed: int,
    *,
    num_seeds: int = NUM_SEEDS,
    num_glyphs: int = NUM_GLYPHS,
    reference: int = REFERENCE,
    num_order: int = NUM_ORDER,
    finest: int = FINEST,
) -> Mapping[str, Part]:
    """The parts `seed 0`, `seed 1`, ... from 1000 times the seed on; then `order`."""
    race = partial(
        race_seed, subject.glyffuser, num_glyphs=num_glyphs, reference=reference
    )
    found = {f"seed {i}": partial(race, 1000 * seed + i) for i in range(num_seeds)}
    found["order"] = partial(
        measure_order,
        subject.glyffuser,
        1000 * seed,
        num_glyphs=num_order,
        finest=finest,
    )
    return found
