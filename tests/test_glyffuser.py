import json
import shutil
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import WIDTH, random_unet, save_encoder, save_glyffuser
from torch import nn

import glyflib.glyffuser
from glyflib import files
from glyflib.data import images_from_x0
from glyflib.glyffuser import SHIPPED, Glyffuser
from glyflib.sampling import (
    guided,
    sample,
    sample_dpm,
    sample_heun,
    sample_sde,
    seeds_of,
)
from glyflib.schedule import (
    alpha_bar_of,
    cosine_alpha_bar,
    eps_from_v,
    eps_from_x0,
    level,
    linear_alpha_bar,
    x0_from_v,
)
from glyflib.text import TextCondition, TextEncoder

ddpm = partial(sample, eta=1.0)
SAMPLERS = {
    "dpm": sample_dpm,
    "ddim": sample,
    "ddpm": ddpm,
    "heun": sample_heun,
    "sde": sample_sde,
}
WAYS_OUT = "train one with `glyflib train`"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return TextEncoder.load(save_encoder(tmp_path_factory.mktemp("text") / "encoder"))


@pytest.fixture(scope="module")
def glyffuser(encoder):
    return Glyffuser(random_unet(), encoder, size=16)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return save_glyffuser(tmp_path_factory.mktemp("stored") / "glyffuser")


@pytest.fixture
def broken(stored, tmp_path):
    shutil.copytree(stored.parent / "text_encoder", tmp_path / "text_encoder")
    return shutil.copytree(stored, tmp_path / "glyffuser")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def row(cond, i):
    return TextCondition(cond.tokens[i : i + 1], cond.mask[i : i + 1])


# --- drawing ----------------------------------------------------------------------


class Oracle(nn.Module):
    """The exact v for data N(mean, std^2), in the place of a network."""

    def __init__(self, mean, std, alpha_bar):
        super().__init__()
        self.config = random_unet().config
        self.mean, self.std, self.alpha_bar = mean, std, alpha_bar
        self.place = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, xt, t, tokens, mask):
        a = level(self.alpha_bar, t, like=xt)
        mean_v = -(1 - a).sqrt() * self.mean
        share = a.sqrt() * (1 - a).sqrt() * (1 - self.std**2)
        share = share / (a * self.std**2 + 1 - a)
        return mean_v + share * (xt - a.sqrt() * self.mean)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_with_the_exact_network_it_draws_from_the_exact_distribution(
    encoder, name, scale
):
    """Text makes no difference to this network, so no scale may make one either."""
    oracle = Oracle(0.3, 0.15, cosine_alpha_bar())
    pictures = Glyffuser(oracle, encoder, size=32).sample(
        ["gold"] * 16, num_steps=200, sampler=SAMPLERS[name], scale=scale
    )
    assert pictures.mean().item() == pytest.approx(0.3, abs=0.01)
    assert pictures.std().item() == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_picture_is_the_same_whatever_the_batch(glyffuser, name):
    draw = partial(glyffuser.generate, num_steps=8, sampler=SAMPLERS[name])
    prompts = ["gold", "an insect, like a wasp or a bee", "", "gold", "water; river"]
    together = [
        torch.tensor(picture.get_flattened_data()) for picture in draw(prompts, seed=3)
    ]
    for i, prompt in enumerate(prompts):
        alone = torch.tensor(draw(prompt, seed=3 + i)[0].get_flattened_data())
        assert (together[i] - alone).abs().max() <= 1
    assert (together[0] - together[3]).abs().max() > 20, "one prompt, two seeds"


def test_different_words_draw_different_pictures_from_one_seed(glyffuser):
    drawn = glyffuser.sample(["gold", "water; river"], seed=[5, 5], num_steps=8)
    assert (drawn[0] - drawn[1]).abs().max() > 0.1


def test_seeds_can_be_given_one_by_one(glyffuser):
    by_one = glyffuser.sample(["gold"] * 3, seed=4, num_steps=3)
    by_hand = glyffuser.sample(["gold"] * 3, seed=[4, 5, 6], num_steps=3)
    assert torch.equal(by_one, by_hand)
    turned = glyffuser.sample(["gold"] * 3, seed=(6, 5, 4), num_steps=3)
    torch.testing.assert_close(turned.flip(0), by_one)


