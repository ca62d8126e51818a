"""Copies or not, by the size of the training set: one small network for each size.

Invariant: the networks differ in what they were shown and in nothing else; see
`glyflib.lessons.memorising`.
"""

from collections.abc import Mapping
from functools import partial
from time import process_time

import torch

from glyflib.data import Glyphs, x0_from_images
from glyflib.lessons.asked import some_rows
from glyflib.lessons.memorising import (
    Recipe,
    draw_glyphs,
    learn,
    novelty,
    subset_rows,
)
from glyflib.runs import LEVELS
from glyflib.schedule import cosine_alpha_bar
from glyflib.studies.common import Part, Subject
from glyflib.training import errors_by_level

COUNTS = {"10": 10, "100": 100, "1000": 1_000, "10000": 10_000, "all": None}
NUM_ERRORS = 100  # glyphs of each kind, for the losses


def part(
    train_split: Glyphs,
    new: Glyphs,
    count: int | None,
    recipe: Recipe,
    num_errors: int,
    seed: int,
) -> dict:
    """Train on so many glyphs, draw, and hold against what was shown and what not.

    Of the tensors, `nearest` counts rows of the training split.
    """
    rows = torch.tensor(subset_rows(count, len(train_split), seed))
    shown, alpha_bar = train_split.images[rows], cosine_alpha_bar(1000)
    begin = process_time()
    predict_eps = learn(shown, recipe, alpha_bar, seed)
    seconds = round(process_time() - begin, 1)
    images = draw_glyphs(predict_eps, recipe, alpha_bar, seed)
    near = novelty(images, shown, new.images, seed)
    found = {
        "count": len(rows),
        "seconds": seconds,
        "levels": list(LEVELS),
        "ratio": near.ratio._asdict(),
        "copied": near.copied._asdict(),
        "limit": near.limit,
        "ratios": near.ratios,
        "nearest": rows[near.nearest].int(),
        "images": images,
    }
    some = {
        "shown": shown[torch.arange(num_errors) % len(shown)],
        "held out": new.images[some_rows(len(new), num_errors, seed)],
    }
    for name, of_kind in some.items():
        generator, x0 = torch.Generator().manual_seed(seed), x0_from_images(of_kind)
        errors = errors_by_level(predict_eps, x0, LEVELS, alpha_bar, generator)
        found[f"{name} loss"] = (errors / alpha_bar[list(LEVELS), None]).float()
    return found


def memorisation(
    subject: Subject,
    seed: int,
    *,
    counts: Mapping[str, int | None] = COUNTS,
    recipe: Recipe | None = None,
    num_errors: int = NUM_ERRORS,
) -> Mapping[str, Part]:
    """A part for each size of the training set."""
    recipe = recipe or Recipe()
    train_on = partial(part, subject.train, subject.held_out)
    return {
        name: partial(train_on, count, recipe, num_errors, seed)
        for name, count in counts.items()
    }
