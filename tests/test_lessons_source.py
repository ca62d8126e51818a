"""Code shown in chapters is the code of the file."""

import inspect
from textwrap import dedent

import pytest

from glyflib import unet
from glyflib.lessons import source
from glyflib.lessons.source import show_source

FILE = "glyflib/unet.py"
CODE = '''"""A module."""

import functools


class Box:
    """A box."""

    @functools.cache
    def size(self):
        for side in range(3):
            print(side)
        return 3
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A small file in a repository of its own."""
    monkeypatch.setattr(source, "ROOT", tmp_path)
    (tmp_path / "box.py").write_text(CODE, "utf-8")
    return "box.py"


def shown(*words, **options):
    """The code between the fences of what is shown."""
    lines = show_source(*words, **options).data.split("\n")
    assert (lines[0], lines[-1]) == ("```python", "```")
    return "\n".join(lines[1:-1])


@pytest.mark.parametrize("name", ["timestep_embedding", "ResBlock", "UNet.forward"])
def test_a_definition_is_shown_as_python_finds_it(name):
    found = unet
    for part in name.split("."):
        found = getattr(found, part)
    assert shown(FILE, name) == dedent(inspect.getsource(found)).rstrip()


def test_a_definition_has_its_decorator_and_loses_its_indentation(file):
    assert shown(file, "Box.size").startswith("@functools.cache\ndef size(self):\n")


def test_lines_are_chosen_by_what_is_in_them(file):
    lines = shown(file, "Box.size", first="for side", last="print")
    assert lines == "for side in range(3):\n    print(side)"
    assert shown(file, first="class", last="A box") == 'class Box:\n    """A box."""'


def test_a_whole_file_is_shown(file):
    assert shown(file) == CODE.rstrip()


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        (["Box.weight"], {}, "box.py has no Box.weight"),
        (["Crate"], {}, "box.py has no Crate"),
        ([], {"first": "nowhere"}, "box.py has no line with 'nowhere'"),
        (["Box"], {"first": "return", "last": "for side"}, "'for side'"),
    ],
)
def test_what_is_gone_is_told(file, words, options, told):
    with pytest.raises(ValueError, match=told):
        show_source(file, *words, **options)


def test_a_file_that_is_gone_is_told():
    with pytest.raises(FileNotFoundError):
        show_source("glyflib/nowhere.py")
