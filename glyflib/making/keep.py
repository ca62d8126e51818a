"""Keep a glyffuser's diary and curves under a name of their own, before new weights.

Invariant: what is kept is copied byte by byte, and all of it tells of one set of
weights; kept.json names these and the sha256 of each file.
"""

import json
from hashlib import sha256
from pathlib import Path

from glyflib.evaluation.report import REPORT
from glyflib.files import CONFIG, provenance, read_config, write_bytes, write_text
from glyflib.glyffuser import KEYS, OPTIONAL, TRAIN
from glyflib.run_log import LOG, SNAPSHOTS

KEPT = "kept.json"
STUDIES = ("training", "words")  # that tell of learning captions by heart
OF_MODEL = (CONFIG, LOG, SNAPSHOTS, REPORT)


def keep_edition(model: Path, results: Path, out: Path) -> list[str]:
    """Copy what a glyffuser's weights left: diary, report, studies; not the weights.

    Args:
        model: folder of the glyffuser.
        results: folder of the studies' files, made with the same weights.
        out: folder to write.

    Returns:
        names of the files that were copied.

    Raises:
        FileNotFoundError: If a file is missing.
        FileExistsError: If the diary of other weights is kept there.
        ValueError: If a study was made with other weights.
    """
    config = read_config(model, KEYS, "glyffuser", TRAIN, optional=OPTIONAL)
    weights = config["sha256"]
    if (out / KEPT).is_file():
        before = json.loads((out / KEPT).read_text("utf-8"))["weights"]
        if before != weights:
            raise FileExistsError(
                f"{out} keeps the diary of weights {before[:12]}…, those of {model} "
                f"are {weights[:12]}…: write elsewhere with --out"
            )
    sources = {name: model / name for name in OF_MODEL}
    for study in STUDIES:
        record = json.loads((results / f"{study}.json").read_text("utf-8"))
        if record["facts"]["model"] != weights:
            raise ValueError(
                f"{results / study}.json was made with other weights than those in "
                f"{model}: run `glyflib data results {study} --anew` first"
            )
        names = f"{study}.json", f"{study}.safetensors"
        sources |= {name: results / name for name in names}
    data = {name: path.read_bytes() for name, path in sources.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, content in data.items():
        write_bytes(out / name, content)
    sums = {name: sha256(content).hexdigest() for name, content in data.items()}
    record = {"weights": weights, "files": sums, **provenance()}
    write_text(out / "README.md", card(record))
    write_text(out / KEPT, json.dumps(record, indent=1) + "\n")
    return list(data)


def card(record: dict) -> str:
    """What the folder holds, for its reader."""
    return f"""\
# The first edition's diary

Log, samples and losses by level of the glyffuser whose weights had the sha256
`{record["weights"]}`. It learnt its captions by heart, and chapters teach overfitting
from it; the weights themselves are not kept. Copied on {record["date"]} by
`glyflib data keep`; `kept.json` holds the sha256 of each file.

| file | what |
|---|---|
| `config.json` | network, schedule, and the stages of training |
| `log.csv` | loss, learning rate and norm of the gradient, a row a step |
| `snapshots.safetensors` | samples and held-out losses at a few steps |
| `report.json` | what `glyflib evaluate` found |
| `training.json`, `.safetensors` | losses by level with captions and without |
| `words.json`, `.safetensors` | glyphs drawn for words, some of them empty |

`glyflib.lessons.results.first_edition()` reads them.
"""
