"""The command line as a whole: what becomes of errors, whoever raises them."""

import click
import pytest
import torch
from click.testing import CliRunner

from glyflib.__main__ import LazyGroup


def run_one_that(fails):
    """Run a command that fails in some way."""

    class Group(LazyGroup):
        def get_command(self, ctx, name):
            return click.Command(name, callback=fails)

    return CliRunner().invoke(Group("main"), ["anything"])


def raises(error):
    def fails():
        raise error

    return fails


@pytest.mark.parametrize("error", [ValueError("a b"), OSError("a b")])
def test_a_users_mistake_is_one_line(error):
    result = run_one_that(raises(error))
    assert result.exit_code == 1 and result.stderr == "Error: a b\n"


@pytest.mark.parametrize(
    "fails",
    [
        raises(MemoryError()),
        raises(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")),
        lambda: torch.empty(2**58, dtype=torch.uint8),
    ],
)
def test_too_little_memory_is_one_line_with_a_way_out(fails):
    result = run_one_that(fails)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "not enough memory: ask for fewer or smaller pictures" in result.stderr


def test_a_bug_is_not_hidden():
    result = run_one_that(raises(RuntimeError("shapes do not fit")))
    assert isinstance(result.exception, RuntimeError)
