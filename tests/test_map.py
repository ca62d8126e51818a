"""The stored map of all glyphs, the code that made it and the loader."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from glyflib.data import GLYPHS, MAP, load_glyphs, load_map
from glyflib.glyphs import layout
from glyflib.glyphs.layout import lay_out, principal_parts
from glyflib.making.map import build_map


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs("all", 32)


@pytest.fixture(scope="module")
def parts(glyphs):
    return principal_parts(glyphs.images, num_parts=20)


def neighbours(space, k=15):
    nearest = NearestNeighbors(n_neighbors=k + 1).fit(space)
    return nearest.kneighbors(space, return_distance=False)[:, 1:]


def shared_with_chance(space, other):
    """Share of neighbours in common, and what a random map would have."""
    pairs = zip(neighbours(space), neighbours(other), strict=True)
    return np.mean([len(np.intersect1d(a, b)) for a, b in pairs]) / 15, 15 / len(space)


def small_set(path, rows=120):
    """A glyph file with the first rows alone, so that a build takes seconds."""
    pq.write_table(pq.read_table(GLYPHS).slice(2000, rows), path)
    return path


def test_the_map_has_one_finite_point_for_every_glyph(glyphs):
    points = load_map(glyphs.codepoints)
    assert points.shape == (len(glyphs), 2) and points.dtype == torch.float32
    assert points.isfinite().all()
    assert (points.amax(0) - points.amin(0) > 5).all()


def test_the_map_says_how_it_was_made():
    record = json.loads(pq.read_schema(MAP).metadata[b"glyflib"])
    assert record["seed"] == 0 and record["command"].startswith("python -m glyflib")
    assert {"umap-learn", "numpy", "scikit-learn"} <= set(record["versions"])


def test_the_map_was_made_from_the_glyphs_that_are_stored():
    record = json.loads(pq.read_schema(MAP).metadata[b"glyflib"])
    card = json.loads(GLYPHS.with_name("glyphs.parquet.json").read_text("utf-8"))
    assert record["glyphs_sha256"] == card["sha256"]


def test_neighbours_on_the_map_are_neighbours_among_the_components(glyphs, parts):
    share, chance = shared_with_chance(load_map(glyphs.codepoints).numpy(), parts)
    assert share > 100 * chance


def test_points_follow_the_order_asked_for(glyphs):
    rows = torch.tensor([7, 3, 20000])
    every = load_map(glyphs.codepoints)
    torch.testing.assert_close(load_map(glyphs.codepoints[rows]), every[rows])


def test_the_same_seed_gives_the_same_map_and_keeps_neighbours(parts):
    some = parts[:: len(parts) // 300][:300]
    once, again = (
        lay_out(some, seed=3, num_epochs=100),
        lay_out(some, seed=3, num_epochs=100),
    )
    np.testing.assert_array_equal(once, again)
    share, chance = shared_with_chance(once, some)
    assert share > 4 * chance


def test_components_are_uncorrelated_and_sorted(parts):
    covariance = np.cov(parts.T)
    spread = covariance.diagonal()
    assert (np.diff(spread) <= 0).all()
    assert np.abs(covariance - np.diag(spread)).max() < 1e-3 * spread.max()


def test_a_built_map_can_be_loaded(tmp_path):
    source, out = small_set(tmp_path / "glyphs.parquet"), tmp_path / "map.parquet"
    few = load_glyphs("all", 32, path=source)
    assert build_map(few, out, seed=1, num_parts=10) == 120
    assert load_map(few.codepoints, path=out).shape == (120, 2)
    assert json.loads(pq.read_schema(out).metadata[b"glyflib"])["seed"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "glyphs.parquet",
        "map.parquet",
    ]


def test_a_failed_build_leaves_the_old_map(tmp_path):
    out = tmp_path / "map.parquet"
    out.write_bytes(b"old")
    few = load_glyphs("all", 32, path=small_set(tmp_path / "glyphs.parquet"))
    with pytest.raises(ValueError, match="n_components"):
        build_map(few, out, num_parts=5000)
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("writable", "is_given"),
    [("", True), ("given", False), ("__pycache__", False), ("cache/numba", False)],
)
def test_numba_gets_a_folder_only_where_it_has_none(monkeypatch, writable, is_given):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "given")
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setattr(layout.sys, "platform", "linux")
    monkeypatch.setattr(
        layout, "is_writable", lambda path: writable and str(path).endswith(writable)
    )
    layout.provide_numba_cache()
    named = os.environ["NUMBA_CACHE_DIR"]
    assert (named != "given") == is_given
    assert not is_given or Path(named).is_dir()


def test_a_place_below_a_file_is_not_writable(tmp_path):
    (tmp_path / "file").touch()
    assert not layout.is_writable(tmp_path / "file" / "numba")
    assert layout.is_writable(tmp_path / "new" / "numba")


def test_a_missing_map_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="glyflib data map"):
        load_map(torch.tensor([0x4E00]), path=tmp_path / "map.parquet")


def test_a_damaged_map_says_so(tmp_path):
    path = tmp_path / "map.parquet"
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(ValueError, match="damaged"):
        load_map(torch.tensor([0x4E00]), path=path)


def test_a_map_that_lacks_a_glyph_names_it(tmp_path):
    columns = {"codepoint": [0x4E00], "x": [0.0], "y": [0.0]}
    pq.write_table(pa.table(columns), tmp_path / "map.parquet")
    with pytest.raises(ValueError, match=r"lacks 1 of 2 glyphs, U\+4E01"):
        load_map(torch.tensor([0x4E00, 0x4E01]), path=tmp_path / "map.parquet")
