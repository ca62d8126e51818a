"""Rows of formulas with fractions have room between them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_sphinx"))
import roomy_rows  # an extension of the builder, no package

TALL = r"\begin{aligned} a &= \frac12 \\ b &= \sum_i c_i \\ c &= 1 \end{aligned}"


def test_all_rows_get_room_where_two_of_them_are_tall():
    found = roomy_rows.with_room(TALL)
    assert found == TALL.replace(r"\\", r"\\[0.8ex]")
    assert roomy_rows.with_room(found) == found


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac12 \\ \frac13",
        r"\begin{aligned} a &= \frac12 \\ b &= 3 \end{aligned}",
        r"\begin{aligned} a &= \frac12 \\[1ex] b &= \frac13 \end{aligned}",
        r"\begin{aligned} a &= \tfrac12 \\ b &= \tfrac13 \end{aligned}",
    ],
)
def test_other_formulas_stay_as_they_are(formula):
    assert roomy_rows.with_room(formula) == formula
