"""The radical classifier: as shipped, as trained, and what words alone can tell."""

import hashlib
import json
import math
import string
from pathlib import Path

import matplotlib
import pytest
import safetensors.torch
import torch
from scipy import integrate, stats

from glyflib.data import GLYPHS, Glyphs, load_glyphs, x0_from_images
from glyflib.evaluation.radicals import (
    RADICALS,
    RadicalClassifier,
    check_radicals,
    shrink_x0,
)
from glyflib.evaluation.samples import words_alone
from glyflib.glyphs.assemble import build_glyphs
from glyflib.glyphs.fonts import open_face
from glyflib.glyphs.tables import FIELDS
from glyflib.making.radicals.augment import augment, blur, restroke, warp
from glyflib.making.radicals.card import by_frequency, card, share_right
from glyflib.making.radicals.train import (
    NETWORK,
    Views,
    build_classifier,
    check_known,
    draw_batches,
    draw_views,
    fit,
)

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
CONFIG = json.loads((RADICALS / "config.json").read_text("utf-8"))
HELD_OUT = CONFIG["held_out"]


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def classifier():
    return RadicalClassifier.load()


@pytest.fixture(scope="module")
def held_out():
    return load_glyphs("test", 32)


@pytest.fixture(scope="module")
def counts():
    """Training glyphs of each radical."""
    return torch.bincount(load_glyphs("train", 32).radicals)


@pytest.fixture(scope="module")
def reading(classifier, held_out):
    return classifier.read(x0_from_images(held_out.images))


# The classifier that is shipped.


def test_the_stated_accuracy_is_reproduced(reading, held_out):
    """Pictures of 32 pixels are rounded once more than what was measured: 3 glyphs."""
    right = (reading.radicals == held_out.radicals).double().mean().item()
    assert right == pytest.approx(HELD_OUT["top1"], abs=0.003)
    low, high = HELD_OUT["top1_interval"]
    assert low < right < high and right >= 0.85
    top5 = reading.logits.topk(5).indices + 1
    top5 = (top5 == held_out.radicals[:, None]).any(1).double().mean().item()
    assert top5 == pytest.approx(HELD_OUT["top5"], abs=0.003)
    assert HELD_OUT["glyphs"] == len(held_out) == 1061


def test_it_reads_disturbed_glyphs_as_well_as_stated(classifier, held_out):
    """Another 1,061 disturbed pictures: four standard errors of what was measured."""
    images = load_glyphs("test", 64).images
    found = share_right(classifier, augment(images, gen(9)), held_out.radicals)
    assert found == pytest.approx(HELD_OUT["top1_disturbed"], abs=0.045)
    assert found > 0.75


def test_it_is_right_far_more_often_than_the_commonest_radical(held_out, counts):
    share = (held_out.radicals == counts.argmax()).double().mean().item()
    assert HELD_OUT["commonest_radical"] == pytest.approx(share)
    assert HELD_OUT["top1"] > 10 * share


def test_the_stated_shares_by_frequency_are_reproduced(reading, held_out, counts):
    is_right = reading.radicals == held_out.radicals
    found = by_frequency(is_right, counts[held_out.radicals])
    stated = HELD_OUT["top1_by_training_glyphs"]
    assert sum(row["glyphs"] for row in stated.values()) == len(held_out)
    for name, row in stated.items():
        assert found[name]["glyphs"] == row["glyphs"]
        assert found[name]["top1"] == pytest.approx(row["top1"], abs=0.02)


def test_the_classifier_is_small_and_in_half_precision():
    path = RADICALS / "model.safetensors"
    assert path.stat().st_size < 3e6
    weights = safetensors.torch.load_file(path)
    floats = [x for x in weights.values() if x.is_floating_point()]
    assert {x.dtype for x in floats} == {torch.float16}
    model = RadicalClassifier(**CONFIG["network"])
    assert CONFIG["parameters"] == sum(p.numel() for p in model.parameters())


def test_the_classifier_was_trained_on_the_glyphs_that_are_stored():
    stored = json.loads(GLYPHS.with_name("glyphs.parquet.json").read_text("utf-8"))
    assert CONFIG["glyphs_sha256"] == stored["sha256"]
    assert CONFIG["training_glyphs"] == stored["splits"]["train"]


