"""Sphinx: rows of a formula that hold fractions do not touch each other.

TeX sets the rows of `aligned` as close as it can, and where fractions stand below each
other, one hangs into the next. Invariant: nothing changes but the room between rows; a
row that says how much room it wants keeps it.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

ROOM = r"\\[0.8ex]"
END_OF_ROW = re.compile(r"\\\\(?!\[)")
ALIGNED = re.compile(r"(\\begin\{aligned\})(.*?)(\\end\{aligned\})", re.DOTALL)
TALL = re.compile(r"\\d?frac|\\sum|\\int")


def with_room(formula: str) -> str:
    """A formula with room below each row, if two or more of its rows are tall.

    Args:
        formula: TeX of a formula on a line of its own.
    """

    def rows(found: re.Match) -> str:
        tall = sum(bool(TALL.search(row)) for row in END_OF_ROW.split(found[2]))
        inside = END_OF_ROW.sub(lambda _: ROOM, found[2]) if tall > 1 else found[2]
        return f"{found[1]}{inside}{found[3]}"

    return ALIGNED.sub(rows, formula)


class RoomyRows(SphinxPostTransform):
    """Runs for pages only: what slides and notebooks show stays as it is."""

    default_priority = 910
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Set the rows of each formula apart."""
        for formula in list(self.document.findall(nodes.math_block)):
            text = with_room(formula.astext())
            formula.children = [nodes.Text(text)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(RoomyRows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
