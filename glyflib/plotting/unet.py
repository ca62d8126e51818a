"""Figures of the network: kernels, what a pixel depends on, attention, the U itself.

Invariant: pictures of one kind share one scale in a figure, and helpers only draw.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import ConnectionPatch, Rectangle
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLUE,
    CYCLE,
    GREY,
    ORANGE,
    RED,
    WIDTH,
    figure,
    legend_above,
    new_figure,
    subplots,
)
from glyflib.plotting.pictures import SPAN, add_frame, show_image

BLUES = np.array([[*to_rgb(BLUE), 0.9 * k / 255] for k in range(256)])
GLOW = ListedColormap(BLUES)  # from clear to blue
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
Maps = Mapping[str, ArrayLike]  # label -> (K, H, W)


def balanced(values: ArrayLike) -> tuple[float, float]:
    """A range of values, as far below zero as above, that holds nearly all."""
    top = float(np.quantile(np.abs(np.asarray(values)), 0.995)) or 1.0
    return -top, top


def show_signed(ax: Axes, picture: ArrayLike, span: tuple[float, float]) -> None:
    """Draw a picture of signed values: blue below zero, white at zero, red above."""
    low, high = span
    look = {"cmap": "RdBu_r", "vmin": low, "vmax": high}
    ax.imshow(np.asarray(picture).squeeze(), **look)
    add_frame(ax)


@figure
def plot_kernels(
    picture: ArrayLike,
    kernels: ArrayLike,
    answers: ArrayLike,
    names: Sequence[str],
    *,
    span: tuple[float, float] = (-1.0, 1.0),
) -> Figure:
    """Draw a picture (H, W), K kernels (K, k, k), and below their answers (K, h, w).

    Span holds the values of the picture drawn black and white.
    """
    cols = len(names) + 1
    fig, axes = subplots(2, cols, figsize=(WIDTH, 2.2 * WIDTH / cols + 0.3))
    show_image(axes[0, 0], picture, span=span)
    axes[0, 0].set_title("picture", fontsize=9)
    axes[1, 0].set_axis_off()
    of_kernels, of_answers = balanced(kernels), balanced(answers)
    for i, name in enumerate(names):
        show_signed(axes[0, i + 1], kernels[i], of_kernels)
        show_signed(axes[1, i + 1], answers[i], of_answers)
        axes[0, i + 1].set_title(name, fontsize=9)
    words = {"ha": "right", "va": "center", "fontsize": 9}
    axes[1, 0].text(0.95, 0.5, "answers", transform=axes[1, 0].transAxes, **words)
    return fig


@figure
def plot_pulls(pulls: Maps, *, squares: Sequence[int] = ()) -> Figure:
    """Draw how strongly one output pixel depends on each input pixel.

    Args:
        pulls: title -> (H, W) squared gradients; each is drawn as a share of its
            largest, on one logarithmic scale.
        squares: side of the theoretical field of each, drawn round the middle.
    """
    size = WIDTH, (WIDTH - 0.8) / len(pulls) + 0.4
    fig, axes = subplots(1, len(pulls), figsize=size, squeeze=False)
    for i, (ax, (title, pull)) in enumerate(zip(axes[0], pulls.items(), strict=True)):
        pull = np.asarray(pull)
        share = (pull / pull.max()).clip(1e-6, 1)
        shown = ax.imshow(share, cmap="magma", norm=LogNorm(1e-6, 1))
        ax.set_title(title, fontsize=9)
        ax.set(xlabel="column")
        ax.grid(False)
        if i < len(squares):
            corner = (pull.shape[0] - 1) / 2 - squares[i] / 2
            box = {"fill": False, "ec": "white", "ls": "--", "lw": 1.2}
            ax.add_patch(Rectangle((corner, corner), squares[i], squares[i], **box))
    axes[0, 0].set_ylabel("row")
    bar = fig.colorbar(shown, ax=axes[0, -1], fraction=0.046)
    bar.set_label("share of the largest", fontsize=8)
    return fig


@figure
def plot_norm(panels: Mapping[str, ArrayLike], group: int) -> Figure:
    """Draw mean and spread of each channel of maps (C, H, W), groups set apart."""
    size = WIDTH, 3.8
    fig, axes = subplots(len(panels), 1, figsize=size, sharex=True)
    for ax, (title, maps) in zip(axes, panels.items(), strict=True):
        maps = np.asarray(maps).reshape(len(maps), -1)
        channel = np.arange(len(maps))
        for start in range(0, len(maps), 2 * group):
            ax.axvspan(start - 0.5, start + group - 0.5, color=GREY, alpha=0.15, lw=0)
        look = {"fmt": "o", "ms": 2.5, "lw": 1, "color": BLUE}
        ax.errorbar(channel, maps.mean(1), maps.std(1), **look)
        ax.set(ylabel="value", title=title, xlim=(-1, len(maps)))
    axes[-1].set_xlabel("channel (dot: mean over positions, bar: standard deviation)")
    return fig


@figure
def plot_embedding(levels: ArrayLike, waves: ArrayLike, similar: Maps) -> Figure:
    """Draw the embedding of the levels, and matrices of similarity between levels.

    Args:
        levels: (K,) levels, evenly spaced.
        waves: (K, D) their embedding.
        similar: title -> (K, K) cosine similarity.
    """
    rows = (len(similar) + 2) // 2
    fig, axes = subplots(rows, 2, figsize=(WIDTH, 3.1 * rows), squeeze=False)
    ends, dim = (levels[0], levels[-1]), np.shape(waves)[1]
    look = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1, "aspect": "auto"}
    shown = axes[0, 0].imshow(
        np.asarray(waves).T, extent=(*ends, dim - 0.5, -0.5), **look
    )
    axes[0, 0].set(title="embedding", xlabel="level t", ylabel="wave")
    for ax, (title, matrix) in zip(axes.flat[1:], similar.items(), strict=False):
        ax.imshow(np.asarray(matrix), extent=(*ends, *ends[::-1]), **look)
        ax.set(title=title, xlabel="level t", ylabel="level s")
    for ax in axes.flat:
        ax.grid(False)
        ax.set_visible(ax.has_data())
    fig.get_layout_engine().set(h_pad=0.09)  # or titles stick to the labels above
    bar = fig.colorbar(shown, ax=axes, shrink=1 / rows, ticks=[-1, 0, 1])
    bar.set_label("value, or likeness")
    return fig


@figure
def plot_channels(
    levels: ArrayLike, panels: Mapping[str, ArrayLike], names: Sequence[str]
) -> Figure:
    """Draw values of channels against levels, a panel a quantity.

    Args:
        levels: (K,).
        panels: label of the y-axis -> (K, C) values of up to 6 channels.
        names: C, of the channels.
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.2), squeeze=False)
    for ax, (label, values) in zip(axes[0], panels.items(), strict=True):
        for i, line in enumerate(np.asarray(values).T):
            ax.plot(levels, line, color=CYCLE[i], ls=STYLES[i], label=names[i])
        ax.axhline(0, color=GREY, lw=0.8)
        ax.set(xlabel="level t", ylabel=label)
    legend_above(fig, axes[0, 0], ncols=3, handlelength=3)
    return fig


