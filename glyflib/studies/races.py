"""Short races at equal processor time: why the shipped recipe is what it is.

Invariant: racers differ in what their name says and in nothing else; all are judged by
the noise they see wrongly, at the same log-SNRs, on the same noisy held-out glyphs.
"""

import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import pairwise
from statistics import median
from time import process_time

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, x0_from_images
from glyflib.evaluation.card import interval, table
from glyflib.evaluation.intervals import bootstrap_interval, share_interval
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.results import RecipeResults, TextResults
from glyflib.schedule import log_snr
from glyflib.studies.common import Part, Subject
from glyflib.text import TextCondition, TextEncoder, encode_captions
from glyflib.training import TrainConfig, errors_by_level, train
from glyflib.unet import UNet

LOG_SNRS = (5.0, 3.0, 1.0, -1.0, -3.0, -5.0, -7.0)
SECONDS = 150.0  # of one core's time, for a race of recipes
TEXT_SECONDS = 480.0  # for a race of texts: words are learnt late
TRIAL_STEPS = 6
EVERY = 8  # of the held-out glyphs, for the errors
NUM_DRAWN = 300  # held-out captions, one glyph each
NUM_STEPS = 10
SCALE = 3.0


@dataclass(frozen=True)
class Racer:
    """A recipe, as far as it differs from the shipped one.

    Attributes:
        unet: options of the network.
        config: options of `TrainConfig`.
        schedule: name and options.
        prediction: "eps", "v" or "x0".
        is_distilled: whether the text encoder is the shipped one, or random.
    """

    unet: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    schedule: dict = field(
        default_factory=lambda: {"name": "cosine", "num_levels": 1000}
    )
    prediction: str = "v"
    is_distilled: bool = True


LIGHT = {"patch": 4, "channels": (64, 128), "attention_levels": (0, 1)}
RECIPES = {
    "as shipped": Racer(),
    "predict eps": Racer(prediction="eps"),
    "predict x0": Racer(prediction="x0"),
    "min-SNR weight, gamma 5": Racer(config={"min_snr_gamma": 5.0}),
    "linear schedule": Racer(schedule={"name": "linear", "num_levels": 1000}),
    "sigmoid schedule": Racer(schedule={"name": "sigmoid", "num_levels": 1000}),
    "learning rate 2.5e-4": Racer(config={"learning_rate": 2.5e-4}),
    "learning rate 1e-3": Racer(config={"learning_rate": 1e-3}),
    "batch of 64": Racer(config={"batch_size": 64}),
    "channels 48-96-192": Racer(unet={"channels": (48, 96, 192)}),
    "channels 64-128, patch 4": Racer(unet=LIGHT),
    "channels 128-256, patch 4": Racer(unet=LIGHT | {"channels": (128, 256)}),
}
TEXTS = {  # the lightest network sees the most captions
    "distilled text encoder": Racer(unet=LIGHT),
    "untrained text encoder": Racer(unet=LIGHT, is_distilled=False),
}


@cache
def encoder_of(encoder: TextEncoder, is_distilled: bool, seed: int) -> TextEncoder:
    """The encoder, or one of its form and vocabulary with random weights."""
    if is_distilled:
        return encoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TextEncoder(encoder.tokenizer, type(encoder.model)(encoder.model.config))


@cache
def encoded(
    encoder: TextEncoder, is_distilled: bool, seed: int, captions: tuple[str, ...]
) -> TextCondition:
    """The captions as the racer's encoder reads them, then the empty one."""
    return encode_captions(encoder_of(encoder, is_distilled, seed), [*captions, ""])


