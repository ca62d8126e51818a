"""`glyflib evaluate`: how good a glyffuser or a student is, with intervals.

Invariant: what is printed stands in the report, so the table can be made again.
"""

import json
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource
from tqdm import tqdm

from glyflib.data import GLYPHS, load_glyphs
from glyflib.evaluation.card import write_card
from glyflib.evaluation.radicals import SIZE
from glyflib.evaluation.report import REPORT, ReportConfig, build_report
from glyflib.glyffuser import SHIPPED
from glyflib.lessons import results
from glyflib.lessons.stored import RESULTS
from glyflib.student import is_student

count_option = partial(click.option, type=click.IntRange(1))


def numbers(ctx: click.Context, param: click.Parameter, text: str) -> tuple[float, ...]:
    """Read "1,2,3" as numbers."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not like 1,2,3", ctx, param) from None
    if len(set(found)) < len(found):
        raise click.BadParameter(f"{text!r} names one twice", ctx, param)
    return found


@click.command(context_settings={"show_default": True})
@click.argument(
    "model", type=click.Path(file_okay=False, path_type=Path), default=SHIPPED
)
@click.option(
    "--teacher",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    show_default="the one in a student's run, or data/glyffuser-32",
    help="Glyffuser that a student has learnt from, and is judged beside.",
)
@click.option(
    "--glyphs",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="data/glyphs.parquet",
    help="Glyph set to judge by: a file that `glyflib data build` made.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="report.json in the model's folder",
    help="Report to write, or to go on with.",
)
@click.option(
    "--scales",
    default=",".join(f"{scale:g}" for scale in ReportConfig.scales),
    callback=numbers,
    help="Of the guidance; a student knows one only.",
)
@count_option(
    "--captions",
    default=ReportConfig.num_captions,
    help="How many captions, held-out ones if there are enough.",
)
@count_option("--samples", default=ReportConfig.num_samples, help="Glyphs a caption.")
@count_option("--plain", default=ReportConfig.num_plain, help="Glyphs a plain prompt.")
@count_option("--steps", default=ReportConfig.num_steps, help="Of the sampler.")
@click.option("--seed", default=ReportConfig.seed, help="Of all draws.")
@click.option("--cpu-bf16", is_flag=True, help="Multiply in bfloat16 on a CPU.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    model: Path,
    teacher: Path | None,
    glyphs: Path | None,
    out: Path | None,
    scales: tuple[float, ...],
    captions: int,
    samples: int,
    plain: int,
    steps: int,
    seed: int,
    cpu_bf16: bool,
) -> None:
    """Judge the glyffuser or student in the folder MODEL, by default the shipped one.

    It draws glyphs for held-out captions and for plain prompts such as "gold", and
    tells how many show the right radical, how near they are to real glyphs, and how
    far from the ones it was trained on. Where no radicals are known, it tells how many
    are most like the real glyph of their own caption; without held-out glyphs, training
    captions are drawn. What cannot be measured is named.

    A student is judged with each number of calls that it was taught, beside its teacher
    with all steps and with as few.

    All is written part by part: a run that was cut off goes on where it was. Without
    --out, the model's README.md, its model card, is then written anew from the report.
    """
    is_chosen = ctx.get_parameter_source("scales") != ParameterSource.DEFAULT
    if is_student(model) and is_chosen:
        raise click.UsageError("a student draws at one scale: leave out --scales")
    if teacher is not None and not is_student(model):
        raise click.UsageError(f"{model} is no student: leave out --teacher")
    config = ReportConfig(
        scales=scales,
        num_captions=captions,
        num_samples=samples,
        num_plain=plain,
        num_steps=steps,
        seed=seed,
        cpu_bf16=cpu_bf16,
    )
    report = out or model / REPORT
    parts = build_report(
        model,
        load_glyphs("all", SIZE, path=glyphs or GLYPHS),
        report,
        config,
        teacher=teacher,
        progress=lambda chunks: tqdm(chunks, unit=" chunks", disable=None),
    )
    for name, part in parts:
        click.echo("\n".join([name, *lines_of(part)]))
    judged = json.loads(report.read_text("utf-8"))["glyphs"]
    click.echo(f"glyphs were drawn for {judged['asked']} of {judged['name']}")
    for what, why in judged["left_out"].items():
        click.echo(f"not measured: {what} ({why})")
    if out is None:
        write_card(model, more=shipped_races() if is_shipped(model) else "")
        click.echo(f"model card written to {model / 'README.md'}")


def lines_of(part: dict, of: str = "") -> list[str]:
    """A part of the report as lines: name, value, interval."""
    found = []
    for name, row in part.items():
        if "value" in row:
            interval = f"({row['low']:.4f} to {row['high']:.4f})"
            found.append(f"  {of + name:22}{row['value']:9.4f}  {interval}")
        else:
            found += lines_of(row, f"{name}, ")
    return found


def is_shipped(model: Path) -> bool:
    """Whether a folder is that of the shipped glyffuser."""
    return model.resolve() == SHIPPED.resolve()


def shipped_races() -> str:
    """What the shipped glyffuser's card tells of races, from data/results/."""
    from glyflib.studies.published import NAME, published_table  # slow to load
    from glyflib.studies.races import race_tables

    told = race_tables(results.recipes(), results.texts())
    if (RESULTS / f"{NAME}.json").is_file():  # a night's work, which may be to come
        told += published_table(results.published(RESULTS))
    return told


command = evaluate
