"""Questions of chapter 10.

Invariant: right answers come from the package's own schedule, averages and loops.
"""

from functools import cache

import torch
from torch import Tensor, nn

from glyflib.checkpoint import EMA
from glyflib.data import load_glyphs
from glyflib.lessons.question import Mistake, Question
from glyflib.lessons.results import first_edition
from glyflib.runs import LEVELS
from glyflib.schedule import cosine_alpha_bar, v_from_x0_eps
from glyflib.training import TrainConfig, learning_rate_at, train
from glyflib.unet import UNet

SIGNAL = 0.3  # alpha_bar of the level that the lazy network is asked at
NUM_STEPS, DECAY = 200, 0.999  # of the run that is too short for its average
RUN = (40, 8, 1e-3)  # steps, warm-up and peak on which `rates` is tried


def mean_square_of_v(signal: float = SIGNAL, pixel: float = 1.0) -> float:
    """Mean square of v at a level, exactly, for noise of +1 and -1.

    Args:
        signal: alpha_bar there.
        pixel: size of every pixel of the data, +pixel or -pixel.
    """
    alpha_bar = torch.tensor([1.0, signal], dtype=torch.float64)
    x0 = torch.tensor([[pixel], [pixel], [-pixel], [-pixel]], dtype=torch.float64)
    eps = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]], dtype=torch.float64)
    v = v_from_x0_eps(x0, eps, torch.ones(4, dtype=torch.int64), alpha_bar)
    return v.square().mean().item()


def share_of_start(
    num_steps: int = NUM_STEPS, decay: float = DECAY, *, is_warmed_up: bool = False
) -> float:
    """Share of the weights' start in their average."""
    model = nn.Module()
    model.w = nn.Parameter(torch.ones(1, dtype=torch.float64))
    average = EMA(model, decay, is_warmed_up=is_warmed_up)
    model.w.data.zero_()
    for _ in range(num_steps):
        average.update(model)
    return average.model.w.item()


def glyphs_at_lowest(level: int, kind: str = "ema_loss") -> int:
    """After how many glyphs the first edition's loss on unseen ones was lowest."""
    snapshots = first_edition().snapshots
    losses = snapshots[kind][:, LEVELS.index(level)]
    return int(snapshots["glyphs"][losses.argmin()])


def rates(num_steps: int, warmup: int, peak: float) -> list[float]:
    """Learning rate of each step."""
    config = TrainConfig(num_steps, warmup=warmup, learning_rate=peak)
    return [learning_rate_at(step, config) for step in range(num_steps)]


def without_warmup(num_steps: int, warmup: int, peak: float) -> list[float]:
    """Rates that sink from the first step on."""
    return rates(num_steps, 0, peak)


def cosine_from_the_start(num_steps: int, warmup: int, peak: float) -> list[float]:
    """A warm-up, and then the rates of a run that had none."""
    return rates(num_steps, warmup, peak)[:warmup] + rates(num_steps, 0, peak)[warmup:]


def whole_cosine(num_steps: int, warmup: int, peak: float) -> list[float]:
    """A warm-up, and then half a cosine without the 1 and the half around it."""
    right = rates(num_steps, warmup, peak)
    return right[:warmup] + [2 * rate - peak for rate in right[warmup:]]


@cache
def losses_alone(learning_rate: float = 5e-4) -> Tensor:
    """The twelve losses of the chapter's run that was left alone."""
    config = TrainConfig(
        12, batch_size=4, warmup=2, checkpoint_seconds=0, learning_rate=learning_rate
    )
    images = load_glyphs("train", 32).images[:64]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(channels=(8, 8), attention_levels=())
    steps = train(network, images, config, cosine_alpha_bar(1000))
    return torch.tensor([step.loss for step in steps])


QUESTIONS = {
    "training-zero": Question(
        right=mean_square_of_v,
        because="so it is at any level: a loss of 1 in v means that nothing is learnt.",
        tolerance=1e-3,
        mistakes=(
            Mistake(
                lambda: 0.0,
                "That is the *mean* of v. The loss is the mean of its square.",
            ),
            Mistake(
                lambda: SIGNAL,
                "That is the part of the noise. The picture has a part in v, too.",
            ),
            Mistake(
                lambda: 1 - SIGNAL,
                "That is the part of the picture. The noise has a part in v, too.",
            ),
            Mistake(
                lambda: SIGNAL**0.5 + (1 - SIGNAL) ** 0.5,
                "Those are the factors. In a mean square each of them is squared.",
            ),
            Mistake(
                lambda: 2.0,
                "Noise and pixels have the mean square 1 each, but in v each has a "
                "factor.",
            ),
        ),
        hint="The mean square of v: the factor of the noise, squared, and the factor "
        "of the picture, squared.",
    ),
    "training-start": Question(
        right=share_of_start,
        because=lambda right: (
            f"{right:.0%} of the average is random. With a warm-up of the decay it "
            "would be next to nothing."
        ),
        tolerance=0.005,
        mistakes=(
            Mistake(
                lambda: 1 - share_of_start(),
                "That is the share of what was learnt. The question is about the rest.",
            ),
            Mistake(
                lambda: 1 - NUM_STEPS * (1 - DECAY),
                "Nearly: each step takes a thousandth of *what is left*, and that "
                "gets less.",
            ),
            Mistake(
                lambda: share_of_start(is_warmed_up=True),
                "That is with a warm-up. Here the decay is 0.999 from the first step.",
            ),
            Mistake(
                lambda: DECAY,
                "That is what one step keeps. There are two hundred of them.",
            ),
        ),
        hint="Each step keeps the share 0.999: multiply two hundred of these.",
    ),
    "training-stop": Question(
        right=lambda: glyphs_at_lowest(850),
        because=lambda right: f"after {right:,} glyphs this loss only rose.",
        mistakes=(
            Mistake(
                lambda: glyphs_at_lowest(850, "raw_loss"),
                "That is for the weights of the moment. We draw with their average.",
            ),
            Mistake(
                lambda: int(first_edition().snapshots["glyphs"][-1]),
                "That is where it was stopped. Was the loss lowest there?",
            ),
            Mistake(
                lambda: int(
                    first_edition().snapshots["ema_loss"][:, LEVELS.index(850)].argmin()
                ),
                "That is the row. How many glyphs had been seen then?",
            ),
        ),
        hint="The row where the column of level 850 is lowest, and that row's glyphs.",
    ),
    "training-rates": Question(
        right=lambda: rates,
        because="first a line up, then half a cosine down, and no step is wasted.",
        tolerance=1e-8,
        given=lambda: RUN,
        mistakes=(
            Mistake(
                lambda: without_warmup,
                "These rates sink from the start. Where is the warm-up?",
            ),
            Mistake(
                lambda: cosine_from_the_start,
                "After the warm-up the rate jumps. The cosine has to begin there, at "
                "`k = warmup`, with the peak.",
            ),
            Mistake(
                lambda: whole_cosine,
                "These rates fall below 0. Half a cosine is `(1 + cos(...)) / 2`.",
            ),
        ),
        hint="Look at the first step, at step `warmup` and at the last one: they "
        "should have `peak / (warmup + 1)`, `peak`, and a little above 0.",
    ),
    "training-equal": Question(
        right=losses_alone,
        because="twelve losses, equal but for rounding: you have written `train`.",
        tolerance=1e-4,
        mistakes=(
            Mistake(
                lambda: losses_alone(1e-3),
                "These are the losses with AdamW's own rate. Set it before each step.",
            ),
        ),
        hint="If the first loss differs, look at the order of the draws and at the "
        "seeds. If later ones do, look at the rate and at the cut slopes.",
    ),
}
