"""Sphinx: what its pages tell a screen reader is mended where it is wrong.

Two forms that Sphinx writes break the rules of ARIA: a signature in several lines is a
list of definitions that define nothing, and works of the bibliography have a role that
is given up, in a list that must hold items. Invariant: what one sees does not change.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

SIGNATURE = re.compile(r"<dl>(?=\s*<dd>)(.*?)</dl>", re.DOTALL)
WORK = 'role="doc-biblioentry"'


def mended(body: str) -> str:
    """The HTML of a page's text, with lines for such a list, and with a role in use."""

    def as_lines(found: re.Match) -> str:
        inside = found[1].replace("<dd>", '<div class="sig-line">')
        return f'<div class="sig-lines">{inside.replace("</dd>", "</div>")}</div>'

    return SIGNATURE.sub(as_lines, body).replace(WORK, 'role="listitem"')


def mend(
    app: Sphinx,
    page: str,
    template: str,
    context: dict,
    document: nodes.document | None,
) -> None:
    """Mend a page's text before it is put into its frame."""
    if "body" in context:
        context["body"] = mended(context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Run for each page."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
