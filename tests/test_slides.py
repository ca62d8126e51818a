"""Slides: what of a marked notebook stands on them, and that the decks work alone.

The rules at the end are for the book's own chapters: each that is numbered has slides,
and whatever has slides has ones that fit.
"""

import base64
import io
from pathlib import Path

import nbformat
import notebook_rules as rules
import numpy as np
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from conftest import skip_or_fail
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from glyflib.__main__ import main
from glyflib.commands import slides as command
from glyflib.commands.deck import (
    beginning,
    code_shown,
    count_shown,
    count_words,
    deck,
    sentences,
    slides_of,
)
from glyflib.interactive.frames import frame_slider

BOOK = Path(__file__).parents[1] / "book"
NUMBERED = [*BOOK.glob("[0-9][0-9]_*.ipynb")]
CHAPTERS = sorted({*NUMBERED, *filter(command.is_marked, BOOK.glob("*.ipynb"))})
LOOKED_AT = ["00_whole_thing", "04_forward_noising", "12_sampling", "17_guidance"]
FEWEST, MOST = 7, 13  # slides, the title's and the summary's among them
MOST_WORDS = 135  # that stand on one
MOST_FORMULAS = 3
MOST_LINES = 20  # of code
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsnLNpQAAAABJ"
    "RU5ErkJggg=="
)
FRAMES = frame_slider(
    [np.full((8, 8), 100 * i, np.uint8) for i in range(3)],
    ["level 0", "level 1", "level 2"],
    alt="A line",
).data


def text(source, *tags, **metadata):
    return new_markdown_cell(source, metadata={"tags": list(tags), **metadata})


def code(source, *tags, html="", png="", out="", was_run=True):
    cell = new_code_cell(source, metadata={"tags": list(tags)})
    cell.execution_count = 1 if was_run else None
    if out:
        cell.outputs.append(new_output("stream", name="stdout", text=out))
    if html:
        cell.outputs.append(new_output("display_data", {"text/html": html}))
    if png:
        cell.outputs.append(new_output("display_data", {"image/png": png}))
    return cell


CAPTION = (
    '<a id="fig-a"></a>**Figure 1.** See $x_0$. Left.\n\n'
    "<details><summary>In words …</summary>A dot &amp; a line.</details>"
)


def small(*cells):
    """A notebook of a title and some cells."""
    first = text("# On *dots*\n\nHere are dots. **What are dots?**\n\n> You are here")
    return new_notebook(cells=[first, code("import math"), *cells])


def a_chapter():
    """One slide of each kind."""
    return small(
        text(
            "## Rule\n\nMuch is said.\n\nBy a rule,\n\n$$ y = x < 1 $$ (eq-a)\n",
            "slide",
        ),
        text("**Predict, then run.** Where by [(1)](#eq-a)?\n\nLong prose.", "slide"),
        code("plot()", "slide", png=PIXEL),
        text(CAPTION),
        text("It is seen.\n\n## Next\n\nUnsaid.", "slide-note"),
        code("def f():\n    return 1", "slide"),
        text("## Film"),
        code("film()", "slide", html=FRAMES),
        text("So [it](04_forward_noising.ipynb) [is](https://x.org).", "slide-more"),
    )


def page_of(notebook, name="small"):
    return BeautifulSoup(deck(notebook, name), "html.parser")


def test_each_marked_cell_begins_a_slide_after_the_title():
    slides = slides_of(a_chapter(), "small")
    titles = [slide.title for slide in slides]
    assert titles == ["On *dots*", "Rule", "Rule", "Rule", "Next", "Film"]
    assert slides[0].parts == ["**What are dots?**"]


def test_a_formula_brings_the_sentence_that_leads_to_it_and_its_number():
    page = page_of(a_chapter())
    section = page.select("section")[1]
    assert [p.get_text() for p in section.select("p")[:1]] == ["By a rule,"]
    assert section.select_one("div.math").get_text() == "\\[y = x < 1 \\tag{1}\\]"
    assert "Much is said" in section.select_one(".notes").get_text()


def test_an_aside_in_brackets_does_not_lead_to_a_formula():
    told = "Much is said. On this line it is half of that one. (The proof comes later.)"
    cell = text(f"## Rule\n\n{told}\n\n$$ y $$ (eq-a)", "slide")
    parts = slides_of(small(cell), "small")[1].parts
    assert parts == ["On this line it is half of that one.", "$$ y $$ (eq-a)"]


