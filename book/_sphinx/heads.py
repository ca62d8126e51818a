"""Sphinx: what the head of a page tells search engines and those who share a link.

A page's description is its first paragraphs in plain text, unless its front matter has
one (`myst: {html_meta: {description: …}}`). Invariant: what needs the site's own
address (canonical links, the picture, sitemap.xml) is written only if `html_baseurl`
names it.
"""

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

SHORTEST, LONGEST = 70, 160  # letters of a description
PICTURE = "_static/cover.png"
PICTURE_SAYS = (
    "Real Chinese glyphs, and new ones that the model draws for the same words"
)
UNSAID = (nodes.math, nodes.math_block, nodes.raw, nodes.footnote_reference)
NO_PROSE = (nodes.block_quote, nodes.Admonition, nodes.figure, nodes.table, nodes.topic)
END = re.compile(r"(?<=[.!?])\s+(?=\S)")


def is_prose(paragraph: nodes.paragraph) -> bool:
    """Whether a paragraph runs in the page's own text and says all in words."""
    parent = paragraph.parent
    while parent is not None:
        if isinstance(parent, NO_PROSE):
            return False
        parent = parent.parent
    return not any(paragraph.findall(lambda node: isinstance(node, UNSAID)))


def is_question(paragraph: nodes.paragraph) -> bool:
    """Whether a paragraph is the question that a chapter answers: on top, in bold."""
    is_on_top = isinstance(paragraph.parent.parent, nodes.document)
    bold = [strong.astext() for strong in paragraph.findall(nodes.strong)]
    return is_on_top and bold == [paragraph.astext()] and bold[0].endswith("?")


def sentences(doctree: nodes.document) -> Iterator[str]:
    """The sentences of a page from its top, its question first.

    Those of boxes, and of paragraphs with a formula, are left out.
    """
    prose = list(filter(is_prose, doctree.findall(nodes.paragraph)))
    for paragraph in sorted(prose, key=is_question, reverse=True):
        text = " ".join(paragraph.astext().split())
        yield from END.split(text)


def shortened(text: str, most: int = LONGEST) -> str:
    """A text cut after a whole word: with "…" it has at most so many letters."""
    if len(text) <= most:
        return text
    return text[: most - 1].rpartition(" ")[0].rstrip(",;:–- ") + "…"


def description(doctree: nodes.document) -> str:
    """As many whole sentences from the top of a page as fit into a description.

    Args:
        doctree: of the page.

    Returns:
        70 to 160 letters of plain text, less only where a page has no more.
    """
    text = ""
    for sentence in sentences(doctree):
        longer = f"{text} {sentence}".strip()
        if len(longer) > LONGEST:
            return text if len(text) >= SHORTEST else shortened(longer)
        text = longer
    return text


def own_description(doctree: nodes.document) -> str:
    """The description that a page's front matter gives; "" if it gives none."""
    for meta in doctree.findall(nodes.meta):
        if meta.get("name") == "description":
            return meta["content"]
    return ""


def tags(name: str, title: str, told: str, base: str, site: str) -> str:
    """The tags of one page's head, a line each.

    Args:
        name: of the page, without ".html".
        title: of the page, plain text.
        told: its description, plain text; "" for none.
        base: address of the site, ending in "/"; "" if it is not known.
        site: name of the site.
    """
    found = {"og:type": "website" if name == "index" else "article"}
    found |= {"og:site_name": site, "og:title": title}
    if told:
        found["og:description"] = told
    if base:
        found |= {"og:url": f"{base}{name}.html", "og:image": f"{base}{PICTURE}"}
        found |= {"og:image:alt": PICTURE_SAYS}
        found |= {"twitter:card": "summary_large_image"}
    lines = [
        f'<meta property="{key}" content="{escape(value)}" />'
        for key, value in found.items()
    ]
    return "\n".join(lines)


def add_tags(
    app: Sphinx, pagename: str, _: str, context: dict, doctree: nodes.document | None
) -> None:
    """Put a page's description and its tags into its head.

    Args:
        app: the builder.
        pagename: of the page that is about to be written.
        context: of its template.
        doctree: of the page; None if it comes from a template alone, as the search.
    """
    if doctree is None:
        return
    told = own_description(doctree)
    if not told:
        told = description(doctree)
        line = f'<meta name="description" content="{escape(told)}" />'
        context["metatags"] = context.get("metatags", "") + f"\n{line}" * bool(told)
    title = re.sub(r"<[^>]*>", "", context.get("title", ""))
    base, site = base_of(app), app.config.html_title or app.config.project
    title = site if pagename == app.config.root_doc else unescape(title)
    context["metatags"] += "\n" + tags(pagename, title, told, base, site)


def base_of(app: Sphinx) -> str:
    """Address of the site, ending in one "/"; "" if the settings name none."""
    base = app.config.html_baseurl
    return f"{base.rstrip('/')}/" if base else ""


def write_sitemap(app: Sphinx, error: Exception | None) -> None:
    """Write the addresses of all pages into sitemap.xml.

    Args:
        app: the builder.
        error: what stopped the build; None if nothing did.
    """
    base = base_of(app)
    if error or app.builder.format != "html" or not base:
        return
    pages = sorted(app.env.found_docs)
    lines = [f"<url><loc>{escape(f'{base}{page}.html')}</loc></url>" for page in pages]
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">'
    text = "\n".join([head, *lines, "</urlset>\n"])
    (Path(app.outdir) / "sitemap.xml").write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page is about to be written, and when all are."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
