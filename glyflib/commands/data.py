"""`glyflib data`: make the files in data/, or your own.

Invariants: what only one command needs is loaded by that command alone; a file is
replaced only if the command line names it (`results` keeps what is whole, and begins
anew only with --anew).
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import click
import torch
from tqdm import tqdm

from glyflib.data import load_glyphs
from glyflib.files import DATA, check_place, write_text
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.fonts import open_face
from glyflib.glyphs.names import has_name, name_captions, parse_ranges
from glyflib.glyphs.tables import NO_UNIHAN, read_captions, read_unihan
from glyflib.making.cover import build_cover
from glyflib.making.map import build_map

SHOWN = 40
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
SHIPPED = "The book's own lies in {}, and is replaced only if you name it."
with_fonts = click.option(
    "--font",
    "fonts",
    type=(click.Path(exists=True, dir_okay=False, path_type=Path), str),
    multiple=True,
    help="Font file and face to draw more training pictures with; as often as wanted.",
)


def named(suffix: str) -> Callable:
    """A callback that refuses a file whose name says that it is of another kind."""

    def check(ctx: click.Context, param: click.Parameter, out: Path) -> Path:
        if out.suffix.lower() != suffix:
            told = f"{out} is written as {suffix}: give a name that ends so"
            raise click.BadParameter(told, ctx, param)
        return out

    return check


def points_asked_for(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> set[int]:
    """The code points in some ranges; refuses what is no range as wrong usage."""
    try:
        ranges = [found for text in texts for found in parse_ranges(text)]
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return set().union(*ranges)


@click.group()
def data() -> None:
    """Make the data that the book reads, or your own.

    Each command writes where you tell it to, and nothing in data/ is replaced unless
    you name it (or, of the results, ask for --anew).
    """


@data.command("build")
@click.option(
    "--font",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="TrueType or OpenType font, plain or as WOFF, or a collection (.ttc).",
)
@click.option(
    "--face",
    help="Face of a collection, by its full name, or instance of a variable font, such "
    'as "Noto Sans SC Bold". A wrong name is answered by a list of them.',
)
@click.option(
    "--unihan",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with Unihan_*.txt or .txt.bz2: readings, radicals, variants, and "
    "the captions unless --captions or --names gives them.",
)
@click.option(
    "--captions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own captions: a table with the columns char and caption, as CSV (with "
    "commas, semicolons or tabs, in UTF-8) or Parquet. Of several captions for one "
    "character the first is taken. What is left out is told.",
)
@click.option(
    "--names",
    is_flag=True,
    help='Take the characters\' Unicode names as captions: "black chess knight".',
)
@click.option(
    "--chars",
    multiple=True,
    callback=points_asked_for,
    metavar="RANGE",
    help="Characters to draw, such as U+12000-U+120FF; as often as wanted. By default "
    "all that have a caption; with --names, all that the font holds.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    help="Draw only every so many-th of the characters, in the order of their code "
    "points: a smaller set that is spread over all of them.",
)
@click.option(
    "--em",
    type=click.IntRange(8, 512),
    help="Pixels an em. By default 120, or as many fewer as let 99 of 100 glyphs fit. "
    "Glyphs that touch the picture's edge are left out and named.",
)
@click.option(
    "--out",
    type=FILE,
    required=True,
    callback=named(".parquet"),
    help="Parquet file to write; its card (counts, what was left out) lies beside it. "
    + SHIPPED.format("data/glyphs.parquet"),
)
def build(
    font: Path,
    face: str | None,
    unihan: Path | None,
    captions: Path | None,
    names: bool,
    chars: set[int],
    every: int,
    em: int | None,
    out: Path,
) -> None:
    """Draw a font's glyphs beside their captions, as one Parquet file.

    The captions are your own (--captions), the characters' Unicode names (--names) or
    the definitions of Chinese characters (--unihan). All glyphs are drawn at one size,
    at which they fit into pictures of 128 by 128 pixels. What is left out is told, and
    stands in the card beside the file.
    """
    if not (unihan or captions or names):
        raise click.UsageError("give --captions, --names or --unihan")
    if captions and names:
        raise click.UsageError("give --captions or --names, not both")
    check_place(out)
    if any(path and out.exists() and out.samefile(path) for path in (font, captions)):
        raise click.UsageError(f"--out {out} would replace what is read")
    drawn_with = open_face(font, face)
    fields = read_unihan(unihan) if unihan else NO_UNIHAN
    left_out: Mapping[str, Sequence[str]] = {}
    if captions:
        given, left_out = read_captions(captions)
    elif names:
        assigned = set(filter(has_name, chars))
        given = name_captions(drawn_with.codepoints | assigned)
    else:
        given = fields["kDefinition"]
    if chars:
        given = {char: text for char, text in given.items() if ord(char) in chars}
    if every > 1:
        given = {char: given[char] for char in sorted(given)[::every]}
    built = build_glyphs(
        drawn_with,
        given,
        fields,
        out,
        is_unihan=not (captions or names),
        em=em,
        left_out=left_out,
        progress=lambda clear: tqdm(clear, unit=" glyphs"),
    )
    for reason, which in built.left_out.items():
        report(reason, which)
    if "em_for_all" in built.card:
        click.echo(f"All fit with --em {built.card['em_for_all']}")
    size = f"{built.card['em_pixels']} pixels an em"
    click.echo(f"{built.card['font']}: {built.rows} glyphs drawn at {size}")
    click.echo(f"{built.rows} glyphs written to {out}, counts and names to {out}.json")


@data.command("map")
@click.option(
    "--out",
    type=FILE,
    required=True,
    callback=named(".parquet"),
    help="Parquet file to write. " + SHIPPED.format("data/map.parquet"),
)
@click.option("--seed", default=0, show_default=True, help="Seed of UMAP.")
def place(out: Path, seed: int) -> None:
    """Lay all glyphs out on a plane: principal components, then UMAP."""
    check_place(out)
    click.echo(
        f"{build_map(load_glyphs('all', 32), out, seed=seed)} glyphs placed in {out}"
    )


@data.command("cover")
@click.argument("out", type=FILE, callback=named(".png"))
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
def cover(out: Path, seed: int) -> None:
    """Draw the README's picture, real glyphs beside drawn ones, as the PNG OUT."""
    from glyflib.glyffuser import Glyffuser
    from glyflib.lessons.first_look import real_and_drawn
    from glyflib.super_resolution import SuperResolver

    check_place(out)
    models = Glyffuser.load(), SuperResolver.load()
    pairs = real_and_drawn(load_glyphs("test", 128), *models, seed=seed)
    build_cover(pairs.words, pairs.real, pairs.drawn, out)


