"""Rules for chapters: each takes a notebook and returns a list of what breaks them.

An empty list means that the notebook keeps the rule. A rule's name is the sentence
that must hold, so that a failing test says what to do.
"""

import ast
import html
import io
import re
import tokenize
from copy import deepcopy
from pathlib import Path

import sources
from nbformat import NotebookNode

from glyflib.commands.deck import CODE, equation_numbers

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
TAGS = {
    "hide-input",
    "hide-output",
    "raises-exception",
    "remove-cell",
    # What `glyflib slides` makes slides of: glyflib.commands.deck.
    "slide",
    "slide-more",
    "slide-note",
}
BANNED = re.compile(r"\b(simply|just(?!-a-)|obviously)\b", re.IGNORECASE)
EXERCISE = re.compile(r"### Exercise (\d+)\n")
SOLUTION = "#### Solution"
FOLDED = ("Solution", "Where it comes from")  # headings that the page folds
CAPTION = re.compile(r'<a id="(fig-[a-z0-9-]+)"></a>\*\*Figure (\d+)\.\*\* \S')
NAMED_FIGURE = re.compile(r'<a id="(fig-[a-z0-9-]+)"></a>\*\*Figure(?: \d+)?\.\*\*')
IN_WORDS = re.compile(r"\n\n<details><summary>In words …</summary>(.*)</details>")
# Neither a caption's own number nor a figure of somebody else.
UNLINKED = re.compile(r"(?<!\*\*)(?<!their )\b[Ff]igures? \d+")
FIGURE_LINK = re.compile(r"\[[Ff]igure (\d+)\]\(#(fig-[\w-]+)\)")
EQUATION_LINK = re.compile(r"\[\((\d+)\)\]\(#(eq-[\w-]+)\)")
CHAPTER_LINK = re.compile(r"\[\((\d+)\) of chapter (\d+)\]\((\S+\.ipynb)#(eq-[\w-]+)\)")
LINK = re.compile(r"\[([^\[\]]+)\]\(([^()\s]+)\)")
CITING = re.compile(r".*\S (?:\d{4}[a-z]?|\(\d{4}[a-z]?\))")
RAW = re.compile(
    r"^[ \t]*(?:`{3,}|~{3,}|:{3,})\{.*|^\([\w-]+\)=|\{[\w:+-]+\}`[^`]*`", re.MULTILINE
)
FOLDS = {"hide-input": "source_hidden", "hide-output": "outputs_hidden"}
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
    text = re.sub(r"<!--.*?-->|</?[a-z][^<>]*>", " ", text, flags=re.DOTALL)
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


def cuts_captions_at_words(notebook: NotebookNode) -> list[str]:
    """A caption that is too long is shortened at a word, and ends with an ellipsis."""
    chopped = r"\bcaptions\[.+\]\[:\d+\]"
    return [
        f"cell {i}: {found}: use textwrap.shorten"
        for i, cell in cells(notebook, "code")
        for found in re.findall(chopped, cell.source)
    ]


def has_known_tags_only(notebook: NotebookNode) -> list[str]:
    """Only the tags of the house."""
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


def figure_numbers(texts: list[str]) -> dict[str, int]:
    """The number of each figure by its name; those inside folds come last.

    A solution is closed until its reader opens it: figures below it on the page must
    not skip a number.

    Args:
        texts: of markdown cells.
    """
    in_sight, in_folds, is_fold = [], [], False
    for text in texts:
        heading = re.match(r"#+ +(.*)", text)
        if heading:
            is_fold = heading[1].strip() in FOLDED
        caption = NAMED_FIGURE.match(text)
        if caption:
            (in_folds if is_fold else in_sight).append(caption[1])
    return {name: i for i, name in enumerate([*in_sight, *in_folds], 1)}


def numbers(notebook: NotebookNode) -> dict[str, int]:
    """The numbers of labelled figures, and of equations as JupyterLab counts them."""
    texts = [cell.source for _, cell in cells(notebook, "markdown")]
    return figure_numbers(texts) | equation_numbers(notebook)


