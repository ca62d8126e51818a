"""How words steer the picture: what chapter 16 reads instead of waiting for it.

Invariant: picture i of a part starts from the noise of seed + i, so parts that differ
in one thing only, such as the way by which text comes in, differ by that thing.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor

from glyflib.data import images_from_x0
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.asked import (
    BY_STEPS,
    IDEAS,
    NUM_BY_STEPS,
    OTHERS,
    rows_with_radical,
)
from glyflib.lessons.ways_in import WAYS, draw_hearing
from glyflib.studies.common import Part, Subject

NUM_CAPTIONS = 192  # held-out captions, one glyph each
CUT_STEPS = 8
NUM_ONE = 100  # one-step glyphs of "gold"
NUM_OTHERS = 20  # one-step glyphs of each other prompt
NUM_GOLD = 48  # glyphs of "gold" in 20 steps
NUM_LONG = 16  # and in 120
IDEA_STEPS = 12
STRONG = 3.0  # the guidance scale where guidance is on
SHOWN = 8  # pictures kept of a part that is only counted


def read(x0: Tensor, keep: int) -> dict:
    """Radicals of glyphs, and the pictures of the first few."""
    radicals = RadicalClassifier.load().read(x0).radicals
    return {"radicals": radicals.tolist(), "images": images_from_x0(x0[:keep])}


def prompted(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    num_steps: int,
    scale: float,
    seed: int,
    keep: int,
) -> dict:
    """Glyphs for prompts, all that the network is told being heard."""
    x0 = glyffuser.sample(prompts, num_steps=num_steps, scale=scale, seed=seed)
    asked = {"steps": num_steps, "scale": scale, "prompts": list(prompts)}
    return asked | read(x0, keep)


def cut(
    glyffuser: Glyffuser, captions: Sequence[str], ways: str, num_steps: int, seed: int
) -> dict:
    """Glyphs for captions, heard by some of the two ways; the others hear ""."""
    x0 = draw_hearing(glyffuser, captions, ways, num_steps=num_steps, seed=seed)
    asked = {"steps": num_steps, "scale": 1.0, "prompts": list(captions)}
    return asked | read(x0, SHOWN)


def words(
    subject: Subject,
    seed: int,
    *,
    num_captions: int = NUM_CAPTIONS,
    num_one: int = NUM_ONE,
    num_others: int = NUM_OTHERS,
    num_gold: int = NUM_GOLD,
    num_long: int = NUM_LONG,
    ideas: Mapping[str, int] = IDEAS,
    by_steps: Mapping[str, tuple[int, ...]] = BY_STEPS,
    num_by_steps: int = NUM_BY_STEPS,
) -> Mapping[str, Part]:
    """All parts, by name; scales are 1 and 3 where both are named.

    Those of `by_steps` are "thoughts and feelings in 3" and the like.
    """
    rows = rows_with_radical(subject.held_out, num_captions)
    captions = subject.held_out.take(rows).captions
    ask = partial(prompted, subject.glyffuser)
    hear = partial(cut, subject.glyffuser)
    others = [prompt for prompt in OTHERS for _ in range(num_others)]
    gold = ["gold"]
    study = {
        f"cut {ways}": partial(hear, captions, ways, CUT_STEPS, seed) for ways in WAYS
    }
    study["one empty 1"] = partial(ask, [""] * num_one, 1, 1.0, seed, SHOWN)
    for scale in (1.0, STRONG):
        name = f"{scale:g}"
        one = {"num_steps": 1, "scale": scale, "seed": seed, "keep": SHOWN}
        many = one | {"num_steps": 20, "keep": num_gold}
        study[f"one gold {name}"] = partial(ask, gold * num_one, **one)
        study[f"one others {name}"] = partial(ask, others, **one)
        study[f"20 gold {name}"] = partial(ask, gold * num_gold, **many)
    study["120 gold 3"] = partial(ask, gold * num_long, 120, STRONG, seed, num_long)
    for idea, num in ideas.items():
        study[idea] = partial(ask, [idea] * num, IDEA_STEPS, STRONG, seed, num)
    for prompt, counts in by_steps.items():
        same = [prompt] * num_by_steps
        for count in counts:
            part = partial(ask, same, count, STRONG, seed, num_by_steps)
            study[f"{prompt} in {count}"] = part
    return study
