"""The built book on paper: each page printed by a browser, then all joined in one PDF.

Invariant: a page is printed when its formulas and pictures are there, or not at all. A
link between two pages that are printed leads from one to the other inside the file; one
to a page that is not is words alone.
"""

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    Fit,
    NameObject,
    NullObject,
    NumberObject,
    TextStringObject,
)

from glyflib.commands.deck import asset

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    # Whatever a page asks for, it is made of what lies on this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}  # mm
SIDE = 20.0  # margin left and right, mm; print.css has it, too
SECONDS = 300  # that a page may take, on a busy machine


@dataclass(frozen=True)
class Page:
    """A page of the built book.

    Attributes:
        name: of its file, without ".html".
        title: as the contents have it, with its number.
        part: of the book that it belongs to; "" for the first page.
    """

    name: str
    title: str
    part: str


@dataclass
class Sheets:
    """A page after printing.

    Attributes:
        page: that was printed.
        reader: its PDF.
        headings: of each, its level (1 or 2), its place on the page and its title.
        places: id on the page -> number of its sheet (from 0), left and top in points.
    """

    page: Page
    reader: PdfReader
    headings: list[dict]
    places: dict[str, tuple[int, float, float]] = field(init=False)

    def __post_init__(self):
        """Find the places."""
        self.places = {}
        for name, found in self.reader.named_destinations.items():
            sheet = self.reader.get_destination_page_number(found)
            if sheet is not None:
                place = sheet, float(found.left or 0), float(found.top or 0)
                self.places[unquote(name.lstrip("/"))] = place


def contents(site: Path) -> list[Page]:
    """Every page of the built book, in the order of its contents.

    Args:
        site: folder of the built book.

    Raises:
        FileNotFoundError: If the book is not built there, or only a part of it.
        ValueError: If its first page has no contents.
    """
    index = site / "index.html"
    build = "run `jupyter-book build book` first"
    if not index.is_file():
        raise FileNotFoundError(f"the book is not built, {index} is missing: {build}")
    menu = BeautifulSoup(index.read_text("utf-8"), "html.parser")
    found, part = [], ""
    for tag in menu.select("nav.bd-links :is(p.caption, li.toctree-l1 > a)"):
        text = " ".join(tag.get_text().split())
        if tag.name == "p":
            part = text
        else:
            href = unquote(urlsplit(tag["href"]).path)
            found.append(Page(Path(href or index.name).stem, text, part))
    if not found:
        raise ValueError(f"{index} has no contents: {build}")
    for page in found:
        if not (site / f"{page.name}.html").is_file():
            told = f"the page {page.name}.html of the book is missing in {site}"
            raise FileNotFoundError(f"{told}: {build}")
    return found


def find_browser(named: Path | None) -> str:
    """The path of a Chromium or Chrome.

    Args:
        named: one that the user names; None looks for one on the PATH.

    Raises:
        FileNotFoundError: If there is none.
    """
    if named is not None:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(f"{named} is no program that can be run")
        return found
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        told = f"no browser on the PATH: install one of {', '.join(BROWSERS)}"
        raise FileNotFoundError(f"{told}, or name one with --browser")
    return found


@contextmanager
def printing(path: str) -> Iterator[Browser]:
    """A browser without a window.

    Args:
        path: of the program.

    Raises:
        ValueError: If it does not start, or something goes wrong in it.
    """
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            try:
                yield browser
            finally:
                browser.close()
    except BrowserError as error:
        reason = error.message.strip().splitlines()[0]
        raise ValueError(f"{path} cannot print: {reason}") from error


