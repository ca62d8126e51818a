"""Train a glyffuser in a folder, on any glyphs: log, snapshots, checkpoints, model.

Invariant: everything lies in one folder, which can be moved. A run killed at any moment
goes on from its last checkpoint, and its log has one row a step all the same.
"""

import json
import math
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from accelerate import PartialState
from torch import Tensor

from glyflib.autoencoder import SHIPPED as SHIPPED_AUTOENCODER
from glyflib.autoencoder import Autoencoder
from glyflib.checkpoint import RECORD, load_checkpoint, stored_checkpoint
from glyflib.data import (
    Glyphs,
    bare_parts,
    evenly,
    images_from_x0,
)
from glyflib.files import provenance, read_config, write_text
from glyflib.glyffuser import KEYS, OPTIONAL, TRAIN, Glyffuser, find_encoder
from glyflib.run_log import (
    HELD_OUT_LOG,
    LOG,
    SNAPSHOTS,
    HeldOutLog,
    Log,
    Snapshots,
    has_stopped_falling,
)
from glyflib.text import (
    SHIPPED,
    TextCondition,
    TextEncoder,
    encode_captions,
    tellings,
)
from glyflib.training import TrainConfig, TrainStep, errors_by_level, load, train
from glyflib.unet import UNet

TRIAL_STEPS = 12
WARMUP = 200
KEPT_ENCODER = "encoder"  # a run's copy of an encoder that is not the shipped one
# Prompts that snapshots, reports and chapters share, and the Kangxi radical of each.
PROMPTS = {
    "water; river": 85,
    "gold": 167,
    "tree": 75,
    "fish": 195,
    "insect": 142,
    "bird": 196,
    "horse": 187,
    "silk": 120,
    "hand": 64,
    "speech; words": 149,
    "heart; mind": 61,
    "grass": 140,
    "fire": 86,
    "stone": 112,
    "food; to eat": 184,
    "woman": 38,
}
LEVELS = (10, 100, 250, 400, 550, 700, 850, 990)
NUM_HELD_OUT = 128  # glyphs whose loss snapshots tell


@dataclass(frozen=True)
class Preset:
    """What to train.

    Attributes:
        size: side of the pictures in pixels, or of their latents.
        unet: arguments of `UNet`, without the text's width.
        batch_size: glyphs a step.
        learning_rate: peak.
        ema_decay: of the averaged weights.
        is_latent: whether it learns the latents of an autoencoder.
    """

    size: int
    unet: dict = field(default_factory=dict)
    batch_size: int = 32
    learning_rate: float = 5e-4
    ema_decay: float = 0.999
    is_latent: bool = False


PRESETS = {
    "small": Preset(32, {"channels": (64, 128, 192)}),
    "large": Preset(
        128,
        {"patch": 4, "channels": (96, 192, 256, 320), "attention_levels": (2, 3)},
        batch_size=64,
    ),
    "latent": Preset(
        16,
        {
            "in_channels": 4,
            "patch": 1,
            "channels": (80, 128),
            "attention_levels": (0, 1),
        },
        is_latent=True,
    ),
}


@dataclass(frozen=True)
class Start:
    """What a run is started with; kept in its folder.

    Attributes:
        preset: a key of `PRESETS`.
        steps: how many; None if `minutes` tells.
        minutes: about how long to train; a trial tells how many steps that is.
        init: folder of a glyffuser to start from; None for random weights.
        encoder: folder or hub name of the text encoder; "text_encoder" is the shipped
            one. None for that of `init` or, without it, the shipped one.
        autoencoder: folder of the autoencoder whose latents are learnt; "autoencoder"
            is the shipped one. None for that of `init` or, without it, the shipped one
            where the preset learns latents.
        seed: of weights and draws.
        batch_size: glyphs a step; None for the preset's.
        learning_rate: peak; None for the preset's.
        cpu_bf16: whether a CPU multiplies in bfloat16.
        snapshots: whether samples and held-out losses are kept on the way.
        checkpoint_seconds: time between checkpoints.
        glyphs: file of the glyph set; None for the book's.
        subsets: see `Shown`.
        words: see `Shown`.
        part_weight: see `Shown`.
        dropout: of the network's blocks; None for that of `init` or, without it, 0.
        caption_dropout: share of captions that are not told; None for that of
            `TrainConfig`.
        ema_decay: of the averaged weights; None for the preset's.
        measure_every: see `Watch`.
        patience: see `Watch`.
        bf16: whether a GPU computes in bfloat16.
    """

    preset: str = "small"
    steps: int | None = None
    minutes: float | None = None
    init: str | None = None
    encoder: str | None = None
    seed: int = 0
    batch_size: int | None = None
    learning_rate: float | None = None
    cpu_bf16: bool = False
    snapshots: bool = True
    checkpoint_seconds: float = 60.0
    glyphs: str | None = None
    subsets: int = 0
    words: int = 0
    part_weight: float = 1.0
    dropout: float | None = None
    caption_dropout: float | None = None
    ema_decay: float | None = None
    measure_every: int | None = None
    patience: int | None = None
    bf16: bool = True
    autoencoder: str | None = None


