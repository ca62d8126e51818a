"""The stored bits: how they are computed, and that they come again."""

import math

import pytest
import torch
from tiny_models import WIDTH, random_unet, save_encoder, some_glyphs, subject

from glyflib.data import x0_from_images
from glyflib.evaluation.intervals import bootstrap_interval
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.likelihood import trace_of
from glyflib.schedule import add_noise
from glyflib.studies import bits as study_bits
from glyflib.studies.training import told
from glyflib.text import TextEncoder


def tiny(tmp_path):
    encoder = TextEncoder.load(save_encoder(tmp_path / "text_encoder"))
    return subject(Glyffuser(random_unet(text_dim=WIDTH), encoder, size=32))


def test_a_tiny_study_has_bits_a_glyph_a_way(tmp_path):
    study = study_bits.bits(
        tiny(tmp_path),
        0,
        num_glyphs=3,
        num_told=3,
        num_uniform=2,
        num_fine=1,
        num_steps=4,
        num_levels=3,
        num_counted=2,
    )
    found = {name: part() for name, part in study.items()}
    assert list(found) == ["curve", "bound", "told", "uniform", "fine"]
    for name, count in {"curve": 3, "told": 3, "uniform": 2, "fine": 1}.items():
        part = found[name]
        assert part["bits"].shape == part["touch"].shape == (count,)
        assert part["traces"].shape == (len(part["levels"]), count)
        assert part["rows"] == found["curve"]["rows"][:count]
        mean, low, high = part["mean"]
        assert low <= mean <= high
    assert found["bound"]["drawn"].shape == found["bound"]["errors"].shape == (3, 3)
    assert len(found["fine"]["levels"]) > len(found["curve"]["levels"])
    assert (found["curve"]["bits"] != found["told"]["bits"]).all()


def test_a_trivial_network_pays_what_is_known(tmp_path):
    """One that sees no noise copies every pixel: all costs follow in closed form."""
    studied = tiny(tmp_path)
    for value in studied.glyffuser.unet.head.parameters():
        value.zero_()  # v is 0, so x0_hat is sqrt(alpha_bar) xt
    found = study_bits.bits(studied, 0, num_glyphs=2, num_steps=300, num_counted=2)
    part = found["curve"]()
    alpha_bar = studied.glyffuser.alpha_bar
    signal = alpha_bar[part["levels"]]
    expected = 1024 * signal[:, None].expand(-1, 2)  # x0_hat follows y by alpha_bar
    torch.testing.assert_close(part["traces"].double(), expected, rtol=1e-5, atol=1e-3)
    # v = 0 is the perfect answer for standard normal data.
    x0 = x0_from_images(some_glyphs("test").take(part["rows"]).images).double()
    eps = study_bits.noise_of(x0, 0)
    x1 = add_noise(x0, eps, torch.tensor([1]), alpha_bar)
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(x1).flatten(1).sum(1)
    back = torch.distributions.Normal(0.0, (1 - alpha_bar[1]).sqrt())
    noise = back.log_prob((1 - alpha_bar[1]).sqrt() * eps).flatten(1).sum(1)
    known = (noise - normal) / (1024 * math.log(2)) + part["touch"]
    torch.testing.assert_close(part["bits"].double(), known, rtol=0, atol=0.03)


def test_stored_traces_come_again():
    stored, few = load_results("bits"), slice(0, 2)
    part = stored.parts["curve"]
    some = some_glyphs("test").take(part["rows"])
    x0 = x0_from_images(some.images, dtype=torch.float64)
    glyffuser = Glyffuser.load()
    x1 = add_noise(
        x0, study_bits.noise_of(x0, 0), torch.tensor([1]), glyffuser.alpha_bar
    )
    _, found = trace_of(
        told(glyffuser, ["", ""]),
        x1[few],
        1,
        glyffuser.alpha_bar,
        generator=torch.Generator().manual_seed(7),
        num_probes=4,
    )
    before = stored.tensors["curve/traces"][0, few]
    torch.testing.assert_close(found.float(), before, rtol=0.15, atol=0)


@pytest.mark.parametrize("part", ["curve", "told", "uniform", "fine"])
def test_stored_means_have_their_intervals(part):
    stored = load_results("bits")
    values = stored.tensors[f"{part}/bits"].double()
    again = bootstrap_interval(
        torch.mean,
        values,
        generator=torch.Generator().manual_seed(0),
        num=study_bits.NUM_DRAWS,
    )
    assert study_bits.NUM_DRAWS >= 400
    assert list(again) == pytest.approx(stored.parts[part]["mean"], abs=1e-6)
