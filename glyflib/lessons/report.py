"""What `glyflib evaluate` found of a glyffuser or a student, by name.

Invariant: names of parts, as report.json keeps them, are read here; a chapter sees the
tuples that `glyflib.evaluation.samples` made, at the scales or calls that were judged.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from glyflib.evaluation.intervals import Estimate
from glyflib.evaluation.report import (
    PLAIN,
    REPORT,
    TEACHER,
    TOGETHER,
    ReportConfig,
    plain_name,
)
from glyflib.evaluation.samples import Likeness, Metrics, References, WordsAlone
from glyflib.glyffuser import SHIPPED
from glyflib.student import SHIPPED as SHIPPED_STUDENT

Read = TypeVar("Read")
LESS_IS_BETTER = {"frechet", "kernel"}


@dataclass(frozen=True)
class Report:
    """How a glyffuser was judged, each scale of the guidance for itself.

    Attributes:
        config: what was drawn.
        metrics: by scale, all metrics on held-out captions.
        plain: by scale, then prompt of `evaluation.report.PLAIN`, share of glyphs with
            the radical that it names.
        all_but_gold: by scale, the mean of these shares over all plain prompts other
            than "gold"; its interval is that of prompts drawn again.
        references: chance, ceiling and floor.
        words_alone: how far captions alone tell the radical.
    """

    config: ReportConfig
    metrics: dict[float, Metrics]
    plain: dict[float, dict[str, Estimate]]
    all_but_gold: dict[float, Estimate]
    references: References
    words_alone: WordsAlone

    @property
    def num_drawn(self) -> int:
        """Glyphs that were drawn for held-out captions, at each scale."""
        return self.config.num_captions * self.config.num_samples


def estimates(found: dict[str, dict]) -> dict[str, Estimate]:
    """Values with their intervals, by name, from how JSON keeps them."""
    return {name: Estimate(**one) for name, one in found.items()}


@dataclass(frozen=True)
class Way:
    """How well glyphs were drawn in one way.

    Attributes:
        metrics: all metrics on held-out captions.
        all_but_gold: mean share of glyphs with the radical that a plain prompt other
            than "gold" names; its interval is that of prompts drawn again.
    """

    metrics: Metrics
    all_but_gold: Estimate


@dataclass(frozen=True)
class StudentReport:
    """How a student was judged, with each number of calls, beside its teacher.

    Attributes:
        config: what was drawn; its one scale is the one that the student was taught.
        teacher: the teacher in as many steps as the config says, two calls each.
        student: by its number of calls.
        hurried: the teacher again, by as few steps, two calls each.
        references: chance, ceiling and floor.
    """

    config: ReportConfig
    teacher: Way
    student: dict[int, Way]
    hurried: dict[int, Way]
    references: References

    @property
    def num_drawn(self) -> int:
        """Glyphs that were drawn for held-out captions, in each way."""
        return self.config.num_captions * self.config.num_samples

    def verdicts(self, measure: str, *, is_hurried: bool = False) -> dict[int, str]:
        """How the student does beside its teacher, by its number of calls.

        Args:
            measure: a field of `Metrics` of which more is better, or "frechet" or
                "kernel", of which less is; or "all_but_gold".
            is_hurried: whether the teacher has no more calls than the student, so half
                as many steps; one call is too few for it, and is left out.

        Returns:
            "worse" or "better" where the two intervals lie apart, else "alike".

        Raises:
            ValueError: If there is no such measure.
        """
        found = {}
        for calls, way in self.student.items():
            if is_hurried and calls // 2 not in self.hurried:
                continue
            teacher = self.hurried[calls // 2] if is_hurried else self.teacher
            beside, own = value_of(teacher, measure), value_of(way, measure)
            is_apart = own.high < beside.low or own.low > beside.high
            is_less = own.value < beside.value
            is_worse = is_less != (measure in LESS_IS_BETTER)
            found[calls] = ("worse" if is_worse else "better") if is_apart else "alike"
        return found


def value_of(way: Way, measure: str) -> Estimate:
    """A measure of one way of drawing; a ValueError if there is no such measure."""
    if measure == "all_but_gold":
        return way.all_but_gold
    if measure not in Metrics._fields:
        known = ", ".join((*Metrics._fields, "all_but_gold"))
        raise ValueError(f"measure {measure!r} must be one of {known}")
    return getattr(way.metrics, measure)


def load_report(folder: Path | str = SHIPPED) -> Report:
    """Read the report that lies in the folder of a glyffuser.

    Args:
        folder: of the glyffuser.

    Raises:
        FileNotFoundError: If it was not judged.
        ValueError: If the report is damaged, or was cut off.
    """
    return load_record(Path(folder), "glyffuser", read_parts)


def load_student_report(folder: Path | str = SHIPPED_STUDENT) -> StudentReport:
    """Read the report that lies in the folder of a student.

    Args:
        folder: of the student.

    Raises:
        FileNotFoundError: If it was not judged.
        ValueError: If the report is damaged, or was cut off.
    """
    return load_record(Path(folder), "student", read_student_parts)


def load_record(folder: Path, what: str, read: Callable[[dict], Read]) -> Read:
    """What a report says, or how to get one; errors as those of `load_report`."""
    path, repair = folder / REPORT, f"judge the {what} with `glyflib evaluate`"
    if not path.is_file():
        raise FileNotFoundError(f"no report at {path}: {repair}")
    try:
        return read(json.loads(path.read_text("utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        text = f"{path} is damaged or not finished ({error}): {repair}"
        raise ValueError(text) from error


def read_references(parts: dict[str, dict]) -> tuple[References, WordsAlone]:
    """What numbers are to be held against."""
    references = dict(parts["references"])
    words_alone = estimates(references.pop("words_alone"))
    floor = estimates(references.pop("floor"))
    found = References(**estimates(references), floor=Likeness(**floor))
    return found, WordsAlone(**words_alone)


def read_parts(record: dict) -> Report:
    """The report in what its file holds; a KeyError names a part that is missing."""
    config, parts = ReportConfig(**record["settings"]), record["parts"]
    references, words_alone = read_references(parts)
    plain = {scale: estimates(parts[f"plain {scale:g}"]) for scale in config.scales}
    return Report(
        config=config,
        metrics={
            scale: Metrics(**estimates(parts[f"scale {scale:g}"]))
            for scale in config.scales
        },
        plain={
            scale: {prompt: found[prompt] for prompt in PLAIN}
            for scale, found in plain.items()
        },
        all_but_gold={scale: found[TOGETHER] for scale, found in plain.items()},
        references=references,
        words_alone=words_alone,
    )


def read_student_parts(record: dict) -> StudentReport:
    """The report in what its file holds; a KeyError names a part that is missing."""
    parts, counts = record["parts"], record["counts"]

    def way(name: str) -> Way:
        return Way(
            metrics=Metrics(**estimates(parts[name])),
            all_but_gold=Estimate(**parts[plain_name(name)][TOGETHER]),
        )

    return StudentReport(
        config=ReportConfig(**record["settings"]),
        teacher=way(TEACHER),
        student={calls: way(f"student {calls}") for calls in counts},
        hurried={calls: way(f"{TEACHER} {calls}") for calls in counts},
        references=read_references(parts)[0],
    )