def printed(
    browser: Browser,
    file: Path,
    page: Page,
    paper: str,
    before: int,
    *,
    head: bool = True,
) -> Sheets:
    """Print a file of HTML.

    Args:
        browser: from `printing`.
        file: with an article.
        page: what it is called.
        paper: a name in `PAPERS`.
        before: how many sheets come before it.
        head: whether its title stands at the top of every sheet but the first.

    Raises:
        ValueError: If a formula is not set, or a picture does not load.
    """
    width, height = PAPERS[paper]
    inside = round((width - 2 * SIDE) / 25.4 * 96)
    # As wide as the paper: what is too wide is found before it is printed.
    tab = browser.new_page(
        viewport={"width": inside, "height": 1000}, color_scheme="light"
    )
    try:
        tab.set_default_timeout(SECONDS * 1000)
        tab.emulate_media(media="print")
        tab.goto(file.resolve().as_uri(), wait_until="load", timeout=SECONDS * 1000)
        style = f"@page {{ size: {width}mm {height}mm; }}\n"
        style += f"html {{ counter-reset: page {before}; }}\n"
        if head:
            told = f"content: {json.dumps(page.title, ensure_ascii=False)};"
            style += f"@page {{ @top-right {{ {told} }} }}\n"
        tab.add_style_tag(content=style + asset("paper.css"))
        told = tab.evaluate(asset("paper.js"), {"width": inside, "isWhole": True})
        for kind, name in (("raw", "formulas"), ("lost", "pictures")):
            if told[kind]:
                text = f"{told[kind]} {name} of {file.name} are missing"
                raise ValueError(f"{text}: build the book again")
        pdf = tab.pdf(prefer_css_page_size=True, print_background=True)
    finally:
        tab.close()
    return Sheets(page, PdfReader(io.BytesIO(pdf)), told["headings"])


def front_html(pages: Sequence[Page], site: Path, numbers: dict[str, int]) -> str:
    """The title page and the contents, with a link and a number for each page.

    Args:
        pages: that are printed.
        site: folder of the built book.
        numbers: name of a page -> number of its first sheet, from 1.
    """
    index = BeautifulSoup((site / "index.html").read_text("utf-8"), "html.parser")
    title = title_of(index)
    footer = index.select(".bd-footer-content .footer-item")
    told = [" ".join(item.get_text().split()) for item in footer]
    lines = "".join(f"<p>{escape(line)}</p>" for line in told if line)
    cover = site / "_static" / "cover.png"
    picture = f'<img src="{escape(cover.as_uri())}" alt="">' if cover.is_file() else ""
    style = (site / "_static" / "print.css").resolve().as_uri()
    parts = []
    for part, group in groupby(pages, key=lambda page: page.part):
        parts.append(f"<h2>{escape(part)}</h2>" if part else "")
        for page in group:
            address = escape((site / f"{page.name}.html").resolve().as_uri())
            number = numbers.get(page.name, 0)
            parts.append(
                f'<p class="entry"><a href="{address}">{escape(page.title)}</a>'
                f'<span class="dots"></span><span>{number}</span></p>'
            )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        f'<link rel="stylesheet" href="{escape(style)}"></head>'
        '<body><article class="paper-front">'
        f'<section class="cover"><h1>{escape(title)}</h1>{picture}'
        f'<div class="colophon">{lines}</div></section>'
        f'<section id="paper-contents"><h1>Contents</h1>{"".join(parts)}</section>'
        "</article></body></html>"
    )


def title_of(index: BeautifulSoup) -> str:
    """The title of the book, from its first page; its menu begins with it."""
    link = index.select_one("nav.bd-links li.toctree-l1 > a")
    return " ".join(link.get_text().split())


