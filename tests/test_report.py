"""The table of a model card: complete, resumable, of one model only."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from tiny_models import random_unet, save_encoder, save_glyphs

from glyflib.__main__ import main
from glyflib.commands.evaluate import shipped_races
from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation.card import card_text, missed, products_of, told_of
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.report import (
    PLAIN,
    TOGETHER,
    ReportConfig,
    build_report,
    caption_numbers,
    judge_of,
    read_report,
    share_over_prompts,
)
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.lessons.results import RecipeResults, TextResults
from glyflib.lessons.stored import Results
from glyflib.schedule import cosine_alpha_bar
from glyflib.studies.races import race_tables
from glyflib.text import TextEncoder

CONFIG = ReportConfig(
    scales=(1.0, 3.0), num_captions=5, num_samples=2, num_plain=2, num_steps=2
)
PARTS = ["references", "scale 1", "plain 1", "scale 3", "plain 3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    encoder = TextEncoder.load(save_encoder(folder / "text_encoder"))
    Glyffuser(random_unet(), encoder, size=32).save(folder / "glyffuser")
    return folder / "glyffuser"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A quick classifier in place of the shipped one."""
    torch.manual_seed(0)
    classifier = RadicalClassifier((4, 4, 4), 8).eval()
    monkeypatch.setattr(RadicalClassifier, "load", lambda: classifier)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("glyphs") / "few.parquet"
    return save_glyphs(path, num_train=60, num_test=60)


@pytest.fixture(scope="module")
def glyphs(file):
    return load_glyphs("all", 32, path=file)


def test_a_report_has_all_parts_with_intervals_and_what_they_are_of(
    model, glyphs, tmp_path
):
    parts = dict(build_report(model, glyphs, tmp_path / "report.json", CONFIG))
    assert list(parts) == PARTS
    stored = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert stored["parts"] == parts and stored["settings"]["seed"] == 0
    assert {"model", "glyphs_seen", "machine", "date"} < stored.keys()
    for name in ("scale 1", "scale 3"):
        for row in parts[name].values():
            assert row["low"] <= row["high"]
    assert list(parts["plain 3"]) == [*PLAIN, TOGETHER]
    others = [parts["plain 3"][name]["value"] for name in PLAIN if name != "gold"]
    assert parts["plain 3"][TOGETHER]["value"] == pytest.approx(sum(others) / 10)
    assert 0 < parts["references"]["words_alone"]["top1"]["value"] < 1


def test_prompts_and_not_their_glyphs_are_the_trials_of_all_prompts_together():
    gen = torch.Generator().manual_seed(0)
    found = share_over_prompts([0.0] + 9 * [1.0], gen)  # 100 glyphs each, or 10,000
    assert found.value == pytest.approx(0.9)
    assert found.low < 0.75 and found.high == 1  # 900 of 1,000 trials: 0.88 to 0.92


def test_a_killed_report_goes_on_to_the_same_end(model, glyphs, tmp_path):
    whole = dict(build_report(model, glyphs, tmp_path / "whole.json", CONFIG))
    for name, _ in build_report(model, glyphs, tmp_path / "cut.json", CONFIG):
        if name == "plain 1":
            break
    batches = []

    def count(some):
        batches.append(some)
        return some

    rest = build_report(model, glyphs, tmp_path / "cut.json", CONFIG, progress=count)
    assert dict(rest) == whole
    assert len(batches) == 2, "scale 3 and plain 3 alone are drawn"


def test_glyphs_drawn_in_bfloat16_are_the_same_but_for_rounding(model, glyphs):
    drawn = [
        judge_of(Glyffuser.load(model), glyphs, replace(CONFIG, cpu_bf16=is_bf16)).draw(
            ["gold", "a fish"], 3.0
        )
        for is_bf16 in (False, True)
    ]
    gap = (drawn[0] - drawn[1]).abs().max()
    assert 0 < gap < 0.1


