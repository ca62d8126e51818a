"""What a page tells a screen reader is mended, and nothing else of it changes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_sphinx"))
import accessible  # an extension of the builder, no package


def test_a_signature_of_several_lines_is_no_list_of_definitions():
    body = '<dt class="sig">f(<dl>\n\n<dd>x,</dd>\n<dd>y</dd>\n</dl>\n)</dt>'
    assert accessible.mended(body) == (
        '<dt class="sig">f(<div class="sig-lines">\n\n<div class="sig-line">x,</div>\n'
        '<div class="sig-line">y</div>\n</div>\n)</dt>'
    )


def test_a_list_of_definitions_stays_one():
    body = '<dl><dt>noise</dt><dd>a number</dd></dl><dl class="py"><dd>x</dd></dl>'
    assert accessible.mended(body) == body


def test_a_work_of_the_bibliography_is_an_item_of_its_list():
    body = '<div role="list"><div id="ho" role="doc-biblioentry">Ho</div></div>'
    assert accessible.mended(body) == (
        '<div role="list"><div id="ho" role="listitem">Ho</div></div>'
    )
