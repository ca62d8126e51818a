"""A table of claims: what was said and where, what was measured, and what follows.

Invariant: the table shows the rows that it is handed and computes nothing.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from IPython.display import HTML

# "open": what was measured is not what was said.
VERDICTS = ("holds", "holds in part", "does not hold", "open")
STYLE = """
.glyf-claims { overflow-x: auto; }
.glyf-claims table { width: 100%; border-collapse: collapse; color: inherit; }
.glyf-claims :is(th, td) { padding: 0.4rem 0.5rem; text-align: left;
  vertical-align: top; background: transparent !important; color: inherit !important;
  border-bottom: 1px solid rgb(128 128 128 / 40%); white-space: normal;
  overflow-wrap: break-word; }
.glyf-claims td:last-child { font-weight: bold; }
"""


class Claim(NamedTuple):
    """One row.

    Attributes:
        name: such as "C7".
        said: the claim, in our words.
        source: who says so.
        found: what was measured, with units and interval.
        verdict: one of `VERDICTS`.
        page: file of the site and place on it that settles the claim.
    """

    name: str
    said: str
    source: str
    found: str
    verdict: str
    page: str


def claims_table(rows: Sequence[Claim]) -> HTML:
    """Show claims as a table whose names link to the figures that settle them.

    Raises:
        ValueError: If there are none, or a verdict is of another kind.
    """
    if not rows:
        raise ValueError("there are no claims to show")
    if odd := [row for row in rows if row.verdict not in VERDICTS]:
        raise ValueError(f"verdict {odd[0].verdict!r} must be one of {VERDICTS}")
    names = "Claim", "Said by", "Measured here", "Verdict"
    head = "".join(f"<th>{text}</th>" for text in names)
    body = "".join(
        f'<tr><td><a href="{escape(row.page)}">{escape(row.name)}</a> '
        f"{escape(row.said)}</td><td>{escape(row.source)}</td>"
        f"<td>{escape(row.found)}</td>"
        f"<td>{escape(row.verdict)}</td></tr>"
        for row in rows
    )
    return HTML(
        f'<div class="glyf-claims"><style>{STYLE}</style><table><thead><tr>{head}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )
