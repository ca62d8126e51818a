"""The questions of chapter 11: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.training_on_a_gpu import (
    COPIES,
    MEMORY,
    batch_for_rate,
    bytes_a_glyph,
    bytes_of_data,
    bytes_of_state,
    gigabytes,
    hours,
    joined,
    largest_batch,
    plain_mean,
    undivided,
)


def test_the_largest_batch_fits_and_one_more_does_not():
    taken = bytes_of_state() + bytes_of_data()
    fits = taken + largest_batch() * bytes_a_glyph()
    assert fits <= MEMORY < fits + bytes_a_glyph()


def test_joined_gradients_are_those_of_the_whole_batch():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, generator=generator, dtype=torch.float64)
    x = torch.randn(6, 4, generator=generator, dtype=torch.float64)

    def gradient(rows):
        w = weight.clone().requires_grad_()
        (rows @ w).square().mean().backward()
        return w.grad

    parts = torch.stack([gradient(part) for part in x.split([3, 1, 2])])
    counts = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(joined(parts, counts), gradient(x))


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("gpu-bytes", 0.8, "A weight and its gradient"),
        ("gpu-plus-one", 256, "the 1 is lost"),
        ("gpu-scale", 512, "4 is the root of 16"),
        ("gpu-hours", 1.15, "1.15 hours"),
        ("gpu-unequal", joined, "Each glyph counts alike"),
    ],
)
def test_a_right_answer_is_told_why(name, answer, told):
    verdict = check(name, answer)
    assert verdict.is_right and told in verdict.text


def test_the_largest_batch_is_right_from_rounded_numbers_too():
    rounded = (16_000 - 614.6 - 330.3 - 412.9) / 27.1
    assert check("gpu-fit", rounded).is_right


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("gpu-bytes", gigabytes(COPIES), "two moments and the average"),
        ("gpu-bytes", gigabytes(4), "has no moments"),
        ("gpu-bytes", gigabytes(3), "without the average"),
        ("gpu-bytes", gigabytes(1), "the weights alone"),
        ("gpu-bytes", 0.2, "counts numbers"),
        ("gpu-bytes", 800, "In gigabytes"),
        ("gpu-plus-one", 257, "Has bfloat16 a number 257?"),
        ("gpu-plus-one", 258, "halfway"),
        ("gpu-scale", batch_for_rate(1), "the linear rule"),
        ("gpu-scale", 64, "not the batch like the root"),
        ("gpu-scale", batch_for_rate(-2), "belongs to a larger one"),
        ("gpu-scale", 16, "From 32 to how many"),
        ("gpu-fit", 590, "need room as well"),
        ("gpu-fit", 567, "lie on the GPU as well"),
        ("gpu-fit", 563, "20 bytes of each weight"),
        ("gpu-hours", hours(False), "the way forth alone"),
        ("gpu-hours", 69.2, "minutes"),
        ("gpu-hours", hours() * 3600, "seconds"),
        ("gpu-unequal", plain_mean, "counts more"),
        ("gpu-unequal", undivided, "The loss is their mean"),
    ],
)
def test_a_mistake_is_told_what_to_think_of(name, answer, told):
    verdict = check(name, answer)
    assert not verdict.is_right and told in verdict.text