@dataclass(frozen=True)
class Shown:
    """What a run shows of a glyph set, and what it tells of it.

    Attributes:
        subsets: random parts of each caption's senses that are told beside the whole
            caption, each as often as the whole; 0 for none.
        words: single words of each caption that are told as often as the whole, so
            that a word is learnt from all the captions that hold it; 0 for none.
        part_weight: weight of the errors on bare parts and single strokes, see
            `data.bare_parts`; 0 leaves them out, 1 counts them as all others.

    Raises:
        ValueError: If a value is out of range.
    """

    subsets: int = 0
    words: int = 0
    part_weight: float = 1.0

    def __post_init__(self):
        for name in ("subsets", "words"):
            if getattr(self, name) < 0:
                text = f"{name} {getattr(self, name)} must be at least 0"
                raise ValueError(text)
        if not 0 <= self.part_weight < math.inf:
            raise ValueError(f"part_weight {self.part_weight} is out of range")

    def texts(self, glyphs: Glyphs, seed: int) -> tuple[Sequence[str], Tensor | None]:
        """All that is told of glyphs, and which of it each may be told.

        Args:
            glyphs: N of them.
            seed: of the random parts.

        Returns:
            The N captions and None, or M texts and (N, K) rows of them.
        """
        if not self.subsets and not self.words:
            return glyphs.captions, None
        generator = torch.Generator().manual_seed(seed)
        return tellings(glyphs.captions, self.subsets, generator, num_words=self.words)

    def weights(self, glyphs: Glyphs) -> Tensor | None:
        """Weight of each glyph's error (N,); None if all weigh 1.

        Args:
            glyphs: N of them.
        """
        if self.part_weight == 1:
            return None
        return torch.ones(len(glyphs)).masked_fill(bare_parts(glyphs), self.part_weight)


