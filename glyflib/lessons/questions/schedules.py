"""Questions of chapter 5: ratios, angles, ends, and the film that schedules share."""

import math

import torch
from scipy import stats

from glyflib.data import load_glyphs, x0_from_images
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import (
    alpha_bar_from_beta,
    cosine_alpha_bar,
    linear_alpha_bar,
    log_snr,
)


def ratio(alpha_bar: float = 0.8) -> float:
    """The signal-to-noise ratio where this much of the variance is signal."""
    return log_snr(torch.tensor(alpha_bar, dtype=torch.float64)).exp().item()


def first_below(share: float, offset: float = 0) -> int:
    """The first level of a cosine chain where alpha_bar is at most a share."""
    alpha_bar = cosine_alpha_bar(1000, offset=offset)
    return (alpha_bar <= share + 1e-9).nonzero()[0].item()


def factor_left(num_levels: int = 50) -> float:
    """The factor of the data after a few linear steps with the betas of a thousand."""
    return linear_alpha_bar(num_levels)[-1].sqrt().item()


def same_picture(chain: str = "cosine", *, shown_by: str = "linear") -> int:
    """The level of one chain with the log-SNR nearest to level 800 of another."""
    chains = {"cosine": cosine_alpha_bar(), "linear": linear_alpha_bar()}
    wanted = log_snr(chains[chain])[800]
    return (log_snr(chains[shown_by]) - wanted).abs().argmin().item()


def after_averaging(lam: float = -5.0, side: int = 2) -> float:
    """The log-SNR of a picture whose squares of side x side pixels are averaged."""
    signal = torch.tensor(lam, dtype=torch.float64).sigmoid()
    noise = (1 - signal) / side**2
    return (signal / noise).log().item()


def stable_diffusion_alpha_bar() -> torch.Tensor:
    """Levels of the chain whose root of beta is a straight line, Lin et al. 2024."""
    roots = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64)
    return alpha_bar_from_beta(roots**2)


def judged_right(factor: float = 0.5, power: float = 0.5) -> float:
    """How often the judge is right about the end of Stable Diffusion's chain.

    The halves are those of the formula; readers who forget one get another number.
    """
    mean = x0_from_images(load_glyphs("all", 32).images, dtype=torch.float64).mean(0)
    left = stable_diffusion_alpha_bar()[-1].item() ** power
    return stats.norm.cdf(factor * left * mean.norm().item()).item()


QUESTIONS = {
    "schedules-ratio": Question(
        right=ratio,
        because=lambda right: (
            f"0.8 of the variance is signal and 0.2 is noise, so the signal is "
            f"{right:.0f} times as strong."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: math.sqrt(ratio()),
                "That compares the two *factors*. The ratio compares variances.",
            ),
            Mistake(lambda: 1 / ratio(), "That is noise over signal."),
            Mistake(
                lambda: math.log(ratio()),
                "That is the log-SNR. The ratio itself is asked for.",
            ),
        ),
        hint="How much of the variance is signal, and how much is noise?",
    ),
    "schedules-angle": Question(
        right=lambda: first_below(0.25),
        because=lambda right: (
            "The factor of the data is 0.5, which is the cosine of 60 degrees, "
            f"two thirds of the way to 90; the first whole level there is {right}."
        ),
        tolerance=1,
        mistakes=(
            Mistake(
                lambda: 750,
                "Alpha bar does not fall in a straight line here: the angle does.",
            ),
            Mistake(
                lambda: first_below(0.25**2),
                "The factor of the data is the *root* of alpha bar.",
            ),
            Mistake(
                lambda: first_below(0.75),
                "There 0.75 of the variance is still signal.",
            ),
        ),
        hint="Which factor belongs to that alpha bar, and which angle has it?",
    ),
    "schedules-cut": Question(
        right=factor_left,
        because=lambda right: (
            f"{right:.2f} of the glyph is left: this chain never comes near noise."
        ),
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: factor_left() ** 2,
                "That is alpha bar. The factor of the data is its root.",
            ),
            Mistake(
                lambda: factor_left(1000),
                "That is what a thousand steps leave. Here there are fifty.",
            ),
            Mistake(
                lambda: 1 - factor_left() ** 2,
                "That is the variance of the noise.",
            ),
        ),
        hint="Fifty betas, with the same mean as the thousand: what is their sum?",
    ),
    "schedules-timetable": Question(
        right=same_picture,
        because=lambda right: (
            f"The linear chain shows at level {right} what the cosine shows at 800."
        ),
        tolerance=1,
        mistakes=(
            Mistake(
                lambda: 800,
                "The same level is not the same picture. What do the two have to "
                "have in common?",
            ),
            Mistake(
                lambda: same_picture("linear", shown_by="cosine"),
                "That is where the *cosine* shows what the linear chain shows at 800.",
            ),
        ),
        hint="First the log-SNR of the cosine at 800, then where the linear has it.",
    ),
    "schedules-larger": Question(
        right=after_averaging,
        because=lambda right: (
            "The average of four noises has a quarter of the variance, so the ratio "
            f"grows four times, and the log-SNR by the logarithm of 4, to {right:.2f}."
        ),
        tolerance=0.02,
        mistakes=(
            Mistake(
                lambda: -5 + math.log(2),
                "The standard deviation is halved; the ratio compares variances.",
            ),
            Mistake(
                lambda: -5 - math.log(4),
                "Averaging takes noise away: does the ratio grow or fall?",
            ),
            Mistake(
                lambda: -5 + 4,
                "A factor of 4 in the ratio adds its *logarithm* to the log-SNR.",
            ),
        ),
        hint="What becomes of the noise's variance if four pixels are averaged?",
    ),
    "schedules-judge": Question(
        right=judged_right,
        because=lambda right: f"The judge is right in {right:.0%} of all cases.",
        tolerance=0.004,
        mistakes=(
            Mistake(
                lambda: judged_right(factor=1),
                "The judge decides at half way: how far is that from a centre?",
            ),
            Mistake(
                lambda: judged_right(power=1),
                "The picture's factor is the *root* of alpha bar.",
            ),
        ),
        hint="A share of a bell curve is asked for, a number between 0.5 and 1.",
    ),
}