def new_racer(racer: Racer, encoder: TextEncoder, seed: int) -> Glyffuser:
    """A glyffuser with random weights, by the racer's recipe.

    Args:
        racer: the recipe.
        encoder: of text, or what a random one takes its form and vocabulary from.
        seed: of all random weights.
    """
    encoder = encoder_of(encoder, racer.is_distilled, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet(**({"channels": (64, 128, 192)} | racer.unet), text_dim=256)
    return Glyffuser(
        unet, encoder, prediction=racer.prediction, schedule=racer.schedule
    )


def run_race(
    racer: Racer, encoder: TextEncoder, glyphs: Glyphs, seconds: float, seed: int
) -> tuple[Glyffuser, dict]:
    """Train for so much processor time; the steps it takes are found by a trial."""
    glyffuser = new_racer(racer, encoder, seed)
    texts = encoded(encoder, racer.is_distilled, seed, glyphs.captions)
    cond, null = texts.take(slice(-1)), texts.take(slice(-1, None))
    options = {"prediction": racer.prediction, "seed": seed, "warmup": 0}
    config = TrainConfig(**({"steps": TRIAL_STEPS} | options | racer.config))
    train_on = partial(
        train,
        images=glyphs.images,
        alpha_bar=glyffuser.alpha_bar,
        cond=cond,
        null=null._replace(tokens=null.tokens.float()),
    )
    times = [process_time()]
    for _ in train_on(deepcopy(glyffuser.unet), config=config):
        times.append(process_time())
    pace = median(b - a for a, b in pairwise(times[2:]))
    steps = max(2, round(seconds / pace))
    config = replace(config, steps=steps, warmup=min(100, steps // 4))
    begin = process_time()
    for step in train_on(glyffuser.unet, config=config):
        last = step
    spent = process_time() - begin
    num_glyphs = steps * config.batch_size
    facts = {"steps": steps, "glyphs": num_glyphs, "seconds": round(spent, 1)}
    return replace(glyffuser, unet=last.ema_model), facts


def held_out_errors(
    glyffuser: Glyffuser, cond: TextCondition, x0: Tensor, seed: int
) -> Tensor:
    """Mean squared error of eps_hat (7, N) at `LOG_SNRS`, on the same noise for all."""
    snr = log_snr(glyffuser.alpha_bar)[1:]
    levels = [int((snr - wanted).abs().argmin()) + 1 for wanted in LOG_SNRS]
    predict_eps = partial(glyffuser.predict_eps, cond=cond)
    generator = torch.Generator().manual_seed(seed)
    return errors_by_level(predict_eps, x0, levels, glyffuser.alpha_bar, generator)


def every_eighth(
    racer: Racer, encoder: TextEncoder, glyphs: Glyphs, seed: int
) -> tuple[Tensor, TextCondition]:
    """x0 and captions of every eighth of the glyphs, as the racer reads them."""
    every = slice(None, None, EVERY)
    x0 = x0_from_images(glyphs.images[every])
    captions = encoded(encoder, racer.is_distilled, seed, glyphs.captions)
    return x0, captions.take(slice(-1)).take(every)


def race_recipe(subject: Subject, racer: Racer, seconds: float, seed: int) -> dict:
    """The held-out loss of a recipe, its interval over glyphs, and what it took."""
    encoder, held_out = subject.glyffuser.encoder, subject.held_out
    glyffuser, facts = run_race(racer, encoder, subject.train, seconds, seed)
    x0, cond = every_eighth(racer, encoder, held_out, seed)
    errors = held_out_errors(glyffuser, cond, x0, seed)
    generator = torch.Generator().manual_seed(seed)
    loss = bootstrap_interval(torch.mean, errors.mean(0), generator=generator)
    by_level = dict(zip(map(str, LOG_SNRS), errors.mean(1).tolist(), strict=True))
    return facts | {"loss": loss._asdict(), "by_log_snr": by_level}


def race_text(
    subject: Subject, racer: Racer, seconds: float, seed: int, num_drawn: int
) -> dict:
    """What a way of reading text brings: lower loss than a stranger's caption, hits."""
    encoder, held_out = subject.glyffuser.encoder, subject.held_out
    glyffuser, facts = run_race(racer, encoder, subject.train, seconds, seed)
    x0, cond = every_eighth(racer, encoder, held_out, seed)
    own = held_out_errors(glyffuser, cond, x0, seed)
    order = torch.arange(len(x0)).roll(len(x0) // 2)
    dealt = held_out_errors(glyffuser, cond.take(order), x0, seed)
    gain = (dealt - own).mean(0)
    generator = torch.Generator().manual_seed(seed)
    interval = partial(bootstrap_interval, torch.mean, generator=generator)
    known = held_out.take(held_out.radicals > 0)
    asked = known.take(evenly(num_drawn, len(known)))
    with warnings.catch_warnings(action="ignore"):  # long captions are cut
        samples = glyffuser.sample(
            asked.captions, num_steps=NUM_STEPS, scale=SCALE, seed=seed
        )
    hits = RadicalClassifier.load().read(samples).radicals == asked.radicals
    return facts | {
        "loss": interval(own.mean(0))._asdict(),
        "gain": interval(gain)._asdict(),
        "hit_rate": share_interval(hits)._asdict(),
    }


def recipes(
    subject: Subject, seed: int, *, seconds: float = SECONDS
) -> Mapping[str, Part]:
    """A part for each recipe, by its name."""
    return {
        name: partial(race_recipe, subject, racer, seconds, seed)
        for name, racer in RECIPES.items()
    }


def texts(
    subject: Subject,
    seed: int,
    *,
    seconds: float = TEXT_SECONDS,
    num_drawn: int = NUM_DRAWN,
) -> Mapping[str, Part]:
    """A part for each text encoder, by its name."""
    return {
        name: partial(race_text, subject, racer, seconds, seed, num_drawn)
        for name, racer in TEXTS.items()
    }


def race_tables(recipes: RecipeResults, texts: TextResults) -> str:
    """Why this recipe: short races, see `glyflib.studies.races`."""
    head = ["recipe", "glyphs", "seconds", "error of the noise, held out"]
    rows = [
        [
            name,
            f"{race.num_glyphs:,}",
            f"{race.seconds:.0f}",
            interval(race.loss._asdict()),
        ]
        for name, race in recipes.races.items()
    ]
    more = ["text", "glyphs", "error", "more with a stranger's caption", "radical hit"]
    heard = [
        [
            name,
            f"{race.num_glyphs:,}",
            interval(race.loss._asdict()),
            interval(race.gain._asdict(), digits=4),
            interval(race.hit_rate._asdict()),
        ]
        for name, race in texts.races.items()
    ]
    return f"""
## Why this recipe

Short races from random weights, one processor core each, for the same processor time;
the error of eps_hat is a mean over seven log-SNRs from 5 to -7 and over every eighth
held-out glyph, with the interval over glyphs. What wins a short race need not win a
long one. `{recipes.facts["command"]}` ({recipes.facts["date"]}):

{table(head, rows)}

v is kept although eps has the smaller error here. The race asks for the noise, at
levels that all hold some signal. Sampling begins where almost none is left, and there
x0_hat = (xt - sigma eps_hat) / alpha divides whatever eps_hat misses by an alpha close
to 0, while v is -x0 itself (Salimans and Ho 2022, section 4). A student that draws in
one call has that level alone.

The lightest of these networks, for longer, with the text encoder's weights and with
random ones; last, the share of {NUM_DRAWN} held-out captions whose radical is drawn at
scale {SCALE:g}.
`{texts.facts["command"]}` ({texts.facts["date"]}):

{table(more, heard)}
"""
