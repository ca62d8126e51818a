"""The study of chapter 12, in a tiny form, and a part of what is stored, done again."""

import pytest
import tiny_models
import torch

from glyflib.data import evenly
from glyflib.glyffuser import Glyffuser
from glyflib.lessons.stored import load_results
from glyflib.sampling import last_of, sample, sample_dpm
from glyflib.studies import sampling as study
from glyflib.text import TextEncoder

# The tiny encoder cuts words into many tokens.
pytestmark = pytest.mark.filterwarnings("ignore:prompt .* are cut")
SIZES = {"counts": (1, 2), "num_same": 2, "num_film": 2, "num_frames": 2}
WAYS = {"ways": {"ddim": (1, 2), "dpm": (2,)}, "reference": ("dpm", 2)}
PARTS = ["same ddpm 1", "same ddim 2", "film", "judged ddim 2", "between", "missed"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    return Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)


@pytest.fixture(scope="module")
def found(tiny):
    patch = pytest.MonkeyPatch()
    patch.setattr(study, "NUM_BOOTSTRAP", 2)
    patch.setattr(study, "BETWEEN_STEPS", 2)
    subject = tiny_models.subject(tiny)
    sizes = SIZES | WAYS | {"num_drawn": 4, "judge": {"ddim": (2,)}}
    parts = study.sampling(subject, 0, **sizes)
    yield {name: parts[name]() for name in PARTS}
    patch.undo()


def test_all_samplers_start_from_the_same_noise(found):
    for name, count in (("same ddpm 1", 1), ("same ddim 2", 2)):
        assert found[name]["steps"] == count
        assert found[name]["x0"].shape == (2, 1, 32, 32)
    film, same = found["film"], found["same ddim 2"]
    assert film["levels"][-1] == 0 and len(film["xt"]) == len(film["x0_hat"]) == 2
    assert film["xt"].dtype == torch.uint8 and film["x0"].shape == same["x0"].shape


def test_a_judged_set_has_an_interval_and_its_features(found):
    judged = found["judged ddim 2"]
    assert judged["features"].shape == (4, 96) and judged["images"].shape[0] == 4
    assert judged["frechet"].keys() == {"value", "low", "high"}


def test_the_middle_of_two_noises_is_drawn_under_the_first_caption(found, tiny):
    captions = tiny_models.some_glyphs("test").captions
    prompt = captions[evenly(4, len(captions))[1]]
    pair = [
        torch.randn(1, 32, 32, dtype=torch.float64, generator=g)
        for g in (torch.Generator().manual_seed(i) for i in (1, 3))
    ]
    middle = (pair[0] + pair[1]) / 2
    text = tiny.encoder.encode([prompt], max_tokens=tiny.max_tokens)
    *_, last = sample(
        lambda xt, t: tiny.predict_eps(xt, t, text),
        middle[None],
        tiny.alpha_bar,
        num_steps=2,
    )
    images = found["between"]["straight"]
    expected = study.images_from_x0(last.xt.float())[0].int()
    assert (images[1].int() - expected).abs().max() <= 1
    assert found["between"]["curved"].shape == images.shape == (2, 1, 32, 32)


def test_who_takes_the_steps_of_the_reference_misses_nothing(found):
    missed = found["missed"]
    assert missed["reference"] == ["dpm", 2]
    assert (missed["dpm 2"] == 0).all() and missed["dpm 2"].shape == (4,)
    assert (missed["strangers"] > 0).all()


def test_one_step_misses_by_the_distance_of_the_two_drawings(found, tiny):
    """The first two captions, drawn alone: the noise of each is its own."""
    captions = tiny_models.some_glyphs("test").captions
    prompts = [captions[i] for i in evenly(4, len(captions))[:2]]
    one, goal = (
        last_of(tiny.steps(prompts, num_steps=n, scale=1.0, sampler=s, seed=0)).xt
        for n, s in ((1, sample), (2, sample_dpm))
    )
    gap = (one - goal).square().mean((1, 2, 3)).sqrt()
    told = found["missed"]["ddim 1"][:2].to(gap)
    torch.testing.assert_close(told, gap, rtol=1e-3, atol=1e-3)


def test_what_is_stored_comes_out_again():
    glyffuser = Glyffuser.load()
    stored = load_results("sampling").tensors["same ddim 2/x0"][:2].float()
    captions = tiny_models.some_glyphs("test").captions
    prompts = [captions[i] for i in evenly(study.NUM_DRAWN, len(captions))]
    again = study.same_noise(glyffuser, prompts[:2], "ddim", 2, seed=0)["x0"].float()
    torch.testing.assert_close(again, stored, atol=0.01, rtol=0)
