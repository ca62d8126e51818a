"""What a page of the site has beyond its notebook: head, cards, light weight, links.

One small book is built with the settings of the real one, as if it were public.
"""

import base64
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from myst_nb.ext.execution_tables import make_stat_table
from PIL import Image
from test_search import SEARCH

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_sphinx"))
import apart  # noqa: E402
import cards  # noqa: E402
import heads  # noqa: E402
import landing  # noqa: E402
import slim  # noqa: E402

source = importlib.util.spec_from_file_location("launch", ROOT / "book" / "launch.py")
launch = importlib.util.module_from_spec(source)
source.loader.exec_module(launch)

URL = "https://github.com/someone/some-book"
SITE = "https://someone.github.io/some-book/"
OURS = ("apart", "cards", "heads", "homes", "landing", "slim")
INDEX = """# Small

This book is so small that its first page says all there is to say about it.

```{install-here}
```
"""
GLOSSARY = """# Glossary

Words of the small book.

```{glossary}
noise
  What is added. [One](one.ipynb)

noise level
  How *far* `t` has come: $t < T$, after {term}`noise`. [One](one.ipynb)

score
  An arrow. [Two](two.ipynb)
```
"""
ONE = """# One

> **You are here** · and this strip is no description of the page, however long it is.

The first sentence tells of **noise** and of the **noise level**, which live here.

**What is it that a page is about?**

A score is an everyday word here. And $x$ is a formula."""
TWO = """# Two

In `noise level` and in [a noise level](one.ipynb) it stays. At other **noise
levels** it does not; a noise level is a noise level, and noise is noise.

## A noise level in a heading

The **score** lives here.

## References

- [Ho et al. 2020](https://arxiv.org/abs/2006.11239): *Denoising*, of noise.

"""
CITES = "So say [Ho et al. (2020)](https://arxiv.org/abs/2006.11239)."


