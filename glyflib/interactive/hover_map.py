"""A map of glyphs to hover over, zoom and search, as one piece of HTML.

Invariant: nothing is fetched, data reach the page as base64 and the script sets them
as text, never as HTML; without the script a still picture shows.
"""

import base64
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

import numpy as np
from IPython.display import HTML
from numpy.typing import ArrayLike
from PIL import Image

TILE = 24  # pixels a side of a thumbnail; with 4 greys 21,000 fit in 1.6 MB
NUM_GREYS = 4
SHEET_COLS = 128  # a sheet of 128 x 128 tiles: below the limits of phones' browsers
MAX_LABELS = 8  # as many colours as can be told apart
OTHER = 255  # group number of a point in no named group


def encode(values: ArrayLike, dtype: str) -> str:
    """Numbers as base64 of little-endian bytes."""
    return base64.b64encode(np.asarray(values).astype(dtype).tobytes()).decode()


def data_uri(image: Image.Image, kind: str, **options) -> str:
    """A picture as an address that needs no network."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    text = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{text}"


def unit_points(points: ArrayLike) -> np.ndarray:
    """Fit points into the unit square, x right and y down, keeping their shape."""
    points = np.asarray(points, np.float64)
    low, high = points.min(0), points.max(0)
    span = (high - low).max() or 1.0
    unit = (points - (low + high) / 2) / span + 0.5
    return np.stack([unit[:, 0], 1 - unit[:, 1]], axis=1)


def tile_sheets(images: ArrayLike) -> list[str]:
    """Thumbnails side by side on a few lossless sheets, left to right, then down."""
    step = 255 // (NUM_GREYS - 1)
    tiles = np.stack(
        [
            Image.fromarray(image).resize((TILE, TILE), Image.Resampling.BOX)
            for image in np.asarray(images, np.uint8).reshape(-1, *images.shape[-2:])
        ]
    )
    tiles = (np.rint(tiles / step) * step).astype(np.uint8)
    sheets = []
    for first in range(0, len(tiles), SHEET_COLS**2):
        part = tiles[first : first + SHEET_COLS**2]
        rows = -(-len(part) // SHEET_COLS)
        sheet = np.full((rows * SHEET_COLS, TILE, TILE), 255, np.uint8)
        sheet[: len(part)] = part
        sheet = sheet.reshape(rows, SHEET_COLS, TILE, TILE).swapaxes(1, 2)
        picture = Image.fromarray(sheet.reshape(rows * TILE, SHEET_COLS * TILE))
        sheets.append(data_uri(picture, "WEBP", lossless=True, quality=75, method=4))
    return sheets


def still(unit: np.ndarray, side: int = 400) -> str:
    """The points alone, as a small picture for a page without the script."""
    rows, cols = np.minimum(unit * side, side - 1).astype(int).T[::-1]
    canvas = np.full((side, side), 255, np.uint8)
    canvas[rows, cols] = 40
    picture = Image.fromarray(canvas).quantize(2)
    return data_uri(picture, "PNG", bits=1, optimize=True)


def numbered(name: str, labels: Sequence[str], colours: Mapping[str, str]) -> dict:
    """One way to colour the points: its labels, and each point's label number.

    A label that has no colour of its own has "": the script gives it one.
    """
    names = list(dict.fromkeys(label for label in labels if label))
    if len(names) > MAX_LABELS:
        raise ValueError(f"groups[{name!r}] has {len(names)} labels, over {MAX_LABELS}")
    number = {label: i for i, label in enumerate(names)} | {"": OTHER}
    index = encode([number[label] for label in labels], "u1")
    own = [colours.get(name, "").lower() for name in names]
    return {"name": name, "labels": names, "index": index, "colours": own}


def asset(name: str) -> str:
    """The text of a file that lies beside this module."""
    return files("glyflib.interactive").joinpath(name).read_text("utf-8")


def packed(value: object) -> str:
    """Anything as JSON, deflated, in letters and digits that no page can misread."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def hover_map(
    points: ArrayLike,
    images: ArrayLike,
    *,
    chars: Sequence[str],
    captions: Sequence[str],
    pinyin: Sequence[str],
    radicals: ArrayLike,
    groups: Mapping[str, Sequence[str]] | None = None,
    colours: Mapping[str, str] | None = None,
) -> HTML:
    """Make a map whose points show their glyph on hover, tap or key press.

    Args:
        points: (N, 2) places on the map, x right, y up.
        images: (N, 1, S, S) or (N, S, S) uint8 glyphs, S at least 24.
        chars: N characters, one code point each.
        captions: N texts, searched by the beginnings of their words.
        pinyin: N readings, "" where there is none.
        radicals: (N,) Kangxi radical, 0 where unknown.
        groups: ways to colour the points, {name: N labels}; "" is drawn grey.
        colours: of labels, as "#rrggbb"; a label without one gets one that is free.

    Returns:
        One HTML fragment that shows in the built page and in Jupyter Lab.

    Raises:
        ValueError: If the N differ, or a way to colour has more than 8 labels.
    """
    groups = groups or {}
    columns = {"images": images, "chars": chars, "captions": captions}
    columns |= {"pinyin": pinyin, "radicals": radicals} | dict(groups)
    for name, column in columns.items():
        if len(column) != len(points):
            raise ValueError(f"{name} has {len(column)} rows, points {len(points)}")
    unit = unit_points(points)
    data = {
        "points": encode(np.rint(unit * 65535), "<u2"),
        "tile": TILE,
        "cols": SHEET_COLS,
        "chars": "".join(chars),
        "captions": [" ".join(caption.split()) for caption in captions],
        "pinyin": list(pinyin),
        "radicals": encode(radicals, "u1"),
        "groups": [numbered(n, labels, colours or {}) for n, labels in groups.items()],
        "css": asset("hover_map.css"),
    }
    sheets = json.dumps(tile_sheets(images))
    head = f'const packed = "{packed(data)}";\nconst sheetSources = {sheets};\n'
    body = head + asset("page.js") + asset("hover_map.js")
    key = sha256(body.encode()).hexdigest()[:12]
    alt = f"A map of {len(chars)} glyphs as dots; the interactive one needs JavaScript."
    return HTML(
        f'<div class="glyf-map" data-glyf-map="{key}" data-lm-suppress-shortcuts="1">'
        f'<img alt="{escape(alt)}" src="{still(unit)}"></div>'
        f'<script>(() => {{\nconst key = "{key}";\n{body}\n}})();</script>'
    )
