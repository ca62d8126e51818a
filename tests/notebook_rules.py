"""Rules for chapters: each takes a notebook and returns a list of what breaks them.

An empty list means that the notebook keeps the rule. A rule's name is the sentence
that must hold, so that a failing test says what to do.
"""

import ast
import io
import re
import tokenize
from copy import deepcopy
from statistics import median

from nbformat import NotebookNode

TAGS = {"hide-input", "hide-output", "raises-exception", "remove-cell"}
BANNED = re.compile(r"\b(simply|just|obviously)\b", re.IGNORECASE)
GATE = re.compile(r"\{(exercise|solution)-(start|end)\}[ \t]*(\S*)")
BULLET = re.compile(r"^(?:[-*+]|\d+\.) ", re.MULTILINE)
CODE_DIRECTIVES = {"code", "code-block", "code-cell", "literalinclude", "math"}
TITLED = {"admonition", "dropdown", "card", "grid-item-card"}
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}|:{3,})(.*)$")


def cells(notebook: NotebookNode, kind: str) -> list[tuple[int, NotebookNode]]:
    """Cells of one kind with their place in the notebook."""
    return [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == kind]


def without_launch_cell(notebook: NotebookNode) -> NotebookNode:
    """The chapter without the cell that `book.launch` gives each notebook."""
    found = deepcopy(notebook)
    found.cells = [cell for cell in found.cells if cell.get("id") != "launch"]
    return found


def visible_lines(text: str) -> list[str]:
    """Lines of markdown outside code blocks, without fences, options and targets."""
    lines, stack = [], []
    for line in text.splitlines():
        fence = FENCE.match(line)
        mark, info = (fence[1], fence[2].strip()) if fence else ("", "")
        if stack and not info and mark.startswith(stack[-1][0]):
            stack.pop()
        elif stack and stack[-1][1] == "code":
            continue
        elif fence:
            name, _, argument = info.lstrip("{").partition("}")
            is_code = name in CODE_DIRECTIVES or not info.startswith("{")
            stack.append((mark, "code" if is_code else name))
            lines.append(argument if name in TITLED else "")
        elif not re.match(r"^[ \t]*(:[\w-]+:|\([\w-]+\)=)", line):
            lines.append(line)
    return lines


