import numpy as np
import pytest
from pyarrow import parquet

from glyflib.data import GLYPHS
from glyflib.glyphs.split import group_rows, split_groups


@pytest.fixture(scope="module")
def shipped():
    columns = ["char", "caption", "variants", "group", "split", "image"]
    return parquet.read_table(GLYPHS, columns=columns).to_pydict()


def sides(shipped, keys):
    """The splits that each key appears in."""
    found = {}
    for key, split in zip(keys, shipped["split"], strict=True):
        found.setdefault(key, set()).add(split)
    return found.values()


def test_rows_are_joined_through_other_rows():
    groups = group_rows([{"a"}, {"a", "b"}, {"c"}, {"b"}, set()])
    assert groups.tolist() == [0, 0, 1, 0, 2]


def test_a_group_lies_on_one_side_and_the_share_is_kept():
    groups = np.repeat(np.arange(500), 2)
    names = [f"row {i}" for i in range(1000)]
    split = split_groups(groups, names, test_share=0.1)
    assert split.count("test") == 100
    assert split[::2] == split[1::2]


def test_the_split_does_not_depend_on_the_order_of_rows():
    names = [f"row {i}" for i in range(400)]
    split = dict(zip(names, split_groups(np.arange(400), names), strict=True))
    again = split_groups(np.arange(400), names[::-1])
    assert split == dict(zip(names[::-1], again, strict=True))


def test_a_large_group_stays_in_train():
    groups = np.r_[np.zeros(21, int), np.arange(1, 980)]
    assert set(split_groups(groups, [str(i) for i in range(1000)])[:21]) == {"train"}


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=f"test_share {share}"):
        split_groups(np.arange(3), ["a", "b", "c"], test_share=share)


def test_no_caption_crosses_the_split(shipped):
    folded = [caption.casefold() for caption in shipped["caption"]]
    assert all(len(found) == 1 for found in sides(shipped, folded))


def test_no_picture_crosses_the_split(shipped):
    assert all(len(found) == 1 for found in sides(shipped, shipped["image"]))


def test_no_variant_pair_crosses_the_split(shipped):
    split = dict(zip(shipped["char"], shipped["split"], strict=True))
    pairs = [
        (char, other)
        for char, others in zip(shipped["char"], shipped["variants"], strict=True)
        for other in others
        if other in split
    ]
    assert len(pairs) > 10_000
    assert [pair for pair in pairs if split[pair[0]] != split[pair[1]]] == []
    known = {("们", "們"), ("后", "後"), ("爲", "為")}
    assert known <= {*pairs, *((b, a) for a, b in pairs)}


def test_no_group_crosses_the_split_and_about_a_twentieth_is_held_out(shipped):
    assert all(len(found) == 1 for found in sides(shipped, shipped["group"]))
    share = shipped["split"].count("test") / len(shipped["split"])
    assert share == pytest.approx(0.05, abs=0.002)
