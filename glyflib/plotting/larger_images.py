"""Figures of larger images: costs by the side of a picture, and walks.

Invariant: helpers draw the numbers they are handed; series differ by marker and dash
as well as colour.
"""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from glyflib.plotting.base import (
    CYCLE,
    LOOKS,
    WIDTH,
    Span,
    count_axis,
    figure,
    subplots,
)
from glyflib.plotting.estimates import add_spans


@figure
def plot_costs(
    sides: Sequence[int],
    costs: Mapping[str, Sequence[float]],
    *,
    ylabel: str,
    num_measured: int,
) -> Figure:
    """Draw costs against the side of a picture, both on logarithmic axes.

    Args:
        sides: (N,) pixels a side.
        costs: name -> (N,) costs, above 0.
        ylabel: what is drawn upwards.
        num_measured: the first so many are drawn full, the others hollow.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.3))
    for i, (name, values) in enumerate(costs.items()):
        look = {"color": CYCLE[i], "ms": 6}
        ax.plot(sides, values, LOOKS[i], mfc="white", **look)
        first = slice(num_measured)
        ax.plot(sides[first], values[first], LOOKS[i][0], label=name, **look)
    count_axis(ax, sides, "side of the picture S")
    ax.set(yscale="log", ylabel=ylabel)
    ax.legend()
    return fig


@figure
def plot_walks(walks: Mapping[str, Mapping[float, Span]]) -> Figure:
    """Draw how sure a reader is along walks, with intervals.

    Args:
        walks: name -> share of the way -> value and ends of its interval.
    """
    fig, ax = subplots(figsize=(WIDTH, 3.1))
    for i, (name, spans) in enumerate(walks.items()):
        add_spans(ax, list(spans), list(spans.values()), i, name)
    ax.set(xlabel="share of the way", ylabel="how sure the reader is", ylim=(0, 1.02))
    ax.legend(title="walk in", loc="lower left")
    return fig
