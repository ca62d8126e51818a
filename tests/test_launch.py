"""Launch buttons: an address, and a cell that installs the package where it lacks."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_rules as rules
import pytest
import yaml
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
source = importlib.util.spec_from_file_location("launch", ROOT / "book" / "launch.py")
launch = importlib.util.module_from_spec(source)
source.loader.exec_module(launch)
add_launch_buttons, launch_cell = launch.add_launch_buttons, launch.launch_cell

URL = "https://github.com/someone/some-book"
SITE = "https://someone.github.io/some-book/"


@pytest.fixture
def root(tmp_path):
    """A copy of the settings and of two chapters."""
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "_config.yml", tmp_path)
    for name in ("01_gaussians.ipynb", "bugs.ipynb"):
        shutil.copy(ROOT / "book" / name, tmp_path / "book")
    return tmp_path


def contents(root):
    return {
        path.name: path.read_text("utf-8")
        for path in root.rglob("*.*")
        if path.is_file()
    }


def test_the_settings_name_the_repository_and_lose_nothing(root):
    before = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    assert add_launch_buttons(root, URL) == 2
    after = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    here = {"baseurl": SITE, "use_repository_button": True}
    assert before["html"].keys() >= here.keys()
    assert before | {"html": before["html"] | here} == {
        name: after[name] for name in before
    }
    assert after["repository"] == {"url": URL, "path_to_book": "book", "branch": "main"}
    assert {"colab_url", "binderhub_url"} < after["launch_buttons"].keys()


def test_run_twice_it_changes_nothing_more_and_with_another_address_it_moves(root):
    add_launch_buttons(root, URL)
    once = contents(root)
    add_launch_buttons(root, URL + ".git")
    assert contents(root) == once
    add_launch_buttons(root, "https://github.com/other/book/", "draft")
    moved = contents(root)
    assert not any("someone" in text for text in moved.values())
    add_launch_buttons(root, URL)
    assert contents(root) == once


def test_a_chapter_keeps_its_cells_and_the_rules_of_the_house(root):
    before = nbformat.read(root / "book" / "bugs.ipynb", 4)
    add_launch_buttons(root, URL)
    after = nbformat.read(root / "book" / "bugs.ipynb", 4)
    nbformat.validate(after)
    assert after.cells[:1] + after.cells[2:] == before.cells
    assert rules.without_launch_cell(after) == before


def run_cell(monkeypatch, *, is_installed, has_clone=False):
    """Commands that the cell runs, where the package is there or not."""
    commands = []
    found = object() if is_installed else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr(
        subprocess, "run", lambda command, check: commands.append(command)
    )
    exec("".join(launch_cell(URL, "main")["source"]), {})
    return commands


def test_where_the_package_is_installed_the_cell_does_nothing(monkeypatch):
    assert run_cell(monkeypatch, is_installed=True) == []


def test_where_it_is_missing_the_cell_fetches_the_book_and_installs_it(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    clone, pip = run_cell(monkeypatch, is_installed=False)
    assert clone[:2] == ["git", "clone"] and clone[-2:] == [URL, launch.FOLDER]
    assert pip[:4] == [sys.executable, "-m", "pip", "install"]
    assert pip[-2:] == ["--editable", launch.FOLDER]
    (tmp_path / launch.FOLDER).mkdir()
    assert run_cell(monkeypatch, is_installed=False) == [pip]


@pytest.mark.parametrize(
    "url",
    ["github.com/a/b", "https://github.com/a", "https://example.org/a/b", URL + '"'],
)
def test_another_kind_of_address_is_refused(root, url):
    before = contents(root)
    with pytest.raises(ValueError, match="OWNER/NAME"):
        add_launch_buttons(root, url)
    assert contents(root) == before


@pytest.mark.parametrize(
    ("url", "site"),
    [
        (URL, SITE),
        ("https://github.com/Some-One/book/", "https://some-one.github.io/book/"),
        ("https://github.com/me/Me.github.io", "https://me.github.io/"),
    ],
)
def test_the_pages_of_a_repository_are_where_github_shows_them(url, site):
    assert launch.pages_of(url) == site


def test_a_site_elsewhere_is_named_as_it_is(root):
    add_launch_buttons(root, URL, site="https://example.org/books/one")
    after = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    assert after["html"]["baseurl"] == "https://example.org/books/one/"
    before = contents(root)
    with pytest.raises(ValueError, match=r"site 'example\.org' must be like https"):
        add_launch_buttons(root, URL, site="example.org")
    assert contents(root) == before


def test_a_branch_that_is_none_is_wrong_usage():
    result = CliRunner().invoke(launch.main, [URL, "--branch", 'a"b'])
    assert result.exit_code == 2 and "branch" in result.output


def test_the_built_page_has_both_buttons(tmp_path):
    """A site of one page, built with the settings that the command writes."""
    (tmp_path / "book").mkdir()
    settings = "title: One\nexecute: {execute_notebooks: 'off'}\n"
    (tmp_path / "_config.yml").write_text(settings)
    cell = nbformat.v4.new_markdown_cell("# One", id="title")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.write(notebook, tmp_path / "book" / "one.ipynb")
    add_launch_buttons(tmp_path, URL)
    (tmp_path / "book" / "_config.yml").write_text(
        (tmp_path / "_config.yml").read_text()
    )
    (tmp_path / "book" / "_toc.yml").write_text("format: jb-book\nroot: one\n")
    command = [shutil.which("jupyter-book"), "build", tmp_path / "book"]
    subprocess.run(command, check=True, capture_output=True)
    page = (tmp_path / "book" / "_build" / "html" / "one.html").read_text("utf-8")
    colab = (
        "https://colab.research.google.com/github/someone/some-book/blob/main/book/one"
    )
    assert colab in page
    assert "https://mybinder.org/v2/gh/someone/some-book/main" in page
    assert json.loads((tmp_path / "book" / "one.ipynb").read_text())["cells"][1:]