def png(side):
    """A grey picture of noise, as PNG in base64: it does not get smaller."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def output(cell_id, kind, data):
    """A code cell that was run and shows something."""
    shown = nbformat.v4.new_output("display_data", {kind: data})
    return nbformat.v4.new_code_cell("show()", id=cell_id, outputs=[shown])


def notebook(*cells):
    language = {"name": "python", "pygments_lexer": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": language})


def chapters():
    """Two chapters: of heavy outputs, and of words."""
    md = nbformat.v4.new_markdown_cell
    big, small = (
        f'<img src="data:image/png;base64,{png(n)}" alt="N">' for n in (90, 9)
    )
    drawn = f'<div id="map">Wait.</div><script>"{"x" * apart.MIN_SCRIPT}"; ' + (
        'document.getElementById("map").textContent = "Here.";</script>'
    )
    far = '<div style="height: 4000px">A long way.</div>'
    one = [
        md(ONE, id="title"),
        output("plain", "image/png", png(60)),
        output("pictures", "text/html", big + small),
        output("long", "text/html", far),
        output("map", "text/html", drawn),
    ]
    return {"one": one, "two": [md(TWO + CITES, id="title")]}


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Folder of the built site."""
    root = tmp_path_factory.mktemp("root")
    book = root / "book"
    book.mkdir()
    for name in ("_sphinx", "_static"):
        shutil.copytree(ROOT / "book" / name, book / name)
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    ours = settings["sphinx"]["local_extensions"]
    sphinx = {"local_extensions": {name: ours[name] for name in OURS}}
    config = {
        "title": "Small",
        "execute": {"execute_notebooks": "off"},
        "parse": settings["parse"],
        "html": {"baseurl": "", "use_repository_button": False},
        "sphinx": sphinx,
    }
    (root / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    files = [{"file": name} for name in ("one", "two", "glossary")]
    toc = {"format": "jb-book", "root": "index", "chapters": files}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    (book / "index.md").write_text(INDEX, "utf-8")
    (book / "glossary.md").write_text(GLOSSARY, "utf-8")
    for name, cells in chapters().items():
        nbformat.write(notebook(*cells), book / f"{name}.ipynb")
    launch.add_launch_buttons(root, URL)
    shutil.copy(root / "_config.yml", book)
    command = [shutil.which("jupyter-book"), "build", book, "-W", "-n"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return book / "_build" / "html"


@pytest.fixture(scope="module")
def pages(html):
    return {
        path.stem: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in html.glob("*.html")
    }


def meta(page, name):
    """What a page's head says under a name; each name stands there once."""
    (tag,) = page.select(f'meta[name="{name}"], meta[property="{name}"]')
    return tag["content"]


# ---- heads


def test_a_description_is_the_question_and_the_first_sentences(pages):
    told = meta(pages["one"], "description")
    assert told == (
        "What is it that a page is about? The first sentence tells of noise and of the "
        "noise level, which live here."
    )
    assert meta(pages["one"], "og:description") == told
    assert meta(pages["one"], "og:title") == "One"


def test_a_page_names_itself_its_picture_and_its_site(html, pages):
    page = pages["two"]
    assert page.select_one("link[rel=canonical]")["href"] == f"{SITE}two.html"
    assert meta(page, "og:url") == f"{SITE}two.html"
    assert meta(page, "og:site_name") == "Small"
    picture = meta(page, "og:image")
    assert (html / picture.removeprefix(SITE)).is_file()
    assert meta(pages["index"], "og:type") == "website"


def test_the_map_of_the_site_has_every_page(html, pages):
    text = (html / "sitemap.xml").read_text("utf-8")
    found = re.findall("<loc>(.*?)</loc>", text)
    assert found == [f"{SITE}{n}.html" for n in ("glossary", "index", "one", "two")]


def test_a_long_text_is_cut_after_a_word():
    text = "word " * 50
    cut = heads.shortened(text)
    assert len(cut) <= heads.LONGEST and cut.endswith("word…")
    assert heads.shortened("short") == "short"


# ---- how to get the book


def test_the_first_page_tells_how_to_get_the_book(pages):
    article = pages["index"].article
    commands = article.pre.text.splitlines()
    assert commands[0] == f"git clone --depth 1 {URL} {launch.FOLDER}"
    assert commands[1:3] == [
        f"cd {launch.FOLDER}",
        "pip install -r requirements.txt",
    ]
    assert article.select_one(f'a[href="{URL}"]').text == "the repository"
    assert (ROOT / "requirements.txt").is_file()
    assert (ROOT / commands[3].removeprefix("jupyter lab ")).is_file()


# ---- cards


def test_the_table_of_times_tells_in_words_how_a_page_ended():
    run = {"mtime": 1, "method": "cache", "runtime": 1.5, "error": None}
    ran = {"exec_data": run | {"succeeded": True}}
    failed = {"exec_data": run | {"succeeded": False, "error": "No such file"}}
    table = make_stat_table("index", {"one": ran, "two": failed})
    landing.tell_in_words(table, {"one": "The first page"})
    ends = [row[-1].astext() for row in table.findall(nodes.row)]
    assert ends == ["Status", "ran", "failed"]
    (mark,) = table.findall(nodes.abbreviation)
    assert mark["explanation"] == "No such file"


def test_the_table_of_times_has_titles_of_pages_and_days_in_one_piece():
    run = {"mtime": 1, "method": "cache", "runtime": 1.5, "error": None}
    ran = {"exec_data": run | {"succeeded": True}}
    table = make_stat_table("index", {"one": ran, "two": ran})
    landing.tell_in_words(table, {"one": "The first page"})
    rows = [[entry.astext() for entry in row] for row in table.findall(nodes.row)]
    assert [row[0] for row in rows] == ["Document", "The first page", "two"]
    days = [row[1][0]["classes"] for row in table.findall(nodes.row)]
    assert days == [[], ["unbroken"], ["unbroken"]]


def test_the_first_use_of_a_term_leads_to_its_entry_and_no_other(pages):
    links = pages["two"].select("a.glyf-term")
    assert [link.text for link in links] == ["noise\nlevels", "noise"]
    assert links[0]["href"] == "glossary.html#term-noise-level"
    assert pages["glossary"].select("#term-noise-level")


def test_no_term_is_linked_in_the_title_of_a_work():
    pattern = cards.pattern("inception score")
    terms = {"inception score": cards.Term("term-a", "one", "A mark.", pattern)}
    title = nodes.paragraph("", "An inception score.")
    page = nodes.section("", nodes.title("", "Works"), nodes.citation("", title))
    assert cards.link_first_uses(page, terms, "glossary.html") == set()


def test_no_term_is_linked_before_its_home_or_in_it(pages):
    assert pages["one"].select("a.glyf-term") == []


def test_the_page_has_the_cards_that_it_needs(pages):
    found = json.loads(pages["two"].select_one("script#glyf-cards").text)
    assert found == {
        "term-noise-level": "How <em>far</em> <code>t</code> has come: <span "
        'class="math">\\(t &lt; T\\)</span>, after noise.',
        "term-noise": "What is added.",
    }
    assert pages["one"].select("script#glyf-cards") == []


@pytest.mark.parametrize(
    ("term", "text", "is_there"),
    [
        ("ODE", "two ODEs", True),
        ("ODE", "a node, an ode", False),
        ("Gaussian", "gaussians", True),
        ("noise level", "noise\nlevels", True),
        ("noise level", "noise-level", False),
        ("DPM-Solver++", "with DPM-Solver++.", True),
        ("Bayes' rule", "by Bayes’ rule", True),
    ],
)
def test_a_term_is_a_word_of_its_own(term, text, is_there):
    assert bool(cards.pattern(term).search(text)) == is_there


@pytest.fixture
def two(browser, html):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((html / "two.html").as_uri())
    yield page
    page.close()


CARD = "#glyf-card:not([hidden])"


def test_a_card_shows_on_hover_and_goes_with_escape(two):
    two.locator("a.glyf-term").first.hover()
    card = two.locator(CARD)
    card.wait_for()
    two.locator(f"{CARD} mjx-container").wait_for()
    assert card.inner_text().startswith("How far t has come")
    box = card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    two.keyboard.press("Escape")
    card.wait_for(state="hidden")


def test_a_card_shows_on_focus_and_is_told_to_who_hears_the_page(two):
    link = two.locator("a.glyf-term").last
    two.locator("a.glyf-term").first.focus()
    two.keyboard.press("Tab")
    two.locator(CARD).wait_for()
    assert two.locator(CARD).inner_text() == "What is added."
    assert link.get_attribute("aria-describedby") == "glyf-card"
    two.keyboard.press("Tab")
    assert link.get_attribute("aria-describedby") is None


def test_a_citation_shows_the_work_that_the_page_lists(two):
    two.get_by_role("link", name="Ho et al. (2020)").hover()
    two.locator(CARD).wait_for()
    assert two.locator(CARD).inner_text() == "Ho et al. 2020: Denoising, of noise."


# ---- search


def test_the_search_finds_glossary_and_home_first(browser, html):
    page = browser.new_page()
    page.goto((html / "search.html").as_uri())
    page.wait_for_function("typeof Search !== 'undefined' && Search._index !== null")
    found = {term: page.evaluate(SEARCH, term)[:2] for term in ("noise level", "score")}
    page.close()
    assert sorted(found["noise level"]) == [
        ["glossary", "#term-noise-level"],
        ["one", "#one"],
    ]
    bold = ["two", "#a-noise-level-in-a-heading"]
    assert sorted(found["score"]) == [["glossary", "#term-score"], bold]


# ---- weight


def test_a_large_picture_is_a_file_with_the_same_pixels(html, pages):
    images = pages["one"].select(".cell_output img")
    inside, outside = [], []
    for image in images:
        kept = outside if not image["src"].startswith("data:") else inside
        kept.append(image)
    assert len(inside) == 1 and len(outside) == 2
    for image, side in zip(outside, (60, 90), strict=True):
        pixels = np.asarray(Image.open(html / image["src"]).convert("L"))
        wanted = np.asarray(Image.open(io.BytesIO(base64.b64decode(png(side)))))
        assert (pixels == wanted).all()
        assert image["loading"] == "lazy" and image["width"] == str(side)


def test_a_picture_keeps_its_shape_on_a_phone(browser, html):
    page = browser.new_page(viewport={"width": 60, "height": 400})
    page.goto((html / "one.html").as_uri())
    image = page.locator(".cell_output img[data-natural]").first
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert 0 < box["width"] < 60
    page.close()


def test_a_large_script_runs_when_a_reader_comes_near(browser, html):
    assert "x" * apart.MIN_SCRIPT not in (html / "one.html").read_text("utf-8")
    page, asked = browser.new_page(viewport={"width": 800, "height": 600}), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((html / "one.html").as_uri())
    place = page.locator("#map")
    assert place.inner_text() == "Wait."
    assert not any("/apart/" in url and url.endswith(".js") for url in asked)
    place.scroll_into_view_if_needed()
    page.wait_for_function("document.getElementById('map').textContent === 'Here.'")
    page.close()


def test_icons_that_no_page_shows_are_left_out_and_the_others_drawn(browser, html):
    script = (html / "_static" / slim.ICONS).read_text("utf-8")
    assert len(script) < 150_000
    page = browser.new_page()
    page.goto((html / "one.html").as_uri())
    page.wait_for_selector("svg.svg-inline--fa", state="attached")
    shapes = page.locator("svg.svg-inline--fa path").evaluate_all(
        "paths => paths.map((path) => path.getAttribute('d').length)"
    )
    assert shapes and min(shapes) > 20
    assert page.locator("svg g.missing, i.fa-solid, i.fas").count() == 0
    page.close()


def test_an_icon_is_known_by_each_of_its_names():
    script = 'var p={0:[320,512,[],"30","M0 1"],"x-mark":[3,5,[128,"cross"],"f0","M"]}'
    assert (
        slim.only_used(script, {"cross"})
        == 'var p={"x-mark":[3,5,[128,"cross"],"f0","M"]}'
    )
    assert slim.only_used(script, {"other"}) == "var p={}"


def test_formulas_come_from_the_parts_that_the_site_has(browser, html):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((html / "one.html").as_uri())
    page.evaluate("MathJax.startup.promise")
    assert page.locator("article mjx-container").count() == 1
    assert page.locator("mjx-assistive-mml math").count() == 1
    parts = [url for url in asked if "/mathjax/" in url and url.endswith(".js")]
    assert parts and all(url.startswith(html.as_uri()) for url in parts)
    size = sum(Path(url.removeprefix("file://")).stat().st_size for url in parts)
    assert size < 800_000
    page.close()


def test_a_missing_package_is_named_with_the_way_out():
    with pytest.raises(Exception, match=r"no-such-package .*pip install"):
        slim.source_of("no-such-package", "static")
