"""The glyph data: 128x128 pictures with captions, and 2-D points drawn from them.

Invariant: images are uint8 with paper 255 and ink 0; `x0` is the same scaled to
[-1, 1], paper +1 and ink -1.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from glyflib.files import DATA, way_out

GLYPHS = DATA / "glyphs.parquet"
MAP = DATA / "map.parquet"
BOOK = "the book's glyphs"  # what records call those in GLYPHS
IMAGE_SIZE = 128
NUM_LEVELS = 16  # grey levels kept in the file, 0 ink to 15 paper
SIZES = (32, 64, 128)
SPLITS = ("train", "test", "all")
TEXT = ["codepoint", "char", "caption", "pinyin", "radical", "strokes", "split"]
BUILD = "make one with `glyflib data build` (see data/README.md)"


@dataclass(frozen=True)
class Glyphs:
    """N glyphs, row by row the same in every field.

    Attributes:
        images: (N, 1, S, S) uint8, paper 255, ink 0.
        chars: N characters.
        captions: N English captions.
        pinyin: N readings; "" where Unihan gives none.
        codepoints: (N,) int64.
        radicals: (N,) int64 Kangxi radical, 1 to 214; 0 where unknown.
        strokes: (N,) int64 number of strokes; 0 where unknown.
        is_test: (N,) bool, held out from training.
        path: of the file that they are from; None if from none.
        sha256: of that file, "" if from none: what was trained on stays known.
    """

    images: Tensor
    chars: tuple[str, ...]
    captions: tuple[str, ...]
    pinyin: tuple[str, ...]
    codepoints: Tensor
    radicals: Tensor
    strokes: Tensor
    is_test: Tensor
    path: Path | None = None
    sha256: str = ""

    @property
    def is_shipped(self) -> bool:
        """Whether they are the book's own."""
        return self.path is not None and self.path.resolve() == GLYPHS.resolve()

    @property
    def name(self) -> str:
        """What records call the set, "the book's glyphs" or the name of its file."""
        if self.is_shipped:
            return BOOK
        return self.path.name if self.path else "glyphs that are in no file"

    def __len__(self) -> int:
        return len(self.chars)

    def find(self, chars: str | Sequence[str]) -> list[int]:
        """Row numbers of characters, in the order asked for.

        Args:
            chars: a text, or a sequence of characters.

        Raises:
            KeyError: If a character is not among these glyphs.
        """
        rows = {char: row for row, char in enumerate(self.chars)}
        if missing := [char for char in chars if char not in rows]:
            raise KeyError(f"{', '.join(missing)} not among these {len(self)} glyphs")
        return [rows[char] for char in chars]

    def take(self, rows: Sequence[int] | Tensor | slice) -> "Glyphs":
        """Some of these glyphs, in the order asked for.

        Args:
            rows: row numbers, which may repeat; a slice; or (N,) bool, True to keep.

        Raises:
            IndexError: If there is no such row, or a mask has another length.
        """
        kept = torch.arange(len(self))[rows]
        return Glyphs(
            images=self.images[kept],
            chars=tuple(self.chars[row] for row in kept.tolist()),
            captions=tuple(self.captions[row] for row in kept.tolist()),
            pinyin=tuple(self.pinyin[row] for row in kept.tolist()),
            codepoints=self.codepoints[kept],
            radicals=self.radicals[kept],
            strokes=self.strokes[kept],
            is_test=self.is_test[kept],
            path=self.path,
            sha256=self.sha256,
        )


def evenly(num: int, total: int) -> Tensor:
    """Row numbers (num,) int64 from the first of `total` rows to the last, evenly.

    One row alone is the first.

    Raises:
        ValueError: If num is not in [1, total].
    """
    if not 1 <= num <= total:
        raise ValueError(f"num {num} must lie in [1, {total}], the rows there are")
    return torch.linspace(0, total - 1, num).round().long()


