"""Against the published recipe: from random weights, for as many quiet minutes.

Invariant: a race is a number of steps, which one calibration has fixed for all races of
a recipe. What else the machine does, then or later, changes no number but the time.

References:
    yuehere2024glyffuser in the bibliography, and the code that belongs to it.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from glyflib.checkpoint import EMA, RECORD
from glyflib.data import Glyphs, x0_from_images
from glyflib.evaluation.card import interval, table
from glyflib.evaluation.intervals import bootstrap_draws, interval_of, share_interval
from glyflib.evaluation.metrics import frechet_distance
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.report import as_json
from glyflib.evaluation.samples import reference_rows
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.asked import rows_with_radical
from glyflib.lessons.published import worded_unet
from glyflib.lessons.results import PublishedResults
from glyflib.lessons.stored import load_results
from glyflib.precision import products_in_bf16
from glyflib.runs import PRESETS, WARMUP
from glyflib.schedule import COSINE
from glyflib.studies.common import Part, Subject, clock
from glyflib.studies.races import encoded
from glyflib.text import MAX_TOKENS, TextCondition
from glyflib.training import TrainConfig, TrainStep, load, train
from glyflib.unet import UNet

NAME = "published"  # of the files of what is found
CALIBRATION, REFERENCES = "calibration", "references"  # parts before the races
RACE = "race-"  # what the names of folders of races begin with
ENDLESS = 10**9  # steps of a run that is only timed
UNTIMED = 2  # rounds that make room in memory, before those that are timed
CHECKPOINT_SECONDS = 600.0  # the published network's takes 2 GB


class OfDiffusers(nn.Module):
    """A network of diffusers, called as ours is.

    Texts are padded to the length that all texts have in training: a pooled text looks
    at its padding too, and a picture must not depend on the other prompts of its batch.

    Args:
        unet: a UNet2DConditionModel for grey pictures.
        width: D of the text that it reads.
    """

    def __init__(self, unet: nn.Module, width: int):
        super().__init__()
        self.unet, self.width = unet, width

    @property
    def config(self) -> dict:
        """What a glyffuser asks of its network's form."""
        return {
            "in_channels": self.unet.config.in_channels,
            "patch": 1,
            "channels": self.unet.config.block_out_channels,
            "text_dim": self.width,
        }

    def forward(self, xt: Tensor, t: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, 1, S, S), (B,), (B, L, D), (B, L) -> (B, 1, S, S)."""
        more = max(0, MAX_TOKENS - mask.shape[1])
        tokens, mask = pad(tokens, (0, 0, 0, more)), pad(mask, (0, more))
        return self.unet(xt, t, tokens, encoder_attention_mask=mask).sample


def our_network(width: int) -> UNet:
    """The network of the preset "small", for text of a width."""
    return UNet(**PRESETS["small"].unet, text_dim=width)


def published_network(width: int) -> OfDiffusers:
    """The published network for pictures as small as ours, and text of a width.

    Args:
        width: D of the text.

    Raises:
        ModuleNotFoundError: If diffusers is missing, which comes with the book but not
            with the package.
    """
    if find_spec("diffusers") is None:
        told = "the published network is one of diffusers, which is not installed"
        raise ModuleNotFoundError(f"{told}: `pip install -r requirements.txt`")
    from diffusers import UNet2DConditionModel  # slow to load

    options = worded_unet(width, side=PRESETS["small"].size)
    return OfDiffusers(UNet2DConditionModel(**options), width)


@dataclass(frozen=True)
class Recipe:
    """How a network is made, trained and drawn with.

    Attributes:
        make: makes the network with random weights, for text of a width.
        prediction: what it returns: "eps", "v" or "x0".
        schedule: name and options.
        config: options of `TrainConfig`.
        warmup: steps of linear rise, but no more than a tenth of the run.
        is_unit: whether pictures lie in [0, 1] in training, ink at 0; else in [-1, 1].
        is_masked: whether training tells which tokens are padding.
        scales: of the guidance to draw at, its own first.
    """

    make: Callable[[int], nn.Module]
    prediction: str = "v"
    schedule: dict = field(default_factory=COSINE.copy)
    config: dict = field(default_factory=dict)
    warmup: int = WARMUP
    is_unit: bool = False
    is_masked: bool = True
    scales: tuple[float, ...] = (1.0,)


SMALL = PRESETS["small"]
OURS = Recipe(
    our_network,
    config={
        "batch_size": SMALL.batch_size,
        "learning_rate": SMALL.learning_rate,
        "ema_decay": SMALL.ema_decay,
    },
    scales=(3.0, 1.0),
)
THEIRS = Recipe(
    published_network,
    prediction="eps",
    schedule={"name": "linear", "num_levels": 1000},
    config={
        "batch_size": 16,
        "learning_rate": 1e-4,
        "ema_decay": 0.0,
        "caption_dropout": 0.0,
    },
    warmup=500,
    is_unit=True,
    is_masked=False,
)
RECIPES = {
    "our recipe": OURS,
    "the published recipe": THEIRS,
    "the published recipe, our network": replace(THEIRS, make=our_network),
}


@dataclass(frozen=True)
class Settings:
    """How long the races are, and by how much they are judged.

    Attributes:
        minutes: budgets of a quiet machine, in the order in which they are raced.
        num_seeds: races of each recipe with each budget.
        rounds: of the calibration, in each of which all recipes take a step.
        num_drawn: held-out captions with a known radical, one glyph each.
        num_steps: of the sampler, DPM-Solver++ 2M.
        num_draws: from what was drawn, for an interval.
        num_kept: glyphs of each race that are kept as pictures.
        cpu_bf16: whether a CPU multiplies in bfloat16, where the published code takes a
            GPU and half precision.
    """

    minutes: tuple[float, ...] = (5.0, 15.0, 45.0)
    num_seeds: int = 3
    rounds: int = 12
    num_drawn: int = 400
    num_steps: int = 15
    num_draws: int = 1000
    num_kept: int = 4
    cpu_bf16: bool = True


def new_racer(subject: Subject, recipe: Recipe, seed: int) -> Glyffuser:
    """A glyffuser with random weights, by a recipe.

    Args:
        subject: whose text encoder it reads with.
        recipe: of the network.
        seed: of the weights; torch's global generator is left as it was.
    """
    encoder = subject.glyffuser.encoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = recipe.make(encoder.width).to(memory_format=torch.channels_last)
    return Glyffuser(
        network, encoder, prediction=recipe.prediction, schedule=recipe.schedule
    )


def config_of(recipe: Recipe, steps: int, seed: int, cpu_bf16: bool) -> TrainConfig:
    """How so many steps of a recipe are trained."""
    return TrainConfig(
        steps,
        warmup=min(recipe.warmup, steps // 10),
        prediction=recipe.prediction,
        seed=seed,
        cpu_bf16=cpu_bf16,
        checkpoint_seconds=CHECKPOINT_SECONDS,
        **recipe.config,
    )


def pictures_for(recipe: Recipe, glyphs: Glyphs) -> Tensor:
    """The glyphs (N, 1, S, S) as a recipe shows them: x0, or x0 scaled to [0, 1]."""
    if not recipe.is_unit:
        return glyphs.images
    return (x0_from_images(glyphs.images) + 1) / 2


def take_steps(
    glyffuser: Glyffuser,
    recipe: Recipe,
    glyphs: Glyphs,
    config: TrainConfig,
    folder: Path | None = None,
) -> Iterator[TrainStep]:
    """Train a racer in place, going on from the checkpoint in a folder.

    Args:
        glyffuser: the racer.
        recipe: of the racer.
        glyphs: to learn.
        config: of the run.
        folder: for checkpoints; none are written without.
    """
    texts = encoded(glyffuser.encoder, True, 0, glyphs.captions)
    if not recipe.is_masked:
        texts = TextCondition(texts.tokens, torch.ones_like(texts.mask))
    cond, null = texts.take(slice(-1)), texts.take(slice(-1, None))
    return train(
        glyffuser.unet,
        pictures_for(recipe, glyphs),
        config,
        glyffuser.alpha_bar,
        cond=cond,
        null=TextCondition(null.tokens.float(), null.mask),
        data_sha256=glyphs.sha256,
        directory=folder,
        resume=folder is not None and (folder / RECORD).is_file(),
    )


class Stopwatch:
    """Times one step of a recipe after the other, without what it would not do.

    Training keeps an average of the weights. Where a recipe takes the last weights,
    what the average costs is timed as well, and taken off.

    Args:
        subject: what is learnt.
        recipe: to be timed.
        settings: of the races.
        seed: of the weights and draws.
    """

    def __init__(self, subject: Subject, recipe: Recipe, settings: Settings, seed: int):
        glyffuser = new_racer(subject, recipe, seed)
        config = config_of(recipe, ENDLESS, seed, settings.cpu_bf16)
        self.network = glyffuser.unet
        self.steps = take_steps(glyffuser, recipe, subject.train, config)
        self.average = None if config.ema_decay else EMA(self.network, 0.0)
        self.times, self.average_times = [], []

    def take(self) -> None:
        """Time one step."""
        begin = clock()
        next(self.steps)
        self.times.append(clock() - begin)
        if self.average is not None:
            begin = clock()
            self.average.update(self.network)
            self.average_times.append(clock() - begin)

    @property
    def seconds(self) -> float:
        """Of a step on a quiet machine, since other work can only add to it."""
        average = min(self.average_times[UNTIMED:], default=0.0)
        return min(self.times[UNTIMED:]) - average


def calibrate(
    subject: Subject, recipes: Mapping[str, Recipe], settings: Settings, seed: int
) -> dict:
    """Seconds of a step of each recipe, timed in turn so that all meet the same noise.

    Args:
        subject: what is learnt.
        recipes: by name.
        settings: of the races.
        seed: of the weights and draws.

    Returns:
        For each recipe its "seconds", how many times as long the median step took
        ("noise"), and its "parameters"; then "threads", with one of which the seconds
        are those of the processor, else of the wall.
    """
    watches = {
        name: Stopwatch(subject, recipe, settings, seed)
        for name, recipe in recipes.items()
    }
    for _ in range(UNTIMED + settings.rounds):
        for watch in watches.values():
            watch.take()
    found = {"seconds": {}, "noise": {}, "parameters": {}}
    for name, watch in watches.items():
        times = watch.times[UNTIMED:]
        found["seconds"][name] = watch.seconds
        found["noise"][name] = round(median(times) / min(times), 3)
        sizes = (value.numel() for value in watch.network.parameters())
        found["parameters"][name] = sum(sizes)
    return found | {"threads": torch.get_num_threads()}


def steps_within(minutes: float, seconds: float) -> int:
    """How many steps of so many seconds a budget buys, two at the least."""
    return max(2, round(60 * minutes / seconds))


def clear(work: Path, *, but: Path | None = None) -> None:
    """Remove what races have left in a folder, of which one may go on.

    Args:
        work: folder of the races; what else lies in it stays.
        but: folder of the race that goes on.
    """
    for folder in work.glob(f"{RACE}*"):
        if folder != but:
            shutil.rmtree(folder)


def draw(
    glyffuser: Glyffuser,
    recipe: Recipe,
    captions: tuple[str, ...],
    scale: float,
    settings: Settings,
    seed: int,
) -> Tensor:
    """One glyph a caption, x0 (B, 1, S, S) in [-1, 1].

    The published code shows its pictures as if they had been learnt in [-1, 1], which
    makes ink grey; here they are brought back to where ink is black.
    """
    in_bf16 = products_in_bf16("cpu", on_gpu=False, on_cpu=settings.cpu_bf16)
    with warnings.catch_warnings(action="ignore"), in_bf16:  # long captions are cut
        x0 = glyffuser.sample(
            captions,
            num_steps=settings.num_steps,
            scale=scale,
            seed=seed * settings.num_drawn,
        )
    return (2 * x0 - 1).clamp(-1, 1) if recipe.is_unit else x0


def judged_by(subject: Subject) -> Glyphs:
    """The held-out glyphs that judge: those with a known radical."""
    return subject.held_out.take(subject.held_out.radicals > 0)


def judge(
    subject: Subject,
    glyffuser: Glyffuser,
    recipe: Recipe,
    settings: Settings,
    seed: int,
    first_seed: int,
) -> dict:
    """Fréchet distance and share of radicals, at each of a recipe's scales.

    Args:
        subject: whose held-out captions are drawn.
        glyffuser: the racer, trained.
        recipe: of the racer.
        settings: of the races.
        seed: of the race: all recipes' glyphs start from the same noises.
        first_seed: of the study: draw k of every race is of the same glyphs.
    """
    known, classifier = judged_by(subject), RadicalClassifier.load()
    real = classifier.read(x0_from_images(known.images)).features
    asked = known.take(rows_with_radical(known, settings.num_drawn))
    found: dict = {"drawn": {}}
    for scale in recipe.scales:
        x0 = draw(glyffuser, recipe, asked.captions, scale, settings, seed)
        reading = classifier.read(x0)
        generator = torch.Generator().manual_seed(first_seed)
        sets = reading.features, real
        value = frechet_distance(*sets)
        drawn = bootstrap_draws(
            frechet_distance, *sets, generator=generator, num=settings.num_draws
        )
        drawn += value - drawn.mean()  # rows that repeat push the distance up
        hits = reading.radicals == asked.radicals
        found["drawn"][f"{scale:g}"] = {
            "frechet": interval_of(value, drawn)._asdict(),
            "hit_rate": share_interval(hits)._asdict(),
        }
        found[f"frechet {scale:g}"] = drawn.float()
        found[f"hits {scale:g}"] = hits.byte()
        kept = x0[: settings.num_kept]
        found[f"images {scale:g}"] = ((kept + 1) * 127.5).round().byte()
    return found


def references(subject: Subject, settings: Settings, seed: int) -> dict:
    """Chance, ceiling, and the Fréchet distance of as many training glyphs."""
    known, train = judged_by(subject), subject.train.take(subject.train.radicals > 0)
    rows = reference_rows(
        x0_from_images(known.images),
        known.radicals,
        x0_from_images(train.images),
        train.radicals,
        RadicalClassifier.load(),
        torch.Generator().manual_seed(seed),
        num_samples=settings.num_drawn,
        num=settings.num_draws,
    )
    return as_json(rows)


def race(
    subject: Subject,
    name: str,
    minutes: float,
    seed: int,
    first_seed: int,
    *,
    recipes: Mapping[str, Recipe],
    settings: Settings,
    results: Path,
    folder: Path,
) -> dict:
    """Train a recipe for a budget, going on where it was cut off, and judge it.

    Args:
        subject: what is learnt, and who judges.
        name: of the recipe.
        minutes: budget.
        seed: of this race.
        first_seed: of the study.
        recipes: by name.
        settings: of the races.
        results: where the calibration is stored.
        folder: for the checkpoint of this race.
    """
    clear(folder.parent, but=folder)
    recipe = recipes[name]
    seconds = load_results(NAME, results).parts[CALIBRATION]["seconds"][name]
    steps = steps_within(minutes, seconds)
    glyffuser = new_racer(subject, recipe, seed)
    config = config_of(recipe, steps, seed, settings.cpu_bf16)
    for _ in take_steps(glyffuser, recipe, subject.train, config, folder):
        pass
    load(folder, glyffuser.unet)
    told = {"recipe": name, "minutes": minutes, "seed": seed, "steps": steps}
    told |= {"glyphs": steps * config.batch_size}
    return told | judge(subject, glyffuser, recipe, settings, seed, first_seed)


def part_name(name: str, minutes: float, seed: int) -> str:
    """What the part of a race is called."""
    return f"{name}, {minutes:g} minutes, seed {seed}"


def published(
    subject: Subject,
    seed: int,
    settings: Settings,
    results: Path,
    work: Path,
    recipes: Mapping[str, Recipe] = RECIPES,
) -> Mapping[str, Part]:
    """The calibration, what to hold the races against, then a part for each race.

    Budgets come in the order of the settings; with each, all recipes race with one
    seed before the next, so that a study that is cut off compares what it has.

    Args:
        subject: what is learnt, and who judges.
        seed: of the first race of each kind; the others count up from there.
        settings: how long the races are, and by how much they are judged.
        results: folder in which the parts are stored as they are found.
        work: folder for the checkpoint of the race that runs; those of other races in
            it are removed.
        recipes: by name.
    """
    study: dict[str, Part] = {
        CALIBRATION: partial(calibrate, subject, recipes, settings, seed),
        REFERENCES: partial(references, subject, settings, seed),
    }
    for minutes in settings.minutes:
        for one in range(seed, seed + settings.num_seeds):
            for place, name in enumerate(recipes):
                study[part_name(name, minutes, one)] = partial(
                    race,
                    subject,
                    name,
                    minutes,
                    one,
                    seed,
                    recipes=recipes,
                    settings=settings,
                    results=results,
                    folder=work / f"{RACE}{place}-{minutes:g}-minutes-seed-{one}",
                )
    return study


def published_table(found: PublishedResults) -> str:
    """The races against the published recipe, in Markdown; nothing before there are.

    Args:
        found: what is stored so far; budgets that are not whole are left out.
    """
    if not found.minutes:
        return ""
    head = ["quiet minutes", "recipe", "scale", "steps", "glyphs"]
    head += ["Fréchet distance", "radical hit"]
    rows = []
    for minutes in found.minutes:
        for entry in found.entries(minutes):
            rows.append(
                [
                    f"{minutes:g}",
                    entry.recipe,
                    f"{entry.scale:g}",
                    f"{entry.num_steps:,}",
                    f"{entry.num_glyphs:,}",
                    interval(entry.frechet._asdict(), digits=2),
                    interval(entry.hit_rate._asdict()),
                ]
            )
    settings, facts = found.settings, found.facts
    paces = [
        [
            name,
            f"{found.num_parameters[name]:,}",
            f"{seconds:.3f}",
            f"{found.noise[name]:.2f}",
        ]
        for name, seconds in found.seconds_a_step.items()
    ]
    timed = table(["recipe", "parameters", "seconds a step", "noise"], paces)
    floor, ceiling = found.floor._asdict(), found.ceiling._asdict()
    return f"""
## Against the published recipe

Races from random weights, {settings["num_seeds"]} seeds each. A budget is a number of
steps: what a quiet machine takes in so many minutes, by one calibration. A step's
seconds are the least of {settings["rounds"]} rounds with {found.threads} thread(s);
noise is how many times as long the median round took.

{timed}

The published recipe has 32×32 pixels here, this book's text encoder, and a warm-up of a
tenth of so short a run. Its pictures lie in [0, 1] as published, and are brought back
to black ink before they are judged; it learns no empty caption, so nothing can guide
it. One glyph for each of {settings["num_drawn"]} held-out captions, DPM-Solver++ 2M
with {settings["num_steps"]} steps. Means over seeds, with 95 % intervals from
{settings["num_draws"]} draws of seeds and glyphs, which are rough, as seeds are few.
As many training glyphs have a Fréchet distance of {interval(floor, digits=2)}; of the
real held-out glyphs, {interval(ceiling)} are read as their radical.
`{facts["command"]}` ({facts["date"]}, {facts["machine"]}):

{table(head, rows)}
"""
