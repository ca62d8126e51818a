"""Solvers on glyphs: every sampler from the same noise, and the order of three.

Invariant: all samplers start from one noise at one level and read the empty caption;
a seed is one part, so that error bars over parts are error bars over seeds.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.sampling import (
    PredictEps,
    Step,
    sample,
    sample_dpm,
    sample_heun,
    sample_sde,
)
from glyflib.studies.common import Part, shipped
from glyflib.text import TextCondition

SAMPLERS: dict[str, Callable[..., Iterator[Step]]] = {
    "DDPM": partial(sample, eta=1.0),
    "SDE": sample_sde,
    "DDIM": sample,
    "Heun": sample_heun,
    "2M": sample_dpm,
}
CALLS = (5, 9, 19, 39)  # odd, for Heun's method makes 2 n - 1
NUM_SEEDS = 4
NUM_GLYPHS = 8  # a seed
START = 980  # the level of the first noise
REFERENCE = 199  # calls of 2M
COUNTS = (14, 28, 70, 140)  # steps: divisors of START that visit MIDDLE
MIDDLE, FINEST = 490, 980  # the level where orders are measured; steps of its reference
NUM_ORDER = 2  # glyphs


def plain_eps(glyffuser: Glyffuser) -> PredictEps:
    """The glyffuser's eps_hat for the empty caption: no guidance, one row a glyph."""
    tokens, mask = glyffuser.encoder.encode([""], max_tokens=glyffuser.max_tokens)

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        B = len(xt)
        cond = TextCondition(tokens.expand(B, -1, -1), mask.expand(B, -1))
        return glyffuser.predict_eps(xt, t, cond)

    return predict_eps


def first_noise(seed: int, num_glyphs: int, size: int) -> Tensor:
    """The noise (B, 1, S, S) that every sampler starts from, float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = num_glyphs, 1, size, size
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def steps_of(name: str, calls: int) -> int:
    """Steps that a sampler can take with so many calls of the network."""
    return (calls + 1) // 2 if name == "Heun" else calls


def draw(
    name: str, calls: int, predict_eps: PredictEps, xt: Tensor, alpha_bar: Tensor, seed
) -> Tensor:
    """The pictures (B, 1, S, S) that a sampler makes of noise with so many calls."""
    generator = torch.Generator().manual_seed(seed)
    options = {"num_steps": steps_of(name, calls), "generator": generator}
    *_, last = SAMPLERS[name](predict_eps, xt, alpha_bar, **options)
    return last.xt.clamp(-1, 1)


def race_seed(
    seed: int, *, glyffuser: Callable[[], Glyffuser], num_glyphs: int, reference: int
) -> dict:
    """Pictures by every sampler at all numbers of calls, and distances to 2M's best.

    Returns:
        errors: sampler -> one row for each of CALLS -> root mean square distance of
            each glyph to the reference, which is 2M with many calls.
        pictures: (samplers x CALLS + 1, B, S, S) uint8, the reference last.
    """
    model = glyffuser()
    eps, alpha_bar = plain_eps(model), model.alpha_bar[: START + 1]
    noise = first_noise(seed, num_glyphs, model.size)
    best = draw("2M", reference, eps, noise, alpha_bar, seed)
    errors, drawn = {}, []
    for name in SAMPLERS:
        found = [draw(name, n, eps, noise, alpha_bar, seed) for n in CALLS]
        apart = [(x - best).square().mean((1, 2, 3)).sqrt() for x in found]
        errors[name] = [row.tolist() for row in apart]
        drawn += found
    pictures = images_from_x0(torch.stack([*drawn, best])).squeeze(2)
    return {"errors": errors, "pictures": pictures}


def reach(name: str, num_steps: int, predict_eps, xt: Tensor, alpha_bar: Tensor):
    """What an ODE sampler makes (B, 1, S, S) of noise by level MIDDLE."""
    steps = SAMPLERS[name](predict_eps, xt, alpha_bar, num_steps=num_steps)
    return next(step.xt for step in steps if step.t == MIDDLE)


def measure_order(
    seed: int, *, glyffuser: Callable[[], Glyffuser], num_glyphs: int, finest: int
) -> dict:
    """Errors half way down, against 2M with very many steps.

    Returns:
        errors: sampler -> root mean square error for each of COUNTS steps.
    """
    model = glyffuser()
    eps, alpha_bar = plain_eps(model), model.alpha_bar[: START + 1]
    noise = first_noise(seed, num_glyphs, model.size)
    best, errors = reach("2M", finest, eps, noise, alpha_bar), {}
    for name in ("DDIM", "Heun", "2M"):
        ends = (reach(name, n, eps, noise, alpha_bar) for n in COUNTS)
        errors[name] = [(x - best).square().mean().sqrt().item() for x in ends]
    return {"errors": errors}


def solvers(
    seed: int,
    *,
    glyffuser: Callable[[], Glyffuser] = shipped,
    num_seeds: int = NUM_SEEDS,
    num_glyphs: int = NUM_GLYPHS,
    reference: int = REFERENCE,
    num_order: int = NUM_ORDER,
    finest: int = FINEST,
) -> Mapping[str, Part]:
    """The parts `seed 0`, `seed 1`, ... from 1000 times the seed on; then `order`."""
    options = {
        "glyffuser": glyffuser,
        "num_glyphs": num_glyphs,
        "reference": reference,
    }
    found = {
        f"seed {i}": partial(race_seed, 1000 * seed + i, **options)
        for i in range(num_seeds)
    }
    options = {"glyffuser": glyffuser, "num_glyphs": num_order, "finest": finest}
    return found | {"order": partial(measure_order, 1000 * seed, **options)}
