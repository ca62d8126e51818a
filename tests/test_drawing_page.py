"""The page that draws, as a reader uses it: mouse, keyboard, phone, no network."""

import io

import numpy as np
import pytest
import torch
from folder_pages import opened_pages
from PIL import Image
from tiny_models import random_unet, save_encoder

from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.interactive.drawing import GLYPHS, drawing_page
from glyflib.student import Student
from glyflib.text import TextEncoder

SIDE = 16
PIXELS = """(canvas) => [...canvas.getContext("2d").getImageData(0, 0,
    canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0)"""
NAME = """() => { const e = document.activeElement.shadowRoot?.activeElement;
    return e ? e.labels?.[0]?.textContent || e.textContent : ""; }"""
IDLE = """() => !document.querySelector("#draw-here").shadowRoot
    .querySelector("button.main").disabled"""
TIMEOUT = 60_000  # milliseconds: a busy machine is slow


def halves(unet):
    """The same network, its weights as half precision has them."""
    for value in unet.parameters():
        value.data = value.data.half().float()
    return unet


@pytest.fixture(scope="module")
def glyffuser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "text_encoder"
    return Glyffuser(
        halves(random_unet()), TextEncoder.load(save_encoder(folder)), SIDE
    )


@pytest.fixture(scope="module")
def student(glyffuser):
    return Student.of(glyffuser)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, glyffuser, student):
    folder = tmp_path_factory.mktemp("pages")
    models = {"glyffuser": glyffuser, "student": student}
    pages = {name: {name: drawer} for name, drawer in models.items()}
    for name, drawers in (pages | {"both": dict(reversed(models.items()))}).items():
        page = drawing_page(drawers, title=f"A {name}", words="gold", precision="half")
        (folder / f"{name}.html").write_text(page, "utf-8")
    return folder


@pytest.fixture
def open_page(browser, folder):
    """Open a page of the folder; errors, and requests that leave it, fail the test."""
    with opened_pages(browser, folder) as (go, trouble):
        yield lambda name="glyffuser", **options: go(name, **options)
    assert trouble == []


def control(page, role, name):
    return page.get_by_role(role, name=name, exact=True)


def draw(page, words=None):
    """Ask for glyphs, and wait until they are there."""
    if words is not None:
        page.get_by_label("English words").fill(words)
    control(page, "button", "Draw").click()
    wait(page)


def wait(page, what="seconds"):
    page.get_by_role("status").filter(has_text=what).wait_for()


def glyphs(page):
    """What the canvases show, (16, S, S) uint8."""
    found = [canvas.evaluate(PIXELS) for canvas in page.locator("canvas").all()]
    return torch.tensor(found, dtype=torch.uint8).reshape(-1, SIDE, SIDE)


def assert_same(found, wanted):
    """Greys that differ by rounding alone, in one pixel of a hundred at most."""
    gap = (found.int() - wanted.int()).abs()
    assert gap.max() <= 1 and (gap > 0).float().mean() < 0.01


@pytest.mark.parametrize("by", ["file", "http"])
def test_the_glyffuser_draws_the_glyphs_that_python_draws(open_page, glyffuser, by):
    page = open_page(by=by)
    draw(page, "water; river")
    wanted = glyffuser.sample(["water; river"] * GLYPHS, seed=0, num_steps=15)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))


@pytest.mark.parametrize("calls", ["8", "4", "1"])
def test_a_student_draws_the_glyphs_that_python_draws(open_page, student, calls):
    page = open_page("student")
    page.get_by_label("Calls of the network").select_option(calls)
    page.get_by_label("Seed of the noise").fill("7")
    draw(page)
    wanted = student.sample(["gold"] * GLYPHS, seed=7, calls=int(calls))
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))


def test_a_reader_chooses_who_draws(open_page, glyffuser, student):
    page = open_page("both")
    draw(page)
    wanted = student.sample(["gold"] * GLYPHS, seed=0, calls=4)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))
    assert not page.get_by_role("slider", name="Guidance").is_visible()
    page.get_by_label("Drawn by").select_option("glyffuser")
    assert page.get_by_role("slider", name="Guidance 3.0").is_visible()
    control(page, "button", "Again with the same noise").click()
    page.wait_for_function(IDLE)
    wanted = glyffuser.sample(["gold"] * GLYPHS, seed=0, num_steps=15)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))


