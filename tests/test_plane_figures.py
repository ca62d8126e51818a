"""The figures that compute, in a real browser: hand, finger, keys, themes."""

import re

import pytest
import torch

from glyflib import sampling
from glyflib.data import load_glyphs
from glyflib.exact import GaussianMixture, IdealDenoiser
from glyflib.interactive.plane import SPAN
from glyflib.interactive.playground import MAX_POINTS, playground, ready_points
from glyflib.interactive.schedule_chooser import SIDE, schedule_chooser
from glyflib.interactive.score_walk import score_walk
from glyflib.interactive.solver_steps import solver_steps
from glyflib.lessons import one_pixel
from glyflib.schedule import (
    add_noise,
    cosine_alpha_bar,
    linear_alpha_bar,
    log_snr,
    sigmoid_alpha_bar,
)

COSINE, LINEAR = cosine_alpha_bar(1000), linear_alpha_bar(1000)
FIVE = torch.tensor(
    [[-1.5, 1.2], [1.3, 1.6], [0.2, -0.3], [-1.1, -1.7], [1.9, -0.9]]
).double()
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
NEAR = {"atol": 1e-5, "rtol": 1e-5}


def islands_of_test():
    means = torch.tensor([[-1.0, 1.5], [-0.6, -1.5], [1.6, 0.4]]).double()
    covs = 0.1 * torch.eye(2, dtype=torch.float64).expand(3, 2, 2)
    shares = torch.tensor([0.6, 0.3, 0.1]).double()
    return GaussianMixture(shares, means, covs, LINEAR)


def play_html(**options):
    return playground({"five": FIVE, "one": FIVE[:1]}, COSINE, **options).data


def score_html(**options):
    return score_walk(islands_of_test(), ["a", "b", "c"], **options).data


def solver_html(**options):
    return solver_steps(one_pixel.pixel_of_three_bells(LINEAR), **options).data


def chooser_html(**options):
    glyph = torch.full((1, 96, 96), 255, dtype=torch.uint8)
    glyph[:, 30:60, 20:80] = 0
    return schedule_chooser(glyph, **options).data


FIGURES = {"playground": play_html, "score": score_html, "solver": solver_html}


def on_page(body):
    return f"<!doctype html><html lang='en'><meta charset=utf-8><body>{body}"


@pytest.fixture
def show(open_page):
    """A figure on a page, once it has started."""

    def go(html, **options):
        page = open_page(on_page(html), **options)
        if options.get("java_script_enabled", True):
            page.wait_for_function("document.querySelector('.glyf-plane').read")
        return page

    return go


def read(page, figure=0):
    return page.evaluate(
        "i => document.querySelectorAll('.glyf-plane')[i].read()", figure
    )


def press(page, x, y, *, by="mouse"):
    spot = page.evaluate(
        "([x, y]) => document.querySelector('.glyf-plane').locate(x, y)", [x, y]
    )
    if by == "mouse":
        page.mouse.click(spot["x"], spot["y"])
    else:
        page.touchscreen.tap(spot["x"], spot["y"])
    return spot


def points_of(page):
    return torch.tensor(read(page)["points"]).reshape(-1, 2)


def status(page):
    return page.get_by_role("status").inner_text()


@pytest.mark.parametrize("key", ["ddpm", "ddim", "heun", "2m"])
def test_the_samples_on_the_page_are_those_of_python(show, key):
    page = show(play_html(sampler=key, num_steps=10, seed=4, num_samples=16))
    gen = torch.Generator().manual_seed(4)
    xt = torch.randn(16, 2, generator=gen, dtype=torch.float64)
    walk = {"heun": sampling.sample_heun, "2m": sampling.sample_dpm}
    options = {"eta": float(key == "ddpm")} if key.startswith("dd") else {}
    steps = walk.get(key, sampling.sample)(
        IdealDenoiser(FIVE, COSINE).predict_eps,
        xt,
        COSINE,
        num_steps=10,
        generator=gen,
        **options,
    )
    states = read(page)["states"]
    assert states[0]["t"] == 1000
    for state, step in zip(states[1:], steps, strict=True):
        assert state["t"] == step.t
        found = torch.tensor(state["xt"], dtype=torch.float64).reshape(-1, 2)
        torch.testing.assert_close(found, step.xt, **NEAR)