def test_a_question_is_a_slide_of_its_own_before_the_answer():
    section = page_of(a_chapter()).select("section")[2]
    assert section.select_one("p").get_text() == "Predict, then run. Where by (1)?"
    assert section.select_one(".notes").get_text().strip() == "NotesLong prose."


def test_a_cell_that_tells_and_asks_makes_two_slides():
    both = "## Rule\n\nBy it,\n\n$$ y $$ (eq-a)\n\n**Predict, then run.** Where?"
    titles = [slide.parts for slide in slides_of(small(text(both, "slide")), "small")]
    assert titles[1:] == [
        ["By it,", "$$ y $$ (eq-a)"],
        ["**Predict, then run.** Where?"],
    ]


def test_a_figure_has_its_caption_and_is_told_in_words():
    section = page_of(a_chapter()).select("section")[3]
    assert section.select_one("img")["alt"] == "A dot & a line."
    caption = section.select_one("figcaption").get_text()
    assert caption == "Figure 1. See \\(x_0\\). Left."
    assert section.select_one(".notes").get_text().strip() == "NotesIt is seen."


def test_code_is_seen_only_where_nothing_else_is():
    page = page_of(a_chapter())
    assert [pre.get_text().strip() for pre in page.select("pre.code")] == [
        "def f():\n    return 1"
    ]
    printed = small(code("print(1)", "slide", out="<1>\n"))
    assert page_of(printed).select_one("figure pre").get_text() == "<1>"


def test_few_words_are_large_and_pictures_know_their_form():
    page = page_of(a_chapter())
    roomy = ["roomy" in section["class"] for section in page.select("section")]
    assert roomy == [True, True, True, False, False, False]
    assert page.select_one("figure > img")["style"] == "--ratio: 1.0000"
    assert page.select_one(".output")["style"] == "--ratio: 1.0000"


def test_a_picture_that_is_hardly_wider_than_high_has_its_caption_at_its_side():
    wide = io.BytesIO()
    Image.new("L", (30, 20)).save(wide, "PNG")
    pictures = {"high": PIXEL, "wide": base64.b64encode(wide.getvalue()).decode()}
    for name, png in pictures.items():
        with_caption = small(code("plot()", "slide", png=png), text(CAPTION))
        looks = page_of(with_caption).select_one("figure.shown")["class"]
        assert ("beside" in looks) == (name == "high"), name
    alone = page_of(small(code("plot()", "slide", png=PIXEL)))
    assert not alone.select("figure.beside")


def test_links_to_other_pages_are_words_and_others_are_links():
    last = page_of(a_chapter()).select("section")[-1]
    assert [a["href"] for a in last.select("a")] == ["https://x.org"]
    assert "So it is." in last.get_text()


def test_a_cell_can_name_the_formulas_that_it_shows():
    source = "One is\n\n$$ a $$ (eq-a)\n\nTwo is\n\n$$ b $$ (eq-b)"
    named = {"slide": {"formulas": ["eq-b"]}}
    slides = slides_of(small(text(source, "slide", **named)), "small")
    assert slides[1].parts == ["Two is", "$$ b $$ (eq-b)"]
    named["slide"]["formulas"] = ["eq-c"]
    with pytest.raises(
        ValueError, match=r"no formula 'eq-c': it has \['eq-a', 'eq-b'\]"
    ):
        slides_of(small(text(source, "slide", **named)), "small")


def test_a_list_keeps_the_beginning_of_each_item():
    first = "A first sentence that is long enough stands by itself."
    long = f"- **One.** It is one. More of it.\n- {first} Bye."
    slides = slides_of(small(text(f"## End\n\n{long}", "slide")), "small")
    assert slides[1].parts == [f"- **One.** It is one.\n- {first}"]
    assert slides[1].notes == [long]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([], "no cell of small has the tag 'slide'"),
        ([text("A.", "slide-more")], "no slide is begun: mark a cell above"),
        ([code("assert x", "slide", "remove-cell")], "is on no page"),
        ([text("## Only a heading", "slide")], "has nothing to show"),
    ],
)
def test_marks_that_make_no_slide_are_refused(cells, told):
    with pytest.raises(ValueError, match=told):
        slides_of(small(*cells), "small")


