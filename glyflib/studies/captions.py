"""Short paired runs: what keeps a glyffuser from learning its captions by heart.

Invariant: variants go on from the same weights and see the same noisy pictures in the
same order; they differ in what their name says. All are judged by the same noises.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from glyflib.checkpoint import load_checkpoint, restore_model
from glyflib.data import bare_parts, evenly, x0_from_images
from glyflib.evaluation.card import interval, table
from glyflib.evaluation.intervals import bootstrap_interval, share_interval
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.report import PLAIN
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.asked import rows_with_radical
from glyflib.lessons.stored import Results
from glyflib.run_log import read_log
from glyflib.runs import LEVELS, RunFolder, Shown, train_glyffuser
from glyflib.studies.common import Part, Subject
from glyflib.text import MAX_TOKENS, TextCondition, TextEncoder, encode_captions
from glyflib.training import TrainConfig, errors_by_level

NAME = "captions"  # of the files of what is found
PROMPTS = PLAIN | {"heart": 61}  # with the Kangxi radical of each
BEFORE = "before"  # the part that judges the weights all variants start from


@dataclass(frozen=True)
class Variant:
    """What a run does differently.

    Attributes:
        shown: what of the glyphs is shown.
        dropout: of the network's blocks.
        config: options of `TrainConfig`.
    """

    shown: Shown = field(default_factory=Shown)
    dropout: float = 0.0
    config: dict = field(default_factory=dict)


SENSES, NO_PARTS = Shown(subsets=3), Shown(subsets=3, part_weight=0.0)
VARIANTS = {
    "whole captions": Variant(),
    "subsets of senses": Variant(SENSES),
    "subsets, no bare parts": Variant(NO_PARTS),
    "subsets, no bare parts, dropout 0.1": Variant(NO_PARTS, dropout=0.1),
    "subsets, no bare parts, caption dropout 0.3": Variant(
        NO_PARTS, config={"caption_dropout": 0.3}
    ),
    "whole captions, no bare parts": Variant(Shown(part_weight=0.0)),
}
FIRST = next(iter(VARIANTS))  # that the others are held against


@dataclass(frozen=True)
class Settings:
    """How long the runs are, and by how much they are judged.

    Attributes:
        steps: of each run.
        batch_size: glyphs a step.
        learning_rate: peak.
        warmup: steps of linear rise.
        cpu_bf16: whether a CPU multiplies in bfloat16 in training.
        num_held_out: held-out glyphs whose errors are measured.
        num_drawn: glyphs of each prompt.
        num_captions: held-out captions, one glyph each.
        num_steps: of the sampler.
        scale: of the guidance.
    """

    steps: int = 300
    batch_size: int = 64
    learning_rate: float = 3e-4
    warmup: int = 20
    cpu_bf16: bool = False
    num_held_out: int = 400
    num_drawn: int = 24
    num_captions: int = 200
    num_steps: int = 10
    scale: float = 3.0


class Remembering:
    """A text encoder that encodes no batch of prompts twice, as runs tell the same.

    Args:
        encoder: whose vectors these are.
    """

    def __init__(self, encoder: TextEncoder):
        self.encoder, self.width, self.found = encoder, encoder.width, {}

    def encode(
        self,
        prompts: str | Sequence[str],
        *,
        max_tokens: int = MAX_TOKENS,
        length: int | None = None,
    ) -> TextCondition:
        """Vectors of prompts; see `TextEncoder.encode`."""
        texts = (prompts,) if isinstance(prompts, str) else tuple(prompts)
        key = texts, max_tokens, length
        if key not in self.found:
            self.found[key] = self.encoder.encode(
                list(texts), max_tokens=max_tokens, length=length
            )
        return self.found[key]


def folder_of(name: str, work: Path) -> RunFolder:
    """Where a variant is trained: its name, in letters that any disk takes."""
    return RunFolder(work / name.replace(", ", "-").replace(" ", "_"))


def run_variant(
    subject: Subject,
    variant: Variant,
    settings: Settings,
    folder: RunFolder,
    seed: int,
    progress: Callable[[Sequence], Iterable] = list,
) -> tuple[Glyffuser, Glyffuser]:
    """Train a variant, going on where it was cut off.

    Returns:
        the glyffuser with the averaged weights, and with the last ones.
    """
    unet = deepcopy(subject.glyffuser.unet)
    unet.set_dropout(variant.dropout)
    glyffuser = replace(subject.glyffuser, unet=unet)
    options = {
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "warmup": settings.warmup,
        "cpu_bf16": settings.cpu_bf16,
        "prediction": glyffuser.prediction,
        "seed": seed,
    }
    steps = train_glyffuser(
        glyffuser,
        subject.train,
        folder,
        TrainConfig(settings.steps, **(options | variant.config)),
        shown=variant.shown,
        resume=folder.has_checkpoint(),
        has_snapshots=False,
        progress=progress,
    )
    for _ in steps:
        pass
    last = deepcopy(glyffuser.unet)
    restore_model(last, "model", load_checkpoint(folder.checkpoint).tensors)
    return glyffuser, replace(glyffuser, unet=last)


def errors_in_v(
    glyffuser: Glyffuser, x0: Tensor, captions: Sequence[str], seed: int
) -> Tensor:
    """Squared error in v of each picture at each level of `LEVELS`, (K, N) float32."""
    glyffuser.unet.eval()
    cond = encode_captions(glyffuser.encoder, captions)
    predict_eps = torch.no_grad()(partial(glyffuser.predict_eps, cond=cond))
    generator = torch.Generator().manual_seed(seed)
    errors = errors_by_level(predict_eps, x0, LEVELS, glyffuser.alpha_bar, generator)
    return (errors / glyffuser.alpha_bar[list(LEVELS), None]).float()


def draw_and_read(
    glyffuser: Glyffuser, prompts: Sequence[str], settings: Settings, seed: int
) -> tuple[Tensor, Tensor]:
    """Radicals read in one glyph a prompt (B,), and the share of ink in each (B,)."""
    with warnings.catch_warnings(action="ignore"):  # long captions are cut
        x0 = glyffuser.sample(
            prompts, num_steps=settings.num_steps, scale=settings.scale, seed=seed
        )
    ink = (1 - x0).flatten(1).mean(1) / 2
    return RadicalClassifier.load().read(x0).radicals, ink


def judge(
    subject: Subject, glyffuser: Glyffuser, settings: Settings, seed: int
) -> dict:
    """Held-out errors, and the radicals of glyphs drawn for prompts and captions."""
    held_out = subject.held_out
    rows = evenly(min(settings.num_held_out, len(held_out)), len(held_out))
    some = held_out.take(rows)
    x0 = x0_from_images(some.images)
    found = {
        "levels": list(LEVELS),
        "rows": rows.tolist(),
        "captions": errors_in_v(glyffuser, x0, some.captions, seed),
        "no captions": errors_in_v(glyffuser, x0, [""] * len(some), seed),
    }
    num = settings.num_drawn
    prompts = [prompt for prompt in PROMPTS for _ in range(num)]
    radicals, ink = draw_and_read(glyffuser, prompts, settings, seed)
    drawn = zip(PROMPTS, radicals.split(num), ink.split(num), strict=True)
    found["prompts"] = {
        prompt: {"radicals": some.tolist(), "ink": round(dark.mean().item(), 4)}
        for prompt, some, dark in drawn
    }
    asked = rows_with_radical(held_out, settings.num_captions)
    wanted = held_out.take(asked)
    radicals, _ = draw_and_read(glyffuser, wanted.captions, settings, seed)
    hits = (radicals == wanted.radicals).tolist()
    return found | {"asked": asked, "hits": [int(hit) for hit in hits]}


def race(
    subject: Subject,
    variant: Variant,
    settings: Settings,
    folder: RunFolder,
    seed: int,
) -> dict:
    """Train a variant and judge it; its last weights by the errors with captions."""
    average, last = run_variant(subject, variant, settings, folder, seed)
    found = judge(subject, average, settings, seed)
    some = subject.held_out.take(found["rows"])
    x0 = x0_from_images(some.images)
    found["last captions"] = errors_in_v(last, x0, some.captions, seed)
    rows = read_log(folder.log)
    half = rows[len(rows) // 2 :]
    loss = sum(row["loss"] for row in half) / len(half)
    left_out = 0
    if variant.shown.part_weight == 0:
        left_out = int(bare_parts(subject.train).sum())
    told = {"steps": len(rows), "glyphs": len(rows) * settings.batch_size}
    told |= {"seconds": rows[-1]["seconds"], "training loss": round(loss, 5)}
    told |= {"left out": left_out, "dropout": variant.dropout}
    return told | asdict(variant.shown) | variant.config | found


def captions(
    subject: Subject,
    seed: int,
    settings: Settings,
    work: Path,
    variants: Mapping[str, Variant] = VARIANTS,
) -> Mapping[str, Part]:
    """A part for the weights before, then one for each variant, by its name.

    Args:
        subject: whose glyffuser the runs go on from.
        seed: of all draws.
        settings: how long the runs are.
        work: folder of the runs.
        variants: by name.
    """
    glyffuser = subject.glyffuser
    glyffuser = replace(glyffuser, encoder=Remembering(glyffuser.encoder))
    subject = replace(subject, glyffuser=glyffuser)
    study = {BEFORE: partial(judge, subject, glyffuser, settings, seed)}
    for name, variant in variants.items():
        folder = folder_of(name, work)
        study[name] = partial(race, subject, variant, settings, folder, seed)
    return study


def mean_interval(values: Tensor, groups: Tensor) -> str:
    """Mean of values (N,) with its interval; rows of one caption are drawn together."""
    generator = torch.Generator().manual_seed(0)
    found = bootstrap_interval(
        torch.mean, values.double(), generator=generator, num=1000, groups=groups
    )
    return interval(found._asdict(), digits=4)


def error_table(results: Results, kind: str, groups: Tensor, less: str) -> str:
    """Errors by level of one part, and by how much those of the others differ.

    Args:
        results: of the runs.
        kind: "captions", "no captions" or "last captions".
        groups: (N,) caption of each held-out glyph.
        less: the part that the others are held against.
    """
    names = [name for name in results.parts if f"{name}/{kind}" in results.tensors]
    base = results.tensors[f"{less}/{kind}"]
    head = ["level", less, *(name for name in names if name != less)]
    rows = []
    levels = [*map(str, LEVELS), "mean"]
    for k, level in enumerate(levels):
        of = (lambda x: x.mean(0)) if level == "mean" else (lambda x, k=k: x[k])
        cells = [mean_interval(of(base), groups)]
        for name in head[2:]:
            gap = of(results.tensors[f"{name}/{kind}"]) - of(base)
            cells.append(mean_interval(gap, groups))
        rows.append([level, *cells])
    return table(head, rows)


def gain_table(results: Results, groups: Tensor) -> str:
    """How much higher the error is with captions than without, by part and level."""
    rows = []
    for name in results.parts:
        told, untold = (
            results.tensors[f"{name}/{kind}"] for kind in ("captions", "no captions")
        )
        gaps = [mean_interval(row, groups) for row in told - untold]
        rows.append([name, *gaps])
    return table(["", *map(str, LEVELS)], rows)


def prompt_table(results: Results) -> str:
    """Share of each prompt's glyphs that show its radical, and of held-out captions."""
    parts = results.parts
    rows = []
    for prompt, radical in PROMPTS.items():
        shares = []
        for part in parts.values():
            of_prompt = part["prompts"][prompt]
            hits = (torch.tensor(of_prompt["radicals"]) == radical).double()
            told = interval(share_interval(hits)._asdict(), digits=2)
            shares.append(f"{told}, ink {of_prompt['ink']:.3f}")
        rows.append([f"“{prompt}”", *shares])
    held_out = [
        interval(share_interval(torch.tensor(part["hits"]))._asdict(), digits=3)
        for part in parts.values()
    ]
    rows.append(["held-out captions", *held_out])
    return table(["radical is drawn", *parts], rows)