def test_the_card_is_written_from_the_configuration():
    page = (RADICALS / "README.md").read_text("utf-8")
    assert page == card(CONFIG)
    assert f"**{HELD_OUT['top1']:.1%}**" in page and "{" not in page


def test_features_have_mean_zero_and_variance_one_on_training_pictures(classifier):
    images = load_glyphs("train", 64).images[::30]
    features = classifier.read(augment(images, gen())).features
    assert features.shape[1] == CONFIG["network"]["feature_dim"] == 96
    assert features.mean(0).abs().max() < 0.3
    variance = features.var(0)
    assert variance.min() > 0.7 and variance.max() < 1.4
    assert variance.mean() == pytest.approx(1, abs=0.1)


def test_logits_come_from_the_features(classifier, reading, held_out):
    x0 = x0_from_images(held_out.images[:20])
    with torch.no_grad():
        logits, features = classifier(x0), classifier.features(x0)
    assert logits.shape == (20, 214) and features.shape == (20, 96)
    torch.testing.assert_close(reading.logits[:20], logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reading.features[:20], features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reading.radicals[:20], logits.argmax(1) + 1)


def test_a_glyph_is_read_alike_in_any_batch(classifier, reading, held_out):
    x0 = x0_from_images(held_out.images[:7])
    alone = classifier.read(x0, batch_size=1).logits
    torch.testing.assert_close(alone, reading.logits[:7], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [64, 128])
def test_larger_glyphs_are_averaged_down(classifier, size):
    x0 = 2 * torch.rand(3, 1, size, size, generator=gen()) - 1
    step = size // 32
    small = x0.reshape(3, 1, 32, step, 32, step).mean((3, 5))
    torch.testing.assert_close(shrink_x0(x0), small)
    torch.testing.assert_close(
        classifier.read(x0).logits, classifier.read(small).logits, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "shape", [(2, 1, 16, 16), (2, 3, 32, 32), (2, 32, 32), (2, 1, 32, 64), (32,)]
)
def test_other_shapes_are_refused(classifier, shape):
    with pytest.raises(ValueError, match="S = 32, 64 or 128"):
        classifier(torch.zeros(shape))


def test_images_that_were_not_scaled_are_refused(classifier, held_out):
    with pytest.raises(ValueError, match=r"uint8: scale images with data\.x0"):
        classifier(held_out.images[:2])


def copy_of_shipped(folder, **changes):
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((RADICALS / name).read_bytes())
    config = {k: v for k, v in (CONFIG | changes).items() if v is not None}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def test_a_copy_can_be_loaded_and_has_no_gradients(tmp_path, reading, held_out):
    model = RadicalClassifier.load(copy_of_shipped(tmp_path))
    x0 = x0_from_images(held_out.images[:9])
    torch.testing.assert_close(
        model.read(x0).logits, reading.logits[:9], rtol=1e-4, atol=1e-4
    )
    assert not model.training and not model(x0).requires_grad


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_classifier_says_how_to_get_it(tmp_path, name):
    (copy_of_shipped(tmp_path) / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"no {name}.*glyflib data radicals"):
        RadicalClassifier.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"widths": [8, 16, 32], "feature_dim": 96}},
        {"network": {"depth": 3}},
        {"network": None},
        {"sha256": "0" * 64},
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match=r"glyflib data radicals"):
        RadicalClassifier.load(copy_of_shipped(tmp_path, **changes))


def test_damaged_weights_are_refused(tmp_path):
    path = copy_of_shipped(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="its sha256 differs"):
        RadicalClassifier.load(tmp_path)
    path.write_bytes(b"no tensors")
    digest = hashlib.sha256(b"no tensors").hexdigest()
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"sha256": digest}))
    with pytest.raises(ValueError, match="is damaged"):
        RadicalClassifier.load(tmp_path)


# Radicals that fit.


