"""A glyffuser learns and draws the latents of an autoencoder; pictures come out."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tiny_models import random_unet, save_encoder, save_glyffuser, save_glyphs

from glyflib import runs
from glyflib.__main__ import main
from glyflib.autoencoder import Autoencoder, AutoencoderNet
from glyflib.data import load_glyphs, x0_from_images
from glyflib.glyffuser import Glyffuser
from glyflib.runs import (
    PRESETS,
    Preset,
    RunFolder,
    Start,
    Watch,
    copy_sources,
    new_glyffuser,
    prepare,
    train_glyffuser,
)
from glyflib.sampling import last_of
from glyflib.text import TextEncoder
from glyflib.training import TrainConfig, train
from glyflib.unet import UNet

TINY = Preset(
    16,
    {"in_channels": 4, "patch": 1, "channels": (8, 16), "attention_levels": (1,)},
    batch_size=2,
    is_latent=True,
)


def random_autoencoder(seed=0):
    torch.manual_seed(seed)
    net = AutoencoderNet(channels=(8, 8), num_blocks=1).eval().requires_grad_(False)
    for value in net.parameters():
        value.add_(0.1 * torch.randn_like(value))
    return Autoencoder(net, scale=2.0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Glyphs, a text encoder and an autoencoder."""
    folder = tmp_path_factory.mktemp("stored")
    save_encoder(folder / "text_encoder")
    random_autoencoder().save(folder / "autoencoder")
    save_glyphs(folder / "few.parquet", num_train=12, num_test=4)
    return folder


@pytest.fixture(scope="module")
def encoder(stored):
    return TextEncoder.load(stored / "text_encoder")


@pytest.fixture(scope="module")
def autoencoder(stored):
    return Autoencoder.load(stored / "autoencoder")


@pytest.fixture(scope="module")
def glyffuser(encoder, autoencoder):
    return Glyffuser(
        random_unet(in_channels=4, patch=1), encoder, size=4, autoencoder=autoencoder
    )


@pytest.fixture
def tiny_preset(monkeypatch):
    monkeypatch.setitem(PRESETS, "latent", TINY)
    monkeypatch.setattr(runs, "NUM_HELD_OUT", 2)


# --- drawing ----------------------------------------------------------------------


def test_what_is_drawn_are_latents_and_what_is_seen_are_pictures(glyffuser):
    assert (glyffuser.shape, glyffuser.picture_size) == ((4, 4, 4), 32)
    last = last_of(glyffuser.steps("gold", num_steps=2, seed=3))
    assert last.xt.shape == (1, 4, 4, 4)
    pictures = glyffuser.sample("gold", num_steps=2, seed=3)
    assert pictures.shape == (1, 1, 32, 32) and pictures.abs().max() <= 1
    decoded = glyffuser.autoencoder.decode(last.xt)
    torch.testing.assert_close(pictures, decoded)
    assert glyffuser.generate("gold", num_steps=2)[0].size == (32, 32)


def test_latents_are_not_clipped_before_they_are_decoded(glyffuser):
    latents = 3 * torch.randn(2, 4, 4, 4, generator=torch.manual_seed(0)).double()
    found = glyffuser.pictures(latents)
    clipped = glyffuser.autoencoder.decode(latents.clamp(-1, 1))
    assert (found - clipped).abs().max() > 1e-3


def test_what_is_learnt_of_pictures_are_their_latents(glyffuser, autoencoder):
    images = torch.randint(256, (3, 1, 32, 32), generator=torch.manual_seed(0))
    latents = glyffuser.x0_of(images.byte())
    expected = autoencoder.encode(x0_from_images(images.byte()))
    torch.testing.assert_close(latents, expected)


def test_without_an_autoencoder_pictures_are_learnt_as_they_are(encoder):
    plain = Glyffuser(random_unet(), encoder, size=16)
    assert (plain.shape, plain.picture_size) == ((1, 16, 16), 16)
    images = torch.randint(256, (2, 1, 16, 16), generator=torch.manual_seed(0)).byte()
    assert torch.equal(plain.x0_of(images), x0_from_images(images))
    far = torch.tensor([[[[-3.0, 0.5]]]])
    assert plain.pictures(far).flatten().tolist() == [-1, 0.5]


def test_pictures_of_another_size_are_refused(glyffuser):
    with pytest.raises(ValueError, match="16 pixels a side, not 32"):
        glyffuser.x0_of(torch.zeros(1, 1, 16, 16).byte())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_for_other_channels_than_those_of_the_latents_is_refused(
    encoder, autoencoder, channels
):
    unet = random_unet(in_channels=channels, patch=1)
    with pytest.raises(ValueError, match=f"in_channels {channels} must be 4"):
        Glyffuser(unet, encoder, size=4, autoencoder=autoencoder)


# --- files ------------------------------------------------------------------------


def test_what_is_saved_finds_its_autoencoder_beside_it(glyffuser, stored, encoder):
    half = replace(glyffuser, unet=glyffuser.unet.half().float())
    half.save(stored / "model")
    config = json.loads((stored / "model/config.json").read_text())
    sha256 = glyffuser.autoencoder.sha256
    assert config["autoencoder"] == {"name": "autoencoder", "sha256": sha256}
    again = Glyffuser.load(stored / "model", encoder=encoder)
    drawn, expected = (some.sample("gold", num_steps=2) for some in (again, half))
    torch.testing.assert_close(drawn, expected)


def test_another_autoencoder_than_the_one_it_has_learnt_is_refused(
    glyffuser, tmp_path, encoder
):
    glyffuser.save(tmp_path / "model")
    random_autoencoder(seed=1).save(tmp_path / "autoencoder")
    with pytest.raises(ValueError, match="has learnt the latents of an autoencoder"):
        Glyffuser.load(tmp_path / "model", encoder=encoder)


