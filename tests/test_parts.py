"""The reader of parts as it is shipped: what it reads, and how it is loaded."""

import json

import pytest
import safetensors.torch
import torch

from glyflib.data import GLYPHS, load_glyphs, x0_from_images
from glyflib.evaluation.parts import (
    PARTS,
    PLACES,
    Part,
    PartReader,
    PartReading,
    find_part,
    read_parts,
)
from glyflib.making.parts.card import SHARES, card, measure
from glyflib.making.parts.labels import (
    BESIDE,
    FIRST,
    SECOND,
    STACKED,
    WHOLE,
    read_labels,
)
from glyflib.making.parts.paste import cut_halves, paste
from glyflib.making.radicals.augment import augment
from glyflib.making.radicals.train import Views

CONFIG = json.loads((PARTS / "config.json").read_text("utf-8"))
HELD_OUT = CONFIG["held_out"]


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def reader():
    return PartReader.load()


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("all", 64)


@pytest.fixture(scope="module")
def held_out(glyphs):
    return glyphs.take(glyphs.is_test)


@pytest.fixture(scope="module")
def labels(reader, held_out):
    return read_labels(PARTS / "labels.parquet", reader.parts, held_out.codepoints)


@pytest.fixture(scope="module")
def reading(reader, held_out):
    return reader.read(augment(held_out.images, gen(), strongest=0))


def read_chars(glyphs, chars):
    return read_parts(glyphs.take(glyphs.find(chars)).images)


def halves_of(glyphs, reader, chars, kind):
    """The first half of one glyph and the second one of another, pasted together."""
    pair = glyphs.take(glyphs.find(chars))
    labels = read_labels(PARTS / "labels.parquet", reader.parts, pair.codepoints)
    views = Views(pair.images[None], torch.ones(1, 2).bool())
    halves = cut_halves(views.images, labels)
    rows = torch.tensor([0]).repeat(8), torch.tensor([1]).repeat(8)
    assert halves.is_cut.all()
    return paste(views, labels, halves, rows, kind, gen(), share_whole=0).images


# The reader that is shipped.


def test_the_stated_numbers_are_measured_again(reader, glyphs):
    labels = read_labels(PARTS / "labels.parquet", reader.parts, glyphs.codepoints)
    views = glyphs.images[None]
    found = measure(reader, views, labels, glyphs, [])
    view = "as in the glyph set"
    for name, stated in HELD_OUT["by_view"][view].items():
        assert found["by_view"][view][name][0] == pytest.approx(stated[0], abs=0.003)
    for name in SHARES:
        assert found[name][0] == pytest.approx(HELD_OUT[name][0], abs=0.03), name
    assert HELD_OUT["glyphs"] == int(glyphs.is_test.sum()) == 1061
    for name, row in HELD_OUT["parts"].items():
        for kind, stated in row.items():
            assert found["parts"][name][kind][3] == stated[3]
            share = found["parts"][name][kind][0]
            assert share == pytest.approx(stated[0], abs=1.5 / stated[3] + 0.01)


def test_parts_held_are_read_and_parts_lacked_are_not():
    """In every font, and when disturbed; no part is guessed from how common it is."""
    for row in HELD_OUT["by_view"].values():
        assert row["held"][1] > 0.8 and row["lacked"][2] < 0.01
        assert row["right"][1] > 0.8
    assert HELD_OUT["inner"][1] > 0.7


def test_it_sees_both_parts_of_glyphs_that_hold_two(reading, labels):
    """Most of the held-out glyphs that are known to hold two have both of them read."""
    several = (labels.holds[WHOLE] == 1).sum(1) > 1
    assert several.sum() == HELD_OUT["several"][3] > 300
    assert HELD_OUT["several"][1] > 0.65
    is_read = reading.probabilities > 0.5
    assert (is_read[several].sum(1) >= 2).double().mean() > 0.8


