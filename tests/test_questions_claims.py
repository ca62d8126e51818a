"""The question of the page of claims: what is right, and what a mistake is told."""

import torch

from glyflib.evaluation.intervals import share_interval
from glyflib.lessons.exercises import check
from glyflib.lessons.questions.claims import least_hits


def test_with_one_hit_fewer_the_interval_reaches_further_down():
    num = least_hits(0.9)
    assert share_interval(torch.ones(num)).low >= 0.9
    assert share_interval(torch.ones(num - 1)).low < 0.9


def test_what_an_answer_is_told():
    right = least_hits(0.99)
    assert check("claims-every", right).is_right
    assert "both" in check("claims-every", 299).text
    assert "48 of 48" in check("claims-every", 48).text
    assert "Raise" in check("claims-every", right - 1).text
    assert "Not yet" in check("claims-every", None).text
