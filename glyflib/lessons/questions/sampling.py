"""Questions of chapter 12: weights of a step, clipping, a sphere, and lost spread."""

from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor

from glyflib.lessons.question import Mistake, Question
from glyflib.sampling import believe, clip, level_grid, sample
from glyflib.schedule import cosine_alpha_bar, eps_from_x0, posterior

NOISY, CLEANER = 0.5, 0.8  # alpha_bar at the ends of the step of "sampling-weight"
STEP = torch.tensor([1.0, 0.64, 0.36], dtype=torch.float64)  # of "sampling-step"
SEEN, BELIEVED = 1.1, 0.5
SPREAD = 0.5  # standard deviation of the pixel of "sampling-spread"
NUM_STAIRS = 8


def weights(noisy: float = NOISY, cleaner: float = CLEANER) -> tuple[float, float]:
    """Weights of the answer and of the picture in the mean of a step."""
    alpha_bar = torch.tensor([1.0, cleaner, noisy], dtype=torch.float64)
    one, nothing = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    answer, _ = posterior(one, nothing, 2, 1, alpha_bar)
    picture, _ = posterior(nothing, one, 2, 1, alpha_bar)
    return answer.item(), picture.item()


def weights_without_roots() -> tuple[float, float]:
    """The same by someone who forgot to take the roots."""
    r = NOISY / CLEANER
    answer = CLEANER * (1 - r) / (1 - NOISY)
    return answer, r * (1 - CLEANER) / (1 - NOISY)


def weights_upside_down() -> tuple[float, float]:
    """The same with r turned upside down."""
    r = CLEANER / NOISY
    answer = sqrt(CLEANER) * (1 - r) / (1 - NOISY)
    return answer, sqrt(r) * (1 - CLEANER) / (1 - NOISY)


def step(eta: float = 0.0) -> float:
    """Where the sampler leads a pixel in a step, its fresh noise set aside."""
    t = torch.tensor([2])
    xt, x0 = torch.tensor([[[SEEN]], [[BELIEVED]]], dtype=torch.float64)
    if eta == 1:
        mean, _ = posterior(x0, xt, 2, 1, STEP)
        return mean.item()
    eps_hat = eps_from_x0(xt, x0, t, STEP)
    first, _ = sample(lambda xt, t: eps_hat, xt, STEP, num_steps=2)
    return first.xt.item()


def step_by_shares() -> float:
    """The same with alpha_bar itself in place of its roots."""
    eps_hat = (SEEN - 0.6 * BELIEVED) / 0.8
    return 0.64 * BELIEVED + 0.36 * eps_hat


def step_with_picture() -> float:
    """The same with the picture where the noise belongs."""
    return 0.8 * BELIEVED + 0.6 * SEEN


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Beliefs, some out of range, pictures and alpha_bar, on which a function runs."""
    generator = torch.Generator().manual_seed(0)
    x0_hat, xt = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    return 1.5 * x0_hat, xt, torch.tensor(0.3, dtype=torch.float64)


def clipped(x0_hat: Tensor, xt: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """The belief within the range of pixels, and the noise that goes with it."""
    alpha_bar = torch.stack([torch.ones_like(ab), ab])
    eps_hat = (xt - ab.sqrt() * x0_hat) / (1 - ab).sqrt()
    return believe(lambda xt, t: eps_hat, xt, 1, alpha_bar, clip)


def clipped_belief_only(
    x0_hat: Tensor, xt: Tensor, ab: Tensor
) -> tuple[Tensor, Tensor]:
    """The clipped belief, and the noise as it was before."""
    return clip(x0_hat), (xt - ab.sqrt() * x0_hat) / (1 - ab).sqrt()


def clipped_undivided(x0_hat: Tensor, xt: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
    """The clipped belief, and the noise as strong as it is in the picture."""
    return clip(x0_hat), xt - ab.sqrt() * clip(x0_hat)


def two_noises() -> tuple[Tensor, Tensor, float]:
    """Two noises and a share of the way, on which a function is tried."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 1, 8, 8, generator=generator, dtype=torch.float64)
    return a, b, 0.3


def slerp(a: Tensor, b: Tensor, w: float) -> Tensor:
    """The place after a share w of the way from a to b, on the sphere."""
    theta = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    first, second = ((1 - w) * theta).sin(), (w * theta).sin()
    return (first * a + second * b) / theta.sin()


def straight(a: Tensor, b: Tensor, w: float) -> Tensor:
    """The place on the straight line."""
    return torch.lerp(a, b, w)


def slerp_back(a: Tensor, b: Tensor, w: float) -> Tensor:
    """The place on the way from b to a."""
    return slerp(b, a, w)


def slerp_undivided(a: Tensor, b: Tensor, w: float) -> Tensor:
    """The place without the sine below the line."""
    theta = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    return slerp(a, b, w) * theta.sin()


def few_steps() -> tuple[list[int], float, Tensor]:
    """Levels, a knob and a schedule, on which a function is tried."""
    return level_grid(1000, 5), 0.5, cosine_alpha_bar(1000)


