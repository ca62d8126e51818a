"""What `glyflib evaluate` found of a glyffuser, by name.

Invariant: names of parts, as report.json keeps them, are read here; a chapter sees the
tuples that `glyflib.evaluation.samples` made, at the scales that were judged.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from glyflib.evaluation.intervals import Estimate
from glyflib.evaluation.report import PLAIN, REPORT, TOGETHER, ReportConfig
from glyflib.evaluation.samples import Likeness, Metrics, References, WordsAlone
from glyflib.glyffuser import SHIPPED


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


def load_report(folder: Path | str = SHIPPED) -> Report:
    """Read the report that lies in the folder of a glyffuser.

    Args:
        folder: of the glyffuser.

    Raises:
        FileNotFoundError: If it was not judged.
        ValueError: If the report is damaged, or was cut off.
    """
    path = Path(folder) / REPORT
    repair = "judge the glyffuser with `glyflib evaluate`"
    if not path.is_file():
        raise FileNotFoundError(f"no report at {path}: {repair}")
    try:
        return read_parts(json.loads(path.read_text("utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        text = f"{path} is damaged or not finished ({error}): {repair}"
        raise ValueError(text) from error


def read_parts(record: dict) -> Report:
    """The report in what its file holds; a KeyError names a part that is missing."""
    config = ReportConfig(**record["settings"])
    parts, references = record["parts"], dict(record["parts"]["references"])
    words_alone = estimates(references.pop("words_alone"))
    floor = estimates(references.pop("floor"))
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
        references=References(**estimates(references), floor=Likeness(**floor)),
        words_alone=WordsAlone(**words_alone),
    )
