"""Figures of solvers: paths and steps along them, the race, orders, likelihoods.

Invariant: helpers draw the numbers they are handed; a solver keeps its colour, marker
and line in every figure.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    count_axis,
    figure,
    legend_above,
    short_ticks,
    subplots,
)

LOOKS = {
    "Euler (DDIM)": {"color": BLUE, "marker": "o", "ls": "-"},
    "Heun": {"color": ORANGE, "marker": "s", "ls": "--"},
    "2M": {"color": GREEN, "marker": "^", "ls": "-."},
    "DDPM": {"color": RED, "marker": "D", "ls": ":"},
    "SDE 2M": {"color": PINK, "marker": "v", "ls": (0, (5, 1, 1, 1, 1, 1)), "lw": 2.2},
}
THIN = [color for color in CYCLE if color != PINK]  # which is dull in the dark


@figure
def plot_walks(
    paths: Mapping[int, ArrayLike], std: tuple[ArrayLike, ArrayLike]
) -> Figure:
    """Draw the same runs of a chain cut into few and into many steps.

    Args:
        paths: number of steps K -> (K + 1, N) values of N runs.
        std: (M,) standard deviation around the mean at even times, and (M,) mean.
    """
    shape = {"figsize": (WIDTH, 2.8), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(paths), **shape)
    spread, mean = map(np.asarray, std)
    times, top = np.linspace(0, 1, len(mean)), 3.4
    on_sky = [color for color in THIN if color != SKY]
    for ax, (count, values) in zip(axes, paths.items(), strict=True):
        values = np.asarray(values)
        low, high = mean - 2 * spread, mean + 2 * spread
        top = max(top, 1.05 * np.abs(values).max())
        ax.fill_between(times, low, high, color=SKY, alpha=0.25, lw=0)
        for color, path in zip(on_sky, values.T, strict=False):
            ax.plot(np.linspace(0, 1, count + 1), path, color=color, lw=1.1)
        ax.set(title=f"{count:,} steps", xlabel="time u = t / T")
        short_ticks(ax.xaxis)
    axes[0].set_ylim(-top, top)
    axes[0].set_ylabel("value of a pixel")
    return fig


@figure
def plot_paths(
    paths: Mapping[str, ArrayLike],
    ends: Mapping[str, ArrayLike],
    places: ArrayLike,
    density: ArrayLike,
) -> Figure:
    """Draw paths from noise on the right to data on the left, and where they end.

    There is a row for each way to go.

    Args:
        paths: name -> (K + 1, N) values x_t from level K down to 0.
        ends: name -> (M,) values at level 0.
        places: (P,) values where the density is known.
        density: (P,) the data's density there.
    """
    size = WIDTH, 2.35 * len(paths) + 0.5
    shape = {"sharey": True, "width_ratios": [1, 3.2], "figsize": size}
    fig, axes = subplots(len(paths), 2, squeeze=False, **shape)
    for (left, right), (name, values) in zip(axes, paths.items(), strict=True):
        values = np.asarray(values)
        levels = np.arange(len(values))[::-1]
        for i, path in enumerate(values.T):
            right.plot(levels, path, color=THIN[i % len(THIN)], lw=1.1)
        right.set(title=f"{name}, from right to left", xlim=(0, len(values) - 1))
        bars = {"bins": 60, "range": (-2.6, 2.6), "density": True}
        look = {"orientation": "horizontal", "color": SKY, "label": "ends"}
        left.hist(np.asarray(ends[name]), **bars, **look)
        left.plot(density, places, color=BLACK, lw=1.3, label="data")
        left.set(ylim=(-3.2, 3.2), title="where they end", ylabel="$x_t$")
        left.legend(fontsize=8, loc="lower right")
    for ax in axes[:, 0]:
        short_ticks(ax.xaxis)
    fig.get_layout_engine().set(h_pad=0.09)  # or titles stick to the numbers above
    axes[-1, 0].set_xlabel("density")
    axes[-1, 1].set_xlabel("level t (noise on the right)")
    return fig


@figure
def plot_plane(
    curves: tuple[ArrayLike, ArrayLike],
    *,
    aims: ArrayLike = (),
    walks: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    most: float = 2.2,
    reach: float = 4.2,
) -> Figure:
    """Draw paths over the noise sigma, where a step of Euler's method is straight.

    Args:
        curves: (M,) sigma and (M, N) values y of N exact paths.
        aims: (K, 3) places on a path, sigma and y, with the belief x0_hat there: a line
            leads from each to its belief, at sigma 0.
        walks: name in LOOKS -> (K,) sigma and (K, N) y of the steps of a solver.
        most: the largest sigma shown.
        reach: the largest y shown, and minus the smallest.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.8))
    sigma, y = map(np.asarray, curves)
    ax.plot(sigma, y, color=SKY, lw=2.5, alpha=0.7)
    ax.plot([], [], color=SKY, lw=2.5, label="exact path")
    for name, (noises, places) in (walks or {}).items():
        look = {"ms": 5, "lw": 1.3} | LOOKS[name]
        ax.plot(noises, places, **look)
        ax.plot([], [], label=name, **look)
    for i, (noise, place, belief) in enumerate(aims):
        names = ["aim", "place", "belief $\\hat x_0$"] if i == 0 else [None] * 3
        ax.plot([noise, 0], [place, belief], "--", color=RED, lw=1.3, label=names[0])
        ax.plot(noise, place, "o", color=RED, ms=6, label=names[1])
        ax.plot(0, belief, "D", color=BLACK, ms=6, label=names[2], clip_on=False)
    ax.set(
        xlim=(-0.015 * most, most),  # the dots at 0 are seen whole
        ylim=(-reach, reach),
        xlabel=r"noise $\sigma$ (noise on the right)",
        ylabel=r"$y = x_t / \sqrt{\bar\alpha_t}$",
    )
    ax.xaxis.set_major_locator(MultipleLocator(0.5))
    ax.legend(fontsize=9, loc="upper left")
    return fig