@pytest.mark.parametrize("named", ["autoencoder", None, {"name": "autoencoder"}])
def test_an_autoencoder_that_is_not_named_whole_is_refused(
    glyffuser, tmp_path, encoder, named
):
    glyffuser.save(tmp_path / "model")
    file = tmp_path / "model/config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"autoencoder": named}))
    with pytest.raises(ValueError, match="must have a name and a sha256: train one"):
        Glyffuser.load(tmp_path / "model", encoder=encoder)


def test_an_autoencoder_that_lies_nowhere_cannot_be_named(glyffuser, tmp_path):
    nowhere = replace(glyffuser, autoencoder=random_autoencoder())
    with pytest.raises(ValueError, match="save the autoencoder first"):
        nowhere.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_an_autoencoder_keeps_its_sha256_when_it_is_copied(autoencoder, tmp_path):
    autoencoder.save(tmp_path)
    assert Autoencoder.load(tmp_path).sha256 == autoencoder.sha256 != ""


def test_a_glyffuser_of_pictures_says_nothing_of_an_autoencoder(tmp_path):
    folder = save_glyffuser(tmp_path / "glyffuser")
    assert "autoencoder" not in json.loads((folder / "config.json").read_text())
    assert Glyffuser.load(folder).autoencoder is None


# --- training ---------------------------------------------------------------------


def test_the_latent_preset_fits_the_shipped_form_of_an_autoencoder():
    preset, net = PRESETS["latent"], AutoencoderNet()
    with torch.device("meta"):
        unet = UNet(**preset.unet, text_dim=256)
    size = preset.size
    assert (unet.config["in_channels"], size, size) == net.latent_shape((128, 128))
    assert 2 * sum(value.numel() for value in unet.parameters()) < 9e6


def test_a_run_on_latents_goes_on_where_it_was_killed(
    stored, encoder, autoencoder, tmp_path, monkeypatch
):
    glyphs, held_out = (
        load_glyphs(part, path=stored / "few.parquet") for part in ("train", "test")
    )
    config = TrainConfig(4, 2, warmup=0, checkpoint_seconds=0)
    seen = []

    def seeing(unet, images, *args, **options):
        seen.append(images)
        return train(unet, images, *args, **options)

    monkeypatch.setattr(runs, "train", seeing)

    def walk(name, *, stop=None, resume=False):
        glyffuser = new_glyffuser(TINY, encoder, 0, autoencoder)
        steps = train_glyffuser(
            glyffuser,
            glyphs,
            RunFolder(tmp_path / name),
            config,
            held_out=held_out,
            prompts=("gold",),
            watch=Watch(every=4),
            has_snapshots=False,
            resume=resume,
        )
        losses = []
        for step in steps:
            losses.append(step.loss)
            if step.step == stop:
                break
        return losses

    whole = walk("whole")
    assert walk("cut", stop=2) + walk("cut", resume=True) == whole
    expected = autoencoder.encode(x0_from_images(glyphs.images))
    torch.testing.assert_close(seen[0], expected)
    one, other = (
        (tmp_path / name / "model/model.safetensors").read_bytes()
        for name in ("whole", "cut")
    )
    assert one == other


def test_a_run_keeps_its_own_copy_of_the_autoencoder(stored, tmp_path, tiny_preset):
    given = shutil.copytree(stored / "autoencoder", tmp_path / "given")
    folder = RunFolder(tmp_path / "run")
    start = Start(
        "latent",
        steps=2,
        autoencoder=str(given),
        encoder=str(stored / "text_encoder"),
    )
    glyffuser, _ = prepare(start, folder)
    copy_sources(start, folder, glyffuser)
    shutil.rmtree(given)
    again, _ = prepare(start, folder)
    assert again.autoencoder.sha256 == glyffuser.autoencoder.sha256


def test_a_preset_for_pictures_takes_no_autoencoder(stored, tmp_path):
    start = Start("small", steps=2, autoencoder=str(stored / "autoencoder"))
    with pytest.raises(ValueError, match="preset small learns pictures"):
        prepare(start, RunFolder(tmp_path))


def test_the_commands_train_on_latents_go_on_and_draw(
    stored, tmp_path, monkeypatch, tiny_preset
):
    monkeypatch.chdir(tmp_path)
    words = ["train", "--out", "run", "--preset", "latent", "--steps", "2"]
    words += ["--autoencoder", str(stored / "autoencoder")]
    words += ["--encoder", str(stored / "text_encoder"), "--no-snapshots"]
    words += ["--glyphs", str(stored / "few.parquet")]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    assert (tmp_path / "run/autoencoder/config.json").is_file()
    draw = ["generate", "gold", "-n", "1", "--steps", "1", "--out", "a.png"]
    drawn = CliRunner().invoke(main, [*draw, "--model", "run/model", "--size", "128"])
    assert drawn.exit_code == 0, drawn.output
    assert Image.open("a.png").size[0] >= 128
    more = ["train", "--out", "more", "--init", "run/model", "--steps", "1"]
    more += ["--no-snapshots", "--glyphs", str(stored / "few.parquet")]
    second = CliRunner().invoke(main, more)
    assert second.exit_code == 0, second.output
    both = [*more, "--autoencoder", "x", "--out", "other"]
    refused = CliRunner().invoke(main, both)
    assert refused.exit_code == 2 and "leave out --autoencoder" in refused.stderr
    student = [
        "data",
        "student",
        "--teacher",
        "run/model",
        "--out",
        "s",
        "--steps",
        "4",
    ]
    refused = CliRunner().invoke(main, student)
    assert refused.exit_code == 2 and "draws latents" in refused.stderr
