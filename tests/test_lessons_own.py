"""Teaching the glyffuser something of one's own, in a tiny form."""

import pytest
import tiny_models
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.files import DATA
from glyflib.glyffuser import Glyffuser
from glyflib.lessons import own as lesson
from glyflib.text import TextEncoder
from glyflib.training import TrainConfig


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tiny_models.save_encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    return Glyffuser(tiny_models.random_unet(), TextEncoder.load(folder), size=32)


def test_what_learns_is_a_copy(tiny):
    glyphs = tiny_models.some_glyphs("train").take(range(6))
    before = {name: x.clone() for name, x in tiny.unet.state_dict().items()}
    config = TrainConfig(2, batch_size=2, warmup=0, ema_decay=0)
    *_, now = lesson.learn(tiny, glyphs.images, glyphs.captions, config)
    after = tiny.unet.state_dict()
    assert all(x.equal(after[name]) for name, x in before.items())
    learnt = now.glyffuser.unet.state_dict()
    assert any(not x.equal(learnt[name]) for name, x in before.items())
    assert now.step == 2 and not now.glyffuser.unet.training


def test_matched_sets_show_the_same_characters():
    some = tiny_models.some_glyphs("train").take([5, 1, 9, 3])
    others = tiny_models.some_glyphs("train").take([9, 0, 5, 3])
    first, second = lesson.matched(some, others)
    assert first.chars == second.chars == (some.chars[0], some.chars[2], some.chars[3])


def test_a_line_tells_two_clouds_apart():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(60, 4, generator=generator) + 2
    second = torch.randn(40, 4, generator=generator) - 2
    line = lesson.line_between(first, second, pull=1e-6)
    assert (line.score(first.double()) > 0).all()
    assert (line.score(second.double()) < 0).all()
    # least squares with an offset: the mean answer is the mean of what was asked for
    rows = torch.cat([first, second]).double()
    assert line.score(rows).mean().item() == pytest.approx((60 - 40) / 100)


def test_two_faces_differ_by_which_lines_are_strong():
    """Bars that lie have their edges above and below, bars that stand at the sides."""
    lying, standing = torch.full((2, 1, 1, 8, 8), 255, dtype=torch.uint8)
    lying[..., 3, :], standing[..., :, 3] = 0, 0
    (first,), (second,) = lesson.describe(lying), lesson.describe(standing)
    assert first[0] == 0 < first[1] and second[1] == 0 < second[0]
    assert first[2].item() == first[3].item() == 1 / 8


def test_variety_is_the_distance_of_pairs():
    images = tiny_models.some_glyphs("train").images[:7]
    x = x0_from_images(images).double().flatten(1)
    pairs = [
        (x[i] - x[k]).square().mean() for i in range(7) for k in range(7) if i != k
    ]
    expected = torch.stack(pairs).mean().sqrt().item()
    assert lesson.variety(images) == pytest.approx(expected)


def test_the_second_face_is_of_characters_that_the_book_has():
    serif = load_glyphs("all", 32, path=DATA / "serif.parquet")
    book = load_glyphs("all", 32)
    known = dict(zip(book.chars, book.captions, strict=True))
    assert len(serif) > 2000
    assert all(
        known[char] == caption
        for char, caption in zip(serif.chars, serif.captions, strict=True)
    )
