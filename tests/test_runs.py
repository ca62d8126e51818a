"""Training a glyffuser: captions in tokens, log, snapshots, the model at the end."""

import json
from types import SimpleNamespace

import pytest
import safetensors.torch
import torch
from tiny_models import save_encoder, save_glyphs, some_glyphs

from glyflib import runs
from glyflib.data import load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.run_log import (
    FIELDS,
    HeldOutLog,
    Log,
    Snapshots,
    has_stopped_falling,
    read_held_out,
    read_log,
)
from glyflib.runs import (
    LEVELS,
    PRESETS,
    PROMPTS,
    Preset,
    RunFolder,
    Shown,
    Start,
    Watch,
    encoder_name,
    encoder_source,
    glyphs_seen,
    held_out_errors,
    keep_sources,
    new_glyffuser,
    prepare,
    prompts_for,
    save_model,
    seconds_a_step,
    snapshot_steps,
    steps_in,
    take_snapshot,
    train_glyffuser,
)
from glyflib.text import TextCondition, encode_captions
from glyflib.training import TrainConfig, TrainStep
from glyflib.unet import UNet

TINY = Preset(32, {"patch": 4, "channels": (8, 16), "attention_levels": (1,)})
CONFIG = TrainConfig(12, batch_size=4, warmup=2, checkpoint_seconds=0)


class Letters:
    """A text encoder of one token a letter, seen as its place in the alphabet."""

    width = 8

    def encode(self, prompts, *, max_tokens=40, length=None):
        texts = [prompts] if isinstance(prompts, str) else list(prompts)
        texts = [text[: max_tokens - 1] + "." for text in texts]
        length = length or max(map(len, texts))
        tokens = torch.zeros(len(texts), length, self.width)
        mask = torch.zeros(len(texts), length, dtype=torch.bool)
        for row, text in enumerate(texts):
            codes = torch.tensor([ord(letter) % 32 for letter in text])
            turns = codes[:, None] * torch.arange(1, self.width + 1)
            tokens[row, : len(text)] = torch.sin(turns.float())
            mask[row, : len(text)] = True
        return TextCondition(tokens, mask)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return save_glyphs(tmp_path_factory.mktemp("glyphs") / "few.parquet")


@pytest.fixture
def run(file):
    """Train a tiny glyffuser on 40 glyphs, and give the losses."""

    def train(
        out, config=CONFIG, *, glyffuser=None, resume=False, stop=None, **options
    ):
        steps = train_glyffuser(
            glyffuser or new_glyffuser(TINY, Letters(), seed=0),
            load_glyphs("train", 32, path=file),
            RunFolder(out),
            config,
            held_out=load_glyphs("test", 32, path=file),
            resume=resume,
            **options,
        )
        seen = []
        for step in steps:
            seen.append(step.loss)
            if step.step == stop:
                break
        return seen

    return train


@pytest.mark.parametrize("name", list(PRESETS))
def test_each_preset_gives_a_network_of_its_size(name):
    preset = PRESETS[name]
    with torch.device("meta"):
        unet = UNet(**preset.unet, text_dim=256)
    step = unet.config["patch"] * 2 ** (len(unet.config["channels"]) - 1)
    assert preset.size % step == 0
    num_parameters = sum(value.numel() for value in unet.parameters())
    assert 2 * num_parameters < {"small": 20e6, "large": 80e6, "latent": 9e6}[name]


def test_captions_are_encoded_as_one_by_one_whatever_their_order():
    captions = ["water; river", "gold", "", "gold", "a" * 100]
    cond = encode_captions(Letters(), captions, batch_size=2)
    assert cond.tokens.shape == (5, 40, 8) and cond.tokens.dtype == torch.half
    for row, caption in enumerate(captions):
        alone = Letters().encode(caption, length=40)
        torch.testing.assert_close(cond.tokens[row], alone.tokens[0].half())
        assert torch.equal(cond.mask[row], alone.mask[0])


