"""The questions of chapter 16: what is right, and what each mistake is told."""

import math

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.text_conditioning import (
    RIVALS,
    change_by_doubling,
    message,
    num_votes,
    on_top,
    two_texts,
)
from glyflib.unet import Attention


def test_a_message_is_the_mean_if_all_matches_are_equal():
    assert message((0.3, 0.3), (2.0, 4.0)) == pytest.approx(3)
    assert message((0.0, 50.0), (2.0, 4.0)) == pytest.approx(4)


def test_votes_are_as_many_as_a_layer_of_the_network_gives():
    layer = Attention(128, 16)
    x, tokens = torch.zeros(1, 128, 8, 8), torch.zeros(1, 6, 16)
    q = layer.split(layer.to_q(x.flatten(2).transpose(1, 2)))
    k = layer.split(layer.to_k(tokens))
    assert (q @ k.transpose(2, 3)).numel() == num_votes(8, 6, 2)


def test_doubling_a_text_changes_nothing_but_rounding():
    assert change_by_doubling() < 1e-12


def test_the_two_texts_have_padding_that_would_be_noticed():
    tokens, mask = two_texts()
    assert tokens[~mask].abs().min() > 50 > tokens[mask].abs().max()


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("words-message", 2, "Right"),
        ("words-message", 4, "plain mean"),
        ("words-message", 16, "add up to 1"),
        ("words-message", 0, "best match alone"),
        ("words-message", 4 * math.log(2) / math.log(10), "exponential of a match"),
        ("words-votes", 768, "Right"),
        ("words-votes", 384, "two heads"),
        ("words-votes", 8192, "places look at places"),
        ("words-votes", 128, "gives 6 votes"),
        ("words-votes", 96, "how many places"),
        ("words-twice", 0, "Right"),
        ("words-twice", 1, "becomes of the votes"),
        ("words-twice", 0.5, "how many"),
        ("words-front", on_top, "Right"),
        ("words-front", lambda xt, numbers: xt, "Bring the numbers"),
        ("words-front", lambda xt, numbers: numbers.reshape(xt.shape), "gone"),
        ("words-front", lambda xt, e: xt + e.mean(1)[:, None, None, None], "own"),
    ],
)
def test_an_answer_is_told_what_fits_it(name, answer, told):
    assert told in check(name, answer).text


@pytest.mark.parametrize(
    ("mean", "told"),
    [
        (lambda x, m: (x * m[..., None]).sum(1) / m.sum(1, keepdim=True), "Right"),
        (lambda x, m: x.mean(1), "padding"),
        (lambda x, m: (x * m[..., None]).sum(1), "divide it"),
        (lambda x, m: (x * m[..., None]).mean(1), "*real*"),
        (lambda x, m: (x * m[..., None]).sum(1) / m.sum(), "of its own"),
    ],
)
def test_a_mean_is_told_what_it_forgot(mean, told):
    assert told in check("words-mean", mean).text


def test_the_way_that_wins_the_tug_of_war_is_found_by_drawing():
    assert RIVALS == ("fish", "bird")
    assert "Right" in check("words-war", "attention").text
    assert "Count again" in check("words-war", "mean").text
    assert "A word" in check("words-war", 1).text
