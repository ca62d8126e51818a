"""Sphinx: the first page tells how to get the book, and how long its pages took.

The directive `install-here` tells the first; the table `nb-exec-table` of MyST-NB the
second, with emoji in it, which not every machine can show, and with names of files:
here they become words and titles.

Invariant: an address stands on the page only if `_config.yml` names the repository
(`python book/launch.py URL` writes it); without one, the reader has a copy already.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "diffusion-book"  # of a reader's clone; book/launch.py calls it so too
COMMANDS = """pip install -r requirements.txt
jupyter lab book/00_whole_thing.ipynb"""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d$")  # a day and a time
ENDS = {"\u2705": "ran", "\u274c": "failed"}  # a tick and a cross, as emoji


class install_here(nodes.General, nodes.Element):
    """Where the commands will stand, once the settings of the site are known."""


class InstallHere(SphinxDirective):
    """Takes neither options nor text."""

    def run(self) -> list[nodes.Node]:
        """Keep the place: other settings write a page anew, but do not read it anew."""
        return [install_here()]


def commands(url: str) -> list[nodes.Node]:
    """What a reader types, and a link to the repository if its address is known.

    Args:
        url: address of the repository; "" if there is none.
    """
    text, told = COMMANDS, nodes.paragraph()
    if url:
        text = f"git clone --depth 1 {url} {FOLDER}\ncd {FOLDER}\n{COMMANDS}"
        link = nodes.reference("", "the repository", refuri=url)
        told += [nodes.Text("To run it all, from "), link]
    else:
        told += nodes.Text("To run it all, in the folder of the book")
    told += nodes.Text(" (Python 3.11 or newer, no GPU):")
    block = nodes.literal_block(text, text, language="bash")
    return [told, block]


def tell_in_words(tree: nodes.Element, titles: dict[str, str]) -> None:
    """Put words into the table of times: whether a page ran, and what it is called.

    Args:
        tree: a document, or part of one.
        titles: of each page, by name of its file.
    """
    for row in tree.findall(nodes.row):
        words = ENDS
        if len(row) > 1 and MOMENT.match(row[1].astext()):
            row[1][0]["classes"].append("unbroken")  # book.css knows it
            words = ENDS | titles
        for text in list(row.findall(nodes.Text)):
            if text.astext() in words:
                text.parent.replace(text, nodes.Text(words[text.astext()]))


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put commands and words into their places, when a page is about to be written.

    Args:
        app: the builder, whose theme knows the repository.
        doctree: of the page.
        docname: of the page.
    """
    options = app.config.html_theme_options or {}
    # Jupyter Book has an address even where none is named: its own.
    is_named = options.get("use_repository_button", False)
    url = options.get("repository_url", "") if is_named else ""
    for place in list(doctree.findall(install_here)):
        place.replace_self(commands(url))
    titles = {page: title.astext() for page, title in app.env.titles.items()}
    tell_in_words(doctree, titles)


def setup(app: Sphinx) -> dict[str, bool]:
    """Know the directive, and run when a page is about to be written."""
    app.add_node(install_here)
    app.add_directive("install-here", InstallHere)
    app.connect("doctree-resolved", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