def test_captions_are_encoded_in_the_same_batches_by_every_process():
    captions = ["bird", "gold", "fish", "wood", "tree", "fire", "an eye", "fish"]
    seen = []

    def watch(batches):
        seen.extend(batches)
        return batches

    encode_captions(Letters(), captions, batch_size=3, progress=watch)
    assert seen == [["bird", "gold", "fish"], ["wood", "tree", "fire"], ["an eye"]]


def test_snapshots_are_taken_at_the_ends_and_at_round_numbers_between():
    assert sorted(snapshot_steps(3000)) == [0, 100, 200, 500, 1000, 2000, 3000]
    assert snapshot_steps(50) == {0, 50}


def test_a_run_leaves_log_snapshots_and_a_model_that_loads(tmp_path, run):
    losses = run(tmp_path)
    rows = read_log(tmp_path / "log.csv")
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert [row["glyphs"] for row in rows] == list(range(4, 52, 4))
    assert [row["loss"] for row in rows] == pytest.approx(losses, abs=1e-6)
    kept = safetensors.torch.load_file(tmp_path / "snapshots.safetensors")
    assert kept["step"].tolist() == [0, 12] and kept["glyphs"].tolist() == [0, 48]
    assert kept["ema_samples"].shape == (2, 16, 1, 32, 32)
    assert kept["raw_loss"].shape == kept["ema_loss"].shape == (2, len(LEVELS))
    assert not torch.equal(kept["raw_samples"][1], kept["ema_samples"][1])
    model = Glyffuser.load(tmp_path / "model", encoder=Letters())
    (stage,) = model.training["stages"]
    assert stage["data"] == "few.parquet" and len(stage["data_sha256"]) == 64
    assert stage["glyphs"] == 48 and stage["batch_size"] == 4 and stage["seed"] == 0
    again = model.sample(list(PROMPTS), num_steps=20)
    grey = ((again + 1) * 127.5).round().byte()
    close = (grey.int() - kept["ema_samples"][1].int()).abs()
    assert close.max() <= 3, "the model is the average of the last snapshot"