def test_notes_hold_code_and_text_up_to_a_heading_and_a_title_may_stand_alone():
    cells = [text("# Alone"), text("## A\n\n- One. Two.", "slide")]
    cells += [code("x = 1", "slide-note"), text("Told.\n\n## B\n\nNot.", "slide-note")]
    first, second = slides_of(new_notebook(cells=cells), "small")
    assert (first.title, first.parts) == ("Alone", [])
    assert second.notes == ["```python\nx = 1\n```", "Told."]


def test_a_failed_cell_is_refused():
    cell = code("1 / 0", "slide")
    cell.outputs.append(
        new_output("error", ename="ZeroDivisionError", evalue="by zero", traceback=[])
    )
    with pytest.raises(ValueError, match="failed: ZeroDivisionError: by zero"):
        deck(small(cell), "small")


def test_sentences_end_outside_brackets_and_formulas():
    told = "One is 0.5 of it. (Two. Three.) $x$ is. Ho et al. 2020 say so."
    assert sentences(told) == [
        "One is 0.5 of it.",
        "(Two. Three.)",
        "$x$ is.",
        "Ho et al. 2020 say so.",
    ]
    assert beginning(told, 6) == "One is 0.5 of it."
    assert count_words("By [(1)](#eq-a), $a + b$ is `f(x)`: it's so.") == 7


# The command.


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, ["slides", *map(str, args)])


def test_a_notebook_that_was_run_is_written_as_it_is(run):
    nbformat.write(a_chapter(), "mine.ipynb")
    before = Path("mine.ipynb").read_bytes()
    result = run("mine.ipynb", "--out", "new/decks")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("6 slides of mine written to new/decks/mine.html")
    page = Path("new/decks/mine.html").read_text("utf-8")
    assert page == deck(a_chapter(), "mine") and page.endswith("</html>\n")
    assert Path("mine.ipynb").read_bytes() == before
    assert [p.name for p in Path("new/decks").iterdir()] == ["mine.html"]


def test_a_notebook_without_outputs_is_run_first(run):
    nbformat.write(small(code("print(6 * 7)", "slide", was_run=False)), "mine.ipynb")
    result = run("mine.ipynb")
    assert result.exit_code == 0, result.output
    assert "mine is run" in result.stderr
    assert "42</pre>" in Path("slides/mine.html").read_text("utf-8")
    assert not nbformat.read("mine.ipynb", 4).cells[-1].outputs  # left as it was


def test_a_notebook_that_was_run_in_part_is_run_whole(run):
    cells = [code("x = 6", "slide", out="stale"), code("x * 7", "slide", was_run=False)]
    nbformat.write(small(*cells), "mine.ipynb")
    assert run("mine.ipynb").exit_code == 0
    page = Path("slides/mine.html").read_text("utf-8")
    assert "42</pre>" in page and "stale" not in page


def test_a_notebook_that_fails_is_one_line_and_no_file(run):
    nbformat.write(small(code("1 / 0", "slide", was_run=False)), "mine.ipynb")
    result = run("mine.ipynb")
    assert result.exit_code == 1 and "Traceback" not in result.output
    told = "Error: mine.ipynb cannot be run: ZeroDivisionError: division by zero"
    assert told in result.stderr and "JupyterLab" in result.stderr
    assert not Path("slides").exists()


def test_what_the_book_was_built_with_is_taken_if_the_code_is_the_same(tmp_path):
    source, built = a_chapter(), a_chapter()
    built.cells[4].outputs = [new_output("stream", name="stdout", text="built")]
    for cell in source.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    folder = tmp_path / command.BUILT
    folder.mkdir(parents=True)
    nbformat.write(built, folder / "one.ipynb")
    nbformat.write(source, tmp_path / "one.ipynb")
    found = command.executed(tmp_path / "one.ipynb")
    assert found.cells[4].outputs[0].text == "built"
    assert found.cells[2].metadata.tags == ["slide"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("04_forward_noise", "perhaps 04_forward_noising"),
        ("zzz", "choose from 00_whole_thing"),
        ("77", "no chapter '77'"),
        ("lost.ipynb", "no chapter 'lost.ipynb'"),
    ],
)
def test_an_unknown_chapter_is_told_with_a_way_out(run, name, told):
    result = run(name)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert told in result.stderr and not Path("slides").exists()


