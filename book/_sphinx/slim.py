"""Sphinx: of two large scripts a page loads only what the book uses.

MathJax comes from the package sphinx-mathjax-offline, in its parts: those that turn TeX
into HTML, and no menu, no speech and no other outputs. The theme's icons are cut down
to those that stand on a page. Invariant: what a page shows is the same without it.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)
PACKAGE = "sphinx-mathjax-offline"
FOLDER = "_static/mathjax"  # of the site
PARTS = ("input/tex", "output/chtml", "a11y/assistive-mml")  # that a page loads
# What these load in their turn, some of it only where a formula asks for it.
FILES = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions/*.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "a11y/assistive-mml.js",
)
ICONS = "scripts/fontawesome.js"  # of the theme's files, and of _static
# One icon: its name, width and height, other names, code point, and one or two paths.
ICON = re.compile(
    r'(?:"(?P<quoted>[\w-]+)"|(?P<plain>[A-Za-z_$][\w$]*|\d+)):'
    r'\[\d+,\d+,\[(?P<others>[^\]]*)\],"[0-9a-f]+",'
    r'(?:"[^"]*"|\[(?:"[^"]*",?)*\])\],?'
)
USED = re.compile(r"\bfa-([a-z0-9-]+)")


def source_of(package: str, inside: str) -> Path:
    """A file or folder of an installed package.

    Args:
        package: its name, which need not be one that Python can import.
        inside: path below its folder.

    Raises:
        ExtensionError: If it is not installed, or has no such file.
    """
    found = find_spec(package)
    places = found.submodule_search_locations if found else []
    path = Path(places[0]) / inside if places else None
    if path is None or not path.exists():
        raise ExtensionError(
            f"{package} with its {inside} is not installed: "
            "run 'pip install -r requirements.txt'"
        )
    return path


def use_parts(app: Sphinx, config: Config) -> None:
    """Let pages load MathJax in its parts, from the site itself."""
    config.mathjax_path = "mathjax/startup.js"
    settings = dict(config.mathjax3_config or {})
    settings["loader"] = {"load": [*PARTS]}
    config.mathjax3_config = settings


def copy_mathjax(folder: Path) -> None:
    """Copy the parts that pages may load into a folder.

    Args:
        folder: of the site.
    """
    source = source_of(PACKAGE, "static/mathjax")
    for pattern in FILES:
        for path in source.glob(pattern):
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, target)


def names_of(icon: re.Match) -> set[str]:
    """All names of an icon in the script."""
    name = icon["quoted"] or icon["plain"]
    return {name, *re.findall(r'"([\w-]+)"', icon["others"])}


def only_used(script: str, used: set[str]) -> str:
    """The script of icons without those that no page shows.

    Args:
        script: as the theme has it.
        used: names of icons, without "fa-".
    """
    return ICON.sub(lambda m: m[0] if names_of(m) & used else "", script)


def icons_on(folder: Path) -> set[str]:
    """Names of icons in the pages and scripts of a site, and of much else."""
    paths = [*folder.rglob("*.html"), *folder.glob("_static/**/*.js")]
    texts = [p.read_text("utf-8") for p in paths if p.name != Path(ICONS).name]
    return {name for text in texts for name in USED.findall(text)}


def slim(app: Sphinx, error: Exception | None) -> None:
    """Bring MathJax into the site, and cut the icons.

    Args:
        app: the builder.
        error: what stopped the build; None if nothing did.
    """
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    copy_mathjax(folder / FOLDER)
    target = folder / "_static" / ICONS
    if not target.is_file():
        return
    theme = "theme/pydata_sphinx_theme/static"
    script = source_of("pydata_sphinx_theme", f"{theme}/{ICONS}").read_text("utf-8")
    if not ICON.search(script):
        logger.warning("slim.py knows no icons in %s: it stays as it is", ICONS)
        return
    target.write_text(only_used(script, icons_on(folder)), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when the settings are known, and when all pages are written."""
    app.connect("config-inited", use_parts)
    app.connect("build-finished", slim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