@pytest.mark.parametrize("prediction", ["eps", "v", "x0"])
def test_what_the_network_returns_is_turned_into_noise(encoder, prediction):
    glyffuser = Glyffuser(random_unet(), encoder, size=16, prediction=prediction)
    xt = torch.randn(2, 1, 16, 16, generator=seeded(), dtype=torch.float64)
    t, cond = torch.tensor([300, 900]), encoder.encode(["gold", "water; river"])
    output = glyffuser.unet(xt.float(), t, *cond).double()
    args = xt, output, t, cosine_alpha_bar()
    ways = {"eps": lambda xt, eps, *_: eps, "v": eps_from_v, "x0": eps_from_x0}
    found = glyffuser.predict_eps(xt, t, cond)
    torch.testing.assert_close(found, ways[prediction](*args))


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0, -1.0])
def test_guidance_is_the_one_of_two_calls(glyffuser, scale):
    xt = torch.randn(2, 1, 16, 16, generator=seeded(), dtype=torch.float64)
    t = torch.tensor([500, 500])
    cond = glyffuser.encoder.encode(["gold", "water; river"])
    null = glyffuser.encoder.encode(["", "an insect of the sea"])
    eps_cond, eps_null = (glyffuser.predict_eps(xt, t, some) for some in (cond, null))
    expected = eps_null + scale * (eps_cond - eps_null)
    found = glyffuser.guided(cond, null, scale)(xt, t)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_denoiser_of_prompts_is_the_guided_network(glyffuser):
    xt = torch.randn(2, 1, 16, 16, generator=seeded(), dtype=torch.float64)
    t = torch.tensor([500, 20])
    cond = glyffuser.encoder.encode(["gold", "water; river"])
    null = glyffuser.encoder.encode(["", ""])
    expected = glyffuser.guided(cond, null, 3.0)(xt, t)
    found = glyffuser.denoiser(["gold", "water; river"], scale=3.0)(xt, t)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert not found.requires_grad and found.dtype == xt.dtype


def test_one_prompt_serves_all_the_rows_that_the_denoiser_is_asked_for(glyffuser):
    xt = torch.randn(5, 1, 16, 16, generator=seeded(), dtype=torch.float64)
    t = torch.full((5,), 300)
    found = glyffuser.denoiser("gold", 2.0)(xt, t)
    expected = glyffuser.denoiser(["gold"] * 5, 2.0)(xt, t)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="2 texts must be one, or 5"):
        glyffuser.denoiser(["gold", "water"])(xt, t)
    with pytest.raises(ValueError, match="scale nan must lie in"):
        glyffuser.denoiser("gold", float("nan"))


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_pictures_drawn_in_batches_are_those_drawn_at_once(glyffuser, batch_size):
    asked = ["gold", "water; river", "an insect", "to speak", "gold"]
    options = {"num_steps": 3, "seed": 5, "negative": ["", "gold", "", "", "water"]}
    together = glyffuser.sample(asked, batch_size=5, **options)
    found = glyffuser.sample(asked, batch_size=batch_size, **options)
    torch.testing.assert_close(found, together, rtol=0, atol=1e-3)


def test_no_more_pictures_than_a_batch_are_drawn_at_once_and_each_batch_is_told(
    glyffuser,
):
    calls, told = [], []
    hook = glyffuser.unet.register_forward_pre_hook(
        lambda _, args: calls.append(len(args[0]))
    )

    def progress(batches):
        told.append(len(batches))
        return batches

    glyffuser.sample(["gold"] * 5, batch_size=2, num_steps=1, progress=progress)
    hook.remove()
    assert calls == [4, 4, 2] and told == [3]
    with pytest.raises(ValueError, match="batch_size 0 must be at least 1"):
        glyffuser.sample("gold", batch_size=0)


