"""Sphinx: charts get a partner in light ink for the dark, and are cut for phones.

A figure drawn by glyflib says in its PNG file where it shows data, and how large its
smallest letters are (`glyflib/plotting/canvas.py`). Invariant: where it shows data, the
partner has the same pixels; a picture that says nothing of itself stays as it is. Where
its letters would be too small on a phone, its panels stand below one another there.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from glyflib.plotting.canvas import NOTES, with_few_channels

READABLE = 9.0  # CSS pixels: smaller letters are not read on a phone
PHONE = 328.0  # CSS pixels that a page of the book has on a phone 360 pixels wide
LARGEST = 1.2  # how many times as large letters become if there is room
MARGIN = 6  # pixels of paper round what is drawn in a piece of a figure
LIGHTEST = 0.93  # of OKLab: what black ink becomes
DENSER = 0.75  # exponent of opacity: pale ink on black needs more of it than on white
SLOPE = 0.42  # how much darker than that the partner of a lighter ink is
# Ottosson 2020, "A perceptual color space for image processing": linear RGB to the
# responses of three cones, and their cube roots to lightness and two hues.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab_from_rgb(rgb: np.ndarray) -> np.ndarray:
    """Lightness and two hues (N, 3) of sRGB colours (N, 3) in [0, 1]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ CONES.T) @ OKLAB.T


