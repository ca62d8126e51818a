"""What glyphs cost under the shipped glyffuser, in bits: by curve, and by bound.

Invariant: a glyph becomes a point by the chain's own first noise, and a point a glyph
by one table of greys, which training glyphs alone have filled; all parts share both.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from glyflib.data import Glyphs, x0_from_images
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.lessons.asked import some_rows
from glyflib.likelihood import (
    GreyTable,
    believed,
    bound,
    climb,
    log_density_of_noise,
    rising_levels,
)
from glyflib.schedule import add_noise
from glyflib.studies.common import Part, Subject
from glyflib.studies.training import told

NUM_GLYPHS = 128
NUM_TOLD = 64  # the first of them, told their captions
NUM_UNIFORM = 24  # the first of them, with evenly spread greys
NUM_FINE = 8  # the first of them, followed in twice as many steps
NUM_STEPS = 27  # wanted; where levels are far apart there are fewer
NUM_LEVELS = 16  # of the bound, for each glyph
NUM_COUNTED = 256  # training glyphs that fill the table of greys
NUM_DRAWS = 1000  # of the bootstrap
BATCH = 16
BIN = 2 / 255  # a grey's width on the scale of x0


def in_bits(nats: Tensor, num_pixels: int) -> Tensor:
    """Nats of whole pictures as bits per pixel."""
    return nats / (num_pixels * math.log(2))


def noise_of(x0: Tensor, seed: int) -> Tensor:
    """The first noise of these glyphs, the same in every part."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(x0.shape, generator=generator, dtype=x0.dtype)


@cache
def table_of_greys(subject: Subject, seed: int, num_glyphs: int) -> GreyTable:
    """What true greys stand behind greys that are believed at level 1, untold."""
    glyffuser = subject.glyffuser
    some = subject.train.take(some_rows(len(subject.train), num_glyphs, seed + 1))
    x0 = x0_from_images(some.images, dtype=torch.float64)
    level = torch.tensor([1])
    x1 = add_noise(x0, noise_of(x0, seed + 1), level, glyffuser.alpha_bar)
    guesses = [
        believed(told(glyffuser, [""] * len(part)), part, 1, glyffuser.alpha_bar)
        for part in x1.split(BATCH)
    ]
    return GreyTable.count(torch.cat(guesses), some.images)


def costs(
    subject: Subject,
    glyphs: Glyphs,
    captions: Sequence[str],
    seed: int,
    *,
    num_steps: int,
    num_counted: int,
    is_uniform: bool = False,
) -> dict[str, Tensor]:
    """What glyphs cost by the curve, each in bits per pixel (N,).

    Args:
        subject: whose glyffuser is asked.
        glyphs: N of them.
        captions: N texts that it is told.
        seed: of the noise and of the random signs.
        num_steps: wanted steps of the climb.
        num_counted: training glyphs in the table of greys.
        is_uniform: whether greys are spread evenly over their bins, and the glyph is
            then taken for a point at level 1, in place of the chain's first noise.

    Returns:
        "bits" of all, "touch" of them for the last touch, and "traces" (K, N).
    """
    glyffuser, alpha_bar = subject.glyffuser, subject.glyffuser.alpha_bar
    x0 = x0_from_images(glyphs.images, dtype=torch.float64)
    D, levels = x0[0].numel(), rising_levels(alpha_bar, num_steps)
    eps = noise_of(x0, seed)
    generator = torch.Generator().manual_seed(seed)
    spread = torch.rand(x0.shape, generator=generator, dtype=torch.float64) - 0.5
    table = table_of_greys(subject, seed, num_counted)
    found = {"bits": [], "touch": [], "traces": []}
    for rows in torch.arange(len(x0)).split(BATCH):
        predict_eps = told(glyffuser, [captions[row] for row in rows])
        if is_uniform:
            x1 = alpha_bar[1].sqrt() * (x0[rows] + BIN * spread[rows])
        else:
            x1 = add_noise(x0[rows], eps[rows], torch.tensor([1]), alpha_bar)
        way = climb(predict_eps, x1, alpha_bar, levels, generator=generator)
        if is_uniform:
            volume = D * math.log(BIN * alpha_bar[1].sqrt().item())
            nats, touch = -way.log_density - volume, torch.zeros(len(rows))
        else:
            guess = believed(predict_eps, x1, 1, alpha_bar)
            touch = -table.log_likelihood(guess, glyphs.images[rows])
            noise = log_density_of_noise(eps[rows], 1, alpha_bar)
            nats = noise - way.log_density + touch
        found["bits"].append(in_bits(nats, D))
        found["touch"].append(in_bits(touch, D))
        found["traces"].append(way.traces)
    return {
        name: torch.cat(parts, dim=-1).float().contiguous()
        for name, parts in found.items()
    }


