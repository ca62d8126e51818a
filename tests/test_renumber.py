"""Numbers and citations follow what comes and goes, and nothing else changes."""

import json

import nbformat
import pytest
import renumber
from sources import BOOK, sources

CHAPTERS = sorted(BOOK.glob("*.ipynb"))
CAPTION = '<a id="fig-{0}"></a>**Figure {1}.** What one sees.'
HO, SONG = sources()["ho2020denoising"], sources()["song2021ddim"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_book_needs_no_mending(path, tmp_path):
    book = {p.name: renumber.numbers(nbformat.read(p, 4)) for p in CHAPTERS}
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    assert not renumber.renumber(copy, book)
    assert copy.read_bytes() == path.read_bytes()


def test_a_figure_that_comes_in_between_moves_captions_and_links_on():
    new = '<a id="fig-new"></a>**Figure.** A new one.'
    texts = [CAPTION.format("a", 1), new, CAPTION.format("b", 2)]
    texts += ["See [figure 2](#fig-b), [Figure 1](#fig-a) and [figure 9](#fig-new)."]
    found = renumber.mended(texts, {})
    assert found[:3] == [
        CAPTION.format("a", 1),
        '<a id="fig-new"></a>**Figure 2.** A new one.',
        CAPTION.format("b", 3),
    ]
    assert found[3] == (
        "See [figure 3](#fig-b), [Figure 1](#fig-a) and [figure 2](#fig-new)."
    )


def test_figures_of_solutions_come_last():
    texts = [
        "### Exercise 1\n\nDo.",
        "#### Solution",
        CAPTION.format("a", 1),
        "### Exercise 2\n\nLook at [figure 2](#fig-b), then at [figure 1](#fig-a).",
        CAPTION.format("b", 2),
    ]
    found = renumber.mended(texts, {})
    assert found[2] == CAPTION.format("a", 2) and found[4] == CAPTION.format("b", 1)
    assert found[3].endswith("Look at [figure 1](#fig-b), then at [figure 2](#fig-a).")


def test_equations_are_named_as_lab_counts_them_here_and_in_other_chapters():
    texts = ["$$ a $$\n\n$$ b $$ (eq-b)", "By [(1)](#eq-b) and `[(1)](#eq-b)`."]
    texts += ["By [(7) of chapter 4](04_x.ipynb#eq-c), (7) times."]
    found = renumber.mended(texts, {"04_x.ipynb": {"eq-c": 3}})
    assert found[1].startswith("By [(2)](#eq-b) and")
    assert found[2] == "By [(3) of chapter 4](04_x.ipynb#eq-c), (7) times."


def test_a_citation_leads_to_its_work_which_the_last_cell_lists():
    texts = [f"As [{HO.name_in_text}](bibliography.md) show, [here](elsewhere)."]
    last = f"## References\n\nMore: [{SONG.name}](x).\n\n- [Gone 1999](y): *Old*."
    found = renumber.mended([*texts, last], {})
    assert found[0] == f"As [{HO.name_in_text}]({HO.address}) show, [here](elsewhere)."
    told, works = found[1].split("\n\n", 2)[1:]
    assert told == f"More: [{SONG.name}]({SONG.address})."
    assert works.split("\n") == sorted([HO.entry, SONG.entry], key=str.casefold)


def test_code_and_metadata_stay_as_they_are(tmp_path):
    cells = [
        {"cell_type": "code", "id": "a", "source": ["# [figure 9](#fig-a)\n", "1"]},
        {"cell_type": "markdown", "id": "b", "source": [CAPTION.format("a", 5)]},
    ]
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps({"z": 1, "cells": cells, "a": "é"}), "utf-8")
    assert renumber.renumber(path, {})
    found = json.loads(path.read_text("utf-8"))
    assert list(found) == ["z", "cells", "a"] and found["cells"][0] == cells[0]
    assert found["cells"][1]["source"] == [CAPTION.format("a", 1)]
    assert not renumber.renumber(path, {})
