"""Numbers that chapters read off a picture."""

import torch

from glyflib.lessons.measures import widest_bar


def picture(*rows: str) -> torch.Tensor:
    """One uint8 picture of ink ('#') and paper ('.')."""
    pixels = [[0 if sign == "#" else 255 for sign in row] for row in rows]
    return torch.tensor(pixels, dtype=torch.uint8)[None]


def test_the_widest_bar_has_no_gap_and_lies_in_one_row():
    broken = picture("##.#", "...#", "#...", "....")
    at_the_end = picture("#...", "....", ".###", "#...")
    found = widest_bar(torch.stack([broken, at_the_end]))
    assert found.tolist() == [0.5, 0.75]


def test_the_widest_bar_of_paper_is_0_and_of_ink_1():
    ends = torch.stack([picture("..", ".."), picture("##", "##")])
    assert widest_bar(ends).tolist() == [0, 1]


def test_a_grey_pixel_is_ink_where_it_is_dark():
    greys = torch.tensor([[[[127, 128], [255, 255]]]], dtype=torch.uint8)
    assert widest_bar(greys).item() == 0.5
