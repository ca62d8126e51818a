"""Every diagram keeps one contract: plain SVG, described, its parts lit by name."""

import inspect
from pathlib import Path
from xml.etree import ElementTree

import pytest
from IPython.display import HTML

from glyflib.plotting import diagrams

SVG = "{http://www.w3.org/2000/svg}"
PARTS = {
    "moves_to_gpu": [
        "files",
        "draws",
        "log",
        "data",
        "weights",
        "activations",
        "loss",
    ],
    "shared_batch": ["batch", "first", "second", "mean", "step"],
    "training_loop": ["data", "noise", "network", "guess", "difference"],
    "two_answers": ["noisy", "silent", "told", "push"],
    "two_doors": ["tokens", "attention", "mean"],
    "two_jumps": ["start", "teacher", "student", "landing"],
    "unet_parts": ["down", "bottom", "up", "skips", "level"],
    "whole_book": [*diagrams.BOOK],
    "whole_process": ["data", "noise", "forward", "reverse"],
}
# Runs in a page with one drawing: what leaves it, and texts that lie on each other.
LOOK = """() => {
  const svg = document.querySelector("svg");
  const area = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")]
    .map((e) => [e.textContent, e.getBoundingClientRect()]);
  const apart = (a, b) => a.right <= b.left || b.right <= a.left
    || a.bottom <= b.top + 4 || b.bottom <= a.top + 4;  // lines have air around them
  const found = boxes
    .filter(([, b]) => b.left < area.left || b.right > area.right
      || b.top < area.top || b.bottom > area.bottom)
    .map(([text]) => `${text} leaves the drawing`);
  boxes.forEach(([text, box], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    if (!apart(box, b)) found.push(`${text} lies on ${other}`);
  }));
  const looks = [...svg.querySelectorAll("text")].map((e) => getComputedStyle(e));
  const scale = area.width / svg.viewBox.baseVal.width;
  return {
    found,
    width: area.width,
    scroll: document.documentElement.scrollWidth - innerWidth,
    colours: [...new Set(looks.map((look) => look.fill))],
    least: Math.min(...looks.map((look) => scale * parseFloat(look.fontSize))),
  };
}"""


def drawn(name, *args):
    """The SVG of a diagram, parsed."""
    return ElementTree.fromstring(getattr(diagrams, name)(*args)._repr_html_())


def states(svg):
    """Each part of a drawing with its state."""
    parts = [group for group in svg.iter(f"{SVG}g") if group.get("data-part")]
    return {group.get("data-part"): group.get("data-state") for group in parts}


def is_diagram(function):
    """Whether it draws a diagram when it is called with nothing."""
    asked = inspect.signature(function)
    needed = [p for p in asked.parameters.values() if p.default is p.empty]
    return asked.return_annotation is HTML and not needed


def test_every_diagram_is_held_to_the_contract():
    functions = inspect.getmembers(diagrams, inspect.isfunction)
    assert [name for name, found in functions if is_diagram(found)] == [*PARTS]


@pytest.mark.parametrize("name", PARTS)
def test_a_diagram_is_described_to_those_who_do_not_see_it(name):
    svg = drawn(name)
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == svg.find(f"{SVG}title").text
    assert len(svg.get("aria-label")) > 80


@pytest.mark.parametrize("name", PARTS)
def test_any_number_of_diagrams_may_stand_on_a_page(name):
    for element in drawn(name).iter():
        assert element.get("id") is None and element.get("class") in (
            None,
            "glyf-diagram",
        )
        assert element.tag not in (f"{SVG}style", f"{SVG}script", f"{SVG}image")


@pytest.mark.parametrize("name", PARTS)
def test_its_parts_are_lit_by_name(name):
    assert states(drawn(name)) == dict.fromkeys(PARTS[name], "plain")
    for part in PARTS[name]:
        expected = dict.fromkeys(PARTS[name], "faint") | {part: "lit"}
        assert states(drawn(name, (part,))) == expected
        assert states(drawn(name, part)) == expected, "one name needs no brackets"
        assert drawn(name, (part,)).get("aria-label").endswith(f"Lit: {part}.")
    assert set(states(drawn(name, PARTS[name])).values()) == {"lit"}


