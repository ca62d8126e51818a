"""Sphinx: where a page first uses a term of the glossary, a card says what it means.

The first use on each page that comes after the term's home (the chapter that the
glossary's entry ends with) becomes a link to the entry, and the page holds the entries
that it needs; `_static/cards.js` shows them. Invariant: chapters are plain text; a word
in code, a link, a heading, a caption or a box stays as it is.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from docutils import nodes
from sphinx.addnodes import index, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from unbroken import joined

GLOSSARY = "glossary"
UNTOUCHED = (
    nodes.Titular,
    nodes.reference,
    pending_xref,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.caption,
    nodes.block_quote,
    nodes.Admonition,
    nodes.table,
    nodes.term,
    nodes.citation,  # other people's titles
)
LISTED = "References"  # the section whose titles of works are not the page's own words


class Term(NamedTuple):
    """An entry of the glossary.

    Attributes:
        place: its anchor in the glossary.
        home: name of the page that defines the term.
        text: what it means, as HTML without links.
        pattern: that finds the term, or its plural, in a text.
    """

    place: str
    home: str
    text: str
    pattern: re.Pattern


def pattern(term: str) -> re.Pattern:
    """The term as a word, also in the plural; capitals count where it has several."""
    is_name = sum(sign.isupper() for sign in term) > 1
    words = r"\s+".join(re.escape(word) for word in term.split())
    words = re.sub("['’]", "['’]", words)  # a page has the second for the first
    flags = 0 if is_name else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){words}(?:s|es)?(?![\w-])", flags)


def as_html(node: nodes.Node) -> str:
    """Words, emphasis, code and formulas of a node; of links only the words."""
    if isinstance(node, nodes.Text):
        return escape(node.astext(), quote=False)
    if isinstance(node, nodes.math):
        return f'<span class="math">\\({escape(node.astext(), quote=False)}\\)</span>'
    inside = "".join(map(as_html, node.children))
    for kind, tag in ((nodes.emphasis, "em"), (nodes.literal, "code")):
        if isinstance(node, kind):
            return f"<{tag}>{inside}</{tag}>"
    return inside


def glossary_terms(doctree: nodes.document) -> dict[str, Term]:
    """The entries of a glossary by their terms.

    Args:
        doctree: of the page, its links not yet resolved. Each entry is one paragraph,
            and its last link leads to the term's home.
    """
    found = {}
    for item in doctree.findall(nodes.definition_list_item):
        head = next(item.findall(nodes.term), None)
        body = next(item.findall(nodes.paragraph), None)
        links = [
            link
            for link in (body.findall(pending_xref) if body is not None else [])
            if link["reftype"] == "myst"
        ]
        if head is None or not head["ids"] or not links:
            continue
        home = re.sub(r"\.(?:ipynb|md)$", "", links[-1]["reftarget"])
        told = [as_html(child) for child in body if child is not links[-1]]
        marks = next(head.findall(index), None)  # the term as it was typed
        name = marks["entries"][0][1] if marks else head.astext().strip()
        text = "".join(told).strip()
        found[name] = Term(head["ids"][0], home, text, pattern(name))
    return found


def known_terms(app: Sphinx) -> dict[str, Term]:
    """The entries of the book's glossary, which is read once in a build."""
    kept = app.glyf_cards
    if "terms" not in kept:
        kept["terms"] = glossary_terms(app.env.get_doctree(GLOSSARY))
    return kept["terms"]


def in_order(env: BuildEnvironment) -> list[str]:
    """Names of the book's pages, as a reader who goes through it meets them."""
    found: list[str] = []

    def follow(page: str) -> None:
        if page not in found:
            found.append(page)
            for below in env.toctree_includes.get(page, ()):
                follow(below)

    follow(env.config.root_doc)
    return found


