"""Sheets of many small pictures on disk: a picture, an animation, proof of a font.

Invariant: a file is complete or not there at all; a failure leaves nothing behind,
and an older file of that name as it was.
"""

import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glyflib.files import check_place, replace_file
from glyflib.glyphs.grid import FONT_SIZE, GAP, Grid
from glyflib.glyphs.outlines import ASCENT, UNITS_PER_EM, code_point

MOVING = (".gif", ".webp", ".mp4")
OUTLINES = (".svg", ".ttf")  # no pixels: glyflib.glyphs.outlines writes them
SUFFIXES = (".png", *MOVING, *OUTLINES)
PAPER, INK = 255, 0  # greys
MAX_SIDE = 16_383  # pixels that a WebP can be wide or high
FRAME, HOLD = 80, 1600  # milliseconds that a frame stands, and the last one


def pictures_from_images(images: Tensor) -> list[Image.Image]:
    """Grey pictures of (B, 1, S, S) uint8."""
    return [Image.fromarray(grey.numpy()) for grey in images.squeeze(1)]


def scaled(picture: Image.Image, side: int) -> Image.Image:
    """The picture with another side; pixels stay sharp where a whole number fits."""
    is_whole = side % picture.width == 0
    how = Image.Resampling.NEAREST if is_whole else Image.Resampling.LANCZOS
    return picture.resize((side, side), how)


def check_size(grid: Grid) -> None:
    """Raise a ValueError if a sheet would be too large to be written."""
    if max(grid.width, grid.height) > MAX_SIDE:
        size = f"{grid.width} x {grid.height}"
        text = f"a sheet of {size} pixels is above {MAX_SIDE} a side"
        raise ValueError(f"{text}: draw fewer pictures, or smaller ones")


@cache
def known_characters(font: ImageFont.FreeTypeFont) -> frozenset[int]:
    """Code points that a font can draw, by its own table."""
    with TTFont(io.BytesIO(font.font_bytes)) as table:
        return frozenset(table.getBestCmap())


def drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """The text with what the font lacks told as code points, such as [U+6C34]."""
    known = known_characters(font)
    return "".join(one if ord(one) in known else f"[U+{ord(one):04X}]" for one in text)


def shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text on one line, cut to a width in pixels."""
    text = drawable(" ".join(text.split()), font)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def contact_sheet(
    pictures: Sequence[Image.Image],
    num_columns: int,
    *,
    side: int = 128,
    labels: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Image.Image:
    """Lay grey pictures out row by row, on paper.

    Args:
        pictures: square ones.
        num_columns: pictures in a row.
        side: of a picture on the sheet, in pixels.
        labels: a line of text above each row.
        names: a line of text below each picture.

    Raises:
        ValueError: If there is no picture, the sheet would be too large, or there is
            not one label a row or one name a picture.
    """
    if not pictures or num_columns < 1 or side < 1:
        raise ValueError(
            f"nothing to lay out: {len(pictures)} pictures, {num_columns} columns, "
            f"side {side}"
        )
    words = labels is not None, names is not None
    grid = Grid(len(pictures), num_columns, side, *words)
    check_size(grid)
    if labels is not None and len(labels) != grid.num_rows:
        raise ValueError(f"{len(labels)} labels must be one a row of {grid.num_rows}")
    if names is not None and len(names) != grid.count:
        raise ValueError(f"{len(names)} names must be one a picture of {grid.count}")
    sheet = Image.new("L", (grid.width, grid.height), PAPER)
    for i, picture in enumerate(pictures):
        sheet.paste(scaled(picture, side), grid.corner(i))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for row, label in enumerate(labels or ()):
        text = shortened(label, font, grid.width - 2 * GAP)
        draw.text(grid.label_corner(row), text, fill=INK, font=font)
    for i, name in enumerate(names or ()):
        text = shortened(name, font, side)
        draw.text(grid.name_corner(i), text, fill=INK, font=font)
    return sheet


def pictures_from_font(path: Path, count: int, side: int) -> list[Image.Image]:
    """Grey pictures of the first glyphs that `write_font` put into a font.

    FreeType draws them four times as large, as it moves edges onto whole pixels.

    Args:
        path: of the font.
        count: glyphs.
        side: of a picture, in pixels.
    """
    large = 4 * side
    font = ImageFont.truetype(path, large, layout_engine=ImageFont.Layout.BASIC)
    pictures = []
    for i in range(count):
        picture = Image.new("L", (large, large), PAPER)
        start = 0, large * ASCENT / UNITS_PER_EM
        draw = ImageDraw.Draw(picture)
        draw.text(start, chr(code_point(i)), fill=INK, font=font, anchor="ls")
        pictures.append(picture.reduce(4))
    return pictures


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two sheets of one height as one."""
    both = Image.new("L", (left.width + GAP + right.width, left.height), PAPER)
    both.paste(left, (0, 0))
    both.paste(right, (left.width + GAP, 0))
    return both


