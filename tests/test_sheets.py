import os
import stat

import numpy as np
import pytest
import torch
from PIL import Image, ImageFont

from glyflib.commands import sheets
from glyflib.commands.sheets import (
    HOLD,
    PAPER,
    check_size,
    check_writable,
    contact_sheet,
    drawable,
    pictures_from_font,
    pictures_from_images,
    side_by_side,
    write_frames,
)
from glyflib.data import images_from_x0
from glyflib.glyphs.grid import GAP, STRIP, Grid
from glyflib.glyphs.outlines import write_font

FAKE = """#!/bin/sh
[ "$FAKE_FFMPEG" = fails ] && {{ echo "no such encoder" >&2; exit 1; }}
for last; do :; done
printf '%s\\n' "$@" > {told}
cat > "$last"
"""


def pictures(count, side=8, seed=0):
    noise = torch.rand(count, 1, side, side, generator=torch.manual_seed(seed))
    return pictures_from_images(images_from_x0(2 * noise - 1))


def frames(count=4):
    return [contact_sheet(pictures(4, seed=i), 2, side=9) for i in range(count)]


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """A stand-in that notes what it is told and keeps what it is fed."""
    program, told = tmp_path / "bin" / "ffmpeg", tmp_path / "told"
    program.parent.mkdir()
    program.write_text(FAKE.format(told=told))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return told


def test_x0_becomes_grey_from_ink_to_paper():
    x0 = torch.tensor([-1.0, 1.0, -3.0, 7.0]).reshape(1, 1, 2, 2)
    (picture,) = pictures_from_images(images_from_x0(x0))
    np.testing.assert_array_equal(np.asarray(picture), [[0, 255], [0, 255]])


@pytest.mark.parametrize("names", [None, ["1", "2", "3", "4", "5"]])
@pytest.mark.parametrize("labels", [None, ["a", "b"]])
def test_each_picture_is_in_its_cell_and_all_else_is_paper(labels, names):
    drawn = pictures(5)
    sheet = contact_sheet(drawn, 3, side=16, labels=labels, names=names)
    sheet = np.asarray(sheet).copy()
    above, below = STRIP if labels else 0, STRIP if names else 0
    height = above + 16 + below + GAP
    assert sheet.shape == (2 * height + GAP, 3 * (16 + GAP) + GAP)
    for i, picture in enumerate(drawn):
        y = GAP + above + i // 3 * height
        x = GAP + i % 3 * (16 + GAP)
        cell = sheet[y : y + 16, x : x + 16]
        large = np.asarray(picture).repeat(2, 0).repeat(2, 1)
        np.testing.assert_array_equal(cell, large)
        cell[:] = PAPER
        if names:
            name = sheet[y + 16 : y + 16 + below, x : x + 16]
            assert (name < 100).any(), "the name is there"
            name[:] = PAPER
    if labels:
        for row in range(2):
            label = sheet[GAP + row * height :][:above]
            assert (label < 100).any(), "the label is there"
            label[:] = PAPER
    assert (sheet == PAPER).all()


def test_a_side_that_is_no_multiple_is_filtered_not_cut():
    square = Image.new("L", (8, 8), 60)
    sheet = np.asarray(contact_sheet([square], 1, side=11))
    assert sheet.shape == (11 + 2 * GAP, 11 + 2 * GAP)
    assert (sheet[GAP:-GAP, GAP:-GAP] == 60).all()


def test_a_long_label_is_cut_to_the_sheet():
    label = "a definition\nthat is far too long for the row below it"
    sheet = np.asarray(contact_sheet(pictures(2), 2, side=32, labels=[label]))
    strip = sheet[: GAP + STRIP]
    assert (strip[:, -GAP:] == PAPER).all()
    assert (strip[:, -40:-GAP] < 100).any()


def test_pictures_from_a_font_show_its_glyphs(tmp_path):
    images = torch.full((2, 1, 32, 32), 255, dtype=torch.uint8)
    images[0, :, 8:24, 4:28] = 0
    images[1, :, :, 10:20] = 0
    write_font(tmp_path / "a.ttf", images)
    first, second = pictures_from_font(tmp_path / "a.ttf", 2, 64)
    for picture, image in zip((first, second), images[:, 0], strict=True):
        large = image.numpy().repeat(2, 0).repeat(2, 1)
        assert (np.abs(np.asarray(picture, int) - large) > 64).mean() < 0.01


