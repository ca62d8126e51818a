"""Questions of "When training fails".

Invariant: right answers come from the package's own schedule, targets and drawings.
"""

import torch
from torch import Tensor

from glyflib.lessons.broken_runs import CAUSES, MYSTERIES, mystery
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import linear_alpha_bar, target_of

MEAN_OF_GLYPHS = 0.75  # of pixels from -1 to 1, in the exercise
LINEAR_FIRST = 1e-4  # variance of the noise of the first step of the linear schedule
PIXEL = 0.5  # size of all pixels, +PIXEL or -PIXEL, in the exercise
CAUSES_TOLD = [cause for cause in CAUSES if cause != "none"]


def mean_in_wrong_range() -> float:
    """Mean of pixels that are scaled to [0, 1] by mistake."""
    pixels = torch.tensor([-1.0] + 7 * [1.0], dtype=torch.float64)  # of that mean
    return ((pixels + 1) / 2).mean().item()


def first_loss(mean_square: float = PIXEL**2) -> float:
    """Loss of a network that answers 0, where x0 is what it ought to return.

    Args:
        mean_square: of the pixels.
    """
    x0 = torch.tensor([[1.0], [-1.0]], dtype=torch.float64) * mean_square**0.5
    target = target_of("x0", x0, torch.ones_like(x0), torch.ones(2), torch.ones(2))
    return target.square().mean().item()


def last_noise(num_steps: int) -> float:
    """Standard deviation of the noise that the mistake adds in the last step.

    Args:
        num_steps: even ones, from level 1000 of the linear schedule down to 0.
    """
    alpha_bar = linear_alpha_bar(1000)
    return (1 - alpha_bar[1000 // num_steps]).sqrt().item()


def one_level_only() -> float:
    """The same by mistake: the noise of one level at the end of a long step."""
    alpha_bar = linear_alpha_bar(1000)
    t = 1000 // 20
    return (1 - alpha_bar[t] / alpha_bar[t - 1]).sqrt().item()


def sheet(name: str) -> Tensor:
    """Pictures (6, 1, 32, 32) of a mystery."""
    return mystery(name)


def mystery_question(name: str, because: str, hints: dict[str, str]) -> Question:
    """Which mistake a sheet was drawn with.

    Args:
        name: of the mystery.
        because: what gives it away.
        hints: what to think of for wrong causes.
    """

    def hint_for(cause: str, text: str) -> Mistake:
        return Mistake(lambda: cause, text)

    return Question(
        right=lambda: MYSTERIES[name],
        because=because,
        mistakes=tuple(hint_for(*pair) for pair in hints.items()),
        hint=f"One of the words {', '.join(repr(cause) for cause in CAUSES_TOLD)}.",
    )


QUESTIONS = {
    "fails-range": Question(
        right=mean_in_wrong_range,
        because="a mean is halved and lifted by a half, as each pixel is.",
        tolerance=1e-3,
        mistakes=(
            Mistake(
                lambda: MEAN_OF_GLYPHS / 2,
                "Half of the way. -1 becomes 0, so all is lifted, too.",
            ),
            Mistake(
                lambda: MEAN_OF_GLYPHS,
                "That is the mean in the right range. What becomes of -1, and of 1?",
            ),
            Mistake(
                lambda: MEAN_OF_GLYPHS + 0.5,
                "That is above 1. The range is halved before it is lifted.",
            ),
        ),
        hint="What becomes of a pixel x? -1 goes to 0 and 1 to 1.",
    ),
    "fails-first": Question(
        right=first_loss,
        because="so the first loss tells how large the target is. If it is not what "
        "you worked out, the data are not what you think.",
        tolerance=1e-3,
        mistakes=(
            Mistake(
                lambda: 1.0,
                "So it is for v, and for the noise. Here the target is the picture.",
            ),
            Mistake(
                lambda: PIXEL,
                "That is the error of each pixel. The loss is the mean of its square.",
            ),
        ),
        hint="The network answers 0, so its error is the target itself.",
    ),
    "fails-last": Question(
        right=lambda: last_noise(20),
        because=lambda right: (
            f"a grain of {right:.2f}, where the pixels lie from -1 to 1. With a "
            f"thousand steps it would be {last_noise(1000):.2f}: the more steps, the "
            "better the mistake hides."
        ),
        tolerance=2e-4,
        mistakes=(
            Mistake(
                lambda: last_noise(20) ** 2,
                "That is the variance. The noise is multiplied by its root.",
            ),
            Mistake(
                lambda: last_noise(1000),
                "That is for a thousand steps. The last of twenty is longer.",
            ),
            Mistake(
                one_level_only,
                "That is the noise of one level. The step leads over fifty of them.",
            ),
        ),
        hint="The last of twenty steps leads from level 50 to level 0. Its noise has "
        "the variance 1 - alpha_bar[50] / alpha_bar[0].",
    ),
    "fails-mystery-a": mystery_question(
        "a",
        "there is a grain, and the glyphs are others than those of the right sheet, "
        "many of them crowded: not the last step alone, but every step was another.",
        {
            "last step": "Then all would be right up to the last step. Are these the "
            "glyphs of the right sheet?",
            "prediction": "With clipping that mistake leaves no grain.",
            "range": "Then the ink would be of one grey. Is it?",
        },
    ),
    "fails-mystery-b": mystery_question(
        "b",
        "the drawing is clean, and its ink is grey: 0 is the darkest that this "
        "denoiser knows.",
        {
            "schedule": "Then noise would be left. Is there any?",
            "last step": "Then there would be a grain. Is there any?",
            "prediction": "That mistake makes strokes bolder, not paler.",
        },
    ),
    "fails-mystery-c": mystery_question(
        "c",
        "a fine grain over the very glyphs of the right sheet: all went well up to "
        "the last step.",
        {
            "schedule": "Then the glyphs would be others than those of the right "
            "sheet. Compare them one by one.",
            "prediction": "With clipping that mistake leaves no grain.",
            "range": "Then the ink would be of one grey. Is it?",
        },
    ),
}
