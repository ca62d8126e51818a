"""Sphinx: charts get a partner in light ink for the dark, and stay readable on phones.

A figure drawn by glyflib says in its PNG file where it shows data, and how large its
smallest letters are (`glyflib/plotting/canvas.py`). Invariant: where it shows data, the
partner has the same pixels; a picture that says nothing of itself stays as it is.
"""

import json
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from glyflib.plotting.canvas import NOTES, with_few_channels

READABLE = 9.0  # CSS pixels: smaller letters are not read on a phone
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


class Sheet(nodes.General, nodes.Element):
    """A picture that opens at full size, and in it the image."""


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
            partner = path.with_name(f"{path.stem}-dark.png")
            dark = with_few_channels(dark_partner(paper, notes["kept"]))
            dark.save(partner, optimize=True)
            uri = str(Path(image["uri"]).with_name(partner.name))
            self.env.images.add_file(self.env.docname, uri)
            other = image.deepcopy()
            other["uri"], other["candidates"] = uri, {"*": uri}
            other["loading"] = "lazy"
            least = least_width(notes)
            sheets = [
                Sheet("", image.deepcopy(), classes=["only-light"], least=least),
                Sheet("", other, classes=["only-dark"], least=least),
            ]
            # A box of their own: the theme hides a caption beside what it hides.
            image.replace_self(nodes.container("", *sheets, classes=["sheets"]))


def open_sheet(writer: HTML5Translator, node: Sheet) -> None:
    """Start the link to the picture's file."""
    builder, (image,) = writer.builder, node.children
    file = builder.images.get(image["uri"])
    look = {"style": f"--least: {node['least']}px"} if node["least"] else {}
    look |= {"title": "Open the figure at full size"}
    href = f"{builder.imgpath}/{file}"
    start = writer.starttag(node, "a", "", href=href, CLASS="sheet", **look)
    writer.body.append(start)


def close_sheet(writer: HTML5Translator, node: Sheet) -> None:
    """End the link."""
    writer.body.append("</a>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform and what it makes."""
    app.add_node(Sheet, html=(open_sheet, close_sheet))
    app.add_post_transform(Partners)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
