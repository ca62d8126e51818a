"""Questions of chapter 19: a noise, calls, a level, a mirror, a mean, a width."""

from math import sqrt

import torch
from torch import Tensor

from glyflib.editing import averaged, keeping, sample_resampled, seen_through
from glyflib.lessons.question import Mistake, Question
from glyflib.sampling import PredictEps, last_of
from glyflib.schedule import cosine_alpha_bar

SHARES = torch.tensor([1.0, 0.64], dtype=torch.float64)  # of "edit-noise"
SEEN, INK = 0.1, -1.0
NUM_STEPS, REPEATS = 20, 5  # of "edit-calls"
SPREAD, NOISY = 0.5, 0.36  # of "edit-width"


def kept_noise() -> float:
    """The noise that a denoiser answers at a pixel that it knows to be ink."""
    known = torch.tensor([[INK]], dtype=torch.float64)
    mask = torch.tensor([[True]])
    kept = keeping(lambda xt, t: torch.zeros_like(xt), known, mask, SHARES)
    return kept(torch.full_like(known, SEEN), torch.tensor([1])).item()


def calls(num_steps: int = NUM_STEPS, repeats: int = REPEATS) -> int:
    """How often a sampler that takes each step several times asks the model."""
    asked = []

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        asked.append(t)
        return torch.zeros_like(xt)

    xt = torch.zeros(1, 1)
    options = {"num_steps": num_steps, "repeats": repeats}
    last_of(sample_resampled(predict_eps, xt, cosine_alpha_bar(1000), **options))
    return len(asked)


def first_below(share: float = 0.5) -> int:
    """The lowest level of the glyffuser with less than this share of signal."""
    return int((cosine_alpha_bar(1000) < share).nonzero()[0])


