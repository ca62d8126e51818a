"""Every figure of the book keeps one contract, and the numbers in it are right.

Invariant: the contract knows of no single figure: it draws the examples of all drawing
functions that it finds, and holds each to the same rules.
"""

import importlib
import inspect
import io
import pathlib
import pkgutil
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_examples import (
    ALPHA_BAR,
    EXAMPLES,
    FALLING,
    LEVELS,
    LOG,
    PLACES,
    POINTS,
    SIDE,
    X0,
    XT,
)
from IPython.core.pylabtools import print_figure
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.image import AxesImage, BboxImage
from matplotlib.lines import Line2D
from matplotlib.quiver import Quiver
from matplotlib.text import Text
from PIL import Image

import glyflib.plotting
from glyflib.plotting import (
    dataset_map,
    flow_matching,
    forward_noising,
    gaussians,
    pictures,
    pixel_space,
    sampling,
    schedules,
    score_functions,
    solvers,
    text_embeddings,
    training,
    unet,
    when_training_fails,
    whole_thing,
)
from glyflib.plotting.base import (
    BLUE,
    EPS,
    GREY,
    LAYOUT_COLOURS,
    RADICAL_COLOURS,
    BookFigure,
    figure,
    group_colours,
    new_figure,
    number,
    reaches,
    subplots,
)
from glyflib.plotting.evaluation import plot_twins
from glyflib.plotting.pictures import SPAN, show_image

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
    for text in fig.findobj(Text):
        if re.search(r"(?<!\w)-\d", re.sub(r"\$.*?\$", "", text.get_text())):
            found.append(f"has a hyphen for a minus in {text.get_text()!r}")
    for text in fig.texts:
        if text.get_transform() != fig.transFigure:
            found.append(f"has {text.get_text()!r} in inches, which cutting moves")
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


@figure
def good():
    """A figure that keeps every rule, for the bad ones to spoil."""
    fig, (left, right) = subplots(1, 2, figsize=(6, 3))
    left.plot([1, 2], label="a")
    left.plot([2, 1], "--", label="b")
    left.set(xlabel="step", ylabel="loss")
    show_image(right, np.eye(4), span=(-1, 1))
    return fig


def spoiled_by(change):
    """A drawing function that changes the good figure."""

    @figure
    def draw():
        fig = good()
        change(*fig.axes)
        return fig

    return draw


@pytest.mark.parametrize(
    ("fault", "draw"),
    [
        ("without a name", spoiled_by(lambda ax, _: ax.set_xlabel(""))),
        ("by colour only", spoiled_by(lambda ax, _: ax.lines[1].set_linestyle("-"))),
        ("scale of its own", spoiled_by(lambda _, ax: ax.images[0].autoscale())),
        ("hyphen for a minus", spoiled_by(lambda ax, _: ax.set_title("from -1 to 1"))),
        ("leaves its page", spoiled_by(lambda ax, _: ax.text(-2, 1, "far away"))),
        ("left open", lambda: new_figure()),
        ("forgets the book's style", figure(lambda: plt.figure())),
    ],
)
def test_the_contract_can_be_broken(fault, draw):
    assert faults_of(good()) == []
    (found,) = faults_of(draw())
    plt.close("all")
    assert fault in found


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
    expected = render(drawn("training.plot_run"))
    with plt.rc_context(setting):
        found = render(drawn("training.plot_run"))
        assert all(mpl.rcParams[key] == value for key, value in setting.items())
    np.testing.assert_array_equal(found, expected)


# The numbers that drawing computes.


def line(ax, label):
    """x and y of the one line with a label."""
    (found,) = (one for one in ax.lines if one.get_label() == label)
    return found.get_xydata().T


def bars(ax):
    """Lower and upper ends (N, 2) of the error bars of a panel."""
    parts = [part for container in ax.containers for part in container[2]]
    return np.concatenate([np.stack(part.get_segments())[:, :, 1] for part in parts])


def test_intervals_become_distances_and_never_negative_ones():
    values, reach = reaches([(0.4, 0.3, 0.6), (0.0, 0.1, 0.2)])
    np.testing.assert_allclose(values, [0.4, 0.0])
    np.testing.assert_allclose(reach, [[0.1, 0.0], [0.2, 0.2]])


def test_a_number_below_zero_has_a_minus_and_no_hyphen():
    assert number(-0.126, ".2f") == "\N{MINUS SIGN}0.13"
    assert number(0.126, "+.1f") == "+0.1"


def test_a_long_caption_has_lines_that_fit_under_its_picture():
    words = "a caption that is too long for one line"
    fig = pictures.plot_images(X0, labels=[words, "short"], cols=4)
    fig.draw_without_rendering()
    long, short = (ax.texts[0] for ax in fig.axes[:2])
    assert len(long.get_text().splitlines()) == 2
    assert long.get_text().replace("\n", " ") == words
    assert short.get_text() == "short"
    side = pictures.WIDTH / 4 * fig.dpi
    assert long.get_window_extent().width < side
    assert long.get_window_extent().y0 >= 0
    narrow = pictures.plot_images(X0, labels=[words * 2] * 4, cols=4, fontsize=12)
    assert narrow.axes[0].texts[0].get_text().endswith("…")