def test_another_models_report_is_not_gone_on_with(model, glyphs, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"model": "x", "glyphs_seen": 0, "parts": {}}))
    with pytest.raises(ValueError, match=r"of another model.*settings"):
        next(build_report(model, glyphs, path, CONFIG))
    path.write_text("[]")
    with pytest.raises(ValueError, match="is no report"):
        next(build_report(model, glyphs, path, CONFIG))


def test_a_report_that_is_older_than_bfloat16_is_gone_on_with(tmp_path):
    path, settings = tmp_path / "report.json", json.loads(json.dumps(asdict(CONFIG)))
    facts = {"model": "x", "settings": settings}
    old = {name: value for name, value in settings.items() if name != "cpu_bf16"}
    path.write_text(json.dumps(facts | {"settings": old, "parts": {"a": {}}}))
    assert read_report(path, facts) == facts | {"parts": {"a": {}}}
    now = facts | {"settings": settings | {"cpu_bf16": True}}
    told = r"report.json is of .*\(settings: cpu_bf16 is False there, True here\): rem"
    with pytest.raises(ValueError, match=told):
        read_report(path, now)


def bare(glyphs, *, num_held_out):
    """The glyphs as a set of one's own: no radicals, the last few held out."""
    is_test = torch.arange(len(glyphs)) >= len(glyphs) - num_held_out
    return replace(glyphs, radicals=0 * glyphs.radicals, is_test=is_test)


def test_without_radicals_a_glyph_is_judged_by_the_real_one_that_it_is_like(
    model, glyphs, tmp_path
):
    some = bare(glyphs.take(slice(30)), num_held_out=10)
    parts = dict(build_report(model, some, tmp_path / "report.json", CONFIG))
    assert list(parts) == ["references", "scale 1", "scale 3"]
    chance = parts["references"]["caption_by_chance"]["value"]
    assert chance == pytest.approx(1 / 10, abs=0.05)
    for name in ("scale 1", "scale 3"):
        assert {"caption_hit", "frechet", "copied"} < parts[name].keys()
        assert all(row["low"] <= row["high"] for row in parts[name].values())
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))["glyphs"]
    assert (told["train"], told["held_out"]) == (20, 10)
    assert told["asked"] == "held-out captions" and list(told["left_out"]) == [
        "radicals"
    ]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_set_without_held_out_glyphs_is_judged_by_its_training_captions(
    model, glyphs, tmp_path, count
):
    some = bare(glyphs.take(slice(count)), num_held_out=0)
    parts = dict(build_report(model, some, tmp_path / "report.json", CONFIG))
    assert ("frechet" in parts["scale 1"]) == (count == 10)
    assert "copied" not in parts["scale 1"] and "floor" not in parts["references"]
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))["glyphs"]
    assert told["asked"] == "training captions" and "new or copied" in told["left_out"]


def test_real_glyphs_are_most_like_the_glyph_of_their_own_caption(glyphs):
    """A model that draws each caption's own glyph hits always, whatever the scale."""

    class Copier:
        alpha_bar = cosine_alpha_bar(1000)

        def sample(self, prompts, **options):
            rows = [glyphs.captions.index(prompt) for prompt in prompts]
            return x0_from_images(glyphs.images[rows])

    torch.manual_seed(0)  # one that has seen nothing tells glyphs apart all the same
    judge = judge_of(Copier(), bare(glyphs, num_held_out=0), CONFIG)
    found = judge.part("scale 1")
    assert found["caption_hit"]["value"] == 1
    assert found["caption_shuffled"]["value"] == pytest.approx(1 / 5)


def test_few_training_glyphs_with_radicals_are_not_judged_by_radicals(glyphs):
    train = (~glyphs.is_test).nonzero().squeeze(1)[:6]
    held_out = glyphs.is_test.nonzero().squeeze(1)[:6]
    known = glyphs.take(torch.cat([train, held_out]))
    radicals = torch.arange(1, 13)
    radicals[2:6] = 0
    some = replace(known, radicals=radicals)

    class Silent:
        alpha_bar = cosine_alpha_bar(1000)

    judge = judge_of(Silent(), some, CONFIG)
    assert (len(judge.train), len(judge.held_out)) == (6, 6)
    assert "radicals" in judge.left_out


