"""Questions of chapter 22: looks, drawings, a judge, weights, a blind spot."""

from math import ceil

import torch
from torch import Tensor

from glyflib.evaluation.samples import nearest_captions
from glyflib.lessons.question import Mistake, Question

GLYPHS, STEPS, BATCH = 200, 400, 64  # of "own-looks"
SHARE, WANTED = 0.5, 220  # of "own-drawings"
MISSED, FOOLED = 0.05, 0.10  # of "own-judge" and "own-blind"
ROUNDS = 5  # of "own-blind"


def looks(glyphs: int = GLYPHS, steps: int = STEPS, batch: int = BATCH) -> float:
    """How often each glyph of a set is looked at in training, on average."""
    return steps * batch / glyphs


def drawings(share: float = SHARE, wanted: int = WANTED) -> int:
    """How many have to be drawn so that about so many are kept."""
    return ceil(wanted / share)


def truly_right(
    share: float = SHARE, missed: float = MISSED, fooled: float = FOOLED
) -> float:
    """Of what a judge keeps, the share that is right: Bayes' rule."""
    right, wrong = share * (1 - missed), (1 - share) * fooled
    return right / (right + wrong)


def after_rounds(rounds: int = ROUNDS) -> float:
    """The share that is right after some rounds, if a judge always errs alike.

    What it keeps once it keeps for ever; so the second round changes nothing.
    """
    kinds = {
        "right and kept": SHARE * (1 - MISSED),
        "right and missed": SHARE * MISSED,
        "wrong and kept": (1 - SHARE) * FOOLED,
        "wrong and seen through": (1 - SHARE) * (1 - FOOLED),
    }
    for _ in range(rounds):
        kept = {name: of for name, of in kinds.items() if name.endswith("and kept")}
        total = sum(kept.values())
        kinds = {name: kept.get(name, 0.0) / total for name in kinds}
    return kinds["right and kept"] + kinds["right and missed"]


def if_errors_were_new(rounds: int = ROUNDS) -> float:
    """The same for a judge that errs anew each time."""
    share = SHARE
    for _ in range(rounds):
        share = truly_right(share)
    return share


def some_chances() -> tuple[Tensor, float]:
    """Probabilities that drawings are right, and from which one on they are kept."""
    return torch.tensor([0.95, 0.2, 0.7, 0.55, 0.05], dtype=torch.float64), 0.5


def reward_weights(sure: Tensor, threshold: float) -> Tensor:
    """0 for what is not kept; the others as sure as the judge, 1 on average."""
    weights = sure.where(sure > threshold, 0.0)
    return weights / weights[sure > threshold].mean()


def unscaled(sure: Tensor, threshold: float) -> Tensor:
    """The same without the scale."""
    return sure.where(sure > threshold, 0.0)


def scaled_by_all(sure: Tensor, threshold: float) -> Tensor:
    """The same, 1 on average over all drawings."""
    weights = unscaled(sure, threshold)
    return weights / weights.mean()


def summing_to_one(sure: Tensor, threshold: float) -> Tensor:
    """The same, with the sum 1."""
    weights = unscaled(sure, threshold)
    return weights / weights.sum()


def all_kept(sure: Tensor, threshold: float) -> Tensor:
    """Nothing left out."""
    return sure / sure.mean()


def all_alike(sure: Tensor, threshold: float) -> Tensor:
    """Kept or not, and no more."""
    return (sure > threshold).to(sure)