def prose(text: str) -> str:
    """Markdown without code, mathematics, addresses, options and fence lines."""
    text = "\n".join(visible_lines(text))
    text = re.sub(r"\$\$.+?\$\$(\s*\([\w-]+\))?", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{[\w:+-]+\}`[^`]*`", " ref ", text)
    text = re.sub(r"`+[^`]*`+", " code ", text)
    text = re.sub(r"(?<![\\$])\$[^$\n]+\$", " x ", text)
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def num_words(text: str) -> int:
    """Words of the prose."""
    return sum(bool(re.search(r"\w", word)) for word in prose(text).split())


def headings(text: str, level: int) -> list[str]:
    """Headings of one level, outside code fences."""
    return re.findall(rf"^#{{{level}}} +(.*)$", prose(text), re.MULTILINE)


def tree(cell: NotebookNode) -> ast.Module:
    """The parsed code, empty where it is no plain Python (another rule tells)."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def imports(cell: NotebookNode) -> list[ast.Import | ast.ImportFrom]:
    """Import statements at any depth."""
    found = (ast.Import, ast.ImportFrom)
    return [node for node in ast.walk(tree(cell)) if isinstance(node, found)]


def has_no_outputs(notebook: NotebookNode) -> list[str]:
    """Notebooks are committed without outputs and execution counts."""
    code = cells(notebook, "code")
    return [f"cell {i}" for i, c in code if c.outputs or c.execution_count is not None]


def has_twenty_to_forty_five_cells(notebook: NotebookNode) -> list[str]:
    """A chapter is one sitting: 20 to 45 cells."""
    count = len(notebook.cells)
    return [] if 20 <= count <= 45 else [f"{count} cells"]


def has_unique_cell_ids(notebook: NotebookNode) -> list[str]:
    """Each cell has its own id, or else merging is guesswork."""
    ids = [c.get("id") for c in notebook.cells]
    return [f"cell {i}: {c!r}" for i, c in enumerate(ids) if not c or c in ids[:i]]


def has_short_code_cells(notebook: NotebookNode) -> list[str]:
    """A code cell has 25 lines at most; half have 8 or fewer that are not blank."""
    code = cells(notebook, "code")
    sizes = {i: len(c.source.splitlines()) for i, c in code}
    long = [f"cell {i}: {size} lines" for i, size in sizes.items() if size > 25]
    filled = [sum(map(bool, map(str.strip, c.source.splitlines()))) for _, c in code]
    middle = median(filled) if filled else 0
    return long + ([f"median {middle} lines"] if middle > 8 else [])


def has_short_text_cells(notebook: NotebookNode) -> list[str]:
    """A markdown cell has 120 words at most."""
    sizes = {i: num_words(c.source) for i, c in cells(notebook, "markdown")}
    return [f"cell {i}: {size} words" for i, size in sizes.items() if size > 120]


def opens_with_title_and_promises(notebook: NotebookNode) -> list[str]:
    """The first cell has the only title and three promises."""
    found = []
    for i, cell in cells(notebook, "markdown"):
        count = len(headings(cell.source, 1))
        if count != (i == 0):
            found.append(f"cell {i}: {count} titles")
    first = notebook.cells[0].source
    _, _, promises = first.partition("{admonition} In this chapter")
    count = len(BULLET.findall(promises.split("\n:::")[0]))
    if count != 3:
        found.append(f"'In this chapter' has {count} bullets, not 3")
    return found


def imports_in_the_second_cell_only(notebook: NotebookNode) -> list[str]:
    """The second cell is code and holds all imports, in 12 lines at most."""
    setup = notebook.cells[1]
    nodes = imports(setup) if setup.cell_type == "code" else []
    lines = sum(node.end_lineno - node.lineno + 1 for node in nodes)
    found = [] if 1 <= lines <= 12 else [f"cell 1: {lines} lines of imports"]
    code = cells(notebook, "code")
    return found + [f"cell {i} imports" for i, c in code if i != 1 and imports(c)]


def is_plain_python(notebook: NotebookNode) -> list[str]:
    """No magics and no shell lines."""
    found = []
    for i, cell in cells(notebook, "code"):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            found.append(f"cell {i}: {error}")
    return found


def has_ascii_code(notebook: NotebookNode) -> list[str]:
    """Code and comments are ASCII; strings may hold glyphs."""
    found = []
    for i, cell in cells(notebook, "code"):
        kinds = (tokenize.NAME, tokenize.COMMENT, tokenize.ERRORTOKEN)
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(cell.source).readline))
        except (tokenize.TokenError, SyntaxError):
            continue
        bad = [t.string for t in tokens if t.type in kinds and not t.string.isascii()]
        found += [f"cell {i}: {text}" for text in bad]
    return found


def has_known_tags_only(notebook: NotebookNode) -> list[str]:
    """Only the four tags of the house."""
    tags = {
        (i, t) for i, c in enumerate(notebook.cells) for t in c.metadata.get("tags", [])
    }
    return [f"cell {i}: {tag}" for i, tag in sorted(tags) if tag not in TAGS]


def draws(cell: NotebookNode, helpers: set[str]) -> bool:
    """Whether the cell's last line calls one of the drawing helpers."""
    body = tree(cell).body
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    call = body[-1].value
    root = call.func if isinstance(call, ast.Call) else None
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in helpers


def names_from(notebook: NotebookNode, package: str) -> set[str]:
    """Names that the notebook imports from below a package."""
    nodes = [node for _, c in cells(notebook, "code") for node in imports(c)]
    return {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}.".startswith(f"{package}.")
    }