def suffix_of(path: Path) -> str:
    """The suffix of a file's name, in small letters.

    Raises:
        ValueError: If it is unknown.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ValueError(f"{path.name!r} must end in one of {known}")
    return suffix


def is_animated(path: Path) -> bool:
    """Whether a file of that name holds an animation.

    Raises:
        ValueError: If its suffix is unknown.
    """
    return suffix_of(path) in MOVING


def check_writable(path: Path) -> None:
    """Raise, before anything is computed, if no file can be written there.

    Raises:
        ValueError: If the suffix is unknown.
        OSError: If the folder cannot be written to, or ffmpeg is missing for .mp4.
    """
    if suffix_of(path) == ".mp4":
        ffmpeg_path()
    check_place(path)


def ffmpeg_path() -> str:
    """Where ffmpeg is."""
    if found := shutil.which("ffmpeg"):
        return found
    raise FileNotFoundError(
        "no ffmpeg on PATH, which makes .mp4: install it, or take .gif or .webp"
    )


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the path, in a folder made for it, then move into place."""
    path.resolve().parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, write)


def write_mp4(path: Path, frames: Sequence[Image.Image]) -> None:
    """Let ffmpeg write frames as H.264, which every browser plays.

    Raises:
        OSError: If ffmpeg is missing, or fails.
    """
    width, height = frames[0].size
    read = f"-f rawvideo -pix_fmt gray -s {width}x{height} -r {1000 / FRAME} -i -"
    even = "-vf pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"  # H.264 needs even sides
    write = "-c:v libx264 -pix_fmt yuv420p -crf 18 -movflags +faststart -f mp4"
    words = f"-loglevel error -y {read} {even} {write}".split()
    held = [*frames, *[frames[-1]] * (HOLD // FRAME - 1)]
    run = subprocess.run(
        [ffmpeg_path(), *words, str(path)],
        input=b"".join(frame.tobytes() for frame in held),
        capture_output=True,
    )
    if run.returncode:
        said = run.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise OSError(f"ffmpeg failed ({said[-1]}): take .gif or .webp instead")


def write_frames(path: Path | str, frames: Sequence[Image.Image]) -> None:
    """Write sheets of one size as a file whose suffix says the format.

    Args:
        path: ends in .png for the last frame alone, in .gif, .webp or .mp4 for all.
        frames: grey pictures of one size, in order; the last one stands longer.

    Raises:
        ValueError: If there is no frame, or the suffix is that of no picture.
        OSError: If the file cannot be written, or ffmpeg is missing for .mp4.
    """
    path = Path(path)
    if not frames:
        raise ValueError("no frame to write")
    if suffix_of(path) in OUTLINES:
        raise ValueError(f"{path.name!r} must hold outlines, no pixels")
    check_writable(path)
    if suffix_of(path) == ".mp4":
        write_whole(path, lambda file: write_mp4(file, frames))
        return
    options = {"optimize": True}
    if is_animated(path):
        times = [FRAME] * (len(frames) - 1) + [HOLD]
        options = {"save_all": True, "append_images": frames[1:], "duration": times}
        options |= {"loop": 0, "quality": 80, "method": 4}  # 0: again and again
    found = io.BytesIO()
    first = frames[0] if is_animated(path) else frames[-1]
    first.save(found, format=path.suffix[1:].upper(), **options)
    write_whole(path, lambda file: file.write_bytes(found.getvalue()))
