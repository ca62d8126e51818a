"""Code shown in a chapter: the source itself, read from its file, so it cannot drift.

Invariant: what is shown stands in the file word for word, less its indentation.
"""

import ast
from pathlib import Path
from textwrap import dedent

from IPython.display import Markdown

ROOT = Path(__file__).parents[2]


def show_source(
    path: str,
    name: str | None = None,
    *,
    first: str | None = None,
    last: str | None = None,
) -> Markdown:
    """Show code of the book's repository, with its colours, below the cell.

    Args:
        path: of the file, seen from the repository: "glyflib/unet.py".
        name: of a function, class or method, such as "UNet.build"; None for the file.
        first: text in the first line to show, if it is not the first of all.
        last: text in the last line to show, the first such line from there on.

    Returns:
        what a notebook and the page show as Python code.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file has no such name or no such line.
    """
    code = (ROOT / path).read_text("utf-8")
    if name is not None:
        code = definition(code, name, path)
    lines = code.splitlines()
    if first is not None:
        lines = lines[place_of(first, lines, path) :]
    if last is not None:
        lines = lines[: place_of(last, lines, path) + 1]
    return Markdown(f"```python\n{dedent(chr(10).join(lines))}\n```")


def definition(code: str, name: str, path: str) -> str:
    """The source of a function, class or method, with its decorators.

    Args:
        code: of the whole file.
        name: such as "UNet.build".
        path: of the file, for the error.

    Raises:
        ValueError: If the code defines nothing of that name.
    """
    body = ast.parse(code).body
    for part in name.split("."):
        found = [node for node in body if getattr(node, "name", None) == part]
        if not found:
            raise ValueError(f"{path} has no {name}")
        node = found[0]
        body = getattr(node, "body", [])
    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(code.splitlines()[start - 1 : node.end_lineno])


def place_of(text: str, lines: list[str], path: str) -> int:
    """The place of the first line that holds a text.

    Args:
        text: to look for.
        lines: in which to look.
        path: of their file, for the error.

    Raises:
        ValueError: If no line holds it.
    """
    for place, line in enumerate(lines):
        if text in line:
            return place
    raise ValueError(f"{path} has no line with {text!r}")
