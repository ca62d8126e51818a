"""`glyflib train`: a glyffuser of your own, in minutes or days.

Invariant: what a run was started with lies in its folder, so that --resume needs
nothing but that folder.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import click
from accelerate import Accelerator, PartialState
from click.core import ParameterSource
from tqdm import tqdm

from glyflib.checkpoint import RECORD
from glyflib.commands.sheets import contact_sheet, pictures_from_x0, write_frames
from glyflib.glyffuser import Glyffuser
from glyflib.plotting.training import plot_loss_log
from glyflib.run_log import read_log
from glyflib.runs import (
    LOG,
    PRESETS,
    PROMPTS,
    START,
    prepare,
    read_start,
    save_model,
    train_glyffuser,
    write_start,
)
from glyflib.text import SHIPPED
from glyflib.training import TrainConfig, TrainStep

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("train", context_settings={"show_default": True})
@click.option("--out", type=FOLDER, required=True, help="Folder of the run.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="small",
    help="small: 32 x 32, for a CPU; large: 128 x 128, for a GPU.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="About how long to train; a short trial tells how many steps that is.",
)
@click.option("--steps", type=click.IntRange(1), help="How many steps, instead.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option(
    "--init",
    type=FOLDER,
    help="Glyffuser to start from, instead of random weights.",
)
@click.option(
    "--encoder",
    default=str(SHIPPED),
    show_default="data/text_encoder",
    help="Text encoder: a folder or a hub name, such as google-t5/t5-small.",
)
@click.option("--seed", default=0, help="Of the weights and of all draws.")
@click.option("--batch-size", type=click.IntRange(1), help="Glyphs a step.")
@click.option(
    "--learning-rate", type=click.FloatRange(0, min_open=True), help="At its peak."
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
@click.pass_context
def train_command(ctx: click.Context, out: Path, resume: bool, **options) -> None:
    """Train a glyffuser on the book's glyphs.

    The folder gets log.csv, loss.png, samples.png, snapshots.safetensors, model/ for
    `glyflib generate --model`, and a checkpoint each minute: after a kill, go on with
    --resume.
    """
    state = Accelerator()
    is_alone = state.num_processes == 1
    if resume:
        refuse_options(ctx)
        start = read_start(out)
    else:
        start = options
        if (out / START).exists():
            raise FileExistsError(f"{out} holds a run: give --resume, or another --out")
        if (start["minutes"] is None) == (start["steps"] is None):
            raise click.UsageError("give --minutes or --steps")
        if start["minutes"] and not is_alone:
            raise click.UsageError("--minutes is for one process: give --steps")
    glyffuser, config = prepare(start)
    state.wait_for_everyone()
    if not resume and state.is_main_process:
        write_start(out, start | {"minutes": None, "steps": config.steps})
    steps = train_glyffuser(
        glyffuser,
        out,
        config,
        resume=resume and (out / "checkpoint" / RECORD).exists(),
        has_snapshots=start["snapshots"],
        progress=lambda rows: tqdm(rows, desc="captions", disable=None),
    )
    try:
        follow(steps, config.steps)
    except KeyboardInterrupt:
        if state.is_main_process:
            keep_so_far(glyffuser, out, config)
        raise
    if state.is_main_process:
        finish(out)


def keep_so_far(glyffuser: Glyffuser, out: Path, config: TrainConfig) -> None:
    """Write the model of the last checkpoint of an interrupted run, if there is one."""
    if not (out / "checkpoint" / RECORD).exists():
        return
    rows = read_log(out / LOG)
    save_model(glyffuser, out, config, rows[-1]["seconds"] if rows else 0.0)
    click.echo(
        f"\n{out / 'model'} is the last checkpoint's; --resume goes on", err=True
    )


def refuse_options(ctx: click.Context) -> None:
    """Raise a UsageError if --resume comes with what the run has settled already."""
    for name in ctx.params.keys() - {"out", "resume"}:
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = name.replace("_", "-")
            raise click.UsageError(f"--resume goes on as before: leave out --{option}")


def follow(steps: Iterator[TrainStep], num_steps: int) -> None:
    """Take the steps, with a bar that tells the loss, averaged over about a hundred."""
    is_main = PartialState().is_main_process
    bar = tqdm(steps, total=num_steps, unit=" steps", disable=None if is_main else True)
    loss = None
    for step in bar:
        bar.update(step.step - bar.n - 1)  # a resumed run starts further on
        loss = step.loss if loss is None else 0.99 * loss + 0.01 * step.loss
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)


def finish(out: Path) -> None:
    """Draw the loss and a sheet of samples, and say what there is."""
    rows = read_log(out / LOG)
    plot_loss_log(rows).savefig(out / "loss.png")
    glyffuser = Glyffuser.load(out / "model")
    x0 = glyffuser.sample(PROMPTS)
    sheet = contact_sheet(pictures_from_x0(x0), num_columns=4, side=128)
    write_frames(out / "samples.png", [sheet])
    part = max(1, len(rows) // 20)
    first, last = (
        mean(row["loss"] for row in some) for some in (rows[:part], rows[-part:])
    )
    click.echo(
        f"{rows[-1]['glyphs']} glyphs seen in {rows[-1]['seconds']:.0f} s, loss "
        f"{first:.3f} to {last:.3f}; draw with `glyflib generate gold --model "
        f"{out / 'model'}`"
    )


command = train_command
