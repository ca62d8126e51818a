"""Rules for chapters that are lessons: how they are worked through, and what they show.

Each takes a notebook and returns a list of what breaks it, as in `notebook_rules`;
`OUTPUT_RULES` take an executed one.
"""

import ast
import re
import unicodedata
from collections.abc import Iterator

from bs4 import BeautifulSoup
from nbformat import NotebookNode
from notebook_rules import EXERCISE, SOLUTION, cells, section_below, tree

from glyflib.lessons.exercises import known_questions

QUESTIONS = (
    "what do they learn?",
    "how and why do they work?",
    "what are they good for?",
)
PLACES = {
    "start",
    "the start",
    *QUESTIONS,
}  # what the strip at the top of a chapter may light
MAX_COLUMNS = 76  # longer lines of code run off the page
BOLD = re.compile(r"\*\*(.+?)\*\*")
CODE_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
HINT = re.compile(
    r"<details>\s*<summary>Hint(?: …)?</summary>(.*?)</details>", re.DOTALL
)
FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
MARKUP = re.compile(r"[`*]|\]\(")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Dict, *COMPREHENSIONS)
# How the text of a raw container starts, and of what holds one or is known by address.
RAW_START = re.compile(
    r"[(\[{<]|(torch\.)?Size\(|(torch\.|np\.|numpy\.)?[\w.]+\(\[|tensor\(|array\("
    r"|(np|numpy)\.\w+\(|\w+\(\{|\w+\(\w+=|(dict_\w+|range|deque|frozenset|set)\("
    r"|Parameter containing"
)
RAW_INSIDE = re.compile(r"\b(tensor|array)\(|\btorch\.Size\(")
LEVEL = re.compile(r"(?:t = |level )(\d+)")
VERDICTS = ("**Right.**", "**Not yet.**")


def width(line: str) -> int:
    """Columns of a line, where a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in line)


def fits_into_76_columns(notebook: NotebookNode) -> list[str]:
    """A line of code, in a cell or in the text, has at most 76 columns."""
    code = [(i, cell.source) for i, cell in cells(notebook, "code")]
    for i, cell in cells(notebook, "markdown"):
        code += [(i, block) for block in CODE_FENCE.findall(cell.source)]
    return [
        f"cell {i}: {width(line)} columns: {line.strip()[:30]}"
        for i, source in sorted(code)
        for line in source.splitlines()
        if width(line) > MAX_COLUMNS
    ]


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Nodes of a statement, without those of the statements inside it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        inside = ast.iter_child_nodes(node)
        waiting += [child for child in inside if not isinstance(child, ast.stmt)]


def is_packing(node: ast.AST) -> bool:
    """Whether it gives several values to several names at once, and swaps none."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    targets = [t for t in node.targets if isinstance(t, ast.Tuple | ast.List)]
    before = sorted(ast.unparse(value) for value in node.value.elts)
    return any(before != sorted(map(ast.unparse, t.elts)) for t in targets)


def is_unzipping(node: ast.AST) -> bool:
    """Whether it is `zip(*...)`."""
    is_zip = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    is_zip = is_zip and node.func.id == "zip"
    return is_zip and any(isinstance(value, ast.Starred) for value in node.args)


def puzzles(statement: ast.stmt) -> list[str]:
    """What a reader would have to take apart in one statement."""
    nodes = list(own_nodes(statement))
    comprehensions = [node for node in nodes if isinstance(node, COMPREHENSIONS)]
    loops = [loop for node in comprehensions for loop in node.generators]
    signs = {
        "packs unrelated values": any(map(is_packing, nodes)),
        "has a walrus": any(isinstance(node, ast.NamedExpr) for node in nodes),
        "has a lambda": any(isinstance(node, ast.Lambda) for node in nodes),
        "has zip(*...)": any(map(is_unzipping, nodes)),
        "has two comprehensions": len(comprehensions) > 1,
        "has a comprehension of two loops": len(loops) > len(comprehensions),
    }
    return [text for text, is_there in signs.items() if is_there]


def does_one_thing_a_statement(notebook: NotebookNode) -> list[str]:
    """No packing, walrus, lambda or `zip(*...)`, and one comprehension at most."""
    return [
        f"cell {i}: line {node.lineno} {puzzle}"
        for i, cell in cells(notebook, "code")
        for node in ast.walk(tree(cell))
        if isinstance(node, ast.stmt)
        for puzzle in puzzles(node)
    ]


def is_seen(cell: NotebookNode) -> bool:
    """Whether a cell's output is on the page."""
    return "remove-cell" not in cell.metadata.get("tags", [])


