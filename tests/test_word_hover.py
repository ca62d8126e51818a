"""Words to point at: the HTML alone, and in a real browser."""

import io
import re

import pytest
from PIL import Image

from glyflib.interactive.word_hover import word_hover

WORDS = ["a", "bird", "on", "a"]


def png(grey=0, size=(60, 20)):
    file = io.BytesIO()
    Image.new("L", size, grey).save(file, "PNG")
    return file.getvalue()


def hover(words=WORDS, **options):
    frames = [png(40 * i) for i in range(len(words))]
    return word_hover(frames, words, alt="Where it looks", **options).data


def page_of(*parts):
    return f"<!doctype html><html lang='en'><body>{''.join(parts)}</body></html>"


def seen(page, which=0):
    root = page.locator(".glyf-words").nth(which)
    return root.locator("figure").evaluate_all(
        "shots => shots.map(s => s.checkVisibility())"
    )


def only(place, num=4):
    return [i == place for i in range(num)]


def test_each_word_has_a_picture_that_says_whose_it_is():
    html = hover()
    assert re.findall(r'alt="([^"]*)"', html) == [
        f"Where it looks ({word})" for word in WORDS
    ]


def test_words_are_text_and_never_html():
    html = hover(["<b>", "</s>"])
    assert "&lt;b&gt;" in html and "&lt;/s&gt;" in html and "<b>" not in html


@pytest.mark.parametrize(
    ("frames", "words", "start", "told"),
    [
        ([], [], 0, "0 frames and 0 words"),
        ([png()], ["a", "b"], 0, "1 frames and 2 words"),
        ([png()], ["a"], 1, "start 1"),
        ([png(), png(size=(9, 9))], ["a", "b"], 0, "of one size"),
    ],
)
def test_what_does_not_fit_is_named(frames, words, start, told):
    with pytest.raises(ValueError, match=told):
        word_hover(frames, words, alt="x", start=start)


def test_pointing_at_a_word_shows_its_picture_which_stays(open_page):
    page = open_page(page_of(hover(start=1)))
    assert seen(page) == only(1)
    page.get_by_role("button", name="on").hover()
    assert seen(page) == only(2)
    page.mouse.move(5, 600)
    assert seen(page) == only(2)
    pressed = page.locator("button[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["on"]


def test_arrow_keys_go_round_the_words(open_page):
    page = open_page(page_of(hover()))
    page.locator("button").first.focus()
    for key, place in [("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 3)]:
        page.keyboard.press(key)
        assert seen(page) == only(place)


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page(page_of(hover(), hover(["x", "y"], start=1)))
    page.locator("button").nth(2).click()
    assert (seen(page), seen(page, 1)) == (only(2), only(1, 2))


def test_without_the_script_all_pictures_show_over_their_words(open_page):
    without = re.sub(r"<script>.*?</script>", "", hover(), flags=re.DOTALL)
    page = open_page(page_of(without))
    assert seen(page) == [True] * len(WORDS)
    assert page.locator("button:visible").count() == 0
    assert page.locator("figcaption:visible").all_inner_texts() == WORDS


def test_in_print_all_pictures_show(open_page):
    page = open_page(page_of(hover()))
    page.emulate_media(media="print")
    assert seen(page) == [True] * len(WORDS)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page_and_its_words_are_large_enough_to_tap(width, open_page):
    page = open_page(page_of(hover()), viewport={"width": width, "height": 700})
    scroll = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(scroll) <= 0
    heights = "all => all.map(b => b.getBoundingClientRect().height)"
    assert min(page.locator("button").evaluate_all(heights)) >= 32
