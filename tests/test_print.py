"""`glyflib print`: what it refuses, what it makes of links, and a chapter on paper.

The tests with a small site print it, where there is a browser; the last ones print a
chapter of the built book.
"""

import io
import re
import shutil
from pathlib import Path

import click
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from conftest import BROWSERS, skip_or_fail
from pypdf import PdfReader, PdfWriter

from glyflib.__main__ import main
from glyflib.commands import paper, slides
from glyflib.commands import print as command

SHORT = "12_sampling"
PRINT = Path(__file__).parents[1] / "book" / "_static" / "print.css"
INDEX = """<html><head><link rel="stylesheet" href="_static/print.css"></head>
<body><nav class="bd-links">
<ul><li class="toctree-l1"><a href="#">The small book</a></li></ul>
<p class="caption">Start here</p>
<ul><li class="toctree-l1"><a href="00_first.html">The first</a>
  <ul><li class="toctree-l2"><a href="below.html">Below</a></li></ul></li></ul>
<p class="caption">Go on</p>
<ul><li class="toctree-l1"><a href="01_next.html">1. The next</a></li></ul>
</nav><article><h1>The small book<a class="headerlink" href="#top">#</a></h1>
<p>Begin <a href="00_first.html">here</a>.</p></article>
<div class="bd-footer-content"><div class="footer-item">By nobody.</div></div>
</body></html>"""
FIRST = """<html><head><link rel="stylesheet" href="_static/print.css"></head>
<body><article><section id="the-first"><h1>The first</h1>
<p>See <a href="01_next.html#eq-b">a formula</a>, <a href="#far">far below</a>,
<a href="02_lost.html">a page that is not here</a> and
<a href="https://example.org/">another site</a>.</p>
<section id="exercises"><h2>Exercises</h2>
<section class="exercise" id="exercise-1"><h3>Exercise 1</h3><p>What is 1 + 1?</p>
<details><summary>Hint</summary>Use two fingers.</details>
<div class="cell"><div class="cell_output"><p>Not yet. Put a number.</p></div></div>
<div class="solution-fold" id="solution"><details class="solution">
<summary>Solution</summary><p>It is two.</p></details></div></section></section>
<section id="far"><h2>Far below</h2>
<details class="solution"><summary>Where it comes from</summary><p>By adding.</p>
</details></section></section></article></body></html>"""
NEXT = """<html><head><link rel="stylesheet" href="_static/print.css"></head>
<body><article><section id="the-next"><h1>1. The next</h1>
<p>Words.</p><div style="break-before: page" id="eq-b">The formula.</div>
</section></article></body></html>"""


def write_site(folder, patch):
    """A site of three pages, in place of the built book."""
    site = folder / "book" / "_build" / "html"
    site.mkdir(parents=True)
    for name, text in {"index": INDEX, "00_first": FIRST, "01_next": NEXT}.items():
        (site / f"{name}.html").write_text(text, "utf-8")
    (site / "_static").mkdir()
    shutil.copy(PRINT, site / "_static")
    patch.setattr(command, "BOOK", folder / "book")
    patch.chdir(folder)
    return site


@pytest.fixture
def small(tmp_path, monkeypatch):
    return write_site(tmp_path, monkeypatch)


@pytest.fixture
def run(small):
    return lambda *args: CliRunner().invoke(main, ["print", *map(str, args)])


@pytest.fixture(scope="module")
def chromium():
    try:
        return paper.find_browser(None)
    except FileNotFoundError as error:
        skip_or_fail(str(error))


