"""The slider over frames in JupyterLab: a cell is run, its output operated, offline."""

from urllib.parse import urlsplit

import pytest
from lab_server import WAIT, open_notebook, run_cell, serve_cell

CELL = """import numpy as np
from glyflib.interactive.frames import frame_slider

frames = [np.full((8, 8), 60 * i, np.uint8) for i in range(4)]
labels = [f"t = {i}" for i in range(4)]
frame_slider(frames, labels, alt="Grey", name="Level", pause_ms=150)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address and log of a JupyterLab on a folder with one notebook, not yet run."""
    folder = tmp_path_factory.mktemp("lab") / "book"
    folder.mkdir()
    home = tmp_path_factory.mktemp("home")
    with serve_cell(CELL, folder, home) as address_and_log:
        yield address_and_log


def test_a_reader_runs_the_cell_moves_the_slider_and_plays(lab, browser):
    lab, log = lab
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * WAIT)
    asked = []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    open_notebook(page, lab, "book/one.ipynb", log)
    root = page.locator(".glyf-frames[data-ready]")
    run_cell(page)
    root.wait_for()
    caption = root.locator("figure:visible figcaption")
    assert caption.all_inner_texts() == ["t = 0"], "it starts still, with one frame"
    root.get_by_label("Level").fill("2")
    assert caption.all_inner_texts() == ["t = 2"]
    root.get_by_label("Level").press("ArrowLeft")
    assert caption.all_inner_texts() == ["t = 1"], (
        "the keys are the slider's, not Lab's"
    )
    root.get_by_role("button", name="Play").click()
    root.get_by_text("t = 3", exact=True).wait_for(state="visible")
    away = {url.netloc for url in asked if url.scheme not in ("data", "blob")}
    assert away == {urlsplit(lab).netloc}, "nothing is asked of the network"
    page.close()
