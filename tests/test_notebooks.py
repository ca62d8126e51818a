"""Every chapter keeps the rules of the house, and every rule can catch a breach."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import lesson_rules as lessons
import nbformat
import notebook_rules as rules
import numpy as np
import pandas as pd
import pytest
import sources
import torch
import yaml
from conftest import skip_or_fail
from IPython.core.interactiveshell import InteractiveShell

from glyflib.interactive.frames import frame_slider
from glyflib.lessons.question import Verdict

BOOK = Path(__file__).parents[1] / "book"
CHAPTERS = sorted(BOOK.glob("*.ipynb"))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter(path, rule):
    assert rule(rules.without_launch_cell(nbformat.read(path, 4))) == []


@pytest.mark.parametrize("rule", lessons.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_lesson(path, rule):
    assert rule(rules.without_launch_cell(nbformat.read(path, 4))) == []


def executed(name: str, site: Path) -> nbformat.NotebookNode:
    """A chapter as the builder ran it; of one from its cache it writes no outputs."""
    notebook = nbformat.read(site.parent / "jupyter_execute" / name, 4)
    if not any(cell.get("outputs") for cell in notebook.cells):
        skip_or_fail(f"{name} came from the cache: delete book/_build, and build again")
    return notebook


@pytest.mark.parametrize("rule", lessons.OUTPUT_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_lesson_shows(path, rule, site):
    assert rule(executed(path.name, site)) == []


def misformatted(folder: Path, columns: int, *names: str) -> str:
    """What ruff would format in notebooks whose lines have so many columns."""
    command = [sys.executable, "-m", "ruff", "format", "--check", "--no-cache"]
    settings = ["--config", str(BOOK.parent / "pyproject.toml")]
    width = ["--line-length", str(columns)]
    done = subprocess.run(
        [*command, *settings, *width, *names],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""


def test_code_is_formatted_for_the_width_of_a_page():
    names = [path.name for path in CHAPTERS]
    assert misformatted(BOOK, lessons.MAX_COLUMNS, *names) == ""


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


def test_the_contents_name_the_parts_as_the_strips_of_chapters_do():
    parts = yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8"))["parts"]
    named = [part["caption"].lower() for part in parts if part["caption"][-1] == "?"]
    short = [name.replace("diffusion models", "they") for name in named]
    assert tuple(short) == lessons.QUESTIONS


@pytest.mark.parametrize("name", ["_toc.yml", "_config.yml"])
def test_the_book_sees_the_settings_of_the_top_level(name):
    assert (BOOK / name).read_text("utf-8") == (BOOK.parent / name).read_text("utf-8")


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.md")), ids=lambda p: p.stem)
def test_pages_avoid_belittling_words(path):
    text = rules.prose(path.read_text("utf-8"))
    assert rules.BANNED.findall(text) == []


def test_links_to_equations_of_other_chapters_have_their_numbers():
    """The number that JupyterLab shows there; the page puts its own in its place."""
    found = []
    for path in CHAPTERS:
        for _, cell in rules.cells(nbformat.read(path, 4), "markdown"):
            for number, chapter, name, label in rules.CHAPTER_LINK.findall(cell.source):
                known = rules.numbers(nbformat.read(BOOK / name, 4))
                if known.get(label) != int(number) or int(name[:2]) != int(chapter):
                    found.append(f"{path.name}: {label} is {known.get(label)}")
    assert found == []


def test_links_to_equations_of_other_chapters_are_of_one_form():
    for path in CHAPTERS:
        for _, cell in rules.cells(nbformat.read(path, 4), "markdown"):
            links = re.findall(r"\[[^\[\]]*\]\(\S+\.ipynb#[^)]*\)", cell.source)
            wrong = [link for link in links if "#eq-" in link]
            wrong = [link for link in wrong if not rules.CHAPTER_LINK.fullmatch(link)]
            assert wrong == [], path.name


SETUP = (
    "# No glyflib? Run pip install -r requirements.txt\n"
    "import torch\nfrom glyflib.plotting.base import plot_images"
)
FOLDED = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
CHECKED = {"tags": ["remove-cell"], "jupyter": {"source_hidden": True}}
COLLAPSED = {"jp-MarkdownHeadingCollapsed": True}
IN_WORDS = "<details><summary>In words …</summary>{}</details>"
ALT = IN_WORDS.format("A line climbs from the lower left to the upper right.")
CAPTION = '<a id="fig-one"></a>**Figure 1.** Notice it.\n\n'
HO = sources.sources()["ho2020denoising"]


STRIP = """> **You are here** · What do they learn? → **How and why do they work?** →
> What are they good for? You need a little Python. About twenty minutes."""
HINT = "<details><summary>Hint</summary>\n\nThink of *one*.\n\n</details>"
ASKED = 'answer = None  # your number\nexercises.check("{}", answer)'


@pytest.fixture(autouse=True)
def two_questions(monkeypatch, request):
    """The names that the made-up chapter asks for; real ones have the book's."""
    if request.function is not test_a_lesson:
        two = {"one": 1, "two-a": 2}
        monkeypatch.setattr(lessons, "known_questions", lambda: two)


