"""What a training run carries from step to step, and its checkpoints on disk.

Invariant: `checkpoint.json` names one complete tensor file. It is replaced last, in
one move, so that a kill at any moment leaves the previous checkpoint whole.
"""

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from glyflib.files import write_bytes, write_text

RECORD = "checkpoint.json"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps for each parameter


class EMA:
    """Exponential moving average of parameters; buffers are copied, never averaged.

    With warm-up, update k (from 1) uses the decay min(decay, (1 + k) / (10 + k)), so
    that a short run is not an average with its random start (as TensorFlow does).

    Args:
        model: network to copy, left as it is.
        decay: share of the average that an update keeps, in [0, 1).
        is_warmed_up: whether the decay rises as above.

    Attributes:
        model: network that holds the averaged parameters, in evaluation mode.
        num_updates: how often it was updated.

    Raises:
        ValueError: If decay is out of range.

    References:
        Polyak and Juditsky 1992, for averages; Song and Ermon 2020, section 3.4.
    """

    def __init__(self, model: nn.Module, decay: float, *, is_warmed_up: bool = True):
        if not 0 <= decay < 1:
            raise ValueError(f"decay {decay} must lie in [0, 1)")
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.is_warmed_up, self.num_updates = decay, is_warmed_up, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model; a decay of 0 copies it.

        Args:
            model: network of the same form, after an update of its own.
        """
        self.num_updates += 1
        warm = (1 + self.num_updates) / (10 + self.num_updates)
        decay = min(self.decay, warm) if self.is_warmed_up else self.decay
        pairs = zip(self.model.parameters(), model.parameters(), strict=True)
        for average, value in pairs:
            average.lerp_(value, 1 - decay)
        for mine, value in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(value)


class Checkpoint(NamedTuple):
    """A run on disk.

    Attributes:
        facts: what fits in JSON: step, number of EMA updates, configuration, shapes.
        tensors: weights ("model.", "ema."), "optimizer.", "generator", and what the run
            adds, such as "alpha_bar".
    """

    facts: dict
    tensors: dict[str, Tensor]


def named_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers by name; a shared one comes once."""
    yield from model.named_parameters()
    yield from model.named_buffers()