def has_captions_and_alt_text(notebook: NotebookNode) -> list[str]:
    """A figure has a name, a caption and 40 to 160 characters of alt text."""
    helpers = names_from(notebook, "glyflib.plotting")
    interactive = names_from(notebook, "glyflib.interactive")
    found = []
    for i, cell in cells(notebook, "code"):
        meta = cell.metadata.get("mystnb", {})
        figure, alt = meta.get("figure", {}), meta.get("image", {}).get("alt", "")
        is_hidden = "remove-cell" in cell.metadata.get("tags", [])
        if not (figure or alt or (draws(cell, helpers) and not is_hidden)):
            continue
        if not re.fullmatch(r"fig-[a-z0-9-]+", figure.get("name", "")):
            found.append(f"cell {i}: no name like fig-topic-thing")
        if not figure.get("caption", "").strip():
            found.append(f"cell {i}: no caption")
        if draws(cell, interactive):
            continue  # has its own text for those who do not see it, and its own tests
        if not 40 <= len(alt) <= 160:
            found.append(f"cell {i}: alt text has {len(alt)} characters")
        if len(cell.source.splitlines()) > 10:
            found.append(f"cell {i}: drawing code belongs in glyflib.plotting")
    return found


def has_paired_exercises(notebook: NotebookNode) -> list[str]:
    """Two or three exercises, each closed, each with one solution that runs."""
    found, order, opened, solution_at = [], [], None, 0
    for i, cell in cells(notebook, "markdown"):
        for gate in GATE.finditer(cell.source):
            kind, side, name = gate.groups()
            if side == "start":
                label = re.match(r"\s*:label:\s*(\S+)", cell.source[gate.end() :])
                name = name or (label[1] if label else "")
                if opened or not name.startswith("ex-"):
                    found.append(f"cell {i}: {kind}-start {name!r} is out of place")
                opened, solution_at = kind, i
                order.append((kind, name))
                continue
            if opened != kind:
                found.append(f"cell {i}: {kind}-end closes {opened}")
            opened = None
            inside = notebook.cells[solution_at:i]
            if kind == "solution" and all(c.cell_type != "code" for c in inside):
                found.append(f"cell {i}: the solution runs no code")
    if opened:
        found.append(f"{opened}-start is never closed")
    names = [name for kind, name in order if kind == "exercise"]
    pairs = [
        pair for name in names for pair in (("exercise", name), ("solution", name))
    ]
    if order != pairs:
        found.append(f"not exercise, solution, exercise, solution: {order}")
    return found + ([] if 2 <= len(names) <= 3 else [f"{len(names)} exercises"])


def closes_with_summary_and_references(notebook: NotebookNode) -> list[str]:
    """The summary keeps the three promises, the last cell cites the sources."""
    *_, summary, references = ["", *(c.source for c in notebook.cells)]
    found, (_, is_summary, points) = [], summary.partition("## Summary")
    if not is_summary or len(BULLET.findall(points)) != 3:
        found.append("the last cell but one is no '## Summary' with 3 bullets")
    if not references.startswith("## References") or "{cite" not in references:
        found.append("the last cell is no '## References' with a citation")
    return found


def avoids_belittling_words(notebook: NotebookNode) -> list[str]:
    """Nothing is 'simply' or 'obviously' so for a learner."""
    texts = [(i, prose(c.source)) for i, c in cells(notebook, "markdown")]
    for i, cell in cells(notebook, "code"):
        meta = cell.metadata.get("mystnb", {})
        texts.append((i, meta.get("figure", {}).get("caption", "")))
        texts.append((i, meta.get("image", {}).get("alt", "")))
    return [f"cell {i}: {w[0]}" for i, text in texts for w in BANNED.finditer(text)]


def labels(notebook: NotebookNode) -> list[str]:
    """Every label that the notebook defines: equations, figures, exercises, targets."""
    text = "\n".join(c.source for _, c in cells(notebook, "markdown"))
    found = re.findall(r"\$\$\s*\(([\w-]+)\)", text)
    found += re.findall(r"^:(?:label|name):\s*(\S+)", text, re.MULTILINE)
    found += re.findall(r"^\(([\w-]+)\)=", text, re.MULTILINE)
    figures = [c.metadata.get("mystnb", {}).get("figure", {}) for c in notebook.cells]
    return found + [figure["name"] for figure in figures if figure.get("name")]


RULES = [
    has_no_outputs,
    has_twenty_to_forty_five_cells,
    has_unique_cell_ids,
    has_short_code_cells,
    has_short_text_cells,
    opens_with_title_and_promises,
    imports_in_the_second_cell_only,
    is_plain_python,
    has_ascii_code,
    has_known_tags_only,
    has_captions_and_alt_text,
    has_paired_exercises,
    closes_with_summary_and_references,
    avoids_belittling_words,
]
