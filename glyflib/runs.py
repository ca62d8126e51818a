"""Train a glyffuser: preset, captions in tokens, log, snapshots, checkpoints.

Invariant: everything lies in one folder. A run killed at any moment goes on from its
last checkpoint, and its log has one row a step all the same.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from accelerate import PartialState
from torch import Tensor

from glyflib.checkpoint import load_checkpoint, stored_checkpoint
from glyflib.data import Glyphs, load_glyphs
from glyflib.files import provenance, replace_file
from glyflib.glyffuser import Glyffuser
from glyflib.run_log import Log, Snapshots
from glyflib.text import SHIPPED, TextEncoder, encode_captions
from glyflib.training import TrainConfig, TrainStep, load, loss_by_level, train
from glyflib.unet import UNet

START = "run.json"
TRIAL_STEPS = 12
WARMUP = 200


LOG = "log.csv"
SNAPSHOTS = "snapshots.safetensors"
PROMPTS = (
    "water; river",
    "gold",
    "tree",
    "fish",
    "insect",
    "bird",
    "horse",
    "silk",
    "hand",
    "speech; words",
    "heart; mind",
    "grass",
    "fire",
    "stone",
    "food; to eat",
    "woman",
)
LEVELS = (10, 100, 250, 400, 550, 700, 850, 990)
NUM_HELD_OUT = 128


@dataclass(frozen=True)
class Preset:
    """What to train.

    Attributes:
        size: side of the pictures in pixels.
        unet: arguments of `UNet`, without the text's width.
        batch_size: glyphs a step.
        learning_rate: peak.
        ema_decay: of the averaged weights.
    """

    size: int
    unet: dict = field(default_factory=dict)
    batch_size: int = 32
    learning_rate: float = 5e-4
    ema_decay: float = 0.999


PRESETS = {
    "small": Preset(32, {"channels": (64, 128, 192)}),
    "large": Preset(
        128,
        {"patch": 4, "channels": (96, 192, 256, 320), "attention_levels": (2, 3)},
        batch_size=64,
    ),
}


def snapshot_steps(num_steps: int) -> set[int]:
    """Steps to keep samples of: 0, 100, 200, 500, 1000, 2000, ... and the last."""
    found, size = {0, num_steps}, 100
    while size < num_steps:
        found |= {n * size for n in (1, 2, 5) if n * size < num_steps}
        size *= 10
    return found


@torch.no_grad()
def take_snapshot(
    glyffusers: Sequence[Glyffuser], held_out: Glyphs, *, num_steps: int = 20
) -> dict[str, Tensor]:
    """Samples of `PROMPTS` and held-out loss by level, of raw and averaged weights."""
    found = {}
    for name, glyffuser in zip(("raw", "ema"), glyffusers, strict=True):
        seeds = range(len(PROMPTS))
        samples = glyffuser.sample(PROMPTS, num_steps=num_steps, seed=seeds)
        found[f"{name}_samples"] = ((samples + 1) * 127.5).round().byte()
        cond = encode_captions(glyffuser.encoder, held_out.captions)
        found[f"{name}_loss"] = loss_by_level(
            glyffuser.unet,
            held_out.images,
            LEVELS,
            glyffuser.alpha_bar,
            prediction=glyffuser.prediction,
            cond=(cond.tokens.float(), cond.mask),
            generator=torch.Generator().manual_seed(0),
        ).float()
    return found


def new_glyffuser(
    preset: Preset, encoder: TextEncoder, seed: int, *, text_encoder: str = SHIPPED.name
) -> Glyffuser:
    """A glyffuser with random weights, the same for the same seed.

    Its `text_encoder` says where to find the encoder again.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet(**preset.unet, text_dim=encoder.width)
    return Glyffuser(unet, encoder, size=preset.size, text_encoder=text_encoder)


def train_glyffuser(
    glyffuser: Glyffuser,
    out: Path | str,
    config: TrainConfig,
    *,
    resume: bool = False,
    has_snapshots: bool = True,
    progress: Callable[[Sequence], Sequence] = lambda batches: batches,
) -> Iterator[TrainStep]:
    """Train a glyffuser on the captions and glyphs of the training split.

    The folder gets `checkpoint/`, `log.csv`, `snapshots.safetensors` and, at the end,
    `model/`, which `Glyffuser.load` reads. A kill costs what came after the last
    checkpoint, and at most one row of the log.

    Args:
        glyffuser: where to start from, random weights or trained ones.
        out: folder.
        config: how to train.
        resume: go on from the checkpoint in `out`; the weights come from there.
        has_snapshots: whether samples and held-out losses are kept on the way.
        progress: wraps the batches of captions, as tqdm does.

    Raises:
        ValueError: As `glyflib.training.train` says.
        FileNotFoundError: If there is no checkpoint to resume from.
        FileExistsError: If there is one, and resume is not set.
    """
    out = Path(out)
    stored = stored_checkpoint(out / "checkpoint", resume)
    data = load_glyphs("train", glyffuser.size)
    cond = encode_captions(glyffuser.encoder, [*data.captions, ""], progress=progress)
    steps = train(
        glyffuser.unet,
        data.images,
        config,
        glyffuser.alpha_bar,
        cond=(cond.tokens[:-1], cond.mask[:-1]),
        null=(cond.tokens[-1:].float(), cond.mask[-1:]),
        directory=out / "checkpoint",
        resume=resume,
    )
    if not PartialState().is_main_process:
        return steps  # one process writes
    first = stored.facts["step"] if stored else 0
    return record_steps(steps, glyffuser, out, config, first, has_snapshots)


