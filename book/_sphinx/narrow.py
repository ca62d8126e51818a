"""Sphinx: what is set in letters of code fits a narrow page; words stand at the left.

Lines that a cell printed become elements, so that one which wraps is indented. Names
of code in tables may break after `_` and `.`, and nowhere else. Code that a cell shows
is marked if it has more columns than a cell. In a table of numbers, columns of words
are marked, since they stand at the left. Invariant: no letter of a page changes.
"""

import re
from html import unescape

from docutils import nodes
from sphinx.application import Sphinx

COLUMNS = 76  # of a line of code in a notebook
PRINTED = re.compile(
    r'(<div class="output stream [^"]*"><div class="highlight"><pre>)(.*?)(</pre>)',
    re.DOTALL,
)
SHOWN = re.compile(
    r'<div class="(highlight-(?!myst-ansi)[\w+-]+ notranslate)">'
    r'(?=<div class="highlight"><pre>(.*?)</pre>)',
    re.DOTALL,
)
LINE = re.compile(r"[^\n]*\n|[^\n]+$")
TAG = re.compile(r"<[^>]*>")
TABLE_OF_TEXT = re.compile(r'<table class="[^"]*\btable\b.*?</table>', re.DOTALL)
PIECE = re.compile(r'(<span class="pre">)([^<]*)(</span>)')
# After a dot or a line below, inside a name.
JOINT = re.compile(r"(?<=[A-Za-z0-9)][_.])(?=[A-Za-z])")
TABLE_OF_CELL = re.compile(
    r'<table [^>]*(?:class="dataframe"|id="T_)[^>]*>.*?</table>', re.DOTALL
)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
# A number, or what stands for one that is missing.
NUMBER = re.compile(r"\W{0,2}\d|[-+]?(?:nan|inf)$", re.IGNORECASE)


def plain(html: str) -> str:
    """The text of a piece of HTML."""
    return unescape(TAG.sub("", html))


def with_lines(body: str) -> str:
    """A page's text with an element for each line that its cells printed."""

    def as_lines(found: re.Match) -> str:
        lines = LINE.findall(found[2])
        # A colour may last for several lines, which are then one.
        if any(line.count("<span") != line.count("</span") for line in lines):
            return found[0]
        inside = "".join(f'<span class="line">{line}</span>' for line in lines)
        return f"{found[1]}{inside}{found[3]}"

    return PRINTED.sub(as_lines, body)


def with_wide_code(body: str) -> str:
    """A page's text in which code of more columns than a cell is marked as wide."""

    def marked(found: re.Match) -> str:
        is_wide = max(map(len, plain(found[2]).split("\n"))) > COLUMNS
        return f'<div class="{found[1]}{" wide" if is_wide else ""}">'

    return SHOWN.sub(marked, body)


def with_joints(body: str) -> str:
    """A page's text whose names of code in tables may break, at their joints alone."""

    def jointed(found: re.Match) -> str:
        pieces = (f"{found[1]}{part}{found[3]}" for part in JOINT.split(found[2]))
        return "<wbr>".join(pieces)

    return TABLE_OF_TEXT.sub(lambda table: PIECE.sub(jointed, table[0]), body)


def columns_of_words(table: str) -> list[bool]:
    """Whether no number stands in a column of a table, for each from the last on."""
    _, _, inside = table.partition("<tbody>")
    rows = [
        [plain(cell[3]).strip() for cell in CELL.finditer(row) if cell[1] == "td"]
        for row in ROW.findall(inside)
    ]
    columns = zip(*(reversed(row) for row in rows), strict=False)
    return [
        any(column) and not any(text and NUMBER.match(text) for text in column)
        for column in columns
    ]


def with_words(body: str) -> str:
    """A page's text in which columns of words are marked, with their heads."""

    def marked_table(found: re.Match) -> str:
        are_words = columns_of_words(found[0])

        def marked_row(row: re.Match) -> str:
            cells = list(CELL.finditer(row[0]))
            num_cells = len(cells)

            def marked(cell: re.Match) -> str:
                nonlocal num_cells
                num_cells -= 1
                is_marked = num_cells < len(are_words) and are_words[num_cells]
                if not is_marked or "span=" in cell[2]:
                    return cell[0]
                if 'class="' in cell[2]:
                    told = cell[2].replace('class="', 'class="words ', 1)
                else:
                    told = f'{cell[2]} class="words"'
                return f"<{cell[1]}{told}>{cell[3]}</{cell[1]}>"

            return CELL.sub(marked, row[0])

        return ROW.sub(marked_row, found[0]) if any(are_words) else found[0]

    return TABLE_OF_CELL.sub(marked_table, body)


def mend(
    app: Sphinx,
    page: str,
    template: str,
    context: dict,
    document: nodes.document | None,
) -> None:
    """Do all four to a page's text before it is put into its frame."""
    if "body" in context:
        lined = with_wide_code(with_lines(context["body"]))
        context["body"] = with_words(with_joints(lined))


def setup(app: Sphinx) -> dict[str, bool]:
    """Run for each page."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