def some_features() -> tuple[Tensor, Tensor, Tensor]:
    """Descriptions of drawings and of real glyphs, and which glyph was asked for."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    asked = torch.tensor([3, 3, 7, 0, 11, 5, 5, 2])
    noise = torch.randn(8, 5, generator=generator, dtype=torch.float64)
    return real[asked] + 0.9 * noise, real, asked


def share_like_asked(drawn: Tensor, real: Tensor, asked: Tensor) -> Tensor:
    """Of the drawings, the share whose nearest real glyph is the one asked for."""
    nearest = nearest_captions(drawn, real, torch.arange(len(real)))
    return (nearest == asked).double().mean()


def count_like_asked(drawn: Tensor, real: Tensor, asked: Tensor) -> Tensor:
    """Their number."""
    return share_like_asked(drawn, real, asked) * len(drawn)


def farthest(drawn: Tensor, real: Tensor, asked: Tensor) -> Tensor:
    """The same with the farthest real glyph."""
    return (torch.cdist(drawn, real).argmax(1) == asked).double().mean()


def wrong_way(drawn: Tensor, real: Tensor, asked: Tensor) -> Tensor:
    """For each asked glyph, whether the nearest drawing is the one meant for it."""
    nearest = torch.cdist(real[asked], drawn).argmin(1)
    return (nearest == torch.arange(len(drawn))).double().mean()


QUESTIONS = {
    "own-looks": Question(
        right=looks,
        because=lambda right: (
            f"{STEPS} steps of {BATCH} are {STEPS * BATCH:,} looks, shared among "
            f"{GLYPHS} glyphs: {right:g} each. The book's glyffuser has looked at each "
            "of its glyphs about as often."
        ),
        tolerance=0.5,
        mistakes=(
            Mistake(lambda: STEPS * BATCH, "That is how many looks there are in all."),
            Mistake(lambda: STEPS / GLYPHS, "A step looks at a whole batch of glyphs."),
            Mistake(lambda: STEPS * GLYPHS / BATCH, "Turn the fraction over."),
        ),
        hint="How many glyphs are looked at in all? How many are there to share them?",
    ),
    "own-drawings": Question(
        right=drawings,
        because=lambda right: (
            f"one in two is kept, so of {right} drawings about {WANTED} are."
        ),
        tolerance=0.5,
        mistakes=(
            Mistake(lambda: WANTED * SHARE, "You have to draw more than you keep."),
            Mistake(lambda: WANTED, "Then half of them would be thrown away."),
        ),
        hint="If you draw so many, how many are kept? Solve for what you draw.",
    ),
    "own-judge": Question(
        right=truly_right,
        because=lambda right: (
            f"of 100 drawings it keeps {100 * SHARE * (1 - MISSED):g} right ones and "
            f"{100 * (1 - SHARE) * FOOLED:g} wrong ones; {right:.3f} of these are "
            "right. It is Bayes' rule again."
        ),
        tolerance=0.002,
        mistakes=(
            Mistake(
                lambda: 1 - FOOLED,
                "That is how many of the wrong ones it sees through. Count what it "
                "keeps.",
            ),
            Mistake(
                lambda: 1 - MISSED,
                "That is how many of the right ones it keeps. Some wrong ones are kept "
                "as well.",
            ),
            Mistake(
                lambda: SHARE * (1 - MISSED),
                "That is a share of all drawings. Ask for the share of those kept.",
            ),
            Mistake(
                lambda: SHARE * (1 - MISSED) + (1 - SHARE) * FOOLED,
                "That is the share that is kept. How much of it is right?",
            ),
        ),
        hint="Take 100 drawings. How many right ones are kept, how many wrong ones?",
    ),
    "own-weights": Question(
        right=lambda: reward_weights,
        because="what is kept counts by how sure the judge is, and the learning rate "
        "means what it meant before, as the weights are 1 on average.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: unscaled,
                "Divide by the mean of the weights that are kept, so that they are 1 "
                "on average.",
            ),
            Mistake(
                lambda: scaled_by_all,
                "The mean is over all drawings there. Take the kept ones alone.",
            ),
            Mistake(lambda: summing_to_one, "Their sum is 1; let their mean be 1."),
            Mistake(lambda: all_kept, "What the judge calls wrong gets the weight 0."),
            Mistake(
                lambda: all_alike,
                "All that is kept weighs alike there. Let the sure ones weigh more.",
            ),
        ),
        hint="First 0 below the threshold and the probability above it. Then divide.",
        given=some_chances,
    ),
    "own-like": Question(
        right=lambda: share_like_asked,
        because="it needs no radicals, so it works for any script. It can only say "
        "which known glyph a drawing is most like.",
        tolerance=1e-6,
        mistakes=(
            Mistake(lambda: count_like_asked, "That is the number of hits."),
            Mistake(lambda: farthest, "The least distance is asked for."),
            Mistake(
                lambda: wrong_way,
                "Ask each drawing for its nearest glyph, not each glyph for its "
                "nearest drawing.",
            ),
        ),
        hint="A table of distances, the place of the least in each row, and a mean.",
        given=some_features,
    ),
    "own-blind": Question(
        right=after_rounds,
        because=lambda right: (
            f"the first round leaves what the judge keeps, of which {right:.3f} is "
            "right. In the next it keeps all of that again, so nothing changes. By its "
            "own count, all is right."
        ),
        tolerance=0.002,
        mistakes=(
            Mistake(
                if_errors_were_new,
                "So it would be if the judge erred anew each time; and so the judge "
                "itself would tell you. What of the wrong ones that it always keeps?",
            ),
            Mistake(lambda: SHARE, "That is before the first round."),
        ),
        hint="Follow four kinds of drawings through one round: right or wrong, kept or "
        "not. Which kinds are left for the second?",
    ),
}
