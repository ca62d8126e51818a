"""Sphinx: a chapter's number is the one that its file name begins with.

Sphinx counts chapters as they come in the contents. A reader who opens
`09_unet.ipynb` expects chapter 10, whatever stands before it. Invariant: a page without
a number in its name, or with 00, keeps what Sphinx gives it. Figures inside folds (a
solution) have the last numbers of their page, so that nobody who reads on misses one.
"""

import re
from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

FOLD = "solution-fold"  # the class that chapters.py gives
NUMBERED = re.compile(r"(?!00)(\d\d)_")


def number_as_named(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Give each chapter, its sections, figures and formulas the file name's number.

    Args:
        app: the builder.
        env: what it knows, with Sphinx's own numbers, of which this is a correction.

    Returns:
        the pages to write again.
    """
    renumbered = []
    for page, sections in env.toc_secnumbers.items():
        name = NUMBERED.match(page)
        if not name or not any(sections.values()):
            continue
        number = int(name[1])
        for anchor, found in sections.items():
            sections[anchor] = found and (number, *found[1:])
        for entry in [env.titles[page], *env.tocs[page].findall(nodes.reference)]:
            if entry.get("secnumber"):
                entry["secnumber"] = [number, *entry["secnumber"][1:]]
        renumbered.append(page)
    # Figures and formulas take the chapter's number, so they are counted again.
    TocTreeCollector().assign_figure_numbers(env)
    for page, kinds in env.toc_fignumbers.items():
        if not any(env.toc_secnumbers.get(page, {}).values()):
            for kind, found in kinds.items():
                in_order = sorted(found, key=found.get)
                kinds[kind] = {place: (k,) for k, place in enumerate(in_order, 1)}
            renumbered.append(page)
        if "figure" in kinds:
            in_folds = folded_figures(env.get_doctree(page))
            kinds["figure"] = with_last(kinds["figure"], in_folds)
    return renumbered


def folded_figures(document: nodes.document) -> set[str]:
    """The names of figures inside what chapters.py folds."""
    folds = (
        node
        for node in document.findall(nodes.container)
        if FOLD in node.get("classes", [])
    )
    return {
        figure["ids"][0]
        for fold in folds
        for figure in fold.findall(nodes.figure)
        if figure["ids"]
    }


def with_last(numbers: dict[str, tuple], last: set[str]) -> dict[str, tuple]:
    """The same numbers, given in the same order, but those of some places at the end.

    Args:
        numbers: of places.
        last: which places come last, among themselves in their order.
    """
    in_order = sorted(numbers, key=numbers.get)
    places = sorted(in_order, key=lambda place: place in last)
    return dict(zip(places, sorted(numbers.values()), strict=True))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after Sphinx has counted (which has the priority 500)."""
    app.connect("env-get-updated", number_as_named, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