def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path, run):
    whole = run(tmp_path / "whole")
    first = run(tmp_path / "cut", stop=7)
    rest = run(tmp_path / "cut", resume=True)
    assert first + rest == whole
    steps = [row["step"] for row in read_log(tmp_path / "cut" / "log.csv")]
    assert steps == list(range(1, 13))
    files = [
        tmp_path / name / "model" / "model.safetensors" for name in ("whole", "cut")
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_run_killed_after_its_last_step_still_writes_its_model(tmp_path, run):
    run(tmp_path, stop=12)
    assert not (tmp_path / "model").exists()
    assert run(tmp_path, resume=True) == []
    assert Glyffuser.load(tmp_path / "model", encoder=Letters()).size == 32


def test_an_unfinished_run_can_be_kept_and_says_how_far_it_came(tmp_path, run, file):
    run(tmp_path, stop=5)
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    glyphs = load_glyphs("train", 32, path=file)
    save_model(glyffuser, glyphs, RunFolder(tmp_path), CONFIG, 1.5)
    kept = Glyffuser.load(tmp_path / "model", encoder=Letters())
    (stage,) = kept.training["stages"]
    assert (stage["steps"], stage["steps_done"], stage["glyphs"]) == (12, 5, 20)
    assert len(run(tmp_path, resume=True)) == 7


def test_a_second_stage_starts_from_the_first_and_counts_on(tmp_path, run):
    run(tmp_path / "one")
    model = Glyffuser.load(tmp_path / "one" / "model", encoder=Letters())
    assert glyphs_seen(model) == 48
    before = model.unet.head.weight.clone()
    run(tmp_path / "two", glyffuser=model)
    two = Glyffuser.load(tmp_path / "two" / "model", encoder=Letters())
    assert glyphs_seen(two) == 96 and len(two.training["stages"]) == 2
    assert read_log(tmp_path / "two" / "log.csv")[0]["glyphs"] == 52
    assert not torch.equal(before, two.unet.head.weight)


def test_a_reopened_log_forgets_what_came_after_the_checkpoint(tmp_path):
    path = tmp_path / "log.csv"
    log = Log(path, step=0, glyphs=100)
    for step in range(1, 6):
        log.add(TrainStep(step, 0.5, 1e-3, 1.0, None), 10)
    path.write_text(
        path.read_text("utf-8") + "6,160,0.", "utf-8"
    )  # killed while writing
    log = Log(path, step=3, glyphs=100)
    log.add(TrainStep(4, 0.25, 1e-3, 1.0, None), 10)
    rows = read_log(path)
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["glyphs"] == 140 and rows[-1]["loss"] == 0.25
    assert rows[-1]["seconds"] >= rows[-2]["seconds"]


def test_a_file_that_is_no_log_is_named(tmp_path):
    (tmp_path / "log.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(ValueError, match=r"log\.csv is no loss log"):
        read_log(tmp_path / "log.csv")
    assert FIELDS[0] == "step"


def test_reopened_snapshots_forget_what_came_after_the_checkpoint(tmp_path):
    path = tmp_path / "snapshots.safetensors"
    snapshots = Snapshots(path, 0)
    for step in (0, 5, 10):
        snapshots.add(step, 4 * step, {"loss": torch.tensor([float(step)])})
    again = Snapshots(path, 7)
    again.add(5, 20, {"loss": torch.tensor([99.0])})
    again.add(9, 36, {"loss": torch.tensor([9.0])})
    kept = safetensors.torch.load_file(path)
    assert kept["step"].tolist() == [0, 5, 9]
    assert kept["loss"].flatten().tolist() == [0, 5, 9]


def test_glyphs_without_held_out_ones_are_trained_on_all_the_same(tmp_path, file):
    glyphs = load_glyphs("train", 32, path=file).take(slice(3))
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    folder = RunFolder(tmp_path)
    assert len(list(train_glyffuser(glyffuser, glyphs, folder, CONFIG))) == 12
    kept = safetensors.torch.load_file(folder.snapshots)
    assert "ema_samples" in kept and "ema_loss" not in kept


def test_glyphs_of_another_size_are_refused(tmp_path, file):
    glyphs = load_glyphs("train", 64, path=file)
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    with pytest.raises(ValueError, match="64 pixels a side, not 32"):
        train_glyffuser(glyffuser, glyphs, RunFolder(tmp_path), CONFIG)


@pytest.mark.parametrize(
    ("minutes", "seconds", "steps"), [(1, 0.5, 120), (2, 3.0, 40), (0.01, 1.0, 12)]
)
def test_minutes_become_as_many_steps_as_fit(minutes, seconds, steps):
    assert steps_in(minutes, seconds) == steps


def test_a_trial_leaves_the_network_as_it_was():
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    before = {k: v.clone() for k, v in glyffuser.unet.state_dict().items()}
    assert seconds_a_step(glyffuser, CONFIG) > 0
    for name, value in glyffuser.unet.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_books_glyphs_have_their_prompts_and_others_their_captions(file):
    assert prompts_for(load_glyphs("test", 32)) == tuple(PROMPTS)
    own = load_glyphs("train", 32, path=file)
    assert set(prompts_for(own)) <= set(own.captions) and len(prompts_for(own)) == 16
    assert prompts_for(own.take([0, 0, 1])) == own.captions[:2]


def test_a_run_that_has_been_moved_finds_its_encoder_and_its_first_weights(tmp_path):
    encoder = save_encoder(tmp_path / "mine", seed=0)
    first = Start(steps=3, encoder=str(encoder))
    one = RunFolder(tmp_path / "one")
    glyffuser, _ = prepare(first, one)
    keep_sources(first, one, glyffuser)
    glyffuser.save(one.model)
    second = Start(steps=3, init=str(one.model))
    two = RunFolder(tmp_path / "two")
    keep_sources(second, two, prepare(second, two)[0])
    moved = RunFolder((tmp_path / "two").rename(tmp_path / "elsewhere"))
    (tmp_path / "one").rename(tmp_path / "gone")
    encoder.rename(tmp_path / "lost")
    again, _ = prepare(moved.read_start(), moved)
    assert again.text_encoder == "encoder"
    torch.testing.assert_close(
        again.unet.stem.weight, glyffuser.unet.stem.weight, atol=1e-3, rtol=0
    )
    cond, other = (some.encoder.encode("gold") for some in (again, glyffuser))
    torch.testing.assert_close(cond.tokens, other.tokens)


def test_the_shipped_encoder_is_named_not_copied(tmp_path):
    folder = RunFolder(tmp_path)
    source = encoder_source(Start(steps=1), folder)
    assert encoder_name(source) == "text_encoder"
    hub = encoder_source(Start(steps=1, encoder="google-t5/t5-small"), folder)
    assert encoder_name(hub) == "google-t5/t5-small"


# What is shown, and how the held-out loss is watched


def test_whole_captions_and_equal_weights_are_what_a_run_shows_by_default(file):
    glyphs, shown = load_glyphs("train", 32, path=file), Shown()
    assert shown.texts(glyphs, 0) == (glyphs.captions, None)
    assert Shown(words=2).texts(glyphs, 0)[1].shape == (len(glyphs), 3)
    assert shown.weights(glyphs) is None


def test_parts_weigh_what_they_are_told_to():
    glyphs = some_glyphs("train")
    few = glyphs.take(glyphs.find("手扌心忄一"))
    weights = Shown(part_weight=0.25).weights(few)
    assert weights.tolist() == [1, 0.25, 1, 0.25, 0.25]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Shown(subsets=-1), "subsets -1"),
        (lambda: Shown(words=-3), "words -3"),
        (lambda: Shown(part_weight=-0.5), r"part_weight -0\.5"),
        (lambda: Shown(part_weight=float("nan")), "part_weight nan"),
        (lambda: Watch(every=0), "every 0 must be at least 1"),
        (lambda: Watch(patience=0), "patience 0 must be at least 1"),
    ],
)
def test_a_setting_out_of_range_is_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_a_run_with_subsets_and_weights_says_so_and_learns_otherwise(tmp_path, run):
    plain = run(tmp_path / "plain")
    shown = Shown(subsets=2, words=1, part_weight=0.0)
    assert run(tmp_path / "other", shown=shown) != plain
    config = json.loads((tmp_path / "other/model/config.json").read_text("utf-8"))
    (stage,) = config["training"]["stages"]
    assert stage["subsets"] == 2 and stage["words"] == 1
    assert stage["part_weight"] == 0.0
    assert stage["dropout"] == 0.0
    assert run(tmp_path / "again", shown=shown) == run(tmp_path / "o2", shown=shown)


