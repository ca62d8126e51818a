"""Switch on the buttons that open a chapter in Colab or Binder, given an address.

Invariant: run twice, it changes nothing more; run with another address, it moves.
"""

import json
import re
from pathlib import Path

import click

from glyflib.files import write_text

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]*[\w-]")
FOLDER = "diffusion-book"  # of the clone, where a notebook was opened by itself
CELL_ID = "launch"
MARK = "# Launch buttons, written by book/launch.py; nothing may follow.\n"
CONFIG = """repository:
  url: {url}
  path_to_book: book
  branch: {branch}

launch_buttons:
  notebook_interface: jupyterlab
  colab_url: https://colab.research.google.com
  binderhub_url: https://mybinder.org
"""
CELL = """# Opened by itself, as on Colab: fetch the book and install its package, once.
import importlib.util
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

if importlib.util.find_spec("glyflib") is None:
    if not Path("{folder}").is_dir():
        clone = ["git", "clone", "--depth=1", "--branch={branch}", "{url}", "{folder}"]
        subprocess.run(clone, check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", "{folder}"]
    subprocess.run(pip, check=True)
    site.addsitedir(sysconfig.get_path("purelib"))"""


def launch_cell(url: str, branch: str) -> dict:
    """The cell, hidden on the page, that installs the package where it is missing."""
    source = CELL.format(url=url, branch=branch, folder=FOLDER)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": CELL_ID,
        "metadata": {"tags": ["remove-cell"], "jupyter": {"source_hidden": True}},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def write_cell(path: Path, cell: dict) -> None:
    """Put the cell below a notebook's title, in place of one that is there."""
    notebook = json.loads(path.read_text("utf-8"))
    kept = [some for some in notebook["cells"] if some["id"] != CELL_ID]
    notebook["cells"] = [kept[0], cell, *kept[1:]]
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    write_text(path, text)


def add_launch_buttons(root: Path, url: str, branch: str = "main") -> int:
    """Name the repository in _config.yml, and give each notebook its set-up cell.

    Args:
        root: of the repository.
        url: its public address on GitHub, https://github.com/OWNER/NAME.
        branch: that the buttons open.

    Returns:
        the number of notebooks.

    Raises:
        ValueError: If the address is of another form, or the branch has odd signs.
    """
    url = url.removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(url):
        raise ValueError(f"address {url!r} must be like https://github.com/OWNER/NAME")
    if not re.fullmatch(r"[\w./-]+", branch):
        raise ValueError(f"branch {branch!r} must be letters, digits and ./-")
    path = root / "_config.yml"
    before, _, _ = path.read_text("utf-8").partition(MARK)
    text = before.rstrip("\n") + "\n\n" + MARK + CONFIG.format(url=url, branch=branch)
    write_text(path, text)
    notebooks = sorted((root / "book").glob("*.ipynb"))
    for notebook in notebooks:
        write_cell(notebook, launch_cell(url, branch))
    return len(notebooks)


@click.command(context_settings={"show_default": True})
@click.argument("url")
@click.option("--branch", default="main", help="That the buttons open.")
def main(url: str, branch: str) -> None:
    """Add buttons that open the chapters of the public repository URL in Colab, Binder.

    They open what is pushed there, so commit and push afterwards.
    """
    try:
        count = add_launch_buttons(ROOT, url, branch)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{count} notebooks and _config.yml name {url}: commit and push them")


if __name__ == "__main__":
    main()
