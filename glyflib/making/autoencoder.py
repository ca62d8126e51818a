"""Train the autoencoder on whole glyphs, and judge it on held-out ones.

Invariant: everything lies in one folder. A run killed at any moment goes on from its
last checkpoint, to the same weights bit by bit; what is judged is what is written, in
half precision.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F
from accelerate import Accelerator, PartialState
from torch import Tensor

from glyflib.autoencoder import Autoencoder, AutoencoderNet, pixel_cost
from glyflib.checkpoint import (
    Run,
    check_facts,
    load_checkpoint,
    save_checkpoint,
    stored_checkpoint,
)
from glyflib.data import Glyphs, evenly, images_from_x0, x0_from_images
from glyflib.evaluation.card import interval, table
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.evaluation.metrics import frechet_distance
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.files import provenance, write_bytes, write_text
from glyflib.making.plan import damaged, read_plan, write_plan
from glyflib.making.super_resolution import root_errors
from glyflib.precision import products_in_bf16
from glyflib.run_log import Log
from glyflib.runs import TRIAL_STEPS, WARMUP, RunFolder, steps_in
from glyflib.super_resolution import SuperResolver
from glyflib.training import (
    TrainConfig,
    TrainStep,
    load,
    new_run,
    repeat,
    update_weights,
)

PLAN = "autoencoder.json"  # of the run's folder: what it was started with
NUM_SCALED = 512  # training glyphs that tell the spread of the latents
NUM_JUDGED = 256  # held-out glyphs
NUM_DRAWS = 200  # of sets of features, for the intervals of their distances
ENLARGE_STEPS = 20
WAYS = {  # what is judged, and how the card calls it
    "autoencoder": "through the latents",
    "drawn": "through latents drawn from what the encoder says",
    "enlarger": "32×32, enlarged by the super-resolver",
    "bicubic": "32×32, enlarged by bicubic interpolation",
}


@dataclass(frozen=True)
class AutoencoderStart:
    """What a run is asked for.

    Attributes:
        steps: how many; None if `minutes` tells.
        minutes: about how long to train; a trial tells how many steps that is.
        kl_weight: nats of the pixels' cost that a nat of the latents is worth; 1 is
            the bound of Kingma and Welling, 0 leaves latents as wide as they like.
        batch_size: glyphs a step.
        learning_rate: peak.
        ema_decay: of the averaged weights.
        seed: of weights and draws.
        cpu_bf16: whether a CPU multiplies in bfloat16.
        checkpoint_seconds: time between checkpoints.
        network: arguments of `AutoencoderNet`.

    Raises:
        ValueError: If a value is out of range.
    """

    steps: int | None = None
    minutes: float | None = None
    kl_weight: float = 0.1
    batch_size: int = 8
    learning_rate: float = 1e-3
    ema_decay: float = 0.999
    seed: int = 0
    cpu_bf16: bool = False
    checkpoint_seconds: float = 60.0
    network: dict = field(default_factory=dict)

    def __post_init__(self):
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("give steps or minutes")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ValueError(f"minutes {self.minutes} must be above 0")
        if not 0 <= self.kl_weight < math.inf:
            raise ValueError(f"kl_weight {self.kl_weight} must be at least 0")

    def config(self, steps: int) -> TrainConfig:
        """How the weights are updated, in so many steps.

        Args:
            steps: of the run.

        Raises:
            ValueError: If a setting is out of range.
        """
        return TrainConfig(
            steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup=min(WARMUP, steps // 10),
            ema_decay=self.ema_decay,
            seed=self.seed,
            cpu_bf16=self.cpu_bf16,
            checkpoint_seconds=self.checkpoint_seconds,
        )


def new_net(start: AutoencoderStart) -> AutoencoderNet:
    """A network with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(start.seed)
        net = AutoencoderNet(**start.network)
    return net.to(memory_format=torch.channels_last)  # convolutions are quicker


def loss_of(net: AutoencoderNet, x0: Tensor, eps: Tensor, kl_weight: float) -> Tensor:
    """Nats a pixel that pictures and their latents cost, a mean over the batch.

    Args:
        net: called in whatever precision the caller has set.
        x0: (B, 1, S, S) in [-1, 1].
        eps: (B, C, h, w) standard normal noise to draw latents with.
        kl_weight: of the nats that the latents tell.

    References:
        Kingma and Welling 2014, Eq. 10, less a constant, with one draw a picture and
        the other sign; the weight: Higgins et al. 2017, Eq. 4.
    """
    logits, posterior = net(x0, eps)
    cost = pixel_cost(logits.float(), x0) + kl_weight * posterior.kl()
    return cost.mean() / x0[0].numel()


