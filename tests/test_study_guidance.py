"""The study of chapter 17, in a tiny form, and a part of what is stored, done again."""

import json

import pytest
import tiny_models
import torch

from glyflib.files import CONFIG
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.studies import guidance as study
from glyflib.text import TextEncoder

# The tiny encoder cuts words into many tokens.
pytestmark = pytest.mark.filterwarnings("ignore:prompt .* are cut")
SIZES = {"num_drawn": 2, "num_each": 2, "num_negative": 2}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    return Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)


@pytest.fixture(scope="module", autouse=True)
def short():
    patch = pytest.MonkeyPatch()
    patch.setattr(study, "NUM_STEPS", 3)
    yield
    patch.undo()


def test_a_part_has_pictures_and_the_share_outside_at_each_step(tiny):
    parts = study.guidance(tiny_models.subject(tiny), 0, scales=(0, 3), **SIZES)
    assert {"sweep 0", "same gold 3", "span late", "without shrimp"} < parts.keys()
    found = parts["sweep 3"]()
    assert found["images"].shape == (2, 1, 32, 32)
    assert found["images"].dtype == torch.uint8
    assert found["levels"] == [1000, 667, 333] and len(found["outside"]) == 3


def test_scale_0_does_not_hear_the_prompt(tiny):
    gold = study.draw(tiny, ["gold"], 0, 0)["images"]
    assert study.draw(tiny, ["fish"], 0, 0)["images"].equal(gold)
    assert study.draw(tiny, [""], 1, 0)["images"].equal(gold)


def test_without_guided_levels_the_scale_does_not_count(tiny):
    plain = study.draw(tiny, ["gold"], 1, 0)["images"]
    assert study.draw(tiny, ["gold"], 8, 0, span=(0, 0))["images"].equal(plain)
    assert not study.draw(tiny, ["gold"], 8, 0, span=(500, 1000))["images"].equal(plain)


def test_the_prompt_as_its_own_negative_undoes_the_guidance(tiny):
    plain = study.draw(tiny, ["gold"], 1, 0)["images"].int()
    same = study.draw(tiny, ["gold"], 8, 0, negative="gold")["images"].int()
    assert (plain - same).abs().max() <= 1


def test_a_fix_is_applied_after_the_share_outside_is_counted(tiny):
    free = study.draw(tiny, ["gold"], 30, 0)
    fixed = study.draw(tiny, ["gold"], 30, 0, fix=lambda x0_hat: 0 * x0_hat)
    assert free["outside"][0] == fixed["outside"][0] > 0
    assert (fixed["images"].int() - 128).abs().max() <= 1


def test_what_is_stored_comes_out_again(monkeypatch):
    results, glyffuser = load_results("guidance"), Glyffuser.load()
    stored = results.parts["same gold 3"]
    monkeypatch.setattr(study, "NUM_STEPS", len(stored["levels"]))
    again = study.draw(glyffuser, ["gold"] * 2, 3, seed=0)
    images = results.tensors["same gold 3/images"][:2].int()
    assert (again["images"].int() - images).abs().float().mean() < 1
    assert again["levels"] == stored["levels"] and stored["scale"] == 3


def test_what_is_stored_is_of_the_shipped_weights():
    config = json.loads((SHIPPED / CONFIG).read_text("utf-8"))
    assert load_results("guidance").facts["model"] == config["sha256"]
