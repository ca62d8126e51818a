"""Files are whole or not there, and what is wrong with them is told with a way out."""

import os
import subprocess
import sys

import pytest

from glyflib import files
from glyflib.data import GLYPHS
from glyflib.files import replace_file, way_out, write_bytes, write_text


def test_a_file_is_replaced_at_once_and_nothing_else_is_left(tmp_path):
    write_text(tmp_path / "a.txt", "one")
    write_text(tmp_path / "a.txt", "水")
    assert (tmp_path / "a.txt").read_text("utf-8") == "水"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "aim").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "aim")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "aim").read_bytes() == b"new"


def test_a_read_only_file_is_named_and_kept(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="a is read-only"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    def write_half(path):
        path.write_bytes(b"ne")
        raise error

    write_bytes(tmp_path / "a", b"old")
    with pytest.raises(error):
        replace_file(tmp_path / "a", write_half)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_folders_that_cannot_be_flushed_do_not_fail_a_write(tmp_path, monkeypatch):
    """Some file systems answer EINVAL; the move has happened by then."""
    fsync, folders = os.fsync, []

    def refuse_folders(place):
        if os.path.isdir(f"/proc/self/fd/{place}"):
            folders.append(place)
            raise OSError(22, "Invalid argument")
        fsync(place)

    monkeypatch.setattr(files.os, "fsync", refuse_folders)
    replace_file(tmp_path / "a", lambda path: path.write_bytes(b"new"))
    assert folders and (tmp_path / "a").read_bytes() == b"new"


def test_only_what_the_repository_holds_can_be_checked_out(tmp_path):
    own = way_out(tmp_path / "mine.parquet", GLYPHS, "make one")
    assert own == "make one"
    shipped = way_out(GLYPHS, GLYPHS, "make one")
    assert shipped == (
        "restore it with `git checkout -- data/glyphs.parquet`, or make one"
    )


def test_drawing_a_glyph_loads_no_training():
    """And none of the packages that only training or judging needs."""
    code = (
        "import sys, glyflib.glyffuser, glyflib.super_resolution\n"
        "heavy = 'accelerate', 'sklearn', 'matplotlib', 'scipy', 'glyflib.training'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
