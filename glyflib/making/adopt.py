"""Take a stage of training into a glyffuser's folder: weights, log and snapshots.

Invariant: steps, seconds and glyphs go on across stages as if it were one run; the log
is as long as the stages that config.json tells of.
"""

from hashlib import sha256
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from glyflib.evaluation.report import REPORT
from glyflib.files import replace_file, write_bytes, write_text
from glyflib.glyffuser import Glyffuser
from glyflib.run_log import (
    HELD_OUT_FIELDS,
    HELD_OUT_LOG,
    read_held_out,
    read_log,
    write_log,
    write_rows,
)
from glyflib.runs import LOG, SNAPSHOTS

SUMS = "SHA256SUMS"
Rows = list[dict[str, float]]


def join_logs(first: Rows, second: Rows) -> Rows:
    """Rows of two stages; steps and seconds of the second go on from the first's.

    Raises:
        ValueError: If the glyphs seen do not go on.
    """
    if not first:
        return second
    last = first[-1]
    if second and second[0]["glyphs"] <= last["glyphs"]:
        raise ValueError(
            f"the second stage starts at {second[0]['glyphs']} glyphs, the first ends "
            f"at {last['glyphs']}: was it trained with --init?"
        )
    moved = [
        row
        | {
            "step": row["step"] + last["step"],
            "seconds": round(row["seconds"] + last["seconds"], 2),
        }
        for row in second
    ]
    return [*first, *moved]


def join_snapshots(
    first: dict[str, Tensor], second: dict[str, Tensor], num_steps: int
) -> dict[str, Tensor]:
    """Snapshots of two stages; steps of the second go on from `num_steps`."""
    moved = second | {"step": second["step"] + num_steps}
    if not first:
        return moved
    return {name: torch.cat([first[name], moved[name]]) for name in first}


def join_held_out(folder: Path, run: Path, last: int, num_steps: int) -> Rows:
    """Held-out losses of a glyffuser's folder, and behind them those of a run.

    Args:
        folder: of the glyffuser that the run went on from.
        run: its folder.
        last: step of the run's model; what was measured later is left out.
        num_steps: taken before the run.
    """
    before, after = (
        read_held_out(path) if path.is_file() else []
        for path in (folder / HELD_OUT_LOG, run / HELD_OUT_LOG)
    )
    moved = [
        row | {"step": row["step"] + int(num_steps)}
        for row in after
        if row["step"] <= last
    ]
    known = {row["step"] for row in before}
    return [*before, *(row for row in moved if row["step"] not in known)]


def adopt(run: Path, folder: Path) -> int:
    """Put a run's model, and its logs and snapshots behind the ones there.

    A log of held-out losses, which older runs lack, is taken where there is one. Rows
    of the logs after the last checkpoint, which the model has not seen, are left out.
    The report there, of the weights before, is removed; `glyflib evaluate` writes it
    and the model card anew.

    Args:
        run: folder of `glyflib train --init FOLDER`, finished or interrupted.
        folder: of the glyffuser that it went on from.

    Returns:
        glyphs seen in all.

    Raises:
        FileNotFoundError: If a file of either is missing.
        ValueError: If the run does not go on from what is there.
    """
    after, before = Glyffuser.load(run / "model"), Glyffuser.load(folder)
    *earlier, stage = after.training["stages"]
    if earlier != before.training["stages"]:
        raise ValueError(f"{run} does not go on from {folder}: its stages differ")
    start = read_log(folder / LOG)
    rows = [row for row in read_log(run / LOG) if row["step"] <= stage["steps_done"]]
    found = safetensors.torch.load_file(run / SNAPSHOTS)
    kept = found["step"] <= stage["steps_done"]
    snapshots = join_snapshots(
        safetensors.torch.load_file(folder / SNAPSHOTS),
        {name: value[kept] for name, value in found.items()},
        int(start[-1]["step"]),
    )
    joined = join_logs(start, rows)
    measured = join_held_out(folder, run, stage["steps_done"], start[-1]["step"])
    (folder / REPORT).unlink(missing_ok=True)
    after.save(folder)
    replace_file(folder / LOG, lambda path: write_log(path, joined))
    data = safetensors.torch.save(snapshots)
    write_bytes(folder / SNAPSHOTS, data)
    if measured:
        replace_file(
            folder / HELD_OUT_LOG,
            lambda path: write_rows(path, HELD_OUT_FIELDS, measured),
        )
    return int(joined[-1]["glyphs"])


def write_sums(folder: Path) -> int:
    """Write the sha256 of each file but cards into SHA256SUMS, and count them."""
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (SUMS, "README.md")
    )
    sums = [sha256(path.read_bytes()).hexdigest() for path in paths]
    names = [path.relative_to(folder).as_posix() for path in paths]
    lines = [f"{digest}  {name}\n" for digest, name in zip(sums, names, strict=True)]
    text = "".join(lines)
    write_text(folder / SUMS, text)
    return len(paths)
