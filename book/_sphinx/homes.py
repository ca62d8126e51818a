"""Sphinx: whoever searches for a term finds its home beside the glossary.

A term's home is the chapter that its entry in the glossary ends with. There it stands
in bold, and that place becomes an entry of the index, which the search ranks high.
Invariant: an entry is written once, however often the book is built.
"""

from cards import GLOSSARY, Term, glossary_terms
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


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


def enter_homes(app: Sphinx, env: BuildEnvironment) -> None:
    """Add each term's home to the index.

    Args:
        app: the builder.
        env: what it knows of all pages; its index changes.
    """
    if GLOSSARY not in env.found_docs:
        return
    entries, read = env.get_domain("index").entries, {}
    for name, term in glossary_terms(env.get_doctree(GLOSSARY)).items():
        home = term.home
        if home not in env.found_docs or home == GLOSSARY:
            continue
        if home not in read:
            read[home] = env.get_doctree(home)
        entry = ("single", name, place_of(term, read[home]), "", None)
        known = entries.setdefault(home, [])
        if entry not in known:
            known.append(entry)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when all pages have been read."""
    app.connect("env-updated", enter_homes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
