"""Files: where the data lie, whole or nothing on disk, and models in folders.

Invariant: a file is replaced at once. A model is a folder with config.json, written
last, which holds the sha256 of its weights: a save that was cut off is noticed, never
drawn from.
"""

import hashlib
import json
import os
import platform
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

CONFIG, WEIGHTS = "config.json", "model.safetensors"
DATA = Path(os.environ.get("GLYFLIB_DATA", Path(__file__).parents[1] / "data"))


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the path, flush to the disk, then move into place at once.

    A link stays: the file that it leads to is replaced. A write that fails leaves the
    old file and nothing else.

    Args:
        path: of the file to replace or to make; its folder has to be there.
        write: called with the path beside it, writes the whole file there.

    Raises:
        PermissionError: If there is a file that nobody may write to.
    """
    check_replaceable(path)
    path = path.resolve()
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def check_replaceable(path: Path) -> None:
    """Raise a PermissionError if a file is there that is marked as read-only."""
    if path.is_file() and not path.stat().st_mode & 0o222:
        raise PermissionError(f"{path} is read-only: allow writing, or name another")


def check_place(path: Path) -> None:
    """Raise, before anything is computed, if no file can be written there.

    Folders that are missing are fine: they can be made.

    Raises:
        OSError: If the folder cannot be written to, or the path is itself a folder or
            a file that is marked as read-only.
    """
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise PermissionError(f"no file can be written into {folder}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the name of a file")
    check_replaceable(path)


def flush_folder(folder: Path) -> None:
    """Ask the disk to keep a move within a folder, where folders can be asked."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    place = os.open(folder, os.O_DIRECTORY)
    try:
        os.fsync(place)
    except OSError:
        return  # not on this file system: the move has happened all the same
    finally:
        os.close(place)


def way_out(path: Path, shipped: Path, otherwise: str) -> str:
    """What to do about a file or folder that is missing or damaged.

    Args:
        path: of what is wrong.
        shipped: where the one that the repository holds lies.
        otherwise: how to get one of one's own.

    Returns:
        How to restore a shipped one, or `otherwise`, to end an error message with.
    """
    if path.resolve() != shipped.resolve():
        return otherwise
    name = f"data/{shipped.name}"
    return f"restore it with `git checkout -- {name}`, or {otherwise}"


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or nothing; see `replace_file`."""
    replace_file(path, lambda temporary: temporary.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    """Write a whole file in UTF-8, or nothing; see `replace_file`."""
    write_bytes(path, text.encode("utf-8"))


def read_model(
    path: Path,
    keys: Sequence[str],
    what: str,
    ways_out: str,
    *,
    optional: Sequence[str] = (),
    is_open: bool = False,
) -> tuple[dict, dict[str, Tensor]]:
    """What a model's config.json says, and the weights that it was written for.

    Arguments and errors as those of `read_config` and `read_weights`. The sha256 is
    checked and left out.
    """
    config = read_config(path, keys, what, ways_out, optional=optional, is_open=is_open)
    return config, read_weights(path, config.pop("sha256"), what, ways_out)


def read_config(
    path: Path,
    keys: Sequence[str],
    what: str,
    ways_out: str,
    *,
    optional: Sequence[str] = (),
    is_open: bool = False,
) -> dict:
    """What config.json in a model's folder says: the keys and, unless open, no more.

    Args:
        path: the model's folder.
        keys: that config.json has to hold.
        what: what errors call the model, such as "glyffuser".
        ways_out: how to get a whole one; errors end in it.
        optional: keys that it may hold besides.
        is_open: whether it may hold any others.

    Raises:
        FileNotFoundError: If there is no config.json.
        ValueError: If it is damaged, or of something else.
    """
    if not (path / CONFIG).is_file():
        raise FileNotFoundError(f"no {what} in {path}, it has no {CONFIG}: {ways_out}")
    try:
        config = json.loads((path / CONFIG).read_text("utf-8"))
        if not isinstance(config, dict):
            raise ValueError(f"it holds a {type(config).__name__}")
        more = set() if is_open else config.keys() - {*keys, *optional}
        if odd := sorted(set(keys) - config.keys() | more):
            raise ValueError(f"it {'has' if odd[0] in config else 'lacks'} {odd[0]!r}")
        if not isinstance(config.get("text_encoder", ""), str):
            raise ValueError(f"text_encoder {config['text_encoder']!r} is no name")
    except ValueError as error:
        text = f"{path / CONFIG} is not that of a {what} ({error}): {ways_out}"
        raise ValueError(text) from error
    return config


def read_weights(
    path: Path, sha256: str, what: str, ways_out: str
) -> dict[str, Tensor]:
    """The weights in a model's folder, if they are those that config.json means.

    Args:
        path: the model's folder.
        sha256: of model.safetensors, as config.json has it.
        what: what errors call the model.
        ways_out: how to get a whole one; errors end in it.

    Raises:
        FileNotFoundError: If there is no model.safetensors.
        ValueError: If it is damaged, or of another sha256.
    """
    file = path / WEIGHTS
    if not file.is_file():
        raise FileNotFoundError(f"no {what} in {path}, it has no {WEIGHTS}: {ways_out}")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        text = f"{file} is damaged, or not what {CONFIG} was written for"
        raise ValueError(f"{text} (its sha256 differs): {ways_out}")
    try:
        return safetensors.torch.load(data)
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged ({error}): {ways_out}") from error


@contextmanager
def fitting(path: Path, ways_out: str) -> Iterator[None]:
    """Say that the files in a folder do not fit each other if building from them fails.

    Args:
        path: the folder, named in the error.
        ways_out: how to get a whole one; the error ends in it.

    Raises:
        ValueError: For what a network or a model raises at wrong arguments or weights.
    """
    try:
        yield
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        reason = textwrap.shorten(str(error), 200)
        text = f"the files in {path} do not fit each other ({reason}): {ways_out}"
        raise ValueError(text) from error


def write_files(path: Path, config: dict, state: dict[str, Tensor]) -> None:
    """Write a model's folder, weights in half precision; other files stay.

    Args:
        path: the folder, made where it is missing.
        config: for config.json, which gets the weights' sha256 as well.
        state: weights by name, as `state_dict` gives them.

    Raises:
        ValueError: If a weight is not finite in half precision.
        TypeError: If the config does not fit in JSON; nothing is written then.
    """
    halves = {name: value.half().cpu().contiguous() for name, value in state.items()}
    if odd := [name for name, half in halves.items() if not half.isfinite().all()]:
        raise ValueError(f"weights {odd[0]} are not finite in half precision")
    data = safetensors.torch.save(halves)
    config = config | {"sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    path.mkdir(parents=True, exist_ok=True)
    write_bytes(path / WEIGHTS, data)
    write_text(path / CONFIG, text)


def provenance() -> dict[str, str | int]:
    """Machine in words, threads that torch uses, and today's date."""
    if torch.cuda.is_available():
        machine = torch.cuda.get_device_name()
    else:
        machine = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return {
        "machine": machine,
        "threads": torch.get_num_threads(),
        "date": date.today().isoformat(),
    }
