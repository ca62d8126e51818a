"""Lay all glyphs out on a plane: principal components first, then UMAP.

Invariant: the same glyphs, seed and machine give the same map; a build that fails
leaves the old file as it was. On another machine the last digits of the sums differ,
and UMAP's many small steps can amplify that, so the book loads one stored map.
"""

import json
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from glyflib.data import Glyphs
from glyflib.files import replace_file
from glyflib.glyphs.layout import lay_out, principal_parts

SIZE = 32  # pixels a side: strokes are still apart, and PCA is quick
PACKAGES = ("numpy", "scikit-learn", "umap-learn", "numba", "pynndescent")
SCHEMA = pa.schema(
    [("codepoint", pa.int32()), ("x", pa.float32()), ("y", pa.float32())]
)


def build_map(
    glyphs: Glyphs,
    out: Path | str,
    *,
    seed: int = 0,
    num_parts: int = 50,
    num_neighbors: int = 15,
    min_dist: float = 0.1,
) -> int:
    """Make the map of every glyph and write it with a record of how it was made.

    Args:
        glyphs: 32x32 ones of both splits.
        out: the Parquet file, columns codepoint, x, y.
        seed: UMAP's seed.
        num_parts: principal components handed to UMAP.
        num_neighbors: as in `lay_out`.
        min_dist: as in `lay_out`.

    Returns:
        Number of glyphs on the map.
    """
    out = Path(out)
    parts = principal_parts(glyphs.images, num_parts=num_parts)
    points = lay_out(parts, seed=seed, num_neighbors=num_neighbors, min_dist=min_dist)
    record = {
        "command": f"python -m glyflib data map --out {out.name} --seed {seed}",
        "seed": seed,
        "size": SIZE,
        "num_parts": num_parts,
        "num_neighbors": num_neighbors,
        "min_dist": min_dist,
        "glyphs_sha256": glyphs.sha256,
        "versions": {name: version(name) for name in PACKAGES},
    }
    columns = [glyphs.codepoints.numpy().astype(np.int32), points[:, 0], points[:, 1]]
    schema = SCHEMA.with_metadata({"glyflib": json.dumps(record)})
    table = pa.table(columns, schema=schema)
    write = partial(pq.write_table, table, compression="zstd")
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, write)
    return len(glyphs)
