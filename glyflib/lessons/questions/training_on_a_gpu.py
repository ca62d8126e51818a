"""Questions of chapter 11: bytes, rounding, learning rates, hours, shared gradients."""

from functools import cache, partial

import torch
from torch import Tensor

from glyflib.data import GLYPHS, load_glyphs
from glyflib.lessons.footprint import kept_bytes, operations, trial_loss
from glyflib.lessons.question import Mistake, Question
from glyflib.runs import PRESETS
from glyflib.text import MAX_TOKENS
from glyflib.unet import UNet

TEXT_DIM = 256  # of the shipped text encoder
FLOAT = 4  # bytes
COPIES = 5  # weights, gradients, two moments, average
PLAIN_COPIES = 2  # weights, gradients
MILLIONS = 100
MEMORY = 16e9  # bytes of the GPU in the exercise
RATE = 20e12  # operations a second of the GPU in the exercise
NUM_GLYPHS = 5e6  # to be seen in the exercise
BATCH, LEARNING_RATES = 32, (5e-4, 2e-3)


def gigabytes(copies: int = PLAIN_COPIES) -> float:
    """Gigabytes of so many copies of the weights of the exercise."""
    return copies * FLOAT * MILLIONS * 1e6 / 1e9


def sum_in_bfloat16(big: float = 256.0, small: float = 1.0) -> float:
    """What a sum is in bfloat16."""
    pair = torch.tensor([big, small]).bfloat16()
    return (pair[0] + pair[1]).item()


def batch_for_rate(power: float = 2.0) -> float:
    """The batch of the higher rate, if it grows by this power of the rates' ratio."""
    return BATCH * (LEARNING_RATES[1] / LEARNING_RATES[0]) ** power


@cache
def large_network() -> UNet:
    """The network of the preset "large"."""
    with torch.random.fork_rng(devices=[]):
        return UNet(**PRESETS["large"].unet, text_dim=TEXT_DIM)


def bytes_of_state() -> int:
    """Bytes that the preset "large" takes however small the batch."""
    weights = sum(weight.numel() for weight in large_network().parameters())
    return COPIES * FLOAT * weights


@cache
def bytes_of_data() -> int:
    """Bytes of the training glyphs at 128x128 and of their captions, as in training."""
    num = len(load_glyphs("train", 32, path=GLYPHS))
    return num * PRESETS["large"].size ** 2 + num * MAX_TOKENS * TEXT_DIM * 2


@cache
def bytes_a_glyph() -> float:
    """Bytes of activations that one glyph leaves in the preset "large"."""
    loss = partial(trial_loss, large_network(), PRESETS["large"].size, 2)
    return kept_bytes(loss, large_network()) / 2


def largest_batch(taken: float | None = None) -> int:
    """The most glyphs whose activations find room beside what is taken."""
    taken = bytes_of_state() + bytes_of_data() if taken is None else taken
    return int((MEMORY - taken) // bytes_a_glyph())


@cache
def operations_a_glyph(has_way_back: bool = True) -> int:
    """Operations that the preset "large" spends on a glyph."""
    loss = partial(trial_loss, large_network(), PRESETS["large"].size, 1)
    return operations((lambda: loss().backward()) if has_way_back else loss)


def hours(has_way_back: bool = True) -> float:
    """Hours of the training in the exercise."""
    return operations_a_glyph(has_way_back) * NUM_GLYPHS / RATE / 3600


def three_shares() -> tuple[Tensor, Tensor]:
    """Gradients of three processes, and how many glyphs each of them had."""
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    return gradients, torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64)


def joined(gradients: Tensor, counts: Tensor) -> Tensor:
    """Gradient (P,) of the whole batch, from those of its parts (K, P)."""
    return (counts[:, None] * gradients).sum(dim=0) / counts.sum()


def plain_mean(gradients: Tensor, counts: Tensor) -> Tensor:
    """The mean of the gradients, as if all parts were equal."""
    return gradients.mean(dim=0)


def undivided(gradients: Tensor, counts: Tensor) -> Tensor:
    """The sum of the gradients, each as often as it has glyphs."""
    return (counts[:, None] * gradients).sum(dim=0)