def test_one_thing_keeps_one_colour_in_the_figures_of_a_flow():
    fig = drawn("flow_matching.plot_courses")
    pairs, flow = (ax.lines[0].get_color() for ax in fig.axes)
    assert pairs == GREY
    assert flow == drawn("flow_matching.plot_clocks").axes[1].lines[0].get_color()
    assert flow == drawn("flow_matching.plot_ways").axes[0].lines[1].get_color()
    left, right = drawn("flow_matching.plot_curves").axes
    assert left.lines[0].get_color() == right.lines[0].get_color()  # of even times
    assert line(fig.axes[1], "noise")[0].tolist() == [1] * 5
    with pytest.raises(ValueError, match="'flows' is not among the panels"):
        flow_matching.plot_courses({"flow": (SIDE, PLACES[:5])}, pairs=["flows"])
    with pytest.raises(ValueError, match="'odd' begins with none of"):
        flow_matching.plot_curves({"a": {"odd": (SIDE, SIDE)}}, {"a": ("x", "y")})


def test_frames_are_png_of_one_size_and_differ():
    draw = forward_noising.plot_step
    figures = [draw(POINTS, POINTS[:2], beta, [POINTS] * 2) for beta in (0.0, 0.3, 1.0)]
    frames = pictures.png_frames(figures)
    assert {Image.open(io.BytesIO(frame)).size for frame in frames} == {(506, 506)}
    assert len(set(frames)) == 3


def test_no_colour_of_a_figure_is_lost_in_its_frame():
    rng = np.random.default_rng(0)
    fig, ax = subplots(figsize=(7, 3.4))
    plt.close(fig)  # pyplot forgets it, and later tests find none open
    for colour in RADICAL_COLOURS.values():
        ax.plot(*rng.normal(size=(2, 300)), "o", ms=2, alpha=0.6, color=colour)
    fig.savefig(io.BytesIO())  # the layout settles in the first drawing
    whole = io.BytesIO()
    fig.savefig(whole, format="png", dpi=110)
    pixels = np.asarray(Image.open(whole).convert("RGB")).astype(int)
    (frame,) = pictures.png_frames([fig])
    kept = np.asarray(Image.open(io.BytesIO(frame)).convert("RGB"))
    assert abs(kept - pixels).max() <= 24


def test_grey_frames_share_one_scale_and_clip():
    xt = np.array([-9.0, -2.0, 0.0, 2.0, 9.0]).reshape(5, 1, 1, 1)
    assert pictures.grey_frames(xt).flatten().tolist() == [0, 0, 128, 255, 255]


def test_tiles_of_a_film_lie_left_to_right_then_down_with_paper_between():
    tiles = np.arange(0, 102, 17).reshape(6, 1, 1, 1).repeat(2, 2).repeat(2, 3)
    frame = pictures.film_frame([tiles, tiles], cols=3, gap=1)
    assert frame.shape == (5, 8 + 4 + 8) and frame.dtype == np.uint8
    left, right = frame[:, :8], frame[:, 12:]
    np.testing.assert_array_equal(left[::3, ::3], [[0, 17, 34], [51, 68, 85]])
    np.testing.assert_array_equal(left, right)
    assert (frame[2] == 255).all() and (frame[:, [2, 8, 11]] == 255).all()


def test_small_pictures_of_a_film_are_enlarged_in_blocks_and_clipped():
    small = np.array([7.0, -7.0]).reshape(2, 1, 1, 1).repeat(2, 2).repeat(2, 3)
    frame = pictures.film_frame([small], cols=1, span=(-1, 1), side=8, gap=4)
    assert frame.shape == (8 + 4 + 8, 8)
    assert (frame[:8] == 255).all() and (frame[12:] == 0).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"cols": 2}, "3 pictures do not fill rows of 2"), ({"side": 9}, "fill 9 pixels")],
)
def test_a_film_has_no_ragged_edges(options, said):
    with pytest.raises(ValueError, match=said):
        pictures.film_frame([np.zeros((3, 1, 4, 4))], **{"cols": 3} | options)


def test_a_table_scales_clean_rows_and_noisy_rows_each_by_their_own_span():
    fig = drawn("pictures.plot_table")
    spans = [ax.images[0].get_clim() for ax in fig.axes]
    assert spans == [SPAN] * 4 + [(-1, 1)] * 4
    for ax, picture in zip(fig.axes, np.concatenate([XT, X0]), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), picture[0])


@pytest.mark.parametrize("margin", [None, 0, 0.9])
def test_the_names_of_a_table_stand_beside_their_rows_or_above(margin):
    rows = {"one": X0, "two": X0}
    fig = pictures.plot_table(rows, span=(-1, 1), margin=margin, is_framed=True)
    assert [text.get_text() for text in fig.texts] == list(rows)
    assert faults_of(fig) == []
    for text, ax in zip(fig.texts, fig.axes[::4], strict=True):
        name, picture = text.get_window_extent(), ax.get_window_extent()
        is_above = name.y0 >= picture.y1
        assert is_above if margin == 0 else name.x1 < picture.x0
        middle = (name.y0 + name.y1) / 2
        assert is_above or middle == pytest.approx((picture.y0 + picture.y1) / 2, abs=5)