@pytest.mark.parametrize(
    ("char", "parts"),
    [
        ("痰", ["sickness", "fire"]),
        ("疢", ["sickness", "fire"]),
        ("痣", ["sickness", "heart"]),
        ("煩", ["fire", "leaf"]),
        ("明", ["sun", "moon"]),
        ("好", ["woman", "child"]),
        ("鳴", ["mouth", "bird"]),
    ],
)
def test_known_characters_are_read(glyphs, char, parts):
    names = read_chars(glyphs, char).named()[0]
    assert set(parts) <= set(names) and len(names) <= len(parts) + 2


def test_what_is_inside_a_sickness_is_read(reading, labels):
    """Of the held-out glyphs with a sickness around, what is known to be inside."""
    column = find_part(labels.parts, "sickness")
    rows = labels.holds[FIRST, :, column] == 1
    is_inside = labels.holds[SECOND, rows] == 1
    is_read = reading.probabilities[rows] > 0.5
    assert is_inside.sum() == 20 and is_read[is_inside].double().mean() > 0.6
    assert is_read[:, column].double().mean() > 0.8


def test_places_are_read(glyphs):
    found = read_chars(glyphs, "忙忘疢火杏")
    heart = [found.at("heart", place) for place in ("left", "bottom")]
    assert heart[0][0] > 0.5 > heart[1][0] and heart[1][1] > 0.5 > heart[0][1]
    assert found.at("sickness", "around")[2] > 0.5
    assert found.at("fire", "inside")[2] > found.at("fire", "left")[2]
    assert found.at("tree", "top")[4] > 0.5 > found.at("tree", "bottom")[4]


def test_a_part_that_comes_twice_is_seen_twice(glyphs, reader):
    """Two trees; one tree and one fire do not come twice."""
    assert read_chars(glyphs, "林").twice("tree")[0] > 0.5
    once = read_chars(glyphs, "松煙")
    assert once.twice("tree")[0] < 0.5 and once.twice("fire")[1] < 0.5


def test_halves_pasted_together_read_as_both(glyphs, reader):
    found = read_parts(halves_of(glyphs, reader, "鯉鴿", BESIDE))
    assert (found.at("fish", "left") > 0.5).all()
    assert (found.at("bird", "right") > 0.5).all()
    assert (found.twice("bird") < 0.5).all() and (found.twice("fish") < 0.5).all()
    found = read_parts(halves_of(glyphs, reader, "花恐", STACKED))
    assert (found.at("grass", "top") > 0.5).all()
    assert (found.at("heart", "bottom") > 0.5).all()


def test_two_birds_are_two_birds(glyphs, reader):
    """A bird made narrow stands beside the bird of each held-out glyph with one."""
    labels = read_labels(PARTS / "labels.parquet", reader.parts, glyphs.codepoints)
    bird = find_part(reader.parts, "bird")
    is_kept = glyphs.is_test & (labels.holds[2, :, bird] == 1)
    is_kept &= labels.division == BESIDE
    rows = is_kept.nonzero().squeeze(1)
    views = Views(glyphs.images[None], torch.ones(1, len(glyphs)).bool())
    kept = torch.cat([torch.tensor(glyphs.find("鳥鸟")), rows])
    views = Views(views.images[:, kept], views.is_usable[:, kept])
    some = labels.take(kept)
    halves = cut_halves(views.images, some)
    right = torch.arange(2, len(kept)).repeat(2)
    left = torch.arange(2).repeat_interleave(len(kept) - 2)
    pasted = paste(views, some, halves, (left, right), BESIDE, gen(), share_whole=0)
    two = read_parts(pasted.images).twice("bird")
    one = read_parts(glyphs.images[rows]).twice("bird")
    assert len(rows) >= 5
    assert (two > 0.5).double().mean() > 0.7 and (one > 0.5).double().mean() < 0.2


def test_the_reader_is_small_and_in_half_precision():
    path = PARTS / "model.safetensors"
    assert sum(p.stat().st_size for p in PARTS.iterdir()) < 5e6
    weights = safetensors.torch.load_file(path)
    floats = [x for x in weights.values() if x.is_floating_point()]
    assert {x.dtype for x in floats} == {torch.float16}


