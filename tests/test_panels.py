"""Panels of chapters: what a cell shows, and what a reader does in it."""

import contextlib
import re

import pytest
import torch
from folder_pages import opened_pages
from test_drawing_page import (
    CONTRAST,
    PIXELS,
    TIMEOUT,
    assert_same,
    control,
    draw,
    glyphs,
    halves,
    wait,
)
from tiny_models import random_unet, save_encoder

from glyflib import editing, sampling
from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.interactive import drawing
from glyflib.interactive.panels import compare_here, draw_here, finish_here
from glyflib.student import Student
from glyflib.text import TextEncoder

SIDE = 16
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A panel</title>'
HEAD += (
    '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:">'
)
ROOT = 'document.querySelector(".glyf-draw").shadowRoot'
FIELD = f"""() => {{ const field = {ROOT}.querySelector(".field"), n = 16;
  const seen = field.getContext("2d").getImageData(0, 0, 144, 144).data;
  return Array.from({{ length: n * n }}, (_, i) => {{
    const at = 4 * ((9 * Math.floor(i / n) + 3) * 144 + 9 * (i % n) + 3);
    return seen[at] === seen[at + 2] ? seen[at] : -1; }}); }}"""


@pytest.fixture(scope="module")
def glyffuser(tmp_path_factory):
    encoder = save_encoder(tmp_path_factory.mktemp("models") / "text_encoder")
    return Glyffuser(halves(random_unet()), TextEncoder.load(encoder), SIDE)


@pytest.fixture(scope="module")
def student(glyffuser):
    return Student.of(glyffuser)


@pytest.fixture(scope="module")
def picture():
    """A glyph of sorts in all greys, as x0 (1, 1, S, S)."""
    greys = torch.arange(SIDE**2).reshape(1, 1, SIDE, SIDE) % 256
    return greys.to(torch.uint8) / 127.5 - 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory, glyffuser, student, picture):
    """A folder of pages, each with one panel, and the scripts beside them."""
    folder = tmp_path_factory.mktemp("pages")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "FEW", 10**9)  # all weights as they are
        pages = {
            "plain": draw_here(glyffuser, words="gold", scale=1, scales=None, count=4),
            "scaled": draw_here(glyffuser, words="gold", scales=(0, 20), count=4),
            "compared": compare_here(
                student, glyffuser, words="gold", steps=(3, 6), noises=2
            ),
            "finished": finish_here(glyffuser, {"dots": picture}, words="gold"),
        }
    for name, panel in pages.items():
        page = f"{HEAD}<h1>A panel</h1>{panel.data}"
        (folder / f"{name}.html").write_text(page, "utf-8")
    return folder


@pytest.fixture
def open_panel(browser, folder):
    """Open a page of the folder; errors, and requests that leave it, fail the test."""
    with opened_pages(browser, folder) as (go, trouble):
        yield go
    assert trouble == []


def finished(page):
    """The glyphs of a panel with a field, (8, S, S) uint8."""
    found = [each.evaluate(PIXELS) for each in page.locator(".glyphs canvas").all()]
    return torch.tensor(found, dtype=torch.uint8).reshape(-1, SIDE, SIDE)


def field(page):
    """What the field shows, (S, S): greys, and -1 where a pixel is free."""
    return torch.tensor(page.evaluate(FIELD)).reshape(SIDE, SIDE)


def finished_in_python(glyffuser, known, mask, scale=2.0, count=8):
    """What chapter 19 does, from the noises of seeds 0 upward, as uint8."""
    sources = [torch.Generator().manual_seed(seed) for seed in range(count)]
    shape = torch.empty(count, 1, SIDE, SIDE, dtype=torch.float64)
    noise = sampling.fresh_noise(shape, sources)
    ask = glyffuser.denoiser("gold", scale)
    keep = editing.keeping(ask, known.double(), mask, glyffuser.alpha_bar)
    steps = sampling.sample_dpm(keep, noise, glyffuser.alpha_bar, num_steps=15)
    return images_from_x0(sampling.last_of(steps).xt).squeeze(1)