def test_one_press_puts_a_point_there_and_another_takes_it_away(show):
    page = show(play_html())
    press(page, 2.2, 2.4)
    torch.testing.assert_close(
        points_of(page)[-1], torch.tensor([2.2, 2.4]), atol=0.02, rtol=0
    )
    assert len(points_of(page)) == 6
    assert page.get_by_label("Points", exact=True).input_value() == "your own points"
    press(page, 2.2, 2.4)
    torch.testing.assert_close(points_of(page), FIVE.float())


def test_a_finger_does_so_too(show):
    page = show(play_html(), **PHONE)
    press(page, 0.5, 2.5, by="finger")
    assert len(points_of(page)) == 6
    press(page, 0.5, 2.5, by="finger")
    assert len(points_of(page)) == 5


def test_a_point_can_be_dragged(show):
    page = show(play_html())
    page.evaluate("document.querySelector('.glyf-plane').scrollIntoView()")
    locate = "([x, y]) => document.querySelector('.glyf-plane').locate(x, y)"
    first, last = (page.evaluate(locate, spot) for spot in ([0.2, -0.3], [-2, 0.5]))
    page.mouse.move(first["x"], first["y"])
    page.mouse.down()
    page.mouse.move(last["x"], last["y"], steps=5)
    page.mouse.up()
    moved = FIVE.clone().float()
    moved[2] = torch.tensor([-2, 0.5])
    torch.testing.assert_close(points_of(page), moved, atol=0.03, rtol=0)


def test_a_finger_on_a_point_drags_it_and_elsewhere_scrolls_the_page(show):
    page = show(play_html() + "<p style='height: 2000px'>below", **PHONE)
    touch = page.context.new_cdp_session(page)

    def swipe(first, dy):
        spot = page.evaluate(
            "([x, y]) => document.querySelector('.glyf-plane').locate(x, y)", first
        )
        for kind, moved in [("Start", 0), *(("Move", k / 8) for k in range(1, 9))]:
            at = {"x": spot["x"], "y": spot["y"] + moved * dy}
            touch.send(
                "Input.dispatchTouchEvent",
                {"type": f"touch{kind}", "touchPoints": [at]},
            )
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(200)

    swipe([0.2, -0.3], -60)
    assert page.evaluate("scrollY") == 0
    assert points_of(page)[2, 1] > 0.3 and len(points_of(page)) == 5
    before = points_of(page)
    swipe([2.4, -2.2], -120)
    assert page.evaluate("scrollY") > 30
    assert torch.equal(points_of(page), before)


def test_keys_move_a_cross_and_enter_puts_a_point(show):
    page = show(play_html())
    page.get_by_role("application").focus()
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    torch.testing.assert_close(points_of(page)[-1], torch.tensor([0.1, 0.6]))
    page.keyboard.press("Enter")
    assert len(points_of(page)) == 5


