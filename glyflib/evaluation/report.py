"""Judge a trained glyffuser: the table of its model card, made by one command.

Invariant: the report is written after each part, with what it was made of; a killed
run goes on with the first part that is missing, and never mixes two models.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from glyflib.data import known_glyphs
from glyflib.evaluation.intervals import share_interval
from glyflib.evaluation.radicals import RadicalClassifier
from glyflib.evaluation.samples import evaluate_samples, reference_rows, words_alone
from glyflib.files import provenance, replace_file
from glyflib.glyffuser import Glyffuser
from glyflib.runs import glyphs_seen
from glyflib.text import TextEncoder, encode_captions

REPORT = "report.json"  # in the folder of the glyffuser that it judges
# Plain prompts and the radical that each names.
PLAIN = {
    "gold": 167,
    "water": 85,
    "fish": 195,
    "tree": 75,
    "grass": 140,
    "insect": 142,
    "bird": 196,
    "horse": 187,
    "silk": 120,
    "hand": 64,
    "speech": 149,
}
TOGETHER = "all but gold"
CHUNK = 64  # glyphs drawn at once


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


def draw(
    glyffuser: Glyffuser,
    prompts: Sequence[str],
    scale: float,
    config: ReportConfig,
    progress: Callable[[Sequence], Sequence],
) -> Tensor:
    """One glyph (B, 1, S, S) a prompt, glyph i from the seed plus i."""
    chunks = [prompts[i : i + CHUNK] for i in range(0, len(prompts), CHUNK)]
    found, seed = [], config.seed
    for chunk in progress(chunks):
        options = {"num_steps": config.num_steps, "scale": scale, "seed": seed}
        with warnings.catch_warnings(action="ignore"):  # long captions are cut
            found.append(glyffuser.sample(chunk, **options))
        seed += len(chunk)
    return torch.cat(found)


def judge_scale(
    glyffuser: Glyffuser,
    classifier: RadicalClassifier,
    scale: float,
    config: ReportConfig,
    progress: Callable[[Sequence], Sequence],
) -> dict:
    """All metrics at one scale, on held-out captions."""
    real, radicals, captions = known_glyphs("test", glyffuser.size)
    train, _, _ = known_glyphs("train", glyffuser.size)
    count = min(config.num_captions, len(captions))
    rows = torch.linspace(0, len(captions) - 1, count).round().long()
    rows = rows.repeat_interleave(config.num_samples)
    samples = draw(
        glyffuser, [captions[row] for row in rows.tolist()], scale, config, progress
    )
    generator = torch.Generator().manual_seed(config.seed)
    found = evaluate_samples(
        samples, radicals[rows], rows, real, train, classifier, generator
    )
    return as_json(found)


def judge_plain(
    glyffuser: Glyffuser,
    classifier: RadicalClassifier,
    scale: float,
    config: ReportConfig,
    progress: Callable[[Sequence], Sequence],
) -> dict:
    """How often each plain prompt is answered with the radical that it names.

    And how often the ten other than "gold" are, all counted together.
    """
    prompts = [prompt for prompt in PLAIN for _ in range(config.num_plain)]
    radicals = torch.tensor([PLAIN[prompt] for prompt in prompts])
    samples = draw(glyffuser, prompts, scale, config, progress)
    hits = classifier.read(samples).radicals == radicals
    parts = dict(zip(PLAIN, hits.split(config.num_plain), strict=True))
    parts[TOGETHER] = torch.cat([parts[prompt] for prompt in PLAIN if prompt != "gold"])
    return {name: share_interval(some)._asdict() for name, some in parts.items()}


def judge_references(
    encoder: TextEncoder, classifier: RadicalClassifier, size: int, config: ReportConfig
) -> dict:
    """Chance, ceiling and floor, and what the words alone can tell."""
    real, real_radicals, real_captions = known_glyphs("test", size)
    train, radicals, captions = known_glyphs("train", size)
    generator = torch.Generator().manual_seed(config.seed)
    rows = reference_rows(
        real,
        real_radicals,
        train,
        radicals,
        classifier,
        generator,
        num_samples=min(len(train), config.num_captions * config.num_samples),
    )
    means = [mean_tokens(encoder, some) for some in (captions, real_captions)]
    words = words_alone(means[0], radicals, means[1], real_radicals, generator)
    return as_json(rows) | {"words_alone": as_json(words)}


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
    out: Path | str,
    config: ReportConfig,
    *,
    progress: Callable[[Sequence], Sequence] = lambda chunks: chunks,
) -> Iterator[tuple[str, dict]]:
    """Judge a glyffuser, part by part, and write each part as it is found.

    Args:
        model: folder of the glyffuser.
        out: JSON file; parts that it holds already, of this model and this
            configuration, are not done again.
        config: what to draw.
        progress: wraps chunks of 64 glyphs, as tqdm does.

    Yields:
        name and content of each part: "references", then for each scale
        "scale S" and "plain S".

    Raises:
        ValueError: If the file holds a report of another model or configuration.
        FileNotFoundError: If there is no such model.
    """
    glyffuser, classifier = Glyffuser.load(model), RadicalClassifier.load()
    weights = (Path(model) / "model.safetensors").read_bytes()
    facts = {
        "model": sha256(weights).hexdigest(),
        "glyphs_seen": glyphs_seen(glyffuser),
        "settings": json.loads(json.dumps(config.__dict__)),
    }
    report = read_report(Path(out), facts)

    def judge(name: str) -> dict:
        kind, _, scale = name.partition(" ")
        if kind == "references":
            return judge_references(
                glyffuser.encoder, classifier, glyffuser.size, config
            )
        part = judge_scale if kind == "scale" else judge_plain
        return part(glyffuser, classifier, float(scale), config, progress)

    names = [f"{kind} {s:g}" for s in config.scales for kind in ("scale", "plain")]
    for name in ("references", *names):
        if name not in report["parts"]:
            report["parts"][name] = judge(name)
            report |= provenance()
            text = json.dumps(report, indent=1) + "\n"
            replace_file(Path(out), lambda path, text=text: path.write_text(text))
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
