"""How fast the chain forgets: noise schedules and the formulas that follow from one.

Invariant: a schedule is one float64 tensor `alpha_bar` of T + 1 levels that starts
at exactly 1 (clean) and falls; everything else is derived from it where it is used.
"""

import math

import torch
from torch import Tensor

COSINE = {"name": "cosine", "num_levels": 1000}


PREDICTIONS = ("eps", "v", "x0")


def alpha_bar_from_beta(beta: Tensor) -> Tensor:
    """Turn per-step variances into levels, the products of 1 - beta.

    Args:
        beta: (T,) variances of the steps 1 to T, in [0, 1).

    Returns:
        (T + 1,) of the dtype of beta, 1 at level 0.

    References:
        Ho et al. 2020, above Eq. 4.
    """
    return torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)])


def linear_alpha_bar(
    num_levels: int = 1000, *, first: float = 1e-4, last: float = 0.02
) -> Tensor:
    """Schedule whose per-step variance beta rises in a straight line.

    Args:
        num_levels: T, the number of noising steps.
        first: beta at step 1, in (0, 1).
        last: beta at step T, in [first, 1).

    Returns:
        (T + 1,) float64.

    Raises:
        ValueError: If T is below 1 or the betas are out of order or range.

    References:
        Ho et al. 2020, section 4.
    """
    check_num_levels(num_levels)
    if not 0 < first <= last < 1:
        raise ValueError(f"need 0 < first <= last < 1, got first {first}, last {last}")
    return alpha_bar_from_beta(
        torch.linspace(first, last, num_levels, dtype=torch.float64)
    )


def cosine_alpha_bar(
    num_levels: int = 1000, *, offset: float = 0.008, max_beta: float = 0.999
) -> Tensor:
    """Schedule that falls like a squared cosine.

    Without a cap the last level would be 0: beta would be 1 and its log-SNR minus
    infinity. `max_beta` keeps every step reversible.

    Args:
        num_levels: T, the number of noising steps.
        offset: shifts the start, so that the first steps are not vanishingly small.
        max_beta: largest variance of one step, in (0, 1].

    Returns:
        (T + 1,) float64.

    Raises:
        ValueError: If T is below 1, the offset negative or max_beta out of range.

    References:
        Nichol and Dhariwal 2021, Eq. 17.
    """
    check_num_levels(num_levels)
    if offset < 0 or not 0 < max_beta <= 1:
        raise ValueError(f"need offset {offset} >= 0 and max_beta {max_beta} in (0, 1]")
    u = torch.linspace(0, 1, num_levels + 1, dtype=torch.float64)
    f = ((u + offset) / (1 + offset) * math.pi / 2).cos() ** 2
    return alpha_bar_from_beta((1 - f[1:] / f[:-1]).clamp(max=max_beta))


def sigmoid_alpha_bar(
    num_levels: int = 1000, *, start: float = -3, end: float = 3, floor: float = 1e-9
) -> Tensor:
    """Schedule that falls like a sigmoid.

    Args:
        num_levels: T, the number of noising steps.
        start: argument of the sigmoid at level 0.
        end: argument of the sigmoid at level T, above start.
        floor: smallest level, so that the last log-SNR is finite.

    Returns:
        (T + 1,) float64.

    Raises:
        ValueError: If T is below 1 or end does not lie above start.

    References:
        Jabri et al. 2022; Chen 2023, section 2.1.
    """
    check_num_levels(num_levels)
    if end <= start:
        raise ValueError(f"end {end} must lie above start {start}")
    u = torch.linspace(start, end, num_levels + 1, dtype=torch.float64).sigmoid()
    return ((u[-1] - u) / (u[-1] - u[0])).clamp(min=floor)


def alpha_bar_of(schedule: dict) -> Tensor:
    """The schedule of a description such as {"name": "cosine", "num_levels": 1000}.

    Args:
        schedule: its name, "cosine", "linear" or "sigmoid", and what it is called with.

    Returns:
        (T + 1,) float64.

    Raises:
        ValueError: If the name or an option is unknown, or an option out of range.
    """
    named = {
        "cosine": cosine_alpha_bar,
        "linear": linear_alpha_bar,
        "sigmoid": sigmoid_alpha_bar,
    }
    options = dict(schedule)
    name = options.pop("name", None)
    if name not in named:
        raise ValueError(f"schedule {name!r} must be one of {', '.join(named)}")
    try:
        return named[name](**options)
    except TypeError as error:
        raise ValueError(f"schedule {schedule}: {error}") from error


def check_num_levels(num_levels: int) -> None:
    """Raise a ValueError unless there is at least one noising step."""
    if num_levels < 1:
        raise ValueError(f"num_levels {num_levels} must be at least 1")


