"""What a run of making was asked for, kept in its folder as JSON.

Invariant: a run goes on only with what it was begun with, so that one folder never
holds the steps of two.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from glyflib.files import write_text

Start = TypeVar("Start")


def write_plan(path: Path, start: Start, steps: object) -> None:
    """Keep what a run is asked for, before its first step.

    Args:
        path: of the JSON file, in a folder that is there.
        start: a dataclass that fits in JSON.
        steps: how many, in whatever form the run counts them.
    """
    plan = {"start": asdict(start), "steps": steps}
    write_text(path, json.dumps(plan, indent=2) + "\n")


def read_plan(path: Path, start: Start) -> object:
    """The steps of a run that is there, if it was asked for the same.

    Args:
        path: of the file that `write_plan` wrote.
        start: what is asked for now.

    Returns:
        The steps as JSON gives them back: numbers that were keys are texts.

    Raises:
        ValueError: If the file is damaged, or the run was asked for something else.
    """
    try:
        plan = json.loads(path.read_text("utf-8"))
        asked, steps = type(start)(**plan["start"]), plan["steps"]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    for name, value in asdict(start).items():
        before = getattr(asked, name)
        if value != before:
            raise ValueError(
                f"{name} was {before} in the run in {path.parent}, now {value}: ask "
                "for the same, or name another folder"
            )
    return steps


def damaged(path: Path, error: Exception) -> ValueError:
    """The error to raise for a plan that cannot be read."""
    return ValueError(f"{path} is damaged ({error}): start anew")
