"""Against the published recipe: fixed steps, fair to both, resumable, and told."""

from dataclasses import replace
from itertools import accumulate, cycle

import pytest
import tiny_models
import torch
from click.testing import CliRunner
from diffusers import DDPMScheduler, UNet2DConditionModel

from glyflib.__main__ import main
from glyflib.commands import data as command
from glyflib.commands import evaluate
from glyflib.data import x0_from_images
from glyflib.evaluation.intervals import share_interval
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.glyffuser import Glyffuser
from glyflib.lessons import results
from glyflib.lessons.published import worded_unet
from glyflib.lessons.results import PublishedResults
from glyflib.lessons.stored import Results, load_results, save_results
from glyflib.runs import PRESETS
from glyflib.schedule import alpha_bar_of
from glyflib.studies import published as study_module
from glyflib.studies import registry
from glyflib.studies.common import Subject
from glyflib.studies.published import (
    CALIBRATION,
    NAME,
    OURS,
    RECIPES,
    THEIRS,
    OfDiffusers,
    Settings,
    Stopwatch,
    calibrate,
    clear,
    config_of,
    draw,
    new_racer,
    our_network,
    part_name,
    pictures_for,
    published,
    published_network,
    published_table,
    steps_within,
)
from glyflib.studies.registry import LongStudy, run_study
from glyflib.text import TextCondition, TextEncoder
from glyflib.training import train

QUICK = Settings(
    minutes=(0.001, 0.002),
    num_seeds=2,
    rounds=3,
    num_drawn=6,
    num_steps=2,
    num_draws=20,
    num_kept=2,
    cpu_bf16=False,
)
SMALL = worded_unet(tiny_models.WIDTH, side=16)
SMALL |= {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4}
SMALL |= {"layers_per_block": 1, "attention_head_dim": 2}
SMALL |= {"addition_embed_type_num_heads": 4}


def tiny_of_diffusers(width):
    return OfDiffusers(UNet2DConditionModel(**SMALL), width)


def tiny_of_ours(width):
    return tiny_models.random_unet(text_dim=width, patch=4).requires_grad_(True)


FEW = {
    name: replace(
        recipe,
        make=tiny_of_ours if recipe.make is our_network else tiny_of_diffusers,
        config=recipe.config | {"batch_size": 4},
    )
    for name, recipe in RECIPES.items()
}
FACTS = {"seed": 0, "model": None, "command": "run", "date": "today", "machine": "one"}
FACTS |= {"settings": {"minutes": [0.001, 0.002], "num_seeds": 2, "num_draws": 20}}
FACTS["settings"] |= {"num_drawn": 6, "num_steps": 2, "rounds": 3}


@pytest.fixture(autouse=True)
def quick_classifier(monkeypatch):
    torch.manual_seed(0)
    classifier = RadicalClassifier((4, 4, 4), 8).eval()
    monkeypatch.setattr(RadicalClassifier, "load", lambda: classifier)


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    encoder = TextEncoder.load(tiny_models.save_encoder(folder / "encoder"))
    train_set, test = map(tiny_models.some_glyphs, ("train", "test"))
    glyffuser = Glyffuser(tiny_models.random_unet(), encoder)
    return Subject(glyffuser, train_set.take(range(20)), test.take(range(40)))


# Seconds by which each call moves the clock below, in a round of the calibration: a
# step takes 0.01 s, the average that the published recipe does not keep 0.004 s.
STEP, AVERAGE = (0.0, 0.01), (0.0, 0.004)
ROUND = STEP + 2 * (STEP + AVERAGE)


def ticking(monkeypatch):
    """A clock of ours, by which every round of the calibration takes as long."""
    now = accumulate(cycle(ROUND))
    monkeypatch.setattr(study_module, "clock", lambda: next(now))


def finish(subject, folder, monkeypatch, settings=QUICK):
    ticking(monkeypatch)
    study = published(subject, 0, settings, folder, folder / "work", FEW)
    list(run_study(NAME, study, FACTS, folder))
    return load_results(NAME, folder)


