"""The stored losses by level: how they are computed, and that they come again."""

import torch
from tiny_models import WIDTH, random_unet, save_encoder, some_glyphs, subject

from glyflib.data import x0_from_images
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.schedule import cosine_alpha_bar
from glyflib.studies import training as study_training
from glyflib.text import TextEncoder
from glyflib.training import errors_by_level

ALPHA_BAR = cosine_alpha_bar(1000)


def test_a_tiny_study_has_an_error_a_glyph_a_level(tmp_path):
    encoder = TextEncoder.load(save_encoder(tmp_path / "text_encoder"))
    glyffuser = Glyffuser(random_unet(text_dim=WIDTH), encoder, size=32)
    study = study_training.training(
        subject(glyffuser), 0, levels=(10, 850), num_glyphs=3
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
    x0 = x0_from_images(some_glyphs("test").images[stored.parts["test"]["rows"]])
    predict_eps = study_training.told(Glyffuser.load(), ["", ""])
    generator = torch.Generator().manual_seed(7)
    errors = errors_by_level(predict_eps, x0[few], (400, 850), ALPHA_BAR, generator)
    found = errors / ALPHA_BAR[[400, 850], None]
    before = stored.tensors["test/no captions"][place, few]
    torch.testing.assert_close(found.float(), before, rtol=0.5, atol=0.05)
