"""Sphinx: whoever searches for a term finds its home beside the glossary.

A term's home is the chapter that its entry in the glossary ends with. There it stands
in bold, and that place becomes an index entry of the page, which the search ranks high.
Invariant: what a reader sees of the page stays as it is.
"""

from cards import GLOSSARY, Term, known_terms
from docutils import nodes
from sphinx.addnodes import index
from sphinx.application import Sphinx


def place_of(term: Term, doctree: nodes.document) -> str:
    """The anchor of the section that first has a term in bold; "" if none does.

    Args:
        term: of the glossary.
        doctree: of its home.
    """
    for bold in doctree.findall(nodes.strong):
        if term.pattern.search(bold.astext()):
            node = bold
            while node is not None and not isinstance(node, nodes.section):
                node = node.parent
            return node["ids"][0] if node is not None and node["ids"] else ""
    return ""


def enter_terms(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Enter the terms that a page is the home of, when it is about to be written.

    Args:
        app: the builder.
        doctree: of the page; gets a node that is not shown.
        page: its name.
    """
    if page == GLOSSARY or GLOSSARY not in app.env.found_docs:
        return
    # "main", as in the glossary: the search puts all others below everything else.
    entries = [
        ("single", name, place_of(term, doctree), "main", None)
        for name, term in known_terms(app).items()
        if term.home == page
    ]
    if entries:
        doctree.insert(0, index(entries=entries))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before `cards` puts links into the page."""
    app.setup_extension("cards")  # which keeps the glossary's entries
    app.connect("doctree-resolved", enter_terms, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