def good_notebook() -> nbformat.NotebookNode:
    """A made-up chapter that keeps every rule."""
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    found = [
        md(f"# One\n\n{STRIP}"),
        code(SETUP, metadata=FOLDED),
        md("$$ x $$ (eq-one)"),
    ]
    found += [code("plot_images(x)"), md(CAPTION + ALT)]
    found += [md("In [figure 1](#fig-one), [(1)](#eq-one): `{a}`, $just$ a letter.")]
    found += [code("# A check.\nassert x", metadata=CHECKED)]
    found += [md(f"So [{HO.name_in_text}]({HO.address}).")]
    for i, cell in enumerate(found):
        cell.id = f"cell-{i}"
    for i, name in enumerate(("one", "two-a"), start=1):
        label = f"ex-{name[:3]}"
        exercise = md(f"### Exercise {i}\n\nDo.\n\n{HINT}", id=label)
        asked = code(ASKED.format(name), id=f"{label}-asked")
        solution = md(rules.SOLUTION, id=f"{label}-solution", metadata=COLLAPSED)
        answer = code(f'exercises.check("{name}", {i})', id=f"{label}-code")
        found += [exercise, asked, solution, md("So.", id=f"{label}-answer"), answer]
    found += [md("## Summary\n\n- a\n- b\n- c", id="summary")]
    found += [md(f"## References\n\n{HO.entry}", id="references")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=found, metadata={"kernelspec": kernel})


def change(place: int, text: str, **metadata):
    """A breach: other source, and other metadata, in one cell of the good notebook."""

    def breach(notebook):
        notebook.cells[place].source = text
        notebook.cells[place].metadata.update(metadata)

    return breach


def without(place: int):
    """A breach: a cell of the good notebook is gone."""
    return lambda notebook: notebook.cells.pop(place)


