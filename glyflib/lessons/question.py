"""What an exercise asks, and what to tell a reader who answers.

Invariant: an answer of any kind gets a sentence, never a traceback; the right value is
computed by the package when it is needed, and stands nowhere as a literal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that readers give for a reason.

    Attributes:
        answer: computes it, in the form of the right answer.
        hint: what to think of again, in a sentence or two of Markdown.
    """

    answer: Callable[[], Any]
    hint: str


@dataclass(frozen=True)
class Question:
    """What an exercise asks for.

    Attributes:
        right: computes the right answer: a number, several numbers (a list, a tuple, a
            tensor or an array), a word, or a function where a function is asked for.
        because: why it is right, in Markdown; or a function that writes it from the
            right answer, if the sentence speaks of numbers. Its first letter is made
            a capital where it is shown.
        tolerance: how far a number may lie from the right one, at most; 0 is exact.
        mistakes: wrong answers with a hint of their own, the likeliest first.
        hint: what any other wrong answer is told.
        given: computes the inputs, a tuple, on which an answer that is a function is
            tried, and the right function too; None if no function is asked for.
    """

    right: Callable[[], Any]
    because: str | Callable[[Any], str]
    tolerance: float = 0.0
    mistakes: tuple[Mistake, ...] = ()
    hint: str = "Read the question once more, or open the hint below it."
    given: Callable[[], tuple] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a reader is told; Jupyter shows it as a line of text.

    Attributes:
        is_right: whether the answer was right.
        text: the sentences, in Markdown.
    """

    is_right: bool
    text: str

    def __repr__(self) -> str:
        """The text, for a plain terminal."""
        return self.text

    def _repr_markdown_(self) -> str:
        """The text, for a notebook and the page."""
        return self.text


def judge(question: Question, answer: Any) -> Verdict:
    """Tell whether an answer is right, and if not, what to think of.

    Args:
        question: what was asked.
        answer: whatever the reader put there; None is no answer yet.
    """
    if answer is None:
        return Verdict(False, "**Not yet.** Put your answer in place of `None`.")
    right = question.right()
    if question.given is not None:
        if not callable(answer):
            return not_yet(f"A function is asked for, and this is {kind(answer)}.")
        right = right(*question.given())
        try:
            answer = answer(*question.given())
        except Exception as error:  # the reader's own code: whatever it raises
            problem = f"`{type(error).__name__}: {error}`"
            return not_yet(f"Your function ran into an error: {problem}.")
    elif callable(answer):
        return not_yet("Call your function: its result is asked for, not itself.")
    problem = misfit(answer, right)
    if problem:
        return not_yet(problem)
    if agrees(answer, right, question.tolerance):
        because = question.because
        reason = because(right) if callable(because) else because
        return Verdict(True, f"**Right.** {reason[:1].upper()}{reason[1:]}")
    for mistake in question.mistakes:
        wrong = mistake.answer()
        if question.given is not None:
            wrong = wrong(*question.given())
        if agrees(answer, wrong, question.tolerance):
            return not_yet(mistake.hint)
    return not_yet(question.hint)


def not_yet(hint: str) -> Verdict:
    """The verdict on an answer that is not right."""
    return Verdict(False, f"**Not yet.** {hint}")


def as_numbers(value: Any) -> Tensor | None:
    """Numbers in double precision, or None if they are none; their shape is kept."""
    if isinstance(value, str):
        return None
    try:
        if isinstance(value, tuple | list) and any(map(torch.is_tensor, value)):
            # as a function returns them: `return weight, mean, std`
            value = torch.stack([torch.as_tensor(each) for each in value])
        numbers = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    is_real = not numbers.is_complex()
    return numbers.detach().cpu().double() if is_real else None


def kind(value: Any) -> str:
    """A value's kind in a reader's words: "a word", "3 numbers", "a function"."""
    if isinstance(value, str):
        return "a word"
    if callable(value):
        return "a function"
    numbers = as_numbers(value)
    if numbers is None:
        return f"a {type(value).__name__}"
    if numbers.ndim < 2:
        count = numbers.numel()
        return "one number" if count == 1 else f"{count} numbers"
    return f"numbers of shape {tuple(numbers.shape)}"


def misfit(answer: Any, right: Any) -> str | None:
    """Why an answer cannot be compared with the right one; None if it can."""
    if isinstance(right, str):
        if isinstance(answer, str):
            return None
        return f"A word in quotation marks is asked for, and this is {kind(answer)}."
    numbers, wanted = as_numbers(answer), as_numbers(right)
    has_shape = (
        numbers is not None and numbers.squeeze().shape == wanted.squeeze().shape
    )
    if not has_shape:
        return f"The answer is {kind(right)}, and this is {kind(answer)}."
    if not numbers.isfinite().all():
        return "The answer holds a number that is infinite or not a number (nan)."
    return None


def agrees(answer: Any, right: Any, tolerance: float) -> bool:
    """Whether two answers are the same word, or numbers within a tolerance."""
    if misfit(answer, right):
        return False
    if isinstance(right, str):
        return answer.strip().casefold() == right.casefold()
    distance = as_numbers(answer).squeeze() - as_numbers(right).squeeze()
    # An answer that is exact in decimals is not exact in binary.
    return bool((distance.abs() <= tolerance + 1e-9).all())
