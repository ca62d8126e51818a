"""Imports inside glyflib run downward only, along the map below."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "glyflib"
MODULES = sorted(PACKAGE.rglob("*.py"))
# The model itself: what chapters, studies and commands are built on.
ROOT_MODULES = {path.stem for path in PACKAGE.glob("[a-z]*.py")}
MIDDLE = {"glyphs", "evaluation", "plotting", "interactive"}

# What each module or subpackage may import from glyflib, apart from itself.
ALLOWED = {
    "__init__": set(),
    "files": set(),
    "data": {"files"},
    "schedule": set(),
    "sampling": {"schedule"},
    "exact": {"data", "schedule"},
    "unet": set(),
    "precision": set(),
    "text": {"files"},
    "training": {"checkpoint", "data", "precision", "sampling", "schedule"},
    "checkpoint": {"files"},
    "glyffuser": {"data", "files", "sampling", "schedule", "text", "unet"},
    "super_resolution": {"files", "glyffuser", "sampling", "schedule", "unet"},
    "run_log": {"checkpoint", "files", "training"},
    "runs": {
        "checkpoint",
        "data",
        "files",
        "glyffuser",
        "run_log",
        "text",
        "training",
        "unet",
    },
    "glyphs": ROOT_MODULES,
    "evaluation": ROOT_MODULES,
    "plotting": set(),
    "interactive": set(),
    "lessons": ROOT_MODULES | MIDDLE,
    "studies": ROOT_MODULES | MIDDLE | {"lessons"},
    "making": ROOT_MODULES | MIDDLE | {"lessons"},
    "commands": ROOT_MODULES | MIDDLE | {"lessons", "studies", "making"},
    "__main__": {"commands"},
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


def forbidden_imports(source: str, module: str) -> list[str]:
    """Imports that the map does not allow to a module, by its full name."""
    unit = unit_of(module)
    found = []
    for name in sorted(imported_modules(source, module)):
        top = name.partition(".")[0]
        is_inner = top == "glyflib" and unit_of(name) != unit
        if is_inner and unit_of(name) not in ALLOWED[unit]:
            found.append(name)
        if top in ("matplotlib", "pylab", "seaborn") and unit != "plotting":
            found.append(name)
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
        ("glyflib.__main__", "import glyflib.commands.train"),
        ("glyflib.data", "import torch"),
    ],
)
def test_an_allowed_import_passes(module, source):
    assert forbidden_imports(source, module) == []