def show_attention(
    ax: Axes, picture: ArrayLike, weights: ArrayLike, *, top: float
) -> AxesImage:
    """Lay shares of attention over a picture, as a blue glow.

    Args:
        ax: where to draw.
        picture: (S, S) on the scale of x0.
        weights: (h, w) shares, stretched over the picture.
        top: the share drawn darkest.

    Returns:
        glow: what a colour bar explains.
    """
    show_image(ax, picture, span=(-1, 1))
    end = len(picture) - 0.5
    look = {"cmap": GLOW, "vmin": 0, "vmax": top, "extent": (-0.5, end, end, -0.5)}
    return ax.imshow(weights, **look)


@figure
def plot_attention(
    picture: ArrayLike, weights: ArrayLike, places: Sequence[tuple[int, int]]
) -> Figure:
    """Draw where positions look, one position a column, one head a row.

    Args:
        picture: (S, S) clean glyph, drawn underneath.
        weights: (heads, h, w, h, w) share that each position (first pair) gives to
            each other one (second pair).
        places: (row, column) of the positions that ask.
    """
    weights, cell = np.asarray(weights), len(picture) / np.shape(weights)[1]
    heads, cols = len(weights), len(places)
    size = WIDTH, (WIDTH - 0.9) * heads / cols
    fig, axes = subplots(heads, cols, figsize=size, squeeze=False)
    for (head, col), ax in np.ndenumerate(axes):
        shown = show_attention(ax, picture, weights[head][places[col]], top=0.2)
        corner = [i * cell - 0.5 for i in reversed(places[col])]
        box = {"fill": False, "ec": RED, "lw": 2.2, "clip_on": False}
        ax.add_patch(Rectangle(corner, cell, cell, **box))
    for head, ax in enumerate(axes[:, 0], start=1):
        words = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 9}
        ax.text(-0.08, 0.5, f"head {head}", transform=ax.transAxes, **words)
    bar = fig.colorbar(shown, ax=axes, shrink=0.8, extend="max")
    bar.set_label("share of attention", fontsize=8)
    return fig