def shrink(levels: np.ndarray, size: int) -> np.ndarray:
    """Area-average grey levels of the file into greys of a smaller picture.

    At most 16 levels of at most 15 are added up: sums fit in 8 bits, and one table
    turns them into greys 0 to 255.

    Args:
        levels: (N, 128, 128) uint8, 0 ink to 15 paper.
        size: S, which is 32, 64 or 128.

    Returns:
        (N, S, S) uint8, 0 ink to 255 paper.
    """
    step = IMAGE_SIZE // size
    if step == 1:
        return levels * np.uint8(255 // (NUM_LEVELS - 1))
    rows = sum((levels[:, i::step] for i in range(1, step)), levels[:, ::step])
    total = sum((rows[..., i::step] for i in range(1, step)), rows[..., ::step])
    most = (NUM_LEVELS - 1) * step**2
    return np.rint(np.arange(most + 1) * (255 / most)).astype(np.uint8)[total]


def read_images(path: Path, keep: np.ndarray, size: int) -> np.ndarray:
    """Read the pictures of the rows to keep, a row group at a time on two threads."""
    out = np.empty((keep.sum(), size, size), np.uint8)

    def read(group: int) -> None:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            first = sum(file.metadata.row_group(i).num_rows for i in range(group))
            column = file.read_row_group(group, ["image"])["image"].combine_chunks()
        levels = np.frombuffer(column.buffers()[1], np.uint8)
        levels = levels.reshape(len(column), IMAGE_SIZE, IMAGE_SIZE)
        kept = keep[first : first + len(column)]
        start = keep[:first].sum()
        greys = shrink(levels if kept.all() else levels[kept], size)
        out[start : start + len(greys)] = greys

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, range(pq.read_metadata(path).num_row_groups)))
    return out


def load_glyphs(
    split: str = "train", size: int = IMAGE_SIZE, *, path: Path | str = GLYPHS
) -> Glyphs:
    """Load the glyph set at one size.

    Args:
        split: "train", "test" (about 5 %, no caption or variant in common with
            "train") or "all".
        size: 32, 64 or 128 pixels a side; smaller ones are area averages.
        path: a file made by `glyflib data build`.

    Raises:
        ValueError: If split or size is unknown, or the file is damaged.
        FileNotFoundError: If there is no file.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} must be one of {', '.join(SPLITS)}")
    if size not in SIZES:
        raise ValueError(f"size {size!r} must be one of 32, 64 and 128")
    path = Path(path)
    repair = way_out(path, GLYPHS, BUILD)
    if not path.is_file():
        raise FileNotFoundError(f"no glyph data at {path}: {repair}")
    try:
        table = pq.read_table(path, columns=TEXT, page_checksum_verification=True)
        is_test = table["split"].to_numpy() == "test"
        keep = {"all": np.full(len(table), True), "test": is_test, "train": ~is_test}
        images = read_images(path, keep[split], size)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is damaged ({reason}): {repair}") from error
    columns = table.filter(pa.array(keep[split])).to_pydict()
    return Glyphs(
        images=torch.from_numpy(images).unsqueeze(1),
        chars=tuple(columns["char"]),
        captions=tuple(columns["caption"]),
        pinyin=tuple(columns["pinyin"]),
        codepoints=torch.tensor(columns["codepoint"], dtype=torch.int64),
        radicals=torch.tensor(columns["radical"], dtype=torch.int64),
        strokes=torch.tensor(columns["strokes"], dtype=torch.int64),
        is_test=torch.from_numpy(is_test[keep[split]]),
        path=path,
        sha256=digest,
    )


def bare_parts(glyphs: Glyphs) -> Tensor:
    """Which glyphs are parts of characters rather than characters, (N,) bool.

    No table is asked, so that the rule holds for any glyph set. A part such as 扌 or 灬
    is drawn where it stands in a character, at one edge, and so is a single stroke: its
    ink lies within half of the square's width, or half of its height. A glyph of one
    stroke counts wherever its ink lies. What is a part and fills the square, such as
    疒, is not found; a few slender characters, such as 卜, are.

    Args:
        glyphs: N of them, of any size.
    """
    is_ink = glyphs.images[:, 0] < 128
    spans = [extent(is_ink.any(1)), extent(is_ink.any(2))]
    is_slender = torch.minimum(*spans) <= is_ink.shape[-1] // 2
    return is_slender | (glyphs.strokes == 1)


def extent(is_ink: Tensor) -> Tensor:
    """Places from the first with ink to the last, (N, S) bool -> (N,) int64."""
    place = torch.arange(is_ink.shape[1])
    last = place.where(is_ink, -1).amax(1)
    first = place.where(is_ink, is_ink.shape[1]).amin(1)
    return (last - first + 1).clamp(min=0)


def x0_from_images(images: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Scale uint8 images (paper 255, ink 0) to x0 (paper +1, ink -1).

    Args:
        images: (...) uint8; or floating x0, of which the dtype alone is changed.
        dtype: of the result.

    Returns:
        (...) in [-1, 1].

    Raises:
        ValueError: If the images are neither uint8 nor floating.
    """
    if images.is_floating_point():
        return images.to(dtype)
    if images.dtype != torch.uint8:
        raise ValueError(f"images are {images.dtype}: give uint8, or floating x0")
    return images.to(dtype) / 127.5 - 1