def hit_gaps(results: Results) -> str:
    """By how much each variant draws the radical of held-out captions more often."""
    parts, rows = results.parts, []
    base = torch.tensor(parts[FIRST]["hits"], dtype=torch.float64)
    alone = torch.arange(len(base))
    for name in parts:
        if name != FIRST:
            gap = torch.tensor(parts[name]["hits"], dtype=torch.float64) - base
            rows.append([name, mean_interval(gap, alone)])
    return table(["", f"more held-out captions hit than with {FIRST}"], rows)


def run_table(results: Results) -> str:
    """What each run did."""
    head = ["run", "steps", "glyphs", "seconds", "left out", "loss of the last half"]
    rows = [
        [
            name,
            str(part["steps"]),
            f"{part['glyphs']:,}",
            f"{part['seconds']:.0f}",
            str(part["left out"]),
            f"{part['training loss']:.4f}",
        ]
        for name, part in results.parts.items()
        if name != BEFORE
    ]
    return table(head, rows)


def caption_tables(results: Results, captions_of: Sequence[str]) -> str:
    """What the runs came to, in Markdown.

    Args:
        results: with the part `BEFORE` and that of `FIRST`, at least.
        captions_of: captions of all held-out glyphs, in order.
    """
    facts, before = results.facts, results.parts[BEFORE]
    texts = [captions_of[row] for row in before["rows"]]
    place = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    groups = torch.tensor([place[text] for text in texts])
    settings = facts["settings"]
    return f"""\
# Short paired runs from one set of weights

`{facts["command"]}` ({facts["date"]}, {facts["machine"]}, threads: {facts["threads"]}).
Each run goes on from the same weights, with the same pictures, levels and noises in the
same order; it differs in what its name says. Errors are squared errors in v on
{len(groups)} held-out glyphs, always with the same noise; glyphs are drawn in
{settings["num_steps"]} steps at scale {settings["scale"]:g}, always from the same
noises: {settings["num_drawn"]} a prompt, and one for each of
{settings["num_captions"]} held-out captions. Intervals are over glyphs (95 %, rows of
one caption drawn together), and say nothing of another seed of training.

{run_table(results)}

## Held-out error with captions

The first column is the error, the others are differences to it.

{error_table(results, "captions", groups, FIRST)}

## Held-out error without captions

{error_table(results, "no captions", groups, FIRST)}

## Error with captions less error without

Above 0, captions mislead.

{gain_table(results, groups)}

## Last weights in place of averaged ones, with captions

{error_table(results, "last captions", groups, FIRST)}

## Radicals

{prompt_table(results)}

{hit_gaps(results)}
"""
