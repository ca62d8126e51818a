"""The built site, read as files and opened in a real browser.

Each check takes pages and returns a list of problems; the tests at the end feed the
checks a broken site to see that they catch it.
"""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
MAX_BYTES = 3_500_000  # chapter 5 with all frames of its sliders has 2.9 million
LEFTOVERS = re.compile(
    r"\{[a-z:]+\}|:::|\$\$|(?<!\w)```|\\[(\[]|\$[^$\n]*[_^\\][^$\n]*\$"
)
LOCAL_PATH = re.compile(
    rf"(?<![\w./-])/(?:home|root|tmp|Users)/\w|[A-Z]:\\Users|{re.escape(str(ROOT))}/"
)
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
VIEWS = [(screen, scheme) for screen in SCREENS for scheme in ("light", "dark")]


class Page(NamedTuple):
    """One page as a file: where it is, its text as given, and parsed."""

    path: Path
    text: str
    soup: BeautifulSoup


class Visit(NamedTuple):
    """What a browser saw on one page, on one screen, in one colour scheme."""

    name: str
    errors: list[str]
    requests: list[str]
    facts: dict


def read_pages(folder: Path) -> dict[str, Page]:
    """Every page of a site by name."""
    texts = {p: p.read_text("utf-8") for p in sorted(folder.glob("*.html"))}
    soups = {p: BeautifulSoup(text, "html.parser") for p, text in texts.items()}
    return {p.name: Page(p, texts[p], soups[p]) for p in texts}


def anchors(page: Page) -> set[str]:
    """Everything on a page that a link can point at."""
    found = page.soup.select("[id], a[name]")
    return {tag.get("id") or tag.get("name") for tag in found}


def source_anchors(path: Path) -> set[str]:
    """What a link can point at in a page of source code, which is no page to read."""
    return set(re.findall(r'id="([^"]+)"', path.read_text("utf-8")))


def broken_links(pages: dict[str, Page]) -> list[str]:
    """Links, pictures and scripts of the site's own that lead nowhere."""
    targets = {page.path.resolve(): anchors(page) for page in pages.values()}
    folders = {path.parent for path in targets}
    sources = [path for f in folders for path in f.glob("_modules/**/*.html")]
    targets |= {path: source_anchors(path) for path in sources}
    found = []
    for name, page in pages.items():
        tags = page.soup.select("[href], [src]")
        for link in sorted({tag.get("href") or tag.get("src") or "" for tag in tags}):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (page.path.parent / unquote(url.path)).resolve()
            target = target if url.path else page.path.resolve()
            is_lost = url.fragment and url.fragment not in targets.get(target, set())
            if not target.is_file() or is_lost:
                found.append(f"{name}: {link}")
    return found


def mute_pictures(pages: dict[str, Page]) -> list[str]:
    """Pictures without a text that says what they show.

    Of the pieces of a figure, which a phone shows in its place, the first has it.
    """
    found = []
    for name, page in pages.items():
        for tag in page.soup.select("img:not(.piece ~ .piece img), [role=img]"):
            alt = (tag.get("alt") or tag.get("aria-label") or "").strip()
            if not alt or alt.startswith("_images/"):
                found.append(f"{name}: {str(tag)[:120]}")
    return found


def leftovers(pages: dict[str, Page]) -> list[str]:
    """MyST or TeX that was meant to become something else, outside code."""
    found = []
    for name, page in pages.items():
        soup = BeautifulSoup(page.text, "html.parser")
        body = soup.select_one("article") or soup
        for tag in body.select("pre, code, .math, script, style, svg"):
            tag.decompose()
        found += [f"{name}: {x}" for x in LEFTOVERS.findall(body.get_text(" "))]
    return found


def local_paths(pages: dict[str, Page]) -> list[str]:
    """Places on the builder's machine."""
    return [f"{n}: {x}" for n, p in pages.items() for x in LOCAL_PATH.findall(p.text)]


def heavy_pages(pages: dict[str, Page]) -> list[str]:
    """Pages that weigh more than 3.5 MB with the pictures that a reader loads."""
    found = []
    for name, page in pages.items():
        tags = page.soup.select("img[src]:not(.only-dark img)")  # of one scheme alone
        urls = [urlsplit(tag["src"]) for tag in tags]
        paths = {unquote(url.path) for url in urls if not (url.scheme or url.netloc)}
        files = {page.path, *(page.path.parent / path for path in paths)}
        size = sum(file.stat().st_size for file in files if file.is_file())
        if size >= MAX_BYTES:
            found.append(f"{name}: {size} bytes")
    return found


