"""Check an answer to an exercise: `check("noising-half", answer)`.

The questions of a chapter stand in a module of `glyflib.lessons.questions`, named as
the chapter, by the exercise's label without "ex-". Invariant: each name is known once.
"""

from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from glyflib.lessons import questions
from glyflib.lessons.question import Question, Verdict, judge


def check(name: str, answer: Any) -> Verdict:
    """Tell a reader whether an answer is right, and if not, what to think of.

    Args:
        name: of the question, as the exercise's cell has it.
        answer: a number, several, a word or a function; None is no answer yet.

    Returns:
        "Right", with the reason; or "Not yet", with a hint.

    Raises:
        ValueError: If no exercise has that name.
    """
    known = known_questions()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"no exercise is called {name!r}{meant}")
    return judge(known[name], answer)


def known_questions() -> dict[str, Question]:
    """All questions of the book, by name.

    Raises:
        ValueError: If two chapters give one name to two questions.
    """
    found: dict[str, Question] = {}
    for module in iter_modules(questions.__path__, f"{questions.__name__}."):
        asked = import_module(module.name).QUESTIONS
        twice = found.keys() & asked.keys()
        if twice:
            raise ValueError(f"{module.name} has known names: {sorted(twice)}")
        found |= asked
    return found
