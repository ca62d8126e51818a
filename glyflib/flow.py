"""Straight lines from data to noise: flow matching, and what it shares with diffusion.

Invariant: flow time tau runs from 0, data, to 1, noise, and a velocity points towards
the noise. A schedule's levels are moments of flow time, `tau_of`, and its noisy data
are those of the flow, stretched by `stretch_of`.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from glyflib.sampling import FixX0, Generators, PredictEps, Step, believe
from glyflib.schedule import check_num_levels, level

#: Callable of x (B, ...) at flow times tau (B,) that returns u_hat (B, ...), the
#: velocity that a network believes in.
PredictU = Callable[[Tensor, Tensor], Tensor]


def column(tau: Tensor | float, *, like: Tensor) -> Tensor:
    """Flow times, shaped to multiply a batch.

    Args:
        tau: (B,) times in [0, 1], or one for all rows.
        like: (B, ...) whose number of dimensions, dtype and device it gets.

    Returns:
        (B, 1, ...); (1, 1, ...) for one time.

    Raises:
        ValueError: If tau is not one time in [0, 1] for each row of `like`.
    """
    tau = torch.as_tensor(tau)
    if tau.ndim > 1 or (tau.ndim == 1 and len(tau) not in (1, len(like))):
        raise ValueError(f"tau {tuple(tau.shape)} must be one a row of {len(like)}")
    if tau.numel() and not ((tau >= 0) & (tau <= 1)).all():
        raise ValueError(f"tau must lie in [0, 1], got {tau.min()} to {tau.max()}")
    return tau.reshape(-1, *[1] * (like.ndim - 1)).to(like)


def interpolate(x0: Tensor, eps: Tensor, tau: Tensor | float) -> Tensor:
    """The point on the straight line from data to noise, (1 - tau) x0 + tau eps.

    Args:
        x0: (B, ...) clean data.
        eps: (B, ...) standard normal noise.
        tau: (B,) flow times in [0, 1], or one for all rows.

    Returns:
        x: (B, ...), x0 at time 0 and eps at time 1.

    Raises:
        ValueError: If x0 and eps differ in shape, or tau is out of range.

    References:
        Liu et al. 2023 and Lipman et al. 2023, both with time the other way round;
        Esser et al. 2024, section 2, with time as here.
    """
    if x0.shape != eps.shape:
        raise ValueError(f"x0 {tuple(x0.shape)} and eps {tuple(eps.shape)} must match")
    tau = column(tau, like=x0)
    return (1 - tau) * x0 + tau * eps


def u_from_x0_eps(x0: Tensor, eps: Tensor) -> Tensor:
    """The velocity along that line, eps - x0: the same at all its points."""
    return eps - x0


def x0_from_u(x: Tensor, u: Tensor, tau: Tensor | float) -> Tensor:
    """The data that with velocity u came to x at time tau: all the way back along u.

    Args:
        x: (B, ...) as `interpolate` gives it.
        u: (B, ...) velocity.
        tau: (B,) flow times in [0, 1], or one for all rows.

    Raises:
        ValueError: If tau is out of range.
    """
    return x - column(tau, like=x) * u


def eps_from_u(x: Tensor, u: Tensor, tau: Tensor | float) -> Tensor:
    """The noise that x reaches with velocity u: all the way on along u.

    Arguments and errors as those of `x0_from_u`.
    """
    return x + (1 - column(tau, like=x)) * u


def u_from_eps(x: Tensor, eps: Tensor, tau: Tensor | float) -> Tensor:
    """The velocity with which x reaches the noise eps in what is left of the time.

    Args:
        x: (B, ...) as `interpolate` gives it.
        eps: (B, ...) noise in it.
        tau: (B,) flow times in [0, 1), or one for all rows.

    Raises:
        ValueError: If tau is out of range, or a time is 1: there, no time is left.
    """
    tau = column(tau, like=x)
    if (tau == 1).any():
        raise ValueError("tau holds time 1, where x is the noise, and says no more")
    return (eps - x) / (1 - tau)


def tau_of(alpha_bar: Tensor) -> Tensor:
    """The flow time at which there is as much noise for the signal as at each level.

    Args:
        alpha_bar: (T + 1,) schedule.

    Returns:
        (T + 1,) flow times, rising from 0; sigma / (1 + sigma) with noise over signal
        sigma.
    """
    signal, noise = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    return noise / (signal + noise)


def stretch_of(alpha_bar: Tensor) -> Tensor:
    """By how much noisy data xt of each level are larger than x of the flow there.

    Args:
        alpha_bar: (T + 1,) schedule.

    Returns:
        (T + 1,) factors from 1, at no noise, to the root of 2 where signal and noise
        are equal, and back towards 1.
    """
    return alpha_bar.sqrt() + (1 - alpha_bar).sqrt()


def straight_alpha_bar(num_levels: int = 1000, *, last: float = 0.999) -> Tensor:
    """The schedule whose levels are evenly spaced in flow time.

    Args:
        num_levels: the highest one, T.
        last: flow time of level T, in (0, 1); at 1 no signal would be left.

    Returns:
        (T + 1,) float64.

    Raises:
        ValueError: If T is below 1 or `last` is out of range.
    """
    check_num_levels(num_levels)
    if not 0 < last < 1:
        raise ValueError(f"last {last} must lie between 0 and 1")
    tau = torch.linspace(0, last, num_levels + 1, dtype=torch.float64)
    return (1 - tau) ** 2 / ((1 - tau) ** 2 + tau**2)


def levels_even_in_tau(alpha_bar: Tensor, num_steps: int) -> list[int]:
    """Levels of a schedule for even steps in flow time, each the nearest there is.

    Args:
        alpha_bar: (T + 1,) schedule.
        num_steps: steps between them, in [1, T].

    Returns:
        num_steps + 1 falling levels, from T to 0.

    Raises:
        ValueError: If num_steps is out of range, or there are too few levels where the
            schedule crosses flow time quickly.
    """
    num_levels = len(alpha_bar) - 1
    if not 1 <= num_steps <= num_levels:
        raise ValueError(f"num_steps {num_steps} must lie in [1, {num_levels}]")
    tau = tau_of(alpha_bar)
    wanted = torch.linspace(tau[-1].item(), 0, num_steps + 1, dtype=tau.dtype)
    nearest = (tau - wanted[:, None]).abs().argmin(1).tolist()
    if len({*nearest}) <= num_steps:
        raise ValueError(f"{num_levels} levels are too few for {num_steps} even steps")
    return nearest


@torch.no_grad()
def sample_flow(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 50,
    generator: Generators | None = None,
    fix_x0: FixX0 | None = None,
) -> Iterator[Step]:
    """Euler's method in flow time, for any denoiser, in even steps.

    The denoiser is asked at the levels of its own schedule; a step is straight in the
    coordinates of the flow. It is the step that DDIM takes between the same levels.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: calls of the model, in [1, T].
        generator: unused, since nothing is random; there so that samplers swap.
        fix_x0: applied to x0_hat at each call, such as `clip`.

    Yields:
        `Step` of the level reached, from below T down to 0.

    Raises:
        ValueError: If num_steps is out of range, or beyond what the levels allow.

    References:
        Lipman et al. 2023; Liu et al. 2023.
    """
    tau, stretch = tau_of(alpha_bar), stretch_of(alpha_bar)
    x = xt / stretch[-1].item()
    for t, s in pairwise(levels_even_in_tau(alpha_bar, num_steps)):
        asked = stretch[t].item() * x
        x0_hat, eps_hat = believe(predict_eps, asked, t, alpha_bar, fix_x0)
        u_hat = u_from_x0_eps(x0_hat, eps_hat)
        x = x + (tau[s] - tau[t]).item() * u_hat
        yield Step(s, stretch[s].item() * x, x0_hat)


def predict_eps_of(predict_u: PredictU, alpha_bar: Tensor) -> PredictEps:
    """A velocity network as a denoiser, so that every sampler draws from it.

    Args:
        predict_u: callable of (x, tau) that returns u_hat.
        alpha_bar: (T + 1,) schedule whose levels the samplers are to walk, such as
            `straight_alpha_bar()`.

    Returns:
        predict_eps of (xt, t).
    """
    tau, stretch = tau_of(alpha_bar), stretch_of(alpha_bar)

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        x = xt / level(stretch, t, like=xt)
        times = tau[torch.as_tensor(t).cpu()].expand(len(xt)).to(xt)
        return eps_from_u(x, predict_u(x, times).to(x), times)

    return predict_eps


def logit_normal(
    num: int, *, mean: float = 0.0, std: float = 1.0, generator: torch.Generator
) -> Tensor:
    """Draw flow times whose logit is normal, so that the middle comes up often.

    Args:
        num: how many.
        mean: of the logit, the logarithm of tau / (1 - tau); above 0 for more noise.
        std: of the logit, above 0.
        generator: CPU source.

    Returns:
        tau: (num,) in (0, 1).

    Raises:
        ValueError: If std is not above 0.

    References:
        Esser et al. 2024, section 3.1.
    """
    check_std(std)
    return (mean + std * torch.randn(num, generator=generator)).sigmoid()


def logit_normal_density(tau: Tensor, *, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Density of `logit_normal`'s draws at tau (...) between 0 and 1.

    Raises:
        ValueError: If std is not above 0.

    References:
        Esser et al. 2024, section 3.1.
    """
    check_std(std)
    off = (tau.logit() - mean) / std
    normal = (-off.square() / 2).exp() / (std * math.sqrt(2 * math.pi))
    return normal / (tau * (1 - tau))


def check_std(std: float) -> None:
    """Raise a ValueError unless a standard deviation is above 0."""
    if not std > 0:
        raise ValueError(f"std {std} must be above 0")
