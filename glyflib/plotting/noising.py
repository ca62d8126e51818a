"""Figures of noise and of one noising step, and frames for a slider.

Invariant: noisy pictures share one grey scale, black at -2 and white at +2.
"""

import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike
from PIL import Image
from scipy.stats import norm

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RED,
    SKY,
    WIDTH,
    figure,
    show_image,
)

SPAN = (-2.0, 2.0)  # of noisy pictures: clean ones reach from -1 to +1


def png_frames(figures: Sequence[Figure], *, dpi: int = 110) -> list[bytes]:
    """Turn figures of one size into PNG files of at most 64 colours, for a slider."""
    files = []
    for fig in figures:
        raw, small = io.BytesIO(), io.BytesIO()
        fig.savefig(raw, format="png", dpi=dpi)
        Image.open(raw).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
        files.append(small.getvalue())
    return files


def grey_frames(xt: ArrayLike) -> list[np.ndarray]:
    """Turn noisy pictures (N, 1, H, W) into N uint8 pictures on the common scale."""
    low, high = SPAN
    scaled = (np.asarray(xt)[:, 0] - low) / (high - low)
    return list((scaled.clip(0, 1) * 255).round().astype(np.uint8))


@figure
def plot_pixel_noise(noise: ArrayLike, centred: ArrayLike, mean: ArrayLike) -> Figure:
    """Draw one noise picture, one pixel of many, and noise centred on a picture.

    Args:
        noise: (N, H, W) pictures of N(0, I).
        centred: (N, H, W) the same noise, scaled down, plus `mean`.
        mean: (H, W) the picture whose values are the means.
    """
    noise, centred, mean = map(np.asarray, (noise, centred, mean))
    fig, axes = plt.subplots(2, 2, figsize=(WIDTH * 0.9, 5.2))
    dark = np.unravel_index(mean.argmin(), mean.shape)
    light = np.unravel_index(mean.argmax(), mean.shape)
    for (left, right), pictures in zip(axes, (noise, centred), strict=True):
        show_image(left, pictures[0], span=SPAN)
        for where, color, fill in ((light, SKY, 0.9), (dark, ORANGE, 0.6)):
            values = pictures[:, *where]
            bell = norm(values.mean(), values.std())
            u = np.linspace(-4, 4, 300)
            label = f"pixel {where[0]}, {where[1]}: mean {bell.mean():.2f}"
            look = {"color": color, "alpha": fill, "label": label}
            right.hist(values, 60, range=(-4, 4), density=True, **look)
            right.plot(u, bell.pdf(u), color=BLACK, ls="-" if fill > 0.8 else "--")
        right.legend(loc="upper left", bbox_to_anchor=(0, 1.22), fontsize=8)
        right.set(xlabel="pixel value", ylabel="density")
    axes[0, 0].set_title("a picture of N(0, I)")
    axes[1, 0].set_title("the same noise, centred on a glyph")
    return fig


@figure
def plot_correlation(
    pictures: Sequence[ArrayLike],
    covariance: Sequence[ArrayLike],
    measured: Sequence[ArrayLike],
    names: Sequence[str],
) -> Figure:
    """Draw one kind of noise a row: picture, covariance, correlation by distance.

    Args:
        pictures: K pictures (H, W).
        covariance: K measured covariances (W, W) of the pixels of one row.
        measured: K correlations (D,) of pixels 0 to D - 1 apart.
        names: K names.
    """
    rows = len(pictures)
    fig, axes = plt.subplots(rows, 3, figsize=(WIDTH, 2.5 * rows), squeeze=False)
    for i, (left, middle, right) in enumerate(axes):
        show_image(left, pictures[i], span=SPAN)
        left.set_title(names[i])
        shown = middle.imshow(np.asarray(covariance[i]), cmap="RdBu_r", vmin=-1, vmax=1)
        middle.set(xlabel="pixel of the row", ylabel="pixel of the row")
        middle.grid(False)
        bar = fig.colorbar(shown, ax=middle, shrink=0.75, ticks=[-1, 0, 1])
        bar.set_label("covariance", fontsize=8)
        right.axhline(0, color=GREY, lw=0.8)
        right.plot(measured[i], "o-", color=BLUE, ms=4)
        right.set(xlabel="pixels apart", ylabel="correlation", ylim=(-0.15, 1.08))
        right.set_xticks(range(0, len(measured[i]), 3))
    return fig


@figure
def plot_variance(
    t: ArrayLike,
    kept: ArrayLike,
    grown: ArrayLike,
    kept_formula: ArrayLike,
    grown_formula: ArrayLike,
) -> Figure:
    """Draw the variance along a chain with and without the scale-down, all (N,)."""
    fig, ax = plt.subplots(figsize=(WIDTH * 0.75, 3.1))
    ax.plot(t, grown_formula, "--", color=ORANGE, label="formula, no scale-down")
    ax.plot(t, grown, "s", color=ORANGE, ms=4, label="measured, no scale-down")
    ax.plot(t, kept_formula, "-", color=BLUE, label="formula, with scale-down")
    ax.plot(t, kept, "o", color=BLUE, ms=4, label="measured, with scale-down")
    ax.set(xlabel="step t", ylabel="variance of the pixels", ylim=(0, None))
    ax.legend()
    return fig


def add_clouds(
    ax: Axes, x0: np.ndarray, scale: float, std: float, cloud: np.ndarray
) -> None:
    """Draw q(x_1 | x_0) round scale * x0 (N, 2): samples (M, 2) and 1 and 2 std."""
    for centre in scale * x0:
        ax.plot(*(centre + std * cloud).T, ".", color=ORANGE, ms=3, alpha=0.7, zorder=2)
        for k, style in ((1, "-"), (2, "--")):
            size = 2 * k * std
            round_ = {"fill": False, "color": RED, "lw": 1.3, "ls": style}
            ax.add_patch(Ellipse(centre, size, size, zorder=3, **round_))
    ax.plot(*(scale * x0).T, "x", color=BLACK, ms=5, zorder=4)


@figure
def plot_step(
    points: ArrayLike, chosen: ArrayLike, beta: float, cloud: ArrayLike
) -> Figure:
    """Draw one noising step from a few points of a 2-D data set.

    Args:
        points: (N, 2) the data x_0.
        chosen: (K, 2) the points given.
        beta: variance of the step, in [0, 1].
        cloud: (M, 2) standard normal draws, the same in every frame.
    """
    points, chosen, cloud = map(np.asarray, (points, chosen, cloud))
    fig, ax = plt.subplots(figsize=(4.6, 4.6))
    ax.plot(*points.T, ".", color=BLUE, ms=1.5, alpha=0.55, zorder=1)
    add_clouds(ax, chosen, float(np.sqrt(1 - beta)), float(np.sqrt(beta)), cloud)
    ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
    ax.set(xlabel="first coordinate", ylabel="second coordinate")
    ax.set_title(rf"$\beta$ = {beta:g}: centres at {np.sqrt(1 - beta):.3f} $x_0$")
    return fig