@data.command("radicals")
@with_fonts
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder to write. " + SHIPPED.format("data/radicals"),
)
@click.option("--seed", default=0, show_default=True, help="Of weights and draws.")
def radicals(fonts: tuple[tuple[Path, str], ...], out: Path, seed: int) -> None:
    """Train the classifier that reads the radical of a glyph."""
    from glyflib.making.radicals.train import build_classifier

    faces = [open_face(path, face) for path, face in fonts]
    glyphs = load_glyphs("all", 64)
    found = build_classifier(glyphs, out, fonts=faces, seed=seed, progress=tqdm)
    click.echo(f"{found['parameters']} parameters written to {out}")


@data.command("parts", context_settings={"show_default": True})
@click.option(
    "--unihan",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with Unihan_*.txt or .txt.bz2, which tell what glyphs are made of.",
)
@with_fonts
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder to write. " + SHIPPED.format("data/parts"),
)
@click.option("--steps", type=click.IntRange(1), default=3200, help="Of 128 pictures.")
@click.option("--seed", default=0, help="Of weights and draws.")
def parts(
    unihan: Path, fonts: tuple[tuple[Path, str], ...], out: Path, steps: int, seed: int
) -> None:
    """Train the reader that tells which parts a glyph contains, and where."""
    from glyflib.making.parts.spelling import FIELDS as NEEDED
    from glyflib.making.parts.train import build_reader

    check_place(out / "model.safetensors")
    faces = [open_face(path, face) for path, face in fonts]
    found = build_reader(
        load_glyphs("all", 64),
        read_unihan(unihan, NEEDED),
        out,
        fonts=faces,
        seed=seed,
        steps=steps,
        progress=lambda batches: tqdm(batches, total=steps, unit=" steps"),
    )
    click.echo(f"{found['parameters']} parameters written to {out}")