@dataclass(frozen=True)
class Watch:
    """How a run watches its loss on held-out glyphs.

    Attributes:
        every: steps between two measurements; None for those of snapshots alone.
        patience: stop once so many measurements in a row have not found a lower loss
            with captions; the model is then the one measured lowest. None for never.

    Raises:
        ValueError: If a value is below 1.
    """

    every: int | None = None
    patience: int | None = None

    def __post_init__(self):
        for name, value in asdict(self).items():
            if value is not None and value < 1:
                raise ValueError(f"{name} {value} must be at least 1")

    def steps(self, num_steps: int) -> set[int]:
        """Steps to measure at, beside those of snapshots, the last among them."""
        if self.every is None:
            return set()
        return {*range(0, num_steps, self.every), num_steps}


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and what lies where in it.

    Attributes:
        path: of the folder itself.
    """

    path: Path

    @property
    def start(self) -> Path:
        """What the run was started with, as JSON."""
        return self.path / "run.json"

    @property
    def initial(self) -> Path:
        """Folder of the glyffuser that the run started from, unless from nothing."""
        return self.path / "initial"

    @property
    def encoder(self) -> Path:
        """Folder of the run's own copy of a text encoder, unless the shipped one."""
        return self.path / KEPT_ENCODER

    @property
    def autoencoder(self) -> Path:
        """Folder of the run's own copy of an autoencoder, if it learns latents."""
        return self.path / SHIPPED_AUTOENCODER.name

    @property
    def checkpoint(self) -> Path:
        """Folder of the last checkpoint."""
        return self.path / "checkpoint"

    @property
    def log(self) -> Path:
        """The loss log, one row a step."""
        return self.path / LOG

    @property
    def snapshots(self) -> Path:
        """Samples and held-out losses at a few steps."""
        return self.path / SNAPSHOTS

    @property
    def held_out_log(self) -> Path:
        """Losses on held-out glyphs, with captions and without."""
        return self.path / HELD_OUT_LOG

    @property
    def lowest(self) -> Path:
        """Folder of the glyffuser whose held-out loss was lowest, if one may stop."""
        return self.path / "lowest"

    @property
    def held_out_picture(self) -> Path:
        """Losses on held-out glyphs, drawn."""
        return self.path / "held_out.png"

    @property
    def model(self) -> Path:
        """Folder of the trained glyffuser."""
        return self.path / "model"

    @property
    def loss_picture(self) -> Path:
        """The loss, drawn."""
        return self.path / "loss.png"

    @property
    def samples_picture(self) -> Path:
        """A sheet of samples of the trained glyffuser."""
        return self.path / "samples.png"

    def has_checkpoint(self) -> bool:
        """Whether there is anything to go on from."""
        return (self.checkpoint / RECORD).exists()

    def read_start(self) -> Start:
        """What the run was started with.

        Raises:
            FileNotFoundError: If there is no run.
            ValueError: If its record is damaged.
        """
        if not self.start.is_file():
            text = f"no run in {self.path}: leave out --resume to start one"
            raise FileNotFoundError(text)
        try:
            return Start(**json.loads(self.start.read_text("utf-8")))
        except (TypeError, ValueError) as error:
            text = f"{self.start} is damaged ({error}): start anew"
            raise ValueError(text) from error

    def write_start(self, start: Start) -> None:
        """Keep what a run is started with, before its first step.

        Args:
            start: for run.json; the folder is made where it is missing.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.start, json.dumps(asdict(start), indent=2) + "\n")


def snapshot_steps(num_steps: int) -> set[int]:
    """Steps to keep a snapshot at: 0, 100, 200, 500, 1000, 2000, ... and the last.

    Args:
        num_steps: of the run, at least 1.
    """
    found, size = {0, num_steps}, 100
    while size < num_steps:
        found |= {n * size for n in (1, 2, 5) if n * size < num_steps}
        size *= 10
    return found


def take_snapshot(
    raw: Glyffuser,
    average: Glyffuser,
    held_out: Glyphs | None,
    prompts: Sequence[str] = tuple(PROMPTS),
    *,
    num_steps: int = 20,
) -> dict[str, Tensor]:
    """Samples of prompts, and held-out loss by level, of raw and averaged weights.

    Args:
        raw: with the weights that learn.
        average: with their average.
        held_out: glyphs that it does not learn, of its size; None or none for no loss.
        prompts: P of them, one sample each, always from the same noise.
        num_steps: of the sampler.

    Returns:
        "raw_samples" and "ema_samples" (P, 1, S, S) uint8, which are pictures where
        latents are drawn too; with held-out glyphs also "raw_loss" and "ema_loss" (K,),
        squared errors of eps_hat at `LEVELS`.
    """
    found = {}
    for name, glyffuser in {"raw": raw, "ema": average}.items():
        glyffuser.unet.eval()  # no dropout; the next step turns it on again
        with warnings.catch_warnings(action="ignore"):  # long captions are cut
            samples = glyffuser.sample(prompts, num_steps=num_steps)
            found[f"{name}_samples"] = images_from_x0(samples)
            if held_out is None or not len(held_out):
                continue
            predict_eps = glyffuser.denoiser(held_out.captions)
        errors = errors_by_level(
            predict_eps,
            glyffuser.x0_of(held_out.images),
            LEVELS,
            glyffuser.alpha_bar,
            torch.Generator().manual_seed(0),
        )
        found[f"{name}_loss"] = errors.mean(1).float()
    return found


def held_out_errors(
    glyffuser: Glyffuser, held_out: Glyphs, levels: Sequence[int] = LEVELS
) -> dict[int, tuple[float, float]]:
    """Squared error in v with captions and without, by level, means over glyphs.

    Both see the same noise, which is that of every other measurement too.

    Args:
        glyffuser: to be measured.
        held_out: glyphs that it does not learn, at least one, of its size.
        levels: noise levels in [1, T].
    """
    x0, alpha_bar = glyffuser.x0_of(held_out.images), glyffuser.alpha_bar
    found = []
    glyffuser.unet.eval()  # no dropout; the next step turns it on again
    for captions in (held_out.captions, ""):
        with warnings.catch_warnings(action="ignore"):  # long captions are cut
            predict_eps = glyffuser.denoiser(captions)
        generator = torch.Generator().manual_seed(0)
        errors = errors_by_level(predict_eps, x0, levels, alpha_bar, generator)
        found.append((errors.mean(1) / alpha_bar[list(levels)]).tolist())
    return dict(zip(levels, zip(*found, strict=True), strict=True))


def new_glyffuser(
    preset: Preset,
    encoder: TextEncoder,
    seed: int,
    autoencoder: Autoencoder | None = None,
) -> Glyffuser:
    """A glyffuser with random weights, the same for the same seed.

    Args:
        preset: size of the pictures and form of the network.
        encoder: whose text it is to read.
        seed: of the weights; torch's global generator is left as it was.
        autoencoder: whose latents it is to draw; None for pictures.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet(**preset.unet, text_dim=encoder.width)
    return Glyffuser(unet, encoder, size=preset.size, autoencoder=autoencoder)


