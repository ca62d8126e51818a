"""Lay all glyphs out on a plane: principal components first, then UMAP.

Invariant: the same glyphs, seed and machine give the same map; a build that fails
leaves the old file as it was. On another machine the last digits of the sums differ,
and UMAP's many small steps can amplify that, so the book loads one stored map.
"""

import json
import os
import warnings
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from glyflib.data import GLYPHS, MAP, load_glyphs, x0_from_images

SIZE = 32  # pixels a side: strokes are still apart, and PCA is quick
PACKAGES = ("numpy", "scikit-learn", "umap-learn", "numba", "pynndescent")
SCHEMA = pa.schema(
    [("codepoint", pa.int32()), ("x", pa.float32()), ("y", pa.float32())]
)


def principal_parts(images: ArrayLike, *, num_parts: int = 50) -> np.ndarray:
    """Describe each glyph by a few numbers: its leading principal components.

    Args:
        images: (N, 1, S, S) or (N, S, S) uint8 tensor, paper 255, ink 0.
        num_parts: components kept, at most min(N, S * S).

    Returns:
        (N, num_parts) float32, most variance first.
    """
    x0 = x0_from_images(images).flatten(1).numpy()
    pca = PCA(num_parts, svd_solver="covariance_eigh")
    return pca.fit_transform(x0).astype(np.float32)


def lay_out(
    parts: np.ndarray,
    *,
    seed: int = 0,
    num_neighbors: int = 15,
    min_dist: float = 0.1,
    num_epochs: int = 200,
) -> np.ndarray:
    """Lay points of many dimensions out on a plane with UMAP, neighbours together.

    Args:
        parts: (N, D) what to lay out.
        seed: fixes the random start and steps; also keeps UMAP on one thread.
        num_neighbors: nearest points that each point is tied to.
        min_dist: how close two points may come on the plane.
        num_epochs: passes over the ties.

    Returns:
        (N, 2) float32.

    References:
        McInnes et al. 2018.
    """
    with warnings.catch_warnings(action="ignore"):  # on progress bars, TensorFlow
        import umap  # takes seconds to load: only where it is needed

    reducer = umap.UMAP(
        n_neighbors=num_neighbors,
        min_dist=min_dist,
        n_epochs=num_epochs,
        random_state=seed,
        n_jobs=1,
    )
    return reducer.fit_transform(parts).astype(np.float32)


def build_map(
    out: Path | str = MAP,
    *,
    seed: int = 0,
    num_parts: int = 50,
    num_neighbors: int = 15,
    min_dist: float = 0.1,
    glyphs_path: Path | str = GLYPHS,
) -> int:
    """Make the map of every glyph and write it with a record of how it was made.

    Args:
        out: the Parquet file, columns codepoint, x, y.
        seed: UMAP's seed.
        num_parts: principal components handed to UMAP.
        num_neighbors: as in `lay_out`.
        min_dist: as in `lay_out`.
        glyphs_path: the glyph set.

    Returns:
        Number of glyphs on the map.
    """
    out, glyphs_path = Path(out), Path(glyphs_path)
    glyphs = load_glyphs("all", SIZE, path=glyphs_path)
    parts = principal_parts(glyphs.images, num_parts=num_parts)
    points = lay_out(parts, seed=seed, num_neighbors=num_neighbors, min_dist=min_dist)
    record = {
        "command": f"python -m glyflib data map --seed {seed}",
        "seed": seed,
        "size": SIZE,
        "num_parts": num_parts,
        "num_neighbors": num_neighbors,
        "min_dist": min_dist,
        "glyphs_sha256": sha256(glyphs_path.read_bytes()).hexdigest(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    columns = [glyphs.codepoints.numpy().astype(np.int32), points[:, 0], points[:, 1]]
    schema = SCHEMA.with_metadata({"glyflib": json.dumps(record)})
    part = out.with_name(out.name + ".part")
    pq.write_table(pa.table(columns, schema=schema), part, compression="zstd")
    os.replace(part, out)
    return len(glyphs)
