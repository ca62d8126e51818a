"""Lay glyphs out on a plane: principal components first, then UMAP.

Invariant: the same glyphs, seed and machine give the same map. On another machine the
last digits of the sums differ, and UMAP's many small steps can amplify that.
"""

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from glyflib.data import x0_from_images

COMPILED = ("umap", "pynndescent")  # packages whose functions numba compiles and keeps


def provide_numba_cache() -> None:
    """Give numba a folder for compiled code if it can write to none of its own.

    UMAP is compiled by numba, which keeps the code in the folder that NUMBA_CACHE_DIR
    names, beside the source, or in the user's cache. Where it may write to none of
    them, as in a container without a home, UMAP cannot even be imported: then a
    temporary folder is named, for as long as the process lives.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    sources = [find_spec(name).origin for name in COMPILED]
    beside = [Path(source).parent / "__pycache__" for source in sources]
    if (given and is_writable(Path(given))) or is_writable(user_cache() / "numba"):
        return
    if all(map(is_writable, beside)):
        return
    folder = tempfile.mkdtemp(prefix="numba-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder


def user_cache() -> Path:
    """Where this system wants a user's caches; need not be there yet."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local")).expanduser()
    if sys.platform == "darwin":
        return Path("~/Library/Caches").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def is_writable(folder: Path) -> bool:
    """Whether files can be made in the folder, or the folder itself can be made."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError:
        return False
    return True


def principal_parts(images: ArrayLike, *, num_parts: int = 50) -> np.ndarray:
    """Describe each glyph by a few numbers: its leading principal components.

    Args:
        images: (N, 1, S, S) or (N, S, S) uint8 tensor, paper 255, ink 0.
        num_parts: components kept, at most min(N, S * S).

    Returns:
        (N, num_parts) float32, most variance first.

    Raises:
        ValueError: If num_parts is out of range, or the images are neither uint8 nor
            floating.

    References:
        Bishop 2006, section 12.1.
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
    provide_numba_cache()
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
