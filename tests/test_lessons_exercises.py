"""An answer gets a sentence: right and why, or not yet and what to think of."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from glyflib.lessons import exercises
from glyflib.lessons.exercises import check, known_questions
from glyflib.lessons.question import Mistake, Question, judge

HALF = Question(
    right=lambda: math.sqrt(0.5),
    because=lambda right: f"its square, {right**2:.1f}, is half of the variance.",
    tolerance=0.01,
    mistakes=(Mistake(lambda: 0.5, "That is the variance: take its root."),),
    hint="Which number has the square 0.5?",
)
LANDING = Question(right=lambda: [1.0, 2.0], because="so it is.", tolerance=0.1)
WORD = Question(right=lambda: "noise", because="so it is.")
FUNCTION = Question(
    right=lambda: lambda x, y: x + y,
    because="addition.",
    mistakes=(Mistake(lambda: lambda x, y: x - y, "Add, do not take away."),),
    given=lambda: (torch.tensor([1.0, 2.0]), 3.0),
)


def raises(x, y):
    return 1 / 0


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (HALF, 0.71),
        (HALF, np.float32(0.7)),
        (HALF, torch.tensor([0.7071], requires_grad=True)),
        (LANDING, (1, 2)),
        (LANDING, [1.05, 1.95]),
        (LANDING, np.array([1, 2])),
        (WORD, " Noise"),
        (FUNCTION, lambda a, b: b + a),
    ],
)
def test_a_right_answer_is_told_why(question, answer):
    verdict = judge(question, answer)
    assert verdict.is_right
    assert verdict.text.startswith("**Right.** ") and len(verdict.text) > 12


@pytest.mark.parametrize(
    ("question", "answer", "hint"),
    [
        (HALF, None, "in place of `None`"),
        (FUNCTION, None, "in place of `None`"),
        (HALF, 0.5, "take its root"),
        (HALF, 0.9, "Which number"),
        (HALF, math.nan, "not a number"),
        (HALF, -math.inf, "infinite"),
        (HALF, "0.71", "one number, and this is a word"),
        (HALF, [0.7, 0.7], "one number, and this is 2 numbers"),
        (HALF, 1 + 2j, "one number, and this is a complex"),
        (HALF, {"half": 0.71}, "one number, and this is a dict"),
        (HALF, [0.7, [1]], "one number, and this is a list"),
        (HALF, math.sqrt, "Call your function"),
        (LANDING, 1.0, "2 numbers, and this is one number"),
        (LANDING, torch.zeros(2, 2), r"this is numbers of shape (2, 2)"),
        (LANDING, (1.0, 2.2), "Read the question once more"),
        (WORD, 3, "A word in quotation marks is asked for, and this is one number"),
        (WORD, "data", "Read the question once more"),
        (FUNCTION, lambda x, y: x - y, "Add, do not take away"),
        (FUNCTION, lambda x, y: "sum", "2 numbers, and this is a word"),
        (FUNCTION, lambda x: x, "Your function ran into an error: `TypeError"),
        (FUNCTION, raises, "ran into an error"),
        (FUNCTION, 4.0, "A function is asked for, and this is one number"),
    ],
)
def test_any_other_answer_gets_a_hint_and_no_traceback(question, answer, hint):
    verdict = judge(question, answer)
    assert not verdict.is_right
    assert verdict.text.startswith("**Not yet.** ") and hint in verdict.text


def test_a_notebook_and_a_terminal_show_the_sentence():
    verdict = judge(HALF, 0.71)
    assert verdict._repr_markdown_() == repr(verdict) == verdict.text
    assert verdict.text == "**Right.** Its square, 0.5, is half of the variance."


@pytest.mark.parametrize(
    ("because", "shown"),
    [
        ("so it is.", "So it is."),
        ("$x_t$ has it.", "$x_t$ has it."),
        ("BERT has it.", "BERT has it."),
        (lambda right: f"at {right} it is.", "At 0.5 it is."),
    ],
)
def test_a_reason_begins_with_a_capital_and_keeps_the_others(because, shown):
    question = Question(right=lambda: 0.5, because=because)
    assert judge(question, 0.5).text == f"**Right.** {shown}"


def test_the_edge_of_the_tolerance_is_right_and_beyond_is_not():
    exact = Question(right=lambda: 0.3, because="so it is.")
    assert judge(exact, 0.1 + 0.2).is_right and not judge(exact, 0.301).is_right
    wide = Question(right=lambda: 0.3, because="so it is.", tolerance=0.1)
    assert judge(wide, 0.4).is_right and not judge(wide, 0.41).is_right


@pytest.mark.parametrize("name", sorted(known_questions()))
def test_each_question_knows_its_answer_and_no_mistake_is_right(name):
    question = known_questions()[name]
    right = question.right()
    assert not check(name, None).is_right
    assert check(name, right).is_right
    for mistake in question.mistakes:
        verdict = check(name, mistake.answer())
        assert not verdict.is_right and verdict.text.endswith(mistake.hint)


def test_an_unknown_name_is_told_the_nearest_known_one(monkeypatch):
    monkeypatch.setattr(exercises, "known_questions", lambda: {"noising-half": HALF})
    assert check("noising-half", 0.71).is_right
    with pytest.raises(ValueError, match=r"'noising-haf' \(did you mean 'noising-ha"):
        check("noising-haf", 1)
    with pytest.raises(ValueError, match=r"no exercise is called 'zzz'$"):
        check("zzz", 1)


def test_two_questions_of_one_name_are_refused(monkeypatch):
    module = SimpleNamespace(QUESTIONS={"noising-half": HALF})
    names = [SimpleNamespace(name="one"), SimpleNamespace(name="two")]
    monkeypatch.setattr(exercises, "iter_modules", lambda *_: names)
    monkeypatch.setattr(exercises, "import_module", lambda _: module)
    with pytest.raises(ValueError, match=r"two has known names: \['noising-half'\]"):
        known_questions()