def show_strip(ax: Axes, label: str, maps: ArrayLike) -> None:
    """Draw feature maps (K, H, W) side by side, on a scale of -2.5 to 2.5."""
    maps = np.asarray(maps)
    gap = np.full((maps.shape[1], max(1, maps.shape[1] // 8)), np.nan)
    row = [part for one in maps for part in (one, gap)][:-1]
    show_signed(ax, np.concatenate(row, axis=1), (-2.5, 2.5))
    ax.set_axis_off()
    ax.set_title(label, fontsize=9, pad=5)


@figure
def plot_u(ends: Maps, down: Maps, bottom: Maps, up: Maps) -> Figure:
    """Draw feature maps along the U: left down, right up, skips across.

    Args:
        ends: label -> picture (H, W) that goes in or comes out, on the noisy scale.
        down: label -> (K, H, W) maps, from the top to the bottom.
        bottom: one label -> (K, H, W), between the two ways.
        up: as many as `down`, from the top to the bottom.
    """
    rows = len(down) + 2
    fig = new_figure(figsize=(WIDTH, 0.97 * rows + 0.5))
    shape = {"height_ratios": [1.5] + [1] * (rows - 1), "width_ratios": [1, 0.5, 1]}
    grid = fig.add_gridspec(rows, 3, **shape)
    for col, (label, picture) in zip((0, 2), ends.items(), strict=True):
        ax = fig.add_subplot(grid[0, col])
        show_image(ax, picture, span=SPAN)
        ax.set_title(label, fontsize=9, pad=5)
    for i, pair in enumerate(zip(down.items(), up.items(), strict=True), start=1):
        axes = [fig.add_subplot(grid[i, col]) for col in (0, 2)]
        for ax, (label, maps) in zip(axes, pair, strict=True):
            show_strip(ax, label, maps)
        look = {"arrowstyle": "-|>", "ls": "--", "color": ORANGE, "lw": 1.3}
        ends_at = {"coordsA": "axes fraction", "coordsB": "axes fraction"}
        ends_at |= {"axesA": axes[0], "axesB": axes[1]}
        fig.add_artist(ConnectionPatch((1.05, 0.5), (-0.05, 0.5), **ends_at, **look))
    ((label, maps),) = bottom.items()
    show_strip(fig.add_subplot(grid[-1, :]), label, maps)
    return fig


@figure
def plot_costs(parts: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw the share that each part has, given its weights and operations."""
    names, counts = list(parts), np.array(list(parts.values()), float)
    share = 100 * counts / counts.sum(0)
    fig, ax = subplots(figsize=(WIDTH * 0.85, 0.42 * len(names) + 0.9))
    place = np.arange(len(names))
    for i, (label, color, hatch) in enumerate(
        (("weights", BLUE, ""), ("operations", ORANGE, "//"))
    ):
        look = {"color": color, "hatch": hatch, "ec": "white", "label": label}
        ax.barh(place + (i - 0.5) * 0.38, share[:, i], 0.38, **look)
    ax.set(yticks=place, yticklabels=names, xlabel="share of the network, in per cent")
    ax.set_ylabel("part")
    ax.invert_yaxis()
    ax.legend()
    return fig
