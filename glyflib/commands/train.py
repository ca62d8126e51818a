"""`glyflib train`: a glyffuser of your own, in minutes or days.

Invariant: what a run was started with lies in its folder, so that --resume needs
nothing but that folder.
"""

import math
import shlex
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import click
from accelerate import Accelerator, PartialState
from click.core import ParameterSource
from tqdm import tqdm

from glyflib.commands.sheets import contact_sheet, pictures_from_images, write_frames
from glyflib.data import GLYPHS, Glyphs, images_from_x0, load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.plotting.training import plot_held_out, plot_run
from glyflib.run_log import read_held_out, read_log
from glyflib.runs import (
    NUM_HELD_OUT,
    PRESETS,
    RunFolder,
    Shown,
    Start,
    Watch,
    keep_sources,
    prepare,
    prompts_for,
    save_model,
    train_glyffuser,
)
from glyflib.training import TrainConfig, TrainStep

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
HELD_OUT = slice(NUM_HELD_OUT)


class Number(click.FloatRange):
    """A number in a range; neither "nan", which is in none, nor "inf"."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it, or refuse it as wrong usage."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number", param, ctx)
        return found


@click.command("train", context_settings={"show_default": True})
@click.option("--out", type=FOLDER, required=True, help="Folder of the run.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="small",
    help="small: 32 x 32, for a CPU; large: 128 x 128, for a GPU; latent: 128 x 128, "
    "in the 16 x 16 latents of an autoencoder, for a CPU.",
)
@click.option(
    "--minutes",
    type=Number(0, min_open=True),
    help="About how long to train; a short trial tells how many steps that is.",
)
@click.option("--steps", type=click.IntRange(1), help="How many steps, instead.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option(
    "--init",
    type=click.Path(file_okay=False),
    help="Glyffuser to start from, instead of random weights.",
)
@click.option(
    "--encoder",
    show_default="data/text_encoder, or that of --init",
    help="Text encoder: a folder or a hub name, such as google-t5/t5-small.",
)
@click.option(
    "--autoencoder",
    type=click.Path(file_okay=False),
    show_default="with --preset latent data/autoencoder, or that of --init",
    help="Folder of an autoencoder, as `glyflib data autoencoder` writes it.",
)
@click.option(
    "--glyphs",
    type=FILE,
    show_default="data/glyphs.parquet",
    help="Glyph set to learn: a file that `glyflib data build` made.",
)
@click.option("--seed", default=0, help="Of the weights and of all draws.")
@click.option("--batch-size", type=click.IntRange(1), help="Glyphs a step.")
@click.option("--learning-rate", type=Number(0, min_open=True), help="At its peak.")
@click.option(
    "--subsets",
    type=click.IntRange(0),
    default=0,
    help="Random parts of each caption's senses (between ; and ,) told beside the "
    "whole caption. Each distinct text takes 20 kB of memory.",
)
@click.option(
    "--words",
    type=click.IntRange(0),
    default=0,
    help="Single words of each caption told beside the whole caption, so that a word "
    "is learnt from all captions that hold it.",
)
@click.option(
    "--part-weight",
    type=Number(0),
    default=1.0,
    help="Weight of the errors on bare parts of characters and single strokes, whose "
    "ink lies in half of the square; 0 leaves them out.",
)
@click.option(
    "--dropout",
    type=Number(0, 1, max_open=True),
    show_default="that of --init, or 0",
    help="Share of values in each block of the network set to zero in training.",
)
@click.option(
    "--caption-dropout",
    type=Number(0, 1),
    show_default=f"{TrainConfig.caption_dropout}",
    help="Share of pictures shown without their caption.",
)
@click.option(
    "--ema-decay",
    type=Number(0, 1, max_open=True),
    show_default="0.999",
    help="Share of the averaged weights that a step keeps; 0 takes the last weights.",
)
@click.option(
    "--bf16/--no-bf16",
    default=True,
    help="Whether a GPU multiplies in bfloat16, for which older ones have no units.",
)
@click.option(
    "--cpu-bf16",
    is_flag=True,
    help="Multiply in bfloat16 on a CPU: quicker if lscpu lists avx512_bf16 or amx.",
)
@click.option(
    "--snapshots/--no-snapshots",
    default=True,
    help="Whether samples and held-out losses are kept on the way.",
)
@click.option(
    "--measure-every",
    type=click.IntRange(1),
    show_default="at snapshots alone",
    help="Steps between two measurements of the held-out loss, with captions and "
    "without.",
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    show_default="never",
    help="Stop once so many measurements in a row have found no lower held-out loss "
    "with captions; the model is then the one measured lowest.",
)
@click.option(
    "--checkpoint-seconds",
    type=Number(0),
    default=60.0,
    help="Time between checkpoints, which is what a kill costs at most.",
)
@click.pass_context
def train_command(
    ctx: click.Context, out: Path, resume: bool, glyphs: Path | None, **options
) -> None:
    """Train a glyffuser on the book's glyphs, or on your own.

    The folder gets log.csv, loss.png, samples.png, snapshots.safetensors, held_out.csv
    and held_out.png, model/ for `glyflib generate --model`, and a checkpoint each
    minute, the first one sooner: after a kill, go on with --resume. The folder may be
    moved in between; where the file of --glyphs has moved, name it again.
    """
    state, folder = Accelerator(), RunFolder(out)
    if resume:
        refuse_options(ctx)
        start = folder.read_start()
        if glyphs is not None:
            start = replace(start, glyphs=str(glyphs.resolve()))
    else:
        path = None if glyphs is None else str(glyphs.resolve())
        start = new_start(folder, state.num_processes, **options, glyphs=path)
    file = GLYPHS if start.glyphs is None else Path(start.glyphs)
    glyffuser, config = prepare(start, folder)
    size = glyffuser.picture_size
    to_learn = load_glyphs("train", size, path=file)
    held_out = load_glyphs("test", size, path=file).take(HELD_OUT)
    state.wait_for_everyone()
    if not resume and state.is_main_process:
        start = replace(start, minutes=None, steps=config.steps)
        keep_sources(start, folder, glyffuser)
    if state.is_main_process:
        click.echo(plan(start, to_learn, folder, config), err=True)
    prompts = prompts_for(to_learn)
    steps = train_glyffuser(
        glyffuser,
        to_learn,
        folder,
        config,
        held_out=held_out,
        prompts=prompts,
        shown=shown_by(start),
        watch=Watch(every=start.measure_every, patience=start.patience),
        resume=resume and folder.has_checkpoint(),
        has_snapshots=start.snapshots,
        progress=lambda rows: tqdm(rows, desc="encoding", disable=None),
    )
    try:
        follow(steps, config.steps)
    except KeyboardInterrupt:
        if state.is_main_process and folder.has_checkpoint():
            keep_so_far(glyffuser, to_learn, folder, config, shown_by(start))
        raise
    if state.is_main_process:
        finish(folder, prompts)


def new_start(folder: RunFolder, num_processes: int, **options) -> Start:
    """What a new run is started with.

    Raises:
        UsageError: If neither minutes nor steps are given, or both; if there are two
            autoencoders; or if patience has nothing to wait for, or several processes
            to stop.
        FileExistsError: If the folder holds a run that could be gone on with.
    """
    start = Start(**options)
    if (start.minutes is None) == (start.steps is None):
        raise click.UsageError("give --minutes or --steps")
    if start.init and start.autoencoder:
        raise click.UsageError("--init brings its own: leave out --autoencoder")
    if start.minutes and num_processes > 1:
        raise click.UsageError("--minutes is for one process: give --steps")
    if start.patience and start.measure_every is None and not start.snapshots:
        raise click.UsageError("--patience needs --measure-every, or snapshots")
    if start.patience and num_processes > 1:
        raise click.UsageError("--patience is for one process: leave it out")
    if folder.has_checkpoint():
        text = f"{folder.path} holds a run: give --resume, or another --out"
        raise FileExistsError(text)
    return start


def shown_by(start: Start) -> Shown:
    """What a run shows of its glyphs."""
    return Shown(
        subsets=start.subsets, words=start.words, part_weight=start.part_weight
    )


def keep_so_far(
    glyffuser: Glyffuser,
    glyphs: Glyphs,
    folder: RunFolder,
    config: TrainConfig,
    shown: Shown,
) -> None:
    """Write the model of the last checkpoint of an interrupted run."""
    rows = read_log(folder.log)
    seconds = rows[-1]["seconds"] if rows else 0.0
    save_model(glyffuser, glyphs, folder, config, seconds, shown=shown)
    click.echo(f"\n{folder.model} is the last checkpoint's; --resume goes on", err=True)


def refuse_options(ctx: click.Context) -> None:
    """Raise a UsageError if --resume comes with what the run has settled already."""
    for name in ctx.params.keys() - {"out", "resume", "glyphs"}:
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = name.replace("_", "-")
            raise click.UsageError(f"--resume goes on as before: leave out --{option}")


def plan(start: Start, glyphs: Glyphs, folder: RunFolder, config: TrainConfig) -> str:
    """What will be done, what is kept of it, and what a kill would cost."""
    return (
        f"{config.steps:,} steps of {config.batch_size} glyphs, out of {len(glyphs):,} "
        f"of {glyphs.name}. The state is kept every {start.checkpoint_seconds:g} s in "
        f"{folder.checkpoint}: a kill costs what came after, and `glyflib train "
        f"--resume --out {folder.path}` goes on."
    )


def follow(steps: Iterator[TrainStep], num_steps: int) -> None:
    """Take the steps, with a bar that tells the loss, averaged over about a hundred.

    And the last step that a checkpoint holds.
    """
    is_main = PartialState().is_main_process
    bar = tqdm(steps, total=num_steps, unit=" steps", disable=None if is_main else True)
    loss, kept = None, "nothing yet"
    for step in bar:
        bar.update(step.step - bar.n - 1)  # a resumed run starts further on
        loss = step.loss if loss is None else 0.99 * loss + 0.01 * step.loss
        kept = f"step {step.step}" if step.is_kept else kept
        bar.set_postfix(loss=f"{loss:.3f}", kept=kept, refresh=False)


def finish(folder: RunFolder, prompts: Sequence[str]) -> None:
    """Draw the loss and a sheet of samples, and say what there is."""
    rows = read_log(folder.log)
    plot_run(rows).savefig(folder.loss_picture)
    if folder.held_out_log.is_file():
        picture = plot_held_out(read_held_out(folder.held_out_log))
        picture.savefig(folder.held_out_picture)
    glyffuser = Glyffuser.load(folder.model)
    with warnings.catch_warnings(action="ignore"):  # long captions are cut
        images = images_from_x0(glyffuser.sample(prompts))
    pictures = pictures_from_images(images)
    sheet = contact_sheet(pictures, num_columns=4, side=128)
    write_frames(folder.samples_picture, [sheet])
    part = max(1, len(rows) // 20)
    first = mean(row["loss"] for row in rows[:part])
    last = mean(row["loss"] for row in rows[-part:])
    words = ["glyflib", "generate", prompts[0], "--model", str(folder.model)]
    click.echo(
        f"{rows[-1]['glyphs']:,} glyphs seen in all, {len(rows):,} steps in "
        f"{rows[-1]['seconds']:.0f} s, loss {first:.3f} to {last:.3f}; draw with "
        f"`{shlex.join(words)}`"
    )


command = train_command
