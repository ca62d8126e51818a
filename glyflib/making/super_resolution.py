"""Train the super-resolver on crops of real glyphs, and judge it on held-out ones.

Invariant: what it is shown small is the area average of what it has to draw large; a
killed run goes on from its last checkpoint.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from glyflib.checkpoint import RECORD, load_checkpoint
from glyflib.data import Glyphs, evenly, x0_from_images
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.files import provenance, write_bytes, write_text
from glyflib.run_log import LOG, Log
from glyflib.schedule import add_noise
from glyflib.super_resolution import SuperResolver
from glyflib.training import Batch, Data, TrainConfig, TrainStep, load, train
from glyflib.unet import UNet

CHANNELS = (64, 96, 128)
CROP = 48  # pixels a side: 9 of 64 parts of a glyph
NUM_JUDGED = 96  # held-out glyphs
NUM_STEPS = 20


def new_super_resolver(
    seed: int, *, channels: tuple[int, ...] = CHANNELS
) -> SuperResolver:
    """A super-resolver with random weights, without attention: crops may differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet(
            in_channels=3,
            out_channels=1,
            patch=4,
            channels=channels,
            attention_levels=(),
        )
    return SuperResolver(unet)


def draw_crops(
    data: Data,
    config: TrainConfig,
    num_levels: int,
    generator: torch.Generator,
    mine: slice = slice(None),
    *,
    resolver: SuperResolver,
    crop: int = CROP,
) -> Batch:
    """Draw crops and, as their condition, the same ones small and noised, and its std.

    Corners lie on multiples of the factor, so that a crop's area average is a crop of
    the glyph's. Levels of both noises are drawn evenly. See `draw_batch`.
    """
    images, B, factor = data.images, config.batch_size, resolver.factor
    num_corners = (images.shape[-1] - crop) // factor + 1
    rows = torch.randint(len(images), (B,), generator=generator)[mine]
    corners = torch.randint(num_corners, (B, 2), generator=generator)[mine] * factor
    t = torch.randint(1, num_levels + 1, (B,), generator=generator)[mine]
    most = resolver.max_aug_level + 1
    aug_level = torch.randint(most, (B,), generator=generator)[mine]
    eps = torch.randn(B, 1, crop, crop, generator=generator)[mine]
    small = crop // factor
    eps_low = torch.randn(B, 1, small, small, generator=generator)[mine]
    places = zip(rows.tolist(), corners.tolist(), strict=True)
    x0 = x0_from_images(
        torch.stack([images[i, :, y : y + crop, x : x + crop] for i, (y, x) in places])
    )
    low = F.avg_pool2d(x0, factor)
    low = add_noise(low, eps_low.to(low), aug_level, resolver.alpha_bar)
    std = (1 - resolver.alpha_bar[aug_level]).sqrt().to(low)
    return Batch(x0, eps.to(x0), t, (low, std))


def train_super_resolver(
    glyphs: Glyphs,
    out: Path,
    work: Path,
    config: TrainConfig,
    *,
    channels: tuple[int, ...] = CHANNELS,
) -> Iterator[TrainStep]:
    """Train step by step; after the last one, the folder is written.

    Args:
        glyphs: 128x128 ones of both splits: to learn from, and to be judged by.
        out: folder to write: config.json, weights, log.csv and a model card.
        work: folder for what a killed run would lose; it goes on from there.
        config: how to train.
        channels: of the network.

    Raises:
        ValueError: If `work` holds another run, or is damaged.
    """
    resolver = new_super_resolver(config.seed, channels=channels)
    is_begun = (work / "checkpoint" / RECORD).is_file()
    first = load_checkpoint(work / "checkpoint").facts["step"] if is_begun else 0
    steps = train(
        resolver.net,
        glyphs.take(~glyphs.is_test).images,
        config,
        resolver.alpha_bar,
        directory=work / "checkpoint",
        resume=is_begun,
        data_sha256=glyphs.sha256,
        draw=partial(draw_crops, resolver=resolver),
    )
    log = Log(work / LOG, step=first, glyphs=0)
    for step in steps:
        log.add(step, config.batch_size)
        yield step
    load(work / "checkpoint", resolver.net)
    held_out = glyphs.take(glyphs.is_test)
    save_super_resolver(resolver, config, log, held_out, out)