def test_a_run_with_subsets_and_dropout_that_was_killed_goes_on_exactly(tmp_path, run):
    shown, options = Shown(subsets=2, part_weight=0.5), {"dropout": 0.3}

    def start():
        glyffuser = new_glyffuser(TINY, Letters(), seed=0)
        glyffuser.unet.set_dropout(0.3)
        return {"glyffuser": glyffuser, "shown": shown, "watch": Watch(every=4)}

    whole = run(tmp_path / "whole", **start())
    first = run(tmp_path / "cut", **start(), stop=7)
    assert first + run(tmp_path / "cut", **start(), resume=True) == whole
    for name in ("held_out.csv", "snapshots.safetensors"):
        pair = [tmp_path / folder / name for folder in ("whole", "cut")]
        assert pair[0].read_bytes() == pair[1].read_bytes(), name
    model = Glyffuser.load(tmp_path / "whole" / "model", encoder=Letters())
    assert model.unet.config["dropout"] == options["dropout"]
    assert model.training["stages"][0]["dropout"] == 0.3
    assert not model.unet.training


def test_held_out_losses_are_measured_at_snapshots_and_between(tmp_path, run):
    run(tmp_path, watch=Watch(every=5))
    rows = read_held_out(tmp_path / "held_out.csv")
    assert [row["step"] for row in rows] == [
        step for step in (0, 5, 10, 12) for _ in LEVELS
    ]
    assert [row["level"] for row in rows[: len(LEVELS)]] == list(LEVELS)
    assert rows[-1]["glyphs"] == 48 and rows[0]["glyphs"] == 0
    first = rows[: len(LEVELS)]
    assert all(row["captions"] == row["no_captions"] for row in first), "it says zero"
    assert any(row["captions"] != row["no_captions"] for row in rows[-len(LEVELS) :])