@pytest.fixture(scope="module")
def stored(subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        classifier = RadicalClassifier((4, 4, 4), 8).eval()
        patch.setattr(RadicalClassifier, "load", lambda: classifier)
        return finish(subject, folder, patch)


def test_budgets_come_in_their_order_and_all_recipes_with_one_seed_first(subject):
    names = list(published(subject, 3, Settings(), "", tiny_models.GLYPHS))
    assert names[:2] == [CALIBRATION, "references"] and len(names) == 2 + 27
    assert names[2:5] == [part_name(recipe, 5, 3) for recipe in RECIPES]
    assert names[5] == "our recipe, 5 minutes, seed 4"
    assert names[-1] == "the published recipe, our network, 45 minutes, seed 5"


def test_the_steps_are_those_of_the_calibration_and_not_of_the_clock(stored):
    """By our clock, 0.06 s are 6 steps of our recipe and 10 of the published one."""
    seconds = stored.parts[CALIBRATION]["seconds"]
    assert seconds["our recipe"] == pytest.approx(0.01)
    assert seconds["the published recipe"] == pytest.approx(0.01 - 0.004)
    wanted = {("our recipe", 0.001): 6, ("our recipe", 0.002): 12}
    wanted[("the published recipe", 0.001)] = 10
    for (name, minutes), steps in wanted.items():
        part = stored.parts[part_name(name, minutes, 1)]
        assert (part["steps"], part["glyphs"]) == (steps, 4 * steps)
        assert (part["minutes"], part["seed"]) == (minutes, 1)


def test_what_a_recipe_would_not_do_is_taken_off(subject, monkeypatch):
    settings = replace(QUICK, rounds=2)
    watches = [
        Stopwatch(subject, FEW[name], settings, 0)
        for name in ("our recipe", "the published recipe")
    ]
    # Begin and end of each step, then of each average: 5, 9, 7 and 8 s, 2, 2, 1 and 2.
    times = [[0, 5, 0, 2], [0, 9, 0, 2], [0, 7, 0, 1], [0, 8, 0, 2]]
    for watch in watches:
        has_average = watch.average is not None
        ticks = iter([t for row in times for t in row[: 4 if has_average else 2]])
        monkeypatch.setattr(study_module, "clock", lambda ticks=ticks: next(ticks))
        for _ in times:
            watch.take()
    ours, theirs = watches
    assert ours.average is None and ours.seconds == 7  # the first two are not counted
    assert theirs.seconds == 7 - 1


def test_noise_of_other_programs_moves_no_step(subject, monkeypatch):
    """Every other round takes ten times as long: the least of them stays."""
    spans = {"quiet": [1.0] * 40, "noisy": [1.0, 10.0] * 20}
    found = {}
    one = {"our recipe": FEW["our recipe"]}
    for kind, span in spans.items():
        now, ends = 0.0, []
        for seconds in span:
            ends += [now, now + seconds]
            now += seconds
        ticks = iter(ends)
        monkeypatch.setattr(study_module, "clock", lambda ticks=ticks: next(ticks))
        found[kind] = calibrate(subject, one, replace(QUICK, rounds=6), 0)
    assert found["quiet"]["seconds"] == found["noisy"]["seconds"]
    assert found["quiet"]["noise"]["our recipe"] == 1
    assert found["noisy"]["noise"]["our recipe"] > 1


@pytest.mark.parametrize(
    ("minutes", "seconds", "steps"), [(5, 2.0, 150), (1, 7.2, 8), (0.001, 7, 2)]
)
def test_a_budget_buys_steps(minutes, seconds, steps):
    assert steps_within(minutes, seconds) == steps


def test_each_race_is_judged_at_each_of_its_scales(stored):
    for name, recipe in FEW.items():
        part = part_name(name, 0.001, 0)
        drawn = stored.parts[part]["drawn"]
        assert list(drawn) == [f"{scale:g}" for scale in recipe.scales]
        for scale, found in drawn.items():
            frechet, hits = found["frechet"], found["hit_rate"]
            assert 0 <= frechet["low"] <= frechet["high"]
            share = stored.tensors[f"{part}/hits {scale}"].double().mean()
            assert hits["value"] == pytest.approx(share.item())
            assert stored.tensors[f"{part}/frechet {scale}"].shape == (20,)
            assert stored.tensors[f"{part}/images {scale}"].shape == (2, 1, 32, 32)
    references = stored.parts["references"]
    assert {"commonest", "ceiling", "floor"} < references.keys()


def test_seeds_and_recipes_differ(stored):
    parts = [part_name("our recipe", 0.001, seed) for seed in (0, 1)]
    parts.append(part_name("the published recipe, our network", 0.001, 0))
    first, *others = (stored.tensors[f"{part}/images 1"] for part in parts)
    assert not any(first.equal(other) for other in others)


def test_a_race_that_was_killed_goes_on_to_the_same_end(
    subject, stored, tmp_path, monkeypatch
):
    class Cut(Exception):
        pass

    def train_a_bit(*args, **options):
        for step in train(*args, **options):
            yield step
            if step.step == 3:
                raise Cut

    monkeypatch.setattr(study_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(study_module, "train", train_a_bit)
    settings = replace(QUICK, minutes=(0.001,), num_seeds=1, rounds=0)
    calibration = {CALIBRATION: lambda: stored.parts[CALIBRATION]}
    list(run_study(NAME, calibration, FACTS, tmp_path))
    work = tmp_path / "work"
    study = published(subject, 0, settings, tmp_path, work, FEW)
    part = part_name("our recipe", 0.001, 0)
    with pytest.raises(Cut):
        study[part]()
    (folder,) = work.glob("race-*")
    assert (folder / "checkpoint.json").is_file()
    taken = []

    def train_on(*args, **options):
        for step in train(*args, **options):
            taken.append(step.step)
            yield step

    monkeypatch.setattr(study_module, "train", train_on)
    found = study[part]()
    assert taken == [4, 5, 6]
    assert found["images 3"].equal(stored.tensors[f"{part}/images 3"])
    study["the published recipe, our network, 0.001 minutes, seed 0"]()
    assert not folder.exists(), "the checkpoint of a race that is over is removed"


def test_only_races_are_cleared(tmp_path):
    for name in ("race-1", "race-2", "mine"):
        (tmp_path / name).mkdir()
    clear(tmp_path, but=tmp_path / "race-2")
    assert {path.name for path in tmp_path.iterdir()} == {"race-2", "mine"}
    clear(tmp_path / "nowhere")


def test_our_recipe_is_that_of_the_small_preset():
    preset = PRESETS["small"]
    config = config_of(OURS, 10_000, 0, False)
    assert config.batch_size == preset.batch_size
    assert config.learning_rate == preset.learning_rate
    assert config.ema_decay == preset.ema_decay
    assert (config.warmup, config.caption_dropout, config.prediction) == (200, 0.1, "v")
    unet = our_network(256)
    assert unet.config == type(unet)(**preset.unet, text_dim=256).config


def test_the_published_recipe_is_as_its_code_has_it():
    """yue-here/glyffuser: batch 16, AdamW at 1e-4, 500 steps of warm-up, no average."""
    config = config_of(THEIRS, 100_000, 0, False)
    assert (config.batch_size, config.learning_rate) == (16, 1e-4)
    assert (config.warmup, config.weight_decay, config.clip_norm) == (500, 0.01, 1.0)
    assert config.ema_decay == config.caption_dropout == 0
    assert config.prediction == "eps" and config_of(THEIRS, 80, 0, False).warmup == 8
    theirs = DDPMScheduler(num_train_timesteps=1000).alphas_cumprod.double()
    torch.testing.assert_close(
        alpha_bar_of(THEIRS.schedule)[1:], theirs, rtol=1e-4, atol=1e-7
    )


def test_the_published_network_keeps_its_weights_on_smaller_pictures():
    with torch.device("meta"):
        large = UNet2DConditionModel(**worded_unet(256))
        small = published_network(256)
    count_of = lambda net: sum(value.numel() for value in net.parameters())  # noqa: E731
    assert count_of(small) == count_of(large) > 1.2e8
    assert small.config["channels"] == (128, 256, 512, 512)
    assert small.unet.config.sample_size == 32


def test_without_diffusers_it_is_told_where_it_comes_from(monkeypatch):
    monkeypatch.setattr(study_module, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -r requirements\.txt"):
        published_network(256)


def test_a_text_is_read_alike_whatever_it_is_padded_to():
    torch.manual_seed(0)
    net = tiny_of_diffusers(tiny_models.WIDTH).eval()
    tokens, mask = torch.randn(2, 5, tiny_models.WIDTH), torch.ones(2, 5).bool()
    cond = TextCondition(tokens, mask)
    xt, t = torch.randn(2, 1, 16, 16), torch.tensor([1, 1000])
    with torch.no_grad():
        first, second = (net(xt, t, *cond.padded(length)) for length in (5, 40))
    torch.testing.assert_close(first, second)
    other = TextCondition(tokens.flip(0), mask)
    with torch.no_grad():
        assert (net(xt, t, *other) - first).abs().max() > 1e-4


def test_the_published_pictures_lie_between_0_and_1_and_ours_around_0(subject):
    glyphs = subject.train
    ours, theirs = (pictures_for(recipe, glyphs) for recipe in (OURS, THEIRS))
    assert ours is glyphs.images
    assert theirs.min() == 0 and theirs.max() == 1
    torch.testing.assert_close(2 * theirs - 1, x0_from_images(glyphs.images))


def test_what_is_drawn_is_brought_back_to_black_ink(subject):
    class Drawn:
        """A racer that draws ink at 0, paper at 1 and grey in the middle."""

        def sample(self, captions, **options):
            return torch.tensor([0.0, 1.0, 0.5, -0.5]).reshape(1, 1, 2, 2)

    found = draw(Drawn(), THEIRS, ("gold",), 1.0, QUICK, 0)
    assert found.flatten().tolist() == [-1, 1, 0, -1]
    assert draw(Drawn(), OURS, ("gold",), 1.0, QUICK, 0).flatten()[2] == 0.5


@pytest.mark.parametrize(("recipe", "is_told"), [(OURS, True), (THEIRS, False)])
def test_only_our_recipe_tells_which_tokens_are_padding(
    subject, monkeypatch, recipe, is_told
):
    asked: dict = {}
    monkeypatch.setattr(
        study_module, "train", lambda *args, **options: asked.update(options)
    )
    recipe = FEW["our recipe" if is_told else "the published recipe"]
    racer = new_racer(subject, recipe, 0)
    study_module.take_steps(racer, recipe, subject.train, config_of(recipe, 4, 0, 0))
    for name, rows in (("cond", 20), ("null", 1)):
        assert asked[name].mask.shape == (rows, 40)
        assert asked[name].mask.all() != is_told


def test_weights_depend_on_the_seed_alone(subject):
    recipe = FEW["the published recipe"]
    torch.manual_seed(5)
    nets = [new_racer(subject, recipe, seed).unet for seed in (0, 0, 1)]
    first, same, other = (next(net.parameters()) for net in nets)
    assert first.equal(same) and not first.equal(other)


# What is told of it.


def test_entries_are_means_over_seeds_with_wider_intervals(stored):
    found = PublishedResults(stored)
    assert found.minutes == (0.001, 0.002) and found.recipes == tuple(RECIPES)
    entries = found.entries(0.001)
    assert [(one.recipe, one.scale) for one in entries] == [
        ("our recipe", 3.0),
        ("our recipe", 1.0),
        ("the published recipe", 1.0),
        ("the published recipe, our network", 1.0),
    ]
    for one in entries:
        values = [seed.value for seed in one.frechet_by_seed]
        assert one.frechet.value == pytest.approx(sum(values) / 2)
        assert one.frechet.low <= one.frechet.value <= one.frechet.high
        assert one.hit_rate.low <= one.hit_rate.value <= one.hit_rate.high
        assert one.pictures.shape == (2, 2, 1, 32, 32)
    assert found.gap("frechet", "our recipe", 0.001, scale=3.0).value == 0
    name = "the published recipe"
    gap = found.gap("hits", name, 0.002)
    pair = [found.entry(one, 0.002).hit_rate.value for one in (name, "our recipe")]
    assert gap.value == pytest.approx(pair[0] - pair[1])
    assert gap.low <= gap.value <= gap.high


def test_glyphs_are_drawn_again_alike_for_all(stored):
    """Draw k is of the same captions: shares of equal hits are equal, draw by draw."""
    found = PublishedResults(stored)
    part = found.parts_of("our recipe", 0.001)
    tensors = dict(stored.tensors)
    for name in (*part, *found.parts_of("the published recipe", 0.001)):
        tensors[f"{name}/hits 1"] = torch.tensor([1, 0, 0, 1, 0, 0]).byte()
    same = PublishedResults(Results(stored.facts, stored.parts, tensors))
    pair = [
        same.draws("hits", name, 0.001, 1.0)
        for name in ("our recipe", "the published recipe")
    ]
    torch.testing.assert_close(pair[0], pair[1], rtol=0, atol=0)
    assert pair[0].std() > 0


def test_no_hit_at_all_is_not_certain_to_be_none(stored):
    tensors = dict(stored.tensors)
    for part in PublishedResults(stored).parts_of("our recipe", 0.001):
        tensors[f"{part}/hits 3"] = torch.zeros(6).byte()
    none = PublishedResults(Results(stored.facts, stored.parts, tensors))
    found = none.entry("our recipe", 0.001).hit_rate
    assert found == share_interval(torch.zeros(6)) and found.high > 0.3


def test_a_budget_that_is_not_whole_is_not_told(stored):
    parts = dict(stored.parts)
    del parts[part_name("the published recipe", 0.002, 1)]
    found = PublishedResults(Results(stored.facts, parts, stored.tensors))
    assert found.minutes == (0.001,)
    with pytest.raises(ValueError, match=r"minutes 0\.002 is not stored.* 0\.001"):
        found.entry("our recipe", 0.002)
    told = published_table(found)
    assert "| 0.001 | our recipe | 3 | 6 | 24 |" in told and "| 0.002 |" not in told
    none = PublishedResults(Results(stored.facts, {}, {}))
    assert none.minutes == () and published_table(none) == ""


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda r: r.entry("mine", 0.001), "recipe 'mine' is not stored"),
        (lambda r: r.entry("our recipe", 0.001, 2.0), r"scale 2\.0 is not stored"),
        (lambda r: r.draws("kernel", "our recipe", 0.001), "frechet, hits"),
    ],
)
def test_a_name_that_is_not_stored_is_told(stored, ask, match):
    with pytest.raises(ValueError, match=match):
        ask(PublishedResults(stored))