def save_super_resolver(
    resolver: SuperResolver, config: TrainConfig, log: Log, held_out: Glyphs, out: Path
) -> None:
    """Write weights, log and card, judged as they are shipped: in half precision."""
    resolver.unet.half().float().eval()
    stage = asdict(config) | {
        "crop": CROP,
        "crops": config.steps * config.batch_size,
        "seconds": round(log.seconds),
    }
    rows = evenly(min(NUM_JUDGED, len(held_out)), len(held_out))
    x0 = x0_from_images(held_out.images[rows])
    report = judge(resolver, x0, seed=config.seed)
    resolver.training = stage | {"report": report} | provenance()
    resolver.save(out)
    write_bytes(out / LOG, Path(log.file.name).read_bytes())
    write_super_card(out)


def root_errors(x0_hat: Tensor, x0: Tensor) -> Tensor:
    """Root mean squared error (B,) of each picture, on the scale of x0."""
    return (x0_hat.clamp(-1, 1) - x0).square().mean((1, 2, 3)).sqrt()


@torch.no_grad()
def judge(resolver: SuperResolver, x0: Tensor, *, seed: int) -> dict[str, dict]:
    """Root mean squared errors against the true large glyphs, with intervals.

    Of bicubic interpolation, of what the network believes in when it sees noise alone
    (one step), and of samples; small pictures are the true ones.
    """
    small = F.avg_pool2d(x0, resolver.factor)
    bicubic = F.interpolate(small, scale_factor=resolver.factor, mode="bicubic")
    draw = partial(resolver.sample, small, aug_level=0, seed=seed)
    ways = {
        "bicubic": bicubic,
        "one step": draw(num_steps=1),
        "sample": draw(num_steps=NUM_STEPS),
    }
    generator = torch.Generator().manual_seed(seed)
    return {
        name: bootstrap_interval(
            torch.mean, root_errors(some, x0).double(), generator=generator
        )._asdict()
        for name, some in ways.items()
    }


def write_super_card(folder: Path) -> None:
    """Write README.md, the model card, from the folder's own config.json."""
    resolver = SuperResolver.load(folder)
    told, report = resolver.training, resolver.training["report"]
    count = sum(value.numel() for value in resolver.unet.parameters())

    def row(name: str) -> str:
        some = report[name]
        return f"{some['value']:.3f} ({some['low']:.3f} to {some['high']:.3f})"

    text = f"""# Model card: super-resolution, 32×32 to 128×128

A small glyph in, the same glyph four times as wide and high out.
`glyflib.super_resolution.SuperResolver.load()` reads this folder;
`glyflib generate "gold"` draws with it, after the glyffuser.

- **Network.** A U-net with {count:,} parameters and no attention, kept in half
  precision; `{json.dumps(resolver.unet.config)}`.
  It reads the noisy large picture, the enlarged small one, and the standard deviation
  of the noise in the small one.
- **Trained** to predict {resolver.prediction}, on the {resolver.schedule["name"]}
  schedule of {resolver.schedule["num_levels"]:,} levels, on {told["crops"]:,} crops of
  {told["crop"]}×{told["crop"]} pixels from the training split of the book's glyphs:
  {told["steps"]:,} steps of {told["batch_size"]}, learning rate
  {told["learning_rate"]:g}, AdamW, seed {told["seed"]}, {told["seconds"] / 60:.0f}
  minutes on {told["machine"]}, {told["threads"]} thread(s), {told["date"]}. These are
  averaged weights (EMA).
- **Small pictures** are area averages, noised to a level between 0 and
  {resolver.max_aug_level}.

Root mean squared error against the true large glyph, on a scale from -1 (ink) to +1
(paper), over {NUM_JUDGED} held-out glyphs with 95 % intervals over glyphs:

| from the true small glyph | error |
| --- | --- |
| bicubic interpolation | {row("bicubic")} |
| what the network believes, seeing noise alone | {row("one step")} |
| a sample, {NUM_STEPS} steps | {row("sample")} |

Made by `glyflib data super-resolution`; `config.json` holds every setting, `log.csv`
the loss.

## Limits

It has seen one typeface, and draws in its manner. It knows nothing of words: a small
picture that shows nonsense becomes large, sharp nonsense.
"""
    write_text(folder / "README.md", text)