@pytest.fixture(scope="module")
def a_small_book(chromium, tmp_path_factory):
    """The small site, printed as a whole."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("small")
        site = write_site(folder, patch)
        result = CliRunner().invoke(main, ["print", "--out", "new/small.pdf"])
        assert result.exit_code == 0, result.output
        return site, PdfReader(folder / "new" / "small.pdf"), result


def texts(reader):
    return [page.extract_text() for page in reader.pages]


def test_the_contents_are_those_of_the_built_book(small):
    told = [(page.name, page.title, page.part) for page in paper.contents(small)]
    assert told == [
        ("index", "The small book", ""),
        ("00_first", "The first", "Start here"),
        ("01_next", "1. The next", "Go on"),
    ]


def test_a_book_that_is_not_built_is_told_with_the_way_out(run, small):
    (small / "index.html").unlink()
    result = run()
    assert result.exit_code == 1
    assert "the book is not built" in result.stderr
    assert "run `jupyter-book build book` first" in result.stderr


def test_a_page_that_was_not_built_is_named(run, small):
    (small / "01_next.html").unlink()
    assert "the page 01_next.html of the book is missing" in run().stderr


def test_a_chapter_that_is_not_there_is_an_error_that_names_near_ones(run):
    result = run("01_nxt")
    assert result.exit_code == 1
    assert "there is no chapter '01_nxt': perhaps 01_next" in result.stderr


def test_a_folder_is_no_place_for_a_file(run, tmp_path):
    (tmp_path / "taken").mkdir()
    assert "taken is a folder" in run("--out", "taken").stderr


def test_where_no_browser_is_found_the_error_says_what_to_install(run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = run()
    assert result.exit_code == 1
    assert f"install one of {', '.join(BROWSERS)}" in result.stderr
    assert not list(command.BOOK.parent.glob("*.pdf*"))


def test_a_browser_that_is_none_is_refused(run):
    assert "nowhere is no program" in run("--browser", "nowhere").stderr


def test_a_program_that_is_no_browser_is_told_and_nothing_is_written(run, tmp_path):
    false = tmp_path / "false"
    false.write_text("#!/bin/sh\nexit 1\n")
    false.chmod(0o755)
    result = run("--browser", false)
    assert result.exit_code == 1
    assert f"{false} cannot print" in result.stderr
    assert not list(tmp_path.glob("*.pdf*"))


def test_the_paper_is_a4_or_letter(run):
    assert run("--paper", "a5").exit_code == 2


def test_a_page_built_from_an_older_file_is_stale(small):
    sources = small / "_sources"
    sources.mkdir()
    (sources / "01_next.md").write_text("Old words.")
    assert not command.is_stale(small, "01_next")  # the book has no such file
    (command.BOOK / "01_next.md").write_text("Old words.")
    assert not command.is_stale(small, "01_next")
    (command.BOOK / "01_next.md").write_text("New words.")
    assert command.is_stale(small, "01_next")


def test_the_browsers_are_those_of_the_tests():
    assert list(paper.BROWSERS) == BROWSERS


def test_the_papers_are_those_of_the_command():
    option = next(p for p in command.print_book.params if p.name == "paper")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(paper.PAPERS)


def test_a_book_has_a_title_the_contents_and_every_page_in_order(a_small_book):
    _, reader, result = a_small_book
    begin = ["The small book", "Contents", "The small book", "The first", "1. The next"]
    begin.append("1. The next")  # its second sheet has the title at the top
    told = texts(reader)
    for text, title in zip(told, begin, strict=True):
        assert title in text.split("\n")
    assert "6 sheets of 3 pages written to new/small.pdf" in result.stdout


def test_the_contents_give_the_number_that_stands_on_the_sheet(a_small_book):
    _, reader, _ = a_small_book
    told = texts(reader)
    assert re.search(r"The first\s*4\b", told[1])
    assert re.search(r"1\. The next\s*5\b", told[1])
    for number, text in enumerate(told[1:], start=2):
        assert str(number) in text.split("\n")


def test_links_lead_to_sheets_of_the_file_and_nowhere_on_the_machine(a_small_book):
    _, reader, _ = a_small_book
    goals, addresses = [], []
    for link in reader.pages[3]["/Annots"]:
        link = link.get_object()
        if "/Dest" in link:
            goal = link["/Dest"][0].get_object()
            goals.append(reader.get_page_number(goal))
        else:
            addresses.append(link["/A"]["/URI"])
    assert goals[:2] == [5, 3]  # the formula on the next page; far below on this one
    assert addresses == ["https://example.org/"]
    assert "a page that is not here" in texts(reader)[3]


def test_bookmarks_are_parts_in_them_pages_in_them_sections(a_small_book):
    _, reader, _ = a_small_book

    def titles(items):
        return [titles(x) if isinstance(x, list) else x.title for x in items]

    assert titles(reader.outline) == [
        "Contents",
        "The small book",
        "Start here",
        ["The first", ["Exercises", "Far below", "Hints and solutions"]],
        "Go on",
        ["1. The next"],
    ]


def test_hints_and_solutions_stand_at_the_end_and_what_was_folded_is_open(a_small_book):
    _, reader, _ = a_small_book
    text = " ".join(texts(reader)[3].split())
    places = ["What is 1 + 1", "By adding.", "Hints and solutions", "Use two fingers"]
    found = [text.index(words) for words in [*places, "It is two."]]
    assert found == sorted(found)
    assert "Not yet" not in text
    assert "Hint and solution: at the end" in text


def test_the_title_of_the_file_is_that_of_the_book(a_small_book):
    assert a_small_book[1].metadata.title == "The small book"


def test_the_title_page_says_whose_the_book_is(a_small_book):
    assert "By nobody." in texts(a_small_book[1])[0]


def test_some_chapters_come_without_a_title_page(run, chromium, tmp_path):
    result = run(1, "--out", "one.pdf", "--paper", "letter")
    assert result.exit_code == 0, result.output
    reader = PdfReader(tmp_path / "one.pdf")
    assert len(reader.pages) == 2
    assert "1. The next" in texts(reader)[0].split("\n")
    width, height = (round(float(x)) for x in reader.pages[0].mediabox[2:])
    assert (width, height) == (612, 792)


def test_a_formula_that_was_not_set_is_an_error(run, chromium, small, tmp_path):
    page = small / "01_next.html"
    page.write_text(NEXT.replace("Words.", '<span class="math">\\(x\\)</span>'))
    result = run(1)
    assert result.exit_code == 1
    assert "1 formulas of 01_next.html are missing" in result.stderr
    assert not list(tmp_path.glob("*.pdf*"))


def test_a_picture_that_is_not_there_is_an_error(run, chromium, small):
    page = small / "01_next.html"
    page.write_text(NEXT.replace("Words.", '<img src="lost.png" alt="lost">'))
    assert "1 pictures of 01_next.html are missing" in run(1).stderr


@pytest.fixture(scope="module")
def chapter(site, chromium):
    """A chapter of the built book as HTML, and printed."""
    page = next(page for page in paper.contents(site) if page.name == SHORT)
    with paper.printing(chromium) as browser:
        sheets = paper.print_pages(browser, [page], site, has_front=False)
    file = io.BytesIO()
    paper.joined(sheets, site).write(file)
    soup = BeautifulSoup((site / f"{SHORT}.html").read_text("utf-8"), "html.parser")
    return soup.select_one("article"), PdfReader(file)


def test_a_printed_chapter_has_its_headings(chapter):
    article, reader = chapter
    text = "".join("".join(texts(reader)).split())
    for link in article.select(".headerlink"):
        link.decompose()
    for exercise in article.select(".exercise .section-number"):
        exercise.decompose()
    headings = ["".join(x.get_text().split()) for x in article.select("h1, h2, h3")]
    assert [heading for heading in headings if heading not in text] == []


def test_a_printed_chapter_has_its_formulas(chapter):
    article, reader = chapter
    assert article.select("div.math")
    names = ""
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            about = font.get_object().get("/FontDescriptor")
            names += str(about.get_object()["/FontName"]) if about else ""
    assert "MathJax_Math-Italic" in names  # its letters, drawn as shapes
    assert not re.search(r"\\[(\[]|\\frac|\\sqrt", "".join(texts(reader)))


def test_no_sheet_of_a_printed_chapter_is_empty(chapter):
    _, reader = chapter
    for page in reader.pages:
        words = page.extract_text().split()
        assert len(words) > 15 or page.images


def test_a_printed_chapter_names_no_place_on_this_machine(chapter):
    writer = PdfWriter(clone_from=chapter[1])
    assert "file://" not in "".join(
        str(annotation.get_object())
        for page in writer.pages
        for annotation in page.get("/Annots", [])
    )


def test_a_name_may_be_that_of_any_page():
    assert slides.stem_of("glossary", ["04_noise", "glossary"]) == "glossary"
    assert slides.stem_of("4", ["04_noise", "glossary"]) == "04_noise"