def running_text(
    node: nodes.Element, is_inside: bool = False
) -> Iterator[tuple[nodes.Element, nodes.Text]]:
    """The words of a page's paragraphs, in the order of reading, with what holds them.

    Args:
        node: the page, or a part of it; neighbouring texts in it become one.
        is_inside: whether the part lies in a paragraph.
    """
    is_inside = is_inside or isinstance(node, nodes.paragraph)
    is_list = isinstance(node, nodes.section) and node[0].astext() == LISTED
    if isinstance(node, UNTOUCHED) or is_list:
        return
    if is_inside:
        node[:] = joined(node.children)  # a term may begin in one line, and end below
    for child in list(node.children):
        if isinstance(child, nodes.Element):
            yield from running_text(child, is_inside)
        elif is_inside and isinstance(child, nodes.Text):
            yield node, child


def link_first_uses(
    doctree: nodes.document, terms: dict[str, Term], address: str
) -> set[str]:
    """Turn the first use of each term into a link to its entry.

    Of two terms that begin at one place the longer one is meant: "noise level", not
    "noise".

    Args:
        doctree: of a page; changed.
        terms: to look for, by name.
        address: of the glossary, as seen from the page.

    Returns:
        The terms that were found.
    """
    waiting, texts = dict(terms), list(running_text(doctree))
    while texts:
        holder, text = texts.pop(0)
        words = text.astext()
        hits = [
            (match.start(), -match.end(), name)
            for name, term in waiting.items()
            if (match := term.pattern.search(words))
        ]
        if not hits:
            continue
        start, end, name = min(hits)
        end = -end
        uri = f"{address}#{waiting.pop(name).place}"
        link = nodes.reference("", words[start:end], refuri=uri, internal=True)
        link["classes"].append("glyf-term")
        rest = nodes.Text(words[end:])
        parts = [nodes.Text(words[:start]), link, rest]
        holder.replace(text, [part for part in parts if part.astext()])
        if rest.astext():
            texts.insert(0, (holder, rest))
    return set(terms) - set(waiting)


def add_links(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link the terms of a page that is about to be written, and keep their cards.

    Args:
        app: the builder.
        doctree: of the page; changed.
        page: its name.
    """
    env, kept = app.env, app.glyf_cards
    if app.builder.format != "html" or GLOSSARY not in env.found_docs:
        return
    if "order" not in kept:
        kept["order"] = {name: i for i, name in enumerate(in_order(env))}
    terms, order = known_terms(app), kept["order"]
    here = order.get(page, -1)
    known = {
        name: term for name, term in terms.items() if order.get(term.home, here) < here
    }
    address = app.builder.get_relative_uri(page, GLOSSARY)
    if page != GLOSSARY:
        link_first_uses(doctree, known, address)
    asked = {
        link.get("refuri", "").partition("#")[2] or link.get("refid", "")
        for link in doctree.findall(nodes.reference)
        if link.get("refuri", "#").startswith((f"{address}#", "#"))
    }
    kept[page] = {
        term.place: term.text for term in terms.values() if term.place in asked
    }
    if any('class="math"' in text for text in kept[page].values()):
        # Sphinx lets a page load MathJax only where the page itself has a formula.
        env.get_domain("math").data["has_equations"][page] = True


def add_cards(
    app: Sphinx, pagename: str, _: str, context: dict, doctree: nodes.document | None
) -> None:
    """Give a page the entries that it links to, for the script to show.

    Args:
        app: the builder.
        pagename: of the page that is about to be written.
        context: of its template.
        doctree: of the page; None if it comes from a template alone.
    """
    cards = app.glyf_cards.get(pagename) if doctree is not None else None
    if cards:
        text = json.dumps(cards, ensure_ascii=False).replace("</", "<\\/")
        app.add_js_file(None, body=text, type="application/json", id="glyf-cards")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page is about to be written."""
    app.glyf_cards = {}
    app.connect("doctree-resolved", add_links)
    app.connect("html-page-context", add_cards)
    # Cards are kept in memory from one step to the next.
    return {"parallel_read_safe": True, "parallel_write_safe": False}
