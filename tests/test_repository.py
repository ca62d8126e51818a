"""The files around the book agree with each other and with the README's promises."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from hashlib import sha256
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from glyflib.data import load_glyphs

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LINES = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
COMMANDS = [
    "pip install -r requirements.txt",
    "jupyter-book build book",
    "pytest --nbmake",
]
LOCAL_PATH = re.compile(r"(?<![\w./-])/(?:home|root|tmp|Users)/\w|[A-Z]:\\Users\\")


def by_name(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by canonical name."""
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in found}


PINS = by_name([x for x in LINES if x.strip() and not x.startswith(("#", "-"))])
RANGES = by_name(
    PROJECT["dependencies"]
    + [x for extra in PROJECT["optional-dependencies"].values() for x in extra]
)


def tracked_files() -> list[Path]:
    """Files that git knows, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a git checkout")
    paths = [ROOT / os.fsdecode(name) for name in run.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def local_paths(text: str) -> list[str]:
    """Lines that name a place on one person's machine."""
    return [line for line in text.splitlines() if LOCAL_PATH.search(line)]


@pytest.mark.parametrize("name", PINS)
def test_requirements_are_pinned_exactly(name):
    specifiers = list(PINS[name].specifier)
    assert [s.operator for s in specifiers] == ["=="]
    assert "*" not in specifiers[0].version


@pytest.mark.parametrize("name", PINS)
def test_pins_lie_in_the_ranges_of_pyproject(name):
    pin = next(iter(PINS[name].specifier)).version
    assert RANGES[name].specifier.contains(pin)


def test_each_range_has_a_pin():
    assert set(RANGES) == set(PINS)


def test_requirements_end_with_the_package_itself():
    assert LINES[-1] == "-e ."


# Of the book's packages, what a study of the package compares it with, and asks for.
OF_THE_BOOK = {
    "beautifulsoup4",
    "diffusers",
    "markdown-it-py",
    "mdit-py-plugins",
    "nbclient",
    "nbformat",
    "playwright",
    "pygments",
    "pypdf",
}


def test_the_package_declares_what_it_imports():
    trees = [ast.parse(p.read_text("utf-8")) for p in ROOT.glob("glyflib/**/*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    tops = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    owners = packages_distributions()
    used = {canonicalize_name(d) for t in tops - {"glyflib"} for d in owners[t]}
    assert used - OF_THE_BOOK <= set(by_name(PROJECT["dependencies"]))
    assert set(by_name(PROJECT["optional-dependencies"]["book"])) >= OF_THE_BOOK


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("path", ["README.md", ".ci/run"])
def test_the_commands_stand_verbatim(path, command):
    assert command in (ROOT / path).read_text("utf-8")


def test_ci_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_no_file_is_huge():
    limit = 20 * 2**20
    assert [p.name for p in tracked_files() if p.stat().st_size > limit] == []


def test_no_file_names_a_place_on_one_machine():
    found = []
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            lines = local_paths(data.decode("utf-8"))
            found += [f"{path.relative_to(ROOT)}: {line}" for line in lines]
    assert found == []


def test_a_place_on_one_machine_is_caught():
    places = ["/ho" + "me/ann/x", "open('/t" + "mp/x')", "/Us" + "ers/ann"]
    assert [len(local_paths(place)) for place in places] == [1, 1, 1]
    assert local_paths("https://example.org/home/page and a/tmp/b") == []


def test_data_files_have_the_sums_that_are_listed():
    folder = ROOT / "data"
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (x.split(maxsplit=1) for x in lines)}
    actual = {
        name: sha256((folder / name).read_bytes()).hexdigest()
        for name in listed
        if (folder / name).is_file()
    }
    assert actual == listed


def test_every_data_file_is_listed():
    folder = ROOT / "data"
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {line.split(maxsplit=1)[1] for line in lines}
    found = {
        p.relative_to(folder).as_posix() for p in tracked_files() if folder in p.parents
    }
    cards = {name for name in found if Path(name).name == "README.md"}
    assert found - cards - {"SHA256SUMS"} == listed


YAML = [
    "_config.yml",
    "_toc.yml",
    "CITATION.cff",
    ".pre-commit-config.yaml",
    ".github/dependabot.yml",
    ".github/workflows/ci.yml",
    ".github/workflows/book.yml",
]


@pytest.mark.parametrize("path", YAML)
def test_settings_can_be_read(path):
    assert isinstance(yaml.safe_load((ROOT / path).read_text("utf-8")), dict)


def test_the_citation_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert {"message", "title", "authors"} <= set(citation)


def test_the_hooks_have_the_pinned_versions():
    text = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    revs = {
        repo["repo"].rsplit("/", 1)[-1].removesuffix("-pre-commit"): repo["rev"]
        for repo in yaml.safe_load(text)["repos"]
    }
    for name in ("ruff", "nbstripout"):
        assert f"=={revs[name].removeprefix('v')}" == str(PINS[name].specifier)


def test_the_icon_is_a_glyph_of_the_data():
    glyphs = load_glyphs("all", 64)
    expected = glyphs.images[glyphs.find("散")[0], 0].numpy()
    with Image.open(ROOT / "book" / "_static" / "favicon.png") as icon:
        np.testing.assert_array_equal(np.asarray(icon), expected)
