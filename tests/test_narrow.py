"""What is set as code fits a phone: outputs, names in tables, code; words in tables."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_sphinx"))
import narrow  # an extension of the builder, no package

ROOT = Path(__file__).parents[1]
STYLES = "".join(
    (ROOT / "book" / "_static" / name).read_text("utf-8")
    for name in ("book.css", "figures.css")
)
PHONE = {"width": 390, "height": 800}
TOLD = "as new glyphs would by chance, when one counts them all: 80\n"
CODE = '<div class="{}"><div class="highlight"><pre><span></span>{}</pre></div></div>'


def printed(text):
    return CODE.format("output stream highlight-myst-ansi notranslate", text)


def code(text, language="python"):
    return CODE.format(f"highlight-{language} notranslate", text)


def table(*rows, head=("a", "b", "c")):
    """A table as pandas writes it: the first cell of a row is its name."""
    heads = "".join(f"<th>{name}</th>" for name in head)
    cells = [
        f"<tr><th>{name}</th>{''.join(f'<td>{x}</td>' for x in values)}</tr>"
        for name, *values in rows
    ]
    return (
        f'<table border="1" class="dataframe"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(cells)}</tbody></table>"
    )


def test_each_printed_line_is_an_element_and_no_letter_changes():
    body = printed("one\n\ntwo &lt; 3\n")
    found = narrow.with_lines(body)
    assert found.count('<span class="line">') == 3
    assert narrow.plain(found) == narrow.plain(body)


def test_lines_of_one_colour_stay_together():
    body = printed('<span class="ansi-red">one\ntwo</span>\n')
    assert narrow.with_lines(body) == body


@pytest.mark.parametrize(("columns", "is_wide"), [(76, False), (77, True)])
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_code_of_more_columns_than_a_cell_is_wide(columns, is_wide, language):
    found = narrow.with_wide_code(code(f"x\n{'&lt;' * columns}\n", language))
    assert ("notranslate wide" in found) == is_wide


def test_what_a_cell_prints_is_never_wide_code():
    body = printed("x" * 100)
    assert narrow.with_wide_code(body) == body


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("learning_rate", ["learning_", "rate"]),
        ("glyphs.show_all", ["glyphs.", "show_", "all"]),
        ("__call__", ["__call__"]),
        ("DPMSolverMultistepScheduler", ["DPMSolverMultistepScheduler"]),
        ("0.5", ["0.5"]),
    ],
)
def test_names_in_tables_break_at_their_joints_alone(name, pieces):
    body = f'<table class="table"><td><code><span class="pre">{name}</span></code>'
    found = narrow.with_joints(f"{body}</td></table>")
    wanted = "<wbr>".join(f'<span class="pre">{piece}</span>' for piece in pieces)
    assert f"<code>{wanted}</code>" in found
    outside = f'<p><code><span class="pre">{name}</span></code></p>'
    assert narrow.with_joints(outside) == outside


def test_columns_of_words_are_marked_with_their_heads_and_numbers_are_not():
    found = narrow.with_words(
        table(("1", "gold", "2e-15"), ("2", "silver", "nan"), ("3", "", "0 of 8"))
    )
    assert '<th>a</th><th class="words">b</th><th>c</th>' in found
    assert found.count('<td class="words">') == 3
    assert '<th class="words">1' not in found


def test_a_column_with_a_number_stays_a_column_of_numbers():
    body = table(("1", "exact", "0.5"), ("2", "0.3", "-0.5"))
    assert narrow.with_words(body) == body


def test_a_styled_table_keeps_its_classes():
    body = (
        '<table id="T_1"><thead><tr><th class="col_heading">b</th></tr></thead><tbody>'
        '<tr><td class="data row0">gold</td></tr></tbody></table>'
    )
    found = narrow.with_words(body)
    assert '<th class="words col_heading">' in found
    assert '<td class="words data row0">' in found


# ---- on a screen


def on_a_screen(open_page, inside, **viewport):
    """A page of the book's styles, on a phone unless it is told otherwise."""
    body = narrow.with_wide_code(narrow.with_lines(inside))
    return open_page(
        f"<!doctype html><html lang='en'><style>{STYLES}</style><body>"
        f"<article class='bd-article'>{body}</article></body></html>",
        viewport=PHONE | viewport,
    )


