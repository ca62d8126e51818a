"""An autoencoder is trained; killed and resumed it is the same, bit by bit."""

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from tiny_models import random_unet, save_glyphs

from glyflib.__main__ import main
from glyflib.autoencoder import Autoencoder, kl_to_standard, pixel_cost
from glyflib.checkpoint import load_checkpoint
from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation.metrics import frechet_distance
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.making import autoencoder as making
from glyflib.making.autoencoder import (
    AutoencoderStart,
    all_ways,
    before_and_after,
    begin,
    drawn_latents,
    finish,
    judge,
    latent_scale,
    loss_of,
    new_net,
    told_by_latents,
    train_autoencoder,
    train_net,
)
from glyflib.run_log import read_log
from glyflib.runs import RunFolder
from glyflib.super_resolution import SuperResolver

NETWORK = {"channels": [8, 8], "num_blocks": 1}
START = AutoencoderStart(steps=4, batch_size=2, checkpoint_seconds=0, network=NETWORK)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A file of a few glyphs."""
    path = tmp_path_factory.mktemp("stored") / "few.parquet"
    return save_glyphs(path, num_train=12, num_test=6)


@pytest.fixture(scope="module")
def glyphs(stored):
    return load_glyphs("train", path=stored)


@pytest.fixture(scope="module")
def held_out(stored):
    return load_glyphs("test", path=stored)


@pytest.fixture(scope="module")
def classifier():
    return RadicalClassifier.load()


@pytest.fixture(scope="module")
def resolver():
    shape = {"in_channels": 3, "out_channels": 1, "patch": 4, "attention_levels": ()}
    return SuperResolver(random_unet(**shape, text_dim=None))


@pytest.fixture(autouse=True)
def in_little_time(monkeypatch):
    monkeypatch.setattr(making, "NUM_DRAWS", 4)


@pytest.fixture(scope="module")
def whole(glyphs, tmp_path_factory):
    """A run that nobody killed, and the loss of each step."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "whole")
    return folder, walk(folder, glyphs)


def walk(folder, glyphs, *, stop=None, start=START):
    """Take steps until one is reached; losses of those taken."""
    steps, losses = begin(start, folder, glyphs), []
    for step in train_autoencoder(glyphs, folder, start, steps):
        losses.append(step.loss)
        if step.step == stop:
            break
    return losses


def test_the_loss_is_what_pixels_and_latents_cost_a_pixel(glyphs):
    net = new_net(START)
    x0 = x0_from_images(glyphs.images[:3])
    eps = torch.randn(3, *net.latent_shape((128, 128)), generator=torch.manual_seed(0))
    logits, posterior = net(x0, eps)
    pixels, nats = pixel_cost(logits, x0).mean(), kl_to_standard(*posterior).mean()
    for weight in (0.0, 0.1, 1.0):
        expected = (pixels + weight * nats) / 128**2
        torch.testing.assert_close(loss_of(net, x0, eps, weight), expected)


@pytest.mark.parametrize("stop", [1, 3])
def test_a_run_that_was_killed_goes_on_to_the_same_weights(
    whole, glyphs, tmp_path, stop
):
    folder = RunFolder(tmp_path / "cut")
    first = walk(folder, glyphs, stop=stop)
    assert first + walk(folder, glyphs) == whole[1]
    mine, other = (
        load_checkpoint(one.checkpoint).tensors for one in (folder, whole[0])
    )
    assert mine.keys() == other.keys()
    assert all(torch.equal(mine[name], other[name]) for name in mine)
    files = (load_file(one.model / "model.safetensors") for one in (folder, whole[0]))
    for one, same in zip(*(found.values() for found in files), strict=True):
        assert torch.equal(one, same)
    rows = read_log(folder.log)
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert [row["glyphs"] for row in rows] == [2, 4, 6, 8]


def test_a_run_may_move(whole, glyphs, tmp_path):
    losses = walk(RunFolder(tmp_path / "before"), glyphs, stop=2)
    (tmp_path / "before").rename(tmp_path / "after")
    losses += walk(RunFolder(tmp_path / "after"), glyphs)
    assert losses == whole[1]


