"""Rules for chapters: each takes a notebook and returns a list of what breaks them.

An empty list means that the notebook keeps the rule. A rule's name is the sentence
that must hold, so that a failing test says what to do.
"""

import ast
import io
import re
import tokenize
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
# What chapters import of glyflib: the model with all that it rests on, and more.
ROOT_MODULES = {path.stem for path in (ROOT / "glyflib").glob("[a-z]*.py")}
FOR_CHAPTERS = ROOT_MODULES | {
    "glyphs",
    "evaluation",
    "plotting",
    "interactive",
    "lessons",
}
TAGS = {"hide-input", "hide-output", "raises-exception", "remove-cell"}
BANNED = re.compile(r"\b(simply|just|obviously)\b", re.IGNORECASE)
GATE = re.compile(r"\{(exercise|solution)-(start|end)\}[ \t]*(\S*)")
CODE_DIRECTIVES = {"code", "code-block", "code-cell", "literalinclude", "math"}
TITLED = {"admonition", "dropdown", "card", "grid-item-card"}
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}|:{3,})(.*)$")
INCLUDE = re.compile(r"\{literalinclude\}[ \t]*(\S+)\n((?:[ \t]*:[\w-]+:.*\n)*)")
OPTION = re.compile(r":([\w-]+):[ \t]*(.*)")


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


def imported_names(cell: NotebookNode) -> list[str]:
    """Full names of all that a cell imports, such as "glyflib.data.load_glyphs"."""
    found = []
    for node in imports(cell):
        start = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        found += [f"{start}{alias.name}" for alias in node.names]
    return found


def has_no_outputs(notebook: NotebookNode) -> list[str]:
    """Notebooks are committed without outputs and execution counts."""
    code = cells(notebook, "code")
    return [f"cell {i}" for i, c in code if c.outputs or c.execution_count is not None]


def names_the_kernel_that_all_have(notebook: NotebookNode) -> list[str]:
    """The kernel is python3: an editor may have put a reader's own one there."""
    name = notebook.metadata.get("kernelspec", {}).get("name")
    return [] if name == "python3" else [f"kernel {name!r}, not 'python3'"]


def has_unique_cell_ids(notebook: NotebookNode) -> list[str]:
    """Each cell has its own id, or else merging is guesswork."""
    ids = [c.get("id") for c in notebook.cells]
    return [f"cell {i}: {c!r}" for i, c in enumerate(ids) if not c or c in ids[:i]]


def opens_with_the_only_title(notebook: NotebookNode) -> list[str]:
    """The first cell has the title, and no other cell has one."""
    found = []
    for i, cell in enumerate(notebook.cells):
        is_text = cell.cell_type == "markdown"
        count = len(headings(cell.source, 1)) if is_text else 0
        if count != (i == 0):
            found.append(f"cell {i}: {count} titles")
    return found


def imports_in_the_second_cell_only(notebook: NotebookNode) -> list[str]:
    """The second cell is code and holds all imports."""
    setup = notebook.cells[1]
    has_imports = setup.cell_type == "code" and imports(setup)
    found = [] if has_imports else ["cell 1: no imports"]
    code = cells(notebook, "code")
    return found + [f"cell {i} imports" for i, c in code if i != 1 and imports(c)]


def imports_what_is_for_chapters_only(notebook: NotebookNode) -> list[str]:
    """Of glyflib: root modules, glyphs, evaluation, plotting, interactive, lessons.

    What makes the data, the studies and the commands is for those who maintain the
    book; what a chapter needs of it belongs in lessons.
    """
    found = []
    for i, cell in cells(notebook, "code"):
        for name in imported_names(cell):
            package, _, rest = name.partition(".")
            if package == "glyflib" and rest.split(".")[0] not in FOR_CHAPTERS:
                found.append(f"cell {i}: {name}")
    return found


def loads_results_by_name(notebook: NotebookNode) -> list[str]:
    """What studies found comes from `lessons.results`, not from the files' own keys."""
    stored = "glyflib.lessons.stored"
    return [
        f"cell {i}: {name}"
        for i, cell in cells(notebook, "code")
        for name in imported_names(cell)
        if f"{name}.".startswith(f"{stored}.")
    ]


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
    return found


def has_paired_exercises(notebook: NotebookNode) -> list[str]:
    """Each exercise is closed, and has one solution, right after it, that runs."""
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
    return found


def closes_with_summary_and_references(notebook: NotebookNode) -> list[str]:
    """The last cell but one sums up, the last one cites the sources."""
    *_, summary, references = ["", *(c.source for c in notebook.cells)]
    found = []
    if not summary.partition("## Summary")[2].strip():
        found.append("the last cell but one has no '## Summary', or an empty one")
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


def broken_includes(text: str, folder: Path) -> list[str]:
    """Literal includes whose file, object, first or last line is not there."""
    found = []
    for name, options in INCLUDE.findall(text):
        path, options = folder / name, dict(OPTION.findall(options))
        if not path.is_file():
            found.append(f"{name}: no such file")
            continue
        rest = path.read_text("utf-8")
        if "pyobject" in options:
            rest = source_of(rest, options["pyobject"])
            if not rest:
                found.append(f"{name}: no {options['pyobject']}")
        for edge in ("start-at", "start-after", "end-at", "end-before"):
            if edge in options:
                _, is_there, after = rest.partition(options[edge])
                rest = after if "start" in edge else rest
                if not is_there:
                    found.append(f"{name}: no line with {options[edge]!r}")
    return found


def source_of(code: str, name: str) -> str:
    """The source of a function, class or method, such as "UNet.build"; "" if none."""
    body, found = ast.parse(code).body, None
    for part in name.split("."):
        named = [node for node in body if getattr(node, "name", None) == part]
        if not named:
            return ""
        found, body = named[0], getattr(named[0], "body", [])
    return ast.get_source_segment(code, found)


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
    names_the_kernel_that_all_have,
    has_unique_cell_ids,
    opens_with_the_only_title,
    imports_in_the_second_cell_only,
    imports_what_is_for_chapters_only,
    loads_results_by_name,
    is_plain_python,
    has_ascii_code,
    has_known_tags_only,
    has_captions_and_alt_text,
    has_paired_exercises,
    closes_with_summary_and_references,
    avoids_belittling_words,
]
