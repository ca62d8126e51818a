"""The slider over frames, in a real browser: keyboard, playing, two on a page."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glyflib.interactive.frames import frame_slider, png_from_pixels
from glyflib.plotting.pictures import png_frames
from glyflib.plotting.solvers import plot_walks

FIGURES = Path(__file__).parents[1] / "book" / "_static" / "figures.css"
SHOTS = "document.querySelector('.shots')"
LABELS = ["t = 0", "t = 1", "t = 2", 't = 3 <b>"&']


def frames(num=4, first=0):
    return [np.full((8, 8), first + 40 * i, np.uint8) for i in range(num)]


def two_sliders() -> str:
    one = frame_slider(frames(), LABELS, alt="Grey", name="Level", pause_ms=150)
    two = frame_slider(frames(3, 100), list("abc"), alt="Other", start=1)
    return f"<!doctype html><html lang='en'><body>{one.data}{two.data}</body></html>"


def shown(page, slider=0):
    root = page.locator(".glyf-frames").nth(slider)
    return root.locator("figure:visible").evaluate_all(
        "shots => shots.map(shot => shot.dataset.label)"
    )


def test_moving_the_slider_changes_picture_label_and_what_is_read_out(open_page):
    page = open_page(two_sliders())
    assert shown(page) == [LABELS[0]]
    page.get_by_label("Level").fill("3")
    assert shown(page) == [LABELS[3]]
    assert page.get_by_label("Level").get_attribute("aria-valuetext") == LABELS[3]
    assert page.locator("figure:visible figcaption").first.inner_text() == LABELS[3]
    assert page.locator("figure:visible img").first.evaluate("i => i.naturalWidth") == 8


def test_arrow_home_and_end_keys_move_it(open_page):
    page = open_page(two_sliders())
    page.get_by_label("Level").focus()
    for key, label in [("ArrowRight", 1), ("End", 3), ("ArrowLeft", 2), ("Home", 0)]:
        page.keyboard.press(key)
        assert shown(page) == [LABELS[label]]


def test_two_on_a_page_do_not_disturb_each_other(open_page):
    page = open_page(two_sliders())
    assert shown(page, 1) == ["b"]
    page.get_by_label("Frame").fill("2")
    assert (shown(page, 0), shown(page, 1)) == ([LABELS[0]], ["c"])


def test_play_advances_pause_stops_and_it_never_starts_by_itself(open_page):
    page = open_page(two_sliders())
    page.wait_for_timeout(500)
    assert shown(page) == [LABELS[0]]
    page.get_by_role("button", name="Play").first.click()
    page.get_by_text("t = 1", exact=True).wait_for(state="visible")
    page.get_by_role("button", name="Pause").click()
    held = shown(page)
    page.wait_for_timeout(500)
    assert shown(page) == held
    page.get_by_role("button", name="Play").first.click()
    page.get_by_text(LABELS[3], exact=True).wait_for(state="visible")
    assert page.get_by_role("button", name="Play").count() == 2  # stopped at the end


def test_a_film_may_run_from_right_to_left(open_page):
    slider = frame_slider(
        frames(), LABELS, alt="Grey", start=2, pause_ms=150, plays_leftwards=True
    )
    page = open_page(
        f"<!doctype html><html lang='en'><body>{slider.data}</body></html>"
    )
    assert shown(page) == [LABELS[2]]
    page.get_by_role("button", name="\u2190 Play", exact=True).click()
    page.get_by_text("t = 1", exact=True).wait_for(state="visible")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="\u2190 Play", exact=True).click()
    page.get_by_text("t = 0", exact=True).wait_for(state="visible")
    play = page.get_by_role("button", name="\u2190 Play", exact=True)
    play.click()  # it stopped at the left end, and begins at the right one
    page.get_by_text("t = 2", exact=True).wait_for(state="visible")
    page.get_by_label("Frame").focus()
    page.keyboard.press("End")
    assert shown(page) == [LABELS[3]], "keys go where the slider goes"


def test_readers_who_ask_for_less_motion_get_no_play_button(open_page):
    page = open_page(two_sliders(), reduced_motion="reduce")
    assert page.get_by_role("button").count() == 0
    page.get_by_label("Level").fill("2")
    assert shown(page) == [LABELS[2]]


@pytest.mark.parametrize("way", ["no script", "print"])
def test_a_strip_of_key_frames_stands_where_nothing_can_move(open_page, way):
    page = open_page(two_sliders(), java_script_enabled=way != "no script")
    if way == "print":
        page.emulate_media(media="print")
    visible = page.locator(".glyf-frames").first.locator("figure:visible figcaption")
    assert visible.all_inner_texts() == [LABELS[0], LABELS[1], LABELS[3]]
    assert page.locator("input:visible, button:visible").count() == 0


def test_it_fits_a_phone_and_follows_the_colours_of_the_page(open_page):
    dark = "<style>body { background: #111; color: #eee }</style>"
    page = open_page(dark + two_sliders(), viewport={"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    button = page.get_by_role("button").first
    assert button.evaluate("b => getComputedStyle(b).color") == "rgb(238, 238, 238)"


@pytest.mark.parametrize(
    ("place", "is_dark"),
    [
        ("html data-theme='dark'", True),
        ("html data-theme='light'", False),
        ("body data-jp-theme-light='false'", True),
        ("body data-jp-theme-light='true'", False),
    ],
)
def test_its_track_is_dark_where_the_page_is(open_page, place, is_dark):
    slider = frame_slider(frames(), LABELS, alt="Grey").data
    page = open_page(f"<!doctype html><{place}>{slider}")
    scheme = page.locator("input").evaluate("e => getComputedStyle(e).colorScheme")
    assert (scheme == "dark") == is_dark


@pytest.fixture(scope="module")
def charts():
    """Two frames of a chart that is wider than a phone."""
    steps, spread = np.outer([0, 1, 2], [1, 2]), (np.ones(9), np.zeros(9))
    return png_frames([plot_walks({2: walk}, spread) for walk in (steps, -steps)])


def on_a_screen(open_page, charts, width=390):
    """A slider over charts on a page of the book, at first as wide as a phone."""
    slider = frame_slider(charts, ["one", "two"], alt="A chart", width=660).data
    head = f"<!doctype html><html lang='en'><style>{FIGURES.read_text()}</style>"
    return open_page(
        f"{head}<body><article class='bd-article'>{slider}</article></body></html>",
        viewport={"width": width, "height": 600},
    )


def test_letters_of_a_chart_can_be_read_on_a_phone_and_the_chart_scrolls(
    open_page, charts
):
    letters = json.loads(Image.open(io.BytesIO(charts[0])).text["glyflib"])["letters"]
    width = Image.open(io.BytesIO(charts[0])).width
    page = on_a_screen(open_page, charts)
    drawn = page.locator("figure.now img").evaluate("e => e.offsetWidth")
    assert letters * drawn / width >= 8.95
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shots = page.locator(".shots")
    assert shots.evaluate("e => e.scrollWidth > e.clientWidth")
    shots.evaluate("e => e.scrollBy(1000, 0)")
    ends = "([e]) => e.querySelector('figure.now').getBoundingClientRect().right"
    assert shots.evaluate_all(ends) <= 390
    page.emulate_media(media="print")
    assert page.locator("figure.key img").first.evaluate("e => e.offsetWidth") < 390


def test_a_chart_that_goes_on_says_so_and_its_label_stays_in_sight(open_page, charts):
    page = on_a_screen(open_page, charts)
    shots, label = page.locator(".shots"), page.locator("figure.now figcaption")
    middle = "e => { const b = e.getBoundingClientRect(); return b.x + b.width / 2; }"
    faded = "e => getComputedStyle(e).maskImage"
    assert label.evaluate(middle) == pytest.approx(195, abs=1)
    start = shots.evaluate(faded)
    assert "gradient" in start
    shots.evaluate("e => e.scrollBy(1000, 0)")
    page.wait_for_function(f"start => ({faded})({SHOTS}) !== start", arg=start)
    assert label.evaluate(middle) == pytest.approx(195, abs=1)
    most = "e => parseFloat(getComputedStyle(e, '::after').maxHeight)"
    assert label.evaluate(most) > 0  # of the words that tell it
    wide = on_a_screen(open_page, charts, width=1000)
    assert wide.locator(".shots").evaluate(faded) == "none"
    assert wide.locator("figure.now figcaption").evaluate(most) == 0


def test_it_works_when_a_notebook_inserts_it_and_runs_its_scripts_later(open_page):
    page = open_page("<!doctype html><html lang='en'><body></body></html>")
    insert = """html => {
      const host = document.createElement("div");
      host.innerHTML = html;
      for (const old of host.querySelectorAll("script")) {
        const script = document.createElement("script");
        script.textContent = old.textContent;
        old.replaceWith(script);
      }
      document.body.append(host);
    }"""
    for _ in range(2):  # the same output twice, as in "create new view for output"
        page.evaluate(insert, frame_slider(frames(), LABELS, alt="Grey").data)
    page.get_by_label("Frame").nth(1).fill("1")
    assert (shown(page, 0), shown(page, 1)) == ([LABELS[0]], [LABELS[1]])


def test_text_of_the_caller_is_escaped_and_every_frame_has_its_own_alt_text():
    html = frame_slider(frames(), LABELS, alt='A "<i>" b', name="<u>").data
    assert not re.search("<[biu]>", html)
    alts = re.findall('alt="([^"]*)"', html)
    assert len(set(alts)) == 4
    assert alts[0] == "A &quot;&lt;i&gt;&quot; b (t = 0)"


def test_nothing_in_it_points_off_the_page():
    html = frame_slider(frames(), LABELS, alt="Grey").data
    assert "//" not in re.sub('base64,[^"]*', "", html)


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (4, 6, 3)])
def test_pictures_survive_the_encoding(shape):
    pixels = torch.arange(np.prod(shape), dtype=torch.uint8).reshape(shape)
    back = np.asarray(Image.open(io.BytesIO(png_from_pixels(pixels))))
    np.testing.assert_array_equal(back, pixels.numpy().squeeze())


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (([], []), "0 frames"),
        ((frames(), ["a"]), "4 frames and 1 labels"),
        (([np.zeros((8, 8))], ["a"]), "uint8"),
        (([np.zeros((8, 8, 4), np.uint8)], ["a"]), r"\(8, 8, 4\)"),
        (([*frames(1), np.zeros((9, 9), np.uint8)], ["a", "b"]), "one size"),
    ],
)
def test_bad_frames_are_named(args, match):
    with pytest.raises(ValueError, match=match):
        frame_slider(*args, alt="x")


def test_a_start_that_is_no_frame_is_named():
    with pytest.raises(ValueError, match="start 4"):
        frame_slider(frames(), LABELS, alt="x", start=4)


def test_its_controls_keep_their_keys_from_jupyter_lab():
    html = frame_slider(frames(), LABELS, alt="Grey").data
    controls = re.findall("<(?:button|input)[^>]*>", html)
    assert len(controls) == 2
    assert all("data-lm-suppress-shortcuts" in control for control in controls)
