"""The model card of a glyffuser, written from its own config.json and report.json.

Invariant: every number in the card is read from one of the two, or counted.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from glyflib.evaluation.report import PLAIN, REPORT, TOGETHER
from glyflib.files import write_text
from glyflib.glyffuser import Glyffuser

ROWS = {
    "hit_rate": "radical of the caption's character is drawn",
    "shuffled": "the same, captions dealt at random",
    "frechet": "Fréchet distance to held-out glyphs",
    "kernel": "kernel distance to held-out glyphs",
    "precision": "precision",
    "recall": "recall",
    "nearest_ratio": "nearest training glyph, ratio to held-out glyphs'",
    "copied": "nearer to a training glyph than 99 % of held-out ones",
}


def interval(row: Mapping[str, float], digits: int = 3) -> str:
    """A value with its interval, such as "0.455 (0.430 to 0.480)".

    Args:
        row: its "value", "low" and "high".
        digits: after the point.
    """
    value, low, high = (f"{row[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows as a table in Markdown.

    Args:
        head: text of each column's head.
        rows: text of each cell, as many in a row as there are heads.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def products_of(stage: dict) -> str:
    """The numbers that a stage multiplied, by its settings and its machine."""
    is_on_cpu = "CPU" in stage["machine"]
    is_bf16 = stage.get("cpu_bf16", False) if is_on_cpu else stage["bf16"]
    return "bfloat16" if is_bf16 else "float32"


def stage_table(stages: list[dict]) -> str:
    """What each stage of training did."""
    head = [
        "glyphs",
        "steps done",
        "of",
        "batch",
        "learning rate",
        "seed",
        "products in",
        "time",
        "on",
    ]
    rows = [
        [
            f"{stage['glyphs']:,}",
            f"{stage['steps_done']:,}",
            f"{stage['steps']:,}",
            str(stage["batch_size"]),
            f"{stage['learning_rate']:g}",
            str(stage["seed"]),
            products_of(stage),
            f"{stage['seconds'] / 60:.0f} min",
            f"{stage['machine']}, {stage['date']}",
        ]
        for stage in stages
    ]
    return table(head, rows)


def scale_table(parts: Mapping[str, dict], scales: list[float]) -> str:
    """Every metric at every scale."""
    found = [parts[f"scale {scale:g}"] for scale in scales]
    head = ["", *(f"scale {scale:g}" for scale in scales)]
    rows = [
        [text, *(interval(part[key]) for part in found)] for key, text in ROWS.items()
    ]
    plain = [parts[f"plain {scale:g}"] for scale in scales]
    for prompt in PLAIN:
        rows.append([f"“{prompt}”", *(interval(part[prompt]) for part in plain)])
    rows.append([TOGETHER, *(interval(part[TOGETHER]) for part in plain)])
    return table(head, rows)


def missed(parts: Mapping[str, dict], scales: list[float]) -> list[str]:
    """Plain prompts that bring their radical in fewer than half, at every scale."""
    plain = [parts[f"plain {scale:g}"] for scale in scales]
    return [
        prompt for prompt in PLAIN if max(part[prompt]["value"] for part in plain) < 0.5
    ]


def reference_table(found: Mapping[str, dict]) -> str:
    """What the numbers are to be held against."""
    words = found["words_alone"]
    rows = {
        "always the commonest radical": found["commonest"],
        "radicals as often as in training": found["by_chance"],
        "a classifier from the caption's mean token: likeliest": words["top1"],
        "the same, drawn from its probabilities": words["drawn"],
        "the real held-out glyphs": found["ceiling"],
        "Fréchet distance of training glyphs": found["floor"]["frechet"],
        "kernel distance of training glyphs": found["floor"]["kernel"],
    }
    return table(["", ""], [[text, interval(row)] for text, row in rows.items()])


def card_text(folder: Path, *, more: str = "") -> str:
    """The card of a glyffuser that `glyflib evaluate` has judged.

    Args:
        folder: of the glyffuser.
        more: Markdown to put before the limits.

    Raises:
        FileNotFoundError: If the glyffuser or its report.json is not there.
        ValueError: If the report is not complete.
    """
    glyffuser = Glyffuser.load(folder)
    report = json.loads((folder / REPORT).read_text("utf-8"))
    stages, settings = glyffuser.training["stages"], report["settings"]
    count = sum(value.numel() for value in glyffuser.unet.parameters())
    size, parts = glyffuser.size, report["parts"]
    try:
        scales = scale_table(parts, settings["scales"])
        references = reference_table(parts["references"])
        failed = ", ".join(f"“{one}”" for one in missed(parts, settings["scales"]))
    except KeyError as error:
        raise ValueError(f"{folder / REPORT} lacks {error}: finish it") from error
    return f"""# Model card: glyffuser, {size}×{size}

English words in, a Chinese-style glyph out. `glyflib.glyffuser.Glyffuser.load()` reads
this folder; `glyflib generate "gold"` draws with it.

- **Network.** A U-net with {count:,} parameters, kept in half precision;
  `{json.dumps(glyffuser.unet.config)}`.
  It reads the tokens of the text encoder `{glyffuser.text_encoder}`, which was not
  trained with it.
- **Trained** to predict {glyffuser.prediction}, on the
  {glyffuser.schedule["name"]} schedule of {glyffuser.schedule["num_levels"]:,} levels,
  on the training split of the book's glyphs, captions dropped in one sample of ten,
  by AdamW. These are averaged weights (EMA).
- **Seen:** {report["glyphs_seen"]:,} glyphs. Each stage starts from the averaged
  weights of the one before:

{stage_table(stages)}

## What it can do

Shares, distances and ratios with 95 % intervals (whole captions are drawn again; for
the plain prompts and for copies, Wilson's).
{settings["num_captions"]:,} held-out captions, {settings["num_samples"]} glyphs each;
{settings["num_plain"]} glyphs for each plain prompt; DPM-Solver++ 2M with
{settings["num_steps"]} steps, seed {settings["seed"]}. Radicals and features are those
of the radical classifier. The Fréchet distance depends on the number of glyphs: compare
within this card only.

{scales}

Prompts that bring their radical in fewer than half, at every scale: {failed or "none"}.

To be held against:

{references}

Made by `glyflib train` and `glyflib evaluate` ({report["machine"]}, {report["date"]});
`config.json` and `report.json` hold every setting, and this card is written from them.
{more}
## Limits

It draws pictures in the manner of printed characters. They are not characters, and mean
nothing to a reader of Chinese. Words that no caption uses are guessed at through the
text encoder. It has learnt definitions as Unihan gives them, with gaps and biases.
"""


def write_card(folder: Path, *, more: str = "") -> None:
    """Write README.md into a glyffuser's folder.

    Args:
        folder: of the glyffuser.
        more: Markdown to put before the limits.

    Raises:
        FileNotFoundError: If the glyffuser or its report.json is not there.
        ValueError: If the report is not complete.
    """
    text = card_text(folder, more=more)
    write_text(folder / "README.md", text)
