"""Figures look alike on every machine."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from PIL import Image

from glyflib.plotting import training

LOG = [
    {"glyphs": 32 * (i + 1), "loss": 1 / (i + 1), "learning_rate": 10.0**-i}
    for i in range(5)
]


def saved(fig):
    """Pixels of a figure as `savefig` writes them."""
    file = io.BytesIO()
    fig.savefig(file)
    return np.asarray(Image.open(file))


def displayed(fig):
    """Pixels of a figure as a notebook shows it."""
    return np.asarray(Image.open(io.BytesIO(print_figure(fig))))


@pytest.mark.parametrize("render", [saved, displayed])
@pytest.mark.parametrize(
    "setting",
    [
        {"text.usetex": True},
        plt.style.library["dark_background"],
        {"savefig.dpi": 30, "savefig.transparent": True},
        {"xtick.labelsize": 20, "axes.unicode_minus": False},
    ],
    ids=["usetex", "dark", "saving", "ticks"],
)
def test_a_readers_settings_do_not_change_a_figure(render, setting):
    expected = render(training.plot_run(LOG))
    with plt.rc_context(setting):
        found = render(training.plot_run(LOG))
        assert all(mpl.rcParams[key] == value for key, value in setting.items())
    np.testing.assert_array_equal(found, expected)
