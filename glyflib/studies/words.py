"""How words steer the picture: what chapter 14 reads instead of waiting for it.

Invariant: picture i of a part starts from the noise of seed + i, so parts that differ
in one thing only, such as the way by which text comes in, differ by that thing.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from glyflib.data import Glyphs, images_from_x0
from glyflib.evaluation.probes import hearing
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.report import PLAIN
from glyflib.glyffuser import Glyffuser
from glyflib.studies.common import Part, held_out, shipped

NUM_CAPTIONS, CUT_STEPS = 192, 8  # held-out captions, one glyph each
NUM_ONE, NUM_OTHERS = 100, 20  # one-step glyphs of "gold", and of each other prompt
NUM_GOLD, NUM_LONG = 48, 16
IDEAS = {"heart": 48, "mind": 48, "insect": 24}
IDEAS |= dict.fromkeys(("a mental illness", "a sickness of fire"), 32)
IDEA_STEPS = 12
# Characters with the heart, radical 61, at the left and below.
HEART_LEFT = "忙快怕性怪怖恨恒恰悔悦悟情惜惟惊憶懐慣慢憎憐懶惰愉愧慌慎悼惨惱"
HEART_BELOW = "忍志忘忠念怒思急怨恐恩息悉悲惡惑想愁意感愚慈態慰憂慮憩憲懇懸忌忽"
STRONG = 3.0  # the guidance scale where guidance is on
SHOWN = 8  # pictures kept of a part that is only counted
CHUNK = 64


def rows_with_radical(num: int) -> list[int]:
    """Rows of held-out glyphs with a radical, evenly spaced among all of them."""
    known = held_out().radicals.nonzero().squeeze(1)
    return known[torch.linspace(0, len(known) - 1, num).round().long()].tolist()


def heart_rows(glyphs: Glyphs) -> list[list[int]]:
    """Rows of the glyphs with the heart at the left, and of those with it below.

    Characters that are not among the glyphs, such as held-out ones, are left out.
    """
    known = set(glyphs.chars)
    return [
        glyphs.find([char for char in chars if char in known])
        for chars in (HEART_LEFT, HEART_BELOW)
    ]


def draw(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    num_steps: int,
    scale: float,
    seed: int,
) -> Tensor:
    """One glyph (1, S, S) a prompt, the first from the noise of the seed."""
    found = []
    for first in range(0, len(prompts), CHUNK):
        some = prompts[first : first + CHUNK]
        options = {"num_steps": num_steps, "scale": scale, "seed": seed + first}
        with warnings.catch_warnings(action="ignore"):  # long captions are cut
            found.append(glyffuser.sample(some, **options))
    return torch.cat(found)


def read(x0: Tensor, keep: int) -> dict:
    """Radicals of glyphs, and the pictures of the first few."""
    radicals = RadicalClassifier.load().read(x0).radicals
    return {"radicals": radicals.tolist(), "images": images_from_x0(x0[:keep])}


def prompted(
    prompts: Sequence[str], num_steps: int, scale: float, seed: int, keep: int
) -> dict:
    """Glyphs for prompts, all that the network is told being heard."""
    x0 = draw(shipped(), prompts, num_steps, scale, seed)
    return {"steps": num_steps, "scale": scale} | read(x0, keep)


def cut(prompts: Sequence[str], ways: Sequence[str], num_steps: int, seed: int) -> dict:
    """Glyphs for captions, heard by some of the two ways; the others hear ""."""
    glyffuser = shipped()
    empty = glyffuser.encoder.encode("")
    names = ("attended", "averaged")
    deaf = {name: empty for name in names if name not in ways}
    with hearing(glyffuser.unet, **deaf):
        x0 = draw(glyffuser, prompts, num_steps, 1.0, seed)
    return {"steps": num_steps, "scale": 1.0} | read(x0, SHOWN)


def words(
    seed: int,
    *,
    num_captions: int = NUM_CAPTIONS,
    num_one: int = NUM_ONE,
    num_others: int = NUM_OTHERS,
    num_gold: int = NUM_GOLD,
    num_long: int = NUM_LONG,
    ideas: Mapping[str, int] = IDEAS,
) -> Mapping[str, Part]:
    """All parts, by name; scales are 1 and 3 where both are named."""
    captions = [held_out().captions[row] for row in rows_with_radical(num_captions)]
    others = [name for name in PLAIN if name != "gold" for _ in range(num_others)]
    gold = ["gold"]
    both = ("attended", "averaged")
    ways = {"both": both, "attention": both[:1], "mean": both[1:], "neither": ()}
    study = {
        f"cut {name}": partial(cut, captions, heard, CUT_STEPS, seed)
        for name, heard in ways.items()
    }
    study["one empty 1"] = partial(prompted, [""] * num_one, 1, 1.0, seed, SHOWN)
    for scale in (1.0, STRONG):
        name = f"{scale:g}"
        one = {"num_steps": 1, "scale": scale, "seed": seed, "keep": SHOWN}
        many = one | {"num_steps": 20, "keep": num_gold}
        study[f"one gold {name}"] = partial(prompted, gold * num_one, **one)
        study[f"one others {name}"] = partial(prompted, others, **one)
        study[f"20 gold {name}"] = partial(prompted, gold * num_gold, **many)
    study["120 gold 3"] = partial(
        prompted, gold * num_long, 120, STRONG, seed, num_long
    )
    for idea, num in ideas.items():
        study[idea] = partial(prompted, [idea] * num, IDEA_STEPS, STRONG, seed, num)
    return study