def test_a_run_killed_before_its_model_was_written_writes_it(whole, glyphs, tmp_path):
    folder = RunFolder(tmp_path / "cut")
    shutil.copytree(whole[0].path, folder.path)
    shutil.rmtree(folder.model)
    assert walk(folder, glyphs) == []
    assert Autoencoder.load(folder.model).training["steps"] == 4


def test_products_in_bfloat16_lead_near_but_not_to_the_same_place(glyphs):
    def losses(cpu_bf16):
        start = replace(START, cpu_bf16=cpu_bf16)
        steps = train_net(new_net(start), glyphs, start, start.config(3))
        return torch.tensor([step.loss for step in steps])

    exact, rounded = losses(False), losses(True)
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(exact, rounded, rtol=0.05, atol=0)


def test_the_loss_falls(glyphs):
    start = replace(START, steps=40, learning_rate=5e-3)
    steps = train_net(new_net(start), glyphs, start, start.config(40))
    losses = [step.loss for step in steps]
    assert sum(losses[-8:]) < 0.6 * sum(losses[:8])


def test_the_seed_tells_the_weights_and_the_draws(glyphs):
    def first_loss(seed):
        start = replace(START, seed=seed)
        return next(train_net(new_net(start), glyphs, start, start.config(4))).loss

    assert first_loss(0) == first_loss(0) != first_loss(1)


def test_what_it_was_trained_with_is_told(whole, glyphs):
    told = Autoencoder.load(whole[0].model).training
    assert (told["steps"], told["glyphs"], told["kl_weight"]) == (4, 8, 0.1)
    assert told["data_sha256"] == glyphs.sha256


def test_the_spread_of_scaled_latents_is_one(whole, glyphs):
    autoencoder = Autoencoder.load(whole[0].model)
    latents = autoencoder.encode(x0_from_images(glyphs.images))
    assert latents.std().item() == pytest.approx(1, abs=1e-4)
    plain = Autoencoder(autoencoder.net)
    assert latent_scale(plain, glyphs) == pytest.approx(autoencoder.scale)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"steps": 5}, "steps was 4 in the run in .*, now 5"),
        ({"kl_weight": 1.0}, "kl_weight was 0.1"),
        ({"network": {}}, "network was"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(whole, glyphs, change, match):
    with pytest.raises(ValueError, match=match):
        begin(replace(START, **change), whole[0], glyphs)


def test_other_glyphs_are_refused(whole, glyphs, tmp_path):
    folder = RunFolder(tmp_path / "cut")
    shutil.copytree(whole[0].path, folder.path)
    with pytest.raises(ValueError, match="the data are from another file"):
        next(train_autoencoder(replace(glyphs, sha256="ab"), folder, START, 4))


def test_a_folder_with_something_else_in_it_is_refused(glyphs, tmp_path):
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(FileExistsError, match="no run of an autoencoder"):
        begin(START, RunFolder(tmp_path), glyphs)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    "text", ["{", '{"start": {"steps": 4}}', '{"start": {"steps": 4}, "steps": "4"}']
)
def test_a_damaged_plan_is_named(glyphs, tmp_path, text):
    (tmp_path / "autoencoder.json").write_text(text)
    start = AutoencoderStart(steps=4)
    with pytest.raises(ValueError, match=r"autoencoder\.json is damaged"):
        begin(start, RunFolder(tmp_path), glyphs)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "give steps or minutes"),
        ({"steps": 2, "minutes": 1.0}, "give steps or minutes"),
        ({"minutes": 0.0}, "minutes 0.0"),
        ({"steps": 2, "kl_weight": -0.1}, "kl_weight -0.1"),
        ({"steps": 2, "kl_weight": float("nan")}, "kl_weight nan"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options, match):
    with pytest.raises(ValueError, match=match):
        AutoencoderStart(**options)


