"""The stored losses by level: how they are computed, and that they come again."""

import torch
from tiny_models import WIDTH, random_unet, save_encoder

from glyflib.data import load_glyphs, x0_from_images
from glyflib.exact import IdealDenoiser
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.schedule import add_noise, cosine_alpha_bar, v_from_x0_eps
from glyflib.studies import training as study_training
from glyflib.text import TextEncoder

ALPHA_BAR = cosine_alpha_bar(1000)


def test_the_error_is_that_of_v():
    x0 = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    denoiser = study_training.v_errors(
        lambda rows: lambda xt, t: 0 * xt, x0, (300,), ALPHA_BAR, seed=5
    )
    eps, t = torch.randn(x0.shape, generator=torch.Generator().manual_seed(5)), 300
    xt = add_noise(x0, eps, t, ALPHA_BAR)
    a = ALPHA_BAR[t]
    x0_hat = xt / a.sqrt()  # what eps_hat = 0 means
    wrong = v_from_x0_eps(x0_hat, 0 * eps, t, ALPHA_BAR) - v_from_x0_eps(
        x0, eps, t, ALPHA_BAR
    )
    expected = wrong.square().mean((1, 2, 3))
    torch.testing.assert_close(denoiser[0].float(), expected.float())


def test_the_ideal_denoiser_of_the_glyphs_themselves_loses_nothing_at_low_levels():
    x0 = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    ideal = IdealDenoiser(x0, ALPHA_BAR)
    found = study_training.v_errors(
        lambda rows: ideal.predict_eps, x0, (100, 990), ALPHA_BAR, seed=0
    )
    assert found[0].max() < 1e-6 < found[1].min()


def test_a_tiny_study_has_an_error_a_glyph_a_level(tmp_path):
    encoder = TextEncoder.load(save_encoder(tmp_path / "text_encoder"))
    glyffuser = Glyffuser(random_unet(text_dim=WIDTH), encoder, size=32)
    study = study_training.training(
        0, load=lambda: glyffuser, levels=(10, 850), num_glyphs=3
    )
    found = {name: part() for name, part in study.items()}
    assert list(found) == ["train", "test"]
    for part in found.values():
        assert len(set(part["rows"])) == 3 and part["levels"] == [10, 850]
        for name in ("captions", "no captions", "ideal"):
            assert part[name].shape == (2, 3) and (part[name] >= 0).all()
    assert found["train"]["ideal"][0].max() < 1e-4 < found["test"]["ideal"][0].min()


def test_a_stored_part_comes_again():
    stored, few = load_results("training"), slice(0, 2)
    levels = stored.parts["test"]["levels"]
    place = [levels.index(t) for t in (400, 850)]
    x0 = x0_from_images(load_glyphs("test", 32).images[stored.parts["test"]["rows"]])
    denoiser = study_training.network(study_training.load_shipped(), ["", ""])
    found = study_training.v_errors(denoiser, x0[few], (400, 850), ALPHA_BAR, seed=7)
    before = stored.tensors["test/no captions"][place, few]
    torch.testing.assert_close(found.float(), before, rtol=0.5, atol=0.05)
