"""From noise to data: samplers that share one signature, and guidance.

Invariant: a sampler yields one `Step` after the other, from level T down to level 0; it
calls `predict_eps(xt, t)` and knows nothing else of the model.
"""

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import exp, log, sqrt
from typing import NamedTuple, SupportsIndex

import torch
from torch import Tensor

from glyflib.schedule import (
    x0_from_eps,
)

MOST_SCALE = 1000  # of guidance; about 1 to 15 is of use
NUM_SEEDS = 2**32  # torch's generator on the CPU reads no more of a seed than this

#: Callable of xt (B, ...) and levels t (B,) that returns eps_hat (B, ...), such as a
#: network, a guided one or an exact denoiser.
PredictEps = Callable[[Tensor, Tensor], Tensor]
#: Callable that mends believed data x0_hat (B, ...), such as `clip`.
FixX0 = Callable[[Tensor], Tensor]
#: CPU source of noise for a whole batch, or B of them, one a row.
Generators = torch.Generator | Sequence[torch.Generator]


class Step(NamedTuple):
    """What a sampler yields after each step.

    Attributes:
        t: level reached, 0 at the end.
        xt: (B, ...) sample at level t.
        x0_hat: (B, ...) clean data that the model believed in on the way.
    """

    t: int
    xt: Tensor
    x0_hat: Tensor


def last_of(steps: Iterator[Step]) -> Step:
    """Take all the steps, and keep the last one only.

    Raises:
        ValueError: If there is none.
    """
    kept = deque(steps, maxlen=1)
    if not kept:
        raise ValueError("a sampler without steps has drawn nothing")
    return kept.pop()


def level_grid(num_levels: int, num_steps: int) -> list[int]:
    """Levels visited, num_steps + 1 of them from T to 0, evenly spaced and rounded.

    Args:
        num_levels: the highest one, T.
        num_steps: steps between them.

    Raises:
        ValueError: If num_steps is not in [1, T].
    """
    if not 1 <= num_steps <= num_levels:
        raise ValueError(f"num_steps {num_steps} must lie in [1, {num_levels}]")
    return torch.linspace(num_levels, 0, num_steps + 1).round().long().tolist()


def clip(x0_hat: Tensor) -> Tensor:
    """Bring believed data x0_hat (...) back into [-1, 1]."""
    return x0_hat.clamp(-1, 1)


