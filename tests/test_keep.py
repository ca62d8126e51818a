"""The first edition's diary: copied whole, of one set of weights, still readable."""

import json
from hashlib import sha256

import pytest
from click.testing import CliRunner

from glyflib.__main__ import main
from glyflib.lessons import results
from glyflib.making.keep import KEPT, keep_edition
from glyflib.runs import LEVELS

COPIED = ["config.json", "log.csv", "snapshots.safetensors", "report.json"]


@pytest.fixture
def sources(tmp_path):
    """A model's folder and its studies, as far as they are read."""
    model, studies = tmp_path / "model", tmp_path / "results"
    model.mkdir()
    studies.mkdir()
    shipped = json.loads((results.FIRST_EDITION / "config.json").read_text("utf-8"))
    write_weights(model, shipped, "one")
    for name in COPIED[1:]:
        (model / name).write_bytes(name.encode())
    for name in ("training", "words"):
        write_study(studies, name, "one")
    return model, studies


def write_weights(model, config, name):
    (model / "config.json").write_text(json.dumps(config | {"sha256": name}))


def write_study(studies, name, weights):
    (studies / f"{name}.json").write_text(json.dumps({"facts": {"model": weights}}))
    (studies / f"{name}.safetensors").write_bytes(name.encode())


def test_what_is_kept_is_copied_byte_by_byte_and_has_its_sums(sources, tmp_path):
    (model, studies), out = sources, tmp_path / "kept"
    options = ["--model", model, "--results", studies, "--out", out]
    result = CliRunner().invoke(main, ["data", "keep", *map(str, options)])
    assert result.exit_code == 0 and "8 files kept" in result.output, result.output
    record = json.loads((out / KEPT).read_text("utf-8"))
    assert record["weights"] == "one" and {"date", "machine"} < record.keys()
    for name, digest in record["files"].items():
        source = (model if name in COPIED else studies) / name
        assert (out / name).read_bytes() == source.read_bytes()
        assert sha256(source.read_bytes()).hexdigest() == digest
    assert "`one`" in (out / "README.md").read_text("utf-8")
    assert not (out / "model.safetensors").exists()


def test_a_study_of_other_weights_is_not_kept_with_these(sources, tmp_path):
    model, studies = sources
    write_study(studies, "words", "two")
    with pytest.raises(ValueError, match=r"words\.json was made with other weights"):
        keep_edition(model, studies, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_kept_diary_is_not_replaced_by_that_of_other_weights(sources, tmp_path):
    (model, studies), out = sources, tmp_path / "kept"
    assert keep_edition(model, studies, out) == keep_edition(model, studies, out)
    config = json.loads((model / "config.json").read_text("utf-8"))
    write_weights(model, config, "two")
    for name in ("training", "words"):
        write_study(studies, name, "two")
    before = (out / "config.json").read_bytes()
    with pytest.raises(FileExistsError, match=r"weights one.*are two.*--out"):
        keep_edition(model, studies, out)
    assert (out / "config.json").read_bytes() == before


def test_the_first_editions_files_have_the_sums_that_were_taken():
    edition = results.first_edition()
    for name, digest in edition.kept["files"].items():
        found = (edition.folder / name).read_bytes()
        assert sha256(found).hexdigest() == digest, name
    size = sum(path.stat().st_size for path in edition.folder.iterdir())
    assert size < 4_000_000


def test_the_first_edition_has_log_samples_and_curves_of_its_own_weights():
    edition = results.first_edition()
    assert len(edition.log) == sum(one["steps_done"] for one in edition.stages)
    shots = edition.snapshots
    assert shots["ema_samples"].shape[1:] == (16, 1, 32, 32)
    assert shots["ema_loss"].shape == (len(shots["step"]), len(LEVELS))
    assert edition.training.facts["model"] == edition.weights
    assert edition.words.facts["model"] == edition.weights
    assert edition.report["model"] == edition.weights


def test_the_first_edition_loses_more_on_new_glyphs_with_captions_than_on_old_ones():
    """What chapters teach from it: it has learnt its captions by heart."""
    found = results.first_edition().training
    high = [found.levels.index(level) for level in (550, 700, 850, 990)]
    mean = {
        split: found.errors(split, "captions")[high].mean().item()
        for split in ("train", "test")
    }
    assert mean["test"] > 1.1 * mean["train"]


def test_a_folder_that_keeps_nothing_says_how_to_bring_it_back(tmp_path):
    with pytest.raises(FileNotFoundError, match="git checkout -- data/first-edition"):
        results.first_edition(tmp_path)


def test_what_the_first_edition_drew_for_words_can_be_read():
    hearts = results.first_edition().words.idea("heart")
    assert len(hearts.radicals) == len(hearts.images) == 48
    assert hearts.prompts == (), "studies did not keep them then"
