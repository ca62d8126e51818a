"""The model card of a glyffuser or a student, from its own config.json and report.json.

Invariant: every number in the card is read from one of the two, or counted.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from glyflib.data import BOOK
from glyflib.evaluation.report import PLAIN, REPORT, TEACHER, TOGETHER, plain_name
from glyflib.files import write_text
from glyflib.glyffuser import Glyffuser
from glyflib.student import Student, is_student

LIMITS = """\
It draws pictures in the manner of printed characters. They are not characters, and mean
nothing to a reader of Chinese. Words that no caption uses are guessed at through the
text encoder. It has learnt definitions as Unihan gives them, with gaps and biases.
"""
OWN_LIMITS = """\
It draws pictures in the manner of the glyphs that it was trained on. Words that no
caption uses are guessed at through the text encoder. What the captions lack or get
wrong, it lacks or gets wrong.
"""
ROWS = {  # a card has those that its report has
    "caption_hit": "most like the real glyph of its own caption",
    "caption_shuffled": "the same, captions dealt at random",
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


def told_of(stage: dict) -> str:
    """What a stage told the network of a glyph, by its settings."""
    told = ["whole captions"]
    told += ["some of their senses"] if stage.get("subsets") else []
    told += ["single words"] if stage.get("words") else []
    bare = "" if stage.get("part_weight", 1.0) else "; no bare parts"
    return ", ".join(told) + bare


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
        "told",
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
            told_of(stage),
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
        [text, *(interval(part[key]) for part in found)]
        for key, text in ROWS.items()
        if all(key in part for part in found)
    ]
    plain = plain_parts(parts, scales)
    for prompt in (*PLAIN, TOGETHER) if plain else ():
        name = prompt if prompt == TOGETHER else f"“{prompt}”"
        rows.append([name, *(interval(part[prompt]) for part in plain)])
    return table(head, rows)


def plain_parts(parts: Mapping[str, dict], scales: list[float]) -> list[dict]:
    """What plain prompts brought at each scale; nothing where none were asked."""
    if not any(name.startswith("plain") for name in parts):
        return []
    return [parts[f"plain {scale:g}"] for scale in scales]


def missed(parts: Mapping[str, dict], scales: list[float]) -> list[str]:
    """Plain prompts that bring their radical in fewer than half, at every scale."""
    plain = [parts[f"plain {scale:g}"] for scale in scales]
    return [
        prompt for prompt in PLAIN if max(part[prompt]["value"] for part in plain) < 0.5
    ]


def failed_prompts(parts: Mapping[str, dict], scales: list[float]) -> str:
    """A sentence on the plain prompts that fail; nothing where none were asked."""
    if not plain_parts(parts, scales):
        return ""
    failed = ", ".join(f"“{one}”" for one in missed(parts, scales)) or "none"
    told = "Prompts that bring their radical in fewer than half, at every scale"
    return f"\n{told}: {failed}.\n"


def reference_table(found: Mapping[str, dict]) -> str:
    """What the numbers are to be held against."""
    words, floor = found.get("words_alone", {}), found.get("floor", {})
    rows = {
        "always the commonest radical": found.get("commonest"),
        "radicals as often as in training": found.get("by_chance"),
        "a classifier from the caption's mean token: likeliest": words.get("top1"),
        "the same, drawn from its probabilities": words.get("drawn"),
        "the real held-out glyphs": found.get("ceiling"),
        "a real glyph taken at random": found.get("caption_by_chance"),
        "Fréchet distance of training glyphs": floor.get("frechet"),
        "kernel distance of training glyphs": floor.get("kernel"),
    }
    told = [[text, interval(row)] for text, row in rows.items() if row is not None]
    return table(["", ""], told)


def trained_on(stages: list[dict]) -> str:
    """Whose glyphs the stages of training have seen, each with its file's sha256."""
    told = {}
    for stage in stages:  # those of the first edition knew the book's glyphs only
        name = stage.get("data", BOOK)
        told[name] = f" (sha256 `{stage['data_sha256']}`)" if name != BOOK else ""
    names = [
        f"{name}{sha256}" if name == BOOK else f"`{name}`{sha256}"
        for name, sha256 in (told or {BOOK: ""}).items()
    ]
    return " and then ".join(names)


def judged_on(glyphs: dict) -> str:
    """Which glyphs judge, and what they cannot tell."""
    name = glyphs["name"] if glyphs["name"] == BOOK else f"`{glyphs['name']}`"
    told = (
        f"Judged by {name}\n(sha256 `{glyphs['sha256']}`):\n{glyphs['train']:,} "
        f"training and {glyphs['held_out']:,} held-out glyphs."
    )
    if glyphs["asked"] == "training captions":
        told += (
            "\nThe captions that are drawn were trained on: a glyffuser that only "
            "copies does well here."
        )
    left_out = [f"{what} ({why})" for what, why in glyphs["left_out"].items()]
    return told + (f"\nNot measured: {'; '.join(left_out)}." if left_out else "")


