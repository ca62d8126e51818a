"""The questions of chapter 9 and of "Inside the U-net": what is right, what is told."""

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d

from glyflib.lessons.exercises import check
from glyflib.lessons.questions import inside_the_unet as inside
from glyflib.lessons.questions import unet


def test_the_kernel_that_is_right_moves_a_picture_to_the_right():
    picture = torch.zeros(1, 1, 5, 5)
    picture[0, 0, 2, 1] = 1
    moved = conv2d(picture, unet.QUESTIONS["unet-move"].right()[None, None], padding=1)
    assert moved.nonzero()[:, 2:].tolist() == [[2, 2]]


def test_without_skips_the_largest_maps_are_missed_most():
    losses = unet.missed()
    assert losses[16] > losses[8] > losses[4]


def test_a_field_grows_by_two_a_layer_and_by_more_after_a_stride():
    assert [inside.field((1,) * n) for n in (1, 2, 5)] == [3, 5, 11]
    assert inside.field((1, 2, 1, 2, 1)) == 21


def test_operations_are_two_a_weight_and_place():
    assert inside.operations(64, 16) == 2 * 9 * 64**2 * 16**2


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("unet-count", 73856, "128 are the b"),
        ("unet-attend", 6, "three quarters"),
        ("unet-bottom", (8, 12288), "four times as many"),
        ("unet-move", [[0, 0, 0], [1, 0, 0], [0, 0, 0]], "to its left"),
        ("unet-squeezed", 0.966, "likeness of 0.97"),
        ("inside-field", 13, "side 13"),
        ("inside-operations", 16 / 9, "sixteen times"),
        ("inside-order", "No", "no place knows"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told.casefold() in verdict.text.casefold()


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("unet-count", 73728, "a number of its own"),
        ("unet-count", 73792, "come out"),
        ("unet-attend", 4, "equal votes"),
        ("unet-attend", 2, "other value"),
        ("unet-bottom", (4, 3072), "32 x 32 pixels"),
        ("unet-bottom", (16, 49152), "Folding counts"),
        ("unet-bottom", (8, 64), "192 numbers"),
        ("unet-move", torch.eye(3)[[2, 2, 2]] * 0, "Eight zeros"),
        ("unet-move", [[0, 0, 0], [0, 0, 1], [0, 0, 0]], "to the left"),
        ("unet-squeezed", 1, "compared with itself"),
        ("inside-field", 9, "without any stride"),
        ("inside-operations", 16, "pairs of channels"),
        ("inside-operations", 9 / 16, "second over the first"),
        ("inside-patch", 4, "Nearly"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text


def test_batch_norm_is_told_from_group_norm():
    def by_batch(h, groups):
        return batch_norm(h, None, None, training=True)

    verdict = check("inside-norm", by_batch)
    assert not verdict.is_right and "company" in verdict.text
