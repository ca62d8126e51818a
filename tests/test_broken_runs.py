"""Runs that can be broken on purpose differ by what was broken, and by nothing else."""

import pytest
import torch

from glyflib.lessons.broken_runs import (
    CAUSES,
    break_and_draw,
    mystery,
    practice_run,
)
from glyflib.lessons.small_network import PointNetwork
from glyflib.schedule import cosine_alpha_bar, linear_alpha_bar

LINEAR = linear_alpha_bar(100)
COSINE = cosine_alpha_bar(100)
LEFT_AND_RIGHT = torch.tensor([[-2.0, 0.0], [2.0, 0.0]]).repeat(50, 1)
SIDES = torch.tensor([0, 1]).repeat(50)
SHORT = {"num_steps": 3, "batch_size": 4}
# One glyph, black or white: the perfect denoiser of it knows the answer at once.
ONE = torch.where(torch.eye(8) > 0, 0, 255).to(torch.uint8).reshape(1, 1, 8, 8)


def test_the_same_run_twice_is_the_same():
    first, again = (practice_run(LEFT_AND_RIGHT, SIDES, LINEAR, **SHORT) for _ in "ab")
    assert first.losses == again.losses
    assert torch.equal(first.draw(0, num=5), again.draw(0, num=5))


def test_a_run_leaves_the_random_state_as_it_was():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    practice_run(LEFT_AND_RIGHT, SIDES, LINEAR, **SHORT)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_average_changes_nothing_in_the_losses():
    slow = {"ema_decay": 0.9999, "ema_warmup": False}
    plain = practice_run(LEFT_AND_RIGHT, SIDES, LINEAR, **SHORT)
    assert practice_run(LEFT_AND_RIGHT, SIDES, LINEAR, **SHORT, **slow).losses == (
        plain.losses
    )


def test_a_run_learns_what_a_label_says():
    run = practice_run(LEFT_AND_RIGHT, SIDES, LINEAR, num_steps=150, batch_size=32)
    assert run.draw(0, num=50)[:, 0].median() < -1 < 1 < run.draw(1)[:, 0].median()
    assert run.loss(LEFT_AND_RIGHT, SIDES) < run.loss(LEFT_AND_RIGHT, 1 - SIDES)


@pytest.mark.parametrize(
    ("labels", "match"), [(SIDES[:-1], "100 points and 99"), (SIDES + 1, "0 or 1")]
)
def test_labels_that_do_not_fit_are_refused(labels, match):
    with pytest.raises(ValueError, match=match):
        practice_run(LEFT_AND_RIGHT, labels, LINEAR, **SHORT)


def test_a_network_without_labels_is_what_it_was():
    torch.manual_seed(0)
    plain = PointNetwork(LINEAR)
    told = PointNetwork(LINEAR, num_labels=2)
    assert plain.layers[0].in_features == told.layers[0].in_features - 2
    xt, t = torch.ones(3, 2), torch.tensor([1, 2, 3])
    zeros = told(xt, t)
    assert not torch.equal(told(xt, t, torch.tensor([0, 1, 1])), zeros)


def test_without_a_mistake_the_perfect_denoiser_draws_the_glyph():
    drawn = break_and_draw(ONE, "none", COSINE, num=3)
    torch.testing.assert_close(drawn, (ONE.float() / 127.5 - 1).expand(3, 1, 8, 8))


@pytest.mark.parametrize(
    ("cause", "least"), [("schedule", 0.01), ("range", 0.5), ("last step", 0.01)]
)
def test_a_mistake_draws_something_else(cause, least):
    right = break_and_draw(ONE, "none", COSINE, num=3)
    drawn = break_and_draw(ONE, cause, COSINE, num=3)
    assert (drawn - right).abs().mean() > least * 0.2


def test_the_range_makes_ink_grey_and_leaves_paper_white():
    drawn = break_and_draw(ONE, "range", COSINE, num=2)
    torch.testing.assert_close(drawn, (ONE.float() / 255).expand(2, 1, 8, 8))


def test_an_unknown_cause_or_mystery_is_refused():
    with pytest.raises(ValueError, match="'weather' must be one of none"):
        break_and_draw(ONE, "weather", COSINE)
    with pytest.raises(ValueError, match="'z' must be one of a, b, c, right"):
        mystery("z")
    assert "none" in CAUSES