@pytest.mark.parametrize(
    ("radicals", "num", "match"),
    [
        ([1, 2, 3], 2, r"\(3,\) for \(2,\)"),
        ([], 0, "N above 0"),
        ([1, 0], 2, "holds 0: leave out"),
        ([215, 2], 2, "holds 215"),
    ],
)
def test_radicals_that_do_not_fit_are_refused(radicals, num, match):
    with pytest.raises(ValueError, match=match):
        check_radicals(torch.tensor(radicals), torch.zeros(num))
    with pytest.raises(ValueError, match="one a glyph"):
        check_radicals(torch.ones(3, 1).long(), torch.zeros(3, 1))


# Disturbing glyphs.


@pytest.fixture(scope="module")
def images():
    return load_glyphs("test", 64).images[:64]


def test_strength_zero_is_the_plain_average_of_areas(images):
    plain = x0_from_images(images).reshape(64, 1, 32, 2, 32, 2).mean((3, 5))
    found = augment(images, gen(), strongest=0)
    torch.testing.assert_close(found, plain, rtol=0, atol=1e-5)


def test_disturbed_glyphs_are_clipped_and_decided_by_the_generator(images):
    one, same, other = (augment(images, gen(s)) for s in (1, 1, 2))
    torch.testing.assert_close(one, same)
    assert one.shape == (64, 1, 32, 32) and one.abs().max() <= 1
    assert (one - other).abs().flatten(1).mean(1).min() > 0.005
    mild = augment(images, gen(1), strongest=0.2)
    clean = augment(images, gen(), strongest=0)
    assert (mild - clean).abs().mean() < (one - clean).abs().mean() / 2


def test_a_warp_moves_ink_and_leaves_paper(images):
    ink, full = 1 - images.float() / 255, torch.ones(64, 1, 1)
    assert warp(torch.zeros(2, 1, 64, 64), full[:2], gen()).abs().max() == 0
    moved, still = warp(ink, full, gen()), warp(ink, 0 * full, gen())
    place = torch.arange(32.0)
    shift = [(x.sum(2) * place).sum(2) / x.sum((2, 3)) for x in (moved, still)]
    shift = (shift[0] - shift[1]).abs()
    assert 0.3 < shift.median() < 2 and shift.max() < 6
    assert moved.mean() == pytest.approx(still.mean().item(), rel=0.15)


def test_strokes_become_thinner_and_fatter(images):
    ink = warp(1 - images.float() / 255, torch.zeros(64, 1, 1), gen())
    share = (restroke(ink, torch.ones(64, 1, 1, 1), gen()).mean((1, 2, 3))) / ink.mean(
        (1, 2, 3)
    )
    assert share.min() < 0.8 and share.max() > 1.3


def test_a_blur_keeps_ink_and_spreads_a_dot_by_one_two_one():
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 16
    row = torch.tensor([0.0, 1, 2, 1, 0])
    torch.testing.assert_close(blur(dot)[0, 0], row[:, None] * row)


# Training.


def tiny_set(path):
    """52 Latin letters; radical 1 for capitals, 2 for small ones."""
    letters = {c: f"letter {c}" for c in string.ascii_letters}
    numbers = {c: "1.0" if c.isupper() else "2.0" for c in letters}
    unihan = {field: {} for field in FIELDS} | {"kRSUnicode": numbers}
    build_glyphs(
        open_face(FONTS / "DejaVuSans.ttf"), letters, unihan, path, is_unihan=False
    )
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tiny_set(tmp_path_factory.mktemp("tiny") / "glyphs.parquet")
    return load_glyphs("all", 64, path=path)


@pytest.fixture(scope="module")
def serif():
    return open_face(FONTS / "DejaVuSerif.ttf")


