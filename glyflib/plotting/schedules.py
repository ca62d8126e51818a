"""Figures of noise schedules: three clocks, what each forgets, and the noised map.

Invariant: a schedule keeps its colour and line style in every figure.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

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
    count_axis,
    figure,
    group_colours,
    legend_above,
    subplots,
)

LOOKS = {
    "linear": {"color": BLUE, "ls": "-"},
    "cosine": {"color": RED, "ls": "--"},
    "sigmoid": {"color": GREEN, "ls": ":"},
    "even loss": {"color": PINK, "ls": "-.", "lw": 2.6},  # pink is dull in the dark
    "even waste": {"color": BLACK, "ls": (0, (5, 1, 1, 1, 1, 1))},
}
GROUP_MARKERS = "o^s"


@figure
def plot_schedules(schedules: Mapping[str, ArrayLike]) -> Figure:
    """Draw alpha_bar, and step variance, angle and log-SNR, straight for one each.

    Args:
        schedules: name -> (T + 1,) alpha_bar.
    """
    fig, axes = subplots(2, 2, figsize=(WIDTH, 4.9), sharex=True)
    share, step, turn, clock = axes.flat
    for name, values in schedules.items():
        ab = np.asarray(values)
        t, look = np.arange(1, len(ab)), LOOKS[name]
        share.plot(ab, label=name, **look)
        step.plot(t, 1 - ab[1:] / ab[:-1], **look)
        turn.plot(np.degrees(np.arccos(np.sqrt(ab))), **look)
        clock.plot(t, np.log(ab[1:] / (1 - ab[1:])), **look)
    share.set_ylabel(r"signal's share, $\bar\alpha_t$")
    step.set(ylim=(0, 0.05), ylabel=r"variance of one step, $\beta_t$")
    turn.set(ylabel="angle (degrees)", yticks=[0, 30, 60, 90])
    clock.set(ylim=(-14, 11), ylabel=r"log-SNR, $\lambda_t$")
    for ax in axes[1]:
        ax.set_xlabel("level t")
    legend_above(fig, share, handlelength=3)
    return fig


@figure
def plot_quarter_circles(schedules: Mapping[str, ArrayLike], *, every: int) -> Figure:
    """Draw levels as dots on a quarter circle, from all signal to all noise.

    Args:
        schedules: name -> (T + 1,) alpha_bar; a panel each.
        every: how many levels lie from one dot to the next.
    """
    fig, axes = subplots(1, len(schedules), figsize=(WIDTH, 2.75), squeeze=False)
    turn = np.linspace(0, np.pi / 2, 91)
    for ax, (name, values) in zip(axes[0], schedules.items(), strict=True):
        ab = np.asarray(values)[::every]
        ax.plot(np.sin(turn), np.cos(turn), color=GREY, lw=1)
        colour = LOOKS[name]["color"]
        ax.plot(np.sqrt(1 - ab), np.sqrt(ab), "o", color=colour, ms=5, alpha=0.75)
        ax.set(title=name, xlabel="factor of the noise", aspect="equal")
        ax.set(xlim=(-0.06, 1.08), ylim=(-0.06, 1.08), xticks=[0, 1], yticks=[0, 1])
    axes[0, 0].set_ylabel("factor of the data")
    return fig


@figure
def plot_timetable(
    schedules: Mapping[str, ArrayLike],
    log_snr: ArrayLike,
    shares: ArrayLike,
    *,
    band: tuple[float, float],
    every: int,
) -> Figure:
    """Draw what is named along the log-SNR, and below it where the levels lie.

    Args:
        schedules: name -> (T + 1,) alpha_bar; a row of ticks each, with the
            number of steps that end in the band.
        log_snr: (K,) where the shares were measured.
        shares: (K,) shares of glyphs named, 0 to 1.
        band: the log-SNR between which names are lost, in any order; shaded.
        every: how many levels lie from one tick to the next.
    """
    ratios = {"height_ratios": [2.2, 1]}
    shape = {"figsize": (WIDTH, 3.9), "sharex": True, "gridspec_kw": ratios}
    fig, (top, low) = subplots(2, 1, **shape)
    top.plot(log_snr, 100 * np.asarray(shares), "o-", color=BLACK)
    top.set(ylabel="named right (%)", ylim=(-4, 104))
    for row, (name, values) in enumerate(schedules.items()):
        ab = np.asarray(values)[every::every]
        at = np.log(ab / (1 - ab))
        look = {"marker": "|", "ms": 9, "mew": 1.2, "ls": ""}
        low.plot(at, np.full(len(at), -row), color=LOOKS[name]["color"], **look)
        ab = np.asarray(values)[1:]
        lam = np.log(ab / (1 - ab))
        steps = np.sum((lam >= min(band)) & (lam <= max(band)))
        told = f"{steps} steps" if row else f"shaded: {steps} steps"
        low.text(-14.3, -row, told, ha="right", va="center", fontsize=8)
    rows = range(len(schedules))
    low.set(yticks=[-row for row in rows], ylim=(0.6 - len(schedules), 0.6))
    low.set_yticklabels(schedules)
    low.set(xlabel=r"log-SNR $\lambda$ (noise on the right)", xlim=(8.5, -14.5))
    low.set_xticks(range(8, -13, -2))
    for ax in (top, low):
        ax.axvspan(*band, color=SKY, alpha=0.3, lw=0)
    low.grid(axis="y", visible=False)
    return fig


@figure
def plot_ends(
    stds: Mapping[str, ArrayLike],
    factors: Mapping[str, tuple[ArrayLike, ArrayLike]],
    grey_step: float,
) -> Figure:
    """Draw the noise of the first steps, and how the last levels amplify an error.

    Args:
        stds: name -> (n,) std of what steps 1 to n add.
        factors: name -> (m,) levels and (m,) factors; an infinite one is an arrow.
        grey_step: distance of neighbouring grey values.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 2.9))
    looks = ({"color": GREY, "ls": ":", "marker": "s", "ms": 6}, LOOKS["cosine"])
    for (name, std), look in zip(stds.items(), looks, strict=True):
        t = np.arange(1, len(std) + 1)
        left.plot(t, std, label=name, **{"marker": "o", "ms": 4} | look)
    left.axhline(grey_step / 2, color=BLACK, label="half a grey")
    left.set(xlabel="step t", ylabel=r"noise of the step, $\sqrt{\beta_t}$")
    left.set_ylim(0, None)
    for (name, (t, factor)), look in zip(factors.items(), looks, strict=True):
        right.plot(t, factor, label=name, **{"marker": "o", "ms": 4} | look)
        for gone in np.asarray(t)[~np.isfinite(np.asarray(factor))]:
            arrow = {"arrowprops": {"arrowstyle": "->"}, "ha": "right"}
            right.annotate("infinite", (gone, 1e6), (gone - 2, 3e5), **arrow)
    right.set(yscale="log", ylim=(10, 1e6), xlabel="level t")
    right.set_ylabel(rf"error of $\hat x_0$ / error of $\hat{{{EPS}}}$")
    for ax in (left, right):
        ax.legend(fontsize=8)
    return fig


