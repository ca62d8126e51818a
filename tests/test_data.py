import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import torch
from pyarrow import parquet

from glyflib.data import (
    GLYPHS,
    bare_parts,
    evenly,
    images_from_x0,
    ink_at,
    ink_points,
    load_glyphs,
    shrink,
    x0_from_images,
)
from glyflib.files import DATA


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("all", 32)


def test_the_glyph_file_is_the_one_that_was_built():
    digest = sha256(GLYPHS.read_bytes()).hexdigest()
    assert (
        digest
        == json.loads((DATA / "glyphs.parquet.json").read_text("utf-8"))["sha256"]
    )
    assert f"{digest}  glyphs.parquet" in (DATA / "SHA256SUMS").read_text().splitlines()


def test_the_data_card_states_the_counts_of_the_build():
    card = json.loads((DATA / "glyphs.parquet.json").read_text("utf-8"))
    text = (DATA / "README.md").read_text("utf-8")
    numbers = [card[k] for k in ("defined", "not_in_font", "empty_captions", "glyphs",
               "groups", "largest_group", "distinct_images", "distinct_captions",
               "glyphs_with_shared_caption")]  # fmt: skip
    numbers += [*card["splits"].values(), *card["caption_words"].values()]
    assert [n for n in numbers if f"{n:,}" not in text] == []
    rows = [f"| `{r['rule']}` | {r['purpose']} | {r['changed']:,} | {r['emptied']:,} |"
            for r in card["rules"]]  # fmt: skip
    assert [row for row in rows if row not in text] == []


def test_train_and_test_are_disjoint_and_together_all(glyphs):
    train, test = load_glyphs("train", 32), load_glyphs("test", 32)
    assert len(train) + len(test) == len(glyphs) == 21_223
    assert not set(train.chars) & set(test.chars)
    assert test.is_test.all() and not train.is_test.any()
    assert glyphs.is_test.sum() == len(test)


def test_rows_match_in_every_field(glyphs):
    (row,) = glyphs.find("锂")
    assert glyphs.captions[row] == "lithium (element 3, Li)"
    assert glyphs.pinyin[row] == "lǐ"
    assert glyphs.codepoints[row] == ord("锂")
    assert glyphs.radicals[row] == 167  # gold
    assert glyphs.strokes[row] == 12
    assert glyphs.images.shape == (len(glyphs), 1, 32, 32)


def test_every_size_shows_the_same_glyph(glyphs):
    large, middle = load_glyphs("test", 128), load_glyphs("test", 64)
    small = glyphs.images[glyphs.is_test]
    assert large.images.shape == (len(large), 1, 128, 128)
    pooled = torch.nn.functional.avg_pool2d(large.images.float(), 4)
    torch.testing.assert_close(small.float(), pooled, atol=0.51, rtol=0)
    pooled = torch.nn.functional.avg_pool2d(large.images.float(), 2)
    torch.testing.assert_close(middle.images.float(), pooled, atol=0.51, rtol=0)


def test_shrinking_keeps_paper_and_ink():
    levels = np.stack(
        [np.zeros((128, 128), np.uint8), np.full((128, 128), 15, np.uint8)]
    )
    for size in (32, 64, 128):
        small = shrink(levels, size)
        assert small[0].max() == 0 and small[1].min() == 255


