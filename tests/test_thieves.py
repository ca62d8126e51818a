"""Thieves copy: what they hand over is a training glyph, moved or looked up."""

import pytest
import torch

from glyflib.lessons.thieves import least_over_moves, look_up, moved

KNOWN = ["a kind of tree", "a kind of fish", "cold wind", "to burn; hot"]


def test_moved_there_and_back_nothing_has_happened():
    x0 = torch.randn(2, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(moved(moved(x0, 1, -2), -1, 2), x0)


def test_a_pixel_moves_right_and_down():
    x0 = torch.zeros(1, 1, 4, 4)
    x0[0, 0, 1, 1] = 1
    assert moved(x0, right=1)[0, 0, 1, 2] == 1
    assert moved(x0, down=2)[0, 0, 3, 1] == 1


def test_the_least_over_moves_finds_a_copy_that_was_moved():
    x0 = torch.randn(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))

    def measure(pictures):
        return torch.cdist(pictures.flatten(1), x0.flatten(1)).amin(1)

    stolen = moved(x0, 1, -1)
    assert measure(stolen).min() > 1
    assert least_over_moves(measure, stolen).max() < 1e-3
    assert least_over_moves(measure, moved(x0, 2)).min() > 1


def test_a_caption_that_is_known_finds_itself():
    assert look_up(KNOWN, KNOWN).tolist() == [0, 1, 2, 3]


def test_rare_words_count_for_more_than_common_ones():
    assert look_up(["a wind"], [*KNOWN, "a kind"]).tolist() == [2]


def test_without_a_word_in_common_it_is_the_first():
    assert look_up(["mountain"], KNOWN).tolist() == [0]


@pytest.mark.parametrize(("captions", "known"), [([], KNOWN), (["fish"], [])])
def test_nothing_to_look_up_is_refused(captions, known):
    with pytest.raises(ValueError, match=f"{len(captions)} captions and {len(known)}"):
        look_up(captions, known)
