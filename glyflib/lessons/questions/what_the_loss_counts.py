"""Questions of the page on what the loss counts: errors, weights, spread greys."""

import math

from torch import Tensor

from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import alpha_bar_of, log_snr


def eps_error(snr: float = 0.05, mmse: float = 400.0, pixels: int = 1024) -> float:
    """Mean squared error of the guessed noise, by that of the guessed data."""
    return snr * mmse / pixels


def clipped_weight(lam: float = 4.0, most: float = 5.0) -> float:
    """Factor of min-SNR on the loss of the noise, at a log-SNR."""
    return min(math.exp(lam), most) / math.exp(lam)


def share_of_levels(name: str, *, low: float = -5.0, high: float = -2.0) -> float:
    """The share of a schedule's noisy levels whose log-SNR lies in a band."""
    lam = log_snr(alpha_bar_of({"name": name, "num_levels": 1000}))[1:]
    return ((lam > low) & (lam < high)).double().mean().item()


def share_of_weight(
    most: float, *, low: float = -5.0, high: float = -2.0, name: str = "cosine"
) -> float:
    """The share of a clipped loss's weight that lies in a band of the log-SNR.

    Args:
        most: the SNR at which the weight is clipped.
        low: noisy end of the band.
        high: clean end.
        name: of the schedule.
    """
    lam = log_snr(alpha_bar_of({"name": name, "num_levels": 1000}))[1:]
    weight = clipped_weights(lam, most)
    return (weight[(lam > low) & (lam < high)].sum() / weight.sum()).item()


def clipped_weights(lam: Tensor, most: float) -> Tensor:
    """Factors (K,) of min-SNR at log-SNRs (K,): levels are drawn evenly."""
    return lam.exp().clamp(max=most) / lam.exp()


def paper_spread_evenly(t: int = 1, width: float = 2 / 255) -> float:
    """Bits of a paper pixel: a peak as wide as level t's noise, met by an even bin."""
    alpha_bar = alpha_bar_of({"name": "cosine", "num_levels": 1000})
    var = (1 - alpha_bar[t]).item()
    from_width = math.log2(math.sqrt(2 * math.pi * var) / width)
    return from_width + width**2 / 12 / (2 * var) / math.log(2)


QUESTIONS = {
    "loss-eps": Question(
        right=eps_error,
        because=lambda right: (
            f"0.05 times 400, spread over 1,024 pixels, is {right:.3f} for each."
        ),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                lambda: eps_error() * 1024,
                "That is the sum over all pixels; the loss is a mean.",
            ),
            Mistake(
                lambda: 400 / 1024,
                "That is the error of the picture. How large is that of the noise?",
            ),
        ),
        hint="The squared error of the noise is the SNR times that of the picture.",
    ),
    "loss-clip": Question(
        right=clipped_weight,
        because=lambda right: f"5 over an SNR of {math.exp(4):.1f} is {right:.3f}.",
        tolerance=0.002,
        mistakes=(
            Mistake(
                lambda: 1.0,
                "The factor would be 1 below an SNR of 5. Is 4 the SNR, or its "
                "logarithm?",
            ),
            Mistake(lambda: 5.0, "That is the upper end; divide by the SNR."),
            Mistake(
                lambda: clipped_weight() ** -1,
                "That is one over the factor: nearly clean levels count less.",
            ),
        ),
        hint="The SNR is exp(4). The smaller of it and 5, divided by it.",
    ),
    "loss-share": Question(
        right=lambda: share_of_levels("sigmoid"),
        because=lambda right: (
            f"{right:.1%} of the levels lie there, and each is drawn as often as any."
        ),
        tolerance=0.003,
        mistakes=(
            Mistake(
                lambda: share_of_levels("linear"),
                "That is the linear schedule's share.",
            ),
            Mistake(
                lambda: share_of_levels("cosine"),
                "That is the cosine's share; the sigmoid's is asked for.",
            ),
            Mistake(
                lambda: 3 / 18,
                "So it would be for the bound. The simple loss goes by levels.",
            ),
        ),
        hint="Count the levels of the sigmoid schedule in the band.",
    ),
    "loss-less": Question(
        right=lambda: share_of_weight(1.0),
        because=lambda right: (
            f"{right:.0%} of the weight lies there: what the cut takes from the clean "
            "end is shared out over the rest."
        ),
        tolerance=0.006,
        mistakes=(
            Mistake(
                lambda: share_of_weight(5.0),
                "That is the share with the cut at 5.",
            ),
            Mistake(
                lambda: share_of_levels("cosine"),
                "That is the share without any cut.",
            ),
        ),
        hint="Add up the clipped weight in the band, and divide by the sum of all.",
    ),
    "loss-paper": Question(
        right=paper_spread_evenly,
        because=lambda right: (
            f"At least {right:.2f} bits for every pixel of paper, though it is never "
            "in doubt. The chain's own noise fits the peak, and costs nothing there."
        ),
        tolerance=0.03,
        mistakes=(
            Mistake(
                lambda: paper_spread_evenly() * math.log(2),
                "That is in natural units; divide by ln 2 for bits.",
            ),
            Mistake(
                lambda: paper_spread_evenly() + math.log2(2 / 255),
                "That is the price of a density. A grey has a bin: less log2 of its "
                "width.",
            ),
            Mistake(
                lambda: -paper_spread_evenly(),
                "A price is *minus* the logarithm.",
            ),
        ),
        hint="Minus log2 of the bell's density, on average over the bin, and the bin's "
        "width.",
    ),
}
