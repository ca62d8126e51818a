"""How likely data are under a denoiser: by the curve up to noise, and by a bound.

Invariant: densities and costs are in nats, the natural unit, and of whole pictures; a
picture of D numbers that costs n nats costs n / (D ln 2) bits for each.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.sampling import PredictEps
from glyflib.schedule import add_noise, log_snr, x0_from_eps

NUM_GREYS = 256


class Climb(NamedTuple):
    """A way up the probability flow, from noisy data to pure noise.

    Attributes:
        levels: the K rising levels that were visited.
        xt: (B, ...) where the ways end, at the last level.
        traces: (K, B) how strongly the belief follows the picture, as `trace_of` finds
            it, at each level.
        log_density: (B,) natural log of the density of what was given.
    """

    levels: tuple[int, ...]
    xt: Tensor
    traces: Tensor
    log_density: Tensor


class Bound(NamedTuple):
    """The terms of the variational bound, at levels drawn by lot for each picture.

    Attributes:
        levels: (K, B) levels drawn.
        errors: (K, B) squared error of eps_hat there, summed over the picture.
        costs: (K, B) what the steps cost, weighted so that the mean over K is the cost
            of all steps from level T down to 1.
        start: (B,) cost of starting from pure noise.
    """

    levels: Tensor
    errors: Tensor
    costs: Tensor
    start: Tensor


def rising_levels(
    alpha_bar: Tensor, num_steps: int, *, noisy: float = -8.0
) -> list[int]:
    """Levels from 1 to T for a climb, evenly spaced in the log-SNR.

    Where hardly any signal is left the way is straight, and one step takes the rest.
    Where the schedule has no level near one that is wanted, there are fewer.

    Args:
        alpha_bar: (T + 1,) schedule.
        num_steps: steps wanted, at least 1.
        noisy: log-SNR below which one step is enough.

    Raises:
        ValueError: If num_steps is below 1, or there are not two levels.
    """
    if num_steps < 1 or len(alpha_bar) < 3:
        raise ValueError(
            f"num_steps {num_steps} must be at least 1, and T at least 2, not "
            f"{len(alpha_bar) - 1}"
        )
    clock = log_snr(alpha_bar)[1:]
    lowest = max(clock[-1].item(), min(noisy, clock[0].item()))
    wanted = torch.linspace(clock[0].item(), lowest, num_steps).double()
    nearest = (clock - wanted[:, None]).abs().argmin(dim=1) + 1
    return sorted({*nearest.tolist(), len(clock)})


def trace_of(
    predict_eps: PredictEps,
    xt: Tensor,
    t: int,
    alpha_bar: Tensor,
    *,
    generator: torch.Generator | None = None,
    num_probes: int | None = 1,
) -> tuple[Tensor, Tensor]:
    """The believed noise, and how strongly the belief in x0 follows the picture.

    The second is the trace of the Jacobian of x0_hat by y = xt / sqrt(alpha_bar): the
    number of directions along which the picture is believed. It is estimated from a
    product with random signs (Hutchinson 1990; Grathwohl et al. 2019, Eq. 7), or summed
    over all D directions.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat, through which PyTorch can
            take derivatives; each row's answer depends on that row alone.
        xt: (B, ...) noisy data, all at one level.
        t: their level in [1, T].
        alpha_bar: (T + 1,) schedule.
        generator: CPU source of the signs; None for torch's global one.
        num_probes: random directions, of which the mean is taken; None for the exact
            sum, which takes D products.

    Returns:
        eps_hat, of the shape of xt, and the traces (B,), without gradients.

    Raises:
        ValueError: If t is out of range, or num_probes below 1.
    """
    check_levels([t], alpha_bar)
    if num_probes is not None and num_probes < 1:
        raise ValueError(f"num_probes {num_probes} must be at least 1, or None for all")
    D = xt[0].numel()
    with torch.enable_grad():
        x = xt.detach().clone().requires_grad_()
        eps_hat = predict_eps(x, torch.full((len(x),), t, device=x.device))
        along = 0.0
        for k in range(D if num_probes is None else num_probes):
            if num_probes is None:
                probe = torch.zeros(D).to(x)
                probe[k] = 1
                probe = probe.reshape(x.shape[1:]).expand_as(x)
            else:
                signs = torch.randint(2, x.shape, generator=generator)
                probe = (2 * signs - 1).to(x)
            (product,) = torch.autograd.grad(
                eps_hat, x, grad_outputs=probe.to(eps_hat), retain_graph=True
            )
            along = along + (probe * product).flatten(1).sum(1)
    along = along if num_probes is None else along / num_probes
    noise_factor = math.sqrt(1 - alpha_bar[t].item())
    return eps_hat.detach(), D - noise_factor * along.detach()


def climb(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    levels: Sequence[int],
    *,
    generator: torch.Generator | None = None,
    num_probes: int | None = 1,
) -> Climb:
    """Follow the probability flow up to noise, and count how the density changes.

    In y = xt / sqrt(alpha_bar) and sigma the flow is dy / dsigma = eps_hat, and the log
    of the density falls by its divergence, (D - trace) / sigma. Steps are Heun's, but
    the second look of one is the first of the next, so that the denoiser is asked once
    a level; the trace is added up over the log of sigma by trapezoids.

    Args:
        predict_eps: as for `trace_of`.
        xt: (B, ...) noisy data at the first of the levels.
        alpha_bar: (T + 1,) schedule.
        levels: two or more rising ones in [1, T]; at the last of them data are taken
            to be standard normal, so it should be T.
        generator: CPU source of the random signs; None for torch's global one.
        num_probes: random directions at each level, None for exact traces.

    Raises:
        ValueError: If levels do not rise or are out of range, or num_probes is below 1.

    References:
        Chen et al. 2018, Theorem 1; Song et al. 2021, section 4.3; Karras et al. 2022,
        Algorithm 1, for the steps.
    """
    check_levels(levels, alpha_bar)
    if len(levels) < 2 or any(s >= t for s, t in pairwise(levels)):
        raise ValueError(f"levels {list(levels)} must be two or more, and rise")
    signal = alpha_bar[list(levels)].double().tolist()
    sigma = [math.sqrt((1 - a) / a) for a in signal]
    look = partial(
        trace_of,
        predict_eps,
        alpha_bar=alpha_bar,
        generator=generator,
        num_probes=num_probes,
    )
    y = xt / math.sqrt(signal[0])
    slope, trace = look(xt, levels[0])
    traces = [trace]
    for k in range(1, len(levels)):
        h = sigma[k] - sigma[k - 1]
        next_slope, trace = look(math.sqrt(signal[k]) * (y + h * slope), levels[k])
        y = y + h * (slope + next_slope) / 2
        slope = next_slope
        traces.append(trace)
    top = math.sqrt(signal[-1]) * y
    D = xt[0].numel()
    normal = -(top.flatten(1).square().sum(1) + D * math.log(2 * math.pi)) / 2
    clock = torch.tensor(sigma, dtype=torch.float64).log()
    followed = torch.trapezoid(torch.stack(traces).double(), clock.to(xt.device), dim=0)
    wider = D * (clock[-1] - clock[0]).item() - followed
    narrower = D / 2 * math.log(signal[-1] / signal[0])
    return Climb(tuple(levels), top, torch.stack(traces), normal + wider + narrower)


def bound(
    predict_eps: PredictEps,
    x0: Tensor,
    alpha_bar: Tensor,
    *,
    num_levels: int = 32,
    generator: torch.Generator | None = None,
) -> Bound:
    """What the steps of the chain cost, from noise down to level 1, estimated.

    The step from t to t - 1 costs half of how much the signal-to-noise ratio grows,
    times the squared error of x0_hat. For each picture, levels are drawn by lot, one
    from each of equal parts of the chain: more of them where steps tend to cost more.
    The lot is weighted away again, so nothing is left out on average.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        x0: (B, ...) clean data.
        alpha_bar: (T + 1,) schedule, T at least 2.
        num_levels: K levels a picture.
        generator: CPU source of levels and noise; None for torch's global one.

    Raises:
        ValueError: If num_levels is below 1, or there are fewer than two levels.

    References:
        Ho et al. 2020, Eq. 5; Kingma et al. 2021, section 4, for the steps' cost.
    """
    if num_levels < 1 or len(alpha_bar) < 3:
        raise ValueError(
            f"num_levels {num_levels} must be at least 1, and the schedule's at least 2"
        )
    B = len(x0)
    ratio = log_snr(alpha_bar).exp()
    growth = ratio[1:-1] - ratio[2:]  # of the steps from t = 2, 3, ..., T
    share = growth / ratio[2:] * alpha_bar[2:]  # of independent pixels' cost
    share = share.clamp(min=1e-6 * share.max().item())
    share = share / share.sum()
    lot = torch.rand(num_levels, B, generator=generator, dtype=torch.float64)
    at = (torch.arange(num_levels)[:, None] + lot) / num_levels
    drawn = torch.searchsorted(share.cumsum(0), at).clamp(max=len(share) - 1)
    errors = []
    for t in drawn + 2:
        eps = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0)
        with torch.no_grad():
            eps_hat = predict_eps(add_noise(x0, eps, t, alpha_bar), t.to(x0.device))
        errors.append((eps_hat - eps).double().flatten(1).square().sum(1).cpu())
    found = torch.stack(errors)
    costs = growth[drawn] / 2 * found / ratio[drawn + 2] / share[drawn]
    a = alpha_bar[-1].item()
    squares = x0.double().flatten(1).square().sum(1).cpu()
    D = x0[0].numel()
    start = (a * squares - D * (a + math.log1p(-a))) / 2
    return Bound(drawn + 2, found, costs, start)


def log_density_of_noise(eps: Tensor, t: int, alpha_bar: Tensor) -> Tensor:
    """Natural log of q(xt | x0) (B,), the density of the noise that was added.

    Args:
        eps: (B, ...) the standard normal noise in xt.
        t: level in [1, T].
        alpha_bar: (T + 1,) schedule.

    Raises:
        ValueError: If t is out of range.
    """
    check_levels([t], alpha_bar)
    D = eps[0].numel()
    squares = eps.double().flatten(1).square().sum(1)
    spread = math.log(2 * math.pi * (1 - alpha_bar[t].item()))
    return -(squares + D * spread) / 2


class GreyTable:
    """How likely each grey of a pixel is, once a nearly clean picture is believed.

    The last touch of a model of 8-bit pictures. It is counted: how often a pixel that
    is believed to have one grey has in truth another. Where few pixels were counted,
    the mean over all greys of how far the belief is off stands in.

    Args:
        counts: (256, 256) pixels of each believed (row) and true (column) grey.
        strength: weight of what stands in, in pixels, above 0.

    Raises:
        ValueError: If counts have another shape or are negative, or strength is not
            above 0.
    """

    def __init__(self, counts: Tensor, *, strength: float = 16.0):
        shape = NUM_GREYS, NUM_GREYS
        if counts.shape != shape or (counts < 0).any() or not strength > 0:
            raise ValueError(
                f"counts {tuple(counts.shape)} must be {shape}, none below 0, and "
                f"strength {strength} above 0"
            )
        self.counts = counts
        counts = counts.double()
        greys = torch.arange(NUM_GREYS)
        off = greys - greys[:, None] + NUM_GREYS - 1  # true less believed, from 0
        by_off = torch.zeros(2 * NUM_GREYS - 1).double()
        by_off.index_add_(0, off.flatten(), counts.flatten())
        stand_in = by_off[off] + 1
        stand_in = stand_in / stand_in.sum(1, keepdim=True)
        whole = counts.sum(1, keepdim=True) + strength
        self.log_probability = ((counts + strength * stand_in) / whole).log()

    @classmethod
    def count(cls, x0_hat: Tensor, images: Tensor, *, strength: float = 16.0):
        """Count beliefs x0_hat (B, ...) against true pictures (B, ...) uint8.

        Raises:
            ValueError: If the two differ in shape.
        """
        believed, true = cls.as_greys(x0_hat, images)
        counts = (believed * NUM_GREYS + true).bincount(minlength=NUM_GREYS**2)
        return cls(counts.reshape(NUM_GREYS, NUM_GREYS), strength=strength)

    @staticmethod
    def as_greys(x0_hat: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Both as whole numbers, flattened; a ValueError if the shapes differ."""
        if x0_hat.shape != images.shape or images.dtype != torch.uint8:
            raise ValueError(
                f"x0_hat {tuple(x0_hat.shape)} and images {tuple(images.shape)} "
                f"{images.dtype} must have one shape, and the images be uint8"
            )
        return images_from_x0(x0_hat).flatten().long(), images.flatten().long()

    def log_likelihood(self, x0_hat: Tensor, images: Tensor) -> Tensor:
        """Natural log of the probability (B,) of pictures (B, ...) uint8.

        Raises:
            ValueError: If x0_hat and images differ in shape.
        """
        believed, true = self.as_greys(x0_hat, images)
        found = self.log_probability[believed, true]
        return found.reshape(len(images), -1).sum(1)


def believed(predict_eps: PredictEps, xt: Tensor, t: int, alpha_bar: Tensor) -> Tensor:
    """The believed clean data x0_hat (B, ...), without gradients.

    Raises:
        ValueError: If t is out of range.
    """
    check_levels([t], alpha_bar)
    levels = torch.full((len(xt),), t, device=xt.device)
    with torch.no_grad():
        eps_hat = predict_eps(xt, levels)
    return x0_from_eps(xt, eps_hat, levels, alpha_bar)


def check_levels(levels: Sequence[int], alpha_bar: Tensor) -> None:
    """Raise a ValueError unless all levels lie in [1, T]."""
    last = len(alpha_bar) - 1
    if not levels or not 1 <= min(levels) <= max(levels) <= last:
        raise ValueError(f"levels {list(levels)} must lie in [1, {last}]")