# Runs in the page, once MathJax is done.
LOOK = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  const all = (css) => [...document.querySelectorAll(css)];
  const width = document.documentElement.clientWidth;
  const scrolls = (e) => e && e !== document.body && (
    /auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const cut = all("article :is(img, table, pre, canvas, svg, video, mjx-container)")
    .filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e))
    .filter((e) => !e.closest("mjx-assistive-mml, .sd-d-none, details:not([open])"));
  return {
    formulas: all(".math").length,
    raw: all(".math").filter((e) => !e.querySelector("mjx-container")).length,
    wrong: all("mjx-merror, [data-mjx-error]").length,
    scroll: document.documentElement.scrollWidth - width,
    cut: cut.map((e) => e.outerHTML.slice(0, 120)),
    printed: all(".cell_output .output pre")
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => e.textContent.slice(0, 120)),
    long: all('mjx-container[display="true"]')
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => e.parentElement.id || e.textContent.slice(0, 120)),
    theme: document.documentElement.dataset.theme ?? null,
    filtered: all("article img")
      .filter((e) => !["none", ""].includes(getComputedStyle(e).filter)).length,
  };
}"""


def serve(folder: Path) -> ThreadingHTTPServer:
    """A silent server of a folder on a free port of this machine."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = partial(Handler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def visit_all(browser, folder: Path, names, views=VIEWS) -> list[Visit]:
    """Open each page once in each view."""
    server, visits = serve(folder), []
    base = f"http://127.0.0.1:{server.server_port}/"
    for screen, scheme in views:
        width, height = SCREENS[screen]
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        for name in names:
            errors, urls, page = [], [], context.new_page()
            page.on(
                "console", lambda m, to=errors: m.type == "error" and to.append(m.text)
            )
            page.on("pageerror", lambda error, to=errors: to.append(str(error)))
            page.on("request", lambda request, to=urls: to.append(request.url))
            page.on("websocket", lambda socket, to=urls: to.append(socket.url))
            page.on(
                "response",
                lambda r, to=errors: (
                    r.status >= 400 and to.append(f"{r.status} {r.url}")
                ),
            )
            page.goto(base + name, wait_until="load")
            facts = page.evaluate(LOOK)
            page.close()
            urls = [u for u in urls if not u.startswith((base, "data:", "blob:"))]
            visits.append(Visit(f"{name} {screen} {scheme}", errors, urls, facts))
        context.close()
    server.shutdown()
    server.server_close()
    return visits


def console_errors(visits: list[Visit]) -> list[str]:
    return [f"{v.name}: {error}" for v in visits for error in v.errors]


def outside_requests(visits: list[Visit]) -> list[str]:
    return [f"{v.name}: {url}" for v in visits for url in v.requests]


def bad_formulas(visits: list[Visit]) -> list[str]:
    keys = ("raw", "wrong")
    return [f"{v.name}: {v.facts[k]} {k}" for v in visits for k in keys if v.facts[k]]


def too_wide(visits: list[Visit]) -> list[str]:
    """Pages that scroll sideways, what they cut or hide, and formulas too long."""
    found = [
        f"{v.name}: {v.facts['scroll']} px" for v in visits if v.facts["scroll"] > 0
    ]
    keys = ("cut", "printed", "long")
    return found + [f"{v.name}: {x}" for v in visits for k in keys for x in v.facts[k]]


def wrong_looks(visits: list[Visit]) -> list[str]:
    """Pages not in the reader's colours, or pictures with changed grey levels."""
    found = [v.name for v in visits if v.facts["theme"] != v.name.split()[-1]]
    return found + [f"{v.name}: filter" for v in visits if v.facts["filtered"]]


@pytest.fixture(scope="module")
def pages(site):
    return read_pages(site)


@pytest.fixture(scope="module")
def visits(browser, site, pages):
    # A page that forwards is gone before it can be looked at.
    names = [n for n, page in pages.items() if page.soup.title.text != "Moved"]
    return visit_all(browser, site, names)


