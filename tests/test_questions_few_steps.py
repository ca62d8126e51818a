"""The questions of chapter 21: what is right, and what each mistake is told."""

import pytest
import torch

from glyflib.exact import GaussianMixture
from glyflib.lessons import one_pixel
from glyflib.lessons.exercises import check
from glyflib.lessons.questions import few_steps as asked
from glyflib.sampling import last_of
from glyflib.schedule import cosine_alpha_bar
from glyflib.student import ending_in_noise, jump, sample_few


def test_a_jump_towards_the_aim_lands_where_it_should():
    """By hand: the noise that the aim leaves in the start is mixed in anew."""
    data = asked.aim(asked.START, asked.LANDING, asked.SIGNALS)
    noise = (asked.START - 0.6 * data) / 0.8
    assert 0.8 * data + 0.6 * noise == pytest.approx(asked.LANDING)
    alpha_bar = torch.tensor([1.0, 0.64, 0.36]).double()
    xt, x0 = torch.tensor([[asked.START]]), torch.tensor([[data]])
    landed = jump(xt, x0, torch.tensor([2]), torch.tensor([1]), alpha_bar)
    assert landed.item() == pytest.approx(asked.LANDING, abs=1e-6)


def test_the_flow_of_a_bell_is_where_many_steps_of_its_denoiser_lead():
    alpha_bar = ending_in_noise(cosine_alpha_bar(1000))
    bell = GaussianMixture(
        torch.ones(1), torch.zeros(1, 1), torch.tensor([[[0.3]]]), alpha_bar
    )
    z = torch.linspace(-2, 2, 7).double()

    def teacher(xt, t, s):
        return bell.denoise(xt, t)

    walk = sample_few(teacher, z[:, None], alpha_bar, calls=1000)
    wanted = asked.flow_of_bell(z, 0.0, 1.0, 0.3)
    torch.testing.assert_close(last_of(walk).xt[:, 0], wanted, rtol=0, atol=5e-3)


def test_the_flow_of_a_bell_may_stop_on_the_way():
    x = torch.linspace(-2, 2, 7)
    halfway = asked.flow_of_bell(x, 0.1, 0.4, 0.3)
    there = asked.flow_of_bell(halfway, 0.4, 0.9, 0.3)
    torch.testing.assert_close(there, asked.flow_of_bell(x, 0.1, 0.9, 0.3))


@pytest.mark.parametrize("noise", [-0.8, 0.0, 1.0])
def test_the_slope_of_the_map_is_that_of_two_ends(noise):
    z = torch.tensor([noise - 1e-4, noise + 1e-4]).double()
    low, high = one_pixel.end_of_path(asked.pixel(), z, 1000).tolist()
    assert asked.slope_of_map(noise) == pytest.approx((high - low) / 2e-4, rel=1e-3)


def test_each_row_aims_where_two_jumps_of_its_own_teacher_land():
    """Row by row: only the teacher of the row's own walk is asked."""
    xt, jumps, teachers = asked.mixed_jumps()
    assert set(jumps.count.tolist()) == {1, 2}
    found = asked.aims(xt, jumps, teachers)
    alpha_bar = asked.schedule_of_student()
    landed = jump(xt, found, jumps.t, jumps.s, alpha_bar)
    for row in range(len(xt)):
        t, middle, s = (levels[row, None] for levels in jumps[1:])
        teacher = teachers[jumps.count[row].item()]
        start = xt[row, None]
        half_way = jump(start, teacher(start, t, middle), t, middle, alpha_bar)
        there = jump(half_way, teacher(half_way, middle, s), middle, s, alpha_bar)
        torch.testing.assert_close(landed[row, None], there)


def test_teaching_pays_after_some_ten_thousands_of_glyphs():
    assert 10 < asked.glyphs_until_it_pays(asked.saved_calls()) < 1000


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("few-calls", 15, "Right"),
        ("few-calls", 7.5, "How many answers"),
        ("few-aim", 0.6, "Right"),
        ("few-aim", 0.96, "noise is left"),
        ("few-bell", [0.6, 0.0], "Right"),
        ("few-bell", [0.3, 0.0], "spreads count"),
        ("few-map", asked.flow_of_bell, "Right"),
        ("few-map", asked.by_variances, "root"),
        ("few-map", asked.by_one_call, "step of DDIM"),
        ("few-practice", asked.aims, "Right"),
        ("few-practice", asked.aims_of_newest, "of the other walk"),
        ("few-practice", asked.aims_exchanged, "exchanged"),
        ("few-practice", asked.landings, "where the teachers land"),
        ("few-practice", asked.beliefs, "jump twice"),
        ("few-slope", asked.slope_of_map(0.0), "Right"),
        ("few-slope", 1 / asked.slope_of_map(0.0), "other way round"),
    ],
)
def test_an_answer_is_told_what_it_needs(name, answer, told):
    assert told in check(name, answer).text


def test_the_price_is_asked_for_in_thousands():
    right = asked.glyphs_until_it_pays(asked.saved_calls())
    assert "Right" in check("few-pays", right).text
    assert "in thousands" in check("few-pays", 1000 * right).text
