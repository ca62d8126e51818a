"""What tests share: the built site and a browser, where the machine has them.

On a reader's machine the tests that need them are skipped. Where GLYF_REQUIRE_SITE is
set, as in .ci/run, a missing site or browser is a failure.
"""

import os
import shutil
from pathlib import Path

import pytest

# Workers side by side: more threads than cores would slow them severalfold. Set before
# torch is imported; notebooks' kernels and subprocesses inherit it.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")

SITE = Path(__file__).parents[1] / "book" / "_build" / "html"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page loads pictures the earlier the slower it thinks its connection is: a busy
    # machine would change what is loaded at first.
    "--force-effective-connection-type=4G",
    # Whatever a page asks for, nothing leaves the machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
PATIENCE = 180_000  # ms that a browser waits for anything on a busy machine


def skip_or_fail(reason: str) -> None:
    """Skip on a reader's machine, fail where the site has to be checked."""
    if os.environ.get("GLYF_REQUIRE_SITE"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def site() -> Path:
    """Folder of the built site."""
    if not (SITE / "index.html").is_file():
        skip_or_fail("the book is not built: run 'jupyter-book build book' first")
    return SITE


def patient(make):
    """The same maker of pages or contexts, which then wait as a busy machine needs."""

    def made(**options):
        found = make(**options)
        found.set_default_timeout(PATIENCE)
        return found

    return made


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, closed with the module (nbmake needs the event loop)."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        skip_or_fail(f"no browser on PATH: install one of {', '.join(BROWSERS)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        found.new_page = patient(found.new_page)
        found.new_context = patient(found.new_context)
        yield found
        found.close()


@pytest.fixture
def open_page(browser):
    """Open HTML as a page; any error or request of the page fails the test."""
    contexts, trouble = [], []

    def go(html, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda m: m.type == "error" and trouble.append(m.text))
        page.on("request", lambda r: r.url[:5] != "data:" and trouble.append(r.url))
        page.set_content(html)
        return page

    yield go
    for context in contexts:
        context.close()
    assert trouble == []  # no error on the console, no request off the page
