"""Figures of text as numbers: pieces, arrays, attention, senses, encoders compared.

Invariant: one row is one token, and every panel of a figure keeps the same order;
numbers of vectors share one scale of colours, blue below 0 and red above.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from glyflib.plotting.base import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    RED,
    WIDTH,
    Span,
    figure,
    legend_above,
    subplots,
)
from glyflib.plotting.estimates import draw_rows

LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREY, "D"), (RED, "^"))
SPACE = "\u2581"  # sentencepiece's mark for the start of a word
TINTS = ("#dcebf6", "#fbe8c6")  # of neighbouring pieces, pale blue and pale orange
LINE = 60.5  # width of a line of pieces, in about 1.35 a letter


def shown(piece: str) -> str:
    """A piece as it is printed: DejaVu Sans has sentencepiece's mark, but low."""
    return piece.replace(SPACE, "_")


@figure
def plot_pieces(lines: Mapping[str, Sequence[tuple[str, int]]]) -> Figure:
    """Draw texts cut into boxes, each with its number below.

    Args:
        lines: text -> its pieces and their numbers.

    Raises:
        ValueError: If a text is longer than the line.
    """
    fig, ax = subplots(figsize=(WIDTH, 0.8 * len(lines) - 0.15))
    ax.set(xlim=(0, LINE), ylim=(len(lines) - 0.6, -0.4))
    ax.set_axis_off()
    for y, (text, pieces) in enumerate(lines.items()):
        ax.text(0, y - 0.22, text, fontsize=9, color=GREY, style="italic")
        left = 0.0
        for i, (piece, number) in enumerate(pieces):
            width = 1.35 * max(len(piece), len(str(number)) * 0.85) + 1.0
            box = {"facecolor": TINTS[i % 2], "edgecolor": GREY, "lw": 0.6}
            ax.add_patch(Rectangle((left, y - 0.12), width, 0.46, **box))
            middle = {"ha": "center", "va": "center"}
            font = {"family": "DejaVu Sans Mono", "fontsize": 10.5}
            ax.text(left + width / 2, y + 0.04, shown(piece), **middle, **font)
            note = {"fontsize": 9.5, "color": BLACK}
            ax.text(left + width / 2, y + 0.24, str(number), **middle, **note)
            left += width + 0.3
        if left > LINE:
            raise ValueError(f"text {text!r} does not fit on a line")
    return fig


def draw_weights(
    ax: Axes, pieces: Sequence[str], weights: np.ndarray, word: str
) -> None:
    """Draw one square of attention weights, each written into its cell."""
    ax.imshow(weights, cmap="Blues", vmin=0, vmax=1)
    names = [shown(piece) for piece in pieces]
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8.5)
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    for (row, col), weight in np.ndenumerate(weights):
        color = "white" if weight > 0.55 else BLACK
        text = f"{100 * weight:.0f}"
        ax.text(col, row, text, ha="center", va="center", fontsize=9, color=color)
    for y, name in enumerate(names):
        if word and name.strip("_") == word:
            frame = {"fill": False, "edgecolor": ORANGE, "lw": 2, "clip_on": False}
            ax.add_patch(Rectangle((-0.5, y - 0.5), len(names), 1, **frame))
    ax.set_xlabel("is looked at", labelpad=10)  # clear of the slanted names
    ax.set_ylabel("looks", labelpad=6)
    ax.grid(visible=False)


@figure
def plot_attention(
    panels: Mapping[str, tuple[Sequence[str], ArrayLike]], *, row: str = ""
) -> Figure:
    """Draw who looks at whom, in per cent, a panel a text.

    Args:
        panels: title -> n pieces and (n, n) weights; every row adds up to 1.
        row: a word whose row is framed.
    """
    fig, axes = subplots(1, len(panels), figsize=(WIDTH, 3.7), squeeze=False)
    for ax, (title, (pieces, weights)) in zip(axes[0], panels.items(), strict=True):
        draw_weights(ax, pieces, np.asarray(weights), row)
        ax.set_title(title)
    return fig


