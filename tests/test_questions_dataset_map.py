"""Chapter 3's questions: what is right, and what each mistake is told."""

import numpy as np
import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.dataset_map import (
    GRID,
    cheapest_way,
    grey_share,
    islands,
    next_row,
    straight_row,
    strays,
    wrapped_row,
)


def test_row_by_row_finds_the_cheapest_way():
    cost = GRID[0]
    for row in GRID[1:]:
        cost = next_row(cost, row)
    assert cost.min() == cheapest_way()


def test_islands_are_numbered_by_size():
    sizes = np.bincount(islands())
    assert (np.diff(sizes) <= 0).all() and sizes[0] > 5000


def test_more_neighbours_make_a_greyer_average():
    shares = [grey_share(count) for count in (1, 3, 15)]
    assert shares == sorted(shares) and shares[2] > 1.5 * shares[1]


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("map-cut", 5, "ends with 6"),
        ("map-heights", 2, "make it 1.97"),
        ("map-metal", 2, "2 islands hold most of them"),
        ("map-row", next_row, "three ways that lead to it"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told in verdict.text


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("map-cut", 6, "cheapest *start*"),
        ("map-cut", 7, "may move sideways"),
        ("map-cut", 2, "do not hang together"),
        ("map-heights", 0.51, "height at 3 over"),
        ("map-heights", 4, "add up"),
        ("map-metal", 1, "all of it in one place"),
        ("map-metal", 3, "large patches only"),
        ("map-strays", strays(1, "top-bottom"), "at home there"),
        ("map-strays", strays(0, "top-bottom"), "*largest* island"),
        ("map-grey", grey_share(3), "average of three"),
        ("map-row", straight_row, "from the left or the right"),
        ("map-row", wrapped_row, "the other edge"),
    ],
)
def test_a_mistake_gets_its_own_hint(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
