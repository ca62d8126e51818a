"""Tell the book where it is public: launch buttons, links to it, canonical addresses.

Invariant: run twice, it changes nothing more; run with another address, it moves.
"""

import json
import re
from pathlib import Path

import click

from glyflib.files import write_text

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]*[\w-]")
SITE = re.compile(r"https://[\w.-]+(?:/[\w.~-]+)*/?")
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
# What the settings say of the site, above the mark.
BASE = re.compile(r"^(  baseurl:).*$", re.MULTILINE)
BUTTON = re.compile(r"^(  use_repository_button:).*$", re.MULTILINE)
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


def pages_of(url: str) -> str:
    """Where GitHub shows the pages of a repository, https://OWNER.github.io/NAME/."""
    owner, name = url.rstrip("/").split("/")[-2:]
    host = f"{owner}.github.io".lower()
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def add_launch_buttons(
    root: Path, url: str, branch: str = "main", site: str = ""
) -> int:
    """Name repository and site in _config.yml; give each notebook its set-up cell.

    Args:
        root: of the repository.
        url: its public address on GitHub, https://github.com/OWNER/NAME.
        branch: that the buttons open.
        site: address of the built book; "" for the repository's pages on GitHub.

    Returns:
        the number of notebooks.

    Raises:
        ValueError: If an address is of another form, or the branch has odd signs.
    """
    url = url.removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(url):
        raise ValueError(f"address {url!r} must be like https://github.com/OWNER/NAME")
    if not re.fullmatch(r"[\w./-]+", branch):
        raise ValueError(f"branch {branch!r} must be letters, digits and ./-")
    site = site or pages_of(url)
    if not SITE.fullmatch(site):
        raise ValueError(f"site {site!r} must be like https://example.org/book/")
    path = root / "_config.yml"
    before, _, _ = path.read_text("utf-8").partition(MARK)
    before = BASE.sub(rf'\1 "{site.rstrip("/")}/"', before)
    before = BUTTON.sub(r"\1 true", before)
    text = before.rstrip("\n") + "\n\n" + MARK + CONFIG.format(url=url, branch=branch)
    write_text(path, text)
    notebooks = sorted((root / "book").glob("*.ipynb"))
    for notebook in notebooks:
        write_cell(notebook, launch_cell(url, branch))
    return len(notebooks)


@click.command(context_settings={"show_default": True})
@click.argument("url")
@click.option("--branch", default="main", help="That the buttons open.")
@click.option(
    "--site",
    default="",
    help="Address of the built book.  [default: the repository's pages on GitHub]",
)
def main(url: str, branch: str, site: str) -> None:
    """Add buttons that open the chapters of the public repository URL in Colab, Binder.

    Pages then link to the repository, and name their own address on the SITE. Buttons
    open what is pushed there, so commit and push afterwards.
    """
    try:
        count = add_launch_buttons(ROOT, url, branch, site)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{count} notebooks and _config.yml name {url}: commit and push them")


if __name__ == "__main__":
    main()
