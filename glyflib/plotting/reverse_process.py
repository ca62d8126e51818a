"""Figures of the way back: Bayes on bell curves, the first network, errors by level.

Invariant: helpers draw the numbers they are handed; pictures of x0 share one grey
scale from -1 to +1, noisy ones the SPAN of `pictures`.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.stats import norm

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    CYCLE,
    EPS,
    GREEN,
    GREY,
    LOOKS,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    figure,
    legend_above,
    new_figure,
    subplots,
)
from glyflib.plotting.pictures import SPAN, show_image

Bell = tuple[float, float]  # mean and variance


@figure
def plot_products(
    cases: Mapping[str, tuple[Bell, Bell, Bell]],
    counted: ArrayLike,
    *,
    span: tuple[float, float] = (-3.0, 5.0),
) -> Figure:
    """Draw two bell curves and their product, a panel a case.

    Args:
        cases: title -> belief, measurement and product, each (mean, variance).
        counted: (N,) values found by counting, drawn as bars in the last panel.
        span: ends of the x-axis.
    """
    fig, axes = subplots(1, len(cases), figsize=(WIDTH, 3.0), squeeze=False)
    x = np.linspace(*span, 400)
    looks = ((BLUE, "--", "belief"), (ORANGE, ":", "measurement"), (RED, "-", "both"))
    bars = {"density": True, "color": GREY, "alpha": 0.4, "label": "counted"}
    axes[0, -1].hist(np.asarray(counted), bins=40, **bars)
    for ax, (title, bells) in zip(axes[0], cases.items(), strict=True):
        for (mean, var), (color, style, name) in zip(bells, looks, strict=True):
            bell = norm(float(mean), float(var) ** 0.5).pdf(x)
            ax.plot(x, bell, style, color=color, label=name)
        ax.set(title=title, xlabel="value", ylabel="density", xlim=span)
        ax.set_ylim(0, None)
    legend_above(fig, axes[0, -1], fontsize=9)
    return fig


@figure
def plot_downhill(
    knob: ArrayLike,
    loss: ArrayLike,
    paths: Mapping[str, tuple[ArrayLike, ArrayLike]],
) -> Figure:
    """Draw a loss over the places of one knob, and walks down it, a panel a walk.

    Args:
        knob: (N,) places of the knob.
        loss: (N,) the loss there.
        paths: title -> the places (K,) that a walk came by, and the loss there (K,).
    """
    knob, loss = np.asarray(knob), np.asarray(loss)
    fig, axes = subplots(1, len(paths), figsize=(WIDTH, 2.9), sharey=True)
    for ax, (title, (places, found)) in zip(axes, paths.items(), strict=True):
        ax.plot(knob, loss, color=GREY)
        ax.plot(places, found, "o-", color=GREEN, lw=1, ms=5, mec=BLACK, mew=0.5)
        ax.plot(places[0], found[0], "s", color=ORANGE, ms=8, mec=BLACK, label="start")
        ax.set(title=title, xlabel="knob")
        ax.set(xlim=(knob.min(), knob.max()), ylim=(0, 1.05 * loss.max()))
    axes[0].set_ylabel("loss")
    axes[0].legend(fontsize=8, loc="upper right")
    return fig


@figure
def plot_fit(
    dots: tuple[ArrayLike, ArrayLike],
    xt: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    title: str = "",
) -> Figure:
    """Draw examples of noise in a number, and curves that guess it.

    Args:
        dots: (N,) noisy numbers and (N,) the noise in each.
        xt: (M,) noisy numbers at which the curves guess.
        curves: name -> (M,) guesses, up to three names.
        title: of the figure.
    """
    xt = np.asarray(xt)
    fig, ax = subplots(figsize=(5.4, 3.6))
    ax.plot(*dots, "o", color=ORANGE, ms=3, mew=0, alpha=0.6, label="examples")
    looks = ((GREEN, "-"), (BLACK, ":"), (BLUE, "--"))
    for (name, guess), (color, style) in zip(curves.items(), looks, strict=False):
        ax.plot(xt, guess, style, color=color, lw=2.2, label=name)
    ax.set(xlim=(xt.min(), xt.max()), ylim=(-3.6, 3.6), title=title)
    ax.set(xlabel="noisy pixel $x_t$", ylabel=f"noise ${EPS}$")
    ax.legend(fontsize=8, loc="upper left")
    return fig


@figure
def plot_reverse(
    u: ArrayLike,
    densities: Mapping[int, tuple[ArrayLike, ArrayLike]],
    t: int,
    apart: Mapping[int, float],
) -> Figure:
    """Draw the way back to three levels, and how far it is from one bell curve.

    The three have the same axes, so that a narrow bell stands as high as it is.

    Args:
        u: (N,) values of the pixel.
        densities: level s -> (N,) exact density of xs given xt, and (N,) its rival.
        t: level of xt.
        apart: step t - s -> share of the area by which the two differ.
    """
    fig, axes = subplots(2, 2, figsize=(WIDTH, 5.2))
    fig.get_layout_engine().set(h_pad=0.13)  # labels keep clear of the titles below
    top = 1.5 * max(float(np.max(pair)) for pair in densities.values())
    for ax, (s, (exact, bell)) in zip(axes.flat[:3], densities.items(), strict=True):
        ax.fill_between(u, exact, color=SKY, alpha=0.6, label="exact")
        ax.plot(u, bell, "--", color=RED, label="one bell curve")
        ax.set(title=f"from {t} to {s}", ylabel="density", ylim=(0, top))
        ax.set(xlabel="value of the pixel", xlim=(-3, 3))
        ax.legend(fontsize=8, loc="upper left")
    last = axes[1, 1]
    last.loglog(list(apart), list(apart.values()), "o-", color=BLUE)
    last.set(title=f"one step back from {t}: how wrong?")
    last.set(xlabel="levels in one step", ylabel="share of area that differs")
    return fig


def draw_curves(
    ax: Axes,
    levels: ArrayLike,
    curves: Mapping[str, ArrayLike],
    ylabel: str,
    every: int = 1,
) -> None:
    """Draw one curve for each name, with a marker at every so many values."""
    for i, (name, values) in enumerate(curves.items()):
        look = {"color": CYCLE[i], "ms": 4, "markevery": every, "label": name}
        ax.plot(levels, values, LOOKS[i], **look)
    ax.set(xlabel="level t", ylabel=ylabel)
    ax.legend(fontsize=8.5)


@figure
def plot_by_level(
    levels: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]], *, every: int = 1
) -> Figure:
    """Draw positive quantities against the level, on logarithmic axes.

    Args:
        levels: (K,) noise levels.
        panels: label of the y-axis -> name -> (K,) values, up to four names.
        every: how many values lie between two markers.
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.2), squeeze=False)
    for ax, (label, curves) in zip(axes[0], panels.items(), strict=True):
        ax.set_yscale("log")
        draw_curves(ax, levels, curves, label, every)
    return fig