MAINTAINERS = (
    "from glyflib import data, studies",
    "from glyflib.studies.common import shipped",
    "from glyflib.making import map as umap",
)
BY_KEY = "from glyflib.lessons.stored import load_results"
# Cells of the good notebook: its figure, caption, prose, check, citation, exercise.
FIGURE, BELOW, TEXT, CHECK, CITED, EXERCISE = range(3, 9)
ASKS, SOLUTION, CODE = EXERCISE + 1, EXERCISE + 2, EXERCISE + 4
MARKDOWN_CAPTION = {"figure": {"name": "fig-one", "caption": "Unseen in Lab."}}
CITED_WRONG = f"So [Ho et al. 2021]({HO.address})."
CITED_ELSEWHERE = f"So [{HO.name}](https://example.org)."
CITED_UNLISTED = "So [Chen 2023](https://doi.org/10.48550/arXiv.2301.10972)."
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
    (rules.imports_in_the_second_cell_only, change(CODE, "import os")),
    (rules.imports_in_the_second_cell_only, change(1, "x = 1")),
    (rules.imports_what_is_for_chapters_only, change(1, "import glyflib.commands")),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[0])),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[1])),
    (rules.imports_what_is_for_chapters_only, change(1, MAINTAINERS[2])),
    (rules.loads_results_by_name, change(1, "import glyflib.lessons.stored")),
    (rules.loads_results_by_name, change(1, "from glyflib.lessons import stored")),
    (rules.loads_results_by_name, change(1, BY_KEY)),
    (rules.is_plain_python, change(CODE, "!pip install torch")),
    (rules.has_ascii_code, change(CODE, "\u03b1 = 1")),
    (rules.cuts_captions_at_words, change(CODE, "x = captions[0][:20]")),
    (rules.has_ascii_code, change(CODE, "x = 1  # naïve")),
    (rules.has_known_tags_only, change(CODE, "x", tags=["skip-execution"])),
    (rules.has_captions_and_alt_text, change(CODE, "plot_images(x)")),
    (rules.has_captions_and_alt_text, without(BELOW)),
    (rules.has_captions_and_alt_text, without(FIGURE)),
    (rules.has_captions_and_alt_text, change(BELOW, CAPTION)),
    (
        rules.has_captions_and_alt_text,
        change(BELOW, CAPTION + IN_WORDS.format("A line.")),
    ),
    (rules.has_captions_and_alt_text, change(BELOW, "**Figure 1.** No name." + ALT)),
    (
        rules.has_captions_and_alt_text,
        change(BELOW, CAPTION.replace("Figure 1", "One") + ALT),
    ),
    (
        rules.has_captions_and_alt_text,
        change(FIGURE, "plot_images(x)", mystnb=MARKDOWN_CAPTION),
    ),
    (
        rules.counts_figures_and_equations,
        change(BELOW, CAPTION.replace("Figure 1", "Figure 2") + ALT),
    ),
    (rules.counts_figures_and_equations, change(TEXT, "In [figure 2](#fig-one).")),
    (rules.counts_figures_and_equations, change(TEXT, "By [(2)](#eq-one).")),
    (rules.counts_figures_and_equations, change(TEXT, "$$ y $$\n\nBy [(1)](#eq-two).")),
    (rules.counts_figures_and_equations, change(TEXT, "In [the figure](#fig-one).")),
    (rules.counts_figures_and_equations, change(TEXT, "The dots of figure 1.")),
    (rules.counts_figures_and_equations, change(0, "# One\n\n$$ y $$")),
    (rules.has_no_raw_directives, change(TEXT, ":::{admonition} Note\nText.\n:::")),
    (rules.has_no_raw_directives, change(TEXT, "```{literalinclude} a.py\n```")),
    (rules.has_no_raw_directives, change(TEXT, "As {cite:p}`ho2020denoising` say.")),
    (rules.has_no_raw_directives, change(TEXT, "(sec-one)=\n## One")),
    (rules.folds_in_lab_as_on_the_page, change(CODE, "x", tags=["hide-input"])),
    (rules.folds_in_lab_as_on_the_page, change(CODE, "x", tags=["hide-output"])),
    (rules.folds_in_lab_as_on_the_page, change(CODE, "x", tags=["remove-cell"])),
    (rules.folds_in_lab_as_on_the_page, change(CODE, "x", jupyter=FOLDED["jupyter"])),
    (rules.says_what_a_check_is, change(CHECK, "assert x")),
    (rules.says_what_to_do_without_glyflib, change(1, "import torch")),
    (rules.says_what_to_do_without_glyflib, change(1, SETUP, tags=[])),
    (rules.has_paired_exercises, change(EXERCISE, "### Exercise 2\n\nDo.")),
    (rules.has_paired_exercises, change(EXERCISE, "No exercise, but its solution.")),
    (rules.has_paired_exercises, without(SOLUTION)),
    (rules.has_paired_exercises, without(CODE)),
    (rules.has_paired_exercises, lambda nb: nb.cells[EXERCISE].update(id="one")),
    (rules.hides_solutions, change(SOLUTION, rules.SOLUTION + "\n\nSo.")),
    (rules.hides_solutions, change(TEXT, "### Solution")),
    (rules.hides_solutions, lambda nb: nb.cells[SOLUTION].metadata.clear()),
    (rules.closes_with_summary_and_references, change(-2, "## Summary\n")),
    (rules.closes_with_summary_and_references, change(-1, "## References\n\nNone.")),
    (rules.cites_as_the_bibliography_has_it, change(TEXT, CITED_WRONG)),
    (rules.cites_as_the_bibliography_has_it, change(TEXT, CITED_ELSEWHERE)),
    (rules.cites_as_the_bibliography_has_it, change(TEXT, CITED_UNLISTED)),
    (rules.cites_as_the_bibliography_has_it, change(-1, "## References\n\n- [a](b)")),
    (rules.cites_as_the_bibliography_has_it, without(CITED)),
    (rules.avoids_belittling_words, change(TEXT, "It is simply so.")),
    (rules.avoids_belittling_words, change(BELOW, f"{CAPTION}Just look.")),
]


