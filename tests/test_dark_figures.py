"""Charts in the dark and on a phone: light ink, readable letters, data left alone."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from folder_pages import opened_pages
from IPython.core.pylabtools import print_figure
from matplotlib.lines import Line2D
from PIL import Image
from test_site import read_pages, serve

from glyflib.plotting.base import (
    BLUE,
    GREEN,
    ORANGE,
    PINK,
    RED,
    BookFigure,
    figure,
    subplots,
)
from glyflib.plotting.canvas import NOTES, BookCanvas, with_few_channels
from glyflib.plotting.pictures import plot_images, show_image, stamp

BOOK = Path(__file__).parents[1] / "book"
sys.path.insert(0, str(BOOK / "_sphinx"))
from dark_figures import (  # noqa: E402
    dark_partner,
    least_width,
    oklab_from_rgb,
    pieces_of,
    read_notes,
    rgb_from_oklab,
)

# Pictures keep their pixels, and so do panels in which colours stand for values.
KEPT = {"fig-conditional-judges", "fig-conditional-strokes", "fig-score-difference"}
INK_ON_PAPER = (
    r"\b(black|white|dark|pale)(er)?( blue)?"
    r"(:| (\w+ ){0,2}(line|curve|dot|strip|bar|ring|cross))"
)
INKS = [BLUE, ORANGE, GREEN, RED, PINK]
DARK = np.array([18, 18, 18])  # about the paper of the theme in the dark
SETTINGS = """title: One
only_build_toc_files: true
execute: {execute_notebooks: 'off'}
sphinx:
  local_extensions: {chapters: _sphinx, dark_figures: _sphinx}
  config: {html_context: {default_mode: auto}}
"""
CAPTION = """<a id="fig-one"></a>**Figure 1.** A curve and a picture.

<details><summary>In words …</summary>A curve falls beside a picture.</details>"""
CLEAR = ("LA", "RGBA")
PHONE = {"viewport": {"width": 390, "height": 844}}
# Of each sheet that is seen: how large its smallest letters are, and whether a reader
# can get at all of it.
LETTERS = """async () => {
  const sheets = "article a.sheet:not(.stacks), article a.sheet .piece";
  const seen = [...document.querySelectorAll(sheets)]
    .filter((sheet) => sheet.checkVisibility());
  const pictures = seen.map((sheet) => sheet.querySelector("img"));
  pictures.forEach((picture) => { picture.loading = "eager"; }); // else it may not come
  await Promise.all(pictures.map((picture) => picture.decode()));
  return seen.map((sheet) => {
    const picture = sheet.querySelector("img");
    const least = parseFloat(getComputedStyle(sheet).getPropertyValue("--least")) || 0;
    const isWhole = picture.offsetWidth <= sheet.clientWidth + 1;
    return {
      name: picture.src.split("/").pop(),
      letters: least ? (9 * picture.offsetWidth) / least : null,
      isReached: isWhole || getComputedStyle(sheet).overflowX === "auto",
    };
  });
}"""


def rgb(colour):
    """(3,) uint8 of a colour written as #0072B2."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


def lab(pixel):
    """(3,) lightness and two hues of a uint8 colour (3,)."""
    return oklab_from_rgb(np.asarray(pixel)[None] / 255)[0]


def over(pixel, paper=DARK):
    """(3,) colour of a pixel (4,) with opacity on the paper of a page."""
    share = pixel[3] / 255
    return share * pixel[:3] + (1 - share) * paper