def test_the_reader_was_trained_on_the_glyphs_that_are_stored():
    stored = json.loads(GLYPHS.with_name("glyphs.parquet.json").read_text("utf-8"))
    assert CONFIG["glyphs_sha256"] == stored["sha256"]
    assert CONFIG["training_glyphs"] == stored["splits"]["train"]
    assert min(CONFIG["training_counts"]) >= CONFIG["min_glyphs"]


def test_the_card_is_written_from_the_configuration():
    page = (PARTS / "README.md").read_text("utf-8")
    assert page == card(CONFIG)
    assert f"**{HELD_OUT['several'][0]:.1%}**" in page and "{" not in page


# How it is asked.


def test_pictures_may_be_images_or_x0_of_any_size(glyphs):
    images = glyphs.take(glyphs.find("明好")).images
    found = read_parts(images)
    again = read_parts(x0_from_images(images, dtype=torch.float64))
    torch.testing.assert_close(found.probabilities, again.probabilities)
    large = read_parts(images.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(
        large.probabilities, found.probabilities, rtol=1e-4, atol=1e-4
    )
    num = len(found.parts)
    assert found.probabilities.shape == (2, num)
    assert found.places.shape == (2, num, len(PLACES))


def test_other_pictures_are_refused():
    with pytest.raises(ValueError, match="S = 32, 64 or 128"):
        read_parts(torch.zeros(2, 3, 32, 32))
    with pytest.raises(ValueError, match="int64: give uint8"):
        read_parts(torch.zeros(2, 1, 32, 32).long())


def a_reading():
    parts = (Part("sun", "日", (72,)), Part("tree", "木", (75,)))
    places = torch.zeros(2, 2, 7)
    places[0, 1, :2] = torch.tensor([0.9, 0.7])  # a tree left and right
    places[1, 0, 0], places[1, 0, 3] = 0.8, 0.8  # a sun left and at the bottom
    return PartReading(
        parts, torch.zeros(2, 4), torch.tensor([[0.1, 0.9], [0.6, 0.4]]), places
    )


def test_parts_are_asked_for_by_name_or_character():
    found = a_reading()
    torch.testing.assert_close(found.of("sun"), torch.tensor([0.1, 0.6]))
    assert torch.equal(found.of("木"), found.of("tree"))
    assert found.named() == [["tree"], ["sun"]]
    assert found.named(0.3) == [["tree"], ["sun", "tree"]]


def test_twice_is_both_halves_of_one_division():
    found = a_reading()
    torch.testing.assert_close(found.twice("tree"), torch.tensor([0.7, 0.0]))
    torch.testing.assert_close(found.twice("sun"), torch.tensor([0.0, 0.0]))


def test_an_unknown_part_or_place_is_named():
    with pytest.raises(KeyError, match=r"no part 'moon'; it knows sun, tree"):
        a_reading().of("moon")
    with pytest.raises(KeyError, match="no place 'up': choose from left, right"):
        a_reading().at("sun", "up")


def copy_of_shipped(folder, **changes):
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((PARTS / name).read_bytes())
    config = {k: v for k, v in (CONFIG | changes).items() if v is not None}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def test_a_copy_can_be_loaded_and_has_no_gradients(tmp_path, glyphs):
    model = PartReader.load(copy_of_shipped(tmp_path))
    x0 = x0_from_images(glyphs.images[:3])
    torch.testing.assert_close(
        model.read(x0).probabilities, read_parts(x0).probabilities
    )
    assert not model.training and not model(x0).requires_grad


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_reader_says_how_to_get_it(tmp_path, name):
    (copy_of_shipped(tmp_path) / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"no {name}.*glyflib data parts"):
        PartReader.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"widths": [8, 16, 32], "feature_dim": 96}},
        {"parts": CONFIG["parts"][:-1]},
        {"parts": [{"name": "sun"}]},
        {"parts": None},
        {"sha256": "0" * 64},
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match="glyflib data parts"):
        PartReader.load(copy_of_shipped(tmp_path, **changes))