def train_glyffuser(
    glyffuser: Glyffuser,
    glyphs: Glyphs,
    folder: RunFolder,
    config: TrainConfig,
    *,
    held_out: Glyphs | None = None,
    prompts: Sequence[str] = tuple(PROMPTS),
    shown: Shown | None = None,
    watch: Watch | None = None,
    resume: bool = False,
    has_snapshots: bool = True,
    progress: Callable[[Sequence], Iterable] = list,
) -> Iterator[TrainStep]:
    """Train a glyffuser on glyphs and their captions.

    The folder gets a checkpoint, a log, snapshots and, at the end, the model, which
    `Glyffuser.load` reads. A kill costs what came after the last checkpoint, and at
    most one row of the log.

    Args:
        glyffuser: where to start from, random weights or trained ones.
        glyphs: what to learn, of the size of its pictures; where it learns latents,
            they are encoded first.
        folder: of the run.
        config: how to train.
        held_out: glyphs whose loss snapshots tell; `NUM_HELD_OUT` of them are enough.
        prompts: what snapshots draw.
        shown: which glyphs count how much, and what is told of them; all alike, and
            whole captions, by default.
        watch: how the held-out loss is watched; at snapshots by default.
        resume: go on from the folder's checkpoint; the weights come from there.
        has_snapshots: whether samples and held-out losses are kept on the way.
        progress: wraps the batches of captions, and of glyphs to encode, as tqdm does.

    Raises:
        ValueError: If the glyphs are of another size, there are none to watch, patience
            has nothing to wait for or several processes to stop, or as
            `training.train` says.
        FileNotFoundError: If there is no checkpoint to resume from.
        FileExistsError: If there is one, and resume is not set.
    """
    for some in (glyphs, held_out):
        if some is not None:
            glyffuser.check_size(some.images)
    shown, watch = shown or Shown(), watch or Watch()
    if watch != Watch() and not held_out:
        raise ValueError("there are no held-out glyphs whose loss could be watched")
    if watch.patience and watch.every is None and not has_snapshots:
        raise ValueError("patience needs measurements: say after how many steps each")
    if watch.patience and PartialState().num_processes > 1:
        raise ValueError("patience is for one process: the others would not stop")
    stored = stored_checkpoint(folder.checkpoint, resume)
    texts, choices = shown.texts(glyphs, config.seed)
    cond = encode_captions(glyffuser.encoder, [*texts, ""], progress=progress)
    null = cond.take(slice(-1, None))
    images = glyphs.images
    if glyffuser.autoencoder is not None:
        images = glyffuser.x0_of(images, progress=progress)
    steps = train(
        glyffuser.unet,
        images,
        config,
        glyffuser.alpha_bar,
        cond=cond.take(slice(-1)),
        null=TextCondition(null.tokens.float(), null.mask),
        choices=choices,
        weights=shown.weights(glyphs),
        data_sha256=glyphs.sha256,
        directory=folder.checkpoint,
        resume=resume,
    )
    if not PartialState().is_main_process:
        return steps  # one process writes
    first = stored.facts["step"] if stored else 0
    kept_at = snapshot_steps(config.steps) if has_snapshots else set()
    diary = Diary(
        folder=folder,
        glyffuser=glyffuser,
        first=first,
        kept_at=kept_at,
        measured_at=watch.steps(config.steps) | kept_at if held_out else set(),
        patience=watch.patience,
        snap=partial(take_snapshot, held_out=held_out, prompts=prompts),
        measure=partial(held_out_errors, held_out=held_out),
    )
    save = partial(save_model, glyffuser, glyphs, folder, config, shown=shown)
    return record_steps(steps, diary, config, save)


