"""The page of claims: the table, which comes first, says the same as the sections."""

import re
from pathlib import Path

import nbformat
import pytest
from notebook_rules import section_below

PAGE = Path(__file__).parents[1] / "book" / "claims.ipynb"
NUM_CLAIMS = 22
WORDS = {
    "●": "holds",
    "◐": "holds with a limit",
    "○": "does not hold",
    "?": "cannot be told here",
}
ROW = re.compile(r"^\| \[(C\d+)\]\(#(c\d+)\) .+ \| (A|P|A, P|ours) \| (.+) \|$", re.M)
SECTION = re.compile(r"^### (C\d+)$", re.M)
VERDICT = re.compile(r"\*\*([●◐○?]) ([^*]+)\*\*")


@pytest.fixture(scope="module")
def page():
    return nbformat.read(PAGE, 4)


@pytest.fixture(scope="module")
def table(page):
    """Each claim with its verdicts, as the table has them."""
    rows = ROW.findall(page.cells[0].source)
    assert all(place == name.lower() for name, place, _, _ in rows)
    return {name: verdicts.split("; ") for name, _, _, verdicts in rows}


@pytest.fixture(scope="module")
def sections(page):
    """Each claim with the cells below its heading, the heading's among them."""
    found = {}
    for i, cell in enumerate(page.cells):
        heading = SECTION.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            below = section_below(page, i)
            if cell.source.startswith("## "):  # the first claim, below a larger heading
                ends = [k for k, c in enumerate(below) if SECTION.match(c.source)]
                below = below[: ends[0]]
            found[heading[1]] = [cell, *below]
    return found


def told(text):
    """How a section begins a verdict, in the words of the table."""
    text = text.rstrip(".,:").lower()
    text = re.sub(r"\bit (holds|does|cannot)", r"\1", text)
    return text.rpartition(": ")[2]


def test_all_claims_are_in_the_table_in_their_order(table):
    assert list(table) == [f"C{k}" for k in range(1, NUM_CLAIMS + 1)]


def test_each_claim_has_a_section_with_a_number_a_check_and_a_verdict(table, sections):
    assert list(sections) == list(table)
    for name, cells in sections.items():
        code = [c for c in cells if c.cell_type == "code"]
        checks = ["remove-cell" in c.metadata.get("tags", []) for c in code]
        assert any(checks) and not all(checks), name
        assert cells[0].source.count("\n> ") >= 1, f"{name} quotes no source"


def test_a_section_has_the_verdicts_of_the_table_in_their_order(table, sections):
    for name, cells in sections.items():
        text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        found = VERDICT.findall(text)
        assert [mark for mark, _ in found] == [x[0] for x in table[name]], name
        for (mark, words), in_table in zip(found, table[name], strict=True):
            assert in_table == f"{mark} {WORDS[mark]}", name
            assert told(words) == WORDS[mark], name


def test_the_marks_are_explained_above_the_table(page):
    head = page.cells[0].source.partition("\n| ")[0]
    for mark, word in WORDS.items():
        assert f"{mark} **{word}**" in head
