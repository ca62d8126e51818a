"""`glyflib generate`: a sheet of new glyphs, how they form, or a font of them.

Invariant: what can be refused is refused before anything is computed, and a file is
whole or not written.
"""

import contextlib
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import torch
from click.core import ParameterSource
from torch import Tensor
from tqdm import tqdm

from glyflib.commands import sheets
from glyflib.data import images_from_x0
from glyflib.glyffuser import SHIPPED, Glyffuser, shown
from glyflib.glyphs.grid import Grid
from glyflib.glyphs.outlines import code_point, write_font, write_svg
from glyflib.sampling import Step, sample, sample_dpm, sample_heun, sample_sde, seeds_of
from glyflib.student import SHIPPED as SHIPPED_STUDENT
from glyflib.student import Student
from glyflib.super_resolution import SuperResolver

MOST_FRAMES = 100
ENLARGE_STEPS = 20
SMALL = 32  # pixels a side of what the second model enlarges
BATCH = 64  # glyphs drawn at once: no picture depends on it
PROOF_SIDE = 64  # pixels, least side of a glyph with its code point below it
SAMPLERS = {
    "dpm": sample_dpm,
    "ddim": sample,
    "ddpm": partial(sample, eta=1.0),
    "heun": sample_heun,
    "sde": sample_sde,
}
# What a student has no say in, and why.
NOT_WITH_CALLS = {
    "steps": "each step of a student is one call",
    "sampler": "a student jumps in its own way",
    "scale": "the guidance of a student is folded in",
    "negative": "the guidance of a student is folded in",
}


def checked_name(ctx: click.Context, param: click.Parameter, out: Path | None):
    """Refuse a file name of an unknown kind as wrong usage."""
    try:
        if out is not None:
            sheets.suffix_of(out)
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
    "--calls",
    type=click.IntRange(1),
    help="Draw with a student of the glyffuser, in so many calls of its network (8, 4, "
    "2 or 1), instead of --steps of two calls each. Its guidance is folded in.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=checked_name,
    show_default="the first prompt, as .png",
    help="Sheet to write: .png; .svg, outlines for drawing programs; .gif, .webp or "
    ".mp4 (needs ffmpeg) to see it form, beside what the network believes in. Or a "
    "font, .ttf: glyphs from U+E000 on, and a sheet of them in .proof.png beside it.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=SHIPPED,
    show_default="data/glyffuser-32",
    help="Folder of a glyffuser or, with --calls, of a student.",
)
@click.option(
    "--student",
    type=click.Path(path_type=Path),
    show_default="data/student-32, or --model where that is named",
    help="Folder of a student, for --calls.",
)
@click.option(
    "--size",
    type=click.IntRange(8, 1024),
    default=128,
    help="Of a glyph on the sheet, in pixels.",
)
@click.option(
    "--raw",
    is_flag=True,
    help="Show the glyffuser's own pixels. Otherwise a second model draws each glyph "
    "of 32x32 pixels four times as wide and high.",
)
@click.pass_context
def generate(
    ctx: click.Context,
    prompts: tuple[str, ...],
    count: int,
    steps: int,
    scale: float,
    seed: int,
    sampler: str,
    negative: str,
    calls: int | None,
    out: Path | None,
    model: Path,
    student: Path | None,
    size: int,
    raw: bool,
) -> None:
    """Draw new glyphs for PROMPTS, English definitions such as "water; river".

    One prompt fills a sheet that is near to a square; of several, each fills a row.
    """
    check_ways(ctx)
    out = out or Path(file_name(prompts[0]))
    columns = count if len(prompts) > 1 else math.ceil(math.sqrt(count))
    labels = prompts if len(prompts) > 1 else None
    panels = 2 if sheets.is_animated(out) else 1
    total = count * len(prompts)
    is_font = sheets.suffix_of(out) == ".ttf"
    if is_font:
        code_point(total - 1)  # refuses more glyphs than a font holds
        size = max(size, PROOF_SIDE)
        sheets.check_writable(proof_path(out))
    sheets.check_size(
        Grid(panels * total, panels * columns, size, labels is not None, is_font)
    )
    sheets.check_writable(out)
    asked = [prompt for prompt in prompts for _ in range(count)]
    seeds = seeds_of([*range(seed, seed + count)] * len(prompts), total)
    most = MOST_FRAMES if panels == 2 else 1
    if calls is None:
        drawer, num_steps = Glyffuser.load(model), steps
        options = {"num_steps": steps, "scale": scale, "negative": negative}
        options["sampler"] = SAMPLERS[sampler]
        side, pictures = drawer.picture_size, drawer.pictures
    else:
        named = None if model.resolve() == SHIPPED.resolve() else model
        drawer, num_steps = Student.load(student or named or SHIPPED_STUDENT), calls
        drawer.check_calls(calls)
        options = {"calls": calls}
        side, pictures = drawer.size, shown
    for text in dict.fromkeys((*prompts, negative)):
        unknown = drawer.encoder.unknown_words(text)
        if unknown and drawer.encoder.known_words(text):
            told = f"the text encoder does not know {', '.join(unknown)}"
            click.echo(f"Warning: {told}; it goes by the other words", err=True)

    def drawing(rows: slice) -> Iterator[Step]:
        return drawer.steps(asked[rows], seed=seeds[rows], **options)

    with warnings_in_a_line():
        frames = draw(drawing, total, num_steps, most, pictures)
    if not raw and side == SMALL:
        resolver, small = SuperResolver.load(), frames[-1].x0

        def enlarging(rows: slice) -> Iterator[Step]:
            return resolver.steps(
                small[rows], num_steps=ENLARGE_STEPS, seed=seeds[rows]
            )

        frames += draw(enlarging, total, ENLARGE_STEPS, most)
    with warnings_in_a_line():
        write(out, frames, asked, num_columns=columns, side=size, labels=labels)
    told = f" from U+{code_point(0):04X} on, shown in {proof_path(out)}"
    click.echo(f"{total} glyphs drawn into {out}{told if is_font else ''}")


