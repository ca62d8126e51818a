"""A figure that computes, in JupyterLab: a cell is run, its plane operated, offline."""

from urllib.parse import urlsplit

import pytest
from lab_server import WAIT, open_notebook, run_cell, serve_cell

CELL = """import torch
from glyflib.interactive.playground import playground
from glyflib.schedule import cosine_alpha_bar

points = torch.tensor([[-1.5, 0.0], [1.5, 0.5]])
playground({"two points": points}, cosine_alpha_bar(1000), num_steps=20)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address and log of a JupyterLab on a folder with one notebook, not yet run."""
    folder = tmp_path_factory.mktemp("lab") / "book"
    folder.mkdir()
    home = tmp_path_factory.mktemp("home")
    with serve_cell(CELL, folder, home) as address_and_log:
        yield address_and_log


def test_a_reader_runs_the_cell_and_plays_with_hand_and_keys(lab, browser):
    lab, log = lab
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * WAIT)
    asked = []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    open_notebook(page, lab, "book/one.ipynb", log)
    run_cell(page)
    page.wait_for_function("document.querySelector('.glyf-plane')?.read")
    read = "document.querySelector('.glyf-plane').read()"
    page.get_by_role("button", name="One step").click()
    assert page.evaluate(f"{read}.t") == 950
    page.get_by_label("Noise level").press("ArrowLeft")
    assert page.evaluate(f"{read}.t") == 949, "the keys are the slider's, not Lab's"
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert len(page.evaluate(f"{read}.points")) == 6, "Enter puts a point"
    page.get_by_label("Noise level").fill("0")
    page.get_by_text("samples sit on one of your 3 points").wait_for()
    away = {url.netloc for url in asked if url.scheme not in ("data", "blob")}
    assert away == {urlsplit(lab).netloc}, "nothing is asked of the network"
    page.close()
