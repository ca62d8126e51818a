"""`glyflib web`: a page that draws with a model, in any browser, with no network.

Invariant: the page is whole or not written.
"""

from pathlib import Path

import click

from glyflib.files import check_place, write_text
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.interactive.drawing import PRECISIONS, drawing_page
from glyflib.student import Student, is_student


def checked_name(ctx: click.Context, param: click.Parameter, out: Path) -> Path:
    """Refuse a file name that no browser would open as a page, as wrong usage."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"{out.name} must end in .html", ctx, param)
    return out


@click.command(context_settings={"show_default": True})
@click.argument("models", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=checked_name,
    default=Path("glyffuser.html"),
    help="Page to write, .html.",
)
@click.option("--title", default="Draw it here", help="Of the page.")
@click.option("--words", default="water; river", help="In the field at first.")
@click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    default="int8",
    help="Of the weights: int8 takes half as much room, half loses nothing.",
)
def web(
    models: tuple[Path, ...], out: Path, title: str, words: str, precision: str
) -> None:
    """Write a page in which MODELS, glyffusers or students, draw.

    Each is a folder; without any it is data/glyffuser-32. Of several, the reader
    chooses one by the name of its folder, or of the run that it is in. The page is one
    file that needs neither Python nor a network: open it, or put it on any web server.
    """
    check_place(out)
    drawers = {}
    for path in models or (SHIPPED,):
        label = label_of(path)
        if label in drawers:
            raise ValueError(f"two models are called {label!r}: rename a folder")
        drawers[label] = (Student if is_student(path) else Glyffuser).load(path)
    page = drawing_page(drawers, title=title, words=words, precision=precision)
    write_text(out, page)
    click.echo(f"{out} draws in a browser: {len(page.encode()) / 1e6:.0f} MB")


def label_of(path: Path) -> str:
    """What a reader calls a model: its folder, or for RUN/model the run's."""
    path = path.resolve()
    return path.parent.name if path.name == "model" else path.name


command = web
