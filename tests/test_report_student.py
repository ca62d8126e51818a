"""A student is judged with each number of calls, beside its teacher, and has a card."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from tiny_models import random_unet, save_encoder, save_glyphs

from glyflib.__main__ import main
from glyflib.data import load_glyphs
from glyflib.evaluation.card import card_text, write_card
from glyflib.evaluation.intervals import Estimate
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.report import (
    TOGETHER,
    ReportConfig,
    build_report,
    digest_of,
    find_teacher,
    judge_of,
    load_teacher,
    plain_name,
)
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.lessons.report import load_report, load_student_report
from glyflib.student import Student, is_student
from glyflib.text import TextEncoder

CONFIG = ReportConfig(num_captions=5, num_samples=2, num_plain=1, num_steps=3)
WAYS = ["teacher", "student 2", "teacher 2", "student 1", "teacher 1"]
PARTS = ["references", *(name for way in WAYS for name in (way, plain_name(way)))]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A quick classifier in place of the shipped one."""
    torch.manual_seed(0)
    classifier = RadicalClassifier((4, 4, 4), 8).eval()
    monkeypatch.setattr(RadicalClassifier, "load", lambda: classifier)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run: the teacher, a student that knows two counts, an encoder."""
    folder = tmp_path_factory.mktemp("run")
    encoder = TextEncoder.load(save_encoder(folder / "text_encoder"))
    teacher = Glyffuser(random_unet(patch=4), encoder, size=32)
    teacher.save(folder / "initial")
    student = Student.of(teacher, counts=(2, 1))
    torch.manual_seed(1)
    with torch.no_grad():
        student.net.stride_layer.weight.normal_(0, 0.1)
    student.training = {"teacher": digest_of(folder / "initial"), "glyphs": 7}
    student.save(folder / "model")
    return folder


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("glyphs") / "few.parquet"
    return save_glyphs(path, num_train=40, num_test=30)


@pytest.fixture(scope="module")
def glyphs(file):
    return load_glyphs("all", 32, path=file)


@pytest.fixture(scope="module")
def judged(run, glyphs, tmp_path_factory):
    """A report, and its parts as they were yielded."""
    path = tmp_path_factory.mktemp("report") / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        classifier = RadicalClassifier((4, 4, 4), 8).eval()
        patch.setattr(RadicalClassifier, "load", lambda: classifier)
        return path, dict(build_report(run / "model", glyphs, path, CONFIG))


def test_a_student_is_judged_with_each_number_of_calls_beside_its_teacher(judged):
    path, parts = judged
    assert list(parts) == PARTS
    wanted = {"hit_rate", "frechet", "precision", "recall", "copied"}
    for way in WAYS:
        assert wanted < parts[way].keys()
        assert all(row["low"] <= row["high"] for row in parts[way].values())
        assert 0 <= parts[plain_name(way)][TOGETHER]["value"] <= 1
    stored = json.loads(path.read_text("utf-8"))
    assert stored["parts"] == parts and stored["counts"] == [2, 1]
    assert stored["settings"]["scales"] == [2.0], "that which it was taught"
    assert stored["glyphs_seen"] == 7 and len(stored["teacher"]) == 64


def drawn_by(run, glyphs, monkeypatch):
    """What each way asks of the two: calls of the student, scale and steps else."""
    asked = []

    def sample(self, prompts, **options):
        kind = type(self).__name__
        options.pop("progress")
        asked.append((kind, options))
        return torch.zeros(len(prompts), 1, 32, 32)

    monkeypatch.setattr(Student, "sample", sample)
    monkeypatch.setattr(Glyffuser, "sample", sample)
    student = Student.load(run / "model")
    teacher = load_teacher(student, run / "initial")
    judge = judge_of(teacher, glyphs, CONFIG, student=student)
    for draw in judge.ways().values():
        draw(["gold"])
    return asked


def test_all_ways_draw_from_the_same_seeds_and_the_teacher_at_the_taught_scale(
    run, glyphs, monkeypatch
):
    guided = {"scale": 2.0, "seed": 0}
    assert drawn_by(run, glyphs, monkeypatch) == [
        ("Glyffuser", guided | {"num_steps": 3}),
        ("Student", {"calls": 2, "seed": 0}),
        ("Glyffuser", guided | {"num_steps": 2}),
        ("Student", {"calls": 1, "seed": 0}),
        ("Glyffuser", guided | {"num_steps": 1}),
    ]


def test_an_untaught_student_without_guidance_is_judged_as_its_teacher_in_one_step(
    run, glyphs, tmp_path
):
    """At scale 1 a first copy is its teacher, and one step of 2M is one of DDIM."""
    teacher = Glyffuser.load(run / "initial")
    shutil.copytree(run, tmp_path / "run")
    Student.of(teacher, counts=(1,), scale=1.0).save(tmp_path / "run" / "model")
    path = tmp_path / "report.json"
    parts = dict(build_report(tmp_path / "run" / "model", glyphs, path, CONFIG))
    for name, row in parts["student 1"].items():
        assert row["value"] == pytest.approx(
            parts["teacher 1"][name]["value"], abs=0.02
        )
    assert parts["plain student 1"] == parts["plain teacher 1"]


def test_a_killed_report_of_a_student_goes_on_to_the_same_end(
    run, glyphs, judged, tmp_path
):
    for name, _ in build_report(run / "model", glyphs, tmp_path / "r.json", CONFIG):
        if name == "teacher 2":
            break
    batches = []

    def count(some):
        batches.append(some)
        return some

    rest = build_report(
        run / "model", glyphs, tmp_path / "r.json", CONFIG, progress=count
    )
    assert dict(rest) == judged[1]
    assert len(batches) == 5, "from plain teacher 2 on"


def test_a_set_without_radicals_judges_a_student_by_captions(run, glyphs, tmp_path):
    some = glyphs.take(range(20))
    some = replace(some, radicals=0 * some.radicals, is_test=torch.arange(20) > 11)
    path = tmp_path / "report.json"
    parts = dict(build_report(run / "model", some, path, CONFIG))
    assert list(parts) == ["references", *WAYS]
    assert {"caption_hit", "frechet", "precision", "recall"} < parts["student 1"].keys()
    folder = shutil.copytree(run / "model", tmp_path / "model")
    shutil.copytree(run / "text_encoder", tmp_path / "text_encoder")
    shutil.copy(path, folder / "report.json")
    card = card_text(folder)
    assert "| own caption | Fréchet distance |" in card and "plain words |" not in card


def test_the_teacher_is_found_in_the_run_or_is_the_shipped_one(run, tmp_path):
    assert find_teacher(run / "model") == (run / "initial").resolve()
    assert find_teacher(tmp_path / "student-32") == SHIPPED


def test_another_glyffuser_is_not_taken_for_the_teacher(run, tmp_path):
    student = Student.load(run / "model")
    shutil.copytree(run / "text_encoder", tmp_path / "text_encoder")
    other = Glyffuser(random_unet(patch=4, seed=3), student.encoder, size=32)
    other.save(tmp_path / "other")
    with pytest.raises(ValueError, match=r"not the teacher of this student.*--teacher"):
        load_teacher(student, tmp_path / "other")
    student.training = {}  # of a student that does not tell whose it is
    load_teacher(student, tmp_path / "other")
    replace(other, size=64).save(tmp_path / "large")
    with pytest.raises(ValueError, match="its size is 64, not 32"):
        load_teacher(student, tmp_path / "large")
    wide = Glyffuser(random_unet(patch=4, channels=(16, 16)), student.encoder)
    wide.save(tmp_path / "wide")
    with pytest.raises(ValueError, match="its network is"):
        load_teacher(student, tmp_path / "wide")


def test_a_glyffuser_has_no_teacher(run, glyphs, tmp_path):
    path, model = tmp_path / "r.json", run / "initial"
    with pytest.raises(ValueError, match="is no student: a teacher is for one"):
        next(build_report(model, glyphs, path, CONFIG, teacher=model))
    judge = judge_of(Glyffuser.load(model), glyphs, CONFIG)
    with pytest.raises(ValueError, match="there is no student"):
        judge.draw_few(["gold"], 2)


def test_a_student_is_told_from_what_is_none(run, tmp_path):
    assert is_student(run / "model") and is_student(str(run / "model"))
    assert not is_student(run / "initial") and not is_student(tmp_path)
    for text in ("[]", "{", '"counts"'):
        (tmp_path / "config.json").write_text(text)
        assert not is_student(tmp_path)


def test_the_card_tells_each_way_as_the_report_has_it(run, judged, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    folder = tmp_path / "run" / "model"
    before = card_text(folder)
    assert "What it can do" not in before and "## Limits" in before
    shutil.copy(judged[0], folder / "report.json")
    write_card(folder)
    card = (folder / "README.md").read_text("utf-8")
    for way, text in {
        "teacher": "the glyffuser, 3 steps",
        "student 2": "the student, 2 calls",
        "teacher 2": "the glyffuser, 2 steps",
        "student 1": "the student, 1 call",
        "teacher 1": "the glyffuser, 1 step",
    }.items():
        part = judged[1][way]
        shown = [part[key] for key in ("hit_rate", "frechet", "precision", "recall")]
        shown.append(judged[1][plain_name(way)][TOGETHER])
        cells = [
            f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            for row in shown
        ]
        assert f"| {text} | {' | '.join(cells)} |" in card
    floor = judged[1]["references"]["floor"]["frechet"]["value"]
    assert f"| Fréchet distance of training glyphs | {floor:.3f} (" in card
    record = json.loads((folder / "report.json").read_text("utf-8"))
    del record["parts"]["student 1"]
    (folder / "report.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"lacks 'student 1': finish it"):
        card_text(folder)


def test_a_students_report_is_read_by_name(run, judged):
    report = load_student_report(judged[0].parent)
    assert list(report.config.scales) == [2.0]
    assert list(report.student) == list(report.hurried) == [2, 1]
    parts = judged[1]
    for way, name in (
        (report.teacher, "teacher"),
        (report.student[1], "student 1"),
        (report.hurried[2], "teacher 2"),
    ):
        assert way.metrics.hit_rate._asdict() == parts[name]["hit_rate"]
        assert way.metrics.recall._asdict() == parts[name]["recall"]
        assert way.all_but_gold._asdict() == parts[plain_name(name)][TOGETHER]
    assert report.references.ceiling._asdict() == parts["references"]["ceiling"]
    assert report.num_drawn == 10
    with pytest.raises(ValueError, match="not finished"):
        load_report(judged[0].parent)


def moved(way, measure, low, high):
    """The way with another value of one measure."""
    value = Estimate((low + high) / 2, low, high)
    if measure == "all_but_gold":
        return replace(way, all_but_gold=value)
    return replace(way, metrics=way.metrics._replace(**{measure: value}))


@pytest.mark.parametrize(
    ("measure", "below"),
    [("hit_rate", "worse"), ("all_but_gold", "worse"), ("frechet", "better")],
)
def test_a_student_is_worse_or_better_only_where_intervals_lie_apart(
    judged, measure, below
):
    report = load_student_report(judged[0].parent)
    above = {"worse": "better", "better": "worse"}[below]
    teacher = moved(report.teacher, measure, 0.4, 0.5)
    for low, high, wanted in ((0.1, 0.39, below), (0.3, 0.45, "alike"), (2, 3, above)):
        student = {1: moved(report.student[1], measure, low, high)}
        found = replace(report, teacher=teacher, student=student)
        assert found.verdicts(measure) == {1: wanted}
        assert found.verdicts(measure, is_hurried=True) == {}
    own = moved(report.student[2], measure, 0.1, 0.2)
    hurried = {1: moved(report.hurried[1], measure, 0.3, 0.4)}
    found = replace(report, student={2: own, 1: own}, hurried=hurried)
    assert found.verdicts(measure, is_hurried=True) == {2: below}
    with pytest.raises(ValueError, match="'beauty' must be one of hit_rate"):
        report.verdicts("beauty")


def test_a_student_that_was_not_judged_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="judge the student with `glyflib eval"):
        load_student_report(tmp_path)


def test_the_command_judges_a_student_and_writes_its_card(run, file, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    model = tmp_path / "run" / "model"
    words = f"evaluate {model} --glyphs {file} --captions 3 --samples 2 --plain 1 "
    words += "--steps 1"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.output
    for told in ("student 2", "plain teacher 1", "hit_rate", "model card written to"):
        assert told in result.output
    assert "| the student, 1 call |" in (model / "README.md").read_text("utf-8")
    again = CliRunner().invoke(main, [*words.split(), "--teacher", str(SHIPPED)])
    assert again.exit_code == 1 and "not the teacher" in again.output


def test_wrong_usage_with_a_student_is_refused_at_once(run, file):
    model, teacher = str(run / "model"), str(run / "initial")
    for args, told in (
        ([model, "--scales", "3"], "leave out --scales"),
        ([teacher, "--teacher", teacher], "leave out --teacher"),
    ):
        result = CliRunner().invoke(main, ["evaluate", *args])
        assert result.exit_code == 2 and told in result.output
    assert not (run / "model" / "report.json").exists()
