"""What chapters cite: how an entry of book/references.bib is named and linked.

Invariant: one name and one address for an entry, the same in every chapter.
"""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from urllib.parse import quote

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

BOOK = Path(__file__).parents[1] / "book"
PLACES = ("journal", "booktitle", "publisher")


class Source(NamedTuple):
    """An entry of the bibliography as a chapter speaks of it.

    Attributes:
        authors: "Ho et al."
        year: "2020", with a letter where these authors have more works of that year.
        address: of the work, by its doi where there is one.
        entry: its line in a list of references, in Markdown.
    """

    authors: str
    year: str
    address: str
    entry: str

    @property
    def name(self) -> str:
        """In brackets: "Ho et al. 2020"."""
        return f"{self.authors} {self.year}"

    @property
    def name_in_text(self) -> str:
        """As a part of the sentence: "Ho et al. (2020)"."""
        return f"{self.authors} ({self.year})"


def plain(text: str) -> str:
    """Text without the braces and accents of LaTeX."""
    return str(Text.from_latex(text)).replace("\u2013", "-")


def label_style() -> ModuleType:
    """The module that labels the bibliography, read from the book's extensions."""
    path = BOOK / "_sphinx" / "author_year.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def address_of(entry: Entry) -> str:
    """Where to read the work: its doi, or else the address that it has."""
    if "doi" in entry.fields:  # round brackets would end a link of Markdown
        return f"https://doi.org/{quote(entry.fields['doi'])}"
    return entry.fields["url"]


@cache
def sources() -> dict[str, Source]:
    """Every entry of the bibliography by its key."""
    found, entries = {}, parse_file(BOOK / "references.bib").entries
    short_names = label_style().short_names
    for key, entry in entries.items():
        authors, address = short_names(entry), address_of(entry)
        year = entry.fields["year"]
        title = plain(entry.fields["title"])
        where = next((plain(entry.fields[x]) for x in PLACES if x in entry.fields), "")
        where = where.partition(" arXiv:")[0]
        line = f"- [{authors} {year}]({address}): *{title}*"
        end = "" if title.endswith(("?", "!")) and not where else "."
        found[key] = Source(
            authors, year, address, f"{line}, {where}." if where else f"{line}{end}"
        )
    return found
