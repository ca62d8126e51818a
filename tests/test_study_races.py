"""The races of recipes: fair, and judged on the same noise."""

import pytest
import tiny_models
import torch

from glyflib.data import x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.studies.common import Subject
from glyflib.studies.races import (
    LOG_SNRS,
    RECIPES,
    TEXTS,
    Racer,
    encoder_of,
    held_out_errors,
    new_racer,
    recipes,
    texts,
)
from glyflib.text import TextCondition, TextEncoder

TINY = {"patch": 4, "channels": (8, 16), "attention_levels": (1,)}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Tiny networks, and a quick classifier."""
    for name, racer in (RECIPES | TEXTS).items():
        small = Racer(
            TINY | {k: v for k, v in racer.unet.items() if k.endswith("text")},
            racer.config | {"batch_size": 8},
            racer.schedule,
            racer.prediction,
            racer.is_distilled,
        )
        monkeypatch.setitem(RECIPES if name in RECIPES else TEXTS, name, small)
    torch.manual_seed(0)
    classifier = RadicalClassifier((4, 4, 4), 8).eval()
    monkeypatch.setattr(RadicalClassifier, "load", lambda: classifier)


@pytest.fixture(scope="module")
def subject():
    """Only 70 glyphs a split."""
    train, test = map(tiny_models.some_glyphs, ("train", "test"))
    return Subject(Glyffuser.load(), train.take(slice(70)), test.take(slice(70)))


def test_a_race_tells_what_it_took_and_what_it_came_to(subject):
    study = recipes(subject, 0, seconds=0.2)
    assert list(study) == list(RECIPES)
    found = study["linear schedule"]()
    assert found["glyphs"] == 8 * found["steps"] and found["seconds"] > 0
    loss = found["loss"]
    assert 0 < loss["low"] <= loss["value"] <= loss["high"]
    by_level = list(found["by_log_snr"].values())
    assert loss["value"] == pytest.approx(sum(by_level) / len(by_level))


def test_a_race_of_texts_also_tells_what_the_words_bring(subject):
    found = texts(subject, 0, seconds=0.2, num_drawn=3)["untrained text encoder"]()
    assert {"loss", "gain", "hit_rate"} < found.keys()


@pytest.mark.parametrize("schedule", ["cosine", "linear", "sigmoid"])
def test_a_network_that_says_nothing_errs_by_the_share_of_noise(schedule):
    """An x0_hat of zero leaves eps_hat = xt / sqrt(1 - ab), whose error is known."""
    racer = Racer(TINY, {}, {"name": schedule, "num_levels": 1000}, "x0")
    glyffuser = new_racer(racer, TextEncoder.load(), 0)  # its last layer starts at zero
    x0 = x0_from_images(tiny_models.some_glyphs("test").images[:40])
    empty = glyffuser.encoder.encode([""] * 40)
    errors = held_out_errors(glyffuser, TextCondition(*empty), x0, 0).mean(1)
    wanted = torch.tensor(LOG_SNRS).exp() * x0.double().square().mean()
    torch.testing.assert_close(errors, wanted.double(), rtol=0.08, atol=0)


def test_the_untrained_encoder_is_of_the_shipped_form_and_not_the_shipped_one():
    encoder = TextEncoder.load()
    shipped, random = (encoder_of(encoder, kind, 0) for kind in (True, False))
    shapes = [
        [value.shape for value in encoder.model.parameters()]
        for encoder in (shipped, random)
    ]
    assert shapes[0] == shapes[1]
    pair = [encoder.encode("gold").tokens for encoder in (shipped, random)]
    assert (pair[0] - pair[1]).abs().max() > 0.1