def has_captions_and_alt_text(notebook: NotebookNode) -> list[str]:
    """Below a figure is a cell with its name, caption and alt text of 40 to 160 signs.

    The page makes a numbered figure of both; JupyterLab shows them as they are.
    """
    helpers = names_from(notebook, "glyflib.plotting")
    interactive = names_from(notebook, "glyflib.interactive")
    found, is_figure = [], False
    for i, cell in enumerate(notebook.cells):
        text = cell.source if cell.cell_type == "markdown" else ""
        caption = CAPTION.match(text)
        if is_figure and not caption:
            found.append(f"cell {i}: no caption like 'Figure 3.' with a name fig-…")
        if text.startswith("<a id=") and not caption:
            found.append(f"cell {i}: no caption, but it starts with an anchor")
        if caption and (i == 0 or notebook.cells[i - 1].cell_type != "code"):
            found.append(f"cell {i}: a caption without a figure above")
        in_words = IN_WORDS.search(text)
        alt = html.unescape(in_words[1]) if in_words else ""
        is_drawn = i > 0 and not draws(notebook.cells[i - 1], interactive)
        if caption and is_drawn and not 40 <= len(alt) <= 160:
            found.append(f"cell {i}: alt text has {len(alt)} characters")
        if cell.metadata.get("mystnb", {}).get("figure"):
            found.append(f"cell {i}: a caption in the metadata, which no reader sees")
        is_hidden = "remove-cell" in cell.metadata.get("tags", [])
        is_code = cell.cell_type == "code"
        is_figure = is_code and draws(cell, helpers) and not is_hidden
    return found


def counts_figures_and_equations(notebook: NotebookNode) -> list[str]:
    """Figures are numbered as they come; links call figures and equations by number.

    Figures inside folds come last. An equation has no number in the notebook's text:
    JupyterLab counts all of them.
    """
    known, found = numbers(notebook), []
    for i, cell in cells(notebook, "markdown"):
        caption = CAPTION.match(cell.source)
        if caption and int(caption[2]) != known[caption[1]]:
            found.append(f"cell {i}: figure {caption[2]} is number {known[caption[1]]}")
        for link in (FIGURE_LINK, EQUATION_LINK):
            for number, label in link.findall(cell.source):
                if known.get(label) != int(number):
                    found.append(f"cell {i}: {label} is number {known.get(label)}")
        for text, address in LINK.findall(CODE.sub("", cell.source)):
            is_own = address.startswith(("#fig-", "#eq-"))
            forms = (FIGURE_LINK, EQUATION_LINK)
            if is_own and not any(x.match(f"[{text}]({address})") for x in forms):
                found.append(f"cell {i}: [{text}]({address}) has no number")
        for figure in UNLINKED.findall(LINK.sub("", CODE.sub("", cell.source))):
            found.append(f"cell {i}: {figure} is no link")
    return found


def has_no_raw_directives(notebook: NotebookNode) -> list[str]:
    """No directive, role or target of MyST: outside the page they are raw text."""
    return [
        f"cell {i}: {raw}"
        for i, cell in cells(notebook, "markdown")
        for raw in RAW.findall(cell.source)
    ]


def folds_in_lab_as_on_the_page(notebook: NotebookNode) -> list[str]:
    """Tags fold on the page, `jupyter` metadata in JupyterLab: both, or neither.

    A check (`remove-cell`) is folded in JupyterLab, where no cell can be absent.
    """
    found = []
    for i, cell in cells(notebook, "code"):
        tags = set(cell.metadata.get("tags", []))
        tags |= {"hide-input"} if "remove-cell" in tags else set()
        folded = cell.metadata.get("jupyter", {})
        for tag, key in FOLDS.items():
            if (tag in tags) != bool(folded.get(key)):
                found.append(f"cell {i}: {tag} without {key}, or the other way round")
    return found


def says_what_a_check_is(notebook: NotebookNode) -> list[str]:
    """A check's first line, all that JupyterLab shows of it, is a comment."""
    return [
        f"cell {i}: {cell.source.splitlines()[0]}"
        for i, cell in cells(notebook, "code")
        if "remove-cell" in cell.metadata.get("tags", [])
        and not cell.source.startswith("# A check")
    ]


def says_what_to_do_without_glyflib(notebook: NotebookNode) -> list[str]:
    """The setup cell is folded, and its first lines help whoever lacks the package."""
    setup = notebook.cells[1]
    comment = "".join(re.findall(r"^#.*\n", setup.source, re.MULTILINE)[:2])
    found = []
    if "glyflib" not in comment or "requirements.txt" not in comment:
        found.append("cell 1: no comment on a missing glyflib")
    if "hide-input" not in setup.metadata.get("tags", []):
        found.append("cell 1: not folded")
    return found


def section_below(notebook: NotebookNode, place: int) -> list[NotebookNode]:
    """Cells below a heading, up to the next heading of its level or a higher one."""
    level = len(re.match(r"#+", notebook.cells[place].source)[0])
    found = []
    for cell in notebook.cells[place + 1 :]:
        heading = re.match(r"(#+) ", cell.source)
        if cell.cell_type == "markdown" and heading and len(heading[1]) <= level:
            break
        found.append(cell)
    return found


