"""Copies or not, by the size of the training set: one small network for each size.

Invariant: the networks differ in what they were shown and in nothing else: same first
weights, number of steps, noise in training and noise to draw from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from time import process_time

import torch
from torch import Tensor, nn

from glyflib.data import images_from_x0, load_glyphs, x0_from_images
from glyflib.evaluation.intervals import Estimate, bootstrap_interval, share_interval
from glyflib.evaluation.metrics import nearest_distance
from glyflib.evaluation.samples import COPY_SHARE
from glyflib.lessons.stored import Results
from glyflib.runs import LEVELS
from glyflib.sampling import PredictEps, sample_dpm
from glyflib.schedule import cosine_alpha_bar, predict_eps_from
from glyflib.studies.common import Part
from glyflib.studies.training import some_rows, v_errors
from glyflib.training import TrainConfig, train
from glyflib.unet import UNet

SIZE = 32
COUNTS = {"10": 10, "100": 100, "1000": 1_000, "10000": 10_000, "all": None}
NUM_ERRORS = 100  # glyphs of each kind, for the losses


@dataclass(frozen=True)
class Recipe:
    """What all the networks have in common.

    Attributes:
        unet: options of the network.
        config: options of `TrainConfig`.
        num_samples: glyphs drawn.
        num_steps: of the sampler, DPM-Solver++ 2M.
    """

    unet: dict = field(
        default_factory=lambda: {
            "patch": 4,
            "channels": (48, 96),
            "attention_levels": (1,),
        }
    )
    config: dict = field(default_factory=lambda: {"steps": 1800, "learning_rate": 1e-3})
    num_samples: int = 100
    num_steps: int = 25


FOUR = Recipe(  # soon learnt by heart: for four glyphs, while a reader waits
    unet={"patch": 4, "channels": (32, 64), "attention_levels": ()},
    config={"steps": 200, "batch_size": 16, "learning_rate": 5e-3, "ema_decay": 0.95},
    num_samples=32,
    num_steps=12,
)


def subset_rows(count: int | None, total: int, seed: int) -> list[int]:
    """The first rows of one shuffle, so that small sets lie within larger ones."""
    return some_rows(total, total, seed)[:count]


def denoiser(net: nn.Module, alpha_bar: Tensor) -> PredictEps:
    """What a network trained to predict v says of the noise."""

    def predict_eps(xt: Tensor, t: Tensor) -> Tensor:
        return predict_eps_from(net(xt, t), xt, t, alpha_bar, "v")

    return predict_eps


def learn(images: Tensor, recipe: Recipe, alpha_bar: Tensor, seed: int) -> PredictEps:
    """Train a network on images (N, 1, S, S) uint8; few are repeated to fill a batch.

    All are repeated equally often, so this changes nothing in what is drawn.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = UNet(**recipe.unet)
    config = TrainConfig(**recipe.config, seed=seed)
    images = images.repeat(ceil(config.batch_size / len(images)), 1, 1, 1)
    for step in train(net, images, config, alpha_bar):
        last = step
    return denoiser(last.ema_model, alpha_bar)


def draw_glyphs(
    predict_eps: PredictEps, recipe: Recipe, alpha_bar: Tensor, seed: int
) -> Tensor:
    """Glyphs (N, 1, S, S) uint8, from the same noise for all networks."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(recipe.num_samples, 1, SIZE, SIZE, generator=generator)
    *_, last = sample_dpm(predict_eps, noise, alpha_bar, num_steps=recipe.num_steps)
    return images_from_x0(last.xt)


def nearest_rows(x0: Tensor, others: Tensor) -> Tensor:
    """Row (N,) of the nearest of others (M, ...) to each x0 (N, ...)."""
    return torch.cdist(x0.flatten(1), others.flatten(1)).argmin(1)


def novelty(images: Tensor, shown: Tensor, held_out: Tensor, seed: int) -> dict:
    """Nearest-neighbour ratios of images to what was shown, held-out glyphs as 1.

    Args:
        images: (N, 1, S, S) uint8.
        shown: (M, 1, S, S) uint8, the training set.
        held_out: (K, 1, S, S) uint8.
        seed: of the interval.
    """
    x0, train_x0, new = (
        x0_from_images(some).flatten(1) for some in (images, shown, held_out)
    )
    usual = nearest_distance(new, train_x0)
    ratios = nearest_distance(x0, train_x0) / usual.median()
    limit = (usual / usual.median()).quantile(COPY_SHARE)
    generator = torch.Generator().manual_seed(seed)
    middle = bootstrap_interval(torch.median, ratios, generator=generator)
    return {
        "ratio": middle._asdict(),
        "copied": share_interval((ratios < limit).double())._asdict(),
        "limit": limit.item(),
        "ratios": ratios.float(),
        "nearest": nearest_rows(x0, train_x0),
    }


def part(count: int | None, recipe: Recipe, num_errors: int, seed: int) -> dict:
    """Train on so many glyphs, draw, and hold against what was shown and what not.

    Of the tensors, `nearest` counts rows of the training split.
    """
    train_split, new = load_glyphs("train", SIZE).images, load_glyphs("test", SIZE)
    rows = torch.tensor(subset_rows(count, len(train_split), seed))
    shown, alpha_bar, begin = train_split[rows], cosine_alpha_bar(1000), process_time()
    predict_eps = learn(shown, recipe, alpha_bar, seed)
    seconds = round(process_time() - begin, 1)
    images = draw_glyphs(predict_eps, recipe, alpha_bar, seed)
    found = novelty(images, shown, new.images, seed)
    found["nearest"] = rows[found["nearest"]].int()
    some = {
        "shown": shown[torch.arange(num_errors) % len(shown)],
        "held out": new.images[some_rows(len(new), num_errors, seed)],
    }
    errors = {
        f"{name} loss": v_errors(
            lambda rows: predict_eps, x0_from_images(kind), LEVELS, alpha_bar, seed
        )
        for name, kind in some.items()
    }
    facts = {"count": len(rows), "seconds": seconds, "levels": list(LEVELS)}
    found |= {name: one.float() for name, one in errors.items()}
    return facts | found | {"images": images}


def memorisation(
    seed: int,
    *,
    counts: Mapping[str, int | None] = COUNTS,
    recipe: Recipe | None = None,
    num_errors: int = NUM_ERRORS,
) -> Mapping[str, Part]:
    """A part for each size of the training set."""
    recipe = recipe or Recipe()
    return {
        name: partial(part, count, recipe, num_errors, seed)
        for name, count in counts.items()
    }


def curves_of(
    results: Results, generator: torch.Generator
) -> dict[str, dict[int, Estimate]]:
    """What changes with the number of glyphs shown, each by that number.

    "ratio" and "copied" are as stored; "shown" and "held out" are the losses, means
    over levels and then over glyphs, with an interval over glyphs.
    """
    found = {name: {} for name in ("ratio", "copied", "shown", "held out")}
    for name, facts in results.parts.items():
        count = facts["count"]
        for kind in ("ratio", "copied"):
            found[kind][count] = Estimate(**facts[kind])
        for kind in ("shown", "held out"):
            losses = results.tensors[f"{name}/{kind} loss"].mean(0)
            interval = bootstrap_interval(torch.mean, losses, generator=generator)
            found[kind][count] = interval
    return found
