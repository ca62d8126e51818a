"""The code of the page's engine, and the functions of the package that it follows.

Invariant: names and lines are looked up in the sources when they are shown, so that
they are those of the code as it is.
"""

import base64
import inspect
import re
from collections.abc import Sequence
from functools import reduce
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from textwrap import dedent

from IPython.display import Markdown

# In the order in which they call each other, from the product of matrices upward.
ENGINE = (
    "matrix.js",
    "weights.js",
    "layers.js",
    "unet.js",
    "t5.js",
    "tokenizer.js",
    "samplers.js",
    "noise.js",
)
# What the engine calls as the package does, and where that is.
PAIRS = (
    ("addProduct", "matrix.js", "torch's matrix product"),
    ("conv", "layers.js", "unet.conv"),
    ("linear", "layers.js", "torch.nn.Linear"),
    ("groupNorm", "layers.js", "unet.group_norm"),
    ("attend", "layers.js", "unet.attend"),
    ("timestepEmbedding", "unet.js", "unet.timestep_embedding"),
    ("resBlock", "unet.js", "unet.ResBlock.forward"),
    ("attention", "unet.js", "unet.Attention.forward"),
    ("unetBlock", "unet.js", "unet.Block.forward"),
    ("meanTokens", "unet.js", "unet.masked_mean"),
    ("embed", "unet.js", "unet.UNet.embed"),
    ("unetForward", "unet.js", "unet.UNet.forward"),
    ("distanceBucket", "t5.js", "t5.distance_buckets"),
    ("t5Block", "t5.js", "t5.T5Block.forward"),
    ("t5Forward", "t5.js", "t5.T5Encoder.forward"),
    ("tokenizer", "tokenizer.js", "t5.Tokenizer"),
    ("levelGrid", "samplers.js", "sampling.level_grid"),
    ("guided", "samplers.js", "sampling.guided"),
    ("keeping", "samplers.js", "editing.keeping"),
    ("halfLogSnr", "samplers.js", "sampling.half_log_snr"),
    ("sampleDpm", "samplers.js", "sampling.sample_dpm"),
    ("studentPredicts", "samplers.js", "student.Student.predict_x0_for"),
    ("sampleFew", "samplers.js", "student.sample_few"),
    ("torchNoise", "noise.js", "torch.randn"),
)


def asset(name: str) -> bytes:
    """A file of the engine."""
    return files("glyflib.interactive").joinpath("engine", name).read_bytes()


def script(name: str) -> str:
    """A script or style of the engine, as text."""
    return asset(name).decode("utf-8")


def engine_source() -> str:
    """The engine as one script for a page or a worker, its kernel within.

    It defines functions and starts nothing: `startEngine(kernelBytes)` does.
    """
    kernel = base64.b64encode(asset("kernel.wasm")).decode()
    head = (
        f'const kernelBytes = Uint8Array.from(atob("{kernel}"), '
        "(char) => char.charCodeAt(0));\n"
    )
    return head + "\n".join(script(name) for name in ENGINE)


def line_of(name: str, file: str) -> int:
    """The line of the engine's file at which a function begins.

    Raises:
        ValueError: If the file has no such function.
    """
    found = re.search(rf"^function\*? {name}\(", script(file), re.MULTILINE)
    if found is None:
        raise ValueError(f"the engine's {file} has no function {name!r}")
    return script(file).count("\n", 0, found.start()) + 1


def partner(there: str) -> object | None:
    """What a function of the engine follows, such as "unet.ResBlock.forward".

    Args:
        there: a name below glyflib; one of torch has no source here.

    Returns:
        the function, class or method; None for one of torch.
    """
    if there.startswith("torch"):
        return None
    module, *names = there.split(".")
    return inspect.unwrap(reduce(getattr, names, import_module(f"glyflib.{module}")))


def engine_pairs(engine_files: Sequence[str] = ENGINE) -> dict[str, dict[str, str]]:
    """The engine's functions beside those that they follow, with files and lines.

    Args:
        engine_files: of which the functions are listed, such as "unet.js".

    Returns:
        For each function of the engine, in the order in which they call each other
        from below: "where" it is, what it "follows", and "where that is".
    """
    rows = {}
    for here, file, there in PAIRS:
        if file not in engine_files:
            continue
        found, where = partner(there), "PyTorch"
        if found is not None:
            name = Path(inspect.getsourcefile(found)).name
            where = f"{name}, line {inspect.getsourcelines(found)[1]}"
            there = there.partition(".")[2]
        rows[here] = {
            "where": f"{file}, line {line_of(here, file)}",
            "follows": there,
            "where that is": where,
        }
    return rows


def show_pair(name: str) -> Markdown:
    """A function of the engine, and below it the one that it follows, as code.

    Args:
        name: of the engine's function, such as "resBlock".

    Raises:
        ValueError: If none of the name is known to follow one of the package.
    """
    pairs = {here: (file, there) for here, file, there in PAIRS}
    known = [here for here, (_, there) in pairs.items() if partner(there) is not None]
    if name not in known:
        raise ValueError(f"name {name!r} must be one of {', '.join(known)}")
    file, there = pairs[name]
    lines = script(file).splitlines()[line_of(name, file) - 1 :]
    ours = lines[: lines.index("}") + 1]  # where a function ends in its first column
    theirs = dedent(inspect.getsource(partner(there))).rstrip()
    begun = "\n".join(ours)
    return Markdown(f"```javascript\n{begun}\n```\n\n```python\n{theirs}\n```")


def engine_table() -> str:
    """The engine's functions beside the package's, as a table in HTML."""
    rows = "".join(
        f"<tr><td><code>{here}</code></td><td>{row['where']}</td>"
        f"<td><code>{row['follows']}</code></td><td>{row['where that is']}</td></tr>"
        for here, row in engine_pairs().items()
    )
    names = ("Engine", "Its place", "What it stands for", "Its place")
    head = "".join(f"<th>{name}</th>" for name in names)
    head = f"<tr>{head}</tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def engine_listing() -> str:
    """All files of the engine to read, each folded, as HTML."""
    names = ("kernel.wat", *ENGINE, "worker.js")
    return "".join(
        f'<details><summary>{name}</summary><pre tabindex="0"><code>'
        f"{escape(script(name))}</code></pre></details>"
        for name in names
    )