def card_text(folder: Path, *, more: str = "") -> str:
    """The card of a glyffuser that `glyflib evaluate` has judged, or of a student.

    Args:
        folder: of the glyffuser, or of a student, judged or not.
        more: Markdown to put before the limits.

    Raises:
        FileNotFoundError: If the glyffuser or its report.json is not there.
        ValueError: If the report is not complete.
    """
    if is_student(folder):
        return student_card(folder, more)
    glyffuser = Glyffuser.load(folder)
    report = json.loads((folder / REPORT).read_text("utf-8"))
    stages, settings = glyffuser.training["stages"], report["settings"]
    count = sum(value.numel() for value in glyffuser.unet.parameters())
    size, parts = glyffuser.picture_size, report["parts"]
    try:
        scales = scale_table(parts, settings["scales"])
        references = reference_table(parts["references"])
        judged = judged_on(report["glyphs"])
        failed = failed_prompts(parts, settings["scales"])
    except KeyError as error:
        raise ValueError(f"{folder / REPORT} lacks {error}: finish it") from error
    glyphs = report["glyphs"]
    asked, num = glyphs["asked"], settings["num_plain"]
    most = glyphs["train" if asked == "training captions" else "held_out"]
    num_asked = min(settings["num_captions"], most)
    is_plain = bool(plain_parts(parts, settings["scales"]))
    plain = f"{num} glyphs for each plain prompt; " if is_plain else ""
    precision = ", products in bfloat16" if settings.get("cpu_bf16") else ""
    is_books = glyphs["name"] == BOOK
    kind, limits = (
        ("Chinese-style glyph", LIMITS) if is_books else ("glyph", OWN_LIMITS)
    )
    return f"""# Model card: glyffuser, {size}×{size}

English words in, a {kind} out. `glyflib.glyffuser.Glyffuser.load()` reads
this folder; `glyflib generate "gold"` draws with it.

- **Network.** A U-net with {count:,} parameters, kept in half precision;
  `{json.dumps(glyffuser.unet.config)}`.
  It reads the tokens of the text encoder `{glyffuser.text_encoder}`, which was not
  trained with it.
- **Trained** to predict {glyffuser.prediction}, on the
  {glyffuser.schedule["name"]} schedule of {glyffuser.schedule["num_levels"]:,} levels,
  on the training split of {trained_on(stages)}, captions dropped in one sample of ten,
  by AdamW. These are averaged weights (EMA).
- **Seen:** {report["glyphs_seen"]:,} glyphs. Each stage starts from the averaged
  weights of the one before:

{stage_table(stages)}

## What it can do

Shares, distances and ratios with 95 % intervals. Whole captions are drawn again, and
for plain prompts together whole prompts; for each plain prompt and for copies, the
interval is Wilson's.
{judged}
{num_asked:,} {asked}, {settings["num_samples"]} glyphs each;
{plain}DPM-Solver++ 2M with
{settings["num_steps"]} steps, seed {settings["seed"]}{precision}. Radicals and features
are those of the radical classifier. The Fréchet distance depends on the number of
glyphs: compare within this card only.

{scales}
{failed}
To be held against:

{references}

Made by `glyflib train` and `glyflib evaluate` ({report["machine"]}, {report["date"]});
`config.json` and `report.json` hold every setting, and this card is written from them.
{more}
## Limits

{limits}"""


STUDENT_ROWS = {  # of a student's card, those of `ROWS` that tell most
    "caption_hit": "own caption",
    "hit_rate": "radical",
    "frechet": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
}


def ways_of(report: dict) -> dict[str, str]:
    """What the ways of drawing in a student's report are called, by their parts."""
    num, counts = report["settings"]["num_steps"], report["counts"]
    told = {TEACHER: f"the glyffuser, {num} steps"}
    for calls in counts:
        told[f"student {calls}"] = f"the student, {calls} call{'s' * (calls > 1)}"
        told[f"{TEACHER} {calls}"] = f"the glyffuser, {calls} step{'s' * (calls > 1)}"
    return told


def way_table(report: dict) -> str:
    """How a student draws with each number of calls, beside its teacher."""
    parts, ways = report["parts"], ways_of(report)
    keys = [key for key in STUDENT_ROWS if all(key in parts[way] for way in ways)]
    plain = any(name.startswith("plain") for name in parts)
    head = ["", *(STUDENT_ROWS[key] for key in keys), *["plain words"] * plain]
    rows = []
    for way, text in ways.items():
        cells = [interval(parts[way][key]) for key in keys]
        if plain:
            cells.append(interval(parts[plain_name(way)][TOGETHER]))
        rows.append([text, *cells])
    return table(head, rows)


