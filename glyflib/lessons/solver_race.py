"""A race of samplers: the same noise for all, and so many calls of the network.

Invariant: all start from one noise at level `START`, below the last levels, where
almost no signal is left and the solvers of the ODE lose their order.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor

from glyflib.sampling import (
    PredictEps,
    Step,
    last_of,
    sample,
    sample_dpm,
    sample_heun,
    sample_sde,
)
from glyflib.schedule import log_snr

SAMPLERS: Mapping[str, Callable[..., Iterator[Step]]] = MappingProxyType(
    {
        "DDPM": partial(sample, eta=1.0),
        "SDE": sample_sde,
        "DDIM": sample,
        "Heun": sample_heun,
        "2M": sample_dpm,
    }
)
ODE_SAMPLERS = ("DDIM", "Heun", "2M")
CALLS = (5, 9, 19, 39)  # odd, because Heun's method makes 2 n - 1
START = 980  # the level of the first noise
ORDER_STEPS = (14, 28, 70, 140)  # divisors of START that visit MIDDLE
MIDDLE = 490  # the level where orders are measured
NUM_GLYPHS = 8  # a seed


def first_noise(seed: int, num_glyphs: int, size: int) -> Tensor:
    """The noise (B, 1, S, S) that every sampler starts from, float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = num_glyphs, 1, size, size
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def steps_of(sampler: str, num_calls: int) -> int:
    """Steps that a sampler can take with so many calls of the network."""
    return (num_calls + 1) // 2 if sampler == "Heun" else num_calls


def even_on_the_clock(alpha_bar: Tensor, num_steps: int, *, lowest: int) -> list[int]:
    """Levels for a solver, evenly spaced in the log-SNR but for the step to level 0.

    Args:
        alpha_bar: (T + 1,) schedule.
        num_steps: steps, the one from `lowest` to 0 among them, at least 2.
        lowest: the last level above 0, in [1, T).

    Returns:
        num_steps + 1 falling levels, from T to 0, each the nearest there is.

    Raises:
        ValueError: If num_steps or lowest is out of range, or if there are too few
            levels for so many steps.
    """
    num_levels = len(alpha_bar) - 1
    if num_steps < 2 or not 1 <= lowest < num_levels:
        raise ValueError(
            f"num_steps {num_steps} must be at least 2, lowest {lowest} in "
            f"[1, {num_levels})"
        )
    clock = log_snr(alpha_bar)
    wanted = torch.linspace(clock[-1].item(), clock[lowest].item(), num_steps)
    nearest = (clock - wanted[:, None].double()).abs().argmin(dim=1).tolist()
    if len(set(nearest)) < num_steps:
        raise ValueError(f"{num_levels} levels are too few for {num_steps} such steps")
    return [*nearest, 0]


def draw(
    sampler: str,
    num_calls: int,
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    seed: int,
) -> Tensor:
    """The pictures (B, 1, S, S) that a sampler makes of noise with so many calls.

    Args:
        sampler: a key of `SAMPLERS`.
        num_calls: calls of predict_eps.
        predict_eps: the denoiser.
        xt: (B, 1, S, S) noise at the last level of alpha_bar.
        alpha_bar: (T + 1,) schedule, cut after `START`.
        seed: of `first_noise` and of the noise on the way, for the samplers that renew
            it: that is drawn after the first, so no noise comes twice.

    Raises:
        ValueError: If there is no such sampler.
    """
    if sampler not in SAMPLERS:
        known = ", ".join(SAMPLERS)
        raise ValueError(f"sampler {sampler!r} must be one of {known}")
    generator = torch.Generator().manual_seed(seed)
    torch.randn(xt.shape, generator=generator, dtype=torch.float64)  # the first noise
    steps = SAMPLERS[sampler](
        predict_eps,
        xt,
        alpha_bar,
        num_steps=steps_of(sampler, num_calls),
        generator=generator,
    )
    return last_of(steps).xt.clamp(-1, 1)
