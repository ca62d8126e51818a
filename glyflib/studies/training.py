"""Loss by level of the shipped glyffuser, beside what exact denoisers would lose.

Invariant: all denoisers see the same noisy glyphs, and all losses are squared errors
in v, the quantity that the network was trained on.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch

from glyflib.data import Glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.asked import some_rows
from glyflib.runs import LEVELS
from glyflib.sampling import PredictEps
from glyflib.studies.common import Part, Subject
from glyflib.text import encode_captions
from glyflib.training import errors_by_level

NUM_GLYPHS = 128  # of each split


def told(glyffuser: Glyffuser, captions: Sequence[str]) -> PredictEps:
    """The glyffuser's denoiser of glyphs, told their captions as in training."""
    cond = encode_captions(glyffuser.encoder, captions)
    return partial(glyffuser.predict_eps, cond=cond)


@cache
def ideal_denoiser(subject: Subject) -> IdealDenoiser:
    """The perfect denoiser of the training glyphs, on the glyffuser's schedule."""
    return IdealDenoiser(subject.train.images, subject.glyffuser.alpha_bar)


def losses(
    subject: Subject,
    glyphs: Glyphs,
    seed: int,
    levels: tuple[int, ...],
    num_glyphs: int,
) -> dict:
    """Errors (K, N) on some of the glyphs: with captions, without, and ideal."""
    glyffuser = subject.glyffuser
    rows = some_rows(len(glyphs), num_glyphs, seed)
    some = glyphs.take(rows)
    x0, alpha_bar = x0_from_images(some.images), glyffuser.alpha_bar
    denoisers = {
        "captions": told(glyffuser, some.captions),
        "no captions": told(glyffuser, [""] * len(some)),
        "ideal": ideal_denoiser(subject).predict_eps,
    }
    found = {"rows": rows, "levels": list(levels)}
    for name, predict_eps in denoisers.items():
        generator = torch.Generator().manual_seed(seed)
        errors = errors_by_level(predict_eps, x0, levels, alpha_bar, generator)
        found[name] = (errors / alpha_bar[list(levels), None]).float()
    return found


def training(
    subject: Subject,
    seed: int,
    *,
    levels: tuple[int, ...] = LEVELS,
    num_glyphs: int = NUM_GLYPHS,
) -> Mapping[str, Part]:
    """A part for each split."""
    return {
        split: partial(losses, subject, glyphs, seed, levels, num_glyphs)
        for split, glyphs in {"train": subject.train, "test": subject.held_out}.items()
    }