@pytest.mark.parametrize("by", ["file", "http"])
def test_at_scale_1_a_step_takes_one_call_and_nobody_is_asked_for_a_scale(
    open_panel, glyffuser, by
):
    page = open_panel("plain", by=by)
    assert page.get_by_role("slider").count() == 0
    calls = page.get_by_label("Calls of the network")
    assert calls.inner_text().split("\n") == ["15, in 15 steps", "30, in 30 steps"]
    draw(page)
    wanted = glyffuser.sample(["gold"] * 4, seed=0, num_steps=15, scale=1)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))


def test_the_calls_of_a_step_follow_the_scale(open_panel, glyffuser):
    page = open_panel("scaled")
    calls, slider = (
        page.get_by_label("Calls of the network"),
        page.get_by_role("slider"),
    )
    told = {}
    for scale in ("0", "0.5", "1", "20"):
        slider.fill(scale)
        told[scale] = calls.inner_text().split("\n")[0]
    half, whole = "15, in 15 steps", "30, in 15 steps"
    assert told == {"0": half, "0.5": whole, "1": half, "20": whole}
    slider.fill("0")
    draw(page)
    wanted = glyffuser.sample(["gold"] * 4, seed=0, num_steps=15, scale=0)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))


@pytest.mark.parametrize("by", ["file", "http"])
def test_student_and_teacher_draw_from_the_same_noises(
    open_panel, glyffuser, student, by
):
    page = open_panel("compared", by=by)
    status = page.get_by_role("status").inner_text()
    assert status.startswith("The first drawing loads the networks and the text")
    draw(page)
    found, words = glyphs(page).reshape(6, 2, SIDE, SIDE), ["gold", "gold"]
    drawn = [student.sample(words, seed=0, calls=calls) for calls in (1, 2, 4, 8)]
    drawn += [
        glyffuser.sample(words, seed=0, num_steps=steps, scale=student.scale)
        for steps in (3, 6)
    ]
    assert_same(found, images_from_x0(torch.stack(drawn)).squeeze(2))
    rows = [page.locator(".name").nth(i).inner_text() for i in (0, 3, 5)]
    assert rows[:2] == ["student, 1 call", "student, 8 calls"]
    assert rows[2] == "teacher, 12 calls in 6 steps"
    name = "teacher, 12 calls in 6 steps, noise 2 for “gold”, seed 1"
    assert page.get_by_role("img", name=name, exact=True).count() == 1


@pytest.mark.parametrize("by", ["file", "http"])
def test_a_half_is_finished_as_in_python(open_panel, glyffuser, picture, by):
    page = open_panel("finished", by=by)
    mask = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
    mask[..., :8] = True
    assert torch.equal(field(page) >= 0, mask[0, 0])
    draw(page)
    wanted = finished_in_python(glyffuser, picture, mask)
    assert_same(finished(page), wanted)
    half = images_from_x0(picture)[0, 0, :, :8]
    assert (finished(page)[..., :8] == half).all(), "what is kept is kept exactly"
    rest = finished(page)[..., 8:].flatten(1)
    assert len(rest.unique(dim=0)) == 8, "each noise brings another half"


def test_each_part_can_be_kept(open_panel, picture):
    page = open_panel("finished")
    greys = images_from_x0(picture)[0, 0].int()
    rows, columns = torch.meshgrid(*[torch.arange(SIDE)] * 2, indexing="ij")
    wanted = {
        "left": columns < 5,
        "right": columns >= 11,
        "upper": rows < 5,
        "lower": rows >= 11,
        "ink": greys < 128,
        "all": rows >= 0,
        "nothing": rows < 0,
    }
    page.get_by_role("slider", name="8 of 16 columns").fill("5")
    for name, mask in wanted.items():
        control(page, "combobox", "Keep").select_option(name)
        assert torch.equal(field(page), greys.where(mask, -1)), name
        count = f"{mask.sum()} of 256 pixels are kept."
        assert page.locator("output").inner_text() == count