LONG = "x = " + 10 * "1234567"
STRIPS = {
    "none": "# One",
    "nothing lit": f"# One\n\n{STRIP}".replace("**H", "H").replace("?**", "?"),
    "two lit": f"# One\n\n{STRIP}".replace("What are they good for?", "**Start**"),
    "another question": f"# One\n\n{STRIP}".replace("What do they learn?", "What?"),
    "no needs": f"# One\n\n{STRIP}".replace("You need a little Python.", ""),
    "no time": f"# One\n\n{STRIP}".replace("twenty minutes", "so long"),
}
PUZZLES = [
    "a, b = f(), g()",
    "for x in y:\n    [a, b] = x, 1",
    "x = (y := 2)",
    "f(lambda x: x)",
    "x, y = zip(*pairs)",
    "x = [[a for a in b] for b in c]",
    "x = [a for b in c for a in b]",
    "f([a for a in b], {c for c in d})",
]
FOLDS = [
    "<details><summary>Hint</summary>\n\nThe $x_0$.\n\n</details>",
    "<details><summary>Hint</summary>The `x0`.</details>",
    "<details><summary>What you should see</summary>*One*.</details>",
    "<details><summary>Hint</summary>See [there](#fig-one).</details>",
]
EMPTY_HINT = "<details><summary>Hint</summary>\n</details>"
RAW_ENDS = ["(x, y)", "x, y", "[x]", "{x: y}", "[x for x in y]"]
ANSWERED = 'answer = 1\nexercises.check("one", answer)'
LESSON_BREACHES = [
    (lessons.fits_into_76_columns, change(CODE, f"{LONG}  # 1")),
    (lessons.fits_into_76_columns, change(CODE, f'x = "{36 * "锂"}"')),
    (lessons.fits_into_76_columns, change(TEXT, f"```python\n{LONG}  # 1\n```")),
    *((lessons.does_one_thing_a_statement, change(CODE, code)) for code in PUZZLES),
    *((lessons.ends_in_no_raw_container, change(CODE, code)) for code in RAW_ENDS),
    (lessons.has_a_hint_for_each_exercise, change(EXERCISE, "### Exercise 1\n\nDo.")),
    (
        lessons.has_a_hint_for_each_exercise,
        change(EXERCISE, f"### Exercise 1\n\n{EMPTY_HINT}"),
    ),
    *((lessons.shows_no_markup_in_folds, change(TEXT, fold)) for fold in FOLDS),
    (lessons.checks_answers_that_are_awaited, change(ASKS, "answer = None")),
    (lessons.checks_answers_that_are_awaited, change(ASKS, ANSWERED)),
    (
        lessons.checks_answers_that_are_awaited,
        change(ASKS, ASKED.format("one").replace(", answer", ", None")),
    ),
    (lessons.checks_answers_that_are_awaited, change(ASKS, ASKED.format("two-a"))),
    (lessons.checks_answers_that_are_awaited, change(CODE, "x = 1")),
    (
        lessons.checks_answers_that_are_awaited,
        change(CODE, 'exercises.check("one" + "", 1)'),
    ),
    (lessons.checks_answers_that_are_awaited, change(CHECK, ASKED.format("one"))),
    (
        lessons.checks_answers_that_are_awaited,
        lambda nb: [
            cell.update(source=cell.source.replace('"one"', '"one-more"'))
            for cell in nb.cells
        ],
    ),
    (
        lessons.checks_answers_that_are_awaited,
        lambda nb: nb.cells[EXERCISE].update(id="ex-zero"),
    ),
    *((lessons.says_where_the_reader_is, change(0, text)) for text in STRIPS.values()),
]
FINE = [
    "a, b = b, a",
    "a, b = f()",
    "for a, b in zip(c, d):\n    e = [x for x in a]\n    g = [x for x in b]",
    f"{LONG} #",
    "x = (1, 2)",
    "f(x)",
]


@pytest.mark.parametrize("source", FINE)
@pytest.mark.parametrize("rule", lessons.RULES, ids=lambda rule: rule.__name__)
def test_plain_code_is_no_puzzle(rule, source):
    notebook = good_notebook()
    notebook.cells[FIGURE].source = source
    assert rule(notebook) == []


@pytest.mark.parametrize(
    "rule", [*rules.RULES, *lessons.RULES], ids=lambda rule: rule.__name__
)
def test_a_good_chapter_passes(rule):
    assert rule(good_notebook()) == []


@pytest.mark.parametrize(
    ("rule", "breach"), [*BREACHES, *LESSON_BREACHES], ids=lambda x: x.__name__
)
def test_a_breach_is_caught(rule, breach):
    notebook = good_notebook()
    breach(notebook)
    assert rule(notebook) != []


def test_badly_formatted_code_is_caught(tmp_path):
    fits = f"print({', '.join(['1234567'] * 7)}, 12345)"
    wide = fits.replace("print", "print_all")
    for name, source in {"fits": fits, "wide": wide, "odd": "x = {'a':1}"}.items():
        notebook = good_notebook()
        notebook.cells[CODE].source = source
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    assert len(fits) <= 76 < len(wide) <= 88
    assert misformatted(tmp_path, 76, "fits.ipynb") == ""
    found = misformatted(tmp_path, 76, "fits.ipynb", "wide.ipynb", "odd.ipynb")
    assert "wide" in found and "odd" in found and "fits" not in found


