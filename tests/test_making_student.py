"""A student is taught phase by phase; killed and resumed it is the same, bit by bit."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from tiny_models import save_glyffuser, save_glyphs

from glyflib.__main__ import main
from glyflib.checkpoint import load_checkpoint
from glyflib.data import load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.making import student as making
from glyflib.making.student import (
    Lessons,
    StudentStart,
    begin,
    finish,
    judge,
    train_student,
)
from glyflib.run_log import read_log
from glyflib.runs import RunFolder
from glyflib.student import COUNTS, Student

START = StudentStart(steps=10, batch_size=4, checkpoint_seconds=0)
STEPS = {8: 4, 4: 3, 2: 2, 1: 2}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A teacher and a few glyphs."""
    folder = tmp_path_factory.mktemp("stored")
    save_glyffuser(folder / "glyffuser", size=32)
    save_glyphs(folder / "few.parquet", num_train=12, num_test=4)
    return folder


@pytest.fixture(scope="module")
def glyphs(stored):
    return load_glyphs("train", 32, path=stored / "few.parquet")


@pytest.fixture(scope="module")
def whole(stored, glyphs, tmp_path_factory):
    """A run that nobody killed, and the loss of each step."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "whole")
    return folder, walk(folder, stored, glyphs)


def walk(folder, stored, glyphs, *, stop=None, start=START):
    """Take steps until one is reached; losses of those taken."""
    lessons, steps = begin(start, stored / "glyffuser", folder, glyphs)
    losses = []
    for step in train_student(lessons, steps, folder):
        losses.append(step.loss)
        if step.step == stop:
            break
    return losses


def weights(folder):
    return load_file(folder.model / "model.safetensors")


def test_steps_are_shared_out_over_the_phases(whole):
    plan = json.loads((whole[0].path / "student.json").read_text())
    assert plan["steps"] == {str(count): num for count, num in STEPS.items()}
    assert len(whole[1]) == sum(STEPS.values())


@pytest.mark.parametrize("stop", [2, 4, 6, 7, 11])
def test_a_run_that_was_killed_goes_on_to_the_same_weights(
    whole, stored, glyphs, tmp_path, stop
):
    folder = RunFolder(tmp_path / "cut")
    first = walk(folder, stored, glyphs, stop=stop)
    second = walk(folder, stored, glyphs)
    assert first + second == whole[1]
    for one, other in zip(
        weights(folder).values(), weights(whole[0]).values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    for count in COUNTS:
        mine, other = (
            load_checkpoint(one.path / f"calls-{count}").tensors
            for one in (folder, whole[0])
        )
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[name], other[name]) for name in mine)
    logs = [read_log(one.log) for one in (folder, whole[0])]
    assert [row["step"] for row in logs[0]] == list(range(1, 12))
    assert [row["loss"] for row in logs[0]] == [row["loss"] for row in logs[1]]
    assert [row["glyphs"] for row in logs[0]] == list(range(4, 48, 4))


def test_a_run_killed_before_its_model_was_written_writes_it(
    whole, stored, glyphs, tmp_path
):
    folder = RunFolder(tmp_path / "cut")
    shutil.copytree(whole[0].path, folder.path)
    for name in ("model.safetensors", "config.json"):
        (folder.model / name).unlink()
    assert walk(folder, stored, glyphs) == []
    assert Student.load(folder.model).counts == COUNTS


def test_a_run_may_move_and_needs_its_teacher_no_more(whole, stored, glyphs, tmp_path):
    first = RunFolder(tmp_path / "before")
    losses = walk(first, stored, glyphs, stop=5)
    moved = RunFolder(tmp_path / "after")
    first.path.rename(moved.path)
    lessons, steps = begin(START, tmp_path / "gone", moved, glyphs)
    losses += [step.loss for step in train_student(lessons, steps, moved)]
    assert losses == whole[1]


def test_a_model_is_there_after_each_phase(stored, glyphs, tmp_path):
    folder = RunFolder(tmp_path / "run")
    walk(folder, stored, glyphs, stop=5)
    student = Student.load(folder.model)
    assert student.counts == (8,)
    assert student.training["phases"] == {"8": 4}
    assert student.training["glyphs"] == 16


def test_what_it_was_taught_with_is_told(whole, glyphs):
    told = Student.load(whole[0].model).training
    assert told["phases"] == {str(count): num for count, num in STEPS.items()}
    assert (told["scale"], told["batch_size"], told["glyphs"]) == (2.0, 4, 44)
    assert told["data_sha256"] == glyphs.sha256


def test_each_phase_starts_from_the_averaged_weights_of_the_one_before(whole):
    """Its teacher, and the network itself, are what the last phase left behind."""
    first, second = (load_checkpoint(whole[0].path / f"calls-{n}") for n in (8, 4))
    name = "unet.stem.weight"
    gap = (second.tensors[f"model.{name}"] - first.tensors[f"ema.{name}"]).abs().max()
    assert 0 < gap < 3.01 * START.learning_rate


def test_another_wish_for_the_same_folder_is_refused(whole, stored, glyphs):
    for start, told in (
        (replace(START, scale=3.0), r"scale was 2\.0 .* now 3\.0"),
        (replace(START, steps=11), "steps was 10 .* now 11"),
        (replace(START, fewest=2), "fewest was 1 .* now 2"),
    ):
        with pytest.raises(ValueError, match=told):
            begin(start, stored / "glyffuser", whole[0], glyphs)


def test_a_folder_that_holds_something_else_is_not_touched(stored, glyphs, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something, but no run"):
        begin(START, stored / "glyffuser", RunFolder(tmp_path), glyphs)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_damaged_plan_is_told(whole, stored, glyphs, tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "student.json").write_text('{"start": {"steps": 3}}')
    with pytest.raises(ValueError, match=r"student\.json is damaged"):
        begin(START, stored / "glyffuser", folder, glyphs)


def test_glyphs_of_another_size_are_refused(stored):
    large = load_glyphs("train", 64, path=stored / "few.parquet")
    with pytest.raises(ValueError, match="64 pixels a side, not 32"):
        Lessons(Glyffuser.load(stored / "glyffuser"), large, START)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "give steps or minutes"),
        ({"steps": 5, "minutes": 1.0}, "give steps or minutes"),
        ({"steps": 3}, "steps 3: at least one for each phase"),
        ({"minutes": float("nan")}, "minutes nan"),
        ({"steps": 5, "fewest": 3}, "fewest 3 must be one of"),
    ],
)
def test_wishes_out_of_range_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        StudentStart(**options)


def test_fewer_phases_share_all_the_steps():
    start = StudentStart(steps=70, fewest=4)
    assert start.counts == (8, 4)
    assert [start.share(n) for n in start.counts] == pytest.approx([4 / 7, 3 / 7])


def test_a_trial_tells_how_many_steps_fit_and_leaves_the_student_as_it_is(
    stored, glyphs, monkeypatch
):
    """At a second a step by a clock of ours, ten minutes are 600 steps."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(making, "perf_counter", lambda: float(next(ticks)))
    start = replace(START, steps=None, minutes=10.0)
    teacher = Glyffuser.load(stored / "glyffuser")
    lessons = Lessons(teacher, glyphs, start)
    assert lessons.phase_steps() == {8: 240, 4: 180, 2: 90, 1: 90}
    same = zip(
        lessons.student.net.unet.parameters(), teacher.unet.parameters(), strict=1
    )
    assert all(torch.equal(one, other) for one, other in same)


