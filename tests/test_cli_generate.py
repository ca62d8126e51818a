import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from fontTools.ttLib import TTFont
from PIL import Image
from tiny_models import random_unet, save_glyffuser

from glyflib import sampling
from glyflib.__main__ import main
from glyflib.commands import generate
from glyflib.commands.generate import PROOF_SIDE, SAMPLERS, draw, file_name
from glyflib.commands.sheets import (
    SUFFIXES,
    contact_sheet,
    pictures_from_font,
    pictures_from_images,
)
from glyflib.data import images_from_x0
from glyflib.glyffuser import Glyffuser
from glyflib.glyphs.grid import GAP, STRIP, Grid
from glyflib.glyphs.outlines import outline, path_data
from glyflib.sampling import Step
from glyflib.student import Student
from glyflib.super_resolution import SuperResolver


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_glyffuser(tmp_path_factory.mktemp("stored") / "glyffuser")


@pytest.fixture(scope="module")
def glyffuser(model):
    return Glyffuser.load(model)


@pytest.fixture
def run(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        words = ["generate", "--model", model, "--steps", 4, "--size", 32, *args]
        return CliRunner().invoke(main, list(map(str, words)))

    return invoke


def pixels(path):
    with Image.open(path) as found:
        return np.asarray(found.convert("L"))


def test_one_prompt_is_a_square_sheet_of_what_the_glyffuser_draws(run, glyffuser):
    result = run("gold", "-n", 8, "--out", "new/gold.png", "--scale", 2, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert result.output == "8 glyphs drawn into new/gold.png\n"
    drawn = glyffuser.generate(["gold"] * 8, num_steps=4, scale=2.0, seed=3)
    expected = np.asarray(contact_sheet(drawn, 3, side=32))
    np.testing.assert_array_equal(pixels("new/gold.png"), expected)


def test_several_prompts_have_a_row_each_drawn_from_the_same_seeds(run):
    assert run("gold", "water; river", "-n", 3, "--out", "both.png").exit_code == 0
    both = pixels("both.png")
    for row, prompt in enumerate(["gold", "water; river"]):
        assert run(prompt, "-n", 1, "--seed", 2, "--out", "one.png").exit_code == 0
        y = GAP + STRIP + row * (32 + GAP + STRIP)
        cell = both[y : y + 32, -GAP - 32 : -GAP].astype(int)
        alone = pixels("one.png")[GAP:-GAP, GAP:-GAP]
        assert np.abs(cell - alone).max() <= 1


@pytest.fixture
def resolver(monkeypatch):
    shape = {"in_channels": 3, "out_channels": 1, "patch": 4, "text_dim": None}
    found = SuperResolver(random_unet(**shape, attention_levels=()))
    monkeypatch.setattr(SuperResolver, "load", lambda: found)
    monkeypatch.setattr(generate, "SMALL", 16)  # as wide as this test's glyffuser
    return found


def test_a_second_model_enlarges_what_the_first_has_drawn(run, glyffuser, resolver):
    args = ("gold", "-n", 2, "--seed", 3, "--size", 64, "--out", "a.png")
    assert run(*args).exit_code == 0
    small = glyffuser.sample(["gold"] * 2, num_steps=4, seed=3)
    large = pictures_from_images(images_from_x0(resolver.sample(small, seed=3)))
    expected = np.asarray(contact_sheet(large, 2, side=64)).astype(int)
    assert np.abs(pixels("a.png") - expected).max() <= 1


def test_a_film_shows_both_models_at_work(run, resolver):
    args = ("gold", "-n", 1, "--out", "a.gif")
    assert run(*args).exit_code == 0
    with Image.open("a.gif") as film:
        assert film.n_frames == 4 + 20


def test_its_own_pixels_are_shown_if_asked_for(run, glyffuser, resolver):
    assert run("gold", "-n", 2, "--raw", "--out", "a.png").exit_code == 0
    drawn = glyffuser.generate(["gold"] * 2, num_steps=4)
    expected = np.asarray(contact_sheet(drawn, 2, side=32)).astype(int)
    assert np.abs(pixels("a.png") - expected).max() <= 1


def test_many_glyphs_are_drawn_batch_by_batch(run, glyffuser, monkeypatch):
    assert run("gold", "-n", 5, "--out", "once.png").exit_code == 0
    rows = []
    steps = Glyffuser.steps

    def counted(self, prompts, **options):
        rows.append(len(prompts))
        return steps(self, prompts, **options)

    monkeypatch.setattr(Glyffuser, "steps", counted)
    monkeypatch.setattr(generate, "BATCH", 2)
    assert run("gold", "-n", 5, "--out", "batches.png").exit_code == 0
    assert rows == [2, 2, 1]
    gap = pixels("once.png").astype(int) - pixels("batches.png")
    assert np.abs(gap).max() <= 1


def test_words_that_the_encoder_does_not_know_are_named_and_drawn_all_the_same(run):
    result = run("gold 水 🐟", "gold", "-n", 1, "--out", "a.png")
    assert result.exit_code == 0, result.output
    assert "does not know 水, 🐟" in result.stderr and "glyphs drawn" in result.output


def test_a_link_stays_and_a_read_only_file_is_not_replaced(run, tmp_path):
    (tmp_path / "aim.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to(tmp_path / "aim.png")
    assert run("gold", "-n", 1, "--out", "link.png").exit_code == 0
    assert (tmp_path / "link.png").is_symlink() and pixels("aim.png").ndim == 2
    (tmp_path / "fixed.png").write_bytes(b"keep")
    (tmp_path / "fixed.png").chmod(0o444)
    result = run("gold", "-n", 1, "--out", "fixed.png")
    assert result.exit_code == 1 and "fixed.png is read-only" in result.output
    assert (tmp_path / "fixed.png").read_bytes() == b"keep"


def test_a_log_that_knows_few_characters_does_not_fail_a_finished_job(model, tmp_path):
    words = ["generate", "水", "-n", "1", "--steps", "1", "--model", str(model)]
    done = subprocess.run(
        [sys.executable, "-m", "glyflib", *words],
        cwd=tmp_path,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 0, done.stderr
    assert rb"\u6c34.png" in done.stdout and (tmp_path / "水.png").is_file()


@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        ("dpm", sampling.sample_dpm),
        ("ddim", sampling.sample),
        ("ddpm", partial(sampling.sample, eta=1.0)),
        ("heun", sampling.sample_heun),
        ("sde", sampling.sample_sde),
    ],
)
def test_a_sampler_is_chosen_by_its_name(run, glyffuser, name, sampler):
    assert run("gold", "-n", 1, "--sampler", name, "--out", "a.png").exit_code == 0
    (drawn,) = glyffuser.generate("gold", num_steps=4, sampler=sampler)
    expected = np.asarray(contact_sheet([drawn], 1, side=32))
    np.testing.assert_array_equal(pixels("a.png"), expected)


def test_a_negative_prompt_is_passed_on(run, glyffuser):
    result = run("gold", "-n", 1, "--negative", "water; river", "--out", "a.png")
    assert result.exit_code == 0, result.output
    (drawn,) = glyffuser.generate("gold", num_steps=4, negative="water; river")
    expected = np.asarray(contact_sheet([drawn], 1, side=32))
    np.testing.assert_array_equal(pixels("a.png"), expected)


def test_an_animation_shows_the_process_and_ends_with_the_sheet(run, glyffuser):
    assert run("gold", "-n", 4, "--out", "a.gif").exit_code == 0
    steps = list(glyffuser.steps(["gold"] * 4, num_steps=4))
    assert run("gold", "-n", 4, "--out", "a.png").exit_code == 0
    sheet = pixels("a.png")
    with Image.open("a.gif") as found:
        assert found.n_frames == len(steps)
        first = np.asarray(found.convert("L"))
        found.seek(3)
        last = np.asarray(found.convert("L"))
    assert last.shape == (sheet.shape[0], 2 * sheet.shape[1] + GAP)
    np.testing.assert_array_equal(last[:, : sheet.shape[1]], sheet)
    x0_hat = steps[0].x0_hat[0, 0, 0, 0].clamp(-1, 1).item()
    corner = first[GAP, sheet.shape[1] + 2 * GAP]
    assert corner == pytest.approx((x0_hat + 1) * 127.5, abs=1)


def test_a_webp_is_an_animation(run):
    assert run("gold", "-n", 1, "--out", "a.webp").exit_code == 0
    with Image.open("a.webp") as found:
        assert (found.format, found.n_frames) == ("WEBP", 4)


def paths_of(path):
    svg = "{http://www.w3.org/2000/svg}"
    paths = ET.parse(path).getroot().iter(f"{svg}path")
    return [(found.get("d"), found.find(f"{svg}title").text) for found in paths]


def test_an_svg_is_the_sheet_in_outlines(run, glyffuser):
    prompts = ["gold", "<water>; river & sea"]
    assert run(*prompts, "-n", 3, "--out", "new/a.svg").exit_code == 0
    asked = [prompt for prompt in prompts for _ in range(3)]
    seeds = [0, 1, 2, 0, 1, 2]
    drawn = images_from_x0(glyffuser.sample(asked, num_steps=4, seed=seeds))
    paths = [path_data(outline(image)) for image in drawn]
    assert paths_of("new/a.svg") == list(zip(paths, asked, strict=True))
    size = Grid(6, 3, 32, has_labels=True)
    root = ET.parse("new/a.svg").getroot()
    assert root.get("viewBox") == f"0 0 {size.width} {size.height}"


def test_a_ttf_is_a_font_with_a_proof_sheet_beside_it(run, glyffuser):
    Path("a.png").write_text("mine")
    result = run("gold", "insect", "-n", 2, "--out", "a.ttf")
    assert result.exit_code == 0, result.output
    told = "4 glyphs drawn into a.ttf from U+E000 on, shown in a.proof.png\n"
    assert result.stdout == told
    assert sorted(path.name for path in Path().iterdir()) == [
        "a.png",
        "a.proof.png",
        "a.ttf",
    ]
    assert Path("a.png").read_text() == "mine"
    with TTFont("a.ttf") as font:
        assert list(font.getBestCmap()) == [0x20, *range(0xE000, 0xE004)]
        glyph = font["glyf"]["uniE003"]
    asked = ["gold", "gold", "insect", "insect"]
    drawn = glyffuser.sample(asked, num_steps=4, seed=[0, 1, 0, 1])
    points = np.concatenate(outline(images_from_x0(drawn)[3]))
    assert glyph.xMin == points[:, 0].min() and glyph.xMax == points[:, 0].max()
    size = Grid(4, 2, PROOF_SIDE, has_labels=True, has_names=True)
    assert pixels("a.proof.png").shape == (size.height, size.width)
    pictures = pictures_from_font("a.ttf", 4, PROOF_SIDE)
    proof = contact_sheet(
        pictures,
        2,
        side=PROOF_SIDE,
        labels=["gold", "insect"],
        names=["U+E000", "U+E001", "U+E002", "U+E003"],
    )
    np.testing.assert_array_equal(pixels("a.proof.png"), np.asarray(proof))


def test_outlines_are_those_of_the_enlarged_glyph_unless_raw(
    run, resolver, monkeypatch
):
    sizes = []
    monkeypatch.setattr(
        generate, "write_svg", lambda path, images, *_, **__: sizes.append(images.shape)
    )
    for more in ([], ["--raw"]):
        assert run("gold", "-n", 2, "--out", "a.svg", *more).exit_code == 0
    assert sizes == [(2, 1, 64, 64), (2, 1, 16, 16)]


@pytest.mark.parametrize("name", ["a.svg", "a.ttf"])
def test_a_glyph_without_ink_is_told_in_one_line(run, monkeypatch, name):
    def white(predict_eps, xt, alpha_bar, **options):
        yield sampling.Step(0, torch.ones_like(xt), torch.ones_like(xt))

    monkeypatch.setitem(SAMPLERS, "dpm", white)
    result = run("gold", "-n", 2, "--steps", 1, "--out", name)
    assert result.exit_code == 0 and Path(name).is_file()
    assert result.stderr == "Warning: 2 of 2 glyphs without ink: number 1, 2\n"


def test_a_font_is_refused_before_anything_is_computed(run, monkeypatch):
    monkeypatch.setattr(Glyffuser, "load", lambda path: pytest.fail("too late"))
    Path("a.proof.png").mkdir()
    result = run("gold", "--out", "a.ttf")
    assert result.exit_code == 1 and "a.proof.png is a folder" in result.stderr
    result = run("gold", "-n", 65_534, "--out", "b.ttf")
    assert result.exit_code == 1
    assert "glyph 65533: a font holds 65,533" in result.stderr
    assert [path.name for path in Path().iterdir()] == ["a.proof.png"]


def test_the_file_is_named_after_the_first_prompt(run):
    assert run("Water; river!", "gold", "-n", 1).exit_code == 0
    assert Path("Water-river.png").is_file()


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("gold", "gold.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("水 water", "水-water.png"),
        ("", "glyph.png"),
        ("🙂", "glyph.png"),
        ("x" * 300, "x" * 40 + ".png"),
    ],
)
def test_any_prompt_makes_a_file_name(prompt, name):
    assert file_name(prompt) == name


def test_an_older_file_is_replaced(run):
    Path("a.png").write_text("old")
    assert run("gold", "-n", 1, "--out", "a.png").exit_code == 0
    assert pixels("a.png").shape == (32 + 2 * GAP,) * 2
    assert [path.name for path in Path().iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["gold", "--steps", "2000"], "num_steps 2000 must lie in [1, 1000]"),
        (["gold", "--scale", "nan"], "scale nan must lie in [-1000, 1000]"),
        (["gold", "--scale", "1e308"], "scale 1e+308 must lie in"),
        (["gold", "--seed", "-1"], "seed -1 must be an integer in [0, 4294967296)"),
        (["gold", "--seed", "4294967290"], "seed 4294967296 must be"),
        (["gold", "-n", "1000000000"], "draw fewer pictures, or smaller ones"),
        (["gold", "--model", "nowhere"], "no glyffuser in nowhere"),
        (["go\udcffld"], "holds half a character"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(run, args, message):
    Path("gold.png").write_text("old")
    result = run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert Path("gold.png").read_text() == "old"
    assert [path.name for path in Path().iterdir()] == ["gold.png"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Missing argument 'PROMPTS...'"),
        (["gold", "--out", "a.jpg"], "'a.jpg' must end in one of .png, .gif"),
        (["gold", "--out", "gold"], "'gold' must end in one of"),
        (["gold", "-n", "0"], "x>=1"),
        (["gold", "--steps", "0"], "x>=1"),
        (["gold", "--sampler", "euler"], "'euler' is not one of"),
        (["gold", "--size", "4"], "8<=x<=1024"),
        (["gold", "--scale", "much"], "'much' is not a valid float"),
    ],
)
def test_wrong_usage_is_exit_code_2_before_anything_is_computed(
    run, monkeypatch, args, message
):
    monkeypatch.setattr(Glyffuser, "load", lambda path: pytest.fail("too late"))
    result = run(*args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert list(Path().iterdir()) == []


def test_an_mp4_without_ffmpeg_is_refused_before_anything_is_computed(run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Glyffuser, "load", lambda path: pytest.fail("too late"))
    result = run("gold", "--out", "a.mp4")
    assert result.exit_code == 1
    assert "no ffmpeg on PATH" in result.stderr
    assert "take .gif or .webp" in result.stderr


def test_an_interrupted_run_leaves_no_file(run, monkeypatch):
    def interrupted(predict_eps, xt, alpha_bar, **options):
        yield sampling.Step(500, xt, xt)
        raise KeyboardInterrupt

    monkeypatch.setitem(SAMPLERS, "dpm", interrupted)
    result = run("gold", "-n", 1, "--out", "a.gif")
    assert result.exit_code == 1
    assert list(Path().iterdir()) == []


def test_a_prompt_that_is_too_long_is_told_in_one_line(run):
    result = run("the river of gold; " * 20, "-n", 2, "--out", "a.png")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: prompt 'the river of gold")
    assert result.stderr.count("\n") == 1


def steps_of(num_steps):
    """A drawing whose step k leaves the grey k behind."""

    def drawing(rows):
        for k in range(num_steps):
            x0 = torch.full((1, 1, 1, 1), k / 1000)
            yield Step(num_steps - 1 - k, x0, x0)

    return drawing


def kept_steps(num_steps, most):
    frames = draw(steps_of(num_steps), 1, num_steps, most)
    return [round(frame.x0.item() * 1000) for frame in frames]


def test_at_most_so_many_steps_are_kept_and_always_the_last():
    for num_steps in (1, 7, 99, 100, 101, 250, 1000):
        kept = kept_steps(num_steps, 100)
        assert kept[-1] == num_steps - 1
        assert min(num_steps, 50) <= len(kept) <= 100
        assert len(set(np.diff(kept))) <= 1
    assert kept_steps(50, 1) == [49]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch, is_terminal):
    stderr = io.StringIO()
    stderr.isatty = lambda: is_terminal
    monkeypatch.setattr(sys, "stderr", stderr)
    kept_steps(5, 1)
    assert ("5/5" in stderr.getvalue()) == is_terminal
    assert is_terminal or stderr.getvalue() == ""


@pytest.fixture(scope="module")
def student(glyffuser, tmp_path_factory):
    """A student of the stored glyffuser, and its folder."""
    found = Student.of(glyffuser)
    with torch.no_grad():
        found.net.stride_layer.weight.fill_(0.02)
    found.net.half().float()
    folder = tmp_path_factory.mktemp("taught") / "student"
    found.save(folder)
    return found, folder


@pytest.fixture
def few(model, student, tmp_path, monkeypatch):
    """Draw with the student; its encoder is the stored glyffuser's."""
    monkeypatch.chdir(tmp_path)
    load = Student.load
    encoder = Glyffuser.load(model).encoder
    monkeypatch.setattr(Student, "load", lambda path: load(path, encoder=encoder))

    def invoke(*args):
        words = ["generate", *args, "--student", student[1], "--size", 32]
        return CliRunner().invoke(main, list(map(str, words)))

    return invoke


def test_a_student_draws_in_as_many_calls_as_asked(few, student):
    for calls in (8, 4, 2, 1):
        args = ("gold", "-n", 4, "--seed", 3, "--calls", calls, "--out", "a.png")
        result = few(*args)
        assert result.exit_code == 0, result.output
        assert result.output == "4 glyphs drawn into a.png\n"
        drawn = student[0].generate(["gold"] * 4, calls=calls, seed=3)
        expected = np.asarray(contact_sheet(drawn, 2, side=32))
        np.testing.assert_array_equal(pixels("a.png"), expected)


def test_a_film_of_a_student_has_a_frame_a_call(few):
    assert few("gold", "-n", 1, "--calls", 4, "--out", "a.gif").exit_code == 0
    with Image.open("a.gif") as film:
        assert film.n_frames == 4


def test_a_student_draws_outlines_and_fonts_and_is_enlarged(few, student, resolver):
    assert few("gold", "-n", 2, "--calls", 2, "--out", "a.svg").exit_code == 0
    small = student[0].sample(["gold"] * 2, calls=2)
    large = images_from_x0(resolver.sample(small, seed=0))
    paths = [path_data(outline(image)) for image in large]
    assert paths_of("a.svg") == [(path, "gold") for path in paths]
    result = few("gold", "-n", 2, "--calls", 2, "--out", "a.ttf")
    assert result.exit_code == 0 and "from U+E000 on" in result.stdout
    with TTFont("a.ttf") as font:
        assert list(font.getBestCmap()) == [0x20, 0xE000, 0xE001]


def test_a_model_that_is_named_may_be_the_student_itself(few, student):
    words = ["generate", "gold", "-n", "1", "--calls", "1", "--size", "32"]
    words += ["--model", str(student[1]), "--out", "a.png"]
    assert CliRunner().invoke(main, words).exit_code == 0
    (drawn,) = student[0].generate("gold", calls=1)
    expected = np.asarray(contact_sheet([drawn], 1, side=32))
    np.testing.assert_array_equal(pixels("a.png"), expected)


def test_without_a_name_the_shipped_student_draws(
    student, model, tmp_path, monkeypatch
):
    asked = []

    def load(path):
        asked.append(path)
        return student[0]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Student, "load", load)
    words = ["generate", "gold", "-n", "1", "--calls", "2", "--raw", "--out", "a.png"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert asked == [generate.SHIPPED_STUDENT]


@pytest.mark.parametrize("calls", [3, 16])
def test_calls_that_a_student_has_not_learnt_are_told_with_those_it_has(few, calls):
    result = few("gold", "--calls", calls)
    assert result.exit_code == 1
    told = f"calls {calls} must be one of 8, 4, 2, 1: it learnt no other\n"
    assert result.stderr == f"Error: {told}"


def test_a_glyffuser_is_no_student_and_says_how_to_get_one(
    model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for folder, told in ((model, "not that of a student"), ("gone", "no student in")):
        words = ["generate", "gold", "--calls", "4", "--model", str(folder)]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 1 and result.stderr.count("\n") == 1
        assert told in result.stderr and "glyflib data student" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--calls", 4, "--steps", 30], "--calls and --steps: each step"),
        (["--calls", 4, "--scale", 3], "--calls and --scale: the guidance"),
        (["--calls", 4, "--sampler", "dpm"], "--calls and --sampler: a student"),
        (["--calls", 4, "--negative", "x"], "--calls and --negative: the guidance"),
        (["--calls", 0], "x>=1"),
        ([], "--student draws with --calls"),
    ],
)
def test_what_a_student_has_no_say_in_is_wrong_usage(few, monkeypatch, args, message):
    monkeypatch.setattr(Student, "load", lambda path: pytest.fail("too late"))
    monkeypatch.setattr(Glyffuser, "load", lambda path: pytest.fail("too late"))
    result = few("gold", *args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert list(Path().iterdir()) == []


def test_help_names_every_option():
    text = CliRunner().invoke(main, ["generate", "--help"]).output
    options = ["-n", "--steps", "--scale", "--seed", "--sampler", "--negative", "--out"]
    assert all(option in text for option in [*options, "--model", "--size", "--calls"])
    assert "--student" in text
    assert all(suffix in text for suffix in SUFFIXES)


def test_the_real_command_draws_and_is_quiet_off_a_terminal(model, tmp_path):
    words = ["gold", "-n", "2", "--steps", "2", "--model", str(model), "--out", "a.gif"]
    command = [sys.executable, "-m", "glyflib", "generate", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 glyphs drawn into a.gif\n"
    with Image.open(tmp_path / "a.gif") as found:
        assert found.n_frames == 2