@data.command("text-encoder", context_settings={"show_default": True})
@click.option(
    "--teacher", required=True, help="Sentence encoder: a folder or a hub name."
)
@click.option(
    "--wordnet",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with WordNet's data.noun, data.verb, data.adj and data.adv.",
)
@click.option(
    "--work", type=FOLDER, required=True, help="For what a killed build would lose."
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder to write. " + SHIPPED.format("data/text_encoder"),
)
@click.option("--steps", type=click.IntRange(2), default=6000, help="Of 128 texts.")
@click.option("--seed", default=0, help="Of weights and draws.")
def text_encoder(
    teacher: str, wordnet: Path, work: Path, out: Path, steps: int, seed: int
) -> None:
    """Distil the text encoder from a public one. Goes on where it was cut off."""
    from glyflib.making.text_encoder.distil import build_text_encoder
    from glyflib.making.text_encoder.student import DistilConfig

    config = DistilConfig(steps, warmup=min(200, steps // 10), seed=seed)
    done = build_text_encoder(
        load_glyphs("all", 32), out, teacher, wordnet, config, work=work, progress=tqdm
    )
    for step, errors in tqdm(done, total=steps, unit=" steps"):
        if step % 500 == 0 or step == steps:
            told = ", ".join(f"{error:.4f}" for error in errors)
            tqdm.write(f"step {step}: words, texts, pairs {told}")
    click.echo(f"text encoder written to {out}")


@data.command("super-resolution", context_settings={"show_default": True})
@click.option("--work", type=FOLDER, required=True, help="For checkpoints and log.")
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder to write. " + SHIPPED.format("data/super-resolution"),
)
@click.option("--steps", type=click.IntRange(2), default=8000, help="Of 32 crops.")
@click.option("--seed", default=0, help="Of weights and draws.")
def super_resolution(work: Path, out: Path, steps: int, seed: int) -> None:
    """Train the model that enlarges 32x32 glyphs to 128x128.

    Goes on where it was cut off, given the same --work.
    """
    from glyflib.commands.train import follow
    from glyflib.making.super_resolution import train_super_resolver
    from glyflib.training import TrainConfig

    config = TrainConfig(steps, warmup=min(200, steps // 10), seed=seed)
    follow(train_super_resolver(load_glyphs("all"), out, work, config), steps)
    click.echo(f"super-resolver written to {out}")


def run_options(command: Callable) -> Callable:
    """Add the options of a run of making that goes on where it was cut off."""
    for option in (
        click.option(
            "--checkpoint-seconds",
            type=click.FloatRange(0),
            default=60.0,
            help="Time between checkpoints, which is what a kill costs at most.",
        ),
        click.option("--cpu-bf16", is_flag=True, help="Multiply in bfloat16 on a CPU."),
    ):
        command = option(command)
    return command


def check_length(options: Mapping[str, object]) -> None:
    """Raise a UsageError unless a run is given either its minutes or its steps."""
    if (options["steps"] is None) == (options["minutes"] is None):
        raise click.UsageError("give --minutes or --steps")


@data.command("autoencoder", context_settings={"show_default": True})
@click.option(
    "--glyphs",
    type=FILE,
    show_default="data/glyphs.parquet",
    help="Glyph set to learn, as `glyflib data build` makes them.",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder of the run: checkpoint, log.csv, model/, the autoencoder itself, and "
    "reconstructions.png.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="About how long to train; a short trial tells how many steps that is.",
)
@click.option("--steps", type=click.IntRange(1), help="How many steps, instead.")
@click.option(
    "--kl-weight",
    type=click.FloatRange(0),
    default=0.1,
    help="What a nat that latents tell costs, in nats of the pixels.",
)
@click.option("--batch-size", type=click.IntRange(1), default=8, help="Glyphs a step.")
@click.option("--learning-rate", default=1e-3, help="At its peak.")
@click.option("--seed", default=0, help="Of weights and draws.")
@run_options
@click.option(
    "--judged",
    type=click.IntRange(2),
    default=256,
    help="Held-out glyphs to judge by, about a second each.",
)
@click.option(
    "--enlarge-steps",
    type=click.IntRange(1),
    default=20,
    help="Of the enlarger that stands beside it; 1 takes a twentieth of the time.",
)
def autoencoder(
    glyphs: Path | None, out: Path, judged: int, enlarge_steps: int, **options
) -> None:
    """Train the autoencoder, from 128x128 glyphs to latents of 16x16x4 and back.

    Goes on where it was cut off, given the same command. At the end it is judged on
    held-out glyphs, beside the model that enlarges 32x32 glyphs.
    """
    from glyflib.commands.sheets import contact_sheet, write_frames
    from glyflib.commands.sheets import pictures_from_images as pictures_of
    from glyflib.commands.train import follow
    from glyflib.data import GLYPHS
    from glyflib.evaluation.radicals import RadicalClassifier
    from glyflib.making.autoencoder import (
        AutoencoderStart,
        before_and_after,
        begin,
        finish,
        train_autoencoder,
    )
    from glyflib.runs import RunFolder
    from glyflib.super_resolution import SuperResolver

    check_length(options)
    start, folder = AutoencoderStart(**options), RunFolder(out)
    train, held_out = (
        load_glyphs(part, path=glyphs or GLYPHS) for part in ("train", "test")
    )
    steps = begin(start, folder, train)
    click.echo(f"{steps:,} steps of {start.batch_size} glyphs", err=True)
    follow(train_autoencoder(train, folder, start, steps), steps)
    finish(
        folder,
        held_out,
        train,
        SuperResolver.load(),
        RadicalClassifier.load(),
        num=judged,
        enlarge_steps=enlarge_steps,
        progress=lambda rows: tqdm(rows, desc="enlarged", disable=None),
    )
    images = before_and_after(folder, held_out)
    sheet = contact_sheet(pictures_of(images), num_columns=8, side=128)
    write_frames(out / "reconstructions.png", [sheet])
    click.echo((folder.model / "README.md").read_text("utf-8"))
    click.echo(f"autoencoder written to {folder.model}")


@data.command("student", context_settings={"show_default": True})
@click.option(
    "--teacher",
    type=FOLDER,
    default=DATA / "glyffuser-32",
    show_default="data/glyffuser-32",
    help="Glyffuser to imitate; copied into --out when the run begins.",
)
@click.option(
    "--glyphs",
    type=FILE,
    show_default="data/glyphs.parquet",
    help="Glyph set that the teacher has learnt, as `glyflib data build` makes them.",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder of the run: checkpoints, log.csv and model/, the student itself.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="About how long, over all phases; a short trial tells how many steps that is.",
)
@click.option("--steps", type=click.IntRange(1), help="How many steps, instead.")
@click.option(
    "--fewest",
    type=click.Choice(["8", "4", "2", "1"]),
    default="1",
    help="Calls that the last phase teaches.",
)
@click.option("--scale", default=2.0, help="Of the guidance to fold in.")
@click.option("--batch-size", type=click.IntRange(1), default=64, help="Glyphs a step.")
@click.option("--learning-rate", default=1e-4, help="At the peak of each phase.")
@click.option("--seed", default=0, help="Of all draws.")
@run_options
def student(
    teacher: Path, glyphs: Path | None, out: Path, fewest: str, **options
) -> None:
    """Teach a student to draw what a glyffuser draws, in 8, 4, 2 or 1 calls.

    Goes on where it was cut off, given the same command. Draw with it by
    `glyflib generate "gold" --calls 4 --student OUT/model`, judge it by
    `glyflib evaluate OUT/model`.
    """
    from glyflib.commands.train import follow
    from glyflib.data import GLYPHS
    from glyflib.files import read_config
    from glyflib.glyffuser import KEYS, OPTIONAL, TRAIN
    from glyflib.making.student import StudentStart, begin, finish, train_student
    from glyflib.runs import RunFolder

    check_length(options)
    start, folder = StudentStart(fewest=int(fewest), **options), RunFolder(out)
    kept = folder.initial if folder.initial.is_dir() else teacher
    config = read_config(kept, KEYS, "glyffuser", TRAIN, optional=OPTIONAL)
    if "autoencoder" in config:
        raise click.UsageError(f"{kept} draws latents: a student learns pictures only")
    size, file = config["size"], glyphs or GLYPHS
    lessons, steps = begin(
        start,
        teacher,
        folder,
        load_glyphs("train", size, path=file),
        progress=lambda rows: tqdm(rows, desc="captions", disable=None),
    )
    phases = ", ".join(f"{num:,} to {count}" for count, num in steps.items())
    click.echo(f"Steps that lead to so many calls: {phases}", err=True)
    follow(train_student(lessons, steps, folder), sum(steps.values()))
    finish(folder, load_glyphs("test", size, path=file), seed=start.seed)
    click.echo(f"student written to {folder.model}")


@data.command("results", context_settings={"show_default": True})
@click.argument("names", nargs=-1)
@click.option(
    "--out",
    type=FOLDER,
    default=DATA / "results",
    show_default="data/results",
    help="Folder to write. What is whole there is kept, unless --anew is given.",
)
@click.option("--seed", default=0, help="Of all draws.")
@click.option("--anew", is_flag=True, help="Forget what is there, even if whole.")
@click.option(
    "--work",
    type=FOLDER,
    show_default="beside --out, with -work behind its name",
    help="Folder for what a killed race would lose; cleared when all is stored.",
)
def results(
    names: tuple[str, ...], out: Path, seed: int, anew: bool, work: Path | None
) -> None:
    """Compute what takes longer than a chapter's minute: all, or NAMES of them.

    Goes on where it was cut off. "published" takes a night, and is computed only if it
    is named: our recipe against the published one, budgets of 5 minutes first.
    """
    from glyflib.glyffuser import Glyffuser
    from glyflib.studies.common import Subject
    from glyflib.studies.registry import (
        LONG,
        STUDIES,
        forget,
        parts_of,
        run_study,
        study_facts,
    )

    if unknown := [name for name in names if name not in STUDIES | LONG]:
        known = ", ".join(STUDIES | LONG)
        raise click.UsageError(f"no results named {unknown[0]!r}; there are {known}")
    work = work or out.resolve().with_name(f"{out.resolve().name}-work")
    glyffuser = Glyffuser.load()
    train, held_out = (load_glyphs(part, glyffuser.size) for part in ("train", "test"))
    subject = Subject(glyffuser, train, held_out)
    for name in names or STUDIES:
        if anew:
            (out / f"{name}.json").unlink(missing_ok=True)
            forget(name, work)
        facts, begin = study_facts(name, seed), perf_counter()
        study = parts_of(name, subject, seed, out, work)
        for part in run_study(name, study, facts, out):
            click.echo(f"{name}: {part} ({perf_counter() - begin:.0f} s)")
        forget(name, work)


@data.command("caption-runs", context_settings={"show_default": True})
@click.option("--out", type=FOLDER, required=True, help="Folder of runs and tables.")
@click.option("--steps", type=click.IntRange(40), default=300, help="Of each run.")
@click.option("--batch-size", type=click.IntRange(1), default=64, help="Glyphs a step.")
@click.option("--cpu-bf16", is_flag=True, help="As that of `glyflib train`.")
@click.option("--seed", default=0, help="Of all draws.")
@click.option(
    "--only",
    multiple=True,
    help="A variant to run; as often as wanted.",
    show_default="all",
)
def caption_runs(
    out: Path,
    steps: int,
    batch_size: int,
    cpu_bf16: bool,
    seed: int,
    only: tuple[str, ...],
) -> None:
    """Try what keeps the shipped glyffuser from learning its captions by heart.

    Short runs go on from its weights, each with one more change, and are held against
    each other. Writes captions.json and, after each run, captions.md. Goes on where it
    was cut off.
    """
    from glyflib.glyffuser import Glyffuser
    from glyflib.lessons.stored import load_results
    from glyflib.studies.captions import (
        FIRST,
        NAME,
        VARIANTS,
        Settings,
        caption_tables,
        captions,
    )
    from glyflib.studies.common import Subject
    from glyflib.studies.registry import run_study, study_facts

    if unknown := [name for name in only if name not in VARIANTS]:
        known = ", ".join(repr(name) for name in VARIANTS)
        raise click.UsageError(f"no variant {unknown[0]!r}; there are {known}")
    variants = {
        name: variant
        for name, variant in VARIANTS.items()
        if not only or name in only or name == FIRST
    }
    settings = Settings(steps=steps, batch_size=batch_size, cpu_bf16=cpu_bf16)
    glyffuser = Glyffuser.load()
    glyffuser.unet.to(memory_format=torch.channels_last)  # convolutions are quicker
    train, held_out = (load_glyphs(part, glyffuser.size) for part in ("train", "test"))
    subject, begin = Subject(glyffuser, train, held_out), perf_counter()
    command = f"glyflib data caption-runs --steps {steps} --batch-size {batch_size}"
    command += " --cpu-bf16" * cpu_bf16 + f" --seed {seed}"
    facts = study_facts(NAME, seed) | {"command": command, "settings": asdict(settings)}
    study = captions(subject, seed, settings, out, variants)
    for part in run_study(NAME, study, facts, out):
        click.echo(f"{part} ({perf_counter() - begin:.0f} s)")
        found = load_results(NAME, out)
        if FIRST in found.parts:
            write_text(out / f"{NAME}.md", caption_tables(found, held_out.captions))


@data.command("keep", context_settings={"show_default": True})
@click.option(
    "--model",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=DATA / "glyffuser-32",
    show_default="data/glyffuser-32",
    help="Glyffuser whose diary is kept.",
)
@click.option(
    "--results",
    "studies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=DATA / "results",
    show_default="data/results",
    help="Folder of what was found with its weights.",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder to write. " + SHIPPED.format("data/first-edition"),
)
def keep(source: Path, studies: Path, out: Path) -> None:
    """Copy a glyffuser's log, samples and curves, before new weights replace them."""
    from glyflib.making.keep import keep_edition

    names = keep_edition(source, studies, out)
    click.echo(f"{len(names)} files kept in {out}")


@data.command("adopt")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--model",
    type=FOLDER,
    required=True,
    help="Glyffuser that the run went on from, whose files are replaced.",
)
def adopt(run: Path, model: Path) -> None:
    """Take the stage that `glyflib train --init` left in RUN into a glyffuser."""
    from glyflib.making.adopt import adopt as take

    count = take(run, model)
    click.echo(f"{model} has seen {count:,} glyphs: judge it with `glyflib evaluate`")


@data.command("sums")
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def sums(folder: Path) -> None:
    """Write SHA256SUMS of the files in FOLDER into FOLDER."""
    from glyflib.making.adopt import write_sums

    click.echo(f"{write_sums(folder)} files listed in {folder / 'SHA256SUMS'}")


def report(reason: str, which: Sequence[str]) -> None:
    """Say how many characters or rows were left out, and which."""
    if not which:
        return
    more = f" … and {len(which) - SHOWN} more" if len(which) > SHOWN else ""
    is_text = isinstance(which, str)
    shown = map(visible, which[:SHOWN]) if is_text else which[:SHOWN]
    click.echo(f"{len(which)} {reason}: {(' ' if is_text else ', ').join(shown)}{more}")


def visible(char: str) -> str:
    """The character, or its code point if it is a blank, a mark or a control."""
    is_seen = unicodedata.category(char)[0] in "LNPS"
    return char if is_seen else f"U+{ord(char):04X}"


command = data
