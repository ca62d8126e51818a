"""Sphinx: what belongs together stays on one line of a page.

A browser may break a line before a percent sign, between "figure" and its number,
between the sign of a verdict and its words, and between a formula in the text and the
comma after it. Invariant: no letter of the page changes; spaces become no-break spaces,
and formulas are wrapped with what touches them. The letters of code are left alone;
short code in the text stays on a line.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

SPACE = "\N{NO-BREAK SPACE}"
COUNTED = (
    r"(?:algorithm|appendix|chapter|equation|exercise|figure|level|page|part|scale"
    r"|section|step|table)s?"
)
NUMBER = r"\d[\d,]*(?:\.\d+)*"
# "chapter 6", "Figure 4.2", and at the end of a text that goes on with a link.
COUNTED_THING = re.compile(rf"\b({COUNTED})\s+(?=\(?\d)", re.IGNORECASE)
COUNTED_LINK = re.compile(rf"\b({COUNTED})\s+$", re.IGNORECASE)
NUMBERED = re.compile(r"\(?\d")
# "12 %", "14.2 MB".
MEASURE = re.compile(rf"({NUMBER})\s+(?=(?:%|[kKMG]i?B\b|ms\b|px\b))")
# "32 × 32", of which neither end is torn off.
PRODUCT = re.compile(rf"({NUMBER})\s+×\s+(?={NUMBER})")
# "● holds", and at the end of a text that goes on in bold; a "?" that ends no word.
SIGN = re.compile(r"([●◐○]|(?<!\S)\?)\s+(?=\w)")
LAST_SIGN = re.compile(r"([●◐○]|(?<!\S)\?)\s+$")
# What touches a formula: brackets before it, signs and the end of a word after it.
BEFORE = re.compile(r"[(\[“‘\"'±≈~]*$")
AFTER = re.compile(r"[^\s\-–—/]*[\-–—/]?")
# What is written as it stands.
NO_PROSE = (
    nodes.comment,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
)
WRAPPED = "unbroken"  # the class that book.css knows
SHORT = 24  # letters of code that are less than a line of any phone


def with_bonds(text: str) -> str:
    """A text with no-break spaces where a line must not end.

    Args:
        text: of one node, in which a line's end counts as a space.
    """
    text = COUNTED_THING.sub(rf"\1{SPACE}", text)
    text = SIGN.sub(rf"\1{SPACE}", text)
    text = MEASURE.sub(rf"\1{SPACE}", text)
    return PRODUCT.sub(rf"\1{SPACE}×{SPACE}", text)


def is_prose(node: nodes.Node | None) -> bool:
    """Whether a browser breaks what is in a node into lines: no code, no formula."""
    while node is not None:
        if isinstance(node, NO_PROSE):
            return False
        node = node.parent
    return True


def joined(children: list[nodes.Node]) -> list[nodes.Node]:
    """One text in place of those that follow each other, as Markdown has each line."""
    found: list[nodes.Node] = []
    for child in children:
        if type(child) is nodes.Text and found and type(found[-1]) is nodes.Text:
            found[-1] = nodes.Text(f"{found[-1]}{child}")
        else:
            found.append(child)
    return found


def bind(document: nodes.Element) -> None:
    """Put no-break spaces into all prose of a document, in place."""
    for parent in list(document.findall(nodes.Element)):
        if not is_prose(parent):
            continue
        children = joined(parent.children)
        for i, child in enumerate(children):
            if type(child) is nodes.Text:
                bound = with_bonds(child)
                beside = children[i + 1] if i + 1 < len(children) else None
                is_link = isinstance(beside, nodes.reference)
                if is_link and NUMBERED.match(beside.astext()):
                    bound = COUNTED_LINK.sub(rf"\1{SPACE}", bound)
                if isinstance(beside, nodes.strong):
                    bound = LAST_SIGN.sub(rf"\1{SPACE}", bound)
                children[i] = nodes.Text(bound)
        parent.clear()
        parent.extend(children)


def bind_folds(document: nodes.Element) -> None:
    """The same inside folds that are written as HTML, such as hints."""
    for fold in list(document.findall(nodes.raw)):
        if fold.astext().startswith("<details>"):
            bound = with_bonds(fold.astext())
            fold.replace_self(nodes.raw("", bound, format=fold["format"]))


def wrap_formulas(document: nodes.Element) -> None:
    """Wrap each formula of a line with the signs that touch it, in place."""
    for formula in list(document.findall(nodes.math)):
        parent = formula.parent
        place = parent.index(formula)
        before, after = parent[:place], parent[place + 1 :]
        first = last = ""
        if before and type(before[-1]) is nodes.Text:
            text = before.pop()
            first = BEFORE.search(text)[0]
            before.append(nodes.Text(text.removesuffix(first)))
        if after and type(after[0]) is nodes.Text:
            last = AFTER.match(after[0])[0]
            after[0] = nodes.Text(after[0].removeprefix(last))
        if first or last:
            wrapped = nodes.inline(classes=[WRAPPED])
            wrapped += [nodes.Text(first), formula, nodes.Text(last)]
            parent.clear()
            parent.extend([*before, wrapped, *after])


def keep_short_code(document: nodes.Element) -> None:
    """Mark short code with spaces that stands in text, in place.

    A column of a table is narrower than a line, and a title has letters of its own.
    """
    for code in document.findall(nodes.literal):
        text, above = code.astext(), code.parent
        while above and not isinstance(above, (nodes.table, nodes.title)):
            above = above.parent
        if above is None and " " in text and len(text) <= SHORT:
            code["classes"].append(WRAPPED)


class Unbroken(SphinxPostTransform):
    """Runs when links have their words and numbers, for pages only."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Bind and wrap; the stored document, which others read, stays as it is."""
        bind(self.document)
        bind_folds(self.document)
        wrap_formulas(self.document)
        keep_short_code(self.document)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(Unbroken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
