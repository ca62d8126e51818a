"""Sphinx: what notebooks write in plain Markdown becomes figures, folds and numbers.

Chapters keep to forms that JupyterLab, Colab and GitHub show as they are: a caption
below its figure, a heading "Solution" or "Where it comes from", links to `#fig-…` and
`#eq-…`. Invariant: a form that is not understood fails the build, or stays as the text
that it is.
"""

import re
from collections.abc import Iterator
from html import unescape

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
FOLDED = ("Solution", "Where it comes from")
ANCHOR = re.compile(r'<a id="(fig-[a-z0-9-]+)">')
IN_WORDS = re.compile(
    r"<details><summary>In words …</summary>(.+)</details>", re.DOTALL
)
HEAD = re.compile(r"Figure( \d+)?\.")
EXERCISE = re.compile(r"Exercise \d+")
NUMBER = re.compile(r"(?P<figure>[Ff]igure) \d+|\(\d+\)")
LABEL = re.compile(r"(?:fig|eq)-[\w-]+")


def part_of_cell(node: nodes.Node | None, part: str) -> nodes.container | None:
    """The last container of a kind inside a cell; None if the node has none.

    Args:
        node: the cell, or whatever stands in its place.
        part: the kind, as MyST-NB calls it: cell_code_output, mime_bundle.
    """
    if not isinstance(node, nodes.container):
        return None
    found = [
        inner
        for inner in node.findall(nodes.container)
        if inner.get("nb_element") == part
    ]
    return found[-1] if found else None


class Captions(SphinxTransform):
    """A paragraph that starts with a figure's anchor is the caption of the cell above.

    The output above becomes a numbered figure. What the paragraph's fold "In words"
    says becomes the alternative text of its pictures.
    """

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Put each caption with its output."""
        for paragraph in list(self.document.findall(nodes.paragraph)):
            first = paragraph.children[0] if paragraph.children else None
            if isinstance(first, nodes.raw) and ANCHOR.match(first.astext()):
                self.make_figure(paragraph, ANCHOR.match(first.astext())[1])

    def make_figure(self, paragraph: nodes.paragraph, name: str) -> None:
        """Move the output above and this paragraph into a figure."""
        section = paragraph.parent
        place = section.index(paragraph)
        bundle = part_of_cell(section[place - 1] if place else None, "mime_bundle")
        if bundle is None:
            logger.warning("caption %s has no figure above", name, location=paragraph)
            return
        below = section[place + 1] if place + 1 < len(section) else None
        in_words = IN_WORDS.match(below.astext()) if below is not None else None
        if isinstance(below, nodes.raw) and in_words:
            section.remove(below)
            for image in bundle.findall(nodes.image):
                image["alt"] = " ".join(unescape(in_words[1]).split())
        section.remove(paragraph)
        figure = nodes.figure(names=[name])
        figure.source, figure.line = paragraph.source, paragraph.line
        self.document.note_explicit_target(figure, figure)
        bundle.replace_self(figure)
        caption = nodes.caption(paragraph.rawsource, "", *self.words(paragraph))
        caption.source, caption.line = paragraph.source, paragraph.line
        figure += [bundle, caption]

    def words(self, paragraph: nodes.paragraph) -> list[nodes.Node]:
        """The caption without its anchor and "Figure 3.", which Sphinx writes."""
        kept = [node for node in paragraph if not isinstance(node, nodes.raw)]
        head = next((n for n in kept if isinstance(n, nodes.strong)), None)
        if head is not None and HEAD.fullmatch(head.astext()):
            del kept[: kept.index(head) + 1]
        if kept and isinstance(kept[0], nodes.Text):
            kept[0] = nodes.Text(kept[0].astext().lstrip())
        return kept


class Solutions(SphinxTransform):
    """A solution, or where a formula comes from, is folded until a reader opens it.

    Exercises get a class, so that the page can leave their numbering to them.
    """

    default_priority = 410

    def apply(self, **kwargs: object) -> None:
        """Fold each such section, and mark each exercise."""
        for section in list(self.document.findall(nodes.section)):
            title, *inside = section.children
            if EXERCISE.fullmatch(title.astext()):
                section["classes"].append("exercise")
            if title.astext() not in FOLDED:
                continue
            summary = f"<summary>{title.astext()}</summary>"
            start = f'<details class="solution">{summary}'
            fold = nodes.container(classes=["solution-fold"])
            fold += nodes.raw("", start, format="html")
            fold += [*inside, nodes.raw("", "</details>", format="html")]
            section.replace_self(fold)


class Numbers(SphinxTransform):
    """In links to figures and equations, the page's number for the notebook's own.

    JupyterLab counts from 1 in each notebook, and so do the links' words.
    """

    default_priority = 420

    def apply(self, **kwargs: object) -> None:
        """Replace the number in each such link by a reference that Sphinx resolves."""
        for link in list(self.document.findall(self.is_link)):
            label = link.get("refuri", "#").partition("#")[2] or link.get("reftargetid")
            if label and LABEL.fullmatch(label) and NUMBER.search(link.astext()):
                link.replace_self(list(self.parts(link.astext(), label)))

    def is_link(self, node: nodes.Node) -> bool:
        """Whether a node is a Markdown link to a place in a chapter."""
        if isinstance(node, nodes.reference):
            return bool(node.get("id_link"))
        return isinstance(node, pending_xref) and node.get("reftype") == "myst"

    def parts(self, text: str, label: str) -> Iterator[nodes.Node]:
        """The words of a link, with a reference in place of the number."""
        found = NUMBER.search(text)
        yield nodes.Text(text[: found.start()])
        figure = found["figure"]
        yield pending_xref(
            "",
            nodes.inline("", f"{figure} %s" if figure else label),
            refdoc=self.env.docname,
            refdomain="std" if figure else "math",
            reftype="numref" if figure else "eq",
            reftarget=label,
            refexplicit=bool(figure),
            refwarn=True,
        )
        yield nodes.Text(text[found.end() :])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the three transforms."""
    for transform in (Captions, Solutions, Numbers):
        app.add_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
