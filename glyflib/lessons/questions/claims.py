"""The question of the page of claims: how many hits in a row make "nearly every"."""

import math

import torch

from glyflib.evaluation.intervals import share_interval
from glyflib.lessons.question import Mistake, Question


def least_hits(share: float) -> int:
    """So many hits, without a miss, that the true share is at least this, by Wilson."""
    num = 1
    while share_interval(torch.ones(num)).low < share:
        num += 1
    return num


QUESTIONS = {
    "claims-every": Question(
        right=lambda: least_hits(0.99),
        because=lambda right: (
            f"with {right} hits of {right} the lower end reaches 99 %, and with one "
            "fewer it does not."
        ),
        mistakes=(
            Mistake(
                lambda: math.ceil(math.log(0.05) / math.log(0.99)),
                "After so many hits one would have met a miss in 19 of 20 cases, if "
                "the share were 99 %. Wilson's interval leaves chance at *both* ends, "
                "and asks for more.",
            ),
            Mistake(
                lambda: 48,
                "What is the lower end for 48 of 48? It is printed in the table of C8.",
            ),
        ),
        hint="Raise the number until the lower end of the interval is 0.99 or more.",
    ),
}
