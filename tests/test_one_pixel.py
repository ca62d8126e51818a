"""A pixel of which all is known: shares, places, and where its paths must end."""

import pytest
import torch

from glyflib.exact import GaussianMixture
from glyflib.lessons.one_pixel import (
    BELLS,
    end_of_path,
    pixel_of_three_bells,
    place_of_share,
    share_below,
)
from glyflib.sampling import last_of, sample_dpm
from glyflib.schedule import linear_alpha_bar

ALPHA_BAR = linear_alpha_bar()
PIXEL = pixel_of_three_bells(ALPHA_BAR)
PLACES = torch.linspace(-2, 2, 9, dtype=torch.float64)


def test_its_bells_are_ink_grey_and_paper():
    assert list(BELLS) == ["ink", "grey", "paper"]
    assert sum(share for share, _, _ in BELLS.values()) == pytest.approx(1)
    assert PIXEL.means[:, 0].tolist() == [mean for _, mean, _ in BELLS.values()]
    stds = PIXEL.variances[:, 0].sqrt().tolist()
    assert stds == pytest.approx([std for _, _, std in BELLS.values()])


@pytest.mark.parametrize("t", [0, 200, 1000])
def test_the_share_below_is_the_area_under_the_density(t):
    grid = torch.linspace(-8, 0.4, 8001, dtype=torch.float64)
    density = PIXEL.density(grid[:, None], torch.tensor(t))
    found = share_below(PIXEL, grid[-1:], t).item()
    assert found == pytest.approx(torch.trapezoid(density, grid).item(), abs=1e-6)


@pytest.mark.parametrize("t", [0, 300, 1000])
def test_a_place_has_its_share_below(t):
    share = torch.tensor([0.001, 0.3, 0.5, 0.999], dtype=torch.float64)
    back = share_below(PIXEL, place_of_share(PIXEL, share, t), t)
    torch.testing.assert_close(back, share)


def test_the_path_of_a_single_bell_is_a_straight_push():
    mean, std = 0.7, 0.2
    bell = GaussianMixture.isotropic(
        torch.ones(1), torch.tensor([[mean]]), torch.tensor([std]), ALPHA_BAR
    )
    a = ALPHA_BAR[1000].item()
    spread = (a * std**2 + 1 - a) ** 0.5
    wanted = mean + std * (PLACES - a**0.5 * mean) / spread
    torch.testing.assert_close(
        end_of_path(bell, PLACES, 1000), wanted, rtol=0, atol=1e-6
    )


def test_a_solver_with_many_steps_ends_where_the_path_must():
    steps = sample_dpm(PIXEL.predict_eps, PLACES[:, None], ALPHA_BAR, num_steps=500)
    found = last_of(steps).xt[:, 0]
    torch.testing.assert_close(
        end_of_path(PIXEL, PLACES, 1000), found, rtol=0, atol=2e-3
    )


def test_what_has_no_place_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, not at \[0.5, 1.0\]"):
        place_of_share(PIXEL, torch.tensor([0.5, 1.0]), 0)
    plane = GaussianMixture.isotropic(
        torch.ones(1), torch.zeros(1, 2), torch.ones(1), ALPHA_BAR
    )
    with pytest.raises(ValueError, match="has 1 dimension, and this has 2"):
        share_below(plane, PLACES, 0)