def test_all_is_refused_before_anything_is_run(run):
    nbformat.write(small(code("print(1)", "slide", was_run=False)), "good.ipynb")
    nbformat.write(small(), "bare.ipynb")
    result = run("good.ipynb", "bare.ipynb")
    assert result.exit_code == 1 and "no cell of bare has the tag" in result.stderr
    assert "is run" not in result.stderr and not Path("slides").exists()
    Path("text.ipynb").write_text("no notebook")
    assert "text.ipynb is no notebook" in run("text.ipynb").stderr


@pytest.mark.parametrize("name", ["4", "04", "04_forward_noising"])
def test_a_chapter_of_the_book_has_several_names(name):
    assert command.chapter_path(name) == BOOK / "04_forward_noising.ipynb"


# The book's own chapters.


def slides_that_do_not_fit(slides):
    """What is too many on one slide, or of slides."""
    found = []
    if not FEWEST <= len(slides) <= MOST:
        found.append(f"{len(slides)} slides, not {FEWEST} to {MOST}")
    for i, slide in enumerate(slides, start=1):
        formulas = sum(p.count("$$") // 2 for p in slide.parts if isinstance(p, str))
        lines = sum(source.count("\n") + 1 for source in code_shown(slide))
        if count_shown(slide) > MOST_WORDS:
            found.append(f"slide {i}: {count_shown(slide)} words")
        if formulas > MOST_FORMULAS:
            found.append(f"slide {i}: {formulas} formulas")
        if lines > MOST_LINES:
            found.append(f"slide {i}: {lines} lines of code")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_slides_that_fit(path):
    notebook = rules.without_launch_cell(nbformat.read(path, 4))
    slides = slides_of(notebook, path.stem)
    assert slides_that_do_not_fit(slides) == []
    assert slides[-1].title == "Summary"


def test_slides_that_do_not_fit_are_noticed():
    words = "word " * (MOST_WORDS + 1)
    formulas = "\n\n".join(["$$ x $$"] * (MOST_FORMULAS + 1))
    lines = "\n".join(["x = 1"] * (MOST_LINES + 1))
    bad = small(text(words, "slide"), text(formulas, "slide"), code(lines, "slide"))
    found = slides_that_do_not_fit(slides_of(bad, "small"))
    assert [x.split(":")[0] for x in found] == [
        "4 slides, not 7 to 13",
        "slide 2",
        "slide 3",
        "slide 4",
    ]


# In a browser.

LOOK = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const width = document.documentElement.clientWidth;
  const luminance = (rgb) => {
    const parts = rgb.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const contrast = (element) => {
    const style = (e) => getComputedStyle(e);
    let back = element;
    while (back.parentElement && /, 0\\)|transparent/.test(style(back).backgroundColor))
      back = back.parentElement;
    const [a, b] = [luminance(style(element).color),
      luminance(style(back).backgroundColor)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const texts = "h1, h2, p, li, td, figcaption, .code span, nav button:enabled, #place";
  return {
    raw: all(".math").filter((e) => !e.querySelector("mjx-container")).length,
    wrong: all("mjx-merror, [data-mjx-error]").length,
    spoken: all("mjx-container").filter((e) => !e.querySelector("math")).length,
    sideways: all(".slide").filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => e.id),
    tall: all(".slide").filter((e) => e.scrollHeight > e.clientHeight + 1)
      .map((e) => `${e.id} ${e.scrollHeight - e.clientHeight}`),
    cut: all("div.math").filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => e.closest(".slide").id),
    nameless: all("button, input, section, img, nav").filter((e) =>
      !(e.alt || e.ariaLabel || e.textContent.trim() || e.closest("label"))).length,
    faint: all(texts).filter((e) => e.textContent.trim() && contrast(e) < 4.5)
      .map((e) => e.outerHTML.slice(0, 80)),
    seen: all(".slide").filter((e) => e.checkVisibility({ checkVisibilityCSS: true }))
      .map((e) => e.id),
  };
}"""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture
def page(open_page):
    found = open_page(deck(a_chapter(), "small"), viewport=WIDE)
    found.evaluate("async () => { await MathJax.startup.promise; }")
    return found


def place(page):
    return page.locator("#place").inner_text()


def test_keys_turn_the_slides(page):
    assert place(page) == "1 / 6"
    for key, shown in [
        ("ArrowRight", 2),
        ("Space", 3),
        ("PageDown", 4),
        ("ArrowLeft", 3),
        ("Shift+Space", 2),
        ("End", 6),
        ("ArrowRight", 6),
        ("Home", 1),
        ("ArrowLeft", 1),
    ]:
        page.keyboard.press(key)
        assert place(page) == f"{shown} / 6", key
        assert page.evaluate(LOOK)["seen"] == [f"slide-{shown}"]


def test_buttons_turn_the_slides_and_show_notes_and_colours(page):
    page.get_by_label("Next slide").click()
    assert place(page) == "2 / 6"
    notes = page.locator("#slide-2 .notes")
    assert not notes.is_visible()
    page.get_by_role("button", name="Notes").click()
    assert notes.get_by_text("Much is said").is_visible()
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_label("Light or dark").click()
    assert page.evaluate(paper) != light
    page.keyboard.press("ArrowRight")  # from a button, too
    assert place(page) == "3 / 6"


def test_a_slider_keeps_its_keys_until_it_is_left(page):
    page.keyboard.press("End")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert (
        slider.get_attribute("aria-valuetext") == "level 1" and place(page) == "6 / 6"
    )
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert place(page) == "5 / 6"


SWIPE = """([from, to]) => {
  const touch = (x) => new Touch({
    identifier: 1, target: document.querySelector(".now"), clientX: x, clientY: 300 });
  const fire = (kind, name, x) => document.querySelector(".now").dispatchEvent(
    new TouchEvent(kind, { [name]: [touch(x)], bubbles: true }));
  fire("touchstart", "touches", from);
  fire("touchend", "changedTouches", to);
}"""


def test_swipes_turn_the_slides(open_page):
    page = open_page(deck(a_chapter(), "small"), viewport=PHONE, has_touch=True)
    for way, shown in [([300, 100], 2), ([100, 80], 2), ([100, 300], 1)]:
        page.evaluate(SWIPE, way)
        assert place(page) == f"{shown} / 6", way


def test_print_has_every_slide_on_white(page):
    page.emulate_media(media="print", color_scheme="dark")
    seen = page.evaluate(LOOK)["seen"]
    assert seen == [f"slide-{i}" for i in range(1, 7)]
    assert not page.locator("nav").is_visible()
    assert page.locator("#slide-6 figure.key").count() == 3
    breaks = "getComputedStyle(document.querySelector('#slide-2')).breakAfter"
    assert page.evaluate(breaks) == "page"
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"


def test_less_motion_is_no_motion(open_page):
    page = open_page(deck(a_chapter(), "small"), reduced_motion="reduce")
    moves = "getComputedStyle(document.querySelector('.now')).animationName"
    assert page.evaluate(moves) == "none"


def test_without_a_script_all_slides_stand_below_each_other(open_page):
    page = open_page(deck(a_chapter(), "small"), java_script_enabled=False)
    assert all(page.locator(f"#slide-{i}").is_visible() for i in range(1, 7))
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_deck_can_be_read(open_page, screen, scheme):
    page = open_page(deck(a_chapter(), "small"), viewport=screen, color_scheme=scheme)
    found = page.evaluate(LOOK)
    assert {k: v for k, v in found.items() if v and k not in ("seen", "tall")} == {}


@pytest.mark.parametrize("name", LOOKED_AT)
def test_slides_of_a_chapter_fit_a_projector_and_a_phone(name, site, open_page):
    notebook = nbformat.read(site.parent / "jupyter_execute" / f"{name}.ipynb", 4)
    if not any(cell.get("outputs") for cell in notebook.cells):
        skip_or_fail(f"{name} came from the cache: delete book/_build, and build again")
    html = deck(notebook, name)
    found = open_page(html, viewport=WIDE).evaluate(LOOK)
    assert {k: v for k, v in found.items() if v and k != "seen"} == {}
    found = open_page(html, viewport=PHONE, color_scheme="dark").evaluate(LOOK)
    assert {k: v for k, v in found.items() if v and k not in ("seen", "tall")} == {}
