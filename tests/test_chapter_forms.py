"""The page makes more of a notebook's plain forms: figures, folds and numbers."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)
CAPTION = """<a id="fig-two"></a>**Figure 1.** What to *notice*, by [(1)](#eq-one).

<details><summary>In words …</summary>One is &lt; two.</details>"""
SETTINGS = """title: Two
execute: {execute_notebooks: 'off'}
parse: {myst_enable_extensions: [dollarmath]}
sphinx:
  local_extensions: {chapters: _sphinx}
  config: {myst_heading_anchors: 3}
"""
TOC = {"format": "jb-book", "root": "one", "chapters": [{"file": "two"}]}


def chapter(*texts):
    """A notebook of Markdown cells; "dot" is a code cell that shows a picture."""
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    picture = nbformat.v4.new_output("display_data", {"image/png": DOT})
    cells = [
        code("draw()", outputs=[picture]) if text == "dot" else md(text)
        for text in texts
    ]
    language = {"name": "python", "pygments_lexer": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": language})


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Build a book of two chapters; its pages, and what the builder said."""

    def run(**chapters):
        folder = tmp_path_factory.mktemp("book")
        shutil.copytree(ROOT / "book" / "_sphinx", folder / "_sphinx")
        (folder / "_config.yml").write_text(SETTINGS, "utf-8")
        (folder / "_toc.yml").write_text(yaml.safe_dump(TOC), "utf-8")
        for name, notebook in chapters.items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        command = [shutil.which("jupyter-book"), "build", folder, "-n"]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        html = folder / "_build" / "html"
        return {
            name: BeautifulSoup(
                (html / f"{name}.html").read_text("utf-8"), "html.parser"
            )
            for name in chapters
        }, told.stderr

    return run


@pytest.fixture(scope="module")
def pages(build):
    """Both pages of a book in which all is well."""
    solution = [
        "## Exercises",
        "### Exercise 1\n\nDo.\n\n<details><summary>Hint</summary>\n\n"
        "Put `a * b`, and *not* 2 * 3.\n\n</details>",
        "#### Solution",
        "Secret.",
        "dot",
    ]
    one = chapter(
        "# One\n\n$$ x $$ (eq-one)",
        "So [(1)](#eq-one).",
        "## Where it comes from",
        "Four steps.",
        "## Next\n\nGo on.",
    )
    two = chapter(
        "# Two\n\n$$ y $$\n\n$$ x $$ (eq-two)",
        "dot",
        CAPTION.replace("eq-one", "eq-two"),
        "In [figure 1](#fig-two) by [(2)](#eq-two) and "
        "[(1) of chapter 1](one.ipynb#eq-one), see [below](#exercise-1).",
        *solution,
        "## Summary\n\nEnd.",
    )
    found, told = build(one=one, two=two)
    assert "WARNING" not in told
    return found


def test_a_picture_and_the_caption_below_make_a_numbered_figure(pages):
    (figure,) = pages["two"].select("figure")
    assert figure["id"] == "fig-two"
    assert figure.img["alt"] == "One is < two."
    caption = figure.figcaption
    assert caption.select_one(".caption-number").text.startswith("Fig. 1")
    assert caption.select_one(".caption-text").text.startswith("What to notice, by (")
    assert caption.em and caption.a["href"] == "#equation-eq-two"


def test_what_was_written_for_lab_is_gone_from_the_page(pages):
    text = pages["two"].select_one("article").text
    assert "In words" not in text and "Figure 1." not in text


def test_links_have_the_numbers_of_the_page(pages):
    links = {a["href"]: a.text for a in pages["two"].select("article p a.reference")}
    numbers = {
        page: pages[page].select_one(f"#equation-eq-{page} .eqno").text.strip("#")
        for page in ("one", "two")
    }
    assert links["#fig-two"] == "figure 1"
    assert links["#equation-eq-two"] == numbers["two"]
    assert links["one.html#equation-eq-one"] == numbers["one"]
    assert "of chapter 1" in pages["two"].select_one("article").text
    assert links["#exercise-1"] == "below"


def test_a_solution_is_closed_and_holds_words_code_and_output(pages):
    (fold,) = pages["two"].select("details.solution")
    assert fold.summary.text == "Solution" and not fold.has_attr("open")
    assert "Secret." in fold.text and "draw()" in fold.text and fold.img
    assert "End." not in fold.text
    assert pages["two"].select_one("section.exercise details.solution")


def test_a_hint_has_code_and_emphasis(pages):
    (hint,) = pages["two"].select("section.exercise > details")
    assert hint.summary.text == "Hint"
    assert hint.code.text == "a * b" and hint.em.text == "not"
    assert hint.text.strip().endswith("not 2 * 3.")


def test_where_a_formula_comes_from_is_folded_under_its_heading(pages):
    (fold,) = pages["one"].select("details.solution")
    assert fold.summary.text == "Where it comes from" and not fold.has_attr("open")
    assert "Four steps." in fold.text and "Go on." not in fold.text


def test_a_caption_without_a_figure_is_told(build):
    _, told = build(one=chapter("# One"), two=chapter("# Two", CAPTION))
    assert "caption fig-two has no figure above" in told


def test_a_link_to_no_equation_is_told(build):
    _, told = build(one=chapter("# One"), two=chapter("# Two\n\nBy [(1)](#eq-no)."))
    assert "equation not found: eq-no" in told
