"""Sphinx: a chapter's number is the one that its file name begins with.

Sphinx counts chapters as they come in the contents. A reader who opens
`09_unet.ipynb` expects chapter 10, whatever stands before it. Invariant: a page without
a number in its name, or with 00, keeps what Sphinx gives it.
"""

import re
from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

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
    return renumbered


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after Sphinx has counted (which has the priority 500)."""
    app.connect("env-get-updated", number_as_named, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
