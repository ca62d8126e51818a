"""A run of making goes on only with what it was begun with."""

from dataclasses import dataclass

import pytest

from glyflib.making.plan import damaged, read_plan, write_plan


@dataclass(frozen=True)
class Asked:
    """What a run for the tests is asked for."""

    glyphs: int = 8
    rate: float = 0.1

    def __post_init__(self):
        if self.glyphs < 1:
            raise ValueError(f"glyphs {self.glyphs} must be at least 1")


@pytest.mark.parametrize("steps", [7, {"8": 4, "4": 3}])
def test_what_is_written_is_read(tmp_path, steps):
    path = tmp_path / "plan.json"
    write_plan(path, Asked(3), steps)
    assert read_plan(path, Asked(3)) == steps


def test_what_was_asked_for_otherwise_is_named_with_both_values(tmp_path):
    path = tmp_path / "plan.json"
    write_plan(path, Asked(rate=0.1), 7)
    with pytest.raises(ValueError, match=r"rate was 0\.1 in the run in .*, now 0\.2"):
        read_plan(path, Asked(rate=0.2))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"steps": 7}',
        '{"start": {}}',
        '{"start": {"ink": 3}, "steps": 7}',
        '{"start": {"glyphs": 0}, "steps": 7}',
    ],
)
def test_a_damaged_plan_is_named(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"plan\.json is damaged .*: start anew"):
        read_plan(path, Asked())


def test_the_error_tells_why(tmp_path):
    error = damaged(tmp_path / "plan.json", TypeError("steps 'a'"))
    assert isinstance(error, ValueError) and "(steps 'a')" in str(error)
