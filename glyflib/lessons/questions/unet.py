"""Questions of chapter 9: weights, votes, sizes, kernels, and what is missed."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from glyflib.data import evenly, load_glyphs, x0_from_images
from glyflib.evaluation.probes import watched
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.ablations import without_skips
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import add_noise, v_from_x0_eps
from glyflib.unet import UNet, attend, timestep_embedding

WIDTHS = (64, 128, 192)  # channels of the glyffuser's network
MATCHES = (1.0, 3.0)  # exponentials of the two matches
VALUES = (0.0, 8.0)


def num_weights(c_in: int = 64, c_out: int = 128) -> int:
    """Weights of a convolution."""
    layer = nn.Conv2d(c_in, c_out, 3)
    return sum(weight.numel() for weight in layer.parameters())


def collected(votes: tuple[float, ...] = MATCHES) -> float:
    """What a query collects whose matches have these exponentials."""
    keys = torch.tensor(votes, dtype=torch.float64).log()
    values = torch.tensor(VALUES, dtype=torch.float64)
    query = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    return attend(query, keys[None, None, :, None], values[None, None, :, None]).item()


@cache  # checking an answer asks for it more than once
def bottom(size: int = 64) -> tuple[int, int]:
    """Side of the maps at the bottom, and how many numbers they hold in all."""
    unet = UNet(channels=WIDTHS, attention_levels=())
    with torch.no_grad(), watched(unet, ["middle.1"]) as seen:
        unet(torch.zeros(1, 1, size, size), torch.zeros(1))
    found = seen["middle.1"].output
    return found.shape[3], found.numel()


def one_of_nine(row: int, column: int) -> Tensor:
    """A kernel that has a single 1."""
    kernel = torch.zeros(3, 3)
    kernel[row, column] = 1
    return kernel


@cache
def missed(level: int = 50, num: int = 12) -> dict[int, float]:
    """Loss of v without the skips of each side, on unseen glyphs at a level."""
    glyffuser = Glyffuser.load()
    glyphs = x0_from_images(load_glyphs("test", 32).images)
    x0 = glyphs[evenly(num, len(glyphs))]
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    t = torch.full((num,), level)
    xt = add_noise(x0, eps, t, glyffuser.alpha_bar)
    v = v_from_x0_eps(x0, eps, t, glyffuser.alpha_bar)
    text = glyffuser.encoder.encode("").expand(num)
    losses = {}
    for side in (16, 8, 4):
        cut = without_skips(glyffuser.unet, [side])
        with torch.no_grad():
            v_hat = cut(xt, t, text.tokens, text.mask)
        losses[side] = (v_hat - v).square().mean().item()
    return losses


def least_alike(scale: float = 1000) -> float:
    """Cosine of the two levels least alike, if t is divided by a number first."""
    every = torch.arange(0, 1001, 10)
    directions = normalize(timestep_embedding(every / scale, 64), dim=1)
    return (directions @ directions.T).min().item()


QUESTIONS = {
    "unet-count": Question(
        right=num_weights,
        because=lambda right: (
            f"{right:,} weights: nearly all of them in kernels, and 128 are the b."
        ),
        mistakes=(
            Mistake(
                lambda: num_weights() - 128,
                "Those are the kernels. Each new channel also has a number of its own.",
            ),
            Mistake(
                lambda: num_weights() - 64,
                "The number b belongs to the channels that come out, not to those that "
                "go in.",
            ),
            Mistake(
                lambda: 9 * 128 + 128,
                "There is a kernel for every *pair* of an old and a new channel.",
            ),
            Mistake(
                lambda: 9 * (64 + 128),
                "Every old channel goes into every new one: multiply their numbers.",
            ),
        ),
        hint="Nine times the old channels times the new ones, and one more number for "
        "each new channel.",
    ),
    "unet-attend": Question(
        right=collected,
        because=lambda right: f"three quarters of 8 is {right:.0f}.",
        tolerance=0.01,
        mistakes=(
            Mistake(
                lambda: collected((1, 1)),
                "That is the mean with equal votes. But the second key matches better.",
            ),
            Mistake(
                lambda: collected(MATCHES[::-1]),
                "The votes belong to the other value: the second key matches better.",
            ),
            Mistake(
                lambda: MATCHES[1] * VALUES[1],
                "The votes have to add up to 1: divide by their sum.",
            ),
            Mistake(
                lambda: torch.tensor(MATCHES).log()[1].item() * VALUES[1],
                "That is the match times the value. First take the exponentials.",
            ),
        ),
        hint="Votes 1 and 3, divided by their sum; then the mean of 0 and 8 by them.",
    ),
    "unet-bottom": Question(
        right=bottom,
        because=lambda right: (
            f"at the bottom are {right[0]} x {right[0]} places with 192 numbers each, "
            f"{right[1]:,} in all: four times as many as for 32 x 32 pixels."
        ),
        mistakes=(
            Mistake(
                lambda: bottom(32),
                "That is the bottom for 32 x 32 pixels. The maps grow with the "
                "picture.",
            ),
            Mistake(
                lambda: bottom(128),
                "Folding counts, too: it halves the side before the two halvings.",
            ),
            Mistake(
                lambda: (bottom()[0], bottom()[0] ** 2),
                "The side is right. Now each place holds 192 numbers.",
            ),
            Mistake(
                lambda: (bottom()[0], WIDTHS[-1] * bottom()[0]),
                "The side is right. But the number of places is the side *squared*.",
            ),
        ),
        hint="The side is halved three times: by folding, and twice on the way down.",
    ),
    "unet-move": Question(
        right=lambda: one_of_nine(1, 0),
        because="the answer at each place is the pixel to its left, so all of the "
        "picture moves to the right.",
        tolerance=1e-6,
        mistakes=(
            Mistake(
                lambda: one_of_nine(1, 2),
                "That moves it to the left: each place takes the pixel on its right.",
            ),
            Mistake(
                lambda: one_of_nine(0, 1),
                "That moves it down. Rows come first, then columns.",
            ),
            Mistake(
                lambda: one_of_nine(2, 1),
                "That moves it up. Rows come first, then columns.",
            ),
            Mistake(lambda: one_of_nine(1, 1), "That leaves it where it is."),
        ),
        hint="Eight zeros and a single 1. Where is the pixel that should arrive in the "
        "middle?",
    ),
    "unet-least": Question(
        right=lambda: min(missed(), key=missed().get),
        because=lambda right: (
            f"the smallest maps, {right} x {right}, hold the least detail, and at "
            "level 50 the answer is all detail."
        ),
        mistakes=(
            Mistake(
                lambda: max(missed(), key=missed().get),
                "Those are missed most: noise is all detail, and the largest maps hold "
                "it.",
            ),
            Mistake(
                lambda: sorted(missed(), key=missed().get)[1],
                "Those are missed more than one other size.",
            ),
        ),
        hint="One of the sides 16, 8 and 4: where does the loss rise least?",
    ),
    "unet-squeezed": Question(
        right=least_alike,
        because=lambda right: (
            f"the two least alike levels still have a likeness of {right:.2f}; with "
            f"the waves of t itself it goes down to {least_alike(1):.2f}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: least_alike(1),
                "That is for the waves of t itself. Divide `every` by 1000 first.",
            ),
            Mistake(
                lambda: 1.0,
                "That is a level compared with itself. Look for the smallest number.",
            ),
        ),
        hint="`waves(every / 1000)`, `F.normalize`, all products, and their least.",
    ),
}
