"""Sphinx: the directive `draw-here` puts a panel into a page, in which models draw.

Invariant: the weights are packed from data/ when the book is built, and written as
scripts beside its pages: a page loads them when its reader asks for a drawing. The
panels of chapters, which `glyflib.interactive.panels` makes, use the same scripts.
"""

from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import glyflib.interactive
from glyflib.files import WEIGHTS
from glyflib.glyffuser import SHIPPED as SHIPPED_GLYFFUSER
from glyflib.glyffuser import Glyffuser
from glyflib.interactive.drawing import FOLDER, drawing_panel
from glyflib.student import SHIPPED, Student, is_student

ENGINE_FOLDER = Path(glyflib.interactive.__file__).parent / "engine"


@cache
def panel() -> tuple[str, dict[str, str]]:
    """The panel of the shipped models, and its scripts; the student comes first.

    The student reads with its teacher's encoder, which is then packed once.
    """
    glyffuser, drawers = Glyffuser.load(), {}
    if is_student(SHIPPED):
        drawers["the student"] = Student.load(encoder=glyffuser.encoder)
    return drawing_panel(drawers | {"the glyffuser": glyffuser})


class DrawHere(SphinxDirective):
    """Once in a page of the site's first folder; takes neither options nor text."""

    def run(self) -> list[nodes.Node]:
        """Put the panel there; the page is read anew when what it holds has changed."""
        weights = [SHIPPED / WEIGHTS, SHIPPED_GLYFFUSER / WEIGHTS]
        for path in [*weights, *ENGINE_FOLDER.iterdir()]:
            if path.is_file():
                self.env.note_dependency(str(path))
        return [nodes.raw("", panel()[0], format="html")]


def write_scripts(app: Sphinx, error: Exception | None) -> None:
    """Write the packed parts into the site.

    Args:
        app: the builder.
        error: what stopped the build; None if nothing did.
    """
    folder = Path(app.outdir) / FOLDER
    if error or app.builder.format != "html":
        return
    folder.mkdir(exist_ok=True)
    for name, text in panel()[1].items():
        (folder / name).write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Know the directive, and run when all pages are written."""
    app.add_directive("draw-here", DrawHere)
    app.connect("build-finished", write_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