def take_step(
    run: Run,
    images: Tensor,
    start: AutoencoderStart,
    config: TrainConfig,
    accelerator: Accelerator,
) -> TrainStep:
    """Draw glyphs and noise, and make one update of weights and average."""
    net, device = run.model, accelerator.device
    rows = torch.randint(len(images), (config.batch_size,), generator=run.generator)
    x0 = x0_from_images(images[rows].to(device))
    shape = net.latent_shape(tuple(images.shape[2:]))
    eps = torch.randn(config.batch_size, *shape, generator=run.generator).to(device)
    net.train()
    with products_in_bf16(device.type, on_gpu=config.bf16, on_cpu=config.cpu_bf16):
        loss = loss_of(net, x0, eps, start.kl_weight)
    return update_weights(run, loss, config, accelerator)


def train_net(
    net: AutoencoderNet,
    glyphs: Glyphs,
    start: AutoencoderStart,
    config: TrainConfig,
    directory: Path | None = None,
) -> Iterator[TrainStep]:
    """Train a network in place; goes on from a checkpoint that is there.

    Args:
        net: with random weights, or whatever is to be trained.
        glyphs: to learn.
        start: what the run is asked for.
        config: how the weights are updated.
        directory: folder for checkpoints; none are written without.

    Raises:
        ValueError: If the checkpoint is damaged or of another run, or several
            processes train.
    """
    if PartialState().num_processes > 1:
        raise ValueError("the autoencoder is trained by one process: start but one")
    accelerator = Accelerator()
    settings = asdict(start) | {"steps": config.steps}
    facts = {
        "config": settings,
        "shapes": [list(glyphs.images.shape)],
        "data_sha256": glyphs.sha256,
    }
    stored = None
    if directory is not None and RunFolder(directory.parent).has_checkpoint():
        stored = stored_checkpoint(directory, resume=True)
        check_facts(stored, facts)
    run = new_run(net.to(accelerator.device), config)
    if stored is not None:
        run.restore(stored)

    def take() -> TrainStep:
        return take_step(run, glyphs.images, start, config, accelerator)

    def save() -> bool:
        if directory is not None:
            save_checkpoint(directory, run.to_checkpoint(facts))
        return directory is not None

    return repeat(take, run, config, accelerator, save)


def begin(start: AutoencoderStart, folder: RunFolder, glyphs: Glyphs) -> int:
    """Begin a run in a folder, or take up the one that is there.

    Args:
        start: what the run is asked for.
        folder: of the run.
        glyphs: to learn.

    Returns:
        How many steps it has.

    Raises:
        FileExistsError: If the folder holds anything but such a run.
        ValueError: If the folder holds a run that was asked for something else, or a
            setting is out of range.
    """
    path = folder.path / PLAN
    if path.is_file():
        steps = read_plan(path, start)
        if not isinstance(steps, int):
            raise damaged(path, TypeError(f"steps {steps!r}"))
        return steps
    if folder.path.is_dir() and any(folder.path.iterdir()):
        raise FileExistsError(
            f"{folder.path} holds something, but no run of an autoencoder: name "
            "another folder"
        )
    steps = start.steps
    if steps is None:
        steps = steps_in(start.minutes, seconds_a_step(start, glyphs))
    start.config(steps)  # refuses what is out of range before anything is written
    folder.path.mkdir(parents=True, exist_ok=True)
    write_plan(path, start, steps)
    return steps


def seconds_a_step(start: AutoencoderStart, glyphs: Glyphs) -> float:
    """Median time of a training step, found with a network that is thrown away."""
    config = replace(start.config(TRIAL_STEPS), warmup=0)
    times = [perf_counter()]
    for _ in train_net(new_net(start), glyphs, start, config):
        times.append(perf_counter())
    return median(later - sooner for sooner, later in pairwise(times[3:]))


def train_autoencoder(
    glyphs: Glyphs, folder: RunFolder, start: AutoencoderStart, steps: int
) -> Iterator[TrainStep]:
    """Train step by step; after the last one, the folder's model is written.

    Args:
        glyphs: 128x128 ones to learn.
        folder: of the run, as `begin` left it.
        start: what the run is asked for.
        steps: of the run, as `begin` tells them.

    Raises:
        ValueError: If the checkpoint is damaged or of another run.
    """
    net, config = new_net(start), start.config(steps)
    is_begun = folder.has_checkpoint()
    first = load_checkpoint(folder.checkpoint).facts["step"] if is_begun else 0
    log = Log(folder.log, step=first, glyphs=0)
    for step in train_net(net, glyphs, start, config, folder.checkpoint):
        log.add(step, config.batch_size)
        yield step
    load(folder.checkpoint, net)
    save_autoencoder(net, glyphs, start, steps, log.seconds, folder.model)


