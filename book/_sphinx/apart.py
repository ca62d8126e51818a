"""Sphinx: what is heavy in a page lies beside it, and is loaded when it is wanted.

A notebook holds its pictures and its maps, so that it works by itself. On a page of the
site, pictures inside the HTML become files, all pictures are loaded when a reader comes
near, and so are large scripts. Invariant: pictures keep every pixel; what is small
stays where it is, and so does everything in the notebook.
"""

import re
from base64 import b64decode
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image
from sphinx.application import Sphinx

FOLDER = "apart"  # of the site
MIN_PICTURE = 4_000  # bytes: a smaller picture weighs less than asking for it
MIN_SCRIPT = 100_000
PIXELS = (".png", ".webp", ".gif", ".jpg", ".jpeg")
IMAGE = re.compile(r"<img\b[^>]*>")
EMBEDDED = re.compile(r'src="data:image/(png|webp|gif|jpeg);base64,([^"]+)"')
SRC = re.compile(r'src="([^":]+)"')
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# In the place of a large script: load it when what stands above it is near the window.
LOADER = """<script>(() => {{
  const above = document.currentScript.previousElementSibling;
  new IntersectionObserver((seen, observer) => {{
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    const script = document.createElement("script");
    script.src = "{src}";
    document.head.append(script);
  }}, {{ rootMargin: "200px" }}).observe(above);
}})();</script>"""


class Apart:
    """The files of one page, as they are taken out of it.

    Args:
        folder: of the site.
        prefix: from the page to the site's folder, "" or like "../".
        places: files of pictures by the names that pages give them.
    """

    def __init__(self, folder: Path, prefix: str, places: dict[str, Path]):
        self.folder, self.prefix, self.places = folder, prefix, places

    def write(self, data: bytes, ending: str) -> str:
        """Write bytes under a name that they alone have; return their address."""
        name = f"{FOLDER}/{sha256(data).hexdigest()[:20]}.{ending}"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            path.write_bytes(data)
        return self.prefix + name

    def image(self, found: re.Match) -> str:
        """An `img` tag, its picture a file that loads late and whose size is known."""
        tag, size = found[0], None
        embedded, src = EMBEDDED.search(tag), SRC.search(tag)
        if embedded:
            data = b64decode(embedded[2])
            if len(data) < MIN_PICTURE:
                return tag
            size = Image.open(BytesIO(data)).size
            tag = tag.replace(embedded[0], f'src="{self.write(data, embedded[1])}"')
        elif src:
            path = self.places.get(src[1].removeprefix(self.prefix), Path())
            if path.suffix.lower() in PIXELS:
                size = Image.open(path).size
        if size is None:
            return tag
        more = "" if "loading=" in tag else ' loading="lazy"'
        if not re.search(r"\s(width|height)=", tag):
            more += f' width="{size[0]}" height="{size[1]}" data-natural'
        return tag.replace("<img", f"<img{more}", 1)

    def script(self, found: re.Match) -> str:
        """A script inside a page, or what loads it late if it is large."""
        data = found[1].encode()
        if len(data) < MIN_SCRIPT:
            return found[0]
        return LOADER.format(src=self.write(data, "js"))

    def page(self, body: str) -> str:
        """The HTML of a page without what is heavy."""
        return SCRIPT.sub(self.script, IMAGE.sub(self.image, body))


def take_apart(
    app: Sphinx, pagename: str, _: str, context: dict, doctree: object
) -> None:
    """Take what is heavy out of a page that is about to be written.

    Args:
        app: the builder.
        pagename: of the page.
        context: of its template, whose body changes.
        doctree: of the page; None if it comes from a template alone.
    """
    if doctree is None or app.builder.format != "html":
        return
    builder, source = app.builder, Path(app.srcdir)
    places = {
        f"{builder.imagedir}/{name}": source / path
        for path, name in builder.images.items()
    }
    prefix = "../" * pagename.count("/")
    context["body"] = Apart(Path(app.outdir), prefix, places).page(context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page is about to be written."""
    app.connect("html-page-context", take_apart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
