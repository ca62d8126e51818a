"""Figures of training on a GPU: kinds of number, bytes, and hours.

Invariant: a part has its hatch beside its colour, and axes of hours and of rates are
logarithmic.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import EngFormatter
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    LOOKS,
    ORANGE,
    SKY,
    WIDTH,
    figure,
    subplots,
)

FIELDS = {"sign": (GREY, ""), "exponent": (ORANGE, "//"), "digits": (SKY, "")}
HATCHES = ("", "//", "..", "xx", "\\\\", "++")
GIGA = 1e9
HOUR_TICKS = {
    10 / 3600: "10 seconds",
    1 / 60: "a minute",
    1: "an hour",
    24: "a day",
    24 * 30: "a month",
}


@figure
def plot_formats(formats: Mapping[str, tuple[int, int, int]]) -> Figure:
    """Draw kinds of number as rows of bits: sign, exponent and binary digits.

    Args:
        formats: name -> number of bits for each of the three.
    """
    fig, ax = subplots(figsize=(WIDTH, 0.4 + 0.55 * len(formats)))
    for row, (name, counts) in enumerate(formats.items()):
        ax.text(-0.7, -row, name, ha="right", va="center")
        bit = 0
        for (colour, hatch), count in zip(FIELDS.values(), counts, strict=True):
            for _ in range(count):
                look = {"fc": colour, "ec": BLACK, "lw": 0.8, "hatch": hatch}
                ax.add_patch(Rectangle((bit, -row - 0.32), 0.92, 0.64, **look))
                bit += 1
    names = [
        Patch(fc=colour, ec=BLACK, hatch=hatch, label=name)
        for name, (colour, hatch) in FIELDS.items()
    ]
    longest = max(sum(counts) for counts in formats.values())
    ax.set(xlim=(-6, longest + 0.5), ylim=(0.5 - len(formats), 0.5))
    ax.set_axis_off()
    fig.legend(handles=names, loc="outside upper center", ncols=3, fontsize=9)
    return fig


@figure
def plot_walks(walks: Mapping[str, ArrayLike]) -> Figure:
    """Draw how a knob walks down to its best value, 0, in several kinds of number.

    Args:
        walks: name -> (N,) values, the first before any step.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.9))
    for (name, values), colour, dash, width in zip(
        walks.items(),
        (BLUE, ORANGE, GREEN),
        ("-", "-.", ":"),
        (1.8, 2.2, 4),
        strict=False,
    ):
        ax.plot(np.asarray(values, float), dash, color=colour, lw=width, label=name)
    ax.set(xlabel="step", ylabel="where the knob stands", ylim=(0, 1.08))
    ax.legend(loc="center right")
    return fig


@figure
def plot_memory(parts: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw what a training holds in memory, a bar each, its parts side by side.

    Args:
        parts: name of a training -> name of a part -> bytes; all have the same parts.

    Raises:
        ValueError: If a training has other parts than the first.
    """
    names = [*next(iter(parts.values()))]
    fig, ax = subplots(figsize=(WIDTH, 0.9 + 0.75 * len(parts)))
    for row, (training, found) in enumerate(parts.items()):
        if [*found] != names:
            raise ValueError(f"{training} has the parts {[*found]}, not {names}")
        left = 0.0
        for i, name in enumerate(names):
            size = found[name] / GIGA
            look = {"color": CYCLE[i % len(CYCLE)], "hatch": HATCHES[i % len(HATCHES)]}
            label = name if row == 0 else None
            ax.barh(
                row, size, 0.6, left, alpha=0.75, ec=BLACK, lw=0.6, label=label, **look
            )
            left += size
        ax.text(left, row, f" {left:.2g}", va="center")
    ax.set_yticks(range(len(parts)), [*parts])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set(xlabel="gigabytes", xlim=(0, 1.1 * ax.get_xlim()[1]))
    fig.legend(loc="outside upper center", ncols=3, fontsize=8.5)
    return fig


@figure
def plot_hours(work: Mapping[str, float], rate: float) -> Figure:
    """Draw how long trainings take by what a machine gets done, and one machine's rate.

    Args:
        work: name of a training -> its operations.
        rate: operations a second that a machine was seen to do.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.6))
    low, high = min(1e10, rate / 3), max(1e15, 3 * rate)
    rates = np.geomspace(low, high, 7)
    for i, (name, count) in enumerate(work.items()):
        look = {"color": CYCLE[i % len(CYCLE)], "ms": 5, "label": name}
        look["clip_on"] = False  # the first and the last marker lie on the frame
        ax.plot(rates, count / rates / 3600, LOOKS[i % len(LOOKS)], **look)
    ax.axvline(rate, color=BLACK, lw=1.8, ls=":", label="this machine, measured")
    ax.set(xscale="log", yscale="log", ylabel="time it takes")
    ax.set(xlabel="operations a second that are really done", xlim=(low, high))
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    bottom, top = ax.get_ylim()
    ticks = {hours: name for hours, name in HOUR_TICKS.items() if bottom < hours < top}
    ax.set_yticks([*ticks], [*ticks.values()])
    ax.minorticks_off()
    ax.legend(fontsize=8.5)
    return fig
