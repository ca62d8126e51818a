"""Figures of training: the loss as it falls.

Invariant: what is drawn comes from the run's own log; smoothing is named as such.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from glyflib.plotting.base import BLUE, SKY, WIDTH, figure


@figure
def plot_loss_log(rows: Sequence[Mapping[str, float]], *, window: int = 100) -> Figure:
    """Draw the loss against the glyphs seen, each step pale, their mean dark.

    Args:
        rows: of a loss log, with "glyphs" and "loss".
        window: steps that the dark line is a running mean over, at most all.

    Raises:
        ValueError: If there are no rows.
    """
    if not rows:
        raise ValueError("the log has no rows: nothing was trained")
    glyphs, loss = (np.array([row[key] for row in rows]) for key in ("glyphs", "loss"))
    window = min(window, len(loss))
    smooth = np.convolve(loss, np.full(window, 1 / window), "valid")
    fig, ax = plt.subplots(figsize=(WIDTH, 3.2))
    ax.plot(glyphs, loss, ",", color=SKY, alpha=0.6)
    ax.plot(glyphs[window - 1 :], smooth, color=BLUE, label=f"mean of {window} steps")
    ax.set(xlabel="glyphs seen", ylabel="loss", ylim=(0, min(1.2, loss.max() * 1.05)))
    ax.legend()
    return fig
