"""The bibliography: cited and known agree, each work can be reached, labels differ."""

import re
from pathlib import Path

import nbformat
import pytest
from pybtex.database import BibliographyData, Entry, parse_file, parse_string
from sources import label_style, sources

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
# Works that no address leads to, by key, each with the reason.
WITHOUT_ADDRESS: dict[str, str] = {}
DOI = re.compile(r"10\.\d{4,9}/\S+")
ADDRESS = re.compile(r"https://[\w.-]+/\S*")


def texts() -> dict[str, str]:
    """The prose of each page of the book by file name."""
    found = {path.name: path.read_text("utf-8") for path in BOOK.glob("*.md")}
    for path in BOOK.glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        cells = [c.source for c in notebook.cells if c.cell_type == "markdown"]
        found[path.name] = "\n".join(cells)
    return found


def cited_keys(text: str) -> set[str]:
    """Keys that a text cites by a role, without words around them like {section 2}."""
    lists = [re.sub(r"\{[^{}]*\}", "", keys) for keys in CITATION.findall(text)]
    return {key.strip() for keys in lists for key in keys.split(",")}


def linked_keys(text: str) -> set[str]:
    """Keys of works that a text cites as chapters do: by name, linked to the work."""
    return {
        key
        for key, source in sources().items()
        for name in (source.name, source.name_in_text)
        if f"[{name}]({source.address})" in text
    }


def unreachable(library: BibliographyData) -> list[str]:
    """Keys of works with neither a well-formed doi nor a well-formed address."""
    found = []
    for key, entry in library.entries.items():
        doi, url = entry.fields.get("doi", ""), entry.fields.get("url", "")
        if not (DOI.fullmatch(doi) or ADDRESS.fullmatch(url)):
            found.append(key)
    return found


def labels(entries: list[Entry]) -> list[str]:
    """The label of each entry, in order."""
    return list(label_style().AuthorYearLabels().format_labels(entries))


@pytest.fixture(scope="module")
def library() -> BibliographyData:
    """The book's bibliography."""
    return parse_file(str(BOOK / "references.bib"), "bibtex")


def test_every_key_that_is_cited_is_in_the_bibliography(library):
    known = set(library.entries)
    lost = {name: cited_keys(text) - known for name, text in texts().items()}
    assert not {name: keys for name, keys in lost.items() if keys}


def test_every_work_in_the_bibliography_is_cited(library):
    found = [cited_keys(text) | linked_keys(text) for text in texts().values()]
    cited = set().union(*found)
    assert set(library.entries) - cited == set()


def test_every_work_has_a_doi_or_an_address(library):
    assert unreachable(library) == list(WITHOUT_ADDRESS)


def test_a_work_is_labelled_as_the_text_cites_it(library):
    few = ["ho2022classifier", "ho2020denoising", "kynkaanniemi2023role"]
    few += ["unicode_unihan", "song2021ddim"]
    assert labels([library.entries[key] for key in few]) == [
        "Ho and Salimans 2022",
        "Ho et al. 2020",
        "Kynkäänniemi et al. 2023",
        "The Unicode Consortium 2022",
        "Song et al. 2021a",
    ]


def test_a_name_with_a_small_word_in_front_keeps_it():
    text = "@article{a, author={van der Maaten, L. and Hinton, G.}, year={2008}}"
    work = parse_string(text, "bibtex").entries["a"]
    assert labels([work]) == ["van der Maaten and Hinton 2008"]


# Names that titles hold: without braces the page writes them small.
NAMES = ["Bayes", "Diffusers", "Fréchet", "Gaussian", "Han", "Inception", "Laplacian"]


def unprotected(title: str) -> list[str]:
    """Names, and words with capitals inside, that no braces keep as they are."""
    bare = title.replace("\\#", "")
    while "{" in bare:
        bare, before = re.sub(r"\{[^{}]*\}", "#", bare), bare
        assert bare != before, f"{title} has a brace too many"
    words = re.findall(r"[^\W\d_#]+", bare)[1:]  # the first one keeps its capital
    inner = re.match(r"[^\W\d_#]*[A-Z][^\W\d_#]*", bare)
    first = [inner[0]] if inner and re.search(r".[A-Z]", inner[0]) else []
    return first + [w for w in words if w in NAMES or re.search(r".[A-Z]", w)]


def test_names_in_titles_keep_their_capitals(library):
    titles = [entry.fields["title"] for entry in library.entries.values()]
    found = {title: unprotected(title) for title in titles}
    assert not {title: names for title, names in found.items() if names}


def test_a_name_without_braces_is_caught():
    assert unprotected("LoRA: Low-Rank {A} of Gaussian Min-SNR {Bayes}") == [
        "LoRA",
        "Gaussian",
        "SNR",
    ]


def test_no_two_works_have_one_label(library):
    found = labels(list(library.entries.values()))
    assert len(set(found)) == len(found)


def test_a_work_without_address_and_a_citation_of_two_are_seen():
    broken = "@misc{a, title={A}, doi={none}}\n@misc{b, title={B}, url={www.b}}"
    assert unreachable(parse_string(broken, "bibtex")) == ["a", "b"]
    text = "Two {cite:p}`a1, b_2{parts 1, 2}`, one {cite:t}`{see}c`, and {term}`d`."
    assert cited_keys(text) == {"a1", "b_2", "c"}
    ho = sources()["ho2020denoising"]
    assert linked_keys(f"As [Ho et al. (2020)]({ho.address}) say.") == {
        "ho2020denoising"
    }
    assert (
        linked_keys("As [Ho et al. (2020)](elsewhere) and Ho et al. 2020 say.") == set()
    )
