"""The API pages have every public function and class of the model, and no other.

Checks take texts and return a list of problems; the tests at the end feed them small
made-up packages to see that they catch each fault.
"""

import ast
import importlib.util
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text("utf-8") for path in ROOT.glob("book/api*.md")}
FOLDERS = ("glyflib", "glyflib/glyphs", "glyflib/evaluation")
AUTOMODULE = re.compile(
    r"^\.\. automodule:: (?P<module>\S+)\n(?:   :exclude-members: (?P<names>.+)\n)?",
    re.MULTILINE,
)
ROLE = re.compile(r"\{py:\w+\}`(?:[^`<]*<)?~?(?P<name>[\w.]+)>?`")
LINK = re.compile(r"api\w*\.md#(?P<name>glyflib[\w.]*)")
ALIAS = re.compile(r"^#: .*\n(?:#: .*\n)*(\w+) = ", re.MULTILINE)


class Entry(NamedTuple):
    """A module on a page, and what the page leaves out of it."""

    page: str
    module: str
    left_out: set[str]


def module_name(path: Path) -> str:
    """glyflib/glyphs/fonts.py is glyflib.glyphs.fonts."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def read_modules() -> dict[str, str]:
    """Source of each module that the pages are about, by its full name."""
    paths = [p for folder in FOLDERS for p in (ROOT / folder).glob("[a-z]*.py")]
    return {module_name(path): path.read_text("utf-8") for path in paths}


def definitions(source: str) -> list[ast.stmt]:
    """Functions and classes of a module, in their order."""
    kinds = ast.FunctionDef, ast.ClassDef
    return [node for node in ast.parse(source).body if isinstance(node, kinds)]


def public_names(source: str) -> set[str]:
    """Functions and classes that a reader may use: no `_name`, no `check_name`."""
    names = {node.name for node in definitions(source)}
    return {name for name in names if not name.startswith(("_", "check_"))}


def bound_names(source: str) -> set[str]:
    """All that a module defines: functions, classes and constants."""
    found = {node.name for node in definitions(source)}
    assignments = [n for n in ast.parse(source).body if isinstance(n, ast.Assign)]
    places = [place for node in assignments for place in node.targets]
    return found | {place.id for place in places if isinstance(place, ast.Name)}


def linkable_names(source: str) -> set[str]:
    """What a link can name: entries, methods of classes, documented aliases."""
    found = public_names(source) | set(ALIAS.findall(source))
    for node in definitions(source):
        if isinstance(node, ast.ClassDef):
            members = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            names = [one.name for one in members if not one.name.startswith("_")]
            found |= {f"{node.name}.{name}" for name in names}
    return found


def used_names(source: str) -> set[str]:
    """Full names of what a module or notebook takes from glyflib."""
    tree, modules, found = ast.parse(source), {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("glyf"):
            for alias in node.names:
                found.add(f"{node.module}.{alias.name}")
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{modules.get(node.value.id, '')}.{node.attr}")
    return found


def read_code(path: Path) -> str:
    """Python of a module, or of the code cells of a notebook."""
    if path.suffix == ".py":
        return path.read_text("utf-8")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    lines = [
        line
        for cell in cells
        if cell["cell_type"] == "code"
        for line in "".join(cell["source"]).splitlines()
        if not line.startswith(("%", "!"))
    ]
    return "\n".join(lines)


def used_elsewhere() -> set[str]:
    """Full names of what modules and notebooks take from other modules of glyflib."""
    paths = [*ROOT.glob("glyflib/**/*.py"), *ROOT.glob("book/*.ipynb")]
    return set().union(*(used_names(read_code(path)) for path in paths))


def entries_of(pages: dict[str, str]) -> list[Entry]:
    """The modules on the pages, in their order."""
    return [
        Entry(page, found["module"], set(re.findall(r"\w+", found["names"] or "")))
        for page, text in pages.items()
        for found in AUTOMODULE.finditer(text)
    ]


def wrong_entries(
    pages: dict[str, str], modules: dict[str, str], used: set[str]
) -> list[str]:
    """Modules and names that are missing on the pages, or not in the package."""
    entries, found = entries_of(pages), []
    named = [entry.module for entry in entries]
    for module in modules:
        if named.count(module) != 1:
            found.append(f"{module} stands on {named.count(module)} pages")
    for page, module, left_out in entries:
        if module not in modules:
            found.append(f"{page}: there is no {module}")
            continue
        for name in sorted(left_out - bound_names(modules[module])):
            found.append(f"{page}: {module} has no {name} to leave out")
        for name in sorted(left_out & public_names(modules[module])):
            if f"{module}.{name}" in used:
                found.append(f"{page}: {module}.{name} is used elsewhere, but left out")
    return found


def lost_links(
    texts: dict[str, str], pages: dict[str, str], modules: dict[str, str]
) -> list[str]:
    """Links to entries that the pages do not have."""
    left_out = {entry.module: entry.left_out for entry in entries_of(pages)}
    names = {
        f"{module}.{name}"
        for module, source in modules.items()
        for name in linkable_names(source)
        if module in left_out and name.split(".")[0] not in left_out[module]
    }
    return [
        f"{where}: {link['name']}"
        for where, text in texts.items()
        for pattern in (ROLE, LINK)
        for link in pattern.finditer(text)
        if link["name"] not in names | set(modules)
    ]


def entries_to_be(pages: dict[str, str], modules: dict[str, str]) -> set[str]:
    """Full names of the functions and classes that the built pages have to show."""
    return {
        f"{entry.module}.{name}"
        for entry in entries_of(pages)
        for name in public_names(modules[entry.module]) - entry.left_out
    }


def built_entries(html: str) -> set[str]:
    """Full names of the functions and classes that a built page shows."""
    soup = BeautifulSoup(html, "html.parser")
    found = soup.select("dl.py.function > dt[id], dl.py.class > dt[id]")
    return {tag["id"] for tag in found}


def load_extension():
    """The Sphinx extension that writes the entries."""
    path = ROOT / "book" / "_sphinx" / "api_entries.py"
    spec = importlib.util.spec_from_file_location("api_entries", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXTENSION = load_extension()


def test_every_public_name_has_an_entry():
    assert wrong_entries(PAGES, read_modules(), used_elsewhere()) == []


def test_every_link_to_an_entry_arrives():
    paths = [*ROOT.glob("book/*.md"), *ROOT.glob("book/*.ipynb")]
    texts = {path.name: path.read_text("utf-8") for path in paths}
    assert lost_links(texts, PAGES, read_modules()) == []


def test_the_built_pages_show_every_entry(site):
    names = [Path(name).with_suffix(".html") for name in PAGES]
    shown = [built_entries((site / name).read_text("utf-8")) for name in names]
    assert set().union(*shown) == entries_to_be(PAGES, read_modules())


def test_the_root_comes_in_the_order_of_the_book():
    order = "files data schedule sampling exact likelihood flow unet precision t5 text "
    order += "training checkpoint glyffuser editing super_resolution autoencoder "
    order += "student distillation runs run_log"
    named = [entry.module for entry in entries_of({"api.md": PAGES["api.md"]})]
    assert named == [f"glyflib.{name}" for name in order.split()]


def torn_docstrings(source: str) -> list[str]:
    """What the pages would tear apart, by what it says.

    Before a colon in the first line of what describes a value, they see its type. A
    lone letter with a dot is the first number of a list to them. Of two sections of one
    name they show both.
    """
    found = []
    lines = source.splitlines()
    for before, line in pairwise(["", *lines]):
        if line.startswith("#: ") and not before.startswith("#: ") and ": " in line[2:]:
            found.append(line)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        text = ast.get_docstring(node) or ""
        first = text.partition("\n")[0]
        decorators = getattr(node, "decorator_list", [])
        if ":" in first and any("property" in ast.unparse(d) for d in decorators):
            found.append(first)
        found += re.findall(r"^ +\w+: [A-Z]\.$", text, re.MULTILINE)
        returned = r"^Returns:\n +(?!\w+: )(\S[^:\n]*: .*)"
        found += re.findall(returned, text, re.MULTILINE)
        heads = re.findall(r"^[A-Z]\w+:$", text, re.MULTILINE)
        found += sorted({head for head in heads if heads.count(head) > 1})
    return found


@pytest.mark.parametrize("name", sorted(read_modules()))
def test_no_docstring_is_torn_apart(name):
    assert torn_docstrings(read_modules()[name]) == []


@pytest.mark.parametrize(
    "source",
    [
        "#: What draws: a pen.\nDraw = object",
        'class Pen:\n    @property\n    def ink(self):\n        """Ink: much."""',
        'def f():\n    """Do it.\n\n    Args:\n        rows: B.\n    """',
        'def f():\n    """Do it.\n\n    Returns:\n        {a: b}; c.\n    """',
        'def f():\n    """Do it.\n\n    Args:\n        a: b.\n\n    Args:\n    """',
    ],
)
def test_a_docstring_that_the_pages_tear_apart_is_caught(source):
    assert len(torn_docstrings(source)) == 1


SOURCE = """
SIZE = 8
#: What draws.
Draw = object
def ink(): ...
def mix(): ...
def check_ink(): ...
def _hidden(): ...
class Brush:
    def dip(self): ...