def test_strokes_are_kept_and_can_be_set_free(open_panel, glyffuser):
    page = open_panel("finished")
    page.get_by_label("Begin with").select_option("white paper")
    control(page, "combobox", "Keep").select_option("nothing")
    page.get_by_label("Width of the pen").select_option("2")
    box = page.locator(".field").bounding_box()
    side = box["width"] / SIDE

    def stroke(*places):
        for i, (x, y) in enumerate(places):
            page.mouse.move(box["x"] + side * x, box["y"] + side * y)
            if i == 0:
                page.mouse.down()
        page.mouse.up()

    stroke((2, 4), (14, 4))
    wanted = torch.full((SIDE, SIDE), -1)
    wanted[3:5, 1:15] = 0
    assert torch.equal(field(page), wanted)
    control(page, "radio", "Paper").check()
    stroke((8, 2), (8, 8))
    wanted[1:9, 7:9] = 255
    assert torch.equal(field(page), wanted)
    control(page, "radio", "Free it").check()
    stroke((2, 4), (4, 4))
    wanted[3:5, 1:5] = -1
    assert torch.equal(field(page), wanted)
    draw(page)
    known = (wanted.clamp(min=0) / 127.5 - 1)[None, None]
    drawn = finished_in_python(glyffuser, known, wanted[None, None] >= 0)
    assert_same(finished(page), drawn)
    control(page, "button", "Wipe my strokes").click()
    assert (field(page) == -1).all()


def test_one_draws_by_keyboard(open_panel):
    page = open_panel("finished")
    control(page, "combobox", "Keep").select_option("nothing")
    page.get_by_label("Width of the pen").select_option("1")
    page.locator(".field").focus()
    keys = ["ArrowUp", "ArrowLeft", "Space", "Shift+ArrowRight", "Shift+ArrowDown"]
    for key in keys:
        page.keyboard.press(key)
    wanted = torch.full((SIDE, SIDE), -1)
    wanted[7, 7:9] = wanted[8, 8] = 0
    assert torch.equal(field(page), wanted)
    told = page.locator("output").inner_text()
    assert told == "3 of 256 pixels are kept. Pen at column 9, row 9."
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert "column 16, row 9" in page.locator("output").inner_text()


def test_one_draws_with_a_finger(open_panel):
    page = open_panel(
        "finished", viewport={"width": 360, "height": 740}, has_touch=True
    )
    control(page, "combobox", "Keep").select_option("nothing")
    page.get_by_label("Width of the pen").select_option("1")
    box = page.locator(".field").bounding_box()
    side = box["width"] / SIDE
    page.touchscreen.tap(box["x"] + 3.5 * side, box["y"] + 5.5 * side)
    assert field(page)[5, 3] == 0 and (field(page) >= 0).sum() == 1
    look = f"getComputedStyle({ROOT}.querySelector('.field')).touchAction"
    assert page.evaluate(look) == "none", "a stroke must not scroll the page"


def test_a_drawing_of_what_is_all_kept_or_all_free_says_so(open_panel):
    page = open_panel("finished")
    control(page, "combobox", "Keep").select_option("all")
    control(page, "button", "Draw").click()
    wait(page, "nothing is left to draw. 8 glyphs")
    control(page, "combobox", "Keep").select_option("nothing")
    control(page, "button", "Draw").click()
    wait(page, "Nothing is kept, so every glyph is new. 8 glyphs")


def test_the_field_is_still_while_it_draws(open_panel):
    page = open_panel("finished")
    page.get_by_label("Calls of the network").select_option("30")
    control(page, "button", "Draw").click()
    assert page.evaluate(f"{ROOT}.querySelector('.sketch').inert")
    control(page, "button", "Stop").click()
    page.wait_for_function(f"() => !{ROOT}.querySelector('.sketch').inert")


