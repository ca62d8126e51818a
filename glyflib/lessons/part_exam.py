"""How well the reader of parts reads: shares of its exam, by name.

Invariant: the numbers are those of its model card, on glyphs that it was not trained
on; none is written here.
"""

import json
from pathlib import Path

from glyflib.evaluation.intervals import Estimate
from glyflib.evaluation.parts import PARTS, TRAIN

QUESTIONS = ("inner", "inside", "several", "twice", "twice_falsely")


def exam_share(question: str, folder: Path | str = PARTS) -> Estimate:
    """A share of the exam, with its 95 % interval.

    Args:
        question: "twice" of a part that was pasted twice, read in both halves;
            "twice_falsely" of one in a single half, read in both; "several" of glyphs
            with two parts or more, all read; "inner" of parts that are not the
            radical, read; "inside" of parts in an enclosing radical, read.
        folder: of the reader.

    Raises:
        ValueError: If there is no such question, or the record is damaged.
        FileNotFoundError: If there is no reader.
    """
    if question not in QUESTIONS:
        known = ", ".join(QUESTIONS)
        raise ValueError(f"no question {question!r}: choose from {known}")
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"no reader of parts at {folder}: {TRAIN}")
    try:
        value, low, high, _ = json.loads(path.read_text("utf-8"))["held_out"][question]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): {TRAIN}") from error
    return Estimate(value, low, high)
