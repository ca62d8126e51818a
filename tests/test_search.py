"""Whoever types a term of the glossary into the built site's search finds it."""

import pytest
from test_terms import BOOK, glossary

# What the page of the search would list, best first, at most six.
SEARCH = """(query) => {
  const parts = Search._parseQuery(query);
  const found = Search._performSearch(...parts);
  return found.slice(-6).reverse().map(([page, , anchor]) => [page, anchor]);
}"""
TERMS = glossary((BOOK / "glossary.md").read_text("utf-8"))


@pytest.fixture(scope="module")
def search(browser, site):
    """Results for a query, each a page and an anchor in it."""
    page = browser.new_page()
    page.goto((site / "search.html").as_uri())
    page.wait_for_function("typeof Search !== 'undefined' && Search._index !== null")
    yield lambda query: page.evaluate(SEARCH, query)
    page.close()


def test_a_term_is_found_in_the_glossary_and_at_its_home(search):
    lost = []
    for term, home in TERMS.items():
        first = {page for page, _ in search(term)[:3]}
        if not {"glossary", home} <= first:
            lost.append(f"{term}: {sorted(first)}, not {home}")
    assert lost == []


def test_a_part_of_a_term_finds_it_too(search):
    assert ["glossary", "#term-cross-attention"] in search("attention")


def test_what_no_page_has_is_not_found(search):
    assert search("qwertzuiop") == []