@figure
def plot_heldout(
    pictures: Mapping[str, ArrayLike],
    levels: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    top: float = 0.62,
) -> Figure:
    """Draw one example in a strip, and below it the squared error by level.

    Args:
        pictures: title -> (1, H, W), the first one noisy.
        levels: (K,) noise levels.
        curves: name -> (K,) squared error for each pixel.
        top: end of the axis of errors.
    """
    fig = new_figure(figsize=(WIDTH, 5.2))
    grid = fig.add_gridspec(2, len(pictures), height_ratios=[1, 1.7])
    for i, (title, picture) in enumerate(pictures.items()):
        ax = fig.add_subplot(grid[0, i])
        show_image(ax, picture, span=(-1, 1) if i else SPAN)
        ax.set_title(title, fontsize=9)
    low = fig.add_subplot(grid[1, :])
    draw_curves(low, levels, curves, "squared error for each pixel")
    low.set_ylim(-0.02, top)
    return fig


@figure
def plot_clouds(clouds: Mapping[str, ArrayLike], *, reach: float = 1.2) -> Figure:
    """Draw sets of points (N, 2) side by side, on the same axes.

    Args:
        clouds: title -> (N, 2).
        reach: of the axes, from the middle to each side.
    """
    width = min(WIDTH, 0.5 + 2.75 * len(clouds))
    fig, axes = subplots(1, len(clouds), figsize=(width, 2.9), sharey=True)
    for ax, (title, points) in zip(axes, clouds.items(), strict=True):
        ax.plot(*np.asarray(points).T, ".", color=BLUE, ms=2.5, alpha=0.6)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        ax.set(title=title, xlabel="first coordinate")
    axes[0].set_ylabel("second coordinate")
    return fig