def test_notes_of_a_row_stand_under_its_own_pictures_and_above_the_next():
    rows = {"one": X0, "two": X0, "three": X0}
    notes = {"one": "abcd", "three": "efgh"}
    fig = pictures.plot_table(rows, span=(-1, 1), margin=0.9, notes=notes)
    assert faults_of(fig) == []
    written = ["".join(text.get_text() for text in ax.texts) for ax in fig.axes]
    assert written == [*"abcd", *[""] * 4, *"efgh"]
    for upper, lower in zip(fig.axes[:4], fig.axes[4:8], strict=True):
        note = upper.texts[0].get_window_extent()
        assert note.y1 <= upper.get_window_extent().y0
        assert note.y0 >= lower.get_window_extent().y1


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(KeyError, match=r"notes of \['b'\]: no rows"):
        pictures.plot_table({"a": X0}, notes={"b": "1234"})
    with pytest.raises(ValueError, match=r"differ in length: \[3, 4\]"):
        pictures.plot_table({"a": X0, "b": X0[:3]})
    with pytest.raises(ValueError, match=r"differ in length: \[1, 4\]"):
        pictures.plot_table({"a": X0}, ["only one"])
    with pytest.raises(ValueError, match="nothing to draw"):
        pictures.plot_images([])
    with pytest.raises(ValueError, match="nothing to draw"):
        score_functions.plot_fields({"a": (POINTS, 0 * PLACES)}, PLACES)
    with pytest.raises(ValueError, match="does not fit"):
        text_embeddings.plot_pieces({"long": [("\u2581chemical", 839)] * 12})


def test_captions_of_two_lines_have_room_under_their_pictures():
    labels = ["one line", "two\nlines"] * 2
    fig = pictures.plot_images(X0, labels=labels, cols=2, fontsize=12)
    fig.draw_without_rendering()
    boxes = [ax.get_window_extent() for ax in fig.axes]
    texts = [ax.texts[0].get_window_extent() for ax in fig.axes]
    assert [ax.texts[0].get_text() for ax in fig.axes] == labels
    assert not any(text.overlaps(box) for text in texts for box in boxes)
    assert min(text.y0 for text in texts) >= 0


def test_values_are_written_to_fit_into_pixels_and_to_be_seen_on_them():
    fig = pixel_space.plot_values(np.array([[-1.0, 0.9]]), span=(-1, 1), spec=".2f")
    fig.draw_without_rendering()
    (ax,) = fig.axes
    found = [(text.get_text(), text.get_color()) for text in ax.texts]
    assert found == [("\N{MINUS SIGN}1.00", "white"), ("0.90", "black")]
    pixel = np.ptp(ax.transData.transform([(0, 0), (1, 0)])[:, 0])
    assert all(text.get_window_extent().width < pixel for text in ax.texts)


def test_corners_of_two_pixels_hold_the_share_of_glyphs_with_ink_or_paper_there():
    pairs = np.array([[-1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, 0.9], [0.0, 1.0]])
    (ax,) = pixel_space.plot_two_pixels({"glyphs": pairs}).axes
    found = {text.get_position(): text.get_text() for text in ax.texts}
    shares = {tuple(np.sign(place).astype(int)): text for place, text in found.items()}
    assert shares == {(-1, -1): "40%", (-1, 1): "20%", (1, -1): "0%", (1, 1): "20%"}


def test_shares_of_pixels_and_of_variance_add_up():
    values = {"ink and paper": np.array([-1.0, 1.0, 1.0, 1.0])}
    heights = pixel_space.plot_value_histogram(values).axes[0].patches[0].get_data()[0]
    assert (heights.sum(), heights.max()) == pytest.approx((100, 75))
    (ax,) = pixel_space.plot_variance_share({"flat": np.ones(10)}, level=0.85).axes
    assert ax.texts[0].get_text() == "9"
    assert line(ax, "flat")[1, -1] == pytest.approx(100)


def test_an_ellipse_lies_k_sigma_from_the_mean():
    mean, cov = np.array([3.0, -1.0]), np.array([[4.0, 1.2], [1.2, 1.0]])
    away = gaussians.ellipse(mean, cov, 2) - mean
    squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(cov), away)
    np.testing.assert_allclose(squared, 4)


@pytest.mark.parametrize("beta", [0.0, 0.2, 1.0])
def test_circles_of_a_step_have_its_centre_and_standard_deviations(beta):
    point = np.array([[0.5, -1.0]])
    (ax,) = forward_noising.plot_step(point, point, beta, [POINTS]).axes
    scale, std = np.sqrt(1 - beta), np.sqrt(beta)
    np.testing.assert_allclose(ax.patches[0].center, scale * point[0])
    np.testing.assert_allclose([c.width for c in ax.patches], [2 * std, 4 * std])


