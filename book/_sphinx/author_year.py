"""Sphinx: the bibliography's labels, author and year, as the text cites them.

Invariant: a label is what a citation in the text prints, so that a reader of either
finds the other. Works that would share a label have letters after their years.
"""

from collections.abc import Iterable, Iterator

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.alpha import Style
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx


def short_names(entry: Entry) -> str:
    """Last names of one or two authors; of more, the first and "et al."."""
    names = []
    for person in entry.persons["author"]:
        name = " ".join([*person.prelast_names, *person.last_names])
        names.append(str(Text.from_latex(name)))
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "Ho et al. 2020"."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        """One label an entry, in the order of the list."""
        for entry in sorted_entries:
            yield f"{short_names(entry)} {entry.fields['year']}"


class AuthorYearStyle(Style):
    """Entries sorted by author, year and title, with such labels."""

    default_label_style = AuthorYearLabels


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the style to `bibtex_default_style` under the name author_year."""
    register_plugin("pybtex.style.formatting", "author_year", AuthorYearStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