def test_every_rule_has_a_breach():
    assert {rule for rule, _ in BREACHES} == set(rules.RULES)
    assert {rule for rule, _ in LESSON_BREACHES} == set(lessons.RULES)


RIGHT, NOT_YET = Verdict(True, "**Right.** So."), Verdict(False, "**Not yet.** Try.")
TABLE = pd.DataFrame({"calls": [5, 20]}, index=["DDIM", "DDPM"])
NAMED = TABLE.rename_axis(columns="sampler")


def result(value) -> nbformat.NotebookNode:
    """The output of a cell that ends in a value, as the kernel makes it."""
    data, _ = InteractiveShell.instance().display_formatter.format(value)
    return nbformat.v4.new_output("execute_result", data)


def printed(text: str) -> nbformat.NotebookNode:
    """The output of a cell that prints a text."""
    return nbformat.v4.new_output("stream", text=f"{text}\n")


def executed_notebook() -> nbformat.NotebookNode:
    """The made-up chapter, run: it keeps every rule about outputs."""
    notebook = good_notebook()
    shown = {
        FIGURE: printed("0.40 of the pixels are ink (of 1,024)"),
        CHECK: result((1, 2)),
        ASKS: NOT_YET,
        ASKS + 5: NOT_YET,
        CODE: RIGHT,
        CODE + 5: RIGHT,
    }
    for place, value in shown.items():
        output = value if isinstance(value, dict) else result(value)
        notebook.cells[place].outputs = [output]
    return notebook


@pytest.mark.parametrize("rule", lessons.OUTPUT_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("value", [None, 0.4, "text", NAMED, TABLE.style.hide()])
def test_a_good_output_passes(rule, value):
    notebook = executed_notebook()
    notebook.cells[FIGURE].outputs += [] if value is None else [result(value)]
    assert rule(notebook) == []


RAW = [
    (1, 2),
    [1],
    {1: 2},
    {1, 2},
    np.ones(2),
    np.float64(1),
    torch.ones(2),
    torch.ones(2, 2).shape,
    torch.nn.Parameter(torch.ones(2)),
    range(3),
    {}.keys(),
    frozenset({1}),
    zip([1], [2], strict=True),
    Counter("aab"),
    nbformat.v4.new_notebook(),
]


@pytest.mark.parametrize("value", RAW, ids=lambda value: type(value).__name__)
def test_a_raw_output_is_caught(value):
    notebook = executed_notebook()
    notebook.cells[FIGURE].outputs = [result(value)]
    assert lessons.shows_no_raw_container(notebook) != []


@pytest.mark.parametrize("value", [*RAW[:3], np.ones((2, 2)), torch.ones(1)], ids=repr)
def test_a_raw_print_is_caught(value):
    notebook = executed_notebook()
    notebook.cells[FIGURE].outputs = [printed(f"A sentence first.\n{value}")]
    assert lessons.shows_no_raw_container(notebook) != []


@pytest.mark.parametrize("table", [TABLE, TABLE.rename_axis("sampler"), TABLE.style])
def test_an_empty_header_cell_is_caught(table):
    notebook = executed_notebook()
    notebook.cells[FIGURE].outputs = [result(table)]
    assert lessons.names_every_row_and_column(notebook) != []


@pytest.mark.parametrize("form", ["t = {}", "level {}"])
def test_a_slider_on_which_noise_shrinks_is_caught(form):
    notebook = executed_notebook()
    frames = [np.zeros((4, 4), np.uint8)] * 3

    def found(levels):
        slider = frame_slider(frames, [form.format(t) for t in levels], alt="Grey")
        notebook.cells[FIGURE].outputs = [result(slider)]
        return lessons.grows_noise_to_the_right(notebook)

    assert found([0, 10, 100]) == [] != found([100, 10, 0])


@pytest.mark.parametrize(
    ("place", "value"), [(ASKS, RIGHT), (CODE, NOT_YET), (CODE, None), (ASKS, None)]
)
def test_a_wrong_verdict_is_caught(place, value):
    notebook = executed_notebook()
    notebook.cells[place].outputs = [] if value is None else [result(value)]
    assert lessons.says_right_in_solutions_only(notebook) != []


def test_prose_is_without_code_formulas_and_options():
    code, formula = "```python\nx = 1\n```", "$$\na + b\n$$ (eq-x)"
    note = ":::{note}\n:class: tip\nTwo more.\n:::"
    text = f"Two words.\n\n{code}\n\n{formula}\n\n{note}"
    assert rules.prose(text).split() == ["Two", "words.", "Two", "more."]
