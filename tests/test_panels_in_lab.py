"""A chapter's panel in JupyterLab: the cell is run, its panel draws, offline."""

from urllib.parse import urlsplit

import pytest
from lab_server import WAIT, open_notebook, run_cell, serve_cell
from tiny_models import save_glyffuser

CELL = """from glyflib.glyffuser import Glyffuser
from glyflib.interactive.panels import draw_here

draw_here(Glyffuser.load("model/glyffuser-32"), words="gold", count=2)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address and log of a JupyterLab whose notebook lies in a folder of its own."""
    chapters = tmp_path_factory.mktemp("lab") / "my book"
    save_glyffuser(chapters / "model" / "glyffuser-32")
    home = tmp_path_factory.mktemp("home")
    with serve_cell(CELL, chapters, home) as address_and_log:
        yield address_and_log


def test_a_panel_draws_in_lab_with_the_scripts_beside_the_notebook(lab, browser):
    lab, log = lab
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(1000 * WAIT)
    asked = []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    open_notebook(page, lab, "my%20book/one.ipynb", log)
    run_cell(page)
    words = page.get_by_label("English words")
    words.wait_for()
    assert not [url for url in asked if "/files/" in url.path], "nothing is loaded yet"
    words.fill("")
    words.press_sequentially("aabbdd")  # Lab's keys for new and for deleted cells
    assert words.input_value() == "aabbdd"
    assert page.locator(".jp-Notebook .jp-Cell").count() == 1
    words.press("Enter")
    status = page.locator(".glyf-draw").get_by_role("status")
    status.filter(has_text="2 glyphs for “aabbdd” in").wait_for()
    loaded = [url.path for url in asked if "/files/" in url.path]
    assert len(loaded) == 2 and all("my%20book/draw/" in path for path in loaded)
    away = {url.netloc for url in asked if url.scheme not in ("data", "blob")}
    assert away == {urlsplit(lab).netloc}, "nothing is asked of the network"
    page.close()