@pytest.mark.parametrize("name", ["plain", "scaled", "compared", "finished"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_a_panel_in_its_colours(open_panel, name, scheme):
    size = {"width": 360, "height": 740}
    page = open_panel(name, viewport=size, color_scheme=scheme, has_touch=True)
    draw(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    beyond = f"""() => [...{ROOT}.querySelectorAll("input, select, button, canvas, p")]
        .filter((e) => e.checkVisibility() && e.type !== "radio")
        .map((e) => [e.getBoundingClientRect(), e.tagName])
        .filter(([r, tag]) => r.right > innerWidth || r.left < 0 ||
            (r.height < 40 && !["P", "CANVAS"].includes(tag))).length"""
    assert page.evaluate(beyond) == 0
    assert min(page.evaluate(CONTRAST.replace("#draw-here", ".glyf-draw"))) >= 4.5


@pytest.mark.parametrize("name", ["plain", "scaled", "compared", "finished"])
def test_screen_readers_hear_what_each_thing_is(open_panel, name):
    page = open_panel(name)
    draw(page)
    unnamed = f"""() => [...{ROOT}.querySelectorAll(
        "input, select, button, progress, canvas, fieldset")].filter((e) =>
        !(e.ariaLabel || e.textContent || e.labels?.[0]?.textContent)).length"""
    assert page.evaluate(unnamed) == 0


def test_jupyterlabs_dark_theme_is_followed(open_panel):
    page = open_panel("plain")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    dark = "() => document.querySelector('.glyf-draw').hasAttribute('data-dark')"
    page.wait_for_function(dark)
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_function(dark.replace("=> ", "=> !"))


def test_two_panels_of_one_page_do_not_meet(browser, folder):
    text = (folder / "plain.html").read_text("utf-8")
    other = (folder / "scaled.html").read_text("utf-8").partition("</h1>")[2]
    (folder / "two.html").write_text(text + other, "utf-8")
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto((folder / "two.html").as_uri())
    assert page.get_by_role("slider").count() == 1
    for i in (0, 1):
        panel = page.locator(".glyf-draw").nth(i)
        panel.get_by_role("button", name="Draw", exact=True).click()
        panel.get_by_role("status").filter(has_text="4 glyphs for “gold” in").wait_for()
    page.close()


def test_a_cell_holds_no_weights_and_writes_them_once(
    glyffuser, student, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    html = draw_here(glyffuser, words="gold").data
    scripts = {path.name: path for path in (tmp_path / "draw").iterdir()}
    assert set(re.findall(r'href="draw/(.*?)"', html)) == scripts.keys()
    assert len(scripts) == 2 and len(html) < 100_000
    before = {name: path.stat().st_mtime_ns for name, path in scripts.items()}
    again = compare_here(student, glyffuser).data
    assert {name: path.stat().st_mtime_ns for name, path in scripts.items()} == before
    named = set(re.findall(r'href="draw/(.*?)"', again))
    assert named == {path.name for path in (tmp_path / "draw").iterdir()}
    assert len(named - scripts.keys()) == 1, "the student's network is new"


def test_a_cell_shows_the_same_again_and_again(glyffuser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert draw_here(glyffuser).data == draw_here(glyffuser).data
    assert draw_here(glyffuser).data != draw_here(glyffuser, words="gold").data


def test_a_panel_without_javascript_says_what_it_needs(browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "finished.html").as_uri())
    assert page.get_by_text("needs JavaScript").is_visible()
    assert page.get_by_role("link").count() == 0
    context.close()


BAD = {
    "scale 0 must lie within scales": lambda g, s, x: draw_here(g, scale=0),
    "count 0 must be at least 1": lambda g, s, x: draw_here(g, count=0),
    r"steps 0 must lie in \[1, 1000\]": lambda g, s, x: compare_here(s, g, steps=(0,)),
    "noises 0 must be at least 1": lambda g, s, x: compare_here(s, g, noises=0),
    "finish pictures with a glyffuser": lambda g, s, x: finish_here(s, {"a": x}),
    "keep 'middle' must be one of left, ": lambda g, s, x: finish_here(
        g, {"a": x}, keep="middle"
    ),
    r"picture 'a' \(1, 1, 16, 8\) must be 16 x 16": lambda g, s, x: finish_here(
        g, {"a": x[..., :8]}
    ),
    r"scale 9 must lie within scales": lambda g, s, x: finish_here(g, {}, scale=9),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_and_nothing_is_written(
    message, glyffuser, student, picture, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        BAD[message](glyffuser, student, picture)
    assert not [*tmp_path.iterdir()]


def test_models_that_read_with_other_encoders_are_not_compared(
    glyffuser, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    encoder = TextEncoder.load(save_encoder(tmp_path / "other", seed=1))
    other = Student.of(Glyffuser(random_unet(), encoder, SIDE))
    with pytest.raises(ValueError, match="must read words with one text encoder"):
        compare_here(other, glyffuser)