def rgb_from_oklab(lab: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of sRGB; beyond [0, 1] where no screen can show one."""
    linear = (lab @ np.linalg.inv(OKLAB).T) ** 3 @ np.linalg.inv(CONES).T
    curve = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curve)


def light_ink(ink: np.ndarray) -> np.ndarray:
    """Turn dark inks into light ones of the same hue.

    Black becomes nearly white; an ink that is light already stays as light as it is.

    Args:
        ink: (N, 3) sRGB colours in [0, 1].

    Returns:
        light: (N, 3), as colourful as the ink, or as a screen can show it.
    """
    lab = oklab_from_rgb(ink)
    lightness = np.maximum(LIGHTEST - SLOPE * lab[:, 0], lab[:, 0])[:, None]
    least, most = np.zeros_like(lightness), np.ones_like(lightness)
    for _ in range(12):  # halve the range of colourfulness until it is exact
        share = (least + most) / 2
        tried = rgb_from_oklab(np.hstack([lightness, share * lab[:, 1:]]))
        is_shown = ((tried >= 0) & (tried <= 1)).all(1, keepdims=True)
        least, most = np.where(is_shown, share, least), np.where(is_shown, most, share)
    whole = rgb_from_oklab(np.hstack([lightness, lab[:, 1:]]))
    is_shown = ((whole >= 0) & (whole <= 1)).all(1, keepdims=True)
    less = rgb_from_oklab(np.hstack([lightness, least * lab[:, 1:]]))
    return np.where(is_shown, whole, less).clip(0, 1)


def dark_partner(paper: np.ndarray, kept: list[list[int]]) -> np.ndarray:
    """Take the paper away from under a chart, and draw it in light ink.

    Each pixel is read as ink over white paper: as little ink, and as colourful, as can
    have made it. So white becomes clear, and the soft edge of a line stays as soft.

    Args:
        paper: (H, W, 3) uint8, a chart on white paper.
        kept: boxes (left, upper, right, lower) that show data, in pixels.

    Returns:
        dark: (H, W, 4) uint8, with opacity; inside the boxes as on paper, and opaque.
    """
    packed = paper.astype(np.int32) @ (1 << 16, 1 << 8, 1)  # a number for each colour
    seen, where = np.unique(packed, return_inverse=True)
    rgb = np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=1) / 255
    opacity = 1 - rgb.min(1, keepdims=True)
    ink = (rgb - (1 - opacity)) / np.maximum(opacity, 1 / 255)
    colours = np.hstack([light_ink(ink.clip(0, 1)), opacity**DENSER])
    dark = np.rint(255 * colours).astype(np.uint8)[where.reshape(packed.shape)]
    for left, upper, right, lower in kept:
        inside = slice(max(upper, 0), lower), slice(max(left, 0), right)
        dark[(*inside, slice(3))] = paper[inside]
        dark[(*inside, 3)] = 255
    return dark


def read_notes(path: Path) -> dict[str, object] | None:
    """What a PNG file says of itself; None if it is not one of glyflib's figures."""
    if path.suffix != ".png" or not path.is_file():
        return None
    with Image.open(path) as picture:
        said = picture.text.get(NOTES)
        return json.loads(said) | {"width": picture.width} if said else None


def least_width(notes: dict[str, object]) -> int:
    """CSS pixels that a figure needs so that all of its letters can be read."""
    letters = notes["letters"]
    return round(READABLE * notes["width"] / letters) if letters else 0


def pieces_of(
    paper: np.ndarray, notes: dict[str, object]
) -> list[tuple[slice, np.ndarray, int]]:
    """What to stack in the place of a figure that is too wide for a phone.

    Args:
        paper: (H, W, 3) uint8, a chart on white paper.
        notes: what the chart says of itself.

    Returns:
        pieces: from left to right, each with as many panels as a phone has room for,
            its rows and columns of pixels, and how many of these it borrows, which come
            first; none if there is room for the whole, or nowhere to cut.
    """
    letters, cuts, width = notes["letters"], notes.get("cuts"), paper.shape[1]
    if not cuts or not letters or width * READABLE / letters <= PHONE:
        return []
    room, pieces = PHONE * letters / READABLE, [(0, 0, 0)]
    ends = [cut[0] for cut in cuts[1:]] + [width]
    for cut, end in zip(cuts, ends, strict=True):
        left, *lent = pieces[-1]
        if lent[1] - lent[0] + end - left > room:
            pieces.append(tuple(cut))
    if len(pieces) == 1:
        return []
    is_inked = (paper < 255).any(axis=2)
    upper, lower = notes["band"]

    def piece(
        above: int, below: int, lent: tuple[int, int], left: int, right: int
    ) -> tuple[slice, np.ndarray, int]:
        own = inked(is_inked[above:below, left:right].any(0), left)
        columns = np.r_[slice(*lent), slice(*own)]
        rows = slice(*inked(is_inked[above:below, columns].any(1), above))
        return rows, columns, lent[1] - lent[0]

    found = [
        piece(upper, lower, lent, left, right)
        for (left, *lent), (right, *_) in pairwise([*pieces, (width,)])
    ]
    for place, rows in ((0, (0, upper)), (len(found) + 1, (lower, len(paper)))):
        if is_inked[slice(*rows)].any():  # what is of all panels, above and below them
            found.insert(place, piece(*rows, (0, 0), 0, width))
    return found


def cut_out(
    pixels: np.ndarray, piece: tuple[slice, np.ndarray, int], notes: dict[str, object]
) -> Image.Image:
    """A piece of a figure, or of its partner.

    Args:
        pixels: (H, W) or (H, W, C) uint8, whose first pixel is paper.
        piece: as `pieces_of` gives it.
        notes: what the chart says of itself.
    """
    rows, columns, num_lent = piece
    cut = pixels[rows][:, columns]
    upper, lower = (max(end - rows.start, 0) for end in notes["lent"])
    cut[:upper, :num_lent] = cut[lower:, :num_lent] = pixels[0, 0]
    return Image.fromarray(cut)


def inked(is_inked: np.ndarray, begin: int) -> tuple[int, int]:
    """From where to where there is ink in a row of pixels, with a margin, clipped.

    Args:
        is_inked: (N,) whether there is.
        begin: number of the first of the pixels.
    """
    where = np.flatnonzero(is_inked)
    first, last = (where[0], where[-1]) if len(where) else (0, 0)
    low, high = max(first - MARGIN, 0), min(last + 1 + MARGIN, len(is_inked))
    return begin + int(low), begin + int(high)


class Sheet(nodes.General, nodes.Element):
    """A picture that opens at full size, and in it the image, and its pieces."""


class Piece(nodes.General, nodes.Element):
    """A piece of a figure, on a phone in the place of the whole."""


class Partners(SphinxPostTransform):
    """Each figure of glyflib is followed by its partner, of which a page shows one."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Draw the partners of a page, and put them behind their figures."""
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.app.srcdir, image["uri"])
            notes = read_notes(path)
            if notes is None:
                continue
            image["classes"].append("no-scaled-link")  # of Sphinx, which we replace
            paper = np.asarray(Image.open(path).convert("RGB"))
            dark = with_few_channels(dark_partner(paper, notes["kept"]))
            other = self.saved(image, dark, f"{path.stem}-dark")
            looks = (image, Image.open(path), "light"), (other, dark, "dark")
            pieces, sheets = pieces_of(paper, notes), []
            widest = max((len(columns) for _, columns, _ in pieces), default=1)
            for shown, picture, kind in looks:
                sheet = Sheet("", shown.deepcopy(), least=least_width(notes))
                sheet["classes"].append(f"only-{kind}")
                for k, piece in enumerate(pieces):
                    cut = cut_out(np.asarray(picture), piece, notes)
                    part = self.saved(image, cut, f"{path.stem}-{kind}-{k + 1}")
                    part["alt"] = image.get("alt", "") if k == 0 else ""
                    part.attributes.pop("width", None)
                    least = least_width(notes | {"width": cut.width})
                    most = max(least, min(LARGEST * least, PHONE * cut.width / widest))
                    sheet += Piece("", part, least=least, most=round(most))
                sheets.append(sheet)
            # A box of their own: the theme hides a caption beside what it hides.
            image.replace_self(nodes.container("", *sheets, classes=["sheets"]))

    def saved(self, image: nodes.image, picture: Image.Image, stem: str) -> nodes.image:
        """Write a picture beside that of an image, and return an image like it of it.

        Args:
            image: of the page.
            picture: to be shown instead.
            stem: of the name of the new file.
        """
        uri = str(Path(image["uri"]).with_name(f"{stem}.png"))
        picture.save(Path(self.app.srcdir, uri), optimize=True)
        self.env.images.add_file(self.env.docname, uri)
        other = image.deepcopy()
        other["uri"], other["candidates"] = uri, {"*": uri}
        other["loading"] = "lazy"
        return other


