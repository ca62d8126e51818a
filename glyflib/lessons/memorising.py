"""Small networks that learn some glyphs, and how near to those lies what they draw.

Invariant: networks of one recipe and seed differ in what they were shown and in nothing
else: same first weights, number of steps, noise in training and noise to draw from.
"""

from dataclasses import dataclass, field
from math import ceil

import torch
from torch import Tensor, nn

from glyflib.data import images_from_x0, x0_from_images
from glyflib.evaluation.intervals import Estimate, bootstrap_interval, share_interval
from glyflib.evaluation.metrics import nearest_distance
from glyflib.evaluation.samples import COPY_SHARE
from glyflib.lessons.asked import some_rows
from glyflib.sampling import PredictEps, last_of, sample_dpm
from glyflib.schedule import predict_eps_from
from glyflib.training import TrainConfig, train
from glyflib.unet import UNet


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


def subset_rows(num_shown: int | None, total: int, seed: int) -> list[int]:
    """Rows that a network is shown; None shows all `total`, shuffled.

    They are the first of one shuffle, so that small sets lie within larger ones.
    """
    return some_rows(total, total if num_shown is None else num_shown, seed)


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
    predict_eps: PredictEps, recipe: Recipe, alpha_bar: Tensor, seed: int, *, size=32
) -> Tensor:
    """Glyphs (N, 1, S, S) uint8, from the same noise for all networks."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(recipe.num_samples, 1, size, size, generator=generator)
    steps = sample_dpm(predict_eps, noise, alpha_bar, num_steps=recipe.num_steps)
    return images_from_x0(last_of(steps).xt)


def nearest_rows(x0: Tensor, others: Tensor) -> Tensor:
    """Row (N,) of the nearest of others (M, ...) to each x0 (N, ...)."""
    return torch.cdist(x0.flatten(1), others.flatten(1)).argmin(1)


@dataclass(frozen=True)
class Novelty:
    """How near pictures lie to what a network was shown.

    Distances are in units of the median distance of held-out glyphs to the same set.

    Attributes:
        ratio: median of the ratios; 0 is a copy, 1 as new as a held-out glyph.
        copied: share of pictures whose ratio lies below the limit.
        limit: the ratio that all but 1 % of the held-out glyphs exceed.
        ratios: (N,) ratio of each picture.
        nearest: (N,) row of the nearest glyph among those that were shown.
    """

    ratio: Estimate
    copied: Estimate
    limit: float
    ratios: Tensor
    nearest: Tensor


def novelty(images: Tensor, shown: Tensor, held_out: Tensor, seed: int) -> Novelty:
    """Measure the distance of pictures to what was shown, that of held-out glyphs as 1.

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
    return Novelty(
        ratio=bootstrap_interval(torch.median, ratios, generator=generator),
        copied=share_interval((ratios < limit).double()),
        limit=limit.item(),
        ratios=ratios.float(),
        nearest=nearest_rows(x0, train_x0),
    )
