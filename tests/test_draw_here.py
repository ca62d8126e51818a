"""The panel in a page of a built book, whose scripts lie beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_drawing_page import GLYPHS, IDLE, control, draw, glyphs, wait
from test_site import serve
from tiny_models import save_glyffuser

from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.student import Student

BOOK = Path(__file__).parents[1] / "book"
SETTINGS = """title: One
only_build_toc_files: true
sphinx: {local_extensions: {draw_here: _sphinx}}
"""
TEXT = "# Title\n\n```{draw-here}\n```\n"
CELL = """from glyflib.glyffuser import Glyffuser
from glyflib.interactive.panels import draw_here

draw_here(Glyffuser.load(), words="gold", scale=1, scales=None, count=2)"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Data of a book: a small glyffuser and a student of it."""
    folder = tmp_path_factory.mktemp("data")
    save_glyffuser(folder / "glyffuser-32")
    Student.of(Glyffuser.load(folder / "glyffuser-32")).save(folder / "student-32")
    return folder


@pytest.fixture(scope="module")
def html(tmp_path_factory, data):
    """Folder of the site of a book of one page and one chapter, which has a panel."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(BOOK / "_sphinx", folder / "_sphinx")
    (folder / "_config.yml").write_text(SETTINGS, "utf-8")
    toc = "format: jb-book\nroot: index\nchapters: [{file: chapter}]\n"
    (folder / "_toc.yml").write_text(toc, "utf-8")
    new = nbformat.v4
    cells = [new.new_markdown_cell("# A chapter"), new.new_code_cell(CELL)]
    chapter = new.new_notebook(cells=cells)
    chapter.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(chapter, folder / "chapter.ipynb")
    (folder / "index.md").write_text(TEXT, "utf-8")
    command = [shutil.which("jupyter-book"), "build", folder, "-W", "-n"]
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        env=os.environ | {"GLYFLIB_DATA": str(data)},
    )
    return folder / "_build" / "html"


@pytest.mark.parametrize("by", ["file", "http"])
def test_the_panel_loads_its_parts_when_it_is_asked_to_draw(browser, html, data, by):
    server, page, loaded = serve(html), browser.new_page(), []
    page.on("request", lambda r: "/draw/" in r.url and loaded.append(r.url))
    http = f"http://127.0.0.1:{server.server_port}/index.html"
    page.goto((html / "index.html").as_uri() if by == "file" else http)
    assert "The first drawing loads" in page.get_by_role("status").last.inner_text()
    assert loaded == []
    draw(page, "water")
    assert len(loaded) == 2
    wanted = Student.load(data / "student-32").sample(["water"] * GLYPHS, seed=0)
    gap = (glyphs(page).int() - images_from_x0(wanted).squeeze(1).int()).abs()
    assert gap.float().mean() < 4, "eight bits a weight change greys a little"
    page.get_by_label("Drawn by").select_option("the glyffuser")
    control(page, "button", "Again with the same noise").click()
    page.wait_for_function(IDLE)
    assert len(loaded) == 3, "the text encoder is there already"
    page.close()
    server.shutdown()
    server.server_close()


def test_the_scripts_hold_the_parts_that_the_page_names(html):
    scripts = {path.stem for path in (html / "draw").iterdir()}
    text = (html / "index.html").read_text("utf-8")
    assert len(scripts) == 3
    assert all(f'"{name}"' in text for name in scripts)
    page = BeautifulSoup(text, "html.parser")
    assert len(page.select("article #draw-here")) == 1
    assert len(text) < 200_000


@pytest.mark.parametrize("by", ["file", "http"])
def test_a_chapters_panel_uses_the_scripts_of_the_site(browser, html, data, by):
    text = (html / "chapter.html").read_text("utf-8")
    links = BeautifulSoup(text, "html.parser").select("a[data-glyf-part]")
    assert len(links) == 2 and all((html / link["href"]).is_file() for link in links)
    assert len(text) < 200_000
    server, page, loaded = serve(html), browser.new_page(), []
    page.on("request", lambda r: "/draw/" in r.url and loaded.append(r.url))
    http = f"http://127.0.0.1:{server.server_port}/chapter.html"
    page.goto((html / "chapter.html").as_uri() if by == "file" else http)
    assert loaded == []
    draw(page)
    assert len(loaded) == 2
    glyffuser = Glyffuser.load(data / "glyffuser-32")
    wanted = glyffuser.sample(["gold"] * 2, seed=0, num_steps=15, scale=1)
    gap = (glyphs(page).int() - images_from_x0(wanted).squeeze(1).int()).abs()
    assert gap.float().mean() < 4, "eight bits a weight change greys a little"
    page.close()
    server.shutdown()
    server.server_close()


def test_a_lost_script_is_told_of(browser, html, tmp_path):
    shutil.copytree(html, tmp_path / "html", ignore=shutil.ignore_patterns("draw"))
    page = browser.new_page()
    page.goto((tmp_path / "html" / "index.html").as_uri())
    control(page, "button", "Draw").click()
    wait(page, "cannot be loaded")
    page.close()