def test_the_chain_states_the_numbers_of_the_schedule():
    fig = drawn("forward_noising.plot_chain")
    text = " ".join(text.get_text() for text in fig.texts)
    signal, beta = ALPHA_BAR[300] ** 0.5, 1 - ALPHA_BAR[300] / ALPHA_BAR[299]
    assert f"{signal:.4f} $x_0$\n+ {(1 - signal**2) ** 0.5:.4f} ${EPS}$" in text
    assert f"{(1 - beta) ** 0.5:.4f}" in text and f"{beta:.4f}" in text


def test_pixels_that_noise_is_shown_for_are_the_nearest_of_their_value():
    picture = np.ones((5, 5))
    picture[1, 1] = picture[4, 4] = -1
    place = forward_noising.place_of
    assert place(picture, -1, near=(0, 0)).tolist() == [1, 1]
    assert place(picture, -1, near=(0.8, 1)).tolist() == [4, 4]


def test_densities_of_given_and_marginal_share_one_scale():
    _, *axes = drawn("forward_noising.plot_given_and_marginal").axes
    assert len({ax.get_ylim() for ax in axes}) == 1


def test_each_given_point_has_a_cloud_of_its_own_colour_and_circles_that_are_seen():
    (ax,) = drawn("forward_noising.plot_step").axes
    _, *clouds, _ = ax.lines  # between the data and the centres
    colours = {to_hex(cloud.get_color()) for cloud in clouds}
    assert len(colours) == len(clouds) == 2
    assert colours.isdisjoint(to_hex(circle.get_edgecolor()) for circle in ax.patches)
    assert all(circle.zorder > clouds[0].zorder for circle in ax.patches)


def test_epsilon_has_the_form_that_it_has_in_the_text():
    folder = pathlib.Path(glyflib.plotting.__path__[0])
    written = [
        path for path in folder.glob("*.py") if "epsilon" in path.read_text("utf-8")
    ]
    assert not written, "write EPS: matplotlib draws its own epsilon otherwise"


def test_walks_jumps_and_formula_state_their_means():
    ax = drawn("forward_noising.plot_arrivals").axes[0]
    (text,) = (text.get_text() for text in ax.texts)
    assert text.splitlines()[0] == "mean:"
    expected = f"formula \N{MINUS SIGN}{ALPHA_BAR[900] ** 0.5:.2f}"
    assert text.splitlines()[-1] == expected


def test_given_ink_and_given_paper_add_up_to_the_marginal():
    for ax in drawn("forward_noising.plot_given_and_marginal").axes[1:]:
        names = (
            "marginal $q(x_t)$",
            "ink: bell × share",
            "paper: bell × share",
        )
        (u, marginal), (_, ink), (_, paper) = (line(ax, name) for name in names)
        np.testing.assert_allclose(ink + paper, marginal)
        assert np.trapezoid(ink, u) == pytest.approx(0.3, abs=0.001)


@pytest.mark.parametrize(
    ("label", "mean", "var"), [("belief", 0, 1), ("both", 2, 1 / 3)]
)
def test_bells_have_the_mean_and_variance_handed_in(label, mean, var):
    x, y = line(drawn("reverse_process.plot_products").axes[0], label)
    assert x[y.argmax()] == pytest.approx(mean, abs=0.02)
    assert y.max() == pytest.approx((2 * np.pi * var) ** -0.5, rel=0.01)


def test_bells_on_the_way_back_have_the_same_axes_so_heights_can_be_compared():
    u = np.linspace(-3, 3, 61)
    low = np.exp(-(u**2))
    densities = {290: (low, low), 200: (3 * low, low), 50: (low, 2 * low)}
    plot_reverse = glyflib.plotting.reverse_process.plot_reverse
    fig = plot_reverse(u, densities, 300, {1: 0.1, 10: 0.2})
    tops = [ax.get_ylim()[1] for ax in fig.axes[:3]]
    assert tops[0] == tops[1] == tops[2] > 3


def test_answers_of_the_perfect_denoiser_are_rings_that_hide_no_data():
    (rings,) = [
        line
        for line in drawn("perfect_denoiser.plot_answers").axes[0].lines
        if line.get_marker() == "o"
    ]
    assert rings.get_markerfacecolor() == "none"


def test_data_that_are_only_examples_are_grey():
    clouds = [ax.lines[0] for ax in drawn("perfect_denoiser.plot_answers").axes]
    assert [line.get_color() for line in clouds] == [BLUE, GREY]
    plot = glyflib.plotting.perfect_denoiser.plot_answers
    with pytest.raises(ValueError, match="'inc'"):
        plot(POINTS, {"ink": (POINTS, POINTS)}, grey=["inc"])


def test_draws_that_coincide_are_one_dot_with_their_number_as_area():
    points = np.array([[0, 0], [1, 1], [0, 0.004], [2, 0], [0.004, 0], [1, 1.5]])
    fig = glyflib.plotting.perfect_denoiser.plot_draws({"a": points, "b": points[3:]})
    (dots,) = fig.axes[0].collections
    np.testing.assert_array_equal(dots.get_offsets(), points[[0, 1, 3, 5]])
    sizes = dots.get_sizes()
    np.testing.assert_allclose(sizes / sizes.min(), [3, 1, 1, 1])
    assert len(fig.axes[1].collections[0].get_offsets()) == 3