@pytest.fixture(scope="module")
def built(tiny, serif, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "radicals"
    return out, build_classifier(tiny, out, fonts=[serif], seed=3, steps=3)


def test_a_build_writes_a_classifier_that_can_be_loaded(built):
    out, config = built
    assert sorted(p.name for p in out.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert json.loads((out / "config.json").read_text("utf-8")) == config
    assert (config["seed"], config["steps"], len(config["fonts"])) == (3, 3, 1)
    assert config["training_glyphs"] + config["held_out"]["glyphs"] == 52
    x0 = torch.ones(2, 1, 32, 32)
    assert RadicalClassifier.load(out).read(x0).logits.isfinite().all()
    assert "DejaVu Serif" in (out / "README.md").read_text("utf-8")


def test_the_same_seed_gives_the_same_weights(built, tiny, serif, tmp_path):
    state = torch.random.get_rng_state()
    again, other = (
        build_classifier(tiny, tmp_path, fonts=[serif], seed=s, steps=3) for s in (3, 4)
    )
    assert again["sha256"] == built[1]["sha256"] != other["sha256"]
    assert again["held_out"] == built[1]["held_out"]
    assert torch.equal(torch.random.get_rng_state(), state)  # no global seed is set


def test_a_card_without_fonts_has_no_gap_in_its_table(built):
    config = json.loads(json.dumps(built[1])) | {"fonts": []}
    config["held_out"]["top1_by_font"] = {}
    assert "%|\n\n| for" not in card(config).replace(" |", "|")
    assert "the glyph set\n- **No leak:**" in card(config)


def test_training_learns(tiny):
    glyphs = tiny
    steps = []

    def count(batches):
        for batch in batches:
            steps.append(batch)
            yield batch

    model = fit(draw_views(glyphs, []), glyphs, seed=0, steps=20, progress=count)
    assert len(steps) == 20
    rows = ~glyphs.is_test
    x0 = augment(glyphs.images[rows], gen(), strongest=0)
    assert share_right(model, x0, glyphs.radicals[rows]) > 0.9


def test_no_held_out_character_is_trained_on(tiny, serif):
    glyphs = tiny
    views = draw_views(glyphs, [serif])
    rows = torch.where(~glyphs.is_test)[0]
    batches = [row for row, _ in draw_batches(views, rows, 6, gen())]
    assert sorted(torch.cat(batches).unique().tolist()) == rows.tolist()
    assert not glyphs.is_test[torch.cat(batches)].any()
    for batch in batches:
        assert len(batch) == len(batch.unique()) == len(rows)


def glyphs_of(chars, is_test):
    face = open_face(FONTS / "DejaVuSans.ttf")
    blank = torch.zeros(len(chars)).long()
    is_test, names = torch.tensor(is_test), ("",) * len(chars)
    images = draw_views(
        Glyphs(
            torch.zeros(len(chars), 1, 64, 64).byte(),
            tuple(chars),
            names,
            names,
            blank,
            blank + 1,
            blank,
            is_test,
        ),
        [face],
    ).images[1]
    return Glyphs(images, tuple(chars), names, names, blank, blank + 1, blank, is_test)


def test_twins_of_held_out_pictures_and_blanks_are_left_out(serif):
    """Latin A is held out and Greek A looks the same; these fonts lack U+9FA5."""
    glyphs = glyphs_of("A\u0391B\u9fa5", [True, False, False, False])
    views = draw_views(glyphs, [serif])
    assert views.is_usable[0].all()
    assert views.is_usable[1].tolist() == [False, False, True, False]
    assert views.images.shape == (2, 4, 1, 64, 64)


def test_a_view_that_may_not_be_used_gives_way_to_the_set():
    images = torch.stack([torch.zeros(9, 1, 64, 64), torch.full((9, 1, 64, 64), 255)])
    is_usable = torch.ones(2, 9).bool()
    is_usable[1, :4] = False
    views, rows = Views(images.byte(), is_usable), torch.arange(9)
    for row, x0 in draw_batches(views, rows, 20, gen()):
        dark = x0.mean((1, 2, 3)) < 0
        assert dark[row < 4].all()
    used = [x0.mean((1, 2, 3)) > 0 for _, x0 in draw_batches(views, rows, 20, gen())]
    share = torch.stack(used).double().mean().item()
    assert share == pytest.approx(5 / 9 * 0.6 / 2, abs=0.1)


def test_a_build_that_fails_leaves_the_old_one(built, tiny, tmp_path):
    before = {p.name: p.read_bytes() for p in built[0].iterdir()}
    with pytest.raises(ValueError, match="steps 0 must be at least 1"):
        build_classifier(tiny, built[0], fonts=[], steps=0)
    face, path = open_face(FONTS / "DejaVuSans.ttf"), tmp_path / "g.parquet"
    nothing = {field: {} for field in FIELDS}
    build_glyphs(face, {"A": "letter"}, nothing, path, is_unihan=False)
    with pytest.raises(ValueError, match="1 glyphs, 0 held out: both sides need"):
        check_known(load_glyphs("all", 64, path=path))

    def broken(batches):
        yield next(iter(batches))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        build_classifier(tiny, built[0], fonts=[], progress=broken)
    assert {p.name: p.read_bytes() for p in built[0].iterdir()} == before


def test_the_shipped_network_is_the_one_that_is_built():
    assert CONFIG["network"] == NETWORK


# Words alone.


def two_classes(num, gap, seed):
    """One number a caption: N(-gap / 2, 1) for radical 30, N(gap / 2, 1) for 85."""
    is_water = torch.arange(num) % 2 == 0
    rows = (
        torch.randn(num, 1, generator=gen(seed))
        + gap * (is_water.float() - 0.5)[:, None]
    )
    return rows, torch.where(is_water, 85, 30)


def test_words_alone_do_as_well_as_theory_allows():
    """Logistic regression is right for two Gaussians of one variance (Bishop 4.2.1).

    The best rule is right with probability Phi(gap / 2), and the mean probability of
    the true class is an integral. 4,000 captions: a standard error of 0.7 %.
    """
    gap = 1.5
    found = words_alone(
        *two_classes(4000, gap, 0), *two_classes(4000, gap, 1), gen(), penalty=0.1
    )
    assert found.top1.value == pytest.approx(stats.norm.cdf(gap / 2), abs=0.021)

    def given(x):
        return stats.norm.pdf(x - gap / 2) / (1 + math.exp(-gap * x))

    mean = integrate.quad(given, -10, 10)[0]
    assert found.drawn.value == pytest.approx(mean, abs=0.015)
    assert found.drawn.low < mean < found.drawn.high
    assert found.top1.high - found.top1.low == pytest.approx(0.026, rel=0.15)


def test_words_that_tell_nothing_leave_chance():
    radicals = torch.tensor([9] * 600 + [75] * 300 + [140] * 100)
    noise = [torch.randn(1000, 8, generator=gen(s)) for s in (0, 1)]
    found = words_alone(noise[0], radicals, noise[1], radicals, gen())
    assert found.top1.value == pytest.approx(0.6, abs=0.02)
    assert found.drawn.value == pytest.approx(0.36 + 0.09 + 0.01, abs=0.01)


def test_the_units_of_embeddings_do_not_matter():
    (a, radicals), (b, others) = two_classes(300, 1.5, 0), two_classes(300, 1.5, 1)
    a, b = (torch.cat([x, x.square(), torch.ones(300, 1)], dim=1) for x in (a, b))
    plain = words_alone(a, radicals, b, others, gen(), num=2)
    scale, shift = torch.tensor([100.0, 0.01, 1]), torch.tensor([5.0, -3, 0])
    moved = words_alone(
        a * scale + shift, radicals, b * scale + shift, others, gen(), num=2
    )
    assert moved.top1.value == plain.top1.value
    assert moved.drawn.value == pytest.approx(plain.drawn.value, abs=1e-4)


def test_a_radical_that_was_never_seen_is_a_miss():
    rows, radicals = two_classes(200, 8, 0)
    found = words_alone(rows, radicals, rows[:4], torch.tensor([85, 30, 1, 214]), gen())
    assert found.top1.value == 0.5 and found.drawn.value <= 0.5


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({0: torch.zeros(5, 1)}, r"radicals \(6,\) for \(5, 1\)"),
        ({2: torch.zeros(6, 2)}, r"rows \(6, 2\)"),
        ({0: torch.full((6, 1), math.nan)}, "finite"),
        ({1: torch.zeros(6).long()}, "holds 0"),
        ({3: torch.full((6,), 215)}, "holds 215"),
    ],
)
def test_captions_that_do_not_fit_are_refused(change, match):
    given = [*two_classes(6, 1, 0), *two_classes(6, 1, 1)]
    for place, value in change.items():
        given[place] = value
    with pytest.raises(ValueError, match=match):
        words_alone(*given, gen())
    with pytest.raises(ValueError, match="penalty 0 must be above 0"):
        words_alone(*two_classes(6, 1, 0), *two_classes(6, 1, 1), gen(), penalty=0)