def an_eye() -> tuple[PredictEps, Tensor, Tensor]:
    """A denoiser that sees the sides differently, pictures and levels."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(1, 4, 4, generator=generator, dtype=torch.float64)
    xt = torch.randn(2, 1, 4, 4, generator=generator, dtype=torch.float64)

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(weights * xt + xt.roll(1, -1))

    return predict_eps, xt, torch.tensor([300, 300])


def mirror(x: Tensor) -> Tensor:
    """Left and right exchanged."""
    return x.flip(-1)


def mirrored(predict_eps: PredictEps, xt: Tensor, t: Tensor) -> Tensor:
    """The mean of two answers: for the picture, and for its mirror image."""
    return averaged(predict_eps, seen_through(predict_eps, mirror))(xt, t)


def not_turned_back(predict_eps: PredictEps, xt: Tensor, t: Tensor) -> Tensor:
    """The same by someone who forgot to mirror the answer."""
    return (predict_eps(xt, t) + predict_eps(mirror(xt), t)) / 2


def answer_only(predict_eps: PredictEps, xt: Tensor, t: Tensor) -> Tensor:
    """The same by someone who mirrored the answer, and not the picture."""
    return (predict_eps(xt, t) + mirror(predict_eps(xt, t))) / 2


def added(predict_eps: PredictEps, xt: Tensor, t: Tensor) -> Tensor:
    """The sum of the two answers in place of their mean."""
    return 2 * mirrored(predict_eps, xt, t)


def upside_down(predict_eps: PredictEps, xt: Tensor, t: Tensor) -> Tensor:
    """The same with half a turn in place of the mirror."""
    turned = predict_eps(xt.flip((-2, -1)), t).flip((-2, -1))
    return (predict_eps(xt, t) + turned) / 2


def beliefs() -> tuple[Tensor, float]:
    """Believed pictures, and the mean that each should have."""
    generator = torch.Generator().manual_seed(0)
    x0_hat = torch.randn(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    return x0_hat, 0.4


def with_mean(x0_hat: Tensor, mean: float) -> Tensor:
    """Each picture shifted, so that its mean is as told."""
    own = x0_hat.mean(dim=(1, 2, 3), keepdim=True)
    return x0_hat + (mean - own)


def with_mean_of_all(x0_hat: Tensor, mean: float) -> Tensor:
    """All pictures shifted alike."""
    return x0_hat + (mean - x0_hat.mean())


def only_shifted(x0_hat: Tensor, mean: float) -> Tensor:
    """The mean added to what is there."""
    return x0_hat + mean


def scaled(x0_hat: Tensor, mean: float) -> Tensor:
    """Each picture multiplied, so that its mean is as told."""
    return x0_hat * mean / x0_hat.mean(dim=(1, 2, 3), keepdim=True)


def width(spread: float = SPREAD, ab: float = NOISY) -> float:
    """Variance of x0 given xt, for data that are one bell: precisions add."""
    return 1 / (1 / spread**2 + ab / (1 - ab))


QUESTIONS = {
    "edit-noise": Question(
        right=kept_noise,
        because=lambda right: (
            f"of {SEEN:g} the signal is {sqrt(0.64) * INK:g}; what remains is 0.6 "
            f"times the noise, so the noise is {right:g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: (SEEN - 0.64 * INK) / 0.36,
                "Both factors are roots: that of alpha bar, and that of the rest.",
            ),
            Mistake(
                lambda: SEEN - 0.8 * INK,
                "That is the noise as strong as it is in the picture. Divide it by "
                "its factor.",
            ),
            Mistake(
                lambda: (SEEN - INK) / 0.6,
                "The ink has been shrunk on its way to this level.",
            ),
            Mistake(
                lambda: (SEEN + 0.8 * INK) / 0.6,
                "Ink is -1: taking it away makes the number larger.",
            ),
        ),
        hint="Take the shrunk ink away, and divide what remains.",
    ),
    "edit-calls": Question(
        right=calls,
        because=lambda right: (
            f"{NUM_STEPS - 1} steps are taken {REPEATS} times, and the last one once: "
            f"{right} calls."
        ),
        mistakes=(
            Mistake(
                lambda: NUM_STEPS * REPEATS,
                "Nearly. After the last step there is no noise; is it repeated?",
            ),
            Mistake(
                lambda: (NUM_STEPS - 1) * REPEATS,
                "The last step is taken as well, once.",
            ),
            Mistake(
                lambda: 2 * NUM_STEPS * REPEATS,
                "The way up asks nobody: it only adds noise.",
            ),
            Mistake(lambda: NUM_STEPS, "That is without repeats."),
        ),
        hint="Going down asks once. Going up is noise alone.",
    ),
    "edit-level": Question(
        right=first_below,
        because=lambda right: (
            f"at level {right} less than half of the variance is scribble. From "
            "there on the noise has the upper hand."
        ),
        tolerance=1,
        mistakes=(
            Mistake(
                lambda: first_below(0.25),
                "There it is the root of alpha bar that is a half.",
            ),
        ),
        hint="Look for the first level where alpha_bar is below one half.",
    ),
    "edit-mirror": Question(
        right=lambda: mirrored,
        because="the answer for a mirrored picture is the mirrored answer, so a "
        "picture that starts symmetric stays so.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: not_turned_back,
                "The second answer belongs to the mirrored picture. Mirror it back.",
            ),
            Mistake(
                lambda: answer_only,
                "Mirror the picture before you ask, too.",
            ),
            Mistake(lambda: added, "That is the sum; take the mean."),
            Mistake(
                lambda: upside_down,
                "That is half a turn. A mirror exchanges left and right only.",
            ),
        ),
        hint="Ask twice: for xt, and for its mirror image. Mirror the second answer.",
        given=an_eye,
    ),
    "edit-mean": Question(
        right=lambda: with_mean,
        because="of all pictures with this mean, it is the one nearest to the belief.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: with_mean_of_all,
                "Each picture has a mean of its own: keep the batch apart.",
            ),
            Mistake(lambda: only_shifted, "First take away the mean that it has."),
            Mistake(
                lambda: scaled,
                "That has the right mean, but paper and ink are stretched. Shift it.",
            ),
        ),
        hint="Shift each picture by what its mean lacks.",
        given=beliefs,
    ),
    "edit-width": Question(
        right=width,
        because=lambda right: (
            f"what is known beforehand and what is seen add up as one over variances: "
            f"1 / (4 + {NOISY / (1 - NOISY):.4f}) is {right:.3f}."
        ),
        tolerance=0.001,
        mistakes=(
            Mistake(
                lambda: SPREAD**2,
                "That is how wide the data are before anything is seen.",
            ),
            Mistake(
                lambda: (1 - NOISY) / NOISY,
                "That is what the picture alone tells. The data are a bell as well.",
            ),
            Mistake(
                lambda: 1 - NOISY,
                "That is right for data with a standard deviation of 1.",
            ),
            Mistake(lambda: sqrt(width()), "That is the standard deviation."),
        ),
        hint="Divide xt by the root of alpha bar: it is then x0 and noise. Two bells "
        "are multiplied, and one over their variances adds up.",
    ),
}
