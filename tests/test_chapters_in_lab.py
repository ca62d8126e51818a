"""Chapters in the pinned JupyterLab, as a reader sees them, before and after a run."""

import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nbformat
import notebook_rules as rules
import pytest
from conftest import skip_or_fail
from lab_server import LOADS, WAIT, open_notebook, serve_lab

ROOT = Path(__file__).parents[1]
RUN = "04_forward_noising"  # from top to bottom
OPENED = ["00_whole_thing", "09_unet", "bugs", "claims"]
LONG = 10  # times WAIT: a whole chapter on a busy machine
FIGURE = "img, canvas, svg, .glyf-frames"
# What a reader sees of each cell: nothing of a hidden one; prose without code and
# formulas, where braces are no directive.
LOOK = """() => [...document.querySelectorAll(".jp-Notebook-cell")].map((cell) => {
  cell.style.contentVisibility = "visible";  // Lab draws what is in the window only
  const is_seen = cell.checkVisibility();
  const outputs = [...cell.querySelectorAll(".jp-OutputArea-output")];
  const prose = [...cell.querySelectorAll(".jp-MarkdownOutput, .myst")]
    .concat(outputs.filter((e) => e.matches(".jp-RenderedHTMLCommon")))
    .map((e) => {
      const copy = e.cloneNode(true);
      copy.querySelectorAll("code, pre, script, style, .katex, mjx-container")
        .forEach((inner) => inner.remove());
      return copy.textContent;
    });
  return {
    is_seen,
    text: is_seen ? cell.innerText : "",
    prose: is_seen ? prose.join("\\n") : "",
    figures: cell.querySelectorAll(".jp-OutputArea-output FIGURE").length,
    errors: cell.querySelectorAll('[data-mime-type$="error"], .jp-mod-error').length,
  };
})""".replace("FIGURE", f":is({FIGURE})")
RAW = re.compile(r"\{[a-z:-]+\}|:::|\$\$|```|\((?:eq|fig|sec|ex)-[\w-]+\)")


def raw_text(seen, notebook):
    """Directives, roles and labels that are to be read as such."""
    return [
        f"cell {i}: {x}" for i, c in enumerate(seen) for x in RAW.findall(c["prose"])
    ]


def solution_cells(notebook):
    """The places of cells that belong to a solution, one list for each solution."""
    found = []
    for i, cell in rules.cells(notebook, "markdown"):
        if cell.source.startswith(rules.SOLUTION):
            count = len(rules.section_below(notebook, i))
            found.append(list(range(i + 1, i + 1 + count)))
    return found


def open_solutions(seen, notebook):
    """Cells of solutions that are seen, and other cells that are not."""
    hidden = {i for places in solution_cells(notebook) for i in places}
    wrong = [i for i, c in enumerate(seen) if c["is_seen"] == (i in hidden)]
    return [f"cell {i} is {'seen' if i in hidden else 'hidden'}" for i in wrong]


def visible_checks(seen, notebook):
    """Checks of which more is seen than the comment in their first line."""
    found = []
    for i, cell in rules.cells(notebook, "code"):
        if "remove-cell" in cell.metadata.get("tags", []):
            allowed = {cell.source.splitlines()[0], ""}
            lines = {line.strip(" •") for line in seen[i]["text"].splitlines()}
            found += [f"cell {i}: {x}" for x in lines if x not in allowed]
    return found


def open_setup(seen, notebook):
    """The setup cell's first line helps; no other line of it is seen."""
    first, second = notebook.cells[1].source.splitlines()[:2]
    text = seen[1]["text"]
    return [] if first in text and second not in text else [text]


def mute_figures(seen, notebook):
    """Captions that are not shown, or are shown without the text for the blind."""
    found = []
    for i, cell in rules.cells(notebook, "markdown"):
        if not seen[i]["is_seen"]:
            continue  # in a solution
        caption = rules.CAPTION.match(cell.source)
        text = seen[i]["text"]
        if caption and not text.startswith(f"Figure {caption[2]}."):
            found.append(f"cell {i}: {text[:40]!r} is no caption")
        if rules.IN_WORDS.search(cell.source) and "In words" not in text:
            found.append(f"cell {i}: no text in words")
    return found


BEFORE = [raw_text, open_solutions, visible_checks, open_setup, mute_figures]


