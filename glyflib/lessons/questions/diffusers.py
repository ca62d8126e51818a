"""Questions of the page on the library diffusers: whose level, and where one starts."""

import torch

from glyflib.lessons.question import Mistake, Question
from glyflib.schedule import COSINE, alpha_bar_of


def trailing(num_steps: int, num_levels: int = 1000) -> list[int]:
    """Timesteps of a scheduler that starts at the last one, in equal strides."""
    stride = num_levels / num_steps
    return [round(num_levels - i * stride) - 1 for i in range(num_steps)]


def leading(num_steps: int, num_levels: int = 1000) -> list[int]:
    """Timesteps of a scheduler whose last one is 0, in equal strides."""
    stride = num_levels // num_steps
    return [i * stride for i in reversed(range(num_steps))]


def level_of(timestep: int) -> int:
    """The level of this book that a timestep of the library is."""
    return timestep + 1


def misled_by(num_steps: int = 20) -> dict[int, float]:
    """Error in log-SNR at each level, if the network is told the timestep instead."""
    log_snr = torch.logit(alpha_bar_of(COSINE))
    return {
        level_of(k): (log_snr[k] - log_snr[k + 1]).item() for k in trailing(num_steps)
    }


def most_misled() -> int:
    """The level at which that error is largest."""
    errors = misled_by()
    return max(errors, key=errors.get)


QUESTIONS = {
    "diffusers-level": Question(
        right=lambda: level_of(trailing(20)[1]),
        because="a stride is fifty levels, and their timestep 949 is our level 950.",
        mistakes=(
            Mistake(
                lambda: trailing(20)[1],
                "That is their timestep. Ours is the level next to it.",
            ),
            Mistake(
                lambda: level_of(trailing(20)[0]),
                "There the *first* step starts.",
            ),
        ),
    ),
    "diffusers-spacing": Question(
        right=lambda: level_of(leading(5)[0]),
        because=lambda right: (
            f"{right}: the last fifth of the chain is never visited, and the network "
            "is told that there is some signal where there is none."
        ),
        mistakes=(
            Mistake(
                lambda: leading(5)[0],
                "That is their timestep. Ours is the level next to it.",
            ),
            Mistake(
                lambda: level_of(trailing(5)[0]),
                "There `trailing` starts. Build the scheduler with `leading`.",
            ),
        ),
    ),
    "diffusers-offset": Question(
        right=most_misled,
        because="one level is the largest step in log-SNR at the noisy end.",
        mistakes=(
            Mistake(
                lambda: min(misled_by(), key=misled_by().get),
                "There it is misled *least*.",
            ),
        ),
        hint="Give the level of this book, one of those at which the 20 steps start.",
    ),
}
