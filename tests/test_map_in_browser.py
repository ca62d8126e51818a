"""The map of glyphs in a real browser: hover, tap, search, zoom, keys, themes."""

import re

import pytest

from glyflib.data import load_glyphs, load_map
from glyflib.interactive.hover_map import hover_map

READY = """n => n ===
    [...document.querySelectorAll(".glyf-map")].filter(host => host.locate).length"""


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("test", 32)


@pytest.fixture(scope="module")
def fragment(glyphs):
    rows = range(0, len(glyphs), 2)
    captions = [glyphs.captions[i] for i in rows]
    captions[0] = 'first </script><b id="bad">"bold" & \'single\'</b>'
    strokes = ["many" if glyphs.strokes[i] > 12 else "few" for i in rows]
    return hover_map(
        load_map(glyphs.codepoints)[::2],
        glyphs.images[::2],
        chars=[glyphs.chars[i] for i in rows],
        captions=captions,
        pinyin=[glyphs.pinyin[i] for i in rows],
        radicals=glyphs.radicals[::2],
        groups={"Strokes": strokes, "None": [""] * len(rows)},
        colours={"few": "#0072B2"},
    ).data


@pytest.fixture
def open_map(browser, fragment, tmp_path):
    """Open the fragment, as often as asked, on a page that allows nothing else."""
    contexts, troubles = [], []
    path = tmp_path / "map.html"

    def open_page(copies=1, **options):
        body = fragment * copies
        path.write_text(f"<!doctype html><meta charset=utf-8><body>{body}", "utf-8")
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda m: m.type == "error" and troubles.append(m.text))
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on(
            "request",
            lambda r: r.url.startswith(("file:", "data:")) or troubles.append(r.url),
        )
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_function(READY, arg=copies)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def locate(page, char):
    return page.evaluate("c => document.querySelector('.glyf-map').locate(c)", char)


def gloss(page):
    return page.locator(".card .gloss").inner_text()


def lonely(page, glyphs):
    """A character whose point has no other within 14 pixels, with its caption."""
    chars = glyphs.chars[2::2]
    at = [locate(page, char) for char in chars]
    for i, here in enumerate(at):
        gaps = [(here["x"] - p["x"]) ** 2 + (here["y"] - p["y"]) ** 2 for p in at]
        if sorted(gaps)[1] > 14**2:
            return chars[i], glyphs.captions[2::2][i], here
    raise AssertionError("no point stands alone")


def test_hover_shows_the_glyph_its_gloss_and_its_code_point(open_map, glyphs):
    page = open_map()
    char, caption, at = lonely(page, glyphs)
    assert not page.locator(".card").is_visible()
    page.mouse.move(at["x"] + 2, at["y"] + 1)
    assert gloss(page) == caption
    assert char in page.locator(".card .reading").inner_text()
    assert f"U+{ord(char):04X}" in page.locator(".card .code").inner_text()
    dark = """() => { const c = document.querySelector('.glyf-map').shadowRoot
        .querySelector('.card canvas');
        const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return p.filter((v, i) => i % 4 === 0 && v < 100).length / (p.length / 4) }"""
    page.wait_for_function(f"({dark})() > 0.03")
    ink = 1 - glyphs.images[glyphs.find(char)[0]].float().mean().item() / 255
    assert page.evaluate(dark) == pytest.approx(ink, abs=0.12)
    assert page.locator("[aria-live]").inner_text().endswith(caption)
    page.mouse.move(2, 2)
    assert not page.locator(".card").is_visible()


def test_captions_are_text_and_never_markup(open_map, glyphs):
    page = open_map()
    page.locator("input").fill(glyphs.chars[0])
    page.keyboard.press("Enter")
    assert gloss(page) == 'first </script><b id="bad">"bold" & \'single\'</b>'
    assert page.locator("#bad").count() == 0


def test_search_counts_words_and_enter_steps_through_them(open_map, glyphs):
    page = open_map(reduced_motion="reduce")
    captions = ["first script b id bad bold single b", *glyphs.captions[2::2]]
    want = sum(bool(re.search(r"(?<![\w'])water", c.lower())) for c in captions)
    assert want > 2
    page.locator("input").fill("Water")
    assert page.locator(".count").inner_text() == f"{want} matches"
    page.keyboard.press("Enter")
    first = gloss(page)
    assert "water" in first.lower()
    assert page.locator(".count").inner_text() == f"1 of {want}"
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    assert gloss(page) == first
    page.locator("input").fill("xylophone")
    assert page.locator(".count").inner_text() == "0 matches"


def test_search_finds_a_character_and_centres_on_it(open_map, glyphs):
    page = open_map(reduced_motion="reduce")
    char = glyphs.chars[20]
    page.locator("input").fill(char)
    assert page.locator(".count").inner_text() == "1 match"
    page.keyboard.press("Enter")
    assert gloss(page) == glyphs.captions[20]
    box, at = page.locator("canvas.dots").bounding_box(), locate(page, char)
    assert at["x"] == pytest.approx(box["x"] + box["width"] / 2, abs=2)
    assert at["y"] == pytest.approx(box["y"] + box["height"] / 2, abs=2)
    page.locator("input").fill(f"U+{ord(char):04X}")
    assert page.locator(".count").inner_text() == "1 match"