def test_held_out_losses_are_those_of_the_snapshots_divided_by_the_signal(
    tmp_path, run
):
    run(tmp_path)
    rows = read_held_out(tmp_path / "held_out.csv")[-len(LEVELS) :]
    kept = safetensors.torch.load_file(tmp_path / "snapshots.safetensors")
    glyffuser = Glyffuser.load(tmp_path / "model", encoder=Letters())
    in_v = kept["ema_loss"][-1] / glyffuser.alpha_bar[list(LEVELS)]
    found = torch.tensor([row["captions"] for row in rows], dtype=torch.float64)
    torch.testing.assert_close(found, in_v, rtol=1e-3, atol=1e-5)


def test_a_reopened_log_of_held_out_losses_forgets_what_came_after(tmp_path):
    path = tmp_path / "held_out.csv"
    log = HeldOutLog(path, 0)
    for step in (0, 5, 10):
        log.add(step, 4 * step, {10: (1.0 / (1 + step), 2.0), 400: (0.5, 0.25)})
    again = HeldOutLog(path, 7)
    again.add(5, 20, {10: (99.0, 99.0)})
    again.add(9, 36, {10: (0.1, 0.2), 400: (0.3, 0.4)})
    rows = read_held_out(path)
    assert [row["step"] for row in rows] == [0, 0, 5, 5, 9, 9]
    assert again.losses() == pytest.approx({0: 0.75, 5: 1 / 3, 9: 0.2}, abs=1e-5)
    assert HeldOutLog(tmp_path / "none.csv", 7).rows == []
    with pytest.raises(ValueError, match="is no loss log"):
        read_log(path)


@pytest.mark.parametrize(
    ("losses", "patience", "is_over"),
    [
        ([], 1, False),
        ([3, 2, 1], 1, False),
        ([3, 1, 2], 1, True),
        ([3, 1, 2], 2, False),
        ([3, 1, 2, 1.5], 2, True),
        ([3, 1, 2, 0.5], 2, False),
    ],
)
def test_patience_ends_when_the_lowest_loss_is_long_ago(losses, patience, is_over):
    assert has_stopped_falling(dict(enumerate(losses)), patience) == is_over


@pytest.fixture
def valley(monkeypatch):
    """A held-out loss that is lowest at step 6, whatever the network does."""
    measured = []

    def errors(glyffuser, held_out):
        step = 2 * len(measured)
        measured.append(glyffuser.unet.head.weight.clone())
        return {400: (abs(step - 6) / 10, 1.0)}

    monkeypatch.setattr(runs, "held_out_errors", errors)
    return measured