@figure
def plot_information(
    lam: ArrayLike,
    by_weights: tuple[ArrayLike, ArrayLike],
    by_mmse: tuple[ArrayLike, ArrayLike],
    rates: Mapping[str, ArrayLike],
    most: float,
) -> Figure:
    """Draw what noisy pictures tell (two roads), and the rate at which it is lost.

    Args:
        lam: (K,) log-SNR.
        by_weights: (K,) bits and (K,) standard errors, from the posterior's entropy.
        by_mmse: the same, from the integral.
        rates: name -> (K,) bits per unit of log-SNR, two of them.
        most: the bits that name a picture.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.2))
    bits, error = map(np.asarray, by_mmse)
    left.fill_between(lam, bits - 2 * error, bits + 2 * error, color=SKY, alpha=0.5)
    left.plot(lam, bits, color=BLUE, label="area under mmse")
    points = {"fmt": "o", "color": RED, "ms": 3, "capsize": 2}
    double = 2 * np.asarray(by_weights[1])
    left.errorbar(lam, by_weights[0], double, label="guesser's weights", **points)
    left.axhline(most, color=GREY, ls=":", label="all there is")
    left.set(ylabel="information (bits)", ylim=(-0.5, most * 1.32))
    looks = ((BLUE, "-"), (ORANGE, "--"))
    for (name, rate), (color, style) in zip(rates.items(), looks, strict=True):
        right.plot(lam, rate, style, color=color, label=name)
    right.set(yscale="log", ylim=(1e-3, 1e3), ylabel="bits lost per unit of log-SNR")
    for ax in (left, right):
        ax.set_xlabel(r"log-SNR $\lambda$ (noise on the right)")
        ax.invert_xaxis()
        ax.legend(fontsize=8, loc="upper right")
    return fig


@figure
def plot_forgetting_rate(left_over: Mapping[str, ArrayLike]) -> Figure:
    """Draw the bits left at each level, and the bits that each step loses.

    Args:
        left_over: name -> (T + 1,) bits that x_t still tells about x_0.
    """
    fig, (left, right) = subplots(1, 2, figsize=(WIDTH, 3.0))
    for name, bits in left_over.items():
        bits = np.asarray(bits)
        left.plot(bits, label=name, **LOOKS[name])
        right.plot(np.arange(1, len(bits)), -np.diff(bits), **LOOKS[name])
    left.set(xlabel="level t", ylabel="bits left")
    right.set(xlabel="step t", ylabel="bits lost in the step")
    legend_above(fig, left, handlelength=3)
    return fig


@figure
def plot_boxes(
    snr: ArrayLike, height: ArrayLike, cuts: Mapping[str, ArrayLike]
) -> Figure:
    """Draw an area of information under boxes, one panel a way to cut it.

    Args:
        snr: (K,) signal-to-noise ratios, rising.
        height: (K,) bits per unit of SNR, falling.
        cuts: name -> SNR of the levels used, in any order.
    """
    shape = {"figsize": (WIDTH, 2.9), "sharey": True, "squeeze": False}
    fig, (axes,) = subplots(1, len(cuts), **shape)
    edge = {"lw": 1.2, "ec": ORANGE, "fc": "#fdf0d5", "align": "edge"}
    for ax, (name, at) in zip(axes, cuts.items(), strict=True):
        at = np.sort(np.asarray(at))
        tops = np.interp(at[:-1], snr, height)
        ax.bar(at[:-1], tops, np.diff(at), label="boxes", **edge)
        ax.fill_between(snr, height, color=BLUE, alpha=0.55, label="area", zorder=3)
        ax.set(xlim=(0.26, 0), title=name)
        ax.set_xlabel(r"signal-to-noise ratio $\gamma$ (noise on the right)")
        ax.grid(False)
    axes[0].set_ylabel(r"$\frac{1}{2}$ mmse (bits per unit of $\gamma$)")
    axes[-1].legend()
    return fig


@figure
def plot_loss_weights(
    weights: Mapping[str, tuple[ArrayLike, ArrayLike]],
) -> Figure:
    """Draw how much each part of the log-SNR weighs in a loss of the noise.

    Args:
        weights: up to five names -> (K,) log-SNR and (K,) weights per unit of it.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.2))
    looks = list(LOOKS.values())
    for (name, (lam, weight)), look in zip(weights.items(), looks, strict=False):
        ax.plot(lam, weight, label=name, **look)
    ax.set(xlabel=r"log-SNR $\lambda$ (noise on the right)", ylim=(0, None))
    ax.set_ylabel("weight per unit of log-SNR (%)")
    ax.invert_xaxis()
    ax.legend(handlelength=4)
    return fig


