"""`glyflib slides`: slides of chapters, made from their marked cells.

Invariant: what can be refused is refused before a notebook runs, a notebook is never
changed, and a file is whole or not written.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from glyflib.commands.deck import deck, marks, slides_of
from glyflib.files import check_place, write_text

BOOK = Path(__file__).parents[2] / "book"
BUILT = Path(
    "_build/jupyter_execute"
)  # below the book: chapters as the builder ran them
SECONDS = 1800  # that a cell may take, or a kernel to begin, on a busy machine


@click.command(context_settings={"show_default": True})
@click.argument("chapters", nargs=-1)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("slides"),
    help="Folder to write to, one file a chapter.",
)
@click.option(
    "--anew",
    is_flag=True,
    help="Run the chapters, even where they have been run.",
)
def slides(chapters: tuple[str, ...], out: Path, anew: bool) -> None:
    """Make slides of CHAPTERS: 4, 04, 04_forward_noising or a file; by default of all.

    The cells that a chapter marks for it become one HTML file, which needs no network
    and nothing else: arrow keys, space and swipes turn the slides, sliders still slide,
    and print gives a page a slide.

    A chapter that has been run, by you or when the book was built, is taken as it is;
    any other is run first, which takes about a minute.
    """
    paths = [chapter_path(name) for name in chapters] or marked_chapters()
    for path in paths:
        slides_of(read_notebook(path), path.stem)
        check_place(out / f"{path.stem}.html")
    for path in paths:
        page = deck(executed(path, anew=anew), path.stem)
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"{path.stem}.html"
        write_text(file, page)
        count = page.count('<section class="slide')
        size = len(page.encode()) / 1e6
        click.echo(f"{count} slides of {path.stem} written to {file} ({size:.1f} MB)")


def chapter_path(name: str) -> Path:
    """The notebook that a name means.

    Args:
        name: a number, the name of a notebook of the book, or the path of a notebook.

    Raises:
        ValueError: If there is none; it says which there are.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    known = {found.stem: found for found in sorted(BOOK.glob("*.ipynb"))}
    return known[stem_of(name, list(known))]


def stem_of(name: str, known: Sequence[str]) -> str:
    """The name of the notebook or page of the book that a user means.

    Args:
        name: a number, or a name with or without ".ipynb".
        known: the names that there are.

    Raises:
        ValueError: If it is none of them; it says which there are.
    """
    stem = Path(name).stem if Path(name).suffix == ".ipynb" else name
    if stem in known:
        return stem
    if stem.isdecimal():
        for other in known:
            if other.startswith(f"{int(stem):02d}_"):
                return other
    near = difflib.get_close_matches(stem, known, n=3, cutoff=0.4)
    told = f"perhaps {' or '.join(near)}" if near else f"choose from {', '.join(known)}"
    raise ValueError(f"there is no chapter {name!r}: {told}")


def marked_chapters() -> list[Path]:
    """Every notebook of the book that has slides.

    Raises:
        ValueError: If there is none, as where glyflib lies without the book.
    """
    paths = [path for path in sorted(BOOK.glob("*.ipynb")) if is_marked(path)]
    if not paths:
        raise ValueError(f"no chapter with slides lies in {BOOK}: name a notebook")
    return paths


def is_marked(path: Path) -> bool:
    """Whether any cell of a notebook is for slides."""
    return any(marks(cell) for cell in read_notebook(path).cells)


def read_notebook(path: Path) -> NotebookNode:
    """A notebook from a file.

    Raises:
        ValueError: If the file is none.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise ValueError(f"{path} is no notebook that can be read") from error


def was_run(notebook: NotebookNode) -> bool:
    """Whether every cell of code that is for slides has been run."""
    cells = [
        cell for cell in notebook.cells if cell.cell_type == "code" and marks(cell)
    ]
    return all(cell.outputs or cell.execution_count is not None for cell in cells)


def executed(path: Path, *, anew: bool = False) -> NotebookNode:
    """A chapter with its outputs: its own, those of the built book, or made now.

    Those of the built book count only if its code is that of the chapter today.

    Args:
        path: of the notebook, which is not changed.
        anew: run it in any case.

    Raises:
        ValueError: If it is run, and a cell of it fails.
    """
    notebook = read_notebook(path)
    if not anew and was_run(notebook):
        return notebook
    built = path.parent / BUILT / path.name
    if not anew and built.is_file():
        before = read_notebook(built)
        same = [c.source for c in before.cells] == [c.source for c in notebook.cells]
        if same:
            for cell, old in zip(notebook.cells, before.cells, strict=True):
                if cell.cell_type == "code":
                    cell.outputs = old.outputs
                    cell.execution_count = old.execution_count
            if was_run(notebook):
                return notebook
    click.echo(f"{path.stem} is run ...", err=True)
    place = {"metadata": {"path": str(path.resolve().parent)}}
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        kernel_name="python3",
        resources=place,
    )
    try:
        return client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        reason = str(error).strip().splitlines()[-1]
        told = f"{path.name} cannot be run: {reason}"
        raise ValueError(f"{told}: open it in JupyterLab to see where") from error


command = slides
