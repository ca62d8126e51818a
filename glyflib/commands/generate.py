"""`glyflib generate`: a sheet of new glyphs, or how they form.

Invariant: what can be refused is refused before anything is computed, and a file is
whole or not written.
"""

import contextlib
import math
import re
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
from tqdm import tqdm

from glyflib.commands import sheets
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.sampling import Step, sample, sample_dpm, sample_heun, sample_sde
from glyflib.super_resolution import SuperResolver

MOST_FRAMES = 100
ENLARGE_STEPS = 20
SAMPLERS = {
    "dpm": sample_dpm,
    "ddim": sample,
    "ddpm": partial(sample, eta=1.0),
    "heun": sample_heun,
    "sde": sample_sde,
}


def checked_name(ctx: click.Context, param: click.Parameter, out: Path | None):
    """Refuse a file name of an unknown kind as wrong usage."""
    try:
        if out is not None:
            sheets.is_animated(out)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return out


@click.command(context_settings={"show_default": True})
@click.argument("prompts", nargs=-1, required=True)
@click.option(
    "-n", "count", type=click.IntRange(1), default=16, help="Glyphs a prompt."
)
@click.option("--steps", type=click.IntRange(1), default=30, help="Of the sampler.")
@click.option("--scale", default=3.0, help="Of the guidance; 1 is none, and faster.")
@click.option("--seed", default=0, help="Glyph i of a prompt is drawn from seed + i.")
@click.option(
    "--sampler",
    type=click.Choice(list(SAMPLERS)),
    default="dpm",
    help="dpm, ddim and heun follow an ODE, ddpm and sde an SDE.",
)
@click.option("--negative", default="", help="Words to steer away from.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=checked_name,
    show_default="the first prompt, as .png",
    help="Sheet to write: .png; or .gif, .webp, .mp4 (needs ffmpeg) to see it form, "
    "beside what the network believes in.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=SHIPPED,
    show_default="data/glyffuser-32",
    help="Folder of a glyffuser.",
)
@click.option(
    "--size", type=click.IntRange(8, 1024), default=128, help="Of a glyph, in pixels."
)
@click.option(
    "--enlarge",
    is_flag=True,
    help="Have a second model draw each glyph four times as wide and high.",
)
def generate(
    prompts: tuple[str, ...],
    count: int,
    steps: int,
    scale: float,
    seed: int,
    sampler: str,
    negative: str,
    out: Path | None,
    model: Path,
    size: int,
    enlarge: bool,
) -> None:
    """Draw new glyphs for PROMPTS, English definitions such as "water; river".

    One prompt fills a sheet that is near to a square; of several, each fills a row.
    """
    out = out or Path(file_name(prompts[0]))
    columns = count if len(prompts) > 1 else math.ceil(math.sqrt(count))
    panels = 2 if sheets.is_animated(out) else 1
    sheets.sheet_size(
        panels * count * len(prompts), panels * columns, size, len(prompts) > 1
    )
    sheets.check_writable(out)
    resolver = SuperResolver.load() if enlarge else None
    seeds = [*range(seed, seed + count)] * len(prompts)
    most = MOST_FRAMES if panels == 2 else 1
    with short_warnings():
        process = Glyffuser.load(model).steps(
            [prompt for prompt in prompts for _ in range(count)],
            num_steps=steps,
            scale=scale,
            sampler=SAMPLERS[sampler],
            seed=seeds,
            negative=negative,
        )
        kept = kept_steps(process, steps, most)
    if resolver is not None:
        small = kept[-1].xt.clamp(-1, 1)
        process = resolver.steps(small, num_steps=ENLARGE_STEPS, seed=seeds)
        kept += kept_steps(process, ENLARGE_STEPS, most)
    labels = prompts if len(prompts) > 1 else None
    sheet = partial(sheets.contact_sheet, num_columns=columns, side=size, labels=labels)
    frames = [sheet(sheets.pictures_from_x0(step.xt)) for step in kept]
    if panels == 2:
        believed = [sheet(sheets.pictures_from_x0(step.x0_hat)) for step in kept]
        frames = list(map(sheets.side_by_side, frames, believed))
    sheets.write_frames(out, frames)
    click.echo(f"{count * len(prompts)} glyphs drawn into {out}")


def file_name(prompt: str) -> str:
    """Name of a sheet: the words of its prompt."""
    words = re.sub(r"\W+", "-", prompt)[:40].strip("-")
    return f"{words or 'glyph'}.png"


def kept_steps(process: Iterator[Step], num_steps: int, most: int) -> list[Step]:
    """The last step and, evenly spaced before it, at most so many in all."""
    every, kept = math.ceil(num_steps / most), []
    bar = tqdm(process, total=num_steps, unit=" steps", disable=None)
    for left, step in zip(range(num_steps - 1, -1, -1), bar, strict=True):
        if left % every == 0:
            kept.append(step)
    return kept


@contextlib.contextmanager
def short_warnings() -> Iterator[None]:
    """Tell each warning in one line on stderr."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda text, *_: click.echo(f"Warning: {text}", err=True)
        yield


command = generate