def test_the_loss_falls_with_lessons(stored, glyphs, tmp_path):
    """Of the first phase, in which the guidance has to be learnt."""
    start = StudentStart(
        steps=80, fewest=8, batch_size=8, learning_rate=3e-3, scale=4.0
    )
    losses = walk(RunFolder(tmp_path / "run"), stored, glyphs, start=start)
    assert sum(losses[-20:]) < 0.6 * sum(losses[:20])


def test_an_untaught_student_without_guidance_is_judged_to_be_its_teacher(stored):
    """At scale 1 nothing is folded in, so both draw alike, and err alike."""
    teacher = Glyffuser.load(stored / "glyffuser")
    student = Student.of(teacher, scale=1.0)
    found = judge(student, teacher, ["gold", "insect"], seed=0)
    assert found.keys() == {
        f"{who} {n}" for n in COUNTS for who in ("student", "teacher")
    }
    for calls in COUNTS:
        mine, theirs = found[f"student {calls}"], found[f"teacher {calls}"]
        assert mine["value"] == pytest.approx(theirs["value"], abs=1e-3)
    assert found["teacher 1"]["value"] > found["teacher 8"]["value"] > 0


def test_a_finished_run_has_a_card_that_tells_what_was_measured(
    whole, stored, tmp_path
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(whole[0].path, folder.path)
    held_out = load_glyphs("test", 32, path=stored / "few.parquet")
    finish(folder, held_out)
    report = Student.load(folder.model).training["report"]
    card = (folder.model / "README.md").read_text("utf-8")
    assert report["captions"] == len(held_out) == 4
    assert f"| 1 | {report['student 1']['value']:.3f} (" in card
    assert f" | {report['teacher 8']['value']:.3f} (" in card
    assert (folder.model / "log.csv").read_bytes() == folder.log.read_bytes()


def test_the_command_teaches_goes_on_and_its_student_draws(
    stored, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["data", "student", "--teacher", stored / "glyffuser"]
    words += ["--glyphs", stored / "few.parquet", "--out", "run", "--steps", 4]
    words = [*map(str, words), "--batch-size", "2", "--fewest", "4"]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    assert "student written to run/model" in first.output
    assert "2 to 8, 2 to 4" in first.stderr
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0 and len(read_log(tmp_path / "run/log.csv")) == 4
    draw = ["generate", "gold", "-n", "1", "--raw", "--out", "a.png", "--calls"]
    drawn = CliRunner().invoke(main, [*draw, "4", "--student", "run/model"])
    assert drawn.exit_code == 0, drawn.output
    missing = CliRunner().invoke(main, [*draw, "2", "--student", "run/model"])
    assert missing.exit_code == 1
    assert "calls 2 must be one of 8, 4: it learnt no other" in missing.stderr


def test_the_command_wants_minutes_or_steps(stored):
    for more in ([], ["--minutes", "1", "--steps", "2"]):
        result = CliRunner().invoke(main, ["data", "student", "--out", "run", *more])
        assert result.exit_code == 2 and "give --minutes or --steps" in result.stderr