def test_it_is_the_sampler_on_the_guided_network_from_the_seed_s_noise(glyffuser):
    cond = glyffuser.encoder.encode("gold")
    null = glyffuser.encoder.encode("")
    xt = torch.randn(1, 1, 16, 16, generator=seeded(7), dtype=torch.float64)
    predict_eps = guided(glyffuser.predict_eps, cond, null, 2.5)
    *_, last = sample_dpm(predict_eps, xt, cosine_alpha_bar(), num_steps=6)
    drawn = glyffuser.sample("gold", seed=7, scale=2.5, num_steps=6)
    torch.testing.assert_close(drawn, last.xt.clamp(-1, 1).float(), rtol=0, atol=1e-3)
    assert last.xt.abs().max() > 1, "otherwise nothing was clipped"


@pytest.mark.parametrize(("scale", "rows"), [(1.0, 2), (3.0, 4), (0.0, 2)])
def test_a_step_is_one_call_and_scales_zero_and_one_compute_half(
    glyffuser, scale, rows
):
    calls = []
    hook = glyffuser.unet.register_forward_pre_hook(
        lambda _, args: calls.append(len(args[0]))
    )
    glyffuser.sample(["gold", "water"], scale=scale, num_steps=5)
    hook.remove()
    assert calls == [rows] * 5


def test_a_negative_that_is_the_prompt_cancels_the_guidance(glyffuser):
    draw = partial(glyffuser.sample, ["gold", "water"], num_steps=5)
    cancelled = draw(scale=4.0, negative=["gold", "water"])
    torch.testing.assert_close(cancelled, draw(scale=1.0), rtol=0, atol=1e-3)


def test_one_negative_serves_all_and_changes_the_picture(glyffuser):
    draw = partial(glyffuser.sample, ["gold", "water"], num_steps=5)
    one, two = draw(negative="insect"), draw(negative=["insect", "insect"])
    # Two threads encode two texts with another rounding than one.
    torch.testing.assert_close(one, two, rtol=0, atol=1e-4)
    assert (one - draw()).abs().max() > 0.05


def test_steps_lead_to_what_is_drawn(glyffuser):
    steps = list(glyffuser.steps(["gold", ""], num_steps=7, sampler=ddpm))
    assert [step.t for step in steps][-1] == 0
    assert len(steps) == 7
    assert all(step.xt.shape == step.x0_hat.shape == (2, 1, 16, 16) for step in steps)
    drawn = glyffuser.sample(["gold", ""], num_steps=7, sampler=ddpm)
    assert drawn.dtype == torch.float32
    assert torch.equal(drawn, steps[-1].xt.clamp(-1, 1).float())


def test_at_the_last_level_believed_data_are_not_lost_to_rounding(glyffuser):
    """There x0_hat is eps_hat over a signal of 5e-5: float32 would keep 3 digits."""
    cond = glyffuser.encoder.encode("gold")
    first = next(glyffuser.steps("gold", scale=1.0, num_steps=10))
    xt = torch.randn(1, 1, 16, 16, generator=seeded(0), dtype=torch.float64)
    t = torch.tensor([1000])
    v = glyffuser.unet(xt.float(), t, *cond).double()
    expected = x0_from_v(xt, v, t, cosine_alpha_bar())
    torch.testing.assert_close(first.x0_hat, expected, rtol=0, atol=1e-5)


def test_pictures_are_grey_and_those_of_the_sample(glyffuser):
    pictures = glyffuser.generate(["gold", "water"], num_steps=3, seed=1)
    expected = images_from_x0(glyffuser.sample(["gold", "water"], num_steps=3, seed=1))
    assert [(p.mode, p.size) for p in pictures] == [("L", (16, 16))] * 2
    for picture, image in zip(pictures, expected, strict=True):
        assert picture.tobytes() == image.numpy().tobytes()


def test_a_network_in_double_precision_draws_the_same(encoder, glyffuser):
    other = Glyffuser(random_unet().double(), encoder, size=16)
    drawn = other.sample("gold", num_steps=4)
    torch.testing.assert_close(
        drawn, glyffuser.sample("gold", num_steps=4), rtol=0, atol=1e-3
    )


