"""A JupyterLab of this environment on a folder, with no settings of the machine's."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, TimeoutError

WAIT = 60  # seconds that a busy machine may take for each step
LOADS = 3  # a busy Lab was seen not to learn in time that its kernel is up


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serve_lab(folder: Path, home: Path) -> Iterator[tuple[str, Path]]:
    """Start JupyterLab, and stop it in the end.

    Args:
        folder: that it shows.
        home: an empty folder for its settings and its log.

    Yields:
        its address, and its log.
    """
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    homes = {name: str(home / name) for name in (*names, "IPYTHONDIR")}
    port = free_port()
    words = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    words += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    words += ["--LabApp.expose_app_in_browser=True"]  # its model can be asked
    words += ["--LabApp.news_url=", "--LabApp.check_for_updates_class="]
    words[-1] += "jupyterlab.NeverCheckForUpdate"
    log = home / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *words],
            env=os.environ | homes,
            stdout=file,
            stderr=file,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(5 * WAIT):
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        yield address, log
    finally:
        server.terminate()
        server.wait(WAIT)


def open_notebook(page: Page, address: str, name: str, log: Path) -> None:
    """Open a notebook, and again where no kernel comes up, as a reader would."""
    idle = page.get_by_text("Python 3 (ipykernel) | Idle")
    for _ in range(LOADS):
        with contextlib.suppress(TimeoutError):
            page.goto(f"{address}/lab/tree/{name}?reset")  # no tabs of before
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            idle.wait_for()
            return
    shown = page.locator("body").inner_text()
    pytest.fail(
        f"no idle kernel in {LOADS} loads; Lab shows\n{shown}\n{log.read_text()}"
    )


@contextlib.contextmanager
def serve_cell(code: str, folder: Path, home: Path) -> Iterator[tuple[str, Path]]:
    """A JupyterLab on a notebook of one cell, not yet run.

    Args:
        code: of the cell.
        folder: an empty one, or with what the cell needs; "one.ipynb" is written there.
        home: as `serve_lab` takes it.

    Yields:
        address of the Lab, whose root is the folder above, and its log.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "one.ipynb")
    with serve_lab(folder.parent, home) as address_and_log:
        yield address_and_log


def run_cell(page: Page) -> None:
    """Run the only cell of an open notebook, as a reader would."""
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").click()
    prompt = page.locator(".jp-Notebook .jp-InputPrompt")
    for _ in range(WAIT):  # Lab drops what comes before the kernel is up
        if "[ ]" in prompt.inner_text():
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(1000)
