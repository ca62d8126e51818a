"""The page of public questions: threads that are named, and places that exist."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[1] / "book"
PAGE = (BOOK / "questions.md").read_text("utf-8")
ENTRY = re.compile(r"^### (.+?)\n\n(.+?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
THREAD = re.compile(r"\]\(https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/\d+\)")
INNER = re.compile(r"\]\(([\w.]+\.(?:ipynb|md))(?:#([\w-]+))?\)")


def slug(heading: str) -> str:
    """The address of a heading, as the builder makes it."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return plain.replace(" ", "-")


def places(file: Path) -> set[str]:
    """Addresses of all headings of a page."""
    texts = [file.read_text("utf-8")]
    if file.suffix == ".ipynb":
        notebook = nbformat.read(file, 4)
        texts = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    found = (re.findall(r"^#{1,4} (.+)$", text, re.MULTILINE) for text in texts)
    return {slug(heading) for headings in found for heading in headings}


def lost_links(page: str, folder: Path) -> list[str]:
    """Inner links of a page that lead to no file, or to no heading of it."""
    lost = []
    for name, place in INNER.findall(page):
        file = folder / name
        if not file.is_file() or (place and place not in places(file)):
            lost.append(f"{name}#{place}")
    return lost


def test_there_are_many_questions_each_with_a_thread_and_a_place_that_shows_it():
    entries = ENTRY.findall(PAGE)
    assert len(entries) >= 25
    for question, text in entries:
        assert THREAD.search(text), question
        assert "See it: " in text and INNER.search(text), question


def test_each_inner_link_leads_to_a_heading():
    assert lost_links(PAGE, BOOK) == []


@pytest.mark.parametrize(
    ("link", "is_lost"),
    [("a.md#two-words", False), ("a.md#other", True), ("b.md", True), ("a.md", False)],
)
def test_a_lost_link_is_noticed(tmp_path, link, is_lost):
    (tmp_path / "a.md").write_text("# Two words?\n", "utf-8")
    assert bool(lost_links(f"See [it]({link}).", tmp_path)) == is_lost