def variance_after(
    levels: list[int],
    eta: float,
    alpha_bar: Tensor,
    *,
    spread: float = SPREAD,
    has_fresh_noise: bool = True,
) -> float:
    """Variance of a pixel that is led down by its exact answers.

    Args:
        levels: from T down to 0.
        eta: the knob, in [0, 1].
        alpha_bar: (T + 1,) schedule.
        spread: standard deviation of the data, which are Gaussian with mean 0.
        has_fresh_noise: whether fresh noise widens it, as it should.
    """
    variance = 1.0
    for t, s in pairwise(levels):
        ab_t, ab_s = alpha_bar[t].item(), alpha_bar[s].item()
        k = sqrt(ab_t) * spread**2 / (spread**2 * ab_t + 1 - ab_t)
        eps_part = (1 - sqrt(ab_t) * k) / sqrt(1 - ab_t)
        var = eta**2 * (1 - ab_s) / (1 - ab_t) * (1 - ab_t / ab_s)
        factor = sqrt(ab_s) * k + sqrt(1 - ab_s - var) * eps_part
        variance = factor**2 * variance + var * has_fresh_noise
    return variance


def spread_after(levels: list[int], eta: float, alpha_bar: Tensor) -> float:
    """The spread (standard deviation) of such a pixel."""
    return sqrt(variance_after(levels, eta, alpha_bar))


def spread_without_fresh_noise(
    levels: list[int], eta: float, alpha_bar: Tensor
) -> float:
    """The same by someone who forgot the fresh noise."""
    return sqrt(variance_after(levels, eta, alpha_bar, has_fresh_noise=False))


def stairs(num_levels: int = 1000, num_steps: int = NUM_STAIRS) -> dict[str, list]:
    """Three ways to set the levels of so many steps from T down to 0.

    Args:
        num_levels: the highest one, T.
        num_steps: steps of each, in [1, T].
    """
    share = torch.linspace(1, 0, num_steps + 1, dtype=torch.float64)
    return {
        "even": level_grid(num_levels, num_steps),
        "denser near 0": (num_levels * share**2).round().long().tolist(),
        "denser near T": (num_levels * (1 - (1 - share) ** 2)).round().long().tolist(),
    }


def best_stairs() -> str:
    """The stairs after which a pixel's spread is the least wrong, without noise."""
    alpha_bar = cosine_alpha_bar(1000)
    missed = {
        name: abs(spread_after(levels, 0.0, alpha_bar) - SPREAD)
        for name, levels in stairs().items()
    }
    return min(missed, key=missed.get)


QUESTIONS = {
    "sampling-weight": Question(
        right=weights,
        because=lambda right: (
            f"the answer has the weight {right[0]:.2f}, the picture {right[1]:.2f}. It "
            "is a long step, so the answer is trusted more than the picture."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: weights()[::-1],
                "These are the two weights, the other way round.",
            ),
            Mistake(
                weights_without_roots,
                "Each of the two weights has a root in it.",
            ),
            Mistake(
                weights_upside_down,
                "Then r would be above 1. It is the share of the noisier level over "
                "that of the cleaner one.",
            ),
        ),
        hint="First r, which is 0.5 / 0.8. Then one formula after the other.",
    ),
    "sampling-step": Question(
        right=step,
        because=lambda right: (
            f"the noise is 1, and 0.8 times the belief plus 0.6 times the noise is "
            f"{right:.1f}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: step(eta=1),
                "That is the mean of the step with fresh noise, the knob at 1. Here "
                "the knob is at 0.",
            ),
            Mistake(step_by_shares, "Belief and noise are multiplied by roots."),
            Mistake(
                step_with_picture,
                "What is mixed with the belief is the noise, not the picture.",
            ),
        ),
        hint="First the noise that is in the pixel, if the belief is right.",
    ),
    "sampling-clip": Question(
        right=lambda: clipped,
        because="belief and noise together still make up the picture.",
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: clipped_belief_only,
                "The belief is right. But the noise is the one from before: with the "
                "new belief it does not make up the picture.",
            ),
            Mistake(
                lambda: clipped_undivided,
                "The belief is right. Divide the noise by its factor.",
            ),
        ),
        hint="Return two tensors: the clipped belief, and the noise that goes with it.",
        given=example,
    ),
    "sampling-between": Question(
        right=lambda: slerp,
        because="on this way a noise stays as long as noises are.",
        tolerance=1e-4,
        mistakes=(
            Mistake(lambda: straight, "That is the straight line, through the inside."),
            Mistake(
                lambda: slerp_back,
                "That is the way from b to a: w is the share of b.",
            ),
            Mistake(
                lambda: slerp_undivided,
                "Nearly: both terms are divided by the sine of the whole angle.",
            ),
        ),
        hint="First the angle, from the product of the two noises and their lengths.",
        given=two_noises,
    ),
    "sampling-spread": Question(
        right=lambda: spread_after,
        because="each step multiplies the spread by a number, and fresh noise adds to "
        "its square.",
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: variance_after,
                "That is the variance. The spread is its root.",
            ),
            Mistake(
                lambda: spread_without_fresh_noise,
                "The fresh noise is missing: its variance is added after each step.",
            ),
        ),
        hint="Follow the variance: it begins at 1; each step multiplies it by the "
        "square of a factor, and adds the variance of the fresh noise.",
        given=few_steps,
    ),
    "sampling-stairs": Question(
        right=best_stairs,
        because="this pixel is decided late, at low levels, and there these stairs "
        "have the most steps.",
        mistakes=(
            Mistake(
                lambda: "even",
                "A good choice, and not the best one for this pixel.",
            ),
            Mistake(
                lambda: "denser near T",
                "These take long steps at low levels. Is this pixel decided at high "
                "ones?",
            ),
        ),
        hint='One of three names: "even", "denser near 0" or "denser near T".',
    ),
}