def test_guidance_and_calls_change_the_picture_and_not_its_noise(open_page, glyffuser):
    page = open_page()
    draw(page)
    first = glyphs(page)
    slider = page.get_by_label("Guidance 3.0")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.get_by_label("Guidance 5.0").input_value() == "5"
    control(page, "button", "Again with the same noise").click()
    page.wait_for_function(IDLE)
    assert page.get_by_label("Seed of the noise").input_value() == "0"
    wanted = glyffuser.sample(["gold"] * GLYPHS, seed=0, num_steps=15, scale=5.0)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))
    assert (glyphs(page) != first).any()


def test_drawing_once_more_takes_new_noise(open_page, glyffuser):
    page = open_page("student")
    draw(page)
    first = glyphs(page)
    draw(page)
    page.wait_for_function(
        "() => document.querySelector('#draw-here').shadowRoot"
        ".querySelector('input[type=number]').value === '16'"
    )
    wait(page)
    assert (glyphs(page) != first).any()


def test_words_that_the_encoder_does_not_know_are_named(open_page):
    page = open_page("student")
    draw(page, "gold 水")
    told = page.get_by_role("status").inner_text()
    assert "does not know 水; it goes by the other words" in told
    draw(page, "水")
    wait(page, "does not know 水. ")
    draw(page, "")
    wait(page, "a glyph of any kind")


def test_words_are_never_markup(open_page):
    page = open_page("student")
    draw(page, '<img src=x onerror="alert(1)">')
    assert page.locator("img").count() == 0
    assert "<img" in page.get_by_role("status").inner_text()


def test_a_drawing_can_be_stopped_and_begun_anew(open_page):
    page = open_page()
    page.get_by_label("Calls of the network").select_option("30")
    control(page, "button", "Draw").click()
    control(page, "button", "Stop").click()
    wait(page, "Stopped")
    assert control(page, "button", "Stop").is_disabled()
    page.get_by_label("Calls of the network").select_option("15")
    draw(page, "water")


def test_all_can_be_done_by_keyboard(open_page):
    page = open_page("student")
    page.keyboard.press("Tab")
    assert (
        page.evaluate("document.activeElement.shadowRoot.activeElement.type") == "text"
    )
    page.keyboard.press("Enter")
    wait(page)
    names = []
    while not names or names[-1]:
        page.keyboard.press("Tab")
        names.append(page.evaluate(NAME))
    told = ", ".join(names)
    for name in ("Draw", "Calls", "Seed", "same noise", "Look back", "Save the film"):
        assert name in told
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_screen_readers_hear_what_each_thing_is(open_page):
    page = open_page("student")
    assert page.get_by_role("img").count() == 0
    draw(page)
    last = page.get_by_role("img", name="Glyph 16 for “gold”, seed 15", exact=True)
    assert last.count() == 1
    unnamed = """() => [...document.querySelector("#draw-here").shadowRoot
        .querySelectorAll("input, select, button, progress, canvas")]
        .filter((e) => !(e.ariaLabel || e.textContent || e.labels?.[0]?.textContent))
        .length"""
    assert page.evaluate(unnamed) == 0
    assert page.get_by_role("heading", level=1).inner_text() == "A student"
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_in_its_colours(open_page, scheme):
    size = {"width": 360, "height": 740}
    page = open_page("student", viewport=size, color_scheme=scheme, has_touch=True)
    draw(page)
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    look = """() => { const root = document.querySelector("#draw-here").shadowRoot;
        return [...root.querySelectorAll("input, select, button")]
            .filter((e) => e.checkVisibility())
            .map((e) => e.getBoundingClientRect())
            .filter((r) => r.right > innerWidth || r.height < 40).length; }"""
    assert page.evaluate(look) == 0
    back = """() => getComputedStyle(document.querySelector("#draw-here").shadowRoot
        .querySelector(".panel")).backgroundColor"""
    assert page.evaluate(back) == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 28)"
    )