def test_the_cross_is_told_the_exact_belief(show):
    page = show(play_html(level=400))
    page.get_by_role("application").focus()
    for key in ("ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    at = torch.tensor([[0.5, 0.0]]).double()
    home = IdealDenoiser(FIVE, COSINE).denoise(at, torch.tensor(400))[0]
    words = " across and ".join(f"{x:.2f}" for x in home.tolist()).replace(
        "-", "\u2212"
    )
    assert f"the best guess of home is {words} up" in status(page)


def test_step_by_step_the_perfect_denoiser_copies(show):
    page = show(play_html(num_steps=20, num_samples=40))
    one = page.get_by_role("button", name="One step")
    for t in range(950, -1, -50):
        one.click()
        assert read(page)["t"] == t
    assert "40 of 40 samples sit on one of your 5 points" in status(page)


def test_a_single_step_leads_to_the_mean_and_copies_nothing(show):
    page = show(play_html(num_steps=1, num_samples=40))
    page.get_by_role("button", name="One step").click()
    assert "0 of 40 samples sit on one of your 5 points" in status(page)
    end = torch.tensor(read(page)["states"][-1]["xt"]).reshape(-1, 2)
    assert (end - FIVE.mean(0)).norm(dim=1).max() < 0.1


def test_the_slider_shows_the_last_state_that_the_walk_has_reached(show):
    page = show(play_html(num_steps=10))
    page.get_by_label("Noise level").fill("650")
    assert "after 3 of 10 steps: the samples are at level 700" in status(page)
    text = page.get_by_label("Noise level").get_attribute("aria-valuetext")
    assert text.startswith("650 (signal ")


def test_a_run_ends_at_the_data_and_can_be_stopped(show):
    page = show(play_html(num_steps=50))
    page.get_by_role("button", name="Run home").click()
    page.get_by_role("button", name="Pause").click()
    held = read(page)["t"]
    page.wait_for_timeout(300)
    assert read(page)["t"] == held
    page.get_by_role("button", name="Run home").click()
    page.get_by_text("Level 0, after 50 of 50 steps").wait_for()
    assert page.get_by_role("button", name="Run home").count() == 1


def test_new_noise_is_other_noise(show):
    page = show(play_html())
    before = read(page)["states"][0]["xt"]
    page.get_by_role("button", name="New noise").click()
    assert read(page)["states"][0]["xt"] != before


def test_without_points_it_says_what_is_missing(show):
    page = show(play_html())
    page.get_by_role("button", name="Clear").click()
    assert "Put at least one point" in status(page)
    page.get_by_role("button", name="One step").click()
    press(page, 1, 1)
    assert len(points_of(page)) == 1


def test_a_walker_that_is_put_somewhere_gets_the_score_there(show):
    page = show(score_html(level=150))
    press(page, 1.0, -0.5)
    found = read(page)
    x = torch.tensor([found["x"]], dtype=torch.float64)
    torch.testing.assert_close(x, torch.tensor([[1, -0.5]]).double(), atol=0.02, rtol=0)
    mixture, t = islands_of_test(), torch.tensor(150)
    torch.testing.assert_close(
        torch.tensor([found["score"]]).double(), mixture.score(x, t), **NEAR
    )
    torch.testing.assert_close(
        torch.tensor([found["home"]]).double(), mixture.denoise(x, t), **NEAR
    )


def test_its_walk_is_that_of_chapter_8(show):
    page = show(score_html(level=80, seed=2))
    for _ in range(3):
        page.get_by_role("button", name="One step").click()
    noise = torch.randn(
        256, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    x, mixture, t = torch.tensor([[2.0, -2.0]]).double(), islands_of_test(), 80
    h = 0.2 * (1 - LINEAR[t])
    for z in noise[:6].reshape(3, 1, 2):
        x = x + h * mixture.score(x, torch.tensor(t)) + (2 * h).sqrt() * z
    found = torch.tensor([read(page)["x"]], dtype=torch.float64)
    torch.testing.assert_close(found, x, **NEAR)


def test_without_the_shake_it_ends_on_a_peak_and_with_falling_levels_they_fall(show):
    page = show(score_html(level=100))
    page.get_by_label("a shake after each step").uncheck()
    for _ in range(5):
        page.get_by_role("button", name="100 steps").click()
    found = read(page)
    assert found["taken"] == 500 and max(map(abs, found["score"])) < 1e-6
    page.get_by_label("the level falls by 2").check()
    page.get_by_role("button", name="One step").click()
    assert read(page)["t"] == 98
    page.get_by_role("button", name="100 steps").click()
    assert read(page)["t"] == 20, "it stops where islands are nearly clean"


def test_the_walker_moves_by_keys_and_begins_again(show):
    page = show(score_html())
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    assert read(page)["x"] == pytest.approx([1.9, -1.5])
    page.keyboard.press("Enter")
    assert read(page)["taken"] == 1
    page.get_by_role("button", name="Begin again").click()
    assert read(page)["x"] == pytest.approx([1.9, -1.5]) and read(page)["taken"] == 0


def test_a_walk_can_be_watched_and_stopped(show):
    page = show(score_html())
    page.get_by_role("button", name="Walk", exact=True).click()
    page.wait_for_function("document.querySelector('.glyf-plane').read().taken > 2")
    page.get_by_role("button", name="Pause").click()
    held = read(page)["taken"]
    page.wait_for_timeout(300)
    assert read(page)["taken"] == held


def test_the_steps_of_solvers_are_those_of_python_and_the_curve_is_exact(show):
    page = show(solver_html(from_level=400, num_steps=6, start=0.3))
    pixel, alpha_bar = one_pixel.pixel_of_three_bells(LINEAR), LINEAR[:401]
    x = torch.tensor([[0.3]]).double()
    walks = {
        "ddim": sampling.sample,
        "heun": sampling.sample_heun,
        "2m": sampling.sample_dpm,
    }
    found = read(page)
    for key, walk in walks.items():
        steps = list(walk(pixel.predict_eps, x, alpha_bar, num_steps=6))
        assert found["levels"] == [400, *(step.t for step in steps)]
        wanted = [step.xt.item() / alpha_bar[step.t].sqrt().item() for step in steps]
        assert found["ys"][key][1:] == pytest.approx(wanted, abs=1e-5)
    exact = one_pixel.end_of_path(pixel, x[:, 0], 400).item()
    assert found["end"] == pytest.approx(exact, abs=2e-3)


def test_each_press_takes_one_step_and_tells_how_far_off_it_is(show):
    page = show(solver_html(num_steps=4))
    rows = page.locator("tbody tr")
    assert [row.split("\t")[1] for row in rows.all_inner_texts()] == ["0"] * 3
    calls = []
    for _ in range(4):
        page.get_by_role("button", name="One step").click()
        calls.append([row.split("\t")[1] for row in rows.all_inner_texts()])
    assert calls[0] == ["1", "2", "1"] and calls[-1] == ["4", "7", "4"]
    assert page.get_by_role("button", name="One step").is_disabled()
    found = read(page)
    off = [abs(found["ys"][key][-1] - found["end"]) for key in ("ddim", "heun", "2m")]
    said = [float(row.split("\t")[-1]) for row in rows.all_inner_texts()]
    assert said == pytest.approx(off, abs=6e-4)
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    assert read(page)["at"] == 3
    page.keyboard.press("Home")
    assert read(page)["at"] == 0


@pytest.mark.parametrize("solver", ["Euler (DDIM)", "Heun", "2M"])
def test_each_solver_says_how_it_aims_at_each_step(show, solver):
    page = show(solver_html(num_steps=4))
    page.get_by_label("Show how it aims").select_option(label=solver)
    told = []
    for _ in range(4):
        page.get_by_role("button", name="One step").click()
        told.append(status(page))
    assert len(set(told)) == 4 and all("NaN" not in text for text in told)
    if solver == "2M":
        assert "no belief before" in told[0] and "line through both" in told[1]
    if solver == "Heun":
        assert "On trial" in told[0] and "no noise to ask about" in told[-1]


def test_a_schedule_is_chosen_bent_and_told(show):
    page = show(chooser_html())
    assert read(page)["alphaBar"] == pytest.approx(
        sigmoid_alpha_bar(1000).tolist(), abs=1e-9
    )
    assert page.get_by_role("slider").count() == 2, "the other bends are hidden"
    page.get_by_label("Schedule", exact=True).select_option("linear")
    page.get_by_label("last beta").fill("0.004")
    wanted = linear_alpha_bar(1000, last=0.004)
    assert read(page)["alphaBar"] == pytest.approx(wanted.tolist(), abs=1e-9)
    near = log_snr(wanted).abs()
    assert f"equally strong at level {near.argmin()}." in status(page)
    assert f"{(near <= 2).sum()} of the 1000 levels" in status(page)
    picture = page.get_by_role("img")
    assert f"falls from 1 to {wanted[-1]:.3f}" in picture.get_attribute("aria-label")


def test_its_large_picture_is_the_glyph_under_the_noise_of_the_seed(show):
    page = show(chooser_html(level=300, seed=5), viewport={"width": 800, "height": 700})
    found = page.evaluate(
        """() => {
          const canvas = document.querySelector('.glyf-plane').shadowRoot
            .querySelector('canvas');
          const big = Math.round(0.42 * 220), ratio = canvas.width / canvas.clientWidth;
          const left = canvas.clientWidth - big - 10;
          const pen = canvas.getContext('2d');
          const numbers = pen.getImageData(left * ratio, 14 * ratio, big * ratio,
            big * ratio).data;
          return Array.from(numbers).filter((_, i) => i % 4 === 0);
        }"""
    )
    side = round(len(found) ** 0.5)
    shown = torch.tensor(found, dtype=torch.float64).reshape(1, 1, side, side)
    x0 = torch.ones(1, 1, SIDE, SIDE, dtype=torch.float64)
    x0[..., 15:30, 10:40] = -1
    gen = torch.Generator().manual_seed(5)
    eps = torch.randn(1, 1, SIDE, SIDE, generator=gen, dtype=torch.float64)
    xt = add_noise(x0, eps, torch.tensor(300), sigmoid_alpha_bar(1000)).clamp(-2, 2)
    small = torch.nn.functional.adaptive_avg_pool2d(xt, 12).flatten()
    seen = torch.nn.functional.adaptive_avg_pool2d(shown, 12).flatten()
    assert torch.corrcoef(torch.stack([small, seen]))[0, 1] > 0.98


def test_the_chooser_is_light_fits_a_phone_and_stands_still_without_scripts(show):
    html = chooser_html()
    assert len(html.encode()) < 60_000 and "http:" not in html
    page = show(html, viewport={"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page = show(html, java_script_enabled=False)
    assert "JavaScript" in page.get_by_role("img").get_attribute("alt")
    assert page.get_by_role("img").evaluate("i => i.complete && i.naturalWidth > 200")


@pytest.mark.parametrize("name", FIGURES)
def test_where_no_script_runs_a_still_picture_stands(show, name):
    page = show(FIGURES[name](), java_script_enabled=False)
    picture = page.get_by_role("img")
    assert picture.is_visible() and "JavaScript" in picture.get_attribute("aria-label")
    assert picture.bounding_box()["height"] > 150
    assert picture.locator("circle, polyline").count() > 1


@pytest.mark.parametrize("name", FIGURES)
def test_readers_who_ask_for_less_motion_step_and_see_no_play_button(show, name):
    page = show(FIGURES[name](), reduced_motion="reduce")
    names = page.get_by_role("button").all_inner_texts()
    assert not {"← Run home", "Walk"} & {*names}
    before = read(page)
    page.get_by_role("button", name="One step").click()
    assert read(page) != before


@pytest.mark.parametrize("name", FIGURES)
def test_it_fits_a_phone(show, name):
    page = show(FIGURES[name](), viewport={"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for part in page.locator("button, select, input[type=range]").all():
        assert part.bounding_box()["height"] >= 26
    canvas = page.get_by_role("application").bounding_box()
    assert canvas["width"] > 300


@pytest.mark.parametrize("name", FIGURES)
def test_it_follows_the_theme_of_the_page(show, name):
    page = show(FIGURES[name]())
    corner = """() => [...document.querySelector('.glyf-plane').shadowRoot
      .querySelector('canvas').getContext('2d').getImageData(30, 2, 1, 1).data]"""
    page.wait_for_function(f"({corner})()[3] === 255")
    light = page.evaluate(corner)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"({corner})()[0] < 128")
    assert light[0] > 200
    back = page.locator(".figure").evaluate("f => getComputedStyle(f).backgroundColor")
    assert back == "rgb(22, 24, 28)"


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_has_a_name(show, name):
    page = show(FIGURES[name]())
    tree = page.locator(".glyf-plane").aria_snapshot()
    for role in ("button", "combobox", "slider", "checkbox", "application"):
        for line in re.findall(rf"- {role}\b.*", tree):
            assert re.search(rf'- {role} "[^"]', line), line


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_light_asks_for_nothing_and_two_are_strangers(show, name):
    html = FIGURES[name]()
    assert len(html.encode()) < 60_000
    assert "http:" not in html and "https:" not in html and "import(" not in html
    assert html == FIGURES[name]()
    page = show(html + html)
    page.wait_for_function("document.querySelectorAll('.glyf-plane')[1].read")
    page.get_by_role("button", name="One step").first.click()
    assert read(page, 0) != read(page, 1)


def test_it_works_when_a_notebook_runs_its_script_before_the_place_is_there(open_page):
    page = open_page(on_page(""))
    page.evaluate(
        """html => {
          const host = document.createElement("div");
          host.innerHTML = html;
          const script = document.createElement("script");
          script.textContent = host.querySelector("script").textContent;
          document.body.append(script);
          setTimeout(() => document.body.append(host), 200);
        }""",
        play_html(),
    )
    page.wait_for_function("document.querySelector('.glyf-plane')?.read")


def test_ready_points_fit_the_plane_and_come_from_the_generator():
    glyphs = load_glyphs("test", 32)

    def made():
        gen = torch.Generator().manual_seed(0)
        return ready_points(glyphs.images[0], generator=gen)

    sets = made()
    assert len(sets) == 4
    for name, points in sets.items():
        assert points.abs().max() < SPAN and len(points) <= MAX_POINTS
        assert torch.equal(points, made()[name])
    playground(sets, COSINE)


def test_text_of_the_caller_cannot_close_the_script():
    html = playground({"</script><b>": FIVE}, COSINE).data
    assert html.count("</script>") == 1 and "<b>" not in html.split("<script>")[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sets": {}}, "needs a set"),
        ({"sets": {"a": torch.ones(3)}}, r"'a' \(3,\) must be \(N, 2\)"),
        ({"sets": {"a": torch.ones(0, 2)}}, "at least one point"),
        ({"sets": {"a": torch.ones(MAX_POINTS + 1, 2)}}, f"than {MAX_POINTS} points"),
        ({"sets": {"a": torch.full((1, 2), 9.0)}}, "scale it down"),
        ({"alpha_bar": COSINE * (COSINE > 0.5)}, "leave out the levels"),
        ({"sampler": "euler"}, "sampler 'euler' must be one of"),
        ({"num_steps": 1001}, "num_steps 1001 must lie in"),
        ({"level": -1}, "level -1 must lie in"),
        ({"num_samples": 4}, "num_samples 4 must lie in"),
    ],
)
def test_what_the_playground_cannot_show_is_named(change, told):
    options = {"sets": {"five": FIVE}, "alpha_bar": COSINE} | change
    with pytest.raises(ValueError, match=told):
        playground(options.pop("sets"), options.pop("alpha_bar"), **options)


def test_what_the_others_cannot_show_is_named():
    pixel, mixture = one_pixel.pixel_of_three_bells(LINEAR), islands_of_test()
    with pytest.raises(ValueError, match="dimension 1"):
        score_walk(pixel, ["a", "b", "c"])
    with pytest.raises(ValueError, match="3 Gaussians of dimension 2, 1 names"):
        score_walk(mixture, ["a"])
    with pytest.raises(ValueError, match="level 0 must lie in"):
        score_walk(mixture, ["a", "b", "c"], level=0)
    with pytest.raises(ValueError, match=r"start \(9, 0\) must lie within"):
        score_walk(mixture, ["a", "b", "c"], start=(9, 0))
    with pytest.raises(ValueError, match="1 dimension, and this has 2"):
        solver_steps(mixture)
    with pytest.raises(ValueError, match="from_level 10 must lie in"):
        solver_steps(pixel, from_level=10)
    with pytest.raises(ValueError, match="schedule 'square' must be one of"):
        chooser_html(schedule="square")
    with pytest.raises(ValueError, match="level 1001 must lie in"):
        chooser_html(level=1001)
    with pytest.raises(ValueError, match=r"picture \(1, 32, 32\) torch.uint8 must be"):
        schedule_chooser(torch.zeros(1, 32, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match="start 2 must lie within 1"):
        solver_steps(pixel, start=2)
