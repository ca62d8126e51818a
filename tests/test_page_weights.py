"""How much a page of the built site makes a browser load, in bytes of files.

Counted is what the browser asks the site for: page, styles, scripts, fonts, pictures,
each file once and as it lies there, not compressed. `python tests/test_page_weights.py`
prints a table of all pages: at first, and when a reader has scrolled to the end.
"""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from test_site import serve

MOST_AT_FIRST = 3_000_000
# Scrolled to the end, no slider touched; chapter 3 has a map of all glyphs, 2.8 MB.
MOST_IN_ALL = 6_000_000
SCREEN = {"width": 1280, "height": 800}
# Formulas and fonts are there, however slow the machine is.
SETTLED = """async () => {
  const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
  if (document.querySelector('script[src*="_static/mathjax/"]')) {
    while (!window.MathJax?.startup?.promise) await soon();
    await MathJax.startup.promise;
  }
  await document.fonts.ready;
}"""
# What waits for a reader to come near is there too, one after the other.
SCROLL = """async () => {
  const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
  const all = document.querySelectorAll('img[loading="lazy"], [data-glyf-map]');
  for (const late of all) {
    if (!late.getClientRects().length) continue; // a slider or a fold hides it
    late.scrollIntoView({ behavior: "instant", block: "center" });
    for (let k = 0; k < 250 && !late.complete && !late.shadowRoot; k++) await soon();
  }
}"""


def weights(
    browser, folder: Path, names, *, to_the_end: bool = False
) -> dict[str, tuple[int, int]]:
    """Bytes that each page loads at first, and to its end.

    Args:
        browser: of Playwright.
        folder: of the site.
        names: of its pages, "index.html".
        to_the_end: scroll, which takes a while; else both numbers are the first.
    """
    server, found = serve(folder), {}
    base = f"http://127.0.0.1:{server.server_port}/"

    def weigh(urls: list[str]) -> int:
        own = {url for url in urls if url.startswith(base)}
        paths = {unquote(urlsplit(url).path).lstrip("/") for url in own}
        files = [folder / path for path in paths if (folder / path).is_file()]
        return sum(file.stat().st_size for file in files)

    for name in names:
        page, asked = browser.new_page(viewport=SCREEN), []
        page.on("request", lambda request, to=asked: to.append(request.url))
        page.goto(base + name, wait_until="networkidle")
        page.evaluate(SETTLED)
        first = weigh(asked)
        if to_the_end:
            page.evaluate(SCROLL)
            page.wait_for_load_state("networkidle")
        found[name] = first, weigh(asked)
        page.close()
    server.shutdown()
    server.server_close()
    return found


def pages_of(folder: Path) -> list[str]:
    """Pages to read: no index, and none that only forwards."""
    names = [path.name for path in sorted(folder.glob("*.html"))]
    return [
        name
        for name in names
        if "<title>Moved" not in (folder / name).read_text("utf-8")
    ]


def heavy(found: dict[str, tuple[int, int]]) -> list[str]:
    """Pages that load too much."""
    return [
        f"{name}: {first} bytes at first, {whole} to the end"
        for name, (first, whole) in found.items()
        if first > MOST_AT_FIRST or whole > MOST_IN_ALL
    ]


def test_no_page_loads_more_than_its_share(browser, site):
    assert heavy(weights(browser, site, pages_of(site))) == []


@pytest.fixture
def folder(tmp_path):
    """A site of one page with a style, and pictures, one of them far below."""
    (tmp_path / "style.css").write_bytes(b" " * 1000)
    picture = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "near.svg").write_bytes(picture + b" " * 2000)
    (tmp_path / "far.svg").write_bytes(picture + b" " * 4000)
    body = (
        '<link rel="stylesheet" href="style.css?v=1"><link rel="icon" href="data:,">'
        '<img src="near.svg"><img src="near.svg"><div style="height: 9000px"></div>'
        '<img loading="lazy" src="far.svg" width="9" height="9">'
    )
    (tmp_path / "index.html").write_text(f"<!doctype html>{body}", "utf-8")
    return tmp_path


def test_a_file_counts_once_and_when_it_is_loaded(browser, folder):
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    first, whole = weights(browser, folder, ["index.html"], to_the_end=True)[
        "index.html"
    ]
    assert first == sizes["index.html"] + sizes["style.css"] + sizes["near.svg"]
    assert whole == sum(sizes.values())


def test_a_heavy_page_is_caught():
    good, bad = (MOST_AT_FIRST, MOST_IN_ALL), (MOST_AT_FIRST + 1, MOST_AT_FIRST + 1)
    late = (MOST_AT_FIRST, MOST_IN_ALL + 1)
    found = {"good.html": good, "bad.html": bad, "late.html": late}
    assert [text.split(":")[0] for text in heavy(found)] == ["bad.html", "late.html"]


def main(folder: Path) -> None:
    """Print what each page of a site weighs, the heaviest first."""
    import shutil

    from conftest import BROWSERS, FLAGS
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        found = weights(browser, folder, pages_of(folder), to_the_end=True)
        browser.close()
    for name, (first, whole) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(f"{first / 1e6:6.2f} {whole / 1e6:6.2f} MB  {name}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]) if given else Path("book/_build/html"))