def test_every_plane_of_the_cjk_blocks_is_there(glyphs):
    planes = set((glyphs.codepoints // 0x10000).tolist())
    assert planes == {0, 2, 3}


def test_no_glyph_is_blank_and_no_ink_touches_the_edge():
    images = load_glyphs("all", 128).images.squeeze(1)
    assert images.flatten(1).amin(1).max() < 128
    border = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    assert min(int(side.min()) for side in border) == 255


def test_finding_an_unknown_character_says_which(glyphs):
    with pytest.raises(KeyError, match="Q not among these 21223 glyphs"):
        glyphs.find("锂Q")


@pytest.mark.parametrize(("split", "size", "match"),
    [("dev", 128, "split 'dev' must be one of train, test, all"),
     ("train", 50, "size 50 must be one of 32, 64 and 128")])  # fmt: skip
def test_unknown_split_or_size_is_refused(split, size, match):
    with pytest.raises(ValueError, match=match):
        load_glyphs(split, size)


def test_a_missing_file_says_how_to_restore_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="glyflib data build"):
        load_glyphs(path=tmp_path / "glyphs.parquet")


@pytest.mark.parametrize("damage", ["cut", "flipped", "other"])
def test_a_damaged_file_says_how_to_restore_it(tmp_path, damage):
    path, raw = tmp_path / "glyphs.parquet", bytearray(GLYPHS.read_bytes())
    if damage == "cut":
        raw = raw[: len(raw) // 2]
    elif damage == "flipped":
        raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    if damage == "other":
        parquet.write_table(parquet.read_table(GLYPHS, columns=["char"]), path)
    with pytest.raises(ValueError, match=r"is damaged.*glyflib data build"):
        load_glyphs(size=32, path=path)


def test_scaling_to_x0_and_back_is_exact():
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    x0 = x0_from_images(images)
    assert (x0.min(), x0.max()) == (-1, 1)
    assert torch.equal(images_from_x0(x0), images)


def test_ink_points_lie_on_the_ink(glyphs):
    gen = torch.Generator().manual_seed(0)
    image = torch.full((1, 4, 4), 255, dtype=torch.uint8)
    image[0, 0, 3] = 0  # top right
    points = ink_points(image, 1000, generator=gen)
    assert points.amin(0).tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert points.amax(0).tolist() == pytest.approx([1.0, 1.0], abs=0.02)


def test_ink_is_read_where_its_points_lie(glyphs):
    image = torch.full((1, 4, 4), 255, dtype=torch.uint8)
    image[0, 0, 3] = 0  # the pixel at the top right
    image[0, 2, 1] = 51
    points = torch.tensor([[0.6, 0.9], [-0.4, -0.1], [0.6, -0.9], [0.6, 1.1]])
    torch.testing.assert_close(ink_at(image, points), torch.tensor([1, 0.8, 0, 0]))
    glyph = glyphs.images[glyphs.find("木")[0]]
    assert (ink_at(glyph, ink_points(glyph, 1000)) > 0).all()
    with pytest.raises(ValueError, match=r"\(3,\) must be \(N, 2\)"):
        ink_at(image, torch.zeros(3))


def test_a_blank_picture_has_no_ink_points():
    with pytest.raises(ValueError, match="image is blank"):
        ink_points(torch.full((1, 4, 4), 255), 10, generator=torch.Generator())


def test_rows_are_taken_in_the_order_asked_for_in_every_field():
    glyphs = load_glyphs("test", 32)
    some = glyphs.take([7, 0, 7])
    assert some.chars == tuple(glyphs.chars[row] for row in (7, 0, 7))
    for name in ("images", "codepoints", "radicals", "strokes", "is_test"):
        assert torch.equal(getattr(some, name), getattr(glyphs, name)[[7, 0, 7]])
    for name in ("captions", "pinyin"):
        assert getattr(some, name)[1] == getattr(glyphs, name)[0]
    assert (some.path, some.sha256) == (glyphs.path, glyphs.sha256)


def test_rows_can_be_taken_by_a_mask_or_a_slice():
    glyphs = load_glyphs("test", 32)
    known = glyphs.take(glyphs.radicals == 85)
    assert len(known) == int((glyphs.radicals == 85).sum()) > 0
    assert glyphs.take(slice(3)).chars == glyphs.chars[:3]
    assert len(glyphs.take(slice(0))) == 0
    with pytest.raises(IndexError):
        glyphs.take([len(glyphs)])


def test_glyphs_know_the_file_that_they_are_from():
    glyphs = load_glyphs("test", 32)
    assert glyphs.is_shipped
    assert glyphs.sha256 == sha256(GLYPHS.read_bytes()).hexdigest()


@pytest.mark.parametrize(("num", "total"), [(1, 9), (2, 9), (4, 10), (9, 9)])
def test_rows_are_spaced_evenly_from_end_to_end(num, total):
    rows = evenly(num, total)
    assert len(rows) == num == len(rows.unique()) and rows[0] == 0
    assert num == 1 or rows[-1] == total - 1
    gaps = rows.diff()
    assert num < 3 or gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("num", [0, 10])
def test_more_rows_than_there_are_cannot_be_spaced(num):
    with pytest.raises(ValueError, match=rf"num {num} must lie in \[1, 9\]"):
        evenly(num, 9)


def test_floating_images_are_x0_already_and_other_numbers_are_refused():
    points = torch.tensor([0.25, -3.0])
    assert torch.equal(x0_from_images(points), points)
    greys = torch.tensor([0, 255], dtype=torch.uint8)
    exact = x0_from_images(greys, dtype=torch.float64)
    assert exact.dtype == torch.float64 and exact.tolist() == [-1, 1]
    with pytest.raises(ValueError, match="images are torch"):
        x0_from_images(torch.tensor([0, 255]))


def test_bare_parts_are_parts_and_not_the_characters_they_stand_for(glyphs):
    is_part = bare_parts(glyphs)
    named = glyphs.take(is_part).chars
    assert set("扌忄氵灬犭礻衤糹纟钅饣艹宀冖冫亠丶丿丨一乙") <= set(named)
    for char in "手心水火犬示衣糸金食人木口日马车门鱼鸟十小川":
        assert char not in named, char
    assert is_part.sum() < 0.004 * len(glyphs)


@pytest.mark.parametrize("size", [64, 128])
def test_bare_parts_are_the_same_at_every_size_but_for_a_few(size, glyphs):
    other = bare_parts(load_glyphs("all", size))
    assert (other != bare_parts(glyphs)).sum() <= 8


def test_a_part_is_known_by_the_span_of_its_ink_or_by_its_single_stroke(glyphs):
    images = torch.full((5, 1, 32, 32), 255, dtype=torch.uint8)
    images[0, 0, 2:30, 4:20] = 0  # as high as the square, and half as wide
    images[1, 0, 2:30, 4:21] = 0  # a pixel wider
    images[2, 0, 10, 2:30] = 0  # a line
    images[3, 0, 2, 2] = images[3, 0, 29, 29] = 0  # far corners
    some = replace(
        glyphs.take(slice(5)), images=images, strokes=torch.tensor([4, 4, 4, 4, 1])
    )
    assert bare_parts(some).tolist() == [True, False, True, False, True]
