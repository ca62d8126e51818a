"""The questions of chapter 18: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.evaluation.metrics import (
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from glyflib.lessons.exercises import check
from glyflib.lessons.questions.evaluation import (
    BELLS,
    GAUSSIAN_MOMENTS,
    SKEWED_MOMENTS,
    a_measure,
    draws_to_meet,
    frechet_of_bells,
    kernel_of_moments,
    least,
    mirrored_only,
    narrow_recall,
    precision,
    recall,
    two_clouds,
)


def test_bells_are_as_far_apart_as_samples_with_their_moments():
    gen = torch.Generator().manual_seed(0)
    unit = torch.randn(1000, 1, generator=gen, dtype=torch.float64)
    unit = (unit - unit.mean()) / unit.std()
    samples = [mean + std * unit for mean, std in BELLS]
    assert frechet_of_bells(*BELLS) == pytest.approx(frechet_distance(*samples))


@pytest.mark.parametrize(("share", "certainty"), [(0.01, 0.95), (0.1, 0.5), (0.5, 0.9)])
def test_so_many_draws_meet_one_and_one_fewer_do_not(share, certainty):
    num = draws_to_meet(share, certainty)
    assert (1 - share) ** num <= 1 - certainty < (1 - share) ** (num - 1)


def test_precision_and_recall_are_those_of_the_package():
    real, drawn = two_clouds()
    found = precision(real, drawn).item(), recall(real, drawn).item()
    assert found == precision_recall(real, drawn)
    assert len({*found, narrow_recall(real, drawn).item()}) == 3


def test_a_mirrored_copy_is_at_distance_zero_only_if_the_mirror_is_tried():
    measure, x0 = a_measure()
    known = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    mirrored = known.reshape(5, 1, 4, 4).flip(3)
    assert measure(mirrored).min() > 1
    assert torch.equal(least(measure, mirrored), torch.zeros(5))
    assert (least(measure, x0) <= mirrored_only(measure, x0)).all()


def test_the_kernel_distance_is_that_of_three_moments():
    gen = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 500, 1, generator=gen, dtype=torch.float64) / 2
    y = y + 0.3
    moments = [[(z**i).mean().item() for i in (1, 2, 3)] for z in (x, y)]
    with_itself = kernel_distance(x, y)  # unbiased: differs by the terms of i = i
    assert kernel_of_moments(*moments) == pytest.approx(with_itself, abs=0.05)
    assert kernel_of_moments(GAUSSIAN_MOMENTS, SKEWED_MOMENTS) == 4


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("evaluation-line", 6.25, "Right"),
        ("evaluation-line", 18.0625, "variances"),
        ("evaluation-line", 2.5, "its root"),
        ("evaluation-draws", 299, "Right"),
        ("evaluation-draws", 298, "Nearly"),
        ("evaluation-draws", 100, "on average"),
        ("evaluation-commonest", 6, "a share|trues"),
        ("evaluation-recall", recall, "Right"),
        ("evaluation-recall", precision, "Turn it round"),
        ("evaluation-mirror", least, "Right"),
        ("evaluation-mirror", mirrored_only, "mirror image alone"),
        ("evaluation-kernel", 4, "Right"),
        ("evaluation-kernel", 0, "Fréchet"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    text = check(name, answer).text
    assert any(each in text for each in told.split("|"))
