"""Walks between pictures and between noises, and the sureness of a reader."""

import pytest
import torch

from glyflib.data import load_glyphs, x0_from_images
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.lessons.damaged import damaged_crops
from glyflib.lessons.walks import on_sphere, straight, sureness


def noises(count=3):
    gen = torch.Generator().manual_seed(0)
    return torch.randn(2, count, 1, 32, 32, generator=gen, dtype=torch.float64)


@pytest.mark.parametrize("walk", [straight, on_sphere])
def test_a_walk_starts_and_ends_where_it_should(walk):
    a, b = noises()
    places = walk(a, b, [0.0, 0.4, 1.0])
    assert places.shape == (9, 1, 32, 32)
    torch.testing.assert_close(places[:3], a)
    torch.testing.assert_close(places[6:], b)


def test_the_arc_keeps_the_length_of_noise_and_the_line_does_not():
    a, b = noises()
    a, b = (x / x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1) for x in (a, b))
    lengths = on_sphere(a, b, [0.25, 0.5]).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
    assert (straight(a, b, [0.5]).flatten(1).norm(dim=1) < 0.8).all()


def test_the_middle_of_the_arc_is_as_far_from_both_ends():
    a, b = noises(1)
    b = b * a.norm() / b.norm()
    middle = on_sphere(a, b, [0.5])
    torch.testing.assert_close((middle - a).norm(), (middle - b).norm())


@pytest.mark.parametrize("walk", [straight, on_sphere])
def test_ends_of_two_shapes_and_no_share_are_refused(walk):
    a, b = noises()
    with pytest.raises(ValueError, match="differ in shape"):
        walk(a, b[:2], [0.5])
    with pytest.raises(ValueError, match="at least one share"):
        walk(a, b, [])


def test_a_reader_is_surer_of_glyphs_than_of_noise():
    classifier = RadicalClassifier.load()
    x0 = x0_from_images(load_glyphs("test", 32).images[:50])
    sure = sureness(classifier, x0)
    assert sure.shape == (50,) and (sure <= 1).all() and sure.mean() > 0.7
    chances = classifier.read(x0).logits.double().softmax(1)
    assert torch.equal(sure, chances.max(1).values)


def test_damage_is_the_same_each_time_and_as_large_as_told():
    crops, small = damaged_crops(0.4)
    again = damaged_crops(0.4)[1]
    clean = damaged_crops(0.0)[1]
    assert crops.shape == (12, 1, 64, 64) and small.shape == (12, 1, 16, 16)
    assert torch.equal(small, again)
    assert (small - clean).std().item() == pytest.approx(0.4, abs=0.02)
    with pytest.raises(ValueError, match="std -1 must be at least 0"):
        damaged_crops(-1)