def images_from_x0(x0: Tensor) -> Tensor:
    """Scale x0 (...) back to uint8 images; what lies outside [-1, 1] is clipped."""
    return ((x0.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def ink_points(
    image: Tensor, num_points: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Draw 2-D points from the ink of one glyph: a toy set with a real shape.

    Each point falls in a pixel with a probability proportional to its ink, and
    anywhere inside that pixel.

    Args:
        image: (1, S, S) or (S, S) uint8.
        num_points: how many.
        generator: source of randomness; None is torch's own.

    Returns:
        (num_points, 2) points (x right, y up) in [-1, 1].

    Raises:
        ValueError: If the picture is blank.
    """
    ink = 255 - image.squeeze().double()
    if ink.sum() == 0:
        raise ValueError("image is blank: it has no ink to draw points from")
    size = ink.shape[-1]
    pixel = torch.multinomial(ink.flatten(), num_points, True, generator=generator)
    down, right = pixel // size, pixel % size
    inside = torch.rand(num_points, 2, generator=generator)
    points = (torch.stack([right, down], 1) + inside) / size * 2 - 1
    return points * torch.tensor([1.0, -1.0])


def ink_at(image: Tensor, points: Tensor) -> Tensor:
    """How much ink lies at points of one glyph's picture.

    Args:
        image: (1, S, S) or (S, S) uint8.
        points: (N, 2) points (x right, y up); the picture reaches from -1 to 1.

    Returns:
        (N,) from 0, paper, to 1, ink; outside of the picture all is paper.

    Raises:
        ValueError: If the points are not (N, 2).
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points {tuple(points.shape)} must be (N, 2)")
    ink = 1 - image.squeeze() / 255
    size = ink.shape[-1]
    pixel = ((points * points.new_tensor([1.0, -1.0]) + 1) / 2 * size).floor().long()
    is_inside = ((pixel >= 0) & (pixel < size)).all(1)
    right, down = pixel.clamp(0, size - 1).T
    return ink[down, right] * is_inside


def load_map(codepoints: Tensor, *, path: Path | str = MAP) -> Tensor:
    """Load the stored UMAP map: one point of the plane for each glyph asked for.

    Args:
        codepoints: (N,) code points, such as `load_glyphs("all").codepoints`.
        path: a file made by `glyflib data map`.

    Returns:
        (N, 2) float32, in the order of `codepoints`.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If the file is damaged, or lacks one of the glyphs.
    """
    path = Path(path)
    repair = way_out(path, MAP, "make it again with `glyflib data map`")
    if not path.is_file():
        raise FileNotFoundError(f"no map at {path}: {repair}")
    try:
        table = pq.read_table(path, columns=["codepoint", "x", "y"])
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}): {repair}") from error
    rows = {point: row for row, point in enumerate(table["codepoint"].to_pylist())}
    if missing := [c for c in codepoints.tolist() if c not in rows]:
        raise ValueError(
            f"{path} lacks {len(missing)} of {len(codepoints)} glyphs, "
            f"U+{missing[0]:04X} first: {repair}"
        )
    points = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    return torch.from_numpy(points[[rows[c] for c in codepoints.tolist()]])


def cheapest_cut(ink: np.ndarray, margin: float = 0.2) -> np.ndarray:
    """Ink that a scissor from top to bottom must cut at least, as a share of the side.

    It moves down a pixel at a time, straight or to a neighbouring column, and starts
    and stays between the margins.

    Args:
        ink: (N, S, S) in [0, 1].
        margin: share of the side, left and right, where no cut may run; below 0.5.

    Returns:
        (N,) in [0, 1]; transpose the glyphs for cuts from left to right.

    Raises:
        ValueError: If the glyphs are not square or the margins leave no column.

    References:
        Avidan and Shamir 2007, section 3.
    """
    if ink.ndim != 3 or ink.shape[1] != ink.shape[2]:
        raise ValueError(f"ink {ink.shape} must be (N, S, S)")
    size = ink.shape[-1]
    lanes = ink[:, :, round(margin * size) : round((1 - margin) * size)]
    if margin < 0 or not lanes.shape[2]:
        raise ValueError(f"margin {margin} must be from 0 to below 0.5")
    cost = lanes[:, 0]
    for row in range(1, size):
        walls = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        sides = np.minimum(walls[:, :-2], walls[:, 2:])
        cost = lanes[:, row] + np.minimum(cost, sides)
    return cost.min(1) / size
