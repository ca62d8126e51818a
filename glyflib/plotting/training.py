"""Figures of training: the loss as it falls.

Invariant: what is drawn comes from the run's own log; smoothing is named as such, and a
mean over neighbours stands in their middle where their dots are drawn, too.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullLocator, PercentFormatter
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    CYCLE,
    EPS,
    GREY,
    LOOKS,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    Span,
    figure,
    new_figure,
    subplots,
)
from glyflib.plotting.estimates import add_spans
from glyflib.plotting.pictures import add_picture, write_at

FEW = 2000  # steps, of which each may have a dot that one sees
TICKS = [n * 10**k for k in range(2, 8) for n in (1, 3)]  # of glyphs seen
Rows = Sequence[Mapping[str, float]]


def running_mean(values: ArrayLike, window: int) -> np.ndarray:
    """Mean (N - window + 1,) over each `window` neighbours of N values."""
    return np.convolve(np.asarray(values, float), np.full(window, 1 / window), "valid")


def spread(glyphs: Sequence[int], *, factor: float = 1.5) -> list[int]:
    """Indices of the first moment, of each with so many times more glyphs, and last."""
    kept = [0]
    for i, count in enumerate(glyphs):
        if count >= factor * max(1, glyphs[kept[-1]]):
            kept.append(i)
    return sorted({*kept, len(glyphs) - 1})


def stage_starts(rows: Rows) -> list[int]:
    """Indices of rows where a new stage begins: a rate that fell rises again."""
    rate = np.array([row["learning_rate"] for row in rows])
    is_turn = (rate[1:-1] < rate[:-2]) & (rate[1:-1] < rate[2:])
    return (np.flatnonzero(is_turn) + 1).tolist()


@figure
def plot_run(rows: Rows, *, window: int = 100) -> Figure:
    """Draw loss and learning rate of a run against the glyphs seen.

    Args:
        rows: of a loss log, with "glyphs", "loss" and "learning_rate".
        window: steps that the line is a running mean over, at most all; each mean
            stands in the middle of its steps.

    Raises:
        ValueError: If there are no rows.
    """
    if not rows:
        raise ValueError("the log has no rows: nothing was trained")
    names = "glyphs", "loss", "learning_rate"
    glyphs, loss, rate = (np.array([row[name] for row in rows]) for name in names)
    window = min(window, len(rows))
    fig, (top, low) = subplots(
        2, 1, figsize=(WIDTH, 4.2), sharex=True, height_ratios=[2.2, 1]
    )
    size = 5 if len(rows) < FEW else 2
    dots = {"color": SKY, "ms": size, "mew": 0, "alpha": 0.7}
    top.plot(glyphs, loss, ".", label="one step", **dots)
    middle, smooth = running_mean(glyphs, window), running_mean(loss, window)
    top.plot(middle, smooth, color=BLUE, label=f"mean of {window} steps")
    top.set(ylabel="loss: squared error of v", ylim=(0, 1.05))
    low.plot(glyphs, rate, color=RED)
    low.set(xlabel="glyphs seen", ylabel="learning rate", ylim=(0, None))
    low.xaxis.set_major_formatter("{x:,.0f}")
    low.locator_params(axis="x", nbins=5)  # or millions run into each other
    for i in stage_starts(rows):
        for ax in (top, low):
            ax.axvline(glyphs[i], color=GREY, lw=1, ls="--")
        where = {"ha": "center", "va": "bottom", "fontsize": 8, "color": GREY}
        top.annotate("new stage", (glyphs[i], 1.06), annotation_clip=False, **where)
    top.legend(loc="upper right", markerscale=6 / size)
    return fig


@figure
def plot_held_out(rows: Rows, *, num_columns: int = 4) -> Figure:
    """Draw squared errors in v on held-out glyphs by glyphs seen, a panel a level.

    Where the line with captions rises while training goes on, captions are learnt by
    heart; where it lies above the one without, they mislead.

    Args:
        rows: of a log of held-out losses, with "glyphs", "level", "captions" and
            "no_captions".
        num_columns: panels side by side, at most.

    Raises:
        ValueError: If there are no rows, or num_columns is below 1.
    """
    if not rows:
        raise ValueError("the log has no rows: nothing was measured")
    if num_columns < 1:
        raise ValueError(f"num_columns {num_columns} must be at least 1")
    levels = sorted({row["level"] for row in rows})
    num_columns = min(num_columns, len(levels))
    num_rows = math.ceil(len(levels) / num_columns)
    size = WIDTH, 0.5 + 6.8 / num_columns * num_rows
    fig, axes = subplots(num_rows, num_columns, figsize=size, squeeze=False)
    letters = 8 if num_columns > 2 else 9
    for ax in axes.flat[len(levels) :]:
        ax.set_axis_off()
    for ax, level in zip(axes.flat, levels, strict=False):
        some = [row for row in rows if row["level"] == level]
        glyphs = [row["glyphs"] for row in some]
        for name, color, look in (
            ("captions", BLUE, "o-"),
            ("no_captions", ORANGE, "s--"),
        ):
            label = name.replace("no_", "no ")
            values = [row[name] for row in some]
            ax.plot(glyphs, values, look, color=color, ms=3, lw=1.2, label=label)
        ax.set_xlabel("glyphs seen", fontsize=letters + 1)
        ax.set_ylabel(f"error in v, level {level:g}", fontsize=letters + 1)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.locator_params(nbins=4)
        ax.tick_params(labelsize=letters)
    axes[0, 0].legend(fontsize=letters)
    return fig


@figure
def plot_by_heart(
    rows: Rows,
    glyphs: ArrayLike,
    errors: Mapping[str, ArrayLike],
    *,
    window: int = 1000,
) -> Figure:
    """Draw a run's loss in training beside errors on glyphs that it never saw.

    Args:
        rows: of a loss log, with "glyphs", "loss" and "learning_rate".
        glyphs: (R,) glyphs seen at the moments of the errors, not falling.
        errors: name -> (R,) errors, each divided by its lowest.
        window: steps that the line at the left is a running mean over, at most all.

    Raises:
        ValueError: If there are no rows.
    """
    if not rows:
        raise ValueError("the log has no rows: nothing was trained")
    window = min(window, len(rows))
    seen = np.array([row["glyphs"] for row in rows])[window - 1 :]
    smooth = running_mean([row["loss"] for row in rows], window)
    first = float(np.asarray(glyphs)[0])
    is_shown = seen >= first
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.4))
    left.plot(seen[is_shown], smooth[is_shown], color=BLUE)
    left.set(title="training", ylabel="loss", xlabel="glyphs seen")
    draw_progress(right, np.asarray(glyphs), errors)
    right.axhline(1, color=BLACK, lw=0.8)
    right.set(title="unseen glyphs", ylabel="error, its lowest = 1")
    right.set_xlabel("glyphs seen")
    right.legend(fontsize=8.5)
    for i in stage_starts(rows):
        for ax in (left, right):
            if rows[i]["glyphs"] >= first:
                ax.axvline(rows[i]["glyphs"], color=GREY, lw=1, ls="--")
    for ax in (left, right):
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.locator_params(axis="x", nbins=5)
    return fig


@figure
def plot_savings(
    levels: ArrayLike, panels: Mapping[str, Mapping[str, Sequence[Span]]]
) -> Figure:
    """Draw which share of an error is saved by level; below 0, harm is done.

    Args:
        levels: (K,) noise levels.
        panels: title -> name -> K shares, each with the ends of its interval.
    """
    size = WIDTH, 3.6
    fig, axes = subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    for ax, (title, series) in zip(axes[0], panels.items(), strict=True):
        for i, (name, spans) in enumerate(series.items()):
            add_spans(ax, np.asarray(levels) + 12 * i, spans, i, name)
        ax.axhline(0, color=BLACK, lw=1)
        ax.set(title=title, xlabel="level t")
    axes[0, 0].set_ylabel("share of the error saved")
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[0, 0].legend(loc="upper left", fontsize=9)
    return fig


@figure
def plot_average(paths: Mapping[str, ArrayLike]) -> Figure:
    """Draw a weight by step, raw and averaged; the best value is 0.

    Args:
        paths: name -> (N,) values; the first is a thin line, the second a thick one.
    """
    fig, ax = subplots(figsize=(WIDTH, 2.9))
    for i, (name, values) in enumerate(paths.items()):
        look = (("-", SKY, 0.9), ("-", BLUE, 2.6), ("--", RED, 2))[i]
        ax.plot(values, look[0], color=look[1], lw=look[2], label=name)
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set(xlabel="step", ylabel="value of one weight", ylim=(-1.2, 3.2))
    ax.legend()
    return fig


def draw_progress(ax: Axes, glyphs: np.ndarray, curves: Mapping[str, object]) -> None:
    """Draw each curve, (R,) or (R, 3) with the ends of its interval, by glyphs."""
    for i, (name, values) in enumerate(curves.items()):
        values = np.asarray(values, float)
        look = {"color": CYCLE[i % len(CYCLE)], "ms": 4, "lw": 1.4, "label": name}
        middle = values[:, 0] if values.ndim == 2 else values
        ax.plot(glyphs, middle, LOOKS[i % len(LOOKS)], **look)
        if values.ndim == 2:
            ends = {"color": look["color"], "alpha": 0.15, "lw": 0}
            ax.fill_between(glyphs, values[:, 1], values[:, 2], **ends)


@figure
def plot_progress(
    glyphs: ArrayLike,
    panels: Mapping[str, Mapping[str, object]],
    *,
    marks: Mapping[str, float] | None = None,
    tops: Mapping[str, float] | None = None,
) -> Figure:
    """Draw what changes in training, a panel a quantity, on a logarithmic x-axis.

    Args:
        glyphs: (R,) glyphs seen, above 0, not falling.
        panels: label of the y-axis -> name -> (R,) values, or (R, 3): value, low, high.
        marks: label of the y-axis -> where a dashed line is drawn.
        tops: label of the y-axis -> end of the axis; it begins at 0.
    """
    glyphs = np.asarray(glyphs)
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.5), squeeze=False)
    for ax, (label, curves) in zip(axes[0], panels.items(), strict=True):
        draw_progress(ax, glyphs, curves)
        if marks and label in marks:
            ax.axhline(marks[label], color=BLACK, lw=1, ls=(0, (4, 3)))
        if tops and label in tops:
            ax.set_ylim(0, tops[label])
        ax.set(xscale="log", xlabel="glyphs seen", ylabel=label)
        low, high = ax.get_xlim()
        ax.set_xticks([x for x in TICKS if low <= x <= high])
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))  # 300k, 1M
        ax.xaxis.set_minor_locator(NullLocator())
        ax.tick_params(axis="x", labelsize=8)
        columns = 2 if len(curves) > 4 else 1
        ax.legend(fontsize=8, ncols=columns)
    return fig


@figure
def plot_floors(
    levels: ArrayLike, curves: Mapping[str, ArrayLike], *, top: float = 1.1
) -> Figure:
    """Draw squared errors by level; what lies above the axis leaves at its top.

    Args:
        levels: (K,) noise levels.
        curves: name -> (K,) errors, or (K, 3): value, low, high.
        top: end of the axis of errors.
    """
    fig, ax = subplots(figsize=(WIDTH, 4.2))
    draw_progress(ax, np.asarray(levels), curves)
    ax.set(xlabel="level t", ylabel="squared error in v", ylim=(-0.03, top))
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    ax.legend(fontsize=8.5, **place)
    return fig


@figure
def plot_history(
    images: ArrayLike, labels: Sequence[str], titles: Sequence[str]
) -> Figure:
    """Draw samples of the same prompts and noise, a row a moment of the run.

    Args:
        images: (R, N, 1, H, W) uint8.
        labels: R names of the rows.
        titles: N names of the columns, written upwards.
    """
    R, N = np.asarray(images).shape[:2]
    left, head = 0.125 * WIDTH, 1.1
    side = 0.995 * (WIDTH - left) / N
    fig = new_figure(figsize=(WIDTH, R * side + head), layout="none")
    for r in range(R):
        bottom = (R - 1 - r) * side
        at = {"ha": "right", "va": "center", "fontsize": 9.5}
        write_at(fig, left - 0.07, bottom + side / 2, labels[r], **at)
        for n in range(N):
            place = left + n * side, bottom, side
            add_picture(fig, images[r][n], place, span=(0, 255))
    for n, title in enumerate(titles):
        at = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 9.5}
        write_at(fig, left + (n + 0.5) * side, R * side + 0.03, title, **at)
    return fig


@figure
def plot_rewind(
    losses: Mapping[str, ArrayLike],
    fresh: Mapping[str, float],
    floor: float,
    *,
    window: int = 100,
) -> Figure:
    """Draw the training loss of rival loops, their loss on fresh noise, and the floor.

    Args:
        losses: name -> (N,) training loss of each step, a squared error of noise.
        fresh: name -> loss on fresh noise after the last step, drawn at the right end.
        floor: loss of the exact answer.
        window: steps that a line is a running mean over, each in their middle.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.7))
    for (name, loss), color, style in zip(
        losses.items(), (RED, BLUE), ("-", "--"), strict=False
    ):
        smooth = running_mean(loss, window)
        step = running_mean(np.arange(1, len(loss) + 1), window)
        ax.plot(step, smooth, style, color=color, label=f"{name}: in training")
        marker = "X" if color == RED else "o"
        look = {"color": color, "ms": 9, "label": f"{name}: at the end, fresh noise"}
        ax.plot(1.02 * len(loss), fresh[name], marker, mec=BLACK, **look)
    ax.axhline(floor, color=ORANGE, lw=1.6, ls=":", label="floor: the exact answer")
    top = 1.1 * max(*fresh.values(), floor)
    ylabel = f"loss: squared error of ${EPS}$"
    ax.set(xlabel="step of training", ylabel=ylabel, ylim=(0, top))
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
    ax.legend(fontsize=8.5, **place)
    return fig