"""
PAGE = ".. automodule:: glyflib.ink\n   :exclude-members: mix\n"


def problems(page: str = PAGE, source: str = SOURCE, used: str = "") -> list[str]:
    return wrong_entries({"api.md": page}, {"glyflib.ink": source}, {used})


def test_a_whole_page_has_no_problems():
    assert problems() == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"page": "# Nothing\n"}, "glyflib.ink stands on 0 pages"),
        ({"page": PAGE + "\n" + PAGE}, "glyflib.ink stands on 2 pages"),
        ({"page": PAGE + ".. automodule:: glyflib.pen\n"}, "there is no glyflib.pen"),
        ({"source": "def ink(): ..."}, "glyflib.ink has no mix to leave out"),
        ({"used": "glyflib.ink.mix"}, "glyflib.ink.mix is used elsewhere"),
    ],
)
def test_a_wrong_entry_is_caught(fault, told):
    assert told in " ".join(problems(**fault))


@pytest.mark.parametrize(
    "link",
    [
        "{py:func}`~glyflib.ink.ink`",
        "{py:meth}`dip it <glyflib.ink.Brush.dip>`",
        "{py:mod}`glyflib.ink`",
        "[`Draw`](api.md#glyflib.ink.Draw)",
    ],
)
def test_a_link_to_an_entry_is_found(link):
    modules = {"glyflib.ink": SOURCE}
    assert lost_links({"01": link}, {"api.md": PAGE}, modules) == []


@pytest.mark.parametrize(
    "link",
    [
        "{py:func}`~glyflib.ink.gone`",
        "{py:func}`mixed <glyflib.ink.mix>`",
        "{py:meth}`glyflib.ink.Brush.dry`",
        "{py:func}`glyflib.ink.check_ink`",
        "[`dry`](api.md#glyflib.ink.Brush.dry)",
        "{py:mod}`glyflib.pen`",
    ],
)
def test_a_lost_link_is_caught(link):
    modules = {"glyflib.ink": SOURCE}
    assert len(lost_links({"01": link}, {"api.md": PAGE}, modules)) == 1


def test_entries_of_a_built_page_are_read():
    html = '<dl class="py function"><dt id="glyflib.ink.ink">ink()</dt></dl>'
    html += '<dl class="py method"><dt id="glyflib.ink.Brush.dip">dip()</dt></dl>'
    assert built_entries(html) == {"glyflib.ink.ink"}
    modules = {"glyflib.ink": SOURCE}
    wanted = entries_to_be({"api.md": PAGE}, modules)
    assert wanted == {"glyflib.ink.ink", "glyflib.ink.Brush"}


@pytest.mark.parametrize(
    "code",
    [
        "from glyflib.ink import mix",
        "from glyflib import ink\nink.mix()",
        "from glyflib import ink as black\nblack.mix()",
    ],
)
def test_a_use_is_found(code):
    assert "glyflib.ink.mix" in used_names(code)


@dataclass
class Glyph:
    """A data class for the tests of signatures."""

    ink: "ast.AST"
    size: int = 8
    facts: dict = field(default_factory=dict)
    area: int = field(init=False)


class Stroke(NamedTuple):
    """A named tuple for the tests of signatures."""

    width: float
    ends: tuple[Path, ...] = ()


class Pen:
    """A class for the tests of signatures."""

    def __init__(self, width: float, *, tip: Path | None = None):
        pass

    def draw(self, stroke: Stroke, **options) -> "Glyph":
        pass


def pressed(stroke: Stroke, size: int = Glyph.size, *more: Path) -> list[Stroke]:
    return [stroke]


@pytest.mark.parametrize(
    ("what", "found", "arguments", "returned"),
    [
        ("class", Glyph, "ink: AST, size: int = 8, facts: dict = dict()", None),
        ("class", Stroke, "width: float, ends: tuple[Path, ...] = ()", None),
        ("class", Pen, "width: float, *, tip: Path | None=None", None),
        ("method", Pen.draw, "stroke: Stroke, **options", "Glyph"),
        (
            "function",
            pressed,
            "stroke: Stroke, size: int=Glyph.size, *more: Path",
            "list[Stroke]",
        ),
    ],
)
def test_a_signature_is_shown_as_it_is_written(what, found, arguments, returned):
    assert EXTENSION.as_written(what, found) == (arguments, returned)
