"""Changing a picture with a model that was taught only to draw: nothing is trained.

Invariant: an edit is a wrapper of `predict_eps`, as `sampling.guided` is, or a sampler
of the samplers' signature, so that edits, guidance and samplers combine.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor

from glyflib.sampling import (
    FixX0,
    Generators,
    PredictEps,
    Step,
    believe,
    fresh_noise,
    level_grid,
    sample,
    step_down,
)
from glyflib.schedule import (
    add_noise,
    eps_from_score,
    eps_from_x0,
    level,
    x0_from_eps,
)

#: Callable of believed data x0_hat (B, ...) and levels t (B,) that returns how well
#: they fit a wish, a log-likelihood (B,).
Wish = Callable[[Tensor, Tensor], Tensor]
#: Callable that moves the numbers of a picture (B, ...) about, and changes none.
View = Callable[[Tensor], Tensor]


def check_mask(known: Tensor, mask: Tensor) -> None:
    """Raise a ValueError unless a mask is bool and spreads over known (B, ...)."""
    try:
        is_fitting = torch.broadcast_shapes(known.shape, mask.shape) == known.shape
    except RuntimeError:
        is_fitting = False
    if not is_fitting or mask.dtype != torch.bool:
        found = f"{tuple(mask.shape)} {mask.dtype}"
        raise ValueError(f"mask {found} must be bool, for known {tuple(known.shape)}")


def check_start(start: int, num_levels: int) -> None:
    """Raise a ValueError unless a level to start from lies in [1, num_levels]."""
    if not 1 <= start <= num_levels:
        raise ValueError(f"start {start} must lie in [1, {num_levels}]")


def check_repeats(repeats: int, least: int) -> None:
    """Raise a ValueError unless there are enough repeats."""
    if repeats < least:
        raise ValueError(f"repeats {repeats} must be at least {least}")


def spread_over(known: Tensor, xt: Tensor) -> Tensor:
    """What is known, one picture or B, as (B, ...) of the dtype and device of xt."""
    try:
        return known.to(xt).expand_as(xt)
    except RuntimeError:
        shapes = f"{tuple(known.shape)} for xt {tuple(xt.shape)}"
        raise ValueError(f"known {shapes}: it must be one picture, or B") from None


def keeping(
    predict_eps: PredictEps, known: Tensor, mask: Tensor, alpha_bar: Tensor
) -> PredictEps:
    """Inpainting by replacement: where the picture is known, so is its noise.

    There eps_hat is what remains of xt if the known picture is taken away; elsewhere
    the model is asked. Any sampler then leads the kept places down to the known
    picture, and on the way they are that picture, noised.

    The free places are only nearly those of the conditional distribution: while the
    kept ones are noisy, the model decides without having seen them clearly.

    Args:
        predict_eps: the model.
        known: (1, ...) or (B, ...) clean data; read at the kept places only.
        mask: bool, spreads over known; true where it is kept.
        alpha_bar: (T + 1,) schedule.

    Returns:
        predict_eps of (xt, t), for levels in [1, T].

    Raises:
        ValueError: If the mask is not bool or a shape does not fit.

    References:
        Lugmayr et al. 2022 (RePaint), Eq. 8; Song et al. 2021b, on imputation.
    """
    check_mask(known, mask)

    def kept(xt: Tensor, t: Tensor) -> Tensor:
        exact = eps_from_x0(xt, spread_over(known, xt), t, alpha_bar)
        return torch.where(mask.to(xt.device), exact, predict_eps(xt, t))

    return kept


def noise_further(
    xs: Tensor,
    s: int,
    t: int,
    alpha_bar: Tensor,
    *,
    generator: Generators | None = None,
) -> Tensor:
    """Go up from level s to a noisier level t, as the chain does.

    Args:
        xs: (B, ...) samples at level s.
        s: level in [0, T].
        t: level in [s, T].
        alpha_bar: (T + 1,) schedule.
        generator: CPU source of the noise, or B of them, one a row.

    Returns:
        xt: (B, ...).

    Raises:
        ValueError: If the levels are out of order or range.

    References:
        Ho et al. 2020, Eq. 2, over several steps at once.
    """
    if not 0 <= s <= t < len(alpha_bar):
        raise ValueError(f"levels {s} and {t} must rise within [0, T]")
    share = (alpha_bar[t] / alpha_bar[s]).item()
    return sqrt(share) * xs + sqrt(1 - share) * fresh_noise(xs, generator)


@torch.no_grad()
def sample_resampled(
    predict_eps: PredictEps,
    xt: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 50,
    repeats: int = 5,
    eta: float = 1.0,
    generator: Generators | None = None,
    fix_x0: FixX0 | None = None,
) -> Iterator[Step]:
    """Take each step several times: down, up again by fresh noise, down again.

    With `keeping`, this is RePaint: each time the free places are drawn anew beside the
    kept ones, so that the two come to terms. It lessens the error of replacement, and
    does not remove it.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        xt: (B, ...) noise at level T.
        alpha_bar: (T + 1,) schedule.
        num_steps: steps, in [1, T]; the last one is taken once, so that the model is
            called (num_steps - 1) * repeats + 1 times.
        repeats: how often each step is taken, at least 1, which is `sample`.
        eta: share of the posterior's noise that is added back, in [0, 1].
        generator: CPU source of all noise, or B of them, one a row.
        fix_x0: applied to x0_hat at each call, such as `clip`.

    Yields:
        `Step` of the level reached for good, from below T down to 0.

    Raises:
        ValueError: If num_steps, repeats or eta is out of range.

    References:
        Lugmayr et al. 2022 (RePaint), Algorithm 1, with jumps of one step.
    """
    check_repeats(repeats, 1)
    if not 0 <= eta <= 1:
        raise ValueError(f"eta {eta} must lie in [0, 1]")
    for t, s in pairwise(level_grid(len(alpha_bar) - 1, num_steps)):
        shares = alpha_bar[t].item(), alpha_bar[s].item()
        for i in range(repeats if s > 0 else 1):
            if i > 0:
                xt = noise_further(xt, s, t, alpha_bar, generator=generator)
            x0_hat, eps_hat = believe(predict_eps, xt, t, alpha_bar, fix_x0)
            xt = step_down(x0_hat, eps_hat, shares, eta=eta, generator=generator)
        yield Step(s, xt, x0_hat)


def steered(
    predict_eps: PredictEps, wish: Wish, alpha_bar: Tensor, *, scale: float = 1.0
) -> PredictEps:
    """Push a prediction to where the believed data fit a wish better.

    By Bayes' rule the score of what fits is the model's score, plus the slope of the
    log-likelihood of the wish. The slope is taken through the model: it says how xt
    would have to change so that the belief fits better.

    Args:
        predict_eps: the model; it must let gradients through to xt.
        wish: log-likelihood (B,) of x0_hat (B, ...) at levels t, such as `near`.
        alpha_bar: (T + 1,) schedule.
        scale: of the push; 0 is none, 1 is Bayes' rule.

    Returns:
        predict_eps of (xt, t), for levels in [1, T]. A call takes about three times as
        long as one of the model, and more memory.

    Raises:
        ValueError: When called, if the model cuts off the gradient.

    References:
        Chung et al. 2023 (DPS), with a wish in place of their measurement, and its
        slope as it stands, not divided by the length of the error.
    """

    def pushed(xt: Tensor, t: Tensor) -> Tensor:
        with torch.enable_grad():
            xt = xt.detach().requires_grad_()
            eps_hat = predict_eps(xt, t)
            if not eps_hat.requires_grad:
                raise ValueError("predict_eps cuts off the gradient: is it no_grad?")
            fit = wish(x0_from_eps(xt, eps_hat, t, alpha_bar), t)
            (slope,) = torch.autograd.grad(fit.sum(), xt)
        return eps_hat.detach() + scale * eps_from_score(slope, t, alpha_bar)

    return pushed


def near(
    known: Tensor,
    mask: Tensor,
    alpha_bar: Tensor,
    *,
    std: float = 0.1,
    spread: float = 1.0,
) -> Wish:
    """The wish that data be a known picture at the kept places.

    It is the log density (less a constant) of what is known in a Gaussian round the
    belief. This is as wide as data may lie from a belief at that level, if they are
    themselves Gaussian with this spread.

    Args:
        known: (1, ...) or (B, ...) clean data; read at the kept places only.
        mask: bool, spreads over known; true where it is kept.
        alpha_bar: (T + 1,) schedule.
        std: standard deviation that is allowed at level 0, above 0.
        spread: standard deviation of the data; 0 trusts the belief at every level, as
            DPS does.

    Returns:
        `Wish` of (x0_hat, t), for `steered`.

    Raises:
        ValueError: If the mask is not bool, a shape does not fit, or std or spread is
            out of range.

    References:
        Chung et al. 2023 (DPS) for spread 0; J. Song et al. 2023 for spread 1
        (pseudoinverse-guided diffusion models).
    """
    check_mask(known, mask)
    if not std > 0 or not spread >= 0:
        raise ValueError(f"std {std} must be above 0, and spread {spread} at least 0")

    def fit(x0_hat: Tensor, t: Tensor) -> Tensor:
        a = level(alpha_bar, t, like=x0_hat)
        noise, signal = 1 - a, a * spread**2
        var = std**2 + spread**2 * noise / (noise + signal)
        missed = (spread_over(known, x0_hat) - x0_hat) * mask.to(x0_hat.device)
        return -(missed.square() / (2 * var)).flatten(1).sum(1)

    return fit


def redraw(
    predict_eps: PredictEps,
    x0: Tensor,
    alpha_bar: Tensor,
    *,
    start: int,
    num_steps: int = 30,
    sampler: Callable[..., Iterator[Step]] = sample,
    generator: Generators | None = None,
    **options,
) -> Iterator[Step]:
    """SDEdit: bring a picture to a level by noise, and let it come down again.

    What is finer than the noise is drawn anew, what is coarser stays.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat.
        x0: (B, ...) clean data, such as a scribble.
        alpha_bar: (T + 1,) schedule.
        start: level to go up to, in [1, T]; the higher, the less of x0 stays.
        num_steps: steps down from there, in [1, start].
        sampler: any of `glyflib.sampling`, or `sample_resampled`.
        generator: CPU source of all noise, or B of them, one a row.
        options: more keywords of the sampler.

    Returns:
        Steps of the sampler, from below `start` down to 0.

    Raises:
        ValueError: If start or num_steps is out of range.

    References:
        Meng et al. 2022 (SDEdit).
    """
    check_start(start, len(alpha_bar) - 1)
    t = torch.full((len(x0),), start, device=x0.device)
    xt = add_noise(x0, fresh_noise(x0, generator), t, alpha_bar)
    options |= {"num_steps": num_steps, "generator": generator}
    return sampler(predict_eps, xt, alpha_bar[: start + 1], **options)


@torch.no_grad()
def invert(
    predict_eps: PredictEps,
    x0: Tensor,
    alpha_bar: Tensor,
    *,
    num_steps: int = 50,
    repeats: int = 0,
) -> Iterator[Step]:
    """DDIM inversion: climb from data to the noise that DDIM would make them of.

    A step up from s to t takes the believed noise at s for that at t. With repeats it
    is asked for at t, where the step has led, and the step is taken again. If this
    settles, DDIM in as many steps leads back to x0 exactly.

    Args:
        predict_eps: callable of (xt, t) that returns eps_hat; asked at levels from 1,
            and there for clean data.
        x0: (B, ...) clean data.
        alpha_bar: (T + 1,) schedule.
        num_steps: steps, in [1, T].
        repeats: further calls a step, at least 0.

    Yields:
        `Step` of the level reached, from above 0 up to T.

    Raises:
        ValueError: If num_steps or repeats is out of range.

    References:
        Song et al. 2021 (DDIM), section 4.3.
    """
    check_repeats(repeats, 0)
    levels = level_grid(len(alpha_bar) - 1, num_steps)[::-1]
    xs = x0
    for s, t in pairwise(levels):
        a_s, a_t = alpha_bar[s].item(), alpha_bar[t].item()
        asked, xt = max(s, 1), xs
        for _ in range(1 + repeats):
            t_batch = torch.full((len(x0),), asked, device=x0.device)
            eps_hat = predict_eps(xt, t_batch)
            if a_s > 0.5:  # little noise: believe in the noise, the rest is data
                x0_hat = (xs - sqrt(1 - a_s) * eps_hat) / sqrt(a_s)
            else:  # much noise: believe in the data, the rest is noise
                x0_hat = x0_from_eps(xt, eps_hat, t_batch, alpha_bar)
                eps_hat = (xs - sqrt(a_s) * x0_hat) / sqrt(1 - a_s)
            xt = sqrt(a_t) * x0_hat + sqrt(1 - a_t) * eps_hat
            asked = t
        xs = xt
        yield Step(t, xs, x0_hat)


def half_turn(x: Tensor) -> Tensor:
    """A picture (..., H, W) upside down: turned by half a turn, which undoes itself."""
    return x.flip((-2, -1))


def seen_through(
    predict_eps: PredictEps, view: View, undo: View | None = None
) -> PredictEps:
    """A prediction for the picture as it looks through a view, turned back.

    Args:
        predict_eps: the model.
        view: moves pixels, or flips their signs; so noise stays standard noise.
        undo: brings back what the view moved; None if the view undoes itself.

    Returns:
        predict_eps of (xt, t).

    References:
        Geng et al. 2024 (visual anagrams).
    """
    back = view if undo is None else undo
    return lambda xt, t: back(predict_eps(view(xt), t))


def averaged(*predictions: PredictEps) -> PredictEps:
    """The mean of predictions, so that a sample pleases all of them.

    Args:
        predictions: at least one predict_eps.

    Returns:
        predict_eps of (xt, t).

    Raises:
        ValueError: If there is none.

    References:
        Geng et al. 2024 (visual anagrams); Liu et al. 2022 for sums of scores.
    """
    if not predictions:
        raise ValueError("there is no prediction to average")

    def mean(xt: Tensor, t: Tensor) -> Tensor:
        return torch.stack([predict_eps(xt, t) for predict_eps in predictions]).mean(0)

    return mean