@figure
def plot_line(
    truth: tuple[ArrayLike, ArrayLike],
    answers: tuple[ArrayLike, ArrayLike],
    at: int,
) -> Figure:
    """Draw x0_hat along one path, and the line through two answers that 2M leans on.

    Args:
        truth: (M,) half log-SNR and (M,) x0_hat of the exact path.
        answers: (K,) half log-SNR and (K,) x0_hat at the steps of a solver.
        at: index of the newest answer known, from 1 to K - 2.
    """
    steps, known = map(np.asarray, answers)
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.3))
    ax.plot(*truth, color=SKY, lw=3, label="exact path")
    ax.plot(steps, known, "o", mfc="white", color=GREY, label="beliefs at the steps")
    pair = slice(at - 1, at + 1)
    slope = (known[at] - known[at - 1]) / (steps[at] - steps[at - 1])
    ends = np.array([steps[at - 1], steps[at + 1]])
    ax.plot(ends, known[at] + slope * (ends - steps[at]), "--", color=RED, label="line")
    ax.plot(steps[pair], known[pair], "o", color=RED, label="the last two beliefs")
    middle = (steps[at] + steps[at + 1]) / 2
    lean = known[at] + slope * (middle - steps[at])
    ax.plot(middle, lean, "*", color=BLACK, ms=11, label="what 2M takes", zorder=4)
    look = {"color": BLUE, "ls": ":", "label": "what Euler takes"}
    ax.hlines(known[at], steps[at], steps[at + 1], **look)
    ax.axvspan(steps[at], steps[at + 1], color=GREY, alpha=0.12, lw=0)
    ax.set(xlabel=r"half log-SNR $\ell$ (noise on the right)", ylabel=r"$\hat x_0$")
    ax.invert_xaxis()
    ax.legend(fontsize=8, loc="upper right")
    return fig


def log_axes(ax: Axes, counts: Sequence[int], label: str) -> None:
    """Make both axes logarithmic, with ticks at the counts and at no others."""
    count_axis(ax, counts, label)
    ax.set_yscale("log")
    ax.minorticks_off()