def print_front(
    browser: Browser, pages: Sequence[Page], site: Path, paper: str, numbers: dict
) -> Sheets:
    """Print the title page and the contents; arguments as those of `front_html`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "front.html"
        file.write_text(front_html(pages, site, numbers), "utf-8")
        return printed(browser, file, Page("", "", ""), paper, 0, head=False)


def print_pages(
    browser: Browser,
    pages: Sequence[Page],
    site: Path,
    *,
    paper: str = "a4",
    has_front: bool = True,
    report: Callable[[Sheets], object] = lambda sheets: None,
) -> list[Sheets]:
    """Print pages of the built book, their sheets numbered through.

    Args:
        browser: from `printing`.
        pages: in the order of the contents.
        site: folder of the built book.
        paper: a name in `PAPERS`.
        has_front: whether a title page and the contents come first.
        report: is called with each page as soon as it is printed.

    Returns:
        The front, if there is one, and then each page.
    """
    count = 0
    if has_front:
        # How many sheets the contents take is known before the numbers on them are.
        count = len(print_front(browser, pages, site, paper, {}).reader.pages)
    found, numbers = [], {}
    for page in pages:
        numbers[page.name] = count + 1
        file = site / f"{page.name}.html"
        found.append(printed(browser, file, page, paper, count))
        count += len(found[-1].reader.pages)
        report(found[-1])
    if has_front:
        found.insert(0, print_front(browser, pages, site, paper, numbers))
    return found


def joined(sheets: Sequence[Sheets], site: Path) -> PdfWriter:
    """One PDF of all sheets, with bookmarks, and with links among its pages.

    Args:
        sheets: from `print_pages`.
        site: folder of the built book, where the links of the sheets lead to.
    """
    writer = PdfWriter()
    starts = []
    for one in sheets:
        starts.append(len(writer.pages))
        for sheet in one.reader.pages:
            writer.add_page(sheet)
    by_name = dict(zip((one.page.name for one in sheets), starts, strict=True))
    places = {one.page.name: one.places for one in sheets}
    for one, start in zip(sheets, starts, strict=True):
        for sheet in writer.pages[start : start + len(one.reader.pages)]:
            mend_links(writer, sheet, one.page.name, by_name, places, site)
    add_bookmarks(writer, sheets, starts)
    index = BeautifulSoup((site / "index.html").read_text("utf-8"), "html.parser")
    writer.add_metadata({"/Title": title_of(index)})
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    return writer


def mend_links(
    writer: PdfWriter,
    sheet: dict,
    name: str,
    starts: dict[str, int],
    places: dict[str, dict],
    site: Path,
) -> None:
    """Let the links of a sheet lead to sheets, and drop those to what is not there.

    Args:
        writer: of the whole file.
        sheet: of the writer.
        name: of the page that it belongs to.
        starts: name of a page -> its first sheet.
        places: name of a page -> as in `Sheets`.
        site: folder of the built book.
    """
    kept = ArrayObject()
    for reference in sheet.get("/Annots", []):
        link = reference.get_object()
        target = target_of(link, name, site)
        if target is None:
            kept.append(reference)
            continue
        page, place = target
        if page in starts:
            found = places[page].get(place)
            number, *where = found or (0, None, None)
            goal = writer.pages[starts[page] + number].indirect_reference
            corner = [NullObject() if x is None else NumberObject(x) for x in where]
            link.pop("/A", None)
            link[NameObject("/Dest")] = ArrayObject(
                [goal, NameObject("/XYZ"), *corner, NullObject()]
            )
            kept.append(reference)
    if "/Annots" in sheet:
        sheet[NameObject("/Annots")] = kept


def target_of(link: dict, name: str, site: Path) -> tuple[str, str] | None:
    """Page and place that a link leads to; None if it leads out of the book.

    Args:
        link: an annotation.
        name: of the page that it is on.
        site: folder of the built book.
    """
    if isinstance(link.get("/Dest"), str):
        return name, unquote(link["/Dest"].lstrip("/"))
    address = str(link.get("/A", {}).get("/URI", ""))
    parts = urlsplit(address)
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    folder = unquote(urlsplit(site.resolve().as_uri()).path)
    inside = path.removeprefix(f"{folder}/").removesuffix(".html")
    return inside, unquote(parts.fragment)


def add_bookmarks(
    writer: PdfWriter, sheets: Sequence[Sheets], starts: Sequence[int]
) -> None:
    """Add the outline: parts, in them pages, in them sections.

    Args:
        writer: of the whole file.
        sheets: in it.
        starts: first sheet of each.
    """
    part, parent = "", None
    for one, start in zip(sheets, starts, strict=True):
        if one.page.part != part:
            part = one.page.part
            parent = writer.add_outline_item(title=part, page_number=start)
        title = one.page.title or "Contents"
        first = start if one.page.name else start + 1  # the title page has no mark
        item = writer.add_outline_item(
            title=title, page_number=first, parent=parent, is_open=False
        )
        for heading in one.headings:
            if heading["level"] == 2 and one.page.name:
                number, left, up = one.places.get(heading["place"], (0, 0.0, 0.0))
                writer.add_outline_item(
                    title=heading["title"],
                    page_number=start + number,
                    parent=item,
                    fit=Fit.xyz(left, up) if up else Fit.fit(),
                )