def test_wheel_buttons_and_drag_change_the_view(open_map, glyphs):
    page = open_map(reduced_motion="reduce")
    char, _, at = lonely(page, glyphs)
    page.mouse.move(at["x"], at["y"])
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    assert locate(page, char)["zoom"] == 1  # the page scrolls until the map is used
    page.mouse.click(at["x"], at["y"])
    page.mouse.wheel(0, -300)
    page.wait_for_function("document.querySelector('.glyf-map').locate('x').zoom > 1")
    after = locate(page, char)
    assert after["x"] == pytest.approx(at["x"], abs=1)  # zooms about the pointer
    page.mouse.move(at["x"], at["y"])
    page.mouse.down()
    page.mouse.move(at["x"] + 30, at["y"] + 20, steps=4)
    page.mouse.up()
    assert locate(page, char)["x"] == pytest.approx(after["x"] + 30, abs=1)
    zoom = after["zoom"]
    page.get_by_role("button", name="Zoom in").click()
    assert locate(page, char)["zoom"] > zoom
    page.get_by_role("button", name="Show the whole map").click()
    assert locate(page, char)["zoom"] == 1


def test_the_keyboard_alone_reaches_glyphs_and_zooms(open_map):
    page = open_map(reduced_motion="reduce")
    page.locator("canvas.dots").focus()
    page.keyboard.press("ArrowRight")
    seen = [gloss(page)]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        seen.append(gloss(page))
    assert len(set(seen)) > 2
    page.keyboard.press("+")
    assert locate(page, "x")["zoom"] > 1
    page.keyboard.press("-")
    assert locate(page, "x")["zoom"] == 1
    page.keyboard.press("Escape")
    assert not page.locator(".card").is_visible()


def test_a_tap_on_a_phone_shows_the_card_and_nothing_is_too_wide(open_map, glyphs):
    page = open_map(viewport={"width": 375, "height": 740}, has_touch=True)
    _, caption, at = lonely(page, glyphs)
    page.touchscreen.tap(at["x"], at["y"])
    assert gloss(page) == caption
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_two_fingers_zoom_and_one_still_scrolls_the_page_at_rest(open_map):
    page = open_map(viewport={"width": 375, "height": 740}, has_touch=True)
    box, canvas = page.locator("canvas.dots").bounding_box(), "canvas.dots"
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    assert page.locator(canvas).evaluate("c => c.style.touchAction") == "pan-y"
    for kind, gap in (("Start", 20), ("Move", 40), ("Move", 60), ("End", None)):
        points = [{"x": x - gap, "y": y}, {"x": x + gap, "y": y}] if gap else []
        touch.send(
            "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points}
        )
    assert locate(page, "x")["zoom"] == pytest.approx(3, rel=0.2)
    assert page.locator(canvas).evaluate("c => c.style.touchAction") == "none"


def test_two_maps_on_one_page_keep_apart(open_map, glyphs):
    page = open_map(copies=2)
    assert page.locator("canvas.dots").count() == 2
    page.locator("input").first.fill(glyphs.chars[20])
    assert page.locator(".count").all_inner_texts() == ["1 match", ""]


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_map_follows_the_readers_theme(open_map, scheme, is_dark):
    page = open_map(color_scheme=scheme)
    host = page.locator(".glyf-map")
    assert (host.get_attribute("data-dark") is not None) == is_dark
    other = "light" if is_dark else "dark"
    page.evaluate("t => { document.documentElement.dataset.theme = t }", other)
    page.wait_for_function(
        "d => document.querySelector('.glyf-map').hasAttribute('data-dark') !== d",
        arg=is_dark,
    )


def test_a_legend_button_shows_one_group_alone(open_map):
    page = open_map()
    button = page.get_by_role("button", name="many")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


def test_where_nothing_is_told_apart_there_is_no_legend_and_dots_are_strong(open_map):
    page = open_map(color_scheme="dark")
    page.get_by_label("Colour by").select_option("None")
    assert page.get_by_role("button", name="other").count() == 0
    brightest = """() => {
        const canvas = document.querySelector(".glyf-map").shadowRoot
            .querySelector("canvas.dots");
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        return data.reduce((most, a, i) => (i % 4 === 3 ? Math.max(most, a) : most), 0);
    }"""
    page.wait_for_function(f"({brightest})() > 0")
    assert page.evaluate(brightest) > 0.8 * 255


def test_a_group_has_its_own_colour_and_the_others_have_what_is_free(open_map):
    page = open_map(color_scheme="light")
    middle = "e => [...e.getContext('2d').getImageData(14, 14, 1, 1).data].slice(0, 3)"
    found = {
        name: tuple(
            page.get_by_role("button", name=name).locator("canvas").evaluate(middle)
        )
        for name in ("few", "many")
    }
    assert found == {"few": (0x00, 0x72, 0xB2), "many": (0xE6, 0x9F, 0x00)}


def test_without_javascript_a_still_picture_shows(open_map):
    page = open_map(java_script_enabled=False)
    assert page.get_by_role("img", name="interactive one needs JavaScript").is_visible()
