"""The command line: `glyflib` or `python -m glyflib`.

Invariant: a user's mistake ends in one line on stderr and exit code 1 (2 for wrong
usage), never in a traceback.
"""

from pathlib import Path

import click
from tqdm import tqdm

from glyflib.build.cover import build_cover
from glyflib.build.fonts import open_face
from glyflib.build.glyphs import build_glyphs
from glyflib.build.tables import FIELDS, read_captions, read_unihan
from glyflib.build.umap_map import build_map
from glyflib.data import GLYPHS, MAP

SHOWN = 40


class UserErrors(click.Group):
    """A group whose commands report ValueError and OSError in one line."""

    def invoke(self, ctx: click.Context):
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=UserErrors, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Models and data of the diffusion book."""


@main.group()
def data() -> None:
    """Make the data that the book reads."""


@data.command("build")
@click.option(
    "--font",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="TrueType or OpenType font, or a collection of them (.ttc).",
)
@click.option("--face", help="Face of a collection, by its full name.")
@click.option(
    "--unihan",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with Unihan_*.txt or .txt.bz2: readings, radicals, variants, and "
    "the captions unless --captions gives them.",
)
@click.option(
    "--captions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own captions: CSV or Parquet with the columns char and caption.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=GLYPHS,
    show_default="data/glyphs.parquet",
    help="Parquet file to write; its card (counts, what was left out) lies beside it.",
)
def build(
    font: Path, face: str | None, unihan: Path | None, captions: Path | None, out: Path
) -> None:
    """Draw a font's glyphs beside their captions, as one Parquet file."""
    if not (unihan or captions):
        raise click.UsageError("give --unihan, --captions or both")
    fields = read_unihan(unihan) if unihan else {field: {} for field in FIELDS}
    definitions = read_captions(captions) if captions else fields["kDefinition"]
    built = build_glyphs(
        open_face(font, face),
        definitions,
        fields,
        out,
        is_unihan=captions is None,
        progress=lambda chars: tqdm(chars, unit=" glyphs"),
    )
    report("not in the font", built.lacking)
    report("without a caption", built.uncaptioned)
    click.echo(f"{built.rows} glyphs written to {out}, counts and names to {out}.json")


@data.command("map")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=MAP,
    show_default="data/map.parquet",
    help="Parquet file to write.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of UMAP.")
def place(out: Path, seed: int) -> None:
    """Lay all glyphs out on a plane: principal components, then UMAP."""
    click.echo(f"{build_map(out, seed=seed)} glyphs placed in {out}")


@data.command("cover")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
def cover(out: Path, seed: int) -> None:
    """Draw the README's picture, real glyphs under growing noise, as the PNG OUT."""
    build_cover(out, seed=seed)


def report(what: str, chars: str) -> None:
    """Say how many characters were left out, and which."""
    more = f" … and {len(chars) - SHOWN} more" if len(chars) > SHOWN else ""
    if chars:
        click.echo(f"{len(chars)} {what}: {' '.join(chars[:SHOWN])}{more}")


if __name__ == "__main__":
    main(prog_name="glyflib")