def test_one_caption_in_two_glyphs_is_one_caption(glyphs):
    twice = replace(glyphs.take([0, 1, 2]), captions=("Gold", "gold", "fish"))
    assert caption_numbers(twice).tolist() == [0, 0, 1]


def test_there_must_be_glyphs_to_judge_by(model, glyphs, tmp_path):
    with pytest.raises(ValueError, match="no glyphs to judge by"):
        next(build_report(model, glyphs.take([]), tmp_path / "r.json", CONFIG))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"num_steps": 5000}, r"num_steps 5000 must lie in \[1, 1000\]"),
        ({"scales": (1.0, float("inf"))}, "scale inf must lie in"),
        ({"num_samples": 0}, "num_samples 0 must be at least 1"),
        ({"seed": -1}, "seed -1 must be an integer"),
    ],
)
def test_a_setting_out_of_range_is_refused_at_once_and_leaves_nothing(
    model, glyphs, tmp_path, changes, match
):
    path = tmp_path / "report.json"
    with pytest.raises(ValueError, match=match):
        next(build_report(model, glyphs, path, replace(CONFIG, **changes)))
    assert not path.exists()


def test_a_report_by_other_glyphs_is_not_gone_on_with(model, glyphs, tmp_path):
    path = tmp_path / "report.json"
    some = bare(glyphs.take(slice(20)), num_held_out=0)
    next(build_report(model, some, path, CONFIG))
    with pytest.raises(ValueError, match=r"other glyphs .*\(glyphs\)"):
        next(build_report(model, replace(some, sha256="0" * 64), path, CONFIG))


def test_the_card_of_own_glyphs_says_whose_and_what_was_not_measured(
    model, glyphs, tmp_path
):
    folder = shutil.copytree(model, tmp_path / "glyffuser")
    glyffuser = Glyffuser.load(folder, encoder=Glyffuser.load(model).encoder)
    stage = {"glyphs": 64, "steps": 2, "steps_done": 2, "batch_size": 32, "seed": 0}
    stage |= {"learning_rate": 5e-4, "seconds": 6, "machine": "a loom", "bf16": False}
    stage |= {"date": "2026-01-02", "data": "mine.parquet", "data_sha256": "c" * 64}
    glyffuser.training["stages"] = [stage]
    glyffuser.save(folder)
    shutil.copytree(model.parent / "text_encoder", tmp_path / "text_encoder")
    some = bare(glyphs.take(slice(12)), num_held_out=0)
    some = replace(some, path=Path("mine.parquet"), sha256="d" * 64)
    list(build_report(folder, some, folder / "report.json", CONFIG))
    card = " ".join(card_text(folder).split())
    for told in (
        f"the training split of `mine.parquet` (sha256 `{'c' * 64}`)",
        f"Judged by `mine.parquet` (sha256 `{'d' * 64}`): 12 training and 0 held-out",
        "5 training captions, 2 glyphs each; DPM",
        "Not measured: radicals (the set has fewer than 4",
        "most like the real glyph of its own caption",
        "in the manner of the glyphs that it was trained on",
    ):
        assert told in card
    assert "Chinese" not in card and "plain prompt;" not in card


def test_the_command_prints_each_number_with_its_interval(model, file, tmp_path):
    words = f"evaluate {model} --glyphs {file} --out {tmp_path}/r.json "
    words += "--scales 2 --captions 3 --samples 2 --plain 1 --steps 1"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.output
    for name in ("hit_rate", "floor, frechet", "words_alone, top1", "gold", "scale 2"):
        assert name in result.output
    again = CliRunner().invoke(main, words.replace("--steps 1", "--steps 2").split())
    assert again.exit_code == 1 and "other settings" in again.output