CONTRAST = """() => {
  const root = document.querySelector("#draw-here").shadowRoot;
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => { const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const back = numbers(getComputedStyle(e).backgroundColor);
    if (back.length < 4 || back[3] > 0) return back; } };
  return [...root.querySelectorAll("label, button:not(:disabled), p")].map((e) => {
    const pair = [numbers(getComputedStyle(e).color), behind(e)].map(light).sort();
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05); });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(open_page, scheme):
    page = open_page("student", color_scheme=scheme)
    draw(page)
    assert min(page.evaluate(CONTRAST)) >= 4.5


def test_a_reader_can_look_back_at_the_steps(open_page, student):
    page = open_page("student")
    draw(page)
    slider = page.get_by_label("Look back at step")
    assert slider.input_value() == "4"
    steps = [*student.steps(["gold"] * GLYPHS, calls=4, seed=0)]
    slider.fill("2")
    assert_same(glyphs(page), images_from_x0(steps[1].xt).squeeze(1))
    page.get_by_label("Show").select_option("hoped")
    assert_same(glyphs(page), images_from_x0(steps[1].x0_hat).squeeze(1))


def saved(page, name):
    """The file that a button saves: its suggested name, and a picture."""
    with page.expect_download() as found:
        control(page, "button", name).click()
    data = found.value.path().read_bytes()
    return found.value.suggested_filename, Image.open(io.BytesIO(data))


def tiles(sheet, factor, gap=2):
    """The glyphs of a saved sheet, one pixel of each square of them."""
    step = (SIDE + gap) * factor
    starts = [gap * factor + n * step for n in range(4)]
    places = [(y, x) for y in starts for x in starts]
    end = SIDE * factor
    cut = [sheet[y : y + end : factor, x : x + end : factor] for y, x in places]
    return torch.from_numpy(np.stack(cut))


def test_pictures_are_saved_as_they_are_seen(open_page):
    page = open_page("student")
    draw(page, "gold; water")
    name, picture = saved(page, "Save the pictures")
    assert name == "gold-water-seed-0.png"
    sheet = np.asarray(picture.convert("L"))
    assert torch.equal(tiles(sheet, 4), glyphs(page))
    assert (sheet[:8] == 255).all()


def test_the_film_has_a_frame_for_each_step(open_page):
    page = open_page("student")
    page.get_by_label("Calls of the network").select_option("8")
    draw(page)
    name, film = saved(page, "Save the film")
    assert (name, film.format, film.n_frames) == ("gold-seed-0.gif", "GIF", 9)
    slider = page.get_by_label("Look back at step")
    for step in range(film.n_frames):
        film.seek(step)
        slider.fill(str(step))
        found = tiles(np.asarray(film.convert("L")), 3)
        gap = (found.int() - glyphs(page).int()).abs()
        assert gap.max() <= 255 / 63 / 2 + 1  # of 64 greys
    assert film.info["duration"] == 2000


def test_with_less_motion_only_finished_glyphs_are_shown(open_page):
    page = open_page("student", reduced_motion="reduce")
    page.evaluate(
        """() => { window.painted = 0;
        const put = CanvasRenderingContext2D.prototype.putImageData;
        CanvasRenderingContext2D.prototype.putImageData = function (...rest) {
          window.painted++; return put.apply(this, rest); }; }"""
    )
    draw(page)
    assert page.evaluate("window.painted") == GLYPHS


def test_a_browser_without_vectors_draws_slowly_and_says_so(
    browser, folder, tmp_path, student
):
    text = (folder / "student.html").read_text("utf-8")
    asked = "!WebAssembly.validate(kernel)"
    assert text.count(asked) == 2  # in the engine, and where it is to be read
    (tmp_path / "old.html").write_text(text.replace(asked, "true"), "utf-8")
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto((tmp_path / "old.html").as_uri())
    page.get_by_label("Calls of the network").select_option("1")
    draw(page)
    assert "plain JavaScript draws" in page.get_by_role("status").inner_text()
    wanted = student.sample(["gold"] * GLYPHS, seed=0, calls=1)
    assert_same(glyphs(page), images_from_x0(wanted).squeeze(1))
    page.close()


def test_a_browser_that_cannot_unpack_says_so(browser, folder):
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto((folder / "student.html").as_uri())
    assert "too old" in page.get_by_role("status").inner_text()
    assert control(page, "button", "Draw").is_disabled()
    page.close()


def test_without_javascript_the_page_says_what_it_needs(browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "student.html").as_uri())
    assert page.get_by_text("needs JavaScript").is_visible()
    context.close()


def test_a_damaged_page_says_that_it_did_not_work(browser, folder, tmp_path):
    text = (folder / "student.html").read_text("utf-8")
    head, mark, rest = text.partition('data-glyf-part="network-')
    name, end, data = rest.partition('">')
    bad = head + mark + name + end + "AAAA" + data[4:]
    (tmp_path / "bad.html").write_text(bad, "utf-8")
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto((tmp_path / "bad.html").as_uri())
    control(page, "button", "Draw").click()
    wait(page, "It did not work")
    assert control(page, "button", "Draw").is_enabled()
    page.close()
