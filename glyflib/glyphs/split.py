"""Split glyphs into train and test so that no test glyph has a twin in train.

Invariant: rows joined by a caption, a variant or a picture are in one group, and a
group lies on one side.
"""

import hashlib
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_TEST_GROUP = 20


def group_rows(keys: Sequence[Collection[Hashable]]) -> np.ndarray:
    """Number the groups of rows that share a key, directly or through other rows.

    Args:
        keys: for each of N rows, what it shares with its twins.

    Returns:
        (N,) group numbers from 0.
    """
    ids: dict[Hashable, int] = {}
    rows = [row for row, shared in enumerate(keys) for _ in shared]
    cols = [ids.setdefault(key, len(ids)) for shared in keys for key in shared]
    size = len(keys) + len(ids)
    ends = (np.array(rows, dtype=int), np.array(cols, dtype=int) + len(keys))
    links = coo_array((np.ones(len(rows)), ends), shape=(size, size))
    labels = connected_components(links, directed=False)[1][: len(keys)]
    return np.unique(labels, return_inverse=True)[1]


def split_groups(
    groups: np.ndarray, names: Sequence[str], *, test_share: float = 0.05
) -> list[str]:
    """Put whole groups into "test" until it holds the wanted share of rows.

    The order is that of a hash of each group's first name: random, yet the same on
    every machine. Groups of more than 20 rows always go to "train": one of them
    ("surname", say) would fill the test set with a single caption.

    Args:
        groups: (N,) group numbers.
        names: N row names, unique.
        test_share: wanted share of test rows, in [0, 1).

    Returns:
        "train" or "test" for each of the N rows.

    Raises:
        ValueError: If test_share is out of range, or there are not N names.
    """
    if not 0 <= test_share < 1:
        raise ValueError(f"test_share {test_share} must be in [0, 1)")
    first, sizes = {}, np.bincount(groups)
    for group, name in zip(groups.tolist(), names, strict=True):
        first.setdefault(group, name)
    order = sorted(first, key=lambda g: hashlib.sha256(first[g].encode()).digest())
    test, room = set(), test_share * len(groups)
    for group in order:
        if sizes[group] <= min(MAX_TEST_GROUP, room):
            test.add(group)
            room -= sizes[group]
    return ["test" if g in test else "train" for g in groups.tolist()]
