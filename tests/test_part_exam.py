"""Shares of the exam of the reader of parts, by name."""

import json

import pytest

from glyflib.evaluation.parts import PARTS
from glyflib.lessons.part_exam import QUESTIONS, exam_share


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_share_lies_in_its_interval_and_is_on_the_model_card(question):
    share = exam_share(question)
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert f"{share.value:.1%}" in (PARTS / "README.md").read_text("utf-8")


def test_a_part_that_comes_twice_is_missed_more_often_than_not():
    assert exam_share("twice").value < 0.5
    assert exam_share("twice_falsely").high < 0.01


def test_an_unknown_question_is_named_with_those_that_are_known():
    with pytest.raises(ValueError, match=r"'thrice': choose from inner, .*twice"):
        exam_share("thrice")


def test_a_reader_that_is_missing_or_damaged_says_how_to_get_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="glyflib data parts"):
        exam_share("twice", tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"held_out": {"twice": [1]}}))
    with pytest.raises(ValueError, match="damaged"):
        exam_share("twice", tmp_path)
