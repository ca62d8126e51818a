"""The radical classifier as it is shipped: what it reads, and how it is loaded."""

import hashlib
import json

import pytest
import safetensors.torch
import torch

from glyflib.data import GLYPHS, load_glyphs, x0_from_images
from glyflib.evaluation.radicals import (
    RADICALS,
    RadicalClassifier,
    check_radicals,
    shrink_x0,
)
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.card import by_frequency, card, share_right

CONFIG = json.loads((RADICALS / "config.json").read_text("utf-8"))
HELD_OUT = CONFIG["held_out"]


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def classifier():
    return RadicalClassifier.load()


@pytest.fixture(scope="module")
def held_out():
    return load_glyphs("test", 32)


@pytest.fixture(scope="module")
def counts():
    """Training glyphs of each radical."""
    return torch.bincount(load_glyphs("train", 32).radicals)


@pytest.fixture(scope="module")
def reading(classifier, held_out):
    return classifier.read(x0_from_images(held_out.images))


# The classifier that is shipped.


def test_the_stated_accuracy_is_reproduced(reading, held_out):
    """Pictures of 32 pixels are rounded once more than what was measured: 3 glyphs."""
    right = (reading.radicals == held_out.radicals).double().mean().item()
    assert right == pytest.approx(HELD_OUT["top1"], abs=0.003)
    low, high = HELD_OUT["top1_interval"]
    assert low < right < high and right >= 0.85
    top5 = reading.logits.topk(5).indices + 1
    top5 = (top5 == held_out.radicals[:, None]).any(1).double().mean().item()
    assert top5 == pytest.approx(HELD_OUT["top5"], abs=0.003)
    assert HELD_OUT["glyphs"] == len(held_out) == 1061


def test_it_reads_disturbed_glyphs_as_well_as_stated(classifier, held_out):
    """Another 1,061 disturbed pictures: four standard errors of what was measured."""
    images = load_glyphs("test", 64).images
    found = share_right(classifier, augment(images, gen(9)), held_out.radicals)
    assert found == pytest.approx(HELD_OUT["top1_disturbed"], abs=0.045)
    assert found > 0.75


def test_it_is_right_far_more_often_than_the_commonest_radical(held_out, counts):
    share = (held_out.radicals == counts.argmax()).double().mean().item()
    assert HELD_OUT["commonest_radical"] == pytest.approx(share)
    assert HELD_OUT["top1"] > 10 * share


def test_the_stated_shares_by_frequency_are_reproduced(reading, held_out, counts):
    is_right = reading.radicals == held_out.radicals
    found = by_frequency(is_right, counts[held_out.radicals])
    stated = HELD_OUT["top1_by_training_glyphs"]
    assert sum(row["glyphs"] for row in stated.values()) == len(held_out)
    for name, row in stated.items():
        assert found[name]["glyphs"] == row["glyphs"]
        assert found[name]["top1"] == pytest.approx(row["top1"], abs=0.02)


def test_the_classifier_is_small_and_in_half_precision():
    path = RADICALS / "model.safetensors"
    assert path.stat().st_size < 3e6
    weights = safetensors.torch.load_file(path)
    floats = [x for x in weights.values() if x.is_floating_point()]
    assert {x.dtype for x in floats} == {torch.float16}
    model = RadicalClassifier(**CONFIG["network"])
    assert CONFIG["parameters"] == sum(p.numel() for p in model.parameters())


def test_the_classifier_was_trained_on_the_glyphs_that_are_stored():
    stored = json.loads(GLYPHS.with_name("glyphs.parquet.json").read_text("utf-8"))
    assert CONFIG["glyphs_sha256"] == stored["sha256"]
    assert CONFIG["training_glyphs"] == stored["splits"]["train"]


def test_the_card_is_written_from_the_configuration():
    page = (RADICALS / "README.md").read_text("utf-8")
    assert page == card(CONFIG)
    assert f"**{HELD_OUT['top1']:.1%}**" in page and "{" not in page


