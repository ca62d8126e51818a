"""Judge a trained glyffuser: the table of its model card, made by one command.

Invariant: the report is written after each part, with what it was made of; a killed
run goes on with the first part that is missing, and never mixes two models.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from glyflib.data import Glyphs, evenly, x0_from_images
from glyflib.evaluation.intervals import share_interval
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.samples import evaluate_samples, reference_rows, words_alone
from glyflib.files import WEIGHTS, provenance, write_text
from glyflib.glyffuser import Glyffuser
from glyflib.runs import PROMPTS, glyphs_seen
from glyflib.text import TextEncoder, encode_captions

REPORT = "report.json"  # in the folder of the glyffuser that it judges
# Plain words and the radical that each names: the first word of one of `PROMPTS`.
PLAIN = {
    word: radical
    for word in (
        *("gold", "water", "fish", "tree", "grass", "insect"),
        *("bird", "horse", "silk", "hand", "speech"),
    )
    for prompt, radical in PROMPTS.items()
    if prompt.partition(";")[0] == word
}
TOGETHER = "all but gold"


@dataclass(frozen=True)
class ReportConfig:
    """What to draw; kept in the report.

    Attributes:
        scales: of the guidance.
        num_captions: held-out captions, evenly spaced among all.
        num_samples: glyphs a caption.
        num_plain: glyphs a plain prompt.
        num_steps: of the sampler, DPM-Solver++ 2M.
        seed: of all draws.
    """

    scales: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0)
    num_captions: int = 1000
    num_samples: int = 8
    num_plain: int = 100
    num_steps: int = 15
    seed: int = 0


@dataclass(frozen=True)
class Judge:
    """Who judges, what, and by which glyphs; nothing here is loaded by itself.

    Attributes:
        glyffuser: to be judged.
        classifier: reads radicals and describes glyphs.
        train: training glyphs whose radical is known.
        held_out: held-out glyphs whose radical is known.
        config: what to draw.
        progress: wraps the batches of glyphs drawn, as tqdm does.
    """

    glyffuser: Glyffuser
    classifier: RadicalClassifier
    train: Glyphs
    held_out: Glyphs
    config: ReportConfig
    progress: Callable[[Sequence], Iterable] = list

    def draw(self, prompts: Sequence[str], scale: float) -> Tensor:
        """One glyph a prompt, glyph i from the seed plus i.

        Args:
            prompts: B of them.
            scale: of the guidance.

        Returns:
            (B, 1, S, S) in [-1, 1].
        """
        with warnings.catch_warnings(action="ignore"):  # long captions are cut
            return self.glyffuser.sample(
                prompts,
                num_steps=self.config.num_steps,
                scale=scale,
                seed=self.config.seed,
                progress=self.progress,
            )

    def scale(self, scale: float) -> dict:
        """All metrics at one scale, on held-out captions.

        Args:
            scale: of the guidance.

        Returns:
            The fields of `Metrics`, each with the value and the ends of its interval.
        """
        config, held_out = self.config, self.held_out
        rows = evenly(min(config.num_captions, len(held_out)), len(held_out))
        rows = rows.repeat_interleave(config.num_samples)
        found = evaluate_samples(
            self.draw([held_out.captions[row] for row in rows.tolist()], scale),
            held_out.radicals[rows],
            rows,
            x0_from_images(held_out.images),
            x0_from_images(self.train.images),
            self.classifier,
            torch.Generator().manual_seed(config.seed),
        )
        return as_json(found)

    def plain(self, scale: float) -> dict:
        """How often each plain prompt is answered with the radical that it names.

        And how often the ten other than "gold" are, all counted together.

        Args:
            scale: of the guidance.

        Returns:
            For each prompt, and for all but "gold", the share and the ends of its
            interval.
        """
        num = self.config.num_plain
        prompts = [prompt for prompt in PLAIN for _ in range(num)]
        wanted = torch.tensor(list(PLAIN.values())).repeat_interleave(num)
        hits = self.classifier.read(self.draw(prompts, scale)).radicals == wanted
        parts = dict(zip(PLAIN, hits.split(num), strict=True))
        others = [parts[prompt] for prompt in PLAIN if prompt != "gold"]
        parts[TOGETHER] = torch.cat(others)
        return {name: share_interval(some)._asdict() for name, some in parts.items()}

    def references(self) -> dict:
        """Chance, ceiling and floor, and what the words alone can tell.

        Returns:
            The fields of `References`, and as "words_alone" those of `WordsAlone`.
        """
        config, train, held_out = self.config, self.train, self.held_out
        generator = torch.Generator().manual_seed(config.seed)
        rows = reference_rows(
            x0_from_images(held_out.images),
            held_out.radicals,
            x0_from_images(train.images),
            train.radicals,
            self.classifier,
            generator,
            num_samples=min(len(train), config.num_captions * config.num_samples),
        )
        words = words_alone(
            mean_tokens(self.glyffuser.encoder, train.captions),
            train.radicals,
            mean_tokens(self.glyffuser.encoder, held_out.captions),
            held_out.radicals,
            generator,
        )
        return as_json(rows) | {"words_alone": as_json(words)}

    def part(self, name: str) -> dict:
        """A part of the report by its name: "references", "scale 3", "plain 3".

        Args:
            name: of the part; after "scale" and "plain" comes the guidance scale.
        """
        kind, _, scale = name.partition(" ")
        if kind == "references":
            return self.references()
        return self.scale(float(scale)) if kind == "scale" else self.plain(float(scale))


def mean_tokens(encoder: TextEncoder, captions: Sequence[str]) -> Tensor:
    """Mean token (N, D) of each caption."""
    tokens, mask = encode_captions(encoder, captions)
    return tokens.float().sum(1) / mask.sum(1, keepdim=True)


def as_json(found: tuple) -> dict:
    """Named tuples within each other, as dictionaries."""
    return {
        name: as_json(value) if isinstance(value, tuple) else value
        for name, value in found._asdict().items()
    }


def build_report(
    model: Path | str,
    glyphs: Glyphs,
    out: Path | str,
    config: ReportConfig,
    *,
    progress: Callable[[Sequence], Iterable] = list,
) -> Iterator[tuple[str, dict]]:
    """Judge a glyffuser, part by part, and write each part as it is found.

    Args:
        model: folder of the glyffuser.
        glyphs: to judge it by, of both splits and of its size.
        out: JSON file; parts that it holds already, of this model and this
            configuration, are not done again.
        config: what to draw.
        progress: wraps the batches of glyphs drawn, as tqdm does.

    Yields:
        name and content of each part: "references", then for each scale
        "scale S" and "plain S".

    Raises:
        ValueError: If the file holds a report of another model or configuration.
        FileNotFoundError: If there is no such model.
    """
    glyffuser, known = Glyffuser.load(model), glyphs.take(glyphs.radicals > 0)
    judge = Judge(
        glyffuser=glyffuser,
        classifier=RadicalClassifier.load(),
        train=known.take(~known.is_test),
        held_out=known.take(known.is_test),
        config=config,
        progress=progress,
    )
    facts = {
        "model": sha256((Path(model) / WEIGHTS).read_bytes()).hexdigest(),
        "glyphs_seen": glyphs_seen(glyffuser),
        "settings": json.loads(json.dumps(asdict(config))),
    }
    report = read_report(Path(out), facts)
    names = [f"{kind} {s:g}" for s in config.scales for kind in ("scale", "plain")]
    for name in ("references", *names):
        if name not in report["parts"]:
            report["parts"][name] = judge.part(name)
            report |= provenance()
            write_text(Path(out), json.dumps(report, indent=1) + "\n")
        yield name, report["parts"][name]


def read_report(path: Path, facts: dict) -> dict:
    """The report in a file, or a new one.

    Raises:
        ValueError: If it is one of something else.
    """
    if not path.is_file():
        return facts | {"parts": {}}
    try:
        report = json.loads(path.read_text("utf-8"))
        same = all(report[name] == value for name, value in facts.items())
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no report: {error}") from error
    if not same:
        raise ValueError(
            f"{path} is of another model or with other settings: remove it, or write "
            "elsewhere"
        )
    return report
