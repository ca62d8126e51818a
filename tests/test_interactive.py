"""The HTML of the map of glyphs, without a browser."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from glyflib.data import load_glyphs, load_map
from glyflib.interactive.hover_map import (
    OTHER,
    TILE,
    hover_map,
    tile_sheets,
    unit_points,
)


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("test", 128)


def html_of(num=5, **changes):
    content = {
        "images": np.full((num, 32, 32), 255, np.uint8),
        "chars": "天地玄黄宇"[:num],
        "captions": ['</script> "a" & <b>'] * num,
        "pinyin": [""] * num,
        "radicals": [1] * num,
    }
    content |= changes
    points = np.arange(2 * num).reshape(num, 2)
    return hover_map(points, content.pop("images"), **content).data


def unpacked(html):
    text = re.search(r'const packed = "([^"]*)"', html)[1]
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_what_goes_in_comes_out():
    html = html_of(groups={"Kind": ["a", "b", "a", "", "b"]})
    data = unpacked(html)
    assert data["captions"][0] == '</script> "a" & <b>'
    assert data["chars"] == "天地玄黄宇"
    (group,) = data["groups"]
    assert group["labels"] == ["a", "b"]
    assert list(base64.b64decode(group["index"])) == [0, 1, 0, OTHER, 1]


def test_labels_keep_the_colours_that_they_are_given():
    groups = {"Kind": ["b", "a", "", "c", "b"]}
    (group,) = unpacked(html_of(groups=groups, colours={"a": "#D55E00"}))["groups"]
    assert group["labels"] == ["b", "a", "c"]
    assert group["colours"] == ["", "#d55e00", ""]


def test_no_caption_can_close_the_script_or_add_markup():
    html = html_of()
    assert html.count("</script>") == 1 and html.endswith("</script>")
    assert "<b>" not in html


def test_nothing_is_fetched_from_anywhere():
    html = html_of()
    assert "http:" not in html and "https:" not in html and "import(" not in html
    assert all(
        source.startswith("data:") for source in re.findall(r'src="([^"]*)', html)
    )


def test_the_fragment_is_the_same_every_time_and_its_key_its_own():
    key = r'data-glyf-map="(\w+)"'
    assert html_of() == html_of()
    assert re.search(key, html_of())[1] != re.search(key, html_of(num=4))[1]


def test_without_a_script_a_described_picture_is_there():
    (alt,) = re.findall(r'<img alt="([^"]*)"', html_of())
    assert "map of 5 glyphs" in alt.lower()


def test_points_keep_their_shape_and_y_goes_down():
    unit = unit_points([[0, 0], [4, 2], [2, 1]])
    np.testing.assert_allclose(unit, [[0, 0.75], [1, 0.25], [0.5, 0.5]])


def test_tiles_lie_in_order_on_sheets_and_look_like_their_glyphs(glyphs):
    images = glyphs.images[:300].numpy()
    (sheet,) = tile_sheets(images)
    kind, text = sheet.split(",")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))
    assert kind == "data:image/webp;base64" and len(np.unique(pixels)) == 4
    for i in (0, 127, 128, 299):
        row, col = divmod(i, 128)
        tile = pixels[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE]
        small = Image.fromarray(images[i, 0]).resize((TILE, TILE), Image.Resampling.BOX)
        assert np.abs(tile.astype(int) - np.asarray(small)).max() <= 43


def test_many_glyphs_need_a_second_sheet():
    assert len(tile_sheets(np.full((128**2 + 1, 24, 24), 255, np.uint8))) == 2


def test_the_whole_map_leaves_room_on_a_page_of_four_megabytes():
    glyphs = load_glyphs("all", 128)
    html = hover_map(
        load_map(glyphs.codepoints),
        glyphs.images,
        chars=glyphs.chars,
        captions=glyphs.captions,
        pinyin=glyphs.pinyin,
        radicals=glyphs.radicals,
    ).data
    assert len(html.encode()) < 3.0e6


@pytest.mark.parametrize("name", ["images", "chars", "captions", "pinyin", "radicals"])
def test_columns_of_another_length_are_refused(name):
    short = {"images": np.zeros((4, 32, 32), np.uint8), "chars": "天地玄黄"}
    with pytest.raises(ValueError, match=f"{name} has 4 rows, points 5"):
        html_of(**{name: short.get(name, ["1"] * 4)})


def test_more_labels_than_colours_are_refused():
    labels = [str(i) for i in range(9)]
    with pytest.raises(ValueError, match="9 labels"):
        html_of(num=9, chars="123456789", groups={"Many": labels})