def save_autoencoder(
    net: AutoencoderNet,
    glyphs: Glyphs,
    start: AutoencoderStart,
    steps: int,
    seconds: float,
    out: Path,
) -> None:
    """Measure the scale of a trained network's latents, and write it.

    Args:
        net: with the averaged weights.
        glyphs: that it learnt; they tell the scale.
        start: what the run was asked for.
        steps: that were taken.
        seconds: time spent.
        out: folder to write.
    """
    net = net.to("cpu").half().float().eval()  # as it is written
    told = asdict(start) | {
        "steps": steps,
        "glyphs": steps * start.batch_size,
        "seconds": round(seconds),
        "data": glyphs.name,
        "data_sha256": glyphs.sha256,
    }
    del told["network"]
    scale = latent_scale(Autoencoder(net), glyphs)
    Autoencoder(net, scale, told | provenance()).save(out)


def latent_scale(autoencoder: Autoencoder, glyphs: Glyphs) -> float:
    """One over the standard deviation of the latents of some glyphs, all together.

    Args:
        autoencoder: whose scale is 1.
        glyphs: to encode; `NUM_SCALED` of them are enough.

    References:
        Rombach et al. 2022, appendix G, who take the first batch.
    """
    rows = evenly(min(NUM_SCALED, len(glyphs)), len(glyphs))
    return 1 / autoencoder.encode(x0_from_images(glyphs.images[rows])).std().item()


def finish(
    folder: RunFolder,
    held_out: Glyphs,
    train: Glyphs,
    resolver: SuperResolver,
    classifier: RadicalClassifier,
    *,
    num: int = NUM_JUDGED,
    enlarge_steps: int = ENLARGE_STEPS,
    progress: Callable[[Sequence], Iterable] = list,
) -> dict:
    """Judge the run's autoencoder, and write its model card and log.

    Args:
        folder: of the run, all of whose steps are taken.
        held_out: 128x128 glyphs that it has not learnt; where there are fewer than
            two, it is judged on those that it has, and the card says so.
        train: those that it has learnt.
        resolver: the enlarger to stand beside it.
        classifier: reads radicals, and describes glyphs.
        num: glyphs to judge by at most; the enlarger takes about a second for each.
        enlarge_steps: of the enlarger's sampler; 1 is what it believes in when it sees
            noise alone, and takes a twentieth of the time.
        progress: wraps the batches of glyphs that the enlarger draws.

    Returns:
        What was found, as it stands in config.json.

    Raises:
        FileNotFoundError: If the folder holds no model.
        ValueError: If it is damaged.
    """
    autoencoder = Autoencoder.load(folder.model)
    seed = autoencoder.training["seed"]
    options = {"enlarge_steps": enlarge_steps, "seed": seed, "progress": progress}
    ways = partial(all_ways, autoencoder, resolver, **options)
    judged = held_out if len(held_out) > 1 else train
    report = {"glyphs": "held-out" if judged is held_out else "training"}
    report["enlarge_steps"] = enlarge_steps
    report |= judge(ways, judged, train, classifier, seed=seed, num=num)
    rows = evenly(min(num, len(judged)), len(judged))
    report |= told_by_latents(autoencoder, x0_from_images(judged.images[rows]), seed)
    autoencoder.training = autoencoder.training | {"report": report}
    autoencoder.save(folder.model)
    write_bytes(folder.model / folder.log.name, folder.log.read_bytes())
    write_autoencoder_card(autoencoder, folder.model)
    return report


@torch.no_grad()
def all_ways(
    autoencoder: Autoencoder,
    resolver: SuperResolver,
    x0: Tensor,
    *,
    seed: int,
    enlarge_steps: int = ENLARGE_STEPS,
    progress: Callable[[Sequence], Iterable] = list,
) -> dict[str, Tensor]:
    """What each of `WAYS` makes of glyphs.

    Args:
        autoencoder: to be judged.
        resolver: enlarges the glyphs' area averages, which it sees without noise.
        x0: (B, 1, S, S) true glyphs.
        seed: of all draws.
        enlarge_steps: of the enlarger's sampler.
        progress: wraps the batches of glyphs that the enlarger draws.

    Returns:
        (B, 1, S, S) in [-1, 1] for each way.
    """
    small = F.avg_pool2d(x0, resolver.factor)
    bicubic = F.interpolate(small, scale_factor=resolver.factor, mode="bicubic")
    options = {"num_steps": enlarge_steps, "aug_level": 0, "seed": seed}
    drawn = drawn_latents(autoencoder, x0, seed)
    return {
        "autoencoder": autoencoder.reconstruct(x0),
        "drawn": autoencoder.decode(drawn),
        "enlarger": resolver.sample(small, progress=progress, **options),
        "bicubic": bicubic.clamp(-1, 1),
    }