@figure
def plot_prices(prices: Mapping[str, Mapping[int, float]]) -> Figure:
    """Draw the waste of chains, name -> {steps: bits}, on logarithmic axes."""
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.2))
    for name, by_steps in prices.items():
        look = LOOKS[name] | {"marker": "o", "ms": 4, "label": name}
        ax.plot(list(by_steps), list(by_steps.values()), **look)
    steps = list(next(iter(prices.values())))
    count_axis(ax, steps, "steps K")
    ax.set(yscale="log", ylabel="waste (bits)")
    ax.minorticks_off()
    ax.legend(handlelength=4, loc="upper right")
    return fig


@figure
def plot_costs_per_pixel(costs: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Draw what pictures cost by several coders, as bars.

    Args:
        costs: name -> bits per pixel, and the ends of the interval; the first stands
            at the top. A name that begins with "glyffuser" is set off by its colour.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 0.45 * len(costs) + 0.8))
    for place, (name, (value, low, high)) in enumerate(costs.items()):
        color = BLUE if name.startswith("glyffuser") else GREY
        ax.barh(place, value, color=color, height=0.65)
        ax.errorbar(
            value, place, xerr=[[value - low], [high - value]], color=BLACK, capsize=3
        )
        ax.annotate(
            f"{value:.2f}",
            xy=(high, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    most = max(high for _, _, high in costs.values())
    ax.set(yticks=range(len(costs)), yticklabels=list(costs), xlim=(0, 1.14 * most))
    ax.invert_yaxis()
    ax.set_xlabel("bits per pixel")
    return fig


@figure
def plot_paid_rates(
    rates: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    ring: tuple[float, float] | None = None,
) -> Figure:
    """Draw at which rate bits are paid along the log-SNR, by up to three roads.

    Args:
        rates: name -> (K,) log-SNR and (K,) bits per pixel for each unit of it.
        ring: a log-SNR and a rate that was worked out by hand, to be ringed.
    """
    fig, ax = subplots(figsize=(WIDTH * 0.85, 3.2))
    looks = (
        {"color": BLUE, "ls": "-", "marker": "o", "ms": 3},
        {"color": RED, "ls": "", "marker": "s", "ms": 4},
        {"color": ORANGE, "ls": "--"},
    )
    for (name, (lam, rate)), look in zip(rates.items(), looks, strict=False):
        ax.plot(lam, rate, label=name, **look)
    if ring is not None:
        look = {"ls": "", "marker": "o", "ms": 13, "mfc": "none", "mew": 1.5}
        ax.plot(*ring, color=BLACK, label="worked out by hand", **look)
    ax.set(
        xlabel=r"log-SNR $\lambda$ (noise on the right)",
        ylabel="bits a pixel, per unit of it",
    )
    ax.set_ylim(bottom=0)
    ax.invert_xaxis()
    ax.legend(fontsize=9, loc="upper right")
    return fig


def add_points(ax: Axes, points: ArrayLike, groups: Mapping[str, ArrayLike]) -> None:
    """Draw points (N, 2) in grey, and groups of rows in colours and markers.

    The groups take turns, ten points each, so that none hides the others.
    """
    points = np.asarray(points)
    ax.scatter(*points.T, s=0.7, c="#b8b8b8", lw=0, rasterized=True)
    colours = group_colours(groups)
    most = max((len(rows) for rows in groups.values()), default=0)
    for start in range(0, most, 10):
        for (name, rows), marker in zip(groups.items(), GROUP_MARKERS, strict=False):
            look = {"s": 4, "c": colours[name], "marker": marker, "lw": 0, "alpha": 0.7}
            label = "_" if start else name  # one line of the legend each
            some = np.asarray(rows)[start : start + 10]
            ax.scatter(*points[some].T, label=label, **look)


@figure
def plot_clouds(
    columns: Sequence[tuple[str, ArrayLike, ArrayLike, Sequence[float]]],
    groups: Mapping[str, ArrayLike],
    axes_names: tuple[str, str],
) -> Figure:
    """Draw points above and their density below, one column a cloud.

    Args:
        columns: K of title, points (N, 2), density (R, C) with row 0 at the least y,
            and the window of both (least x, greatest x, least y, greatest y).
        groups: name -> rows drawn in colour, up to three; a radical's or a layout's
            name has its own in the whole book.
        axes_names: what the two axes are.
    """
    width = min(WIDTH, 3.0 * len(columns))
    height = 1.92 * width / len(columns) + 0.75
    fig, axes = subplots(2, len(columns), figsize=(width, height), squeeze=False)
    look = {"origin": "lower", "cmap": "magma_r", "interpolation": "bilinear"}
    left = None  # the window of the column before
    for (top, low), (title, points, density, box) in zip(axes.T, columns, strict=True):
        add_points(top, points, groups)
        low.imshow(np.asarray(density), extent=box, **look)
        for ax in (top, low):
            ax.set(xlim=box[:2], ylim=box[2:], aspect="equal")
            ax.locator_params(nbins=3)
            ax.tick_params(labelsize=8, labelleft=box != left)
            ax.grid(False)
        top.tick_params(labelbottom=False)
        left = box
        top.set_title(title)
        low.set_xlabel(axes_names[0], fontsize=8.5)
    for ax in axes[:, 0]:
        ax.set_ylabel(axes_names[1], fontsize=8.5)
    legend_above(fig, axes[0, 0], markerscale=2, handlelength=1)
    return fig
