"""The shipped autoencoder is small, gives glyphs back, and its card is its report's."""

import pytest
import torch
from tiny_models import some_glyphs

from glyflib.autoencoder import SHIPPED, Autoencoder
from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.making.autoencoder import write_autoencoder_card
from glyflib.making.super_resolution import root_errors
from glyflib.runs import PRESETS


@pytest.fixture(scope="module")
def autoencoder():
    return Autoencoder.load()


@pytest.fixture(scope="module")
def x0():
    """Every 40th held-out glyph."""
    return x0_from_images(load_glyphs("test").images[::40])


def test_it_is_no_larger_than_6_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 6e6


def test_glyphs_that_it_has_not_seen_come_back(autoencoder, x0):
    found = autoencoder.reconstruct(x0)
    stored = autoencoder.training["report"]["autoencoder"]["error"]["value"]
    error = root_errors(found, x0).mean().item()
    assert error == pytest.approx(stored, rel=0.1)
    classifier = RadicalClassifier.load()
    is_kept = classifier.read(found).radicals == classifier.read(x0).radicals
    assert is_kept.double().mean() >= 0.9


def test_its_latents_are_spread_as_noise_is(autoencoder, x0):
    latents = autoencoder.encode(x0)
    assert latents.shape == (len(x0), 4, 16, 16)
    assert latents.std().item() == pytest.approx(1, abs=0.05)
    assert latents.shape[1] == PRESETS["latent"].unet["in_channels"]
    assert latents.shape[2] == PRESETS["latent"].size


def test_noise_is_no_glyph(autoencoder, x0):
    """What it decodes to is less like paper and ink than any glyph is."""
    noise = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    grey = (autoencoder.decode(noise).abs() < 0.8).double().mean((1, 2, 3))
    others = (autoencoder.reconstruct(x0).abs() < 0.8).double().mean((1, 2, 3))
    assert grey.min() > others.max()


def test_it_learnt_the_shipped_glyphs_and_its_card_tells_its_report(
    autoencoder, tmp_path
):
    assert autoencoder.training["data_sha256"] == some_glyphs("test").sha256
    write_autoencoder_card(autoencoder, tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert card == (SHIPPED / "README.md").read_text("utf-8")