def test_what_a_cell_prints_wraps_on_a_phone_and_shows_where_a_line_goes_on(open_page):
    cell = f'<div class="cell_output">{printed(TOLD + "end: 1" + chr(10))}</div>'
    page = on_a_screen(open_page, cell)
    pre = page.locator("pre")
    assert pre.evaluate("e => e.scrollWidth <= e.clientWidth")
    rows = page.locator(".line").first.evaluate(
        """e => { const all = document.createRange(); all.selectNodeContents(e);
          return [...all.getClientRects()].map((r) => [r.y, r.x]).sort(); }"""
    )
    (top, left), (bottom, goes_on) = rows[0], rows[-1]
    assert bottom > top and goes_on > left + 5
    last = page.locator(".line").last.evaluate("e => e.getClientRects().length")
    assert last == 1
    wide = on_a_screen(open_page, cell, width=1280)
    assert wide.locator("pre").inner_text() == pre.inner_text().replace("\n\n", "\n")


@pytest.mark.parametrize("width", [390, 1280])
def test_code_that_goes_on_past_the_edge_fades_out_there(open_page, width):
    cell = f'<div class="cell_input">{code("x" * 70)}</div>'
    page = on_a_screen(open_page, cell, width=width)
    page.add_style_tag(content="pre { overflow-x: auto; }")  # as the theme has it
    faded = page.locator("pre").evaluate("e => getComputedStyle(e).maskImage")
    assert ("gradient" in faded) == (width == 390)


def test_a_table_that_goes_on_past_the_edge_fades_out_there(open_page):
    rows = [("name" * 5, "word" * 10, "more" * 10)]
    inside = f'<div class="output text_html">{table(*rows)}</div>'
    page = on_a_screen(open_page, f'<div class="cell_output">{inside}</div>')
    page.add_style_tag(content=".output { overflow-x: auto; }")
    faded = page.locator(".output").evaluate("e => getComputedStyle(e).maskImage")
    assert "gradient" in faded


def test_the_sign_of_a_heading_takes_no_line_of_a_phone(open_page):
    title = '<h2>Title<a class="headerlink" href="#x">#</a></h2>'
    page = on_a_screen(open_page, title)
    assert not page.locator("a").is_visible()
    assert on_a_screen(open_page, title, width=1280).locator("a").is_visible()


def test_a_long_name_in_the_link_to_the_next_page_wraps(open_page):
    page = on_a_screen(open_page, "")
    long = "glyflib.evaluation.recogniser"
    page.evaluate(
        """name => { document.body.innerHTML = `<style>.pre { white-space: nowrap; }
          </style><div class="prev-next-area" style="width: 150px">
          <p class="prev-next-title"><code><span class="pre">${name}</span></code></p>`;
        }""",
        long,
    )
    assert page.locator("p").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_what_a_cell_prints_keeps_its_distance_from_what_comes_next(open_page):
    after = f'<div class="output text_html">{table(("1", "x", "2"))}</div>'
    for more in (after, "<p style='margin-top: 0'>Not yet.</p>"):
        cell = f'<div class="cell_output">{printed("one")}{more}</div>'
        page = on_a_screen(open_page, cell, width=1280)
        first, second = page.locator(".cell_output > *").all()
        box, next_box = first.bounding_box(), second.bounding_box()
        assert next_box["y"] - box["y"] - box["height"] >= 12


def test_words_stand_at_the_left_and_numbers_at_the_right(open_page):
    inside = narrow.with_words(table(("1", "gold", "2"), ("2", "iron", "3")))
    cell = f'<div class="cell_output"><div class="output text_html">{inside}</div>'
    page = on_a_screen(open_page, f"{cell}</div>", width=1280)
    for row in ("thead tr", "tbody tr:first-child"):
        sides = page.locator(f"{row} :is(th, td)").evaluate_all(
            "cells => cells.map((e) => getComputedStyle(e).textAlign)"
        )
        assert sides == ["left", "left", "right"]
