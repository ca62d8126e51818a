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
@click.argument("model", type=click.Path(path_type=Path), default=SHIPPED)
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
    type=click.Choice(PRECISIONS),
    default="int8",
    help="Of the weights: int8 takes half as much room, half loses nothing.",
)
def web(model: Path, out: Path, title: str, words: str, precision: str) -> None:
    """Write a page in which MODEL, a glyffuser or a student, draws.

    MODEL is a folder; by default it is data/glyffuser-32. The page is one file that
    needs neither Python nor a network: open it, or put it on any web server.
    """
    check_place(out)
    drawer = Student.load(model) if is_student(model) else Glyffuser.load(model)
    page = drawing_page(drawer, title=title, words=words, precision=precision)
    write_text(out, page)
    click.echo(f"{out} draws in a browser: {len(page.encode()) / 1e6:.0f} MB")


command = web