def glyphs_seen(glyffuser: Glyffuser) -> int:
    """How many glyphs its weights have been trained on, over all stages.

    Args:
        glyffuser: whose `training` tells; 0 where that is empty.
    """
    return sum(stage["glyphs"] for stage in glyffuser.training.get("stages", []))


class Diary:
    """What a run writes down on the way: log, snapshots, held-out losses.

    Args:
        folder: of the run.
        glyffuser: that learns.
        first: steps taken before; what was written of later ones is forgotten.
        kept_at: steps to keep a snapshot at.
        measured_at: steps to measure the held-out losses at.
        patience: see `Watch`.
        snap: takes a snapshot of the weights that learn and their average.
        measure: gives the held-out errors of a glyffuser, by level.
    """

    def __init__(
        self,
        *,
        folder: RunFolder,
        glyffuser: Glyffuser,
        first: int,
        kept_at: set[int],
        measured_at: set[int],
        patience: int | None,
        snap: Callable[[Glyffuser, Glyffuser], dict[str, Tensor]],
        measure: Callable[[Glyffuser], dict[int, tuple[float, float]]],
    ):
        self.folder, self.glyffuser, self.first = folder, glyffuser, first
        self.kept_at, self.measured_at = kept_at, measured_at
        self.patience, self.snap, self.measure = patience, snap, measure
        before = glyphs_seen(glyffuser)
        self.log = Log(folder.log, step=first, glyphs=before)
        self.snapshots = Snapshots(folder.snapshots, first)
        self.held_out = HeldOutLog(folder.held_out_log, first)
        if first == 0:
            self.look(0, glyffuser)

    def look(self, step: int, average: Glyffuser) -> None:
        """Keep a snapshot and measure, if it is time; training's clock stands still.

        Args:
            step: number of updates so far.
            average: with the averaged weights.
        """
        if step in self.kept_at:
            found = self.snap(self.glyffuser, average)
            self.snapshots.add(step, self.log.glyphs, found)
        if step in self.measured_at:
            self.held_out.add(step, self.log.glyphs, self.measure(average))
            losses = self.held_out.losses()
            if self.patience and losses[step] == min(losses.values()):
                average.save(self.folder.lowest)
        self.log.last = perf_counter()

    @property
    def lowest_step(self) -> int | None:
        """Step with the lowest held-out loss; None unless the run may stop for it."""
        losses = self.held_out.losses() if self.patience else {}
        return min(losses, key=losses.__getitem__) if losses else None

    def is_over(self, step: int) -> bool:
        """Whether the held-out loss, measured at this step, has stopped to fall."""
        if self.patience is None or step not in self.measured_at:
            return False
        return has_stopped_falling(self.held_out.losses(), self.patience)


def record_steps(
    steps: Iterator[TrainStep],
    diary: Diary,
    config: TrainConfig,
    save: Callable[..., None],
) -> Iterator[TrainStep]:
    """Pass training steps on, keep a diary, and write the model at the end."""
    for step in () if diary.is_over(diary.first) else steps:
        diary.log.add(step, config.batch_size)
        average = replace(diary.glyffuser, unet=step.ema_model)
        diary.look(step.step, average)
        yield step
        if diary.is_over(step.step):
            break
    save(diary.log.seconds, lowest_step=diary.lowest_step)