def bounds(
    subject: Subject,
    glyphs: Glyphs,
    captions: Sequence[str],
    seed: int,
    num_levels: int,
) -> dict[str, Tensor]:
    """What the steps from noise to level 1 cost glyphs at most, in bits per pixel.

    Returns:
        "steps" (N,), and for each level drawn (K, N) "drawn", its number, and "errors",
        the mean squared error of a pixel of the noise.
    """
    glyffuser = subject.glyffuser
    x0 = x0_from_images(glyphs.images, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    found = {"steps": [], "drawn": [], "errors": []}
    for rows in torch.arange(len(x0)).split(BATCH):
        terms = bound(
            told(glyffuser, [captions[row] for row in rows]),
            x0[rows],
            glyffuser.alpha_bar,
            num_levels=num_levels,
            generator=generator,
        )
        D = x0[0].numel()
        found["steps"].append(in_bits(terms.costs.mean(0) + terms.start, D).float())
        found["drawn"].append(terms.levels.short())
        found["errors"].append((terms.errors / D).float())
    return {name: torch.cat(parts, dim=-1) for name, parts in found.items()}


def measured(values: Tensor, seed: int) -> list[float]:
    """A mean and its interval over glyphs, drawn again."""
    generator = torch.Generator().manual_seed(seed)
    return list(
        bootstrap_interval(
            torch.mean, values.double(), generator=generator, num=NUM_DRAWS
        )
    )


def by_curve(
    subject: Subject,
    seed: int,
    num_glyphs: int,
    *,
    num_steps: int,
    num_counted: int,
    is_told: bool = False,
    is_uniform: bool = False,
) -> dict:
    """Costs of some held-out glyphs by the curve; see `costs`."""
    rows = some_rows(len(subject.held_out), num_glyphs, seed)
    some = subject.held_out.take(rows)
    found = costs(
        subject,
        some,
        some.captions if is_told else [""] * len(some),
        seed,
        num_steps=num_steps,
        num_counted=num_counted,
        is_uniform=is_uniform,
    )
    levels = rising_levels(subject.glyffuser.alpha_bar, num_steps)
    mean = measured(found["bits"], seed)
    return {"rows": rows, "levels": levels, "mean": mean} | found


def by_bound(subject: Subject, seed: int, num_glyphs: int, num_levels: int) -> dict:
    """Costs of the steps for some held-out glyphs by the bound; see `bounds`."""
    rows = some_rows(len(subject.held_out), num_glyphs, seed)
    some = subject.held_out.take(rows)
    found = bounds(subject, some, [""] * len(some), seed, num_levels)
    return {"rows": rows, "mean steps": measured(found["steps"], seed)} | found


def bits(
    subject: Subject,
    seed: int,
    *,
    num_glyphs: int = NUM_GLYPHS,
    num_told: int = NUM_TOLD,
    num_uniform: int = NUM_UNIFORM,
    num_fine: int = NUM_FINE,
    num_steps: int = NUM_STEPS,
    num_levels: int = NUM_LEVELS,
    num_counted: int = NUM_COUNTED,
) -> Mapping[str, Part]:
    """Held-out glyphs, of which the glyffuser is told nothing, or the caption.

    By the curve and by the bound; with evenly spread greys in place of the chain's
    first noise; and by the curve in twice as many steps.
    """
    curve = partial(by_curve, subject, seed, num_counted=num_counted)
    return {
        "curve": partial(curve, num_glyphs, num_steps=num_steps),
        "bound": partial(by_bound, subject, seed, num_glyphs, num_levels),
        "told": partial(curve, num_told, num_steps=num_steps, is_told=True),
        "uniform": partial(curve, num_uniform, num_steps=num_steps, is_uniform=True),
        "fine": partial(curve, num_fine, num_steps=2 * num_steps),
    }
