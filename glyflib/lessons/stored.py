"""The files in data/results/: what takes longer than a chapter's minute.

Invariant: a file says what made it (command, seed, model, machine, date), and holds
whole parts only; a killed study goes on with the first part that is missing.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from glyflib.files import DATA, write_bytes, write_text

RESULTS = DATA / "results"


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes:
        facts: what made it: name, command, seed, model (sha256 of the shipped
            glyffuser's weights, None if it is not used), machine, threads and date.
        parts: by part, then name: what fits in JSON.
        tensors: by "part/name": pictures and other arrays.
    """

    facts: dict
    parts: dict[str, dict] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)


def load_results(name: str, folder: Path | str = RESULTS) -> Results:
    """Read what a study found.

    Args:
        name: of the study, such as "sampling".
        folder: where its files lie.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the files are damaged or do not belong together.
    """
    path = Path(folder) / f"{name}.json"
    repair = f"make it again with `glyflib data results {name}`"
    if not path.is_file():
        raise FileNotFoundError(f"no results at {path}: {repair}")
    try:
        record, stored = json.loads(path.read_text("utf-8")), {}
        if record["sha256"]:
            data = path.with_suffix(".safetensors").read_bytes()
            stored = safetensors.torch.load(data)
        tensors = {key: stored[key] for key in record["sha256"]}
        for key, value in tensors.items():
            if digest(value) != record["sha256"][key]:
                raise ValueError(f"{key} does not have its sha256")
        return Results(record["facts"], record["parts"], tensors)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{path} is damaged ({error}): {repair}") from error


def digest(value: Tensor) -> str:
    """The sha256 of a tensor's numbers."""
    return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()


def save_results(name: str, results: Results, folder: Path | str = RESULTS) -> None:
    """Write a study's tensors, then its JSON file, each in one move.

    The second names the tensors that belong to it, each with its sha256: what a kill
    between the two has left in the first is not read.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = {key: digest(value) for key, value in results.tensors.items()}
    if results.tensors:
        data = safetensors.torch.save(results.tensors)
        write_bytes(folder / f"{name}.safetensors", data)
    record = {"facts": results.facts, "sha256": sha256, "parts": results.parts}
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    write_text(folder / f"{name}.json", text)
