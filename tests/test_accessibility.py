"""Every page of the built site by the rules of axe-core, in light and in dark.

axe-core (Deque Systems, Mozilla Public License 2.0) comes inside of the package
axe-playwright-python; nothing of it is copied here. The rule about colours is asked of
one text of each look that a page has, in both schemes; all other rules of the whole
page once, with its folds open. Formulas stay TeX: MathJax speaks for them by itself.
"""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from test_site import BAD_PAGE, read_pages, serve

# Folds are opened, since axe-core looks at nothing that is closed.
PREPARE = """() => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const still = document.createElement("style");
  still.textContent = "* { transition: none !important; animation: none !important; }";
  document.head.append(still);
}"""
ASK = """async () => {
  const told = await axe.run({
    resultTypes: ["violations"], preload: false,
    rules: { "color-contrast": { enabled: false } } });
  return told.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => `${id}: ${target}`));
}"""
# One element of each look, which is its own colour and size, and all that it lies on.
# A look that has been asked for on another page is known, and left out.
ASK_COLOURS = """async ([scheme, known]) => {
  Object.assign(document.documentElement.dataset, { theme: scheme, mode: scheme });
  const grounds = new Map([[null, ""]]);
  const ground = (e) => {
    if (!grounds.has(e)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(e);
      const own = [opacity, backgroundImage, backgroundColor]
        .filter((x) => !["1", "none", "rgba(0, 0, 0, 0)"].includes(x)).join();
      const isSolid = backgroundColor.startsWith("rgb(");
      grounds.set(e, isSolid ? own : own + ground(e.parentElement));
    }
    return grounds.get(e);
  };
  const looks = new Map(known.map((look) => [look, null]));
  for (const e of document.body.querySelectorAll("*")) {
    const isText = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!isText || !e.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(e);
    const look = [color, fontSize, fontWeight, ground(e)].join("|");
    if (!looks.has(look)) looks.set(look, e);
  }
  const include = [...looks.values()].filter(Boolean);
  const told = !include.length ? { violations: [] } : await axe.run({ include }, {
    resultTypes: ["violations"], preload: false, runOnly: ["color-contrast"] });
  return [[...looks.keys()], told.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, any }) => `${id}, ${scheme}: ${target}: ${any[0].message}`))];
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def look(browser, axe):
    """What axe-core tells of a page at an address; known looks grow with each page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route("**/mathjax/**", lambda route: route.abort())
    context.route("**/_images/**", lambda route: route.abort())

    def told(address, known) -> Iterator[str]:
        page = context.new_page()
        page.set_default_timeout(120_000)  # milliseconds: a busy machine is slow
        page.goto(address, wait_until="domcontentloaded")
        page.evaluate(PREPARE)
        page.evaluate(axe)
        yield from page.evaluate(ASK)
        for scheme in ("light", "dark"):
            known[:], found = page.evaluate(ASK_COLOURS, [scheme, known])
            yield from found
        page.close()

    yield told
    context.close()


def test_no_page_breaks_a_rule(site, look):
    server = serve(site)
    base = f"http://127.0.0.1:{server.server_port}/"
    pages = read_pages(site)
    # A page that forwards is gone before it can be looked at.
    names = [n for n, page in pages.items() if page.soup.title.text != "Moved"]
    known = []
    found = [f"{name}: {one}" for name in names for one in look(base + name, known)]
    server.shutdown()
    server.server_close()
    assert found == []


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("image-alt", '<img src="x.svg">'),
        ("button-name", "<button></button>"),
        ("label", '<input type="range">'),
        ("empty-table-header", "<table><tr><th></th><th>a</th></tr></table>"),
        ("color-contrast, light", '<p style="color: #999; background: #fff">pale</p>'),
        (
            "color-contrast, dark",
            "<style>[data-theme=dark] p { color: #444; background: #000 }</style>"
            "<p>dim</p>",
        ),
        ("color-contrast, light", '<details><p style="color: #ccc">pale</p></details>'),
    ],
)
def test_a_fault_is_told(rule, body, look, tmp_path):
    (tmp_path / "page.html").write_text(BAD_PAGE.format(body=body), "utf-8")
    told = list(look((tmp_path / "page.html").as_uri(), []))
    assert rule in [one.split(": ")[0] for one in told]