@figure
def plot_order(
    panels: Mapping[str, tuple[Sequence[int], Mapping[str, ArrayLike]]],
    orders: Mapping[str, int],
) -> Figure:
    """Draw errors against steps, over guides with a known slope, on log-log axes.

    Args:
        panels: title -> (K,) numbers of steps, and name in LOOKS -> (K,) errors.
        orders: name -> slope of its guide, which starts at its last error.
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.5), squeeze=False)
    for ax, (title, (counts, errors)) in zip(axes[0], panels.items(), strict=True):
        steps = np.asarray(counts, float)
        for name, row in errors.items():
            guide = np.asarray(row)[-1] * (steps / steps[-1]) ** -orders[name]
            ax.plot(steps, guide, color=GREY, lw=0.9)
            label = f"{name}: order {orders[name]}"
            ax.plot(steps, row, ms=5, label=label, **LOOKS[name])
        log_axes(ax, counts, "steps")
        ax.set(title=title, ylabel="error of the path")
    axes[0, 0].plot([], [], color=GREY, lw=0.9, label="slopes of 1 and 2")
    legend_above(fig, axes[0, 0], fontsize=8, handlelength=3)
    return fig


def add_bars(ax: Axes, calls: ArrayLike, name: str, rows: ArrayLike) -> None:
    """Draw means of rows (K, n) of independent values, with 95 % intervals.

    References:
        Student 1908: the interval of the t distribution with n - 1 degrees of freedom.
    """
    rows = np.asarray(rows)
    num = rows.shape[1]
    error = rows.std(1, ddof=1) / np.sqrt(num)
    reach = scipy.stats.t.ppf(0.975, num - 1) * error
    look = {"ms": 5, "capsize": 3, "elinewidth": 1.5} | LOOKS[name]
    ax.errorbar(calls, rows.mean(1), reach, label=name, **look)


@figure
def plot_race(
    calls: Sequence[int],
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    differences: Sequence[str] = (),
) -> Figure:
    """Draw means against network calls, with 95 % intervals, a panel a measure.

    Args:
        calls: (K,) numbers of calls.
        panels: what is measured -> name in LOOKS -> (K, n) independent values.
        differences: measures that have a line at 0; the axes of others are logarithmic.
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.7), squeeze=False)
    for ax, (label, rows) in zip(axes[0], panels.items(), strict=True):
        for i, (name, values) in enumerate(rows.items()):
            shift = 1.06 ** (i - (len(rows) - 1) / 2)  # so that bars do not overlap
            add_bars(ax, np.asarray(calls) * shift, name, values)
        log_axes(ax, calls, "calls of the network")
        ax.set_ylabel(label)
        if label in differences:
            ax.set_yscale("linear")
            ax.axhline(0, color=BLACK, lw=0.8)
        else:
            ax.set_yticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
    most = max(range(len(panels)), key=lambda i: len([*panels.values()][i]))
    legend_above(fig, axes[0, most], fontsize=8)
    return fig


@figure
def plot_likelihood(densities: Mapping[str, ArrayLike], *, reach: float) -> Figure:
    """Draw densities on the plane side by side, on one scale of colours.

    Args:
        densities: title -> (H, W) density, the lowest row first.
        reach: the largest coordinate of the plane, and minus the smallest.
    """
    shape = {"figsize": (WIDTH, 3.2), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(densities), **shape)
    top = max(np.max(np.asarray(density)) for density in densities.values())
    look = {"origin": "lower", "cmap": "magma_r", "vmin": 0, "vmax": top}
    extent = (-reach, reach, -reach, reach)
    for ax, (title, density) in zip(axes, densities.items(), strict=True):
        shown = ax.imshow(np.asarray(density), extent=extent, **look)
        ax.set(title=title, xlabel="first coordinate")
        ax.grid(False)
    axes[0].set_ylabel("second coordinate")
    ticks = MaxNLocator(4)
    fig.colorbar(shown, ax=list(axes), label="density", shrink=0.9, ticks=ticks)
    return fig