def save_model(
    glyffuser: Glyffuser,
    glyphs: Glyphs,
    folder: RunFolder,
    config: TrainConfig,
    seconds: float,
    *,
    shown: Shown | None = None,
    lowest_step: int | None = None,
) -> None:
    """Write the averaged weights of the last checkpoint as the run's model.

    Args:
        glyffuser: as it was before this run; gets the averaged weights.
        glyphs: that it was trained on; the model keeps their file's name and sha256.
        folder: of the run, finished or not.
        config: of the run.
        seconds: time spent.
        shown: what of the glyphs was shown; all alike by default.
        lowest_step: take the weights whose held-out loss was lowest instead, which were
            those of this step.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        ValueError: If it is damaged or of another network, or a weight is not finite in
            half precision.
    """
    step = lowest_step
    if step is None:
        step = load_checkpoint(folder.checkpoint).facts["step"]
        load(folder.checkpoint, glyffuser.unet)
    else:
        found = Glyffuser.load(folder.lowest, encoder=glyffuser.encoder)
        glyffuser.unet.load_state_dict(found.unet.state_dict())
    stage = (
        asdict(config)
        | asdict(shown or Shown())
        | {
            "dropout": glyffuser.unet.config["dropout"],
            "steps_done": step,
            "glyphs": step * config.batch_size,
            "seconds": round(seconds),
            "data": glyphs.name,
            "data_sha256": glyphs.sha256,
        }
    )
    stages = [*glyffuser.training.get("stages", []), stage | provenance()]
    told = glyffuser.training | {"stages": stages}
    replace(glyffuser, training=told).save(folder.model)


def prepare(start: Start, folder: RunFolder) -> tuple[Glyffuser, TrainConfig]:
    """The glyffuser to train and how, from what a run is started with.

    What the folder itself keeps of it comes first, so that a run can be moved.

    Args:
        start: what the run is started with.
        folder: of the run.

    Raises:
        FileNotFoundError: If there is no such glyffuser or text encoder.
        ValueError: If they are damaged, or a setting is out of range.
        OSError: If the encoder is one of the hub's and cannot be reached.
    """
    source = encoder_source(start, folder)
    encoder = TextEncoder.load(source)
    init = folder.initial if folder.initial.is_dir() else start.init
    if init is None:
        autoencoder = autoencoder_of(start, folder)
        preset = PRESETS[start.preset]
        glyffuser = new_glyffuser(preset, encoder, start.seed, autoencoder)
    else:
        glyffuser = Glyffuser.load(init, encoder=encoder)
    if start.dropout is not None:
        glyffuser.unet.set_dropout(start.dropout)
    glyffuser.text_encoder = encoder_name(source)
    glyffuser.unet.to(memory_format=torch.channels_last)  # convolutions are quicker
    return glyffuser, config_of(start, glyffuser)


