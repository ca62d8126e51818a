"""Teaching the glyffuser something of one's own, for chapter 22.

Invariant: the glyffuser that is handed in stays as it is; what learns is a copy.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from glyflib.data import Glyphs, x0_from_images
from glyflib.glyffuser import Glyffuser
from glyflib.text import TextCondition, encode_captions
from glyflib.training import TrainConfig, train

# What is drawn before and after a second face is learnt.
FACE_PROMPTS = (
    "gold",
    "tree",
    "fish",
    "horse",
    "silk",
    "speech",
    "bird",
    "grass",
)
TAUGHT = "hand"  # the word to be taught
RADICAL = 64  # the Kangxi radical that it stands for
BLACK = -0.8  # x0 below it is as black as a pixel gets
# Words that say nothing of what a symbol shows.
SMALL_WORDS = {"with", "and", "of", "for", "to", "on", "from", "over"}


class Learnt(NamedTuple):
    """What `learn` yields after each step.

    Attributes:
        step: number of steps so far, from 1.
        loss: squared error of that step.
        glyffuser: with the averaged weights so far, to draw with. One and the same
            object at each step: it goes on learning.
    """

    step: int
    loss: float
    glyffuser: Glyffuser


def learn(
    glyffuser: Glyffuser,
    images: Tensor,
    captions: Sequence[str],
    config: TrainConfig,
    *,
    weights: Tensor | None = None,
) -> Iterator[Learnt]:
    """Train a copy of a glyffuser on pictures and captions, one yield a step.

    It is the loop of `training.train`. Nothing is written to a disk: for a run that is
    to outlive its process there is `runs.train_glyffuser`.

    Args:
        glyffuser: to start from, one that draws pictures; it stays as it is.
        images: (N, 1, S, S) uint8 of its size.
        captions: N of them.
        config: how to train.
        weights: (N,) of the pictures' errors; all weigh 1 by default.

    Raises:
        ValueError: If the pictures have another size, or as `training.train` says.
    """
    glyffuser.check_size(images)
    unet = deepcopy(glyffuser.unet).requires_grad_(True)
    unet.to(memory_format=torch.channels_last)  # convolutions are quicker
    cond = encode_captions(glyffuser.encoder, [*captions, ""])
    empty = cond.take(slice(-1, None))
    steps = train(
        unet,
        images,
        config,
        glyffuser.alpha_bar,
        cond=cond.take(slice(-1)),
        null=TextCondition(empty.tokens.float(), empty.mask),
        weights=weights,
    )
    for step in steps:
        average = replace(glyffuser, unet=step.ema_model.eval())
        yield Learnt(step.step, step.loss, average)


def matched(glyphs: Glyphs, others: Glyphs) -> tuple[Glyphs, Glyphs]:
    """The glyphs of two sets that show the same characters, in one order.

    Args:
        glyphs: whose order counts.
        others: may hold more characters, or fewer.
    """
    known = set(others.chars)
    rows = [row for row, char in enumerate(glyphs.chars) if char in known]
    first = glyphs.take(rows)
    return first, others.take(others.find(first.chars))


def describe(images: Tensor) -> Tensor:
    """Four numbers for how a glyph's strokes are drawn, (N, 4) float64.

    They are: how much a pixel differs from the one at its right, how much from the one
    below it, how much of the page is ink, and how much is black.

    Args:
        images: (N, 1, S, S) uint8 or x0.
    """
    x = x0_from_images(images, dtype=torch.float64)[:, 0]
    numbers = [
        x.diff(dim=2).abs().mean(dim=(1, 2)),
        x.diff(dim=1).abs().mean(dim=(1, 2)),
        ((1 - x) / 2).mean(dim=(1, 2)),
        (x < BLACK).double().mean(dim=(1, 2)),
    ]
    return torch.stack(numbers, dim=1)


def has_common_word(first: str, second: str) -> bool:
    """Whether two names have a word in common, other than `SMALL_WORDS`."""
    words = [set(name.replace("-", " ").split()) for name in (first, second)]
    return bool(words[0] & words[1] - SMALL_WORDS)


class Line(NamedTuple):
    """A judge of two kinds: which side of a plane does a glyph's description lie on?

    Attributes:
        slope: (D,).
        offset: the plane is where slope . description equals minus this.
    """

    slope: Tensor
    offset: Tensor

    def score(self, descriptions: Tensor) -> Tensor:
        """Above 0 for the first kind, below for the second, (N,)."""
        return descriptions @ self.slope + self.offset


def line_between(first: Tensor, second: Tensor, *, pull: float = 1e-3) -> Line:
    """Fit a judge that answers +1 for one kind and -1 for another.

    Least squares, with a pull of the slope towards 0.

    Args:
        first: (N, D) descriptions of the first kind.
        second: (M, D) of the second.
        pull: above 0.

    References:
        Bishop 2006, sections 3.1.4 and 4.1.3.
    """
    rows = torch.cat([first, second]).double()
    answers = torch.cat([torch.ones(len(first)), -torch.ones(len(second))]).double()
    mean = rows.mean(0)
    centred = rows - mean
    eye = torch.eye(rows.shape[1], dtype=torch.float64)
    fit = centred.T @ centred + pull * eye
    slope = torch.linalg.solve(fit, centred.T @ (answers - answers.mean()))
    return Line(slope, answers.mean() - mean @ slope)


def variety(images: Tensor) -> float:
    """How far apart pictures are on average: root mean square over pairs and pixels.

    Args:
        images: (N, 1, S, S) uint8 or x0, N at least 2.

    Returns:
        From 0, all alike, to 2; on the scale of x0.
    """
    x = x0_from_images(images, dtype=torch.float64).flatten(1)
    # over all ordered pairs, the mean square is twice the variance
    return (2 * x.var(dim=0, correction=1).mean()).sqrt().item()
