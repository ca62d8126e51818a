"""The page's engine from Python: tensors in, tensors out, by way of a browser."""

import base64
import gzip

import torch

from glyflib.interactive.drawing import packed
from glyflib.interactive.engine_code import engine_source

# What the tests ask for, beside the engine's own functions.
HELPERS = """
const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const pictures = ({ numbers, rows, cols, side, count }) =>
  ({ ...fromArray(numbers, rows, cols), side, count });
const parts = {};
"""


def blank_page(browser, kernel="wasm"):
    """A page with the engine, started with its kernel or in plain JavaScript."""
    page = browser.new_page()
    page.set_content("<!doctype html><title>Engine</title>")
    page.add_script_tag(content=engine_source() + HELPERS)
    wanted = "kernelBytes" if kernel == "wasm" else "null"
    assert page.evaluate(f"startEngine({wanted})") == kernel
    return page


def load_part(page, name, part):
    """Hand a packed part to the page, as `parts[name]` there."""
    text = base64.b64encode(gzip.decompress(part)).decode()
    page.evaluate(
        "([name, text]) => { parts[name] = readPart(bytesOf(text)); }", [name, text]
    )


def load_weights(page, module, **header):
    """The weights of a module, rounded to half precision here and there."""
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(value.half().float())
    state = {f"layer.{name}": value for name, value in module.state_dict().items()}
    load_part(page, "test", packed(header, state, precision="half"))


def columns(x):
    """Pictures (B, C, S, S) or vectors (B, C, L) as a matrix (C, B …) of the engine."""
    numbers = x.transpose(0, 1).flatten(1)
    shape = {"rows": numbers.shape[0], "cols": numbers.shape[1]}
    shape |= {"side": x.shape[-1], "count": x.shape[0]}
    return {"numbers": numbers.flatten().tolist(), **shape}


def call(page, expression, *values):
    """What a JavaScript function of some values returns, each number of it."""
    found = page.evaluate(f"(values) => Array.from(({expression})(...values))", values)
    return torch.tensor(found, dtype=torch.float64)


def pictures(numbers, like):
    """The engine's (C, B …) numbers as torch's (B, C, …), of the shape of `like`."""
    B, C, *rest = like.shape
    return numbers.reshape(C, B, *rest).transpose(0, 1).float()
