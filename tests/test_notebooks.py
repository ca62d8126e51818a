"""Every chapter keeps the rules of the house, and every rule can catch a breach."""

from collections import Counter
from pathlib import Path

import nbformat
import notebook_rules as rules
import pytest
import yaml

BOOK = Path(__file__).parents[1] / "book"
CHAPTERS = sorted(BOOK.glob("*.ipynb"))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter(path, rule):
    assert rule(rules.without_launch_cell(nbformat.read(path, 4))) == []


def test_there_are_chapters():
    assert CHAPTERS


def test_labels_are_unique_across_the_book():
    found = [x for p in CHAPTERS for x in rules.labels(nbformat.read(p, 4))]
    assert [label for label, count in Counter(found).items() if count > 1] == []


def test_labels_say_what_they_name():
    found = [x for p in CHAPTERS for x in rules.labels(nbformat.read(p, 4))]
    assert [x for x in found if not x.startswith(("eq-", "fig-", "ex-", "sec-"))] == []


def listed_files(toc: dict) -> list[str]:
    """Every file of a table of contents, the root first."""
    chapters = [c for part in toc.get("parts", []) for c in part["chapters"]]
    return [toc["root"], *(c["file"] for c in chapters)]


def test_the_table_of_contents_lists_what_exists():
    listed = listed_files(yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8")))
    pages = [p.stem for p in (*CHAPTERS, *BOOK.glob("*.md"))]
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize("name", ["_toc.yml", "_config.yml"])
def test_the_book_sees_the_settings_of_the_top_level(name):
    assert (BOOK / name).read_text("utf-8") == (BOOK.parent / name).read_text("utf-8")


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.md")), ids=lambda p: p.stem)
def test_pages_avoid_belittling_words(path):
    text = rules.prose(path.read_text("utf-8"))
    assert rules.BANNED.findall(text) == []


INCLUDE = "```{{literalinclude}} ../glyflib/{0}\n{1}\n```\n"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_included_code_is_there(path):
    texts = [cell.source for _, cell in rules.cells(nbformat.read(path, 4), "markdown")]
    assert rules.broken_includes("\n".join(texts), BOOK) == []


@pytest.mark.parametrize(
    ("file", "options", "told"),
    [
        ("nowhere.py", ":language: python", "no such file"),
        ("unet.py", ":pyobject: UNet.nothing", "no UNet.nothing"),
        ("unet.py", ":pyobject: UNet.build\n:start-at: nowhere", "'nowhere'"),
        ("unet.py", ":start-at: def forward\n:end-at: nowhere", "'nowhere'"),
    ],
)
def test_included_code_that_is_gone_is_noticed(file, options, told):
    (found,) = rules.broken_includes(INCLUDE.format(file, options), BOOK)
    assert told in found


EXERCISE = "```{{exercise-start}}\n:label: {0}\n```\nDo.\n```{{exercise-end}}\n```"
SOLUTION = "```{{solution-start}} {0}\n:class: dropdown\n```\nSo."
SOLUTION_END = "```{solution-end}\n```"
FIGURE = {
    "figure": {"name": "fig-one", "caption": "Notice it."},
    "image": {"alt": "A line climbs from the lower left to the upper right."},
}


def good_notebook() -> nbformat.NotebookNode:
    """A made-up chapter that keeps every rule."""
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    setup = "import torch\nfrom glyflib.plotting.base import plot_images"
    drawing = code("plot_images(x)", metadata={"mystnb": FIGURE})
    found = [md("# One"), code(setup), md("$$ x $$ (eq-one)"), drawing]
    for name in ("ex-one", "ex-two"):
        found += [md(EXERCISE.format(name)), md(SOLUTION.format(name))]
        found += [code('x = "锂"'), md(SOLUTION_END)]
    found.append(md("Text, `just` code, $just$ a letter."))
    found += [md("## Summary\n\n- a\n- b\n- c"), md("## References\n\n{cite}`a`")]
    for i, cell in enumerate(found):
        cell.id = f"cell-{i}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=found, metadata={"kernelspec": kernel})


def change(place: int, text: str, **metadata):
    """A breach: other source, and other metadata, in one cell of the good notebook."""

    def breach(notebook):
        notebook.cells[place].source = text
        notebook.cells[place].metadata.update(metadata)

    return breach


def mystnb(**parts):
    """A breach of the figure's metadata."""
    return change(3, "plot_images(x)", mystnb=FIGURE | parts)


MAINTAINERS = (
    "from glyflib import data, studies",
    "from glyflib.studies.common import shipped",
    "from glyflib.making import map as umap",
)
BY_KEY = "from glyflib.lessons.stored import load_results"
TEXT = 11  # the cell of the good notebook that holds nothing but prose
BREACHES = [
    (rules.has_no_outputs, lambda nb: nb.cells[1].update(execution_count=3)),
    (
        rules.names_the_kernel_that_all_have,
        lambda nb: nb.metadata.kernelspec.update(name="my-venv"),
    ),
    (rules.names_the_kernel_that_all_have, lambda nb: nb.metadata.clear()),
    (rules.has_unique_cell_ids, lambda nb: nb.cells[3].update(id="cell-1")),
    (rules.opens_with_the_only_title, change(TEXT, "# A second title")),
    (rules.opens_with_the_only_title, change(0, "No title.")),
    (rules.imports_in_the_second_cell_only, change(6, "import os")),
    (rules.imports_in_the_second_cell_only, change(1, "x = 1")),
    (rules.imports_what_is_for_chapters_only, change(1, "import glyflib.commands")),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[0])),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[1])),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[2])),
    (rules.loads_results_by_name, change(1, "import glyflib.lessons.stored")),
    (rules.loads_results_by_name, change(1, "from glyflib.lessons import stored")),
    (rules.loads_results_by_name, change(1, BY_KEY)),
    (rules.is_plain_python, change(6, "!pip install torch")),
    (rules.has_ascii_code, change(6, "\u03b1 = 1")),
    (rules.has_ascii_code, change(6, "x = 1  # naïve")),
    (rules.has_known_tags_only, change(6, "x", tags=["skip-execution"])),
    (rules.has_captions_and_alt_text, change(6, "plot_images(x)")),
    (rules.has_captions_and_alt_text, mystnb(image={"alt": "A line."})),
    (rules.has_captions_and_alt_text, mystnb(figure={"name": "fig-one"})),
    (rules.has_captions_and_alt_text, mystnb(figure={"caption": "Unnamed."})),
    (rules.has_paired_exercises, change(7, "Never closed.")),
    (rules.has_paired_exercises, change(5, SOLUTION.format("ex-two"))),
    (rules.has_paired_exercises, change(8, "No exercise, but its solution.")),
    (rules.closes_with_summary_and_references, change(-2, "## Summary\n")),
    (rules.closes_with_summary_and_references, change(-1, "## References\n\nNone.")),
    (rules.avoids_belittling_words, change(TEXT, "It is simply so.")),
    (rules.avoids_belittling_words, mystnb(figure={"caption": "Just look."})),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_a_good_chapter_passes(rule):
    assert rule(good_notebook()) == []


@pytest.mark.parametrize(("rule", "breach"), BREACHES, ids=lambda x: x.__name__)
def test_a_breach_is_caught(rule, breach):
    notebook = good_notebook()
    breach(notebook)
    assert rule(notebook) != []


def test_every_rule_has_a_breach():
    assert {rule for rule, _ in BREACHES} == set(rules.RULES)


def test_prose_is_without_code_formulas_and_options():
    code, formula = "```python\nx = 1\n```", "$$\na + b\n$$ (eq-x)"
    note = ":::{note}\n:class: tip\nTwo more.\n:::"
    text = f"Two words.\n\n{code}\n\n{formula}\n\n{note}"
    assert rules.prose(text).split() == ["Two", "words.", "Two", "more."]