def test_long_prompts_are_cut_where_the_network_was_trained_to(encoder):
    short = Glyffuser(random_unet(), encoder, size=16, max_tokens=5)
    with pytest.warns(UserWarning, match="all beyond the first 5 are cut"):
        cut = short.sample("the water of the river", num_steps=2)
    by_hand = encoder.encode("the water of the river", max_tokens=40).mask.shape[1]
    assert by_hand > 5
    assert cut.isfinite().all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"prompts": []}, "no prompt given"),
        ({"prompts": ["gold", 3]}, "prompt 3"),
        ({"num_steps": 0}, "num_steps 0"),
        ({"num_steps": 1001}, "num_steps 1001"),
        ({"scale": float("nan")}, "scale nan"),
        ({"negative": ["a", "b"]}, "2 negatives must be one, or 1"),
        ({"seed": [1, 2]}, "2 seeds must be one, or 1"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**32}, "seed 4294967296"),
        ({"seed": ["a"]}, "seed 'a'"),
    ],
)
def test_senseless_arguments_are_refused(glyffuser, options, match):
    with pytest.raises(ValueError, match=match):
        glyffuser.sample(**({"prompts": "gold", "num_steps": 2} | options))


def test_seeds_count_up_to_the_last_one_that_differs():
    """Beyond 2 ** 32 torch's generator would begin again from the same pictures."""
    assert seeds_of(2**32 - 2, 2) == [2**32 - 2, 2**32 - 1]
    with pytest.raises(ValueError, match="4294967296"):
        seeds_of(2**32 - 2, 3)
    same = [torch.randn(4, generator=seeded(seed)) for seed in (5, 5 + 2**32)]
    assert torch.equal(*same)


# --- parts that go together -------------------------------------------------------


