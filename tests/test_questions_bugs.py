"""The question of the museum of bugs: what is right, and what a mistake is told."""

import pytest

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.bugs import signal_left
from glyflib.schedule import linear_alpha_bar


def test_what_is_left_of_the_signal_is_the_root_of_alpha_bar():
    alpha_bar = linear_alpha_bar(50)
    betas = (1 - alpha_bar[1:] / alpha_bar[:-1]).tolist()
    assert signal_left(*betas) == pytest.approx(alpha_bar[-1].sqrt().item())


@pytest.mark.parametrize(
    ("answer", "told"),
    [(0.7, "Right"), (0.49, "The root"), (0.01, "shares of noise"), (None, "Not yet")],
)
def test_what_an_answer_is_told(answer, told):
    assert told in check("bugs-end", answer).text