QUESTIONS = {
    "gpu-bytes": Question(
        right=gigabytes,
        because=lambda right: (
            f"a weight and its gradient, of four bytes each, make {right:g} gigabytes; "
            f"with AdamW and the average it would be {gigabytes(COPIES):g}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: gigabytes(COPIES),
                "That is with AdamW's two moments and the average.",
            ),
            Mistake(lambda: gigabytes(4), "Plain gradient descent has no moments."),
            Mistake(lambda: gigabytes(3), "And without the average of the weights?"),
            Mistake(
                lambda: gigabytes(1),
                "Those are the weights alone. What does a step need besides?",
            ),
            Mistake(
                lambda: gigabytes() / FLOAT,
                "That counts numbers. A number of 32 bits has four bytes.",
            ),
            Mistake(
                lambda: gigabytes() * 1000, "In gigabytes: a thousand millions each."
            ),
        ),
        hint="Which of the five numbers are left for each weight? Four bytes each.",
    ),
    "gpu-plus-one": Question(
        right=sum_in_bfloat16,
        because=lambda right: (
            f"between 256 and 512 bfloat16 has every second whole number only, so 257 "
            f"is rounded to {right:g}, whose last digit is even, and the 1 is lost."
        ),
        mistakes=(
            Mistake(lambda: 257.0, "Has bfloat16 a number 257? Count its digits."),
            Mistake(
                lambda: 258.0,
                "257 lies halfway between 256 and 258. Halfway, PyTorch takes the one "
                "whose last binary digit is 0.",
            ),
        ),
        hint="256 is 2 to the power of 8. In binary, 257 has nine digits.",
    ),
    "gpu-scale": Question(
        right=batch_for_rate,
        because=lambda right: (
            f"the rate is 4 times as high, 4 is the root of 16, so {right:g} glyphs."
        ),
        tolerance=0.5,
        mistakes=(
            Mistake(
                lambda: batch_for_rate(1),
                "That is the linear rule. The optimizer is AdamW.",
            ),
            Mistake(
                lambda: batch_for_rate(0.5),
                "The rate grows like the root of the batch, not the batch like the "
                "root of the rate.",
            ),
            Mistake(
                lambda: batch_for_rate(-2),
                "A larger batch is calmer, so the higher rate belongs to a larger one.",
            ),
            Mistake(
                lambda: batch_for_rate() / BATCH,
                "By that factor the batch grows. From 32 to how many?",
            ),
        ),
        hint="By which factor does the rate grow? That factor is a root; of what?",
    ),
    "gpu-fit": Question(
        right=largest_batch,
        because=lambda right: (
            f"besides what does not depend on the batch, {right} glyphs find room. "
            "Leave some of it free: a machine needs scratch space too."
        ),
        tolerance=2,
        mistakes=(
            Mistake(
                lambda: largest_batch(0),
                "Weights, gradients, moments, average and data need room as well.",
            ),
            Mistake(
                lambda: largest_batch(bytes_of_state()),
                "The glyphs and captions lie on the GPU as well.",
            ),
            Mistake(
                lambda: largest_batch(bytes_of_data()),
                "Nothing is left for the 20 bytes of each weight.",
            ),
        ),
        hint="Take from 16 gigabytes what does not depend on the batch; divide the "
        "rest by what one glyph leaves.",
    ),
    "gpu-hours": Question(
        right=hours,
        because=lambda right: (
            f"{operations_a_glyph() / 1e9:.1f} billion operations a glyph, five "
            f"million glyphs, 20 trillion operations a second: {right:.2f} hours."
        ),
        tolerance=0.02,
        mistakes=(
            Mistake(
                partial(hours, False),
                "That is the way forth alone. The way back costs twice as much again.",
            ),
            Mistake(lambda: hours() * 60, "Those are minutes."),
            Mistake(lambda: hours() * 3600, "Those are seconds."),
        ),
        hint="Operations of a glyph, there and back, times glyphs; divide by the "
        "operations a second, then by 3600.",
    ),
    "gpu-unequal": Question(
        right=lambda: joined,
        because="each glyph counts alike, wherever it was worked on.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: plain_mean,
                "So a glyph in a small part counts more than one in a large part.",
            ),
            Mistake(
                lambda: undivided,
                "That is the sum over all glyphs. The loss is their mean.",
            ),
        ),
        hint="A process's gradient is a mean over its glyphs. Turn it into a sum, add "
        "up the sums, and divide by all glyphs.",
        given=three_shares,
    ),
}
