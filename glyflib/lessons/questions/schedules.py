"""Questions of chapter 5: ratios, angles, ends, and the film that schedules share."""

import math

import torch
from scipy import stats

from glyflib.data import load_glyphs, x0_from_images
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import (
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


def factor_left(num_levels: int = 100) -> float:
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


def judged_right(left: float = 0.1, part: float = 0.5) -> float:
    """How often the judge is right about a chain that leaves a factor of its data.

    The part is where the judge decides; readers who forget it get another number.
    """
    mean = x0_from_images(load_glyphs("all", 32).images, dtype=torch.float64).mean(0)
    return stats.norm.cdf(part * left * mean.norm().item()).item()


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
            "two thirds of the way to 90: alpha bar passes a quarter between level "
            f"{right - 1} and level {right}."
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
                "That is what a thousand steps leave. Here there are a hundred.",
            ),
            Mistake(
                lambda: 1 - factor_left() ** 2,
                "That is the variance of the noise.",
            ),
        ),
        hint="A hundred betas, with the same mean as the thousand: what is their sum?",
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
            Mistake(
                lambda: 457,
                "That is the linear level of log-SNR -2, by the timetable. At level "
                "800 the cosine lies a little lower.",
            ),
        ),
        hint=(
            "A guess between 457 and 500 is a good one. To compute the level, take the "
            "log-SNR of the cosine at 800, and look where the linear chain has it."
        ),
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
                lambda: math.log(4),
                "That is by how much the log-SNR grows. What is it then?",
            ),
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
                lambda: judged_right(part=1),
                "The judge decides at half way: how far is that from a centre?",
            ),
            Mistake(
                lambda: judged_right(0.1**0.5),
                "The 0.1 is the factor itself. No root of it is needed.",
            ),
        ),
        hint="A share of a bell curve is asked for, a number between 0.5 and 1.",
    ),
}
