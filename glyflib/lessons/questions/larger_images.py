"""Questions of chapter 20: pairs of places, numbers, a mean, trust, a walk, a level."""

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from glyflib.lessons.damaged import damaged_crops
from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import cosine_alpha_bar
from glyflib.super_resolution import SuperResolver

Way = Callable[[Tensor], Tensor]
TRUST_LEVELS = (0, 50, 100, 200, 300)


def attention_factor(times: int) -> int:
    """How many times more pairs of places, if both sides grow so many times."""
    return (times**2) ** 2


def times_fewer(colours: int, factor: int, channels: int) -> float:
    """Numbers of a picture over those of its latents."""
    return colours * factor**2 / channels


def error_of_mean(num_draws: int) -> float:
    """Squared error of the mean of exact draws, in units of their variance."""
    return 1 + 1 / num_draws


@cache
def trust_errors(std: float) -> dict[int, float]:
    """Root mean square error of the belief, by level, for damaged small pictures."""
    crops, small = damaged_crops(std)
    enlarger = SuperResolver.load()
    found = {}
    for level in TRUST_LEVELS:
        belief = enlarger.sample(small, num_steps=1, aug_level=level)
        gap = (belief - crops).square().mean(dim=(1, 2, 3)).sqrt()
        found[level] = gap.mean().item()
    return found


def best_trust(std: float = 0.4) -> int:
    """The level with the least error."""
    errors = trust_errors(std)
    return min(errors, key=errors.get)


def between(encode: Way, decode: Way, a: Tensor, b: Tensor, share: float) -> Tensor:
    """A picture a share of the way from a to b, in latents."""
    return decode((1 - share) * encode(a) + share * encode(b))


def in_pixels(encode: Way, decode: Way, a: Tensor, b: Tensor, share: float) -> Tensor:
    """The same in pixels, squeezed afterwards."""
    return decode(encode((1 - share) * a + share * b))


def backwards(encode: Way, decode: Way, a: Tensor, b: Tensor, share: float) -> Tensor:
    """The same walk from b to a."""
    return between(encode, decode, b, a, share)


def undecoded(encode: Way, decode: Way, a: Tensor, b: Tensor, share: float) -> Tensor:
    """The latents of the place, not its picture."""
    return (1 - share) * encode(a) + share * encode(b)


def two_pictures() -> tuple[Way, Way, Tensor, Tensor, float]:
    """A small encoder and decoder that bend, two pictures, and a share."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 1, 1, 4, 4, generator=generator)
    return torch.exp, torch.log1p, a, b, 0.25


def level_as_noisy_as(level: int, factor: int, doublings: float = 2) -> int:
    """Level of a large picture whose average is as noisy as a small one at a level.

    Args:
        level: of the small picture.
        factor: k, how many times wider the large picture is.
        doublings: what ln k is multiplied with; 2 is right.
    """
    log_snr = cosine_alpha_bar(1000).logit()
    wanted = log_snr[level] - doublings * math.log(factor)
    return (log_snr - wanted).abs().argmin().item()


QUESTIONS = {
    "larger-attention": Question(
        right=lambda: attention_factor(4),
        because="16 times as many places make $16^2$ times as many pairs.",
        mistakes=(
            Mistake(lambda: 16, "So many times more places. And pairs of places?"),
            Mistake(lambda: 64, "Places grow with the square of the side, not cubed."),
            Mistake(lambda: 4, "The side grows four times. How many places are that?"),
        ),
        hint="First the places, then the pairs of places.",
    ),
    "larger-numbers": Question(
        right=lambda: times_fewer(3, 8, 4),
        because="each number of the latents stands for 48 numbers of the picture.",
        mistakes=(
            Mistake(lambda: 64, "That is the places. Mind colours and channels too."),
            Mistake(lambda: 16, "That is for a grey picture. This one has colours."),
            Mistake(lambda: 1 / 48, "The other way round: how many times *fewer*?"),
            Mistake(lambda: 6, "Both sides shrink by 8, so there are 64 fewer places."),
        ),
        hint="Numbers in: 512 · 512 · 3. Numbers out: 64 · 64 · 4.",
    ),
    "larger-mean": Question(
        right=lambda: error_of_mean(4) / error_of_mean(1),
        because="one draw errs by $2 V$, the mean of four by $1.25\\,V$.",
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: 0.25, "The truth varies too: that is the 1 in the bracket."
            ),
            Mistake(lambda: 1.6, "The other way round: four over one, so below 1."),
            Mistake(lambda: 1.25, "That is the error of four. Divide by that of one."),
        ),
        hint="The brackets for K = 4 and for K = 1; the variance cancels.",
    ),
    "larger-trust": Question(
        right=best_trust,
        because=lambda right: (
            f"at level {right} the error is {trust_errors(0.4)[right]:.3f}, and at "
            f"level 0 it is {trust_errors(0.4)[0]:.3f}."
        ),
        mistakes=(
            Mistake(
                lambda: 0,
                "At level 0 the damage is believed. Ask at the other levels too.",
            ),
        ),
        hint="The level whose mean error is the least, of the five.",
    ),
    "larger-between": Question(
        right=lambda: between,
        because="both to latents, mixed there, and back.",
        tolerance=1e-5,
        mistakes=(
            Mistake(
                lambda: in_pixels,
                "You mixed the pictures. Mix what `encode` makes of them.",
            ),
            Mistake(lambda: backwards, "At share 0 the walk is at a, not at b."),
            Mistake(lambda: undecoded, "That is the latents. Which picture is it?"),
        ),
        hint="Encode both, mix with (1 - share) and share, decode.",
        given=two_pictures,
    ),
    "larger-level": Question(
        right=lambda: level_as_noisy_as(500, 4),
        because=lambda right: (
            f"at level {right} the log-SNR is $2 \\ln 4$ lower than at level 500."
        ),
        tolerance=1,
        mistakes=(
            Mistake(
                lambda: level_as_noisy_as(500, 4, -2),
                "That way the average is clearer still. The large one needs *more* "
                "noise.",
            ),
            Mistake(
                lambda: level_as_noisy_as(500, 4, 1),
                "Twice the logarithm: variances fall by the *square* of 4.",
            ),
        ),
        hint="The log-SNR of level 500, less 2 ln 4; then the level that has it.",
    ),
}
