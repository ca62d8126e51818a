"""The report of the shipped glyffuser by name: all of it, or what is missing."""

import json

import pytest

from glyflib.evaluation.intervals import Estimate
from glyflib.evaluation.report import PLAIN, REPORT, TOGETHER
from glyflib.glyffuser import SHIPPED
from glyflib.lessons.report import load_report


@pytest.fixture
def record():
    return json.loads((SHIPPED / REPORT).read_text("utf-8"))


def test_every_number_of_the_file_is_found_by_name(record):
    report, parts = load_report(), record["parts"]
    assert list(report.metrics) == record["settings"]["scales"]
    for scale, metrics in report.metrics.items():
        found = {name: one._asdict() for name, one in metrics._asdict().items()}
        assert found == parts[f"scale {scale:g}"]
        plain = report.plain[scale] | {TOGETHER: report.all_but_gold[scale]}
        found = {prompt: share._asdict() for prompt, share in plain.items()}
        assert found == parts[f"plain {scale:g}"]
    references = parts["references"]
    assert report.references.ceiling == Estimate(**references["ceiling"])
    floor = Estimate(**references["floor"]["recall"])
    assert report.references.floor.recall == floor
    assert report.words_alone.top1 == Estimate(**references["words_alone"]["top1"])


def test_scales_are_found_as_whole_numbers_too():
    report = load_report()
    assert report.metrics[3] is report.metrics[3.0]
    assert list(report.plain[1]) == list(PLAIN)
    assert report.num_drawn == 8000


def test_a_glyffuser_that_was_not_judged_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="glyflib evaluate"):
        load_report(tmp_path)


@pytest.mark.parametrize("part", ["references", "scale 3", "plain 5"])
def test_a_report_that_was_cut_off_names_what_it_lacks(record, tmp_path, part):
    del record["parts"][part]
    (tmp_path / REPORT).write_text(json.dumps(record), "utf-8")
    with pytest.raises(ValueError, match=f"not finished .*{part}"):
        load_report(tmp_path)


def test_a_file_that_is_no_report_is_told(tmp_path):
    (tmp_path / REPORT).write_text("[]", "utf-8")
    with pytest.raises(ValueError, match="damaged"):
        load_report(tmp_path)
