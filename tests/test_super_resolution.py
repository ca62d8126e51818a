"""Small pictures become large ones, each by its own seed and noise."""

import json
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from tiny_models import random_unet, save_glyphs

from glyflib.data import load_glyphs, x0_from_images
from glyflib.making import super_resolution as build
from glyflib.making.super_resolution import (
    draw_crops,
    judge,
    new_super_resolver,
    root_errors,
    train_super_resolver,
)
from glyflib.schedule import add_noise
from glyflib.super_resolution import SuperNet, SuperResolver
from glyflib.training import Data, TrainConfig, train
from glyflib.unet import UNet

SHAPE = {
    "in_channels": 3,
    "out_channels": 1,
    "patch": 4,
    "attention_levels": (),
    "text_dim": None,
}


def tiny():
    return SuperResolver(random_unet(**SHAPE))


def small_pictures(count, side=8):
    return torch.rand(count, 1, side, side, generator=torch.manual_seed(1)) * 2 - 1


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Twelve glyphs to learn, two of them judged in two steps."""

    monkeypatch.setattr(build, "NUM_JUDGED", 2)
    monkeypatch.setattr(build, "NUM_STEPS", 2)
    path = save_glyphs(tmp_path / "few.parquet", num_train=12, num_test=4)
    return load_glyphs("all", path=path)


def test_a_picture_does_not_depend_on_its_batch():
    resolver, small = tiny(), small_pictures(3)
    together = resolver.sample(small, num_steps=3, seed=5)
    assert together.shape == (3, 1, 32, 32)
    alone = resolver.sample(small[2:], num_steps=3, seed=7)
    torch.testing.assert_close(together[2:], alone, rtol=0, atol=1e-4)


def test_the_small_picture_its_noise_and_the_seed_all_matter():
    resolver, small = tiny(), small_pictures(1)
    first = resolver.sample(small, num_steps=2)
    for other in (
        resolver.sample(-small, num_steps=2),
        resolver.sample(small, num_steps=2, aug_level=0),
        resolver.sample(small, num_steps=2, seed=1),
    ):
        assert (other - first).abs().max() > 1e-3


def test_any_size_that_the_levels_divide_is_enlarged():
    assert tiny().sample(small_pictures(1, 12), num_steps=1).shape == (1, 1, 48, 48)


def test_at_level_zero_the_small_picture_is_shown_as_it_is():
    small = small_pictures(2).double()
    sources = [torch.Generator().manual_seed(i) for i in range(2)]
    torch.testing.assert_close(tiny().noised(small, 0, sources), small)


def test_the_network_is_told_how_much_noise_was_added():
    class Repeat(torch.nn.Module):
        def forward(self, x, t):
            return x

    net = SuperNet(Repeat())
    low, std = small_pictures(2, 4), torch.tensor([0.1, 0.4])
    seen = net(torch.zeros(2, 1, 16, 16), torch.ones(2), low, std)
    assert seen.shape == (2, 3, 16, 16)
    assert seen[1, 2].unique().tolist() == pytest.approx([0.4])
    enlarged = F.interpolate(low, size=(16, 16), mode="bilinear")
    torch.testing.assert_close(seen[:, 1:2], enlarged)


def test_what_is_saved_is_loaded(tmp_path):
    resolver, small = tiny(), small_pictures(1)
    resolver.unet.half().float()
    resolver.save(tmp_path)
    again = SuperResolver.load(tmp_path).sample(small, num_steps=2)
    torch.testing.assert_close(again, resolver.sample(small, num_steps=2))


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


@pytest.mark.parametrize(
    ("break_it", "error", "match"),
    [
        (lambda d: (d / "config.json").unlink(), FileNotFoundError, "no super-res"),
        (lambda d: (d / "model.safetensors").unlink(), FileNotFoundError, "no super"),
        (lambda d: (d / "model.safetensors").write_bytes(b"x"), ValueError, "sha256"),
        (lambda d: change(d, size=3), ValueError, "it has 'size'"),
        (lambda d: change(d, factor=0), ValueError, "factor 0"),
        (lambda d: change(d, max_aug_level=1001), ValueError, "max_aug_level 1001"),
    ],
)
def test_a_damaged_folder_says_how_to_get_a_whole_one(tmp_path, break_it, error, match):
    tiny().save(tmp_path)
    break_it(tmp_path)
    with pytest.raises(error, match=match) as caught:
        SuperResolver.load(tmp_path)
    assert "glyflib data super-resolution" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"aug_level": 301}, "aug_level 301"),
        ({"aug_level": -1}, "aug_level -1"),
        ({"num_steps": 0}, "num_steps 0"),
        ({"seed": [1, 2, 3]}, "3 seeds"),
    ],
)
def test_settings_out_of_range_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        tiny().sample(small_pictures(2), **options)


@pytest.mark.parametrize(
    "small",
    [torch.zeros(1, 8, 8), torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8).byte()],
)
def test_small_pictures_of_a_wrong_kind_are_refused(small):
    with pytest.raises(ValueError, match="must be"):
        tiny().sample(small)


@pytest.mark.parametrize(
    "options", [{"out_channels": 3}, {"in_channels": 1}, {"text_dim": 16}]
)
def test_a_network_that_cannot_see_the_small_picture_is_refused(options):
    shape = SHAPE | {"channels": (8, 16), "attention_levels": (1,)} | options
    with pytest.raises(ValueError, match="3 channels"):
        SuperResolver(UNet(**shape))


def crops_of(images, batch_size, seed=0, **options):
    resolver, generator = tiny(), torch.Generator().manual_seed(seed)
    config = TrainConfig(1, batch_size, warmup=0)
    data = Data(images, None, None)
    options = {"resolver": resolver, "crop": 48} | options
    return draw_crops(data, config, 1000, generator, **options), resolver


def test_crops_lie_where_the_small_glyph_has_pixels():
    images = load_glyphs("test").images[:3]
    batch, _ = crops_of(images, 16)
    shrunk = F.avg_pool2d(x0_from_images(images), 4)
    for crop in F.avg_pool2d(batch.x0, 4):
        windows = shrunk.unfold(2, 12, 1).unfold(3, 12, 1)
        assert (windows - crop[:, None, None]).abs().amax((1, 4, 5)).min() < 1e-6


def test_the_condition_is_the_crop_made_small_with_noise_of_the_told_size():
    batch, _ = crops_of(load_glyphs("test").images[:40], 2000, crop=16)
    low, std = batch.condition
    clean = F.avg_pool2d(batch.x0, 4)
    signal = (1 - std.square()).sqrt()[:, None, None, None]
    noise = ((low - signal * clean).flatten(1) / std[:, None])[std > 0.01]
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    levels = (1 - std.square()).double()
    wanted = tiny().alpha_bar[[0, 300]].flip(0)
    assert wanted[0] - 1e-4 <= levels.min() and levels.max() <= wanted[1] + 1e-4


def test_two_processes_draw_what_one_draws():
    images = load_glyphs("test").images[:5]
    whole, resolver = crops_of(images, 8)
    config, data = TrainConfig(1, 8, warmup=0), Data(images, None, None)
    for mine in (slice(0, 4), slice(4, 8)):
        generator = torch.Generator().manual_seed(0)
        part = draw_crops(data, config, 1000, generator, mine, resolver=resolver)
        torch.testing.assert_close(part.x0, whole.x0[mine])
        torch.testing.assert_close(part.eps, whole.eps[mine])
        torch.testing.assert_close(part.condition[0], whole.condition[0][mine])


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, few):
    config = TrainConfig(4, 2, warmup=0, checkpoint_seconds=0)

    def run(name, stop=None):
        out, work = tmp_path / name, tmp_path / f"{name}-work"
        for step in train_super_resolver(few, out, work, config, channels=(8, 16)):
            if step.step == stop:
                return
        assert (out / "README.md").read_text("utf-8").startswith("# Model card")

    run("whole")
    run("cut", stop=2)
    run("cut")
    first, second = (SuperResolver.load(tmp_path / name) for name in ("whole", "cut"))
    for a, b in zip(first.unet.parameters(), second.unet.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert first.training["crops"] == 8


def test_with_training_it_learns_to_look_at_the_small_picture():
    """A network blind to it cannot tell what noise alone should become."""
    resolver = new_super_resolver(0, channels=(16, 16))
    images = load_glyphs("test").images[:12]
    config = TrainConfig(150, 12, learning_rate=4e-3, warmup=0, seed=1)
    draw = partial(draw_crops, resolver=resolver, crop=16)
    for step in train(resolver.net, images, config, resolver.alpha_bar, draw=draw):
        last = step
    resolver = SuperResolver(last.ema_model.unet.eval())
    x0 = x0_from_images(images)
    small = F.avg_pool2d(x0, 4)
    own, other = (
        root_errors(resolver.sample(some, num_steps=1, aug_level=0), x0).mean()
        for some in (small, small.roll(1, 0))
    )
    assert own < 0.8 * other


def test_a_perfect_guess_has_no_error_and_a_blank_one_has_its_distance():
    x0 = torch.ones(2, 1, 8, 8)
    assert root_errors(x0, x0).tolist() == [0, 0]
    assert root_errors(-x0, x0).tolist() == [2, 2]


def test_the_judge_tells_three_ways_apart():
    x0 = x0_from_images(load_glyphs("test").images[:3])
    found = judge(new_super_resolver(0, channels=(8, 8)), x0, seed=0)
    assert found.keys() == {"bicubic", "one step", "sample"}
    small = F.avg_pool2d(x0, 4)
    bicubic = F.interpolate(small, scale_factor=4, mode="bicubic")
    expected = root_errors(bicubic, x0).mean().item()
    assert found["bicubic"]["value"] == pytest.approx(expected)


def test_an_untrained_network_believes_in_grey_at_every_level():
    """Its last layer is zero: v_hat = 0, so x0_hat = sqrt(ab) * xt."""
    resolver = new_super_resolver(0, channels=(8, 8))
    x0, t = small_pictures(1, 32).double(), torch.tensor([500])
    xt = add_noise(x0, torch.zeros_like(x0), t, resolver.alpha_bar)
    eps_hat = resolver.predict_eps_for(small_pictures(1), 0)(xt, t)
    a = resolver.alpha_bar[500]
    torch.testing.assert_close(eps_hat, (1 - a).sqrt() * xt)