def test_the_table_tells_each_recipe_what_it_took_and_how_it_was_made(stored):
    told = " ".join(published_table(PublishedResults(stored)).split())
    for name in RECIPES:
        assert f"| 0.002 | {name} | " in told
        assert (
            f"| {name} | {stored.parts[CALIBRATION]['parameters'][name]:,} | " in told
        )
    for said in ("2 seeds each", "6 held-out captions", "`run` (today, one)"):
        assert said in told


def test_the_shipped_card_tells_the_races_as_far_as_they_are_stored(
    stored, tmp_path, monkeypatch
):
    monkeypatch.setattr(evaluate, "RESULTS", tmp_path)
    before = evaluate.shipped_races()
    assert "Against the published recipe" not in before
    save_results(NAME, stored, tmp_path)
    told = published_table(results.published(tmp_path))
    assert evaluate.shipped_races() == before + told != before


def test_the_command_runs_the_races_and_leaves_no_work(subject, tmp_path, monkeypatch):
    ticking(monkeypatch)
    settings = replace(QUICK, minutes=(0.001,), num_seeds=1)

    def few(*args):
        return published(*args, FEW)

    monkeypatch.setitem(registry.LONG, NAME, LongStudy(few, settings))
    monkeypatch.setattr(Glyffuser, "load", lambda: subject.glyffuser)
    splits = {"train": subject.train, "test": subject.held_out}
    monkeypatch.setattr(command, "load_glyphs", lambda split, size: splits[split])
    out = tmp_path / "results"
    args = ["data", "results", NAME, "--out", str(out)]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0, result.output
    assert "published: our recipe, 0.001 minutes, seed 0 (" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    found = PublishedResults(load_results(NAME, out))
    assert found.facts["command"] == "glyflib data results published --seed 0"
    assert found.minutes == (0.001,) and len(found.entries(0.001)) == 4
    again = CliRunner().invoke(main, args)
    assert again.exit_code == 0, "settings are found to be the same"