def config_of(start: Start, glyffuser: Glyffuser) -> TrainConfig:
    """How to train; where minutes are given, a trial tells how many steps fit.

    Args:
        start: its steps or, where they are None, its minutes.
        glyffuser: to train; a trial leaves it as it is.

    Raises:
        ValueError: If a setting is out of range.
    """
    preset, caption_dropout = PRESETS[start.preset], start.caption_dropout
    if caption_dropout is None:
        caption_dropout = TrainConfig.caption_dropout

    def config(steps: int) -> TrainConfig:
        return TrainConfig(
            steps,
            batch_size=start.batch_size or preset.batch_size,
            learning_rate=start.learning_rate or preset.learning_rate,
            warmup=min(WARMUP, steps // 10),
            ema_decay=preset.ema_decay if start.ema_decay is None else start.ema_decay,
            caption_dropout=caption_dropout,
            prediction=glyffuser.prediction,
            seed=start.seed,
            bf16=start.bf16,
            cpu_bf16=start.cpu_bf16,
            checkpoint_seconds=start.checkpoint_seconds,
        )

    if start.steps is not None:
        return config(start.steps)
    seconds = seconds_a_step(glyffuser, config(TRIAL_STEPS))
    return config(steps_in(start.minutes, seconds))


def steps_in(minutes: float, seconds_a_step: float) -> int:
    """How many training steps fit into some minutes, `TRIAL_STEPS` at the least.

    Args:
        minutes: above 0.
        seconds_a_step: above 0.
    """
    return max(round(60 * minutes / seconds_a_step), TRIAL_STEPS)


def keep_sources(start: Start, folder: RunFolder, glyffuser: Glyffuser) -> None:
    """Put into a run's folder what it goes on from, and the record of it.

    Args:
        start: what the run is started with.
        folder: of the run.
        glyffuser: as `prepare` made it, before its first step.
    """
    copy_sources(start, folder, glyffuser)
    folder.write_start(start)


def copy_sources(start: Start, folder: RunFolder, glyffuser: Glyffuser) -> None:
    """Put into a run's folder what it goes on from, which may move or change.

    That is a text encoder other than the shipped one, the autoencoder of a run that
    learns latents, and the glyffuser to start from.

    Args:
        start: what the run is started with.
        folder: of the run.
        glyffuser: as `prepare` made it, before its first step.
    """
    source = encoder_source(start, folder)
    if encoder_name(source) == KEPT_ENCODER and source != folder.encoder:
        shutil.copytree(source, folder.encoder, dirs_exist_ok=True)
    if glyffuser.autoencoder is not None and not folder.autoencoder.is_dir():
        glyffuser.autoencoder.save(folder.autoencoder)
    if start.init is not None and not folder.initial.is_dir():
        glyffuser.save(folder.initial)


def autoencoder_of(start: Start, folder: RunFolder) -> Autoencoder | None:
    """The autoencoder whose latents a run learns; the run's own copy comes first.

    Args:
        start: what the run is started with; without `init`, which has its own.
        folder: of the run.

    Returns:
        None for a run that learns pictures.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged, or the preset learns pictures.
    """
    if not PRESETS[start.preset].is_latent:
        if start.autoencoder is not None:
            raise ValueError(
                f"preset {start.preset} learns pictures: ask for the preset latent, or "
                "for no autoencoder"
            )
        return None
    if folder.autoencoder.is_dir():
        return Autoencoder.load(folder.autoencoder)
    is_shipped = start.autoencoder in (None, SHIPPED_AUTOENCODER.name)
    return Autoencoder.load(SHIPPED_AUTOENCODER if is_shipped else start.autoencoder)


def encoder_source(start: Start, folder: RunFolder) -> Path | str:
    """Where to load a run's text encoder from.

    The run's own copy comes first; then the one that was asked for; then that of the
    glyffuser to start from; then the shipped one.

    Args:
        start: what the run is started with.
        folder: of the run.

    Returns:
        A folder, or a hub name.

    Raises:
        FileNotFoundError: If there is no glyffuser to start from.
        ValueError: If its config.json is damaged.
    """
    if folder.encoder.is_dir():
        return folder.encoder
    if start.encoder is not None:
        is_shipped = start.encoder == SHIPPED.name
        found = SHIPPED if is_shipped else start.encoder
        return Path(found) if Path(found).is_dir() else found
    if start.init is not None:
        path = Path(start.init)
        config = read_config(path, KEYS, "glyffuser", TRAIN, optional=OPTIONAL)
        return find_encoder(Path(start.init), config["text_encoder"])
    return SHIPPED


def encoder_name(source: Path | str) -> str:
    """How config.json names an encoder: shipped, kept beside the model, or a hub's.

    Args:
        source: folder or hub name, as `encoder_source` gives it.
    """
    if not Path(source).is_dir():
        return str(source)
    is_shipped = Path(source).resolve() == SHIPPED.resolve()
    return SHIPPED.name if is_shipped else KEPT_ENCODER


def seconds_a_step(glyffuser: Glyffuser, config: TrainConfig) -> float:
    """Median time of a training step, found with a copy that is thrown away.

    It learns blank pictures without captions, which take as long as any.

    Args:
        glyffuser: whose network is timed; it is left as it is.
        config: batch size and kind of number; of its steps `TRIAL_STEPS` are taken.

    Returns:
        seconds.
    """
    size = config.batch_size, *glyffuser.shape
    empty = glyffuser.encoder.encode("", length=glyffuser.max_tokens)
    steps = train(
        deepcopy(glyffuser.unet),
        torch.ones(size),
        replace(config, steps=TRIAL_STEPS, warmup=0),
        glyffuser.alpha_bar,
        cond=empty.expand(config.batch_size),
        null=empty,
    )
    times = [perf_counter()]
    times += [perf_counter() for _ in steps]
    return median(later - sooner for sooner, later in pairwise(times[3:]))


def prompts_for(glyphs: Glyphs) -> tuple[str, ...]:
    """What to draw on the way: `PROMPTS` for the book's glyphs, else some captions."""
    if glyphs.is_shipped:
        return tuple(PROMPTS)
    captions = list(dict.fromkeys(glyphs.captions))
    rows = evenly(min(len(PROMPTS), len(captions)), len(captions))
    return tuple(captions[row] for row in rows.tolist())