def test_an_arrow_points_along_the_field_and_its_colour_is_its_length():
    field = np.stack([3 * PLACES[:, 0], -4 * np.ones(25)], axis=1)
    field[[3, 7, 9]] = [[0, 0], [np.nan, 1], [0.001, 0]]
    fig = score_functions.plot_fields({"a": (POINTS, field)}, PLACES, shortest=0.1)
    (arrows,) = fig.findobj(Quiver)
    seen = np.delete(field, [3, 7, 9], axis=0)
    length = np.hypot(*seen.T)
    np.testing.assert_allclose(arrows.get_array(), length)
    unit = np.stack([arrows.U, arrows.V], axis=1)
    np.testing.assert_allclose(unit * length[:, None], seen, atol=1e-12)
    (crosses,) = (one for one in fig.axes[0].lines if one.get_marker() == "x")
    np.testing.assert_array_equal(crosses.get_xydata(), PLACES[[3, 7, 9]])


def test_arrows_of_one_length_leave_a_cross_where_there_is_none():
    field = np.stack([3 * PLACES[:, 0], -4 * np.ones(25)], axis=1)
    field[[3, 7]] = [[0, 0], [np.nan, 1]]
    fig = score_functions.plot_directions({"a": field}, PLACES, POINTS)
    (arrows,) = fig.findobj(Quiver)
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), 1)
    seen = np.delete(field, [3, 7], axis=0)
    across = arrows.U * seen[:, 1] - arrows.V * seen[:, 0]
    np.testing.assert_allclose(across, 0, atol=1e-12)
    assert (arrows.U * seen[:, 0] + arrows.V * seen[:, 1] > 0).all()
    (crosses,) = (one for one in fig.axes[0].lines if one.get_marker() == "x")
    np.testing.assert_array_equal(crosses.get_xydata(), PLACES[[3, 7]])


def test_names_stand_where_they_are_put():
    spots = {"stacked": (-1, 2), "water": (1.5, 0.5)}
    walkers = score_functions.plot_walkers(
        {"one": POINTS, "many": POINTS}, POINTS, spots=spots
    )
    field = 3 * PLACES + 0.5
    arrows = score_functions.plot_directions(
        {"a": field, "b": field}, PLACES, POINTS, spots=spots
    )
    for ax in (*walkers.axes, arrows.axes[0]):
        assert {one.get_text(): one.get_position() for one in ax.texts} == spots
    assert not arrows.axes[1].texts


def test_humps_are_named_above_the_density():
    x = np.linspace(-2, 2, 41)
    curve = np.exp(-(x**2)), -(x**2), -2 * x
    fig = score_functions.plot_slopes(x, {"a": curve}, humps={"top": 0, "side": 1})
    where = {one.get_text(): one.get_position() for one in fig.axes[0].texts}
    assert where["top"] == pytest.approx((0, 1.1))
    assert where["side"] == pytest.approx((1, np.exp(-1) + 0.1))


def test_the_error_of_a_learned_arrow_is_a_share_of_the_exact_one():
    exact = 3 * PLACES + 0.5
    fig = score_functions.plot_learned(PLACES, POINTS, exact, 1.1 * exact)
    (squares,) = fig.axes[1].collections
    np.testing.assert_allclose(squares.get_array(), 0.1)


def colours_of_dots(ax):
    """The colour of each named cloud of points."""
    clouds = [c for c in ax.collections if not c.get_label().startswith("_")]
    return {c.get_label(): to_hex(c.get_facecolor()[0]).upper() for c in clouds}


def test_a_radical_has_its_colour_in_every_figure():
    names = [*RADICAL_COLOURS]
    few, many = ("metal", "water", "thing"), (names[:8], names[1:])
    seen = []
    for labels in many:
        points = {"map": (POINTS, [*labels, "", *labels * 3, *[""] * 7])}
        seen.append(colours_of_dots(dataset_map.plot_maps(points).axes[0]))
    groups = {name: [3 * i, 3 * i + 1] for i, name in enumerate(few)}
    column = ("t = 0", POINTS, np.eye(4), (-3, 3, -3, 3))
    clouds = schedules.plot_clouds([column], groups, ("x", "y"))
    seen.append(colours_of_dots(clouds.axes[0]))
    for found in seen:
        own = {name: RADICAL_COLOURS[name] for name in found if name != "thing"}
        assert own and own.items() <= {k: v.upper() for k, v in found.items()}.items()
    assert seen[2]["thing"] not in {seen[2]["metal"], seen[2]["water"]}


def test_each_radical_is_seen_on_the_map():
    names = [*RADICAL_COLOURS][:8]
    points = np.random.default_rng(0).uniform(size=(8000, 2))
    fig = dataset_map.plot_maps({"map": (points, names * 1000)})
    left, bottom, right, top = fig.axes[0].get_window_extent().extents.astype(int)
    seen = saved(fig)[::-1][bottom:top, left:right, :3].reshape(-1, 3) / 255
    for name in names:
        away = np.abs(seen - to_rgb(RADICAL_COLOURS[name])).max(1)
        assert (away < 0.1).mean() > 0.001, name