def level(alpha_bar: Tensor, t: Tensor, *, like: Tensor) -> Tensor:
    """Look up alpha_bar[t], shaped to multiply a batch.

    Args:
        alpha_bar: (T + 1,) schedule.
        t: (B,) integer levels in [0, T], or one for all rows.
        like: (B, ...) whose number of dimensions, dtype and device it gets.

    Returns:
        (B, 1, ...); (1, 1, ...) for one level.

    Raises:
        ValueError: If t is not one level in [0, T] for each row of `like`.
    """
    t, last = torch.as_tensor(t), len(alpha_bar) - 1
    if t.ndim > 1 or (t.ndim == 1 and len(t) not in (1, len(like))):
        raise ValueError(f"t {tuple(t.shape)} must be one level a row of {len(like)}")
    if t.numel() and not 0 <= int(t.min()) <= int(t.max()) <= last:
        raise ValueError(f"t must lie in [0, {last}], got {t.min()} to {t.max()}")
    found = alpha_bar[t.to(alpha_bar.device)].reshape(-1, *[1] * (like.ndim - 1))
    return found.to(like)


def add_noise(x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """Jump from clean data straight to noise level t.

    Args:
        x0: (B, ...) clean data, scaled to [-1, 1].
        eps: (B, ...) standard normal noise.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        xt: (B, ...) noisy data.

    Raises:
        ValueError: If x0 and eps differ in shape, or t is out of range.

    References:
        Ho et al. 2020, Eq. 4.
    """
    if x0.shape != eps.shape:
        raise ValueError(f"x0 {tuple(x0.shape)} and eps {tuple(eps.shape)} must match")
    a = level(alpha_bar, t, like=x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * eps


def x0_from_eps(xt: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The clean data that, with noise eps, gave xt.

    Args:
        xt: (B, ...) noisy data.
        eps: (B, ...) noise in it.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        x0: (B, ...) clean data.

    Raises:
        ValueError: If t is out of range.

    References:
        Ho et al. 2020, Eq. 4, solved for x0.
    """
    a = level(alpha_bar, t, like=xt)
    return (xt - (1 - a).sqrt() * eps) / a.sqrt()


def eps_from_x0(xt: Tensor, x0: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise that, with clean data x0, gave xt.

    Args:
        xt: (B, ...) noisy data.
        x0: (B, ...) clean data in it.
        t: (B,) integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        eps: (B, ...) noise.

    Raises:
        ValueError: If t is out of range, or a level is 0: there is no noise to solve
            for.

    References:
        Ho et al. 2020, Eq. 4, solved for eps.
    """
    check_noisy(t)
    a = level(alpha_bar, t, like=xt)
    return (xt - a.sqrt() * x0) / (1 - a).sqrt()


def v_from_x0_eps(x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The v of clean data and noise, sqrt(ab) eps - sqrt(1 - ab) x0.

    Args:
        x0: (B, ...) clean data.
        eps: (B, ...) noise.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule, ab at level t.

    Returns:
        v: (B, ...).

    Raises:
        ValueError: If t is out of range.

    References:
        Salimans and Ho 2022, section 4.
    """
    a = level(alpha_bar, t, like=x0)
    return a.sqrt() * eps - (1 - a).sqrt() * x0


def x0_from_v(xt: Tensor, v: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The clean data in xt and v, sqrt(ab) xt - sqrt(1 - ab) v.

    The pair (xt, v) is the pair (x0, eps) turned by an angle; this turns it back.

    Args:
        xt: (B, ...) noisy data.
        v: (B, ...) as `v_from_x0_eps` gives it.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule, ab at level t.

    Returns:
        x0: (B, ...) clean data.

    Raises:
        ValueError: If t is out of range.

    References:
        Salimans and Ho 2022, appendix D.
    """
    a = level(alpha_bar, t, like=xt)
    return a.sqrt() * xt - (1 - a).sqrt() * v


def eps_from_v(xt: Tensor, v: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise in xt and v, sqrt(1 - ab) xt + sqrt(ab) v.

    Arguments, errors and references as those of `x0_from_v`, whose turn it shares.

    Returns:
        eps: (B, ...) noise.
    """
    a = level(alpha_bar, t, like=xt)
    return (1 - a).sqrt() * xt + a.sqrt() * v


def score_from_eps(eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The score, the gradient of log q(xt), of a mean noise eps.

    The factor -1 / sqrt(1 - alpha_bar) changes with t; it is not a constant.

    Args:
        eps: (B, ...) mean of the noise given xt.
        t: (B,) integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        (B, ...) score.

    Raises:
        ValueError: If t is out of range, or a level is 0, where the factor is infinite.

    References:
        Song et al. 2021, section 3.4; Vincent 2011.
    """
    check_noisy(t)
    return -eps / (1 - level(alpha_bar, t, like=eps)).sqrt()


def eps_from_score(score: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The mean noise of a score; the inverse of `score_from_eps`.

    Args:
        score: (B, ...) gradient of log q(xt).
        t: (B,) integer noise levels in [0, T]; the noise is 0 at level 0.
        alpha_bar: (T + 1,) schedule.

    Returns:
        eps: (B, ...) mean of the noise given xt.

    Raises:
        ValueError: If t is out of range.
    """
    return -score * (1 - level(alpha_bar, t, like=score)).sqrt()


def check_noisy(t: Tensor) -> None:
    """Raise a ValueError if a level is 0."""
    if (torch.as_tensor(t) == 0).any():
        raise ValueError("t holds level 0, where there is no noise to solve for")


def check_prediction(prediction: str) -> None:
    """Raise a ValueError unless the name is known."""
    if prediction not in PREDICTIONS:
        names = ", ".join(PREDICTIONS)
        raise ValueError(f"prediction {prediction!r} must be one of {names}")


def predict_eps_from(
    output: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor, prediction: str
) -> Tensor:
    """Turn what a network returns into eps_hat.

    Args:
        output: (B, ...) eps_hat, v_hat or x0_hat, as `prediction` says.
        xt: (B, ...) noisy data that the network saw.
        t: (B,) integer noise levels in [1, T].
        alpha_bar: (T + 1,) schedule.
        prediction: "eps", "v" or "x0".

    Returns:
        eps_hat: (B, ...).

    Raises:
        ValueError: If the name is unknown, or t is out of range for "v" or "x0".

    References:
        Salimans and Ho 2022, section 4.
    """
    check_prediction(prediction)
    if prediction == "eps":
        return output
    convert = eps_from_v if prediction == "v" else eps_from_x0
    return convert(xt, output, t, alpha_bar)


def predict_x0_from(
    output: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor, prediction: str
) -> Tensor:
    """Turn what a network returns into x0_hat, also where alpha_bar is 0.

    Args:
        output: (B, ...) eps_hat, v_hat or x0_hat, as `prediction` says.
        xt: (B, ...) noisy data that the network saw.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule; above 0 at t for "eps", which says nothing of x0
            in noise alone.
        prediction: "eps", "v" or "x0".

    Returns:
        x0_hat: (B, ...).

    Raises:
        ValueError: If the name is unknown, or t is out of range for "eps" or "v".

    References:
        Salimans and Ho 2022, section 4.
    """
    check_prediction(prediction)
    if prediction == "x0":
        return output
    convert = x0_from_v if prediction == "v" else x0_from_eps
    return convert(xt, output, t, alpha_bar)


def target_of(
    prediction: str, x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor
) -> Tensor:
    """What the network ought to return for clean data and noise.

    Args:
        prediction: "eps", "v" or "x0".
        x0: (B, ...) clean data.
        eps: (B, ...) noise.
        t: (B,) integer noise levels in [0, T].
        alpha_bar: (T + 1,) schedule.

    Returns:
        (B, ...); `predict_eps_from` turns it into eps.

    Raises:
        ValueError: If t is out of range for "v".
    """
    if prediction == "v":
        return v_from_x0_eps(x0, eps, t, alpha_bar)
    return eps if prediction == "eps" else x0


def log_snr(alpha_bar: Tensor) -> Tensor:
    """Log of signal over noise power, log(alpha_bar / (1 - alpha_bar)).

    Args:
        alpha_bar: (T + 1,) schedule.

    Returns:
        (T + 1,) natural logarithms; plus infinity at level 0.

    References:
        Kingma et al. 2021, section 3.1.
    """
    return alpha_bar.logit()


def posterior(
    x0: Tensor, xt: Tensor, t: Tensor, s: Tensor, alpha_bar: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and variance of q(xs | xt, x0), a Gaussian, for any cleaner level s < t.

    Args:
        x0: (B, ...) clean data.
        xt: (B, ...) noisy data at level t.
        t: (B,) integer noise levels in [1, T].
        s: (B,) integer noise levels in [0, t).
        alpha_bar: (T + 1,) schedule.

    Returns:
        mean (B, ...) and variance (B, 1, ...), 0 where s is 0.

    Raises:
        ValueError: If a level s is not below its t, or one is out of range.

    References:
        Ho et al. 2020, Eqs. 6 and 7, with t - 1 replaced by s.
    """
    if (torch.as_tensor(s) >= torch.as_tensor(t)).any():
        raise ValueError(f"every s must lie below its t, got s {s} and t {t}")
    a_t, a_s = level(alpha_bar, t, like=xt), level(alpha_bar, s, like=xt)
    step = a_t / a_s
    mean = a_s.sqrt() * (1 - step) * x0 + step.sqrt() * (1 - a_s) * xt
    return mean / (1 - a_t), (1 - a_s) * (1 - step) / (1 - a_t)