def test_a_schedule_is_found_by_its_name():
    torch.testing.assert_close(
        alpha_bar_of({"name": "cosine", "num_levels": 50}), cosine_alpha_bar(50)
    )
    linear = {"name": "linear", "num_levels": 50, "last": 0.1}
    torch.testing.assert_close(alpha_bar_of(linear), linear_alpha_bar(50, last=0.1))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"prediction": "score"}, "prediction 'score'"),
        ({"schedule": {"name": "square"}}, "'square' must be one of cosine"),
        ({"schedule": {"name": "cosine", "speed": 2}}, "unexpected.*speed"),
        ({"size": 18}, "size 18 must be a multiple of 4"),
        ({"max_tokens": 0}, "max_tokens 0"),
        ({"unet": random_unet(text_dim=8)}, "width 8, the encoder writes 16"),
        ({"unet": random_unet(in_channels=3)}, "in_channels 3"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(encoder, options, match):
    parts = {"unet": random_unet(), "encoder": encoder, "size": 16} | options
    with pytest.raises(ValueError, match=match):
        Glyffuser(**parts)


# --- on disk ----------------------------------------------------------------------


def test_a_saved_glyffuser_draws_the_same_once_loaded(encoder, tmp_path):
    unet = random_unet()
    unet.load_state_dict({k: v.half().float() for k, v in unet.state_dict().items()})
    facts = {"steps": 5, "words": "für 金"}
    schedule = {"name": "linear", "num_levels": 200}
    before = Glyffuser(unet, encoder, 16, "eps", schedule, training=facts)
    before.save(tmp_path / "new" / "mine")
    after = Glyffuser.load(str(tmp_path / "new" / "mine"), encoder=encoder)
    assert after.training == facts
    assert torch.equal(after.alpha_bar, linear_alpha_bar(200))
    options = {"num_steps": 5, "seed": 2}
    assert torch.equal(
        after.sample("gold", **options), before.sample("gold", **options)
    )


def test_weights_are_halves_and_lie_beside_a_readable_config(stored):
    assert {path.name for path in stored.iterdir()} == {
        "config.json",
        "model.safetensors",
    }
    weights = load_file(stored / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    config = json.loads((stored / "config.json").read_text("utf-8"))
    assert config["unet"] == random_unet().config
    assert config["schedule"] == {"name": "cosine", "num_levels": 1000}
    assert (config["size"], config["prediction"], config["max_tokens"]) == (16, "v", 40)
    assert config["text_encoder"] == "text_encoder"


def test_saving_again_keeps_what_else_lies_there(broken):
    (broken / "README.md").write_text("a model card")
    before = (broken / "config.json").read_bytes()
    glyffuser = Glyffuser.load(broken)
    glyffuser.training = {"steps": 9}
    glyffuser.save(broken)
    assert (broken / "README.md").read_text() == "a model card"
    assert (broken / "config.json").read_bytes() != before
    assert Glyffuser.load(broken).training == {"steps": 9}
    assert len(list(broken.iterdir())) == 3


def test_the_encoder_beside_it_is_taken(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(glyflib.glyffuser, "SHIPPED_ENCODER", tmp_path / "text_encoder")
    expected = TextEncoder.load(stored.parent / "text_encoder").encode("gold").tokens
    found = Glyffuser.load(stored).encoder.encode("gold").tokens
    assert torch.equal(found, expected)


def test_elsewhere_the_shipped_encoder_is_taken(stored, tmp_path, monkeypatch):
    alone = shutil.copytree(stored, tmp_path / "glyffuser")
    other = save_encoder(tmp_path / "shipped" / "text_encoder", seed=5)
    monkeypatch.setattr(glyflib.glyffuser, "SHIPPED_ENCODER", other)
    found = Glyffuser.load(alone).encoder.encode("gold").tokens
    torch.testing.assert_close(found, TextEncoder.load(other).encode("gold").tokens)


def test_a_save_that_is_cut_off_is_noticed(broken, monkeypatch):
    replace_file = files.replace_file

    def die_at_config(path, write):
        if path.name == "config.json":
            raise KeyboardInterrupt
        replace_file(path, write)

    other = Glyffuser.load(broken)
    other.unet = random_unet(seed=1)
    monkeypatch.setattr(files, "replace_file", die_at_config)
    with pytest.raises(KeyboardInterrupt):
        other.save(broken)
    with pytest.raises(ValueError, match=f"sha256 differs.*{WAYS_OUT}"):
        Glyffuser.load(broken)


@pytest.mark.parametrize("kind", ["facts", "weights"])
def test_what_cannot_be_saved_leaves_the_old_files(broken, kind):
    before = {path.name: path.read_bytes() for path in broken.iterdir()}
    glyffuser = Glyffuser.load(broken)
    if kind == "facts":
        glyffuser.training = {"when": object()}
    else:
        glyffuser.unet.stem.bias.data[0] = 1e5
    with pytest.raises((TypeError, ValueError), match=r"serializable|stem\.bias"):
        glyffuser.save(broken)
    assert {path.name: path.read_bytes() for path in broken.iterdir()} == before


def rewrite(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def lose(folder, key):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config[key]
    path.write_text(json.dumps(config))


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def other_weights(folder):
    """Weights whose sum is right, of a network that is not the config's."""
    config = json.loads((folder / "config.json").read_text())
    save_file(random_unet(num_blocks=2).state_dict(), folder / "model.safetensors")
    data = (folder / "model.safetensors").read_bytes()
    config["sha256"] = files.hashlib.sha256(data).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (shutil.rmtree, FileNotFoundError, "no config.json"),
        (lambda f: (f / "config.json").unlink(), FileNotFoundError, "no config.json"),
        (
            lambda f: (f / "model.safetensors").unlink(),
            FileNotFoundError,
            "no model.safetensors",
        ),
        (lambda f: flip(f / "model.safetensors"), ValueError, "sha256 differs"),
        (lambda f: (f / "config.json").write_text("{"), ValueError, "config.json"),
        (lambda f: (f / "config.json").write_text("[]"), ValueError, "a list"),
        (lambda f: (f / "config.json").write_bytes(b"\xff"), ValueError, "config.json"),
        (lambda f: lose(f, "schedule"), ValueError, "lacks 'schedule'"),
        (lambda f: rewrite(f, colour=3), ValueError, "has 'colour'"),
        (lambda f: rewrite(f, schedule={"name": "x"}), ValueError, "schedule 'x'"),
        (lambda f: rewrite(f, schedule=None), ValueError, "do not fit"),
        (lambda f: rewrite(f, text_encoder=5), ValueError, "text_encoder 5"),
        (lambda f: rewrite(f, prediction="x"), ValueError, "prediction 'x'"),
        (lambda f: rewrite(f, size="16"), ValueError, "do not fit"),
        (lambda f: rewrite(f, unet={"depth": 3}), ValueError, "depth"),
        (
            lambda f: rewrite(f, unet=random_unet(text_dim=8).config),
            ValueError,
            "size mismatch",
        ),
        (other_weights, ValueError, "Missing key"),
    ],
)
def test_a_damaged_folder_is_refused_with_a_way_out(broken, spoil, error, match):
    spoil(broken)
    with pytest.raises(error, match=f"(?s){match}.*{WAYS_OUT}"):
        Glyffuser.load(broken)


def test_an_encoder_of_another_width_is_refused(stored, encoder):
    wide = TextEncoder(encoder.tokenizer, nn.Linear(1, 1))
    wide.model.config = type("Config", (), {"d_model": WIDTH * 2})
    with pytest.raises(
        ValueError, match=f"width 16, the encoder writes 32.*{WAYS_OUT}"
    ):
        Glyffuser.load(stored, encoder=wide)


def test_an_encoder_that_is_nowhere_is_named(broken):
    rewrite(broken, text_encoder="no/such/encoder")
    with pytest.raises(FileNotFoundError, match="no/such/encoder"):
        Glyffuser.load(broken)


# --- the glyffuser that comes with the book ---------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return Glyffuser.load()


@pytest.fixture(scope="module")
def drawn(shipped):
    """Eight pictures of gold, seeds 0 to 7."""
    return shipped.sample(["gold"] * 8, num_steps=20)


class TestShipped:
    def test_it_is_what_the_book_says(self, shipped):
        assert (shipped.size, shipped.prediction) == (32, "v")
        assert torch.equal(shipped.alpha_bar, cosine_alpha_bar())
        assert shipped.training, "how it was made is told"
        assert (SHIPPED / "README.md").is_file(), "it has a model card"
        assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 20 * 2**20

    def test_it_draws_ink_on_paper(self, drawn):
        """Real glyphs: 15 to 50 % ink, and few pixels that are neither."""
        assert drawn.shape == (8, 1, 32, 32)
        ink = (drawn < 0).float().mean((1, 2, 3))
        assert ((ink > 0.1) & (ink < 0.6)).all(), ink
        edge = torch.cat([drawn[..., :2, :], drawn[..., -2:, :]])
        assert edge.mean() > 0.5, "the margin is paper"

    def test_different_seeds_draw_different_glyphs(self, drawn):
        distance = torch.cdist(drawn.flatten(1), drawn.flatten(1))
        distance = distance + 1e3 * torch.eye(8)
        assert distance.min() > 5

    def test_a_picture_is_the_same_whatever_the_batch(self, shipped, drawn):
        alone = shipped.sample("gold", seed=5, num_steps=20)[0]
        with_others = shipped.sample(["water; river", "gold"], seed=4, num_steps=20)[1]
        expected = images_from_x0(drawn[5]).int()
        for other in (alone, with_others):
            assert (images_from_x0(other).int() - expected).abs().max() <= 1

    def test_words_make_a_difference(self, shipped, drawn):
        """From the same noise, gold is nearer to its synonym than to an insect."""
        options = {"num_steps": 20, "seed": 0}
        synonym = shipped.sample(["gold; metal"] * 8, **options)
        insect = shipped.sample(["an insect"] * 8, **options)
        near, far = ((x - drawn).flatten(1).norm(dim=1) for x in (synonym, insect))
        assert near.mean() < far.mean()
