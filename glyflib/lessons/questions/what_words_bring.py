"""Questions of "What words bring": an overlap, a name, and learning by heart."""

import re
from functools import cache

from glyflib.data import load_glyphs
from glyflib.lessons import results
from glyflib.lessons.question import Mistake, Question


def least_overlap(first: int = 26, second: int = 9, total: int = 32) -> int:
    """How many of some glyphs have both of two parts, at the least."""
    return max(first + second - total, 0)


@cache
def share_named(word: str, radical: int) -> float:
    """Share of the training glyphs with a radical whose caption has a word."""
    train = load_glyphs("train", 32)
    has_word = [bool(re.search(rf"\b{word}\b", text)) for text in train.captions]
    is_radical = train.radicals == radical
    return (is_radical[has_word].sum() / is_radical.sum()).item()


@cache
def share_of_captions(word: str, radical: int) -> float:
    """Share of the training captions with a word that belong to a radical."""
    train = load_glyphs("train", 32)
    has_word = [bool(re.search(rf"\b{word}\b", text)) for text in train.captions]
    return (train.radicals == radical)[has_word].double().mean().item()


@cache
def level_by_heart() -> int:
    """The level at which captions help most with known glyphs, over others."""
    training = results.training()
    help_of = {}
    for split in ("train", "test"):
        told = training.errors(split, "captions").mean(1)
        help_of[split] = 1 - told / training.errors(split, "no captions").mean(1)
    return int(training.levels[(help_of["train"] - help_of["test"]).argmax()])


QUESTIONS = {
    "bring-overlap": Question(
        right=least_overlap,
        because=lambda right: f"26 and 9 are {right} more than there are glyphs.",
        mistakes=(
            Mistake(lambda: 0, "Without any overlap they would need 35 glyphs."),
            Mistake(lambda: 9, "That is the most that can have both. And the least?"),
            Mistake(lambda: 35, "So many glyphs they would need; there are 32."),
        ),
        hint="Add the two numbers, and compare with 32.",
    ),
    "bring-naming": Question(
        right=lambda: share_named("insect", 142),
        because=lambda right: f"{right:.1%} of them are named so.",
        tolerance=0.002,
        mistakes=(
            Mistake(
                lambda: share_of_captions("insect", 142),
                "That is the share of the captions with the word. Asked for is the "
                "share of the glyphs with the radical.",
            ),
            Mistake(
                lambda: share_named("heart", 61),
                "That is the heart's share.",
            ),
        ),
        hint="Glyphs with the radical and the word, over glyphs with the radical.",
    ),
    "bring-gap": Question(
        right=level_by_heart,
        because=lambda right: f"at level {right} the two are furthest apart.",
        mistakes=(
            Mistake(lambda: 990, "That is the last level. Take the difference first."),
        ),
        hint="The difference of two columns of gain, and where it is largest.",
    ),
}
