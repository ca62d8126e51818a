"""The book's first picture: real glyphs beside drawn ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from click.testing import CliRunner
from PIL import Image
from tiny_models import random_unet, save_glyffuser

from glyflib.commands.data import data
from glyflib.data import load_glyphs
from glyflib.glyffuser import Glyffuser
from glyflib.interactive.pairs import pair_grid
from glyflib.lessons import first_look
from glyflib.making import cover
from glyflib.super_resolution import SuperResolver

SHIPPED = Path(__file__).parents[1] / "book" / "_static" / "cover.png"
CHARS = "蛛鶓"


@pytest.fixture(scope="module")
def drawers(tmp_path_factory):
    """A small glyffuser of 32x32 pixels, and a small enlarger."""
    folder = save_glyffuser(tmp_path_factory.mktemp("model") / "glyffuser", size=32)
    shape = {"in_channels": 3, "out_channels": 1, "patch": 4, "attention_levels": ()}
    enlarger = SuperResolver(random_unet(text_dim=None, **shape))
    return Glyffuser.load(folder), enlarger


@pytest.fixture(scope="module")
def real():
    return load_glyphs("test", 128)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(first_look, "STEPS", 2)
    monkeypatch.setattr(first_look, "ENLARGE_STEPS", 2)


def squares(picture, size=128):
    """The glyphs of a cover, (rows, columns, size, size)."""
    pixels, step = np.asarray(picture), size + cover.GAP
    rows = pixels[cover.HEAD :, cover.SIDE :]
    num = rows.shape[1] // step
    tops, lefts = [0, step], [step * i for i in range(num)]
    return np.stack([[rows[y : y + size, x : x + size] for x in lefts] for y in tops])


def test_the_pairs_have_one_drawing_for_each_real_glyph(drawers, real):
    pairs = first_look.real_and_drawn(real, *drawers, chars=CHARS)
    rows = real.find(CHARS)
    assert pairs.words == [real.captions[row] for row in rows]
    assert torch.equal(pairs.real, real.images[rows].squeeze(1))
    assert pairs.drawn.shape == pairs.real.shape and pairs.drawn.dtype == torch.uint8
    assert pairs.drawn[0].ne(pairs.drawn[1]).any()


def test_a_seed_gives_one_cover_and_another_seed_another(drawers, real):
    def drawn(seed):
        return first_look.real_and_drawn(real, *drawers, chars=CHARS, seed=seed).drawn

    assert torch.equal(drawn(0), drawn(0)) and drawn(0).ne(drawn(1)).any()


def test_glyphs_of_another_size_are_refused_with_the_way_out(drawers):
    small = load_glyphs("test", 64)
    with pytest.raises(ValueError, match=r"64x64.*128x128.*size=128"):
        first_look.real_and_drawn(small, *drawers, chars=CHARS)


def test_the_sheet_shows_each_pixel_of_both_kinds(drawers, real):
    pairs = first_look.real_and_drawn(real, *drawers, chars=CHARS)
    shown = squares(cover.cover_of(*pairs))
    assert (shown[0] == pairs.real.numpy()).all()
    assert (shown[1] == pairs.drawn.numpy()).all()


def test_the_command_writes_the_cover(drawers, real, tmp_path, monkeypatch):
    monkeypatch.setattr(Glyffuser, "load", lambda: drawers[0])
    monkeypatch.setattr(SuperResolver, "load", lambda: drawers[1])
    out = tmp_path / "new" / "cover.png"
    result = CliRunner().invoke(data, ["cover", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    shown = squares(Image.open(out))
    wanted = real.images[real.find(first_look.CHARS)].squeeze(1).numpy()
    assert (shown[0] == wanted).all()


def test_the_readmes_picture_shows_the_held_out_glyphs_and_no_copies(real):
    shown = squares(Image.open(SHIPPED))
    wanted = real.images[real.find(first_look.CHARS)].squeeze(1).numpy()
    assert (shown[0] == wanted).all()
    ink = shown[1].mean(axis=(1, 2))
    assert ((ink > 100) & (ink < 230)).all(), "a drawing is blank, or black"
    assert (shown[1] != shown[0]).any(axis=(1, 2)).all()


def test_the_grid_has_two_pictures_under_each_text():
    pictures = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    html = pair_grid(["<a>", "b", "c"], pictures, pictures, caption="1 < 2").data
    page = BeautifulSoup(html, "html.parser")
    columns = page.select(".glyf-pairs > div > div")
    assert [column.span.text for column in columns] == ["<a>", "b", "c"]
    assert [image["alt"] for image in columns[0].select("img")] == [
        "<a>, real",
        "<a>, drawn",
    ]
    assert page.figcaption.text == "1 < 2"
    sizes = {(image["width"], image["height"]) for image in page.select("img")}
    assert sizes == {("4", "4")}


def test_a_grid_of_unequal_rows_is_refused():
    pictures = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="2 words, 2 pictures above and 1 below"):
        pair_grid(["a", "b"], pictures, pictures[:1])
