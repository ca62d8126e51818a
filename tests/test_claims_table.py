"""The table of claims: safe text, a link a row, known verdicts."""

import pytest
from bs4 import BeautifulSoup

from glyflib.interactive.claims import Claim, claims_table

ROW = Claim("C1", "a < b", "the post", "0.5 & more", "holds", "03.html#fig-x")


def test_each_row_has_claim_source_figure_verdict_and_link():
    soup = BeautifulSoup(claims_table([ROW, ROW]).data, "html.parser")
    rows = soup.select("tbody tr")
    assert len(rows) == 2
    cells = [cell.get_text() for cell in rows[0].select("td")]
    assert cells == ["C1 a < b", "the post", "0.5 & more", "holds"]
    assert rows[0].a["href"] == "03.html#fig-x"


def test_a_verdict_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="'perhaps'"):
        claims_table([ROW._replace(verdict="perhaps")])


def test_a_claim_may_be_open():
    assert "open" in claims_table([ROW._replace(verdict="open")]).data


def test_an_empty_table_is_refused():
    with pytest.raises(ValueError, match="no claims"):
        claims_table([])
