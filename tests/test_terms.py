"""A term of the glossary is defined in its home chapter, and used in none before it.

Checks take the terms and the chapters in the order of the book, and return a list of
problems; the tests at the end feed them a made-up book to see that they catch each.
`00` is excused: it may speak loosely and point ahead.
"""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from notebook_rules import cells, prose

BOOK = Path(__file__).parents[1] / "book"
# Terms that chapters use before their home, or do not set in bold there, and why.
EXCEPTIONS = {
    "condition": "everyday word, until text is one",
    "epsilon": "chapters write it as a formula",
    "score": "everyday word for points in a game or on an axis",
    "seed": "known to whoever has drawn random numbers",
}
ENTRY = re.compile(r"^(\S.*)\n  .*\]\((\w+)\.(?:ipynb|md)\)$", re.MULTILINE)
AHEAD = re.compile(r"\[[^\[\]]*\]\([^()\s]*\.(?:ipynb|md)[^()\s]*\)")
BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


def glossary(text: str) -> dict[str, str]:
    """Each term with the name of its home, the last link of its entry."""
    return dict(ENTRY.findall(text))


def pattern(term: str) -> re.Pattern:
    """The term as a word, also in the plural; capitals count where it has several."""
    is_name = sum(sign.isupper() for sign in term) > 1
    words = r"\s+".join(re.escape(word) for word in term.split())
    flags = 0 if is_name else re.IGNORECASE
    return re.compile(rf"(?<!\w){words}(?:s|es)?(?!\w)", flags)


def text_of(notebook: nbformat.NotebookNode) -> str:
    """What a chapter says, without the works that it lists."""
    texts = [cell.source for _, cell in cells(notebook, "markdown")]
    return "\n\n".join(text for text in texts if not text.startswith("## References"))


def told(text: str) -> str:
    """Prose without the words of links to other pages, which may point ahead."""
    return prose(AHEAD.sub(" ", text))


def is_defined(term: str, text: str) -> bool:
    """Whether the term stands in bold."""
    return any(pattern(term).search(bold) for bold in BOLD.findall(prose(text)))


def used_early(terms: dict[str, str], chapters: dict[str, str]) -> list[str]:
    """Terms in chapters that come before their home."""
    names, found = list(chapters), []
    for term, home in terms.items():
        before = names[: names.index(home)] if home in names else []
        for name in before:
            is_free = name.startswith("00_") or term in EXCEPTIONS
            if not is_free and pattern(term).search(told(chapters[name])):
                found.append(f"{name}: {term!r} has its home in {home}")
    return found


def without_a_home(terms: dict[str, str], chapters: dict[str, str]) -> list[str]:
    """Terms that are not set in bold in the chapter that the glossary names."""
    return [
        f"{home}: {term!r} is not in bold"
        for term, home in terms.items()
        if home in chapters and term not in EXCEPTIONS
        if not is_defined(term, chapters[home])
    ]


@pytest.fixture(scope="module")
def terms():
    return glossary((BOOK / "glossary.md").read_text("utf-8"))


@pytest.fixture(scope="module")
def chapters():
    """Texts of all notebooks, in the order of the contents."""
    toc = yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8"))
    listed = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    paths = {name: BOOK / f"{name}.ipynb" for name in listed}
    return {
        name: text_of(nbformat.read(path, 4))
        for name, path in paths.items()
        if path.exists()
    }


def test_each_entry_of_the_glossary_names_a_page(terms):
    text = (BOOK / "glossary.md").read_text("utf-8")
    inside = text.partition("```{glossary}")[2]
    heads = re.findall(r"^([^\s:`].*)$", inside, re.MULTILINE)
    assert heads == list(terms)
    pages = {path.stem for path in (*BOOK.glob("*.ipynb"), *BOOK.glob("*.md"))}
    assert set(terms.values()) <= pages


def title_of(path: Path) -> str:
    """The first heading of a page."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        text = nbformat.reads(text, 4).cells[0].source
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def test_the_glossary_calls_pages_by_their_titles():
    text = (BOOK / "glossary.md").read_text("utf-8")
    links = set(re.findall(r"\[([^\]]+)\]\((\w+\.(?:ipynb|md))\)", text))
    titles = {page: title_of(BOOK / page) for _, page in links}
    # A long title may end early, at a sign.
    strangers = {
        link
        for link, page in links
        if link not in (titles[page], re.split("[:,]", titles[page])[0])
    }
    assert strangers == set()


def test_no_chapter_uses_a_term_before_its_home(terms, chapters):
    assert used_early(terms, chapters) == []


def test_each_term_is_in_bold_in_its_home(terms, chapters):
    assert without_a_home(terms, chapters) == []


@pytest.mark.parametrize("term", EXCEPTIONS)
def test_an_exception_is_needed(term, terms, chapters, monkeypatch):
    monkeypatch.delitem(EXCEPTIONS, term)
    only = {term: terms[term]}
    assert used_early(only, chapters) + without_a_home(only, chapters) != []


TERMS = {"noise level": "02_two", "ODE": "02_two", "index": "index"}
GOOD = {
    "00_all": "A noise level.",
    "01_one": "One. See [noise levels](02_two.ipynb). `noise level`. Code and an ode.",
    "02_two": "A **noise level**. An **ODE (equation)**.",
}


def test_a_good_book_passes():
    assert used_early(TERMS, GOOD) == without_a_home(TERMS, GOOD) == []


@pytest.mark.parametrize(
    "text", ["Noise levels.", "a noise\nlevel", "> *ODE*", "**noise level**", "ODEs"]
)
def test_a_term_before_its_home_is_caught(text):
    assert used_early(TERMS, GOOD | {"01_one": text}) != []


def test_a_term_may_end_in_a_sign():
    terms = {"Solver++": "02_two"}
    assert without_a_home(terms, {"02_two": "It is **Solver++ 2M**."}) == []
    assert without_a_home(terms, {"02_two": "It is **Solver++er**."}) != []


@pytest.mark.parametrize("text", ["**ODE**, noise level", "**noise level**, ODE", ""])
def test_a_home_without_its_term_is_caught(text):
    assert without_a_home(TERMS, GOOD | {"02_two": text}) != []


def test_entries_are_read_with_the_last_link_as_their_home():
    text = "Words.\n\n```{glossary}\n:sorted:\n\na b\n  See [x](1.md). [C](02_c.ipynb)"
    assert glossary(text + "\n\nd\n  E. [F](f.md)\n```\n") == {"a b": "02_c", "d": "f"}
