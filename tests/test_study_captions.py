"""Short paired runs: what they differ in, what they share, and how they are told."""

import pytest
import tiny_models
import torch
from click.testing import CliRunner

from glyflib.__main__ import main
from glyflib.commands import data as command
from glyflib.data import bare_parts
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.run_log import read_log
from glyflib.runs import LEVELS, Shown
from glyflib.studies import captions as study_captions
from glyflib.studies.captions import (
    BEFORE,
    FIRST,
    NAME,
    PROMPTS,
    VARIANTS,
    Remembering,
    Settings,
    Variant,
    caption_tables,
    captions,
    folder_of,
)
from glyflib.studies.common import Subject
from glyflib.studies.registry import run_study
from glyflib.text import TextEncoder

QUICK = Settings(
    steps=4,
    batch_size=4,
    warmup=1,
    num_held_out=6,
    num_drawn=2,
    num_captions=5,
    num_steps=2,
)
FACTS = {"seed": 0, "model": "m", "settings": {}, "command": "run", "date": "today"}
FACTS |= {"machine": "one", "threads": 1}
FEW = {
    FIRST: Variant(),
    "no parts": Variant(Shown(subsets=1, part_weight=0.0), 0.2),
}


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch):
    torch.manual_seed(0)
    classifier = RadicalClassifier((4, 4, 4), 8).eval()
    monkeypatch.setattr(RadicalClassifier, "load", lambda: classifier)


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    """A tiny glyffuser, and few glyphs with a bare part among them."""
    folder = tmp_path_factory.mktemp("models")
    encoder = TextEncoder.load(tiny_models.save_encoder(folder / "encoder"))
    unet = tiny_models.random_unet(patch=4).requires_grad_(True)
    train, test = map(tiny_models.some_glyphs, ("train", "test"))
    rows = [*range(20), *train.find("手扌")]
    return Subject(Glyffuser(unet, encoder), train.take(rows), test.take(range(12)))


def finish(subject, folder, variants=FEW):
    study = captions(subject, 0, QUICK, folder, variants)
    facts = FACTS | {"settings": {"num_steps": 2, "scale": 3.0, "num_drawn": 2}}
    facts["settings"] |= {"num_captions": 5}
    list(run_study(NAME, study, facts, folder))
    return load_results(NAME, folder)


@pytest.fixture(scope="module")
def found(subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        classifier = RadicalClassifier((4, 4, 4), 8).eval()
        patch.setattr(RadicalClassifier, "load", lambda: classifier)
        return finish(subject, folder), folder


def test_each_run_is_judged_and_says_what_it_did(found, subject):
    results, folder = found
    assert list(results.parts) == [BEFORE, *FEW]
    for name, part in results.parts.items():
        for kind in ("captions", "no captions"):
            assert results.tensors[f"{name}/{kind}"].shape == (len(LEVELS), 6)
        assert list(part["prompts"]) == list(PROMPTS)
        assert len(part["prompts"]["hand"]["radicals"]) == 2
        assert 0 <= part["prompts"]["hand"]["ink"] <= 1
        assert len(part["hits"]) == 5
    part = results.parts["no parts"]
    assert part["steps"] == 4 and part["glyphs"] == 16 and part["dropout"] == 0.2
    assert part["left out"] == bare_parts(subject.train).sum() > 0
    assert results.parts[FIRST]["left out"] == 0
    assert len(read_log(folder_of("no parts", folder).log)) == 4


def test_the_weights_before_stay_as_they_were(subject, tmp_path):
    before = subject.glyffuser.unet.head.weight.clone()
    study = captions(subject, 0, QUICK, tmp_path, FEW)
    one = study["no parts"]()
    assert subject.glyffuser.unet.head.weight.equal(before)
    assert subject.glyffuser.unet.config["dropout"] == 0.0
    assert not torch.equal(one["captions"], study[BEFORE]()["captions"])


def test_two_runs_that_differ_in_nothing_find_the_same(subject, tmp_path):
    variants = {FIRST: Variant(), "the same": Variant()}
    results = finish(subject, tmp_path, variants)
    for kind in ("captions", "no captions", "last captions"):
        pair = [results.tensors[f"{name}/{kind}"] for name in variants]
        assert pair[0].equal(pair[1])
    told = caption_tables(results, subject.held_out.captions)
    assert "0.0000 (0.0000 to 0.0000)" in told


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(subject, found, tmp_path):
    results, _ = found
    variant, folder = FEW["no parts"], folder_of("no parts", tmp_path)

    class Cut(Exception):
        pass

    taken = study_captions.train_glyffuser

    def train_a_bit(*args, **options):
        for n, step in enumerate(taken(*args, **options)):
            yield step
            if n == 1:
                raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_captions, "train_glyffuser", train_a_bit)
        config = {"config": {"checkpoint_seconds": 0}}
        often = Variant(variant.shown, variant.dropout, **config)
        study = captions(subject, 0, QUICK, tmp_path, {"no parts": often})
        with pytest.raises(Cut):
            study["no parts"]()
    assert folder.has_checkpoint() and not folder.model.exists()
    rest = study["no parts"]()
    assert rest["captions"].equal(results.tensors["no parts/captions"])


def test_the_tables_tell_every_run_level_and_prompt(found, subject):
    told = caption_tables(found[0], subject.held_out.captions)
    for name in (*FEW, *map(str, LEVELS), *(f"“{prompt}”" for prompt in PROMPTS)):
        assert f"| {name} |" in told
    assert "say\nnothing of another seed" in told or "say nothing of another" in told


def test_an_encoder_that_remembers_gives_the_same_and_is_asked_once(tmp_path):
    encoder = TextEncoder.load(tiny_models.save_encoder(tmp_path / "encoder"))
    asked, own = [], encoder.encode

    def encode(prompts, **options):
        asked.append(prompts)
        return own(prompts, **options)

    encoder.encode = encode
    memory = Remembering(encoder)
    for _ in range(2):
        found = memory.encode(["gold", "water"], max_tokens=8)
        torch.testing.assert_close(found.tokens, own(["gold", "water"]).tokens)
    assert len(asked) == 1 and memory.width == encoder.width


def test_the_variants_change_one_thing_after_another():
    assert next(iter(VARIANTS.values())) == Variant()
    assert len({str(variant) for variant in VARIANTS.values()}) == len(VARIANTS)


def test_the_command_writes_tables_and_refuses_an_unknown_variant(
    subject, tmp_path, monkeypatch
):
    monkeypatch.setattr(Glyffuser, "load", lambda: subject.glyffuser)
    splits = {"train": subject.train, "test": subject.held_out}
    monkeypatch.setattr(command, "load_glyphs", lambda split, size: splits[split])
    monkeypatch.setattr(study_captions, "Settings", lambda **_: QUICK)
    args = ["data", "caption-runs", "--out", str(tmp_path / "out"), "--steps", "40"]
    result = CliRunner().invoke(main, [*args, "--only", "subsets of senses"])
    assert result.exit_code == 0, result.output
    told = (tmp_path / "out" / "captions.md").read_text("utf-8")
    assert "subsets of senses" in told and "dropout" not in told
    facts = load_results(NAME, tmp_path / "out").facts
    assert facts["settings"]["steps"] == 4 and "caption-runs" in facts["command"]
    wrong = CliRunner().invoke(main, [*args, "--only", "nothing"])
    assert wrong.exit_code == 2 and "there are 'whole captions'" in wrong.output