@torch.no_grad()
def restore_model(model: nn.Module, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Copy stored weights into a network of the same form.

    Args:
        model: network, filled in place.
        prefix: "model" or "ema", what the names of its tensors begin with.
        tensors: those of a `Checkpoint`.

    Raises:
        ValueError: If a name or a shape differs.
    """
    places = {f"{prefix}.{name}": place for name, place in named_tensors(model)}
    stored = {name for name in tensors if name.startswith(f"{prefix}.")}
    if odd := sorted(stored ^ places.keys()):
        side = "the checkpoint" if odd[0] in stored else "the model"
        raise ValueError(f"only {side} has {odd[0]}: this is another network")
    for name, place in places.items():
        if tensors[name].shape != place.shape:
            shapes = f"{tuple(tensors[name].shape)}, not {tuple(place.shape)}"
            raise ValueError(f"{name} is {shapes}, in the checkpoint: another network")
    for name, place in places.items():
        place.copy_(tensors[name])


@dataclass
class Run:
    """All that changes in training: what a checkpoint has to hold.

    Attributes:
        model: network that learns.
        ema: average of its weights.
        optimizer: AdamW, with its moments.
        generator: CPU source of all that is random.
        step: number of updates so far.
    """

    model: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0

    def to_checkpoint(self, facts: dict, **others: Tensor) -> Checkpoint:
        """Copy the state, and other tensors, to the CPU, each with its own memory.

        Args:
            facts: what fits in JSON, kept beside step and number of EMA updates.
            others: tensors to keep as well, by name, such as `alpha_bar`.
        """
        found = {"generator": self.generator.get_state(), **others}
        for prefix, model in (("model", self.model), ("ema", self.ema.model)):
            found |= {f"{prefix}.{name}": value for name, value in named_tensors(model)}
        for name, place in self.model.named_parameters():
            for key, value in self.optimizer.state.get(place, {}).items():
                found[f"optimizer.{key}.{name}"] = value
        copies = {
            name: value.detach().to("cpu", copy=True).contiguous()
            for name, value in found.items()
        }
        counts = {"step": self.step, "num_updates": self.ema.num_updates}
        return Checkpoint(counts | facts, copies)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take over the state of a checkpoint, in place.

        Args:
            checkpoint: of a run of the same form.

        Raises:
            ValueError: If it belongs to another network.
        """
        facts, tensors = checkpoint
        restore_model(self.model, "model", tensors)
        restore_model(self.ema.model, "ema", tensors)
        for name, place in self.model.named_parameters():
            keys = {key: f"optimizer.{key}.{name}" for key in MOMENTS}
            if keys["step"] in tensors:
                state = {"step": tensors[keys["step"]].to(place.device)}
                for key in MOMENTS[1:]:
                    like = torch.empty_like(place).detach()
                    state[key] = like.copy_(tensors[keys[key]])
                self.optimizer.state[place] = state
        self.generator.set_state(tensors["generator"])
        self.step, self.ema.num_updates = facts["step"], facts["num_updates"]


def save_checkpoint(directory: Path | str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, then remove the one before it.

    Args:
        directory: folder of checkpoint.json and one file of tensors, made if missing.
        checkpoint: its facts have to hold "step", which names the file of tensors.

    Raises:
        PermissionError: If a file there may not be replaced.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    name = f"state-{checkpoint.facts['step']:08d}.safetensors"
    data = safetensors.torch.save(checkpoint.tensors)
    write_bytes(directory / name, data)
    sha256 = hashlib.sha256(data).hexdigest()
    record = {"tensors": name, "sha256": sha256, "facts": checkpoint.facts}
    text = json.dumps(record, indent=2) + "\n"
    write_text(directory / RECORD, text)
    for path in directory.glob("state-*.safetensors*"):
        if path.name != name:
            path.unlink(missing_ok=True)


def load_checkpoint(directory: Path | str) -> Checkpoint:
    """Read the checkpoint in a folder.

    Args:
        directory: folder given to `save_checkpoint`.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged.
    """
    path = Path(directory) / RECORD
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint in {directory}: it has no {RECORD}")
    try:
        record = json.loads(path.read_text("utf-8"))
        data = (path.parent / record["tensors"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != record["sha256"]:
            raise ValueError(f"{record['tensors']} does not have its sha256")
        return Checkpoint(record["facts"], safetensors.torch.load(data))
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ValueError(
            f"the checkpoint in {directory} is damaged: {error}"
        ) from error


def stored_checkpoint(directory: Path | str | None, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from; neither lost nor overwritten by mistake.

    Args:
        directory: folder of checkpoints; None if a run keeps none.
        resume: whether to go on from the one there.

    Returns:
        None for a run that starts anew.

    Raises:
        FileNotFoundError: If there is none to resume from.
        FileExistsError: If there is one, and resume is not set.
        ValueError: If it is damaged, or resume is set without a folder.
    """
    if directory is None:
        if resume:
            raise ValueError("resume needs the directory of a checkpoint")
        return None
    if resume:
        return load_checkpoint(directory)
    if (Path(directory) / RECORD).exists():
        raise FileExistsError(
            f"{directory} holds a checkpoint: resume, or go elsewhere"
        )
    return None


def check_same(checkpoint: Checkpoint, facts: dict, alpha_bar: Tensor) -> None:
    """Raise a ValueError that names the first thing changed since the checkpoint."""
    check_facts(checkpoint, facts)
    if checkpoint.facts.get("shown", "") != facts["shown"]:
        raise ValueError(
            "which texts are told of the pictures, or what these weigh, is not as it "
            "was: give the choices and weights that the run was started with"
        )
    if not torch.equal(checkpoint.tensors["alpha_bar"], alpha_bar):
        raise ValueError("alpha_bar is not that of the checkpoint")


def check_facts(checkpoint: Checkpoint, facts: dict) -> None:
    """Raise a ValueError that names what has changed of configuration and data."""
    for name, value in facts["config"].items():
        stored = checkpoint.facts["config"].get(name)
        if stored != value:
            raise ValueError(f"{name} was {stored!r} in the checkpoint, now {value!r}")
    if checkpoint.facts["shapes"] != facts["shapes"]:
        before = checkpoint.facts["shapes"]
        raise ValueError(f"the data were {before}, now {facts['shapes']}")
    known, given = checkpoint.facts.get("data_sha256", ""), facts["data_sha256"]
    if known and given and known != given:
        raise ValueError(
            f"the data are from another file: its sha256 was {known[:12]}…, now "
            f"{given[:12]}…; give the file that the run was started with"
        )
