"""An editor saves the name of its own kernel: tests and build run all the same."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture
def book(tmp_path):
    """A book of one notebook, saved with a kernel that this machine does not have."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A title"),
            nbformat.v4.new_code_cell("print(6 * 7)"),
        ],
        metadata={"kernelspec": {"name": "my-venv", "display_name": "My venv"}},
    )
    nbformat.write(notebook, tmp_path / "index.ipynb")
    return tmp_path


def test_pytest_runs_it(book):
    command = [sys.executable, "-m", "pytest", "--nbmake", "index.ipynb"]
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(book)]
    words = [*command, *settings, "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(words, cwd=book, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout


def test_the_build_runs_it(book):
    ours = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    names = ("nb_execution_raise_on_error", "nb_kernel_rgx_aliases")
    settings = {name: ours["sphinx"]["config"][name] for name in names}
    config = {"execute": ours["execute"], "sphinx": {"config": settings}}
    (book / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\n", "utf-8")
    command = Path(sys.executable).with_name("jupyter-book")
    run = subprocess.run(
        [command, "build", book], cwd=book, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "42" in (book / "_build" / "html" / "index.html").read_text("utf-8")
