"""Chapter 22's questions: what is right, by a second road."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.your_own import (
    after_rounds,
    drawings,
    if_errors_were_new,
    looks,
    reward_weights,
    share_like_asked,
    some_chances,
    some_features,
    truly_right,
)


def test_looks_are_counted_as_rows_of_batches():
    rows = torch.randint(200, (400, 64), generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(rows.flatten(), minlength=200).double()
    assert counts.mean().item() == pytest.approx(looks())


def test_of_so_many_drawings_the_wanted_number_is_kept():
    assert drawings() * 0.5 == 220


def test_what_a_judge_keeps_is_counted_by_throwing_coins():
    generator = torch.Generator().manual_seed(0)
    is_right = torch.rand(400_000, generator=generator) < 0.5
    luck = torch.rand(400_000, generator=generator)
    is_kept = torch.where(is_right, luck > 0.05, luck < 0.10)
    share = is_right[is_kept].double().mean().item()
    assert share == pytest.approx(truly_right(), abs=0.003)


def test_a_judge_with_a_blind_spot_gains_nothing_after_the_first_round():
    assert after_rounds(0) == pytest.approx(0.5)
    for rounds in (1, 5):
        assert after_rounds(rounds) == pytest.approx(truly_right())
    assert if_errors_were_new(1) == pytest.approx(truly_right())
    assert if_errors_were_new(5) > 0.999


def test_weights_are_one_on_average_over_what_is_kept():
    sure, threshold = some_chances()
    weights = reward_weights(sure, threshold)
    assert weights[[1, 4]].tolist() == [0, 0]
    assert weights[[0, 2, 3]].mean().item() == pytest.approx(1)
    assert (weights[0] / weights[3]).item() == pytest.approx(0.95 / 0.55)


def test_likeness_is_a_share_of_all_drawings():
    drawn, real, asked = some_features()
    hits = 0
    for one, number in zip(drawn, asked.tolist(), strict=True):
        hits += int((real - one).square().sum(1).argmin()) == number
    share = share_like_asked(drawn, real, asked).item()
    assert share == pytest.approx(hits / len(drawn)) and 0 < share < 1


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("own-looks", 25_600, "in all"),
        ("own-looks", 2, "whole batch"),
        ("own-drawings", 110, "more than you keep"),
        ("own-judge", 0.9, "sees through"),
        ("own-judge", 0.475, "of all drawings"),
        ("own-judge", 0.525, "How much of it"),
        ("own-weights", lambda sure, low: sure * (sure > low), "on average"),
        ("own-weights", lambda sure, low: (sure > low).double(), "weigh more"),
        ("own-like", lambda a, b, asked: torch.tensor(0.123), "table of distances"),
        ("own-blind", 1.0, "would tell you"),
        ("own-blind", 0.5, "before the first"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
