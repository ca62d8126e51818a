"""Glyphs disturbed for training: what each step does, and what it leaves alone."""

import pytest
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.making.radicals.augment import augment, blur, restroke, warp


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images():
    return load_glyphs("test", 64).images[:64]


def test_strength_zero_is_the_plain_average_of_areas(images):
    plain = x0_from_images(images).reshape(64, 1, 32, 2, 32, 2).mean((3, 5))
    found = augment(images, gen(), strongest=0)
    torch.testing.assert_close(found, plain, rtol=0, atol=1e-5)


def test_disturbed_glyphs_are_clipped_and_decided_by_the_generator(images):
    one, same, other = (augment(images, gen(s)) for s in (1, 1, 2))
    torch.testing.assert_close(one, same)
    assert one.shape == (64, 1, 32, 32) and one.abs().max() <= 1
    assert (one - other).abs().flatten(1).mean(1).min() > 0.005
    mild = augment(images, gen(1), strongest=0.2)
    clean = augment(images, gen(), strongest=0)
    assert (mild - clean).abs().mean() < (one - clean).abs().mean() / 2


def test_a_warp_moves_ink_and_leaves_paper(images):
    ink, full = 1 - images.float() / 255, torch.ones(64, 1, 1)
    assert warp(torch.zeros(2, 1, 64, 64), full[:2], gen()).abs().max() == 0
    moved, still = warp(ink, full, gen()), warp(ink, 0 * full, gen())
    place = torch.arange(32.0)
    shift = [(x.sum(2) * place).sum(2) / x.sum((2, 3)) for x in (moved, still)]
    shift = (shift[0] - shift[1]).abs()
    assert 0.3 < shift.median() < 2 and shift.max() < 6
    assert moved.mean() == pytest.approx(still.mean().item(), rel=0.15)


def test_strokes_become_thinner_and_fatter(images):
    ink = warp(1 - images.float() / 255, torch.zeros(64, 1, 1), gen())
    share = (restroke(ink, torch.ones(64, 1, 1, 1), gen()).mean((1, 2, 3))) / ink.mean(
        (1, 2, 3)
    )
    assert share.min() < 0.8 and share.max() > 1.3


def test_a_blur_keeps_ink_and_spreads_a_dot_by_one_two_one():
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 16
    row = torch.tensor([0.0, 1, 2, 1, 0])
    torch.testing.assert_close(blur(dot)[0, 0], row[:, None] * row)