def faults(seen, notebook):
    """All that is wrong with what a reader sees."""
    assert len(seen) == len(notebook.cells)
    return [fault for look in BEFORE for fault in look(seen, notebook)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address and log of the pinned JupyterLab on copies of some chapters."""
    pins = (ROOT / "requirements.txt").read_text("utf-8")
    for name in ("jupyterlab", "jupyterlab-myst"):
        pin = re.search(rf"^{name}==(.+)$", pins, re.MULTILINE)[1]
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != pin:
            skip_or_fail(f"{name} is {found}, not {pin}: run 'pip install -r ...'")
    folder = tmp_path_factory.mktemp("lab")
    for name in (RUN, *OPENED):
        shutil.copy(ROOT / "book" / f"{name}.ipynb", folder)
    with serve_lab(folder, tmp_path_factory.mktemp("home")) as address_and_log:
        yield address_and_log


@pytest.fixture
def page(browser):
    """An empty page on which all of a chapter is near enough to be drawn."""
    found = browser.new_page(viewport={"width": 1280, "height": 3000})
    found.set_default_timeout(1000 * WAIT)
    yield found
    found.close()


def look_at(page, notebook, is_done=lambda seen: True):
    """What is seen of each cell, once Lab has drawn all text; it draws bit by bit."""
    texts = [bool(cell.source) for cell in notebook.cells]
    for _ in range(LONG * WAIT):
        seen = page.evaluate(LOOK)
        is_drawn = len(seen) == len(texts) and all(
            c["prose"].strip() or cell.cell_type == "code" or not c["is_seen"]
            for c, cell in zip(seen, notebook.cells, strict=True)
        )
        if is_drawn and is_done(seen):
            break
        page.wait_for_timeout(1000)
    return seen


# How often a code cell was run so far, null while it waits; 0 of prose.
COUNTS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .map((cell) => cell.cell_type === "code" ? cell.execution_count : 0)"""


def run_all(page):
    """Run all cells, and wait until each has its number; again if none begins."""
    for _ in range(LOADS):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        for second in range(LONG * WAIT):
            counts = page.evaluate(COUNTS)
            if None not in counts:
                return
            if second == WAIT and not any(counts):
                break
            page.wait_for_timeout(1000)
    pytest.fail(f"not all cells were run: {counts}")


@pytest.mark.parametrize("name", OPENED)
def test_an_opened_chapter_has_no_fault(lab, page, name):
    notebook = nbformat.read(ROOT / "book" / f"{name}.ipynb", 4)
    open_notebook(page, lab[0], f"{name}.ipynb", lab[1])
    assert faults(look_at(page, notebook), notebook) == []


def test_a_chapter_that_was_run_has_none_and_a_click_opens_a_solution(lab, page):
    notebook = nbformat.read(ROOT / "book" / f"{RUN}.ipynb", 4)
    open_notebook(page, lab[0], f"{RUN}.ipynb", lab[1])
    assert faults(look_at(page, notebook), notebook) == []
    run_all(page)
    captions = [
        i
        for i, cell in rules.cells(notebook, "markdown")
        if rules.CAPTION.match(cell.source)
    ]

    def bare(seen):
        return [seen[i - 1]["text"] for i in captions if not seen[i - 1]["figures"]]

    seen = look_at(page, notebook, lambda seen: not bare(seen))
    assert bare(seen) == [], "each caption stands below a figure"
    assert faults(seen, notebook) == []
    assert sum(cell["errors"] for cell in seen) == 0
    page.locator(".jp-showHiddenCellsButton").first.click()
    first, *others = solution_cells(notebook)
    opened = look_at(page, notebook, lambda seen: seen[first[-1]]["is_seen"])
    checks = {
        i for i, c in enumerate(notebook.cells) if "remove-cell" in str(c.metadata)
    }
    assert all(opened[i]["text"].strip() for i in first if i not in checks)
    assert not any(opened[i]["is_seen"] for places in others for i in places)


GOOD = {"is_seen": True, "text": "Figure 1.", "prose": "So.", "figures": 0, "errors": 0}


@pytest.mark.parametrize(
    ("look", "place", "change"),
    [
        (raw_text, 0, {"prose": "As {cite:p} says."}),
        (raw_text, 0, {"prose": ":::{admonition}"}),
        (raw_text, 0, {"prose": "By (eq-one)."}),
        (open_solutions, 4, {"is_seen": True}),
        (open_solutions, 0, {"is_seen": False}),
        (visible_checks, 5, {"text": "# A check.\nassert x"}),
        (open_setup, 1, {"text": "# Help.\nimport torch"}),
        (open_setup, 1, {"text": ""}),
        (mute_figures, 2, {"text": ""}),
        (mute_figures, 2, {"text": "Figure 1. Notice it."}),
    ],
)
def test_a_fault_is_caught(look, place, change):
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    words = "\n\n<details><summary>In words …</summary>A line.</details>"
    caption = '<a id="fig-one"></a>**Figure 1.** Notice it.' + words
    found = [md("# One"), code("# Help.\nimport torch"), md(caption)]
    found += [md(rules.SOLUTION), code("x"), md("## Two")]
    found[5:5] = [code("# A check.\nassert x", metadata={"tags": ["remove-cell"]})]
    notebook = nbformat.v4.new_notebook(cells=found)
    texts = ["One", "# Help. •••", "Figure 1. Notice it.\nIn words …", "Solution"]
    texts += ["", "", "Two"]
    seen = [GOOD | {"text": text, "is_seen": bool(text)} for text in texts]
    assert look(seen, notebook) == []
    seen[place] = seen[place] | change
    assert look(seen, notebook) != []
