"""Imports inside glyflib run downward only, along the map below."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "glyflib"
MODULES = sorted(PACKAGE.rglob("*.py"))
# The model itself: what chapters, studies and commands are built on.
ROOT_MODULES = {path.stem for path in PACKAGE.glob("[a-z]*.py")}

# What each module or subpackage imports from glyflib, apart from itself. "root" stands
# for all modules of the root; the map of a subpackage says no more about them.
ALLOWED = {
    "__init__": set(),
    "files": set(),
    "data": {"files"},
    "schedule": set(),
    "sampling": {"schedule"},
    "exact": {"data", "schedule"},
    "likelihood": {"data", "sampling", "schedule"},
    "flow": {"sampling", "schedule"},
    "unet": set(),
    "precision": set(),
    "t5": set(),
    "text": {"files", "t5"},
    "training": {"checkpoint", "data", "precision", "sampling", "schedule"},
    "checkpoint": {"files"},
    "glyffuser": {
        "autoencoder",
        "data",
        "files",
        "sampling",
        "schedule",
        "text",
        "unet",
    },
    "super_resolution": {"files", "sampling", "schedule", "unet"},
    "editing": {"sampling", "schedule"},
    "autoencoder": {"files", "unet"},
    "student": {"files", "glyffuser", "sampling", "schedule", "text", "unet"},
    "distillation": {
        "data",
        "precision",
        "sampling",
        "schedule",
        "student",
        "text",
        "training",
        "unet",
    },
    "run_log": {"files", "training"},
    "runs": {
        "autoencoder",
        "checkpoint",
        "data",
        "files",
        "glyffuser",
        "run_log",
        "text",
        "training",
        "unet",
    },
    "glyphs": {"root"},
    "evaluation": {"root"},
    "plotting": set(),
    "interactive": {"root"},
    "lessons": {"root", "evaluation"},
    "studies": {"root", "glyphs", "evaluation", "lessons"},
    "making": {"root", "glyphs", "evaluation"},
    "commands": {
        "root",
        "glyphs",
        "evaluation",
        "plotting",
        "interactive",
        "lessons",
        "studies",
        "making",
    },
    "__main__": set(),  # names its commands, and loads the one that is asked for
}


def unit_of(module: str) -> str:
    """The row of the map: glyflib.plotting.base belongs to plotting."""
    return module.split(".")[1] if "." in module else "__init__"


def imported_modules(source: str, module: str) -> set[str]:
    """Full names of everything imported, also inside functions, also relative."""
    package = module if module.endswith("__init__") else module.rpartition(".")[0]
    package = package.removesuffix(".__init__")
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*parents, node.module] if node.level else [node.module]
            names = [".".join(filter(None, [*base, a.name])) for a in node.names]
            found |= set(names)
    return found


def inner_imports(source: str, module: str) -> dict[str, str]:
    """Names imported from elsewhere in glyflib, each with the row of the map it needs.

    A subpackage needs "root" for every module of the root.
    """
    unit, found = unit_of(module), {}
    for name in sorted(imported_modules(source, module)):
        other = unit_of(name)
        if name.partition(".")[0] == "glyflib" and other != unit:
            is_root = unit not in ROOT_MODULES and other in ROOT_MODULES
            found[name] = "root" if is_root else other
    return found


def forbidden_imports(source: str, module: str) -> list[str]:
    """Imports that the map does not allow to a module, by its full name."""
    unit = unit_of(module)
    found = [
        name
        for name, needed in inner_imports(source, module).items()
        if needed not in ALLOWED[unit]
    ]
    if unit != "plotting":
        drawing = ("matplotlib", "pylab", "seaborn")
        names = sorted(imported_modules(source, module))
        found += [name for name in names if name.partition(".")[0] in drawing]
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_follow_the_map(path):
    name = name_of(path)
    assert unit_of(name) in ALLOWED, (
        "add the module to the map, and say what it may use"
    )
    assert forbidden_imports(path.read_text("utf-8"), name) == []


@pytest.mark.parametrize("unit", ALLOWED)
def test_the_map_allows_nothing_that_nobody_needs(unit):
    used = set()
    for path in MODULES:
        if unit_of(name_of(path)) == unit:
            used |= set(inner_imports(path.read_text("utf-8"), name_of(path)).values())
    assert ALLOWED[unit] - used == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("glyflib.schedule", "import glyflib.data"),
        ("glyflib.schedule", "from glyflib import data"),
        ("glyflib.schedule", "from . import data"),
        ("glyflib.schedule", "from .data import load_glyphs"),
        ("glyflib.exact", "def f():\n    from glyflib.sampling import sample"),
        ("glyflib.plotting.base", "from glyflib.data import load_glyphs"),
        ("glyflib.plotting.base", "from .. import data"),
        ("glyflib.plotting.__init__", "from ..data import load_glyphs"),
        ("glyflib.interactive", "from glyflib.plotting.base import INK"),
        ("glyflib.data", "import matplotlib.pyplot as plt"),
        ("glyflib.glyphs.assemble", "from matplotlib import pyplot"),
        ("glyflib.glyffuser", "from glyflib.training import train"),
        ("glyflib.student", "from glyflib.distillation import draw_lesson"),
        ("glyflib.studies.words", "from glyflib.making.map import build_map"),
    ],
)
def test_a_forbidden_import_is_caught(module, source):
    assert forbidden_imports(source, module) != []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("glyflib.exact", "from glyflib.schedule import add_noise"),
        ("glyflib.exact", "from .schedule import add_noise"),
        ("glyflib.plotting.noise", "from glyflib.plotting.base import figure"),
        ("glyflib.plotting.noise", "from .base import figure"),
        ("glyflib.plotting.noise", "import matplotlib.pyplot as plt"),
        ("glyflib.glyphs.assemble", "from glyflib import data"),
        ("glyflib.data", "import torch"),
    ],
)
def test_an_allowed_import_passes(module, source):
    assert forbidden_imports(source, module) == []
