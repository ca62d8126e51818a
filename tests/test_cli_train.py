"""`glyflib train` as users type it, with a network of seconds."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tiny_models import save_encoder, save_glyphs

from glyflib import runs
from glyflib.__main__ import main
from glyflib.checkpoint import RECORD
from glyflib.commands import train as command
from glyflib.run_log import read_held_out, read_log
from glyflib.runs import Preset, RunFolder, Start, prepare

TINY = {"patch": 4, "channels": (8, 16), "attention_levels": (1,)}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    return save_glyphs(tmp_path_factory.mktemp("glyphs") / "few.parquet")


def make_quick(monkeypatch):
    """A tiny preset."""
    monkeypatch.setitem(command.PRESETS, "small", Preset(32, TINY, batch_size=4))


@pytest.fixture
def invoke(monkeypatch, encoder, glyphs):
    """Train on few glyphs with an encoder of seconds, often checkpointed."""
    make_quick(monkeypatch)

    def run(*words, **options):
        given = ["train", *map(str, words)]
        if "--resume" not in words:
            given += ["--encoder", str(encoder), "--glyphs", str(glyphs)]
            given += ["--checkpoint-seconds", "0.2"]
        return CliRunner().invoke(main, given, **options)

    return run


def test_a_run_leaves_all_it_promises_and_says_what_the_loss_did(invoke, tmp_path):
    result = invoke("--steps", 30, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "120 glyphs seen in all, 30 steps" in result.output
    assert "30 steps of 4 glyphs, out of" in result.output
    assert f"`glyflib train --resume --out {tmp_path / 'run'}`" in result.output
    for name in ("loss.png", "samples.png"):
        with Image.open(tmp_path / "run" / name) as picture:
            assert min(picture.size) > 300
    rows = read_log(tmp_path / "run" / "log.csv")
    assert len(rows) == 30
    drawn = CliRunner().invoke(
        main,
        f"generate gold -n 2 --steps 2 --model {tmp_path}/run/model "
        f"--out {tmp_path}/gold.png".split(),
    )
    assert drawn.exit_code == 0, drawn.output


def test_pictures_are_laid_out_with_their_channels_last(encoder, monkeypatch, tmp_path):
    make_quick(monkeypatch)
    start = Start(steps=5, encoder=str(encoder), batch_size=8)
    glyffuser, _ = prepare(start, RunFolder(tmp_path))
    weights = [value for value in glyffuser.unet.parameters() if value.ndim == 4]
    layout = torch.channels_last
    assert weights and all(w.is_contiguous(memory_format=layout) for w in weights)


def test_minutes_are_kept_as_steps(invoke, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "seconds_a_step", lambda *_: 0.2)
    result = invoke("--minutes", 0.05, "--no-snapshots", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert RunFolder(tmp_path / "run").read_start().steps == 15
    assert len(read_log(tmp_path / "run" / "log.csv")) == 15


def start(encoder, glyphs, *words, **shared):
    """Start `glyflib train` as a process of its own, with the quick preset."""
    script = (
        "import pytest, sys, test_cli_train; from glyflib.__main__ import main\n"
        "test_cli_train.make_quick(pytest.MonkeyPatch())\n"
        f"main(['train', '--encoder', {str(encoder)!r}, '--glyphs', {str(glyphs)!r},"
        " '--checkpoint-seconds', '0.2', *sys.argv[1:]])"
    )
    paths = [str(Path(__file__).parent), *sys.path]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | shared
    env |= {"OMP_NUM_THREADS": "1"}  # the network is tiny, and two may run at once
    command = [sys.executable, "-c", script, "--no-snapshots", *map(str, words)]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_run_killed_at_any_moment_resumes_to_its_end(
    invoke, tmp_path, encoder, glyphs
):
    out = tmp_path / "run"
    process = start(encoder, glyphs, "--steps", 150, "--out", out)
    deadline = time.monotonic() + 120
    while not (out / "checkpoint" / RECORD).exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    record = json.loads((out / "checkpoint" / RECORD).read_text("utf-8"))
    assert 0 < record["facts"]["step"] < 150
    result = invoke("--resume", "--out", out)
    assert result.exit_code == 0, result.output
    steps = [row["step"] for row in read_log(out / "log.csv")]
    assert steps[-1] == 150 and len(steps) >= 149 and len(set(steps)) == len(steps)


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="needs gloo")
def test_two_processes_share_a_run_and_one_of_them_writes(tmp_path, encoder, glyphs):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo"}
    ranks = [
        start(
            *(encoder, glyphs, "--steps", 12, "--out", tmp_path / "run"),
            **(shared | {"RANK": rank, "LOCAL_RANK": rank}),
        )
        for rank in "01"
    ]
    said = [process.communicate(timeout=120)[0] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], said
    assert "48 glyphs seen" in said[0] and "seen" not in said[1]
    assert len(read_log(tmp_path / "run" / "log.csv")) == 12


def test_an_interrupted_run_keeps_its_model_and_can_go_on(
    invoke, tmp_path, monkeypatch
):
    follow = command.follow

    def interrupt(steps, num_steps):
        for step in steps:
            if step.step == 20:
                time.sleep(0.25)  # so that the next step writes a checkpoint
            if step.step == 21:
                raise KeyboardInterrupt

    monkeypatch.setattr(command, "follow", interrupt)
    words = ("--steps", 30, "--no-snapshots", "--out", tmp_path / "run")
    result = invoke(*words)
    assert result.exit_code == 1 and "--resume goes on" in result.output
    assert (tmp_path / "run" / "model" / "config.json").is_file()
    monkeypatch.setattr(command, "follow", follow)
    result = invoke("--resume", "--out", tmp_path / "run")
    assert result.exit_code == 0 and "120 glyphs seen" in result.output


def test_a_second_run_starts_from_the_first_ones_weights(invoke, tmp_path):
    invoke("--steps", 12, "--no-snapshots", "--out", tmp_path / "one")
    result = invoke(
        *("--steps", 12, "--no-snapshots", "--out", tmp_path / "two"),
        *("--init", tmp_path / "one" / "model", "--cpu-bf16", "--no-bf16"),
    )
    assert result.exit_code == 0 and "96 glyphs seen" in result.output
    told = json.loads((tmp_path / "two/model/config.json").read_text("utf-8"))
    stages = told["training"]["stages"]
    assert [stage["cpu_bf16"] for stage in stages] == [False, True]
    assert [stage["bf16"] for stage in stages] == [True, False]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "run"], 2, "--minutes or --steps"),
        (["--out", "run", "--minutes", 1, "--steps", 5], 2, "--minutes or --steps"),
        (
            ["--out", "run", "--steps", 9, "--no-snapshots", "--patience", 2],
            2,
            "needs --measure-every",
        ),
        (["--out", "run", "--steps", 0], 2, "0 is not in the range"),
        (["--out", "run", "--minutes", "inf"], 2, "inf is not a finite number"),
        (["--out", "run", "--minutes", "nan"], 2, "nan is not a finite number"),
        (["--out", "run", "--resume"], 1, "no run in run"),
        (["--out", "run", "--resume", "--seed", 3], 2, "leave out --seed"),
        (["--out", "run", "--steps", 5, "--init", "none"], 1, "none"),
    ],
)
def test_a_mistake_is_told_in_a_line(invoke, tmp_path, monkeypatch, words, code, said):
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == code, result.output
    assert said in result.output and "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


def test_a_run_is_neither_overwritten_nor_resumed_from_a_damaged_record(
    invoke, tmp_path
):
    invoke("--steps", 12, "--no-snapshots", "--out", tmp_path / "run")
    again = invoke("--steps", 12, "--out", tmp_path / "run")
    assert again.exit_code == 1 and "give --resume" in again.output
    (tmp_path / "run" / "run.json").write_text("{", "utf-8")
    broken = invoke("--resume", "--out", tmp_path / "run")
    assert broken.exit_code == 1 and "run.json is damaged" in broken.output


def test_what_holds_no_result_binds_nothing(invoke, tmp_path, encoder):
    """A run that failed before its first checkpoint can be started anew as it is."""
    RunFolder(tmp_path / "run").write_start(Start(steps=9))
    result = invoke("--steps", 12, "--no-snapshots", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert RunFolder(tmp_path / "run").read_start().steps == 12


def test_a_moved_glyph_file_is_named_again_and_another_is_refused(
    invoke, tmp_path, glyphs
):
    words = ("--steps", 12, "--no-snapshots", "--out", tmp_path / "run")
    assert invoke(*words).exit_code == 0
    moved = shutil.copy(glyphs, tmp_path / "moved.parquet")
    again = invoke("--resume", "--out", tmp_path / "run", "--glyphs", moved)
    assert again.exit_code == 0, again.output
    other = save_glyphs(tmp_path / "other.parquet", num_test=9)
    refused = invoke("--resume", "--out", tmp_path / "run", "--glyphs", other)
    assert refused.exit_code == 1 and "from another file" in refused.output


def test_options_of_captions_parts_and_dropout_reach_the_run(invoke, tmp_path):
    out = tmp_path / "run"
    result = invoke(
        *("--steps", 12, "--out", out, "--subsets", 2, "--words", 1),
        *("--part-weight", 0),
        *("--dropout", 0.1, "--caption-dropout", 0.3, "--ema-decay", 0.5),
        *("--measure-every", 4, "--patience", 9),
    )
    assert result.exit_code == 0, result.output
    (stage,) = json.loads((out / "model/config.json").read_text("utf-8"))["training"][
        "stages"
    ]
    for name, value in {
        "subsets": 2,
        "words": 1,
        "part_weight": 0,
        "dropout": 0.1,
        "caption_dropout": 0.3,
        "ema_decay": 0.5,
    }.items():
        assert stage[name] == value, name
    start = RunFolder(out).read_start()
    assert start.measure_every == 4 and start.patience == 9
    rows = read_held_out(out / "held_out.csv")
    assert sorted({row["step"] for row in rows}) == [0, 4, 8, 12]
    with Image.open(out / "held_out.png") as picture:
        assert min(picture.size) > 300
    again = invoke("--resume", "--out", out)
    assert again.exit_code == 0, again.output
    refused = invoke("--resume", "--out", out, "--subsets", 3)
    assert refused.exit_code == 2 and "leave out --subsets" in refused.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--subsets", "-1"),
        ("--part-weight", "-0.5"),
        ("--dropout", "1"),
        ("--caption-dropout", "1.5"),
        ("--ema-decay", "1"),
        ("--measure-every", "0"),
        ("--patience", "0"),
    ],
)
def test_each_option_is_in_the_help_and_refuses_what_is_out_of_range(
    invoke, tmp_path, option, value
):
    told = CliRunner().invoke(main, ["train", "--help"]).output
    assert option in told
    result = invoke("--steps", 5, "--out", tmp_path / "run", option, value)
    assert result.exit_code == 2 and f"Invalid value for '{option}'" in result.output
