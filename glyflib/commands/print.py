"""`glyflib print`: the built book, or chapters of it, as one PDF.

Invariant: what can be refused is refused before a browser starts, and a file is whole
or not written.
"""

from pathlib import Path

import click

from glyflib.commands.slides import BOOK, stem_of
from glyflib.files import check_place, replace_file

SITE = Path("_build/html")  # below the book: its pages as the builder made them
WAY_OUT = "run `pip install -r requirements.txt`"


@click.command("print", context_settings={"show_default": True})
@click.argument("chapters", nargs=-1)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("book.pdf"),
    help="File to write to.",
)
@click.option(
    "--paper",
    type=click.Choice(["a4", "letter"]),
    default="a4",
    help="Size of the sheets.",
)
@click.option(
    "--browser",
    type=click.Path(path_type=Path),
    help="Chromium or Chrome that prints; by default the one on the PATH.",
)
def print_book(
    chapters: tuple[str, ...], out: Path, paper: str, browser: Path | None
) -> None:
    """Print CHAPTERS, or the whole book, as one PDF.

    Chapters are named as 4, 04, 04_forward_noising or glossary. The whole book gets a
    title page and its contents. Solutions stand at the end of each chapter, of sliders
    three frames are shown, and links lead from page to page.

    It prints the pages that `jupyter-book build book` has made, with Chromium or
    Chrome; nothing is run, and no network is needed.
    """
    try:
        from glyflib.commands import paper as press
    except ModuleNotFoundError as error:
        told = f"{error.name}, which printing needs, is not installed"
        raise FileNotFoundError(f"{told}: {WAY_OUT}") from error
    site = BOOK / SITE
    pages = press.contents(site)
    if chapters:
        names = [page.name for page in pages]
        wanted = {stem_of(chapter, names) for chapter in chapters}
        pages = [page for page in pages if page.name in wanted]
    check_place(out)
    program = press.find_browser(browser)
    for page in pages:
        if is_stale(site, page.name):
            told = f"{page.name} has been changed since the book was built"
            click.echo(f"{told}; what was built is printed", err=True)
    with press.printing(program) as tab:
        sheets = press.print_pages(
            tab, pages, site, paper=paper, has_front=not chapters, report=report
        )
    writer = press.joined(sheets, site)
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, writer.write)
    size = out.stat().st_size / 1e6
    count = len(writer.pages)
    click.echo(f"{count} sheets of {len(pages)} pages written to {out} ({size:.1f} MB)")


def report(sheets) -> None:
    """Say that a page is printed."""
    click.echo(f"{sheets.page.title}: {len(sheets.reader.pages)} sheets", err=True)


def is_stale(site: Path, name: str) -> bool:
    """Whether a page was built from another file than the book now has.

    Args:
        site: folder of the built book, which keeps a copy of what each page is made of.
        name: of the page.
    """
    for built in (site / "_sources").glob(f"{name}.*"):
        source = BOOK / built.name
        return source.is_file() and source.read_bytes() != built.read_bytes()
    return False


command = print_book