def test_what_training_cannot_do_is_refused_before_anything_is_written(
    glyphs, tmp_path
):
    start = replace(START, learning_rate=-1.0)
    with pytest.raises(ValueError, match="learning_rate -1"):
        begin(start, RunFolder(tmp_path / "run"), glyphs)
    assert not (tmp_path / "run").exists()


def test_a_trial_tells_how_many_steps_fit(glyphs, monkeypatch, tmp_path):
    """At a second a step by a clock of ours, ten minutes are 600 steps."""
    ticks = iter(range(1000))
    monkeypatch.setattr(making, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(making, "TRIAL_STEPS", 5)
    start = replace(START, steps=None, minutes=10.0)
    assert begin(start, RunFolder(tmp_path / "run"), glyphs) == 600
    assert next(ticks) == 6
    assert begin(start, RunFolder(tmp_path / "run"), glyphs) == 600
    assert next(ticks) == 7, "a run that is there knows how many"


# --- the judge --------------------------------------------------------------------


def test_a_way_that_changes_nothing_is_judged_perfect(held_out, glyphs, classifier):
    found = judge(lambda x0: {"same": x0}, held_out, glyphs, classifier, seed=0)
    assert found["judged"] == len(held_out)
    same, true = found["same"], found["true"]
    assert (same["error"]["value"], same["kept"]["value"]) == (0, 1)
    assert same["frechet"]["value"] == pytest.approx(0, abs=1e-6)
    assert same["radical"]["value"] == true["radical"]["value"]
    assert true["frechet"]["value"] > 1


def test_a_way_is_judged_by_its_error_its_radicals_and_its_features(
    held_out, glyphs, classifier
):
    found = judge(
        lambda x0: {"upside": x0.flip(2)}, held_out, glyphs, classifier, seed=0
    )
    x0 = x0_from_images(held_out.images)
    read, true = classifier.read(x0.flip(2)), classifier.read(x0)
    found = {key: row["value"] for key, row in found["upside"].items()}
    expected = (x0.flip(2) - x0).square().mean((1, 2, 3)).sqrt().mean().item()
    assert found["error"] == pytest.approx(expected)
    kept = (read.radicals == true.radicals).double().mean().item()
    assert found["kept"] == pytest.approx(kept)
    right = (read.radicals == held_out.radicals).double().mean().item()
    assert found["radical"] == pytest.approx(right)
    distance = frechet_distance(read.features, true.features)
    assert found["frechet"] == pytest.approx(distance)


def test_only_so_many_glyphs_are_judged(held_out, glyphs, classifier):
    seen = []

    def ways(x0):
        seen.append(len(x0))
        return {"same": x0}

    found = judge(ways, held_out, glyphs, classifier, seed=0, num=3)
    assert seen == [found["judged"]] == [3]


def test_where_no_radical_is_known_none_is_judged(held_out, glyphs, classifier):
    unknown = replace(held_out, radicals=torch.zeros(len(held_out), dtype=torch.int64))
    found = judge(lambda x0: {"same": x0}, unknown, glyphs, classifier, seed=0)
    assert "radical" not in found["same"] and "radical" not in found["true"]
    assert found["same"]["kept"]["value"] == 1


def test_one_glyph_judges_nothing(held_out, glyphs, classifier):
    with pytest.raises(ValueError, match="1 glyphs are too few"):
        judge(lambda x0: {}, held_out.take([0]), glyphs, classifier, seed=0)


def test_each_way_is_what_its_name_says(whole, held_out, resolver):
    autoencoder = Autoencoder.load(whole[0].model)
    x0 = x0_from_images(held_out.images[:2])
    found = all_ways(autoencoder, resolver, x0, seed=3, enlarge_steps=1)
    assert found.keys() == making.WAYS.keys()
    torch.testing.assert_close(found["autoencoder"], autoencoder.reconstruct(x0))
    small = torch.nn.functional.avg_pool2d(x0, 4)
    large = resolver.sample(small, num_steps=1, aug_level=0, seed=3)
    torch.testing.assert_close(found["enlarger"], large)
    back = torch.nn.functional.avg_pool2d(found["bicubic"], 4)
    assert (back - small).abs().mean() < 0.1
    for pictures in found.values():
        assert pictures.shape == x0.shape and pictures.abs().max() <= 1


def test_drawn_latents_lie_around_the_likeliest_ones(whole, held_out):
    autoencoder = Autoencoder.load(whole[0].model)
    x0 = x0_from_images(held_out.images[:2])
    posterior = autoencoder.net.encode(x0)
    gap = drawn_latents(autoencoder, x0, 0) - autoencoder.encode(x0)
    eps = gap / autoencoder.scale / (posterior.log_variance / 2).exp()
    assert eps.mean().item() == pytest.approx(0, abs=0.1)
    assert eps.std().item() == pytest.approx(1, abs=0.1)


def test_what_latents_tell_is_measured(whole, held_out):
    autoencoder = Autoencoder.load(whole[0].model)
    x0 = x0_from_images(held_out.images)
    found = told_by_latents(autoencoder, x0, 0)
    posterior = autoencoder.net.encode(x0)
    nats = posterior.kl().mean().item()
    assert found["nats"]["value"] == pytest.approx(nats, rel=1e-4)
    doubt = posterior.log_variance.exp().flatten(1).mean(1).sqrt().mean().item()
    expected = doubt * autoencoder.scale
    assert found["doubt"]["value"] == pytest.approx(expected, rel=1e-4)
    assert found["pixels"]["low"] > 0


def test_glyphs_stand_above_what_is_left_of_them(whole, held_out):
    images = before_and_after(whole[0], held_out, num=3)
    assert images.shape == (6, 1, 128, 128)
    rows = [0, 2, 5]
    assert torch.equal(images[:3], held_out.images[rows])


def test_a_finished_run_has_a_card_that_tells_what_was_measured(
    whole, held_out, glyphs, resolver, classifier, tmp_path
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(whole[0].path, folder.path)
    finish_with = partial(
        finish,
        folder,
        train=glyphs,
        resolver=resolver,
        classifier=classifier,
        enlarge_steps=1,
    )
    report = finish_with(held_out)
    assert Autoencoder.load(folder.model).training["report"] == report
    card = (folder.model / "README.md").read_text("utf-8")
    assert report["glyphs"] == "held-out"
    assert (
        f"through the latents | {report['autoencoder']['error']['value']:.3f} (" in card
    )
    assert f"{report['enlarger']['frechet']['value']:.3f} (" in card
    assert "Over 6 held-out glyphs" in card
    assert (folder.model / "log.csv").read_bytes() == folder.log.read_bytes()
    assert finish_with(held_out.take([0]))["glyphs"] == "training"
    card = (folder.model / "README.md").read_text("utf-8")
    assert "Over 12 training glyphs" in card


def test_the_command_trains_goes_on_and_judges(stored, tmp_path, monkeypatch, resolver):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SuperResolver, "load", lambda: resolver)
    words = ["data", "autoencoder", "--glyphs", str(stored), "--out", "run"]
    words += ["--steps", "2", "--batch-size", "1", "--cpu-bf16", "--judged", "2"]
    words += ["--enlarge-steps", "1"]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    assert "autoencoder written to run/model" in first.output
    assert "# Model card: autoencoder, 128×128 to 16×16×4 and back" in first.output
    assert (tmp_path / "run/reconstructions.png").is_file()
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0 and len(read_log(tmp_path / "run/log.csv")) == 2
    plan = json.loads((tmp_path / "run/autoencoder.json").read_text())
    assert plan["steps"] == 2 and plan["start"]["cpu_bf16"]
    other = CliRunner().invoke(main, [*words, "--kl-weight", "1"])
    assert other.exit_code == 1 and "kl_weight was 0.1" in other.stderr


def test_the_command_wants_minutes_or_steps():
    for more in ([], ["--minutes", "1", "--steps", "2"]):
        words = ["data", "autoencoder", "--out", "run", *more]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2 and "give --minutes or --steps" in result.stderr
