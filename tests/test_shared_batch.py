"""Five steps, taken by one process or by two: the same losses."""

import json

import pytest
import torch

from glyflib.lessons import shared_batch
from glyflib.lessons.shared_batch import Share, take_steps, take_steps_together


@pytest.fixture(scope="module")
def alone():
    return take_steps()


def test_one_process_takes_the_whole_batch_and_leaves_no_trace(alone):
    before = torch.get_rng_state()
    assert take_steps() == alone
    assert torch.equal(torch.get_rng_state(), before)
    assert (alone.process, alone.glyphs, len(alone.losses)) == (0, 8, 5)


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="needs gloo")
def test_two_processes_that_accelerate_launches_take_the_same_steps(alone):
    shares = take_steps_together(2)
    assert [share[:2] for share in shares] == [(0, 4), (1, 4)]
    for share in shares:
        torch.testing.assert_close(share.losses, alone.losses)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_number_of_processes_that_cannot_share_is_named(number):
    with pytest.raises(ValueError, match=f"num_processes {number} must be at least 2"):
        take_steps_together(number)


def test_a_process_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(shared_batch, "LAUNCH", ("no_such_module",))
    with pytest.raises(RuntimeError, match="no_such_module"):
        take_steps_together(2)


def test_what_a_process_did_goes_through_a_line_of_text(alone, capsys, monkeypatch):
    monkeypatch.setattr(shared_batch, "take_steps", lambda: alone)
    shared_batch.main()
    assert Share(**json.loads(capsys.readouterr().out)) == alone
