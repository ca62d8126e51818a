"""What the book's experiments ask for: captions, prompts, characters, scales.

Invariant: a study and the chapter that reads it ask for the same, because both read it
here.
"""

from types import MappingProxyType

import torch

from glyflib.data import Glyphs, evenly
from glyflib.evaluation.report import PLAIN

# Guidance: prompts whose variety is measured, with the Kangxi radical of each.
PROMPTS = MappingProxyType({"gold": 167, "fish": 195, "insect": 142})
SCALES = (0, 1, 2, 3, 5, 8, 15)
SPANS = MappingProxyType(  # levels (low, high] where guidance is on
    {"early": (667, 1000), "middle": (333, 667), "late": (0, 333)}
)
NEGATIVES = MappingProxyType({"shrimp": "insect", "to cut": "knife"})
BIRD = "bird"  # a radical that may stand at either side, and whether it comes twice
BIRD_SCALES = (0, 1, 2, 3, 5, 10, 20, 50, 100)

# Words: the plain prompts other than "gold", with the radical of each.
OTHERS = MappingProxyType({name: PLAIN[name] for name in PLAIN if name != "gold"})
# One word, or two ideas that want one place, and how many glyphs are drawn of each.
IDEAS = MappingProxyType(
    {
        "heart": 48,
        "mind": 48,
        "insect": 24,
        "a mental illness": 32,
        "a sickness of fire": 32,
    }
)
FEELINGS = "thoughts and feelings"
# The same in few steps and in many: which part comes first, and which stays.
BY_STEPS = MappingProxyType(
    {FEELINGS: (1, 3, 12, 50), "a sickness of fire": (1, 3, 50)}
)
NUM_BY_STEPS = 32
# Characters with the heart, radical 61, at the left and below.
HEART_LEFT = "忙快怕性怪怖恨恒恰悔悦悟情惜惟惊憶懐慣慢憎憐懶惰愉愧慌慎悼惨惱"
HEART_BELOW = "忍志忘忠念怒思急怨恐恩息悉悲惡惑想愁意感愚慈態慰憂慮憩憲懇懸忌忽"


def rows_with_radical(glyphs: Glyphs, num: int) -> list[int]:
    """Rows of so many glyphs with a known radical, evenly spaced among all of them.

    Raises:
        ValueError: If num is not in [1, the number of such glyphs].
    """
    known = glyphs.radicals.nonzero().squeeze(1)
    return known[evenly(num, len(known))].tolist()


def heart_rows(glyphs: Glyphs) -> list[list[int]]:
    """Rows of the glyphs with the heart at the left, and of those with it below.

    Characters that are not among the glyphs, such as held-out ones, are left out.
    """
    known = set(glyphs.chars)
    return [
        glyphs.find([char for char in chars if char in known])
        for chars in (HEART_LEFT, HEART_BELOW)
    ]


def some_rows(total: int, num: int, seed: int) -> list[int]:
    """Row numbers of `total` rows, drawn without replacement: `num`, or all there are.

    Those of a smaller number are the first of those of a larger one.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(total, generator=generator)[:num].tolist()
