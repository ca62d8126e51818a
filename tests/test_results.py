"""Stored results: whole parts, resumable, never of two models, and up to date."""

import os

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from tiny_models import subject

from glyflib.__main__ import main
from glyflib.lessons.stored import RESULTS, load_results
from glyflib.studies import registry as studies
from glyflib.studies.registry import LONG, STUDIES, parts_of, run_study, study_facts

FACTS = {"name": "toy", "command": "glyflib data results toy", "seed": 0, "model": "m"}


def toy(calls, *, fails_at=None):
    """Three parts that say when they are computed."""

    def part(name):
        def compute():
            if name == fails_at:
                raise KeyboardInterrupt
            calls.append(name)
            return {"number": len(name), "picture": torch.full((2, 2), 7).byte()}

        return compute

    return {name: part(name) for name in ("one", "three", "seven")}


def spoil(path):
    """Change one number of one tensor."""
    tensors = safetensors.torch.load_file(path)
    tensors["one/picture"][0, 0] += 1
    safetensors.torch.save_file(tensors, path)


def finish(study, folder, facts=FACTS):
    return list(run_study("toy", study, facts, folder))


def test_what_a_study_found_can_be_read_again(tmp_path):
    assert finish(toy([]), tmp_path) == ["one", "three", "seven"]
    found = load_results("toy", tmp_path)
    assert found.facts == FACTS
    assert found.parts["three"] == {"number": 5}
    assert found.tensors["seven/picture"].tolist() == [[7, 7], [7, 7]]


def test_a_killed_study_goes_on_with_the_part_that_is_missing(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        finish(toy(calls, fails_at="seven"), tmp_path)
    assert calls == ["one", "three"]
    finish(toy(calls), tmp_path)
    assert calls == ["one", "three", "seven"]
    finish(toy([]), tmp_path / "whole")
    for name in ("toy.json", "toy.safetensors"):
        pair = [tmp_path / name, tmp_path / "whole" / name]
        assert pair[0].read_bytes() == pair[1].read_bytes()


@pytest.mark.parametrize("changed", [{"seed": 1}, {"model": "other"}])
def test_parts_of_two_models_or_seeds_do_not_mix(tmp_path, changed):
    finish(toy([]), tmp_path)
    with pytest.raises(ValueError, match=r"toy was made with .* --anew"):
        finish(toy([]), tmp_path, FACTS | changed)


def test_a_kill_between_the_two_files_costs_one_part_only(tmp_path, monkeypatch):
    calls, move = [], os.replace

    def die_before_the_second_record(temporary, path):
        if path.suffix == ".json" and len(calls) == 2:
            raise KeyboardInterrupt
        move(temporary, path)

    monkeypatch.setattr(os, "replace", die_before_the_second_record)
    with pytest.raises(KeyboardInterrupt):
        finish(toy(calls), tmp_path)
    monkeypatch.undo()
    found = load_results("toy", tmp_path)
    assert list(found.parts) == ["one"] and list(found.tensors) == ["one/picture"]
    finish(toy(calls), tmp_path)
    assert calls == ["one", "three", "three", "seven"]
    assert len(load_results("toy", tmp_path).tensors) == 3


def test_a_study_without_tensors_needs_no_second_file(tmp_path):
    finish({"one": lambda: {"number": 1}}, tmp_path)
    assert load_results("toy", tmp_path).tensors == {}
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]


def test_numbers_that_are_not_finite_are_not_stored(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        finish({"one": lambda: {"number": float("nan")}}, tmp_path)
    assert not (tmp_path / "toy.json").exists()


@pytest.mark.parametrize(
    ("break_it", "error", "match"),
    [
        (lambda d: (d / "toy.json").unlink(), FileNotFoundError, "no results at"),
        (lambda d: (d / "toy.json").write_text("{}"), ValueError, "damaged"),
        (lambda d: (d / "toy.safetensors").unlink(), ValueError, "damaged"),
        (lambda d: (d / "toy.safetensors").write_bytes(b"x"), ValueError, "damaged"),
        (lambda d: spoil(d / "toy.safetensors"), ValueError, "sha256"),
    ],
)
def test_damaged_results_name_the_command_that_makes_them(
    tmp_path, break_it, error, match
):
    finish(toy([]), tmp_path)
    break_it(tmp_path)
    with pytest.raises(error, match=match) as caught:
        load_results("toy", tmp_path)
    assert "glyflib data results toy" in str(caught.value)


def test_the_command_runs_a_study_goes_on_and_starts_anew(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setitem(studies.STUDIES, "toy", lambda subject, seed: toy(calls))
    args = ["data", "results", "toy", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0 and "toy: seven (" in result.output
    facts = load_results("toy", tmp_path).facts
    assert facts["command"] == "glyflib data results toy --seed 0"
    assert {"seed", "model", "machine", "threads", "date"} < facts.keys()
    assert CliRunner().invoke(main, args).exit_code == 0 and len(calls) == 3
    changed = CliRunner().invoke(main, [*args, "--seed", "1"])
    assert changed.exit_code == 1 and "--anew" in changed.output
    anew = CliRunner().invoke(main, [*args, "--seed", "1", "--anew"])
    assert anew.exit_code == 0 and len(calls) == 6


def test_an_unknown_study_is_wrong_usage():
    result = CliRunner().invoke(main, ["data", "results", "nothing"])
    assert result.exit_code == 2 and "there are" in result.output


# Long studies may be to come, or have their first parts only.
STORED = [*STUDIES, *(one for one in LONG if (RESULTS / f"{one}.json").is_file())]


@pytest.mark.parametrize("name", STORED)
def test_stored_results_are_whole_and_of_the_shipped_weights(name, tmp_path):
    found, now = load_results(name), study_facts(name, 0)
    parts = list(parts_of(name, subject(None), 0, RESULTS, tmp_path))
    num = len(found.parts) if name in LONG else len(parts)
    assert list(found.parts) == parts[:num] and num
    assert {"machine", "threads", "date"} < found.facts.keys()
    for key in ("name", "command", "seed", "model", "settings"):
        told = f"run glyflib data results {name} --anew"
        assert found.facts.get(key) == now.get(key), told


def test_every_file_of_results_has_its_study():
    stored = {path.stem for path in RESULTS.iterdir()} if RESULTS.is_dir() else set()
    assert stored == set(STORED)


def test_a_long_study_is_run_only_if_it_is_named():
    assert not STUDIES.keys() & LONG.keys()
    assert study_facts("published", 0)["settings"]["minutes"] == [5.0, 15.0, 45.0]


def test_results_are_small():
    sizes = [path.stat().st_size for path in RESULTS.glob("*")]
    assert sum(sizes) < 6_000_000