def test_a_layout_has_its_colour_on_the_map():
    sides = ["top-bottom", "left-right"]
    on_map = dataset_map.plot_maps({"map": (POINTS, sides * 20)}).axes[0]
    assert colours_of_dots(on_map) == {k: LAYOUT_COLOURS[k].upper() for k in sides}


def test_groups_without_a_colour_get_one_that_nobody_has():
    found = group_colours(["b", "water", "a"])
    assert found["water"] == RADICAL_COLOURS["water"]
    assert len(set(found.values())) == 3
    assert len({*RADICAL_COLOURS.values()}) == len(RADICAL_COLOURS)
    with pytest.raises(ValueError, match="10 groups need more than 9 colours"):
        group_colours("abcdefghij")


def test_bars_reach_two_standard_errors():
    left, _ = drawn("schedules.plot_information").axes
    np.testing.assert_allclose(bars(left), np.outer(FALLING, [7 / 9, 11 / 9]))
    factor = drawn("score_functions.plot_factor").axes[0]
    np.testing.assert_allclose(bars(factor), [[0.48, 0.52], [0.86, 0.94]])


def test_bars_of_a_race_are_intervals_of_means_of_few():
    rows = np.array([[1.0, 2.0, 3.0, 4.0]] * 4)
    (race,) = solvers.plot_race(LEVELS, {"distance": {"Heun": rows}}).axes
    half = 3.182 * rows[0].std(ddof=1) / 2  # tables of Student's t, for four values
    np.testing.assert_allclose(bars(race), [[2.5 - half, 2.5 + half]] * 4, rtol=1e-3)


def test_a_race_has_a_line_at_zero_for_differences_only():
    distance, kernel = drawn("solvers.plot_race").axes
    assert distance.get_yscale() == "log" and kernel.get_yscale() == "linear"
    assert [0, 0] in [list(one.get_ydata()) for one in kernel.lines]
    assert [0, 0] not in [list(one.get_ydata()) for one in distance.lines]


def test_lines_lead_from_places_on_a_path_to_beliefs_without_noise():
    (ax,) = drawn("solvers.plot_plane").axes
    assert line(ax, "aim").T.tolist() == [[1, 2], [0, 0.5]]
    assert -0.1 < ax.get_xlim()[0] < 0 and not ax.xaxis_inverted()


@pytest.mark.parametrize(
    "name",
    [
        "schedules.plot_information",
        "schedules.plot_loss_weights",
        "schedules.plot_timetable",
        "solvers.plot_line",
    ],
)
def test_noise_grows_to_the_right_where_the_log_snr_is_an_axis(name):
    axes = [ax for ax in drawn(name).axes if "log-SNR" in ax.get_xlabel()]
    assert axes and all(ax.xaxis_inverted() for ax in axes)
    assert all("noise on the right" in ax.get_xlabel() for ax in axes)


def test_noise_grows_to_the_right_under_paths_back_to_data():
    left, right = drawn("solvers.plot_paths").axes[:2]
    assert left.get_title() == "where they end" and not right.xaxis_inverted()
    path = right.lines[0]
    assert path.get_xdata().tolist() == [3, 2, 1, 0]
    np.testing.assert_allclose(path.get_ydata(), FALLING * SIDE[0])


def test_an_infinite_factor_is_an_arrow_at_its_level():
    _, right = drawn("schedules.plot_ends").axes
    assert [arrow.xy[0] for arrow in right.texts] == [1000]


def test_losses_of_steps_add_up_to_what_was_told():
    bits = np.array([14.0, 13.5, 6.0, 0.5])
    _, right = schedules.plot_forgetting_rate({"cosine": bits}).axes
    assert right.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 7.5], [3, 5.5]]


def test_boxes_are_as_high_as_the_curve_at_their_noisy_end():
    boxes = drawn("schedules.plot_boxes").axes[0].patches
    found = [(box.get_x(), box.get_width(), box.get_height()) for box in boxes]
    np.testing.assert_allclose(found, [(0.2, 0.3, 8), (0.5, 0.5, 5)])


def test_the_line_runs_through_two_answers_and_is_read_in_the_middle():
    steps, known = [0.0, 1.0, 3.0, 4.0], [0.0, 2.0, 3.0, 5.0]
    (ax,) = solvers.plot_line(([0, 4], [0, 5]), (steps, known), at=2).axes
    assert line(ax, "line").T.tolist() == [[1, 2], [4, 3.5]]
    assert line(ax, "what 2M takes").T.tolist() == [[3.5, 3.25]]


def test_guides_have_the_slope_of_the_order_and_end_on_the_error():
    panels = {"a": ((10, 20, 40), {"Heun": [1.0, 0.3, 0.1]})}
    guide = solvers.plot_order(panels, {"Heun": 2}).axes[0].lines[0]
    np.testing.assert_allclose(guide.get_ydata(), [1.6, 0.4, 0.1])


def test_slices_stand_on_their_lines_in_proportion():
    plane = drawn("conditional_distributions.plot_counts").axes[0]
    low, high = (line(plane, f"{y}")[1] - y for y in (1, 2))
    np.testing.assert_allclose(high / high.max(), FALLING)
    np.testing.assert_allclose(low, low[0])
    assert low[0] / high[0] == pytest.approx(0.25 / FALLING[0])