def drawn_latents(autoencoder: Autoencoder, x0: Tensor, seed: int) -> Tensor:
    """Latents of pictures (B, 1, S, S), drawn from what the encoder says, scaled."""
    generator, found = torch.Generator().manual_seed(seed), []
    for part in x0.split(64):
        posterior = autoencoder.net.encode(part)
        eps = torch.randn(posterior.mean.shape, generator=generator)
        found.append(posterior.draw(eps) * autoencoder.scale)
    return torch.cat(found)


def before_and_after(folder: RunFolder, held_out: Glyphs, num: int = 32) -> Tensor:
    """Held-out glyphs in rows of eight, and below each row what is left of them.

    Args:
        folder: of a run whose model is written.
        held_out: 128x128 glyphs that it has not learnt.
        num: how many to show at most.

    Returns:
        (2 * num, 1, 128, 128) uint8.
    """
    rows = evenly(min(num, len(held_out)), len(held_out))
    x0 = x0_from_images(held_out.images[rows])
    x0_hat = Autoencoder.load(folder.model).reconstruct(x0)
    pairs = zip(x0.split(8), x0_hat.split(8), strict=True)
    return images_from_x0(torch.cat([torch.cat(pair) for pair in pairs]))


def judge(
    ways: Callable[[Tensor], dict[str, Tensor]],
    judged: Glyphs,
    train: Glyphs,
    classifier: RadicalClassifier,
    *,
    seed: int,
    num: int = NUM_JUDGED,
) -> dict[str, dict]:
    """Hold what ways make of glyphs against the glyphs themselves.

    Args:
        ways: from glyphs (B, 1, S, S) to what each way makes of them.
        judged: glyphs; so many of them are taken, of those with a known radical if
            there are any.
        train: others, to compare distances with.
        classifier: reads radicals, and describes glyphs.
        seed: of the intervals.
        num: glyphs to take at most.

    Returns:
        For each way "error" (root mean square on the scale of x0), "kept" (share with
        the radical read that is read in the true glyph) and "frechet" (distance to the
        true glyphs). For the true glyphs, as "true", the distance of as many training
        glyphs. Where radicals are known, for each also "radical", the share of glyphs
        whose radical is read.

    Raises:
        ValueError: If there are fewer than two glyphs to judge.
    """
    if len(judged) < 2:
        raise ValueError(f"{len(judged)} glyphs are too few to judge with")
    is_known = judged.radicals > 0
    judged = judged.take(is_known) if is_known.sum() > 1 else judged
    judged = judged.take(evenly(min(num, len(judged)), len(judged)))
    x0 = x0_from_images(judged.images)
    generator = torch.Generator().manual_seed(seed)
    mean_of = partial(bootstrap_interval, torch.mean, generator=generator)
    distance_of = partial(
        bootstrap_interval, generator=generator, num=NUM_DRAWS, is_recentred=True
    )
    true = classifier.read(x0)
    others = evenly(min(len(judged), len(train)), len(train))
    others = classifier.read(x0_from_images(train.images[others])).features
    readings, found = {"true": true}, {}
    found["true"] = {"frechet": distance_of(frechet_distance, others, true.features)}
    for name, made in ways(x0).items():
        readings[name] = reading = classifier.read(made)
        pairs = torch.stack([reading.features, true.features], dim=1)
        found[name] = {
            "error": mean_of(root_errors(made, x0).double()),
            "kept": mean_of((reading.radicals == true.radicals).double()),
            "frechet": distance_of(paired_distance, pairs),
        }
    for name, reading in readings.items() if is_known.sum() > 1 else ():
        hits = (reading.radicals == judged.radicals).double()
        found[name]["radical"] = mean_of(hits)
    return {"judged": len(judged)} | {
        name: {key: row._asdict() for key, row in rows.items()}
        for name, rows in found.items()
    }


def paired_distance(pairs: Tensor) -> float:
    """Fréchet distance of the first to the second of pairs of features, (B, 2, D)."""
    return frechet_distance(pairs[:, 0], pairs[:, 1])


