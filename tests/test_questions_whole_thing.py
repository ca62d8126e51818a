"""The first chapter's questions: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.whole_thing import landing, on_ring, origin

POINT, PUSH = (2.0, 0.0), (0.0, 1.0)


def turned(angle, distance):
    """A ring whose points start upwards."""
    return torch.stack([distance * angle.sin(), distance * angle.cos()], dim=1)


def of_size_one(angle, distance):
    """A ring that forgets the distance."""
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def test_a_ring_lies_at_its_distance_in_every_direction():
    angle = torch.tensor([0.0, torch.pi / 2, torch.pi])
    wanted = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]])
    torch.testing.assert_close(on_ring(angle, torch.tensor([1.0, 2.0, 3.0])), wanted)


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
        ("whole-steps", "x0_hat", "`spoil` leaves its point as it is"),
        ("whole-learning", 20.48, "about 20 times"),
        ("whole-learning", 20, "In 3,000 rounds it is seen about 307 times"),
        ("whole-data", on_ring, "A ring it is"),
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
        ("whole-landing", [0.6, 1.6], "Which is across?"),
        ("whole-landing", [0.8, 0.8], "first the two numbers across"),
        ("whole-home", [1.3, 0], "undo the shrinking"),
        ("whole-home", [2.375, 1.5], "Take it away"),
        ("whole-home", [2, 0], "Go back the way"),
        ("whole-steps", "x", "what was put into it"),
        ("whole-steps", "spoil", "`lower` is 0"),
        ("whole-learning", 102_400, "for all points together"),
        ("whole-learning", 0.04, "more than one point"),
        ("whole-learning", 25, "How many points do 200 rounds pick"),
        ("whole-data", turned, "cosine is for across"),
        ("whole-data", of_size_one, "Multiply by their distance"),
        ("whole-data", lambda angle, distance: on_ring(angle, distance).T, "(2, 4)"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