@pytest.mark.parametrize("name", PARTS)
def test_an_unknown_part_is_named_with_those_that_are_known(name):
    known = ", ".join(PARTS[name])
    with pytest.raises(ValueError, match=rf"'engine'; the parts are {known}$"):
        drawn(name, (PARTS[name][0], "engine"))


@pytest.mark.parametrize("name", PARTS)
def test_a_lit_part_is_told_by_more_than_its_colour(name):
    def line(svg, part):
        (group,) = (g for g in svg.iter() if g.get("data-part") == part)
        return float(group.find(f"{SVG}rect").get("stroke-width"))

    first, second, *_ = PARTS[name]
    svg = drawn(name, (first,))
    assert line(svg, first) >= 2 * line(svg, second)


def test_the_arrows_of_a_lit_way_have_its_colour_and_the_others_do_not():
    def arrows(svg, part):
        (group,) = (g for g in svg.iter() if g.get("data-part") == part)
        _, *chain = group.iter(f"{SVG}polyline")  # the first stands in the bar
        return {line.get("stroke") for line in chain}

    svg = drawn("whole_process", "reverse")
    assert arrows(svg, "reverse") == {diagrams.PROCESS["reverse"]}
    assert arrows(svg, "forward") == {None}
    heads = {head.get("fill") for head in svg.iter(f"{SVG}polygon")}
    assert heads == {diagrams.PROCESS["reverse"], "currentColor"}


def test_the_symbols_are_those_of_the_book():
    text = "".join(drawn("training_loop").itertext())
    assert all(x in text for x in ("x0", "xt", "\u03f5", "level", "t"))
    text = "".join(drawn("whole_process").itertext())
    assert all(x in text for x in ("x0", "xt\u22121", "xt", "xT"))
    text = "".join(drawn("unet_parts").itertext())
    assert all(x in text for x in ("xt", "v", "level", "t"))


def lit_after(chapter):
    """Parts that are lit in what closes a chapter."""
    html = diagrams.everything_so_far(chapter)._repr_html_()
    found = states(ElementTree.fromstring(html))
    return [part for part, state in found.items() if state == "lit"]


def test_everything_so_far_lights_the_parts_that_lie_behind():
    assert lit_after(8) == ["data", "noise", "guess", "arrow"]
    assert lit_after(13) == [*lit_after(8), "network", "step"]
    assert lit_after(12) == lit_after(11), "a part is lit when it is through"
    assert lit_after(22) == PARTS["whole_book"]


@pytest.mark.parametrize("chapter", [0, 23])
def test_everything_so_far_names_a_chapter_that_is_none(chapter):
    with pytest.raises(ValueError, match=rf"no chapter {chapter}: .* 1 to 22"):
        diagrams.everything_so_far(chapter)


def test_each_chapter_belongs_to_one_part_of_the_book():
    spans = [range(first, last + 1) for first, last in diagrams.CHAPTERS.values()]
    covered = sorted(chapter for span in spans for chapter in span)
    assert covered == [*range(1, 23)] and [*diagrams.CHAPTERS] == [*diagrams.BOOK]
    pages = Path(__file__).parents[1].joinpath("book").glob("[0-9][0-9]_*.ipynb")
    assert {int(page.name[:2]) for page in pages} <= {0, *covered}


def test_the_whole_book_says_where_each_part_is_told():
    text = " ".join(drawn("whole_book").itertext())
    told = ("chapters 1\u20133", "chapters 4, 5", "chapter 8", "chapters 19\u201322")
    assert all(words in text for words in told)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("ink", ["rgb(20, 20, 20)", "rgb(230, 230, 230)"])
def test_it_fits_the_page_and_takes_the_colour_of_its_text(name, width, ink, open_page):
    svg = getattr(diagrams, name)()._repr_html_()
    style = f"margin: 20px; color: {ink}; font-family: sans-serif"
    page = open_page(
        f"<body style='{style}'>{svg}</body>",
        viewport={"width": width, "height": 700},
    )
    facts = page.evaluate(LOOK)
    assert facts["found"] == []
    assert facts["scroll"] <= 0 and facts["width"] <= width - 40
    assert facts["colours"] == [ink]
    assert facts["least"] >= 10, "letters of a phone have 10 pixels"
