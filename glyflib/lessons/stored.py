"""Results that take longer than a chapter's minute: small files in data/results/.

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

from glyflib.files import DATA, replace_file

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
        path = folder / f"{name}.safetensors"
        replace_file(path, lambda temporary: temporary.write_bytes(data))
    record = {"facts": results.facts, "sha256": sha256, "parts": results.parts}
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    replace_file(folder / f"{name}.json", lambda temporary: temporary.write_text(text))


def by_steps(results: Results, kind: str, key: str) -> dict[int, Tensor | tuple]:
    """What was stored of one kind, such as "same ddim", by the number of steps.

    Tensors come in float64, estimates as (value, low, high).
    """
    found = {}
    for name, part in results.parts.items():
        if name.rpartition(" ")[0] == kind:
            stored = results.tensors.get(f"{name}/{key}")
            is_tensor = stored is not None
            found[part["steps"]] = (
                stored.double() if is_tensor else tuple(part[key].values())
            )
    return dict(sorted(found.items()))


def by_scale(results: Results, kind: str, key: str) -> dict[float, Tensor | list]:
    """What was stored of one kind, such as "sweep", by the scale."""
    found = {}
    for name, part in results.parts.items():
        if name.rpartition(" ")[0] == kind:
            stored = results.tensors.get(f"{name}/{key}")
            found[part["scale"]] = part[key] if stored is None else stored
    return dict(sorted(found.items()))
