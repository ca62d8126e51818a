"""Mend what a change moves on: numbers of figures and equations, citations, their list.

Run it from the repository's root after a figure, a formula, a citation or an entry of
the bibliography has come or gone: `python tests/renumber.py`, or with the notebooks to
mend as arguments. A second run changes nothing.

Invariant: nothing changes but numbers in captions and links, the addresses of works
that are cited, and the list of them at a chapter's end.
"""

import json
import re
import sys
from pathlib import Path

import nbformat
from notebook_rules import (
    CHAPTER_LINK,
    EQUATION_LINK,
    FIGURE_LINK,
    LINK,
    NAMED_FIGURE,
    figure_numbers,
    numbers,
)
from sources import BOOK, sources

ENTRY = re.compile(r"- \[[^\]]+\]\([^)]*\): \*")  # a line of the list of works
BIBLIOGRAPHY = "bibliography.md"


def figures_in_order(texts: list[str]) -> list[str]:
    """The texts with their captions numbered as they come, those of solutions last."""
    numbered, found = figure_numbers(texts), []
    for text in texts:
        caption = NAMED_FIGURE.match(text)
        if caption:
            name = caption[1]
            start = f'<a id="{name}"></a>**Figure {numbered[name]}.**'
            text = f"{start}{text[caption.end() :]}"
        found.append(text)
    return found


def with_numbers(text: str, here: dict[str, int], book: dict[str, dict]) -> str:
    """A text whose links name figures and equations by their numbers.

    Args:
        text: of a cell.
        here: number of each label of the same notebook.
        book: the same of every notebook, by file name.
    """

    def of_figure(link: re.Match) -> str:
        return link[0].replace(f" {link[1]}]", f" {here.get(link[2], link[1])}]")

    def of_equation(link: re.Match) -> str:
        return link[0].replace(f"({link[1]})", f"({here.get(link[2], link[1])})", 1)

    def elsewhere(link: re.Match) -> str:
        number = book.get(link[3], {}).get(link[4], link[1])
        return link[0].replace(f"({link[1]})", f"({number})", 1)

    text = FIGURE_LINK.sub(of_figure, text)
    text = EQUATION_LINK.sub(of_equation, text)
    return CHAPTER_LINK.sub(elsewhere, text)


def with_addresses(text: str) -> str:
    """A text whose citations lead where the bibliography says."""
    known = {
        name: source.address
        for source in sources().values()
        for name in (source.name, source.name_in_text)
    }
    return LINK.sub(lambda link: f"[{link[1]}]({known.get(link[1], link[2])})", text)


def with_works(last: str, chapter: str) -> str:
    """The last cell with a line for each work that the chapter cites.

    Args:
        last: text of that cell.
        chapter: all text of the notebook, in which citations are looked for.
    """
    cited = [
        source.entry
        for source in sources().values()
        if any(f"[{name}](" in chapter for name in (source.name, source.name_in_text))
    ]
    kept = "\n".join(line for line in last.split("\n") if not ENTRY.match(line))
    return f"{kept.rstrip()}\n\n" + "\n".join(sorted(cited, key=str.casefold))


def mended(texts: list[str], book: dict[str, dict]) -> list[str]:
    """The texts of a chapter's markdown cells, all of the above mended."""
    texts = figures_in_order(texts)
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    here = numbers(nbformat.v4.new_notebook(cells=cells))
    texts = [with_addresses(with_numbers(text, here, book)) for text in texts]
    if texts and texts[-1].startswith("## References"):
        before = "\n".join(texts[:-1])
        told = "\n".join(
            line for line in texts[-1].split("\n") if not ENTRY.match(line)
        )
        texts[-1] = with_works(texts[-1], f"{before}\n{told}")
    return texts


def renumber(path: Path, book: dict[str, dict]) -> bool:
    """Mend one notebook in place, and say whether anything had to be.

    Args:
        path: of the notebook.
        book: number of each label of every notebook, by file name.
    """
    before = path.read_text("utf-8")
    notebook = json.loads(before)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    texts = ["".join(cell["source"]) for cell in cells]
    for cell, old, new in zip(cells, texts, mended(texts, book), strict=True):
        if new != old:
            is_list = isinstance(cell["source"], list)
            cell["source"] = new.splitlines(keepends=True) if is_list else new
    after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if after != before:
        path.write_text(after, "utf-8")
    return after != before


def main(paths: list[Path]) -> None:
    """Mend notebooks, all of the book by default."""
    every = sorted(BOOK.glob("*.ipynb"))
    book = {path.name: numbers(nbformat.read(path, 4)) for path in every}
    for path in paths or every:
        if renumber(path, book):
            print(f"mended {path}")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