def dynamic_threshold(share: float = 0.995) -> FixX0:
    """Clip at a quantile of each sample, then scale back into [-1, 1].

    Args:
        share: quantile of |x0_hat| kept unclipped, in (0, 1].

    Returns:
        Function of x0_hat (B, ...), to be given to a sampler as `fix_x0`. Samples whose
        quantile is below 1 stay in their range: they are clipped at 1.

    Raises:
        ValueError: If share is out of range.

    References:
        Saharia et al. 2022, section 2.3.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share {share} must lie in (0, 1]")

    def fix(x0_hat: Tensor) -> Tensor:
        size = x0_hat.abs().flatten(1).quantile(share, dim=1).clamp(min=1)
        size = size.reshape(-1, *[1] * (x0_hat.ndim - 1))
        return x0_hat.clamp(-size, size) / size

    return fix


def check_scale(scale: float) -> None:
    """Raise a ValueError unless a guidance scale lies within `MOST_SCALE` of 0.

    Far beyond what is of use, numbers overflow and pictures are lost.
    """
    if not abs(scale) <= MOST_SCALE:
        raise ValueError(f"scale {scale} must lie in [-{MOST_SCALE}, {MOST_SCALE}]")


def guided(model, cond, null, scale: float) -> PredictEps:
    """Classifier-free guidance; scale 1 is plain conditional prediction.

    Conditions that can be joined (`cond.cat(null)`, as those of text can) are asked in
    one call of a doubled batch, which is faster than two. At scales 0 and 1, where one
    of the two does not count, only the other is asked.

    Args:
        model: callable of (xt, t, condition) that returns eps_hat (B, ...).
        cond: condition, of B rows where it is a `TextCondition`.
        null: empty condition, or what to steer away from, of as many rows.
        scale: 0 unconditional, 1 conditional, above 1 pushed beyond it.

    Returns:
        predict_eps of (xt, t), as samplers ask for it.

    Raises:
        ValueError: If scale is not a number, or beyond `MOST_SCALE`.

    References:
        Ho and Salimans 2022, Eq. 6, whose w is scale - 1.
    """
    check_scale(scale)
    if scale in (0, 1):
        only = cond if scale == 1 else null
        return lambda xt, t: model(xt, t, only)

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        if hasattr(cond, "cat"):
            twice = torch.cat([xt, xt]), torch.cat([t, t])
            eps_cond, eps_null = model(*twice, cond.cat(null)).chunk(2)
        else:
            eps_cond, eps_null = model(xt, t, cond), model(xt, t, null)
        return eps_null.lerp(eps_cond, scale)

    return predict_eps


def guided_between(
    guided: PredictEps, plain: PredictEps, low: int, high: int
) -> PredictEps:
    """Guidance at levels above low, up to high; the plain prediction elsewhere.

    Args:
        guided: predict_eps of (xt, t) to take within (low, high].
        plain: predict_eps of (xt, t) to take elsewhere.
        low: level in [0, T].
        high: level in [0, T].

    Returns:
        predict_eps of (xt, t), for a batch whose rows are all at one level.

    References:
        Kynkäänniemi et al. 2024.
    """

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        return (guided if low < t[0] <= high else plain)(xt, t)

    return predict_eps


def believe(
    predict_eps: PredictEps, xt: Tensor, t: int, alpha_bar: Tensor, fix_x0: FixX0 | None
) -> tuple[Tensor, Tensor]:
    """One call of the model: believed data and noise, consistent with each other.

    Args:
        predict_eps: the model.
        xt: (B, ...) noisy samples, all at one level.
        t: their noise level in [1, T].
        alpha_bar: (T + 1,) of the schedule.
        fix_x0: mends the believed data, such as a clip; None leaves them.

    Returns:
        x0_hat and eps_hat, each of the shape of xt. The noise follows from the data
        where these were mended.

    References:
        Song, Meng and Ermon 2021, Eq. 9, for the believed data.
    """
    t_batch = torch.full((len(xt),), t, device=xt.device)
    eps_hat = predict_eps(xt, t_batch)
    x0_hat = x0_from_eps(xt, eps_hat, t_batch, alpha_bar)
    if fix_x0 is not None:
        x0_hat, a = fix_x0(x0_hat), alpha_bar[t].item()
        eps_hat = (xt - sqrt(a) * x0_hat) / sqrt(1 - a)
    return x0_hat, eps_hat


def fresh_noise(xt: Tensor, generator: Generators | None) -> Tensor:
    """Standard normal noise drawn on the CPU, so that every device sees the same.

    From a sequence of generators each row draws from its own, so that a row's noise
    does not depend on the batch that it is in.

    Args:
        xt: (B, ...) whose shape, dtype and device the noise gets.
        generator: CPU source, or B of them, one a row; None for torch's global one.

    Returns:
        z: (B, ...).

    Raises:
        ValueError: If there is not one generator a row.
    """
    if generator is None or isinstance(generator, torch.Generator):
        noise = torch.randn(xt.shape, generator=generator, dtype=xt.dtype)
        return noise.to(xt.device)
    if len(generator) != len(xt):
        raise ValueError(f"{len(generator)} generators must be one, or {len(xt)}")
    rows = [torch.randn(xt.shape[1:], generator=g, dtype=xt.dtype) for g in generator]
    return torch.stack(rows).to(xt.device)


def seeds_of(seed: SupportsIndex | Iterable[SupportsIndex], count: int) -> list[int]:
    """One seed a row: seed, seed + 1, … or the ones given.

    Args:
        seed: an integer of any kind (Python's, NumPy's, torch's), or `count` of them.
        count: number of rows.

    Raises:
        ValueError: If there are not `count`, or one is not an integer in [0, 2 ** 32).
    """
    try:
        first = operator.index(seed)
        seeds = list(range(first, first + count))
    except TypeError:
        seeds = [whole_number(one) for one in each_of(seed)]
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds must be one, or {count}: one a row")
    for one in seeds:
        if not 0 <= one < NUM_SEEDS:
            raise ValueError(f"seed {one} must be an integer in [0, {NUM_SEEDS})")
    return seeds


def each_of(seed: object) -> list:
    """What a sequence of seeds holds, or a ValueError if it is none."""
    try:
        return list(seed)
    except TypeError:
        raise ValueError(f"seed {seed!r} must be an integer, or one a row") from None


def whole_number(one: object) -> int:
    """An integer of any kind as Python's, or a ValueError."""
    try:
        return operator.index(one)
    except TypeError:
        raise ValueError(f"seed {one!r} must be an integer") from None


def step_down(
    x0_hat: Tensor,
    eps_hat: Tensor,
    shares: tuple[float, float],
    *,
    eta: float = 0.0,
    generator: Generators | None = None,
) -> Tensor:
    """One step of DDIM (eta 0) to DDPM (eta 1), from level t to a cleaner level s.

    Args:
        x0_hat: (B, ...) believed data at level t.
        eps_hat: (B, ...) believed noise at level t.
        shares: alpha_bar at t and at s.
        eta: share of the posterior's noise that is added back, in [0, 1].
        generator: CPU source of that noise, or B of them, one a row.

    Returns:
        xs: (B, ...).

    References:
        Song et al. 2021 (DDIM), Eqs. 12 and 16.
    """
    a_t, a_s = shares
    var = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    xs = sqrt(a_s) * x0_hat + sqrt(1 - a_s - var) * eps_hat
    if var > 0:
        xs = xs + sqrt(var) * fresh_noise(xs, generator)
    return xs


@torch.no_grad()
def sample(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 50,
    eta: float = 0.0,
    generator: Generators | None = None,
    fix_x0: FixX0 | None = None,
) -> Iterator[Step]:
    """DDIM (eta 0) to DDPM (eta 1) sampling, one yield a step.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: calls of the model, in [1, T].
        eta: share of the posterior's noise that is added back, in [0, 1].
        generator: CPU source of that noise, or B of them, one a row.
        fix_x0: applied to x0_hat at each step, such as `clip`.

    Yields:
        `Step` of the level reached, from below T down to 0.

    Raises:
        ValueError: If num_steps or eta is out of range.

    References:
        Song et al. 2021 (DDIM), Eqs. 12 and 16.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta {eta} must lie in [0, 1]")
    for t, s in pairwise(level_grid(len(alpha_bar) - 1, num_steps)):
        x0_hat, eps_hat = believe(predict_eps, xt, t, alpha_bar, fix_x0)
        shares = alpha_bar[t].item(), alpha_bar[s].item()
        xt = step_down(x0_hat, eps_hat, shares, eta=eta, generator=generator)
        yield Step(s, xt, x0_hat)


@torch.no_grad()
def sample_heun(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 25,
    generator: Generators | None = None,
    fix_x0: FixX0 | None = None,
) -> Iterator[Step]:
    """Heun's method for the probability-flow ODE: second order, two calls a step.

    In y = xt / sqrt(alpha_bar) and sigma = sqrt(1 / alpha_bar - 1) the ODE is
    dy / dsigma = eps_hat. The last step, to sigma 0, is a plain Euler step.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: steps, in [1, T]; the model is called 2 * num_steps - 1 times.
        generator: unused, since nothing is random; there so that samplers swap.
        fix_x0: applied to x0_hat at each call, such as `clip`.

    Yields:
        `Step` of the level reached, from below T down to 0.

    Raises:
        ValueError: If num_steps is out of range.

    References:
        Karras et al. 2022, Algorithm 1; Song et al. 2021 (DDIM), Eq. 14.
    """
    for t, s in pairwise(level_grid(len(alpha_bar) - 1, num_steps)):
        a_t, a_s = alpha_bar[t].item(), alpha_bar[s].item()
        h = sqrt(1 / a_s - 1) - sqrt(1 / a_t - 1)
        x0_hat, eps_hat = believe(predict_eps, xt, t, alpha_bar, fix_x0)
        xs = sqrt(a_s) * (xt / sqrt(a_t) + h * eps_hat)
        if s > 0:
            x0_hat, eps_next = believe(predict_eps, xs, s, alpha_bar, fix_x0)
            xs = sqrt(a_s) * (xt / sqrt(a_t) + h * (eps_hat + eps_next) / 2)
        xt = xs
        yield Step(s, xt, x0_hat)


def half_log_snr(alpha_bar: Tensor, t: int) -> float:
    """Log of signal factor over noise factor, lambda of the DPM-Solver papers."""
    a = alpha_bar[t].item()
    return (log(a) - log(1 - a)) / 2


@torch.no_grad()
def sample_dpm(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 25,
    generator: Generators | None = None,
    fix_x0: FixX0 | None = None,
    is_sde: bool = False,
) -> Iterator[Step]:
    """DPM-Solver++ 2M: second order with one call a step, by looking one step back.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: calls of the model, in [1, T].
        generator: CPU source of noise, or B of them; used only where is_sde.
        fix_x0: applied to x0_hat at each step, such as `clip`.
        is_sde: solve the reverse SDE instead of the ODE, with fresh noise each step.

    Yields:
        `Step` of the level reached, from below T down to 0.

    Raises:
        ValueError: If num_steps is out of range.

    References:
        Lu et al. 2022 (DPM-Solver++), Algorithm 2 and, for the SDE, section 5.
    """
    before, h_before = None, 1.0
    for t, s in pairwise(level_grid(len(alpha_bar) - 1, num_steps)):
        x0_hat, _ = believe(predict_eps, xt, t, alpha_bar, fix_x0)
        if s == 0:  # lambda is infinite there: the formula's limit is x0_hat
            xt = x0_hat
        else:
            a_t, a_s = alpha_bar[t].item(), alpha_bar[s].item()
            h = half_log_snr(alpha_bar, s) - half_log_snr(alpha_bar, t)
            slope = 0 if before is None else (x0_hat - before) * h / h_before / 2
            decay = exp(-2 * h) if is_sde else exp(-h)
            keep = sqrt((1 - a_s) / (1 - a_t)) * (exp(-h) if is_sde else 1)
            xt = keep * xt + sqrt(a_s) * (1 - decay) * (x0_hat + slope)
            if is_sde:
                noise = fresh_noise(xt, generator)
                xt = xt + sqrt((1 - a_s) * (1 - decay)) * noise
            before, h_before = x0_hat, h
        yield Step(s, xt, x0_hat)


def sample_sde(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 50,
    **options,
) -> Iterator[Step]:
    """SDE-DPM-Solver++ 2M: `sample_dpm` on the reverse SDE, so that noise is renewed.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: calls of the model, in [1, T].
        options: `generator` and `fix_x0`, as those of `sample_dpm`; so are errors and
            references.

    Yields:
        `Step` of the level reached, from below T down to 0.
    """
    options |= {"num_steps": num_steps, "is_sde": True}
    return sample_dpm(predict_eps, xt, alpha_bar, **options)
