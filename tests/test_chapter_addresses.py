"""A chapter has the number of its file, and old addresses lead to where it went."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils.nodes import make_id

BOOK = Path(__file__).parents[1] / "book"
sys.path.insert(0, str(BOOK / "_sphinx"))
import moved  # noqa: E402  (an extension of the builder, no package)

SETTINGS = """title: Two
parse: {myst_enable_extensions: [dollarmath]}
sphinx:
  local_extensions: {chapter_numbers: _sphinx}
  config: {numfig: true, math_numfig: true}
"""
PARTS = [
    {"caption": "Start", "chapters": [{"file": "00_all"}]},
    {"caption": "One", "numbered": True, "chapters": [{"file": "04_noise"}]},
    {
        "caption": "Two",
        "numbered": True,
        "chapters": [{"file": "09_net"}, {"file": "plain"}],
    },
    {"caption": "Three", "chapters": [{"file": "deeper"}]},
]
TEXT = "# Title\n\n## Section\n\n$$ x $$ (eq-{name})\n\nBy {{eq}}`eq-{name}`.\n"
FIGURE = "```{{figure}} dot.svg\n:name: fig-{0}\n:alt: A dot.\n\nThe {0} dot.\n```\n"
FIGURES = (
    FIGURE.format("first")
    + f"\n````{{container}} solution-fold\n{FIGURE.format('folded')}````\n\n"
    + FIGURE.format("last")
    + "\nSee {numref}`fig-folded` and {numref}`fig-last`.\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Pages of a small book, as text, by name."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(BOOK / "_sphinx", folder / "_sphinx")
    (folder / "_config.yml").write_text(SETTINGS, "utf-8")
    toc = {"format": "jb-book", "root": "index", "parts": PARTS}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    names = [chapter["file"] for part in PARTS for chapter in part["chapters"]]
    for name in ["index", *names]:
        text = TEXT.format(name=name.replace("_", "-"))
        text += FIGURES if name == "04_noise" else ""
        (folder / f"{name}.md").write_text(text, "utf-8")
    dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (folder / "dot.svg").write_text(dot, "utf-8")
    command = [shutil.which("jupyter-book"), "build", folder, "-W", "-n"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    html = folder / "_build" / "html"
    return {
        name: BeautifulSoup((html / f"{name}.html").read_text("utf-8"), "html.parser")
        for name in names
    }


def titles(page):
    """The page's headings with their numbers, and the entry of the contents."""
    found = [heading.text for heading in page.select("article :is(h1, h2)")]
    entry = page.select_one(".bd-links .current.active")
    return [re.sub(r"[#\s]+", " ", text).strip() for text in (*found, entry.text)]


@pytest.mark.parametrize(
    ("name", "number"), [("04_noise", "4. "), ("09_net", "9. "), ("00_all", "")]
)
def test_a_chapter_has_the_number_of_its_file(site, name, number):
    section = f"{number.strip()}1. " if number else ""
    title, heading, entry = titles(site[name])
    assert title == f"{number}Title" and heading == f"{section}Section"
    assert entry == title


@pytest.mark.parametrize(
    ("name", "number"),
    [("04_noise", "4.1"), ("09_net", "9.1"), ("00_all", "1"), ("deeper", "1")],
)
def test_formulas_count_from_the_number_of_the_file_or_from_one(site, name, number):
    article = site[name].select_one("article")
    assert article.select_one(".eqno").text.strip("#¶") == f"({number})"
    assert article.select_one("p a.reference").text == f"({number})"


def test_figures_in_folds_have_the_last_numbers(site):
    article = site["04_noise"].select_one("article")
    numbers = [x.text.strip() for x in article.select("figcaption .caption-number")]
    assert numbers == ["Fig. 4.1", "Fig. 4.3", "Fig. 4.2"]
    links = [x.text for x in article.select("p > a.reference:has(.std-numref)")]
    assert links == ["Fig. 4.3", "Fig. 4.2"]


def test_a_page_without_a_number_in_its_name_is_counted_as_ever(site):
    assert titles(site["plain"])[0] == "3. Title"


