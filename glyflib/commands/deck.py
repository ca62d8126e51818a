"""Slides from a notebook: its marked cells as one page of HTML that needs no network.

A cell with the tag `slide` begins a slide, one with `slide-more` goes on with it, and
one with `slide-note` belongs to the speaker. Invariant: no word on a slide is written
for it. What a slide leaves out of the section that it shows stands in its notes, and a
cell that cannot be shown is an error.
"""

import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

SLIDE, MORE, NOTE = "slide", "slide-more", "slide-note"
TAGS = (SLIDE, MORE, NOTE)
MOST_WORDS = 45  # of a paragraph on a slide; whole sentences, at least one
MOST_OF_CAPTION = 65
CATCHWORD = 8  # a first sentence of fewer words says too little by itself
FEW_WORDS = 75  # on a slide without pictures; half as many beside a formula
HIGH = 1.45  # width over height of a picture that has its caption at its side
MOST_OF_NEXT = 28  # words of a sentence that it may take along
FORMULA = re.compile(
    r"^(?:>? *|- )\$\$.+?\$\$[ \t]*(?:\((eq-[\w-]+)\))?", re.MULTILINE | re.DOTALL
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
CAPTION = re.compile(r'<a id="fig-[a-z0-9-]+"></a>\*\*(Figure \d+)\.\*\* ')
IN_WORDS = re.compile(
    r"<details><summary>In words …</summary>(.*?)</details>", re.DOTALL
)
FRAME = re.compile(
    r'class="glyf-frames".*?<img[^>]* width="(\d+)" height="(\d+)"', re.DOTALL
)
RATIO = re.compile(r'style="--ratio: ([\d.]+)"')
QUESTION = re.compile(r"\*\*(Predict|Think)\b")
SENTENCE = re.compile(
    r"""(?:(?<=[.?!])|(?<=[.?!][)"”*])|(?<=[.?!]\*\*))\s+(?=[A-Z(\[*$`"“\u4e00-\u9fff])"""
)
SPOKEN = re.compile(r"\$[^$]+\$|`[^`]+`|[\w'’-]+")
OTHER_PAGE = re.compile(r"^(?:#|[\w./-]+\.(?:ipynb|md)(?:#|$))")
SHOWN = {  # kinds of blocks that are made to be looked at
    "math_block",
    "math_block_label",
    "bullet_list_open",
    "ordered_list_open",
    "blockquote_open",
    "table_open",
}
FORMULAS = {"math_block", "math_block_label"}


@dataclass(frozen=True)
class Block:
    """A paragraph, formula, list, quotation or table of a cell.

    Attributes:
        kind: the name of its first token in markdown-it.
        text: its Markdown.
        heading: that it stands under.
        label: of a formula, or "".
    """

    kind: str
    text: str
    heading: str
    label: str = ""

    @property
    def is_question(self) -> bool:
        """Whether it asks the reader to predict something."""
        return self.kind == "paragraph_open" and bool(QUESTION.match(self.text))


@dataclass(frozen=True)
class Figure:
    """What a code cell shows.

    Attributes:
        cell: with its outputs.
        caption: Markdown, or "" where there is none.
        name: such as "Figure 3".
        alt: what it looks like, in words.
    """

    cell: NotebookNode
    caption: str = ""
    name: str = ""
    alt: str = ""


@dataclass
class Slide:
    """One slide.

    Attributes:
        title: Markdown.
        parts: Markdown of blocks, and figures, from the top to the bottom.
        notes: Markdown that only the speaker sees.
    """

    title: str
    parts: list[str | Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def marks(cell: NotebookNode) -> list[str]:
    """Which of the three tags a cell has."""
    return [tag for tag in cell.metadata.get("tags", []) if tag in TAGS]


def sentences(text: str) -> list[str]:
    """A paragraph, cut where a sentence ends and another begins, outside brackets."""
    found: list[str] = []
    for part in SENTENCE.split(" ".join(text.split())):
        if found and found[-1].count("(") > found[-1].count(")"):
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def beginning(text: str, most: int = MOST_WORDS) -> str:
    """The first sentences of a paragraph: as many as `most` words hold, or one."""
    first, *others = sentences(text)
    for sentence in others:
        if count_words(f"{first} {sentence}") > most:
            break
        first = f"{first} {sentence}"
    return first


def ending(text: str) -> str:
    """The last sentence of a paragraph; a short one takes the one before along.

    An aside in brackets leads nowhere: what stands before it counts.
    """
    *others, last = sentences(text)
    while others and re.fullmatch(r"\(.*\)", last):
        last = others.pop()
    if others and count_words(last) < CATCHWORD:
        longer = f"{others[-1]} {last}"
        return longer if count_words(longer) <= MOST_WORDS else last
    return last


def count_words(text: str) -> int:
    """Words of a Markdown text; a formula is one, and addresses are none."""
    return len(SPOKEN.findall(re.sub(r"\]\([^)]*\)", "]", text)))


@cache
def parser() -> MarkdownIt:
    """Markdown as the book writes it, with formulas between dollars."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.use(dollarmath_plugin, allow_labels=True, double_inline=True)
    reader.add_render_rule("link_open", open_link)
    reader.add_render_rule("link_close", close_link)
    for kind in ("math_inline", "math_inline_double", *sorted(FORMULAS)):
        reader.add_render_rule(kind, write_formula)
    return reader


def write_formula(
    self: object, tokens: list[Token], i: int, options: object, env: dict
) -> str:
    """A formula as MathJax finds it; a labelled one has its number in the notebook."""
    token = tokens[i]
    if token.type == "math_inline":
        return f'<span class="math">\\({escape(token.content)}\\)</span>'
    number = env.get("numbers", {}).get(token.info)
    tag = f" \\tag{{{number}}}" if number and token.info else ""
    return f'<div class="math">\\[{escape(token.content.strip())}{tag}\\]</div>\n'


def open_link(
    self: object, tokens: list[Token], i: int, options: object, env: dict
) -> str:
    """The start of a link to the web; what is not there with the slides is no link."""
    address = str(tokens[i].attrGet("href"))
    is_lost = bool(OTHER_PAGE.match(address))
    env.setdefault("links", []).append(is_lost)
    return "" if is_lost else f'<a href="{escape(address)}">'


def close_link(
    self: object, tokens: list[Token], i: int, options: object, env: dict
) -> str:
    """The end of that link."""
    return "" if env["links"].pop() else "</a>"


def html_of(text: str, numbers: dict[str, int], *, is_line: bool = False) -> str:
    """Markdown as HTML.

    Args:
        text: of a block, or of a line.
        numbers: of labelled formulas.
        is_line: it is no paragraph of its own: a title, a caption.
    """
    env: dict = {"numbers": numbers}
    reader = parser()
    return reader.renderInline(text, env) if is_line else reader.render(text, env)


def equation_numbers(notebook: NotebookNode) -> dict[str, int]:
    """The numbers of labelled formulas, as JupyterLab counts them.

    It counts every formula on a line of its own, labelled or not.
    """
    found, count = {}, 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for formula in FORMULA.finditer(CODE.sub("", cell.source)):
                count += 1
                if formula[1]:
                    found[formula[1]] = count
    return found


def blocks_of(text: str, heading: str) -> list[Block]:
    """The blocks of a cell in order, without its headings and folds.

    Args:
        text: Markdown.
        heading: that it begins under.
    """
    lines, found, past = text.splitlines(), [], 0
    for token in parser().parse(text):
        if token.level or token.map is None or token.map[0] < past:
            continue
        past = token.map[1]
        block = "\n".join(lines[slice(*token.map)]).strip()
        if token.type == "heading_open":
            heading = block.lstrip("# ")
        elif token.type != "html_block":
            label = token.info if token.type == "math_block_label" else ""
            found.append(Block(token.type, block, heading, label))
    return found


def short_list(text: str) -> str:
    """A list of which each item is its first sentences."""
    items = re.split(r"^(?=(?:[-*]|\d+\.) )", text, flags=re.MULTILINE)
    kept = []
    for item in filter(str.strip, items):
        mark, _, words = item.partition(" ")
        has_more = "$$" in words or "\n\n" in words.strip()
        kept.append(f"{mark} {words.rstrip() if has_more else item_beginning(words)}")
    return "\n".join(kept)


def item_beginning(text: str) -> str:
    """The first sentence of an item; a catchword alone takes the next one along."""
    first, *others = sentences(text)
    is_catchword = count_words(first) < CATCHWORD
    if is_catchword and others and count_words(others[0]) <= MOST_OF_NEXT:
        return f"{first} {others[0]}"
    return first


def looked_at(blocks: list[Block]) -> list[str]:
    """What a slide shows of some blocks: those made for the eye, and what leads there.

    The last sentence above a formula, list or quotation, and a line that goes on below
    it ("with …", "where …"), belong to it. If there is none, the first paragraph
    counts.

    Args:
        blocks: of one heading, no questions among them.
    """
    found: list[str] = []
    for i, block in enumerate(blocks):
        above = blocks[i - 1] if i else None
        below = blocks[i + 1] if i + 1 < len(blocks) else None
        if block.kind in SHOWN:
            found.append(short_list(block.text) if "list" in block.kind else block.text)
        elif below and below.kind in SHOWN:
            last = ending(block.text)
            found += [last] if count_words(last) <= MOST_WORDS else []
        elif above and above.kind in FORMULAS and block.text[:1].islower():
            found.append(beginning(block.text))
    return found or [beginning(block.text) for block in blocks[:1]]


def question_of(blocks: list[Block]) -> list[str]:
    """What a chapter asks in its first cell; if it asks nothing, how it begins."""
    told = [block.text for block in blocks if block.kind == "paragraph_open"]
    asked = [x for text in told for x in sentences(text) if re.search(r"[?][*_]*$", x)]
    asked.sort(key=lambda sentence: not sentence.startswith("**"))
    return asked[:1] or [beginning(text, 60) for text in told[:1]]


class Maker:
    """Reads a notebook from the top to the bottom and makes its slides.

    Attributes:
        slides: so far; the first one has the chapter's title.
    """

    def __init__(self, notebook: NotebookNode, name: str):
        """Begin with the title.

        Args:
            notebook: executed, if it is to be shown.
            name: of the chapter, for errors.
        """
        self.cells, self.name = notebook.cells, name
        is_text = notebook.cells[0].cell_type == "markdown"
        text = notebook.cells[0].source if is_text else ""
        title = re.search(r"^# +(.*)$", text, re.MULTILINE)
        self.heading = title[1] if title else name
        first = blocks_of(text, self.heading)
        self.slides = [Slide(self.heading, question_of(first))]
        for i, cell in enumerate(self.cells):
            for mark in marks(cell):
                self.add(i, mark)
            if i and cell.cell_type == "markdown":
                self.heading = self.last_heading(cell.source)

    def last_heading(self, text: str) -> str:
        """The heading that holds after a cell."""
        found = re.findall(r"^#{2,4} +(.*)$", CODE.sub("", text), re.MULTILINE)
        return found[-1] if found else self.heading

    def add(self, i: int, mark: str) -> None:
        """Show a marked cell, or note it.

        Args:
            i: place of the cell.
            mark: one of the three tags.

        Raises:
            ValueError: If it has nothing to show, or goes on with no slide.
        """
        cell = self.cells[i]
        if "remove-cell" in cell.metadata.get("tags", []):
            raise ValueError(f"{self.name}: cell {cell.get('id')} is on no page")
        if mark != SLIDE and len(self.slides) == 1:
            told = f"cell {cell.get('id')} has the tag {mark!r}, but no slide is begun"
            raise ValueError(f"{self.name}: {told}: mark a cell above with {SLIDE!r}")
        if cell.cell_type == "code" and mark == NOTE:
            self.slides[-1].notes.append(f"```python\n{cell.source}\n```")
        elif cell.cell_type == "code":
            self.add_code(i, mark)
        elif mark == NOTE:
            self.slides[-1].notes += self.until_heading(cell)
        else:
            self.add_text(cell, mark)

    def until_heading(self, cell: NotebookNode) -> list[str]:
        """A text cell up to its first heading, where a new subject begins."""
        blocks = blocks_of(cell.source, "")
        return [block.text for block in blocks if not block.heading]

    def add_code(self, i: int, mark: str) -> None:
        """Show what a code cell gives, with the caption below it, or its code."""
        if mark == SLIDE:
            self.slides.append(Slide(self.heading))
        slide = self.slides[-1]
        below = self.cells[i + 1].source if i + 1 < len(self.cells) else ""
        caption = CAPTION.match(below)
        if not caption:
            slide.parts.append(Figure(self.cells[i]))
            return
        in_words = IN_WORDS.search(below)
        alt = " ".join(unescape(in_words[1]).split()) if in_words else ""
        whole = below[caption.end() :].partition("\n\n")[0]
        words = beginning(whole, MOST_OF_CAPTION)
        slide.parts.append(Figure(self.cells[i], words, caption[1], alt))
        if words != " ".join(whole.split()):
            slide.notes.append(whole)

    def add_text(self, cell: NotebookNode, mark: str) -> None:
        """Show what there is to look at in a text cell, and then what it asks.

        A question is a slide of its own: what comes next is the answer.
        """
        blocks = blocks_of(cell.source, self.heading)
        asked = [block for block in blocks if block.is_question]
        told = [block for block in blocks if not block.is_question]
        named = cell.metadata.get("slide", {}).get("formulas")
        heading = self.chosen_heading(told, is_more=mark == MORE)
        told = [block for block in told if block.heading == heading]
        has_eyes = any(block.kind in SHOWN for block in told)
        if told and (has_eyes or not asked or mark == MORE):
            if mark == SLIDE:
                self.slides.append(Slide(heading))
            parts = looked_at(told)
            if named is not None:
                parts = self.formulas(cell, told, named)
            self.slides[-1].parts += parts
            rest = "\n\n".join(block.text for block in told)
            if [part.split() for part in parts] != [b.text.split() for b in told]:
                self.slides[-1].notes.append(rest)
            told = []
        elif not asked:
            raise ValueError(f"{self.name}: cell {cell.get('id')} has nothing to show")
        for block in asked:
            notes = [other.text for other in told if other.heading == block.heading]
            self.slides.append(Slide(block.heading, [block.text], notes))
            told = []

    def chosen_heading(self, blocks: list[Block], *, is_more: bool) -> str:
        """Under which heading of a cell a slide looks: the first with a thing to see.

        What only goes on with a slide looks under the first one.
        """
        names = list(dict.fromkeys(block.heading for block in blocks))
        eyes = [block.heading for block in blocks if block.kind in SHOWN]
        if is_more or not names:
            return names[0] if names else self.heading
        return eyes[0] if eyes else names[-1]

    def formulas(
        self, cell: NotebookNode, blocks: list[Block], named: list[str]
    ) -> list[str]:
        """Only the formulas of some labels, which a cell's metadata name."""
        known = {
            block.label: looked_at(blocks[max(i - 1, 0) : i + 1])
            for i, block in enumerate(blocks)
            if block.label
        }
        if lost := [label for label in named if label not in known]:
            told = f"cell {cell.get('id')} has no formula {lost[0]!r}"
            raise ValueError(f"{self.name}: {told}: it has {sorted(known)}")
        return [text for label in named for text in known[label]]


def slides_of(notebook: NotebookNode, name: str) -> list[Slide]:
    """The slides of a notebook, the title first.

    Args:
        notebook: whose cells are marked; executed, if the slides are to be shown.
        name: of the chapter, for errors.

    Raises:
        ValueError: If no cell is marked, or one cannot be shown.
    """
    if not any(marks(cell) for cell in notebook.cells):
        told = f"no cell of {name} has the tag {SLIDE!r}"
        raise ValueError(f"{told}: mark some, as the page for teachers says")
    return Maker(notebook, name).slides


def figure_html(figure: Figure, numbers: dict[str, int], name: str) -> str:
    """A figure with its caption, or the code of a cell that shows nothing.

    Args:
        figure: to write.
        numbers: of labelled formulas.
        name: of the chapter, for errors.

    Raises:
        ValueError: If its cell failed.
    """
    shown = [output_html(one, figure, name) for one in figure.cell.outputs]
    inside = "\n".join(filter(None, shown))
    if not inside:
        return code_html(figure.cell.source)
    caption = ""
    if figure.caption:
        words = html_of(figure.caption, numbers, is_line=True)
        caption = f"<figcaption><strong>{figure.name}.</strong> {words}</figcaption>"
    look = "shown beside" if caption and is_high(inside) else "shown"
    return f'<figure class="{look}">{inside}{caption}</figure>'


def is_high(shown: str) -> bool:
    """Whether what a figure shows is one picture, hardly wider than it is high."""
    ratios = [float(found) for found in RATIO.findall(shown)]
    return len(ratios) == 1 and shown.startswith("<img") and ratios[0] < HIGH


def output_html(output: NotebookNode, figure: Figure, name: str) -> str:
    """One output as HTML; what is only for a log is left out.

    Raises:
        ValueError: If it is an error.
    """
    if output.output_type == "error":
        told = f"cell {figure.cell.get('id')} failed: {output.ename}: {output.evalue}"
        raise ValueError(f"{name}: {told}")
    if output.output_type == "stream":
        text = output.text if output.name == "stdout" else ""
        return f'<pre tabindex="0">{escape(text.rstrip())}</pre>' if text else ""
    data = output.get("data", {})
    if "text/html" in data:
        found = FRAME.search(data["text/html"])
        ratio = int(found[1]) / int(found[2]) if found else 0
        look = f' style="--ratio: {ratio:.4f}"' if found else ""
        return f'<div class="output"{look}>{data["text/html"]}</div>'
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            alt = escape(figure.alt or figure.name or "A picture")
            code = "".join(data[kind].split())
            width, height = Image.open(io.BytesIO(b64decode(code))).size
            look = f'style="--ratio: {width / height:.4f}"'
            return f'<img {look} src="data:{kind};base64,{code}" alt="{alt}">'
    if "image/svg+xml" in data:
        return f'<div class="output">{data["image/svg+xml"]}</div>'
    if "text/markdown" in data:
        return html_of(data["text/markdown"], {})
    text = data.get("text/plain", "")
    return f'<pre tabindex="0">{escape(text)}</pre>' if text else ""


def code_html(source: str) -> str:
    """Python with its comments, words and texts told apart."""
    lines = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{lines}</code></pre>'


def asset(name: str) -> str:
    """The text of a file that lies beside this module."""
    return files("glyflib.commands").joinpath(name).read_text("utf-8")


@cache
def mathjax() -> str:
    """MathJax as one script, which draws formulas as SVG and fetches nothing.

    It is the one that the built book brings along.

    Raises:
        OSError: If it is not installed.
    """
    found = find_spec("sphinx-mathjax-offline")
    if found is None or not found.submodule_search_locations:
        told = "sphinx-mathjax-offline, which draws the formulas, is not installed"
        raise FileNotFoundError(f"{told}: run `pip install -r requirements.txt`")
    folder = Path(next(iter(found.submodule_search_locations)))
    return (folder / "static/mathjax/tex-svg.js").read_text("utf-8")


def slide_html(slide: Slide, numbers: dict[str, int], name: str, place: str) -> str:
    """One slide as a section.

    Args:
        slide: to write.
        numbers: of labelled formulas.
        name: of the chapter, for errors.
        place: such as "3 of 12".
    """
    number = int(place.split()[0])
    level = "h1" if number == 1 else "h2"
    parts = [
        html_of(part, numbers)
        if isinstance(part, str)
        else figure_html(part, numbers, name)
        for part in slide.parts
    ]
    notes = ""
    if slide.notes:
        text = "".join(html_of(without_folds(note), numbers) for note in slide.notes)
        notes = f'<details class="notes"><summary>Notes</summary>{text}</details>'
    title = html_of(slide.title, numbers, is_line=True)
    kind = "slide roomy" if has_room(slide) else "slide"
    return (
        f'<section class="{kind}" id="slide-{number}" tabindex="0" role="group" '
        f'aria-roledescription="slide" aria-label="{place}">'
        f"<{level}>{title}</{level}>{''.join(parts)}{notes}</section>"
    )


def has_room(slide: Slide) -> bool:
    """Whether it has few words and at most one formula: they are written larger."""
    texts = [part for part in slide.parts if isinstance(part, str)]
    formulas = sum(text.count("$$") // 2 for text in texts)
    most = FEW_WORDS // (1 + formulas)
    is_text = len(texts) == len(slide.parts)
    return is_text and formulas <= 1 and count_shown(slide) <= most


def without_folds(text: str) -> str:
    """A note without headings, anchors and folds: it lies under a slide's own title."""
    text = re.sub(r"<details>.*?</details>|<a id=[^>]*></a>", "", text, flags=re.DOTALL)
    return re.sub(r"^#+ +(.*)$", r"**\1**", text, flags=re.MULTILINE)


def deck(notebook: NotebookNode, name: str) -> str:
    """The slides of an executed notebook as one page that needs nothing else.

    Args:
        notebook: with outputs.
        name: of the chapter, for errors.

    Raises:
        ValueError: If no cell is marked, or one cannot be shown.
        OSError: If MathJax is needed and is not installed.
    """
    slides = slides_of(notebook, name)
    numbers = equation_numbers(notebook)
    sections = [
        slide_html(slide, numbers, name, f"{i} of {len(slides)}")
        for i, slide in enumerate(slides, start=1)
    ]
    body = "\n".join(sections)
    title = re.sub(r"[*`$]", "", slides[0].title)
    formulas = ""
    if 'class="math"' in body:
        settings = {"tex": {"inlineMath": [["\\(", "\\)"]]}}
        settings |= {
            "options": {"enableMenu": False},
            "svg": {"fontCache": "global", "scale": 0.95},
        }
        start = f"window.MathJax = {json.dumps(settings)};"
        script = mathjax().replace("</script", "<\\/script")
        formulas = f"<script>{start}</script>\n<script>{script}</script>"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} – slides of the diffusion book</title>",
            f"<style>{asset('deck.css')}</style></head>",
            f'<body><main aria-label="Slides">{body}</main>',
            asset("deck.html"),
            f"<script>{asset('deck.js')}</script>",
            formulas,
            "</body></html>",
            "",
        ]
    )


def count_shown(slide: Slide) -> int:
    """Words that stand on a slide, captions among them, code and notes not."""
    parts = [part if isinstance(part, str) else part.caption for part in slide.parts]
    return sum(map(count_words, [slide.title, *parts]))


def code_shown(slide: Slide) -> Iterator[str]:
    """The source of each code cell on a slide that has no output, and no caption."""
    for part in slide.parts:
        if isinstance(part, Figure) and not (part.cell.outputs or part.caption):
            yield part.cell.source