def test_a_card_states_what_config_and_report_say(model, file):
    stage = {"glyphs": 4321, "steps": 9, "steps_done": 7, "batch_size": 4}
    stage |= {"learning_rate": 5e-4, "seed": 3, "seconds": 600}
    stage |= {"machine": "a loom", "bf16": True, "date": "2026-01-02"}
    glyffuser = Glyffuser.load(model)
    glyffuser.training["stages"] = [stage]
    glyffuser.save(model)
    words = f"evaluate {model} --glyphs {file} --scales 1,3 --captions 3 "
    words += "--samples 2 --plain 1 --steps 1"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.output
    card = (model / "README.md").read_text("utf-8")
    report = json.loads((model / "report.json").read_text("utf-8"))
    found = report["parts"]["scale 3"]["hit_rate"]
    wanted = ["4,321 glyphs", "| 4,321 | 7 | 9 |", "a loom, 2026-01-02", "scale 3"]
    wanted += [f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"]
    assert [text for text in wanted if text not in card] == []
    del report["parts"]["plain 3"]
    (model / "report.json").write_text(json.dumps(report))
    with pytest.raises(ValueError, match="finish it"):
        card_text(model)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({"machine": "2 CPU cores", "bf16": True}, "float32"),
        ({"machine": "2 CPU cores", "bf16": True, "cpu_bf16": True}, "bfloat16"),
        ({"machine": "a GPU", "bf16": True, "cpu_bf16": False}, "bfloat16"),
        ({"machine": "a GPU", "bf16": False, "cpu_bf16": True}, "float32"),
    ],
)
def test_a_card_tells_in_which_numbers_a_stage_multiplied(stage, said):
    assert products_of(stage) == said


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ({}, "whole captions"),
        ({"subsets": 0, "words": 0, "part_weight": 1.0}, "whole captions"),
        ({"subsets": 2}, "whole captions, some of their senses"),
        (
            {"words": 1, "part_weight": 0.0},
            "whole captions, single words; no bare parts",
        ),
    ],
)
def test_a_card_tells_what_a_stage_told_of_a_glyph(stage, said):
    assert told_of(stage) == said


def test_a_card_names_the_prompts_that_fail_at_every_scale():
    values = dict.fromkeys(PLAIN, 0.9) | {"hand": 0.1, "silk": 0.4, "gold": 0.5}
    parts = {"plain 1": {prompt: {"value": v} for prompt, v in values.items()}}
    parts["plain 3"] = parts["plain 1"] | {"silk": {"value": 0.8}}
    assert missed(parts, [1.0, 3.0]) == ["hand"]
    assert missed(parts, [1.0]) == ["silk", "hand"]


def test_the_shipped_card_is_what_config_report_and_races_say():
    assert (SHIPPED / "README.md").read_text("utf-8") == card_text(
        SHIPPED, more=shipped_races()
    )


def test_a_card_tells_how_the_races_ended():
    row = {"value": 0.25, "low": 0.2, "high": 0.3}
    took = {"steps": 39, "glyphs": 1234, "seconds": 90.2}
    facts = {"command": "glyflib data results x", "date": "2026-01-02"}
    recipe = took | {"loss": row, "by_log_snr": {"5.0": 0.25}}
    text = took | {"loss": row, "gain": row, "hit_rate": row | {"value": 0.21}}
    said = race_tables(
        RecipeResults(Results(facts, {"as shipped": recipe})),
        TextResults(Results(facts, {"random": text})),
    )
    assert "| as shipped | 1,234 | 90 | 0.250 (0.200 to 0.300) |" in said
    assert "0.210 (0.200 to 0.300)" in said and facts["command"] in said


@pytest.mark.parametrize("scales", ["a", "1,,2", "1,1"])
def test_wrong_scales_are_wrong_usage(scales):
    result = CliRunner().invoke(main, ["evaluate", "--scales", scales])
    assert result.exit_code == 2 and scales in result.output