def judged_student(folder: Path, student: Student) -> str:
    """What `glyflib evaluate` has found of a student; nothing if it was not asked."""
    path = folder / REPORT
    if not path.is_file():
        return ""
    report = json.loads(path.read_text("utf-8"))
    try:
        found, references = way_table(report), report["parts"]["references"]
        settings, glyphs = report["settings"], report["glyphs"]
        judged = judged_on(glyphs)
        most = glyphs["train" if glyphs["asked"] == "training captions" else "held_out"]
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}: finish it") from error
    num_asked = min(settings["num_captions"], most)
    return f"""
## What it can do

Beside it the glyffuser, at scale {student.scale:g} by DPM-Solver++ 2M, with as many
steps as it is judged with and with as few as the student has calls; each of its steps
takes two calls. All draw from the same noises. Shares and distances have 95 %
intervals, for which whole captions are drawn again and, for plain words (all but
“gold”), whole prompts.
{judged}
{num_asked:,} {glyphs["asked"]}, {settings["num_samples"]} glyphs each, seed
{settings["seed"]}. Radicals and features are those of the radical classifier. The
Fréchet distance depends on the number of glyphs: compare within this card only.

{found}

To be held against:

{reference_table(references)}

Made by `glyflib evaluate` ({report["machine"]}, {report["date"]}), from `report.json`.
"""


def distance_table(report: Mapping[str, dict], counts: tuple[int, ...]) -> str:
    """How far a student's pictures and its hurried teacher's lie from the teacher's."""
    rows = []
    for calls in counts:
        pair = (report[f"{who} {calls}"] for who in ("student", "teacher"))
        rows.append([str(calls), *map(interval, pair)])
    return table(["calls or steps", "the student", "the glyffuser"], rows)


def taught_by(told: dict) -> str:
    """How a student was taught, as its config.json tells; nothing if it does not."""
    if "phases" not in told:
        return ""
    phases = ", ".join(
        f"{steps:,} for {calls}" for calls, steps in told["phases"].items()
    )
    return f"""
- **Taught** by progressive distillation: one jump learns to land where two of a
  teacher's do. Steps for each number of calls: {phases}, always together with the
  larger numbers before. {told["batch_size"]} glyphs a step, learning rate
  {told["learning_rate"]:g} at the peak of each phase, AdamW, seed {told["seed"]},
  {told["seconds"] / 60:.0f} minutes on {told["machine"]}, {told["threads"]} thread(s),
  {told["date"]}. The glyphs are the training split of {told["data"]}. These are
  averaged weights (EMA)."""


def distances_told(told: dict, counts: tuple[int, ...]) -> str:
    """How near a student is to its teacher; nothing if that was not measured."""
    report = told.get("report")
    if report is None:
        return ""
    return f"""
## How near it is to its teacher

How far its pictures lie from the glyffuser's, drawn from the same noise in
{2 * counts[0]} guided steps: root mean square over the pixels, from -1 (ink) to
+1 (paper), mean over {report["captions"]} held-out captions
with 95 % intervals. Beside it the glyffuser itself in as many DDIM steps, of two calls
each.

{distance_table(report, counts)}

Made by `glyflib data student`; `config.json` holds every setting, `log.csv` the loss.
"""


def student_card(folder: Path, more: str = "") -> str:
    """The card of a student, from its config.json and, once judged, its report.json.

    Args:
        folder: of the student.
        more: Markdown to put before the limits.

    Raises:
        FileNotFoundError: If the student is not there.
        ValueError: If its report is not complete.
    """
    student = Student.load(folder)
    told, size = student.training, student.size
    count = sum(value.numel() for value in student.net.parameters())
    counts = ", ".join(map(str, student.counts))
    return f"""# Model card: student, a glyph in few calls, {size}×{size}

It draws what the glyffuser draws at guidance scale {student.scale:g}, in as many calls
of its network as are asked for: {counts}. `glyflib.student.Student.load()` reads this
folder; `glyflib generate "gold" --calls {student.counts[-1]}` draws with it.

- **Network.** The glyffuser's U-net and one layer that tells it how many levels a call
  strides: {count:,} parameters, kept in half precision. The guidance is folded in, so a
  call is one call, not two.{taught_by(told)}
{judged_student(folder, student)}{distances_told(told, student.counts)}{more}
## Limits

It knows no other scale, no negative prompt and no other number of calls. What the
glyffuser cannot draw, it cannot either.
"""


def write_card(folder: Path, *, more: str = "") -> None:
    """Write README.md into the folder of a glyffuser or a student.

    Args:
        folder: of either.
        more: Markdown to put before the limits.

    Raises:
        FileNotFoundError: If the glyffuser or its report.json is not there.
        ValueError: If the report is not complete.
    """
    text = card_text(folder, more=more)
    write_text(folder / "README.md", text)
