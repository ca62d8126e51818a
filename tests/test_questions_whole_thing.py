"""The first chapter's questions: what is right, and what each mistake is told."""

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.whole_thing import landing, origin

POINT, PUSH = (2.0, 0.0), (0.0, 1.0)


def test_a_spoilt_point_is_found_again_by_its_push():
    for level in (1, 60, 99):
        spoilt = landing(POINT, PUSH, level)
        assert origin(spoilt, PUSH, level) == pytest.approx(POINT)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("whole-landing", [1.6, 0.6], "1.6 across and 0.6 up"),
        ("whole-home", [1.625, 0], "1.625 across and 0.0 up"),
        ("whole-home", [1.63, 0.0], "1.625 across"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told in verdict.text


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("whole-landing", [2, 0.6], "shrink the point first"),
        ("whole-landing", [1.6, 1], "How strong is its push"),
        ("whole-landing", [1.2, 0.8], "signal belongs to the point"),
        ("whole-landing", [0.6, 1.6], "first the two numbers across"),
        ("whole-home", [1.3, 0], "undo the shrinking"),
        ("whole-home", [2.375, 1.5], "Take it away"),
        ("whole-home", [2, 0], "Go back the way"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
