"""Timing things in turn, so that a busy machine slows all of them, and tables of it."""

from collections.abc import Callable, Sequence
from statistics import median

from glyflib.studies.common import clock


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = clock()
    call()
    return clock() - start


def in_turn(
    calls: dict[str, Callable[[], object]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Seconds of each call, round by round: all of them once, then all again.

    Args:
        calls: by name; the first is what the others are compared with.
        rounds: how often each is timed.
        warm_up: whether a first round is left out.
    """
    found = {name: [] for name in calls}
    for number in range(rounds + warm_up):
        for name, call in calls.items():
            spent = seconds(call)
            if number >= warm_up:
                found[name].append(spent)
    return found


def ratios(times: Sequence[float], others: Sequence[float]) -> list[float]:
    """How many times as long, round by round."""
    return [a / b for a, b in zip(times, others, strict=True)]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median, least and most, to so many digits: 1.25 (1.2 to 1.31)."""
    middle, low, high = (
        f"{value:,.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"
        for value in (median(values), min(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns as wide as they need to be."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
    )
