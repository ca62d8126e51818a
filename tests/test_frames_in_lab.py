"""The slider over frames in JupyterLab: a cell is run, its output operated, offline."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import TimeoutError

CELL = """import numpy as np
from glyflib.interactive.frames import frame_slider

frames = [np.full((8, 8), 60 * i, np.uint8) for i in range(4)]
labels = [f"t = {i}" for i in range(4)]
frame_slider(frames, labels, alt="Grey", name="Level", pause_ms=150)"""
WAIT = 60  # seconds that a busy machine may take for each step
LOADS = 3  # a busy Lab was seen not to learn in time that its kernel is up


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until_idle(page, lab, log) -> None:
    """Open the notebook; load it again, as a reader would, where no kernel comes up."""
    idle = page.get_by_text("Python 3 (ipykernel) | Idle")
    for _ in range(LOADS):
        with contextlib.suppress(TimeoutError):
            page.goto(f"{lab}/lab/tree/one.ipynb")
            page.locator(".jp-Notebook .jp-CodeCell").wait_for()
            idle.wait_for()
            return
    shown = page.locator("body").inner_text()
    log = log.read_text()
    pytest.fail(f"no idle kernel in {LOADS} loads; Lab shows\n{shown}\n{log}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address and log of a JupyterLab on a folder with one notebook, not yet run."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "one.ipynb")
    homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    homes = {name: str(folder / ".home" / name) for name in (*homes, "IPYTHONDIR")}
    port = free_port()
    words = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    words += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    words += ["--LabApp.news_url=", "--LabApp.check_for_updates_class="]
    words[-1] += "jupyterlab.NeverCheckForUpdate"
    log = folder / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            env=os.environ | homes,
            stdout=file,
            stderr=file,
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(5 * WAIT):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=5)
            break
        except OSError:
            time.sleep(0.2)
    yield address, log
    server.terminate()
    server.wait(WAIT)


def test_a_reader_runs_the_cell_moves_the_slider_and_plays(lab, browser):
    lab, log = lab
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * WAIT)
    asked = []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    until_idle(page, lab, log)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").click()
    root = page.locator(".glyf-frames[data-ready]")
    prompt = page.locator(".jp-Notebook .jp-InputPrompt")
    for _ in range(WAIT):  # Lab drops what comes before the kernel is up
        if "[ ]" in prompt.inner_text():
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(1000)
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