@pytest.fixture
def forwarded(tmp_path, monkeypatch):
    """Write forwarding pages for a table; the folder, and what was warned of."""

    def run(table, existing):
        told = []
        monkeypatch.setattr(moved, "MOVED", table)
        monkeypatch.setattr(moved.logger, "warning", lambda *words: told.append(words))
        for name in existing:
            (tmp_path / f"{name}.html").write_text("here", "utf-8")
        app = SimpleNamespace(
            builder=SimpleNamespace(format="html"),
            env=SimpleNamespace(found_docs=set(existing)),
            outdir=tmp_path,
        )
        moved.forward(app, None)
        return tmp_path, told

    return run


def test_an_old_page_forwards_with_its_place(forwarded, browser):
    table = {"old": "new", "old#a": "other#b"}
    folder, told = forwarded(table, ["new", "other"])
    assert told == []
    for asked, wanted in [
        ("old.html", "new.html"),
        ("old.html#c", "new.html#c"),
        ("old.html#a", "other.html#b"),
    ]:
        page = browser.new_page()
        page.goto(f"{folder.as_uri()}/{asked}")
        page.wait_for_url(f"{folder.as_uri()}/{wanted}")
        page.close()


def test_a_target_that_does_not_exist_and_a_page_that_does_are_told(forwarded):
    _, told = forwarded({"old": "new", "here": "here"}, ["here"])
    assert [words[1] for words in told] == ["new", "here"]


def test_the_table_names_pages_of_the_book():
    pages = {path.stem for path in (*BOOK.glob("*.ipynb"), *BOOK.glob("*.md"))}
    targets = {target.partition("#")[0] for target in moved.MOVED.values()}
    assert targets <= pages
    places = {name for name in moved.MOVED if "#" in name}
    assert not (moved.MOVED.keys() - places) & pages
    known = moved.MOVED.keys() | pages
    assert {name.partition("#")[0] for name in places} <= known


def labels(page):
    """Places of a chapter's page: figures, exercises, formulas, and headings."""
    text = (BOOK / f"{page}.ipynb").read_text("utf-8")
    found = set(re.findall(r'"id": "((?:fig|ex)-[\w-]+)"', text))
    found |= {f"equation-{x}" for x in re.findall(r"\((eq-[\w-]+)\)\\n", text)}
    headings = re.findall(r'^ *"#{2,3} (.+?)(?:\\n)?",?$', text, re.MULTILINE)
    return found | {make_id(heading) for heading in headings}


def test_a_place_that_moved_is_where_the_table_says_and_no_longer_where_it_was():
    for name, target in moved.MOVED.items():
        page, mark, place = target.partition("#")
        if mark:
            assert place in labels(page), target
        old, mark, place = name.partition("#")
        if mark and (BOOK / f"{old}.ipynb").exists():
            assert place not in labels(old), name


def test_a_page_that_stayed_sends_on_who_asks_for_what_left(tmp_path, browser):
    (tmp_path / "_sphinx").mkdir()
    script = (BOOK / "_sphinx" / "moved.py").read_text("utf-8")
    table = '"stayed#fig-left": "new#fig-came"'
    script = re.sub(r"MOVED = \{.*?\n\}", f"MOVED = {{{table}}}", script, flags=re.S)
    (tmp_path / "_sphinx" / "moved.py").write_text(script, "utf-8")
    conf = "import sys\nsys.path.insert(0, '_sphinx')\nextensions = ['moved']\n"
    (tmp_path / "conf.py").write_text(conf, "utf-8")
    text = "Title\n=====\n\n.. _fig-{}:\n\nText\n----\n"
    toc = "Index\n=====\n\n.. toctree::\n\n   stayed\n   new\n"
    (tmp_path / "index.rst").write_text(toc, "utf-8")
    (tmp_path / "stayed.rst").write_text(text.format("here"), "utf-8")
    (tmp_path / "new.rst").write_text(text.format("came"), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", tmp_path, tmp_path / "html"]
    subprocess.run(command, cwd=tmp_path, check=True)
    home = (tmp_path / "html").as_uri()
    page = browser.new_page()
    page.goto(f"{home}/stayed.html#fig-here")
    assert page.url == f"{home}/stayed.html#fig-here"
    page.goto(f"{home}/stayed.html#fig-left")
    page.wait_for_url(f"{home}/new.html#fig-came")
    assert "places" not in (tmp_path / "html" / "new.html").read_text("utf-8")
    page.close()


def test_what_is_written_is_a_script_that_no_name_can_break(forwarded):
    folder, _ = forwarded({"old": "new"}, ["new"])
    text = (folder / "old.html").read_text("utf-8")
    assert json.dumps("new.html") in text and "places = {}" in text
