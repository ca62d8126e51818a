"""The questions of "The same in diffusers", held against the library itself."""

import pytest
from diffusers import DDIMScheduler

from glyflib.lessons.exercises import check
from glyflib.lessons.questions.diffusers import leading, level_of, misled_by, trailing


@pytest.mark.parametrize("num_steps", [5, 20])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_timesteps_are_those_of_the_library(spacing, num_steps):
    scheduler = DDIMScheduler(timestep_spacing=spacing)
    scheduler.set_timesteps(num_steps)
    ours = {"leading": leading, "trailing": trailing}[spacing](num_steps)
    assert scheduler.timesteps.tolist() == ours


def test_a_network_is_always_told_too_little_noise():
    errors = misled_by()
    assert len(errors) == 20 and min(errors.values()) > 0
    assert max(errors, key=errors.get) == level_of(999)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("diffusers-level", 950, "Right"),
        ("diffusers-level", 949, "their timestep"),
        ("diffusers-level", 1000, "*first* step"),
        ("diffusers-level", None, "Not yet"),
        ("diffusers-spacing", 801, "Right"),
        ("diffusers-spacing", 1000, "`trailing` starts"),
        ("diffusers-offset", 1000, "Right"),
        ("diffusers-offset", 321, "Give the level"),
        ("diffusers-offset", 500, "*least*"),
    ],
)
def test_what_an_answer_is_told(name, answer, told):
    assert told in check(name, answer).text
