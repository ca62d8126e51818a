"""What belongs together on a line of a page: numbers and their words, formulas."""

import sys
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_sphinx"))
import unbroken  # an extension of the builder, no package

PUT = "\N{NO-BREAK SPACE}"


def page(*inside):
    """A document of one paragraph, after the transform."""
    document = new_document("page")
    paragraph = nodes.paragraph()
    paragraph += [nodes.Text(x) if isinstance(x, str) else x for x in inside]
    document += paragraph
    unbroken.bind(document)
    unbroken.bind_folds(document)
    unbroken.wrap_formulas(document)
    return paragraph


def formula(text="x"):
    return nodes.math(text, text)


def link(text):
    return nodes.reference("", text)


@pytest.mark.parametrize(
    "text",
    [
        "some 12_% of it",
        "some 0.5_% of it",
        "see chapter_6 and Figure_4.2.",
        "see chapters_6 and 7",
        "as exercise_3 shows, at level_400",
        "14.2_MB and 1,024_kB in 20_ms",
        "pictures of 32_×_32 pixels",
        "by equation_(4.2)",
        "●_holds; ◐_holds with a limit; ?_not tested",
    ],
)
def test_a_number_stays_with_its_word(text):
    assert page(text.replace("_", " ")).astext() == text.replace("_", PUT)


@pytest.mark.parametrize(
    "text",
    [
        "five of 12 glyphs",
        "a chapter on noise",
        "12 millions",
        "the figure is 3",
        "Why? It is so.",
    ],
)
def test_other_spaces_stay_as_they_are(text):
    assert page(text).astext() == text


def test_a_number_in_the_next_line_of_the_source_stays_too():
    assert page("in chapter", "\n", "6, with 12", "\n", "% of it").astext() == (
        f"in chapter{PUT}6, with 12{PUT}% of it"
    )


def test_a_number_that_is_a_link_stays_with_the_word_before():
    assert page("by equation ", link("(4.2)"), ".").astext() == (
        f"by equation{PUT}(4.2)."
    )
    assert page("of chapter ", link("six")).astext() == "of chapter six"


def test_a_number_inside_of_a_link_stays_with_its_word():
    assert page("See ", link("figure 4.2"), ".").astext() == f"See figure{PUT}4.2."


def test_a_sign_stays_with_the_bold_word_after_it():
    bold = nodes.strong("", "holds")
    assert page("● ", bold, " · told").astext() == f"●{PUT}holds · told"
    assert page("Why? ", nodes.strong("", "It")).astext() == "Why? It"


def test_code_is_left_alone():
    code = nodes.literal("", "chapter 6 at 12 %")
    assert page("Put ", code, " there.").astext() == "Put chapter 6 at 12 % there."


def test_a_number_in_a_hint_stays_with_its_word():
    hint = "<details><summary>Hint</summary>See figure 8.</details>"
    found = page(nodes.raw("", hint, format="html"))
    assert found.astext() == hint.replace("figure ", f"figure{PUT}")
    other = nodes.raw("", '<p title="figure 8">x</p>', format="html")
    assert page(other).astext() == '<p title="figure 8">x</p>'


def test_a_formula_takes_the_signs_that_touch_it():
    found = page("Noise (", formula(), "), then ", formula("y"), "-axes.")
    first, second = found.findall(nodes.inline)
    assert first["classes"] == second["classes"] == [unbroken.WRAPPED]
    assert first.astext() == "(x)," and second.astext() == "y-"
    assert found.astext() == "Noise (x), then y-axes."


def test_a_formula_between_spaces_is_not_wrapped():
    found = page("Noise ", formula(), " and ", formula("y"), "\nends.")
    assert not list(found.findall(nodes.inline))
    assert found.astext() == "Noise x and y\nends."


def test_equal_signs_after_several_formulas_stay_in_order():
    found = page("", formula("a"), ", ", formula("b"), ", ", formula("c"), ".")
    assert found.astext() == "a, b, c."
    wrapped = [x.astext() for x in found.findall(nodes.inline)]
    assert wrapped == ["a,", "b,", "c."]


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [("stride = 99", True), ("stride", False), ("x = network(xt, t, captions)", False)],
)
def test_short_code_in_the_text_stays_on_a_line(text, is_kept):
    found = page("Put ", nodes.literal("", text), " there.")
    unbroken.keep_short_code(found.document)
    (code,) = found.findall(nodes.literal)
    assert (unbroken.WRAPPED in code["classes"]) == is_kept


def test_code_in_a_table_may_wrap():
    cell = nodes.entry("", nodes.paragraph("", "", nodes.literal("", "a = 1")))
    found = page(nodes.table("", cell))
    unbroken.keep_short_code(found.document)
    (code,) = found.findall(nodes.literal)
    assert code["classes"] == []
