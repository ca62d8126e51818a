"""Figures of noise and of one noising step, and frames for a slider.

Invariant: noisy pictures share one grey scale, black at -2 and white at +2.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch
from numpy.typing import ArrayLike
from scipy.stats import norm

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    EPS,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    figure,
    legend_above,
    new_figure,
    number,
    subplots,
)
from glyflib.plotting.pictures import SPAN, grey_frames, show_image, stamp


def place_of(
    picture: np.ndarray, value: float, near: tuple[float, float]
) -> np.ndarray:
    """Row and column of the pixel of a value nearest to a place, (0, 0) to (1, 1)."""
    places = np.argwhere(picture == value)
    away = places - np.array(near) * (np.array(picture.shape) - 1)
    return places[(away**2).sum(axis=1).argmin()]


@figure
def plot_pixel_noise(noise: ArrayLike, centred: ArrayLike, mean: ArrayLike) -> Figure:
    """Draw one noise picture, one pixel of many, and noise centred on a picture.

    Args:
        noise: (N, H, W) pictures of N(0, I).
        centred: (N, H, W) the same noise, scaled down, plus `mean`.
        mean: (H, W) the picture whose values are the means.
    """
    noise, centred, mean = map(np.asarray, (noise, centred, mean))
    fig, axes = subplots(2, 2, figsize=(WIDTH * 0.9, 5.2))
    dark = place_of(mean, mean.min(), near=(0.7, 0.75))
    light = place_of(mean, mean.max(), near=(0.5, 0.5))
    shape = {"histtype": "stepfilled", "bins": 40, "range": (-4, 4), "density": True}
    full = shape | {"fc": SKY, "alpha": 0.75}
    outline = shape | {"fc": "none", "ec": ORANGE, "lw": 1.8, "hatch": "///"}
    looks = ("circle", "o", light, full), ("square", "s", dark, outline)
    for (left, right), pictures in zip(axes, (noise, centred), strict=True):
        show_image(left, pictures[0], span=SPAN)
        for name, marker, where, look in looks:
            values = pictures[:, *where]
            bell = norm(values.mean(), values.std())
            u = np.linspace(-4, 4, 300)
            label = f"pixel in the {name}: mean {number(bell.mean(), '.2f')}"
            right.hist(values, label=label, **look)
            line = {"ls": "-", "color": BLUE} if look is full else {"ls": "--"}
            right.plot(u, bell.pdf(u), **{"color": BLACK, "lw": 2} | line)
            edge = {"mfc": "none", "ms": 10, "mew": 2.5, "clip_on": False}
            color = BLUE if look is full else ORANGE
            left.plot(where[1], where[0], marker, mec=color, **edge)
        right.legend(loc="upper left", bbox_to_anchor=(0, 1.22), fontsize=8)
        right.set(xlabel="pixel value", ylabel="density")
    axes[0, 0].set_title("a picture of noise")
    axes[1, 0].set_title("half that noise, around a glyph")
    return fig


def add_clouds(
    ax: Axes, x0: np.ndarray, scale: float, std: float, clouds: np.ndarray
) -> None:
    """Draw q(x_1 | x_0) round scale * x0 (K, 2): samples (K, M, 2), 1 and 2 std."""
    colors = np.resize([BLUE, ORANGE, GREEN, PINK], len(x0))
    for centre, cloud, color in zip(scale * x0, clouds, colors, strict=True):
        look = {"color": color, "ms": 3.5, "mew": 0, "alpha": 0.7, "zorder": 2}
        ax.plot(*(centre + std * cloud).T, ".", **look)
        for k, style in ((1, "-"), (2, "--")):
            size = 2 * k * std
            round_ = {"fill": False, "color": BLACK, "lw": 1.3, "ls": style}
            ax.add_patch(Ellipse(centre, size, size, zorder=3, **round_))
    ax.plot(*(scale * x0).T, "x", color=BLACK, ms=5, zorder=4)


@figure
def plot_step(
    points: ArrayLike, chosen: ArrayLike, beta: float, clouds: ArrayLike
) -> Figure:
    """Draw one noising step from a few points of a 2-D data set, each in its colour.

    Args:
        points: (N, 2) the data x_0.
        chosen: (K, 2) the points given.
        beta: variance of the step, in [0, 1].
        clouds: (K, M, 2) standard normal draws, M for each given point, the same in
            every frame.
    """
    points, chosen, clouds = map(np.asarray, (points, chosen, clouds))
    fig, ax = subplots(figsize=(4.6, 4.6))
    ax.plot(*points.T, ".", color=GREY, ms=1.5, alpha=0.55, zorder=1)
    add_clouds(ax, chosen, float(np.sqrt(1 - beta)), float(np.sqrt(beta)), clouds)
    ax.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    ax.set(xlabel="across", ylabel="up")
    ax.set_title(rf"$\beta$ = {beta:g}: centres at {np.sqrt(1 - beta):.3f} $x_0$")
    return fig


@figure
def plot_walks(paths: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Figure:
    """Draw how the value of one pixel walks down the chain.

    Args:
        paths: (T + 1, N) values of N walks.
        mean: (T + 1,) mean of all walks at each level.
        std: (T + 1,) their standard deviation.
    """
    paths, mean, std = map(np.asarray, (paths, mean, std))
    t = np.arange(len(paths))
    fig, ax = subplots(figsize=(WIDTH, 3.1))
    ax.plot(t, paths, color=SKY, lw=0.5)
    ax.plot(t, mean, color=BLACK, label="mean")
    ax.plot(t, mean + 2 * std, "--", color=RED, label="mean ± 2 standard deviations")
    ax.plot(t, mean - 2 * std, "--", color=RED)
    ax.set(xlabel="level t", ylabel="value of the pixel", ylim=(-4.2, 4.2))
    ax.legend(loc="upper left", ncols=2)
    return fig


@figure
def plot_arrivals(
    walked: dict[int, ArrayLike], jumped: dict[int, ArrayLike], ab: ArrayLike
) -> Figure:
    """Draw where a pixel of ink arrives by walking, by jumping, and by the formula.

    Above each level stand the three means.

    Args:
        walked: level -> (M,) values that went there step by step, from -1.
        jumped: level -> (M,) values that went in one jump.
        ab: (T + 1,) schedule, for the bell curve that the formula foretells.
    """
    ab = np.asarray(ab)
    fig, axes = subplots(1, len(walked), figsize=(WIDTH, 2.8), squeeze=False)
    for ax, t in zip(axes[0], walked, strict=True):
        bell = norm(-np.sqrt(ab[t]), np.sqrt(1 - ab[t]))
        ends = bell.ppf([1e-4, 1 - 1e-4])
        bins = {"bins": 40, "range": tuple(ends), "density": True}
        ax.hist(np.asarray(walked[t]), color=SKY, label="walks", **bins)
        step = {"histtype": "step", "color": BLUE, "lw": 1.4}
        ax.hist(np.asarray(jumped[t]), label="jumps", **step, **bins)
        u = np.linspace(*ends, 300)
        ax.plot(u, bell.pdf(u), ":", color=BLACK, label="formula")
        ax.set(title=f"level {t}", xlabel="value of the pixel")
        means = {"walks": walked[t], "jumps": jumped[t], "formula": bell.mean()}
        text = "mean:"
        for name, values in means.items():
            text += f"\n{name} {number(np.asarray(values).mean(), '.2f')}"
        ax.text(0.02, 0.98, text, va="top", fontsize=8, transform=ax.transAxes)
        ax.set(xlim=(-4, 4), ylim=(0, 1.75 * bell.pdf(bell.mean())))
    axes[0, 0].set_ylabel("density")
    legend_above(fig, axes[0, 0])
    return fig


def add_arrow(fig: Figure, start: float, end: float, y: float, **style) -> None:
    """Draw a horizontal arrow in figure coordinates."""
    arrow = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.6} | style
    fig.add_artist(FancyArrowPatch((start, y), (end, y), **arrow))


@figure
def plot_chain(xt: dict[int, ArrayLike], alpha_bar: ArrayLike) -> Figure:
    """Draw the chain of Ho et al. 2020, Fig. 2, with computed pictures and numbers.

    Noise grows to the right, as on every slider of the book; in the paper, to the left.

    Args:
        xt: level -> (1, H, W), four levels: 0, t - 1, t and T, in this order.
        alpha_bar: (T + 1,) schedule.
    """
    ab, (first, s, t, last) = np.asarray(alpha_bar), xt
    width, height = 5.6, 2.7  # narrow, so that its words read on a phone
    fig = new_figure(figsize=(width, height), layout="none")
    lefts, side, y = (0.0, 0.215, 0.623, 0.838), 0.162, 0.4
    for left, level in zip(lefts, (first, s, t, last), strict=True):
        ax = fig.add_axes((left, y, side, side * width / height))
        show_image(ax, xt[level], span=SPAN)
        ax.set_title(f"$x_{{{level}}}$", fontsize=12)
        signal, noise = np.sqrt(ab[level]), np.sqrt(1 - ab[level])
        under = f"{signal:.4f} $x_0$\n+ {noise:.4f} ${EPS}$"
        fig.text(left + side / 2, y - 0.04, under, ha="center", va="top", fontsize=10)
    start, end = lefts[1] + side + 0.01, lefts[2] - 0.01
    centred = {"x": (start + end) / 2, "ha": "center"}
    beta = 1 - ab[t] / ab[s]
    fig.text(y=0.83, s=rf"$p_\theta(x_{{{s}}}\,|\,x_{{{t}}})$", **centred, fontsize=12)
    fig.text(y=0.74, s="to be learnt", **centred, fontsize=10, color=RED)
    add_arrow(fig, end, start, 0.68, color=RED, ls="--")
    add_arrow(fig, start, end, 0.53, color=BLUE)
    fig.text(y=0.43, s="known:", **centred, fontsize=10, color=BLUE)
    known = rf"$q(x_{{{t}}}\,|\,x_{{{s}}}) = \mathcal{{N}}"
    known += rf"({np.sqrt(1 - beta):.4f}\,x_{{{s}}},\ {beta:.4f}\,I)$"
    fig.text(y=0.05, s=known, **centred, fontsize=12)
    pointer = {"color": BLUE, "lw": 0.8}
    fig.add_artist(Line2D([centred["x"]] * 2, [0.16, 0.4], **pointer))
    for left in (lefts[0], lefts[2]):
        where = {"ha": "center", "va": "center", "fontsize": 15}
        fig.text(left + side + 0.0265, 0.58, "···", **where)
    return fig


@figure
def plot_given_and_marginal(
    x0: ArrayLike, xt: dict[int, ArrayLike], alpha_bar: ArrayLike
) -> Figure:
    """Draw one pixel's noised values with the bells given ink, given paper, and all.

    All densities have one scale, so that their heights can be compared.

    Args:
        x0: (N,) clean values, a few distinct ones from -1 (ink) to +1 (paper).
        xt: level -> (N,) noised values.
        alpha_bar: (T + 1,) schedule.
    """
    ab = np.asarray(alpha_bar)
    values, counts = np.unique(np.asarray(x0), return_counts=True)
    share = counts / counts.sum()
    fig, axes = subplots(2, 2, figsize=(WIDTH, 5), sharex=True)
    axes[0, 0].bar(values, share, width=0.07, color=SKY, label="$q(x_0)$")
    axes[0, 0].set(title="level 0", ylabel="share of glyphs", ylim=(0, 0.62))
    u, top = np.linspace(-4, 4, 400), 0.0
    for ax, (t, noisy) in zip(axes.flat[1:], xt.items(), strict=True):
        bells = norm(np.sqrt(ab[t]) * values, np.sqrt(1 - ab[t])).pdf(u[:, None])
        bells = bells * share
        filled = {"color": SKY, "alpha": 0.55, "label": "noised glyphs"}
        ax.hist(np.asarray(noisy), 80, range=(-4, 4), density=True, **filled)
        ax.plot(u, bells.sum(1), color=BLACK, label="marginal $q(x_t)$")
        ax.plot(u, bells[:, 0], "--", color=RED, label="ink: bell × share", lw=2)
        ax.plot(u, bells[:, -1], ":", color=BLUE, label="paper: bell × share", lw=2)
        ax.set(title=f"level {t}", ylabel="density")
        top = max(top, 1.45 * bells.sum(1).max())
    for ax in axes.flat[1:]:
        ax.set_ylim(0, top)
    for ax in axes.flat[:2]:
        ax.legend(fontsize=8, loc="upper left", ncols=2, columnspacing=1)
    for ax in axes[1]:
        ax.set_xlabel("value of the pixel")
    return fig


@figure
def plot_forgetting(
    levels: ArrayLike,
    shares: Mapping[str, ArrayLike],
    pictures: dict[int, ArrayLike],
) -> Figure:
    """Draw how often the best guesser still names a noised glyph.

    Args:
        levels: (K,) noise levels.
        shares: name -> (K,) shares named.
        pictures: level -> (1, H, W) a noised glyph, drawn above the curves.
    """
    fig, ax = subplots(figsize=(WIDTH, 4))
    looks = ((BLUE, "o-"), (ORANGE, "s--"))
    for (name, share), (color, style) in zip(shares.items(), looks, strict=False):
        ax.plot(levels, share, style, color=color, ms=4, label=name)
    for t, picture in pictures.items():
        grey = grey_frames(np.asarray(picture)[None])[0]
        stamp(ax, grey, (t, 1.27), zoom=52 / grey.shape[0])
        ax.plot([t, t], [1.02, 1.09], color=GREY, lw=0.8)
    ax.set(xlabel="level t", ylabel="share named correctly", ylim=(-0.03, 1.46))
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_xlim(-40, 1040)
    ax.legend(loc="center left")
    return fig