def glyphs_seen(glyffuser: Glyffuser) -> int:
    """How many glyphs its weights have been trained on, over all stages."""
    return sum(stage["glyphs"] for stage in glyffuser.training.get("stages", []))


def held_out_glyphs(size: int) -> Glyphs:
    """The first `NUM_HELD_OUT` glyphs of the test split."""
    held_out = load_glyphs("test", size)
    found = {}
    for item in fields(held_out):
        found[item.name] = getattr(held_out, item.name)[:NUM_HELD_OUT]
    return Glyphs(**found)


def record_steps(
    steps: Iterator[TrainStep],
    glyffuser: Glyffuser,
    out: Path,
    config: TrainConfig,
    first: int,
    has_snapshots: bool,
) -> Iterator[TrainStep]:
    """Pass training steps on, and write log, snapshots and the model at the end."""
    before = glyphs_seen(glyffuser)
    log = Log(out / LOG, step=first, glyphs=before)
    snapshots = Snapshots(out / SNAPSHOTS, first)
    held_out = held_out_glyphs(glyffuser.size)
    kept_at = snapshot_steps(config.steps) if has_snapshots else set()
    average = glyffuser
    if first == 0 and 0 in kept_at:
        snapshots.add(0, before, take_snapshot((glyffuser, average), held_out))
    for step in steps:
        log.add(step, config.batch_size)
        if step.step in kept_at:
            average = replace(glyffuser, unet=step.ema_model)
            found = take_snapshot((glyffuser, average), held_out)
            snapshots.add(step.step, log.glyphs, found)
            log.last = perf_counter()  # the snapshot's time is not training's
        yield step
    save_model(glyffuser, out, config, log.seconds)


def save_model(
    glyffuser: Glyffuser, out: Path, config: TrainConfig, seconds: float
) -> None:
    """Write the averaged weights of the last checkpoint as `model/`, with their story.

    Args:
        glyffuser: as it was before this run; gets the averaged weights.
        out: folder of the run, finished or not.
        config: of the run.
        seconds: time spent.
    """
    step = load_checkpoint(out / "checkpoint").facts["step"]
    load(out / "checkpoint", glyffuser.unet)
    stage = asdict(config) | {
        "steps_done": step,
        "glyphs": step * config.batch_size,
        "seconds": round(seconds),
    }
    stages = [*glyffuser.training.get("stages", []), stage | provenance()]
    told = glyffuser.training | {"stages": stages}
    replace(glyffuser, training=told).save(out / "model")


def read_start(out: Path) -> dict:
    """What a run was started with.

    Raises:
        FileNotFoundError: If there is no run.
        ValueError: If its record is damaged.
    """
    path = out / START
    if not path.is_file():
        raise FileNotFoundError(f"no run in {out}: leave out --resume to start one")
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): start anew") from error


def write_start(out: Path, start: dict) -> None:
    """Keep what a run was started with, before its first step."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(start, indent=2, default=str) + "\n"
    replace_file(out / START, lambda path: path.write_text(text, "utf-8"))


def prepare(start: dict) -> tuple[Glyffuser, TrainConfig]:
    """The glyffuser to train and how, from a run's options."""
    preset, encoder = PRESETS[start["preset"]], TextEncoder.load(start["encoder"])
    if start["init"] is None:
        glyffuser = new_glyffuser(
            preset, encoder, start["seed"], text_encoder=name_of(start["encoder"])
        )
    else:
        glyffuser = Glyffuser.load(start["init"], encoder=encoder)
    glyffuser.unet.to(memory_format=torch.channels_last)  # convolutions are quicker
    steps = start["steps"] or TRIAL_STEPS
    config = TrainConfig(
        steps,
        batch_size=start["batch_size"] or preset.batch_size,
        learning_rate=start["learning_rate"] or preset.learning_rate,
        warmup=min(WARMUP, steps // 10),
        ema_decay=preset.ema_decay,
        prediction=glyffuser.prediction,
        seed=start["seed"],
        cpu_bf16=start.get("cpu_bf16", False),
    )
    if start["minutes"] is not None:
        count = round(60 * start["minutes"] / seconds_a_step(glyffuser, config))
        count = max(count, TRIAL_STEPS)
        config = replace(config, steps=count, warmup=min(WARMUP, count // 10))
    return glyffuser, config


def name_of(encoder: str) -> str:
    """How a glyffuser's config.json names an encoder: shipped, a folder, or a hub's."""
    if Path(encoder) == SHIPPED:
        return SHIPPED.name
    return str(Path(encoder).resolve()) if Path(encoder).is_dir() else encoder


def seconds_a_step(glyffuser: Glyffuser, config: TrainConfig) -> float:
    """Median time of a training step, found with a copy that is thrown away."""
    images = load_glyphs("test", glyffuser.size).images
    empty = glyffuser.encoder.encode("", length=glyffuser.max_tokens)
    rows = [some.expand(len(images), *some.shape[1:]) for some in empty]
    steps = train(
        deepcopy(glyffuser.unet),
        images,
        replace(config, steps=TRIAL_STEPS, warmup=0),
        glyffuser.alpha_bar,
        cond=tuple(rows),
        null=tuple(empty),
    )
    times = [perf_counter()]
    times += [perf_counter() for _ in steps]
    return median(later - sooner for sooner, later in pairwise(times[3:]))