def test_a_run_stops_when_its_patience_ends_and_keeps_the_lowest(tmp_path, run, valley):
    losses = run(tmp_path, watch=Watch(every=2, patience=2))
    assert len(losses) == 10  # lowest at 6, then 8 and 10
    model = Glyffuser.load(tmp_path / "model", encoder=Letters())
    (stage,) = model.training["stages"]
    assert (stage["steps"], stage["steps_done"], stage["glyphs"]) == (12, 6, 24)
    torch.testing.assert_close(model.unet.head.weight, valley[3], atol=1e-3, rtol=1e-3)
    assert not torch.equal(valley[3], valley[5])
    assert run(tmp_path, watch=Watch(every=2, patience=2), resume=True) == []


def test_without_patience_the_last_weights_are_the_model(tmp_path, run, valley):
    assert len(run(tmp_path, watch=Watch(every=2))) == 12
    model = Glyffuser.load(tmp_path / "model", encoder=Letters())
    assert model.training["stages"][0]["steps_done"] == 12
    assert not (tmp_path / "lowest").exists()


def test_a_loss_cannot_be_watched_without_held_out_glyphs(tmp_path, file):
    glyphs = load_glyphs("train", 32, path=file)
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    with pytest.raises(ValueError, match="no held-out glyphs"):
        train_glyffuser(
            glyffuser, glyphs, RunFolder(tmp_path), CONFIG, watch=Watch(every=2)
        )


def test_patience_is_refused_where_other_processes_would_not_stop(
    tmp_path, run, monkeypatch
):
    two = SimpleNamespace(num_processes=2, is_main_process=True)
    monkeypatch.setattr(runs, "PartialState", lambda: two)
    with pytest.raises(ValueError, match="patience is for one process"):
        run(tmp_path, watch=Watch(patience=1))


def test_patience_without_measurements_is_refused(tmp_path, run):
    options = {"watch": Watch(patience=1), "has_snapshots": False}
    with pytest.raises(ValueError, match="patience needs measurements"):
        run(tmp_path, **options)


def test_samples_and_losses_on_the_way_are_drawn_without_dropout(file):
    glyffuser = new_glyffuser(TINY, Letters(), seed=0)
    for value in glyffuser.unet.parameters():
        value.data.add_(0.05)
    held_out = load_glyphs("test", 32, path=file)
    found = []
    for dropout in (0.0, 0.9):
        glyffuser.unet.set_dropout(dropout)
        glyffuser.unet.train()
        errors = held_out_errors(glyffuser, held_out, LEVELS[:2])
        glyffuser.unet.train()
        shot = take_snapshot(glyffuser, glyffuser, held_out, ["a"], num_steps=2)
        found.append((errors, shot["raw_samples"], shot["raw_loss"]))
    assert found[0][0] == found[1][0]
    assert all(a.equal(b) for a, b in zip(found[0][1:], found[1][1:], strict=True))


def test_settings_of_a_start_reach_the_network_and_the_config(tmp_path):
    encoder = save_encoder(tmp_path / "encoder")
    start = Start(
        steps=9,
        encoder=str(encoder),
        dropout=0.2,
        caption_dropout=0.5,
        ema_decay=0.9,
    )
    glyffuser, config = prepare(start, RunFolder(tmp_path / "run"))
    assert glyffuser.unet.config["dropout"] == 0.2
    assert config.caption_dropout == 0.5 and config.ema_decay == 0.9
    plain = Start(steps=9, encoder=str(encoder))
    glyffuser, config = prepare(plain, RunFolder(tmp_path / "run"))
    assert glyffuser.unet.config["dropout"] == 0.0
    assert config.caption_dropout == 0.1 and config.ema_decay == 0.999


def test_the_record_of_an_older_run_is_read(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_start(Start(steps=9))
    told = json.loads(folder.start.read_text("utf-8"))
    new = {"subsets", "words", "part_weight", "dropout", "caption_dropout", "ema_decay"}
    new |= {"measure_every", "patience"}
    assert new <= told.keys()
    older = {name: value for name, value in told.items() if name not in new}
    folder.start.write_text(json.dumps(older), "utf-8")
    assert folder.read_start() == Start(steps=9)