def test_features_have_mean_zero_and_variance_one_on_training_pictures(classifier):
    images = load_glyphs("train", 64).images[::30]
    features = classifier.read(augment(images, gen())).features
    assert features.shape[1] == CONFIG["network"]["feature_dim"] == 96
    assert features.mean(0).abs().max() < 0.3
    variance = features.var(0)
    assert variance.min() > 0.7 and variance.max() < 1.4
    assert variance.mean() == pytest.approx(1, abs=0.1)


def test_logits_come_from_the_features(classifier, reading, held_out):
    x0 = x0_from_images(held_out.images[:20])
    with torch.no_grad():
        logits, features = classifier(x0), classifier.features(x0)
    assert logits.shape == (20, 214) and features.shape == (20, 96)
    torch.testing.assert_close(reading.logits[:20], logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reading.features[:20], features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reading.radicals[:20], logits.argmax(1) + 1)


def test_a_glyph_is_read_alike_in_any_batch(classifier, reading, held_out):
    x0 = x0_from_images(held_out.images[:7])
    alone = classifier.read(x0, batch_size=1).logits
    torch.testing.assert_close(alone, reading.logits[:7], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [64, 128])
def test_larger_glyphs_are_averaged_down(classifier, size):
    x0 = 2 * torch.rand(3, 1, size, size, generator=gen()) - 1
    step = size // 32
    small = x0.reshape(3, 1, 32, step, 32, step).mean((3, 5))
    torch.testing.assert_close(shrink_x0(x0), small)
    torch.testing.assert_close(
        classifier.read(x0).logits, classifier.read(small).logits, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "shape", [(2, 1, 16, 16), (2, 3, 32, 32), (2, 32, 32), (2, 1, 32, 64), (32,)]
)
def test_other_shapes_are_refused(classifier, shape):
    with pytest.raises(ValueError, match="S = 32, 64 or 128"):
        classifier(torch.zeros(shape))


def test_images_that_were_not_scaled_are_refused(classifier, held_out):
    with pytest.raises(ValueError, match=r"uint8: scale images with data\.x0"):
        classifier(held_out.images[:2])


def copy_of_shipped(folder, **changes):
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((RADICALS / name).read_bytes())
    config = {k: v for k, v in (CONFIG | changes).items() if v is not None}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def test_a_copy_can_be_loaded_and_has_no_gradients(tmp_path, reading, held_out):
    model = RadicalClassifier.load(copy_of_shipped(tmp_path))
    x0 = x0_from_images(held_out.images[:9])
    torch.testing.assert_close(
        model.read(x0).logits, reading.logits[:9], rtol=1e-4, atol=1e-4
    )
    assert not model.training and not model(x0).requires_grad


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_classifier_says_how_to_get_it(tmp_path, name):
    (copy_of_shipped(tmp_path) / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"no {name}.*glyflib data radicals"):
        RadicalClassifier.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"widths": [8, 16, 32], "feature_dim": 96}},
        {"network": {"depth": 3}},
        {"network": None},
        {"sha256": "0" * 64},
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match=r"glyflib data radicals"):
        RadicalClassifier.load(copy_of_shipped(tmp_path, **changes))


def test_damaged_weights_are_refused(tmp_path):
    path = copy_of_shipped(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="its sha256 differs"):
        RadicalClassifier.load(tmp_path)
    path.write_bytes(b"no tensors")
    digest = hashlib.sha256(b"no tensors").hexdigest()
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"sha256": digest}))
    with pytest.raises(ValueError, match="is damaged"):
        RadicalClassifier.load(tmp_path)


# Radicals that fit.


@pytest.mark.parametrize(
    ("radicals", "num", "match"),
    [
        ([1, 2, 3], 2, r"\(3,\) for \(2,\)"),
        ([], 0, "N above 0"),
        ([1, 0], 2, "holds 0: leave out"),
        ([215, 2], 2, "holds 215"),
    ],
)
def test_radicals_that_do_not_fit_are_refused(radicals, num, match):
    with pytest.raises(ValueError, match=match):
        check_radicals(torch.tensor(radicals), torch.zeros(num))
    with pytest.raises(ValueError, match="one a glyph"):
        check_radicals(torch.ones(3, 1).long(), torch.zeros(3, 1))