def draw_strips(ax: Axes, rows: np.ndarray, num_real: int, title: str) -> None:
    """Draw vectors (L, D) as rows of colour; those of the padding are crossed out."""
    ax.imshow(rows, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
    for y in range(len(rows) + 1):
        ax.axhline(y - 0.5, color="white", lw=4)
    pad = {"facecolor": "#ededed", "edgecolor": GREY, "hatch": "////", "lw": 0}
    height = len(rows) - num_real
    ax.add_patch(
        Rectangle((-0.5, num_real - 0.42), rows.shape[1], height - 0.16, **pad)
    )
    ax.set(title=title, xlabel="number in the vector", xticks=[0, 127, 255])
    ends = ax.set_xticklabels(["1", "128", "256"])
    for end, side in zip(ends, ("left", "center", "right"), strict=True):
        end.set_horizontalalignment(side)  # or 256 and the next panel's 1 join
    ax.grid(visible=False)


@figure
def plot_array(
    pieces: Sequence[str], ids: Sequence[int], table: ArrayLike, tokens: ArrayLike
) -> Figure:
    """Draw a text's way to its array: pieces, numbers, table rows, encoder's output.

    Args:
        pieces: n pieces.
        ids: their n numbers.
        table: (n, D) rows of the embedding table.
        tokens: (L, D) what the encoder says, L > n: the rest is padding.
    """
    num, tokens = len(pieces), np.asarray(tokens)
    fig, axes = subplots(
        1,
        4,
        figsize=(WIDTH, 0.34 * len(tokens) + 1.0),
        width_ratios=[1.5, 3, 3, 0.35],
        sharey=True,
    )
    table = np.concatenate([np.asarray(table), np.zeros_like(tokens[num:])])
    draw_strips(axes[1], table, num, "table: no context")
    draw_strips(axes[2], tokens, num, "encoder: with context")
    names = [*map(shown, pieces), *["padding"] * (len(tokens) - num)]
    numbers = [*map(str, ids), *["0"] * (len(tokens) - num)]
    for y, (name, number) in enumerate(zip(names, numbers, strict=True)):
        color = BLACK if y < num else GREY
        axes[0].text(0.0, y, name, va="center", color=color, fontsize=9.5)
        axes[0].text(1.0, y, number, va="center", ha="right", color=color, fontsize=9)
        mark = {"ha": "center", "va": "center", "fontsize": 9.5, "color": color}
        axes[3].text(0.5, y, "1" if y < num else "0", **mark)
    axes[0].set(title="piece       id", xlim=(0, 1))
    axes[3].set(title="mask", xlim=(0, 1))
    for ax in axes[[0, 3]]:
        ax.set_axis_off()
    axes[1].set_yticks([])
    return fig


@figure
def plot_senses(
    words: Sequence[str],
    margins: Mapping[str, ArrayLike],
    means: Mapping[str, Span],
) -> Figure:
    """Draw the margin of each word, and the mean of every encoder.

    Args:
        words: N words.
        margins: encoder -> (N,) margins; words are sorted by the first encoder's.
        means: encoder -> mean, lower and upper end of its interval.
    """
    fig, (ax, right) = subplots(
        1, 2, figsize=(WIDTH, 5.4), width_ratios=[1.6, 1], layout="constrained"
    )
    order = np.argsort(-np.asarray(next(iter(margins.values()))))
    spots = np.arange(len(words))
    for i, (name, values) in enumerate(margins.items()):
        color, marker = LOOKS[i]
        look = {"color": color, "ms": 5, "mfc": color if i == 0 else "none"}
        ax.plot(np.asarray(values)[order], spots, marker, label=name, **look)
    ax.set_yticks(spots, [words[i] for i in order], fontsize=9.5)
    ax.set(ylim=(len(words) - 0.5, -0.5), xlabel="margin", ylabel="word")
    draw_rows(right, means, LOOKS)
    right.set(xlabel="mean margin", title=f"mean of {len(words)} words")
    strip = {"color": GREY, "alpha": 0.15, "lw": 0, "zorder": 0}
    ax.axvspan(*right.get_xlim(), label="what the right panel spans", **strip)
    legend_above(fig, ax, fontsize=9)
    for panel in (ax, right):
        panel.axvline(0, color=BLACK, lw=1)
    return fig


def draw_match(ax: Axes, fit: np.ndarray, pictures: np.ndarray) -> AxesImage:
    """Draw cosines of pairs in a square, with the pictures at its left."""
    drawn = ax.imshow(fit, cmap="RdBu_r", vmin=-1, vmax=1)
    num = len(fit)
    for row, picture in enumerate(pictures):
        place = (-1.62, -0.68, row + 0.47, row - 0.47)
        ax.imshow(picture, cmap="gray", vmin=0, vmax=255, extent=place)
        frame = {"fill": False, "edgecolor": BLACK, "lw": 1.6}
        ax.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, **frame))
    ax.set(xlim=(-1.65, num - 0.5), ylim=(num - 0.5, -0.5), yticks=[])
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return drawn


@figure
def plot_matches(
    fits: Mapping[str, ArrayLike], pictures: ArrayLike, captions: Sequence[str]
) -> Figure:
    """Draw how well glyphs fit captions, a panel a moment; right pairs are framed.

    Args:
        fits: title -> (N, N) cosines, a row a glyph, a column a caption.
        pictures: (N, H, W) uint8 glyphs.
        captions: N short texts.
    """
    fig, axes = subplots(1, len(fits), figsize=(WIDTH, 4.1), squeeze=False)
    for ax, (title, fit) in zip(axes[0], fits.items(), strict=True):
        drawn = draw_match(ax, np.asarray(fit), np.asarray(pictures))
        ax.set_xticks(range(len(captions)), captions, rotation=50, ha="right")
        ax.set_title(title)
    bar = fig.colorbar(drawn, ax=axes, location="bottom", shrink=0.5, aspect=30)
    bar.set_ticks([-1, -0.5, 0, 0.5, 1])
    bar.set_label("cosine of glyph and caption")
    return fig