def check_ways(ctx: click.Context) -> None:
    """Refuse, as wrong usage, what does not go together with or without a student."""
    if ctx.params["calls"] is None:
        if ctx.params["student"] is not None:
            raise click.UsageError("--student draws with --calls: say how many")
        return
    for name, reason in NOT_WITH_CALLS.items():
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--calls and --{name}: {reason}; leave one out")


class Frame(NamedTuple):
    """All glyphs after one step.

    Attributes:
        x0: (B, 1, S, S) in [-1, 1].
        images: (B, 1, S, S) uint8, the same.
        believed: (B, 1, S, S) uint8, what the model believed in on the way.
    """

    x0: Tensor
    images: Tensor
    believed: Tensor


def draw(
    drawing: Callable[[slice], Iterator[Step]],
    count: int,
    num_steps: int,
    most: int,
    pictures: Callable[[Tensor], Tensor] = shown,
) -> list[Frame]:
    """Draw glyphs batch by batch, and keep some of the steps of all of them.

    Args:
        drawing: from rows to the steps of their drawing.
        count: glyphs in all.
        num_steps: of the sampler.
        most: steps kept, the last one and others evenly spaced before it.
        pictures: makes them of what a step reaches, and of what it believes in.
    """
    batches = [slice(i, i + BATCH) for i in range(0, count, BATCH)]
    every, parts = math.ceil(num_steps / most), []
    with tqdm(total=num_steps * len(batches), unit=" steps", disable=None) as bar:
        for rows in batches:
            kept = []
            for done, step in enumerate(drawing(rows), start=1):
                bar.update()
                if (num_steps - done) % every == 0:
                    x0, believed = pictures(step.xt), pictures(step.x0_hat)
                    kept.append(Frame(x0, images_from_x0(x0), images_from_x0(believed)))
            parts.append(kept)
    return [
        Frame(*map(torch.cat, zip(*same, strict=True)))
        for same in zip(*parts, strict=True)
    ]


def write(
    out: Path,
    frames: list[Frame],
    prompts: list[str],
    *,
    num_columns: int,
    side: int,
    labels: Sequence[str] | None,
) -> None:
    """Write frames as what the suffix asks for; a font with a sheet of it beside it.

    Args:
        out: file to write.
        frames: in order; all but a film need only the last one.
        prompts: of each glyph.
        num_columns: glyphs in a row of the sheet.
        side: of a glyph on the sheet, in pixels.
        labels: a line of text above each row.
    """
    last = frames[-1].images
    look = {"num_columns": num_columns, "side": side, "labels": labels}
    sheet = partial(sheets.contact_sheet, **look)
    if sheets.suffix_of(out) == ".svg":
        write_svg(out, last, prompts, **look)
    elif sheets.suffix_of(out) == ".ttf":
        write_font(out, last)
        pictures = sheets.pictures_from_font(out, len(last), side)
        names = [f"U+{code_point(i):04X}" for i in range(len(last))]
        sheets.write_frames(proof_path(out), [sheet(pictures, names=names)])
    elif sheets.is_animated(out):
        drawn = [sheet(sheets.pictures_from_images(frame.images)) for frame in frames]
        believed = [
            sheet(sheets.pictures_from_images(frame.believed)) for frame in frames
        ]
        sheets.write_frames(out, list(map(sheets.side_by_side, drawn, believed)))
    else:
        sheets.write_frames(out, [sheet(sheets.pictures_from_images(last))])


def proof_path(font: Path) -> Path:
    """Of the sheet beside a font: not gold.png, which may be a sheet drawn before."""
    return font.with_suffix(".proof.png")


def file_name(prompt: str) -> str:
    """Name of a sheet: the words of its prompt."""
    words = re.sub(r"\W+", "-", prompt)[:40].strip("-")
    return f"{words or 'glyph'}.png"


@contextlib.contextmanager
def warnings_in_a_line() -> Iterator[None]:
    """Tell each warning in one line on stderr."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda text, *_: click.echo(f"Warning: {text}", err=True)
        yield


command = generate