def test_a_slice_is_drawn_as_it_is_and_with_area_one():
    ax = drawn("conditional_distributions.plot_slice").axes[1]
    cut, divided = (line(ax, name) for name in ("as it is cut", "divided by its area"))
    assert np.trapezoid(cut[1], cut[0]) == pytest.approx(1 / 3, abs=1e-3)
    assert np.trapezoid(divided[1], divided[0]) == pytest.approx(1)


def test_pulls_are_shares_of_their_largest_and_the_square_is_as_wide_as_told():
    pull = np.diag([1.0, 2.0, 0.5])
    fig = unet.plot_pulls({"a": pull, "b": 3 * pull}, squares=[1])
    for ax in fig.axes[:2]:
        assert np.diag(ax.images[0].get_array()).tolist() == [0.5, 1, 0.25]
    (box,) = fig.axes[0].patches
    assert (box.get_xy(), box.get_width()) == ((0.5, 0.5), 1)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_an_embedding_stands_beside_as_many_matrices_as_there_are(num):
    similar = {name: np.eye(4) for name in "abc"[:num]}
    fig = unet.plot_embedding(LEVELS, np.ones((4, 8)), similar)
    *panels, _ = fig.axes  # the last is the colour bar
    titles = [ax.get_title() for ax in panels if ax.get_visible()]
    assert titles == ["embedding", *similar]


def test_a_signed_scale_has_zero_in_its_middle():
    assert unet.balanced([-1.0, 5.0]) == pytest.approx((-5, 5), abs=0.1)
    assert unet.balanced(np.zeros(4)) == (-1, 1)


def test_a_running_mean_is_the_mean_of_each_window():
    np.testing.assert_allclose(training.running_mean([1, 2, 6, 7], 2), [1.5, 4, 6.5])


def test_moments_are_spread_by_a_factor_and_end_with_the_last():
    assert training.spread([0, 100, 120, 200, 210, 400, 410]) == [0, 1, 3, 5, 6]
    assert training.spread([7]) == [0]


def test_a_spoilt_point_is_shrunk_and_then_pushed():
    x0, eps = np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [3.0, 3.0]])
    (ax,) = whole_thing.plot_spoilt(x0, eps, (0.8, 0.6), one=0).axes
    np.testing.assert_allclose(line(ax, "shrunk").T, [[2, 0], [1.6, 0]])
    np.testing.assert_allclose(line(ax, "pushed").T, [[1.6, 0], [1.6, 0.6]])
    np.testing.assert_allclose(line(ax, "the same, spoilt").T, [[1.6, 0.6]])
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1.6, 0.6], [2.6, 2.6]])


def test_ways_home_are_shown_as_directions():
    ways = np.array([[3.0, 4.0], [0.0, -0.1], [0.0, 0.0]])
    fig = whole_thing.plot_ways_home({50: (POINTS, ways)}, PLACES[:3])
    (arrows,) = fig.findobj(Quiver)
    found = np.stack([arrows.U, arrows.V], axis=1) / whole_thing.ARROW
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, -1], [0, 0]])


def test_drawn_points_lie_on_the_pale_data_if_there_are_some():
    panels = {"one": POINTS, "two": POINTS / 2}
    for ax in whole_thing.plot_side_by_side(panels, data=2 * POINTS).axes:
        ground, drawn_points = ax.lines
        assert ground.get_color() == whole_thing.PALE
        np.testing.assert_allclose(ground.get_xydata(), 2 * POINTS)
        np.testing.assert_allclose(drawn_points.get_xydata(), panels[ax.get_title()])
    assert all(len(ax.lines) == 1 for ax in whole_thing.plot_side_by_side(panels).axes)


@pytest.mark.parametrize(
    ("rates", "starts"),
    [((1, 2, 3, 2, 1), []), ((1, 3, 2, 0.5, 2), [3]), ((1, 3, 1, 2, 1, 4, 2), [2, 4])],
)
def test_a_stage_starts_where_the_rate_turns_upwards(rates, starts):
    rows = [{"learning_rate": rate} for rate in rates]
    assert training.stage_starts(rows) == starts


def test_a_run_shows_the_mean_of_its_losses_and_its_stages():
    top, low = drawn("training.plot_run").axes
    glyphs, mean = line(top, "mean of 2 steps")
    assert (glyphs[0], mean[0], len(mean)) == (48, 0.75, 6)  # between two steps
    assert low.lines[1].get_xdata()[0] == 128  # where a stage begins
    assert line(training.plot_run(LOG[:1]).axes[0], "mean of 1 steps").shape == (2, 1)
    with pytest.raises(ValueError, match="no rows"):
        training.plot_run([])


def test_the_mean_of_a_straight_fall_lies_among_its_dots():
    rows = [
        {"glyphs": 16 * i, "loss": 1 - i / 100, "learning_rate": 1} for i in range(60)
    ]
    top = training.plot_run(rows, window=30).axes[0]
    glyphs, mean = line(top, "mean of 30 steps")
    np.testing.assert_allclose(mean, 1 - glyphs / 1600)
    losses = [1 - step / 100 for step in range(1, 61)]
    (ax,) = training.plot_rewind({"a": losses}, {"a": 1}, 0.5, window=30).axes
    steps, mean = line(ax, "a: in training")
    np.testing.assert_allclose(mean, 1 - steps / 100)


