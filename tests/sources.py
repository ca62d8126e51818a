"""What chapters cite: how an entry of book/references.bib is named and linked.

Invariant: one name and one address for an entry, the same in every chapter.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text

BOOK = Path(__file__).parents[1] / "book"
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
PLACES = ("journal", "booktitle", "publisher")


class Source(NamedTuple):
    """An entry of the bibliography as a chapter speaks of it.

    Attributes:
        authors: "Ho et al."
        year: "2020", with a letter where these authors have more works of that year.
        address: of the work, by its doi where there is one; the bibliography's page
            where the entry has no address.
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


def surname(person: Person) -> str:
    """The name that a citation uses, "van der Maaten"."""
    return plain(" ".join([*person.prelast_names, *person.last_names]))


def authors_of(entry: Entry) -> str:
    """One author, two authors, or the first "et al."."""
    names = [surname(person) for person in entry.persons["author"]]
    if len(names) > 2 or names[-1] == "others":
        return f"{names[0]} et al."
    return " and ".join(names)


def address_of(entry: Entry) -> str:
    """Where to read the work: doi, address, arXiv, or else the bibliography."""
    fields = entry.fields
    if "doi" in fields:  # round brackets would end a link of Markdown
        return f"https://doi.org/{quote(fields['doi'])}"
    if "url" in fields:
        return fields["url"]
    found = ARXIV.search(" ".join(fields.get(x, "") for x in ("note", "journal")))
    if found:
        return f"https://doi.org/10.48550/arXiv.{found[1]}"
    return "bibliography.md"


@cache
def sources() -> dict[str, Source]:
    """Every entry of the bibliography by its key."""
    found, entries = {}, parse_file(BOOK / "references.bib").entries
    works = Counter((authors_of(e), e.fields["year"]) for e in entries.values())
    letters = {work: iter("abcdefgh") for work, count in works.items() if count > 1}
    for key, entry in entries.items():
        authors, address = authors_of(entry), address_of(entry)
        year = entry.fields["year"]
        year += next(letters.get((authors, year), iter([""])))
        title = plain(entry.fields["title"])
        where = next((plain(entry.fields[x]) for x in PLACES if x in entry.fields), "")
        where = where.partition(" arXiv:")[0]
        line = f"- [{authors} {year}]({address}): *{title}*"
        end = "" if title.endswith(("?", "!")) and not where else "."
        found[key] = Source(
            authors, year, address, f"{line}, {where}." if where else f"{line}{end}"
        )
    return found