def ends_in_no_raw_container(notebook: NotebookNode) -> list[str]:
    """A cell ends in one thing to look at, not in several in brackets."""
    found = []
    for i, cell in cells(notebook, "code"):
        last = tree(cell).body[-1:]
        is_raw = any(isinstance(x, ast.Expr) for x in last) and isinstance(
            last[0].value, CONTAINERS
        )
        if is_seen(cell) and is_raw and not cell.source.rstrip().endswith(";"):
            found.append(f"cell {i}: {ast.unparse(last[0])[:40]}")
    return found


def exercises(
    notebook: NotebookNode,
) -> Iterator[tuple[int, list[NotebookNode], list[NotebookNode]]]:
    """Each exercise: its place, the cells that ask, and those of the solution."""
    for i, cell in cells(notebook, "markdown"):
        if EXERCISE.match(cell.source):
            below = section_below(notebook, i)
            starts = [k for k, c in enumerate(below) if c.source.startswith(SOLUTION)]
            end = starts[0] if starts else len(below)
            yield i, [cell, *below[:end]], below[end:]


def has_a_hint_for_each_exercise(notebook: NotebookNode) -> list[str]:
    """Below the question stands a fold "Hint", in words."""
    found = []
    for i, asked, _ in exercises(notebook):
        texts = "\n".join(c.source for c in asked if c.cell_type == "markdown")
        hints = HINT.findall(texts)
        if not any(hint.strip() for hint in hints):
            found.append(f"cell {i}: no hint")
    return found


def shows_no_markup_in_folds(notebook: NotebookNode) -> list[str]:
    """In a fold JupyterLab sets no formula, and Markdown between empty lines alone.

    Nor does Sphinx. The words for a picture's alternative text are not shown on a page.
    """
    found = []
    for i, cell in cells(notebook, "markdown"):
        for title, text in FOLD.findall(cell.source):
            if title == "In words …":
                continue
            if "$" in text:
                found.append(f"cell {i}: a formula in the fold {title!r}")
            is_apart = text.startswith("\n\n") and text.endswith("\n\n")
            if not is_apart and MARKUP.search(text):
                found.append(f"cell {i}: no empty lines about the fold {title!r}")
    return found


def check_calls(cell: NotebookNode) -> list[ast.Call]:
    """Calls of `exercises.check` in a cell."""
    calls = [node for node in ast.walk(tree(cell)) if isinstance(node, ast.Call)]
    return [c for c in calls if ast.unparse(c.func) == "exercises.check"]


def checked_names(part: list[NotebookNode]) -> list[str]:
    """Names of the answers that cells check; code that stands for a name is itself."""
    found = []
    for cell in part:
        for call in check_calls(cell) if cell.cell_type == "code" else []:
            text = ast.unparse(call.args[0]) if call.args else ""
            found.append(text.strip("'"))
    return found