def contrast(one, other):
    """The ratio of two colours' brightness, as WCAG counts it."""
    found = []
    for colour in (one, other):
        part = np.asarray(colour) / 255
        linear = np.where(
            part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4
        )
        found.append(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return max(found) / min(found)


def hue(pixel):
    """The direction of a colour away from grey, in radians."""
    return np.arctan2(*lab(pixel)[:0:-1])


@figure
def chart(size=9.5):
    """A curve, a picture inside its panel's edges, and a glyph beside a word."""
    fig, (left, right) = subplots(1, 2, figsize=(6, 3))
    left.plot([1, 2, 3], [3, 1, 2])
    left.set(xlabel="step", ylabel="loss")
    left.set_title("small", fontsize=size)
    stamp(left, np.zeros((64, 64), np.uint8), (2, 2))
    show_image(right, -np.ones((8, 8)), span=(-1, 1))
    return fig


def png_of(fig):
    """The bytes of a figure as a notebook shows it."""
    return print_figure(fig)


def notes_of(png):
    """What a PNG file, as bytes, says of itself."""
    return json.loads(Image.open(io.BytesIO(png)).text[NOTES])


def test_a_colour_comes_back_from_its_lightness_and_hue():
    colours = np.random.default_rng(0).random((50, 3))
    np.testing.assert_allclose(rgb_from_oklab(oklab_from_rgb(colours)), colours)
    np.testing.assert_allclose(lab([255, 255, 255]), [1, 0, 0], atol=1e-6)


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_caption_calls_a_line_black_which_is_light_in_the_dark(path):
    for cell in nbformat.read(path, 4).cells:
        is_caption = cell.cell_type == "markdown" and "**Figure" in cell.source
        if is_caption and cell.id not in KEPT:
            caption = cell.source.partition("<details>")[0]
            found = re.search(INK_ON_PAPER, caption, re.IGNORECASE)
            assert not found, f"{cell.id}: {found}: name it by dash, width or label"


def test_paper_becomes_clear_and_black_ink_nearly_white():
    dark = dark_partner(np.array([[[255] * 3, [0] * 3]], np.uint8), [])
    assert dark[0, 0, 3] == 0
    assert dark[0, 1, 3] == 255
    assert (dark[0, 1, :3] > 220).all()


@pytest.mark.parametrize("colour", INKS)
def test_an_ink_keeps_its_hue_and_is_seen_on_black(colour):
    paper = np.full((1, 1, 3), rgb(colour))
    seen = over(dark_partner(paper, [])[0, 0])
    turn = hue(seen) - hue(rgb(colour))
    assert abs((turn + np.pi) % (2 * np.pi) - np.pi) < 0.2
    assert contrast(seen, DARK) > 3


def test_the_soft_edge_of_a_line_has_the_lines_own_colour():
    share = np.linspace(0.2, 1, 9)[:, None]
    edge = np.rint(share * rgb(BLUE) + (1 - share) * 255).astype(np.uint8)
    dark = dark_partner(edge[None], [])[0].astype(int)
    assert abs(dark[:, :3] - dark[-1, :3]).max() <= 6
    assert (np.diff(dark[:, 3]) > 0).all()


def test_inside_the_boxes_every_pixel_stays_and_outside_them_none_is_kept():
    paper = np.random.default_rng(0).integers(9, 200, (12, 20, 3), np.uint8)
    boxes = [[2, 1, 7, 5], [5, 4, 9, 12], [15, 8, 30, 30]]
    dark = dark_partner(paper, boxes)
    is_kept = np.zeros(paper.shape[:2], bool)
    for left, upper, right, lower in boxes:
        is_kept[upper:lower, left:right] = True
    np.testing.assert_array_equal(dark[is_kept, :3], paper[is_kept])
    assert (dark[is_kept, 3] == 255).all()
    assert (dark[~is_kept, 3] < 255).all()


def test_a_figure_says_where_its_pictures_are_to_the_pixel():
    png = png_of(chart())
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    kept = notes_of(png)["kept"]
    assert len(kept) == 2  # the stamped glyph and the picture, both all ink
    for left, upper, right, lower in kept:
        assert (pixels[upper:lower, left:right] == 0).all()
        assert (pixels[upper - 1, left:right] > 0).all()
        assert (pixels[lower, left:right] > 0).all()
        assert (pixels[upper:lower, [left - 1, right]] > 0).all()


def test_a_sheet_of_pictures_keeps_each_of_them():
    kept = notes_of(png_of(plot_images(np.zeros((6, 8, 8)), cols=3)))["kept"]
    assert len(kept) == 6
    assert len({right - left for left, _, right, _ in kept}) <= 2


def test_colours_that_stand_for_values_are_kept_with_their_bar():
    @figure
    def lines():
        fig, ax = subplots()
        ax.contour(np.outer([1, 2, 3], [1, 3, 2]), colors=BLUE)
        return fig

    @figure
    def arrows():
        fig, (left, right) = subplots(1, 2)
        drawn = left.quiver([0, 1], [0, 1], [1, 0], [0, 1], [2.0, 3.0])
        right.quiver([0, 1], [0, 1], [1, 0], [0, 1], color=RED)
        fig.colorbar(drawn, ax=left)
        return fig

    kept = notes_of(png_of(arrows()))["kept"]
    assert len(kept) == 2  # the left panel and the bar
    assert notes_of(png_of(lines()))["kept"] == []  # of one colour for all heights


def test_the_smallest_letters_that_are_drawn_are_named_in_pixels():
    assert notes_of(png_of(chart(size=5)))["letters"] == 10  # of 144 to the inch
    assert notes_of(png_of(chart(size=12)))["letters"] == 19

    @figure
    def unseen():
        fig = chart(size=12)
        left, right = fig.axes
        left.text(1, 1, "hidden", fontsize=4, visible=False)
        left.text(1, 1, " ", fontsize=4)
        right.tick_params(labelsize=4)  # of a panel without axes
        return fig

    assert notes_of(png_of(unseen()))["letters"] == 19


def test_a_figure_without_letters_may_be_of_any_width(tmp_path):
    path = tmp_path / "one.png"
    path.write_bytes(png_of(plot_images(np.zeros((1, 8, 8)))))
    assert least_width(read_notes(path)) == 0


def test_notes_of_its_own_do_not_push_out_what_a_caller_writes():
    file = io.BytesIO()
    chart().savefig(file, format="png", metadata={"Title": "Mine"})
    texts = Image.open(file).text
    assert texts["Title"] == "Mine"
    assert NOTES in texts


@pytest.mark.parametrize(
    ("ink", "mode"), [(None, "L"), ("tab:red", "RGB"), ((1, 0, 0, 0.5), "RGB")]
)
def test_a_file_has_no_more_channels_than_its_figure_needs(ink, mode):
    fig = plot_images(np.linspace(-1, 1, 64).reshape(1, 8, 8))
    if ink is not None:
        fig.axes[0].axvline(3, color=ink)
    assert Image.open(io.BytesIO(png_of(fig))).mode == mode


def test_pixels_keep_their_colours_and_opacity_in_fewer_channels():
    numbers = np.random.default_rng(0)
    colours = numbers.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    greys = colours.copy()
    greys[..., 1:3] = greys[..., :1]
    for pixels, modes in ((colours, ("RGBA", "RGB")), (greys, ("LA", "L"))):
        for mode, opacity in zip(modes, (pixels[..., 3], 255), strict=True):
            pixels[..., 3] = opacity
            picture = with_few_channels(pixels)
            assert picture.mode == mode
            np.testing.assert_array_equal(picture.convert("RGBA"), pixels)


def test_pictures_from_elsewhere_say_nothing(tmp_path):
    path = tmp_path / "plain.png"
    Image.new("RGB", (4, 4)).save(path)
    assert read_notes(path) is None
    assert read_notes(tmp_path / "missing.png") is None
    assert read_notes(tmp_path / "drawing.svg") is None


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The site of a book of one page: a figure of glyflib, and a picture of others."""
    folder = tmp_path_factory.mktemp("book")
    for name in ("_sphinx", "_static"):
        shutil.copytree(BOOK / name, folder / name)
    (folder / "_config.yml").write_text(SETTINGS, "utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n", "utf-8")
    plain = io.BytesIO()
    Image.new("RGB", (40, 40)).save(plain, "PNG")
    cells = [nbformat.v4.new_markdown_cell("# One")]
    for png in (png_of(chart(size=7)), plain.getvalue()):
        data = {"image/png": base64.b64encode(png).decode()}
        output = nbformat.v4.new_output("display_data", data)
        wide = {"mystnb": {"image": {"width": "70%"}}}
        code = nbformat.v4.new_code_cell("draw()", outputs=[output], metadata=wide)
        cells.append(code)
        cells.append(nbformat.v4.new_markdown_cell(CAPTION))
    cells[-1]["source"] = CAPTION.replace("fig-one", "fig-two")
    language = {"name": "python", "pygments_lexer": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": language})
    nbformat.write(book, folder / "index.ipynb")
    command = [shutil.which("jupyter-book"), "build", folder, "-W", "-n"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "_build" / "html"


@pytest.fixture
def visit(browser, html):
    """Open the page of that book, on a screen and in a scheme of colours."""
    with opened_pages(browser, html) as (go, _):
        yield partial(go, "index", by="http")


def partners(page):
    """The file, or None, of each chart's partner on a page, and faults in words."""
    found, faults = 0, []
    for image in page.soup.select("article .cell_output img:not(.text_html img)"):
        path = page.path.parent / unquote(image["src"])
        sheet = image.find_parent("a")
        if image.find_parent(class_="piece"):
            continue
        if read_notes(path) is None or "only-dark" in (sheet or {}).get("class", []):
            continue
        found += 1
        other = sheet and sheet.find_next_sibling("a", class_="only-dark")
        if not other or "only-light" not in sheet["class"]:
            faults.append(f"{page.path.name}: {path.name} has no partner")
            continue
        dark = other.img
        if dark["alt"] != image["alt"] or dark.get("loading") != "lazy":
            faults.append(f"{page.path.name}: {path.name} has another alt, or is eager")
        if Image.open(page.path.parent / unquote(dark["src"])).mode not in CLEAR:
            faults.append(f"{page.path.name}: {dark['src']} has no clear paper")
    return found, faults


def test_a_chart_has_its_partner_and_other_pictures_have_none(html):
    page = read_pages(html)["index.html"]
    assert partners(page) == (1, [])
    images = page.soup.select("article .cell_output img:not(.piece img)")
    assert len(images) == 3
    (light, dark) = page.soup.select("article a.sheet")
    assert light["href"] == light.img["src"]
    assert dark["href"] == dark.img["src"]
    assert light.img["alt"] == "A curve falls beside a picture."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_loads_and_sees_the_chart_of_the_scheme_alone(visit, scheme):
    page = visit(color_scheme=scheme)
    seen = [sheet for sheet in page.locator("a.sheet").all() if sheet.is_visible()]
    (sheet,) = seen
    assert f"only-{scheme}" in sheet.get_attribute("class")
    assert page.locator("#fig-one figcaption").is_visible()
    is_loaded = "() => [...document.querySelectorAll('a.sheet.only-dark > img')]"
    is_loaded += ".map((e) => e.complete && e.naturalWidth > 0)"
    sheet.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('a.sheet img')[0].complete")
    if scheme == "light":
        assert page.evaluate(is_loaded) == [False]
    else:
        page.wait_for_function(f"({is_loaded})()[0]")


def test_on_a_phone_the_letters_can_be_read_and_the_page_does_not_scroll(visit):
    page = visit(**PHONE)
    facts = page.evaluate(LETTERS)
    assert len(facts) == 2  # the curve, and the picture
    assert all(fact["letters"] >= 8.95 and fact["isReached"] for fact in facts)
    width = "[document.documentElement.scrollWidth, innerWidth]"
    scrolled, seen = page.evaluate(width)
    assert scrolled <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_panels_side_by_side_stand_below_one_another_on_a_phone(visit, scheme):
    page = visit(**PHONE, color_scheme=scheme)
    whole = page.locator(f"a.sheet.only-{scheme} > img")
    pieces = page.locator(f"a.sheet.only-{scheme} .piece img")
    above, below = (pieces.nth(k).bounding_box() for k in range(2))
    assert below["y"] >= above["y"] + above["height"]
    assert all(box["x"] + box["width"] <= 390 for box in (above, below))
    drawn = [
        [box["width"], pieces.nth(k).evaluate("(image) => image.naturalWidth")]
        for k, box in enumerate((above, below))
    ]
    assert drawn[0][0] / drawn[0][1] == pytest.approx(
        drawn[1][0] / drawn[1][1], rel=0.02
    )
    assert pieces.nth(0).get_attribute("alt") == "A curve falls beside a picture."
    is_there = "(image) => image.checkVisibility()"
    assert not whole.evaluate(is_there)
    page.set_viewport_size({"width": 1280, "height": 844})
    assert whole.evaluate(is_there)
    assert not pieces.nth(0).evaluate(is_there)


@figure
def panels(draw, *, rows=1, **options):
    """Three panels in each row, on which a function of figure and panels draws."""
    fig, axes = subplots(rows, 3, figsize=(7, 2.5 * rows), squeeze=False, **options)
    for row in axes:
        for k, panel in enumerate(row):
            panel.plot([0, 1], [k, 1])
    draw(fig, axes)
    return fig


def add_legend(fig, axes):
    line = axes[0, 2].lines[0]
    axes[0, 2].legend([line], ["line"], loc="center left", bbox_to_anchor=(1, 0.5))


def add_title(fig, axes):
    fig.suptitle("A title that reaches over all of the panels, from left to right")


def add_bar(fig, axes):
    picture = axes[0, 2].imshow(np.eye(4), extent=(0, 1, 0, 1), aspect="auto")
    fig.colorbar(picture, ax=axes[0, 2])


def add_bar_below(fig, axes):
    picture = axes[0, 2].imshow(np.eye(4), extent=(0, 1, 0, 1), aspect="auto")
    fig.colorbar(picture, ax=axes, location="bottom")


def add_arrow(fig, axes):
    fig.text(0.6, 0.5, "becomes")


def show_nameless(fig, axes):
    for panel in axes.flat:
        panel.set_axis_off()


def show_a_pair(fig, axes):
    show_nameless(fig, axes)
    fig.set_layout_engine("none")
    for k, left in enumerate((0.1, 0.3, 0.7)):
        axes[0, k].set_position((left, 0.1, 0.15, 0.8))


def show_pictures(fig, axes):
    for panel in axes.flat:
        panel.set_axis_off()
    for row in range(len(axes)):
        fig.text(0, 0.7 - 0.5 * row, "row", rotation=90)


@pytest.mark.parametrize(
    ("draw", "options", "lent"),
    [
        (lambda fig, axes: None, {}, [False, False]),
        (lambda fig, axes: None, {"sharey": True}, [True, True]),
        (lambda fig, axes: None, {"sharey": True, "rows": 2}, []),
        (add_arrow, {}, []),
        (add_legend, {}, [False, False, False]),
        (add_title, {}, [False, False]),
        (add_bar, {}, [False, False]),
        (add_bar_below, {"sharey": True}, [True, True]),
        (show_pictures, {"rows": 2}, [True, True]),
        (show_nameless, {"rows": 2}, []),
        (show_nameless, {}, [False, False]),
        (show_a_pair, {}, []),
    ],
)
def test_a_figure_is_cut_between_panels_and_lends_what_they_share(draw, options, lent):
    png = png_of(panels(draw, **options))
    cuts = notes_of(png)["cuts"]
    assert [end > begin for _, begin, end in cuts] == lent
    paper = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    band = slice(*notes_of(png)["band"])
    for cut, begin, end in cuts:
        assert (paper[band, cut] == 255).all()
        assert begin == end or (paper[:, begin:end] < 255).any()


def add_legend_outside(fig, axes):
    line = axes[0, 2].lines[0]
    axes[0, 2].legend([line], ["line"], loc="center left", bbox_to_anchor=(4, 0.5))
    fig.set_layout_engine("none")


def test_what_lies_outside_a_figure_does_not_keep_it_from_being_drawn():
    file = io.BytesIO()
    panels(add_legend_outside, sharey=True).savefig(file, format="png")
    assert [cut[0] < 1008 for cut in notes_of(file.getvalue())["cuts"]] == [True] * 2


def test_a_figure_without_panels_is_drawn_and_not_cut():
    fig = BookFigure(figsize=(7, 2))
    for place in ("left", "right"):
        fig.legend(handles=[Line2D([0], [0], label=place)], loc=f"center {place}")
    file = io.BytesIO()
    BookCanvas(fig).print_png(file)
    assert notes_of(file.getvalue())["cuts"] == []


def test_what_panels_lend_ends_where_they_end_and_not_at_a_colour_bar():
    notes = notes_of(png_of(panels(add_bar_below, sharey=True)))
    assert notes["lent"][1] < notes["band"][1]


@pytest.mark.parametrize("draw", [lambda fig, axes: None, add_title, add_bar_below])
@pytest.mark.parametrize("options", [{}, {"sharey": True}])
def test_pieces_hold_all_ink_of_a_figure_and_what_they_borrow(draw, options):
    png = png_of(panels(draw, **options))
    paper = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    notes = notes_of(png) | {"width": paper.shape[1]}
    pieces = pieces_of(paper, notes)
    assert len(pieces) > 1
    is_held = (paper == 255).all(axis=2)  # paper need not be held
    for rows, columns, _ in pieces:
        is_held[rows, columns] = True
    assert is_held.all()
    upper, lower = notes["band"]
    _, begin, end = notes["cuts"][0]
    of_panels = [columns for rows, columns, _ in pieces if upper <= rows.start < lower]
    assert len(of_panels) > 1
    for columns in of_panels[1:]:
        assert list(columns[: end - begin]) == list(range(begin, end))


def test_what_fits_a_phone_and_what_cannot_be_cut_stays_whole():
    paper = np.zeros((10, 600, 3), np.uint8)
    cuts = [[300, 300, 300]]
    assert len(pieces_of(paper, {"letters": 12, "cuts": cuts, "band": [0, 10]})) == 2
    assert pieces_of(paper, {"letters": 60, "cuts": cuts}) == []
    assert pieces_of(paper, {"letters": 12, "cuts": []}) == []
    assert pieces_of(paper, {"letters": None, "cuts": cuts}) == []


def test_a_key_or_a_click_opens_the_figure_at_full_size_and_escape_closes_it(visit):
    page = visit(**PHONE)
    sheet, dialog = page.locator("a.sheet.only-light"), page.locator("dialog.whole")
    sheet.focus()
    page.keyboard.press("Enter")
    whole = dialog.locator("img")
    assert whole.get_attribute("alt") == "A curve falls beside a picture."
    size = whole.evaluate("async (e) => [await e.decode(), e.width, e.naturalWidth]")
    assert size[1] == size[2] > 390
    page.keyboard.press("Escape")
    assert dialog.count() == 0
    assert sheet.evaluate("(e) => e === document.activeElement")
    sheet.click()
    dialog.get_by_role("button", name="Close").click()
    assert dialog.count() == 0
    assert page.url.endswith("index.html")


def test_every_chart_of_the_book_has_its_partner(site):
    found = [partners(page) for page in read_pages(site).values()]
    assert sum(count for count, _ in found) > 50
    assert [fault for _, faults in found for fault in faults] == []


def test_no_letters_of_the_books_charts_are_too_small_on_a_phone(site, browser):
    names = [n for n, page in read_pages(site).items() if page.soup.select("a.sheet")]
    server, context = serve(site), browser.new_context(**PHONE)
    page, small = context.new_page(), []
    for name in names:
        page.goto(f"http://127.0.0.1:{server.server_port}/{name}")
        for fact in page.evaluate(LETTERS):
            if (fact["letters"] or 9) < 8.95 or not fact["isReached"]:
                small.append((name, fact))
    context.close()
    server.shutdown()
    server.server_close()
    assert names
    assert small == []