def test_each_chapter_has_a_page(pages):
    sources = [*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/*.md")]
    assert {f"{source.stem}.html" for source in sources} <= set(pages)


@pytest.mark.parametrize(
    "check", [broken_links, mute_pictures, leftovers, local_paths, heavy_pages]
)
def test_the_files_have_no(check, pages):
    assert check(pages) == []


@pytest.mark.parametrize(
    "check", [console_errors, outside_requests, bad_formulas, too_wide, wrong_looks]
)
def test_the_browser_sees_no(check, visits):
    assert check(visits) == []


def test_formulas_are_seen_where_the_files_have_them(pages, visits):
    for visit in visits:
        name = visit.name.split()[0]
        assert visit.facts["formulas"] == len(pages[name].soup.select(".math"))


BAD_PAGE = """<!doctype html><html data-theme="light"><head>
<link rel="icon" href="data:,"></head><body><article>{body}</article>
<p style="width: 20px">end</p></body></html>"""
BAD_FILES = [
    (broken_links, '<a href="missing.html">x</a>'),
    (broken_links, '<a href="#missing">x</a>'),
    (broken_links, '<a href="other.html#missing">x</a>'),
    (broken_links, '<img src="_images/missing.png" alt="A picture.">'),
    (mute_pictures, '<img src="other.html">'),
    (mute_pictures, '<span class="piece"><img src="other.html" alt=""></span>'),
    (mute_pictures, '<img src="other.html" alt="_images/0865.png">'),
    (leftovers, "<p>See {numref}`fig-x`.</p>"),
    (leftovers, "<p>See {eq}</p>"),
    (leftovers, "<p>:::</p>"),
    (leftovers, "<p>$$ x $$</p>"),
    (leftovers, "<p>Put $x_0$ here.</p>"),
    (local_paths, "<pre>/ho" + "me/ann/book</pre>"),
    (heavy_pages, "x" * MAX_BYTES),
]
BAD_VIEWS = [
    (console_errors, '<script>console.error("no")</script>'),
    (console_errors, '<script>throw new Error("no")</script>'),
    (console_errors, '<script src="missing.js"></script>'),
    (outside_requests, '<img src="https://example.org/x.png" alt="Away.">'),
    (bad_formulas, '<span class="math">\\(x\\)</span>'),
    (bad_formulas, '<span class="math"><mjx-container><mjx-merror>'),
    (too_wide, '<div style="width: 2000px">wide</div>'),
    (too_wide, '<div style="overflow: hidden"><pre style="width: 2000px">wide</pre>'),
    (
        too_wide,
        '<mjx-container display="true" style="display: block; overflow: auto">'
        '<pre style="width: 2000px">long</pre>',
    ),
    (
        too_wide,
        '<div class="cell_output"><div class="output" style="overflow: auto">'
        f'<pre style="overflow: auto">{"1" * 100}</pre></div></div>',
    ),
    (wrong_looks, '<img src="x.svg" alt="Dim." style="filter: brightness(0.8)">'),
]


def write_site(folder: Path, body: str) -> Path:
    """A site of two pages, the first with the given body."""
    page = BAD_PAGE.format(body=body)
    (folder / "index.html").write_text(page, "utf-8")
    (folder / "other.html").write_text('<p id="here">Here.</p>', "utf-8")
    (folder / "x.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    return folder


@pytest.mark.parametrize(("check", "body"), BAD_FILES, ids=lambda x: str(x)[:20])
def test_a_fault_in_the_files_is_caught(check, body, tmp_path):
    assert check(read_pages(write_site(tmp_path, body))) != []


@pytest.mark.parametrize(("check", "body"), BAD_VIEWS, ids=lambda x: str(x)[:20])
def test_a_fault_in_the_browser_is_caught(check, body, tmp_path, browser):
    folder = write_site(tmp_path, body)
    assert check(visit_all(browser, folder, ["index.html"], [("phone", "light")])) != []


def test_a_good_page_passes(tmp_path, browser):
    dot = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
    body = (
        '<a href="other.html#here">x</a><img src="x.svg" alt="A square."><pre>x</pre>'
    )
    body += f'<img src="{dot}" alt="Nothing."><img src="{dot}#{"a" * 400}" alt="Long.">'
    folder = write_site(tmp_path, body)
    pages = read_pages(folder)
    for check in (broken_links, mute_pictures, leftovers, local_paths, heavy_pages):
        assert check(pages) == []
    visits = visit_all(browser, folder, ["index.html"], [("phone", "light")])
    for check in (
        console_errors,
        outside_requests,
        bad_formulas,
        too_wide,
        wrong_looks,
    ):
        assert check(visits) == []