def awaits_answers(cell: NotebookNode) -> bool:
    """Whether what a cell checks is None until a reader changes it."""
    empty = {
        target.id
        for node in tree(cell).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and node.value.value is None
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    answers = [call.args[-1] for call in check_calls(cell) if call.args]
    return all(isinstance(x, ast.Name) and x.id in empty for x in answers)


def checks_answers_that_are_awaited(notebook: NotebookNode) -> list[str]:
    """An answer starts as None, is checked by a known name, and so is the solution's.

    The name is the exercise's own, "noising-half" for "ex-noising-half", or begins so.
    """
    found, known, inside = [], known_questions(), 0
    for i, asked, solved in exercises(notebook):
        names, again = checked_names(asked), checked_names(solved)
        inside += len(names) + len(again)
        own = asked[0].get("id", "").removeprefix("ex-")
        found += [f"cell {i}: no question {name!r}" for name in {*names} - {*known}]
        found += [
            f"cell {i}: {name!r} is not named as the exercise {own!r}"
            for name in names
            if not f"{name}-".startswith(f"{own}-")
        ]
        if set(names) != set(again):
            found.append(f"cell {i}: asks for {names}, the solution checks {again}")
        code = [cell for cell in asked if cell.cell_type == "code"]
        if not all(map(awaits_answers, code)):
            found.append(f"cell {i}: an answer is not None at first")
    everywhere = len(checked_names(notebook.cells))
    if everywhere > inside:
        found.append(f"{everywhere - inside} answers are checked outside of exercises")
    return found


def says_where_the_reader_is(notebook: NotebookNode) -> list[str]:
    """The title's cell has the three questions, one lit, what is needed, how long."""
    lines = notebook.cells[0].source.splitlines()
    strip = "\n".join(line.lstrip("> ") for line in lines if line.startswith(">"))
    plain = " ".join(strip.replace("**", "").casefold().split())
    first = " ".join(strip.split("\n\n")[0].split())  # below may be more in bold
    lit = [text.casefold().rstrip(":") for text in BOLD.findall(first)]
    places = [plain.find(question) for question in QUESTIONS]
    found = []
    if lit[:1] != ["you are here"]:
        found.append("cell 0: no strip that starts with **You are here**")
    if -1 in places or places != sorted(places):
        found.append(f"cell 0: the strip asks not {' '.join(QUESTIONS)}")
    if len(lit) != 2 or lit[-1] not in PLACES:
        found.append(f"cell 0: lit is {lit[1:]}, not one of {sorted(PLACES)}")
    if not re.search(r"\bneeds?\b|\bbefore this\b", plain):
        found.append("cell 0: the strip says not what the chapter needs")
    if not re.search(r"\bminutes?\b|\bhours?\b", plain):
        found.append("cell 0: the strip says not how long it takes")
    return found


def results(cell: NotebookNode, kind: str) -> list[str]:
    """What a cell shows in one form, such as text/html."""
    shown = [o.get("data", {}) for o in cell.get("outputs", [])]
    return [data[kind] for data in shown if kind in data]


def is_raw_line(line: str) -> bool:
    """Whether a printed line is a bare container, or has a tensor in it."""
    if RAW_INSIDE.search(line) or line.startswith(("[", "{")):
        return True
    try:
        return isinstance(ast.literal_eval(line.strip()), tuple | list | set | dict)
    except (ValueError, SyntaxError):
        return False


def raw_texts(cell: NotebookNode) -> Iterator[str]:
    """Outputs of a cell that are the text of a raw container, printed or not."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        is_text = set(data) == {"text/plain"}
        if is_text and RAW_START.match(data["text/plain"]):
            yield data["text/plain"]
        yield from filter(is_raw_line, output.get("text", "").splitlines())


def shows_no_raw_container(executed: NotebookNode) -> list[str]:
    """No output is a bare tuple, list, dict, tensor or array."""
    return [
        f"cell {i}: {text[:40]}"
        for i, cell in cells(executed, "code")
        if is_seen(cell)
        for text in raw_texts(cell)
    ]


def names_every_row_and_column(executed: NotebookNode) -> list[str]:
    """No header cell of a table is empty.

    A table whose columns have a name, and whose index has none, has one row of headers:
    `frame.rename_axis(index=None, columns="steps")`.
    """
    found = []
    for i, cell in cells(executed, "code"):
        for text in results(cell, "text/html"):
            heads = BeautifulSoup(text, "html.parser").select("th")
            if is_seen(cell) and not all(head.get_text(strip=True) for head in heads):
                found.append(f"cell {i}: a header cell is empty")
    return found


def grows_noise_to_the_right(executed: NotebookNode) -> list[str]:
    """On a slider over levels the noisiest picture is the last, also of a film."""
    found = []
    for i, cell in cells(executed, "code"):
        for text in results(cell, "text/html"):
            labels = re.findall(r'<figure [^>]*data-label="([^"]*)"', text)
            levels = [int(m[1]) for m in map(LEVEL.fullmatch, labels) if m]
            if levels != sorted(levels):
                found.append(f"cell {i}: levels {levels[:3]} to {levels[-1]}")
    return found


def verdicts(part: list[NotebookNode]) -> list[str]:
    """What the checks of some cells told."""
    texts = [text for c in part for text in results(c, "text/markdown")]
    return [verdict for text in texts for verdict in VERDICTS if verdict in text]


def says_right_in_solutions_only(executed: NotebookNode) -> list[str]:
    """A question that is not answered is "not yet", every solution is "right"."""
    found = []
    for i, asked, solved in exercises(executed):
        right, not_yet = VERDICTS
        if verdicts(asked) != [not_yet] * len(checked_names(asked)):
            found.append(f"cell {i}: before an answer it says {verdicts(asked)}")
        if verdicts(solved) != [right] * len(checked_names(solved)):
            found.append(f"cell {i}: the solution says {verdicts(solved)}")
    return found


RULES = [
    fits_into_76_columns,
    does_one_thing_a_statement,
    ends_in_no_raw_container,
    has_a_hint_for_each_exercise,
    shows_no_markup_in_folds,
    checks_answers_that_are_awaited,
    says_where_the_reader_is,
]
OUTPUT_RULES = [
    grows_noise_to_the_right,
    shows_no_raw_container,
    names_every_row_and_column,
    says_right_in_solutions_only,
]
