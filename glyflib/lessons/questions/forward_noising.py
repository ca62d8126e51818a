"""Questions of chapter 4: steps, jumps, and names that are lost."""

from functools import cache

import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import add_noise, alpha_bar_from_beta, linear_alpha_bar


def landing(x: float = 0.5, beta: float = 0.36, eps: float = -1.0) -> float:
    """Where a step takes a pixel: a jump to level 1 of a chain of this one step."""
    alpha_bar = alpha_bar_from_beta(torch.tensor([beta], dtype=torch.float64))
    pixel = torch.tensor([[x]], dtype=torch.float64)
    noise = torch.tensor([[eps]], dtype=torch.float64)
    return add_noise(pixel, noise, torch.tensor(1), alpha_bar).item()


def first_below(share: float) -> int:
    """The first level of the linear chain where alpha_bar is below a share."""
    return (linear_alpha_bar() < share).nonzero()[0].item()


@cache  # checking an answer asks for it more than once
def share_named(char: str, size: int, t: int, num_tries: int = 100) -> float:
    """How often the best guesser names a character at a level, at a picture's size."""
    glyphs = load_glyphs("all", size)
    x0 = x0_from_images(glyphs.images)
    alpha_bar = linear_alpha_bar()
    gen = torch.Generator().manual_seed(0)
    many = x0[glyphs.find(char)].expand(num_tries, -1, -1, -1)
    eps = torch.randn(many.shape, generator=gen)
    xt = add_noise(many, eps, torch.tensor(t), alpha_bar)
    nearest = torch.cdist(xt.flatten(1), alpha_bar[t].sqrt() * x0.flatten(1)).argmin(1)
    return (x0[nearest] == many).flatten(1).all(1).double().mean().item()


def lost_first(chars: str = "一木水金龍鬱", t: int = 525) -> str:
    """The character that the best guesser names least often at a level."""
    return min(chars, key=lambda char: share_named(char, 32, t, 500))


def signal_left(last: float) -> float:
    """The factor of the data at the end of a chain whose last beta is given."""
    return linear_alpha_bar(last=last)[-1].sqrt().item()


def share_between(s: int = 200, t: int = 500) -> float:
    """How much of the variance at level s is left at level t."""
    alpha_bar = linear_alpha_bar()
    return (alpha_bar[t] / alpha_bar[s]).item()


def lost_between(s: int = 200, t: int = 500) -> float:
    """By how much alpha_bar falls from level s to level t."""
    alpha_bar = linear_alpha_bar()
    return (alpha_bar[s] - alpha_bar[t]).item()