def open_sheet(writer: HTML5Translator, node: Sheet) -> None:
    """Start the link to the picture's file."""
    builder, image = writer.builder, node.children[0]
    file = builder.images.get(image["uri"])
    look = {"style": f"--least: {node['least']}px"} if node["least"] else {}
    look |= {"title": "Open the figure at full size"}
    href = f"{builder.imgpath}/{file}"
    kind = "sheet stacks" if len(node.children) > 1 else "sheet"
    start = writer.starttag(node, "a", "", href=href, CLASS=kind, **look)
    writer.body.append(start)


def close_sheet(writer: HTML5Translator, node: Sheet) -> None:
    """End the link."""
    writer.body.append("</a>\n")


def open_piece(writer: HTML5Translator, node: Piece) -> None:
    """Start the frame of a piece."""
    look = {"style": f"--least: {node['least']}px; --most: {node['most']}px"}
    writer.body.append(writer.starttag(node, "span", "", CLASS="piece", **look))


def close_piece(writer: HTML5Translator, node: Piece) -> None:
    """End the frame."""
    writer.body.append("</span>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform and what it makes."""
    app.add_node(Sheet, html=(open_sheet, close_sheet))
    app.add_node(Piece, html=(open_piece, close_piece))
    app.add_post_transform(Partners)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
