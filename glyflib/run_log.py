"""What a training run leaves on the way: loss logs, in training and not, and snapshots.

Invariant: all can be reopened at a checkpoint; what came after it is forgotten, as
the steps are taken anew.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import safetensors.torch
import torch
from torch import Tensor

from glyflib.files import replace_file, write_bytes
from glyflib.training import TrainStep

LOG, SNAPSHOTS = "log.csv", "snapshots.safetensors"  # names of the files
HELD_OUT_LOG = "held_out.csv"
FIELDS = ("step", "glyphs", "seconds", "loss", "learning_rate", "grad_norm")
HELD_OUT_FIELDS = ("step", "glyphs", "level", "captions", "no_captions")
COUNTS = ("step", "glyphs", "level")  # fields that are whole numbers


class Log:
    """A CSV file with one row a step; reopened, it forgets what came after a step.

    The columns are step, glyphs (seen so far), seconds (of training so far), loss,
    learning_rate and grad_norm.

    Args:
        path: the file; its folder is made where it is missing.
        step: last row to keep; 0 for a new file.
        glyphs: seen before the first row of a new file.

    Raises:
        FileNotFoundError: If step is above 0 and there is no file.
        ValueError: If the file is no loss log.
    """

    def __init__(self, path: Path, *, step: int, glyphs: int):
        """Keep the rows up to `step`, counting glyphs from `glyphs` in a new file."""
        rows = read_log(path) if step else []
        rows = [row for row in rows if row["step"] <= step]
        self.seconds = rows[-1]["seconds"] if rows else 0.0
        self.glyphs = rows[-1]["glyphs"] if rows else glyphs
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda temporary: write_log(temporary, rows))
        self.file = path.open("a", encoding="utf-8", newline="")
        self.writer, self.last = csv.writer(self.file), perf_counter()

    def add(self, step: TrainStep, batch_size: int) -> None:
        """Write one row, at once.

        Args:
            step: what training yielded.
            batch_size: glyphs in it, over all processes.
        """
        now = perf_counter()
        self.seconds, self.last = self.seconds + now - self.last, now
        self.glyphs += batch_size
        row = (step.step, self.glyphs, f"{self.seconds:.2f}", f"{step.loss:.6f}")
        self.writer.writerow(
            (*row, f"{step.learning_rate:.3e}", f"{step.grad_norm:.4f}")
        )
        self.file.flush()


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a loss log, step by step; a row that was cut off is left out.

    Args:
        path: CSV file written by `Log`.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not one.
    """
    return read_rows(path, FIELDS, "loss log")


def read_rows(path: Path, fields: Sequence[str], what: str) -> list[dict[str, float]]:
    """Rows of a table of numbers; a row that was cut off is left out.

    Args:
        path: CSV file.
        fields: names of its columns.
        what: it is, for messages.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its columns are others.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(fields):
            raise ValueError(f"{path} is no {what}: {reader.fieldnames}")
        whole = [row for row in reader if all(row.get(name) for name in fields)]
    return [
        {k: int(v) if k in COUNTS else float(v) for k, v in row.items()}
        for row in whole
    ]


def write_log(path: Path, rows: Sequence[dict[str, float]]) -> None:
    """Write rows of a loss log.

    Args:
        path: CSV file, written anew.
        rows: as `read_log` gives them.
    """
    write_rows(path, FIELDS, rows)


def write_rows(
    path: Path, fields: Sequence[str], rows: Sequence[dict[str, float]]
) -> None:
    """Write a table of numbers, as `read_rows` reads it."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)


class HeldOutLog:
    """A CSV file of squared errors in v on held-out glyphs, a row a level.

    The columns are step, glyphs (seen so far), level, captions and no_captions: the
    error with each glyph's own caption, and with none. Reopened, it forgets what came
    after a step.

    Args:
        path: the file; it is written anew at each measurement, in one move.
        step: last step to keep of a file that is there; 0 for a new one.

    Raises:
        ValueError: If the file is of another kind.
    """

    def __init__(self, path: Path, step: int):
        """Take over what was measured up to `step`; an older run may have nothing."""
        self.path, self.rows = path, []
        if step and path.is_file():
            rows = read_held_out(path)
            self.rows = [row for row in rows if row["step"] <= step]

    def add(
        self, step: int, glyphs: int, errors: dict[int, tuple[float, float]]
    ) -> None:
        """Keep one more measurement, unless this step is there.

        Args:
            step: number of updates so far.
            glyphs: seen so far.
            errors: with captions and without, by level.
        """
        if self.rows and self.rows[-1]["step"] >= step:
            return
        for level, (told, untold) in errors.items():
            numbers = step, glyphs, level, round(told, 6), round(untold, 6)
            self.rows.append(dict(zip(HELD_OUT_FIELDS, numbers, strict=True)))
        replace_file(
            self.path, lambda path: write_rows(path, HELD_OUT_FIELDS, self.rows)
        )

    def losses(self) -> dict[int, float]:
        """The error with captions by step, a mean over levels."""
        found: dict[int, list[float]] = {}
        for row in self.rows:
            found.setdefault(int(row["step"]), []).append(row["captions"])
        return {step: sum(errors) / len(errors) for step, errors in found.items()}


def read_held_out(path: Path) -> list[dict[str, float]]:
    """Rows of a log of held-out losses; errors as those of `read_log`.

    Args:
        path: CSV file written by `HeldOutLog`.
    """
    return read_rows(path, HELD_OUT_FIELDS, "log of held-out losses")


def has_stopped_falling(losses: dict[int, float], patience: int) -> bool:
    """Whether the lowest loss was measured at least so many measurements ago.

    Args:
        losses: by step, in order.
        patience: measurements in a row that may come without a new lowest one.
    """
    values = list(losses.values())
    return bool(values) and len(values) - 1 - values.index(min(values)) >= patience


class Snapshots:
    """A file of samples and losses at a few steps, written anew at each.

    Args:
        path: safetensors file; K snapshots are the rows of each tensor in it.
        step: last step to keep of a file that is there; 0 for a new one.
    """

    def __init__(self, path: Path, step: int):
        """Take over what was kept up to `step`."""
        self.path, self.kept = path, {}
        if step and path.is_file():
            found = safetensors.torch.load_file(path)
            rows = found["step"] <= step
            self.kept = {name: values[rows] for name, values in found.items()}

    def add(self, step: int, glyphs: int, found: dict[str, Tensor]) -> None:
        """Keep one more, unless this step is there.

        Args:
            step: number of updates so far.
            glyphs: seen so far.
            found: tensors by name, as `take_snapshot` gives them; gets step and glyphs.
        """
        if self.kept and step in self.kept["step"].tolist():
            return
        found |= {"step": torch.tensor(step), "glyphs": torch.tensor(glyphs)}
        for name, value in found.items():
            before = self.kept.get(name, value[None][:0])
            self.kept[name] = torch.cat([before, value[None]])
        data = safetensors.torch.save(self.kept)
        write_bytes(self.path, data)