def test_two_sheets_stand_side_by_side():
    left, right = frames(2)
    both = np.asarray(side_by_side(left, right))
    np.testing.assert_array_equal(both[:, : left.width], np.asarray(left))
    np.testing.assert_array_equal(both[:, -right.width :], np.asarray(right))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: contact_sheet([], 2), "0 pictures"),
        (lambda: contact_sheet(pictures(2), 0), "0 columns"),
        (lambda: contact_sheet(pictures(2), 1, side=0), "side 0"),
        (lambda: contact_sheet(pictures(4), 2, labels=["a"]), "1 labels.*row of 2"),
        (lambda: contact_sheet(pictures(4), 2, names=["a"]), "1 names.*picture of 4"),
        (lambda: check_size(Grid(10_000, 10_000, 32)), "draw fewer"),
        (lambda: check_size(Grid(10_000, 1, 32)), "draw fewer"),
        (lambda: write_frames("a.png", []), "no frame"),
        (lambda: write_frames("a.jpg", frames()), "'a.jpg' must end in one of .png"),
        (lambda: write_frames("a", frames()), "'a' must end"),
        (lambda: write_frames("a.svg", frames()), "'a.svg' must hold outlines"),
    ],
)
def test_senseless_arguments_are_refused(call, match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=match):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_png_is_the_last_frame(tmp_path):
    write_frames(tmp_path / "new" / "a.PNG", frames())
    with Image.open(tmp_path / "new" / "a.PNG") as found:
        assert found.format == "PNG"
        np.testing.assert_array_equal(np.asarray(found), np.asarray(frames()[-1]))


@pytest.mark.parametrize(("suffix", "error"), [("gif", 0), ("webp", 12)])
def test_an_animation_holds_each_frame_and_stays_on_the_last(tmp_path, suffix, error):
    path, drawn = tmp_path / f"a.{suffix}", frames()
    write_frames(path, drawn)
    with Image.open(path) as found:
        assert found.n_frames == len(drawn)
        assert found.info["loop"] == 0
        times = []
        for i, frame in enumerate(drawn):
            found.seek(i)
            found.load()
            times.append(found.info["duration"])
            difference = np.asarray(found.convert("L"), int) - np.asarray(frame, int)
            assert np.abs(difference).mean() <= error
            if "A" in found.mode:
                assert found.getchannel("A").getextrema() == (255, 255)
    assert times == [80, 80, 80, HOLD]


def test_one_frame_is_an_animation_too(tmp_path):
    for suffix in ("gif", "webp"):
        write_frames(tmp_path / f"a.{suffix}", frames(1))
        with Image.open(tmp_path / f"a.{suffix}") as found:
            assert found.size == frames()[0].size


def test_ffmpeg_is_fed_every_pixel_and_the_last_frame_stands(tmp_path, ffmpeg):
    path, drawn = tmp_path / "a.mp4", frames()
    write_frames(path, drawn)
    fed = path.read_bytes()
    width, height = drawn[0].size
    found = np.frombuffer(fed, np.uint8).reshape(-1, height, width)
    assert len(found) == 3 + HOLD // 80
    for image, frame in zip(found, drawn, strict=False):
        np.testing.assert_array_equal(image, np.asarray(frame))
    assert (found[3:] == found[3]).all()
    told = ffmpeg.read_text()
    assert f"-s\n{width}x{height}\n-r\n12.5\n" in told
    assert not list(tmp_path.glob("a.mp4.*"))


def test_a_failing_ffmpeg_leaves_the_old_file_and_says_why(
    tmp_path, ffmpeg, monkeypatch
):
    monkeypatch.setenv("FAKE_FFMPEG", "fails")
    (tmp_path / "a.mp4").write_text("old")
    with pytest.raises(OSError, match=r"no such encoder.*take \.gif or \.webp"):
        write_frames(tmp_path / "a.mp4", frames())
    assert (tmp_path / "a.mp4").read_text() == "old"
    assert not list(tmp_path.glob("a.mp4.*"))


def test_a_missing_ffmpeg_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"install it, or take \.gif or \.webp"):
        check_writable(tmp_path / "a.mp4")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def full(path, data):
        path.open("wb").write(data[:10])
        raise OSError("no space left on device")

    path = tmp_path / "a.png"
    write_frames(path, frames(1))
    before = path.read_bytes()
    monkeypatch.setattr(sheets.Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        write_frames(path, frames(2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OSError, match="no file can be written into"):
        check_writable(tmp_path / "file" / "a.png")
    with pytest.raises(OSError, match="is a folder"):
        check_writable(tmp_path / "folder.png")
    check_writable(tmp_path / "new" / "newer" / "a.png")
    assert not (tmp_path / "new").exists()


def test_labels_are_written_in_what_the_font_can_draw():
    font = ImageFont.load_default(14)
    assert drawable("gold", font) == "gold"
    assert drawable("water 水", font) == "water [U+6C34]"
