"""Stages of training become one run: nothing is lost, nothing counted twice."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from tiny_models import random_unet, save_glyffuser

from glyflib.__main__ import main
from glyflib.glyffuser import Glyffuser
from glyflib.making.adopt import join_logs, write_sums
from glyflib.run_log import HeldOutLog, read_held_out, read_log, write_log

DATA = Path(__file__).parents[1] / "data"


def rows_of(first_glyph, num_steps):
    """A log of batches of 4."""
    return [
        {
            "step": step,
            "glyphs": first_glyph + 4 * step,
            "seconds": 0.5 * step,
            "loss": 1 / step,
            "learning_rate": 1e-3,
            "grad_norm": 1.0,
        }
        for step in range(1, num_steps + 1)
    ]


def write_stage(folder, first_glyph, num_steps, snapshots):
    write_log(folder / "log.csv", rows_of(first_glyph, num_steps))
    steps = torch.tensor(snapshots)
    found = {"step": steps, "glyphs": first_glyph + 4 * steps, "loss": steps.float()}
    safetensors.torch.save_file(found, folder / "snapshots.safetensors")


@pytest.fixture
def stages(tmp_path):
    """A glyffuser of 5 steps, and a run of 7 more whose model is of the sixth."""
    folder = save_glyffuser(tmp_path / "glyffuser")
    before = Glyffuser.load(folder)
    before.training["stages"] = [{"steps_done": 5, "glyphs": 20}]
    before.save(folder)
    write_stage(folder, 0, 5, [0, 5])
    training = {"stages": [*before.training["stages"], {"steps_done": 6, "glyphs": 24}]}
    after = replace(before, unet=random_unet(seed=9), training=training)
    run = tmp_path / "run"
    after.save(run / "model")
    (tmp_path / "run" / "text_encoder").symlink_to(tmp_path / "text_encoder")
    write_stage(run, 20, 7, [0, 6, 7])
    return run, folder


def adopt(run, folder):
    return CliRunner().invoke(main, ["data", "adopt", str(run), "--model", str(folder)])


def test_an_adopted_stage_goes_on_where_the_first_ended(stages):
    run, folder = stages
    result = adopt(run, folder)
    assert result.exit_code == 0 and "has seen 44 glyphs" in result.output
    rows = read_log(folder / "log.csv")
    assert [row["step"] for row in rows] == list(range(1, 12))
    assert [row["glyphs"] for row in rows] == list(range(4, 48, 4))
    assert [row["seconds"] for row in rows] == [0.5 * n for n in range(1, 12)]
    kept = safetensors.torch.load_file(folder / "snapshots.safetensors")
    assert kept["step"].tolist() == [0, 5, 5, 11]
    assert kept["glyphs"].tolist() == [0, 20, 20, 44]
    for name in ("config.json", "model.safetensors"):
        assert (folder / name).read_bytes() == (run / "model" / name).read_bytes()


def test_the_report_of_the_weights_before_does_not_outlive_them(stages):
    run, folder = stages
    (folder / "report.json").write_text("{}")
    assert "glyflib evaluate" in adopt(run, folder).output
    assert not (folder / "report.json").exists()


def test_a_stage_is_not_taken_twice_or_from_elsewhere(stages):
    run, folder = stages
    assert adopt(run, folder).exit_code == 0
    before = (folder / "log.csv").read_bytes()
    (folder / "report.json").write_text("{}")
    again = adopt(run, folder)
    assert again.exit_code == 1 and "its stages differ" in again.output
    assert (folder / "log.csv").read_bytes() == before
    assert (folder / "report.json").exists()


def test_logs_whose_glyphs_do_not_go_on_are_refused():
    with pytest.raises(ValueError, match=r"starts at 4 glyphs, the first ends at 8"):
        join_logs(rows_of(0, 2), rows_of(0, 3))
    assert join_logs([], rows_of(0, 3)) == rows_of(0, 3)


def test_sums_are_those_of_every_file_but_cards(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.bin", "sub/a.bin", "README.md"):
        (tmp_path / name).write_text(name)
    assert write_sums(tmp_path) == write_sums(tmp_path) == 2
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert lines[0] == f"{sha256(b'b.bin').hexdigest()}  b.bin"
    assert [line.split()[1] for line in lines] == ["b.bin", "sub/a.bin"]


def test_the_shipped_log_is_as_long_as_its_stages():
    config = json.loads((DATA / "glyffuser-32" / "config.json").read_text("utf-8"))
    stages, rows = (
        config["training"]["stages"],
        read_log(DATA / "glyffuser-32" / "log.csv"),
    )
    assert len(rows) == rows[-1]["step"] == sum(one["steps_done"] for one in stages)
    assert rows[-1]["glyphs"] == sum(one["glyphs"] for one in stages)


def test_held_out_losses_are_joined_and_an_older_folder_has_none(stages):
    run, folder = stages
    assert adopt(run, folder).exit_code == 0
    assert not (folder / "held_out.csv").exists()


@pytest.mark.parametrize("is_there", [True, False])
def test_held_out_losses_of_a_run_stand_behind_those_before(stages, is_there):
    run, folder = stages
    if is_there:
        HeldOutLog(folder / "held_out.csv", 0).add(5, 20, {400: (0.5, 0.25)})
    log = HeldOutLog(run / "held_out.csv", 0)
    for step in (0, 4, 7):  # the model is that of step 6
        log.add(step, 20 + 4 * step, {400: (0.1 * step, 0.3)})
    assert adopt(run, folder).exit_code == 0
    rows = read_held_out(folder / "held_out.csv")
    assert [row["step"] for row in rows] == [5, 9]
    assert [row["glyphs"] for row in rows] == [20, 36]
    assert rows[0]["captions"] == (0.5 if is_there else 0.0)