@torch.no_grad()
def told_by_latents(autoencoder: Autoencoder, x0: Tensor, seed: int) -> dict[str, dict]:
    """How much latents tell of glyphs, what the pixels then cost, and the doubt left.

    Args:
        autoencoder: whose latents they are.
        x0: (B, 1, S, S) glyphs.
        seed: of the intervals and of what is drawn.

    Returns:
        "nats", what the latents tell of a glyph; "pixels", nats that its pixels cost
        on top where latents are drawn; "doubt", the standard deviation (root mean
        square) that the encoder leaves to scaled latents, whose own is about 1.
    """
    net, generator = autoencoder.net, torch.Generator().manual_seed(seed)
    nats, pixels, doubts = [], [], []
    for part in x0.split(64):
        posterior = net.encode(part)
        eps = torch.randn(posterior.mean.shape, generator=generator)
        nats.append(posterior.kl())
        pixels.append(pixel_cost(net.decode(posterior.draw(eps)), part))
        doubts.append(posterior.log_variance.exp().flatten(1).mean(1))
    doubt = (torch.cat(doubts).sqrt() * autoencoder.scale).double()
    rows = {
        "nats": torch.cat(nats).double(),
        "pixels": torch.cat(pixels).double(),
        "doubt": doubt,
    }
    draw = partial(bootstrap_interval, torch.mean, generator=generator)
    return {name: draw(row)._asdict() for name, row in rows.items()}


def write_autoencoder_card(autoencoder: Autoencoder, folder: Path) -> None:
    """Write README.md, the model card, from what the autoencoder tells of itself."""
    told, report = autoencoder.training, autoencoder.training["report"]
    count = sum(value.numel() for value in autoencoder.net.parameters())
    C, factor = autoencoder.channels, autoencoder.factor
    side = 128 // factor
    head = [
        "",
        "error",
        "radical read",
        "read as the true glyph is",
        "Fréchet distance",
    ]
    true = ["the true glyph", "0", interval(report["true"]["radical"]), "1", "0"]
    rows = [true]
    for name, text in WAYS.items():
        found = report[name]
        cells = [interval(found[key]) for key in ("error", "radical", "kept")]
        rows.append([text, *cells, interval(found["frechet"])])
    others = interval(report["true"]["frechet"])
    rows.append(["as many training glyphs", "", "", "", others])
    text = f"""# Model card: autoencoder, 128×128 to {side}×{side}×{C} and back

A glyph in, a small stack of numbers out, its latents; and from latents a glyph again.
`glyflib.autoencoder.Autoencoder.load()` reads this folder; `encode` and `decode` are
the two ways.

- **Network.** Convolutions, {count:,} parameters, kept in half precision;
  `{json.dumps(autoencoder.net.config)}`. A glyph of 16,384 pixels becomes
  {C * side**2:,} numbers; a small picture that the enlarger starts from has 1,024.
- **Trained** to tell each pixel's grey from latents that it draws from its own
  Gaussian, while a nat that these tell costs {told["kl_weight"]:g} of a nat of the
  pixels; on {told["glyphs"]:,} glyphs of the training split of {told["data"]}:
  {told["steps"]:,} steps of {told["batch_size"]}, learning rate
  {told["learning_rate"]:g}, AdamW, seed {told["seed"]},
  {told["seconds"] / 60:.0f} minutes on {told["machine"]}, {told["threads"]} thread(s),
  {told["date"]}. These are averaged weights (EMA).
- **Scale.** Latents are multiplied by {autoencoder.scale:.4f}, so that their spread
  over training glyphs is 1.
- **What latents tell.** {interval(report["nats"], 0)} nats of each of the
  {report["glyphs"]} glyphs, whose pixels then cost
  {interval(report["pixels"], 0)} more. The encoder leaves a doubt of
  {interval(report["doubt"])} to each scaled number.

Over {report["judged"]} {report["glyphs"]} glyphs, with 95 % intervals over glyphs. The
error is the root mean square over pixels, on a scale from -1 (ink) to +1 (paper).
Radicals and features are those of the radical classifier, which looks at area averages
of 32×32: of what is finer it sees nothing, and the enlarger starts from the very
picture that it looks at. The Fréchet distance is that of the features to those of the
true glyphs; that of other glyphs is large above all since so few are compared. The
enlarger takes {report["enlarge_steps"]} step(s) a glyph.

{table(head, rows)}

Made by `glyflib data autoencoder`; `config.json` holds every setting, `log.csv` the
loss.

## Limits

It has seen one typeface. After little training strokes come back a little wavy, with
round ends: look at reconstructions before you build on them. Latents that no glyph has,
such as noise, decode to something that is no glyph.
"""
    write_text(folder / "README.md", text)