QUESTIONS = {
    "noising-landing": Question(
        right=landing,
        because=lambda right: (
            f"0.8 of the pixel is 0.4, and 0.6 of the noise takes it to {right:.1f}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: 0.5 + 0.6 * -1,
                "The step also shrinks the pixel: by which root?",
            ),
            Mistake(
                lambda: 0.8 * 0.5 + 0.36 * -1,
                "The added noise has variance 0.36; its factor is the root of that.",
            ),
            Mistake(
                lambda: 0.64 * 0.5 + 0.6 * -1,
                "The pixel is multiplied by the *root* of 0.64.",
            ),
            Mistake(
                lambda: 0.64 * 0.5 + 0.36 * -1,
                "Both factors are roots: 0.8 for the pixel, and 0.6 for the noise.",
            ),
            Mistake(
                lambda: 0.64 * (0.5 - 1),
                "The pixel and the noise have a factor each: the root of 0.64, and the "
                "root of 0.36.",
            ),
            Mistake(
                lambda: 0.8 * (0.5 + 0.6 * -1),
                "First the pixel shrinks, then the noise comes in; the new noise is "
                "not shrunk.",
            ),
            Mistake(
                lambda: 0.8 * 0.5 + 0.6 * 1, "Mind the sign: the noise drawn is -1."
            ),
        ),
        hint="Multiply the pixel by 0.8 and the noise by 0.6, and add the two.",
    ),
    "noising-half": Question(
        right=lambda: first_below(0.5),
        because=lambda right: (
            f"From level {right} on, more than half of the variance is noise "
            "(if the data have variance 1). That is about a quarter of the way."
        ),
        tolerance=1,
        mistakes=(
            Mistake(
                lambda: 500,
                "That is half of the steps. But by the last step alpha bar has been "
                "halved nearly fifteen times, and this is only the first time.",
            ),
            Mistake(
                lambda: first_below(0.25),
                "There the factor of the data is 0.5. Where are the two factors equal?",
            ),
        ),
        hint="Equal factors have equal squares: alpha bar, and 1 minus alpha bar.",
    ),
    "noising-last": Question(
        right=lambda: signal_left(0.005),
        because=lambda right: (
            f"At level 1000 the glyph still has {right:.0%} of its strength."
        ),
        tolerance=0.006,
        mistakes=(
            Mistake(
                lambda: signal_left(0.005) ** 2,
                "That is alpha bar. The factor of the data is its root.",
            ),
            Mistake(
                lambda: signal_left(0.02),
                "That is the chain of the chapter. Take the one with `last=0.005`.",
            ),
            Mistake(
                lambda: (1 - signal_left(0.005) ** 2) ** 0.5,
                "That is the factor of the noise. How much of the data is left?",
            ),
            Mistake(
                lambda: 100 * signal_left(0.005),
                "Give it as a factor between 0 and 1, not in percent.",
            ),
        ),
        hint="Take the last entry of `linear_alpha_bar(T, last=0.005)`, and its root.",
    ),
    "noising-names": Question(
        right=lost_first,
        because=(
            "Its nearest neighbour is the closest of all six, and the two are mistaken "
            "for each other."
        ),
        mistakes=(
            Mistake(
                lambda: "鬱",
                "It has the most ink. But the guesser does not count ink: it looks for "
                "the nearest centre.",
            ),
            Mistake(
                lambda: "一",
                "It has the least ink. But which glyph could it be mistaken for?",
            ),
            Mistake(
                lambda: "水",
                "Its nearest neighbour is the farthest away of all six.",
            ),
        ),
        hint="Whose centre has another centre close by? Give one of the six "
        "characters, in quotation marks.",
    ),
    "noising-pixels": Question(
        right=lambda: share_named("锂", 64, 600),
        because=lambda right: (
            f"With four times as many witnesses, {right:.0%} of the tries are "
            "named, and the noise is the same."
        ),
        tolerance=0.05,
        mistakes=(
            Mistake(
                lambda: share_named("锂", 32, 600),
                "That is the share with 32 x 32 pixels. Use the larger glyphs: "
                "`flat_medium`.",
            ),
            Mistake(
                lambda: 4 * share_named("锂", 32, 600),
                "Four times the pixels, but not four times the share: let the guesser "
                "count.",
            ),
        ),
        hint="`share_named` takes the rows of lithium, level 600 and `flat_medium`.",
    ),
    "noising-between": Question(
        right=lambda: 1 - share_between(),
        because=lambda right: (
            f"Only {1 - right:.2f} of the variance at level 200 is still there at "
            f"level 500, and noise has filled the rest, {right:.2f}."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                share_between,
                "That is the product of the alphas. The noise makes up the rest, to 1.",
            ),
            Mistake(
                lost_between,
                "The noise that was there at level 200 shrinks on the way: divide the "
                "two alpha bars, do not subtract them.",
            ),
            Mistake(
                lambda: (1 - share_between()) ** 0.5,
                "That is the standard deviation; the variance is asked for.",
            ),
            Mistake(
                lambda: 1 - linear_alpha_bar()[500].item(),
                "That is the noise since level 0. Leave out what came before 200.",
            ),
        ),
        hint="Divide: which alphas are in alpha bar at 500, and not in that at 200?",
    ),
}