def test_a_run_by_heart_shows_what_lies_after_the_first_moment():
    left, right = drawn("training.plot_by_heart").axes
    glyphs, loss = left.lines[0].get_data()
    assert list(glyphs) == [row["glyphs"] for row in LOG[1:]]
    np.testing.assert_allclose(
        loss, np.convolve([r["loss"] for r in LOG], [0.5] * 2)[1:-1]
    )
    late = training.plot_by_heart(LOG, [128, 200], {"low": [2, 1]}, window=2)
    assert late.axes[0].lines[0].get_xdata()[0] == 128
    np.testing.assert_allclose(line(right, "low"), [[1, 3], [1.2, 1]])
    with pytest.raises(ValueError, match="no rows"):
        training.plot_by_heart([], [1], {})


def test_panels_of_held_out_errors_stand_in_so_many_columns():
    rows = [
        {"glyphs": 0, "level": level, "captions": 0.1, "no_captions": 0.2}
        for level in (10, 20, 30)
    ]
    columns = {ax.get_position().x0 for ax in training.plot_held_out(rows).axes}
    assert len(columns) == 3
    fig = training.plot_held_out(rows, num_columns=2)
    assert [ax.axison for ax in fig.axes] == [True, True, True, False]
    with pytest.raises(ValueError, match="num_columns 0 must be at least 1"):
        training.plot_held_out(rows, num_columns=0)


def test_savings_below_zero_lie_below_the_line():
    (ax,) = drawn("training.plot_savings").axes
    bars = ax.containers[0].lines[0]
    np.testing.assert_allclose(bars.get_ydata(), [0.1, -0.1])
    assert [0, 0] in [list(one.get_ydata()) for one in ax.lines]


def test_a_cloud_that_lies_outside_gets_a_wider_frame_that_says_so():
    clouds = {"near": POINTS / 10, "far": 100 * POINTS}
    near, far = when_training_fails.plot_cloud_table({"told": clouds}, reach=1).axes
    assert near.get_xlim() == (-1, 1) and not near.get_xlabel()
    reach = far.get_xlim()[1]
    assert 100 < reach < 100 * np.abs(POINTS).max()
    assert far.get_xlabel() == f"{reach:.0f} times as wide"
    assert not far.texts  # a note among the points would be crossed by some


def test_a_long_name_of_a_row_has_room_at_the_left_of_its_pictures():
    fig = pictures.plot_table({"fish minus fish, 8": X0}, span=(-1, 1), margin=0.3)
    fig.canvas.draw()
    name = fig.texts[0].get_window_extent()
    assert name.x0 >= 0 and name.x1 < fig.axes[0].get_window_extent().x0


def test_names_of_rows_of_twins_have_room_at_the_left_of_their_pictures():
    fig = plot_twins({"20,162 glyphs": (X0, X0)})
    fig.canvas.draw()
    name = fig.texts[0].get_window_extent()
    assert name.x0 >= 0 and name.x1 < fig.axes[0].get_window_extent().x0


def test_walks_stay_within_their_panels():
    paths = {2: np.array([[0.0], [5.0], [-1.0]]), 1: np.zeros((2, 1))}
    fig = solvers.plot_walks(paths, ([0.0, 1.0], [1.0, 0.0]))
    assert all(ax.get_ylim() == (-5.25, 5.25) for ax in fig.axes)


def test_a_reader_can_tell_which_curve_is_which_channel():
    fig = drawn("unet.plot_channels")
    names = [text.get_text() for text in fig.legends[0].get_texts()]
    assert names == [*"abcdef"]


@pytest.mark.parametrize(
    "name",
    ["estimates.plot_estimates", "flow_matching.plot_courses", "solvers.plot_walks"],
)
def test_the_last_number_of_a_panel_is_too_short_to_meet_the_next_ones_first(name):
    fig = drawn(name)
    fig.canvas.draw()
    for ax in fig.axes:
        numbers = {text.get_text() for text in ax.get_xticklabels()}
        assert {"0", "1"} <= numbers and not numbers & {"0.0", "1.0", "0.00", "1.00"}


def test_losses_are_smoothed_and_held_against_the_floor():
    good, wild = drawn("when_training_fails.plot_losses").axes
    steps, mean = good.lines[1].get_data()
    assert list(steps) == [1, 2, 3]
    np.testing.assert_allclose(mean, [0.8, 0.45, 0.2])
    heights = [one.get_ydata()[0] for one in wild.lines[2:]]
    assert heights == [1, 0.25]


def test_errors_of_glyphs_are_drawn_as_their_median():
    errors = {"a": {1: [1.0, 2.0, 6.0], 10: [0.1, 0.3, 0.2]}}
    found = line(sampling.plot_errors(errors, {}).axes[0], "a")
    np.testing.assert_allclose(found, [[1, 10], [2, 0.2]])
