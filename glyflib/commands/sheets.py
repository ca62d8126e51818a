"""Sheets of many small pictures on disk, as one picture or as an animation.

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

SUFFIXES = (".png", ".gif", ".webp", ".mp4")  # all but the first move
PAPER, INK, GAP = 255, 0, 4  # greys, and pixels around each picture
STRIP, FONT_SIZE = 22, 14  # pixels, of the label above a row
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


def sheet_size(count: int, num_columns: int, side: int, labels: bool = False) -> tuple:
    """Width and height in pixels of a `contact_sheet` of `count` pictures.

    Raises:
        ValueError: If it would be too large to be written.
    """
    num_rows = -(-count // num_columns)
    width = num_columns * (side + GAP) + GAP
    height = num_rows * (side + GAP + (STRIP if labels else 0)) + GAP
    if max(width, height) > MAX_SIDE:
        text = f"a sheet of {width} x {height} pixels is above {MAX_SIDE} a side"
        raise ValueError(f"{text}: draw fewer pictures, or smaller ones")
    return width, height


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
) -> Image.Image:
    """Lay grey pictures out row by row, on paper.

    Args:
        pictures: square ones.
        num_columns: pictures in a row.
        side: of a picture on the sheet, in pixels.
        labels: a line of text above each row.

    Raises:
        ValueError: If there is no picture, the sheet would be too large, or there is
            not one label a row.
    """
    if not pictures or num_columns < 1 or side < 1:
        raise ValueError(
            f"nothing to lay out: {len(pictures)} pictures, {num_columns} columns, "
            f"side {side}"
        )
    size = sheet_size(len(pictures), num_columns, side, labels is not None)
    sheet = Image.new("L", size, PAPER)
    num_rows, strip = -(-len(pictures) // num_columns), STRIP if labels else 0
    if labels is not None and len(labels) != num_rows:
        raise ValueError(f"{len(labels)} labels must be one a row of {num_rows}")
    for i, picture in enumerate(pictures):
        row, column = divmod(i, num_columns)
        y = GAP + strip + row * (side + GAP + strip)
        sheet.paste(scaled(picture, side), (GAP + column * (side + GAP), y))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for row, label in enumerate(labels or ()):
        y = GAP + row * (side + GAP + strip)
        text = shortened(label, font, size[0] - 2 * GAP)
        draw.text((GAP, y), text, fill=INK, font=font)
    return sheet


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two sheets of one height as one."""
    both = Image.new("L", (left.width + GAP + right.width, left.height), PAPER)
    both.paste(left, (0, 0))
    both.paste(right, (left.width + GAP, 0))
    return both


def is_animated(path: Path) -> bool:
    """Whether a file of that name holds an animation.

    Raises:
        ValueError: If its suffix is unknown.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ValueError(f"{path.name!r} must end in one of {known}")
    return suffix != SUFFIXES[0]


def check_writable(path: Path) -> None:
    """Raise, before anything is computed, if no sheet can be written there.

    Raises:
        ValueError: If the suffix is unknown.
        OSError: If the folder cannot be written to, or ffmpeg is missing for .mp4.
    """
    if is_animated(path) and path.suffix.lower() == ".mp4":
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
    """Write beside the path, then move into place; leave nothing if that fails."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        replace_file(path, write)
    except BaseException:
        path.with_name(f"{path.name}.tmp").unlink(missing_ok=True)
        raise


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
        ValueError: If there is no frame or the suffix is unknown.
        OSError: If the file cannot be written, or ffmpeg is missing for .mp4.
    """
    path = Path(path)
    if not frames:
        raise ValueError("no frame to write")
    check_writable(path)
    if path.suffix.lower() == ".mp4":
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
