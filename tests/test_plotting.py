"""Every figure of the book keeps one contract, and the numbers in it are right.

Invariant: the contract knows of no single figure: it draws the examples of all drawing
functions that it finds, and holds each to the same rules.
"""

import importlib
import inspect
import io
import pkgutil

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_examples import EXAMPLES, LOG
from IPython.core.pylabtools import print_figure
from matplotlib.collections import PathCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.image import AxesImage, BboxImage
from matplotlib.lines import Line2D
from PIL import Image

import glyflib.plotting
from glyflib.plotting import training
from glyflib.plotting.base import BookFigure, figure, subplots
from glyflib.plotting.pictures import SPAN

SCALES = {(0, 255), (-1, 1), SPAN}  # of pictures: uint8, x0 and noisy ones
MODULES = [
    importlib.import_module(f"glyflib.plotting.{module.name}")
    for module in pkgutil.iter_modules(glyflib.plotting.__path__)
]
FIGURES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and hasattr(function, "__wrapped__")
}


def is_named(ax, side):
    """Whether an axis, or that of a panel in line with it, says what it shows."""
    axis = getattr(ax, f"{side}axis")
    ticks = [text.get_text() for text in axis.get_ticklabels()]
    ends = f"interval{side}"
    for other in ax.figure.axes:
        box, other_box = ax.get_position(), other.get_position()
        is_in_line = np.allclose(getattr(box, ends), getattr(other_box, ends))
        if is_in_line and getattr(other, f"{side}axis").get_label_text():
            return True
    return not ticks or any(letter.isalpha() for text in ticks for letter in text)


def look_of(handle):
    """What sets a series apart for a reader who sees no colours."""
    if isinstance(handle, ErrorbarContainer):
        handle = handle[0]
    if isinstance(handle, Line2D):
        dash, is_full = (
            handle._unscaled_dash_pattern,
            handle.get_mfc() not in ("none", "white"),
        )
        return "line", str(dash), handle.get_marker(), is_full, handle.get_lw()
    if isinstance(handle, PathCollection):
        return "dots", handle.get_paths()[0].vertices.tobytes()
    patch = handle[0] if isinstance(handle, tuple) else handle
    return type(patch).__name__, patch.get_hatch(), str(patch.get_linestyle())


def faults_of(fig):
    """The rules of the house that a figure breaks, in words."""
    found = []
    fig.draw_without_rendering()  # puts everything into its place
    if plt.get_fignums():
        found.append("is left open in pyplot")
    if not isinstance(fig, BookFigure):
        found.append("forgets the book's style when it is saved")
    for ax in filter(lambda ax: ax.axison and ax.has_data(), fig.axes):
        sides = [side for side in "xy" if is_named(ax, side)]
        if len(sides) < (1 if ax.get_label() == "<colorbar>" else 2):
            found.append(f"has an axis without a name ({ax.get_title()!r})")
        handles, names = ax.get_legend_handles_labels()
        if len(set(map(look_of, handles))) < len(set(names)):
            found.append(f"tells {names} apart by colour only")
    for image in fig.findobj(AxesImage) + fig.findobj(BboxImage):
        if image.get_cmap().name == "gray" and image.get_clim() not in SCALES:
            is_explained = image.colorbar is not None
            if not is_explained:
                found.append(f"has a picture on a scale of its own, {image.get_clim()}")
    page, drawn = fig.bbox_inches, fig.get_tightbbox()
    if (drawn.min < page.min - 0.05).any() or (drawn.max > page.max + 0.05).any():
        found.append(f"leaves its page, {drawn.extents} of {page.extents}")
    return found


def drawn(name):
    """The figure of an example."""
    args, options = EXAMPLES[name]
    return FIGURES[name](*args, **options)


def test_every_drawing_function_has_an_example():
    assert set(EXAMPLES) == set(FIGURES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_figure_keeps_the_contract(name):
    assert faults_of(drawn(name)) == []