def has_paired_exercises(notebook: NotebookNode) -> list[str]:
    """Exercises are numbered; each has one solution, right after it, that runs."""
    found, names, wanted = [], [], []
    for i, cell in cells(notebook, "markdown"):
        exercise = EXERCISE.match(cell.source)
        if exercise:
            names.append(cell.get("id"))
            wanted += [cell.get("id"), f"{cell.get('id')}-solution"]
            if int(exercise[1]) != len(wanted) // 2:
                found.append(f"cell {i}: exercise {exercise[1]} is out of order")
            if not cell.get("id", "").startswith("ex-"):
                found.append(f"cell {i}: its id is no name like ex-topic-thing")
        if cell.source.startswith(SOLUTION):
            names.append(cell.get("id"))
            if all(c.cell_type != "code" for c in section_below(notebook, i)):
                found.append(f"cell {i}: the solution runs no code")
    if names != wanted:
        found.append(f"not exercise, solution, exercise, solution: {names}")
    return found


def hides_solutions(notebook: NotebookNode) -> list[str]:
    """The heading "Solution" stands alone, collapsed: JupyterLab hides what follows."""
    found = []
    for i, cell in cells(notebook, "markdown"):
        if not re.search(r"^#+ +Solution", cell.source, re.MULTILINE):
            continue
        if cell.source.strip() != SOLUTION:
            found.append(f"cell {i}: more than '{SOLUTION}'")
        if cell.metadata.get("jp-MarkdownHeadingCollapsed") is not True:
            found.append(f"cell {i}: not collapsed")
    return found


def closes_with_summary_and_references(notebook: NotebookNode) -> list[str]:
    """The last cell but one sums up, the last one lists the sources."""
    *_, summary, references = ["", *(c.source for c in notebook.cells)]
    found = []
    if not summary.partition("## Summary")[2].strip():
        found.append("the last cell but one has no '## Summary', or an empty one")
    is_list = re.search(r"^- \[", references, re.MULTILINE)
    if not references.startswith("## References") or not is_list:
        found.append("the last cell is no '## References' with a list")
    return found


def cites_as_the_bibliography_has_it(notebook: NotebookNode) -> list[str]:
    """A citation is the name of an entry, linked to its address, and is listed.

    Names are "Ho et al. 2020" in brackets, "Ho et al. (2020)" as a part of a sentence.
    """
    known = sources.sources().values()
    addresses = {name: s.address for s in known for name in (s.name, s.name_in_text)}
    entries = {source.entry for source in known}
    found, used = [], set()
    for i, cell in cells(notebook, "markdown"):
        lines = [line for line in cell.source.splitlines() if line not in entries]
        text = CODE.sub("", "\n".join(lines))
        for name, address in LINK.findall(text):
            if name in addresses:
                used.add(name.replace("(", "").replace(")", ""))
                if address != addresses[name]:
                    found.append(f"cell {i}: {name} is at {addresses[name]}")
            elif CITING.fullmatch(name) and address != "bibliography.md":
                found.append(f"cell {i}: no entry is called {name!r}")
    lines = notebook.cells[-1].source.splitlines()
    for source in known:
        if (source.name in used) != (source.entry in lines):
            found.append(f"the list of references needs, or needs not: {source.entry}")
    return found


def avoids_belittling_words(notebook: NotebookNode) -> list[str]:
    """Nothing is 'simply' or 'obviously' so for a learner."""
    texts = [(i, prose(c.source)) for i, c in cells(notebook, "markdown")]
    return [f"cell {i}: {w[0]}" for i, text in texts for w in BANNED.finditer(text)]


def labels(notebook: NotebookNode) -> list[str]:
    """Every label that the notebook defines: equations, figures and exercises."""
    found = list(numbers(notebook))
    texts = [cell for _, cell in cells(notebook, "markdown")]
    return found + [cell.id for cell in texts if EXERCISE.match(cell.source)]


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
    cuts_captions_at_words,
    has_known_tags_only,
    has_captions_and_alt_text,
    counts_figures_and_equations,
    has_no_raw_directives,
    folds_in_lab_as_on_the_page,
    says_what_a_check_is,
    says_what_to_do_without_glyflib,
    has_paired_exercises,
    hides_solutions,
    cites_as_the_bibliography_has_it,
    closes_with_summary_and_references,
    avoids_belittling_words,
]
